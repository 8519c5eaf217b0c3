/*
 * One output row of a resized tensor, every pixel interpolated between four of the input with weights in 1/1024.
 *
 * in[0], in[1]  the input rows above and below; the firing gives the row's weight in its image
 * out           output row [width][channels]
 * down          [height] weight of the row below; border weights may lie outside 0 to 1024, never by more than 512
 * left, right   [width] input columns to interpolate between
 * across        [width] weight of the column on the right
 */
#include "rivulet.h"

typedef struct {
    int32_t height;
    int32_t width;
    int32_t channels;
} rv_resize_bilinear_s8_geometry;

typedef struct {
    const int16_t *down;
    const int16_t *left;
    const int16_t *right;
    const int16_t *across;
} rv_resize_bilinear_s8_data;

void rv_resize_bilinear_s8(const rv_resize_bilinear_s8_geometry *G, const rv_resize_bilinear_s8_data *D,
                           const rv_row *row)
{
    const int8_t *above = row->in[0];
    const int8_t *below = row->in[1];
    int8_t *out = row->out;
    const int32_t down = D->down[row->y % G->height];

    for (int32_t x = 0; x < G->width; ++x) {
        const int32_t left = D->left[x] * G->channels;
        const int32_t right = D->right[x] * G->channels;
        const int32_t across = D->across[x];
        /* Absolute weights sum to 2^20, at a border to at most 2^22: 32 bits suffice. */
        const int32_t above_left = (1024 - down) * (1024 - across);
        const int32_t above_right = (1024 - down) * across;
        const int32_t below_left = down * (1024 - across);
        const int32_t below_right = down * across;

        for (int32_t c = 0; c < G->channels; ++c) {
            const int32_t sum = above_left * above[left + c] + above_right * above[right + c] +
                                below_left * below[left + c] + below_right * below[right + c];
            const int32_t rounded = (sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20);
            *out++ = (int8_t)rv_clamp(rounded, -128, 127);
        }
    }
}
