/*
 * An image at another size, whole: every pixel is a mean of four, or with shares of 0 a copy of one.
 *
 * in[0]      [batch][in_height][in_width][channels]
 * out        [batch][out_height][out_width][channels]
 * rows       [out_height][3]: the two rows that a row lies between, and the share of the second
 * columns    [out_width][3]: the same across
 */
#include "rivulet_float.h"

typedef struct {
    int32_t batch;
    int32_t in_height;
    int32_t in_width;
    int32_t channels;
    int32_t out_height;
    int32_t out_width;
} rv_resize_f32_geometry;

typedef struct {
    const float *rows;
    const float *columns;
} rv_resize_f32_data;

void rv_resize_f32(const rv_resize_f32_geometry *G, const rv_resize_f32_data *D, const rv_row *row)
{
    const float *in = row->in[0];
    float *out = row->out;

    for (int32_t n = 0; n < G->batch * G->out_height; ++n) {
        const int32_t y = n % G->out_height;
        const ptrdiff_t image = (ptrdiff_t)(n / G->out_height) * G->in_height;
        const ptrdiff_t upper = (image + (int32_t)D->rows[3 * y]) * G->in_width;
        const ptrdiff_t lower = (image + (int32_t)D->rows[3 * y + 1]) * G->in_width;
        const float down = D->rows[3 * y + 2];

        for (int32_t x = 0; x < G->out_width; ++x) {
            const int32_t left = (int32_t)D->columns[3 * x];
            const int32_t right = (int32_t)D->columns[3 * x + 1];
            const float across = D->columns[3 * x + 2];

            for (int32_t c = 0; c < G->channels; ++c) {
                const float above = in[(upper + left) * G->channels + c] * (1.0f - across) +
                                    in[(upper + right) * G->channels + c] * across;
                const float below = in[(lower + left) * G->channels + c] * (1.0f - across) +
                                    in[(lower + right) * G->channels + c] * across;

                *out++ = above * (1.0f - down) + below * down;
            }
        }
    }
}
