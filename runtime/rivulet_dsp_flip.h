/*
 * Rivulet runtime, Armv7E-M DSP extension: gradients of the input of depthwise convolutions of 3x3, 5x5 and 7x7.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plane holds what arrives for one channel, with as many columns from pixel to pixel as the stride of the convolution,
 * and zeros elsewhere. The window turned round slides over it, four elements at a time, two taps an instruction; of its
 * rows only those that meet a row of the plane are there.
 */
#ifndef RIVULET_DSP_FLIP_H
#define RIVULET_DSP_FLIP_H

#include "rivulet_dsp_slide.h"
#include "rivulet_gradient.h"

/* Four bits become four bytes of 0xff or 0. */
static inline uint32_t rv_spread_bits(uint32_t bits)
{
    return (bits * 0x00204081u & 0x01010101u) * 0xffu;
}

/* What a row of three taps adds to four elements; the middle tap is the low or high half of `middle`. */
RV_INLINE void rv_flip_row3(const int8_t *plane, uint32_t outer, uint32_t middle, const int32_t is_high, int32_t *sums)
{
    for (int32_t i = 0; i < 4; i += 2) {
        const uint32_t word = rv_next_word(plane + i);
        const uint32_t even = rv_even_bytes(word);
        const uint32_t odd = rv_odd_bytes(word);
        sums[i] = rv_add_both(even, outer, sums[i]);
        sums[i + 1] = rv_add_both(odd, outer, sums[i + 1]);
        sums[i] = is_high ? rv_add_low_high(odd, middle, sums[i]) : rv_add_low_low(odd, middle, sums[i]);
        sums[i + 1] =
            is_high ? rv_add_high_high(even, middle, sums[i + 1]) : rv_add_high_low(even, middle, sums[i + 1]);
    }
}

/* What `rows` rows of a plane add to four elements. taps: row by row, `taps_pitch` bytes apart. */
RV_INLINE void rv_flip_rows(const int8_t *plane, int32_t pitch, const int8_t *taps, int32_t taps_pitch, int32_t rows,
                            const int32_t k, int32_t *sums)
{
    for (; rows > 0; --rows) {
        if (k == 3) {
            rv_flip_row3(plane, rv_pair16(taps[0], taps[2]), (uint32_t)(int32_t)taps[1], 0, sums);
        } else {
            const rv_taps t = rv_load_taps(taps, k);
            rv_slide_word(plane, 0, 4, k, t, sums);
            rv_slide_word(plane, 1, 4, k, t, sums);
            rv_slide_word(plane, 2, 4, k, t, sums);
            if (k == 7) {
                rv_slide_word(plane, 3, 4, k, t, sums);
            }
        }
        plane += pitch;
        taps += taps_pitch;
    }
}

/* What the channels of a call have in common. */
typedef struct {
    int32_t channels;
    int32_t in_height; /* rows of a plane */
    int32_t plane_width;
    int32_t out_height;
    int32_t out_width;
    int32_t stride;
    int32_t above; /* rows of the window above the first row of the result */
    rv_gradient to;
} rv_flip;

/* The gradient of one channel, from its plane and the window turned round; factor: the scale of its weights. */
RV_INLINE void rv_flip_channel(rv_flip *f, const int32_t k, const int8_t *plane, const int8_t *taps, int32_t factor,
                               int8_t *out)
{
    const int32_t step = f->channels;
    const int32_t shift = f->to.shift;
    const uint32_t hash = f->to.hash;
    const int32_t rest = f->to.rest;
    uint32_t bits = f->to.bits;

    const uint32_t outer[3] = {rv_pair16(taps[0], taps[2]), rv_pair16(taps[3], taps[5]), rv_pair16(taps[6], taps[8])};
    const uint32_t middle = rv_pair16(taps[1], taps[4]);
    const uint32_t last = (uint32_t)(int32_t)taps[7];
    /* Row `tap` of the window is the first that meets a row of the plane, row `first`. */
    int32_t tap = f->above;
    int32_t first = 0;

    for (int32_t y = f->out_height; y > 0; --y) {
        const int32_t fitting = (k - tap + f->stride - 1) / f->stride;
        const int32_t rows = fitting < f->in_height - first ? fitting : f->in_height - first;
        for (int32_t x = 0; x < f->out_width; x += 4) {
            const int32_t left = f->out_width - x;
            int32_t sums[4] = {0, 0, 0, 0};
            const int8_t *in = plane + first * f->plane_width + x;
            if (k == 3 && rows == 3) {
                rv_flip_row3(in, outer[0], middle, 0, sums);
                rv_flip_row3(in + f->plane_width, outer[1], middle, 1, sums);
                rv_flip_row3(in + 2 * f->plane_width, outer[2], last, 0, sums);
            } else {
                rv_flip_rows(in, f->plane_width, taps + tap * k, f->stride * k, rows, k, sums);
            }
#define RV_ELEMENT(i)                                                                                                  \
    if ((i) == 0 || left > (i)) {                                                                                      \
        const int32_t a = sums[i] * factor;                                                                            \
        bits |= (uint32_t)(a ^ (a < 0 ? -1 : 0));                                                                      \
        *out = (int8_t)rv_ssat8((a + (int32_t)((uint32_t)a * hash >> rest)) >> shift);                                 \
        out += step;                                                                                                   \
    }
            RV_ELEMENT(0)
            RV_ELEMENT(1)
            RV_ELEMENT(2)
            RV_ELEMENT(3)
#undef RV_ELEMENT
        }
        if (tap > 0) {
            --tap;
        } else {
            tap = f->stride - 1;
            ++first;
        }
    }
    f->to.bits = bits;
}

RV_SHARED void rv_flip_3x3(rv_flip *f, const int8_t *plane, const int8_t *taps, int32_t factor, int8_t *out)
{
    rv_flip_channel(f, 3, plane, taps, factor, out);
}

RV_SHARED void rv_flip_5x5(rv_flip *f, const int8_t *plane, const int8_t *taps, int32_t factor, int8_t *out)
{
    rv_flip_channel(f, 5, plane, taps, factor, out);
}

RV_SHARED void rv_flip_7x7(rv_flip *f, const int8_t *plane, const int8_t *taps, int32_t factor, int8_t *out)
{
    rv_flip_channel(f, 7, plane, taps, factor, out);
}

#endif /* RIVULET_DSP_FLIP_H */
