/*
 * Rivulet runtime, DSP extension: dense layers, four outputs at a time.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_DSP_DENSE_H
#define RIVULET_DSP_DENSE_H

#include "rivulet_dsp.h"

/*
 * Sums of products for four outputs at once, with one widening for four products where two would be usual.
 *
 * Four inputs x0 to x3 become two pairs of int16, p = (x0 - 127, x2 - 127) and q = 256 (x1, x3) - p, which just fit. A
 * word of weights holds w0 to w3 as the int16 values 256 w0 + w1 and 256 w2 + w3, whose low bytes are w1 and w3. Then
 *
 *     word * p + (w1, w3) * q = 256 ((w0, w2) * p + (w1, w3) * (x1, x3))
 *
 * so the sum is 256 times that of the inputs, those at even places less 127. It must fit int32 in the end. No w0 or w2
 * may be -128.
 */
typedef struct {
    int32_t of[4];
} rv_four_sums;

static inline uint32_t rv_dsp_low_inputs(uint32_t inputs)
{
    return rv_sxtab16(0xff81ff81u, inputs);
}

static inline uint32_t rv_dsp_high_inputs(uint32_t inputs, uint32_t p)
{
    return rv_ssub16(inputs & 0xff00ff00u, p);
}

/* Adds four products to each sum. weights: a word for each of them. Returns the weights that follow. */
static inline const int32_t *rv_dsp_add_products(const int32_t *weights, uint32_t p, uint32_t q, rv_four_sums *sums)
{
#if RV_DSP
    /* Volatile and clobbering memory, so that loads of later inputs stay behind it: there is no register for them. */
    __asm__ volatile("ldm %[weights]!, {r4, r5, r6, r8}\n\t"
                     "smlad %[a], r4, %[p], %[a]\n\t"
                     "smlad %[b], r5, %[p], %[b]\n\t"
                     "smlad %[c], r6, %[p], %[c]\n\t"
                     "smlad %[d], r8, %[p], %[d]\n\t"
                     "sxtb16 r4, r4\n\t"
                     "sxtb16 r5, r5\n\t"
                     "sxtb16 r6, r6\n\t"
                     "sxtb16 r8, r8\n\t"
                     "smlad %[a], r4, %[q], %[a]\n\t"
                     "smlad %[b], r5, %[q], %[b]\n\t"
                     "smlad %[c], r6, %[q], %[c]\n\t"
                     "smlad %[d], r8, %[q], %[d]"
                     : [weights] "+r"(weights), [a] "+r"(sums->of[0]), [b] "+r"(sums->of[1]), [c] "+r"(sums->of[2]),
                       [d] "+r"(sums->of[3])
                     : [p] "r"(p), [q] "r"(q)
                     : "r4", "r5", "r6", "r8", "memory");
    return weights;
#else
    for (int32_t k = 0; k < 4; ++k) {
        const uint32_t word = (uint32_t)weights[k];
        sums->of[k] = rv_smlad(rv_sxtb16(word), q, rv_smlad(word, p, sums->of[k]));
    }
    return weights + 4;
#endif
}

/* The same for a word of inputs. */
static inline const int32_t *rv_dsp_add_input_products(const int32_t *weights, uint32_t inputs, rv_four_sums *sums)
{
    const uint32_t p = rv_dsp_low_inputs(inputs);
    return rv_dsp_add_products(weights, p, rv_dsp_high_inputs(inputs, p), sums);
}

/* Reads p and q of four inputs; returns those that follow. */
static inline const uint32_t *rv_dsp_load_inputs(const uint32_t *pairs, uint32_t *p, uint32_t *q)
{
#if RV_DSP
    __asm__ volatile("ldrd %0, %1, [%2], #8" : "=&r"(*p), "=&r"(*q), "+r"(pairs) : : "memory");
    return pairs;
#else
    *p = pairs[0];
    *q = pairs[1];
    return pairs + 2;
#endif
}

/* The last one to three inputs of a vector as a word, zeros behind them. */
static inline uint32_t rv_dsp_last_inputs(const int8_t *in, int32_t count)
{
    uint32_t word = 0;
    for (int32_t i = 0; i < count; ++i) {
        word |= (uint32_t)(uint8_t)in[i] << (8 * i);
    }
    return word;
}

/* One output of such a sum and a doubled bias, which makes up for the 127s and the zero point too. */
static inline int8_t rv_dsp_output_of_sum(int32_t sum, int32_t twice_bias, int32_t multiplier, int32_t shift,
                                   int32_t zero_point)
{
    const int32_t twice = (int32_t)((uint32_t)(sum >> 7) + (uint32_t)twice_bias);
    return (int8_t)rv_dsp_requantize(twice, multiplier, rv_dsp_rounding(zero_point, -shift), -shift);
}

/* All four; step: 0 where one multiplier and shift serve all. */
static inline void rv_dsp_store_outputs(const rv_four_sums *sums, const int32_t *twice_bias, const int32_t *multiplier,
                                        const int8_t *shift, int32_t step, int32_t zero_point, int8_t *out)
{
    out[0] = rv_dsp_output_of_sum(sums->of[0], twice_bias[0], multiplier[0], shift[0], zero_point);
    out[1] = rv_dsp_output_of_sum(sums->of[1], twice_bias[1], multiplier[step], shift[step], zero_point);
    out[2] = rv_dsp_output_of_sum(sums->of[2], twice_bias[2], multiplier[2 * step], shift[2 * step], zero_point);
    out[3] = rv_dsp_output_of_sum(sums->of[3], twice_bias[3], multiplier[3 * step], shift[3 * step], zero_point);
}

#endif /* RIVULET_DSP_DENSE_H */
