/*
 * One output row of an int8 depthwise convolution: any window, stride, dilation, padding and channel multiplier.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][in_channels * channel_multiplier]
 * weights    [kernel_height][kernel_width][in_channels * channel_multiplier]
 */
#include "rivulet.h"

typedef struct {
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t channel_multiplier;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_depthwise_conv2d_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_depthwise_conv2d_s8_data;

void rv_depthwise_conv2d_s8(const rv_depthwise_conv2d_s8_geometry *G, const rv_depthwise_conv2d_s8_data *D,
                            const rv_row *row)
{
    const int32_t out_channels = G->in_channels * G->channel_multiplier;
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; ++x) {
        const int32_t left = x * G->stride - G->pad_left;
        /* The taps [first, end) lie inside the row. */
        const int32_t first = left < 0 ? (G->dilation - 1 - left) / G->dilation : 0;
        const int32_t fitting = (G->in_width - left + G->dilation - 1) / G->dilation;
        const int32_t end = fitting < G->kernel_width ? fitting : G->kernel_width;
        int32_t channel = 0;

        for (int32_t c = 0; c < G->in_channels; ++c) {
            for (int32_t copy = 0; copy < G->channel_multiplier; ++copy) {
                int32_t sum = D->bias[channel];

                for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                    const int8_t *in = row->in[ky];
                    if (in == NULL) {
                        continue;
                    }
                    const int8_t *weights = D->weights + ky * G->kernel_width * out_channels + channel;
                    for (int32_t kx = first; kx < end; ++kx) {
                        const int8_t *pixel = in + (left + kx * G->dilation) * G->in_channels + c;
                        sum += (*pixel - G->in_zero_point) * weights[kx * out_channels];
                    }
                }
                sum = rv_requantize(sum, D->multiplier[channel], D->shift[channel]) + G->out_zero_point;
                *out++ = (int8_t)rv_clamp(sum, G->out_min, G->out_max);
                ++channel;
            }
        }
    }
}
