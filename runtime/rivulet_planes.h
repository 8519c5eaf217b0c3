/*
 * Rivulet runtime, float32 windows that slide over images on computers: planes with room for the padding, patches of them,
 * and depthwise products. Images are [height][width][channels].
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_PLANES_H
#define RIVULET_PLANES_H

#include "rivulet_gemm.h"

/* A window in two dimensions. */
typedef struct {
    int32_t height;
    int32_t width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t top;
    int32_t left;
} rv_window;

/* The size of an image. */
typedef struct {
    int32_t height;
    int32_t width;
    int32_t channels;
} rv_extent;

/*
 * Pixel (y, x) of the image goes to (top + y * stride_y, left + x * stride_x) of the plane where that is inside, each of its
 * channels `copies` times; the rest of the plane stays. plane.channels = image.channels * copies.
 */
RV_SHARED void rv_fill_plane(float *plane, rv_extent size, const float *image, rv_extent from, rv_window place,
                             int32_t copies)
{
    for (int32_t y = 0; y < from.height; ++y) {
        const int32_t row = place.top + y * place.stride_y;
        const float *pixel = image + (ptrdiff_t)y * from.width * from.channels;
        float *to = plane + ((ptrdiff_t)row * size.width + place.left) * size.channels;

        if (row < 0 || row >= size.height) {
            continue;
        }
        if (copies == 1 && place.stride_x == 1 && place.left >= 0 && place.left + from.width <= size.width) {
            rv_copy_floats(to, pixel, from.width * from.channels);
            continue;
        }
        for (int32_t x = 0; x < from.width; ++x, pixel += from.channels, to += place.stride_x * size.channels) {
            const int32_t column = place.left + x * place.stride_x;

            if (column < 0 || column >= size.width) {
                continue;
            }
            if (copies == 1) {
                rv_copy_floats(to, pixel, from.channels);
            } else {
                for (int32_t c = 0; c < size.channels; ++c) {
                    to[c] = pixel[c / copies];
                }
            }
        }
    }
}

/* Row p of patches [height * width][window][channels]: what the window of output pixel p sees, channels from `first` on. */
RV_SHARED void rv_gather_patches(float *patches, rv_extent output, const float *image, rv_extent from, rv_window window,
                                 int32_t first, int32_t channels)
{
    for (int32_t y = 0; y < output.height; ++y) {
        for (int32_t x = 0; x < output.width; ++x) {
            const int32_t left = x * window.stride_x - window.left;
            const int32_t is_line = channels == from.channels && window.dilation_x == 1 && left >= 0 &&
                                    left + window.width <= from.width;

            for (int32_t ky = 0; ky < window.height; ++ky) {
                const int32_t row = y * window.stride_y - window.top + ky * window.dilation_y;

                if (row < 0 || row >= from.height) {
                    rv_clear_floats(patches, window.width * channels);
                    patches += window.width * channels;
                    continue;
                }
                if (is_line) {
                    rv_copy_floats(patches, image + (ptrdiff_t)(row * from.width + left) * channels,
                                   window.width * channels);
                    patches += window.width * channels;
                    continue;
                }
                for (int32_t kx = 0; kx < window.width; ++kx) {
                    const int32_t column = left + kx * window.dilation_x;

                    if (column < 0 || column >= from.width) {
                        rv_clear_floats(patches, channels);
                    } else {
                        rv_copy_floats(patches, image + (ptrdiff_t)(row * from.width + column) * from.channels + first,
                                       channels);
                    }
                    patches += channels;
                }
            }
        }
    }
}

/* The transposed operation: adds every patch to the pixels that it was gathered from. */
RV_SHARED void rv_scatter_patches(const float *patches, rv_extent output, float *image, rv_extent to, rv_window window,
                                  int32_t first, int32_t channels)
{
    for (int32_t y = 0; y < output.height; ++y) {
        for (int32_t x = 0; x < output.width; ++x) {
            for (int32_t ky = 0; ky < window.height; ++ky) {
                const int32_t row = y * window.stride_y - window.top + ky * window.dilation_y;

                for (int32_t kx = 0; kx < window.width; ++kx) {
                    const int32_t column = x * window.stride_x - window.left + kx * window.dilation_x;

                    if (row >= 0 && row < to.height && column >= 0 && column < to.width) {
                        float *pixel = image + (ptrdiff_t)(row * to.width + column) * to.channels + first;
                        for (int32_t c = 0; c < channels; ++c) {
                            pixel[c] += patches[c];
                        }
                    }
                    patches += channels;
                }
            }
        }
    }
}

/* Taps whose weights stay in registers: those of a 3x3 window. */
#define RV_KEPT_TAPS 9

