/*
 * A depthwise convolution, whole: each image in a plane with zeros around it, so that no window has an edge.
 *
 * in[0]      input [batch][in_height][in_width][in_channels]
 * in[1]      weights [kernel_height][kernel_width][in_channels * multiplier]
 * in[2]      bias [in_channels * multiplier], if has_bias
 * out        [batch][out_height][out_width][in_channels * multiplier]
 * scratch    plane [plane_height][plane_width][in_channels * multiplier]
 * bounds     lowest and highest value of the output
 */
#include "rivulet_planes.h"

typedef struct {
    int32_t batch;
    int32_t in_height;
    int32_t in_width;
    int32_t in_channels;
    int32_t out_height;
    int32_t out_width;
    int32_t multiplier;
    int32_t plane_height;
    int32_t plane_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t pad_top;
    int32_t pad_left;
    int32_t has_bias;
} rv_depthwise_conv2d_f32_geometry;

typedef struct {
    const float *bounds;
} rv_depthwise_conv2d_f32_data;

void rv_depthwise_conv2d_f32(const rv_depthwise_conv2d_f32_geometry *G, const rv_depthwise_conv2d_f32_data *D,
                             const rv_row *row)
{
    const rv_window window = {G->kernel_height, G->kernel_width, G->stride_y, G->stride_x,
                              G->dilation_y,    G->dilation_x,   G->pad_top,  G->pad_left};
    const int32_t channels = G->in_channels * G->multiplier;
    const rv_extent image = {G->in_height, G->in_width, G->in_channels};
    const rv_extent output = {G->out_height, G->out_width, channels};
    const rv_extent padded = {G->plane_height, G->plane_width, channels};
    const rv_window place = {1, 1, 1, 1, 1, 1, G->pad_top, G->pad_left};
    float *plane = row->scratch;
    const float *in = row->in[0];
    float *out = row->out;

    rv_clear_floats(plane, padded.height * padded.width * channels);
    for (int32_t n = 0; n < G->batch; ++n) {
        rv_fill_plane(plane, padded, in, image, place, G->multiplier);
        rv_depthwise_planes(plane, G->plane_width, row->in[1], window, out, output, G->has_bias ? row->in[2] : NULL,
                            D->bounds[0], D->bounds[1]);
        in += G->in_height * G->in_width * G->in_channels;
        out += G->out_height * G->out_width * channels;
    }
}
