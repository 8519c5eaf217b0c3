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

/* Bytes of one output's weights, `taps` of them, in whole vectors. */
static inline int32_t rv_mve_padded(int32_t taps)
{
    return (taps + 15) & ~15;
}

/*
 * `count` vectors of `inputs` int8 values, `in_pitch` bytes apart, through a dense layer: out[outputs], `out_pitch` bytes
 * apart. Four outputs at a time, each vector against four rows of weights.
 *
 * packed     for each four outputs: bias int32[4], weights int8[padded inputs / 16][4][16], multiplier int32[4],
 *            shift int8[4]; the input's zero point is folded into the bias
 */
static RV_NOINLINE RV_UNUSED void rv_mve_dense(const int32_t *packed, const int8_t *in, int32_t inputs,
                                               int32_t in_pitch, int32_t count, int8_t *out, int32_t outputs,
                                               int32_t out_pitch, const rv_mve_output *output)
{
    const int32_t weight_words = rv_mve_padded(inputs);

    for (int32_t first = 0; first < outputs; first += 4) {
        const int32_t *scaling = packed + 4 + weight_words;
#if RV_MVE
        const int32x4_t multiplier = vldrwq_s32(scaling);
        const int32x4_t shift = vldrbq_s32((const int8_t *)(scaling + 4));
        const int32x4_t zero_point = vdupq_n_s32(output->zero_point);
        const int32x4_t lowest = vdupq_n_s32(output->lowest);
        const int32x4_t highest = vdupq_n_s32(output->highest);
        /* Read where the sums have left their registers: there are no others. */
        const int32_t between[4] = {in_pitch - weight_words, out_pitch, 4 * weight_words + 16, outputs - first};
        const int32_t *w = packed;
        const int8_t *x = in;
        int8_t *y = out + first;
        int32_t left = count;

        __asm__ volatile("ldr r0, [%[between], #12]\n\t"
                         "vctp.32 r0\n"
                         "1:\n\t"
                         "ldm %[w]!, {r0, r2, r4, r6}\n\t"
                         "wlstp.8 lr, %[inputs], 3f\n"
                         "2:\n\t"
                         "vldrb.8 q0, [%[x]], #16\n\t"
                         "vldrb.8 q1, [%[w]], #16\n\t"
                         "vmladava.s8 r0, q0, q1\n\t"
                         "vldrb.8 q2, [%[w]], #16\n\t"
                         "vmladava.s8 r2, q0, q2\n\t"
                         "vldrb.8 q1, [%[w]], #16\n\t"
                         "vmladava.s8 r4, q0, q1\n\t"
                         "vldrb.8 q2, [%[w]], #16\n\t"
                         "vmladava.s8 r6, q0, q2\n\t"
                         "letp lr, 2b\n"
                         "3:\n\t"
                         "push {r0, r2, r4, r6}\n\t"
                         "vpop {d0, d1}\n\t"
                         "ldm %[between], {r0, r2, r4}\n\t"
                         "vshr.s32 q1, q0, #31\n\t"
                         "vqrdmulh.s32 q0, q0, %q[multiplier]\n\t"
                         "vadd.i32 q0, q0, q1\n\t"
                         "vrshl.s32 q0, q0, %q[shift]\n\t"
                         "vadd.i32 q0, q0, %q[zero_point]\n\t"
                         "vmax.s32 q0, q0, %q[lowest]\n\t"
                         "vmin.s32 q0, q0, %q[highest]\n\t"
                         "vpst\n\t"
                         "vstrbt.32 q0, [%[y]]\n\t"
                         "add %[x], %[x], r0\n\t"
                         "add %[y], %[y], r2\n\t"
                         "sub %[w], %[w], r4\n\t"
                         "subs %[left], %[left], #1\n\t"
                         "bne 1b"
                         : [w] "+&r"(w), [x] "+&r"(x), [y] "+&l"(y), [left] "+&r"(left)
                         : [inputs] "r"(inputs), [between] "r"(between), [multiplier] "w"(multiplier),
                           [shift] "w"(shift), [zero_point] "w"(zero_point), [lowest] "w"(lowest),
                           [highest] "w"(highest)
                         : "r0", "r2", "r4", "r6", "lr", "q0", "q1", "q2", "cc", "memory");
#else
        const int32_t lanes = outputs - first < 4 ? outputs - first : 4;

        for (int32_t i = 0; i < count; ++i) {
            for (int32_t lane = 0; lane < lanes; ++lane) {
                const int8_t *weights = (const int8_t *)(packed + 4) + 16 * lane;
                uint32_t sum = (uint32_t)packed[lane];

                for (int32_t k = 0; k < inputs; ++k) {
                    sum += (uint32_t)(in[i * in_pitch + k] * weights[4 * (k & ~15) + (k & 15)]);
                }
                const int32_t scaled =
                    rv_requantize((int32_t)sum, scaling[lane], ((const int8_t *)(scaling + 4))[lane]);
                out[i * out_pitch + first + lane] =
                    (int8_t)rv_clamp(scaled + output->zero_point, output->lowest, output->highest);
            }
        }
#endif
        packed = scaling + 5;
    }
}

