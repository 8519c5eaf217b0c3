/*
 * The mean over the batch of -ln(softmax(logits)[label]), whole. A label that is no class counts 0.
 *
 * in[0]      logits [batch][classes]
 * in[1]      labels int32 [batch]
 * out        one float
 */
#include "rivulet_float.h"

typedef struct {
    int32_t batch;
    int32_t classes;
} rv_softmax_cross_entropy_f32_geometry;

void rv_softmax_cross_entropy_f32(const rv_softmax_cross_entropy_f32_geometry *G, const rv_row *row)
{
    const float *in = row->in[0];
    const int32_t *labels = row->in[1];
    float *out = row->out;
    float loss = 0.0f;

    for (int32_t n = 0; n < G->batch; ++n) {
        float most = in[0];
        float sum = 0.0f;

        for (int32_t c = 1; c < G->classes; ++c) {
            most = in[c] > most ? in[c] : most;
        }
        for (int32_t c = 0; c < G->classes; ++c) {
            sum += rv_exponential(in[c] - most);
        }
        if (labels[n] >= 0 && labels[n] < G->classes) {
            loss += rv_logarithm(sum) + most - in[labels[n]];
        }
        in += G->classes;
    }
    out[0] = loss / (float)G->batch;
}
