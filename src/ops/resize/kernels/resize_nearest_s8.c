/*
 * One output row of a resized tensor, every pixel the nearest one of the input.
 *
 * in[0]      the nearest input row
 * out        output row [width][channels]
 * columns    [width] the input column of every output column
 */
#include "rivulet.h"

typedef struct {
    int32_t width;
    int32_t channels;
} rv_resize_nearest_s8_geometry;

typedef struct {
    const int16_t *columns;
} rv_resize_nearest_s8_data;

void rv_resize_nearest_s8(const rv_resize_nearest_s8_geometry *G, const rv_resize_nearest_s8_data *D, const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; ++x) {
        memcpy(out, in + D->columns[x] * G->channels, (size_t)G->channels);
        out += G->channels;
    }
}