/*
 * sums[4] += a row of `bytes` int8 values against four rows of weights int8[padded bytes / 16][4][16]; returns what follows
 * the weights.
 */
static inline const int32_t *rv_mve_dot4(int32_t *sums, const int32_t *weights, const int8_t *x, int32_t bytes)
{
#if RV_MVE
    __asm__ volatile("ldm %[sums], {r0, r2, r4, r6}\n\t"
                     "wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[x]], #16\n\t"
                     "vldrb.8 q1, [%[w]], #16\n\t"
                     "vmladava.s8 r0, q0, q1\n\t"
                     "vldrb.8 q2, [%[w]], #16\n\t"
                     "vmladava.s8 r2, q0, q2\n\t"
                     "vldrb.8 q1, [%[w]], #16\n\t"
                     "vmladava.s8 r4, q0, q1\n\t"
                     "vldrb.8 q2, [%[w]], #16\n\t"
                     "vmladava.s8 r6, q0, q2\n\t"
                     "letp lr, 1b\n"
                     "2:\n\t"
                     "stm %[sums], {r0, r2, r4, r6}"
                     : [w] "+&r"(weights), [x] "+&r"(x)
                     : [sums] "r"(sums), [bytes] "r"(bytes)
                     : "r0", "r2", "r4", "r6", "lr", "q0", "q1", "q2", "cc", "memory");
    return weights;
#else
    const int8_t *w = (const int8_t *)weights;

    for (int32_t k = 0; k < bytes; ++k) {
        for (int32_t lane = 0; lane < 4; ++lane) {
            const int32_t product = x[k] * w[4 * (k & ~15) + 16 * lane + (k & 15)];
            sums[lane] = (int32_t)((uint32_t)sums[lane] + (uint32_t)product);
        }
    }
    return weights + rv_mve_padded(bytes);
#endif
}

/* The same with values outside [first, end) taken for `padding`; of x only those inside are read. */
static inline const int32_t *rv_mve_dot4_padded(int32_t *sums, const int32_t *weights, const int8_t *x,
                                                int32_t bytes, int32_t first, int32_t end, int32_t padding)
{
#if RV_MVE
    const int8_t *w = (const int8_t *)weights;
    const int8x16_t outside = vdupq_n_s8((int8_t)padding);

    for (int32_t k = 0; k < bytes; k += 16) {
        const uint32_t before = vctp8q((uint32_t)rv_clamp(first - k, 0, 16));
        const uint32_t until = vctp8q((uint32_t)rv_clamp(end - k, 0, 16));
        const mve_pred16_t inside = (mve_pred16_t)(until & ~before);
        const int8x16_t values = vpselq_s8(vldrbq_z_s8(x + k, inside), outside, inside);

        sums[0] = vmladavaq_s8(sums[0], values, vldrbq_s8(w));
        sums[1] = vmladavaq_s8(sums[1], values, vldrbq_s8(w + 16));
        sums[2] = vmladavaq_s8(sums[2], values, vldrbq_s8(w + 32));
        sums[3] = vmladavaq_s8(sums[3], values, vldrbq_s8(w + 48));
        w += 64;
    }
#else
    const int8_t *w = (const int8_t *)weights;

    for (int32_t k = 0; k < bytes; ++k) {
        const int32_t value = k >= first && k < end ? x[k] : padding;

        for (int32_t lane = 0; lane < 4; ++lane) {
            const int32_t product = value * w[4 * (k & ~15) + 16 * lane + (k & 15)];
            sums[lane] = (int32_t)((uint32_t)sums[lane] + (uint32_t)product);
        }
    }
#endif
    return weights + rv_mve_padded(bytes);
}

