/*
 * One output row of a tensor of up to six dimensions whose dimensions change places.
 *
 * in[0]      the whole input; size_d and stride_d are the sizes of the output's leading dimensions and how far apart
 *            their indices lie in the input
 * out        output row [width][channels]
 */
#include "rivulet.h"

typedef struct {
    int32_t size_1;
    int32_t size_2;
    int32_t size_3;
    int32_t stride_0;
    int32_t stride_1;
    int32_t stride_2;
    int32_t stride_3;
    int32_t width;
    int32_t channels;
    int32_t pixel_stride;
    int32_t channel_stride;
} rv_transpose_s8_geometry;

void rv_transpose_s8(const rv_transpose_s8_geometry *G, const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;
    int32_t index = row->y;

    in += index % G->size_3 * G->stride_3;
    index /= G->size_3;
    in += index % G->size_2 * G->stride_2;
    index /= G->size_2;
    in += index % G->size_1 * G->stride_1;
    index /= G->size_1;
    in += index * G->stride_0;
    for (int32_t x = 0; x < G->width; ++x) {
        const int8_t *pixel = in + x * G->pixel_stride;

        if (G->channel_stride == 1) {
            memcpy(out, pixel, (size_t)G->channels);
            out += G->channels;
        } else {
            for (int32_t c = 0; c < G->channels; ++c) {
                *out++ = pixel[c * G->channel_stride];
            }
        }
    }
}
