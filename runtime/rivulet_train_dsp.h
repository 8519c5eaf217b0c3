/*
 * Rivulet runtime, Armv7E-M DSP extension: products of pointwise convolutions that learn.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Flash holds the frozen weights once, as rv_dsp_direct reads them: words of the bytes a[i], b[i], a[i + 2], b[i + 2] of two
 * output channels. Going forward, SXTB16 makes pairs of inputs of a and of b; going back, the halves of the same two words
 * are exchanged and make pairs of output channels.
 */
#ifndef RIVULET_TRAIN_DSP_H
#define RIVULET_TRAIN_DSP_H

#include "rivulet_dsp_product.h"
#include "rivulet_update.h"

/* The low halves of two words, and the high ones. */
RV_INLINE uint32_t rv_train_low(uint32_t first, uint32_t second)
{
#if RV_DSP
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(first), "r"(second));
    return pair;
#else
    return (first & 0xffffu) | second << 16;
#endif
}

RV_INLINE uint32_t rv_train_high(uint32_t first, uint32_t second)
{
#if RV_DSP
    uint32_t pair;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(second), "r"(first));
    return pair;
#else
    return first >> 16 | (second & 0xffff0000u);
#endif
}

/* Adds the products of trained weights of two channels, `count` each, with as many values of two pixels. */
RV_SHARED void rv_train_rows(rv_dsp_sums *sums, const int8_t *a, const int8_t *b, const int8_t *x0, const int8_t *x1,
                             int32_t count, int32_t zero_point)
{
    const uint32_t minus_zero = rv_pair16(-zero_point, -zero_point);
    int32_t a0 = sums->a0, a1 = sums->a1, b0 = sums->b0, b1 = sums->b1;
    int32_t left = count;

    for (; left >= 4; left -= 4, a += 4, b += 4, x0 += 4, x1 += 4) {
        const uint32_t from_a = rv_load32(a);
        const uint32_t from_b = rv_load32(b);
        const uint32_t v0 = rv_load32(x0);
        const uint32_t v1 = rv_load32(x1);
        const uint32_t even0 = rv_sxtab16(minus_zero, v0);
        const uint32_t even1 = rv_sxtab16(minus_zero, v1);
        const uint32_t even_a = rv_sxtb16(from_a);
        const uint32_t even_b = rv_sxtb16(from_b);
        a0 = rv_smlad(even_a, even0, a0);
        a1 = rv_smlad(even_a, even1, a1);
        b0 = rv_smlad(even_b, even0, b0);
        b1 = rv_smlad(even_b, even1, b1);
        const uint32_t odd0 = rv_sxtab16_odd(minus_zero, v0);
        const uint32_t odd1 = rv_sxtab16_odd(minus_zero, v1);
        const uint32_t odd_a = rv_sxtb16_odd(from_a);
        const uint32_t odd_b = rv_sxtb16_odd(from_b);
        a0 = rv_smlad(odd_a, odd0, a0);
        a1 = rv_smlad(odd_a, odd1, a1);
        b0 = rv_smlad(odd_b, odd0, b0);
        b1 = rv_smlad(odd_b, odd1, b1);
    }
    for (; left > 0; --left) {
        a0 += *a * (*x0 - zero_point);
        a1 += *a++ * (*x1 - zero_point);
        b0 += *b * (*x0++ - zero_point);
        b1 += *b++ * (*x1++ - zero_point);
    }
    sums->a0 = a0;
    sums->a1 = a1;
    sums->b0 = b0;
    sums->b1 = b1;
}

/* How a channel becomes int8; fast: 1 <= -shift <= 20 and the multiplier is positive. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point;
    int32_t fast;
} rv_train_output;

/*
 * Any int32 sum where `fast` holds, saturated to int8. What leaves 31 bits saturates here as there: with a shift of at most 20
 * its output lies beyond 512, so that rv_dsp_requantize serves biases of any size.
 */
RV_INLINE int8_t rv_train_fast(int32_t sum, int32_t multiplier, int32_t rounding, int32_t e)
{
#if RV_DSP
    __asm__("ssat %0, #31, %0" : "+r"(sum));
#else
    sum = rv_clamp(sum, -0x40000000, 0x3fffffff);
#endif
    return (int8_t)rv_dsp_requantize((int32_t)((uint32_t)sum * 2u), multiplier, rounding, e);
}

