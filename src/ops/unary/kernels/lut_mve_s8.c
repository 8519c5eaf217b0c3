/*
 * One row of any function of one 8-bit value, sixteen elements at a time.
 *
 * in[0], out  row of `size` elements
 * table       256 results, indexed by the bits of the input (so -1 is at 255)
 */
#include "rivulet_mve.h"

typedef struct {
    int32_t size;
} rv_lut_mve_s8_geometry;

typedef struct {
    const uint8_t *table;
} rv_lut_mve_s8_data;

void rv_lut_mve_s8(const rv_lut_mve_s8_geometry *G, const rv_lut_mve_s8_data *D, const rv_row *row)
{
    rv_mve_lookup(row->out, row->in[0], D->table, G->size);
}
