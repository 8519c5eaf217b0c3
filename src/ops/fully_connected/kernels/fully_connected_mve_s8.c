/*
 * One vector through an int8 fully connected layer.
 *
 * in[0]      input vector [inputs]
 * out        output vector [outputs]
 * packed     see rv_mve_dense
 */
#include "rivulet_mve_dense.h"

typedef struct {
    int32_t inputs;
    int32_t outputs;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_fully_connected_mve_s8_geometry;

typedef struct {
    const int32_t *packed;
} rv_fully_connected_mve_s8_data;

void rv_fully_connected_mve_s8(const rv_fully_connected_mve_s8_geometry *G,
                               const rv_fully_connected_mve_s8_data *D, const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, G->out_min, G->out_max};

    rv_mve_dense(D->packed, row->in[0], G->inputs, G->inputs, 1, row->out, G->outputs, G->outputs, &output);
}
