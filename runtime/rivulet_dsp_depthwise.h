/*
 * Rivulet runtime, Armv7E-M DSP extension: rows of depthwise convolutions, from pixels to planes and through windows.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_DSP_DEPTHWISE_H
#define RIVULET_DSP_DEPTHWISE_H

#include "rivulet_dsp_slide.h"

/* The low halves of two words. */
RV_INLINE uint32_t rv_low_halves(uint32_t first, uint32_t second)
{
#if RV_DSP
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(first), "r"(second));
    return pair;
#else
    return (first & 0xffffu) | second << 16;
#endif
}

/* The high halves of two words. */
RV_INLINE uint32_t rv_high_halves(uint32_t first, uint32_t second)
{
#if RV_DSP
    uint32_t pair;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(second), "r"(first));
    return pair;
#else
    return first >> 16 | (second & 0xffff0000u);
#endif
}

/* Swaps bytes 1 and 3 of `a` with bytes 0 and 2 of `b`. */
RV_INLINE void rv_swap_bytes(uint32_t *a, uint32_t *b)
{
    const uint32_t change = (*a >> 8 ^ *b) & 0x00ff00ffu;
    *b ^= change;
    *a ^= change << 8;
}

RV_INLINE void rv_store16(int8_t *to, uint32_t half)
{
    const uint16_t value = (uint16_t)half;
    memcpy(to, &value, sizeof value);
}

/* Lays out the rows of channels [c, c + 4) in four planes: four pixels are turned round at a time. */
RV_SHARED void rv_gather4(const rv_depthwise *d, const rv_row *row, int32_t c, int8_t *planes)
{
    const int32_t channels = d->channels;
    const int32_t plane_bytes = d->size * d->plane_width;
    int8_t *line = planes + d->first_row * d->plane_width + d->pad_left;
    const int8_t *last_line = planes + d->end_row * d->plane_width + d->pad_left;
    const void *const *next = row->in + d->first_row;
    for (; line != last_line; line += d->plane_width) {
        const int8_t *in = (const int8_t *)*next++;
        int8_t *to = line;
        int32_t left = d->in_columns - 4;
        if (in == NULL) {
            continue;
        }
        in += c;
        for (; left >= 0; left -= 4) {
            const uint32_t pixel0 = rv_load32(in);
            const uint32_t pixel1 = rv_load32(in + channels);
            const uint32_t pixel2 = rv_load32(in + 2 * channels);
            const uint32_t pixel3 = rv_load32(in + 3 * channels);
            uint32_t channel0 = rv_low_halves(pixel0, pixel2);
            uint32_t channel1 = rv_low_halves(pixel1, pixel3);
            uint32_t channel2 = rv_high_halves(pixel0, pixel2);
            uint32_t channel3 = rv_high_halves(pixel1, pixel3);
            rv_swap_bytes(&channel0, &channel1);
            rv_swap_bytes(&channel2, &channel3);
            rv_store32(to, channel0);
            rv_store32(to + plane_bytes, channel1);
            rv_store32(to + 2 * plane_bytes, channel2);
            rv_store32(to + 3 * plane_bytes, channel3);
            in += 4 * channels;
            to += 4;
            RV_HIDE(left);
        }
        if (left & 2) {
            uint32_t even = rv_load32(in);
            uint32_t odd = rv_load32(in + channels);
            rv_swap_bytes(&even, &odd);
            rv_store16(to, even);
            rv_store16(to + plane_bytes, odd);
            rv_store16(to + 2 * plane_bytes, even >> 16);
            rv_store16(to + 3 * plane_bytes, odd >> 16);
            in += 2 * channels;
            to += 2;
        }
        if (left & 1) {
            const uint32_t pixel = rv_load32(in);
            to[0] = (int8_t)(uint8_t)pixel;
            to[plane_bytes] = (int8_t)(uint8_t)(pixel >> 8);
            to[2 * plane_bytes] = (int8_t)(uint8_t)(pixel >> 16);
            to[3 * plane_bytes] = (int8_t)(uint8_t)(pixel >> 24);
        }
    }
}

/* Lays out the rows of channel c in one plane. */
RV_SHARED void rv_gather1(const rv_depthwise *d, const rv_row *row, int32_t c, int8_t *plane)
{
    const int32_t channels = d->channels;
    int8_t *line = plane + d->first_row * d->plane_width + d->pad_left;
    const int8_t *last_line = plane + d->end_row * d->plane_width + d->pad_left;
    const void *const *next = row->in + d->first_row;
    for (; line != last_line; line += d->plane_width) {
        const int8_t *in = (const int8_t *)*next++;
        int8_t *to = line;
        int32_t left = d->in_columns - 4;
        if (in == NULL) {
            continue;
        }
        in += c;
        for (; left >= 0; left -= 4) {
            to[0] = in[0];
            to[1] = in[channels];
            to[2] = in[2 * channels];
            to[3] = in[3 * channels];
            in += 4 * channels;
            to += 4;
            RV_HIDE(left);
        }
        for (left &= 3; left > 0; --left) {
            *to++ = *in;
            in += channels;
            RV_HIDE(left);
        }
    }
}

/*
 * Fills planes with padding and finds the rows of the window that are not. The first `kept` rows are there, the others
 * if they are not NULL.
 */
