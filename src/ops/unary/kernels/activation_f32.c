/*
 * A function of one number, element by element, whole. Functions: 0 the number between bounds, 1 logistic, 2 hyperbolic tangent,
 * 3 x * clamp(x + 3, 0, 6) / 6, 4 x where it is positive and x times the first number elsewhere.
 *
 * in[0]      [size]
 * out        [size]
 * numbers    lowest and highest value (function 0), slope (function 4)
 */
#include "rivulet_float.h"

typedef struct {
    int32_t function;
    int32_t size;
} rv_activation_f32_geometry;

typedef struct {
    const float *numbers;
} rv_activation_f32_data;

void rv_activation_f32(const rv_activation_f32_geometry *G, const rv_activation_f32_data *D, const rv_row *row)
{
    const float *in = row->in[0];
    float *out = row->out;

    if (G->function == 0) {
        const rv_floats lowest = rv_floats_of(D->numbers[0]);
        const rv_floats highest = rv_floats_of(D->numbers[1]);

        for (int32_t i = 0; i < G->size; i += RV_FLOATS) {
            const int32_t lanes = G->size - i < RV_FLOATS ? G->size - i : RV_FLOATS;
            rv_store_some(out + i, rv_clamp_floats(rv_load_some(in + i, lanes), lowest, highest), lanes);
        }
        return;
    }
    for (int32_t i = 0; i < G->size; ++i) {
        const float x = in[i];

        switch (G->function) {
        case 1:
            out[i] = 1.0f / (1.0f + rv_exponential(-x));
            break;
        case 2:
            out[i] = x < 0.01f && x > -0.01f ? x - x * x * x / 3.0f : 1.0f - 2.0f / (1.0f + rv_exponential(2.0f * x));
            break;
        case 3:
            out[i] = x * rv_clamp_float(x + 3.0f, 0.0f, 6.0f) / 6.0f;
            break;
        default:
            out[i] = x < 0.0f ? x * D->numbers[0] : x;
        }
    }
}
