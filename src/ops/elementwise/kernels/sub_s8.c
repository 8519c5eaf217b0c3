/*
 * One output row of the difference of two int8 tensors of any scales: both are brought to twice the larger scale,
 * with 20 more bits.
 *
 * in[0], in[1]  rows of the operands; the strides are 0 where an operand has a single pixel or channel for all
 * out           output row [width][channels]
 */
#include "rivulet.h"

typedef struct {
    int32_t width;
    int32_t channels;
    int32_t a_pixel_stride;
    int32_t a_channel_stride;
    int32_t b_pixel_stride;
    int32_t b_channel_stride;
    int32_t a_zero_point;
    int32_t b_zero_point;
    int32_t out_zero_point;
    int32_t a_multiplier;
    int32_t a_shift;
    int32_t b_multiplier;
    int32_t b_shift;
    int32_t out_multiplier;
    int32_t out_shift;
    int32_t out_min;
    int32_t out_max;
} rv_sub_s8_geometry;

void rv_sub_s8(const rv_sub_s8_geometry *G, const rv_row *row)
{
    const int8_t *row_a = row->in[0];
    const int8_t *row_b = row->in[1];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; ++x) {
        const int8_t *in_a = row_a + x * G->a_pixel_stride;
        const int8_t *in_b = row_b + x * G->b_pixel_stride;

        for (int32_t c = 0; c < G->channels; ++c) {
            const int32_t a = (in_a[c * G->a_channel_stride] - G->a_zero_point) * (1 << 20);
            const int32_t b = (in_b[c * G->b_channel_stride] - G->b_zero_point) * (1 << 20);
            const int32_t scaled_a = rv_requantize(a, G->a_multiplier, G->a_shift);
            const int32_t scaled_b = rv_requantize(b, G->b_multiplier, G->b_shift);
            const int32_t y = rv_requantize(scaled_a - scaled_b, G->out_multiplier, G->out_shift);
            *out++ = (int8_t)rv_clamp(y + G->out_zero_point, G->out_min, G->out_max);
        }
    }
}
