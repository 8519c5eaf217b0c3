/*
 * Rivulet runtime, Helium: vectors of bytes against rows of weights, for convolutions and fully connected layers. See rivulet_mve.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_MVE_DENSE_H
#define RIVULET_MVE_DENSE_H

#include "rivulet_mve.h"

/* Bytes of one output's weights, `taps` of them, in whole vectors. */
static inline int32_t rv_mve_padded(int32_t taps)
{
    return (taps + 15) & ~15;
}

#if RV_MVE
/* Sixteen values against four rows of weights: sums in r0, r2, r4, r6. */
#define RV_MVE_PRODUCTS                                                                                            \
    "vldrb.8 q0, [%[x]], #16\n\t"                                                                                  \
    "vldrb.8 q1, [%[w]], #16\n\t"                                                                                  \
    "vmladava.s8 r0, q0, q1\n\t"                                                                                   \
    "vldrb.8 q2, [%[w]], #16\n\t"                                                                                  \
    "vmladava.s8 r2, q0, q2\n\t"                                                                                   \
    "vldrb.8 q1, [%[w]], #16\n\t"                                                                                  \
    "vmladava.s8 r4, q0, q1\n\t"                                                                                   \
    "vldrb.8 q2, [%[w]], #16\n\t"                                                                                  \
    "vmladava.s8 r6, q0, q2\n\t"
#endif

#if RV_MVE
/* What a dense layer reads when the sums have left their registers: there are no others. */
typedef struct {
    int32_t in_step;   /* to the next vector */
    int32_t out_pitch;
    int32_t last;      /* bytes back to the block, or the zero point */
    int32_t scaling;   /* bytes from a block to its multipliers */
    const int8_t *in;
    int32_t count;
    int8_t *out;       /* of the block */
    const int32_t *next;
} rv_mve_layer;

/* Four sums in r0, r2, r4, r6 become bytes in q0, before the bounds; `fix` is RV_MVE_FIX_TIES or RV_MVE_LEAVE_TIES. */
#define RV_MVE_REQUANTIZE(fix, multiplier, shift, zero_point)                                                      \
    "push {r0, r2, r4, r6}\n\t"                                                                                    \
    "vpop {d0, d1}\n\t"                                                                                            \
    "ldm %[layer], {r0, r2, r4}\n\t" fix("vshr.s32 q1, q0, #31\n\t")                                               \
    "vqrdmulh.s32 q0, q0, " multiplier "\n\t" fix("vadd.i32 q0, q0, q1\n\t")                                       \
    "vrshl.s32 q0, q0, " shift "\n\t"                                                                              \
    "vadd.i32 q0, q0, " zero_point "\n\t"

#define RV_MVE_DENSE(fix)                                                                                          \
    "1:\n\t"                                                                                                       \
    "ldr r0, [%[layer], #12]\n\t"                                                                                  \
    "add r0, r0, %[w]\n\t"                                                                                         \
    "vldrw.32 q3, [r0], #16\n\t"                                                                                   \
    "vldrb.s32 q4, [r0], #4\n\t"                                                                                   \
    "str r0, [%[layer], #28]\n\t"                                                                                  \
    "ldrd %[x], %[left], [%[layer], #16]\n\t"                                                                      \
    "ldr %[y], [%[layer], #24]\n\t"                                                                                \
    "add r0, %[y], #4\n\t"                                                                                         \
    "str r0, [%[layer], #24]\n\t"                                                                                  \
    "vctp.32 %[outputs]\n"                                                                                         \
    "2:\n\t"                                                                                                       \
    "ldm %[w]!, {r0, r2, r4, r6}\n\t"                                                                              \
    "wlstp.8 lr, %[inputs], 4f\n"                                                                                  \
    "3:\n\t" RV_MVE_PRODUCTS "letp lr, 3b\n"                                                                       \
    "4:\n\t" RV_MVE_REQUANTIZE(fix, "q3", "q4", "%q[zero_point]")                                                  \
    "vmax.s32 q0, q0, %q[lowest]\n\t"                                                                              \
    "vmin.s32 q0, q0, %q[highest]\n\t"                                                                             \
    "vpst\n\t"                                                                                                     \
    "vstrbt.32 q0, [%[y]]\n\t"                                                                                     \
    "add %[x], %[x], r0\n\t"                                                                                       \
    "add %[y], %[y], r2\n\t"                                                                                       \
    "sub %[w], %[w], r4\n\t"                                                                                       \
    "subs %[left], %[left], #1\n\t"                                                                                \
    "bne 2b\n\t"                                                                                                   \
    "ldr %[w], [%[layer], #28]\n\t"                                                                                \
    "subs %[outputs], %[outputs], #4\n\t"                                                                          \
    "bgt 1b"

