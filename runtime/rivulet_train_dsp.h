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
#include "rivulet_gradient.h"

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
    int32_t left = count;

    for (; left >= 4; left -= 4) {
        const uint32_t from_a = rv_load32(a);
        const uint32_t from_b = rv_load32(b);
        const uint32_t v0 = rv_load32(x0);
        const uint32_t v1 = rv_load32(x1);
        const uint32_t even0 = rv_sxtab16(minus_zero, v0);
        const uint32_t odd0 = rv_sxtab16_odd(minus_zero, v0);
        const uint32_t even1 = rv_sxtab16(minus_zero, v1);
        const uint32_t odd1 = rv_sxtab16_odd(minus_zero, v1);
        sums->a0 = rv_smlad(rv_sxtb16(from_a), even0, sums->a0);
        sums->a1 = rv_smlad(rv_sxtb16(from_a), even1, sums->a1);
        sums->b0 = rv_smlad(rv_sxtb16(from_b), even0, sums->b0);
        sums->b1 = rv_smlad(rv_sxtb16(from_b), even1, sums->b1);
        sums->a0 = rv_smlad(rv_sxtb16_odd(from_a), odd0, sums->a0);
        sums->a1 = rv_smlad(rv_sxtb16_odd(from_a), odd1, sums->a1);
        sums->b0 = rv_smlad(rv_sxtb16_odd(from_b), odd0, sums->b0);
        sums->b1 = rv_smlad(rv_sxtb16_odd(from_b), odd1, sums->b1);
        a += 4;
        b += 4;
        x0 += 4;
        x1 += 4;
    }
    for (; left > 0; --left) {
        sums->a0 += *a * (*x0 - zero_point);
        sums->a1 += *a++ * (*x1 - zero_point);
        sums->b0 += *b * (*x0++ - zero_point);
        sums->b1 += *b++ * (*x1++ - zero_point);
    }
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
    const int32_t bytes = 4 * words;
    __asm__ volatile("1:\n\t"
                     "ldr %[w], [%[s]]\n\tldr %[g], %[bytes]\n\tadd %[s], %[g]\n\t"
                     "sxtb16 %[u], %[w], ror #8\n\tsxtb16 %[g], %[w]\n\t"
                     "pkhbt %[w], %[g], %[u], lsl #16\n\tpkhtb %[u], %[u], %[g], asr #16\n\t"
                     "ldr %[g], [%[c]], #4\n\tsmlad %[a0], %[w], %[g], %[a0]\n\tsmlad %[b0], %[u], %[g], %[b0]\n\t"
                     "ldr %[g], [%[c]], #4\n\tsmlad %[a1], %[w], %[g], %[a1]\n\tsmlad %[b1], %[u], %[g], %[b1]\n\t"
                     "ldr %[g], [%[c]], #4\n\tsmlad %[a2], %[w], %[g], %[a2]\n\tsmlad %[b2], %[u], %[g], %[b2]\n\t"
                     "ldr %[g], [%[c]], #4\n\tsmlad %[a3], %[w], %[g], %[a3]\n\tsmlad %[b3], %[u], %[g], %[b3]\n\t"
                     "ldr %[g], %[end]\n\tcmp %[c], %[g]\n\tbne 1b"
                     : [s] "+r"(stream), [c] "+r"(gradients), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2),
                       [a3] "+r"(a3), [b0] "+r"(b0), [b1] "+r"(b1), [b2] "+r"(b2), [b3] "+r"(b3), [w] "=&r"(w),
                       [u] "=&r"(u), [g] "=&r"(g)
                     : [bytes] "m"(bytes), [end] "m"(end)
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

/* The same for one trained input of four pixels; weights [2 * pairs][count], from the first channel's on. */
RV_SHARED void rv_train_back_one(int32_t *sums, const int8_t *weights, int32_t count, const uint32_t *gradients,
                                 int32_t pairs)
{
    int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
    for (const uint32_t *const end = gradients + 4 * pairs; gradients != end; gradients += 4, weights += 2 * count) {
        const uint32_t both = rv_train_low((uint32_t)(int32_t)weights[0], (uint32_t)(int32_t)weights[count]);
        a0 = rv_smlad(both, gradients[0], a0);
        a1 = rv_smlad(both, gradients[1], a1);
        a2 = rv_smlad(both, gradients[2], a2);
        a3 = rv_smlad(both, gradients[3], a3);
    }
    sums[0] = a0;
    sums[1] = a1;
    sums[2] = a2;
    sums[3] = a3;
}

#endif /* RIVULET_TRAIN_DSP_H */
