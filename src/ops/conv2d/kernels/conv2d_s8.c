/*
 * One output row of an int8 convolution: any window, stride, dilation, padding and number of groups.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * weights    [out_channels][kernel_height][kernel_width][group_in_channels]
 */
#include "rivulet.h"

typedef struct {
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t out_channels;
    int32_t group_in_channels;
    int32_t group_out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_conv2d_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_conv2d_s8_data;

void rv_conv2d_s8(const rv_conv2d_s8_geometry *G, const rv_conv2d_s8_data *D, const rv_row *row)
{
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; ++x) {
        const int32_t left = x * G->stride - G->pad_left;
        const int8_t *weights = D->weights;

        for (int32_t channel = 0; channel < G->out_channels; ++channel) {
            const int32_t group = channel / G->group_out_channels;
            int32_t sum = D->bias[channel];

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                if (in == NULL) {
                    weights += G->kernel_width * G->group_in_channels;
                    continue;
                }
                for (int32_t kx = 0; kx < G->kernel_width; ++kx) {
                    const int32_t column = left + kx * G->dilation;
                    if (column >= 0 && column < G->in_width) {
                        const int8_t *pixel = in + column * G->in_channels + group * G->group_in_channels;
                        for (int32_t c = 0; c < G->group_in_channels; ++c) {
                            sum += (pixel[c] - G->in_zero_point) * weights[c];
                        }
                    }
                    weights += G->group_in_channels;
                }
            }
            sum = rv_requantize(sum, D->multiplier[channel], D->shift[channel]) + G->out_zero_point;
            *out++ = (int8_t)rv_clamp(sum, G->out_min, G->out_max);
        }
    }
}
