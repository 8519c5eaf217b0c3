/*
 * One output row of a pointwise int8 convolution and the 3x3 depthwise convolution behind it, horizontal stride 1 or 2,
 * for the DSP extension: two channels at a time are expanded into planes on the stack, over which windows slide. Of the
 * expanded rows only the last carried_rows, which the next window needs too, are kept; if there are none, rows are
 * expanded again for every window. See rivulet_dsp_expand.h, also for the constants.
 *
 * in[k]      input row under kernel row k [..][in_channels], NULL where that row is padding or carried
 * out        output row [out_width][channels]
 * scratch    carried rows int8[channels][carried_rows][in_columns]; NULL if there are none
 * stream     of the expansion, [channels / 2, rounded up]
 * records    of the depthwise convolution, [channels]
 */
#include "rivulet_dsp_expand.h"

typedef struct {
    int32_t in_channels;
    int32_t in_columns;
    int32_t channels;
    int32_t expanded_zero_point;
    int32_t expanded_min;
    int32_t expanded_max;
    int32_t pad_left;
    int32_t plane_width;
    int32_t carried_rows;
    int32_t out_height;
    int32_t out_width;
    int32_t stride;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t is_relu;
} rv_expand_depthwise2d_3x3_dsp_s8_geometry;

typedef struct {
    const int32_t *stream;
    const int8_t *records;
} rv_expand_depthwise2d_3x3_dsp_s8_data;

void rv_expand_depthwise2d_3x3_dsp_s8(const rv_expand_depthwise2d_3x3_dsp_s8_geometry *G,
                                      const rv_expand_depthwise2d_3x3_dsp_s8_data *D, const rv_row *row)
{
    rv_expansion expansion;
    rv_depthwise d;
    expansion.in_channels = G->in_channels;
    expansion.factor = 2 * G->expanded_zero_point + 1;
    expansion.lowest = G->expanded_min;
    expansion.highest = G->expanded_max;
    expansion.carried_rows = G->carried_rows;
    expansion.kept_rows = row->y % G->out_height == 0 ? 0 : G->carried_rows;
    d.channels = G->channels;
    d.in_columns = G->in_columns;
    d.pad_left = G->pad_left;
    d.planes = 2;
    d.plane_width = G->plane_width;
    d.size = 3;
    d.out_width = G->out_width;
    d.in_zero_point = G->expanded_zero_point;
    d.out_factor = 2 * G->out_zero_point + 1;
    d.out_min = G->out_min;
    d.out_max = G->out_max;
    d.is_relu = G->is_relu;
    rv_expand_row(&expansion, &d, D->stream, D->records, row, G->stride == 1 ? rv_slide_3x3 : rv_slide_3x3_stride2);
}