/* Up to 16 inputs, whole fours of outputs, all of int8: the weights stay in registers. */
#define RV_MVE_DENSE_SHORT(fix)                                                                                    \
    "vctp.8 %[inputs]\n"                                                                                           \
    "1:\n\t"                                                                                                       \
    "add r0, %[w], #16\n\t"                                                                                        \
    "vldrb.8 q2, [r0], #16\n\t"                                                                                    \
    "vldrb.8 q3, [r0], #16\n\t"                                                                                    \
    "vldrb.8 q4, [r0], #16\n\t"                                                                                    \
    "vldrb.8 q5, [r0], #16\n\t"                                                                                    \
    "vldrw.32 q6, [r0], #16\n\t"                                                                                   \
    "vldrb.s32 q7, [r0]\n\t"                                                                                       \
    "ldrd %[x], r0, [%[layer], #16]\n\t"                                                                           \
    "dls lr, r0\n\t"                                                                                               \
    "ldr %[y], [%[layer], #24]\n\t"                                                                                \
    "add r0, %[y], #4\n\t"                                                                                         \
    "str r0, [%[layer], #24]\n"                                                                                    \
    "2:\n\t"                                                                                                       \
    "vpst\n\t"                                                                                                     \
    "vldrbt.8 q0, [%[x]]\n\t"                                                                                      \
    "ldm %[w], {r0, r2, r4, r6}\n\t"                                                                               \
    "vmladava.s8 r0, q0, q2\n\t"                                                                                   \
    "vmladava.s8 r2, q0, q3\n\t"                                                                                   \
    "vmladava.s8 r4, q0, q4\n\t"                                                                                   \
    "vmladava.s8 r6, q0, q5\n\t" RV_MVE_REQUANTIZE(fix, "q6", "q7", "r4")                                          \
    "vqmovnb.s32 q0, q0\n\t"                                                                                       \
    "vqmovnb.s16 q0, q0\n\t"                                                                                       \
    "vstrb.32 q0, [%[y]]\n\t"                                                                                      \
    "add %[x], %[x], r0\n\t"                                                                                       \
    "add %[y], %[y], r2\n\t"                                                                                       \
    "le lr, 2b\n\t"                                                                                                \
    "add %[w], %[w], #100\n\t"                                                                                     \
    "subs %[outputs], %[outputs], #4\n\t"                                                                          \
    "bne 1b"
#endif

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
#if RV_MVE
    rv_mve_layer layer = {in_pitch, out_pitch, output->zero_point, 4 * weight_words + 16, in, count, out, NULL};
    /* Ties away from zero differ from ties up where sums are negative: in outputs below the zero point. */
    const int32_t has_ties = output->lowest < output->zero_point ? 1 : 0;
    const int8_t *x;
    int8_t *y;

    if (inputs <= 16 && outputs >= 4 && output->lowest == -128 && output->highest == 127) {
        int32_t whole = outputs & ~3;

#define RV_MVE_OPERANDS                                                                                            \
    : [w] "+&r"(packed), [x] "=&r"(x), [y] "=&l"(y), [outputs] "+&r"(whole)                                        \
    : [inputs] "r"(inputs), [layer] "r"(&layer)                                                                    \
    : "r0", "r2", "r4", "r6", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "cc", "memory"
        if (has_ties) {
            __asm__ volatile(RV_MVE_DENSE_SHORT(RV_MVE_FIX_TIES) RV_MVE_OPERANDS);
        } else {
            __asm__ volatile(RV_MVE_DENSE_SHORT(RV_MVE_LEAVE_TIES) RV_MVE_OPERANDS);
        }
#undef RV_MVE_OPERANDS
        outputs &= 3;
    }
    if (outputs > 0) {
        const int32x4_t zero_point = vdupq_n_s32(output->zero_point);
        const int32x4_t lowest = vdupq_n_s32(output->lowest);
        const int32x4_t highest = vdupq_n_s32(output->highest);
        int32_t left;

        layer.in_step = in_pitch - weight_words;
        layer.last = layer.scaling;
#define RV_MVE_OPERANDS                                                                                            \
    : [w] "+&r"(packed), [x] "=&r"(x), [y] "=&l"(y), [left] "=&r"(left), [outputs] "+&r"(outputs)                  \
    : [inputs] "r"(inputs), [layer] "r"(&layer), [zero_point] "w"(zero_point), [lowest] "w"(lowest),               \
      [highest] "w"(highest)                                                                                       \
    : "r0", "r2", "r4", "r6", "lr", "q0", "q1", "q2", "q3", "q4", "cc", "memory"
        if (has_ties) {
            __asm__ volatile(RV_MVE_DENSE(RV_MVE_FIX_TIES) RV_MVE_OPERANDS);
        } else {
            __asm__ volatile(RV_MVE_DENSE(RV_MVE_LEAVE_TIES) RV_MVE_OPERANDS);
        }
#undef RV_MVE_OPERANDS
    }
