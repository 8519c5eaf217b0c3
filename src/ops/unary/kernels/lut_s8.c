/*
 * One row of any function of one 8-bit value.
 *
 * in[0], out  row of `size` elements
 * table       256 results, indexed by the bits of the input (so -1 is at 255)
 */
#include "rivulet.h"

typedef struct {
    int32_t size;
} rv_lut_s8_geometry;

typedef struct {
    const uint8_t *table;
} rv_lut_s8_data;

void rv_lut_s8(const rv_lut_s8_geometry *G, const rv_lut_s8_data *D, const rv_row *row)
{
    const uint8_t *in = row->in[0];
    uint8_t *out = row->out;

    for (int32_t i = 0; i < G->size; ++i) {
        out[i] = D->table[in[i]];
    }
}
