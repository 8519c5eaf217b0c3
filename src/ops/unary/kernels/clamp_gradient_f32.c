/*
 * The gradient before a clamp, whole: that behind it where the result lies between the bounds, 0 where it lies on one. What
 * is not a number lets it through, so that a training that diverges is seen.
 *
 * in[0]      result of the clamp [size]
 * in[1]      gradient of the result [size]
 * out        [size]
 * bounds     of the clamp
 */
#include "rivulet_float.h"

typedef struct {
    int32_t size;
} rv_clamp_gradient_f32_geometry;

typedef struct {
    const float *bounds;
} rv_clamp_gradient_f32_data;

void rv_clamp_gradient_f32(const rv_clamp_gradient_f32_geometry *G, const rv_clamp_gradient_f32_data *D,
                           const rv_row *row)
{
    const float *in = row->in[0];
    const float *errors = row->in[1];
    float *out = row->out;
    const rv_floats lowest = rv_floats_of(D->bounds[0]);
    const rv_floats highest = rv_floats_of(D->bounds[1]);

    for (int32_t i = 0; i < G->size; i += RV_FLOATS) {
        const int32_t lanes = G->size - i < RV_FLOATS ? G->size - i : RV_FLOATS;
        const rv_floats error = rv_load_some(errors + i, lanes);

        rv_store_some(out + i, rv_where_inside(rv_load_some(in + i, lanes), lowest, highest, error), lanes);
    }
}
