/*
 * One output row of an int8 depthwise convolution: any window, stride, dilation and padding. Eight channels of four pixels
 * at a time take two taps with each multiply-add. Where a window reaches beyond the row, its columns are first laid out
 * with padding as the zero point. The input's zero point is folded into the biases.
 *
 * in[k]      input row under kernel row k [in_width][channels], NULL where that row is padding
 * out        output row [out_width][channels]
 * weights    [groups][kernel_height][kernel_width / 2, rounded up][8 channels][2 taps], a tap beyond the last 0
 * channels   [groups][RV_CHANNEL_TABLE]
 */
#include "rivulet_simd.h"

typedef struct {
    int32_t in_width;
    int32_t channels;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t dilation;
    int32_t pad_left;
    int32_t in_zero_point;
    int32_t out_min;
    int32_t out_max;
} rv_depthwise_conv2d_s8_simd_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *channels;
} rv_depthwise_conv2d_s8_simd_data;

void rv_depthwise_conv2d_s8_simd(const rv_depthwise_conv2d_s8_simd_geometry *G,
                                 const rv_depthwise_conv2d_s8_simd_data *D, const rv_row *row)
{
    int8_t columns[8192];
    const int32_t reach = (G->kernel_width - 1) * G->dilation;
    const int8_t *group_weights = D->weights;
    const int32_t *table = D->channels;
    int32_t is_inside = 1;

    for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
        is_inside = row->in[ky] != NULL ? is_inside : 0;
    }
    for (int32_t group = 0; group < rv_group_count(G->channels); ++group) {
        const int32_t channel = rv_first_channel(group, G->channels);
        const rv_i32x8 bias = rv_load_s32(table + RV_BIAS);
        const rv_scaling scaling = rv_load_scaling(table);
        int8_t *out = (int8_t *)row->out + channel;

        for (int32_t x = 0; x < G->out_width; x += 4) {
            /* Pixels that are missing are the last one once more. */
            const int32_t last = G->out_width - x < 4 ? G->out_width - x - 1 : 3;
            const int32_t second = last < 1 ? last : 1;
            const int32_t third = last < 2 ? last : 2;
            const int32_t left = x * G->stride - G->pad_left;
            const int32_t width = last * G->stride + reach + 1;
            const int32_t is_direct = is_inside && left >= 0 && left + width <= G->in_width;
            const int32_t pitch = is_direct ? G->channels : RV_LANES;
            const int8_t *weights = group_weights;
            rv_i32x8 sum0 = bias;
            rv_i32x8 sum1 = bias;
            rv_i32x8 sum2 = bias;
            rv_i32x8 sum3 = bias;

            for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
                const int8_t *in = row->in[ky];
                const int8_t *tap;
                if (is_direct) {
                    tap = in + left * G->channels + channel;
                } else {
                    for (int32_t i = 0; i < width; ++i) {
                        const int32_t column = left + i;
                        if (in != NULL && column >= 0 && column < G->in_width) {
                            rv_copy_bytes(columns + i * RV_LANES, in + column * G->channels + channel, RV_LANES);
                        } else {
                            rv_fill_bytes(columns + i * RV_LANES, G->in_zero_point, RV_LANES);
                        }
                    }
                    tap = columns;
                }
                for (int32_t kx = 0; kx < G->kernel_width; kx += 2) {
                    const int32_t next = kx + 1 < G->kernel_width ? G->dilation * pitch : 0;
                    const int32_t pixel = G->stride * pitch;
                    const rv_i16x16 pairs = rv_load_pairs(weights);
                    const int8_t *tap1 = tap + second * pixel;
                    const int8_t *tap2 = tap + third * pixel;
                    const int8_t *tap3 = tap + last * pixel;
                    sum0 = rv_dot_pairs(sum0, pairs, rv_zip_pairs(tap, tap + next));
                    sum1 = rv_dot_pairs(sum1, pairs, rv_zip_pairs(tap1, tap1 + next));
                    sum2 = rv_dot_pairs(sum2, pairs, rv_zip_pairs(tap2, tap2 + next));
                    sum3 = rv_dot_pairs(sum3, pairs, rv_zip_pairs(tap3, tap3 + next));
                    tap += 2 * G->dilation * pitch;
                    weights += 2 * RV_LANES;
                }
            }
            rv_store_s8(out, rv_rescale(sum0, scaling), G->out_min, G->out_max);
            rv_store_s8(out + second * G->channels, rv_rescale(sum1, scaling), G->out_min, G->out_max);
            rv_store_s8(out + third * G->channels, rv_rescale(sum2, scaling), G->out_min, G->out_max);
            rv_store_s8(out + last * G->channels, rv_rescale(sum3, scaling), G->out_min, G->out_max);
            out += 4 * G->channels;
        }
        group_weights += G->kernel_height * ((G->kernel_width + 1) / 2) * 2 * RV_LANES;
        table += RV_CHANNEL_TABLE;
    }
}
