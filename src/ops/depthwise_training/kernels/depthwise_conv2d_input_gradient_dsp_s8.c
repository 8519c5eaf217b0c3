/*
 * The gradient of the input of a depthwise convolution of 3x3, 5x5 or 7x7 whose weights are frozen, for the DSP extension;
 * see rivulet_dsp_flip.h. It may lie exactly on in[0]: channels do not mix. Then either scratch holds a copy of in[0], should
 * the shift have to be another, or everything is computed twice: to see the shift, and to store.
 *
 * in[0]      gradient of the result [in_height][in_width][channels]
 * in[1]      its scale
 * in[2]      the scale of the gradient that is made
 * in[3]      the mask of in[0], a row of bits for each of its rows; NULL: all passes
 * out        gradient of the input [out_height][out_width][channels]
 * scratch    int8[planes][in_height][plane_width]; behind that room for in[0], if copies
 * weights    [channels][size][size]
 * factors    [channels], by which weights are multiplied, `fraction` bits
 */
#include "rivulet_dsp_flip.h"

typedef struct {
    int32_t channels;
    int32_t in_height;
    int32_t in_width;
    int32_t columns; /* of in[0], that reach the result */
    int32_t out_height;
    int32_t out_width;
    int32_t size;
    int32_t stride_y;
    int32_t stride_x;
    int32_t above; /* the window above and left of the first element */
    int32_t before;
    int32_t planes; /* 4 only if that divides channels */
    int32_t plane_width;
    int32_t fraction;
    int32_t copies;
} rv_depthwise_conv2d_input_gradient_dsp_s8_geometry;

typedef struct {
    const int8_t *weights;
    const int8_t *factors;
} rv_depthwise_conv2d_input_gradient_dsp_s8_data;

void rv_depthwise_conv2d_input_gradient_dsp_s8(const rv_depthwise_conv2d_input_gradient_dsp_s8_geometry *G,
                                               const rv_depthwise_conv2d_input_gradient_dsp_s8_data *D,
                                               const rv_row *row)
{
    const int32_t taps = G->size * G->size;
    const int32_t plane_bytes = G->in_height * G->plane_width;
    const int32_t row_elements = G->in_width * G->channels;
    const uint8_t *mask = row->in[3];
    int8_t *planes = row->scratch;
    const int8_t *from = row->in[0];
    int32_t looks = 0;
    int32_t again;
    int8_t seen; /* where results go that are only looked at */
    rv_flip f = {G->channels, G->in_height, G->plane_width, G->out_height, G->out_width, G->stride_y, G->above, {0, 0, 0, 0, 0}};

    memset(planes, 0, (size_t)(G->planes * plane_bytes));
    if (G->copies) {
        from = memcpy(planes + G->planes * plane_bytes, from, (size_t)(G->in_height * row_elements));
    } else if (from == row->out) {
        looks = 1;
    }
    f.to = rv_gradient_begin(row->in[2]);
    do {
        f.channels = looks ? 0 : G->channels;
        for (int32_t c = 0; c < G->channels; c += G->planes) {
            for (int32_t y = 0; y < G->in_height; ++y) {
                const int8_t *in = from + y * row_elements + c;
                const uint8_t *bits = mask == NULL ? NULL : mask + y * ((row_elements + 7) / 8);
                int8_t *line = planes + y * G->plane_width + G->before;
                for (int32_t x = 0; x < G->columns; ++x) {
                    const int32_t at = x * G->channels + c;
                    if (G->planes == 4) {
                        uint32_t four = rv_load32(in);
                        if (bits != NULL) {
                            four &= rv_spread_bits((uint32_t)bits[at >> 3] >> (at & 4) & 15u);
                        }
                        line[0] = (int8_t)(uint8_t)four;
                        line[plane_bytes] = (int8_t)(uint8_t)(four >> 8);
                        line[2 * plane_bytes] = (int8_t)(uint8_t)(four >> 16);
                        line[3 * plane_bytes] = (int8_t)(uint8_t)(four >> 24);
                    } else {
                        line[0] = rv_passes(bits, at) ? in[0] : (int8_t)0;
                    }
                    in += G->channels;
                    line += G->stride_x;
                }
            }
            for (int32_t i = 0; i < G->planes; ++i) {
                const int8_t *weights = D->weights + (c + i) * taps;
                const int8_t *plane = planes + i * plane_bytes;
                int8_t *out = looks ? &seen : (int8_t *)row->out + c + i;
                int8_t turned[52];
                for (int32_t tap = 0; tap < taps; ++tap) {
                    turned[tap] = weights[taps - 1 - tap];
                }
                if (G->size == 3) {
                    rv_flip_3x3(&f, plane, turned, D->factors[c + i], out);
                } else if (G->size == 5) {
                    rv_flip_5x5(&f, plane, turned, D->factors[c + i], out);
                } else {
                    rv_flip_7x7(&f, plane, turned, D->factors[c + i], out);
                }
            }
        }
        again = rv_gradient_again(&f.to) || looks;
        looks = 0;
    } while (again);
    rv_gradient_end(&f.to, rv_exponent(row->in[1]) - G->fraction, rv_state(row->in[2]));
}
