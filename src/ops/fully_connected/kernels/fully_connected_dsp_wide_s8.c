/*
 * One vector through an int8 fully connected layer, four outputs at a time, which share inputs that were
 * widened once; at least four.
 *
 * in[0]      input vector [inputs]
 * out        output vector [outputs]
 * scratch    the input as pairs p, q of rv_dsp_add_products: int16[inputs rounded up to 4]
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
} rv_fully_connected_dsp_wide_s8_geometry;

typedef struct {
    const int32_t *weights;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_fully_connected_dsp_wide_s8_data;

void rv_fully_connected_dsp_wide_s8(const rv_fully_connected_dsp_wide_s8_geometry *G, const rv_fully_connected_dsp_wide_s8_data *D,
                                    const rv_row *row)
{
    const int8_t *in = row->in[0];
    const int8_t *const words_end = in + (G->inputs & ~3);
    uint32_t *widened = row->scratch;
    const int32_t *weights = D->weights;
    int8_t *out = row->out;

    for (; in != words_end; in += 4) {
        const uint32_t inputs = rv_load32(in);
        widened[0] = rv_dsp_low_inputs(inputs);
        widened[1] = rv_dsp_high_inputs(inputs, widened[0]);
        widened += 2;
    }
    if (G->inputs % 4 != 0) {
        const uint32_t inputs = rv_dsp_last_inputs(in, G->inputs % 4);
        widened[0] = rv_dsp_low_inputs(inputs);
        widened[1] = rv_dsp_high_inputs(inputs, widened[0]);
        widened += 2;
    }
    for (int32_t first = 0; first < G->outputs; first += 4) {
        const uint32_t *pairs = row->scratch;
        uint32_t p;
        uint32_t q;
        rv_four_sums sums = {{0, 0, 0, 0}};

        while (widened - pairs >= 8) {
            pairs = rv_dsp_load_inputs(pairs, &p, &q);
            weights = rv_dsp_add_products(weights, p, q, &sums);
            pairs = rv_dsp_load_inputs(pairs, &p, &q);
            weights = rv_dsp_add_products(weights, p, q, &sums);
            pairs = rv_dsp_load_inputs(pairs, &p, &q);
            weights = rv_dsp_add_products(weights, p, q, &sums);
            pairs = rv_dsp_load_inputs(pairs, &p, &q);
            weights = rv_dsp_add_products(weights, p, q, &sums);
        }
        while (pairs != widened) {
            pairs = rv_dsp_load_inputs(pairs, &p, &q);
            weights = rv_dsp_add_products(weights, p, q, &sums);
        }
        const int32_t at = rv_dsp_group_of_four(first, G->outputs);
        const int32_t scale = at * G->multiplier_step;
        rv_dsp_store_outputs(&sums, weights, D->multiplier + scale, D->shift + scale, G->multiplier_step,
                             G->out_zero_point, out + at);
        weights += 4;
    }
    rv_dsp_clamp_row(out, G->outputs, G->out_min, G->out_max);
}
