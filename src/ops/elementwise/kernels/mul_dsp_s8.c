/*
 * One output row of the product of two int8 tensors, four channels at a time.
 *
 * in[0], in[1]  rows of the operands [width][channels] or [1][channels], whose pixel stride is 0
 * out           output row [width][channels]
 */
#include "rivulet_dsp.h"

typedef struct {
    int32_t width;
    int32_t channels;
    int32_t a_pixel_stride;
    int32_t b_pixel_stride;
    int32_t a_zero_point;
    int32_t b_zero_point;
    int32_t out_multiplier;
    int32_t out_e;
    int32_t out_zero_point;
    int32_t out_is_relu;
    int32_t out_min;
    int32_t out_max;
} rv_mul_dsp_s8_geometry;

void rv_mul_dsp_s8(const rv_mul_dsp_s8_geometry *G, const rv_row *row)
{
    const int8_t *row_a = row->in[0];
    const int8_t *row_b = row->in[1];
    int8_t *out = row->out;
    const int32_t rounding = rv_in_register(rv_dsp_rounding(G->out_zero_point, G->out_e));
    const uint32_t offset_a = rv_pair16(-G->a_zero_point, -G->a_zero_point);
    const uint32_t offset_b = rv_pair16(-2 * G->b_zero_point, -2 * G->b_zero_point);

    for (int32_t x = 0; x < G->width; ++x) {
        const int8_t *a = row_a + x * G->a_pixel_stride;
        const int8_t *b = row_b + x * G->b_pixel_stride;
        const int8_t *const groups_end = a + (G->channels & ~3);
        const int8_t *const end = a + G->channels;

        for (; a != groups_end; a += 4) {
            const uint32_t bytes_a = rv_load32(a);
            const uint32_t bytes_b = rv_load32(b);
            const uint32_t a02 = rv_sxtab16(offset_a, bytes_a);
            const uint32_t a13 = rv_sxtab16_odd(offset_a, bytes_a);
            /* Twice b, so that the products are doubled. */
            const uint32_t b02 = rv_sxtab16(rv_sxtab16(offset_b, bytes_b), bytes_b);
            const uint32_t b13 = rv_sxtab16_odd(rv_sxtab16_odd(offset_b, bytes_b), bytes_b);

            out[0] = (int8_t)rv_dsp_requantize_within(rv_low16(a02) * rv_low16(b02), G->out_multiplier, rounding, G->out_e,
                                                      G->out_is_relu, G->out_min, G->out_max);
            out[1] = (int8_t)rv_dsp_requantize_within(rv_low16(a13) * rv_low16(b13), G->out_multiplier, rounding, G->out_e,
                                                      G->out_is_relu, G->out_min, G->out_max);
            out[2] = (int8_t)rv_dsp_requantize_within(rv_high16(a02) * rv_high16(b02), G->out_multiplier, rounding, G->out_e,
                                                      G->out_is_relu, G->out_min, G->out_max);
            out[3] = (int8_t)rv_dsp_requantize_within(rv_high16(a13) * rv_high16(b13), G->out_multiplier, rounding, G->out_e,
                                                      G->out_is_relu, G->out_min, G->out_max);
            b += 4;
            out += 4;
        }
        while (a != end) {
            const int32_t product = (*a++ - G->a_zero_point) * (*b++ - G->b_zero_point);
            *out++ = (int8_t)rv_dsp_requantize_within(2 * product, G->out_multiplier, rounding, G->out_e,
                                                      G->out_is_relu, G->out_min, G->out_max);
        }
    }
}
