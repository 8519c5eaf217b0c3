/*
 * One output row of an int8 convolution without dilated columns. The pixels under a row of the window are contiguous: each
 * such run goes against the weights of four output channels. Padding is the input's zero point, which is folded into the
 * bias.
 *
 * in[k]      input row under kernel row k [in_width][in_channels], NULL where that row is padding
 * out        output row [out_width][out_channels]
 * packed     for each four output channels: bias int32[4], for each kernel row weights
 *            int8[padded kernel_width * in_channels / 16][4][16], multiplier int32[4], shift int8[4]
 * padding    int8[kernel_width][in_channels] of the input's zero point, or longer
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
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_conv2d_mve_s8_geometry;

typedef struct {
    const int32_t *packed;
    const int8_t *padding;
} rv_conv2d_mve_s8_data;

void rv_conv2d_mve_s8(const rv_conv2d_mve_s8_geometry *G, const rv_conv2d_mve_s8_data *D, const rv_row *row)
{
    const rv_mve_output output = {G->out_zero_point, G->out_min, G->out_max};
    const int32_t run = G->kernel_width * G->in_channels;
    const int32_t row_bytes = G->in_width * G->in_channels;
    const int8_t *runs[16];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->out_width; ++x) {
        /* The bytes [first, end) of each run lie inside the row. */
        const int32_t left = (x * G->stride - G->pad_left) * G->in_channels;
        const int32_t first = rv_clamp(-left, 0, run);
        const int32_t end = rv_clamp(row_bytes - left, first, run);
        const int32_t *packed = D->packed;

        for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
            const int8_t *in = row->in[ky];
            runs[ky] = in != NULL ? in + left : D->padding;
        }
        if (end - first == run) {
            rv_mve_runs(packed, runs, G->kernel_height, run, out, G->out_channels, &output);
        } else {
            for (int32_t channel = 0; channel < G->out_channels; channel += 4) {
                int32_t sums[4] = {packed[0], packed[1], packed[2], packed[3]};

                packed += 4;
                for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                    const int32_t inside = row->in[ky] != NULL ? end - first : 0;
                    packed = rv_mve_dot4_padded(sums, packed, runs[ky], run, first, first + inside,
                                                G->in_zero_point);
                }
                rv_mve_finish4(sums, packed, out + channel, G->out_channels - channel, &output);
                packed += 5;
            }
        }
        out += G->out_channels;
    }
}
