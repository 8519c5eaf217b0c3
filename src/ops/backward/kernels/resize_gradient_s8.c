/*
 * The gradient of resizing: what the pixels of the result took of each pixel.
 *
 * in[0]      gradient of the result [][in_width][channels]
 * in[1]      its scale
 * in[2]      the scale of the gradient that is made
 * out        gradient of the image [height][width][channels]
 * row_ends, column_ends       where the shares in each row and column end
 * row_shares, column_shares   pairs: row or column of the result, its share
 */
#include "rivulet_gradient.h"

typedef struct {
    int32_t height;
    int32_t width;
    int32_t channels;
    int32_t in_width;
    int32_t fraction; /* of a product of two shares */
} rv_resize_gradient_s8_geometry;

typedef struct {
    const int32_t *row_ends;
    const int16_t *row_shares;
    const int32_t *column_ends;
    const int16_t *column_shares;
} rv_resize_gradient_s8_data;

void rv_resize_gradient_s8(const rv_resize_gradient_s8_geometry *G, const rv_resize_gradient_s8_data *D,
                           const rv_row *row)
{
    const int8_t *gradient = row->in[0];
    rv_gradient to = rv_gradient_begin(row->in[2]);

    do {
        int8_t *out = row->out;

        for (int32_t y = 0; y < G->height; ++y) {
            for (int32_t x = 0; x < G->width; ++x) {
                for (int32_t c = 0; c < G->channels; ++c) {
                    int32_t sum = 0;

                    for (int32_t i = y == 0 ? 0 : D->row_ends[y - 1]; i < D->row_ends[y]; ++i) {
                        const int8_t *line = gradient + D->row_shares[2 * i] * G->in_width * G->channels + c;
                        int32_t across = 0;

                        for (int32_t j = x == 0 ? 0 : D->column_ends[x - 1]; j < D->column_ends[x]; ++j) {
                            across += line[D->column_shares[2 * j] * G->channels] * D->column_shares[2 * j + 1];
                        }
                        sum += across * D->row_shares[2 * i + 1];
                    }
                    *out++ = rv_gradient_round(&to, sum);
                }
            }
        }
    } while (rv_gradient_again(&to));
    rv_gradient_end(&to, rv_exponent(row->in[1]) - G->fraction, rv_state(row->in[2]));
}
