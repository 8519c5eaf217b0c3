/*
 * One step of gradient descent with momentum, whole: with g = gradient + decay * weight,
 * velocity = momentum * velocity + g; weight -= rate * (own * g + along * velocity), where own = 0 and along = 1, or by Nesterov
 * own = 1 and along = momentum.
 *
 * in[0]      weights [size], changed in place
 * in[1]      velocity [size], changed in place
 * in[2]      gradient [size]
 * in[3]      learning rate, one float
 * out        the sum of the squared gradients, one float: not finite where the training has diverged
 * numbers    momentum, decay, own, along
 */
#include "rivulet_float.h"

typedef struct {
    int32_t size;
} rv_sgd_update_f32_geometry;

typedef struct {
    const float *numbers;
} rv_sgd_update_f32_data;

void rv_sgd_update_f32(const rv_sgd_update_f32_geometry *G, const rv_sgd_update_f32_data *D, const rv_row *row)
{
    float *weights = (float *)(uintptr_t)row->in[0];
    float *velocity = (float *)(uintptr_t)row->in[1];
    const float *gradient = row->in[2];
    float *out = row->out;
    const rv_floats rate = rv_floats_of(((const float *)row->in[3])[0]);
    const rv_floats momentum = rv_floats_of(D->numbers[0]);
    const rv_floats decay = rv_floats_of(D->numbers[1]);
    const rv_floats own = rv_floats_of(D->numbers[2]);
    const rv_floats along = rv_floats_of(D->numbers[3]);
    rv_floats squares = rv_floats_of(0.0f);

    for (int32_t i = 0; i < G->size; i += RV_FLOATS) {
        const int32_t lanes = G->size - i < RV_FLOATS ? G->size - i : RV_FLOATS;
        const rv_floats w = rv_load_some(weights + i, lanes);
        const rv_floats g = rv_load_some(gradient + i, lanes);
        const rv_floats slope = g + decay * w;
        const rv_floats v = momentum * rv_load_some(velocity + i, lanes) + slope;

        squares += g * g;
        rv_store_some(velocity + i, v, lanes);
        rv_store_some(weights + i, w - rate * (own * slope + along * v), lanes);
    }
    out[0] = rv_sum_lanes(squares);
}
