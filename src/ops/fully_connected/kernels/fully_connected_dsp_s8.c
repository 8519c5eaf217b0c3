/*
 * One vector through an int8 fully connected layer, four outputs at a time; at least four.
 *
 * in[0]      input vector [inputs]
 * out        output vector [outputs]
 * weights    for each group of four outputs (the last one may overlap the one before it): four words for each four
 *            inputs, see rv_dsp_add_products, zeros beyond the last input; then four doubled biases
 * multiplier [outputs] with multiplier_step 1, or a single one for all outputs with multiplier_step 0; likewise shift
 */
#include "rivulet_dsp_dense.h"

typedef struct {
    int32_t inputs;
    int32_t outputs;
    int32_t multiplier_step;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_fully_connected_dsp_s8_geometry;

typedef struct {
    const int32_t *weights;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_fully_connected_dsp_s8_data;

void rv_fully_connected_dsp_s8(const rv_fully_connected_dsp_s8_geometry *G, const rv_fully_connected_dsp_s8_data *D,
                               const rv_row *row)
{
    const int8_t *const words_end = (const int8_t *)row->in[0] + (G->inputs & ~3);
    const int8_t *const blocks_end = (const int8_t *)row->in[0] + (G->inputs & ~15);
    const int32_t *weights = D->weights;
    int8_t *out = row->out;

    for (int32_t first = 0; first < G->outputs; first += 4) {
        const int8_t *in = row->in[0];
        rv_four_sums sums = {{0, 0, 0, 0}};

        while (in != blocks_end) {
            weights = rv_dsp_add_input_products(weights, rv_load32(in), &sums);
            weights = rv_dsp_add_input_products(weights, rv_load32(in + 4), &sums);
            weights = rv_dsp_add_input_products(weights, rv_load32(in + 8), &sums);
            weights = rv_dsp_add_input_products(weights, rv_load32(in + 12), &sums);
            in += 16;
        }
        while (in != words_end) {
            weights = rv_dsp_add_input_products(weights, rv_load32(in), &sums);
            in += 4;
        }
        if (G->inputs % 4 != 0) {
            weights = rv_dsp_add_input_products(weights, rv_dsp_last_inputs(in, G->inputs % 4), &sums);
        }
        const int32_t at = rv_dsp_group_of_four(first, G->outputs);
        const int32_t scale = at * G->multiplier_step;
        rv_dsp_store_outputs(&sums, weights, D->multiplier + scale, D->shift + scale, G->multiplier_step,
                             G->out_zero_point, out + at);
        weights += 4;
    }
    rv_dsp_clamp_row(out, G->outputs, G->out_min, G->out_max);
}
