/*
 * Rivulet runtime, Armv8.1-M vector extension (Helium: Cortex-M55): the steps that kernels are made of, each with a body in
 * plain C where there are no such vectors, so that the kernels run and are tested on any computer.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Inner loops are inline assembly: compilers neither use tail-predicated loops nor keep four sums in even registers. It
 * needs more registers than code without optimisation leaves; that gets the plain bodies.
 * Constants are packed by the compiler (src/ops/mve.ts) in the order in which these functions read them.
 */
#ifndef RIVULET_MVE_H
#define RIVULET_MVE_H

#include "rivulet.h"

#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__) && defined(__OPTIMIZE__)
#define RV_MVE 1
#include <arm_mve.h>
#else
#define RV_MVE 0
#endif

/* Vectors of words go where C knows pointers: whoever reads them does so after this. */
#if RV_MVE
#define RV_MVE_FENCE __asm__ volatile("" : : : "memory")
#else
#define RV_MVE_FENCE ((void)0)
#endif

#if defined(__GNUC__)
#define RV_UNUSED __attribute__((unused))
#else
#define RV_UNUSED
#endif

/* How sums become outputs: the zero point is added, then the bounds are kept. */
typedef struct {
    int32_t zero_point;
    int32_t lowest;
    int32_t highest;
} rv_mve_output;

#if RV_MVE

/*
 * Instructions that make ties round away from zero, in assembly that is there with and without them. Where no output is below
 * the zero point, as after a ReLU, negative ties cannot show.
 */
#define RV_MVE_FIX_TIES(instruction) instruction
#define RV_MVE_LEAVE_TIES(instruction)

/* x * multiplier * 2^(shift - 31), rounded twice as TFLite does; multiplier >= 0, -31 <= shift <= -1 in every lane. */
static inline int32x4_t rv_mve_requantize(int32x4_t x, int32x4_t multiplier, int32x4_t shift)
{
    /* VRSHL rounds ties up. One less where x is negative makes them ties away from zero and changes nothing else. */
    const int32x4_t sign = vshrq_n_s32(x, 31);
    return vrshlq_s32(vaddq_s32(vqrdmulhq_s32(x, multiplier), sign), shift);
}

static inline int32x4_t rv_mve_bounded(int32x4_t x, const rv_mve_output *output)
{
    x = vaddq_n_s32(x, output->zero_point);
    return vminq_s32(vmaxq_s32(x, vdupq_n_s32(output->lowest)), vdupq_n_s32(output->highest));
}

#endif

/* Four int32 values. */
#if RV_MVE
typedef int32x4_t rv_mve_int32x4;
#else
typedef struct {
    int32_t lane[4];
} rv_mve_int32x4;
#endif

/* Four bytes, widened. */
static inline rv_mve_int32x4 rv_mve_load4(const int8_t *from)
{
#if RV_MVE
    return vldrbq_s32(from);
#else
    const rv_mve_int32x4 x = {{from[0], from[1], from[2], from[3]}};
    return x;
#endif
}

static inline rv_mve_int32x4 rv_mve_add4(rv_mve_int32x4 a, rv_mve_int32x4 b)
{
#if RV_MVE
    return vaddq_s32(a, b);
#else
    for (int32_t i = 0; i < 4; ++i) {
        a.lane[i] += b.lane[i];
    }
    return a;
#endif
}

static inline rv_mve_int32x4 rv_mve_multiply4(rv_mve_int32x4 a, rv_mve_int32x4 b)
{
#if RV_MVE
    return vmulq_s32(a, b);
#else
    for (int32_t i = 0; i < 4; ++i) {
        a.lane[i] *= b.lane[i];
    }
    return a;
#endif
}

/* int32 values in memory, for sums that wait. */
static inline rv_mve_int32x4 rv_mve_load_words(const int32_t *from)
{
#if RV_MVE
    return vldrwq_s32(from);
#else
    const rv_mve_int32x4 x = {{from[0], from[1], from[2], from[3]}};
    return x;
#endif
}

static inline void rv_mve_store_words(int32_t *to, rv_mve_int32x4 x)
{
#if RV_MVE
    vstrwq_s32(to, x);
#else
    memcpy(to, x.lane, sizeof x.lane);
#endif
}

/* sums[groups][channels] += the sums of `count` pixels of each group, in[groups][count][channels]; or = where `is_first`. */
static inline void rv_mve_accumulate(int32_t *sums, const int8_t *in, int32_t groups, int32_t count, int32_t channels,
                                     int32_t is_first)
{
    const int32_t whole = channels & ~3;

    if (is_first) {
        memset(sums, 0, sizeof *sums * (size_t)(groups * channels));
    }
    for (int32_t group = 0; group < groups; ++group) {
        for (int32_t c = 0; c < whole; c += 4) {
            const int8_t *from = in + c;
            rv_mve_int32x4 sum = rv_mve_load_words(sums + c);

            for (int32_t i = 0; i < count; ++i) {
                sum = rv_mve_add4(sum, rv_mve_load4(from));
                from += channels;
            }
            rv_mve_store_words(sums + c, sum);
        }
        for (int32_t c = whole; c < channels; ++c) {
            for (int32_t i = 0; i < count; ++i) {
                sums[c] += in[i * channels + c];
            }
        }
        in += count * channels;
        sums += channels;
    }
}

