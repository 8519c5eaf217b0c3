/*
 * One row of float32 to 8 bits: real / scale to nearest, halves away from zero. NaN becomes the lowest value.
 *
 * in[0]      row of `size` floats
 * out        row of `size` bytes, int8 where sign_bit is 128 and uint8 where it is 0
 * scale      the real value of one step, a single element; zero_point counts from the lowest value
 */
#include "rivulet.h"

typedef struct {
    int32_t size;
    int32_t zero_point;
    int32_t sign_bit;
} rv_quantize_f32_s8_geometry;

typedef struct {
    const float *scale;
} rv_quantize_f32_s8_data;

void rv_quantize_f32_s8(const rv_quantize_f32_s8_geometry *G, const rv_quantize_f32_s8_data *D, const rv_row *row)
{
    const float *in = row->in[0];
    uint8_t *out = row->out;
    const float scale = D->scale[0];

    for (int32_t i = 0; i < G->size; ++i) {
        float steps = in[i] / scale;
        /* Far outside the range already, and small enough for what follows to be exact; false for NaN. */
        steps = steps > -512.0f ? steps : -512.0f;
        steps = steps < 512.0f ? steps : 512.0f;
        int32_t nearest = (int32_t)steps;
        const float rest = steps - (float)nearest;
        nearest += rest >= 0.5f ? 1 : 0;
        nearest -= rest <= -0.5f ? 1 : 0;
        out[i] = (uint8_t)(rv_clamp(nearest + G->zero_point, 0, 255) ^ G->sign_bit);
    }
}
