/*
 * One output row, at most eight pixels, of a 3x3, 5x5 or 7x7 int8 depthwise convolution whose bias lies in SRAM, for the DSP
 * extension: pixels are read where they lie.
 *
 * in[k]      input row under kernel row k [in_width][channels], NULL where that row is padding; in[size]: int32 bias [channels]
 * out        output row [out_width][channels]
 * weights    [channels][size][size]
 */
#include "rivulet_train_dsp.h"

typedef struct {
    int32_t in_width;
    int32_t channels;
    int32_t out_width;
    int32_t size;
    int32_t stride;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_trained_depthwise_conv2d_dsp_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_trained_depthwise_conv2d_dsp_s8_data;

void rv_trained_depthwise_conv2d_dsp_s8(const rv_trained_depthwise_conv2d_dsp_s8_geometry *G,
                                        const rv_trained_depthwise_conv2d_dsp_s8_data *D, const rv_row *row)
{
    const int32_t *bias = row->in[G->size];
    const int8_t *weights = D->weights;

    for (int32_t c = 0; c < G->channels; ++c, weights += G->size * G->size) {
        int8_t *out = (int8_t *)row->out + c;
        int32_t sums[8];
        sums[0] = sums[1] = sums[2] = sums[3] = bias[c];
        sums[4] = sums[5] = sums[6] = sums[7] = bias[c];

        for (int32_t ky = 0; ky < G->size; ++ky) {
            if (row->in[ky] != NULL) {
                rv_train_columns((const int8_t *)row->in[ky] + c, G->channels, G->in_width, -G->pad_left,
                                 weights + ky * G->size, G->size, G->stride, G->out_width < 4 ? G->out_width : 4,
                                 G->in_zero_point, sums);
            }
        }
        for (int32_t ky = 0; G->out_width > 4 && ky < G->size; ++ky) {
            if (row->in[ky] != NULL) {
                rv_train_columns((const int8_t *)row->in[ky] + c, G->channels, G->in_width, 4 * G->stride - G->pad_left,
                                 weights + ky * G->size, G->size, G->stride, G->out_width - 4, G->in_zero_point,
                                 sums + 4);
            }
        }
        for (int32_t x = 0; x < G->out_width; ++x, out += G->channels) {
            const int32_t y = rv_requantize(sums[x], D->multiplier[c], D->shift[c]) + G->out_zero_point;
            *out = (int8_t)rv_clamp(y, G->out_min, G->out_max);
        }
    }
}
