/*
 * One output row of an int8 convolution, not grouped: the values under up to four output pixels are gathered in a column
 * on the stack, which all channels then share. The zero point of padding is folded into the bias.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * weights    and
 * channels   what else a channel needs: see rivulet_scalar.h
 */
#include "rivulet_scalar.h"

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
} rv_conv2d_scalar_stack_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *channels;
} rv_conv2d_scalar_stack_s8_data;

void rv_conv2d_scalar_stack_s8(const rv_conv2d_scalar_stack_s8_geometry *G, const rv_conv2d_scalar_stack_s8_data *D,
                               const rv_row *row)
{
    const rv_scalar_convolution convolution = {
        G->in_width, G->in_channels, G->out_width,     G->out_channels,   G->kernel_height, G->kernel_width,
        G->stride,   G->pad_left,    G->in_zero_point, G->out_zero_point, G->out_min,       G->out_max,
    };
    uint32_t columns[224]; /* STACK_BYTES in scalar.ts */

    rv_scalar_convolve(&convolution, D->weights, D->channels, row, columns);
}