/* One channel of four pixels, where they begin. */
RV_INLINE void rv_train_store4(const rv_train_output *of, const int32_t *sums, int8_t *const *out, int32_t channel)
{
    if (of->fast) {
        const int32_t e = -of->shift;
        const int32_t rounding = rv_dsp_rounding(of->zero_point, e);
        out[0][channel] = rv_train_fast(sums[0], of->multiplier, rounding, e);
        out[1][channel] = rv_train_fast(sums[1], of->multiplier, rounding, e);
        out[2][channel] = rv_train_fast(sums[2], of->multiplier, rounding, e);
        out[3][channel] = rv_train_fast(sums[3], of->multiplier, rounding, e);
        return;
    }
    for (int32_t p = 0; p < 4; ++p) {
        const int32_t y = rv_requantize(sums[p], of->multiplier, of->shift) + of->zero_point;
        out[p][channel] = (int8_t)rv_clamp(y, -128, 127);
    }
}

/* One channel of two pixels. */
RV_INLINE void rv_train_store2(const rv_train_output *of, int32_t sum0, int32_t sum1, int8_t *out0, int8_t *out1)
{
    if (of->fast) {
        const int32_t e = -of->shift;
        const int32_t rounding = rv_dsp_rounding(of->zero_point, e);
        *out1 = rv_train_fast(sum1, of->multiplier, rounding, e);
        *out0 = rv_train_fast(sum0, of->multiplier, rounding, e);
        return;
    }
    const int32_t y1 = rv_requantize(sum1, of->multiplier, of->shift) + of->zero_point;
    const int32_t y0 = rv_requantize(sum0, of->multiplier, of->shift) + of->zero_point;
    *out1 = (int8_t)rv_clamp(y1, -128, 127);
    *out0 = (int8_t)rv_clamp(y0, -128, 127);
}

/* Four pixels as a column: for each four inputs the pairs (x0, x2) of all pixels, then (x1, x3), less the zero point. */
RV_SHARED void rv_train_widen(uint32_t *column, const int8_t *const *pixels, int32_t quads, int32_t zero_point)
{
    const uint32_t minus_zero = rv_pair16(-zero_point, -zero_point);
    const int8_t *a = pixels[0];
    const int8_t *b = pixels[1];
    const int8_t *c = pixels[2];
    const int8_t *d = pixels[3];

    for (const int8_t *const end = a + 4 * quads; a != end; a += 4, b += 4, c += 4, d += 4, column += 8) {
        const uint32_t from_a = rv_load32(a);
        const uint32_t from_b = rv_load32(b);
        const uint32_t from_c = rv_load32(c);
        const uint32_t from_d = rv_load32(d);
        rv_dsp_store2(column, rv_sxtab16(minus_zero, from_a), rv_sxtab16(minus_zero, from_b));
        rv_dsp_store2(column + 2, rv_sxtab16(minus_zero, from_c), rv_sxtab16(minus_zero, from_d));
        rv_dsp_store2(column + 4, rv_sxtab16_odd(minus_zero, from_a), rv_sxtab16_odd(minus_zero, from_b));
        rv_dsp_store2(column + 6, rv_sxtab16_odd(minus_zero, from_c), rv_sxtab16_odd(minus_zero, from_d));
    }
}

/* Sums of two channels for four pixels. */
typedef struct {
    int32_t a[4];
    int32_t b[4];
} rv_train_tile;

