/*
 * The gradient of a resized image, whole: every pixel gives its four sources their shares.
 *
 * in[0]      gradient of the output [batch][out_height][out_width][channels]
 * out        [batch][in_height][in_width][channels]
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
} rv_resize_gradient_f32_geometry;

typedef struct {
    const float *rows;
    const float *columns;
} rv_resize_gradient_f32_data;

void rv_resize_gradient_f32(const rv_resize_gradient_f32_geometry *G, const rv_resize_gradient_f32_data *D,
                            const rv_row *row)
{
    const float *errors = row->in[0];
    float *out = row->out;

    memset(out, 0, (size_t)(G->batch * G->in_height * G->in_width * G->channels) * sizeof *out);
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
                const float error = *errors++;

                out[(upper + left) * G->channels + c] += error * (1.0f - down) * (1.0f - across);
                out[(upper + right) * G->channels + c] += error * (1.0f - down) * across;
                out[(lower + left) * G->channels + c] += error * down * (1.0f - across);
                out[(lower + right) * G->channels + c] += error * down * across;
            }
        }
    }
}
