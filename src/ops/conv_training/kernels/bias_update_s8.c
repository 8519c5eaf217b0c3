/*
 * A step of biases: the sum of the gradient over all pixels of each channel.
 *
 * in[0]      gradient of the output int8[height][width][channels]; in[1]: its scale; in[2]: bias int32[channels];
 *            in[3]: random state; in[4]: learning rate; then, if not negative, mask, velocity, pending, apply
 * out        int32, how many biases met a bound
 * scratch    int32[channels]
 * factors    [channels]
 */
#include "rivulet_update.h"

typedef struct {
    int32_t channels;
    int32_t width;
    int32_t height;
    int32_t momentum;
    int32_t mask_slot;
    int32_t velocity_slot;
    int32_t pending_slot;
    int32_t apply_slot;
} rv_bias_update_s8_geometry;

typedef struct {
    const float *factors;
} rv_bias_update_s8_data;

void rv_bias_update_s8(const rv_bias_update_s8_geometry *G, const rv_bias_update_s8_data *D, const rv_row *row)
{
    const int32_t elements = G->width * G->channels;
    const uint8_t *mask = rv_optional(row, G->mask_slot);
    const int8_t *g = row->in[0];
    int32_t *bias = rv_state(row->in[2]);
    int32_t *sums = row->scratch;
    rv_update update = rv_begin_update(row, 3, G->velocity_slot, G->pending_slot, G->apply_slot);
    const float rate = rv_load_float(row->in[4]);

    update.momentum = G->momentum;
    memset(sums, 0, (size_t)G->channels * sizeof *sums);
    for (int32_t y = 0; y < G->height; ++y) {
        for (int32_t x = 0, i = 0; x < G->width; ++x) {
            for (int32_t c = 0; c < G->channels; ++c, ++i) {
                sums[c] += rv_passes(mask, i) ? *g : 0;
                ++g;
            }
        }
        mask = mask == NULL ? NULL : mask + (elements + 7) / 8;
    }
    for (int32_t c = 0; c < G->channels; ++c) {
        const rv_channel_step step = rv_step_of(rate, D->factors[c], rv_exponent(row->in[1]) + rv_step_fraction(&update));
        if (!rv_is_idle(&update, step)) {
            rv_move_bias(&update, bias, c, sums[c], step);
        }
    }
    rv_end_update(&update, row, 3);
}