/* Adds the products of two frozen channels with a column of `quads` times four inputs, at least one. */
RV_INLINE void rv_train_frozen4(rv_train_tile *tile, const int32_t *stream, const uint32_t *column, int32_t quads)
{
    int32_t a0 = tile->a[0], a1 = tile->a[1], a2 = tile->a[2], a3 = tile->a[3];
    int32_t b0 = tile->b[0], b1 = tile->b[1], b2 = tile->b[2], b3 = tile->b[3];

#if RV_DSP_TILES
    const uint32_t *const end = column + 8 * quads;
    const int32_t skip = (quads & 1) * 104;
    uint32_t w, u, v, z;

    /* Two quads of 26 instructions, 104 bytes, a turn. */
    __asm__ volatile("ldr %[w], %[skip]\n\tadd pc, %[w]\n\tnop\n1:\n\t.rept 4\n\t"
                     "ldr %[w], [%[s]], #4\n\tsxtb16 %[u], %[w], ror #8\n\tsxtb16 %[w], %[w]\n\t"
                     "ldrd %[v], %[z], [%[c]], #8\n\t"
                     "smlad %[a0], %[w], %[v], %[a0]\n\tsmlad %[b0], %[u], %[v], %[b0]\n\t"
                     "smlad %[a1], %[w], %[z], %[a1]\n\tsmlad %[b1], %[u], %[z], %[b1]\n\t"
                     "ldrd %[v], %[z], [%[c]], #8\n\t"
                     "smlad %[a2], %[w], %[v], %[a2]\n\tsmlad %[b2], %[u], %[v], %[b2]\n\t"
                     "smlad %[a3], %[w], %[z], %[a3]\n\tsmlad %[b3], %[u], %[z], %[b3]\n\t"
                     ".endr\n\tldr %[w], %[end]\n\tcmp %[c], %[w]\n\tbne 1b"
                     : [s] "+r"(stream), [c] "+r"(column), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3),
                       [b0] "+r"(b0), [b1] "+r"(b1), [b2] "+r"(b2), [b3] "+r"(b3), [w] "=&r"(w), [u] "=&r"(u),
                       [v] "=&r"(v), [z] "=&r"(z)
                     : [end] "m"(end), [skip] "m"(skip)
                     : "cc", "memory");
#else
    for (int32_t i = 0; i < 2 * quads; ++i, column += 4) {
        const uint32_t a = rv_sxtb16((uint32_t)stream[i]);
        const uint32_t b = rv_sxtb16_odd((uint32_t)stream[i]);
        a0 = rv_smlad(a, column[0], a0);
        b0 = rv_smlad(b, column[0], b0);
        a1 = rv_smlad(a, column[1], a1);
        b1 = rv_smlad(b, column[1], b1);
        a2 = rv_smlad(a, column[2], a2);
        b2 = rv_smlad(b, column[2], b2);
        a3 = rv_smlad(a, column[3], a3);
        b3 = rv_smlad(b, column[3], b3);
    }
#endif
    tile->a[0] = a0;
    tile->a[1] = a1;
    tile->a[2] = a2;
    tile->a[3] = a3;
    tile->b[0] = b0;
    tile->b[1] = b1;
    tile->b[2] = b2;
    tile->b[3] = b3;
}

/* Adds to the sums of one channel those of its trained weights, int8[4 * quads], with a column; at least one quad. */
RV_INLINE void rv_train_trained4(int32_t *sums, const int8_t *weights, const uint32_t *column, int32_t quads)
{
    int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];

#if RV_DSP_TILES
    const uint32_t *const end = column + 8 * quads;
    const int32_t skip = (quads & 1) * 60;
    uint32_t w, u, v, z;

    /* Two quads of 15 instructions, 60 bytes, a turn. */
    __asm__ volatile("ldr %[w], %[skip]\n\tadd pc, %[w]\n\tnop\n1:\n\t.rept 2\n\t"
                     "ldr %[w], [%[t]], #4\n\tsxtb16 %[u], %[w], ror #8\n\tsxtb16 %[w], %[w]\n\t"
                     "ldrd %[v], %[z], [%[c]], #8\n\t"
                     "smlad %[s0], %[w], %[v], %[s0]\n\tsmlad %[s1], %[w], %[z], %[s1]\n\t"
                     "ldrd %[v], %[z], [%[c]], #8\n\t"
                     "smlad %[s2], %[w], %[v], %[s2]\n\tsmlad %[s3], %[w], %[z], %[s3]\n\t"
                     "ldrd %[v], %[z], [%[c]], #8\n\t"
                     "smlad %[s0], %[u], %[v], %[s0]\n\tsmlad %[s1], %[u], %[z], %[s1]\n\t"
                     "ldrd %[v], %[z], [%[c]], #8\n\t"
                     "smlad %[s2], %[u], %[v], %[s2]\n\tsmlad %[s3], %[u], %[z], %[s3]\n\t"
                     ".endr\n\tldr %[w], %[end]\n\tcmp %[c], %[w]\n\tbne 1b"
                     : [t] "+r"(weights), [c] "+r"(column), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3),
                       [w] "=&r"(w), [u] "=&r"(u), [v] "=&r"(v), [z] "=&r"(z)
                     : [end] "m"(end), [skip] "m"(skip)
                     : "cc", "memory");
