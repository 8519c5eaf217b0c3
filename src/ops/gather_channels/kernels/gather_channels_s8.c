/*
 * One row of some channels of an activation.
 *
 * in[0]      input row [width][in_channels]
 * out        output row [width][out_channels]
 * channels   the input channel of each output channel [out_channels]
 */
#include "rivulet.h"

typedef struct {
    int32_t width;
    int32_t in_channels;
    int32_t out_channels;
} rv_gather_channels_s8_geometry;

typedef struct {
    const int16_t *channels;
} rv_gather_channels_s8_data;

void rv_gather_channels_s8(const rv_gather_channels_s8_geometry *G, const rv_gather_channels_s8_data *D,
                           const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;

    for (int32_t x = 0; x < G->width; ++x) {
        for (int32_t c = 0; c < G->out_channels; ++c) {
            *out++ = in[D->channels[c]];
        }
        in += G->in_channels;
    }
}
