/*
 * Rivulet runtime for cores without SIMD instructions (Cortex-M0+, M3, RV32IMAC), in plain C99: matrix products that keep
 * as many sums as these cores have registers for.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_SCALAR_H
#define RIVULET_SCALAR_H

#include "rivulet.h"

/* Armv6-M computes with eight registers: four sums, not eight. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define RV_SCALAR_CHANNELS 1
#else
#define RV_SCALAR_CHANNELS 2
#endif

/* A sum is complete before anything else is loaded: GCC would load ahead, into registers that there are not. */
#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define RV_SCALAR_DONE(sum) __asm__ volatile("" : "+r"(sum)::"memory")
#else
#define RV_SCALAR_DONE(sum) ((void)0)
#endif

/*
 * A matrix product: all output channels, two at a time (a, b), the last of an odd number with itself, of up to four
 * pixels.
 *
 * weights   for each pair: a[k], b[k] for all `terms`, a multiple of 4
 * channels  for each pair: bias a, bias b | multiplier a, multiplier b | e a, e b as bytes. e = -shift
 *
 * A column holds the values of four pixels, as bytes [terms][4] of x + 128: Armv6-M loads those with an offset, signed
 * ones not. The biases allow for it. No partial sum leaves int32: `largestPartialSum` in scalar-product.ts.
 */