#else
    for (int32_t i = 0; i < 2 * quads; ++i, column += 4) {
        const uint32_t word = rv_load32(weights + i / 2 * 4);
        const uint32_t pair = i % 2 == 0 ? rv_sxtb16(word) : rv_sxtb16_odd(word);
        s0 = rv_smlad(pair, column[0], s0);
        s1 = rv_smlad(pair, column[1], s1);
        s2 = rv_smlad(pair, column[2], s2);
        s3 = rv_smlad(pair, column[3], s3);
    }
#endif
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* Sums of four pixels for two inputs. */
typedef struct {
    int32_t first[4];
    int32_t second[4];
} rv_train_sums;

/*
 * The inputs i and i + 2 of four pixels, from the words at `stream` and `words` further on for each of `pairs` pairs of
 * output channels; gradients: uint32[pairs][4], pairs of int16.
 */
RV_SHARED void rv_train_back(rv_train_sums *sums, const int32_t *stream, int32_t words, const uint32_t *gradients,
                             int32_t pairs)
{
    int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
    const uint32_t *const end = gradients + 4 * pairs;

#if RV_DSP_TILES
    uint32_t w, u, g;
    const int32_t skip = (pairs & 1) * 72;

    /* Two pairs of 18 instructions, 72 bytes, a turn. */
    __asm__ volatile("ldr %[w], %[skip]\n\tadd pc, %[w]\n\tnop\n1:\n\t.rept 2\n\t"
                     "ldr.w %[w], [%[s]]\n\tadd.w %[s], %[s], %[words], lsl #2\n\t"
                     "sxtb16 %[u], %[w], ror #8\n\tsxtb16 %[g], %[w]\n\t"
                     "pkhbt %[w], %[g], %[u], lsl #16\n\tpkhtb %[u], %[u], %[g], asr #16\n\t"
                     "ldr %[g], [%[c]], #4\n\tsmlad %[a0], %[w], %[g], %[a0]\n\tsmlad %[b0], %[u], %[g], %[b0]\n\t"
                     "ldr %[g], [%[c]], #4\n\tsmlad %[a1], %[w], %[g], %[a1]\n\tsmlad %[b1], %[u], %[g], %[b1]\n\t"
                     "ldr %[g], [%[c]], #4\n\tsmlad %[a2], %[w], %[g], %[a2]\n\tsmlad %[b2], %[u], %[g], %[b2]\n\t"
                     "ldr %[g], [%[c]], #4\n\tsmlad %[a3], %[w], %[g], %[a3]\n\tsmlad %[b3], %[u], %[g], %[b3]\n\t"
                     ".endr\n\tldr %[g], %[end]\n\tcmp %[c], %[g]\n\tbne 1b"
                     : [s] "+r"(stream), [c] "+r"(gradients), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2),
                       [a3] "+r"(a3), [b0] "+r"(b0), [b1] "+r"(b1), [b2] "+r"(b2), [b3] "+r"(b3), [w] "=&r"(w),
                       [u] "=&r"(u), [g] "=&r"(g)
                     : [words] "r"(words), [end] "m"(end), [skip] "m"(skip)
                     : "cc", "memory");
#else
    for (; gradients != end; gradients += 4, stream += words) {
        const uint32_t even = rv_sxtb16((uint32_t)*stream);
        const uint32_t odd = rv_sxtb16_odd((uint32_t)*stream);
        const uint32_t low = rv_train_low(even, odd);
        const uint32_t high = rv_train_high(even, odd);
        a0 = rv_smlad(low, gradients[0], a0);
        b0 = rv_smlad(high, gradients[0], b0);
        a1 = rv_smlad(low, gradients[1], a1);
        b1 = rv_smlad(high, gradients[1], b1);
        a2 = rv_smlad(low, gradients[2], a2);
        b2 = rv_smlad(high, gradients[2], b2);
        a3 = rv_smlad(low, gradients[3], a3);
        b3 = rv_smlad(high, gradients[3], b3);
    }
