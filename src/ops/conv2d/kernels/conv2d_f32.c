/*
 * Any convolution, whole: the patches of one image after the other times the weights of each group.
 *
 * in[0]      input [batch][in_height][in_width][in_channels]
 * in[1]      weights [out_channels][kernel_height][kernel_width][group_in_channels]
 * in[2]      bias [out_channels], if has_bias
 * out        [batch][out_height][out_width][out_channels]
 * scratch    the patches of one image, and the packed weights of a group
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
    int32_t has_bias;
} rv_conv2d_f32_geometry;

typedef struct {
    const float *bounds;
} rv_conv2d_f32_data;

void rv_conv2d_f32(const rv_conv2d_f32_geometry *G, const rv_conv2d_f32_data *D, const rv_row *row)
{
    const rv_window window = {G->kernel_height, G->kernel_width, G->stride_y, G->stride_x,
                              G->dilation_y,    G->dilation_x,   G->pad_top,  G->pad_left};
    const rv_extent from = {G->in_height, G->in_width, G->in_channels};
    const rv_extent to = {G->out_height, G->out_width, G->out_channels};
    const int32_t pixels = G->out_height * G->out_width;
    const int32_t taps = G->kernel_height * G->kernel_width * G->group_in_channels;
    float *patches = row->scratch;
    float *packed = patches + (ptrdiff_t)pixels * taps;
    const float *in = row->in[0];
    const float *weights = row->in[1];
    const float *bias = G->has_bias ? row->in[2] : NULL;
    float *out = row->out;

    for (int32_t first = 0; first < G->out_channels; first += G->group_out_channels) {
        rv_pack_columns(packed, weights + (ptrdiff_t)first * taps, taps, G->group_out_channels, 1, taps);
        for (int32_t n = 0; n < G->batch; ++n) {
            const rv_gemm_result result = {out + (ptrdiff_t)n * pixels * G->out_channels + first, G->out_channels,
                                           bias == NULL ? NULL : bias + first, D->bounds[0], D->bounds[1]};

            rv_gather_patches(patches, to, in + (ptrdiff_t)n * G->in_height * G->in_width * G->in_channels, from, window,
                              first / G->group_out_channels * G->group_in_channels, G->group_in_channels);
            rv_gemm(patches, taps, packed, pixels, taps, G->group_out_channels, result);
        }
    }
}
