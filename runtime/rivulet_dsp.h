/*
 * Rivulet runtime, Armv7E-M DSP extension (Cortex-M4, M7, M33): one function an instruction, with a body in plain C where
 * the instruction does not exist, so that kernels written with them run and are tested on any computer.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A word holds two int16 or four int8 values, the first in the lowest bits. Inline assembly rather than ACLE intrinsics:
 * the operands stay in the registers they are in, and compilers other than GCC and Clang get the plain bodies.
 */
#ifndef RIVULET_DSP_H
#define RIVULET_DSP_H

#include "rivulet.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !defined(RV_PLAIN_C)
#define RV_DSP 1
#else
#define RV_DSP 0
#endif

/* The int16 values of a word. */
static inline int32_t rv_low16(uint32_t word)
{
    return (int16_t)(uint16_t)word;
}

static inline int32_t rv_high16(uint32_t word)
{
    return (int16_t)(uint16_t)(word >> 16);
}

/* Two int16 values as a word. */
static inline uint32_t rv_pair16(int32_t low, int32_t high)
{
    return (uint32_t)(uint16_t)low | (uint32_t)high << 16;
}

/* Four bytes from any address. */
static inline uint32_t rv_load32(const void *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline void rv_store32(void *to, uint32_t word)
{
    memcpy(to, &word, sizeof word);
}

/* Bytes 0 and 2 as a pair of int16. */
static inline uint32_t rv_sxtb16(uint32_t bytes)
{
#if RV_DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return rv_pair16((int8_t)(uint8_t)bytes, (int8_t)(uint8_t)(bytes >> 16));
#endif
}

/* Bytes 1 and 3 as a pair of int16. */
static inline uint32_t rv_sxtb16_odd(uint32_t bytes)
{
#if RV_DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return rv_sxtb16(bytes >> 8);
#endif
}

/* The sums of both pairs of int16, each modulo 2^16. */
static inline uint32_t rv_sadd16(uint32_t a, uint32_t b)
{
#if RV_DSP
    uint32_t result;
    __asm__("sadd16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return rv_pair16(rv_low16(a) + rv_low16(b), rv_high16(a) + rv_high16(b));
#endif
}

/* sum + a.low * b.low + a.high * b.high */
static inline int32_t rv_smlad(uint32_t a, uint32_t b, int32_t sum)
{
#if RV_DSP
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    const uint32_t products =
        (uint32_t)(rv_low16(a) * rv_low16(b)) + (uint32_t)(rv_high16(a) * rv_high16(b));
    return (int32_t)((uint32_t)sum + products);
#endif
}

/* sum + the upper 32 bits of a * b, to nearest, ties up; all modulo 2^32. */
static inline int32_t rv_smmlar(int32_t a, int32_t b, int32_t sum)
{
#if RV_DSP
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    const int32_t high = (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
    return (int32_t)((uint32_t)sum + (uint32_t)high);
#endif
}

/* x saturated to int8. */
static inline int32_t rv_ssat8(int32_t x)
{
#if RV_DSP
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return result;
#else
    return rv_clamp(x, -128, 127);
#endif
}

/*
 * Requantisation for 0 < multiplier, -22 <= shift <= -1 and |sum| < 2^30, which holds for almost every layer; exact:
 *
 *     high = hi32(2 sum * multiplier), to nearest, ties up             = SRDHM of TFLite
 *     (high + 2^(e-1) - (sum < 0) + zero_point * 2^e) >> e,  e = -shift = its rounding divide, ties away from zero
 *
 * The first addition rides on SMMLAR. rounding: 2^(e-1) + zero_point * 2^e, see rv_dsp_rounding. `twice` is 2 sum.
 * Where the smallest output is the zero point, as after a ReLU, a negative tie gives that output either way, and
 * rv_dsp_requantize_relu leaves the sign out.
 */
static inline int32_t rv_dsp_requantize(int32_t twice, int32_t multiplier, int32_t rounding, int32_t e)
{
    return rv_ssat8(rv_smmlar(twice, multiplier, rounding + (twice >> 31)) >> e);
}

static inline int32_t rv_dsp_requantize_relu(int32_t twice, int32_t multiplier, int32_t rounding, int32_t e)
{
    return rv_ssat8(rv_smmlar(twice, multiplier, rounding) >> e);
}

/* (2 zero_point + 1) * 2^(e-1) */
static inline int32_t rv_dsp_rounding(int32_t zero_point, int32_t e)
{
    return (int32_t)((uint32_t)(2 * zero_point + 1) << (e - 1));
}

/* Bytes 0 and 2 of `bytes`, as int16, added to the pair; each modulo 2^16. */
static inline uint32_t rv_sxtab16(uint32_t pair, uint32_t bytes)
{
#if RV_DSP
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(pair), "r"(bytes));
    return result;
#else
    return rv_pair16(rv_low16(pair) + (int8_t)(uint8_t)bytes, rv_high16(pair) + (int8_t)(uint8_t)(bytes >> 16));
#endif
}

/* The same of bytes 1 and 3. */
static inline uint32_t rv_sxtab16_odd(uint32_t pair, uint32_t bytes)
{
#if RV_DSP
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(pair), "r"(bytes));
    return result;
#else
    return rv_sxtab16(pair, bytes >> 8);
#endif
}

/* a - b of both int16 of the pairs, each modulo 2^16. */
static inline uint32_t rv_ssub16(uint32_t a, uint32_t b)
{
#if RV_DSP
    uint32_t result;
    __asm__("ssub16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return rv_pair16(rv_low16(a) - rv_low16(b), rv_high16(a) - rv_high16(b));
#endif
}

/* The larger of each of the four int8: SSUB8 says for each byte whether a >= b, SEL picks by it. */
static inline uint32_t rv_max8(uint32_t a, uint32_t b)
{
    uint32_t result;
#if RV_DSP
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b));
#else
    result = 0;
    for (int32_t shift = 0; shift < 32; shift += 8) {
        const uint32_t larger = (int8_t)(uint8_t)(a >> shift) >= (int8_t)(uint8_t)(b >> shift) ? a : b;
        result |= larger & ((uint32_t)0xff << shift);
    }
#endif
    return result;
}

