/*
 * One output row of an int8 depthwise convolution whose bias, and weights of some channels, are in RAM: any window,
 * stride, dilation and padding.
 *
 * in[k]      input row under kernel row k [in_width][channels], NULL where that row is padding
 * in[kernel_height]      int32 bias [channels]
 * in[kernel_height + 1]  trained weights [kernel_height][kernel_width][trained]; absent if there are none
 * out        output row [out_width][channels]
 * weights    [kernel_height][kernel_width][channels], not read where all are trained
 * indices    [channels], the index among the trained ones, -1: frozen
 */
#include "rivulet.h"

typedef struct {
    int32_t in_width;
    int32_t channels;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
    int32_t trained;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_trained_depthwise_conv2d_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int16_t *indices;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_trained_depthwise_conv2d_s8_data;

void rv_trained_depthwise_conv2d_s8(const rv_trained_depthwise_conv2d_s8_geometry *G,
                                    const rv_trained_depthwise_conv2d_s8_data *D, const rv_row *row)
{
    const int32_t *bias = row->in[G->kernel_height];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; ++x) {
        const int32_t left = x * G->stride - G->pad_left;
        /* The taps [first, end) lie inside the row. */
        const int32_t first = left < 0 ? (G->dilation - 1 - left) / G->dilation : 0;
        const int32_t fitting = (G->in_width - left + G->dilation - 1) / G->dilation;
        const int32_t end = fitting < G->kernel_width ? fitting : G->kernel_width;

        for (int32_t c = 0; c < G->channels; ++c) {
            const int32_t index = D->indices[c];
            const int8_t *taps = D->weights + c;
            int32_t pitch = G->channels;
            int32_t sum = bias[c];

            if (index >= 0) {
                taps = (const int8_t *)row->in[G->kernel_height + 1] + index;
                pitch = G->trained;
            }
            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                if (in == NULL) {
                    continue;
                }
                for (int32_t kx = first; kx < end; ++kx) {
                    const int32_t value = in[(left + kx * G->dilation) * G->channels + c] - G->in_zero_point;
                    const int32_t product = value * taps[(ky * G->kernel_width + kx) * pitch];
                    sum = (int32_t)((uint32_t)sum + (uint32_t)product);
                }
            }
            sum = rv_requantize(sum, D->multiplier[c], D->shift[c]) + G->out_zero_point;
            *out++ = (int8_t)rv_clamp(sum, G->out_min, G->out_max);
        }
    }
}
