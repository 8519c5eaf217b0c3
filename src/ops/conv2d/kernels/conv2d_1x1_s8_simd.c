/*
 * One output row of a pointwise int8 convolution without padding, or one vector through a fully connected layer: four
 * pixels by eight channels at a time. The input's zero point is folded into the biases.
 *
 * in[0]      input row [width][in_channels]
 * out        output row [width][out_channels]
 * weights, channels    as rv_dense has them
 */
#include "rivulet_simd.h"

typedef struct {
    int32_t width;
    int32_t in_channels;
    int32_t out_channels;
    int32_t out_min;
    int32_t out_max;
} rv_conv2d_1x1_s8_simd_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *channels;
} rv_conv2d_1x1_s8_simd_data;

void rv_conv2d_1x1_s8_simd(const rv_conv2d_1x1_s8_simd_geometry *G, const rv_conv2d_1x1_s8_simd_data *D,
                           const rv_row *row)
{
    const rv_dense layer = {
        D->weights, D->channels, G->in_channels, G->out_channels, G->out_min, G->out_max,
    };

    rv_dense_pixels(&layer, row->in[0], G->in_channels, row->out, G->width);
}
