/*
 * Rivulet runtime, float32 on computers: vectors of RV_FLOATS lanes as GCC and Clang have them (AVX-512, AVX2, SSE2, NEON,
 * WebAssembly SIMD), one lane in plain C where the compiler has none or RV_PLAIN is defined, and the functions that a
 * freestanding build lacks.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Operators + - * / work on rv_floats lane by lane. No function needs an aligned address, and none touches a lane beyond
 * the count it is given. Results differ between instruction sets by how sums are split and whether products are rounded
 * before they are added.
 */
#ifndef RIVULET_FLOAT_H
#define RIVULET_FLOAT_H

#include "rivulet.h"

#if !defined(__GNUC__) && !defined(RV_PLAIN)
#define RV_PLAIN
#endif

#if defined(RV_PLAIN)
#define RV_FLOATS 1
#define RV_FLOAT_FUNCTION static inline
typedef float rv_floats;
#else
#define RV_FLOAT_FUNCTION static inline __attribute__((always_inline, unused))
#if defined(__AVX512F__) && defined(__AVX512VL__)
#include <immintrin.h>
#define RV_FLOATS 16
#elif defined(__AVX2__)
#include <immintrin.h>
#define RV_FLOATS 8
#else
#define RV_FLOATS 4
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif
#endif
typedef float rv_floats __attribute__((vector_size(4 * RV_FLOATS)));
typedef int32_t rv_lanes __attribute__((vector_size(4 * RV_FLOATS)));
#endif

RV_FLOAT_FUNCTION rv_floats rv_floats_of(float x)
{
#if defined(RV_PLAIN)
    return x;
#else
    return x - (rv_floats){0};
#endif
}

RV_FLOAT_FUNCTION rv_floats rv_load_floats(const float *from)
{
    rv_floats x;
    memcpy(&x, from, sizeof x);
    return x;
}

RV_FLOAT_FUNCTION void rv_store_floats(float *to, rv_floats x)
{
    memcpy(to, &x, sizeof x);
}

/* The first `count` lanes, zeros in the others; 1 <= count <= RV_FLOATS. */
RV_FLOAT_FUNCTION rv_floats rv_load_some(const float *from, int32_t count)
{
    if (count == RV_FLOATS) {
        return rv_load_floats(from);
    }
#if defined(__AVX512F__) && !defined(RV_PLAIN) && RV_FLOATS == 16
    return (rv_floats)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1u), from);
#else
    rv_floats x = rv_floats_of(0.0f);
    memcpy(&x, from, (size_t)count * sizeof *from);
    return x;
#endif
}

RV_FLOAT_FUNCTION void rv_store_some(float *to, rv_floats x, int32_t count)
{
    if (count == RV_FLOATS) {
        rv_store_floats(to, x);
        return;
    }
#if defined(__AVX512F__) && !defined(RV_PLAIN) && RV_FLOATS == 16
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1u), (__m512)x);
#else
    memcpy(to, &x, (size_t)count * sizeof *to);
#endif
}

/* Copies and zeros as loops: a call costs more than the few vectors of a pixel. */
RV_FLOAT_FUNCTION void rv_copy_floats(float *to, const float *from, int32_t count)
{
    int32_t i = 0;

    for (; i + RV_FLOATS <= count; i += RV_FLOATS) {
        rv_store_floats(to + i, rv_load_floats(from + i));
    }
    for (; i < count; ++i) {
        to[i] = from[i];
    }
}

RV_FLOAT_FUNCTION void rv_clear_floats(float *to, int32_t count)
{
    int32_t i = 0;

    for (; i + RV_FLOATS <= count; i += RV_FLOATS) {
        rv_store_floats(to + i, rv_floats_of(0.0f));
    }
    for (; i < count; ++i) {
        to[i] = 0.0f;
    }
}

/* The smaller and the larger of two; b where one of them is not a number. */
RV_FLOAT_FUNCTION rv_floats rv_min_floats(rv_floats a, rv_floats b)
{
#if RV_FLOATS == 16
    return (rv_floats)_mm512_min_ps((__m512)a, (__m512)b);
#elif RV_FLOATS == 8
    return (rv_floats)_mm256_min_ps((__m256)a, (__m256)b);
#elif RV_FLOATS == 1
    return a < b ? a : b;
#elif defined(__wasm_simd128__)
    return (rv_floats)wasm_f32x4_pmin((v128_t)b, (v128_t)a);
#elif defined(__SSE2__)
    return (rv_floats)_mm_min_ps((__m128)a, (__m128)b);
#else
    const rv_lanes less = a < b;
    return (rv_floats)((less & (rv_lanes)a) | (~less & (rv_lanes)b));
#endif
}

RV_FLOAT_FUNCTION rv_floats rv_max_floats(rv_floats a, rv_floats b)
{
#if RV_FLOATS == 16
    return (rv_floats)_mm512_max_ps((__m512)a, (__m512)b);
#elif RV_FLOATS == 8
    return (rv_floats)_mm256_max_ps((__m256)a, (__m256)b);
#elif RV_FLOATS == 1
    return a > b ? a : b;
#elif defined(__wasm_simd128__)
    return (rv_floats)wasm_f32x4_pmax((v128_t)b, (v128_t)a);
#elif defined(__SSE2__)
    return (rv_floats)_mm_max_ps((__m128)a, (__m128)b);
#else
    const rv_lanes more = a > b;
    return (rv_floats)((more & (rv_lanes)a) | (~more & (rv_lanes)b));
#endif
}

