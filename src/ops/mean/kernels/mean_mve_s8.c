/*
 * One input row of an int8 mean, four elements at a time: the row is summed over `reduced` and over `rows` consecutive
 * firings, and the last of these scales the sums.
 *
 * in[0]      input row [groups][reduced][inner]; y % rows is its place among the rows of a mean
 * out        output row [groups][inner], NULL until the last row
 * scratch    sums int32[groups][inner]
 */
#include "rivulet_mve.h"

typedef struct {
    int32_t rows;
    int32_t groups;
    int32_t reduced;
    int32_t inner;
    int32_t sum_offset;
    int32_t multiplier;
    int32_t shift;
    int32_t out_zero_point;
} rv_mean_mve_s8_geometry;

void rv_mean_mve_s8(const rv_mean_mve_s8_geometry *G, const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, INT8_MIN, INT8_MAX};
    const int32_t is_first = row->y % G->rows == 0 ? 1 : 0;
    const int32_t size = G->groups * G->inner;
    int32_t *sums = row->scratch;
    int8_t *out = row->out;
    int32_t i = 0;

    rv_mve_accumulate(sums, row->in[0], G->groups, G->reduced, G->inner, is_first);
    if (out == NULL) {
        return;
    }
    for (; i + 4 <= size; i += 4) {
        const rv_mve_int32x4 sum = rv_mve_affine4(rv_mve_load_words(sums + i), 1, G->sum_offset);
        rv_mve_store4(out + i, rv_mve_scale4(sum, G->multiplier, G->shift), &output);
    }
    for (; i < size; ++i) {
        const int32_t y = rv_requantize(sums[i] + G->sum_offset, G->multiplier, G->shift) + G->out_zero_point;
        out[i] = (int8_t)rv_clamp(y, INT8_MIN, INT8_MAX);
    }
}