typedef struct {
    const int8_t *weights;
    const int32_t *channels;
    int32_t terms;
    int32_t out_channels;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_scalar_product;

/* Adds one term to the sums of one channel of some pixels. */
RV_INLINE void rv_scalar_term(int32_t weight, const uint8_t *column, int32_t pixels, int32_t *s0, int32_t *s1,
                              int32_t *s2, int32_t *s3)
{
    *s0 += weight * column[0];
    if (pixels > 1) {
        *s1 += weight * column[1];
    }
    if (pixels > 2) {
        *s2 += weight * column[2];
    }
    if (pixels > 3) {
        *s3 += weight * column[3];
    }
}

/* The same, one product after the other. */
RV_INLINE void rv_scalar_term_in_order(int32_t weight, const uint8_t *column, int32_t pixels, int32_t *s0, int32_t *s1,
                                       int32_t *s2, int32_t *s3)
{
    *s0 += weight * column[0];
    RV_SCALAR_DONE(*s0);
    if (pixels > 1) {
        *s1 += weight * column[1];
        RV_SCALAR_DONE(*s1);
    }
    if (pixels > 2) {
        *s2 += weight * column[2];
        RV_SCALAR_DONE(*s2);
    }
    if (pixels > 3) {
        *s3 += weight * column[3];
        RV_SCALAR_DONE(*s3);
    }
}

/* The sums of one channel of some pixels, from its bias on; its weights lie two apart. */
RV_INLINE void rv_scalar_channel(const int8_t *weights, const uint8_t *column, int32_t terms, int32_t pixels,
                                 int32_t bias, int32_t *sums)
{
    const uint8_t *const end = column + 4 * terms;
    int32_t s0 = bias;
    int32_t s1 = bias;
    int32_t s2 = bias;
    int32_t s3 = bias;

    for (; column != end; column += 16, weights += 8) {
        rv_scalar_term_in_order(weights[0], column, pixels, &s0, &s1, &s2, &s3);
        rv_scalar_term_in_order(weights[2], column + 4, pixels, &s0, &s1, &s2, &s3);
        rv_scalar_term_in_order(weights[4], column + 8, pixels, &s0, &s1, &s2, &s3);
        rv_scalar_term_in_order(weights[6], column + 12, pixels, &s0, &s1, &s2, &s3);
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* The sums of both channels of a pair at once. */
RV_INLINE void rv_scalar_pair(const int8_t *weights, const uint8_t *column, int32_t terms, int32_t pixels,
                              int32_t bias_a, int32_t bias_b, int32_t *sums_a, int32_t *sums_b)
{
    const uint8_t *const end = column + 4 * terms;
    int32_t a0 = bias_a;
    int32_t a1 = bias_a;
    int32_t a2 = bias_a;
    int32_t a3 = bias_a;
    int32_t b0 = bias_b;
    int32_t b1 = bias_b;
    int32_t b2 = bias_b;
    int32_t b3 = bias_b;

    for (; column != end; column += 16, weights += 8) {
        rv_scalar_term(weights[0], column, pixels, &a0, &a1, &a2, &a3);
        rv_scalar_term(weights[1], column, pixels, &b0, &b1, &b2, &b3);
        rv_scalar_term(weights[2], column + 4, pixels, &a0, &a1, &a2, &a3);
        rv_scalar_term(weights[3], column + 4, pixels, &b0, &b1, &b2, &b3);
        rv_scalar_term(weights[4], column + 8, pixels, &a0, &a1, &a2, &a3);
        rv_scalar_term(weights[5], column + 8, pixels, &b0, &b1, &b2, &b3);
        rv_scalar_term(weights[6], column + 12, pixels, &a0, &a1, &a2, &a3);
        rv_scalar_term(weights[7], column + 12, pixels, &b0, &b1, &b2, &b3);
    }
    sums_a[0] = a0;
    sums_a[1] = a1;
    sums_a[2] = a2;
    sums_a[3] = a3;
    sums_b[0] = b0;
    sums_b[1] = b1;
    sums_b[2] = b2;
    sums_b[3] = b3;
}

/* round(2 sum * multiplier / 2^32) + addend: the rounding doubling high product, for |sum| < 2^30. */
RV_INLINE int32_t rv_scalar_scale(int32_t sum, int32_t multiplier, int32_t addend)
{
#if defined(RV_NARROW_MULTIPLY)
    return rv_rounding_doubling_high_mul(sum, multiplier) + addend;
#else
    const uint64_t start = (uint64_t)(uint32_t)addend << 32 | 0x80000000u;
    return (int32_t)(uint32_t)((start + (uint64_t)((int64_t)(sum * 2) * multiplier)) >> 32);
#endif
}

/*
 * One channel of some pixels, requantised as fast-requantize.ts allows it; exact: the rounding divide of TFLite, ties away
 * from zero, is a shift once 2^(e - 1) and the sign, -1 or 0, are added.
 */
RV_INLINE void rv_scalar_store(const rv_scalar_product *product, const int32_t *sums, int32_t pixels, int32_t multiplier,
                               int32_t e, int8_t *out)
{
    const int32_t rounding = (int32_t)((uint32_t)(2 * product->out_zero_point + 1) << (e - 1));
    const int32_t pitch = product->out_channels;
    const int32_t lowest = product->out_min;
    const int32_t highest = product->out_max;

    for (int32_t p = 0; p < pixels; ++p, out += pitch) {
        const int32_t scaled = rv_scalar_scale(sums[p], multiplier, rounding + (sums[p] >> 31));
        *out = (int8_t)rv_clamp(scaled >> e, lowest, highest);
    }
}

RV_INLINE void rv_scalar_channels(const rv_scalar_product *product, const uint8_t *column, int32_t pixels, int8_t *out)
{
    const int8_t *weights = product->weights;
    const int32_t *table = product->channels;

    for (int32_t a = 0; a < product->out_channels; a += 2, table += 5, weights += 2 * product->terms) {
        const int32_t b = a + 1 < product->out_channels ? a + 1 : a;
        int32_t sums_a[4];
        int32_t sums_b[4];

#if RV_SCALAR_CHANNELS == 2
        rv_scalar_pair(weights, column, product->terms, pixels, table[0], table[1], sums_a, sums_b);
#else
        rv_scalar_channel(weights, column, product->terms, pixels, table[0], sums_a);
        rv_scalar_channel(weights + 1, column, product->terms, pixels, table[1], sums_b);
#endif
        rv_scalar_store(product, sums_a, pixels, table[2], table[4] & 255, out + a);
        rv_scalar_store(product, sums_b, pixels, table[3], table[4] >> 8, out + b);
    }
}

RV_SHARED void rv_scalar_channels4(const rv_scalar_product *product, const uint8_t *column, int8_t *out)
{
    rv_scalar_channels(product, column, 4, out);
}

RV_SHARED void rv_scalar_channels3(const rv_scalar_product *product, const uint8_t *column, int8_t *out)
{
    rv_scalar_channels(product, column, 3, out);
}

RV_SHARED void rv_scalar_channels2(const rv_scalar_product *product, const uint8_t *column, int8_t *out)
{
    rv_scalar_channels(product, column, 2, out);
}

RV_SHARED void rv_scalar_channels1(const rv_scalar_product *product, const uint8_t *column, int8_t *out)
{
    rv_scalar_channels(product, column, 1, out);
}

/* A convolution, not grouped; K is [kernel_height][kernel_width * in_channels], filled up to `terms` with zero weights. */
typedef struct {
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_scalar_convolution;

/* `bytes` values of up to four pixels `step` bytes apart, all inside the row, into a column. */
RV_SHARED void rv_scalar_gather(uint32_t *column, const int8_t *in, int32_t step, int32_t pixels, int32_t bytes)
{
    const uint32_t *const end = column + bytes;
    const uint8_t *x0 = (const uint8_t *)in;
    const uint8_t *x1 = pixels > 1 ? x0 + step : x0;
    const uint8_t *x2 = pixels > 2 ? x1 + step : x0;
    const uint8_t *x3 = pixels > 3 ? x2 + step : x0;

    while (column != end) {
        const uint32_t low = (uint32_t)*x0++ | (uint32_t)*x1++ << 8;
        const uint32_t high = (uint32_t)*x2++ | (uint32_t)*x3++ << 8;
        *column++ = (low | high << 16) ^ 0x80808080u;
    }
}

/* The same for windows that begin at byte `first`, with padding where they lie outside the row or the row is NULL. */
RV_SHARED void rv_scalar_gather_padded(uint32_t *column, const int8_t *in, int32_t first, int32_t row_bytes, int32_t step,
                                       int32_t pixels, int32_t bytes, int32_t padding)
{
    for (int32_t p = 0; p < pixels; ++p, first += step) {
        uint8_t *to = (uint8_t *)column + p;
        for (int32_t i = first; i < first + bytes; ++i, to += 4) {
            *to = (uint8_t)((in != NULL && i >= 0 && i < row_bytes ? in[i] : padding) ^ 0x80);
        }
    }
}

/* One output row. columns: uint8[terms][4]. */
RV_SHARED void rv_scalar_convolve(const rv_scalar_convolution *G, const int8_t *weights, const int32_t *channels,
                                  const rv_row *row, uint32_t *columns)
{
    const int32_t row_bytes = G->in_width * G->in_channels;
    const int32_t bytes = G->kernel_width * G->in_channels;
    const int32_t taps = G->kernel_height * bytes;
    const int32_t step = G->stride * G->in_channels;
    const rv_scalar_product product = {weights,           channels,   (taps + 3) & ~3, G->out_channels,
                                       G->out_zero_point, G->out_min, G->out_max};
    const uint8_t *const column = (const uint8_t *)columns;
    int32_t first = -G->pad_left * G->in_channels;
    int8_t *out = row->out;

    memset(columns + taps, 0, (size_t)(4 * (product.terms - taps)));
    for (int32_t left = G->out_width; left > 0; left -= 4) {
        const int32_t pixels = left < 4 ? left : 4;
        const int32_t inside = first >= 0 && first + (pixels - 1) * step + bytes <= row_bytes;
        uint32_t *to = columns;

        for (int32_t ky = 0; ky < G->kernel_height; ++ky, to += bytes) {
            const int8_t *in = row->in[ky];
            if (inside && in != NULL) {
                rv_scalar_gather(to, in + first, step, pixels, bytes);
            } else {
                rv_scalar_gather_padded(to, in, first, row_bytes, step, pixels, bytes, G->in_zero_point);
            }
        }
        switch (pixels) {
        case 4:
            rv_scalar_channels4(&product, column, out);
            break;
        case 3:
            rv_scalar_channels3(&product, column, out);
            break;
        case 2:
            rv_scalar_channels2(&product, column, out);
            break;
        default:
            rv_scalar_channels1(&product, column, out);
        }
        first += pixels * step;
        out += pixels * G->out_channels;
    }
}

#endif /* RIVULET_SCALAR_H */
