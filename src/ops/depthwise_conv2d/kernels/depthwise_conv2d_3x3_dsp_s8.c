/*
 * One output row of a 3x3 int8 depthwise convolution, stride 1 or 2, for the DSP extension: the rows of four channels,
 * or one, are laid out as planes with columns of padding, and windows slide over each; see rivulet_dsp_slide.h,
 * which also says what a record is.
 *
 * in[k]      input row under kernel row k [..][channels], NULL where that row is padding
 * out        output row [out_width][channels]
 * scratch    int8[planes][3][plane_width] and one byte that is read but does not matter; NULL: that is on the stack
 * records    [channels], 18 bytes each
 */
#include "rivulet_dsp_depthwise.h"

typedef struct {
    int32_t channels;
    int32_t in_columns;
    int32_t pad_left;
    int32_t planes;
    int32_t plane_width;
    int32_t out_width;
    int32_t stride;
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t is_relu;
} rv_depthwise_conv2d_3x3_dsp_s8_geometry;

typedef struct {
    const int8_t *records;
} rv_depthwise_conv2d_3x3_dsp_s8_data;

void rv_depthwise_conv2d_3x3_dsp_s8(const rv_depthwise_conv2d_3x3_dsp_s8_geometry *G,
                                    const rv_depthwise_conv2d_3x3_dsp_s8_data *D, const rv_row *row)
{
    rv_depthwise d;
    d.channels = G->channels;
    d.in_columns = G->in_columns;
    d.pad_left = G->pad_left;
    d.planes = G->planes;
    d.plane_width = G->plane_width;
    d.size = 3;
    d.out_width = G->out_width;
    d.in_zero_point = G->in_zero_point;
    d.out_factor = 2 * G->out_zero_point + 1;
    d.out_min = G->out_min;
    d.out_max = G->out_max;
    d.is_relu = G->is_relu;
    rv_depthwise_row(&d, D->records, row, G->stride == 1 ? rv_slide_3x3 : rv_slide_3x3_stride2);
}