/* x * factor + addend */
static inline rv_mve_int32x4 rv_mve_affine4(rv_mve_int32x4 x, int32_t factor, int32_t addend)
{
#if RV_MVE
    return vmlasq_n_s32(x, vdupq_n_s32(factor), addend);
#else
    for (int32_t i = 0; i < 4; ++i) {
        x.lane[i] = x.lane[i] * factor + addend;
    }
    return x;
#endif
}

/* x * multiplier * 2^(shift - 31), rounded twice as TFLite does; multiplier > 0, -31 <= shift <= -1. */
static inline rv_mve_int32x4 rv_mve_scale4(rv_mve_int32x4 x, int32_t multiplier, int32_t shift)
{
#if RV_MVE
    /* See rv_mve_requantize; the sign is what the high product is added to. */
    return vrshlq_n_s32(vqrdmlahq_n_s32(vshrq_n_s32(x, 31), x, multiplier), shift);
#else
    for (int32_t i = 0; i < 4; ++i) {
        x.lane[i] = rv_requantize(x.lane[i], multiplier, shift);
    }
    return x;
#endif
}

/* Bounded outputs, as four bytes. */
static inline void rv_mve_store4(int8_t *out, rv_mve_int32x4 x, const rv_mve_output *output)
{
#if RV_MVE
    vstrbq_s32(out, rv_mve_bounded(x, output));
#else
    for (int32_t i = 0; i < 4; ++i) {
        out[i] = (int8_t)rv_clamp(x.lane[i] + output->zero_point, output->lowest, output->highest);
    }
#endif
}

/* memcpy and memset of rows. */
static inline void rv_mve_copy(int8_t *to, const int8_t *from, int32_t bytes)
{
#if RV_MVE
    __asm__ volatile("wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]], #16\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+&r"(to), [from] "+&r"(from)
                     : [bytes] "r"(bytes)
                     : "lr", "q0", "cc", "memory");
#else
    memcpy(to, from, (size_t)bytes);
#endif
}

static inline void rv_mve_fill(int8_t *to, int32_t value, int32_t bytes)
{
#if RV_MVE
    __asm__ volatile("vdup.8 q0, %[value]\n\t"
                     "wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+&r"(to)
                     : [value] "r"(value), [bytes] "r"(bytes)
                     : "lr", "q0", "cc", "memory");
#else
    memset(to, (int)value, (size_t)bytes);
#endif
}

/* out[i] = table[in[i]]; in place too. */
static inline void rv_mve_lookup(uint8_t *out, const uint8_t *in, const uint8_t *table, int32_t bytes)
{
#if RV_MVE
    __asm__ volatile("wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[in]], #16\n\t"
                     "vldrb.u8 q1, [%[table], q0]\n\t"
                     "vstrb.8 q1, [%[out]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [in] "+&r"(in), [out] "+&r"(out)
                     : [table] "r"(table), [bytes] "r"(bytes)
                     : "lr", "q0", "q1", "cc", "memory");
#else
    for (int32_t i = 0; i < bytes; ++i) {
        out[i] = table[in[i]];
    }
#endif
}

/* largest[i] = the larger of it and in[i]. */
static inline void rv_mve_maximum(int8_t *largest, const int8_t *in, int32_t bytes)
{
#if RV_MVE
    __asm__ volatile("wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[in]], #16\n\t"
                     "vldrb.8 q1, [%[largest]]\n\t"
                     "vmax.s8 q0, q0, q1\n\t"
                     "vstrb.8 q0, [%[largest]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [in] "+&r"(in), [largest] "+&r"(largest)
                     : [bytes] "r"(bytes)
                     : "lr", "q0", "q1", "cc", "memory");
#else
    for (int32_t i = 0; i < bytes; ++i) {
        largest[i] = in[i] > largest[i] ? in[i] : largest[i];
    }
#endif
}

/* Keeps bytes within bounds. */
static inline void rv_mve_bound(int8_t *bytes, int32_t count, int32_t lowest, int32_t highest)
{
#if RV_MVE
    __asm__ volatile("vdup.8 q1, %[lowest]\n\t"
                     "vdup.8 q2, %[highest]\n\t"
                     "wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[bytes]]\n\t"
                     "vmax.s8 q0, q0, q1\n\t"
                     "vmin.s8 q0, q0, q2\n\t"
                     "vstrb.8 q0, [%[bytes]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [bytes] "+&r"(bytes)
                     : [count] "r"(count), [lowest] "r"(lowest), [highest] "r"(highest)
                     : "lr", "q0", "q1", "q2", "cc", "memory");
#else
    for (int32_t i = 0; i < count; ++i) {
        bytes[i] = (int8_t)rv_clamp(bytes[i], lowest, highest);
    }
#endif
}

#endif /* RIVULET_MVE_H */
