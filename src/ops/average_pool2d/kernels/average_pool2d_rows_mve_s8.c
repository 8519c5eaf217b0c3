/*
 * One input row of an int8 average pool without padding, whose windows share no rows: the row is added to the sums of its
 * window, four channels at a time, and the window's last row divides them.
 *
 * in[0]      input row [in_width][channels]; row y % kernel_height of its window
 * out        output row [out_width][channels], NULL until the window's last row
 * scratch    sums int32[out_width][channels]
 */
#include "rivulet_mve.h"

typedef struct {
    int32_t channels;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t out_min;
    int32_t out_max;
} rv_average_pool2d_rows_mve_s8_geometry;

void rv_average_pool2d_rows_mve_s8(const rv_average_pool2d_rows_mve_s8_geometry *G, const rv_row *row)
{
    const int32_t is_first = row->y % G->kernel_height == 0 ? 1 : 0;
    const int32_t count = G->kernel_height * G->kernel_width;
    const int8_t *in = row->in[0];
    int8_t *out = row->out;
    int32_t *sums = row->scratch;

    for (int32_t x = 0; x < G->out_width; ++x) {
        rv_mve_accumulate(sums, in, 1, G->kernel_width, G->channels, is_first);
        for (int32_t c = 0; c < G->channels && out != NULL; ++c) {
            *out++ = (int8_t)rv_clamp(rv_rounded_quotient(sums[c], count), G->out_min, G->out_max);
        }
        in += G->stride * G->channels;
        sums += G->channels;
    }
}
