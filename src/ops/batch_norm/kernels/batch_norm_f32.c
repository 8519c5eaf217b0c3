/*
 * y = clamp((x - mean) / sqrt(variance + epsilon) * gamma + beta) for every channel, whole.
 *
 * in[0]      x [rows][channels]
 * in[1]      moments [2][channels]: means and variances
 * in[2]      gamma [channels]
 * in[3]      beta [channels]
 * out        y [rows][channels]
 * scratch    factors and summands of the channels, repeated until they fill vectors
 * numbers    epsilon, lowest and highest value of the output
 */
#include "rivulet_float.h"

typedef struct {
    int32_t rows;
    int32_t channels;
} rv_batch_norm_f32_geometry;

typedef struct {
    const float *numbers;
} rv_batch_norm_f32_data;

void rv_batch_norm_f32(const rv_batch_norm_f32_geometry *G, const rv_batch_norm_f32_data *D, const rv_row *row)
{
    const int32_t rows = rv_period_rows(G->channels);
    const int32_t period = rows * G->channels;
    const int32_t size = G->rows * G->channels;
    const int32_t whole = size / period * period;
    const float *in = row->in[0];
    const float *moments = row->in[1];
    const float *gamma = row->in[2];
    const float *beta = row->in[3];
    float *out = row->out;
    float *factors = row->scratch;
    float *summands = factors + period;
    const rv_floats lowest = rv_floats_of(D->numbers[1]);
    const rv_floats highest = rv_floats_of(D->numbers[2]);

    for (int32_t c = 0; c < G->channels; ++c) {
        factors[c] = gamma[c] / rv_square_root(moments[G->channels + c] + D->numbers[0]);
        summands[c] = beta[c] - moments[c] * factors[c];
    }
    rv_repeat_floats(factors + G->channels, factors, G->channels, rows - 1);
    rv_repeat_floats(summands + G->channels, summands, G->channels, rows - 1);
    for (int32_t start = 0; start < whole; start += period) {
        for (int32_t v = 0; v < period; v += RV_FLOATS) {
            const rv_floats x = rv_load_floats(in + start + v);
            const rv_floats y = x * rv_load_floats(factors + v) + rv_load_floats(summands + v);

            rv_store_floats(out + start + v, rv_clamp_floats(y, lowest, highest));
        }
    }
    for (int32_t i = whole; i < size; ++i) {
        const float y = in[i] * factors[i - whole] + summands[i - whole];
        out[i] = rv_clamp_float(y, D->numbers[1], D->numbers[2]);
    }
}
