/*
 * One output row of the sum of two int8 tensors of any scales, four elements at a time: both are brought to twice the larger
 * scale, with 20 more bits; the one of the larger scale by a factor of 2^21 and an exact half.
 *
 * in[0], in[1]  rows of the operands; the strides are 0 where an operand has a single pixel for all
 * out           output row [width][channels]
 */
#include "rivulet_mve.h"

typedef struct {
    int32_t width;
    int32_t channels;
    int32_t a_pixel_stride;
    int32_t b_pixel_stride;
    int32_t a_factor;
    int32_t b_factor;
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
} rv_add_mve_s8_geometry;

void rv_add_mve_s8(const rv_add_mve_s8_geometry *G, const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, G->out_min, G->out_max};
    const int32_t whole = G->channels & ~3;
    const int32_t a_factor = G->a_factor;
    const int32_t b_factor = G->b_factor;
    const int32_t a_addend = -G->a_zero_point * a_factor;
    const int32_t b_addend = -G->b_zero_point * b_factor;
    const int8_t *a = row->in[0];
    const int8_t *b = row->in[1];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; ++x) {
        for (int32_t c = 0; c < whole; c += 4) {
            const rv_mve_int32x4 wide_a = rv_mve_affine4(rv_mve_load4(a + c), a_factor, a_addend);
            const rv_mve_int32x4 wide_b = rv_mve_affine4(rv_mve_load4(b + c), b_factor, b_addend);
            const rv_mve_int32x4 sum = rv_mve_add4(rv_mve_scale4(wide_a, G->a_multiplier, G->a_shift),
                                                   rv_mve_scale4(wide_b, G->b_multiplier, G->b_shift));
            rv_mve_store4(out + c, rv_mve_scale4(sum, G->out_multiplier, G->out_shift), &output);
        }
        for (int32_t c = whole; c < G->channels; ++c) {
            const int32_t scaled_a = rv_requantize(a[c] * a_factor + a_addend, G->a_multiplier, G->a_shift);
            const int32_t scaled_b = rv_requantize(b[c] * b_factor + b_addend, G->b_multiplier, G->b_shift);
            const int32_t y = rv_requantize(scaled_a + scaled_b, G->out_multiplier, G->out_shift);
            out[c] = (int8_t)rv_clamp(y + G->out_zero_point, G->out_min, G->out_max);
        }
        a += G->a_pixel_stride;
        b += G->b_pixel_stride;
        out += G->channels;
    }
}
