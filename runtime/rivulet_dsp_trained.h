/*
 * Rivulet runtime, Armv7E-M DSP extension: rows of depthwise convolutions whose bias is in RAM.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Channels slide as in rivulet_dsp_slide.h, on records that are made for each row. Where the fast requantisation could be
 * inexact, for multipliers or biases that trained networks do not have, the channel is computed plainly.
 */
#ifndef RIVULET_DSP_TRAINED_H
#define RIVULET_DSP_TRAINED_H

#include "rivulet_dsp_depthwise.h"

/* Constants of the channels, and the bias as it is now. */
typedef struct {
    const int8_t *weights; /* [channels][size][size] */
    const int32_t *folded; /* what the input's zero point contributes */
    const int32_t *multiplier;
    const int8_t *shift;
    const int32_t *bias;
} rv_trained;

/* Whether sums stay below 2^30 and the fast requantisation takes their shift; what the window adds is below 2^29. */
RV_INLINE int32_t rv_is_fast(const rv_trained *t, int32_t c)
{
    const uint32_t reach = (uint32_t)t->bias[c] + ((uint32_t)1 << 28);
    return reach < (uint32_t)1 << 29 && t->shift[c] < 0 && t->shift[c] > -21 && t->multiplier[c] > 0;
}

/* The record of channel c. One that is not fast gets any that does no harm. */
RV_INLINE void rv_trained_record(const rv_trained *t, int32_t c, const int32_t k, int8_t *record)
{
    const int8_t *w = t->weights + c * k * k;
    const int32_t fast = rv_is_fast(t, c);
    const uint32_t sum = fast ? (uint32_t)t->folded[c] + (uint32_t)t->bias[c] : 0u;
    const int8_t e = (int8_t)(fast ? -t->shift[c] : 1);

    rv_store32(record, k == 3 ? 2u * sum : sum);
    rv_store32(record + 4, fast ? (uint32_t)t->multiplier[c] : (uint32_t)1 << 30);
    if (k == 3) {
        record[8] = w[0];
        record[9] = w[3];
        record[10] = w[2];
        record[11] = w[5];
        record[12] = w[6];
        record[13] = w[1];
        record[14] = w[8];
        record[15] = w[4];
        record[16] = e;
        record[17] = w[7];
    } else {
        record[8] = e;
        memcpy(record + 9, w, (size_t)(k * k));
    }
}

/* The outputs of channel c, from its plane. */
RV_SHARED void rv_trained_channel(const rv_depthwise *d, const rv_trained *t, int32_t c, int32_t stride,
                                  int32_t zero_point, const int8_t *plane, int8_t *out)
{
    const int8_t *w = t->weights + c * d->size * d->size;

    for (int32_t x = 0; x < d->out_width; ++x) {
        uint32_t sum = (uint32_t)t->bias[c] + (uint32_t)t->folded[c];
        for (int32_t ky = 0; ky < d->size; ++ky) {
            for (int32_t kx = 0; kx < d->size; ++kx) {
                sum += (uint32_t)(plane[ky * d->plane_width + x * stride + kx] * w[ky * d->size + kx]);
            }
        }
        const int32_t y = rv_requantize((int32_t)sum, t->multiplier[c], t->shift[c]) + zero_point;
        out[x * d->channels] = (int8_t)rv_clamp(y, INT8_MIN, INT8_MAX);
    }
}

/* The output row. */
RV_INLINE void rv_trained_rows(rv_depthwise *d, const rv_trained *t, const int32_t k, int32_t stride,
                               int32_t zero_point, const rv_row *row, rv_slide *slide, int8_t *planes)
{
    int8_t records[4 * (9 + 49)];

    rv_begin_row(d, row, 0, planes, d->planes * k * d->plane_width);
    for (int32_t c = 0; c < d->channels;) {
        const int32_t together = c + d->planes <= d->channels ? d->planes : 1;
        if (together == 4) {
            rv_gather4(d, row, c, planes);
        } else {
            rv_gather1(d, row, c, planes);
        }
        for (int32_t i = 0; i < together; ++i) {
            rv_trained_record(t, c + i, k, records + i * (9 + k * k));
        }
        slide(d, planes, records, (int8_t *)row->out + c, together);
        for (int32_t i = 0; i < together; ++i) {
            if (!rv_is_fast(t, c + i)) {
                rv_trained_channel(d, t, c + i, stride, zero_point, planes + i * k * d->plane_width,
                                   (int8_t *)row->out + c + i);
            }
        }
        c += together;
    }
    rv_end_row(d, row);
}

#endif /* RIVULET_DSP_TRAINED_H */
