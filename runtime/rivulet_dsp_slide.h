/*
 * Rivulet runtime, Armv7E-M DSP extension: depthwise windows of 3x3, 5x5 and 7x7 that slide over planes.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plane holds the rows under the window of one channel, one below the other, with columns of padding. A word read at
 * column x gives the pairs (x, x+2) and (x+1, x+3) by two SXTB16; words at every second column, half of them unaligned,
 * give all pairs that windows need, and one SMLAD multiplies two taps of a row. At most one column too many is read.
 *
 * The constants of a channel are a record of 9 + k * k bytes, which src/ops/depthwise_conv2d/dsp.ts packs:
 *
 *     3x3       int32 2 * bias, int32 multiplier, taps 00 10 02 12 20 01 22 11, uint8 e, tap 21
 *     5x5, 7x7  int32 bias, int32 multiplier, uint8 e, taps row by row
 *
 * with the input's zero point folded into the bias, and e = -shift.
 */
#ifndef RIVULET_DSP_SLIDE_H
#define RIVULET_DSP_SLIDE_H

#include "rivulet_dsp.h"

#if defined(__GNUC__)
/* Has an object read from the stack again: taps and sums need the registers. */
#define RV_FORGET(object) __asm__ volatile("" : "+m"(object))
/* Hides what is known of a variable: GCC otherwise computes multiples and last values of it, and keeps them. */
#define RV_HIDE(variable) __asm__("" : "+r"(variable))
#else
#define RV_FORGET(object) ((void)(object))
#define RV_HIDE(variable) ((void)(variable))
#endif

/*
 * Instructions that stay in the order of the source: GCC otherwise moves loads up and then has no registers left for
 * sums. RV_PRODUCTS: name(a, b, sum) adds products of the halves of a and b.
 */
