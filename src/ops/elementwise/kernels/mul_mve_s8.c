/*
 * One output row of the product of two int8 tensors, four elements at a time.
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
    int32_t a_zero_point;
    int32_t b_zero_point;
    int32_t out_zero_point;
    int32_t out_multiplier;
    int32_t out_shift;
    int32_t out_min;
    int32_t out_max;
} rv_mul_mve_s8_geometry;

void rv_mul_mve_s8(const rv_mul_mve_s8_geometry *G, const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, G->out_min, G->out_max};
    const int32_t whole = G->channels & ~3;
    const int8_t *a = row->in[0];
    const int8_t *b = row->in[1];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; ++x) {
        for (int32_t c = 0; c < whole; c += 4) {
            const rv_mve_int32x4 wide_a = rv_mve_affine4(rv_mve_load4(a + c), 1, -G->a_zero_point);
            const rv_mve_int32x4 wide_b = rv_mve_affine4(rv_mve_load4(b + c), 1, -G->b_zero_point);
            const rv_mve_int32x4 product = rv_mve_multiply4(wide_a, wide_b);
            rv_mve_store4(out + c, rv_mve_scale4(product, G->out_multiplier, G->out_shift), &output);
        }
        for (int32_t c = whole; c < G->channels; ++c) {
            const int32_t product = (a[c] - G->a_zero_point) * (b[c] - G->b_zero_point);
            const int32_t y = rv_requantize(product, G->out_multiplier, G->out_shift) + G->out_zero_point;
            out[c] = (int8_t)rv_clamp(y, G->out_min, G->out_max);
        }
        a += G->a_pixel_stride;
        b += G->b_pixel_stride;
        out += G->channels;
    }
}