/* One vector of channels of rv_depthwise_planes; height and width of the window, and lanes, are constants where they can be. */
RV_FLOAT_FUNCTION void rv_depthwise_channels(const int32_t height, const int32_t width, const float *plane,
                                             int32_t plane_width, const float *weights, rv_window window, float *out,
                                             rv_extent output, const float *bias, rv_floats lowest, rv_floats highest,
                                             const int32_t lanes)
{
    const int32_t channels = output.channels;
    const int32_t across = window.stride_x * channels;
    const rv_floats start = bias == NULL ? rv_floats_of(0.0f) : rv_load_some(bias, lanes);
    rv_floats taps[RV_KEPT_TAPS];

    if (height * width <= RV_KEPT_TAPS) {
#pragma GCC unroll 9
        for (int32_t k = 0; k < height * width; ++k) {
            taps[k] = rv_load_some(weights + k * channels, lanes);
        }
    }
    for (int32_t y = 0; y < output.height; ++y) {
        const float *row = plane + (ptrdiff_t)(y * window.stride_y * plane_width) * channels;

        for (int32_t x = 0; x < output.width; ++x) {
            rv_floats sum = start;

#pragma GCC unroll 3
            for (int32_t ky = 0; ky < height; ++ky) {
                const float *from = row + (ptrdiff_t)(ky * window.dilation_y * plane_width) * channels;

#pragma GCC unroll 3
                for (int32_t kx = 0; kx < width; ++kx) {
                    const int32_t k = ky * width + kx;
                    const rv_floats weight =
                        height * width <= RV_KEPT_TAPS ? taps[k] : rv_load_some(weights + k * channels, lanes);

                    sum += weight * rv_load_some(from + kx * window.dilation_x * channels, lanes);
                }
            }
            rv_store_some(out, rv_clamp_floats(sum, lowest, highest), lanes);
            out += channels;
            row += across;
        }
    }
}

/*
 * The same for a 3x3 window that moves one pixel at a time: each column of the plane is loaded once, and belongs to the three
 * sums of the windows that see it.
 */
RV_FLOAT_FUNCTION void rv_depthwise_slide(const float *plane, int32_t plane_width, const float *weights, rv_window window,
                                          float *out, rv_extent output, const float *bias, rv_floats lowest,
                                          rv_floats highest, const int32_t lanes)
{
    const int32_t channels = output.channels;
    const ptrdiff_t down = (ptrdiff_t)window.dilation_y * plane_width * channels;
    const rv_floats start = bias == NULL ? rv_floats_of(0.0f) : rv_load_some(bias, lanes);
    rv_floats taps[RV_KEPT_TAPS];

#pragma GCC unroll 9
    for (int32_t k = 0; k < RV_KEPT_TAPS; ++k) {
        taps[k] = rv_load_some(weights + k * channels, lanes);
    }
    for (int32_t y = 0; y < output.height; ++y) {
        const float *upper = plane + (ptrdiff_t)(y * window.stride_y * plane_width) * channels;
        const float *middle = upper + down;
        const float *lower = middle + down;
        rv_floats a = rv_load_some(upper, lanes);
        rv_floats b = rv_load_some(middle, lanes);
        rv_floats c = rv_load_some(lower, lanes);
        rv_floats sum = start + a * taps[0] + b * taps[3] + c * taps[6];
        rv_floats next;

        a = rv_load_some(upper + channels, lanes);
        b = rv_load_some(middle + channels, lanes);
        c = rv_load_some(lower + channels, lanes);
        sum += a * taps[1] + b * taps[4] + c * taps[7];
        next = start + a * taps[0] + b * taps[3] + c * taps[6];
        for (int32_t x = 0; x < output.width; ++x) {
            a = rv_load_some(upper + 2 * channels, lanes);
            b = rv_load_some(middle + 2 * channels, lanes);
            c = rv_load_some(lower + 2 * channels, lanes);
            sum += a * taps[2] + b * taps[5] + c * taps[8];
            rv_store_some(out, rv_clamp_floats(sum, lowest, highest), lanes);
            sum = next + (a * taps[1] + b * taps[4] + c * taps[7]);
            next = start + a * taps[0] + b * taps[3] + c * taps[6];
            out += channels;
            upper += channels;
            middle += channels;
            lower += channels;
        }
    }
}

/*
 * out[y][x][c] = clamp(bias[c] + sum over the window of weights[ky][kx][c] * plane[y * stride_y + ky * dilation_y][...][c])
 */
