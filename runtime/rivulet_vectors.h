/*
 * Rivulet runtime, vectors of eight channels: WebAssembly SIMD, SSE2, AVX2 and AVX-512 (VNNI), and plain C where the
 * compiler has none of them or RV_PLAIN is defined, so that kernels written with them compile for any computer.
 * SPDX-License-Identifier: Apache-2.0
 *
 * rv_i32x8    eight int32
 * rv_i16x16   eight pairs of int16, as a multiply-add of neighbours takes them
 * rv_quads    eight groups of four bytes, prepared for a dot product: signed weights, or values with 128 added
 *
 * No function needs an aligned address, and none touches a byte beyond the count in its name.
 */
#ifndef RIVULET_VECTORS_H
#define RIVULET_VECTORS_H

#include "rivulet.h"

#if !defined(RV_PLAIN) && !(defined(__GNUC__) && (defined(__AVX2__) || defined(__wasm_simd128__) || defined(__SSE2__)))
#define RV_PLAIN
#endif

/* Vectors are never passed in a call, whose convention would depend on the instruction set. */
#if defined(RV_PLAIN)
#define RV_VECTOR static inline
#else
#define RV_VECTOR static inline __attribute__((always_inline, unused))
#endif

#define RV_LANES 8

#if defined(__AVX2__) && !defined(RV_PLAIN)
#include <immintrin.h>

typedef __m256i rv_i32x8;
typedef __m256i rv_i16x16;

RV_VECTOR rv_i32x8 rv_splat(int32_t x)
{
    return _mm256_set1_epi32(x);
}

RV_VECTOR rv_i32x8 rv_load_s32(const int32_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

RV_VECTOR void rv_store_s32(int32_t *to, rv_i32x8 x)
{
    _mm256_storeu_si256((__m256i *)(void *)to, x);
}

RV_VECTOR rv_i32x8 rv_load_s8(const int8_t *from)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from));
}

RV_VECTOR void rv_store_s8(int8_t *to, rv_i32x8 x, int32_t lowest, int32_t highest)
{
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    words = _mm_max_epi16(_mm_min_epi16(words, _mm_set1_epi16((int16_t)highest)), _mm_set1_epi16((int16_t)lowest));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_packs_epi16(words, words));
}

RV_VECTOR rv_i32x8 rv_add(rv_i32x8 a, rv_i32x8 b)
{
    return _mm256_add_epi32(a, b);
}

RV_VECTOR rv_i32x8 rv_and(rv_i32x8 a, rv_i32x8 b)
{
    return _mm256_and_si256(a, b);
}

RV_VECTOR rv_i32x8 rv_mul(rv_i32x8 a, rv_i32x8 b)
{
    return _mm256_mullo_epi32(a, b);
}

RV_VECTOR rv_i32x8 rv_shift_right(rv_i32x8 x, int32_t count)
{
    return _mm256_sra_epi32(x, _mm_cvtsi32_si128(count));
}

/* The upper 32 bits of each product; b >= 0. */
RV_VECTOR rv_i32x8 rv_high_mul(rv_i32x8 a, rv_i32x8 b)
{
    const __m256i even = _mm256_mul_epi32(a, b);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}

/* 16 bytes as they lie. */
RV_VECTOR rv_i16x16 rv_load_pairs(const int8_t *from)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)from));
}

/* Pairs (a[i], b[i]). */
RV_VECTOR rv_i16x16 rv_zip_pairs(const int8_t *a, const int8_t *b)
{
    return _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i *)(const void *)a),
                                                  _mm_loadl_epi64((const __m128i *)(const void *)b)));
}

/* sum + a.first * b.first + a.second * b.second */
RV_VECTOR rv_i32x8 rv_dot_pairs(rv_i32x8 sum, rv_i16x16 a, rv_i16x16 b)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

#if (defined(__AVX512VNNI__) && defined(__AVX512VL__)) || defined(__AVXVNNI__)
typedef __m256i rv_quads;

