/*
 * Rivulet runtime, what kernels for vectors share: requantisation of eight channels, and the product of weights with a
 * row of pixels that convolutions and fully connected layers are made of.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_SIMD_H
#define RIVULET_SIMD_H

#include "rivulet_vectors.h"

/*
 * Requantisation of sums by multiplier * 2^-e / 2^31 with TFLite's two roundings, for e of its own in every lane, though
 * the last shift is one for all: E = e + d, with d >= 1 in every lane.
 *
 *     high = floor((sum * scale * multiplier) / 2^32)                 scale = 2^(d+1), so high = sum * multiplier / 2^(31-d)
 *     ((high + offset + (sum < 0 ? negative : 0)) >> E                offset = 2^(d-1) + 2^(E-1) + zero_point * 2^E
 *
 * 2^(d-1) is the first rounding (ties up), 2^(E-1) and negative = -2^d the second (ties away from zero); both vanish for
 * e = 0. src/ops/simd.ts makes the constants and knows when nothing overflows.
 */
typedef struct {
    rv_i32x8 scale;
    rv_i32x8 multiplier;
    rv_i32x8 offset;
    rv_i32x8 negative;
    int32_t shift;
} rv_scaling;

/* What a group of eight channels needs beside its weights, int32[8] each: the first sum, then the fields above. */
enum {
    RV_BIAS = 0 * RV_LANES,
    RV_SCALE = 1 * RV_LANES,
    RV_MULTIPLIER = 2 * RV_LANES,
    RV_OFFSET = 3 * RV_LANES,
    RV_NEGATIVE = 4 * RV_LANES,
    RV_SHIFT = 5 * RV_LANES,
    RV_CHANNEL_TABLE = 6 * RV_LANES
};

RV_VECTOR rv_scaling rv_load_scaling(const int32_t *table)
{
    rv_scaling scaling;
    scaling.scale = rv_load_s32(table + RV_SCALE);
    scaling.multiplier = rv_load_s32(table + RV_MULTIPLIER);
    scaling.offset = rv_load_s32(table + RV_OFFSET);
    scaling.negative = rv_load_s32(table + RV_NEGATIVE);
    scaling.shift = table[RV_SHIFT];
    return scaling;
}

RV_VECTOR rv_scaling rv_splat_scaling(int32_t scale, int32_t multiplier, int32_t offset, int32_t negative, int32_t shift)
{
    rv_scaling scaling;
    scaling.scale = rv_splat(scale);
    scaling.multiplier = rv_splat(multiplier);
    scaling.offset = rv_splat(offset);
    scaling.negative = rv_splat(negative);
    scaling.shift = shift;
    return scaling;
}

RV_VECTOR rv_i32x8 rv_rescale(rv_i32x8 sum, rv_scaling scaling)
{
    const rv_i32x8 high = rv_high_mul(rv_mul(sum, scaling.scale), scaling.multiplier);
    const rv_i32x8 tie = rv_and(rv_shift_right(sum, 31), scaling.negative);
    return rv_shift_right(rv_add(rv_add(high, scaling.offset), tie), scaling.shift);
}

/* The first `count` of eight elements, of which the others need not exist. */
RV_VECTOR rv_i32x8 rv_load_some_s8(const int8_t *from, int32_t count)
{
    int8_t bytes[RV_LANES] = {0, 0, 0, 0, 0, 0, 0, 0};
    if (count >= RV_LANES) {
        return rv_load_s8(from);
    }
    for (int32_t i = 0; i < count; ++i) {
        bytes[i] = from[i];
    }
    return rv_load_s8(bytes);
}

RV_VECTOR void rv_store_some_s8(int8_t *to, rv_i32x8 x, int32_t lowest, int32_t highest, int32_t count)
{
    if (count >= RV_LANES) {
        rv_store_s8(to, x, lowest, highest);
    } else {
        int8_t bytes[RV_LANES];
        rv_store_s8(bytes, x, lowest, highest);
        for (int32_t i = 0; i < count; ++i) {
            to[i] = bytes[i];
        }
    }
}

/* The first of the eight channels of a group; those of the last group end with the last channel. */
static inline int32_t rv_first_channel(int32_t group, int32_t channels)
{
    return RV_LANES * (group + 1) <= channels ? RV_LANES * group : channels - RV_LANES;
}

static inline int32_t rv_group_count(int32_t channels)
{
    return (channels + RV_LANES - 1) / RV_LANES;
}

/* Copies rows of a window; a call of memcpy would take longer than the few bytes. */
static inline void rv_copy_bytes(int8_t *to, const int8_t *from, int32_t count)
{
    int32_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, from + i, sizeof word);
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < count; ++i) {
        to[i] = from[i];
    }
}

static inline void rv_fill_bytes(int8_t *to, int32_t value, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        to[i] = (int8_t)value;
    }
}

