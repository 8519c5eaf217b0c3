/*
 * Sums over some dimensions times a factor, whole.
 *
 * in[0]      [size_0]...[size_5]
 * out        [out_size]; index i of dimension d lies at i * out_d, which is 0 where the dimension is summed over
 * factor     of every sum
 */
#include "rivulet_float.h"

typedef struct {
    int32_t size_0;
    int32_t size_1;
    int32_t size_2;
    int32_t size_3;
    int32_t size_4;
    int32_t size_5;
    int32_t out_0;
    int32_t out_1;
    int32_t out_2;
    int32_t out_3;
    int32_t out_4;
    int32_t out_5;
    int32_t out_size;
} rv_sum_f32_geometry;

typedef struct {
    const float *factor;
} rv_sum_f32_data;

void rv_sum_f32(const rv_sum_f32_geometry *G, const rv_sum_f32_data *D, const rv_row *row)
{
    const int32_t size[RV_RANK] = {G->size_0, G->size_1, G->size_2, G->size_3, G->size_4, G->size_5};
    const int32_t out_stride[RV_RANK] = {G->out_0, G->out_1, G->out_2, G->out_3, G->out_4, G->out_5};
    int32_t index[RV_RANK] = {0};
    const float *in = row->in[0];

    memset(row->out, 0, (size_t)G->out_size * sizeof(float));
    do {
        float *out = (float *)row->out + rv_index_offset(index, out_stride);
        rv_floats total = rv_floats_of(0.0f);

        for (int32_t i = 0; i < G->size_5; i += RV_FLOATS) {
            const int32_t lanes = G->size_5 - i < RV_FLOATS ? G->size_5 - i : RV_FLOATS;
            const rv_floats x = rv_load_some(in + i, lanes);

            if (G->out_5 == 1) {
                rv_store_some(out + i, rv_load_some(out + i, lanes) + x, lanes);
            } else {
                total += x;
            }
        }
        if (G->out_5 != 1) {
            out[0] += rv_sum_lanes(total);
        }
        in += G->size_5;
    } while (rv_next_index(index, size));
    for (int32_t i = 0; i < G->out_size; ++i) {
        ((float *)row->out)[i] *= D->factor[0];
    }
}
