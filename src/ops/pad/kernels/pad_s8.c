/*
 * One output row of a tensor with a constant border.
 *
 * in[0]      input row [width][channels], NULL where the whole output row is border
 * out        output row: `left` bytes of border, pixels of before + channels + after bytes, `right` bytes of border
 */
#include "rivulet.h"

typedef struct {
    int32_t width;
    int32_t channels;
    int32_t before;
    int32_t after;
    int32_t left;
    int32_t right;
    int32_t value;
} rv_pad_s8_geometry;

void rv_pad_s8(const rv_pad_s8_geometry *G, const rv_row *row)
{
    const int8_t *in = row->in[0];
    int8_t *out = row->out;

    if (in == NULL) {
        const int32_t pixels = G->width * (G->before + G->channels + G->after);
        memset(out, G->value, (size_t)(G->left + pixels + G->right));
        return;
    }
    memset(out, G->value, (size_t)G->left);
    out += G->left;
    for (int32_t x = 0; x < G->width; ++x) {
        memset(out, G->value, (size_t)G->before);
        memcpy(out + G->before, in, (size_t)G->channels);
        memset(out + G->before + G->channels, G->value, (size_t)G->after);
        in += G->channels;
        out += G->before + G->channels + G->after;
    }
    memset(out, G->value, (size_t)G->right);
}
