/*
 * average += rate * (x - average), whole.
 *
 * in[0]      average [size], changed in place
 * in[1]      x [size]
 * out        the new average [size]
 * rate       a single number
 */
#include "rivulet_float.h"

typedef struct {
    int32_t size;
} rv_running_average_f32_geometry;

typedef struct {
    const float *rate;
} rv_running_average_f32_data;

void rv_running_average_f32(const rv_running_average_f32_geometry *G, const rv_running_average_f32_data *D,
                            const rv_row *row)
{
    float *average = (float *)(uintptr_t)row->in[0];
    const float *in = row->in[1];
    float *out = row->out;

    for (int32_t i = 0; i < G->size; ++i) {
        average[i] += D->rate[0] * (in[i] - average[i]);
        out[i] = average[i];
    }
}
