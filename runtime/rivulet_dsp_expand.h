/*
 * Rivulet runtime, Armv7E-M DSP extension: a pointwise convolution straight into the planes of a depthwise one.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The constants of the expansion are a stream of words for each pair of channels (a, b), packed by
 * src/ops/expand_depthwise2d/dsp.ts:
 *
 *     bias a, bias b, multiplier a, multiplier b, e a | e b << 8,  then for each four input channels i
 *     four bytes: a[i], b[i], a[i + 2], b[i + 2], and four: a[i + 1], b[i + 1], a[i + 3], b[i + 3]
 *
 * with the input's zero point folded into the biases, and e = -shift. A last single channel is its own partner.
 */
#ifndef RIVULET_DSP_EXPAND_H
#define RIVULET_DSP_EXPAND_H

#include "rivulet_dsp_depthwise.h"

typedef struct {
    int32_t in_channels; /* a multiple of 4 */
    int32_t factor;      /* 2 * zero point of the expanded values + 1 */
    int32_t lowest;
    int32_t highest;
    int32_t carried_rows; /* that are kept for the next window */
    int32_t kept_rows;    /* from the one before: as many, but in the first row of an image none */
} rv_expansion;

/* The word at *from, which then points behind it. */
RV_INLINE uint32_t rv_take_word(const int8_t **from)
{
#if RV_DSP
    uint32_t word;
    __asm__ volatile("ldr %0, [%1], #4" : "=r"(word), "+r"(*from) : "m"(*(const rv_word *)(const void *)*from));
    return word;
#else
    *from += 4;
    return rv_load32(*from - 4);
#endif
}

/* Products of the even or the odd values of two pixels with the weights of two channels: sums a0, b0, a1, b1. */
RV_INLINE void rv_expand_pairs(uint32_t weights, uint32_t pair0, uint32_t pair1, int32_t *sums)
{
    const uint32_t a = rv_even_bytes(weights);
    const uint32_t b = rv_odd_bytes(weights);
    sums[0] = rv_add_both(a, pair0, sums[0]);
    sums[1] = rv_add_both(b, pair0, sums[1]);
    sums[2] = rv_add_both(a, pair1, sums[2]);
    sums[3] = rv_add_both(b, pair1, sums[3]);
}

/* rv_dsp_requantize, with the sign from where it costs nothing. */
RV_INLINE int8_t rv_expanded(int32_t sum, int32_t multiplier, int32_t rounding, int32_t e)
{
    const int32_t twice = (int32_t)((uint32_t)sum << 1);
    return (int8_t)rv_ssat8(rv_smmlar(twice, multiplier, rounding + (sum >> 31)) >> e);
}

/* One row of two channels: `columns` pixels, two at a time; the last of an odd number is computed twice. */
RV_SHARED void rv_expand_line(const rv_expansion *g, const int32_t *stream, const int8_t *in, int32_t columns,
                              int8_t *line_a, int8_t *line_b)
{
    const int32_t pixel_bytes = g->in_channels;
    const int32_t multiplier_a = stream[2];
    const int32_t multiplier_b = stream[3];
    const int32_t e_a = stream[4] & 255;
    const int32_t e_b = stream[4] >> 8;
    const int32_t rounding_a = (int32_t)((uint32_t)g->factor << (e_a - 1));
    const int32_t rounding_b = (int32_t)((uint32_t)g->factor << (e_b - 1));

    for (int32_t x = 0; x < columns; x += 2) {
        const int32_t next = x + 1 < columns ? 1 : 0;
        const int32_t distance = next * pixel_bytes;
        const int8_t *weights = (const int8_t *)(stream + 5);
        const int8_t *end = in + pixel_bytes;
        int32_t sums[4];
        sums[0] = sums[2] = stream[0];
        sums[1] = sums[3] = stream[1];
        do {
            const uint32_t pixel1 = rv_next_word(in + distance);
            const uint32_t pixel0 = rv_take_word(&in);
            rv_expand_pairs(rv_take_word(&weights), rv_even_bytes(pixel0), rv_even_bytes(pixel1), sums);
            rv_expand_pairs(rv_take_word(&weights), rv_odd_bytes(pixel0), rv_odd_bytes(pixel1), sums);
        } while (in != end);
        in += distance;
        line_a[x] = rv_expanded(sums[0], multiplier_a, rounding_a, e_a);
        line_b[x] = rv_expanded(sums[1], multiplier_b, rounding_b, e_b);
        line_a[x + next] = rv_expanded(sums[2], multiplier_a, rounding_a, e_a);
        line_b[x + next] = rv_expanded(sums[3], multiplier_b, rounding_b, e_b);
    }
    if (g->highest - g->lowest < 255) {
        rv_limit(line_a, columns, g->lowest, g->highest);
        rv_limit(line_b, columns, g->lowest, g->highest);
    }
}

/* Rows between a plane and the memory that carries them from one firing to the next. */
RV_SHARED void rv_copy_rows(int8_t *to, int32_t to_pitch, const int8_t *from, int32_t from_pitch, int32_t rows,
                            int32_t bytes)
{
    for (; rows > 0; --rows) {
        memcpy(to, from, (size_t)bytes);
        to += to_pitch;
        from += from_pitch;
    }
}

/* The output row, two channels at a time. row->scratch: carried rows int8[channels][carried_rows][in_columns]. */
RV_SHARED void rv_expand_row(const rv_expansion *g, rv_depthwise *d, const int32_t *stream, const int8_t *records,
                             const rv_row *row, rv_slide *slide)
{
    uint32_t on_stack[256]; /* STACK_BYTES in src/ops/depthwise_conv2d/dsp.ts */
    int8_t *planes = (int8_t *)on_stack;
    int8_t *carried = row->scratch;
    const int32_t record_bytes = 9 + d->size * d->size;
    const int32_t plane_bytes = d->size * d->plane_width;
    const int32_t kept = g->kept_rows;

    rv_begin_row(d, row, kept, planes, 2 * plane_bytes);
    for (int32_t a = 0; a < d->channels; a += 2) {
        const int32_t together = a + 1 < d->channels ? 2 : 1;
        int8_t *line = planes + kept * d->plane_width + d->pad_left;

        for (int32_t ky = kept; ky < d->size; ++ky) {
            if (row->in[ky] != NULL) {
                rv_expand_line(g, stream, row->in[ky], d->in_columns, line, line + plane_bytes);
            }
            line += d->plane_width;
        }
        line = planes + d->pad_left;
        for (int32_t p = 0; p < together && g->carried_rows > 0; ++p) {
            const int8_t *last = line + (d->size - g->carried_rows) * d->plane_width;
            rv_copy_rows(line, d->plane_width, carried, d->in_columns, kept, d->in_columns);
            rv_copy_rows(carried, d->in_columns, last, d->plane_width, g->carried_rows, d->in_columns);
            carried += g->carried_rows * d->in_columns;
            line += plane_bytes;
        }
        slide(d, planes, records, (int8_t *)row->out + a, together);
        stream += 5 + g->in_channels / 2;
        records += together * record_bytes;
    }
    rv_end_row(d, row);
}

#endif /* RIVULET_DSP_EXPAND_H */
