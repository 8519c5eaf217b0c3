/*
 * Values that move without changing, whole: out[out_start + sum of index * out_d] = in[in_start + sum of index * in_d] for every
 * index below the sizes; before that, if `fills`, the whole output is set to one value.
 *
 * in[0]      input
 * out        [out_size], or the part of it that the indices reach
 * fill       the value
 */
#include "rivulet_float.h"

typedef struct {
    int32_t size_0;
    int32_t size_1;
    int32_t size_2;
    int32_t size_3;
    int32_t size_4;
    int32_t size_5;
    int32_t in_0;
    int32_t in_1;
    int32_t in_2;
    int32_t in_3;
    int32_t in_4;
    int32_t in_5;
    int32_t out_0;
    int32_t out_1;
    int32_t out_2;
    int32_t out_3;
    int32_t out_4;
    int32_t out_5;
    int32_t in_start;
    int32_t out_start;
    int32_t fills;
    int32_t out_size;
} rv_strided_f32_geometry;

typedef struct {
    const float *fill;
} rv_strided_f32_data;

void rv_strided_f32(const rv_strided_f32_geometry *G, const rv_strided_f32_data *D, const rv_row *row)
{
    const int32_t size[RV_RANK] = {G->size_0, G->size_1, G->size_2, G->size_3, G->size_4, G->size_5};
    const int32_t in_stride[RV_RANK] = {G->in_0, G->in_1, G->in_2, G->in_3, G->in_4, G->in_5};
    const int32_t out_stride[RV_RANK] = {G->out_0, G->out_1, G->out_2, G->out_3, G->out_4, G->out_5};
    int32_t index[RV_RANK] = {0};

    for (int32_t i = 0; G->fills && i < G->out_size; ++i) {
        ((float *)row->out)[i] = D->fill[0];
    }
    do {
        const float *in = (const float *)row->in[0] + G->in_start + rv_index_offset(index, in_stride);
        float *out = (float *)row->out + G->out_start + rv_index_offset(index, out_stride);

        if (G->in_5 == 1 && G->out_5 == 1) {
            memcpy(out, in, (size_t)G->size_5 * sizeof *out);
        } else {
            for (int32_t i = 0; i < G->size_5; ++i) {
                out[i * G->out_5] = in[i * G->in_5];
            }
        }
    } while (rv_next_index(index, size));
}
