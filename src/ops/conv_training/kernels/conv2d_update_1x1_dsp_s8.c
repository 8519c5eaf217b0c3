/*
 * A step of the weights of a pointwise int8 convolution, for the DSP extension: sums over all pixels for four output channels
 * and four inputs at a time, and their steps at once. The generator runs on four ways: that of a channel begins where that
 * of the channel before will end.
 *
 * in[0]      input int8[pixels][channels]; in[1]: gradient of the output int8[pixels][out_channels]; in[2]: its scale;
 *            in[3]: weights [out_channels][channels]; in[4]: random state; in[5]: learning rate; then, if not negative, mask
 *            and residual
 * out        int32, how many weights met a bound
 * scratch    int32[4][32]: sums of four channels; uint32[(pixels + 1) / 2][4]: their gradients, two pixels a word
 * factors    [out_channels]
 */
#include "rivulet_train_dsp.h"

typedef struct {
    int32_t pixels;
    int32_t channels;
    int32_t out_channels;
    int32_t in_zero_point;
    int32_t residual_bits;
    int32_t row_factor; /* `channels` draws take the state x to x * row_factor + row_addend */
    int32_t row_addend;
    int32_t mask_slot;
    int32_t residual_slot;
} rv_conv2d_update_1x1_dsp_s8_geometry;

typedef struct {
    const float *factors;
} rv_conv2d_update_1x1_dsp_s8_data;

void rv_conv2d_update_1x1_dsp_s8(const rv_conv2d_update_1x1_dsp_s8_geometry *G,
                                 const rv_conv2d_update_1x1_dsp_s8_data *D, const rv_row *row)
{
    const uint8_t *mask = rv_optional(row, G->mask_slot);
    int8_t *weights = rv_state(row->in[3]);
    /* Residuals of no bits lie anywhere. */
    uint8_t *residual = G->residual_slot < 0 ? (uint8_t *)weights : rv_state(row->in[G->residual_slot]);
    int32_t *const sums = row->scratch;
    uint32_t *const gradients = (uint32_t *)row->scratch + 4 * RV_TRAIN_BLOCK;
    rv_update update = rv_begin_update(row, 4, -1, -1, -1);
    const float rate = rv_load_float(row->in[5]);

    update.fraction = G->residual_bits;
    for (int32_t o = 0; o < G->out_channels; o += 4) {
        rv_channel_step steps[4];
        rv_train_step fast[4];
        uint32_t random[4];
        int32_t totals[4];

        for (int32_t lane = 0; lane < 4; ++lane) {
            steps[lane] = rv_step_of(rate, D->factors[o + lane], rv_exponent(row->in[2]) + G->residual_bits);
            fast[lane] = rv_train_step_of(steps[lane]);
            random[lane] = update.random;
            if (!rv_is_idle(&update, steps[lane])) {
                update.random = update.random * (uint32_t)G->row_factor + (uint32_t)G->row_addend;
            }
        }
        const uint32_t next = update.random;

        rv_train_gather(totals, gradients, (const int8_t *)row->in[1] + o, G->out_channels, mask, o, G->pixels);
        for (int32_t first = 0; first < G->channels; first += RV_TRAIN_BLOCK) {
            const int32_t count = G->channels - first < RV_TRAIN_BLOCK ? G->channels - first : RV_TRAIN_BLOCK;

            rv_train_sum(sums, (const int8_t *)row->in[0] + first, G->channels, count, gradients, G->pixels, totals,
                         G->in_zero_point);
            for (int32_t lane = 0; lane < 4; ++lane) {
                const int32_t i = (o + lane) * G->channels + first;
                const int32_t *const of_lane = sums + lane * RV_TRAIN_BLOCK;

                if (rv_is_idle(&update, steps[lane])) {
                    continue;
                }
                update.random = random[lane];
                if (fast[lane].fits) {
                    rv_train_move(&update, fast[lane], weights + i, residual + (i >> 2) * (G->residual_bits >> 1),
                                  of_lane, count);
                } else {
                    for (int32_t k = 0; k < count; ++k) {
                        const int32_t movement = rv_movement(&update, i + k, of_lane[k], steps[lane]);
                        rv_move_weight(&update, weights, residual, i + k, movement);
                    }
                }
                random[lane] = update.random;
            }
        }
        update.random = next;
    }
    rv_end_update(&update, row, 4);
}