RV_VECTOR rv_quads rv_weight_quads(const int8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

RV_VECTOR rv_quads rv_value_quads(uint32_t bytes)
{
    return _mm256_set1_epi32((int32_t)(bytes ^ 0x80808080u));
}

RV_VECTOR rv_i32x8 rv_dot_quads(rv_i32x8 sum, rv_quads weights, rv_quads values)
{
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    return _mm256_dpbusd_epi32(sum, values, weights);
#else
    return _mm256_dpbusd_avx_epi32(sum, values, weights);
#endif
}
#else
/* The bytes 0 and 2 of each group, and 1 and 3: a shift is cheaper than a shuffle. */
typedef struct {
    __m256i even;
    __m256i odd;
} rv_quads;

RV_VECTOR rv_quads rv_weight_quads(const int8_t *from)
{
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)from);
    const rv_quads quads = {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
    return quads;
}

RV_VECTOR rv_quads rv_value_quads(uint32_t bytes)
{
    const __m256i values = _mm256_set1_epi32((int32_t)(bytes ^ 0x80808080u));
    const rv_quads quads = {_mm256_and_si256(values, _mm256_set1_epi16(255)), _mm256_srli_epi16(values, 8)};
    return quads;
}

RV_VECTOR rv_i32x8 rv_dot_quads(rv_i32x8 sum, rv_quads weights, rv_quads values)
{
    return rv_dot_pairs(rv_dot_pairs(sum, weights.even, values.even), weights.odd, values.odd);
}
#endif

#elif !defined(RV_PLAIN)

/* Two vectors of 128 bits. First what the two instruction sets call differently, then what follows from it. */
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>

typedef v128_t rv_v128;
#define rv_v128_load(from) wasm_v128_load(from)
#define rv_v128_store(to, x) wasm_v128_store(to, x)
#define rv_v128_splat32(x) wasm_i32x4_splat(x)
#define rv_v128_splat16(x) wasm_i16x8_splat(x)
#define rv_v128_and(a, b) wasm_v128_and(a, b)
#define rv_v128_add32(a, b) wasm_i32x4_add(a, b)
#define rv_v128_mul32(a, b) wasm_i32x4_mul(a, b)
#define rv_v128_dot16(a, b) wasm_i32x4_dot_i16x8(a, b)
#define rv_v128_shr32(x, count) wasm_i32x4_shr(x, count)
#define rv_v128_shl16(x, count) wasm_i16x8_shl(x, count)
#define rv_v128_shr16(x, count) wasm_i16x8_shr(x, count)
#define rv_v128_shr16u(x, count) wasm_u16x8_shr(x, count)
#define rv_v128_min16(a, b) wasm_i16x8_min(a, b)
#define rv_v128_max16(a, b) wasm_i16x8_max(a, b)
#define rv_v128_narrow32(a, b) wasm_i16x8_narrow_i32x4(a, b)
#define rv_v128_zip16_low(a, b) wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define rv_v128_zip16_high(a, b) wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define rv_v128_widen16_low(x) wasm_i32x4_extend_low_i16x8(x)
#define rv_v128_widen16_high(x) wasm_i32x4_extend_high_i16x8(x)
#define rv_v128_load_s8(from) wasm_i16x8_load8x8(from)
#define rv_v128_store_s8(to, x) wasm_v128_store64_lane(to, wasm_i8x16_narrow_i16x8(x, x), 0)

RV_VECTOR rv_v128 rv_v128_high_mul32(rv_v128 a, rv_v128 b)
{
    return wasm_i32x4_shuffle(wasm_i64x2_extmul_low_i32x4(a, b), wasm_i64x2_extmul_high_i32x4(a, b), 1, 3, 5, 7);
}
#else
#include <emmintrin.h>