#endif
    sums->first[0] = a0;
    sums->first[1] = a1;
    sums->first[2] = a2;
    sums->first[3] = a3;
    sums->second[0] = b0;
    sums->second[1] = b1;
    sums->second[2] = b2;
    sums->second[3] = b3;
}

/*
 * Four int8 gradients from `g` on, 0 where the mask holds them back: bits [bit, bit + 4) of `mask`, NULL lets all through. bit
 * is a multiple of 4.
 */
RV_INLINE uint32_t rv_train_masked4(const int8_t *g, const uint8_t *mask, int32_t bit)
{
    const uint32_t word = rv_load32(g);

    if (mask == NULL) {
        return word;
    }
    const uint32_t bits = (uint32_t)mask[bit >> 3] >> (bit & 4) & 15u;
    return word & (bits * 0x00204081u & 0x01010101u) * 255u;
}

/*
 * Gradients of one pixel times factors, two channels a word, every fourth word from `to` on. channels: a multiple of 4; bit: as
 * above.
 */
RV_SHARED void rv_train_spread(uint32_t *to, const int8_t *g, const uint8_t *factors, int32_t channels,
                               const uint8_t *mask, int32_t bit)
{
    for (const int8_t *const end = g + channels; g != end; g += 4, factors += 4, bit += 4, to += 8) {
        const uint32_t word = rv_train_masked4(g, mask, bit);
        const uint32_t scales = rv_load32(factors);
        const uint32_t even = rv_sxtb16(word);
        const uint32_t odd = rv_sxtb16_odd(word);
        const uint32_t even_scales = rv_sxtb16(scales);
        const uint32_t odd_scales = rv_sxtb16_odd(scales);
        to[0] = rv_train_low((uint32_t)(rv_low16(even) * rv_low16(even_scales)),
                             (uint32_t)(rv_low16(odd) * rv_low16(odd_scales)));
        to[4] = rv_train_low((uint32_t)(rv_high16(even) * rv_high16(even_scales)),
                             (uint32_t)(rv_high16(odd) * rv_high16(odd_scales)));
    }
}

/*
 * Sums of four channels over `pairs` pairs of pixels, for inputs i and i + 2, or i + 1 and i + 3 if `odd`: channel c of input
 * i + k to sums[c * pitch + k]. x: the inputs i to i + 3 of the first pixel, the next one `stride` bytes on; gradients:
 * uint32[pairs][4], four channels of two pixels each; what the sums begin with.
 */
RV_INLINE void rv_train_outer(int32_t *sums, int32_t pitch, const int8_t *x, int32_t stride, const uint32_t *gradients,
                              int32_t pairs, const int32_t *initial, int32_t odd)
{
    int32_t a0 = initial[0], a1 = initial[1], a2 = initial[2], a3 = initial[3];
    int32_t b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    const uint32_t *const end = gradients + 4 * pairs;

#if RV_DSP_TILES
/* Two pairs of 19 instructions, 76 bytes, a turn. */
#define RV_TRAIN_OUTER(rotation)                                                                                       \
    "ldr %[g], %[skip]\n\tadd pc, %[g]\n\tnop\n1:\n\t.rept 2\n\t"                                            \
    "ldr.w %[w], [%[x]]\n\tldr.w %[u], [%[x], %[stride]]\n\tadd.w %[x], %[x], %[stride], lsl #1\n\t"                 \
    "sxtb16 %[w], %[w]" rotation "\n\tsxtb16 %[u], %[u]" rotation "\n\t"                                              \
    "pkhbt %[g], %[w], %[u], lsl #16\n\tpkhtb %[u], %[u], %[w], asr #16\n\t"                                          \
    "ldr %[w], [%[c]], #4\n\tsmlad %[a0], %[g], %[w], %[a0]\n\tsmlad %[b0], %[u], %[w], %[b0]\n\t"                   \
    "ldr %[w], [%[c]], #4\n\tsmlad %[a1], %[g], %[w], %[a1]\n\tsmlad %[b1], %[u], %[w], %[b1]\n\t"                   \
    "ldr %[w], [%[c]], #4\n\tsmlad %[a2], %[g], %[w], %[a2]\n\tsmlad %[b2], %[u], %[w], %[b2]\n\t"                   \
    "ldr %[w], [%[c]], #4\n\tsmlad %[a3], %[g], %[w], %[a3]\n\tsmlad %[b3], %[u], %[w], %[b3]\n\t"                   \
    ".endr\n\tldr %[g], %[end]\n\tcmp %[c], %[g]\n\tbne 1b"
#define RV_TRAIN_OPERANDS                                                                                              \
    : [x] "+r"(x), [c] "+r"(gradients), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3), [b0] "+r"(b0),     \
      [b1] "+r"(b1), [b2] "+r"(b2), [b3] "+r"(b3), [w] "=&r"(w), [u] "=&r"(u), [g] "=&r"(g)                            \
    : [stride] "r"(stride), [end] "m"(end), [skip] "m"(skip)                                                           \
    : "cc", "memory"
    uint32_t w, u, g;
    const int32_t skip = (pairs & 1) * 76;
    if (odd) {
        __asm__ volatile(RV_TRAIN_OUTER(", ror #8") RV_TRAIN_OPERANDS);
    } else {
        __asm__ volatile(RV_TRAIN_OUTER("") RV_TRAIN_OPERANDS);
    }
