/*
 * A step of biases, for the DSP extension: the sums of the gradient over all pixels of four channels at a time.
 *
 * in[0]      gradient of the output int8[pixels][channels]; in[1]: its scale; in[2]: bias int32[channels];
 *            in[3]: random state; in[4]: learning rate; then, if not negative, mask, its rows of whole bytes, velocity,
 *            pending, apply
 * out        int32, how many biases met a bound
 * factors    [channels]
 */
#include "rivulet_train_dsp.h"

typedef struct {
    int32_t channels;
    int32_t pixels;
    int32_t momentum;
    int32_t mask_slot;
    int32_t velocity_slot;
    int32_t pending_slot;
    int32_t apply_slot;
} rv_bias_update_dsp_s8_geometry;

typedef struct {
    const float *factors;
} rv_bias_update_dsp_s8_data;

void rv_bias_update_dsp_s8(const rv_bias_update_dsp_s8_geometry *G, const rv_bias_update_dsp_s8_data *D, const rv_row *row)
{
    const uint8_t *mask = rv_optional(row, G->mask_slot);
    int32_t *bias = rv_state(row->in[2]);
    rv_update update = rv_begin_update(row, 3, G->velocity_slot, G->pending_slot, G->apply_slot);
    const float rate = rv_load_float(row->in[4]);
    const int32_t exponent = rv_exponent(row->in[1]) + rv_step_fraction(&update);
    int32_t sums[4];

    update.momentum = G->momentum;
    for (int32_t c = 0; c < G->channels; ++c) {
        const rv_channel_step step = rv_step_of(rate, D->factors[c], exponent);
        if (c % 4 == 0) {
            rv_train_totals(sums, (const int8_t *)row->in[0] + c, G->channels, mask, c, G->pixels);
        }
        if (!rv_is_idle(&update, step)) {
            rv_move_bias(&update, bias, c, sums[c % 4], step);
        }
    }
    rv_end_update(&update, row, 3);
}