typedef __m128i rv_v128;
#define rv_v128_load(from) _mm_loadu_si128((const __m128i *)(const void *)(from))
#define rv_v128_store(to, x) _mm_storeu_si128((__m128i *)(void *)(to), x)
#define rv_v128_splat32(x) _mm_set1_epi32(x)
#define rv_v128_splat16(x) _mm_set1_epi16(x)
#define rv_v128_and(a, b) _mm_and_si128(a, b)
#define rv_v128_add32(a, b) _mm_add_epi32(a, b)
#define rv_v128_dot16(a, b) _mm_madd_epi16(a, b)
#define rv_v128_shr32(x, count) _mm_sra_epi32(x, _mm_cvtsi32_si128(count))
#define rv_v128_shl16(x, count) _mm_slli_epi16(x, count)
#define rv_v128_shr16(x, count) _mm_srai_epi16(x, count)
#define rv_v128_shr16u(x, count) _mm_srli_epi16(x, count)
#define rv_v128_min16(a, b) _mm_min_epi16(a, b)
#define rv_v128_max16(a, b) _mm_max_epi16(a, b)
#define rv_v128_narrow32(a, b) _mm_packs_epi32(a, b)
#define rv_v128_zip16_low(a, b) _mm_unpacklo_epi16(a, b)
#define rv_v128_zip16_high(a, b) _mm_unpackhi_epi16(a, b)
#define rv_v128_widen16_low(x) _mm_srai_epi32(_mm_unpacklo_epi16(x, x), 16)
#define rv_v128_widen16_high(x) _mm_srai_epi32(_mm_unpackhi_epi16(x, x), 16)
#define rv_v128_store_s8(to, x) _mm_storel_epi64((__m128i *)(void *)(to), _mm_packs_epi16(x, x))

RV_VECTOR rv_v128 rv_v128_load_s8(const int8_t *from)
{
    const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)from);
    return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
}

RV_VECTOR rv_v128 rv_v128_mul32(rv_v128 a, rv_v128 b)
{
    const __m128i even = _mm_mul_epu32(a, b);
    const __m128i odd = _mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32));
    return _mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x08), _mm_shuffle_epi32(odd, 0x08));
}

/* Unsigned products; a negative a, read as a + 2^32, has given b too much. */
RV_VECTOR rv_v128 rv_v128_high_mul32(rv_v128 a, rv_v128 b)
{
    const __m128i even = _mm_mul_epu32(a, b);
    const __m128i odd = _mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32));
    const __m128i high = _mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x0D), _mm_shuffle_epi32(odd, 0x0D));
    return _mm_sub_epi32(high, _mm_and_si128(_mm_srai_epi32(a, 31), b));
}
#endif

typedef struct {
    rv_v128 low;
    rv_v128 high;
} rv_i32x8;

typedef rv_i32x8 rv_i16x16;

typedef struct {
    rv_i16x16 even;
    rv_i16x16 odd;
} rv_quads;

RV_VECTOR rv_i32x8 rv_halves(rv_v128 low, rv_v128 high)
{
    const rv_i32x8 x = {low, high};
    return x;
}

RV_VECTOR rv_i32x8 rv_splat(int32_t x)
{
    return rv_halves(rv_v128_splat32(x), rv_v128_splat32(x));
}

RV_VECTOR rv_i32x8 rv_load_s32(const int32_t *from)
{
    return rv_halves(rv_v128_load(from), rv_v128_load(from + 4));
}

RV_VECTOR void rv_store_s32(int32_t *to, rv_i32x8 x)
{
    rv_v128_store(to, x.low);
    rv_v128_store(to + 4, x.high);
}

RV_VECTOR rv_i32x8 rv_load_s8(const int8_t *from)
{
    const rv_v128 words = rv_v128_load_s8(from);
    return rv_halves(rv_v128_widen16_low(words), rv_v128_widen16_high(words));
}

RV_VECTOR void rv_store_s8(int8_t *to, rv_i32x8 x, int32_t lowest, int32_t highest)
{
    rv_v128 words = rv_v128_narrow32(x.low, x.high);
    words = rv_v128_min16(words, rv_v128_splat16((int16_t)highest));
    words = rv_v128_max16(words, rv_v128_splat16((int16_t)lowest));
    rv_v128_store_s8(to, words);
}

RV_VECTOR rv_i32x8 rv_add(rv_i32x8 a, rv_i32x8 b)
{
    return rv_halves(rv_v128_add32(a.low, b.low), rv_v128_add32(a.high, b.high));
}