#undef RV_TRAIN_OUTER
#undef RV_TRAIN_OPERANDS
#else
    for (; gradients != end; gradients += 4, x += 2 * stride) {
        const uint32_t now = odd ? rv_sxtb16_odd(rv_load32(x)) : rv_sxtb16(rv_load32(x));
        const uint32_t next = odd ? rv_sxtb16_odd(rv_load32(x + stride)) : rv_sxtb16(rv_load32(x + stride));
        const uint32_t low = rv_train_low(now, next);
        const uint32_t high = rv_train_high(now, next);
        a0 = rv_smlad(low, gradients[0], a0);
        b0 = rv_smlad(high, gradients[0], b0);
        a1 = rv_smlad(low, gradients[1], a1);
        b1 = rv_smlad(high, gradients[1], b1);
        a2 = rv_smlad(low, gradients[2], a2);
        b2 = rv_smlad(high, gradients[2], b2);
        a3 = rv_smlad(low, gradients[3], a3);
        b3 = rv_smlad(high, gradients[3], b3);
    }
#endif
    sums[odd] = a0;
    sums[odd + pitch] = a1;
    sums[odd + 2 * pitch] = a2;
    sums[odd + 3 * pitch] = a3;
    sums[odd + 2] = b0;
    sums[odd + 2 + pitch] = b1;
    sums[odd + 2 + 2 * pitch] = b2;
    sums[odd + 2 + 3 * pitch] = b3;
}

/*
 * Sums of four pixels, [4][4], for `inputs` trained inputs, at most four; weights [2 * pairs][count], from the first input's
 * on; gradients as in rv_train_back.
 */
RV_SHARED void rv_train_back_trained(int32_t *sums, const int8_t *weights, int32_t count, int32_t inputs,
                                     const uint32_t *gradients, int32_t pairs)
{
    static const int32_t nothing[4] = {0, 0, 0, 0};

    if (inputs == 4) {
        rv_train_outer(sums, 4, weights, count, gradients, pairs, nothing, 0);
        rv_train_outer(sums, 4, weights, count, gradients, pairs, nothing, 1);
        return;
    }
    /* A word of weights would reach beyond the last one. */
    for (int32_t k = 0; k < inputs; ++k) {
        int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
        for (int32_t i = 0; i < pairs; ++i) {
            const int8_t *const at = weights + 2 * i * count + k;
            const uint32_t both = rv_train_low((uint32_t)(int32_t)at[0], (uint32_t)(int32_t)at[count]);
            a0 = rv_smlad(both, gradients[4 * i], a0);
            a1 = rv_smlad(both, gradients[4 * i + 1], a1);
            a2 = rv_smlad(both, gradients[4 * i + 2], a2);
            a3 = rv_smlad(both, gradients[4 * i + 3], a3);
        }
        sums[k] = a0;
        sums[4 + k] = a1;
        sums[8 + k] = a2;
        sums[12 + k] = a3;
    }
}

