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
#define RV_MVE_FIX_TIES(instruction) instruction
#define RV_MVE_LEAVE_TIES(instruction)

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

#endif /* RIVULET_MVE_H */
