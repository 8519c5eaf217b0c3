/*
 * One output row of an int8 convolution that learns, not grouped: biases, and weights of some input channels, lie in SRAM.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * in[kh]     bias int32[out_channels]; in[kh + 1]: trained weights [out_channels][kernel_height][kernel_width][trained]
 * out        output row [out_width][out_channels]
 * weights    [out_channels][kernel_height][kernel_width][in_channels], 0 for trained channels, if frozen
 * indices    [trained], the channels of trained weights
 */
#include "rivulet.h"

typedef struct {
    int32_t frozen;
    int32_t trained;
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_trained_conv2d_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int16_t *indices;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_trained_conv2d_s8_data;

void rv_trained_conv2d_s8(const rv_trained_conv2d_s8_geometry *G, const rv_trained_conv2d_s8_data *D, const rv_row *row)
{
    const int32_t *bias = row->in[G->kernel_height];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; ++x) {
        const int32_t left = x * G->stride - G->pad_left;

        for (int32_t channel = 0; channel < G->out_channels; ++channel) {
            int32_t sum = bias[channel];

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                for (int32_t kx = 0; in != NULL && kx < G->kernel_width; ++kx) {
                    const int32_t column = left + kx * G->dilation;
                    const int32_t tap = (channel * G->kernel_height + ky) * G->kernel_width + kx;
                    if (column < 0 || column >= G->in_width) {
                        continue;
                    }
                    const int8_t *pixel = in + column * G->in_channels;
                    if (G->frozen) {
                        const int8_t *weights = D->weights + tap * G->in_channels;
                        for (int32_t c = 0; c < G->in_channels; ++c) {
                            sum += (pixel[c] - G->in_zero_point) * weights[c];
                        }
                    }
                    if (G->trained > 0) {
                        const int8_t *weights = (const int8_t *)row->in[G->kernel_height + 1] + tap * G->trained;
                        for (int32_t j = 0; j < G->trained; ++j) {
                            sum += (pixel[D->indices[j]] - G->in_zero_point) * weights[j];
                        }
                    }
                }
            }
            sum = rv_requantize(sum, D->multiplier[channel], D->shift[channel]) + G->out_zero_point;
            *out++ = (int8_t)rv_clamp(sum, G->out_min, G->out_max);
        }
    }
}
