/*
 * One output row of an int8 depthwise convolution with one output per channel and at most 49 taps. Each output pixel is made
 * from the pixels under its window; padding is a pixel of the input's zero point.
 *
 * in[k]      input row under kernel row k [in_width][channels], NULL where that row is padding
 * out        output row [out_width][channels]
 * packed     see rv_mve_window; taps in the order [kernel_height][kernel_width], a last odd one has a partner of zeros
 * padding    int8[channels] of the input's zero point, or longer
 */
#include "rivulet_mve.h"

typedef struct {
    int32_t in_width;
    int32_t channels;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
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
    /* With stride 1, taps have moved on to where the next window needs them. */
    const int32_t moves_on = G->stride == 1 ? 1 : 0;
    const int8_t *taps[50];
    int8_t *out = row->out;
    int32_t has_moved = 0;

    for (int32_t x = 0; x < G->out_width; ++x) {
        const int32_t left = x * G->stride - G->pad_left;
        const int32_t is_inside = left >= 0 && left + (G->kernel_width - 1) * G->dilation < G->in_width ? 1 : 0;
        const int8_t **tap = taps;

        for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
            const int8_t *in = row->in[ky];

            if (in == NULL) {
                for (int32_t kx = 0; kx < G->kernel_width; ++kx) {
                    *tap++ = D->padding;
                }
            } else if (is_inside && has_moved) {
                tap += G->kernel_width;
            } else if (is_inside) {
                in += left * G->channels;
                for (int32_t kx = 0; kx < G->kernel_width; ++kx) {
                    *tap++ = in;
                    in += step;
                }
            } else {
                for (int32_t kx = 0; kx < G->kernel_width; ++kx) {
                    const int32_t column = left + kx * G->dilation;
                    *tap++ = column >= 0 && column < G->in_width ? in + column * G->channels : D->padding;
                }
            }
        }
        has_moved = is_inside & moves_on;
        if (tap < taps + 2 * pairs) {
            *tap = D->padding;
        }
        rv_mve_window(D->packed, taps, pairs, G->channels, out, &output);
        out += G->channels;
    }
}
