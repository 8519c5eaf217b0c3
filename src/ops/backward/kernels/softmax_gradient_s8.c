/*
 * The gradient of a softmax.
 *
 * in[0]      probabilities [vectors][depth]: -128 is 0, a unit 1/256
 * in[1]      gradient of them [vectors][depth]
 * in[2]      its scale
 * in[3]      the scale of the gradient that is made
 * out        gradient of the softmax's input [vectors][depth]
 */
#include "rivulet_gradient.h"

typedef struct {
    int32_t vectors;
    int32_t depth;
    int32_t max_sum;  /* more is no sum of probabilities: the accumulators stay below 2^30 */
    int32_t fraction; /* that of two probabilities */
} rv_softmax_gradient_s8_geometry;

void rv_softmax_gradient_s8(const rv_softmax_gradient_s8_geometry *G, const rv_row *row)
{
    rv_gradient to = rv_gradient_begin(row->in[3]);

    do {
        const int8_t *share = row->in[0];
        const int8_t *gradient = row->in[1];
        int8_t *out = row->out;

        for (int32_t vector = 0; vector < G->vectors; ++vector) {
            int32_t mean = 0;

            for (int32_t c = 0; c < G->depth; ++c) {
                mean += gradient[c] * (share[c] + 128);
            }
            mean = rv_clamp(mean, -G->max_sum, G->max_sum);
            for (int32_t c = 0; c < G->depth; ++c) {
                *out++ = rv_gradient_round(&to, (share[c] + 128) * (256 * gradient[c] - mean));
            }
            share += G->depth;
            gradient += G->depth;
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, rv_exponent(row->in[2]) - G->fraction, rv_state(row->in[3]));
}
