/*
 * One output row of a pointwise int8 convolution without padded columns: each pixel is a vector through a dense layer.
 *
 * in[0]      input row [..][in_channels]
 * out        output row [out_width][out_channels]
 * packed     see rv_mve_dense
 */
#include "rivulet_mve_dense.h"

typedef struct {
    int32_t in_channels;
    int32_t stride;
    int32_t out_width;
    int32_t out_channels;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_conv2d_1x1_mve_s8_geometry;

typedef struct {
    const int32_t *packed;
} rv_conv2d_1x1_mve_s8_data;

void rv_conv2d_1x1_mve_s8(const rv_conv2d_1x1_mve_s8_geometry *G, const rv_conv2d_1x1_mve_s8_data *D,
                          const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, G->out_min, G->out_max};

    rv_mve_dense(D->packed, row->in[0], G->in_channels, G->stride * G->in_channels, G->out_width, row->out,
                 G->out_channels, G->out_channels, &output);
}
