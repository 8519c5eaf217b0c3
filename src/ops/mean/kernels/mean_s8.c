/*
 * One input row of an int8 mean: the row is summed over `reduced` and over `rows` consecutive firings, and the last of
 * these scales the sums.
 *
 * in[0]      input row [groups][reduced][inner]; y % rows is its place among the rows of a mean
 * out        output row [groups][inner], NULL until the last row
 * scratch    sums int32[groups][inner], NULL when rows is 1
 */
#include "rivulet.h"

typedef struct {
    int32_t rows;
    int32_t groups;
    int32_t reduced;
    int32_t inner;
    int32_t sum_offset;
    int32_t multiplier;
    int32_t shift;
    int32_t out_zero_point;
} rv_mean_s8_geometry;

void rv_mean_s8(const rv_mean_s8_geometry *G, const rv_row *row)
{
    int8_t *out = row->out;
    int32_t *sums = row->scratch;
    const int32_t is_first = row->y % G->rows == 0 ? 1 : 0;

    for (int32_t group = 0; group < G->groups; ++group) {
        const int8_t *in = (const int8_t *)row->in[0] + group * G->reduced * G->inner;

        for (int32_t i = 0; i < G->inner; ++i) {
            const int32_t place = group * G->inner + i;
            int32_t sum = is_first ? 0 : sums[place];

            for (int32_t r = 0; r < G->reduced; ++r) {
                sum += in[r * G->inner + i];
            }
            if (out == NULL) {
                sums[place] = sum;
            } else {
                sum = rv_requantize(sum + G->sum_offset, G->multiplier, G->shift) + G->out_zero_point;
                out[place] = (int8_t)rv_clamp(sum, INT8_MIN, INT8_MAX);
            }
        }
    }
}
