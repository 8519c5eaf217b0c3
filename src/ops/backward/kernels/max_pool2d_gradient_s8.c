/*
 * The gradient of the input of a maximum pool: that of each window goes to the first of its largest elements.
 *
 * in[0]      gradient of the result [in_height][in_width][channels]
 * in[1]      its scale
 * in[2]      the scale of the gradient that is made
 * in[3]      the mask of in[0], a row of bits for each of its rows; NULL: all passes
 * in[4]      the pool's input [out_height][out_width][channels]
 * out        gradient of the input [out_height][out_width][channels]
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
    int32_t pad_top;
    int32_t pad_left;
} rv_max_pool2d_gradient_s8_geometry;

void rv_max_pool2d_gradient_s8(const rv_max_pool2d_gradient_s8_geometry *G, const rv_row *row)
{
    const int8_t *gradient = row->in[0];
    const uint8_t *mask = row->in[3];
    const int8_t *input = row->in[4];
    const int32_t row_bytes = (G->in_width * G->channels + 7) / 8;
    rv_gradient to = rv_gradient_begin(row->in[2]);

    do {
        int8_t *out = row->out;
        for (int32_t i = 0; i < G->out_height * G->out_width * G->channels; ++i) {
            const int32_t c = i % G->channels;
            const int32_t bottom = i / G->channels / G->out_width + G->pad_top;
            const int32_t right = i / G->channels % G->out_width + G->pad_left;
            int32_t sum = 0;

            for (int32_t y = 0; y < G->in_height; ++y) {
                const int32_t top = y * G->stride_y;
                for (int32_t x = 0; x < G->in_width; ++x) {
                    const int32_t left = x * G->stride_x;
                    int32_t largest = -1;
                    if (top > bottom || top + G->kernel_height <= bottom || left > right ||
                        left + G->kernel_width <= right) {
                        continue;
                    }
                    for (int32_t tap = 0; tap < G->kernel_height * G->kernel_width; ++tap) {
                        const int32_t in_y = top + tap / G->kernel_width - G->pad_top;
                        const int32_t in_x = left + tap % G->kernel_width - G->pad_left;
                        const int32_t at = (in_y * G->out_width + in_x) * G->channels + c;
                        if (in_y >= 0 && in_y < G->out_height && in_x >= 0 && in_x < G->out_width &&
                            (largest < 0 || input[at] > input[largest])) {
                            largest = at;
                        }
                    }
                    if (largest == i &&
                        rv_passes(mask == NULL ? NULL : mask + y * row_bytes, x * G->channels + c)) {
                        sum += gradient[(y * G->in_width + x) * G->channels + c];
                    }
                }
            }
            *out++ = rv_gradient_round(&to, sum);
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, rv_exponent(row->in[1]), rv_state(row->in[2]));
}
