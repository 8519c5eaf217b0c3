/*
 * The gradient of the input of an average pool.
 *
 * in[0]      gradient of the result [in_height][in_width][channels]
 * in[1]      its scale
 * in[2]      the scale of the gradient that is made
 * in[3]      the mask of in[0], a row of bits for each of its rows; NULL: all passes
 * out        gradient of the input [out_height][out_width][channels]
 * factors    of each pixel of in[0], its share for each pixel under it, `fraction` bits [in_height][in_width]
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
    int32_t fraction;
} rv_average_pool2d_gradient_s8_geometry;

typedef struct {
    const int8_t *factors;
} rv_average_pool2d_gradient_s8_data;

void rv_average_pool2d_gradient_s8(const rv_average_pool2d_gradient_s8_geometry *G,
                                   const rv_average_pool2d_gradient_s8_data *D, const rv_row *row)
{
    const int8_t *gradient = row->in[0];
    const uint8_t *mask = row->in[3];
    const int32_t row_bytes = (G->in_width * G->channels + 7) / 8;
    const int32_t exponent = rv_exponent(row->in[1]) - G->fraction;
    rv_gradient to = rv_gradient_begin(row->in[2]);

    do {
        int8_t *out = row->out;
        for (int32_t i = 0; i < G->out_height * G->out_width * G->channels; ++i) {
            const int32_t c = i % G->channels;
            const int32_t bottom = i / G->channels / G->out_width + G->pad_top;
            const int32_t right = i / G->channels % G->out_width + G->pad_left;
            int32_t sum = 0;

            for (int32_t y = 0; y < G->in_height; ++y) {
                if (y * G->stride_y > bottom || y * G->stride_y + G->kernel_height <= bottom) {
                    continue;
                }
                for (int32_t x = 0; x < G->in_width; ++x) {
                    const int32_t at = x * G->channels + c;
                    if (x * G->stride_x <= right && x * G->stride_x + G->kernel_width > right &&
                        rv_passes(mask == NULL ? NULL : mask + y * row_bytes, at)) {
                        const int32_t pixel = y * G->in_width + x;
                        sum += gradient[pixel * G->channels + c] * D->factors[pixel];
                    }
                }
            }
            *out++ = rv_gradient_round(&to, sum);
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, exponent, rv_state(row->in[2]));
}
