/*
 * Gradient of x, whole, for moments that are those of x: with n rows, normalised input h and the clamped gradient e of y,
 * gamma / sqrt(variance + epsilon) * (e - (sum of e + h * sum of e * h) / n).
 *
 * in[0]      x [rows][channels]
 * in[1]      moments [2][channels]: means and variances
 * in[2]      gamma [channels]
 * in[3]      beta [channels]
 * in[4]      gradient of y [rows][channels]
 * in[5]      gradients of gamma and beta [2][channels], which are these sums
 * out        [rows][channels]
 * scratch    five times the channels, repeated until they fill vectors
 * numbers    epsilon, lowest and highest value of y
 */
#include "rivulet_float.h"

typedef struct {
    int32_t rows;
    int32_t channels;
} rv_batch_norm_input_gradient_f32_geometry;

typedef struct {
    const float *numbers;
} rv_batch_norm_input_gradient_f32_data;

void rv_batch_norm_input_gradient_f32(const rv_batch_norm_input_gradient_f32_geometry *G, const rv_batch_norm_input_gradient_f32_data *D,
                                      const rv_row *row)
{
    const int32_t rows = rv_period_rows(G->channels);
    const int32_t period = rows * G->channels;
    const int32_t size = G->rows * G->channels;
    const int32_t whole = size / period * period;
    const float *in = row->in[0];
    const float *moments = row->in[1];
    const float *gamma = row->in[2];
    const float *beta = row->in[3];
    const float *errors = row->in[4];
    const float *gradients = row->in[5];
    float *out = row->out;
    float *factors = row->scratch;
    float *summands = factors + period;
    float *slopes = summands + period;
    float *offsets = slopes + period;
    const rv_floats lowest = rv_floats_of(D->numbers[1]);
    const rv_floats highest = rv_floats_of(D->numbers[2]);

    for (int32_t c = 0; c < G->channels; ++c) {
        const float inverse = 1.0f / rv_square_root(moments[G->channels + c] + D->numbers[0]);

        factors[c] = gamma[c] * inverse;
        summands[c] = beta[c] - moments[c] * factors[c];
        slopes[c] = -factors[c] * inverse * gradients[c] / (float)G->rows;
        offsets[c] = -factors[c] * gradients[G->channels + c] / (float)G->rows - moments[c] * slopes[c];
    }
    rv_repeat_floats(factors + G->channels, factors, G->channels, rows - 1);
    rv_repeat_floats(summands + G->channels, summands, G->channels, rows - 1);
    rv_repeat_floats(slopes + G->channels, slopes, G->channels, rows - 1);
    rv_repeat_floats(offsets + G->channels, offsets, G->channels, rows - 1);
    for (int32_t start = 0; start < whole; start += period) {
        for (int32_t v = 0; v < period; v += RV_FLOATS) {
            const rv_floats x = rv_load_floats(in + start + v);
            const rv_floats factor = rv_load_floats(factors + v);
            const rv_floats y = x * factor + rv_load_floats(summands + v);
            const rv_floats error = rv_where_inside(y, lowest, highest, rv_load_floats(errors + start + v));

            rv_store_floats(out + start + v,
                            error * factor + (x * rv_load_floats(slopes + v) + rv_load_floats(offsets + v)));
        }
    }
    for (int32_t i = whole; i < size; ++i) {
        const int32_t v = i - whole;
        const float y = in[i] * factors[v] + summands[v];
        const float error = y <= D->numbers[1] || y >= D->numbers[2] ? 0.0f : errors[i];

        out[i] = error * factors[v] + (in[i] * slopes[v] + offsets[v]);
    }
}
