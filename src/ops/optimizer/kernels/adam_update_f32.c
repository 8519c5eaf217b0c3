/*
 * One step of Adam (Kingma and Ba, 2015, algorithm 1), whole; decay is decoupled (Loshchilov and Hutter, 2019).
 *
 * in[0]      weights [size], changed in place
 * in[1]      first moments [size], changed in place
 * in[2]      second moments [size], changed in place
 * in[3]      powers of both rates after the steps so far, minus 1: two floats, changed in place, 0 at first
 * in[4]      gradient [size]
 * in[5]      learning rate, one float
 * out        the sum of the squared gradients, one float: not finite where the training has diverged
 * numbers    rate of the first and of the second moments, epsilon, decay
 */
#include "rivulet_float.h"

typedef struct {
    int32_t size;
} rv_adam_update_f32_geometry;

typedef struct {
    const float *numbers;
} rv_adam_update_f32_data;

void rv_adam_update_f32(const rv_adam_update_f32_geometry *G, const rv_adam_update_f32_data *D, const rv_row *row)
{
    float *weights = (float *)(uintptr_t)row->in[0];
    float *first = (float *)(uintptr_t)row->in[1];
    float *second = (float *)(uintptr_t)row->in[2];
    float *powers = (float *)(uintptr_t)row->in[3];
    const float *gradient = row->in[4];
    const float rate = ((const float *)row->in[5])[0];
    const float beta_1 = D->numbers[0];
    const float beta_2 = D->numbers[1];
    float *out = row->out;
    float squares = 0.0f;

    /* 1 - beta^(t + 1) = 1 - beta + beta * (1 - beta^t): exact in the beginning, where it matters. */
    powers[0] = powers[0] * beta_1 + (beta_1 - 1.0f);
    powers[1] = powers[1] * beta_2 + (beta_2 - 1.0f);
    for (int32_t i = 0; i < G->size; ++i) {
        const float g = gradient[i];

        first[i] = beta_1 * first[i] + (1.0f - beta_1) * g;
        second[i] = beta_2 * second[i] + (1.0f - beta_2) * g * g;
        squares += g * g;
        weights[i] -= rate * (first[i] / -powers[0] / (rv_square_root(second[i] / -powers[1]) + D->numbers[2]) +
                              D->numbers[3] * weights[i]);
    }
    out[0] = squares;
}
