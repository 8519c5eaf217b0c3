/*
 * e^(beta * x) over its sum, along the last dimension, whole.
 *
 * in[0]      [rows][classes]
 * out        [rows][classes]
 * beta       a single number
 */
#include "rivulet_float.h"

typedef struct {
    int32_t rows;
    int32_t classes;
} rv_softmax_f32_geometry;

typedef struct {
    const float *beta;
} rv_softmax_f32_data;

void rv_softmax_f32(const rv_softmax_f32_geometry *G, const rv_softmax_f32_data *D, const rv_row *row)
{
    const float *in = row->in[0];
    float *out = row->out;

    for (int32_t r = 0; r < G->rows; ++r) {
        float most = in[0];
        float sum = 0.0f;

        for (int32_t c = 1; c < G->classes; ++c) {
            most = in[c] > most ? in[c] : most;
        }
        for (int32_t c = 0; c < G->classes; ++c) {
            out[c] = rv_exponential(D->beta[0] * (in[c] - most));
            sum += out[c];
        }
        for (int32_t c = 0; c < G->classes; ++c) {
            out[c] /= sum;
        }
        in += G->classes;
        out += G->classes;
    }
}
