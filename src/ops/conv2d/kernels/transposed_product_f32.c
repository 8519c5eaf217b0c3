/*
 * The product of a transposed matrix with another, out = a' * b, whole: the gradient of the weights of a pointwise
 * convolution or a dense layer.
 *
 * in[0]      b [inner][columns]: the layer's input
 * in[1]      a [inner][rows]: the gradient of its output
 * out        [rows][columns]
 */
#include "rivulet_gemm.h"

typedef struct {
    int32_t inner;
    int32_t rows;
    int32_t columns;
} rv_transposed_product_f32_geometry;

void rv_transposed_product_f32(const rv_transposed_product_f32_geometry *G, const rv_row *row)
{
    float *out = row->out;

    memset(out, 0, (size_t)G->rows * (size_t)G->columns * sizeof *out);
    rv_gemm_transposed(row->in[1], G->rows, row->in[0], G->columns, G->inner, G->rows, G->columns, out, G->columns);
}
