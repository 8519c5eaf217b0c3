/*
 * Rivulet runtime: gradients in int8, each tensor with an exponent of its own.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A kernel that makes one computes accumulators A, the real gradient being A * 2^exponent, and stores them shifted right
 * and rounded. It tries the shift that the last image needed, and again if that was too small, or too large by more than 2:
 *
 *     rv_gradient to = rv_gradient_begin(scale);
 *     do {
 *         ... *out++ = rv_gradient_round(&to, a); ...
 *     } while (rv_gradient_again(&to));
 *     rv_gradient_end(&to, exponent, scale);
 */
#ifndef RIVULET_GRADIENT_H
#define RIVULET_GRADIENT_H

#include "rivulet.h"

typedef struct {
    int32_t shift;
    int32_t needed;   /* the least shift for what was seen */
    uint32_t largest; /* the largest |A| seen */
} rv_gradient;

/* scale: int32 exponent and predicted shift. */
RV_INLINE rv_gradient rv_gradient_begin(const void *scale)
{
    rv_gradient to = {0, 0, 0};

    memcpy(&to.shift, (const int32_t *)scale + 1, sizeof to.shift);
    if (to.shift < 0 || to.shift > 27) {
        to.shift = 0; /* more than any int32 needs: nothing but a second pass can follow */
    }
    return to;
}

RV_INLINE void rv_gradient_see(rv_gradient *to, int32_t a)
{
    const uint32_t magnitude = a < 0 ? 0u - (uint32_t)a : (uint32_t)a;
    to->largest = magnitude > to->largest ? magnitude : to->largest;
}

/* (a + half of 2^shift) >> shift, saturated, without the overflow of the sum. */
RV_INLINE int8_t rv_gradient_round(rv_gradient *to, int32_t a)
{
    rv_gradient_see(to, a);
    if (to->shift > 0) {
        a = ((a >> (to->shift - 1)) + 1) >> 1;
    }
    return (int8_t)rv_clamp(a, -128, 127);
}

/* The least s >= 0 with (largest + half of 2^s) >> s <= 127. */
static inline int32_t rv_needed_shift(uint32_t largest)
{
    uint32_t rounded = largest;
    int32_t shift = 0;

    for (; rounded > 127u; ++shift) {
        rounded = ((largest >> shift) + 1u) >> 1;
    }
    return shift;
}

/* Whether everything has to be stored once more, with the shift that is needed. */
RV_INLINE int32_t rv_gradient_again(rv_gradient *to)
{
    to->needed = rv_needed_shift(to->largest);
    if (to->needed <= to->shift && to->shift <= to->needed + 2) {
        return 0;
    }
    to->shift = to->needed;
    return 1;
}

RV_INLINE void rv_gradient_end(const rv_gradient *to, int32_t exponent, void *scale)
{
    /* One more than was needed: the next image's gradient may be twice as large without a second pass. */
    const int32_t values[2] = {(int32_t)((uint32_t)exponent + (uint32_t)to->shift), to->needed + 1};
    memcpy(scale, values, sizeof values);
}

/* A row of a state, to be written. Rows come as const; states are not. */
RV_INLINE void *rv_state(const void *row)
{
    return (void *)(uintptr_t)row;
}

/* The exponent of a gradient. */
RV_INLINE int32_t rv_exponent(const void *scale)
{
    int32_t exponent;
    memcpy(&exponent, scale, sizeof exponent);
    return exponent;
}

/* Whether a mask lets element i of its row through. */
RV_INLINE int32_t rv_passes(const uint8_t *mask, int32_t i)
{
    return mask == NULL || (mask[i >> 3] >> (i & 7) & 1) != 0;
}

#endif /* RIVULET_GRADIENT_H */
