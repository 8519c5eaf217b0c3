/*
 * One row of a mask: which elements lie strictly between two bounds.
 *
 * in[0]      row of int8 [elements]
 * out        bits, element i is bit i % 8 of byte i / 8; what is left of the last byte is 0
 */
#include "rivulet.h"

typedef struct {
    int32_t elements;
    int32_t lowest;
    int32_t highest;
} rv_clamp_mask_s8_geometry;

void rv_clamp_mask_s8(const rv_clamp_mask_s8_geometry *G, const rv_row *row)
{
    const int8_t *in = row->in[0];
    uint8_t *out = row->out;
    uint32_t bits = 0;

    for (int32_t i = 0; i < G->elements; ++i) {
        bits = bits >> 1 | (in[i] > G->lowest && in[i] < G->highest ? 0x80u : 0u);
        if (i % 8 == 7) {
            *out++ = (uint8_t)bits;
            bits = 0;
        }
    }
    if (G->elements % 8 != 0) {
        *out = (uint8_t)(bits >> (8 - G->elements % 8));
    }
}
