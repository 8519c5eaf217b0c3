/*
 * A step of the trained weights of a depthwise convolution: any window, stride, dilation and padding.
 *
 * in[0]      trained channels of the input [in_height][in_width][trained]
 * in[1]      gradient of the result [out_height][out_width][channels]
 * in[2]      its scale
 * in[3]      its mask, a row of bits for each of its rows; NULL: all passes
 * in[4]      trained weights [kernel_height][kernel_width][trained], which change
 * in[5]      the bits below the weights; NULL if there are none
 * in[6]      uint32, the state of the generator
 * in[7]      float, the rate
 * in[8]      int32 velocities, one for each weight; NULL if there are none
 * in[9]      int32 gradients of a batch; NULL if there are none
 * in[10]     int32, 0 within a batch; NULL: 1
 * out        int32, how many weights were clamped
 * indices    the channel of the result of each trained one [trained]
 * factors    K of each trained channel [trained]
 */
#include "rivulet_update.h"

typedef struct {
    int32_t in_height;
    int32_t in_width;
    int32_t trained;
    int32_t out_height;
    int32_t out_width;
    int32_t channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t pad_top;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t residual_bits;
    int32_t momentum;
} rv_depthwise_conv2d_update_s8_geometry;

typedef struct {
    const int16_t *indices;
    const float *factors;
} rv_depthwise_conv2d_update_s8_data;

void rv_depthwise_conv2d_update_s8(const rv_depthwise_conv2d_update_s8_geometry *G,
                                   const rv_depthwise_conv2d_update_s8_data *D, const rv_row *row)
{
    const int8_t *input = row->in[0];
    const int8_t *gradient = row->in[1];
    const int32_t row_elements = G->out_width * G->channels;
    const int32_t row_bytes = (row_elements + 7) / 8;
    const int32_t taps = G->kernel_height * G->kernel_width;
    const float rate = rv_load_float(row->in[7]);
    rv_update update = rv_begin_update(row, 6, 8, 9, 10);

    update.momentum = G->momentum;
    update.fraction = G->residual_bits;
    for (int32_t i = 0; i < taps * G->trained; ++i) {
        const int32_t tap = i / G->trained;
        const int32_t j = i % G->trained;
        const int32_t top = tap / G->kernel_width * G->dilation_y - G->pad_top;
        const int32_t left = tap % G->kernel_width * G->dilation_x - G->pad_left;
        const rv_channel_step step = rv_step_of(rate, D->factors[j], rv_exponent(row->in[2]) + rv_step_fraction(&update));
        uint32_t sum = 0;

        if (rv_is_idle(&update, step)) {
            continue;
        }
        for (int32_t y = 0; y < G->out_height; ++y) {
            const int32_t in_y = y * G->stride_y + top;
            if (in_y < 0 || in_y >= G->in_height) {
                continue;
            }
            for (int32_t x = 0; x < G->out_width; ++x) {
                const int32_t in_x = x * G->stride_x + left;
                const int32_t at = x * G->channels + D->indices[j];
                const uint8_t *mask = row->in[3];
                if (in_x < 0 || in_x >= G->in_width || !rv_passes(mask == NULL ? NULL : mask + y * row_bytes, at)) {
                    continue;
                }
                sum += (uint32_t)((input[(in_y * G->in_width + in_x) * G->trained + j] - G->in_zero_point) *
                                  gradient[y * row_elements + at]);
            }
        }
        rv_move_weight(&update, rv_state(row->in[4]), rv_state(row->in[5]), i,
                       rv_movement(&update, i, (int32_t)sum, step));
    }
    rv_end_update(&update, row, 6);
}
