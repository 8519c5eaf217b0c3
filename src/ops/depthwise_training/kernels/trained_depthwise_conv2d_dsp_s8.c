/*
 * One output row of a 3x3, 5x5 or 7x7 int8 depthwise convolution whose bias is in RAM, stride 1 or 2, for the DSP
 * extension; see rivulet_dsp_trained.h.
 *
 * in[k]      input row under kernel row k [..][channels], NULL where that row is padding
 * in[size]   int32 bias [channels]
 * out        output row [out_width][channels]
 * scratch    int8[planes][size][plane_width] and one byte that is read but does not matter
 * weights    [channels][size][size]
 * folded     what the input's zero point contributes [channels]
 */
#include "rivulet_dsp_trained.h"

typedef struct {
    int32_t size;
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
} rv_trained_depthwise_conv2d_dsp_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int32_t *folded;
    const int32_t *multiplier;
    const int8_t *shift;
} rv_trained_depthwise_conv2d_dsp_s8_data;

void rv_trained_depthwise_conv2d_dsp_s8(const rv_trained_depthwise_conv2d_dsp_s8_geometry *G,
                                        const rv_trained_depthwise_conv2d_dsp_s8_data *D, const rv_row *row)
{
    const rv_trained t = {D->weights, D->folded, D->multiplier, D->shift, row->in[G->size]};
    rv_depthwise d;
    d.channels = G->channels;
    d.in_columns = G->in_columns;
    d.pad_left = G->pad_left;
    d.planes = G->planes;
    d.plane_width = G->plane_width;
    d.size = G->size;
    d.out_width = G->out_width;
    d.in_zero_point = G->in_zero_point;
    d.out_factor = 2 * G->out_zero_point + 1;
    d.out_min = G->out_min;
    d.out_max = G->out_max;
    d.is_relu = G->is_relu;
    if (G->size == 3) {
        rv_trained_rows(&d, &t, 3, G->stride, G->out_zero_point, row,
                        G->stride == 1 ? rv_slide_3x3 : rv_slide_3x3_stride2, row->scratch);
    } else if (G->size == 5) {
        rv_trained_rows(&d, &t, 5, G->stride, G->out_zero_point, row,
                        G->stride == 1 ? rv_slide_5x5 : rv_slide_5x5_stride2, row->scratch);
    } else {
        rv_trained_rows(&d, &t, 7, G->stride, G->out_zero_point, row,
                        G->stride == 1 ? rv_slide_7x7 : rv_slide_7x7_stride2, row->scratch);
    }
}
