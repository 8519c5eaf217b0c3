/*
 * out = clamp(a op b) with broadcasting, whole. Operations: 0 add, 1 subtract, 2 multiply, 3 maximum, 4 minimum, 5 a where it
 * is positive and a * b elsewhere.
 *
 * in[0]      a; index i of dimension d lies at i * a_d
 * in[1]      b; likewise
 * out        [size_0]...[size_5]
 * bounds     lowest and highest value of the output
 */
#include "rivulet_float.h"

typedef struct {
    int32_t operation;
    int32_t size_0;
    int32_t size_1;
    int32_t size_2;
    int32_t size_3;
    int32_t size_4;
    int32_t size_5;
    int32_t a_0;
    int32_t a_1;
    int32_t a_2;
    int32_t a_3;
    int32_t a_4;
    int32_t a_5;
    int32_t b_0;
    int32_t b_1;
    int32_t b_2;
    int32_t b_3;
    int32_t b_4;
    int32_t b_5;
} rv_arithmetic_f32_geometry;

typedef struct {
    const float *bounds;
} rv_arithmetic_f32_data;

void rv_arithmetic_f32(const rv_arithmetic_f32_geometry *G, const rv_arithmetic_f32_data *D, const rv_row *row)
{
    const int32_t size[RV_RANK] = {G->size_0, G->size_1, G->size_2, G->size_3, G->size_4, G->size_5};
    const int32_t a_stride[RV_RANK] = {G->a_0, G->a_1, G->a_2, G->a_3, G->a_4, G->a_5};
    const int32_t b_stride[RV_RANK] = {G->b_0, G->b_1, G->b_2, G->b_3, G->b_4, G->b_5};
    const rv_floats lowest = rv_floats_of(D->bounds[0]);
    const rv_floats highest = rv_floats_of(D->bounds[1]);
    int32_t index[RV_RANK] = {0};
    float *out = row->out;

    do {
        const float *a = (const float *)row->in[0] + rv_index_offset(index, a_stride);
        const float *b = (const float *)row->in[1] + rv_index_offset(index, b_stride);

        for (int32_t i = 0; i < G->size_5; i += RV_FLOATS) {
            const int32_t lanes = G->size_5 - i < RV_FLOATS ? G->size_5 - i : RV_FLOATS;
            const rv_floats x = G->a_5 == 1 ? rv_load_some(a + i, lanes) : rv_floats_of(a[0]);
            const rv_floats y = G->b_5 == 1 ? rv_load_some(b + i, lanes) : rv_floats_of(b[0]);
            const rv_floats zero = rv_floats_of(0.0f);
            const rv_floats result = G->operation == 0   ? x + y
                                     : G->operation == 1 ? x - y
                                     : G->operation == 2 ? x * y
                                     : G->operation == 3 ? rv_max_floats(x, y)
                                     : G->operation == 4 ? rv_min_floats(x, y)
                                                         : rv_max_floats(x, zero) + rv_min_floats(x, zero) * y;

            rv_store_some(out + i, rv_clamp_floats(result, lowest, highest), lanes);
        }
        out += G->size_5;
    } while (rv_next_index(index, size));
}