RV_VECTOR rv_i32x8 rv_and(rv_i32x8 a, rv_i32x8 b)
{
    return rv_halves(rv_v128_and(a.low, b.low), rv_v128_and(a.high, b.high));
}

RV_VECTOR rv_i32x8 rv_mul(rv_i32x8 a, rv_i32x8 b)
{
    return rv_halves(rv_v128_mul32(a.low, b.low), rv_v128_mul32(a.high, b.high));
}

RV_VECTOR rv_i32x8 rv_shift_right(rv_i32x8 x, int32_t count)
{
    return rv_halves(rv_v128_shr32(x.low, count), rv_v128_shr32(x.high, count));
}

RV_VECTOR rv_i32x8 rv_high_mul(rv_i32x8 a, rv_i32x8 b)
{
    return rv_halves(rv_v128_high_mul32(a.low, b.low), rv_v128_high_mul32(a.high, b.high));
}

RV_VECTOR rv_i16x16 rv_load_pairs(const int8_t *from)
{
    return rv_halves(rv_v128_load_s8(from), rv_v128_load_s8(from + 8));
}

RV_VECTOR rv_i16x16 rv_zip_pairs(const int8_t *a, const int8_t *b)
{
    const rv_v128 first = rv_v128_load_s8(a);
    const rv_v128 second = rv_v128_load_s8(b);
    return rv_halves(rv_v128_zip16_low(first, second), rv_v128_zip16_high(first, second));
}

RV_VECTOR rv_i32x8 rv_dot_pairs(rv_i32x8 sum, rv_i16x16 a, rv_i16x16 b)
{
    return rv_add(sum, rv_halves(rv_v128_dot16(a.low, b.low), rv_v128_dot16(a.high, b.high)));
}

RV_VECTOR rv_quads rv_weight_quads(const int8_t *from)
{
    const rv_v128 low = rv_v128_load(from);
    const rv_v128 high = rv_v128_load(from + 16);
    const rv_quads quads = {
        {rv_v128_shr16(rv_v128_shl16(low, 8), 8), rv_v128_shr16(rv_v128_shl16(high, 8), 8)},
        {rv_v128_shr16(low, 8), rv_v128_shr16(high, 8)},
    };
    return quads;
}

RV_VECTOR rv_quads rv_value_quads(uint32_t bytes)
{
    const rv_v128 values = rv_v128_splat32((int32_t)(bytes ^ 0x80808080u));
    const rv_v128 even = rv_v128_and(values, rv_v128_splat16(255));
    const rv_v128 odd = rv_v128_shr16u(values, 8);
    const rv_quads quads = {{even, even}, {odd, odd}};
    return quads;
}

RV_VECTOR rv_i32x8 rv_dot_quads(rv_i32x8 sum, rv_quads weights, rv_quads values)
{
    return rv_dot_pairs(rv_dot_pairs(sum, weights.even, values.even), weights.odd, values.odd);
}

#else

typedef struct {
    int32_t lane[RV_LANES];
} rv_i32x8;

typedef struct {
    int16_t lane[2 * RV_LANES];
} rv_i16x16;

typedef struct {
    int16_t lane[4 * RV_LANES];
} rv_quads;

RV_VECTOR rv_i32x8 rv_splat(int32_t x)
{
    rv_i32x8 y;
    for (int32_t i = 0; i < RV_LANES; ++i) {
        y.lane[i] = x;
    }
    return y;
}

RV_VECTOR rv_i32x8 rv_load_s32(const int32_t *from)
{
    rv_i32x8 x;
    memcpy(&x, from, sizeof x);
    return x;
}

RV_VECTOR void rv_store_s32(int32_t *to, rv_i32x8 x)
{
    memcpy(to, &x, sizeof x);
}

RV_VECTOR rv_i32x8 rv_load_s8(const int8_t *from)
{
    rv_i32x8 x;
    for (int32_t i = 0; i < RV_LANES; ++i) {
        x.lane[i] = from[i];
    }
    return x;
}

