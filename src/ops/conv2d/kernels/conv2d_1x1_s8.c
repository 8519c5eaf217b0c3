/*
 * One output row of a pointwise int8 convolution without padding, two pixels by two channels at a time: every loaded
 * value is used twice. The input's zero point is folded into the bias.
 *
 * in[0]      input row [width][in_channels]
 * out        output row [width][out_channels]
 * weights    [out_channels][in_channels]
 */
#include "rivulet.h"

typedef struct {
    int32_t width;
    int32_t in_channels;
    int32_t out_channels;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_conv2d_1x1_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_conv2d_1x1_s8_data;

void rv_conv2d_1x1_s8(const rv_conv2d_1x1_s8_geometry *G, const rv_conv2d_1x1_s8_data *D, const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; x += 2) {
        /* A last single pixel or channel is computed twice instead of having code of its own. */
        const int32_t next_pixel = x + 1 < G->width ? 1 : 0;
        const int8_t *in0 = in + x * G->in_channels;
        const int8_t *in1 = in0 + next_pixel * G->in_channels;
        int8_t *out0 = out + x * G->out_channels;
        int8_t *out1 = out0 + next_pixel * G->out_channels;

        for (int32_t a = 0; a < G->out_channels; a += 2) {
            const int32_t b = a + 1 < G->out_channels ? a + 1 : a;
            const int8_t *weights_a = D->weights + a * G->in_channels;
            const int8_t *weights_b = D->weights + b * G->in_channels;
            int32_t a0 = D->bias[a];
            int32_t b0 = D->bias[b];
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
            const int32_t multiplier_a = D->multiplier[a];
            const int32_t multiplier_b = D->multiplier[b];
            const int32_t shift_a = D->shift[a];
            const int32_t shift_b = D->shift[b];
            a0 = rv_requantize(a0, multiplier_a, shift_a) + G->out_zero_point;
            b0 = rv_requantize(b0, multiplier_b, shift_b) + G->out_zero_point;
            a1 = rv_requantize(a1, multiplier_a, shift_a) + G->out_zero_point;
            b1 = rv_requantize(b1, multiplier_b, shift_b) + G->out_zero_point;
            out0[a] = (int8_t)rv_clamp(a0, G->out_min, G->out_max);
            out0[b] = (int8_t)rv_clamp(b0, G->out_min, G->out_max);
            out1[a] = (int8_t)rv_clamp(a1, G->out_min, G->out_max);
            out1[b] = (int8_t)rv_clamp(b1, G->out_min, G->out_max);
        }
    }
}