/* The smaller of each of the four int8. */
static inline uint32_t rv_min8(uint32_t a, uint32_t b)
{
    /* x -> -1 - x turns the order round. */
    return ~rv_max8(~a, ~b);
}

/* x as each of four int8. */
static inline uint32_t rv_splat8(int32_t x)
{
    return (uint32_t)(uint8_t)x * 0x01010101u;
}

/*
 * A constant that stays in a register. Left to themselves, compilers take it apart again into immediate operands, and the
 * instructions that add a shifted value to it become two.
 */
static inline int32_t rv_in_register(int32_t constant)
{
#if RV_DSP
    __asm__("" : "+r"(constant));
#endif
    return constant;
}

/* twice / 2 * multiplier / 2^(31 + e), rounded twice as TFLite does; rounding: 2^(e - 1), |twice| < 2^30. */
static inline int32_t rv_dsp_scale(int32_t twice, int32_t multiplier, int32_t rounding, int32_t e)
{
    return rv_smmlar(twice, multiplier, rounding + (twice >> 31)) >> e;
}

/* rv_dsp_requantize with bounds. is_relu: the lowest output is the zero point, so that the sign may be left out. */
static inline int32_t rv_dsp_requantize_within(int32_t twice, int32_t multiplier, int32_t rounding, int32_t e,
                                               int32_t is_relu, int32_t lowest, int32_t highest)
{
    const int32_t y = rv_smmlar(twice, multiplier, rounding + (is_relu ? 0 : twice >> 31)) >> e;
    return lowest == INT8_MIN && highest == INT8_MAX ? rv_ssat8(y) : rv_clamp(y, lowest, highest);
}

/* Where the group of four that should begin at `first` of `count` begins: the last one overlaps the one before it. */
static inline int32_t rv_dsp_group_of_four(int32_t first, int32_t count)
{
    return count % 4 == 0 || first + 4 <= count ? first : count - 4;
}

/* Bounds of an activation, for rows already saturated to int8. */
static inline void rv_dsp_clamp_row(int8_t *row, int32_t count, int32_t lowest, int32_t highest)
{
    if (lowest > INT8_MIN || highest < INT8_MAX) {
        for (int32_t i = 0; i < count; ++i) {
            row[i] = (int8_t)rv_clamp(row[i], lowest, highest);
        }
    }
}

/*
 * Adds `count` neighbours of each of four channels, `stride` bytes apart, to two pairs: channels 0 and 2, 1 and 3. No
 * more than 256 values may be added to a pair.
 */
typedef struct {
    uint32_t even;
    uint32_t odd;
} rv_channel_sums;

static inline void rv_dsp_add_columns(const int8_t *in, int32_t stride, int32_t count, rv_channel_sums *sums)
{
    for (int32_t i = 0; i < count; ++i) {
        const uint32_t bytes = rv_load32(in);
        sums->even = rv_sxtab16(sums->even, bytes);
        sums->odd = rv_sxtab16_odd(sums->odd, bytes);
        in += stride;
    }
}

/* Adds the sums to those of the four channels in int32. */
static inline void rv_dsp_add_to_channels(int32_t *channels, const rv_channel_sums *sums)
{
    channels[0] += rv_low16(sums->even);
    channels[1] += rv_low16(sums->odd);
    channels[2] += rv_high16(sums->even);
    channels[3] += rv_high16(sums->odd);
}

/* A mean, of a sum less the zero points in it. The multiplier is divided by the count and any shift can occur. */
static inline int8_t rv_dsp_mean(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero_point)
{
    return (int8_t)rv_ssat8(rv_requantize(sum, multiplier, shift) + zero_point);
}

#endif /* RIVULET_DSP_H */