RV_SHARED void rv_begin_row(rv_depthwise *d, const rv_row *row, int32_t kept, int8_t *planes, int32_t bytes)
{
    memset(planes, d->in_zero_point, (size_t)bytes);
    d->zero_points = rv_pair16(d->in_zero_point, d->in_zero_point);
    d->first_row = 0;
    d->end_row = d->size;
    while (kept == 0 && d->first_row < d->size - 1 && row->in[d->first_row] == NULL) {
        ++d->first_row;
    }
    while (d->end_row > d->first_row + 1 && d->end_row > kept && row->in[d->end_row - 1] == NULL) {
        --d->end_row;
    }
}

RV_SHARED void rv_limit(int8_t *bytes, int32_t count, int32_t lowest, int32_t highest)
{
    for (int32_t i = 0; i < count; ++i) {
        bytes[i] = (int8_t)rv_clamp(bytes[i], lowest, highest);
    }
}

/* Outputs are any int8 until here. */
RV_INLINE void rv_end_row(const rv_depthwise *d, const rv_row *row)
{
    if (d->out_max - d->out_min < 255) {
        rv_limit((int8_t *)row->out, d->out_width * d->channels, d->out_min, d->out_max);
    }
}

/* The output row: `planes` channels at a time, and one by one what is left of them. */
RV_SHARED void rv_depthwise_rows(rv_depthwise *d, const int8_t *records, const rv_row *row, rv_slide *slide,
                                 int8_t *planes)
{
    const int32_t record_bytes = 9 + d->size * d->size;

    rv_begin_row(d, row, 0, planes, d->planes * d->size * d->plane_width);
    for (int32_t c = 0; c < d->channels;) {
        const int32_t together = c + d->planes <= d->channels ? d->planes : 1;
        if (together == 4) {
            rv_gather4(d, row, c, planes);
        } else {
            rv_gather1(d, row, c, planes);
        }
        slide(d, planes, records, (int8_t *)row->out + c, together);
        records += together * record_bytes;
        c += together;
    }
    rv_end_row(d, row);
}

RV_SHARED void rv_depthwise_on_stack(rv_depthwise *d, const int8_t *records, const rv_row *row, rv_slide *slide)
{
    uint32_t planes[256]; /* STACK_BYTES in src/ops/depthwise_conv2d/dsp.ts */

    rv_depthwise_rows(d, records, row, slide, (int8_t *)planes);
}

/* The output row, with planes on the stack if there is no scratch. */
RV_INLINE void rv_depthwise_row(rv_depthwise *d, const int8_t *records, const rv_row *row, rv_slide *slide)
{
    if (row->scratch == NULL) {
        rv_depthwise_on_stack(d, records, row, slide);
    } else {
        rv_depthwise_rows(d, records, row, slide, (int8_t *)row->scratch);
    }
}

/*
 * Row k of a 3x3 window over a whole output row of n pixels: columns -pad to end of a channel's input row, whose pixels lie
 * `pitch` bytes apart; those outside hold the zero point. All but the pointers and the zero point are literals.
 */
RV_INLINE void rv_narrow_row3(const int8_t *in, const int32_t pitch, const int8_t *taps, const int32_t pad,
                              const int32_t end, const int32_t n, const int32_t stride, const int32_t zero_point,
                              int32_t *sums)
{
    const int32_t tap0 = taps[0];
    const int32_t tap1 = taps[1];
    const int32_t tap2 = taps[2];
#define RV_TAP(i, k, tap)                                                                                              \
    if ((i) < n && (i) * stride + (k) == column) sums[i] += x * (tap)
#define RV_TAPS(i)                                                                                                     \
    RV_TAP(i, 0, tap0);                                                                                                \
    RV_TAP(i, 1, tap1);                                                                                                \
    RV_TAP(i, 2, tap2)
#define RV_COLUMN(j)                                                                                                   \
    if ((j) <= (n - 1) * stride + 2) {                                                                                 \
        const int32_t column = (j);                                                                                    \
        const int32_t x = column < pad || column - pad >= end ? zero_point : in[(column - pad) * pitch];               \
        RV_TAPS(0);                                                                                                    \
        RV_TAPS(1);                                                                                                    \
        RV_TAPS(2);                                                                                                    \
        RV_TAPS(3);                                                                                                    \
        RV_TAPS(4);                                                                                                    \
        RV_TAPS(5);                                                                                                    \
    }
    RV_COLUMN(0)
    RV_COLUMN(1)
    RV_COLUMN(2)
    RV_COLUMN(3)
    RV_COLUMN(4)
    RV_COLUMN(5)
    RV_COLUMN(6)
    RV_COLUMN(7)
    RV_COLUMN(8)
    RV_COLUMN(9)
    RV_COLUMN(10)
    RV_COLUMN(11)
    RV_COLUMN(12)
#undef RV_COLUMN
#undef RV_TAPS
#undef RV_TAP
}

/* n outputs of a channel, `pitch` bytes apart, from their sums. */
RV_INLINE void rv_narrow_outputs(const int32_t *sums, const int32_t n, const int32_t pitch, const int32_t is_relu,
                                 int32_t multiplier, int32_t rounding, uint32_t shift, int8_t *out)
{
#define RV_OUTPUT(i)                                                                                                   \
    if ((i) < n) out[(i) * pitch] = rv_output(sums[i], 0, is_relu, multiplier, rounding, shift)
    RV_OUTPUT(0);
    RV_OUTPUT(1);
    RV_OUTPUT(2);
    RV_OUTPUT(3);
    RV_OUTPUT(4);
    RV_OUTPUT(5);
#undef RV_OUTPUT
}

#endif /* RIVULET_DSP_DEPTHWISE_H */
