/*
 * One output row of an int8 convolution, not grouped, in little flash: two channels by two pixels at a time, straight from
 * the input where a window is a row of whole words, else from copies of as many windows as the stack holds.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * stream     weights of each pair of channels as rv_dsp_direct reads them, quads * 4 taps a channel
 * records    [out_channels], record_bytes each: see rv_load_compact
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
    int32_t copies;
    int32_t pixels;
    int32_t quads;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t record_bytes;
    int32_t least_e;
    int32_t e_mask;
} rv_conv2d_compact_s8_geometry;

typedef struct {
    const int32_t *stream;
    const int8_t *records;
} rv_conv2d_compact_s8_data;

void rv_conv2d_compact_s8(const rv_conv2d_compact_s8_geometry *G, const rv_conv2d_compact_s8_data *D, const rv_row *row)
{
    const int32_t factor = 2 * G->out_zero_point + 1;
    const uint32_t minus_zero = rv_pair16(-G->in_zero_point, -G->in_zero_point);
    const int32_t step = G->copies ? 4 * G->quads : G->stride * G->in_channels;
    uint32_t copies[256]; /* COPY_BYTES in src/ops/conv2d/dsp.ts */
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; x += G->pixels, out += G->pixels * G->out_channels) {
        const int32_t pixels = G->out_width - x < G->pixels ? G->out_width - x : G->pixels;
        const int32_t *stream = D->stream;
        const int8_t *in = row->in[0];

        if (G->copies) {
            int8_t *copy = (int8_t *)copies;
            memset(copy, G->in_zero_point, (size_t)(pixels * step));
            for (int32_t i = 0; i < pixels; ++i, copy = (int8_t *)copies + i * step) {
                for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                    int32_t column = (x + i) * G->stride - G->pad_left;
                    for (int32_t kx = 0; kx < G->kernel_width; ++kx, ++column, copy += G->in_channels) {
                        if (row->in[ky] != NULL && column >= 0 && column < G->in_width) {
                            memcpy(copy, (const int8_t *)row->in[ky] + column * G->in_channels,
                                   (size_t)G->in_channels);
                        }
                    }
                }
            }
            in = (const int8_t *)copies;
        }
        for (int32_t channel = 0; channel < G->out_channels; channel += 2, stream += 2 * G->quads) {
            const int32_t a = channel + 2 <= G->out_channels ? channel : G->out_channels - 2;
            const int8_t *record = D->records + a * G->record_bytes;
            const rv_compact first = rv_load_compact(record, G->record_bytes, G->least_e, G->e_mask);
            const rv_compact second =
                rv_load_compact(record + G->record_bytes, G->record_bytes, G->least_e, G->e_mask);
            const int8_t *window = in;
            int8_t *to = out + a;

            for (int32_t left = pixels; left > 0; left -= 2) {
                const int32_t next = left > 1;
                int8_t *const to1 = to + next * G->out_channels;
                rv_dsp_sums sums = {first.bias, first.bias, second.bias, second.bias};

                rv_dsp_direct(&sums, stream, window, window + next * step, G->quads, minus_zero);
                to1[0] = rv_dsp_output(sums.a1, first.multiplier, first.e, factor);
                to1[1] = rv_dsp_output(sums.b1, second.multiplier, second.e, factor);
                to[0] = rv_dsp_output(sums.a0, first.multiplier, first.e, factor);
                to[1] = rv_dsp_output(sums.b0, second.multiplier, second.e, factor);
                window += 2 * step;
                to += 2 * G->out_channels;
            }
        }
    }
    rv_dsp_clamp_row(row->out, G->out_width * G->out_channels, G->out_min, G->out_max);
}