/* The first `lanes` of four sums become outputs; `scaling` is multiplier int32[4], shift int8[4]. */
static inline void rv_mve_finish4(const int32_t *sums, const int32_t *scaling, int8_t *out, int32_t lanes,
                                  const rv_mve_output *output)
{
    const int8_t *shift = (const int8_t *)(scaling + 4);
#if RV_MVE
    const int32x4_t scaled = rv_mve_requantize(vldrwq_s32(sums), vldrwq_s32(scaling), vldrbq_s32(shift));
    vstrbq_p_s32(out, rv_mve_bounded(scaled, output), vctp32q((uint32_t)lanes));
#else
    for (int32_t lane = 0; lane < (lanes < 4 ? lanes : 4); ++lane) {
        const int32_t scaled = rv_requantize(sums[lane], scaling[lane], shift[lane]) + output->zero_point;
        out[lane] = (int8_t)rv_clamp(scaled, output->lowest, output->highest);
    }
#endif
}

/*
 * Sums of sixteen neighbouring channels, in the order in which widening products twice leaves them: sum i is that of
 * channel rv_mve_channel(i). Constants of depthwise kernels are packed in this order.
 */
typedef struct {
#if RV_MVE
    int32x4_t lanes[4];
#else
    int32_t lanes[16];
#endif
} rv_mve_sums16;

/* 0 4 8 12, 2 6 10 14, 1 5 9 13, 3 7 11 15 */
static inline int32_t rv_mve_channel(int32_t i)
{
    return 4 * (i & 3) + 2 * (i >> 2 & 1) + (i >> 3);
}

static inline rv_mve_sums16 rv_mve_load16(const int32_t *from)
{
    rv_mve_sums16 sums;
#if RV_MVE
    for (int32_t i = 0; i < 4; ++i) {
        sums.lanes[i] = vldrwq_s32(from + 4 * i);
    }
#else
    memcpy(sums.lanes, from, sizeof sums.lanes);
#endif
    return sums;
}

#if RV_MVE
/* q2, q0: products of even and odd channels, added up to four sums. */
#define RV_MVE_WIDEN                                                                                              \
    "vmovlb.s16 q1, q2\n\t"                                                                                       \
    "vadd.i32 %q[a], %q[a], q1\n\t"                                                                               \
    "vmovlt.s16 q2, q2\n\t"                                                                                       \
    "vadd.i32 %q[b], %q[b], q2\n\t"                                                                               \
    "vmovlb.s16 q1, q0\n\t"                                                                                       \
    "vadd.i32 %q[c], %q[c], q1\n\t"                                                                               \
    "vmovlt.s16 q0, q0\n\t"                                                                                       \
    "vadd.i32 %q[d], %q[d], q0\n"
#endif

/*
 * sums += `count` taps of `lanes` (1 to 16) channels: pixels `step` bytes apart from x on, weights int8[count][16] without
 * -128, so that two products fit 16 bits. Returns what follows the weights.
 */
