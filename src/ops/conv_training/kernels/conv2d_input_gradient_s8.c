/*
 * The gradient of the input of an int8 convolution, not grouped: for every pixel and tap, rows of weights times the gradients
 * of the output channels.
 *
 * in[0]      gradient of the output int8[out_height][out_width][out_channels]; in[1]: its scale; in[2]: scale of the result
 * in[mask_slot], in[trained_slot]  mask of the output; trained weights; if not negative
 * out        int8[in_height][in_width][in_channels]
 * scratch    int32[in_channels]
 * weights    [out_channels][kernel_height][kernel_width][in_channels], 0 for trained channels, if frozen
 * indices    [trained], the channels of trained weights
 * factors    [out_channels], the scales of weights times 2^factor_bits
 */
#include "rivulet_gradient.h"

typedef struct {
    int32_t frozen;
    int32_t trained;
    int32_t in_height;
    int32_t in_width;
    int32_t in_channels;
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
    int32_t factor_bits;
    int32_t mask_slot;
    int32_t trained_slot;
} rv_conv2d_input_gradient_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int16_t *indices;
    const uint8_t *factors;
} rv_conv2d_input_gradient_s8_data;

void rv_conv2d_input_gradient_s8(const rv_conv2d_input_gradient_s8_geometry *G,
                                 const rv_conv2d_input_gradient_s8_data *D, const rv_row *row)
{
    const int32_t mask_bytes = (G->out_width * G->out_channels + 7) / 8;
    const uint8_t *mask = G->mask_slot < 0 ? NULL : row->in[G->mask_slot];
    const int8_t *trained = G->trained_slot < 0 ? NULL : row->in[G->trained_slot];
    int32_t *sums = row->scratch;
    rv_gradient to = rv_gradient_begin(row->in[2]);

    do {
        int8_t *out = row->out;
        for (int32_t pixel = 0; pixel < G->in_height * G->in_width; ++pixel) {
            const int32_t y = pixel / G->in_width + G->pad_top;
            const int32_t x = pixel % G->in_width + G->pad_left;

            memset(sums, 0, (size_t)G->in_channels * sizeof *sums);
            for (int32_t tap = 0; tap < G->kernel_height * G->kernel_width; ++tap) {
                const int32_t below = y - tap / G->kernel_width * G->dilation_y;
                const int32_t right = x - tap % G->kernel_width * G->dilation_x;
                const int32_t oy = below / G->stride_y;
                const int32_t ox = right / G->stride_x;
                if (below < 0 || right < 0 || below % G->stride_y != 0 || right % G->stride_x != 0 ||
                    oy >= G->out_height || ox >= G->out_width) {
                    continue;
                }
                const int8_t *g = (const int8_t *)row->in[0] + (oy * G->out_width + ox) * G->out_channels;
                const uint8_t *bits = mask == NULL ? NULL : mask + oy * mask_bytes;
                for (int32_t o = 0; o < G->out_channels; ++o) {
                    const int32_t a = g[o] * D->factors[o];
                    const int32_t at = o * G->kernel_height * G->kernel_width + tap;
                    if (a == 0 || !rv_passes(bits, ox * G->out_channels + o)) {
                        continue;
                    }
                    if (G->frozen) {
                        const int8_t *weights = D->weights + at * G->in_channels;
                        for (int32_t c = 0; c < G->in_channels; ++c) {
                            sums[c] += a * weights[c];
                        }
                    }
                    for (int32_t j = 0; j < G->trained; ++j) {
                        sums[D->indices[j]] += a * trained[at * G->trained + j];
                    }
                }
            }
            for (int32_t c = 0; c < G->in_channels; ++c) {
                *out++ = rv_gradient_round(&to, sums[c]);
            }
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, rv_exponent(row->in[1]) - G->factor_bits, rv_state(row->in[2]));
}
