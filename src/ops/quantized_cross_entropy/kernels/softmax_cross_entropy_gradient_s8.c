/*
 * The gradient of the cross-entropy of a softmax by its int8 logits: probabilities, less 1 at the label; zeros for a label
 * that does not exist.
 *
 * in[0]      logits [classes]
 * in[1]      int32, the label
 * in[2]      the scale of the gradient
 * out        gradient [classes]
 * exponentials[d]  e to the power of d steps below the maximum, 24 fraction bits [256]
 */
#include "rivulet_loss.h"

typedef struct {
    int32_t classes;
} rv_softmax_cross_entropy_gradient_s8_geometry;

typedef struct {
    const int32_t *exponentials;
} rv_softmax_cross_entropy_gradient_s8_data;

void rv_softmax_cross_entropy_gradient_s8(const rv_softmax_cross_entropy_gradient_s8_geometry *G,
                                          const rv_softmax_cross_entropy_gradient_s8_data *D, const rv_row *row)
{
    const int8_t *logits = row->in[0];
    int8_t *out = row->out;
    const int32_t largest = rv_largest(logits, G->classes);
    const uint64_t sum = rv_sum_of_exponentials(logits, G->classes, largest, D->exponentials);
    rv_gradient to = rv_gradient_begin(row->in[2]);
    int32_t label;

    memcpy(&label, row->in[1], sizeof label);
    do {
        for (int32_t i = 0; i < G->classes; ++i) {
            int32_t a = 0;
            if (label >= 0 && label < G->classes) {
                const uint64_t scaled = (uint64_t)(uint32_t)D->exponentials[largest - logits[i]] << 24;
                a = (int32_t)((scaled + sum / 2) / sum) - (i == label ? (int32_t)1 << 24 : 0);
            }
            out[i] = rv_gradient_round(&to, a);
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, -24, rv_state(row->in[2]));
}
