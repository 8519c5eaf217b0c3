/*
 * A product of matrices, out = clamp(a * b + bias), whole: a pointwise convolution, a dense layer, and the gradients of
 * their inputs.
 *
 * in[0]      a [rows][inner]
 * in[1]      b; element (k, n) lies at k * inner_stride + n * column_stride
 * in[2]      bias [columns], if has_bias
 * out        [rows][columns]
 * scratch    b packed into panels
 * bounds     lowest and highest value of the result
 */
#include "rivulet_gemm.h"

typedef struct {
    int32_t rows;
    int32_t inner;
    int32_t columns;
    int32_t inner_stride;
    int32_t column_stride;
    int32_t has_bias;
} rv_product_f32_geometry;

typedef struct {
    const float *bounds;
} rv_product_f32_data;

void rv_product_f32(const rv_product_f32_geometry *G, const rv_product_f32_data *D, const rv_row *row)
{
    float *packed = row->scratch;
    const rv_gemm_result result = {row->out, G->columns, G->has_bias ? row->in[2] : NULL, D->bounds[0], D->bounds[1]};

    rv_pack_columns(packed, row->in[1], G->inner, G->columns, G->inner_stride, G->column_stride);
    rv_gemm(row->in[0], G->inner, packed, G->rows, G->inner, G->columns, result);
}
