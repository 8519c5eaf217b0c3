/*
 * One row of int8 softmaxes, each over `depth` neighbouring values; the output has 8 fraction bits and zero point -128.
 *
 * in[0]      input row [width][depth]
 * out        output row [width][depth]
 * exponentials[i]  e to the power of i steps below the maximum, 31 fraction bits [256]
 */
#include "rivulet.h"

typedef struct {
    int32_t width;
    int32_t depth;
} rv_softmax_s8_geometry;

typedef struct {
    const int32_t *exponentials;
} rv_softmax_s8_data;

void rv_softmax_s8(const rv_softmax_s8_geometry *G, const rv_softmax_s8_data *D, const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; ++x) {
        int32_t largest = INT8_MIN;
        int32_t sum = 0; /* 19 fraction bits */

        for (int32_t i = 0; i < G->depth; ++i) {
            largest = in[i] > largest ? in[i] : largest;
        }
        for (int32_t i = 0; i < G->depth; ++i) {
            sum += rv_rounding_divide(D->exponentials[largest - in[i]], 12);
        }
        /* sum = (1 + fraction) * 2^(12 - headroom), the fraction with 31 bits */
        uint32_t normalized = (uint32_t)sum;
        int32_t headroom = 0;
        while (normalized < 0x80000000u) {
            normalized <<= 1;
            ++headroom;
        }
        const int32_t reciprocal = rv_reciprocal_of_one_plus((int32_t)(normalized - 0x80000000u));
        const int32_t exponent = 12 - headroom + 31 - 8;

        for (int32_t i = 0; i < G->depth; ++i) {
            const int32_t scaled = rv_rounding_doubling_high_mul(reciprocal, D->exponentials[largest - in[i]]);
            /* In a sum of 512 or more every probability rounds to 0. */
            const int32_t probability = exponent > 31 ? 0 : rv_rounding_divide(scaled, exponent);
            out[i] = (int8_t)rv_clamp(probability - 128, INT8_MIN, INT8_MAX);
        }
        in += G->depth;
        out += G->depth;
    }
}
