/*
 * The mean over the batch of -(1 - smoothing) * ln(softmax(logits)[label]) - smoothing * (the mean of ln(softmax(logits)) over
 * all classes), whole. A label that is no class counts 0.
 *
 * in[0]      logits [batch][classes]
 * in[1]      labels int32 [batch]
 * out        one float
 * smoothing  one float
 */
#include "rivulet_float.h"

typedef struct {
    int32_t batch;
    int32_t classes;
} rv_softmax_cross_entropy_f32_geometry;

typedef struct {
    const float *smoothing;
} rv_softmax_cross_entropy_f32_data;

void rv_softmax_cross_entropy_f32(const rv_softmax_cross_entropy_f32_geometry *G,
                                  const rv_softmax_cross_entropy_f32_data *D, const rv_row *row)
{
    const float *in = row->in[0];
    const int32_t *labels = row->in[1];
    float *out = row->out;
    const float smoothing = D->smoothing[0];
    float loss = 0.0f;

    for (int32_t n = 0; n < G->batch; ++n) {
        float most = in[0];
        float sum = 0.0f;
        float total = 0.0f;

        for (int32_t c = 1; c < G->classes; ++c) {
            most = in[c] > most ? in[c] : most;
        }
        for (int32_t c = 0; c < G->classes; ++c) {
            sum += rv_exponential(in[c] - most);
            total += in[c] - most;
        }
        if (labels[n] >= 0 && labels[n] < G->classes) {
            loss += rv_logarithm(sum) - (1.0f - smoothing) * (in[labels[n]] - most) - smoothing * (total / (float)G->classes);
        }
        in += G->classes;
    }
    out[0] = loss / (float)G->batch;
}
