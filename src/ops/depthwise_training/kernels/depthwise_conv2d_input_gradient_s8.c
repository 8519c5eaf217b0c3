/*
 * The gradient of the input of a depthwise convolution: any window, stride, dilation and padding.
 *
 * in[0]      gradient of the result [in_height][in_width][channels]
 * in[1]      its scale
 * in[2]      the scale of the gradient that is made
 * in[3]      the mask of in[0], a row of bits for each of its rows; NULL: all passes
 * in[4]      trained weights [kernel_height][kernel_width][trained]; NULL if there are none
 * out        gradient of the input [out_height][out_width][channels]
 * weights    [kernel_height][kernel_width][channels], not read where all are trained
 * indices    [channels], the index among the trained ones, -1: frozen
 * factors    [channels], by which weights are multiplied, `fraction` bits
 */
#include "rivulet_gradient.h"

typedef struct {
    int32_t channels;
    int32_t in_height;
    int32_t in_width;
    int32_t out_height;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t pad_top;
    int32_t pad_left;
    int32_t trained;
    int32_t fraction;
} rv_depthwise_conv2d_input_gradient_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int16_t *indices;
    const int8_t *factors;
} rv_depthwise_conv2d_input_gradient_s8_data;

void rv_depthwise_conv2d_input_gradient_s8(const rv_depthwise_conv2d_input_gradient_s8_geometry *G,
                                           const rv_depthwise_conv2d_input_gradient_s8_data *D, const rv_row *row)
{
    const int8_t *gradient = row->in[0];
    const uint8_t *mask = row->in[3];
    const int32_t row_elements = G->in_width * G->channels;
    const int32_t row_bytes = (row_elements + 7) / 8;
    const int32_t exponent = rv_exponent(row->in[1]) - G->fraction;
    rv_gradient to = rv_gradient_begin(row->in[2]);

    do {
        int8_t *out = row->out;
        for (int32_t y = 0; y < G->out_height; ++y) {
            for (int32_t x = 0; x < G->out_width; ++x) {
                for (int32_t c = 0; c < G->channels; ++c) {
                    const int32_t index = D->indices[c];
                    const int8_t *taps = index < 0 ? D->weights + c : (const int8_t *)row->in[4] + index;
                    const int32_t pitch = index < 0 ? G->channels : G->trained;
                    int32_t sum = 0;

                    for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                        const int32_t from_y = y + G->pad_top - ky * G->dilation_y;
                        const int32_t in_y = from_y / G->stride_y;
                        if (from_y < 0 || in_y >= G->in_height || from_y % G->stride_y != 0) {
                            continue;
                        }
                        for (int32_t kx = 0; kx < G->kernel_width; ++kx) {
                            const int32_t from_x = x + G->pad_left - kx * G->dilation_x;
                            const int32_t in_x = from_x / G->stride_x;
                            const int32_t i = in_x * G->channels + c;
                            if (from_x < 0 || in_x >= G->in_width || from_x % G->stride_x != 0 ||
                                !rv_passes(mask == NULL ? NULL : mask + in_y * row_bytes, i)) {
                                continue;
                            }
                            sum += gradient[in_y * row_elements + i] * taps[(ky * G->kernel_width + kx) * pitch];
                        }
                    }
                    *out++ = rv_gradient_round(&to, (int32_t)((uint32_t)sum * (uint32_t)D->factors[c]));
                }
            }
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, exponent, rv_state(row->in[2]));
}