/*
 * The gradients of four channels of all pixels, two pixels a word, uint32[(pixels + 1) / 2][4], and their totals. g: the first
 * channel of the first pixel, the next one `stride` bytes on, a multiple of 4; bit: that of the first in `mask`, whose rows
 * are whole bytes.
 */
RV_SHARED void rv_train_gather(int32_t *totals, uint32_t *gradients, const int8_t *g, int32_t stride,
                               const uint8_t *mask, int32_t bit, int32_t pixels)
{
    const uint32_t ones = 0x00010001u;
    int32_t t0 = 0, t1 = 0, t2 = 0, t3 = 0;

    for (int32_t left = pixels; left > 0; left -= 2, g += 2 * stride, bit += 2 * stride, gradients += 4) {
        const uint32_t now = rv_train_masked4(g, mask, bit);
        const uint32_t next = left > 1 ? rv_train_masked4(g + stride, mask, bit + stride) : 0;
        const uint32_t even_now = rv_sxtb16(now);
        const uint32_t even_next = rv_sxtb16(next);
        const uint32_t odd_now = rv_sxtb16_odd(now);
        const uint32_t odd_next = rv_sxtb16_odd(next);
        gradients[0] = rv_train_low(even_now, even_next);
        gradients[1] = rv_train_low(odd_now, odd_next);
        gradients[2] = rv_train_high(even_now, even_next);
        gradients[3] = rv_train_high(odd_now, odd_next);
        t0 = rv_smlad(gradients[0], ones, t0);
        t1 = rv_smlad(gradients[1], ones, t1);
        t2 = rv_smlad(gradients[2], ones, t2);
        t3 = rv_smlad(gradients[3], ones, t3);
    }
    totals[0] = t0;
    totals[1] = t1;
    totals[2] = t2;
    totals[3] = t3;
}

/* The weights of how many inputs are summed up before they move. */
enum { RV_TRAIN_BLOCK = 32 };

/*
 * Sums of four channels for `count` inputs, a multiple of 4, over all pixels: of x - zero_point, where x lies at `x` and so on
 * as above, times gradients that add up to `totals`.
 */
RV_SHARED void rv_train_sum(int32_t *sums, const int8_t *x, int32_t stride, int32_t count, const uint32_t *gradients,
                            int32_t pixels, const int32_t *totals, int32_t zero_point)
{
    const int32_t pairs = pixels / 2;
    const int32_t initial[4] = {-zero_point * totals[0], -zero_point * totals[1], -zero_point * totals[2],
                                -zero_point * totals[3]};

    for (int32_t k = 0; k < count; k += 4) {
        if (pairs > 0) {
            rv_train_outer(sums + k, RV_TRAIN_BLOCK, x + k, stride, gradients, pairs, initial, 0);
            rv_train_outer(sums + k, RV_TRAIN_BLOCK, x + k, stride, gradients, pairs, initial, 1);
        }
    }
    for (int32_t c = 0; c < 4 && pixels % 2 != 0; ++c) {
        const int32_t g = rv_low16(gradients[4 * pairs + c]);
        for (int32_t k = 0; k < count; ++k) {
            int32_t *const sum = sums + c * RV_TRAIN_BLOCK + k;
            *sum = (pairs > 0 ? *sum : initial[c]) + g * x[2 * pairs * stride + k];
        }
    }
}

/* The totals of the gradients of four channels over all pixels; g, stride, mask and bit as above. */
RV_SHARED void rv_train_totals(int32_t *totals, const int8_t *g, int32_t stride, const uint8_t *mask, int32_t bit,
                               int32_t pixels)
{
    memset(totals, 0, 4 * sizeof *totals);
    while (pixels > 0) {
        /* As many as fit 16 bits. */
        const int32_t count = pixels < 256 ? pixels : 256;
        rv_channel_sums sums = {0, 0};
        for (int32_t p = 0; p < count; ++p, g += stride, bit += stride) {
            const uint32_t word = rv_train_masked4(g, mask, bit);
            sums.even = rv_sxtab16(sums.even, word);
            sums.odd = rv_sxtab16_odd(sums.odd, word);
        }
        rv_dsp_add_to_channels(totals, &sums);
        pixels -= count;
    }
}

/*
 * The step of a channel for 32-bit arithmetic: with r random bits, acc * mantissa / 2^shift rounds to
 * ((hi32(acc * multiplier) >> right) + r) >> 16. Where the shift is below 33 there is no such form: `fits` is 0.
 */
