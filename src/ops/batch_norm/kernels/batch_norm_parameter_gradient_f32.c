/*
 * Gradients of gamma and beta, whole: sums over all rows of the gradient where the clamp lets it through, and of its product
 * with the normalised input.
 *
 * in[0]      x [rows][channels]
 * in[1]      moments [2][channels]: means and variances
 * in[2]      gamma [channels]
 * in[3]      beta [channels]
 * in[4]      gradient of y [rows][channels]
 * out        [2][channels]: gradients of gamma, then of beta
 * scratch    five times the channels, repeated until they fill vectors
 * numbers    epsilon, lowest and highest value of y
 */
#include "rivulet_float.h"

typedef struct {
    int32_t rows;
    int32_t channels;
} rv_batch_norm_parameter_gradient_f32_geometry;

typedef struct {
    const float *numbers;
} rv_batch_norm_parameter_gradient_f32_data;

void rv_batch_norm_parameter_gradient_f32(const rv_batch_norm_parameter_gradient_f32_geometry *G, const rv_batch_norm_parameter_gradient_f32_data *D,
                                          const rv_row *row)
{
    const int32_t rows = rv_period_rows(G->channels);
    const int32_t period = rows * G->channels;
    const int32_t size = G->rows * G->channels;
    const int32_t chunk = (4096 / period + 1) * period;
    const int32_t whole = size / period * period;
    const float *in = row->in[0];
    const float *moments = row->in[1];
    const float *gamma = row->in[2];
    const float *beta = row->in[3];
    const float *errors = row->in[4];
    float *out = row->out;
    float *factors = row->scratch;
    float *summands = factors + period;
    float *means = summands + period;
    float *sums = means + period;
    float *products = sums + period;
    const rv_floats lowest = rv_floats_of(D->numbers[1]);
    const rv_floats highest = rv_floats_of(D->numbers[2]);

    for (int32_t c = 0; c < G->channels; ++c) {
        factors[c] = gamma[c] / rv_square_root(moments[G->channels + c] + D->numbers[0]);
        summands[c] = beta[c] - moments[c] * factors[c];
    }
    rv_repeat_floats(factors + G->channels, factors, G->channels, rows - 1);
    rv_repeat_floats(summands + G->channels, summands, G->channels, rows - 1);
    rv_repeat_floats(means, moments, G->channels, rows);
    memset(sums, 0, 2 * (size_t)period * sizeof *sums);
    for (int32_t start = 0; start < whole; start += chunk) {
        const int32_t end = whole - start < chunk ? whole : start + chunk;

        for (int32_t v = 0; v < period; v += RV_FLOATS) {
            const rv_floats factor = rv_load_floats(factors + v);
            const rv_floats summand = rv_load_floats(summands + v);
            const rv_floats mean = rv_load_floats(means + v);
            rv_floats sum = rv_load_floats(sums + v);
            rv_floats product = rv_load_floats(products + v);
            rv_floats odd_sum = rv_floats_of(0.0f);
            rv_floats odd_product = odd_sum;
            int32_t i = start + v;

            for (; i + period < end; i += 2 * period) {
                const rv_floats x = rv_load_floats(in + i);
                const rv_floats odd_x = rv_load_floats(in + i + period);
                const rv_floats error = rv_where_inside(x * factor + summand, lowest, highest, rv_load_floats(errors + i));
                const rv_floats odd_error =
                    rv_where_inside(odd_x * factor + summand, lowest, highest, rv_load_floats(errors + i + period));

                sum += error;
                product += error * (x - mean);
                odd_sum += odd_error;
                odd_product += odd_error * (odd_x - mean);
            }
            if (i < end) {
                const rv_floats x = rv_load_floats(in + i);
                const rv_floats error = rv_where_inside(x * factor + summand, lowest, highest, rv_load_floats(errors + i));

                sum += error;
                product += error * (x - mean);
            }
            rv_store_floats(sums + v, sum + odd_sum);
            rv_store_floats(products + v, product + odd_product);
        }
    }
    for (int32_t i = whole; i < size; ++i) {
        const int32_t v = i - whole;
        const float y = in[i] * factors[v] + summands[v];

        if (!(y <= D->numbers[1] || y >= D->numbers[2])) {
            sums[v] += errors[i];
            products[v] += errors[i] * (in[i] - means[v]);
        }
    }
    for (int32_t c = 0; c < G->channels; ++c) {
        float sum = 0.0f;
        float product = 0.0f;

        for (int32_t i = c; i < period; i += G->channels) {
            sum += sums[i];
            product += products[i];
        }
        out[c] = product / rv_square_root(moments[G->channels + c] + D->numbers[0]);
        out[G->channels + c] = sum;
    }
}
