/*
 * One output row of an int8 depthwise convolution with one output per channel, sixteen channels at a time. Padding is a
 * pixel of the input's zero point, which is folded into the bias.
 *
 * in[k]      input row under kernel row k [in_width][channels], NULL where that row is padding
 * out        output row [out_width][channels]
 * packed     for each sixteen channels, in the order of rv_mve_sums16 but for the weights: bias int32[16], weights
 *            int8[kernel_height][kernel_width][16], multiplier int32[16], shift int8[16]
 * padding    int8[16] of the input's zero point
 */
#include "rivulet_mve.h"

typedef struct {
    int32_t in_width;
    int32_t channels;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_depthwise_conv2d_mve_s8_geometry;

typedef struct {
    const int32_t *packed;
    const int8_t *padding;
} rv_depthwise_conv2d_mve_s8_data;

void rv_depthwise_conv2d_mve_s8(const rv_depthwise_conv2d_mve_s8_geometry *G,
                                const rv_depthwise_conv2d_mve_s8_data *D, const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, G->out_min, G->out_max};
    const int32_t step = G->dilation * G->channels;
    const int32_t weight_words = 4 * G->kernel_height * G->kernel_width;
    const int32_t *packed = D->packed;

    for (int32_t channel = 0; channel < G->channels; channel += 16) {
        const int32_t lanes = G->channels - channel < 16 ? G->channels - channel : 16;
        const int32_t *scaling = packed + 16 + weight_words;

        for (int32_t x = 0; x < G->out_width; ++x) {
            const int32_t left = x * G->stride - G->pad_left;
            /* The taps [first, end) lie inside the row. */
            const int32_t behind = left < 0 ? (G->dilation - 1 - left) / G->dilation : 0;
            const int32_t fitting = left < G->in_width ? (G->in_width - left + G->dilation - 1) / G->dilation : 0;
            const int32_t end = fitting < G->kernel_width ? fitting : G->kernel_width;
            const int32_t first = behind < end ? behind : end;
            const int8_t *weights = (const int8_t *)(packed + 16);
            rv_mve_sums16 sums = rv_mve_load16(packed);

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                if (in == NULL || first == end) {
                    weights = rv_mve_taps16(&sums, weights, D->padding, 0, G->kernel_width, lanes);
                    continue;
                }
                in += (left + first * G->dilation) * G->channels + channel;
                if (first > 0) {
                    weights = rv_mve_taps16(&sums, weights, D->padding, 0, first, lanes);
                }
                weights = rv_mve_taps16(&sums, weights, in, step, end - first, lanes);
                if (end < G->kernel_width) {
                    weights = rv_mve_taps16(&sums, weights, D->padding, 0, G->kernel_width - end, lanes);
                }
            }
            rv_mve_finish16(&sums, scaling, (int8_t *)row->out + x * G->channels + channel, lanes, &output);
        }
        packed = scaling + 20;
    }
}
