/*
 * A step of the weights of an int8 convolution, not grouped: a row of sums over all pixels for each output channel and tap,
 * then the step of each weight.
 *
 * in[0]      input int8[in_height][in_width][channels]; in[1]: gradient of the output int8[out_height][out_width]
 *            [out_channels]; in[2]: its scale; in[3]: weights [out_channels][kernel_height][kernel_width][channels];
 *            in[4]: random state; in[5]: learning rate; then, if not negative, mask, residual, velocity, pending, apply
 * out        int32, how many weights met a bound
 * scratch    int32[channels]
 * factors    [out_channels]
 */
#include "rivulet_update.h"

typedef struct {
    int32_t in_height;
    int32_t in_width;
    int32_t channels;
    int32_t out_height;
    int32_t out_width;
    int32_t out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t pad_top;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t residual_bits;
    int32_t momentum;
    int32_t mask_slot;
    int32_t residual_slot;
    int32_t velocity_slot;
    int32_t pending_slot;
    int32_t apply_slot;
} rv_conv2d_update_s8_geometry;

typedef struct {
    const float *factors;
} rv_conv2d_update_s8_data;

void rv_conv2d_update_s8(const rv_conv2d_update_s8_geometry *G, const rv_conv2d_update_s8_data *D, const rv_row *row)
{
    const int32_t mask_bytes = (G->out_width * G->out_channels + 7) / 8;
    const int32_t taps = G->kernel_height * G->kernel_width;
    const uint8_t *mask = rv_optional(row, G->mask_slot);
    uint8_t *residual = rv_state(rv_optional(row, G->residual_slot));
    int8_t *weights = rv_state(row->in[3]);
    int32_t *sums = row->scratch;
    rv_update update = rv_begin_update(row, 4, G->velocity_slot, G->pending_slot, G->apply_slot);
    const float rate = rv_load_float(row->in[5]);

    update.momentum = G->momentum;
    update.fraction = G->residual_bits;
    for (int32_t at = 0; at < G->out_channels * taps; ++at) {
        const int32_t o = at / taps;
        const int32_t ky = at % taps / G->kernel_width;
        const int32_t kx = at % taps % G->kernel_width;
        const rv_channel_step step = rv_step_of(rate, D->factors[o], rv_exponent(row->in[2]) + rv_step_fraction(&update));

        if (rv_is_idle(&update, step)) {
            continue;
        }
        memset(sums, 0, (size_t)G->channels * sizeof *sums);
        for (int32_t oy = 0; oy < G->out_height; ++oy) {
            const int32_t iy = oy * G->stride_y - G->pad_top + ky * G->dilation_y;
            for (int32_t ox = 0; iy >= 0 && iy < G->in_height && ox < G->out_width; ++ox) {
                const int32_t ix = ox * G->stride_x - G->pad_left + kx * G->dilation_x;
                const int32_t a = ((const int8_t *)row->in[1])[(oy * G->out_width + ox) * G->out_channels + o];
                const uint8_t *bits = mask == NULL ? NULL : mask + oy * mask_bytes;
                if (a == 0 || ix < 0 || ix >= G->in_width || !rv_passes(bits, ox * G->out_channels + o)) {
                    continue;
                }
                const int8_t *in = (const int8_t *)row->in[0] + (iy * G->in_width + ix) * G->channels;
                for (int32_t j = 0; j < G->channels; ++j) {
                    sums[j] += a * (in[j] - G->in_zero_point);
                }
            }
        }
        for (int32_t j = 0; j < G->channels; ++j) {
            const int32_t i = at * G->channels + j;
            rv_move_weight(&update, weights, residual, i, rv_movement(&update, i, sums[j], step));
        }
    }
    rv_end_update(&update, row, 4);
}
