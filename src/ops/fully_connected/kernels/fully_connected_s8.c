/*
 * One vector through an int8 fully connected layer, two outputs at a time: both use every input that is loaded. The
 * input's zero point is folded into the bias.
 *
 * in[0]      input vector [inputs]
 * out        output vector [outputs]
 * weights    [outputs][inputs]
 * multiplier [outputs] with multiplier_step 1, or a single one for all outputs with multiplier_step 0; likewise shift
 */
#include "rivulet.h"

typedef struct {
    int32_t inputs;
    int32_t outputs;
    int32_t multiplier_step;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_fully_connected_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_fully_connected_s8_data;

void rv_fully_connected_s8(const rv_fully_connected_s8_geometry *G, const rv_fully_connected_s8_data *D,
                           const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;

    for (int32_t a = 0; a < G->outputs; a += 2) {
        /* A last single output is computed twice instead of having code of its own. */
        const int32_t b = a + 1 < G->outputs ? a + 1 : a;
        const int8_t *weights_a = D->weights + a * G->inputs;
        const int8_t *weights_b = D->weights + b * G->inputs;
        const int32_t scale_a = a * G->multiplier_step;
        const int32_t scale_b = b * G->multiplier_step;
        int32_t sum_a = D->bias[a];
        int32_t sum_b = D->bias[b];

        for (int32_t i = 0; i < G->inputs; ++i) {
            const int32_t value = in[i];
            sum_a += value * weights_a[i];
            sum_b += value * weights_b[i];
        }
        sum_a = rv_requantize(sum_a, D->multiplier[scale_a], D->shift[scale_a]) + G->out_zero_point;
        sum_b = rv_requantize(sum_b, D->multiplier[scale_b], D->shift[scale_b]) + G->out_zero_point;
        out[a] = (int8_t)rv_clamp(sum_a, G->out_min, G->out_max);
        out[b] = (int8_t)rv_clamp(sum_b, G->out_min, G->out_max);
    }
}
