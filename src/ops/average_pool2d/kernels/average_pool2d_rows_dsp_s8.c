/*
 * One input row of an int8 average pool without row padding, whose windows share no rows, four channels at a time: the row
 * is added to the sums of its window, and the window's last row divides them.
 *
 * in[0]      input row [in_width][channels], `channels` a multiple of four; row y % kernel_height of its window
 * out        output row [out_width][channels], NULL until the window's last row
 * scratch    sums int32[out_width][channels]
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
} rv_average_pool2d_rows_dsp_s8_geometry;

void rv_average_pool2d_rows_dsp_s8(const rv_average_pool2d_rows_dsp_s8_geometry *G, const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;
    int32_t *sums = row->scratch;
    const int32_t is_first = row->y % G->kernel_height == 0 ? 1 : 0;

    for (int32_t x = 0; x < G->out_width; ++x) {
        /* The window's columns [first, end) lie inside the row. */
        const int32_t left = x * G->stride - G->pad_left;
        const int32_t first = left < 0 ? 0 : left;
        const int32_t end = left + G->kernel_width < G->in_width ? left + G->kernel_width : G->in_width;
        const int32_t count = G->kernel_height * (end - first);

        for (int32_t channel = 0; channel < G->channels; channel += 4) {
            rv_channel_sums columns = {0, 0};

            rv_dsp_add_columns(in + first * G->channels + channel, G->channels, end - first, &columns);
            if (is_first) {
                memset(sums, 0, 4 * sizeof *sums);
            }
            rv_dsp_add_to_channels(sums, &columns);
            for (int32_t k = 0; k < 4 && out != NULL; ++k) {
                *out++ = (int8_t)rv_clamp(rv_rounded_quotient(sums[k], count), G->out_min, G->out_max);
            }
            sums += 4;
        }
    }
}
