/*
 * One output row of a pointwise int8 convolution that learns, for the DSP extension: two channels by two pixels at a time.
 * Biases, and weights of some input channels, lie in SRAM; frozen weights lie in flash in the order that goes both ways.
 *
 * in[0]      input row [width][in_channels]; in[1]: bias int32[out_channels]; in[2]: trained weights [out_channels][trained]
 * out        output row [width][out_channels]
 * scratch    int8[2][trained], if some channels are trained and others not
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
} rv_trained_conv2d_1x1_dsp_s8_geometry;

typedef struct {
    const int32_t *stream;
    const int16_t *indices;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_trained_conv2d_1x1_dsp_s8_data;

void rv_trained_conv2d_1x1_dsp_s8(const rv_trained_conv2d_1x1_dsp_s8_geometry *G,
                                  const rv_trained_conv2d_1x1_dsp_s8_data *D, const rv_row *row)
{
    const uint32_t minus_zero = rv_pair16(-G->in_zero_point, -G->in_zero_point);
    const int32_t *bias = row->in[1];
    const int8_t *in = row->in[0];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; x += 2, in += 2 * G->in_channels, out += 2 * G->out_channels) {
        const int32_t next = x + 1 < G->width;
        const int8_t *const in1 = in + next * G->in_channels;
        int8_t *const out1 = out + next * G->out_channels;
        const int32_t *stream = D->stream;
        const int8_t *x0 = in;
        const int8_t *x1 = in1;

        if (G->frozen && G->trained > 0) {
            int8_t *const picked = row->scratch;
            for (int32_t j = 0; j < G->trained; ++j) {
                picked[j] = in[D->indices[j]];
                picked[G->trained + j] = in1[D->indices[j]];
            }
            x0 = picked;
            x1 = picked + G->trained;
        }
        for (int32_t channel = 0; channel < G->out_channels; channel += 2, stream += G->in_channels / 2) {
            const int32_t a = channel + 2 <= G->out_channels ? channel : G->out_channels - 2;
            rv_dsp_sums sums = {bias[a], bias[a], bias[a + 1], bias[a + 1]};

            if (G->frozen) {
                rv_dsp_direct(&sums, stream, in, in1, G->in_channels / 4, minus_zero);
            }
            if (G->trained > 0) {
                const int8_t *weights = (const int8_t *)row->in[2] + a * G->trained;
                rv_train_rows(&sums, weights, weights + G->trained, x0, x1, G->trained, G->in_zero_point);
            }
            const rv_train_output to_a = {D->multiplier[a], D->shift[a], G->out_zero_point, G->fast};
            const rv_train_output to_b = {D->multiplier[a + 1], D->shift[a + 1], G->out_zero_point, G->fast};
            rv_train_store2(&to_a, sums.a0, sums.a1, out + a, out1 + a);
            rv_train_store2(&to_b, sums.b0, sums.b1, out + a + 1, out1 + a + 1);
        }
    }
    rv_dsp_clamp_row(row->out, G->width * G->out_channels, G->out_min, G->out_max);
}
