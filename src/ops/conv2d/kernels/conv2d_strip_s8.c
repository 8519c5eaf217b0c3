/*
 * One output row of an int8 convolution three wide with stride 1, not grouped: the input columns under four output pixels
 * are widened into a strip in scratch, which all channels share. Padding holds the zero point, which is folded into
 * the bias.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * scratch    see rv_dsp_convolve_strip
 * stream     see rivulet_dsp_product.h
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
    int32_t joined;
    int32_t quads;
    int32_t pixels;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t relu;
} rv_conv2d_strip_s8_geometry;

typedef struct {
    const int32_t *stream;
} rv_conv2d_strip_s8_data;

void rv_conv2d_strip_s8(const rv_conv2d_strip_s8_geometry *G, const rv_conv2d_strip_s8_data *D, const rv_row *row)
{
    const rv_dsp_convolution convolution = {
        G->in_width, G->in_channels, G->out_width, G->out_channels, G->kernel_height, G->kernel_width,
        G->stride, G->pad_left, G->joined, G->quads, G->pixels, G->in_zero_point,
        G->out_zero_point, G->out_min, G->out_max, G->relu,
    };
    rv_dsp_convolve_strip(&convolution, D->stream, row, row->scratch);
}
