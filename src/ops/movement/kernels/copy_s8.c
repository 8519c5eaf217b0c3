/*
 * One row of bytes that move without changing: part of an input row, or all of it, to part of an output row.
 *
 * in[0]      input row; the first byte to copy is at in_start, strides may be negative
 * out        first byte to write
 */
#include "rivulet.h"

typedef struct {
    int32_t width;
    int32_t channels;
    int32_t in_start;
    int32_t in_pixel_stride;
    int32_t in_channel_stride;
    int32_t out_pixel_stride;
} rv_copy_s8_geometry;

void rv_copy_s8(const rv_copy_s8_geometry *G, const rv_row *row)
{
    const int8_t *in = (const int8_t *)row->in[0] + G->in_start;
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; ++x) {
        const int8_t *from = in + x * G->in_pixel_stride;
        int8_t *to = out + x * G->out_pixel_stride;

        if (G->in_channel_stride == 1) {
            memcpy(to, from, (size_t)G->channels);
        } else {
            for (int32_t c = 0; c < G->channels; ++c) {
                to[c] = from[c * G->in_channel_stride];
            }
        }
    }
}
