/*
 * One output row of an int8 depthwise convolution, channel by channel: the channel's input rows are first laid out in
 * scratch, one below the other, between columns of padding, so that every tap is inside and weights and values are
 * contiguous; then four outputs at a time share every weight. The input's zero point is folded into the bias, and
 * padding holds it.
 *
 * in[k]      input row under kernel row k [..][in_channels], NULL where that row is padding
 * out        output row [out_width][in_channels * channel_multiplier]
 * scratch    int8[kernel_height][plane_width], wide enough for whole fours
 * weights    [in_channels * channel_multiplier][kernel_height][kernel_width]
 */
#include "rivulet.h"

typedef struct {
    int32_t in_channels;
    int32_t in_columns;
    int32_t pad_left;
    int32_t plane_width;
    int32_t out_width;
    int32_t channel_multiplier;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_depthwise_conv2d_plane_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_depthwise_conv2d_plane_s8_data;

void rv_depthwise_conv2d_plane_s8(const rv_depthwise_conv2d_plane_s8_geometry *G,
                                  const rv_depthwise_conv2d_plane_s8_data *D, const rv_row *row)
{
    const int32_t out_channels = G->in_channels * G->channel_multiplier;
    const int8_t *weights = D->weights;
    int8_t *plane = row->scratch;
    int32_t channel = 0;

    memset(plane, G->in_zero_point, (size_t)(G->kernel_height * G->plane_width));
    for (int32_t c = 0; c < G->in_channels; ++c) {
        for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
            const int8_t *in = row->in[ky];
            int8_t *line = plane + ky * G->plane_width + G->pad_left;
            if (in == NULL) {
                continue;
            }
            for (int32_t x = 0; x < G->in_columns; ++x) {
                line[x] = in[x * G->in_channels + c];
            }
        }
        for (int32_t copy = 0; copy < G->channel_multiplier; ++copy) {
            const int32_t bias = D->bias[channel];
            const int32_t multiplier = D->multiplier[channel];
            const int32_t shift = D->shift[channel];
            int8_t *out = (int8_t *)row->out + channel;

            for (int32_t x = 0; x < G->out_width; x += 4) {
                const int8_t *values = plane + x * G->stride;
                const int8_t *taps = weights;
                int32_t sum0 = bias;
                int32_t sum1 = bias;
                int32_t sum2 = bias;
                int32_t sum3 = bias;

                for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                    for (int32_t kx = 0; kx < G->kernel_width; ++kx) {
                        const int8_t *value = values + kx * G->dilation;
                        const int32_t tap = *taps++;
                        sum0 += value[0] * tap;
                        sum1 += value[G->stride] * tap;
                        sum2 += value[2 * G->stride] * tap;
                        sum3 += value[3 * G->stride] * tap;
                    }
                    values += G->plane_width;
                }
                sum0 = rv_requantize(sum0, multiplier, shift) + G->out_zero_point;
                sum1 = rv_requantize(sum1, multiplier, shift) + G->out_zero_point;
                sum2 = rv_requantize(sum2, multiplier, shift) + G->out_zero_point;
                sum3 = rv_requantize(sum3, multiplier, shift) + G->out_zero_point;
                out[0] = (int8_t)rv_clamp(sum0, G->out_min, G->out_max);
                if (x + 1 < G->out_width) {
                    out[out_channels] = (int8_t)rv_clamp(sum1, G->out_min, G->out_max);
                }
                if (x + 2 < G->out_width) {
                    out[2 * out_channels] = (int8_t)rv_clamp(sum2, G->out_min, G->out_max);
                }
                if (x + 3 < G->out_width) {
                    out[3 * out_channels] = (int8_t)rv_clamp(sum3, G->out_min, G->out_max);
                }
                out += 4 * out_channels;
            }
            weights += G->kernel_height * G->kernel_width;
            ++channel;
        }
    }
}
