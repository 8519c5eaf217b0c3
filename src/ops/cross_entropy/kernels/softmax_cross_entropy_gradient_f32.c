/*
 * The gradient of the logits, whole: (softmax(logits) - target) / batch times the gradient of the loss, with target =
 * smoothing / classes everywhere, and 1 - smoothing more at the label. A label that is no class gives zeros.
 *
 * in[0]      logits [batch][classes]
 * in[1]      labels int32 [batch]
 * in[2]      gradient of the loss, one float
 * out        [batch][classes]
 * smoothing  one float
 */
#include "rivulet_float.h"

typedef struct {
    int32_t batch;
    int32_t classes;
} rv_softmax_cross_entropy_gradient_f32_geometry;

typedef struct {
    const float *smoothing;
} rv_softmax_cross_entropy_gradient_f32_data;

void rv_softmax_cross_entropy_gradient_f32(const rv_softmax_cross_entropy_gradient_f32_geometry *G,
                                           const rv_softmax_cross_entropy_gradient_f32_data *D, const rv_row *row)
{
    const float *in = row->in[0];
    const int32_t *labels = row->in[1];
    const float *error = row->in[2];
    float *out = row->out;
    const float apart = 1.0f - D->smoothing[0];
    const float everywhere = D->smoothing[0] / (float)G->classes;

    for (int32_t n = 0; n < G->batch; ++n) {
        const int32_t known = labels[n] >= 0 && labels[n] < G->classes;
        float most = in[0];
        float sum = 0.0f;

        for (int32_t c = 1; c < G->classes; ++c) {
            most = in[c] > most ? in[c] : most;
        }
        for (int32_t c = 0; c < G->classes; ++c) {
            out[c] = rv_exponential(in[c] - most);
            sum += out[c];
        }
        for (int32_t c = 0; c < G->classes; ++c) {
            const float share = out[c] / sum - everywhere - (c == labels[n] ? apart : 0.0f);
            out[c] = known ? share * (error[0] / (float)G->batch) : 0.0f;
        }
        in += G->classes;
        out += G->classes;
    }
}