/* Not a number stays one, so that a training that diverges is seen. */
RV_FLOAT_FUNCTION rv_floats rv_clamp_floats(rv_floats x, rv_floats lowest, rv_floats highest)
{
    return rv_min_floats(highest, rv_max_floats(lowest, x));
}

/* y where lowest < x < highest or x is not a number, 0 elsewhere. */
RV_FLOAT_FUNCTION rv_floats rv_where_inside(rv_floats x, rv_floats lowest, rv_floats highest, rv_floats y)
{
#if RV_FLOATS == 1
    return x <= lowest || x >= highest ? 0.0f : y;
#elif RV_FLOATS == 16
    const __mmask16 above = _mm512_cmp_ps_mask((__m512)x, (__m512)lowest, _CMP_NLE_UQ);
    return (rv_floats)_mm512_maskz_mov_ps(_mm512_mask_cmp_ps_mask(above, (__m512)x, (__m512)highest, _CMP_NGE_UQ), (__m512)y);
#else
    return (rv_floats)(~((x <= lowest) | (x >= highest)) & (rv_lanes)y);
#endif
}

/* Rows of `channels` floats that make whole vectors: after so many, lanes and channels meet again. */
RV_FLOAT_FUNCTION int32_t rv_period_rows(int32_t channels)
{
    int32_t rows = 1;

    while (rows * channels % RV_FLOATS != 0) {
        rows *= 2;
    }
    return rows;
}

/* to[r][c] = from[c] for r < rows */
RV_FLOAT_FUNCTION void rv_repeat_floats(float *to, const float *from, int32_t channels, int32_t rows)
{
    for (int32_t r = 0; r < rows; ++r) {
        memcpy(to + r * channels, from, (size_t)channels * sizeof *from);
    }
}

/* Dimensions that the kernels for tensors of any rank take; missing ones have size 1. */
#define RV_RANK 6

/* The next index but for the last dimension, in row-major order; 0 after the last one. */
RV_FLOAT_FUNCTION int32_t rv_next_index(int32_t *index, const int32_t *sizes)
{
    for (int32_t d = RV_RANK - 2; d >= 0; --d) {
        if (++index[d] < sizes[d]) {
            return 1;
        }
        index[d] = 0;
    }
    return 0;
}

/* Where an index whose last dimension is 0 lies. */
RV_FLOAT_FUNCTION int32_t rv_index_offset(const int32_t *index, const int32_t *strides)
{
    int32_t offset = 0;

    for (int32_t d = 0; d < RV_RANK - 1; ++d) {
        offset += index[d] * strides[d];
    }
    return offset;
}

RV_FLOAT_FUNCTION float rv_sum_lanes(rv_floats x)
{
#if defined(RV_PLAIN)
    return x;
#else
    float sum = x[0];
    for (int32_t i = 1; i < RV_FLOATS; ++i) {
        sum += x[i];
    }
    return sum;
#endif
}

RV_FLOAT_FUNCTION float rv_clamp_float(float x, float lowest, float highest)
{
    return x < lowest ? lowest : x > highest ? highest : x;
}

RV_FLOAT_FUNCTION float rv_square_root(float x)
{
#if defined(__GNUC__)
    return __builtin_sqrtf(x);
#else
    /* Newton from above converges from any start; x is no larger than what float holds. */
    float root = x > 1.0f ? x : 1.0f;
    for (int32_t step = 0; step < 80 && x > 0.0f; ++step) {
        root = 0.5f * (root + x / root);
    }
    return x > 0.0f ? root : 0.0f;
#endif
}

RV_FLOAT_FUNCTION float rv_float_from_bits(int32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* e^x within 2 units of the last place: 2^n times the Taylor series of the rest, which is at most ln(2) / 2. */
RV_FLOAT_FUNCTION float rv_exponential(float x)
{
    const float clamped = rv_clamp_float(x, -87.0f, 88.0f);
    const int32_t n = (int32_t)(clamped * 1.44269504f + (clamped < 0.0f ? -0.5f : 0.5f));
    const float rest = (clamped - (float)n * 0.693145752f) - (float)n * 1.42860677e-6f;
    float sum = 1.0f / 5040.0f;

    sum = sum * rest + 1.0f / 720.0f;
    sum = sum * rest + 1.0f / 120.0f;
    sum = sum * rest + 1.0f / 24.0f;
    sum = sum * rest + 1.0f / 6.0f;
    sum = sum * rest + 0.5f;
    sum = sum * rest + 1.0f;
    sum = sum * rest + 1.0f;
    return x == x ? sum * rv_float_from_bits((n + 127) << 23) : x;
}

/* ln(x) for normal x > 0, what is not finite stays: the exponent and the series of 2 artanh((m - 1) / (m + 1)), m between sqrt(1/2) and sqrt(2). */
RV_FLOAT_FUNCTION float rv_logarithm(float x)
{
    int32_t bits;

    if (!(x < 3.4e38f)) {
        return x;
    }
    memcpy(&bits, &x, sizeof bits);
    const int32_t exponent = (bits - 0x3f3504f3) >> 23;
    const float m = rv_float_from_bits(bits - exponent * (1 << 23));
    const float s = (m - 1.0f) / (m + 1.0f);
    const float square = s * s;
    const float series = ((square / 9.0f + 1.0f / 7.0f) * square + 1.0f / 5.0f) * square + 1.0f / 3.0f;

    return (float)exponent * 0.693147181f + 2.0f * s * (1.0f + square * series);
}

#endif /* RIVULET_FLOAT_H */
