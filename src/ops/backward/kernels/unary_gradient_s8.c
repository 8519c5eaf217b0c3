/*
 * The gradient of the input of a function of one byte.
 *
 * in[0]      the function's input [elements]
 * in[1]      gradient of its result [elements]
 * in[2]      the scale of that
 * in[3]      the scale of the gradient that is made
 * out        gradient of the input [elements]
 * derivative of every byte, from -128 on, `fraction` bits [256]
 */
#include "rivulet_gradient.h"

typedef struct {
    int32_t elements;
    int32_t fraction;
} rv_unary_gradient_s8_geometry;

typedef struct {
    const int8_t *derivative;
} rv_unary_gradient_s8_data;

void rv_unary_gradient_s8(const rv_unary_gradient_s8_geometry *G, const rv_unary_gradient_s8_data *D,
                          const rv_row *row)
{
    const int8_t *input = row->in[0];
    const int8_t *gradient = row->in[1];
    int8_t *out = row->out;
    rv_gradient to = rv_gradient_begin(row->in[3]);

    do {
        for (int32_t i = 0; i < G->elements; ++i) {
            out[i] = rv_gradient_round(&to, gradient[i] * D->derivative[input[i] + 128]);
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, rv_exponent(row->in[2]) - G->fraction, rv_state(row->in[3]));
}
