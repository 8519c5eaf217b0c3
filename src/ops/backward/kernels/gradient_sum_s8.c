/*
 * The sum of two gradients.
 *
 * in[0]      a [elements]
 * in[1]      its scale
 * in[2]      b [elements]
 * in[3]      its scale
 * in[4]      the scale of the sum
 * out        sum [elements]
 */
#include "rivulet_gradient.h"

typedef struct {
    int32_t elements;
} rv_gradient_sum_s8_geometry;

void rv_gradient_sum_s8(const rv_gradient_sum_s8_geometry *G, const rv_row *row)
{
    const int64_t above = (int64_t)rv_exponent(row->in[1]) - rv_exponent(row->in[3]);
    const int64_t distance = above < 0 ? -above : above;
    const int8_t *larger = row->in[above < 0 ? 2 : 0];
    const int8_t *smaller = row->in[above < 0 ? 0 : 2];
    const int32_t exponent = rv_exponent(row->in[above < 0 ? 3 : 1]);
    /* The larger one keeps 16 bits below its own; shifted by 9 nothing is left of an int8. */
    const int32_t left = distance < 16 ? (int32_t)distance : 16;
    const int32_t right = distance - left < 9 ? (int32_t)(distance - left) : 9;
    int8_t *out = row->out;
    rv_gradient to = rv_gradient_begin(row->in[4]);

    do {
        for (int32_t i = 0; i < G->elements; ++i) {
            const int32_t rounded = right == 0 ? smaller[i] : ((smaller[i] >> (right - 1)) + 1) >> 1;
            out[i] = rv_gradient_round(&to, larger[i] * ((int32_t)1 << left) + rounded);
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, exponent - left, rv_state(row->in[4]));
}
