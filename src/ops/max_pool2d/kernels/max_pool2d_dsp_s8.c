/*
 * One output row of an int8 maximum pool, four channels at a time: any window, stride and padding.
 *
 * in[k]      input row under window row k [in_width][channels], NULL where that row is padding; at least four channels
 * out        output row [out_width][channels]
 */
#include "rivulet_dsp.h"

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
} rv_max_pool2d_dsp_s8_geometry;

void rv_max_pool2d_dsp_s8(const rv_max_pool2d_dsp_s8_geometry *G, const rv_row *row)
{
    int8_t *out = row->out;
    const uint32_t lowest = rv_splat8(G->out_min);

    for (int32_t x = 0; x < G->out_width; ++x) {
        /* The window's columns [first, end) lie inside the row. */
        const int32_t left = x * G->stride - G->pad_left;
        const int32_t first = left < 0 ? 0 : left;
        const int32_t end = left + G->kernel_width < G->in_width ? left + G->kernel_width : G->in_width;

        for (int32_t next = 0; next < G->channels; next += 4) {
            const int32_t channel = rv_dsp_group_of_four(next, G->channels);
            uint32_t largest = lowest;

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                if (in == NULL) {
                    continue;
                }
                for (int32_t column = first; column < end; ++column) {
                    largest = rv_max8(largest, rv_load32(in + column * G->channels + channel));
                }
            }
            if (G->out_max < INT8_MAX) {
                largest = rv_min8(largest, rv_splat8(G->out_max));
            }
            rv_store32(out + channel, largest);
        }
        out += G->channels;
    }
}
