/*
 * One output row, at most six pixels, of a 3x3 int8 depthwise convolution, stride 1 or 2, for the DSP extension: every
 * pixel is read where it lies, once for each channel and row, and multiplied into all the sums it belongs to. For so short
 * rows laying out planes would cost more than it saves.
 *
 * in[k]      input row under kernel row k [..][channels], NULL where that row is padding
 * out        output row [out_width][channels]
 * records    [channels], 18 bytes each: int32 bias, int32 multiplier, uint8 e, taps row by row; see rivulet_dsp_slide.h
 */
#include "rivulet_dsp_depthwise.h"

typedef struct {
    int32_t channels;
    int32_t pad_left;
    int32_t end_column;
    int32_t out_width;
    int32_t stride;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t is_relu;
} rv_depthwise_conv2d_3x3_narrow_dsp_s8_geometry;

typedef struct {
    const int8_t *records;
} rv_depthwise_conv2d_3x3_narrow_dsp_s8_data;

void rv_depthwise_conv2d_3x3_narrow_dsp_s8(const rv_depthwise_conv2d_3x3_narrow_dsp_s8_geometry *G,
                                           const rv_depthwise_conv2d_3x3_narrow_dsp_s8_data *D, const rv_row *row)
{
    const int32_t out_factor = 2 * G->out_zero_point + 1;
    const int8_t *record = D->records;
    int8_t *out = row->out;
    int32_t sums[6];
    int32_t first = 0;
    int32_t end = 3;

    while (first < 3 && row->in[first] == NULL) {
        ++first;
    }
    while (end > first && row->in[end - 1] == NULL) {
        --end;
    }
    for (int32_t c = 0; c < G->channels; ++c) {
        const uint32_t shift = (uint8_t)record[8];
        const int32_t multiplier = (int32_t)rv_load32(record + 4);
        const int32_t rounding = (int32_t)((uint32_t)out_factor << shift) >> 1;
        const int8_t *taps = record + 9;
        int32_t bias = (int32_t)rv_load32(record);
        const void *const *in = row->in + first;

        if (end - first < 3) {
            for (int32_t k = 0; k < 3; ++k) {
                if (k < first || k >= end) {
                    bias += G->in_zero_point * (taps[3 * k] + taps[3 * k + 1] + taps[3 * k + 2]);
                }
            }
        }
        sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = sums[5] = bias;
        taps += 3 * first;
        while (taps != record + 9 + 3 * end) {
            rv_narrow_row3((const int8_t *)*in++ + c, G->channels, taps, G->pad_left, G->end_column, G->out_width,
                           G->stride, G->in_zero_point, sums);
            taps += 3;
        }
        rv_narrow_outputs(sums, G->out_width, G->channels, G->is_relu, multiplier, rounding, shift, out);
        record += 18;
        ++out;
    }
    if (G->out_max - G->out_min < 255) {
        rv_limit(row->out, G->out_width * G->channels, G->out_min, G->out_max);
    }
}
