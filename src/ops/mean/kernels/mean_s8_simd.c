/*
 * One input row of an int8 mean, eight elements at a time: the row is summed over `reduced` and over `rows` consecutive
 * firings, and the last of these scales the sums. The factors are those of rv_scaling.
 *
 * in[0]      input row [groups][reduced][inner], inner a multiple of eight; y % rows is its place among the rows of a mean
 * out        output row [groups][inner], NULL until the last row
 * scratch    sums int32[groups][inner], NULL when rows is 1
 */
#include "rivulet_simd.h"

typedef struct {
    int32_t rows;
    int32_t groups;
    int32_t reduced;
    int32_t inner;
    int32_t sum_offset;
    int32_t scale;
    int32_t multiplier;
    int32_t offset;
    int32_t negative;
    int32_t shift;
} rv_mean_s8_simd_geometry;

void rv_mean_s8_simd(const rv_mean_s8_simd_geometry *G, const rv_row *row)
{
    int8_t *out = row->out;
    int32_t *sums = row->scratch;
    const int32_t is_first = row->y % G->rows == 0 ? 1 : 0;
    const rv_scaling scaling = rv_splat_scaling(G->scale, G->multiplier, G->offset, G->negative, G->shift);

    for (int32_t group = 0; group < G->groups; ++group) {
        const int8_t *in = (const int8_t *)row->in[0] + group * G->reduced * G->inner;

        for (int32_t i = 0; i < G->inner; i += RV_LANES) {
            const int32_t place = group * G->inner + i;
            rv_i32x8 sum = is_first ? rv_splat(0) : rv_load_s32(sums + place);

            for (int32_t r = 0; r < G->reduced; ++r) {
                sum = rv_add(sum, rv_load_s8(in + r * G->inner + i));
            }
            if (out == NULL) {
                rv_store_s32(sums + place, sum);
            } else {
                sum = rv_rescale(rv_add(sum, rv_splat(G->sum_offset)), scaling);
                rv_store_s8(out + place, sum, INT8_MIN, INT8_MAX);
            }
        }
    }
}
