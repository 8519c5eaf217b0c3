/*
 * Mean and variance of every channel over all rows, whole. Sums are taken of the distance to the first row, which keeps them
 * small where the mean is large, and chunk by chunk, which keeps their rounding errors small.
 *
 * in[0]      [rows][channels]
 * out        [2][channels]: means, then variances (the mean of the squared distances)
 * scratch    four times as many floats as channels have, repeated until they fill vectors: RV_FLOATS * channels at most each
 */
#include "rivulet_float.h"

typedef struct {
    int32_t rows;
    int32_t channels;
} rv_batch_moments_f32_geometry;

void rv_batch_moments_f32(const rv_batch_moments_f32_geometry *G, const rv_row *row)
{
    const int32_t period = rv_period_rows(G->channels) * G->channels;
    const int32_t size = G->rows * G->channels;
    const int32_t chunk = (4096 / period + 1) * period;
    const int32_t whole = size / period * period;
    const float *in = row->in[0];
    float *out = row->out;
    float *origin = row->scratch;
    float *sums = origin + period;
    float *squares = sums + period;

    rv_repeat_floats(origin, in, G->channels, period / G->channels);
    memset(sums, 0, 2 * (size_t)period * sizeof *sums);
    for (int32_t start = 0; start < whole; start += chunk) {
        const int32_t end = whole - start < chunk ? whole : start + chunk;

        for (int32_t v = 0; v < period; v += RV_FLOATS) {
            const rv_floats at = rv_load_floats(origin + v);
            rv_floats sum = rv_floats_of(0.0f);
            rv_floats square = sum;
            rv_floats odd_sum = sum;
            rv_floats odd_square = sum;
            int32_t i = start + v;

            for (; i + period < end; i += 2 * period) {
                const rv_floats a = rv_load_floats(in + i) - at;
                const rv_floats b = rv_load_floats(in + i + period) - at;

                sum += a;
                square += a * a;
                odd_sum += b;
                odd_square += b * b;
            }
            if (i < end) {
                const rv_floats a = rv_load_floats(in + i) - at;

                sum += a;
                square += a * a;
            }
            rv_store_floats(sums + v, rv_load_floats(sums + v) + (sum + odd_sum));
            rv_store_floats(squares + v, rv_load_floats(squares + v) + (square + odd_square));
        }
    }
    for (int32_t i = whole; i < size; ++i) {
        const float a = in[i] - origin[i - whole];

        sums[i - whole] += a;
        squares[i - whole] += a * a;
    }
    for (int32_t c = 0; c < G->channels; ++c) {
        float sum = 0.0f;
        float square = 0.0f;

        for (int32_t i = c; i < period; i += G->channels) {
            sum += sums[i];
            square += squares[i];
        }
        const float mean = sum / (float)G->rows;
        const float variance = square / (float)G->rows - mean * mean;
        out[c] = origin[c] + mean;
        out[G->channels + c] = variance > 0.0f ? variance : variance == variance ? 0.0f : variance;
    }
}
