/*
 * One row of a mask: which elements lie strictly between two bounds, for the DSP extension, four at a time.
 *
 * in[0]      row of int8 [elements]
 * out        bits, element i is bit i % 8 of byte i / 8; what is left of the last byte is 0
 */
#include "rivulet_dsp_mask.h"

typedef struct {
    int32_t elements;
    int32_t lowest;
    int32_t highest;
} rv_clamp_mask_dsp_s8_geometry;

void rv_clamp_mask_dsp_s8(const rv_clamp_mask_dsp_s8_geometry *G, const rv_row *row)
{
    const int8_t *in = row->in[0];
    uint8_t *out = row->out;
    /* As unsigned bytes, y - lowest - 1 is below highest - lowest - 1 exactly for what passes. */
    const uint32_t offset = rv_splat8(-G->lowest - 1);
    const uint32_t end = rv_splat8(G->highest - G->lowest - 1);
    const int32_t empty = G->highest - G->lowest < 2;
    int32_t left = G->elements;

    for (; left >= 8; left -= 8) {
        const uint32_t low = rv_marks_below(rv_uadd8(rv_load32(in), offset), end, 0x08040201u);
        const uint32_t high = rv_marks_below(rv_uadd8(rv_load32(in + 4), offset), end, 0x80402010u);
        *out++ = (uint8_t)(empty ? 0u : rv_add_bytes(high, rv_add_bytes(low, 0u)));
        in += 8;
    }
    if (left > 0) {
        uint32_t bits = 0;
        for (int32_t i = 0; i < left; ++i) {
            bits |= (in[i] > G->lowest && in[i] < G->highest ? 1u : 0u) << i;
        }
        *out = (uint8_t)bits;
    }
}
