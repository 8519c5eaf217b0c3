/*
 * One input row of an int8 average pool without row padding, whose windows share no rows: the row is added to the sums
 * of its window, and the window's last row divides them.
 *
 * in[0]      input row [in_width][channels]; row y % kernel_height of its window
 * out        output row [out_width][channels], NULL until the window's last row
 * scratch    sums int32[out_width][channels]
 */
#include "rivulet.h"

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
} rv_average_pool2d_rows_s8_geometry;

void rv_average_pool2d_rows_s8(const rv_average_pool2d_rows_s8_geometry *G, const rv_row *row)
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

        for (int32_t c = 0; c < G->channels; ++c) {
            int32_t sum = is_first ? 0 : *sums;

            for (int32_t column = first; column < end; ++column) {
                sum += in[column * G->channels + c];
            }
            *sums++ = sum;
            if (out != NULL) {
                *out++ = (int8_t)rv_clamp(rv_rounded_quotient(sum, count), G->out_min, G->out_max);
            }
        }
    }
}
