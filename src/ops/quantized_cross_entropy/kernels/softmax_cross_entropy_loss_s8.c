/*
 * The cross-entropy of the softmax of int8 logits, in nats, or -1 for a label that does not exist.
 *
 * in[0]      logits [classes]
 * in[1]      int32, the label
 * out        float, a multiple of 2^-16
 * exponentials[d]  e to the power of d steps below the maximum, 24 fraction bits [256]
 */
#include "rivulet_loss.h"

typedef struct {
    int32_t classes;
    int32_t step; /* of the logits, 24 fraction bits */
} rv_softmax_cross_entropy_loss_s8_geometry;

typedef struct {
    const int32_t *exponentials;
} rv_softmax_cross_entropy_loss_s8_data;

void rv_softmax_cross_entropy_loss_s8(const rv_softmax_cross_entropy_loss_s8_geometry *G,
                                      const rv_softmax_cross_entropy_loss_s8_data *D, const rv_row *row)
{
    const int8_t *logits = row->in[0];
    float *out = row->out;
    int32_t label;

    memcpy(&label, row->in[1], sizeof label);
    if (label < 0 || label >= G->classes) {
        *out = -1.0f;
    } else {
        const int32_t largest = rv_largest(logits, G->classes);
        const uint64_t sum = rv_sum_of_exponentials(logits, G->classes, largest, D->exponentials);
        const int64_t distance = ((int64_t)(largest - logits[label]) * G->step + 128) >> 8;
        const int64_t loss = distance + rv_logarithm(sum);
        *out = (float)(int32_t)(loss > INT32_MAX ? INT32_MAX : loss) / 65536.0f;
    }
}
