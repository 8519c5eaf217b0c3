/*
 * One output row of an int8 average pool, four channels at a time: windows of at most 256 elements, any stride and padding.
 * Padding does not count.
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
} rv_average_pool2d_dsp_s8_geometry;

void rv_average_pool2d_dsp_s8(const rv_average_pool2d_dsp_s8_geometry *G, const rv_row *row)
{
    int8_t *out = row->out;
    int32_t rows = 0;

    for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
        rows += row->in[ky] != NULL ? 1 : 0;
    }
    for (int32_t x = 0; x < G->out_width; ++x) {
        /* The window's columns [first, end) lie inside the row. */
        const int32_t left = x * G->stride - G->pad_left;
        const int32_t first = left < 0 ? 0 : left;
        const int32_t end = left + G->kernel_width < G->in_width ? left + G->kernel_width : G->in_width;
        const int32_t count = rows * (end - first);

        for (int32_t next = 0; next < G->channels; next += 4) {
            const int32_t channel = rv_dsp_group_of_four(next, G->channels);
            rv_channel_sums window = {0, 0};
            int32_t sums[4] = {0, 0, 0, 0};

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                if (in != NULL) {
                    rv_dsp_add_columns(in + first * G->channels + channel, G->channels, end - first, &window);
                }
            }
            rv_dsp_add_to_channels(sums, &window);
            for (int32_t k = 0; k < 4; ++k) {
                out[channel + k] = (int8_t)rv_clamp(rv_rounded_quotient(sums[k], count), G->out_min, G->out_max);
            }
        }
        out += G->channels;
    }
}
