/*
 * One output row of the sum or difference of two int8 tensors whose rows have the same layout. The operand of the larger
 * scale, the coarse one, comes to the common scale by a shift alone; only the other one, the fine one, needs a multiplier.
 *
 * in[0], in[1]  rows of the operands [size], the fine one is in[fine]
 * out           output row [size]
 *
 * coarse_factor * q + coarse_offset is twice what TFLite adds for a coarse element; for a fine one that is fine_sign times
 * (fine_factor * q + fine_offset) * fine_multiplier / 2^(32 + fine_e), rounded twice. The shifts go right.
 */
#include "rivulet_dsp.h"

typedef struct {
    int32_t size;
    int32_t fine;
    int32_t fine_factor;
    int32_t fine_offset;
    int32_t fine_multiplier;
    int32_t fine_e;
    int32_t fine_sign;
    int32_t coarse_factor;
    int32_t coarse_offset;
    int32_t out_multiplier;
    int32_t out_e;
    int32_t out_zero_point;
    int32_t out_is_relu;
    int32_t out_min;
    int32_t out_max;
} rv_sum_dsp_s8_geometry;

void rv_sum_dsp_s8(const rv_sum_dsp_s8_geometry *G, const rv_row *row)
{
    const int8_t *fine = row->in[G->fine];
    const int8_t *coarse = row->in[1 - G->fine];
    int8_t *out = row->out;
    const int32_t fine_offset = rv_in_register(G->fine_offset);
    const int32_t coarse_offset = rv_in_register(G->coarse_offset);
    const int32_t fine_rounding = rv_in_register((int32_t)1 << (G->fine_e - 1));
    const int32_t out_rounding = rv_in_register(rv_dsp_rounding(G->out_zero_point, G->out_e));

    for (int32_t i = 0; i < G->size; ++i) {
        const int32_t scaled =
            rv_dsp_scale(fine[i] * G->fine_factor + fine_offset, G->fine_multiplier, fine_rounding, G->fine_e);
        const int32_t twice = coarse[i] * G->coarse_factor + coarse_offset + 2 * G->fine_sign * scaled;
        out[i] = (int8_t)rv_dsp_requantize_within(twice, G->out_multiplier, out_rounding, G->out_e, G->out_is_relu,
                                                  G->out_min, G->out_max);
    }
}