/* Four bytes, those behind the last `count` of them 0. */
static inline uint32_t rv_load_quad(const int8_t *from, int32_t count)
{
    uint32_t quad = 0;
    if (count >= 4) {
        memcpy(&quad, from, 4);
    } else {
        int8_t bytes[4] = {0, 0, 0, 0};
        for (int32_t i = 0; i < count; ++i) {
            bytes[i] = from[i];
        }
        memcpy(&quad, bytes, 4);
    }
    return quad;
}

/*
 * A matrix of weights and what becomes of the products.
 *
 * weights   [groups][inputs / 4, rounded up][8 channels][4 inputs], those beyond the last input 0
 * channels  [groups][RV_CHANNEL_TABLE], each bias less 128 * the sum of the weights: values are read with 128 added
 */
typedef struct {
    const int8_t *weights;
    const int32_t *channels;
    int32_t inputs;
    int32_t outputs;
    int32_t out_min;
    int32_t out_max;
} rv_dense;

RV_VECTOR void rv_dense_store(const rv_dense *layer, int8_t *out, rv_i32x8 sum, rv_scaling scaling)
{
    rv_store_s8(out, rv_rescale(sum, scaling), layer->out_min, layer->out_max);
}

/* out[x][outputs] from in[x * in_step ..][inputs], for x < count. Four pixels share every weight that is loaded. */
RV_SHARED void rv_dense_pixels(const rv_dense *layer, const int8_t *in, int32_t in_step, int8_t *out, int32_t count)
{
    const int32_t inputs = layer->inputs;
    const int32_t outputs = layer->outputs;
    const int8_t *weights = layer->weights;
    const int32_t *table = layer->channels;

    for (int32_t group = 0; group < rv_group_count(outputs); ++group) {
        const rv_i32x8 bias = rv_load_s32(table + RV_BIAS);
        const rv_scaling scaling = rv_load_scaling(table);
        const int8_t *in0 = in;
        int8_t *out0 = out + rv_first_channel(group, outputs);
        int32_t left = count;

        while (left >= 3) {
            /* A last pixel that is missing is the third once more. */
            const int32_t last = left > 3 ? 3 : 2;
            const int8_t *in1 = in0 + in_step;
            const int8_t *in2 = in1 + in_step;
            const int8_t *in3 = in0 + last * in_step;
            const int8_t *w = weights;
            rv_i32x8 sum0 = bias;
            rv_i32x8 sum1 = bias;
            rv_i32x8 sum2 = bias;
            rv_i32x8 sum3 = bias;
            int32_t i = 0;

            for (; i + 4 <= inputs; i += 4) {
                const rv_quads quads = rv_weight_quads(w);
                sum0 = rv_dot_quads(sum0, quads, rv_value_quads(rv_load_quad(in0 + i, 4)));
                sum1 = rv_dot_quads(sum1, quads, rv_value_quads(rv_load_quad(in1 + i, 4)));
                sum2 = rv_dot_quads(sum2, quads, rv_value_quads(rv_load_quad(in2 + i, 4)));
                sum3 = rv_dot_quads(sum3, quads, rv_value_quads(rv_load_quad(in3 + i, 4)));
                w += 4 * RV_LANES;
            }
            if (i < inputs) {
                const rv_quads quads = rv_weight_quads(w);
                sum0 = rv_dot_quads(sum0, quads, rv_value_quads(rv_load_quad(in0 + i, inputs - i)));
                sum1 = rv_dot_quads(sum1, quads, rv_value_quads(rv_load_quad(in1 + i, inputs - i)));
                sum2 = rv_dot_quads(sum2, quads, rv_value_quads(rv_load_quad(in2 + i, inputs - i)));
                sum3 = rv_dot_quads(sum3, quads, rv_value_quads(rv_load_quad(in3 + i, inputs - i)));
            }
            rv_dense_store(layer, out0, sum0, scaling);
            rv_dense_store(layer, out0 + outputs, sum1, scaling);
            rv_dense_store(layer, out0 + 2 * outputs, sum2, scaling);
            rv_dense_store(layer, out0 + last * outputs, sum3, scaling);
            in0 += 4 * in_step;
            out0 += 4 * outputs;
            left -= 4;
        }
        for (; left > 0; --left) {
            const int8_t *w = weights;
            rv_i32x8 sum = bias;

            for (int32_t i = 0; i < inputs; i += 4) {
                const uint32_t quad = rv_load_quad(in0 + i, inputs - i);
                sum = rv_dot_quads(sum, rv_weight_quads(w), rv_value_quads(quad));
                w += 4 * RV_LANES;
            }
            rv_dense_store(layer, out0, sum, scaling);
            in0 += in_step;
            out0 += outputs;
        }
        weights += (inputs + 3) / 4 * 4 * RV_LANES;
        table += RV_CHANNEL_TABLE;
    }
}

#endif /* RIVULET_SIMD_H */
