/*
 * The gradient of a mean over all pixels.
 *
 * in[0]      gradient of the mean [channels]
 * in[1]      its scale
 * in[2]      the scale of the gradient that is made
 * out        gradient of the image [pixels][channels]
 */
#include "rivulet_gradient.h"

typedef struct {
    int32_t pixels;
    int32_t channels;
    int32_t factor; /* 1 / pixels, `fraction` bits */
    int32_t fraction;
} rv_mean_gradient_s8_geometry;

void rv_mean_gradient_s8(const rv_mean_gradient_s8_geometry *G, const rv_row *row)
{
    const int8_t *gradient = row->in[0];
    const int32_t exponent = rv_exponent(row->in[1]) - G->fraction;
    rv_gradient to = rv_gradient_begin(row->in[2]);

    do {
        int8_t *out = row->out;
        for (int32_t c = 0; c < G->channels; ++c) {
            *out++ = rv_gradient_round(&to, gradient[c] * G->factor);
        }
        for (int32_t pixel = 1; pixel < G->pixels; ++pixel) {
            memcpy(out, row->out, (size_t)G->channels);
            out += G->channels;
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, exponent, rv_state(row->in[2]));
}
