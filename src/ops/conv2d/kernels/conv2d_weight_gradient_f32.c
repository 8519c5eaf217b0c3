/*
 * The gradient of a convolution's weights, whole: the transposed gradient of the output times the patches of the input, one
 * image after the other.
 *
 * in[0]      input [batch][in_height][in_width][in_channels]
 * in[1]      gradient of the output [batch][out_height][out_width][out_channels]
 * out        [out_channels][kernel_height][kernel_width][group_in_channels]
 * scratch    the patches of one image
 */
#include "rivulet_planes.h"

typedef struct {
    int32_t batch;
    int32_t in_height;
    int32_t in_width;
    int32_t in_channels;
    int32_t out_height;
    int32_t out_width;
    int32_t out_channels;
    int32_t group_in_channels;
    int32_t group_out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t pad_top;
    int32_t pad_left;
} rv_conv2d_weight_gradient_f32_geometry;

void rv_conv2d_weight_gradient_f32(const rv_conv2d_weight_gradient_f32_geometry *G, const rv_row *row)
{
    const rv_window window = {G->kernel_height, G->kernel_width, G->stride_y, G->stride_x,
                              G->dilation_y,    G->dilation_x,   G->pad_top,  G->pad_left};
    const rv_extent from = {G->in_height, G->in_width, G->in_channels};
    const rv_extent to = {G->out_height, G->out_width, G->out_channels};
    const int32_t pixels = G->out_height * G->out_width;
    const int32_t taps = G->kernel_height * G->kernel_width * G->group_in_channels;
    float *patches = row->scratch;
    const float *in = row->in[0];
    const float *errors = row->in[1];
    float *out = row->out;

    memset(out, 0, (size_t)G->out_channels * (size_t)taps * sizeof *out);
    for (int32_t first = 0; first < G->out_channels; first += G->group_out_channels) {
        for (int32_t n = 0; n < G->batch; ++n) {
            rv_gather_patches(patches, to, in + (ptrdiff_t)n * G->in_height * G->in_width * G->in_channels, from, window,
                              first / G->group_out_channels * G->group_in_channels, G->group_in_channels);
            rv_gemm_transposed(errors + (ptrdiff_t)n * pixels * G->out_channels + first, G->out_channels, patches, taps,
                               pixels, G->group_out_channels, taps, out + (ptrdiff_t)first * taps, taps);
        }
    }
}