#else
    for (int32_t first = 0; first < outputs; first += 4) {
        const int32_t *scaling = packed + 4 + weight_words;
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
        packed = scaling + 5;
    }
#endif
}

/*
 * sums[4] += `bytes` int8 values against four rows of weights int8[padded bytes / 16][4][16]; returns what follows the
 * weights. Values outside [first, end) are taken for `padding`; of x only those inside are read.
 */
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
 * One output pixel of a convolution, none of whose columns are padding: out[channels].
 *
 * packed     for each four channels: bias int32[4], for each run weights int8[padded bytes / 16][4][16], multiplier
 *            int32[4], shift int8[4]; the input's zero point is folded into the bias
 * runs       `count` pointers to the `bytes` int8 values under each row of the window
 */
static inline void rv_mve_runs(const int32_t *packed, const int8_t *const *runs, int32_t count, int32_t bytes,
                               int8_t *out, int32_t channels, const rv_mve_output *output)
{
#if RV_MVE
    const int32x4_t zero_point = vdupq_n_s32(output->zero_point);
    const int32x4_t lowest = vdupq_n_s32(output->lowest);
    const int32x4_t highest = vdupq_n_s32(output->highest);
    const int8_t *const *run;
    const int8_t *const *end = runs + count;
    const int8_t *x;

    __asm__ volatile("1:\n\t"
                     "ldm %[w]!, {r0, r2, r4, r6}\n\t"
                     "mov %[run], %[runs]\n"
                     "2:\n\t"
                     "ldr %[x], [%[run]], #4\n\t"
                     "wlstp.8 lr, %[bytes], 4f\n"
                     "3:\n\t" RV_MVE_PRODUCTS "letp lr, 3b\n"
                     "4:\n\t"
                     "cmp %[run], %[end]\n\t"
                     "bne 2b\n\t"
                     "push {r0, r2, r4, r6}\n\t"
                     "vpop {d0, d1}\n\t"
                     "vldrw.32 q2, [%[w]], #16\n\t"
                     "vshr.s32 q1, q0, #31\n\t"
                     "vqrdmulh.s32 q0, q0, q2\n\t"
                     "vldrb.s32 q2, [%[w]], #4\n\t"
                     "vadd.i32 q0, q0, q1\n\t"
                     "vrshl.s32 q0, q0, q2\n\t"
                     "vadd.i32 q0, q0, %q[zero_point]\n\t"
                     "vmax.s32 q0, q0, %q[lowest]\n\t"
                     "vmin.s32 q0, q0, %q[highest]\n\t"
                     "vctp.32 %[left]\n\t"
                     "vpst\n\t"
                     "vstrbt.32 q0, [%[out]], #4\n\t"
                     "subs %[left], %[left], #4\n\t"
                     "bgt 1b"
                     : [w] "+&l"(packed), [out] "+&l"(out), [left] "+&r"(channels), [run] "=&r"(run), [x] "=&r"(x)
                     : [runs] "r"(runs), [end] "r"(end), [bytes] "r"(bytes), [zero_point] "w"(zero_point),
                       [lowest] "w"(lowest), [highest] "w"(highest)
                     : "r0", "r2", "r4", "r6", "lr", "q0", "q1", "q2", "cc", "memory");
#else
    for (int32_t first = 0; first < channels; first += 4) {
        int32_t sums[4] = {packed[0], packed[1], packed[2], packed[3]};

        packed += 4;
        for (int32_t i = 0; i < count; ++i) {
            packed = rv_mve_dot4_padded(sums, packed, runs[i], bytes, 0, bytes, 0);
        }
        rv_mve_finish4(sums, packed, out + first, channels - first, output);
        packed += 5;
    }
#endif
}

#endif /* RIVULET_MVE_DENSE_H */