RV_VECTOR void rv_store_s8(int8_t *to, rv_i32x8 x, int32_t lowest, int32_t highest)
{
    for (int32_t i = 0; i < RV_LANES; ++i) {
        to[i] = (int8_t)rv_clamp(x.lane[i], lowest, highest);
    }
}

RV_VECTOR rv_i32x8 rv_add(rv_i32x8 a, rv_i32x8 b)
{
    for (int32_t i = 0; i < RV_LANES; ++i) {
        a.lane[i] = (int32_t)((uint32_t)a.lane[i] + (uint32_t)b.lane[i]);
    }
    return a;
}

RV_VECTOR rv_i32x8 rv_and(rv_i32x8 a, rv_i32x8 b)
{
    for (int32_t i = 0; i < RV_LANES; ++i) {
        a.lane[i] &= b.lane[i];
    }
    return a;
}

RV_VECTOR rv_i32x8 rv_mul(rv_i32x8 a, rv_i32x8 b)
{
    for (int32_t i = 0; i < RV_LANES; ++i) {
        a.lane[i] = (int32_t)((uint32_t)a.lane[i] * (uint32_t)b.lane[i]);
    }
    return a;
}

RV_VECTOR rv_i32x8 rv_shift_right(rv_i32x8 x, int32_t count)
{
    for (int32_t i = 0; i < RV_LANES; ++i) {
        x.lane[i] >>= count;
    }
    return x;
}

RV_VECTOR rv_i32x8 rv_high_mul(rv_i32x8 a, rv_i32x8 b)
{
    for (int32_t i = 0; i < RV_LANES; ++i) {
        a.lane[i] = (int32_t)(((int64_t)a.lane[i] * b.lane[i]) >> 32);
    }
    return a;
}

RV_VECTOR rv_i16x16 rv_load_pairs(const int8_t *from)
{
    rv_i16x16 pairs;
    for (int32_t i = 0; i < 2 * RV_LANES; ++i) {
        pairs.lane[i] = from[i];
    }
    return pairs;
}

RV_VECTOR rv_i16x16 rv_zip_pairs(const int8_t *a, const int8_t *b)
{
    rv_i16x16 pairs;
    for (int32_t i = 0; i < RV_LANES; ++i) {
        pairs.lane[2 * i] = a[i];
        pairs.lane[2 * i + 1] = b[i];
    }
    return pairs;
}

RV_VECTOR rv_i32x8 rv_dot_pairs(rv_i32x8 sum, rv_i16x16 a, rv_i16x16 b)
{
    for (int32_t i = 0; i < RV_LANES; ++i) {
        const int32_t products = a.lane[2 * i] * b.lane[2 * i] + a.lane[2 * i + 1] * b.lane[2 * i + 1];
        sum.lane[i] = (int32_t)((uint32_t)sum.lane[i] + (uint32_t)products);
    }
    return sum;
}

RV_VECTOR rv_quads rv_weight_quads(const int8_t *from)
{
    rv_quads quads;
    for (int32_t i = 0; i < 4 * RV_LANES; ++i) {
        quads.lane[i] = from[i];
    }
    return quads;
}

RV_VECTOR rv_quads rv_value_quads(uint32_t bytes)
{
    rv_quads quads;
    uint8_t quad[4];
    memcpy(quad, &bytes, sizeof quad);
    for (int32_t i = 0; i < 4 * RV_LANES; ++i) {
        quads.lane[i] = (int16_t)(quad[i % 4] ^ 0x80);
    }
    return quads;
}

RV_VECTOR rv_i32x8 rv_dot_quads(rv_i32x8 sum, rv_quads weights, rv_quads values)
{
    for (int32_t i = 0; i < 4 * RV_LANES; ++i) {
        const int32_t product = weights.lane[i] * values.lane[i];
        sum.lane[i / 4] = (int32_t)((uint32_t)sum.lane[i / 4] + (uint32_t)product);
    }
    return sum;
}

#endif

#endif /* RIVULET_VECTORS_H */