typedef struct {
    int32_t multiplier;
    int32_t right;
    int32_t fits;
} rv_train_step;

RV_INLINE rv_train_step rv_train_step_of(rv_channel_step step)
{
    rv_train_step fast = {0, 0, step.shift >= 33};

    if (fast.fits && step.shift <= 62) {
        fast.multiplier = step.shift < 48 ? step.mantissa * ((int32_t)1 << (48 - step.shift)) : step.mantissa;
        fast.right = step.shift < 48 ? 0 : step.shift - 48;
    }
    return fast;
}

/* The upper 32 bits of a * b. */
RV_INLINE int32_t rv_train_high_product(int32_t a, int32_t b)
{
#if RV_DSP
    int32_t result;
    __asm__("smmul %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return (int32_t)((int64_t)a * b >> 32);
#endif
}

/* Moves one weight by what was summed up for it; `below`: its residual. Returns the new one. */
RV_INLINE uint32_t rv_train_move_one(rv_update *u, int32_t bits, rv_train_step step, int8_t *weight, uint32_t below,
                                     int32_t sum, uint32_t random)
{
    const int32_t lowest = -127 * ((int32_t)1 << bits);
    const int32_t highest = 128 * ((int32_t)1 << bits) - 1;
    const int32_t q = rv_train_high_product(sum, step.multiplier) >> step.right;
    int32_t value = *weight * ((int32_t)1 << bits) + (int32_t)below;

    value += (q + (int32_t)(random >> 16)) >> 16;
    if ((uint32_t)(value - lowest) > (uint32_t)(highest - lowest)) {
        value = value < 0 ? lowest : highest;
        ++u->clamped;
    }
    *weight = (int8_t)(value >> bits);
    return (uint32_t)value & (((uint32_t)1 << bits) - 1u);
}

/*
 * `count` weights of one channel, a multiple of 4, by what was summed up for them; residuals of `bits` bits from a byte of
 * their own on.
 */
RV_INLINE void rv_train_move_with(int32_t bits, rv_update *u, rv_train_step step, int8_t *weights, uint8_t *residuals,
                                  const int32_t *sums, int32_t count)
{
    const uint32_t mask = ((uint32_t)1 << bits) - 1u;
    const uint32_t factor = (uint32_t)rv_in_register(1664525);
    const uint32_t addend = (uint32_t)rv_in_register(1013904223);
    uint32_t random = u->random;

    for (const int32_t *const end = sums + count; sums != end; sums += 4, weights += 4, residuals += bits / 2) {
        uint32_t below = 0;
        uint32_t kept;

        if (bits == 4) {
            uint16_t four;
            memcpy(&four, residuals, sizeof four);
            below = four;
        } else if (bits == 8) {
            below = rv_load32(residuals);
        }
        random = random * factor + addend;
        kept = rv_train_move_one(u, bits, step, weights, below & mask, sums[0], random);
        random = random * factor + addend;
        kept |= rv_train_move_one(u, bits, step, weights + 1, below >> bits & mask, sums[1], random) << bits;
        random = random * factor + addend;
        kept |= rv_train_move_one(u, bits, step, weights + 2, below >> 2 * bits & mask, sums[2], random) << 2 * bits;
        random = random * factor + addend;
        kept |= rv_train_move_one(u, bits, step, weights + 3, below >> 3 * bits & mask, sums[3], random) << 3 * bits;
        if (bits == 4) {
            const uint16_t four = (uint16_t)kept;
            memcpy(residuals, &four, sizeof four);
        } else if (bits == 8) {
            rv_store32(residuals, kept);
        }
    }
    u->random = random;
}

RV_SHARED void rv_train_move(rv_update *u, rv_train_step step, int8_t *weights, uint8_t *residuals, const int32_t *sums,
                             int32_t count)
{
    if (u->fraction == 4) {
        rv_train_move_with(4, u, step, weights, residuals, sums, count);
    } else if (u->fraction == 8) {
        rv_train_move_with(8, u, step, weights, residuals, sums, count);
    } else {
        rv_train_move_with(0, u, step, weights, residuals, sums, count);
    }
}

#endif /* RIVULET_TRAIN_DSP_H */
