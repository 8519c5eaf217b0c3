/*
 * Rivulet runtime: steps of trained parameters, from sums of integers, rounded stochastically.
 * SPDX-License-Identifier: Apache-2.0
 *
 * docs/training-numerics.md has the arithmetic. The only floating-point operation is one product a channel.
 */
#ifndef RIVULET_UPDATE_H
#define RIVULET_UPDATE_H

#include "rivulet_gradient.h"

/* d = acc * mantissa / 2^shift */
typedef struct {
    int32_t mantissa;
    int32_t shift;
} rv_channel_step;

/* The step -rate * factor * 2^exponent of a channel: 16 bits of the product, truncated; 0 where it is not finite. */
static inline rv_channel_step rv_step_of(float rate, float factor, int32_t exponent)
{
    const float t = rate * factor;
    rv_channel_step step = {0, 0};
    uint32_t bits;

    memcpy(&bits, &t, sizeof bits);
    const int32_t biased = (int32_t)(bits >> 23 & 255u);
    if (biased == 0 || biased == 255) {
        return step;
    }
    step.mantissa = (int32_t)((bits & 0x7fffffu) | 0x800000u) >> 8;
    if (bits >> 31 == 0) {
        step.mantissa = -step.mantissa;
    }
    step.shift = 127 + 15 - biased - exponent;
    return step;
}

/* 16 random bits. */
static inline uint32_t rv_draw(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 16;
}

/* acc * mantissa / 2^shift, rounded up with the probability of what is cut off; r: 16 random bits. Saturates. */
static inline int32_t rv_scale_step(int32_t acc, rv_channel_step step, uint32_t r)
{
    const int64_t product = (int64_t)acc * step.mantissa;

    if (step.shift > 62) {
        return 0;
    }
    if (step.shift > 0) {
        const int64_t random = step.shift >= 16 ? (int64_t)r << (step.shift - 16) : (int64_t)(r >> (16 - step.shift));
        const int64_t d = (product + random) >> step.shift;
        return d > INT32_MAX ? INT32_MAX : d < -INT32_MAX ? -INT32_MAX : (int32_t)d;
    }
    const int32_t left = step.shift < -31 ? 31 : -step.shift;
    const int64_t most = INT32_MAX >> left;
    return product > most ? INT32_MAX : product < -most ? -INT32_MAX : (int32_t)((uint32_t)product << left);
}

static inline int32_t rv_saturated_sum(int32_t a, int32_t b)
{
    const int64_t sum = (int64_t)a + b;
    return sum > INT32_MAX ? INT32_MAX : sum < -INT32_MAX ? -INT32_MAX : (int32_t)sum;
}

/* What an update works with. velocity and pending: int32 for each element, NULL where there is none. */
typedef struct {
    int32_t *velocity;
    int32_t *pending;
    int32_t momentum; /* 15 fraction bits */
    int32_t apply;    /* whether what is pending moves the parameters now */
    int32_t fraction; /* bits of a parameter behind its unit */
    int32_t clamped;  /* elements that met a bound */
    uint32_t random;
} rv_update;

/* Fraction bits of the step of a channel: 16 where it is added up before it moves anything. */
static inline int32_t rv_step_fraction(const rv_update *u)
{
    return u->velocity != NULL || u->pending != NULL ? 16 : u->fraction;
}

/* Whether there is nothing to do for a channel: then nothing is drawn for it. */
static inline int32_t rv_is_idle(const rv_update *u, rv_channel_step step)
{
    return step.mantissa == 0 && u->velocity == NULL && u->pending == NULL;
}

/* How far element i moves, with `fraction` bits. */
static inline int32_t rv_movement(rv_update *u, int32_t i, int32_t acc, rv_channel_step step)
{
    int32_t d = rv_scale_step(acc, step, rv_draw(&u->random));

    if (u->velocity == NULL && u->pending == NULL) {
        return d;
    }
    if (u->pending != NULL) {
        u->pending[i] = rv_saturated_sum(u->pending[i], d);
        if (!u->apply) {
            return 0;
        }
        d = u->pending[i];
        u->pending[i] = 0;
    }
    if (u->velocity != NULL) {
        d = rv_saturated_sum((int32_t)((int64_t)u->velocity[i] * u->momentum >> 15), d);
        u->velocity[i] = d;
    }
    return (int32_t)(((int64_t)d + (int64_t)(rv_draw(&u->random) >> u->fraction)) >> (16 - u->fraction));
}

/* Moves weight i, whose residual has u->fraction bits, 0, 4 or 8. */
static inline void rv_move_weight(rv_update *u, int8_t *weights, uint8_t *residuals, int32_t i, int32_t movement)
{
    const int32_t one = (int32_t)1 << u->fraction;
    uint8_t *const residual = residuals + (u->fraction == 4 ? i >> 1 : i);
    const int32_t nibble = u->fraction == 4 ? 4 * (i & 1) : 0;
    int32_t value = weights[i] * one;

    if (u->fraction > 0) {
        value += *residual >> nibble & (one - 1);
    }
    value = rv_saturated_sum(value, movement);
    if (value < -127 * one || value > 128 * one - 1) {
        value = value < 0 ? -127 * one : 128 * one - 1;
        ++u->clamped;
    }
    weights[i] = (int8_t)(value >> u->fraction);
    if (u->fraction > 0) {
        *residual = (uint8_t)((*residual & ~((one - 1) << nibble)) | (value & (one - 1)) << nibble);
    }
}

/* Moves bias i, which stays within 2^30 of zero, by the sum of its gradient. */
static inline void rv_move_bias(rv_update *u, int32_t *bias, int32_t i, int32_t acc, rv_channel_step step)
{
    const int64_t most = (int64_t)1 << 30;
    const int64_t moved = (int64_t)bias[i] + rv_movement(u, i, acc, step);
    const int64_t bounded = moved > most ? most : moved < -most ? -most : moved;

    u->clamped += bounded != moved;
    bias[i] = (int32_t)bounded;
}

/* The row of an optional slot. */
static inline const void *rv_optional(const rv_row *row, int32_t slot)
{
    return slot < 0 ? NULL : row->in[slot];
}

static inline float rv_load_float(const void *from)
{
    float value;
    memcpy(&value, from, sizeof value);
    return value;
}

/* random: the slot of the random state; the others are optional. Momentum and fraction are 0. */
static inline rv_update rv_begin_update(const rv_row *row, int32_t random, int32_t velocity, int32_t pending,
                                        int32_t apply)
{
    rv_update u = {rv_state(rv_optional(row, velocity)), rv_state(rv_optional(row, pending)), 0, 1, 0, 0, 0};
    const void *applied = rv_optional(row, apply);

    memcpy(&u.random, row->in[random], sizeof u.random);
    if (applied != NULL) {
        memcpy(&u.apply, applied, sizeof u.apply);
    }
    return u;
}

/* Keeps the random state and tells how many elements met a bound. */
static inline void rv_end_update(const rv_update *u, const rv_row *row, int32_t random)
{
    memcpy(rv_state(row->in[random]), &u->random, sizeof u->random);
    memcpy(row->out, &u->clamped, sizeof u->clamped);
}

#endif /* RIVULET_UPDATE_H */
