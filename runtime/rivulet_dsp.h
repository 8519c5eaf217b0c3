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

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
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

/* sum + a.low * b.low */
static inline int32_t rv_smlabb(uint32_t a, uint32_t b, int32_t sum)
{
#if RV_DSP
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(rv_low16(a) * rv_low16(b)));
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

#endif /* RIVULET_DSP_H */
