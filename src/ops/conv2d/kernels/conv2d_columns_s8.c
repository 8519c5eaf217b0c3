/*
 * One output row of an int8 convolution, not grouped: the input values under up to four output pixels are widened into
 * a column in scratch, which all channels then share. Padding holds the zero point, which is folded into the bias.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * scratch    pairs uint32[pixels][K / 2], then, unless every window is inside, int8[pixels][quads * 4]: copies of windows
 * stream     see rivulet_dsp.h; K is [kernel_height][kernel_width * in_channels], or, joined, all of it in one, filled up
 *            to quads * 4 values with weights of zero
 */
#include "rivulet_dsp.h"

typedef struct {
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t pad_left;
    int32_t joined;
    int32_t quads;
    int32_t pixels;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t doubled;
} rv_conv2d_columns_s8_geometry;

typedef struct {
    const int32_t *stream;
} rv_conv2d_columns_s8_data;

void rv_conv2d_columns_s8(const rv_conv2d_columns_s8_geometry *G, const rv_conv2d_columns_s8_data *D,
                          const rv_row *row)
{
    const int32_t parts = G->joined ? 1 : G->kernel_height;
    const int32_t words = parts * G->quads * 2;
    const rv_dsp_product product = {D->stream, words, G->out_channels, 2 * G->out_zero_point + 1, G->doubled};
    const int32_t row_bytes = G->in_width * G->in_channels;
    const int32_t window_bytes = G->kernel_width * G->in_channels;
    const int32_t step = G->stride * G->in_channels;
    int32_t first = -G->pad_left * G->in_channels;
    uint32_t *const columns = row->scratch;
    int8_t *const border = (int8_t *)(columns + G->pixels * words);
    int8_t *out = row->out;

    for (int32_t left = G->out_width; left > 0; left -= G->pixels) {
        const int32_t pixels = left < G->pixels ? left : G->pixels;
        const int32_t inside = first >= 0 && first + (pixels - 1) * step + 4 * G->quads <= row_bytes;
        uint32_t *column = columns;

        for (int32_t part = 0; part < parts; ++part, column += 2 * pixels * G->quads) {
            const int8_t *in = row->in[part];
            const int8_t *windows[4];

            for (int32_t p = 0; p < pixels; ++p) {
                const int32_t start = first + p * step;
                int8_t *const copy = border + p * 4 * G->quads;

                if (G->joined) {
                    for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                        rv_dsp_copy_window(copy + ky * window_bytes, row->in[ky], start, row_bytes, window_bytes,
                                           G->in_zero_point);
                    }
                    windows[p] = copy;
                } else if (inside && in != NULL) {
                    windows[p] = in + start;
                } else {
                    rv_dsp_copy_window(copy, in, start, row_bytes, window_bytes, G->in_zero_point);
                    windows[p] = copy;
                }
            }
            rv_dsp_widen(column, pixels, windows, G->quads, G->doubled);
        }
        rv_dsp_tile(&product, columns, pixels, out);
        if (G->out_max - G->out_min < 255) {
            rv_dsp_clamp(out, pixels * G->out_channels, G->out_min, G->out_max);
        }
        first += pixels * step;
        out += pixels * G->out_channels;
    }
}
