/*
 * The gradient of the input of a pointwise int8 convolution, for the DSP extension: two inputs of four pixels at a time.
 *
 * in[0]      gradient of the output int8[pixels][out_channels]; in[1]: its scale; in[2]: scale of the result
 * in[mask_slot], in[trained_slot]  mask of the output, rows of whole bytes; trained weights [out_channels][trained]; if not negative
 * out        int8[pixels][in_channels]
 * scratch    uint32[out_channels / 2][4]: gradients times factors of four pixels, two channels a word
 * stream     see rivulet_train_dsp.h, 0 for trained channels, if frozen
 * indices    [trained], the channels of trained weights
 * factors    [out_channels], the scales of weights times 2^factor_bits
 */
#include "rivulet_train_dsp.h"

typedef struct {
    int32_t frozen;
    int32_t trained;
    int32_t pixels;
    int32_t in_channels;
    int32_t out_channels;
    int32_t factor_bits;
    int32_t mask_slot;
    int32_t trained_slot;
} rv_conv2d_input_gradient_1x1_dsp_s8_geometry;

typedef struct {
    const int32_t *stream;
    const int16_t *indices;
    const uint8_t *factors;
} rv_conv2d_input_gradient_1x1_dsp_s8_data;

void rv_conv2d_input_gradient_1x1_dsp_s8(const rv_conv2d_input_gradient_1x1_dsp_s8_geometry *G,
                                         const rv_conv2d_input_gradient_1x1_dsp_s8_data *D, const rv_row *row)
{
    const uint8_t *mask = G->mask_slot < 0 ? NULL : row->in[G->mask_slot];
    const int8_t *trained = G->trained_slot < 0 ? NULL : row->in[G->trained_slot];
    uint32_t *const gradients = row->scratch;
    rv_gradient to = rv_gradient_begin(row->in[2]);

    do {
        for (int32_t pixel = 0; pixel < G->pixels; pixel += 4) {
            const int32_t count = G->pixels - pixel < 4 ? G->pixels - pixel : 4;
            int8_t *const out = (int8_t *)row->out + pixel * G->in_channels;

            for (int32_t p = 0; p < count; ++p) {
                const int32_t first = (pixel + p) * G->out_channels;
                rv_train_spread(gradients + p, (const int8_t *)row->in[0] + first, D->factors, G->out_channels, mask,
                                first);
            }
            for (int32_t p = count; p < 4; ++p) {
                for (int32_t o = 0; o < 2 * G->out_channels; o += 4) {
                    gradients[o + p] = 0;
                }
            }
            for (int32_t c = 0; G->frozen && c < G->in_channels; c += c % 2 == 0 ? 1 : 3) {
                rv_train_sums sums;
                rv_train_back(&sums, D->stream + c / 4 * 2 + c % 2, G->in_channels / 2, gradients, G->out_channels / 2);
                for (int32_t p = 0; p < count; ++p) {
                    out[p * G->in_channels + c] = rv_gradient_round(&to, sums.first[p]);
                    out[p * G->in_channels + c + 2] = rv_gradient_round(&to, sums.second[p]);
                }
            }
            for (int32_t j = 0; j < G->trained; j += 4) {
                const int32_t inputs = G->trained - j < 4 ? G->trained - j : 4;
                int32_t sums[4][4];
                rv_train_back_trained(&sums[0][0], trained + j, G->trained, inputs, gradients, G->out_channels / 2);
                for (int32_t k = 0; k < inputs; ++k) {
                    int8_t *const to_input = out + (G->frozen ? D->indices[j + k] : j + k);
                    for (int32_t p = 0; p < count; ++p) {
                        to_input[p * G->in_channels] = rv_gradient_round(&to, sums[p][k]);
                    }
                }
            }
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, rv_exponent(row->in[1]) - G->factor_bits, rv_state(row->in[2]));
}
