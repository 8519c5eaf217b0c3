/*
 * One output row of an int8 maximum pool of any window, stride and padding: the output is the largest so far of the pixels
 * under its window, sixteen channels at a time.
 *
 * in[k]      input row under window row k [in_width][channels], NULL where that row is padding
 * out        output row [out_width][channels]
 */
#include "rivulet_mve.h"

typedef struct {
    int32_t in_width;
    int32_t channels;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t pad_left;
    int32_t out_min;
    int32_t out_max;
} rv_max_pool2d_mve_s8_geometry;

void rv_max_pool2d_mve_s8(const rv_max_pool2d_mve_s8_geometry *G, const rv_row *row)
{
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; ++x) {
        /* The window's columns [first, end) lie inside the row. */
        const int32_t left = x * G->stride - G->pad_left;
        const int32_t first = left < 0 ? 0 : left;
        const int32_t end = left + G->kernel_width < G->in_width ? left + G->kernel_width : G->in_width;

        rv_mve_fill(out, INT8_MIN, G->channels);
        for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
            const int8_t *in = row->in[ky];

            for (int32_t column = first; column < end && in != NULL; ++column) {
                rv_mve_maximum(out, in + column * G->channels, G->channels);
            }
        }
        rv_mve_bound(out, G->channels, G->out_min, G->out_max);
        out += G->channels;
    }
}
