/*
 * One output row of a pointwise int8 convolution and the depthwise convolution behind it. Two channels at a time, the
 * rows under the window are expanded into planes, one below the other, between columns of padding; each plane then
 * becomes one channel of the output. Of the expanded rows only the last carried_rows, which the next window needs too,
 * are kept; if there are none, rows are expanded again for every window. The input's zero point is folded into the bias
 * of the expansion; that of the expanded values into the bias of the output, and padding holds it.
 *
 * in[k]           input row under kernel row k [..][in_channels], NULL where that row is padding or carried
 * out             output row [out_width][channels]
 * scratch         planes int8[2][kernel_height][plane_width], wide enough for whole fours,
 *                 then carried rows int8[channels][carried_rows][in_columns]
 * expand_weights  [channels][in_channels]
 * weights         [channels][kernel_height][kernel_width]
 */
#include "rivulet.h"

typedef struct {
    int32_t in_channels;
    int32_t in_columns;
    int32_t channels;
    int32_t expanded_zero_point;
    int32_t expanded_min;
    int32_t expanded_max;
    int32_t pad_left;
    int32_t plane_width;
    int32_t carried_rows;
    int32_t out_height;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_expand_depthwise2d_s8_geometry;

typedef struct {
    const int8_t *expand_weights;
    const int32_t *expand_bias;
    const int32_t *expand_multiplier;
    const int8_t *expand_shift;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_expand_depthwise2d_s8_data;

void rv_expand_depthwise2d_s8(const rv_expand_depthwise2d_s8_geometry *G, const rv_expand_depthwise2d_s8_data *D,
                              const rv_row *row)
{
    const int32_t plane_bytes = G->kernel_height * G->plane_width;
    const int32_t carried_bytes = G->carried_rows * G->in_columns;
    /* Nothing is carried into the first row of an image. */
    const int32_t carried_rows = row->y % G->out_height == 0 ? 0 : G->carried_rows;
    int8_t *planes = row->scratch;
    int8_t *carried = planes + 2 * plane_bytes;

    memset(planes, G->expanded_zero_point, (size_t)(2 * plane_bytes));
    for (int32_t a = 0; a < G->channels; a += 2) {
        /* A last single channel or pixel is expanded twice instead of having code of its own. */
        const int32_t b = a + 1 < G->channels ? a + 1 : a;
        const int8_t *weights_a = D->expand_weights + a * G->in_channels;
        const int8_t *weights_b = D->expand_weights + b * G->in_channels;

        for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
            const int8_t *in = row->in[ky];
            int8_t *line_a = planes + ky * G->plane_width + G->pad_left;
            int8_t *line_b = line_a + plane_bytes;
            if (in == NULL) {
                continue;
            }
            for (int32_t x = 0; x < G->in_columns; x += 2) {
                const int32_t next_pixel = x + 1 < G->in_columns ? 1 : 0;
                const int8_t *in0 = in + x * G->in_channels;
                const int8_t *in1 = in0 + next_pixel * G->in_channels;
                int32_t a0 = D->expand_bias[a];
                int32_t b0 = D->expand_bias[b];
                int32_t a1 = a0;
                int32_t b1 = b0;

                for (int32_t c = 0; c < G->in_channels; ++c) {
                    const int32_t wa = weights_a[c];
                    const int32_t wb = weights_b[c];
                    const int32_t x0 = in0[c];
                    const int32_t x1 = in1[c];
                    a0 += wa * x0;
                    b0 += wb * x0;
                    a1 += wa * x1;
                    b1 += wb * x1;
                }
                const int32_t multiplier_a = D->expand_multiplier[a];
                const int32_t multiplier_b = D->expand_multiplier[b];
                const int32_t shift_a = D->expand_shift[a];
                const int32_t shift_b = D->expand_shift[b];
                a0 = rv_requantize(a0, multiplier_a, shift_a) + G->expanded_zero_point;
                b0 = rv_requantize(b0, multiplier_b, shift_b) + G->expanded_zero_point;
                a1 = rv_requantize(a1, multiplier_a, shift_a) + G->expanded_zero_point;
                b1 = rv_requantize(b1, multiplier_b, shift_b) + G->expanded_zero_point;
                line_a[x] = (int8_t)rv_clamp(a0, G->expanded_min, G->expanded_max);
                line_b[x] = (int8_t)rv_clamp(b0, G->expanded_min, G->expanded_max);
                line_a[x + next_pixel] = (int8_t)rv_clamp(a1, G->expanded_min, G->expanded_max);
                line_b[x + next_pixel] = (int8_t)rv_clamp(b1, G->expanded_min, G->expanded_max);
            }
        }

        for (int32_t channel = a; channel <= b; ++channel) {
            int8_t *plane = planes + (channel - a) * plane_bytes;
            int8_t *line = plane + G->pad_left;
            const int8_t *weights = D->weights + channel * G->kernel_height * G->kernel_width;
            const int32_t bias = D->bias[channel];
            const int32_t multiplier = D->multiplier[channel];
            const int32_t shift = D->shift[channel];
            int8_t *out = (int8_t *)row->out + channel;

            for (int32_t ky = 0; ky < carried_rows; ++ky) {
                memcpy(line + ky * G->plane_width, carried + ky * G->in_columns, (size_t)G->in_columns);
            }
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
                    out[G->channels] = (int8_t)rv_clamp(sum1, G->out_min, G->out_max);
                }
                if (x + 2 < G->out_width) {
                    out[2 * G->channels] = (int8_t)rv_clamp(sum2, G->out_min, G->out_max);
                }
                if (x + 3 < G->out_width) {
                    out[3 * G->channels] = (int8_t)rv_clamp(sum3, G->out_min, G->out_max);
                }
                out += 4 * G->channels;
            }
            line += (G->kernel_height - G->carried_rows) * G->plane_width;
            for (int32_t ky = 0; ky < G->carried_rows; ++ky) {
                memcpy(carried + ky * G->in_columns, line + ky * G->plane_width, (size_t)G->in_columns);
            }
            carried += carried_bytes;
        }
    }
}
