/*
 * The largest of a window's pixels inside the image, whole.
 *
 * in[0]      [batch][in_height][in_width][channels]
 * out        [batch][out_height][out_width][channels]
 * bounds     lowest and highest value of the output
 */
#include "rivulet_float.h"

typedef struct {
    int32_t batch;
    int32_t in_height;
    int32_t in_width;
    int32_t channels;
    int32_t out_height;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t pad_top;
    int32_t pad_left;
} rv_max_pool2d_f32_geometry;

typedef struct {
    const float *bounds;
} rv_max_pool2d_f32_data;

void rv_max_pool2d_f32(const rv_max_pool2d_f32_geometry *G, const rv_max_pool2d_f32_data *D, const rv_row *row)
{
    const float *in = row->in[0];
    float *out = row->out;

    for (int32_t n = 0; n < G->batch * G->out_height; ++n) {
        const int32_t y = n % G->out_height;
        const ptrdiff_t image = (ptrdiff_t)(n / G->out_height) * G->in_height * G->in_width;

        for (int32_t x = 0; x < G->out_width; ++x) {
            const int32_t top = y * G->stride_y - G->pad_top;
            const int32_t left = x * G->stride_x - G->pad_left;
            const int32_t ky_first = top < 0 ? -top : 0;
            const int32_t kx_first = left < 0 ? -left : 0;
            const int32_t ky_end = G->in_height - top < G->kernel_height ? G->in_height - top : G->kernel_height;
            const int32_t kx_end = G->in_width - left < G->kernel_width ? G->in_width - left : G->kernel_width;

            for (int32_t c = 0; c < G->channels; ++c) {
                float most = in[(image + (top + ky_first) * G->in_width + left + kx_first) * G->channels + c];

                for (int32_t ky = ky_first; ky < ky_end; ++ky) {
                    for (int32_t kx = kx_first; kx < kx_end; ++kx) {
                        const float value = in[(image + (top + ky) * G->in_width + left + kx) * G->channels + c];
                        most = value <= most ? most : value;
                    }
                }
                *out++ = rv_clamp_float(most, D->bounds[0], D->bounds[1]);
            }
        }
    }
}
