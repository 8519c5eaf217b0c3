/*
 * Rivulet runtime: a step of stochastic gradient descent on integers. What each function computes is said in
 * src/ops/parameter-step.ts.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_STEP_H
#define RIVULET_STEP_H

#include "rivulet_gradient.h"

typedef struct {
    uint32_t random;
    float rate;
    int32_t exponent;  /* of the gradient that accumulators count in */
    int32_t momentum;  /* 15 fraction bits */
    int32_t *velocity; /* NULL if there is none */
    int32_t *pending;  /* NULL if there is none */
    int32_t applies;   /* 0: gradients are only added to what is pending */
    int32_t mantissa;  /* rate * K of the channel is mantissa * 2^channel_exponent */
    int32_t channel_exponent;
} rv_step;

static inline int32_t rv_saturated(int64_t x)
{
    return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x;
}

/*
 * random: uint32, rate: float, exponent: of the gradient, velocity and pending: int32 for each element, or NULL, applies:
 * int32, or NULL for 1.
 */
RV_INLINE rv_step rv_step_begin(const void *random, const void *rate, int32_t exponent, int32_t momentum,
                                const void *velocity, const void *pending, const void *applies)
{
    rv_step step = {0, 0.0f, exponent, momentum, rv_state(velocity), rv_state(pending), 1, 0, 0};

    memcpy(&step.random, random, sizeof step.random);
    memcpy(&step.rate, rate, sizeof step.rate);
    if (applies != NULL) {
        memcpy(&step.applies, applies, sizeof step.applies);
    }
    return step;
}

RV_INLINE void rv_step_end(const rv_step *step, void *random)
{
    memcpy(random, &step->random, sizeof step->random);
}

/* Turns to a channel whose factor is k. */
RV_SHARED void rv_step_channel(rv_step *step, float k)
{
    const float factor = step->rate * k;
    uint32_t word;
    uint32_t biased;

    memcpy(&word, &factor, sizeof word);
    biased = word >> 23 & 255u;
    step->mantissa = 0;
    step->channel_exponent = 0;
    if (biased != 0u && biased != 255u) {
        const int32_t magnitude = (int32_t)(0x8000u | (word >> 8 & 0x7fffu));
        step->mantissa = word >> 31 != 0u ? -magnitude : magnitude;
        step->channel_exponent = (int32_t)biased - 142;
    }
}

/* value * 2^-shift, rounded up with the probability of the bits that go, saturated. |value| < 2^47. */
RV_SHARED int32_t rv_step_round(rv_step *step, int64_t value, int32_t shift)
{
    step->random = step->random * 1664525u + 1013904223u;
    if (shift > 62) {
        return 0;
    }
    if (shift <= 0) {
        return rv_saturated((int64_t)rv_saturated(value) * ((int64_t)1 << (shift < -31 ? 31 : -shift)));
    }
    const int64_t draw = step->random >> 16;
    return rv_saturated((value + (shift >= 16 ? draw << (shift - 16) : draw >> (16 - shift))) >> shift);
}

/* What element i changes by, in units of 2^-bits. */
RV_SHARED int32_t rv_step_delta(rv_step *step, int32_t i, int32_t accumulator, int32_t bits)
{
    const int64_t product = -(int64_t)accumulator * step->mantissa;
    const int32_t shift = -(step->channel_exponent + step->exponent);
    int32_t change;

    if (step->velocity == NULL && step->pending == NULL) {
        return rv_step_round(step, product, shift - bits);
    }
    change = rv_step_round(step, product, shift - 16);
    if (step->pending != NULL) {
        change = rv_saturated((int64_t)change + step->pending[i]);
        step->pending[i] = step->applies ? 0 : change;
        if (!step->applies) {
            return 0;
        }
    }
    if (step->velocity != NULL) {
        change = rv_saturated(((int64_t)step->velocity[i] * step->momentum >> 15) + change);
        step->velocity[i] = change;
    }
    return rv_step_round(step, change, 16 - bits);
}

/* Changes weight i, with the bits below it, by delta * 2^-bits; 1 if it had to be clamped, 0 otherwise. */
RV_SHARED int32_t rv_step_weight(int8_t *weights, uint8_t *residual, int32_t bits, int32_t i, int32_t delta)
{
    const int32_t unit = (int32_t)1 << bits;
    uint8_t *byte = bits == 0 ? NULL : residual + (bits == 4 ? i >> 1 : i);
    const int32_t low = bits == 4 ? 4 * (i & 1) : 0;
    const int32_t below = byte == NULL ? 0 : (*byte >> low) & (unit - 1);
    const int64_t wanted = (int64_t)(weights[i] * unit + below) + delta;
    const int32_t highest = 127 * unit + unit - 1;
    const int32_t value = wanted > highest ? highest : wanted < -127 * unit ? -127 * unit : (int32_t)wanted;

    weights[i] = (int8_t)(value >> bits);
    if (byte != NULL) {
        *byte = (uint8_t)((*byte & ~((unit - 1) << low)) | (value & (unit - 1)) << low);
    }
    return value != wanted;
}

#endif /* RIVULET_STEP_H */
