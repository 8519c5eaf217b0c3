/*
 * One output row of an int8 convolution, not grouped, straight from the input rows and without scratch: two channels by
 * two pixels at a time. Taps in padding are left out.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * stream     see rivulet_dsp_product.h; K is [kernel_height][kernel_width][in_channels], in_channels a multiple of 4
 */
#include "rivulet_dsp_product.h"

typedef struct {
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_conv2d_direct_s8_geometry;

typedef struct {
    const int32_t *stream;
} rv_conv2d_direct_s8_data;

void rv_conv2d_direct_s8(const rv_conv2d_direct_s8_geometry *G, const rv_conv2d_direct_s8_data *D, const rv_row *row)
{
    const int32_t tap_words = G->in_channels / 2;
    const int32_t words = G->kernel_height * G->kernel_width * tap_words;
    const int32_t factor = 2 * G->out_zero_point + 1;
    const uint32_t minus_zero = rv_pair16(-G->in_zero_point, -G->in_zero_point);
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width;) {
        /* The taps [first, end) lie inside the row. Two pixels go together where all of them do. */
        const int32_t left = x * G->stride - G->pad_left;
        const int32_t first = left < 0 ? -left : 0;
        const int32_t fitting = G->in_width - left;
        const int32_t end = fitting < G->kernel_width ? fitting : G->kernel_width;
        const int32_t both = x + 1 < G->out_width && left >= 0 && G->stride + G->kernel_width <= fitting;
        const int32_t next = both ? G->stride * G->in_channels : 0;
        const int32_t *stream = D->stream;
        int8_t *const out1 = out + (both ? G->out_channels : 0);

        for (int32_t channel = 0; channel < G->out_channels; channel += 2) {
            const int32_t a = channel + 2 <= G->out_channels ? channel : G->out_channels - 2;
            const int32_t *tail = stream + 2 + words;
            rv_dsp_sums sums = {stream[0], stream[0], stream[1], stream[1]};

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                if (row->in[ky] != NULL && first < end) {
                    const int8_t *in = (const int8_t *)row->in[ky] + (left + first) * G->in_channels;
                    rv_dsp_direct(&sums, stream + 2 + (ky * G->kernel_width + first) * tap_words, in, in + next,
                                  (end - first) * tap_words / 2, minus_zero);
                }
            }
            out[a] = rv_dsp_output(sums.a0, tail[0], tail[2] & 255, factor);
            out1[a] = rv_dsp_output(sums.a1, tail[0], tail[2] & 255, factor);
            out[a + 1] = rv_dsp_output(sums.b0, tail[1], (tail[2] >> 8) & 255, factor);
            out1[a + 1] = rv_dsp_output(sums.b1, tail[1], (tail[2] >> 8) & 255, factor);
            stream = tail + 3;
        }
        rv_dsp_clamp_row(out, (1 + both) * G->out_channels, G->out_min, G->out_max);
        x += 1 + both;
        out += (1 + both) * G->out_channels;
    }
}
