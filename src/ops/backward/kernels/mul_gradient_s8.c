/*
 * The gradient of one operand of a multiplication.
 *
 * in[0]      the other operand [other_pixels][channels]
 * in[1]      gradient of the product [height][width][channels]
 * in[2]      its scale
 * in[3]      the scale of the gradient that is made
 * in[4]      the mask of in[1], a row of bits for each of its rows; NULL: all passes
 * out        gradient of the operand [pixels][channels]; with one pixel the sum over all
 */
#include "rivulet_gradient.h"

typedef struct {
    int32_t height;
    int32_t width;
    int32_t channels;
    int32_t other_pixels;
    int32_t pixels;
    int32_t zero_point;
    int32_t factor;   /* the scale of the other operand, `fraction` bits with `shift` */
    int32_t fraction;
    int32_t shift;    /* of sums, before they are multiplied */
} rv_mul_gradient_s8_geometry;

void rv_mul_gradient_s8(const rv_mul_gradient_s8_geometry *G, const rv_row *row)
{
    const int8_t *other = row->in[0];
    const int8_t *gradient = row->in[1];
    const uint8_t *mask = row->in[4];
    const int32_t all = G->height * G->width;
    const int32_t row_bytes = (G->width * G->channels + 7) / 8;
    int8_t *out = row->out;
    rv_gradient to = rv_gradient_begin(row->in[3]);

    do {
        for (int32_t i = 0; i < G->pixels * G->channels; ++i) {
            const int32_t c = i % G->channels;
            const int32_t first = i / G->channels;
            const int32_t end = G->pixels == 1 ? all : first + 1;
            int32_t sum = 0;

            for (int32_t pixel = first; pixel < end; ++pixel) {
                const uint8_t *bits = mask == NULL ? NULL : mask + pixel / G->width * row_bytes;
                if (rv_passes(bits, pixel % G->width * G->channels + c)) {
                    const int32_t at = G->other_pixels == 1 ? c : pixel * G->channels + c;
                    sum += gradient[pixel * G->channels + c] * (other[at] - G->zero_point);
                }
            }
            if (G->shift > 0) {
                sum = ((sum >> (G->shift - 1)) + 1) >> 1;
            }
            out[i] = rv_gradient_round(&to, sum * G->factor);
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, rv_exponent(row->in[2]) - G->fraction, rv_state(row->in[3]));
}
