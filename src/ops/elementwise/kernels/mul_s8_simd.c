/*
 * One output row of the product of two int8 tensors, eight elements at a time. The factors are those of rv_scaling.
 *
 * in[0], in[1]  rows of the operands; a pixel stride is 0 where an operand has a single pixel for all
 * out           output row [width][channels]
 */
#include "rivulet_simd.h"

typedef struct {
    int32_t width;
    int32_t channels;
    int32_t a_pixel_stride;
    int32_t b_pixel_stride;
    int32_t a_zero_point;
    int32_t b_zero_point;
    int32_t out_scale;
    int32_t out_multiplier;
    int32_t out_offset;
    int32_t out_negative;
    int32_t out_shift;
    int32_t out_min;
    int32_t out_max;
} rv_mul_s8_simd_geometry;

void rv_mul_s8_simd(const rv_mul_s8_simd_geometry *G, const rv_row *row)
{
    const int8_t *row_a = row->in[0];
    const int8_t *row_b = row->in[1];
    int8_t *out = row->out;
    const rv_scaling scaling =
        rv_splat_scaling(G->out_scale, G->out_multiplier, G->out_offset, G->out_negative, G->out_shift);
    const rv_i32x8 zero_a = rv_splat(-G->a_zero_point);
    const rv_i32x8 zero_b = rv_splat(-G->b_zero_point);

    for (int32_t x = 0; x < G->width; ++x) {
        const int8_t *in_a = row_a + x * G->a_pixel_stride;
        const int8_t *in_b = row_b + x * G->b_pixel_stride;

        for (int32_t c = 0; c < G->channels; c += RV_LANES) {
            const int32_t count = G->channels - c < RV_LANES ? G->channels - c : RV_LANES;
            const rv_i32x8 a = rv_add(rv_load_some_s8(in_a + c, count), zero_a);
            const rv_i32x8 b = rv_add(rv_load_some_s8(in_b + c, count), zero_b);
            rv_store_some_s8(out, rv_rescale(rv_mul(a, b), scaling), G->out_min, G->out_max, count);
            out += count;
        }
    }
}