#if RV_DSP
#define RV_PRODUCTS(name, instruction, products)                                                                       \
    RV_INLINE int32_t name(uint32_t a, uint32_t b, int32_t sum)                                                        \
    {                                                                                                                  \
        int32_t result;                                                                                                \
        __asm__ volatile(instruction " %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));                     \
        return result;                                                                                                 \
    }
#else
#define RV_PRODUCTS(name, instruction, products)                                                                       \
    RV_INLINE int32_t name(uint32_t a, uint32_t b, int32_t sum)                                                        \
    {                                                                                                                  \
        return (int32_t)((uint32_t)sum + (uint32_t)(products));                                                        \
    }
#endif
RV_PRODUCTS(rv_add_both, "smlad", rv_low16(a) * rv_low16(b) + rv_high16(a) * rv_high16(b))
RV_PRODUCTS(rv_add_low_low, "smlabb", rv_low16(a) * rv_low16(b))
RV_PRODUCTS(rv_add_low_high, "smlabt", rv_low16(a) * rv_high16(b))
RV_PRODUCTS(rv_add_high_low, "smlatb", rv_high16(a) * rv_low16(b))
RV_PRODUCTS(rv_add_high_high, "smlatt", rv_high16(a) * rv_high16(b))

#if RV_DSP
/* At any address. */
typedef struct __attribute__((packed, may_alias)) {
    uint32_t word;
} rv_word;
#endif

RV_INLINE uint32_t rv_next_word(const int8_t *from)
{
#if RV_DSP
    uint32_t word;
    __asm__ volatile("ldr %0, %1" : "=r"(word) : "m"(*(const rv_word *)(const void *)from));
    return word;
#else
    return rv_load32(from);
#endif
}

RV_INLINE uint32_t rv_even_bytes(uint32_t bytes)
{
#if RV_DSP
    uint32_t pair;
    __asm__ volatile("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return rv_sxtb16(bytes);
#endif
}

RV_INLINE uint32_t rv_odd_bytes(uint32_t bytes)
{
#if RV_DSP
    uint32_t pair;
    __asm__ volatile("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return rv_sxtb16_odd(bytes);
#endif
}

/* What the channels of a row have in common. */
typedef struct {
    int32_t channels;
    int32_t in_columns; /* pixels of a row that windows reach */
    int32_t pad_left;
    int32_t planes;      /* how many channels lie in scratch at a time, 4 or 1 */
    int32_t plane_width; /* bytes from row to row of a plane */
    int32_t size;        /* rows of the window */
    int32_t out_width;
    int32_t in_zero_point;
    uint32_t zero_points; /* the same as a pair */
    int32_t out_factor;   /* 2 * zero point of the output + 1 */
    int32_t out_min;
    int32_t out_max;
    int32_t is_relu;   /* see rv_dsp_requantize_relu */
    int32_t first_row; /* rows [first_row, end_row) lie inside the tensor; one at least is computed */
    int32_t end_row;
} rv_depthwise;

/* Of one channel. */
typedef struct {
    int32_t multiplier;
    int32_t rounding;
    int32_t bias;
    int32_t plane_width;
    int32_t is_relu;
    int32_t out_channels;
    int32_t width;
    int32_t out_factor;
    const int8_t *end;
} rv_channel;

/* One output. shift: e in its low byte; 0 only for a ReLU, where the sign of a tie does not matter. */
RV_INLINE int8_t rv_output(int32_t sum, const int32_t is_twice, const int32_t is_relu, int32_t multiplier,
                           int32_t rounding, uint32_t shift)
{
    const int32_t twice = is_twice ? sum : (int32_t)((uint32_t)sum << 1);
    int32_t result = rv_smmlar(twice, multiplier, is_relu ? rounding : rounding + (sum >> 31));
#if RV_DSP
    __asm__ volatile("asr %0, %0, %1" : "+r"(result) : "r"(shift));
    __asm__ volatile("ssat %0, #8, %0" : "+r"(result));
    return (int8_t)result;
#else
    return (int8_t)rv_ssat8(result >> (shift & 31u));
#endif
}

RV_INLINE uint32_t rv_twice16(uint32_t pair)
{
#if RV_DSP
    __asm__("sadd16 %0, %0, %0" : "+r"(pair));
    return pair;
#else
    return rv_pair16(2 * rv_low16(pair), 2 * rv_high16(pair));
#endif
}

/* One row of two 3x3 windows, or of one: outer taps, and the middle one in the low or high half of `middle`. */
RV_INLINE void rv_row3(const int8_t *in, const int32_t stride, const int32_t n, uint32_t outer, uint32_t middle,
                       const int32_t is_high, int32_t *sums)
{
    const uint32_t word = rv_next_word(in);
    const uint32_t odd = rv_odd_bytes(word);
    const uint32_t even = rv_even_bytes(word);
    sums[0] = rv_add_both(even, outer, sums[0]);
    sums[0] = is_high ? rv_add_low_high(odd, middle, sums[0]) : rv_add_low_low(odd, middle, sums[0]);
    if (n > 1) {
        const uint32_t next = stride == 1 ? even : odd;
        sums[1] = is_high ? rv_add_high_high(next, middle, sums[1]) : rv_add_high_low(next, middle, sums[1]);
        if (stride == 1) sums[1] = rv_add_both(odd, outer, sums[1]);
    }
}

/* Two outputs of a 3x3 channel, or one. taps: outer ones of the three rows, middle ones of rows 0 and 1, (e, 21).
 */
RV_INLINE void rv_pair3(const int8_t *in, const int32_t stride, const int32_t n, const int32_t is_relu, int32_t *width,
                        const uint32_t *taps, int32_t bias, const rv_channel *c, int32_t step, int8_t *out)
{
    int32_t sums[2];
    sums[0] = sums[1] = bias;
    rv_row3(in, stride, n, taps[0], taps[3], 0, sums);
    rv_row3(in + *width, stride, n, taps[1], taps[3], 1, sums);
    RV_HIDE(*width);
    rv_row3(in + 2 * *width, stride, n, taps[2], taps[4], 1, sums);
    if (stride == 2 && n == 2) {
        RV_HIDE(*width);
        in += 2;
        sums[1] = rv_add_both(rv_even_bytes(rv_next_word(in)), taps[0], sums[1]);
        sums[1] = rv_add_both(rv_even_bytes(rv_next_word(in + *width)), taps[1], sums[1]);
        RV_HIDE(*width);
        sums[1] = rv_add_both(rv_even_bytes(rv_next_word(in + 2 * *width)), taps[2], sums[1]);
    }
    const int32_t multiplier = c->multiplier;
    const int32_t rounding = c->rounding;
    out[0] = rv_output(sums[0], 1, is_relu, multiplier, rounding, taps[4]);
    if (n > 1) out[step] = rv_output(sums[1], 1, is_relu, multiplier, rounding, taps[4]);
}

RV_INLINE void rv_channels3(const rv_depthwise *d, const int32_t stride, const int32_t is_relu, const int8_t *plane,
                            const int8_t *record, int8_t *out, int32_t channels)
{
    int32_t plane_width = d->plane_width;
    int32_t step = d->channels;
    rv_channel c;
    c.width = d->out_width;
    c.out_factor = d->out_factor;
    do {
        const uint32_t word = rv_load32(record + 8);
        const uint32_t next = rv_load32(record + 12);
        const uint32_t shift = (uint8_t)record[16];
        const int32_t bias = (int32_t)rv_load32(record);
        const int8_t *in = plane;
        int8_t *to = out;
        uint32_t taps[5];
        taps[0] = rv_twice16(rv_even_bytes(word));
        taps[1] = rv_twice16(rv_odd_bytes(word));
        taps[2] = rv_twice16(rv_even_bytes(next));
        taps[3] = rv_twice16(rv_odd_bytes(next));
        taps[4] = shift | (uint32_t)record[17] << 17;
        c.multiplier = (int32_t)rv_load32(record + 4);
        c.rounding = (int32_t)((uint32_t)c.out_factor << shift) >> 1;
        c.end = in + (c.width & ~1) * stride;
        RV_FORGET(c);
        while (in != c.end) {
            rv_pair3(in, stride, 2, is_relu, &plane_width, taps, bias, &c, step, to);
            RV_FORGET(c);
            RV_HIDE(step);
            in += 2 * stride;
            to += 2 * step;
        }
        if (c.width & 1) {
            rv_pair3(in, stride, 1, is_relu, &plane_width, taps, bias, &c, step, to);
        }
        plane += 3 * plane_width;
        record += 18;
        ++out;
        RV_HIDE(channels);
    } while (--channels > 0);
}

RV_INLINE void rv_depthwise_3(const rv_depthwise *d, const int32_t stride, const int8_t *plane, const int8_t *record,
                              int8_t *out, int32_t channels)
{
    if (d->is_relu) {
        rv_channels3(d, stride, 1, plane, record, out, channels);
    } else {
        rv_channels3(d, stride, 0, plane, record, out, channels);
    }
}

/* A row of 5 or 7 taps. */
typedef struct {
    uint32_t t02;
    uint32_t t13;
    uint32_t t46; /* tap 4 alone if there are 5 */
    uint32_t t5;  /* in the high half */
} rv_taps;

RV_INLINE rv_taps rv_load_taps(const int8_t *taps, const int32_t k)
{
    rv_taps t = {0, 0, 0, 0};
    const uint32_t word = rv_next_word(taps);
    t.t02 = rv_even_bytes(word);
    t.t13 = rv_odd_bytes(word);
    if (k == 5) {
        t.t46 = (uint32_t)taps[4];
    } else {
        const uint32_t next = rv_next_word(taps + 3);
        t.t46 = rv_odd_bytes(next);
        t.t5 = rv_even_bytes(next);
    }
    return t;
}

/* What word j of a row, columns 2 j to 2 j + 3, adds to the n outputs of a block; stride 1. */
RV_INLINE void rv_slide_word(const int8_t *in, const int32_t j, const int32_t n, const int32_t k, rv_taps t,
                             int32_t *sums)
{
#define RV_SUM(i, products, bytes, taps)                                                                               \
    if ((i) >= 0 && (i) < n) sums[i] = products(bytes, taps, sums[i])
    const uint32_t word = rv_next_word(in + 2 * j);
    const uint32_t even = rv_even_bytes(word);
    RV_SUM(2 * j, rv_add_both, even, t.t02);
    RV_SUM(2 * j - 1, rv_add_both, even, t.t13);
    if (k == 5) {
        RV_SUM(2 * j - 2, rv_add_high_low, even, t.t46);
    } else {
        RV_SUM(2 * j - 4, rv_add_both, even, t.t46);
        RV_SUM(2 * j - 3, rv_add_high_high, even, t.t5);
    }
    if (2 * j - (k == 5 ? 1 : 3) < n) {
        const uint32_t odd = rv_odd_bytes(word);
        RV_SUM(2 * j + 1, rv_add_both, odd, t.t02);
        RV_SUM(2 * j, rv_add_both, odd, t.t13);
        if (k == 5) {
            RV_SUM(2 * j - 1, rv_add_high_low, odd, t.t46);
        } else {
            RV_SUM(2 * j - 3, rv_add_both, odd, t.t46);
            RV_SUM(2 * j - 2, rv_add_high_high, odd, t.t5);
        }
    }
}

/* The same with stride 2. */
RV_INLINE void rv_stride_word(const int8_t *in, const int32_t j, const int32_t n, const int32_t k, rv_taps t,
                              int32_t *sums)
{
    const uint32_t word = rv_next_word(in + 2 * j);
    const uint32_t even = rv_even_bytes(word);
    RV_SUM(j, rv_add_both, even, t.t02);
    if (k == 5) {
        RV_SUM(j - 1, rv_add_high_low, even, t.t46);
    } else {
        RV_SUM(j - 2, rv_add_both, even, t.t46);
    }
    if (j - (k == 5 ? 0 : 1) < n) {
        const uint32_t odd = rv_odd_bytes(word);
        RV_SUM(j, rv_add_both, odd, t.t13);
        if (k == 7) RV_SUM(j - 1, rv_add_high_high, odd, t.t5);
    }
#undef RV_SUM
}

/* n outputs, an odd number, from their sums; returns where the next one belongs. */
RV_INLINE int8_t *rv_outputs(const int32_t *sums, const int32_t n, const int32_t is_relu, const rv_channel *c,
                             uint32_t shift, int8_t *out)
{
    const int32_t multiplier = c->multiplier;
    const int32_t rounding = c->rounding;
    int32_t step = c->out_channels;
    out[0] = rv_output(sums[0], 0, is_relu, multiplier, rounding, shift);
    if (n > 1) {
        out[step] = rv_output(sums[1], 0, is_relu, multiplier, rounding, shift);
        RV_HIDE(step);
        out += 2 * step;
        out[0] = rv_output(sums[2], 0, is_relu, multiplier, rounding, shift);
    }
    if (n > 3) {
        out[step] = rv_output(sums[3], 0, is_relu, multiplier, rounding, shift);
        RV_HIDE(step);
        out += 2 * step;
        out[0] = rv_output(sums[4], 0, is_relu, multiplier, rounding, shift);
    }
    return out + step;
}

/* n outputs of a 5x5 or 7x7 channel, 1, 3 or 5; returns where the next one belongs. */
RV_INLINE int8_t *rv_block(const int8_t *plane, const int32_t stride, const int32_t n, const int32_t k,
                           const int8_t *taps, rv_channel *c, uint32_t shift, int8_t *out)
{
    const int32_t words = stride == 1 ? (n + k - 2) / 2 : n + (k - 3) / 2;
    int32_t sums[5];
    RV_FORGET(*c);
    const int32_t plane_width = c->plane_width;
    const int8_t *end = c->end;
    sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = c->bias;
    do {
        const rv_taps t = rv_load_taps(taps, k);
#define RV_WORD(j)                                                                                                     \
    if ((j) < words && stride == 1) rv_slide_word(plane, j, n, k, t, sums);                                            \
    if ((j) < words && stride == 2) rv_stride_word(plane, j, n, k, t, sums)
        RV_WORD(0);
        RV_WORD(1);
        RV_WORD(2);
        RV_WORD(3);
        RV_WORD(4);
        RV_WORD(5);
        RV_WORD(6);
#undef RV_WORD
        plane += plane_width;
        taps += k;
    } while (taps != end);
    return c->is_relu ? rv_outputs(sums, n, 1, c, shift, out) : rv_outputs(sums, n, 0, c, shift, out);
}

/* Adds what `rows` rows of padding, at least one, contribute. */
RV_INLINE int32_t rv_add_padding(int32_t sum, const int8_t *taps, int32_t rows, const int32_t k, uint32_t zero_points)
{
    do {
        const rv_taps t = rv_load_taps(taps, k);
        sum = rv_add_both(t.t02, zero_points, sum);
        sum = rv_add_both(t.t13, zero_points, sum);
        if (k == 5) {
            sum = rv_add_low_low(t.t46, zero_points, sum);
        } else {
            sum = rv_add_both(t.t46, zero_points, sum);
            sum = rv_add_high_low(t.t5, zero_points, sum);
        }
        taps += k;
    } while (--rows > 0);
    return sum;
}

RV_INLINE void rv_depthwise_k(const rv_depthwise *d, const int32_t k, const int32_t stride, const int8_t *plane,
                              const int8_t *record, int8_t *out, int32_t channels)
{
    const int32_t padding_below = k - d->end_row;
    rv_channel c;
    c.plane_width = d->plane_width;
    c.out_channels = d->channels;
    c.width = d->out_width;
    c.out_factor = d->out_factor;
    c.is_relu = d->is_relu;
    plane += d->first_row * d->plane_width;
    do {
        const uint32_t shift = (uint8_t)record[8];
        const int8_t *taps = record + 9 + k * d->first_row;
        const int8_t *in = plane;
        int8_t *to = out;
        int32_t left = c.width - 5;
        c.end = record + 9 + k * d->end_row;
        c.bias = (int32_t)rv_load32(record);
        if (d->first_row > 0) {
            c.bias = rv_add_padding(c.bias, record + 9, d->first_row, k, d->zero_points);
        }
        if (padding_below > 0) {
            c.bias = rv_add_padding(c.bias, c.end, padding_below, k, d->zero_points);
        }
        c.multiplier = (int32_t)rv_load32(record + 4);
        c.rounding = (int32_t)((uint32_t)c.out_factor << shift) >> 1;
        for (; left >= 0; left -= 5) {
            to = rv_block(in, stride, 5, k, taps, &c, shift, to);
            in += 5 * stride;
            RV_HIDE(left);
        }
        left += 5;
        if (left >= 3) {
            to = rv_block(in, stride, 3, k, taps, &c, shift, to);
            in += 3 * stride;
            left -= 3;
        }
        for (; left > 0; --left) {
            to = rv_block(in, stride, 1, k, taps, &c, shift, to);
            in += stride;
        }
        plane += d->size * d->plane_width;
        record += 9 + k * k;
        ++out;
        RV_HIDE(channels);
    } while (--channels > 0);
}

/* `channels` planes with their records become as many neighbouring channels of the output row. */
typedef void rv_slide(const rv_depthwise *d, const int8_t *planes, const int8_t *records, int8_t *out,
                      int32_t channels);

#define RV_SLIDE(name, call)                                                                                           \
    RV_SHARED void name(const rv_depthwise *d, const int8_t *planes, const int8_t *records, int8_t *out,               \
                        int32_t channels)                                                                              \
    {                                                                                                                  \
        call;                                                                                                          \
    }
RV_SLIDE(rv_slide_3x3, rv_depthwise_3(d, 1, planes, records, out, channels))
RV_SLIDE(rv_slide_3x3_stride2, rv_depthwise_3(d, 2, planes, records, out, channels))
RV_SLIDE(rv_slide_5x5, rv_depthwise_k(d, 5, 1, planes, records, out, channels))
RV_SLIDE(rv_slide_5x5_stride2, rv_depthwise_k(d, 5, 2, planes, records, out, channels))
RV_SLIDE(rv_slide_7x7, rv_depthwise_k(d, 7, 1, planes, records, out, channels))
RV_SLIDE(rv_slide_7x7_stride2, rv_depthwise_k(d, 7, 2, planes, records, out, channels))

#endif /* RIVULET_DSP_SLIDE_H */
