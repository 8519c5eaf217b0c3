/*
 * Rivulet runtime: gradients in int8, each tensor with an exponent of its own.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A kernel that makes one computes accumulators A, at most 2^30, the real gradient being A * 2^exponent, and stores them
 * shifted right and rounded at random. It tries the shift that the images before needed, and again if that was too small,
 * or too large by more than 4:
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
    uint32_t hash; /* a draw is A * hash >> rest: as many random bits as the shift takes away, 0 if none */
    int32_t rest;
    int32_t needed; /* the least shift for what was seen */
    uint32_t bits;  /* of what was seen: A, or -1 - A if that is negative, all together */
} rv_gradient;

RV_INLINE void rv_gradient_shift(rv_gradient *to, int32_t shift)
{
    to->shift = shift;
    to->hash = shift > 0 ? 2654435769u : 0; /* 2^32 divided by the golden ratio */
    to->rest = shift > 0 ? 32 - shift : 0;
}

/* scale: int32 exponent and predicted shift. */
RV_INLINE rv_gradient rv_gradient_begin(const void *scale)
{
    rv_gradient to = {0, 0, 0, 0, 0};
    int32_t predicted;

    memcpy(&predicted, (const int32_t *)scale + 1, sizeof predicted);
    /* More than 27 is more than 2^30 needs: nothing but a second pass can follow. */
    rv_gradient_shift(&to, predicted < 0 || predicted > 27 ? 0 : predicted);
    return to;
}

/* (a + draw) >> shift, saturated: right on average, where rounding to nearest would take all that is small. */
RV_INLINE int8_t rv_gradient_round(rv_gradient *to, int32_t a)
{
    const int32_t draw = (int32_t)((uint32_t)a * to->hash >> to->rest);

    to->bits |= (uint32_t)(a ^ (a < 0 ? -1 : 0));
    return (int8_t)rv_clamp((a + draw) >> to->shift, -128, 127);
}

/* Whether everything has to be stored once more, with the shift that is needed. */
RV_INLINE int32_t rv_gradient_again(rv_gradient *to)
{
    to->needed = 0;
    while (to->bits >> to->needed > 127u) {
        ++to->needed;
    }
    if (to->needed <= to->shift && to->shift <= to->needed + 4) {
        return 0;
    }
    rv_gradient_shift(to, to->needed);
    return 1;
}

RV_INLINE void rv_gradient_end(const rv_gradient *to, int32_t exponent, void *scale)
{
    /* One more than was needed: the next gradient may be twice as large. An image with a small one is soon followed by others. */
    const int32_t next = to->needed + 1 > to->shift - 1 ? to->needed + 1 : to->shift - 1;
    const int32_t values[2] = {(int32_t)((uint32_t)exponent + (uint32_t)to->shift), next};
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
