/*
 * One output row of an int8 convolution without dilated columns: the pixels under a few windows at a time are copied into
 * patches, which are vectors through a dense layer. Padding holds the input's zero point, which is folded into the bias.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * scratch    int8[patches][kernel_height][kernel_width][in_channels]
 * packed     see rv_mve_dense
 */
#include "rivulet_mve_dense.h"

typedef struct {
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t pad_left;
    int32_t patches;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_conv2d_patch_mve_s8_geometry;

typedef struct {
    const int32_t *packed;
} rv_conv2d_patch_mve_s8_data;

void rv_conv2d_patch_mve_s8(const rv_conv2d_patch_mve_s8_geometry *G, const rv_conv2d_patch_mve_s8_data *D,
                            const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, G->out_min, G->out_max};
    const int32_t run = G->kernel_width * G->in_channels;
    const int32_t row_bytes = G->in_width * G->in_channels;
    const int32_t patch_bytes = G->kernel_height * run;
    const int32_t step = G->stride * G->in_channels;
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; x += G->patches) {
        const int32_t count = G->out_width - x < G->patches ? G->out_width - x : G->patches;
        const int32_t left = x * step - G->pad_left * G->in_channels;
        const int32_t is_inside = left >= 0 && left + (count - 1) * step + run <= row_bytes ? 1 : 0;

        for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
            const int8_t *in = row->in[ky];
            int8_t *to = (int8_t *)row->scratch + ky * run;

            if (in != NULL && is_inside) {
                in += left;
                for (int32_t i = 0; i < count; ++i) {
                    rv_mve_copy(to, in, run);
                    in += step;
                    to += patch_bytes;
                }
                continue;
            }
            for (int32_t i = 0; i < count; ++i) {
                /* The bytes [first, end) of the run lie inside the row. */
                const int32_t from = left + i * step;
                const int32_t first = rv_clamp(-from, 0, run);
                const int32_t end = in == NULL ? first : rv_clamp(row_bytes - from, first, run);

                if (end - first < run) {
                    rv_mve_fill(to, G->in_zero_point, run);
                }
                if (first < end) {
                    rv_mve_copy(to + first, in + from + first, end - first);
                }
                to += patch_bytes;
            }
        }
        rv_mve_dense(D->packed, row->scratch, patch_bytes, patch_bytes, count, out, G->out_channels,
                     G->out_channels, &output);
        out += count * G->out_channels;
    }
}
