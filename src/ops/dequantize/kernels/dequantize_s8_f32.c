/*
 * One row of 8 bits to float32. Both factors are floats and their product is rounded once, so the result is that of
 * TFLite's double arithmetic.
 *
 * in[0]      row of `size` bytes, int8 where sign_bit is 128 and uint8 where it is 0
 * out        row of `size` floats
 * scale      the real value of one step, a single element; zero_point counts from the lowest value
 */
#include "rivulet.h"

typedef struct {
    int32_t size;
    int32_t zero_point;
    int32_t sign_bit;
} rv_dequantize_s8_f32_geometry;

typedef struct {
    const float *scale;
} rv_dequantize_s8_f32_data;

void rv_dequantize_s8_f32(const rv_dequantize_s8_f32_geometry *G, const rv_dequantize_s8_f32_data *D,
                          const rv_row *row)
{
    const uint8_t *in = row->in[0];
    float *out = row->out;
    const float scale = D->scale[0];

    for (int32_t i = 0; i < G->size; ++i) {
        out[i] = scale * (float)((in[i] ^ G->sign_bit) - G->zero_point);
    }
}
