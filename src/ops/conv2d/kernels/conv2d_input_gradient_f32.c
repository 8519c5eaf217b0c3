/*
 * The gradient of a convolution's input, whole, which is also a transposed convolution: every pixel of one image after the
 * other times the weights gives a patch, and patches are added to the image.
 *
 * in[0]      gradient of the output [batch][out_height][out_width][out_channels]
 * in[1]      weights; tap t, input channel i of the group and output channel o lie at
 *            t * tap_stride + i * in_stride + o * out_stride
 * in[2]      bias [in_channels], if has_bias
 * out        [batch][in_height][in_width][in_channels]
 * scratch    the patches of one image, and the packed weights of a group
 * bounds     lowest and highest value of the result
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
    int32_t tap_stride;
    int32_t in_stride;
    int32_t out_stride;
    int32_t has_bias;
} rv_conv2d_input_gradient_f32_geometry;

typedef struct {
    const float *bounds;
} rv_conv2d_input_gradient_f32_data;

void rv_conv2d_input_gradient_f32(const rv_conv2d_input_gradient_f32_geometry *G, const rv_conv2d_input_gradient_f32_data *D,
                                  const rv_row *row)
{
    const rv_window window = {G->kernel_height, G->kernel_width, G->stride_y, G->stride_x,
                              G->dilation_y,    G->dilation_x,   G->pad_top,  G->pad_left};
    const rv_extent from = {G->out_height, G->out_width, G->out_channels};
    const rv_extent to = {G->in_height, G->in_width, G->in_channels};
    const int32_t pixels = G->out_height * G->out_width;
    const int32_t image = G->in_height * G->in_width * G->in_channels;
    const int32_t windows = G->kernel_height * G->kernel_width;
    const int32_t taps = windows * G->group_in_channels;
    float *patches = row->scratch;
    float *packed = patches + (ptrdiff_t)pixels * taps;
    const float *in = row->in[0];
    const float *weights = row->in[1];
    float *out = row->out;

    memset(out, 0, (size_t)G->batch * (size_t)image * sizeof *out);
    for (int32_t first = 0; first < G->out_channels; first += G->group_out_channels) {
        const float *group = weights + (ptrdiff_t)first * G->out_stride;

        for (int32_t n = 0; n < taps; n += RV_FLOATS) {
            for (int32_t o = 0; o < G->group_out_channels; ++o) {
                for (int32_t i = 0; i < RV_FLOATS; ++i) {
                    const int32_t tap = (n + i) / G->group_in_channels;
                    const int32_t channel = (n + i) % G->group_in_channels;

                    packed[(ptrdiff_t)n * G->group_out_channels + o * RV_FLOATS + i] =
                        tap < windows ? group[tap * G->tap_stride + channel * G->in_stride + o * G->out_stride] : 0.0f;
                }
            }
        }
        for (int32_t n = 0; n < G->batch; ++n) {
            const rv_gemm_result result = {patches, taps, NULL, -3.4e38f, 3.4e38f};

            rv_gemm(in + (ptrdiff_t)n * pixels * G->out_channels + first, G->out_channels, packed, pixels,
                    G->group_out_channels, taps, result);
            rv_scatter_patches(patches, from, out + (ptrdiff_t)n * image, to, window,
                               first / G->group_out_channels * G->group_in_channels, G->group_in_channels);
        }
    }
    if (G->has_bias || D->bounds[0] > -3.4e38f || D->bounds[1] < 3.4e38f) {
        const float *bias = row->in[G->has_bias ? 2 : 1];

        for (int32_t i = 0; i < G->batch * image; ++i) {
            const float sum = G->has_bias ? out[i] + bias[i % G->in_channels] : out[i];
            out[i] = rv_clamp_float(sum, D->bounds[0], D->bounds[1]);
        }
    }
}
