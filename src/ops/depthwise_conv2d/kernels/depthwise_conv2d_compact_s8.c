/*
 * One output row of an int8 depthwise convolution, any square window and stride, in little flash: the channel's input rows
 * are laid out on the stack, one below the other, between columns of padding; then four outputs at a time share every
 * weight.
 *
 * in[k]      input row under kernel row k [..][channels], NULL where that row is padding
 * out        output row [out_width][channels]
 * weights    [channels][kernel_width][kernel_width]
 * records    [channels], record_bytes each: see rv_load_compact; the input's zero point is folded into the bias
 */
#include "rivulet_dsp_product.h"

typedef struct {
    int32_t channels;
    int32_t in_columns;
    int32_t pad_left;
    int32_t plane_width;
    int32_t out_width;
    int32_t kernel_width;
    int32_t stride;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t record_bytes;
    int32_t least_e;
    int32_t e_mask;
} rv_depthwise_conv2d_compact_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int8_t *records;
} rv_depthwise_conv2d_compact_s8_data;

void rv_depthwise_conv2d_compact_s8(const rv_depthwise_conv2d_compact_s8_geometry *G,
                                    const rv_depthwise_conv2d_compact_s8_data *D, const rv_row *row)
{
    const int32_t factor = 2 * G->out_zero_point + 1;
    const int32_t stride = G->stride;
    const int32_t channels = G->channels;
    const int32_t size = G->kernel_width;
    const int8_t *taps = D->weights;
    uint32_t words[256]; /* STACK_BYTES in src/ops/depthwise_conv2d/dsp.ts */
    int8_t *const plane = (int8_t *)words;

    memset(plane, G->in_zero_point, (size_t)(size * G->plane_width));
    for (int32_t c = 0; c < channels; ++c, taps += size * size) {
        const rv_compact channel = rv_load_compact(D->records + c * G->record_bytes, G->record_bytes, G->least_e, G->e_mask);
        int8_t *out = (int8_t *)row->out + c;

        for (int32_t ky = 0; ky < size; ++ky) {
            if (row->in[ky] != NULL) {
                rv_compact_gather(plane + ky * G->plane_width + G->pad_left, (const int8_t *)row->in[ky] + c, channels,
                                  G->in_columns);
            }
        }
        for (int32_t x = 0; x < G->out_width; x += 4) {
            int32_t sums[4] = {channel.bias, channel.bias, channel.bias, channel.bias};
            rv_compact_window(plane + x * stride, G->plane_width, stride, taps, size, sums);
            for (int32_t i = 0; i < 4 && x + i < G->out_width; ++i, out += channels) {
                *out = rv_dsp_output(sums[i], channel.multiplier, channel.e, factor);
            }
        }
    }
    rv_dsp_clamp_row(row->out, G->out_width * channels, G->out_min, G->out_max);
}
