/*
 * Rivulet runtime: the few definitions that generated models share. Plain C99, no dependencies.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The arithmetic is that of TensorFlow Lite's reference kernels (gemmlowp, double rounding), bit for bit. It relies on
 * two things that C99 leaves to the implementation and every compiler for these cores does: two's complement, and
 * arithmetic right shift of negative numbers.
 */
#ifndef RIVULET_H
#define RIVULET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define RV_STATIC_ASSERT(condition, name) _Static_assert(condition, #name)
#else
#define RV_STATIC_ASSERT(condition, name) typedef char rv_assert_##name[(condition) ? 1 : -1]
#endif

/* Keeps a layer a function of its own, so that debuggers, profilers and map files show it. */
#if defined(__GNUC__)
#define RV_NOINLINE __attribute__((noinline))
#else
#define RV_NOINLINE
#endif

/* Code that all kernels share, and code that belongs into each place. */
#if defined(__GNUC__)
#define RV_SHARED static RV_NOINLINE __attribute__((unused))
#define RV_INLINE static inline __attribute__((always_inline))
#else
#define RV_SHARED static inline
#define RV_INLINE static inline
#endif

/* With RV_TRACE defined, the application receives every layer's output as it is computed. */
#if defined(RV_TRACE)
void rv_trace(int32_t layer, const void *data, int32_t bytes);
#define RV_TRACE_LAYER(layer, data, bytes) rv_trace(layer, data, bytes)
#else
#define RV_TRACE_LAYER(layer, data, bytes) ((void)0)
#endif

/* What one firing of a row kernel works on. */
typedef struct {
    const void *const *in; /* one pointer per input slot, NULL where the row lies outside the tensor */
    void *out;             /* the output row, NULL while an accumulating kernel is not finished */
    void *scratch;         /* working memory that lives as long as the layer, NULL when the kernel needs none */
    int32_t y;             /* index of the firing */
} rv_row;

static inline int32_t rv_clamp(int32_t x, int32_t lowest, int32_t highest)
{
    return x < lowest ? lowest : x > highest ? highest : x;
}

/* Cores whose multiplication gives no more than 32 bits: there 64 bits are a call into the compiler's library. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define RV_NARROW_MULTIPLY 1
#endif

/* (a * b) / 2^31 to nearest, ties up. Not for a = b = INT32_MIN. */
static inline int32_t rv_rounding_doubling_high_mul(int32_t a, int32_t b)
{
#if defined(RV_NARROW_MULTIPLY)
    /*
     * From halves of 16 bits, a = high * 2^16 + low. No sum leaves int32: a product of a high and a low half lies in
     * [-32768 * 65535, 32767 * 65535], 65535 below its ends. Of the lower 32 bits only the uppermost two are needed.
     */
    const int32_t high_a = (int16_t)(uint16_t)((uint32_t)a >> 16);
    const int32_t high_b = (int16_t)(uint16_t)((uint32_t)b >> 16);
    const uint32_t low_a = (uint32_t)a & 0xffffu;
    const uint32_t low_b = (uint32_t)b & 0xffffu;
    const int32_t middle = high_a * (int32_t)low_b + (int32_t)(low_a * low_b >> 16);
    const int32_t lower = high_b * (int32_t)low_a + (middle & 0xffff);
    const uint32_t upper = (uint32_t)(high_a * high_b) + (uint32_t)(middle >> 16);
    return (int32_t)(upper * 2u + (uint32_t)(((lower >> 14) + 1) >> 1));
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
#endif
}

/* x / 2^exponent to nearest, ties away from zero; 0 <= exponent <= 31. */
static inline int32_t rv_rounding_divide(int32_t x, int32_t exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1u);
    const int32_t remainder = x & mask;
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/* x * multiplier * 2^(shift - 31), rounded twice as TFLite does. */
static inline int32_t rv_requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    return rv_rounding_divide(rv_rounding_doubling_high_mul((int32_t)((uint32_t)x << left), multiplier), right);
}

/* sum / count to nearest, halves away from zero; count > 0. */
static inline int32_t rv_rounded_quotient(int32_t sum, int32_t count)
{
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* x * 2^exponent, saturated; 0 <= exponent <= 31. */
static inline int32_t rv_saturating_shift_left(int32_t x, int32_t exponent)
{
    const int64_t shifted = x * ((int64_t)1 << exponent);
    return shifted > INT32_MAX ? INT32_MAX : shifted < INT32_MIN ? INT32_MIN : (int32_t)shifted;
}

/*
 * 1 / (1 + a) for 0 <= a < 1, argument and result with 31 fraction bits: gemmlowp's three Newton steps towards
 * 1 / ((1 + a) / 2) from 48/17 - 32/17 * (1 + a) / 2, with 29 fraction bits.
 */
static inline int32_t rv_reciprocal_of_one_plus(int32_t a)
{
    const int32_t half = (int32_t)(((uint32_t)a + 0x80000000u) >> 1);
    int32_t x = 1515870810 + rv_rounding_doubling_high_mul(half, -1010580540);

    for (int32_t step = 0; step < 3; ++step) {
        const int32_t error = ((int32_t)1 << 29) - rv_rounding_doubling_high_mul(half, x);
        x += rv_saturating_shift_left(rv_rounding_doubling_high_mul(x, error), 2);
    }
    return rv_saturating_shift_left(x, 1);
}

#endif /* RIVULET_H */
