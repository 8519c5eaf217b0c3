/*
 * One output row of an int8 depthwise convolution with one output per channel and at most 49 taps. Each output pixel is made
 * from the pixels under its window; padding is a pixel of the input's zero point. With few channels and stride 1, `pixels`
 * neighbours that lie inside the row are computed as if they were one pixel.
 *
 * in[k]      input row under kernel row k [in_width][channels], NULL where that row is padding
 * out        output row [out_width][channels]
 * packed     see rv_mve_window, channels repeated `pixels` times; taps in the order [kernel_height][kernel_width], a last odd one has a partner of zeros
 * padding    int8[channels] of the input's zero point, or longer
 */
#include "rivulet_mve_depthwise.h"

typedef struct {
    int32_t in_width;
    int32_t channels;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
    int32_t pixels;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_depthwise_conv2d_mve_s8_geometry;

typedef struct {
    const int32_t *packed;
    const int8_t *padding;
} rv_depthwise_conv2d_mve_s8_data;

void rv_depthwise_conv2d_mve_s8(const rv_depthwise_conv2d_mve_s8_geometry *G,
                                const rv_depthwise_conv2d_mve_s8_data *D, const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, G->out_min, G->out_max};
    const int32_t pairs = (G->kernel_height * G->kernel_width + 1) >> 1;
    const int32_t step = G->dilation * G->channels;
    const int32_t reach = (G->kernel_width - 1) * G->dilation;
    const int8_t *taps[52];
    int8_t *out = row->out;
    int32_t rows = 0;

    for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
        rows += row->in[ky] != NULL ? 1 : 0;
    }
    for (int32_t x = 0; x < G->out_width;) {
        const int32_t left = x * G->stride - G->pad_left;
        /* The taps [first, end) lie inside the row. */
        int32_t first = 0;
        int32_t end = G->kernel_width;
        int32_t pixels = 1;
        int32_t windows = 1;

        while (first < end && left + first * G->dilation < 0) {
            ++first;
        }
        while (first < end && left + (end - 1) * G->dilation >= G->in_width) {
            --end;
        }
        if (end - first == G->kernel_width) {
            const int32_t fitting = (G->in_width - left - reach - 1) / G->stride + 1;
            const int32_t inside = fitting < G->out_width - x ? fitting : G->out_width - x;

            pixels = inside < G->pixels ? 1 : G->pixels;
            /* Padding does not move on with the window. */
            windows = rows == G->kernel_height ? inside / pixels : 1;
        }
        for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
            const int8_t *in = row->in[ky];

            if (in == NULL) {
                rv_mve_taps(taps + ky * G->kernel_width, D->padding, 0, G->kernel_width, 0, 0, D->padding);
            } else {
                rv_mve_taps(taps + ky * G->kernel_width, in + left * G->channels, step, G->kernel_width, first, end,
                            D->padding);
            }
        }
        if (2 * pairs > G->kernel_height * G->kernel_width) {
            taps[2 * pairs - 1] = taps[2 * pairs - 2];
        }
        rv_mve_windows(D->packed, taps, pairs, pixels * G->channels, G->stride, windows, out, &output);
        x += windows * pixels;
        out += windows * pixels * G->channels;
    }
}
