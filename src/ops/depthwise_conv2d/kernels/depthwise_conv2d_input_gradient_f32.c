/*
 * The gradient of a depthwise convolution's input, whole: the turned weights slide over the gradient of each image, spread
 * out by the stride and with zeros around it.
 *
 * in[0]      gradient of the output [batch][out_height][out_width][in_channels * multiplier]
 * in[1]      weights [kernel_height][kernel_width][in_channels * multiplier]
 * out        [batch][in_height][in_width][in_channels]
 * scratch    plane [plane_height][plane_width][in_channels * multiplier], turned weights, and with a multiplier the
 *            gradients that are added up, [in_height][in_width][in_channels * multiplier]
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
} rv_depthwise_conv2d_input_gradient_f32_geometry;

void rv_depthwise_conv2d_input_gradient_f32(const rv_depthwise_conv2d_input_gradient_f32_geometry *G, const rv_row *row)
{
    const int32_t channels = G->in_channels * G->multiplier;
    const int32_t taps = G->kernel_height * G->kernel_width;
    const int32_t pixels = G->in_height * G->in_width;
    const rv_window turned = {G->kernel_height, G->kernel_width, 1, 1, G->dilation_y, G->dilation_x, 0, 0};
    const rv_window place = {1,
                             1,
                             G->stride_y,
                             G->stride_x,
                             1,
                             1,
                             (G->kernel_height - 1) * G->dilation_y - G->pad_top,
                             (G->kernel_width - 1) * G->dilation_x - G->pad_left};
    const rv_extent errors = {G->out_height, G->out_width, channels};
    const rv_extent image = {G->in_height, G->in_width, channels};
    const rv_extent padded = {G->plane_height, G->plane_width, channels};
    float *plane = row->scratch;
    float *weights = plane + (ptrdiff_t)G->plane_height * G->plane_width * channels;
    float *spread = weights + (ptrdiff_t)taps * channels;
    const float *in = row->in[0];
    const float *original = row->in[1];
    float *out = row->out;

    for (int32_t k = 0; k < taps; ++k) {
        memcpy(weights + (ptrdiff_t)k * channels, original + (ptrdiff_t)(taps - 1 - k) * channels,
               (size_t)channels * sizeof *weights);
    }
    rv_clear_floats(plane, padded.height * padded.width * channels);
    for (int32_t n = 0; n < G->batch; ++n) {
        rv_fill_plane(plane, padded, in, errors, place, 1);
        rv_depthwise_planes(plane, G->plane_width, weights, turned, G->multiplier == 1 ? out : spread, image, NULL,
                            -3.4e38f, 3.4e38f);
        for (int32_t i = 0; G->multiplier > 1 && i < pixels * G->in_channels; ++i) {
            out[i] = 0.0f;
            for (int32_t j = 0; j < G->multiplier; ++j) {
                out[i] += spread[(ptrdiff_t)i * G->multiplier + j];
            }
        }
        in += G->out_height * G->out_width * channels;
        out += pixels * G->in_channels;
    }
}