RV_SHARED void rv_depthwise_planes(const float *plane, int32_t plane_width, const float *weights, rv_window window,
                                   float *out, rv_extent output, const float *bias, float least, float most)
{
    const rv_floats lowest = rv_floats_of(least);
    const rv_floats highest = rv_floats_of(most);

    for (int32_t c = 0; c < output.channels; c += RV_FLOATS) {
        const int32_t rest = output.channels - c;
        const float *from = bias == NULL ? NULL : bias + c;

        if (window.height == 3 && window.width == 3 && window.stride_x == 1 && window.dilation_x == 1 && output.width > 1 &&
            rest >= RV_FLOATS) {
            rv_depthwise_slide(plane + c, plane_width, weights + c, window, out + c, output, from, lowest, highest,
                               RV_FLOATS);
        } else if (window.height == 3 && window.width == 3 && rest >= RV_FLOATS) {
            rv_depthwise_channels(3, 3, plane + c, plane_width, weights + c, window, out + c, output, from, lowest, highest,
                                  RV_FLOATS);
        } else if (window.height == 3 && window.width == 3) {
            rv_depthwise_channels(3, 3, plane + c, plane_width, weights + c, window, out + c, output, from, lowest, highest,
                                  rest);
        } else {
            rv_depthwise_channels(window.height, window.width, plane + c, plane_width, weights + c, window, out + c, output,
                                  from, lowest, highest, rest < RV_FLOATS ? rest : RV_FLOATS);
        }
    }
}

/* One vector of channels of rv_depthwise_correlate, a 3x3 window. */
RV_FLOAT_FUNCTION void rv_correlate_3x3(const float *plane, int32_t plane_width, const float *errors, rv_extent output,
                                        rv_window window, float *sums, const int32_t lanes)
{
    const int32_t channels = output.channels;
    rv_floats taps[RV_KEPT_TAPS];

#pragma GCC unroll 9
    for (int32_t k = 0; k < RV_KEPT_TAPS; ++k) {
        taps[k] = rv_load_some(sums + k * channels, lanes);
    }
    for (int32_t y = 0; y < output.height; ++y) {
        const float *row = plane + (ptrdiff_t)(y * window.stride_y * plane_width) * channels;

        for (int32_t x = 0; x < output.width; ++x) {
            const rv_floats error = rv_load_some(errors, lanes);

#pragma GCC unroll 3
            for (int32_t ky = 0; ky < 3; ++ky) {
                const float *from = row + (ptrdiff_t)(ky * window.dilation_y * plane_width) * channels;

#pragma GCC unroll 3
                for (int32_t kx = 0; kx < 3; ++kx) {
                    taps[ky * 3 + kx] += error * rv_load_some(from + kx * window.dilation_x * channels, lanes);
                }
            }
            errors += channels;
            row += window.stride_x * channels;
        }
    }
#pragma GCC unroll 9
    for (int32_t k = 0; k < RV_KEPT_TAPS; ++k) {
        rv_store_some(sums + k * channels, taps[k], lanes);
    }
}

/* The same for one tap of any window. */
RV_FLOAT_FUNCTION void rv_correlate_tap(const float *plane, int32_t plane_width, const float *errors, rv_extent output,
                                        rv_window window, float *sums, int32_t lanes)
{
    rv_floats sum = rv_load_some(sums, lanes);

    for (int32_t y = 0; y < output.height; ++y) {
        for (int32_t x = 0; x < output.width; ++x) {
            const ptrdiff_t pixel = (ptrdiff_t)y * window.stride_y * plane_width + x * window.stride_x;

            sum += rv_load_some(errors, lanes) * rv_load_some(plane + pixel * output.channels, lanes);
            errors += output.channels;
        }
    }
    rv_store_some(sums, sum, lanes);
}

/* Adds to sums[ky][kx][c] the sum over the output's pixels of errors[y][x][c] * plane[y * stride_y + ky * dilation_y][...][c]. */
RV_SHARED void rv_depthwise_correlate(const float *plane, int32_t plane_width, const float *errors, rv_extent output,
                                      rv_window window, float *sums)
{
    for (int32_t c = 0; c < output.channels; c += RV_FLOATS) {
        const int32_t rest = output.channels - c;

        if (window.height == 3 && window.width == 3 && rest >= RV_FLOATS) {
            rv_correlate_3x3(plane + c, plane_width, errors + c, output, window, sums + c, RV_FLOATS);
        } else if (window.height == 3 && window.width == 3) {
            rv_correlate_3x3(plane + c, plane_width, errors + c, output, window, sums + c, rest);
        } else {
            for (int32_t k = 0; k < window.height * window.width; ++k) {
                const ptrdiff_t tap = (ptrdiff_t)(k / window.width) * window.dilation_y * plane_width +
                                      k % window.width * window.dilation_x;

                rv_correlate_tap(plane + tap * output.channels + c, plane_width, errors + c, output, window,
                                 sums + k * output.channels + c, rest < RV_FLOATS ? rest : RV_FLOATS);
            }
        }
    }
}

#endif /* RIVULET_PLANES_H */
