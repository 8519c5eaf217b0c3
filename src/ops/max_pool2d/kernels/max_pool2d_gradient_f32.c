/*
 * The gradient of a maximum pooling's input, whole: the first of the largest pixels of a window gets it.
 *
 * in[0]      input [batch][in_height][in_width][channels]
 * in[1]      gradient of the output [batch][out_height][out_width][channels]
 * out        [batch][in_height][in_width][channels]
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
} rv_max_pool2d_gradient_f32_geometry;

void rv_max_pool2d_gradient_f32(const rv_max_pool2d_gradient_f32_geometry *G, const rv_row *row)
{
    const float *in = row->in[0];
    const float *errors = row->in[1];
    float *out = row->out;

    memset(out, 0, (size_t)(G->batch * G->in_height * G->in_width * G->channels) * sizeof *out);
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
                ptrdiff_t best = (image + (top + ky_first) * G->in_width + left + kx_first) * G->channels + c;

                for (int32_t ky = ky_first; ky < ky_end; ++ky) {
                    for (int32_t kx = kx_first; kx < kx_end; ++kx) {
                        const ptrdiff_t at = (image + (top + ky) * G->in_width + left + kx) * G->channels + c;
                        best = in[at] > in[best] ? at : best;
                    }
                }
                out[best] += *errors++;
            }
        }
    }
}
