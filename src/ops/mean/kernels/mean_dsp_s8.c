/*
 * One input row of an int8 mean over rows, columns or both, four channels at a time: the row's columns are summed in pairs
 * of int16 and added to the sums of `rows` consecutive firings, of which the last one scales them.
 *
 * in[0]      input row [reduced][inner], at most 256 columns, `inner` a multiple of four; y % rows is its place in a mean
 * out        output row [inner], NULL until the last row
 * scratch    sums int32[inner], NULL when rows is 1
 */
#include "rivulet_dsp.h"

typedef struct {
    int32_t rows;
    int32_t reduced;
    int32_t inner;
    int32_t sum_offset;
    int32_t multiplier;
    int32_t shift;
    int32_t out_zero_point;
} rv_mean_dsp_s8_geometry;

void rv_mean_dsp_s8(const rv_mean_dsp_s8_geometry *G, const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;
    const int32_t is_first = row->y % G->rows == 0 ? 1 : 0;

    for (int32_t channel = 0; channel < G->inner; channel += 4) {
        int32_t sums_of_row[4] = {0, 0, 0, 0};
        int32_t *sums = G->rows == 1 ? sums_of_row : (int32_t *)row->scratch + channel;
        rv_channel_sums columns = {0, 0};

        rv_dsp_add_columns(in + channel, G->inner, G->reduced, &columns);
        if (is_first) {
            memset(sums, 0, sizeof sums_of_row);
        }
        rv_dsp_add_to_channels(sums, &columns);
        if (out != NULL) {
            out[channel] = rv_dsp_mean(sums[0] + G->sum_offset, G->multiplier, G->shift, G->out_zero_point);
            out[channel + 1] = rv_dsp_mean(sums[1] + G->sum_offset, G->multiplier, G->shift, G->out_zero_point);
            out[channel + 2] = rv_dsp_mean(sums[2] + G->sum_offset, G->multiplier, G->shift, G->out_zero_point);
            out[channel + 3] = rv_dsp_mean(sums[3] + G->sum_offset, G->multiplier, G->shift, G->out_zero_point);
        }
    }
}
