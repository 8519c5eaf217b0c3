/*
 * One output row of the larger of two int8 tensors that are quantised alike.
 *
 * in[0], in[1]  rows of the operands; the strides are 0 where an operand has a single pixel or channel for all
 * out           output row [width][channels]
 */
#include "rivulet.h"

typedef struct {
    int32_t width;
    int32_t channels;
    int32_t a_pixel_stride;
    int32_t a_channel_stride;
    int32_t b_pixel_stride;
    int32_t b_channel_stride;
} rv_maximum_s8_geometry;

void rv_maximum_s8(const rv_maximum_s8_geometry *G, const rv_row *row)
{
    const int8_t *row_a = row->in[0];
    const int8_t *row_b = row->in[1];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; ++x) {
        const int8_t *in_a = row_a + x * G->a_pixel_stride;
        const int8_t *in_b = row_b + x * G->b_pixel_stride;

        for (int32_t c = 0; c < G->channels; ++c) {
            const int8_t a = in_a[c * G->a_channel_stride];
            const int8_t b = in_b[c * G->b_channel_stride];
            *out++ = a > b ? a : b;
        }
    }
}
