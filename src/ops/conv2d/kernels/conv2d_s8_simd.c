/*
 * One output row of an int8 convolution with any window, stride, dilation and padding: the windows of four pixels are laid
 * out one below the other, padding as the zero point, and multiplied as pixels of a pointwise convolution. The input's
 * zero point is folded into the biases.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * weights, channels    as rv_dense has them, inputs in the order [kernel_height][kernel_width][in_channels], 4096 at most
 */
#include "rivulet_simd.h"

typedef struct {
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_conv2d_s8_simd_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *channels;
} rv_conv2d_s8_simd_data;

void rv_conv2d_s8_simd(const rv_conv2d_s8_simd_geometry *G, const rv_conv2d_s8_simd_data *D, const rv_row *row)
{
    int8_t windows[4 * 4096];
    const int32_t run = G->kernel_width * G->in_channels;
    const int32_t inputs = G->kernel_height * run;
    const rv_dense layer = {
        D->weights, D->channels, inputs, G->out_channels, G->out_min, G->out_max,
    };
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; x += 4) {
        const int32_t pixels = G->out_width - x < 4 ? G->out_width - x : 4;
        int8_t *window = windows;

        for (int32_t pixel = x; pixel < x + pixels; ++pixel) {
            const int32_t left = pixel * G->stride - G->pad_left;
            const int32_t is_whole = left >= 0 && G->dilation == 1 && left + G->kernel_width <= G->in_width;

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                if (in == NULL) {
                    rv_fill_bytes(window, G->in_zero_point, run);
                } else if (is_whole) {
                    rv_copy_bytes(window, in + left * G->in_channels, run);
                } else {
                    for (int32_t kx = 0; kx < G->kernel_width; ++kx) {
                        const int32_t column = left + kx * G->dilation;
                        int8_t *tap = window + kx * G->in_channels;
                        if (column >= 0 && column < G->in_width) {
                            rv_copy_bytes(tap, in + column * G->in_channels, G->in_channels);
                        } else {
                            rv_fill_bytes(tap, G->in_zero_point, G->in_channels);
                        }
                    }
                }
                window += run;
            }
        }
        rv_dense_pixels(&layer, windows, inputs, out, pixels);
        out += pixels * G->out_channels;
    }
}
