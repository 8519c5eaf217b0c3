/*
 * One output row of a pointwise int8 convolution that learns, for the DSP extension: two channels by four pixels at a time,
 * which are widened into a column that all channels share. Weights as trained_conv2d_1x1_dsp_s8 has them.
 *
 * in[0]      input row [width][in_channels]; in[1]: bias int32[out_channels]; in[2]: trained weights [out_channels][trained]
 * out        output row [width][out_channels]
 * scratch    uint32[in_channels / 4][8]: the column, see rv_train_widen; then, if some channels are trained and others not,
 *            uint32[trained / 4][8]: that of the trained ones, int8[4][trained]: their values
 * stream     see rivulet_train_dsp.h, 0 for trained channels, if frozen
 * indices    [trained], the channels of trained weights
 */
#include "rivulet_train_dsp.h"

typedef struct {
    int32_t frozen;
    int32_t trained;
    int32_t width;
    int32_t in_channels;
    int32_t out_channels;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t fast; /* see rv_train_output */
} rv_trained_conv2d_1x1_columns_dsp_s8_geometry;

typedef struct {
    const int32_t *stream;
    const int16_t *indices;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_trained_conv2d_1x1_columns_dsp_s8_data;

void rv_trained_conv2d_1x1_columns_dsp_s8(const rv_trained_conv2d_1x1_columns_dsp_s8_geometry *G,
                                          const rv_trained_conv2d_1x1_columns_dsp_s8_data *D, const rv_row *row)
{
    const int32_t picks = G->frozen && G->trained > 0;
    uint32_t *const column = row->scratch;
    uint32_t *const trained_column = picks ? column + 2 * G->in_channels : column;
    int8_t *const picked = (int8_t *)(trained_column + 2 * G->trained);
    const int32_t *bias = row->in[1];

    for (int32_t x = 0; x < G->width; x += 4) {
        const int8_t *pixels[4];
        int8_t *out[4];
        const int32_t *stream = D->stream;

        /* Pixels behind the row are the last one once more; its outputs are written last, and stay the same. */
        for (int32_t p = 0; p < 4; ++p) {
            const int32_t at = x + p < G->width ? x + p : G->width - 1;
            pixels[p] = (const int8_t *)row->in[0] + at * G->in_channels;
            out[p] = (int8_t *)row->out + at * G->out_channels;
        }
        rv_train_widen(column, pixels, G->in_channels / 4, G->in_zero_point);
        if (picks) {
            for (int32_t p = 0; p < 4; ++p) {
                for (int32_t j = 0; j < G->trained; ++j) {
                    picked[p * G->trained + j] = pixels[p][D->indices[j]];
                }
                pixels[p] = picked + p * G->trained;
            }
            rv_train_widen(trained_column, pixels, G->trained / 4, G->in_zero_point);
        }
        for (int32_t channel = 0; channel < G->out_channels; channel += 2, stream += G->in_channels / 2) {
            const int32_t a = bias[channel];
            const int32_t b = bias[channel + 1];
            rv_train_tile tile = {{a, a, a, a}, {b, b, b, b}};

            if (G->frozen) {
                rv_train_frozen4(&tile, stream, column, G->in_channels / 4);
            }
            if (G->trained > 0) {
                const int8_t *weights = (const int8_t *)row->in[2] + channel * G->trained;
                rv_train_trained4(tile.a, weights, trained_column, G->trained / 4);
                rv_train_trained4(tile.b, weights + G->trained, trained_column, G->trained / 4);
            }
            const rv_train_output to_a = {D->multiplier[channel], D->shift[channel], G->out_zero_point, G->fast};
            const rv_train_output to_b = {D->multiplier[channel + 1], D->shift[channel + 1], G->out_zero_point, G->fast};
            rv_train_store4(&to_a, tile.a, out, channel);
            rv_train_store4(&to_b, tile.b, out, channel + 1);
        }
    }
    rv_dsp_clamp_row(row->out, G->width * G->out_channels, G->out_min, G->out_max);
}
