/*
 * Rivulet runtime, Helium: windows over channels side by side, for depthwise convolutions. See rivulet_mve.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_MVE_DEPTHWISE_H
#define RIVULET_MVE_DEPTHWISE_H

#include "rivulet_mve.h"

/* Lane i of sixteen sums is that of channel rv_mve_channel(i), as widening twice leaves it: 0 4 8 12, 2 6 10 14, ... */
static inline int32_t rv_mve_channel(int32_t i)
{
    return 4 * (i & 3) + 2 * (i >> 2 & 1) + (i >> 3);
}

#if RV_MVE
/* Adds the products of even and of odd channels, q2 and q0, to the sums of sixteen channels, q4 to q7. */
#define RV_MVE_ADD_PRODUCTS                                                                                        \
    "vmovlb.s16 q1, q2\n\t"                                                                                        \
    "vadd.i32 q4, q4, q1\n\t"                                                                                      \
    "vmovlt.s16 q2, q2\n\t"                                                                                        \
    "vadd.i32 q5, q5, q2\n\t"                                                                                      \
    "vmovlb.s16 q1, q0\n\t"                                                                                        \
    "vadd.i32 q6, q6, q1\n\t"                                                                                      \
    "vmovlt.s16 q0, q0\n\t"                                                                                        \
    "vadd.i32 q7, q7, q0\n\t"

/* Requantises four sums with the next four multipliers and shifts, but for the zero point. */
#define RV_MVE_SCALE(fix, sums)                                                                                    \
    "vldrw.32 q0, [%[w]], #16\n\t" fix("vshr.s32 q1, " sums ", #31\n\t")                                           \
    "vqrdmulh.s32 " sums ", " sums ", q0\n\t"                                                                      \
    "vldrb.s32 q0, [%[w]], #4\n\t" fix("vadd.i32 " sums ", " sums ", q1\n\t")                                      \
    "vrshl.s32 " sums ", " sums ", q0\n\t"

#define RV_MVE_NEXT_TAPS                                                                                           \
    "add %[a], %[a], %[channels]\n\t"                                                                              \
    "add %[b], %[b], %[channels]\n\t"

/*
 * Sixteen channels a turn; `load` and `store` are instructions on bytes, with a predicate where there are fewer; `step` or
 * `next` moves the taps on.
 */
#define RV_MVE_WINDOW(fix, load, store, step, next)                                                                                \
    "1:\n\t"                                                                                                       \
    "vldrw.32 q4, [%[w]], #16\n\t"                                                                                 \
    "vldrw.32 q5, [%[w]], #16\n\t"                                                                                 \
    "vldrw.32 q6, [%[w]], #16\n\t"                                                                                 \
    "vldrw.32 q7, [%[w]], #16\n\t"                                                                                 \
    "mov %[tap], %[taps]\n\t"                                                                                      \
    "dls lr, %[pairs]\n"                                                                                           \
    "2:\n\t"                                                                                                       \
    "ldrd %[a], %[b], [%[tap]]\n\t" load " q0, [%[a]]" step "\n\t"                                                    \
    "vldrb.8 q1, [%[w]], #16\n\t"                                                                                  \
    "vmullb.s8 q2, q0, q1\n\t"                                                                                     \
    "vmullt.s8 q0, q0, q1\n\t" load " q1, [%[b]]\n\t"                                                              \
    "vldrb.8 q3, [%[w]], #16\n\t"                                                                                  \
    "vmullb.s8 q1, q1, q3\n\t"                                                                                     \
    "vadd.i16 q2, q2, q1\n\t" load " q1, [%[b]]" step "\n\t"                                                          \
    "vmullt.s8 q1, q1, q3\n\t" next                                                                                \
    "strd %[a], %[b], [%[tap]], #8\n\t"                                                                            \
    "vadd.i16 q0, q0, q1\n\t" RV_MVE_ADD_PRODUCTS                                                                  \
    "le lr, 2b\n\t"                                                                                                \
    RV_MVE_SCALE(fix, "q4") RV_MVE_SCALE(fix, "q5") RV_MVE_SCALE(fix, "q6") RV_MVE_SCALE(fix, "q7")                \
    "vqmovnb.s32 q4, q4\n\t"                                                                                       \
    "vqmovnt.s32 q4, q5\n\t"                                                                                       \
    "vqmovnb.s32 q6, q6\n\t"                                                                                       \
    "vqmovnt.s32 q6, q7\n\t"                                                                                       \
    "ldrd %[a], %[b], [%[output]]\n\t"                                                                             \
    "vqadd.s16 q4, q4, %[a]\n\t"                                                                                   \
    "vqadd.s16 q6, q6, %[a]\n\t"                                                                                   \
    "vdup.8 q0, %[b]\n\t"                                                                                          \
    "ldr %[a], [%[output], #8]\n\t"                                                                                \
    "vqmovnb.s16 q4, q4\n\t"                                                                                       \
    "vqmovnt.s16 q4, q6\n\t"                                                                                       \
    "vdup.8 q1, %[a]\n\t"                                                                                          \
    "vmax.s8 q4, q4, q0\n\t"                                                                                       \
    "vmin.s8 q4, q4, q1\n\t" store " q4, [%[out]], #16\n\t"                                                        \
    "subs %[blocks], %[blocks], #1\n\t"                                                                            \
    "bne 1b"
#endif

/*
 * Pointers to the `count` pixels under a row of the window, `step` bytes apart from x on; `padding` in place of those outside
 * [first, end). Writes up to three more pointers.
 */
