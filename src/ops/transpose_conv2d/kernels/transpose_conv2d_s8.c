/*
 * One output row of an int8 transposed convolution, gathered: output column x receives tap kx of input column
 * (x + pad_left - kx) / stride wherever that is a whole number inside the row.
 *
 * in[k]      input row that reaches the output row through kernel row k [in_width][in_channels], NULL where none does
 * out        output row [out_width][out_channels]
 * weights    [out_channels][kernel_height][kernel_width][in_channels]
 */
#include "rivulet.h"

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
} rv_transpose_conv2d_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_transpose_conv2d_s8_data;

void rv_transpose_conv2d_s8(const rv_transpose_conv2d_s8_geometry *G, const rv_transpose_conv2d_s8_data *D,
                            const rv_row *row)
{
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; ++x) {
        /* Taps first_tap, first_tap + stride, ... meet input columns last_column, last_column - 1, ... */
        const int32_t first_tap = (x + G->pad_left) % G->stride;
        const int32_t last_column = (x + G->pad_left) / G->stride;

        for (int32_t channel = 0; channel < G->out_channels; ++channel) {
            int32_t sum = D->bias[channel];

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                if (in == NULL) {
                    continue;
                }
                const int32_t kernel_row = channel * G->kernel_height + ky;
                const int8_t *weights = D->weights + kernel_row * G->kernel_width * G->in_channels;
                int32_t column = last_column;
                for (int32_t kx = first_tap; kx < G->kernel_width && column >= 0; kx += G->stride) {
                    if (column < G->in_width) {
                        const int8_t *pixel = in + column * G->in_channels;
                        const int8_t *tap = weights + kx * G->in_channels;
                        for (int32_t c = 0; c < G->in_channels; ++c) {
                            sum += (pixel[c] - G->in_zero_point) * tap[c];
                        }
                    }
                    --column;
                }
            }
            sum = rv_requantize(sum, D->multiplier[channel], D->shift[channel]) + G->out_zero_point;
            *out++ = (int8_t)rv_clamp(sum, G->out_min, G->out_max);
        }
    }
}