static inline const int8_t *rv_mve_taps16(rv_mve_sums16 *sums, const int8_t *weights, const int8_t *x,
                                          int32_t step, int32_t count, int32_t lanes)
{
#if RV_MVE
    __asm__ volatile("vctp.8 %[lanes]\n\t"
                     "wls lr, %[pairs], 2f\n"
                     "1:\n\t"
                     "vpst\n\t"
                     "vldrbt.8 q0, [%[x]]\n\t"
                     "vldrb.8 q1, [%[w]], #16\n\t"
                     "add %[x], %[x], %[step]\n\t"
                     "vmullb.s8 q2, q0, q1\n\t"
                     "vmullt.s8 q0, q0, q1\n\t"
                     "vpst\n\t"
                     "vldrbt.8 q1, [%[x]]\n\t"
                     "vldrb.8 q3, [%[w]], #16\n\t"
                     "vmullb.s8 q1, q1, q3\n\t"
                     "vadd.i16 q2, q2, q1\n\t"
                     "vpst\n\t"
                     "vldrbt.8 q1, [%[x]]\n\t"
                     "add %[x], %[x], %[step]\n\t"
                     "vmullt.s8 q1, q1, q3\n\t"
                     "vadd.i16 q0, q0, q1\n\t" RV_MVE_WIDEN "\tle lr, 1b\n"
                     "2:\n\t"
                     "lsls lr, %[count], #31\n\t"
                     "beq 3f\n\t"
                     "vpst\n\t"
                     "vldrbt.8 q0, [%[x]]\n\t"
                     "vldrb.8 q1, [%[w]], #16\n\t"
                     "vmullb.s8 q2, q0, q1\n\t"
                     "vmullt.s8 q0, q0, q1\n\t" RV_MVE_WIDEN "3:"
                     : [w] "+&r"(weights), [x] "+&r"(x), [a] "+&w"(sums->lanes[0]), [b] "+&w"(sums->lanes[1]),
                       [c] "+&w"(sums->lanes[2]), [d] "+&w"(sums->lanes[3])
                     : [step] "r"(step), [pairs] "r"(count >> 1), [count] "r"(count), [lanes] "r"(lanes)
                     : "lr", "q0", "q1", "q2", "q3", "cc", "memory");
    return weights;
#else
    for (int32_t tap = 0; tap < count; ++tap) {
        for (int32_t i = 0; i < 16; ++i) {
            const int32_t channel = rv_mve_channel(i);
            if (channel < lanes) {
                sums->lanes[i] += x[tap * step + channel] * weights[16 * tap + channel];
            }
        }
    }
    return weights + 16 * count;
#endif
}

/* The first `lanes` channels of sixteen become outputs; `scaling` is multiplier int32[16], shift int8[16]. */
static inline void rv_mve_finish16(const rv_mve_sums16 *sums, const int32_t *scaling, int8_t *out, int32_t lanes,
                                   const rv_mve_output *output)
{
    const int8_t *shift = (const int8_t *)(scaling + 16);
#if RV_MVE
    int32x4_t scaled[4];
    for (int32_t i = 0; i < 4; ++i) {
        scaled[i] = rv_mve_requantize(sums->lanes[i], vldrwq_s32(scaling + 4 * i), vldrbq_s32(shift + 4 * i));
    }
    int16x8_t even = vqmovntq_s32(vqmovnbq_s32(vdupq_n_s16(0), scaled[0]), scaled[1]);
    int16x8_t odd = vqmovntq_s32(vqmovnbq_s32(vdupq_n_s16(0), scaled[2]), scaled[3]);
    even = vqaddq_n_s16(even, (int16_t)output->zero_point);
    odd = vqaddq_n_s16(odd, (int16_t)output->zero_point);
    int8x16_t y = vqmovntq_s16(vqmovnbq_s16(vdupq_n_s8(0), even), odd);
    y = vminq_s8(vmaxq_s8(y, vdupq_n_s8((int8_t)output->lowest)), vdupq_n_s8((int8_t)output->highest));
    vstrbq_p_s8(out, y, vctp8q((uint32_t)lanes));
#else
    for (int32_t i = 0; i < 16; ++i) {
        const int32_t channel = rv_mve_channel(i);
        if (channel < lanes) {
            const int32_t scaled = rv_requantize(sums->lanes[i], scaling[i], shift[i]) + output->zero_point;
            out[channel] = (int8_t)rv_clamp(scaled, output->lowest, output->highest);
        }
    }
#endif
}

#endif /* RIVULET_MVE_H */