static inline void rv_mve_taps(const int8_t **taps, const int8_t *x, int32_t step, int32_t count, int32_t first,
                               int32_t end, const int8_t *padding)
{
#if RV_MVE
    const uint32x4_t outside = vdupq_n_u32((uint32_t)(uintptr_t)padding);

    for (int32_t i = 0; i < count; i += 4) {
        const uint32x4_t tap = vidupq_n_u32((uint32_t)i, 1);
        const uint32x4_t inside = vaddq_n_u32(vmulq_n_u32(tap, (uint32_t)step), (uint32_t)(uintptr_t)x);
        const uint32x4_t place = vsubq_n_u32(tap, (uint32_t)first);
        const mve_pred16_t is_inside = vcmphiq_u32(vdupq_n_u32((uint32_t)(end - first)), place);
        vstrwq_u32((uint32_t *)(taps + i), vpselq_u32(inside, outside, is_inside));
    }
    RV_MVE_FENCE;
#else
    for (int32_t i = 0; i < count; ++i) {
        taps[i] = i >= first && i < end ? x + i * step : padding;
    }
#endif
}

/* Moves `count` taps on by `bytes`; moves up to three more. */
static inline void rv_mve_move(const int8_t **taps, int32_t count, int32_t bytes)
{
    for (int32_t i = 0; i < count; i += 4) {
#if RV_MVE
        uint32_t *words = (uint32_t *)(taps + i);
        vstrwq_u32(words, vaddq_n_u32(vldrwq_u32(words), (uint32_t)bytes));
#else
        for (int32_t k = i; k < i + 4 && k < count; ++k) {
            taps[k] += bytes;
        }
#endif
    }
    RV_MVE_FENCE;
}

/*
 * `count` neighbouring output pixels of a depthwise convolution: out[count][channels].
 *
 * packed     for each sixteen channels: bias int32[16], weights int8[2 * pairs][16], none of them -128, so that two products
 *            fit 16 bits; multiplier int32[4] and shift int8[4] for each four lanes. Lanes as in rv_mve_channel, but for the
 *            weights. The input's zero point is folded into the bias
 * taps       2 * pairs pixels int8[channels], one under each weight of the first window; those of the next are `stride`
 *            pixels on. Changed
 */
static inline void rv_mve_windows(const int32_t *packed, const int8_t **taps, int32_t pairs, int32_t channels,
                                  int32_t stride, int32_t count, int8_t *out, const rv_mve_output *output)
{
    for (; count > 0; --count) {
        const int32_t *w = packed;
#if RV_MVE
        const int32_t has_ties = output->lowest < output->zero_point ? 1 : 0;
        const int8_t **tap;
        uint32_t a;
        uint32_t b;
        int32_t blocks = channels >> 4;
        int8_t *y = out;

#define RV_MVE_OPERANDS                                                                                            \
    : [w] "+&l"(w), [out] "+&r"(y), [tap] "=&r"(tap), [a] "=&r"(a), [b] "=&r"(b), [blocks] "+&r"(blocks)           \
    : [taps] "r"(taps), [pairs] "r"(pairs), [output] "r"(output), [channels] "r"(channels & 15)                    \
    : "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "cc", "memory"
#define RV_MVE_WHOLE(fix) RV_MVE_WINDOW(fix, "vldrb.8", "vstrb.8", ", #16", "")
#define RV_MVE_PART(fix)                                                                                           \
    "vctp.8 %[channels]\n" RV_MVE_WINDOW(fix, "vpst\n\tvldrbt.8", "vpst\n\tvstrbt.8", "", RV_MVE_NEXT_TAPS)
        if (blocks > 0 && has_ties) {
            __asm__ volatile(RV_MVE_WHOLE(RV_MVE_FIX_TIES) RV_MVE_OPERANDS);
        } else if (blocks > 0) {
            __asm__ volatile(RV_MVE_WHOLE(RV_MVE_LEAVE_TIES) RV_MVE_OPERANDS);
        }
        if ((channels & 15) != 0) {
            blocks = 1;
            __asm__ volatile(RV_MVE_PART(RV_MVE_FIX_TIES) RV_MVE_OPERANDS);
        }
#undef RV_MVE_OPERANDS
#undef RV_MVE_WHOLE
#undef RV_MVE_PART
#else
        for (int32_t first = 0; first < channels; first += 16) {
            const int8_t *weights = (const int8_t *)(w + 16);
            const int32_t *scaling = w + 16 + 8 * pairs;

            for (int32_t i = 0; i < 16; ++i) {
                const int32_t channel = first + rv_mve_channel(i);
                if (channel < channels) {
                    const int32_t *group = scaling + 5 * (i >> 2);
                    int32_t sum = w[i];

                    for (int32_t tap = 0; tap < 2 * pairs; ++tap) {
                        sum += taps[tap][channel] * weights[16 * tap + channel - first];
                    }
                    sum = rv_requantize(sum, group[i & 3], ((const int8_t *)(group + 4))[i & 3]);
                    out[channel] = (int8_t)rv_clamp(sum + output->zero_point, output->lowest, output->highest);
                }
            }
            w = scaling + 20;
        }
        rv_mve_move(taps, 2 * pairs, channels);
#endif
        out += channels;
        if (stride > 1) {
            rv_mve_move(taps, 2 * pairs, (stride - 1) * channels);
        }
    }
}

#endif /* RIVULET_MVE_DEPTHWISE_H */
