/*
 * Rivulet runtime, DSP extension: convolutions as matrix products, two channels by up to four pixels at a time.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_DSP_PRODUCT_H
#define RIVULET_DSP_PRODUCT_H

#include "rivulet_dsp.h"

/* Tiles take all fourteen registers, which only an optimising compiler without frame pointer has to give. */
#if RV_DSP && defined(__OPTIMIZE__)
#define RV_DSP_TILES 1
#else
#define RV_DSP_TILES 0
#endif

/*
 * Sums of K products for two output channels and one to four pixels at once, with one widening of weights for four
 * products where two would be usual.
 *
 * Of four inputs x0 to x3 a column holds two pairs of int16, p = (x0 - 127, x2 - 127) and q = 256 (x1, x3) - p, which just
 * fit. A word of weights holds w0 to w3 as the int16 values 256 w0 + w1 and 256 w2 + w3, whose low bytes are w1 and w3. Then
 *
 *     word * p + (w1, w3) * q = 256 ((w0, w2) * p + (w1, w3) * (x1, x3))
 *
 * so a sum is 256 times that of the inputs, those at even places less 127. It must fit int32 in the end; in between it may
 * wrap. No w0 or w2 may be -128.
 *
 * The stream has for each pair of channels (a, b): K / 4 words of a and of b in turn; the multiplier of b; twice the bias
 * of a, of b, which makes up for the 127s; the multiplier of a; and the bytes e a, e b, e a - 1, e b - 1 with e = -shift. K is
 * a multiple of 4.
 * There are at least two channels; the last pair of an odd number takes the channel before in once more.
 *
 * A column has for each four values of K first the p of all pixels, then the q.
 */

/* What a matrix product works with. Outputs are any int8; a narrower range is for rv_dsp_clamp_row. */
typedef struct {
    const int32_t *stream;
    int32_t quads; /* K / 4 */
    int32_t channels;
    int32_t zero_factor; /* 2 zero_point + 1 */
    int32_t relu;        /* the zero point is -128, which lets the sign of sums be left out */
} rv_dsp_product;

enum { RV_DSP_TAIL = 5 };

#define RV_DSP_LESS_127 0xff81ff81u

RV_INLINE uint32_t rv_dsp_p(uint32_t inputs)
{
    return rv_sxtab16(RV_DSP_LESS_127, inputs);
}

RV_INLINE uint32_t rv_dsp_q(uint32_t inputs, uint32_t p)
{
    return rv_ssub16(inputs & 0xff00ff00u, p);
}

/* Two neighbouring words. */
RV_INLINE void rv_dsp_store2(uint32_t *to, uint32_t first, uint32_t second)
{
#if RV_DSP
    typedef uint64_t __attribute__((may_alias)) words;
    __asm__ volatile("strd %1, %2, %0" : "=m"(*(words *)to) : "r"(first), "r"(second));
#else
    to[0] = first;
    to[1] = second;
#endif
}

/* Values of `a` and `b`, side by side in a column of `pixels` words for p and as many for q. */
RV_SHARED void rv_dsp_widen2(uint32_t *column, int32_t pixels, const int8_t *a, const int8_t *b, int32_t quads)
{
    for (const int8_t *const end = a + 4 * quads; a != end; a += 4, b += 4) {
        const uint32_t from_a = rv_load32(a);
        const uint32_t from_b = rv_load32(b);
        const uint32_t p_a = rv_dsp_p(from_a);
        const uint32_t p_b = rv_dsp_p(from_b);
        rv_dsp_store2(column, p_a, p_b);
        column += pixels;
        rv_dsp_store2(column, rv_dsp_q(from_a, p_a), rv_dsp_q(from_b, p_b));
        column += pixels;
    }
}

RV_SHARED void rv_dsp_widen1(uint32_t *column, int32_t pixels, const int8_t *a, int32_t quads)
{
    for (const int8_t *const end = a + 4 * quads; a != end; a += 4, column += 2 * pixels) {
        const uint32_t from = rv_load32(a);
        const uint32_t p = rv_dsp_p(from);
        column[0] = p;
        column[pixels] = rv_dsp_q(from, p);
    }
}

#if RV_DSP_TILES

/*
 * The windows of four pixels, two quads of 72 bytes of code in a turn. STM wants ascending registers, so they are named.
 */
RV_SHARED void rv_dsp_widen4(uint32_t *column, const int8_t *const *windows, int32_t quads)
{
    const int8_t *a = windows[0];
    const int8_t *b = windows[1];
    const int8_t *c = windows[2];
    const int8_t *d = windows[3];
    uint32_t *const end = column + 8 * quads;

    const int32_t entry = (quads & 1) * 72;

    __asm__ volatile("ldr r0, %[entry]\n\tadd pc, r0\n\tnop\n1:\n\t.rept 2\n\t"
                     "ldr r0, [%[a]], #4\n\tldr r1, [%[b]], #4\n\tldr r2, [%[c]], #4\n\tldr r3, [%[d]], #4\n\t"
                     "sxtab16 r4, %[less], r0\n\tsxtab16 r5, %[less], r1\n\t"
                     "sxtab16 r6, %[less], r2\n\tsxtab16 r8, %[less], r3\n\t"
                     "stm.w %[column]!, {r4, r5, r6, r8}\n\t"
                     "and r0, r0, #0xff00ff00\n\tand r1, r1, #0xff00ff00\n\t"
                     "and r2, r2, #0xff00ff00\n\tand r3, r3, #0xff00ff00\n\t"
                     "ssub16 r0, r0, r4\n\tssub16 r1, r1, r5\n\tssub16 r2, r2, r6\n\tssub16 r3, r3, r8\n\t"
                     "stm.w %[column]!, {r0, r1, r2, r3}\n\t.endr\n\tldr r0, %[end]\n\tcmp %[column], r0\n\tbne 1b"
                     : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [column] "+r"(column)
                     : [less] "r"(RV_DSP_LESS_127), [end] "m"(end), [entry] "m"(entry)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "cc", "memory");
}

#endif

/* The windows of all pixels into a column. */
RV_INLINE void rv_dsp_widen(uint32_t *column, int32_t pixels, const int8_t *const *windows, int32_t quads)
{
    int32_t p = 0;

#if RV_DSP_TILES
    if (pixels == 4) {
        rv_dsp_widen4(column, windows, quads);
        return;
    }
#endif
    for (; p + 2 <= pixels; p += 2) {
        rv_dsp_widen2(column + p, pixels, windows[p], windows[p + 1], quads);
    }
    if (p < pixels) {
        rv_dsp_widen1(column + p, pixels, windows[p], quads);
    }
}

/* Values of six columns, side by side. */
RV_SHARED void rv_dsp_widen6(uint32_t *strip, const int8_t *const *columns, int32_t quads)
{
    for (int32_t at = 0; at < 4 * quads; at += 4, strip += 12) {
        for (int32_t i = 0; i < 6; i += 2) {
            const uint32_t first = rv_load32(columns[i] + at);
            const uint32_t second = rv_load32(columns[i + 1] + at);
            const uint32_t p_first = rv_dsp_p(first);
            const uint32_t p_second = rv_dsp_p(second);
            rv_dsp_store2(strip + i, p_first, p_second);
            rv_dsp_store2(strip + 6 + i, rv_dsp_q(first, p_first), rv_dsp_q(second, p_second));
        }
    }
}

#if RV_DSP_TILES

#define RV_DSP_LOAD2(from, a, b) "ldrd %[" #a "], %[" #b "], [%[" #from "]], #8\n\t"
/* Products of both channels with the pair x, for pixel i. */
#define RV_DSP_MAC(i, x)                                                                                               \
    "smlad %[a" #i "], %[w], %[" #x "], %[a" #i "]\n\tsmlad %[b" #i "], %[u], %[" #x "], %[b" #i "]\n\t"
#define RV_DSP_LOW_WEIGHTS "sxtb16 %[w], %[w]\n\tsxtb16 %[u], %[u]\n\t"

/* Four values of K for one to four pixels. */
#define RV_DSP_HALF4                                                                                                   \
    RV_DSP_LOAD2(cp, x0, x1) RV_DSP_MAC(0, x0) RV_DSP_MAC(1, x1) RV_DSP_LOAD2(cp, x0, x1) RV_DSP_MAC(2, x0) RV_DSP_MAC(3, x1)
#define RV_DSP_HALF3                                                                                                   \
    RV_DSP_LOAD2(cp, x0, x1) RV_DSP_MAC(0, x0) "ldr %[x0], [%[cp]], #4\n\t" RV_DSP_MAC(1, x1) RV_DSP_MAC(2, x0)
#define RV_DSP_HALF2 RV_DSP_LOAD2(cp, x0, x1) RV_DSP_MAC(0, x0) RV_DSP_MAC(1, x1)
#define RV_DSP_QUAD4 RV_DSP_LOAD2(wp, w, u) RV_DSP_HALF4 RV_DSP_LOW_WEIGHTS RV_DSP_HALF4
#define RV_DSP_QUAD3 RV_DSP_LOAD2(wp, w, u) RV_DSP_HALF3 RV_DSP_LOW_WEIGHTS RV_DSP_HALF3
#define RV_DSP_QUAD2 RV_DSP_LOAD2(wp, w, u) RV_DSP_HALF2 RV_DSP_LOW_WEIGHTS RV_DSP_HALF2
#define RV_DSP_QUAD1                                                                                                   \
    RV_DSP_LOAD2(wp, w, u) RV_DSP_LOAD2(cp, x0, x1) RV_DSP_MAC(0, x0) RV_DSP_LOW_WEIGHTS RV_DSP_MAC(0, x1)

/*
 * Until the column ends, `unrolled` turns at a time and entered where their number demands: pc is four bytes ahead of the
 * ADD.
 */
#define RV_DSP_TURNS(unrolled, turn)                                                                                   \
    "ldr %[x0], %[entry]\n\tadd pc, %[x0]\n\tnop\n1:\n\t.rept " unrolled "\n\t" turn ".endr\n\t"                       \
    "ldr %[x0], %[end]\n\tcmp %[cp], %[x0]\n\tbne 1b\n\t"

/* From sums to outputs, with what the turns leave free: w multiplier, x0 e, x1 rounding, cp twice the bias. */
#define RV_DSP_PARAMETERS(bias, multiplier, e, e_less_1)                                                               \
    "ldrb %[x1], [%[wp], #" e_less_1 "]\n\tldr %[w], %[zero]\n\tldrb %[x0], [%[wp], #" e "]\n\t"                       \
    "lsl %[x1], %[w], %[x1]\n\tldr %[cp], [%[wp], #" bias "]\n\tldr %[w], " multiplier "\n\t"
#define RV_DSP_RELU(s)                                                                                                 \
    "add %[" #s "], %[cp], %[" #s "], asr #7\n\tsmmlar %[" #s "], %[" #s "], %[w], %[x1]\n\t"                          \
    "asr %[" #s "], %[" #s "], %[x0]\n\tssat %[" #s "], #8, %[" #s "]\n\t"
#define RV_DSP_SIGNED(s)                                                                                               \
    "add %[" #s "], %[cp], %[" #s "], asr #7\n\tadd %[u], %[x1], %[" #s "], asr #31\n\t"                               \
    "smmlar %[" #s "], %[" #s "], %[w], %[u]\n\tasr %[" #s "], %[" #s "], %[x0]\n\tssat %[" #s "], #8, %[" #s "]\n\t"
#define RV_DSP_QUANTIZE(how, all)                                                                                      \
    RV_DSP_PARAMETERS("4", "[%[wp], #12]", "16", "18") all(how, a)                                                     \
    RV_DSP_PARAMETERS("8", "[%[wp]], #20", "17", "19") all(how, b)
#define RV_DSP_QUANTIZE_EITHER(all)                                                                                    \
    "ldr %[w], %[relu]\n\tcmp %[w], #0\n\tbeq 2f\n\t" RV_DSP_QUANTIZE(RV_DSP_RELU, all)                                \
    "b 3f\n2:\n\t" RV_DSP_QUANTIZE(RV_DSP_SIGNED, all) "3:\n\t"
#define RV_DSP_ALL1(do, c) do(c##0)
#define RV_DSP_ALL2(do, c) do(c##0) do(c##1)
#define RV_DSP_ALL3(do, c) do(c##0) do(c##1) do(c##2)
#define RV_DSP_ALL4(do, c) do(c##0) do(c##1) do(c##2) do(c##3)
#define RV_DSP_PLACES "ldr %[x0], %[out]\n\tldr %[u], %[stride]\n\t"
#define RV_DSP_PLACE3 "add %[w], %[x0], %[u], lsl #1\n\tstrb %[a2], [%[w]]\n\tstrb %[b2], [%[w], #1]\n\t"
#define RV_DSP_PLACE1 "strb %[b0], [%[x0], #1]\n\tstrb %[a0], [%[x0]], #2\n\t"
#define RV_DSP_PLACE2 "strb %[a1], [%[x0], %[u]]\n\tadd %[u], %[u], #1\n\tstrb %[b1], [%[x0], %[u]]\n\t"
#define RV_DSP_STORE1 RV_DSP_PLACES RV_DSP_PLACE1
#define RV_DSP_STORE2 RV_DSP_PLACES RV_DSP_PLACE2 RV_DSP_PLACE1
#define RV_DSP_STORE3 RV_DSP_PLACES RV_DSP_PLACE3 RV_DSP_PLACE2 RV_DSP_PLACE1
#define RV_DSP_STORE4                                                                                                  \
    RV_DSP_PLACES RV_DSP_PLACE3                                                                                        \
    "strb %[a3], [%[w], %[u]]\n\t" RV_DSP_PLACE2 "strb %[b3], [%[w], %[u]]\n\t" RV_DSP_PLACE1
/* The next pair of channels. */
#define RV_DSP_NEXT                                                                                                    \
    "str %[x0], %[out]\n\tldr %[x1], %[last]\n\tcmp %[x0], %[x1]\n\tbne 0b"
#define RV_DSP_ZERO(s) "mov %[" #s "], #0\n\t"

/*
 * All channels of one to four pixels. The registers hold what the turns need, the rest waits in memory. The last channel of
 * an odd number takes a second round, with the one before it. column_words: for four values of K.
 */
#define RV_DSP_TILE(name, column_words, skipped_bytes, assembly)                                                        \
    RV_SHARED void name(const rv_dsp_product *product, const uint32_t *column, int8_t *out)                            \
    {                                                                                                                  \
        const int32_t channels = product->channels;                                                                    \
        const int32_t quads = product->quads;                                                                          \
        const uint32_t *const end = column + column_words * quads;                                                     \
        const int32_t entry = skipped_bytes;                                                                           \
        const int32_t zero_factor = product->zero_factor;                                                              \
        const int32_t relu = product->relu;                                                                            \
        const int32_t *stream = product->stream;                                                                       \
        int8_t *const begin = out;                                                                                     \
        int8_t *last = begin + (channels & ~1);                                                                        \
                                                                                                                       \
        for (;;) {                                                                                                     \
            const uint32_t *cp;                                                                                        \
            int32_t a0, a1, a2, a3, b0, b1, b2, b3;                                                                    \
            uint32_t w, u, x0, x1;                                                                                     \
                                                                                                                       \
            __asm__ volatile("0:\n\tldr %[cp], %[column]\n\t" assembly RV_DSP_NEXT                                     \
                             : [wp] "+r"(stream), [out] "+m"(out), [cp] "=&r"(cp), [a0] "=&r"(a0), [a1] "=&r"(a1),     \
                               [a2] "=&r"(a2), [a3] "=&r"(a3), [b0] "=&r"(b0), [b1] "=&r"(b1), [b2] "=&r"(b2),         \
                               [b3] "=&r"(b3), [w] "=&r"(w), [u] "=&r"(u), [x0] "=&r"(x0), [x1] "=&r"(x1)              \
                             : [column] "m"(column), [entry] "m"(entry), [end] "m"(end), [zero] "m"(zero_factor),      \
                               [relu] "m"(relu), [stride] "m"(channels), [last] "m"(last)                              \
                             : "cc", "memory");                                                                        \
            if (last == begin + channels) {                                                                            \
                return;                                                                                                \
            }                                                                                                          \
            last = begin + channels;                                                                                   \
            out = last - 2;                                                                                            \
        }                                                                                                              \
    }

/* The first four values, apart from the loop, begin the sums. */
#define RV_DSP_BEGIN(i, x)                                                                                             \
    "smuad %[a" #i "], %[w], %[" #x "]\n\tsmuad %[b" #i "], %[u], %[" #x "]\n\t"
#define RV_DSP_FIRST4                                                                                                  \
    RV_DSP_LOAD2(wp, w, u)                                                                                             \
    RV_DSP_LOAD2(cp, x0, x1)                                                                                           \
    RV_DSP_BEGIN(0, x0)                                                                                                \
    RV_DSP_BEGIN(1, x1)                                                                                                \
    RV_DSP_LOAD2(cp, x0, x1) RV_DSP_BEGIN(2, x0) RV_DSP_BEGIN(3, x1) RV_DSP_LOW_WEIGHTS RV_DSP_HALF4
#define RV_DSP_ZEROS(all) all(RV_DSP_ZERO, a) all(RV_DSP_ZERO, b)

/* Instructions for products: 8 for 8, 13 for 16, 19 for 24, 23 for 32; four bytes each. */
RV_DSP_TILE(rv_dsp_tile1, 2, (-quads & 7) * 32,
            RV_DSP_ZEROS(RV_DSP_ALL1) RV_DSP_TURNS("8", RV_DSP_QUAD1) RV_DSP_QUANTIZE_EITHER(RV_DSP_ALL1) RV_DSP_STORE1)
RV_DSP_TILE(rv_dsp_tile2, 4, (-quads & 7) * 52,
            RV_DSP_ZEROS(RV_DSP_ALL2) RV_DSP_TURNS("8", RV_DSP_QUAD2) RV_DSP_QUANTIZE_EITHER(RV_DSP_ALL2) RV_DSP_STORE2)
RV_DSP_TILE(rv_dsp_tile3, 6, (-quads & 7) * 76,
            RV_DSP_ZEROS(RV_DSP_ALL3) RV_DSP_TURNS("8", RV_DSP_QUAD3) RV_DSP_QUANTIZE_EITHER(RV_DSP_ALL3) RV_DSP_STORE3)
/* At least eight values of K. Most outputs come from here, so those after a ReLU have code of their own. */
RV_DSP_TILE(rv_dsp_tile4_relu, 8, ((1 - quads) & 7) * 92,
            RV_DSP_FIRST4 RV_DSP_TURNS("8", RV_DSP_QUAD4) RV_DSP_QUANTIZE(RV_DSP_RELU, RV_DSP_ALL4) RV_DSP_STORE4)
RV_DSP_TILE(rv_dsp_tile4_signed, 8, ((1 - quads) & 7) * 92,
            RV_DSP_FIRST4 RV_DSP_TURNS("8", RV_DSP_QUAD4) RV_DSP_QUANTIZE(RV_DSP_SIGNED, RV_DSP_ALL4) RV_DSP_STORE4)

/* One of three neighbouring taps of four neighbouring pixels, from six columns of a strip; on: bytes to what comes next. */
#define RV_DSP_TAP_HALF(on)                                                                                            \
    RV_DSP_LOAD2(cp, x0, x1)                                                                                           \
    RV_DSP_MAC(0, x0)                                                                                                  \
    RV_DSP_MAC(1, x1)                                                                                                  \
    "ldrd %[x0], %[x1], [%[cp]], #" on "\n\t" RV_DSP_MAC(2, x0) RV_DSP_MAC(3, x1)
#define RV_DSP_TAP(on) RV_DSP_LOAD2(wp, w, u) RV_DSP_TAP_HALF("16") RV_DSP_LOW_WEIGHTS RV_DSP_TAP_HALF(on)
#define RV_DSP_TAPS RV_DSP_TAP("-28") RV_DSP_TAP("-28") RV_DSP_TAP("8")

/* 69 for 96. */
RV_DSP_TILE(rv_dsp_tile_taps, 4, (-(quads / 3) & 3) * 276,
            RV_DSP_ZEROS(RV_DSP_ALL4) RV_DSP_TURNS("4", RV_DSP_TAPS) RV_DSP_QUANTIZE_EITHER(RV_DSP_ALL4) RV_DSP_STORE4)

#endif

/* In plain C: all channels of some pixels, from a column or from a strip. */
RV_SHARED void rv_dsp_tile_plain(const rv_dsp_product *product, const uint32_t *column, int32_t pixels, int32_t strip,
                                 int8_t *out)
{
    const int32_t *stream = product->stream;

    for (int32_t first = 0; first < product->channels; first += 2) {
        const int32_t channel = first + 2 <= product->channels ? first : product->channels - 2;
        const int32_t *tail = stream + 2 * product->quads;

        for (int32_t which = 0; which < 2; ++which) {
            const int32_t e = (tail[4] >> (8 * which)) & 255;
            const int32_t rounding = (int32_t)((uint32_t)product->zero_factor << (e - 1));

            for (int32_t pixel = 0; pixel < pixels; ++pixel) {
                int32_t sum = 0;
                int32_t twice;
                for (int32_t k = 0; k < product->quads; ++k) {
                    const uint32_t weights = (uint32_t)stream[2 * k + which];
                    const uint32_t *p = column + pixel + (strip ? k / 3 * 12 + k % 3 : k * 2 * pixels);
                    sum = rv_smlad(rv_sxtb16(weights), p[strip ? 6 : pixels], rv_smlad(weights, *p, sum));
                }
                twice = (int32_t)((uint32_t)(sum >> 7) + (uint32_t)tail[1 + which]);
                out[pixel * product->channels + channel + which] =
                    (int8_t)(product->relu ? rv_dsp_requantize_relu(twice, tail[which ? 0 : 3], rounding, e)
                                           : rv_dsp_requantize(twice, tail[which ? 0 : 3], rounding, e));
            }
        }
        stream = tail + RV_DSP_TAIL;
    }
}

/* All channels of one to four pixels, whose values are in `column`. */
RV_INLINE void rv_dsp_tile(const rv_dsp_product *product, const uint32_t *column, int32_t pixels, int8_t *out)
{
#if RV_DSP_TILES
    switch (pixels) {
    case 4:
        if (product->relu) {
            rv_dsp_tile4_relu(product, column, out);
        } else {
            rv_dsp_tile4_signed(product, column, out);
        }
        return;
    case 3:
        rv_dsp_tile3(product, column, out);
        return;
    case 2:
        rv_dsp_tile2(product, column, out);
        return;
    default:
        rv_dsp_tile1(product, column, out);
        return;
    }
#else
    rv_dsp_tile_plain(product, column, pixels, 0, out);
#endif
}

/*
 * All channels of four neighbouring pixels under windows three wide. strip: for each kernel row and four input channels the
 * p of six columns, then their q; the weights have three words for each, one a tap.
 */
RV_INLINE void rv_dsp_tile_strip(const rv_dsp_product *product, const uint32_t *strip, int8_t *out)
{
#if RV_DSP_TILES
    rv_dsp_tile_taps(product, strip, out);
#else
    rv_dsp_tile_plain(product, strip, 4, 1, out);
#endif
}

/*
 * A convolution, not grouped, from columns. K is [kernel_height][kernel_width * in_channels], each kernel row filled up to
 * `quads` words of zero weights; or, joined, all of it in one such row, which is then copied together first.
 */
typedef struct {
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t out_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride;
    int32_t pad_left;
    int32_t joined;
    int32_t quads;
    int32_t pixels; /* at a time, up to 4 */
    int32_t in_zero_point;
    int32_t out_zero_point;
    int32_t out_min;
    int32_t out_max;
    int32_t relu;
} rv_dsp_convolution;

/*
 * Copies of the windows of some pixels, of kernel row `part` or, joined, of all of them: values of the row, padding where
 * they lie outside or the row is NULL. Up to three bytes behind a copy may be overwritten.
 */
RV_SHARED void rv_dsp_copy_windows(const rv_dsp_convolution *G, const rv_row *row, int32_t part, int32_t first,
                                   int32_t pixels, int8_t *copies, const int8_t **windows)
{
    const int32_t end = part + (G->joined ? G->kernel_height : 1);
    const int32_t row_bytes = G->in_width * G->in_channels;
    const int32_t bytes = G->kernel_width * G->in_channels;
    const int32_t whole_words = (bytes + 3) & ~3;

    for (int32_t p = 0; p < pixels; ++p, first += G->stride * G->in_channels) {
        const int32_t inside = first >= 0 && first + whole_words <= row_bytes;
        int8_t *to = copies;

        for (int32_t ky = part; ky < end; ++ky, to += bytes) {
            const int8_t *in = row->in[ky];
            if (inside && in != NULL) {
                const int8_t *from = in + first;
                const int8_t *const last = from + whole_words;
                int8_t *next = to;
                do {
                    rv_store32(next, rv_load32(from));
                    from += 4;
                    next += 4;
                } while (from != last);
            } else {
                for (int32_t i = 0; i < bytes; ++i) {
                    const int32_t at = first + i;
                    to[i] = (int8_t)(in != NULL && at >= 0 && at < row_bytes ? in[at] : G->in_zero_point);
                }
            }
        }
        windows[p] = copies;
        copies += 4 * G->quads;
    }
}

/*
 * One output row. columns: pairs uint32[pixels][K / 2], then, unless every window is inside its row, int8[pixels][quads * 4],
 * copies of windows.
 */
RV_SHARED void rv_dsp_convolve(const rv_dsp_convolution *G, const int32_t *stream, const rv_row *row, uint32_t *columns)
{
    const int32_t parts = G->joined ? 1 : G->kernel_height;
    const int32_t quads = G->quads;
    const rv_dsp_product product = {stream, parts * quads, G->out_channels, 2 * G->out_zero_point + 1, G->relu};
    const int32_t row_bytes = G->in_width * G->in_channels;
    const int32_t step = G->stride * G->in_channels;
    int8_t *const copies = (int8_t *)(columns + G->pixels * 2 * product.quads);
    int32_t first = -G->pad_left * G->in_channels;
    int8_t *out = row->out;

    for (int32_t left = G->out_width; left > 0; left -= G->pixels) {
        const int32_t pixels = left < G->pixels ? left : G->pixels;
        const int32_t inside = first >= 0 && first + (pixels - 1) * step + 4 * quads <= row_bytes;
        uint32_t *column = columns;

        for (int32_t part = 0; part < parts; ++part, column += 2 * pixels * quads) {
            const int8_t *windows[4];

            if (inside && !G->joined && row->in[part] != NULL) {
                windows[0] = (const int8_t *)row->in[part] + first;
                windows[1] = windows[0] + step;
                windows[2] = windows[1] + step;
                windows[3] = windows[2] + step;
            } else {
                rv_dsp_copy_windows(G, row, part, first, pixels, copies, windows);
            }
            rv_dsp_widen(column, pixels, windows, quads);
        }
        rv_dsp_tile(&product, columns, pixels, out);
        first += pixels * step;
        out += pixels * G->out_channels;
    }
    rv_dsp_clamp_row(row->out, G->out_width * G->out_channels, G->out_min, G->out_max);
}

/*
 * One output row of a convolution with windows three wide, stride 1, in_channels a multiple of 4 and out_width too, from
 * strips: each input value is widened once for every four pixels, not three times. strip: pairs
 * uint32[kernel_height][in_channels / 2][6], then int8[in_channels], a column of padding.
 */
RV_SHARED void rv_dsp_convolve_strip(const rv_dsp_convolution *G, const int32_t *stream, const rv_row *row,
                                     uint32_t *strip)
{
    const int32_t pairs = G->in_channels / 2;
    const rv_dsp_product product = {stream, G->kernel_height * G->quads * 3, G->out_channels,
                                    2 * G->out_zero_point + 1, G->relu};
    int8_t *const padding = (int8_t *)(strip + G->kernel_height * pairs * 6);
    int8_t *out = row->out;

    memset(padding, G->in_zero_point, (size_t)G->in_channels);
    for (int32_t x = 0; x < G->out_width; x += 4, out += 4 * G->out_channels) {
        for (int32_t ky = 0; ky < G->kernel_height; ++ky) {
            const int8_t *in = row->in[ky];

            const int32_t first = x - G->pad_left;
            const int8_t *columns[6];

            if (in != NULL && first >= 0 && first + 6 <= G->in_width) {
                columns[0] = in + first * G->in_channels;
                for (int32_t i = 1; i < 6; ++i) {
                    columns[i] = columns[i - 1] + G->in_channels;
                }
            } else {
                for (int32_t i = 0; i < 6; ++i) {
                    const int32_t at = first + i;
                    columns[i] = in != NULL && at >= 0 && at < G->in_width ? in + at * G->in_channels : padding;
                }
            }
            rv_dsp_widen6(strip + ky * pairs * 6, columns, G->quads);
        }
        rv_dsp_tile_strip(&product, strip, out);
    }
    rv_dsp_clamp_row(row->out, G->out_width * G->out_channels, G->out_min, G->out_max);
}

/*
 * Without a column, and for any weights. The stream has for each pair of channels (a, b): the biases of a and b; K / 2 words
 * of the bytes a[i], b[i], a[i + 2], b[i + 2], where i runs over 0, 1, 4, 5, 8, 9 ..., because SXTB16 gives such pairs of
 * inputs; the multipliers of a and b; and the bytes e a, e b.
 */

/* Sums of two channels and two pixels. */
typedef struct {
    int32_t a0, a1, b0, b1;
} rv_dsp_sums;

/*
 * Adds the products of `quads` times four values, at least one, that lie as int8 at x0 and x1: no column is needed.
 * minus_zero: the pair of -zero_point, -zero_point.
 */
RV_INLINE void rv_dsp_direct(rv_dsp_sums *sums, const int32_t *stream, const int8_t *x0, const int8_t *x1,
                             int32_t quads, uint32_t minus_zero)
{
#if RV_DSP_TILES
/* 20 instructions, 80 bytes, for 16 products. */
#define RV_DSP_DIRECT_HALF(t0, t1, rotation)                                                                           \
    "ldr %[w], [%[wp]], #4\n\tsxtb16 %[u], %[w], ror #8\n\tsxtb16 %[w], %[w]\n\t"                                      \
    "sxtab16 %[" #t0 "], %[z], %[v0]" rotation "\n\tsxtab16 %[" #t1 "], %[z], %[v1]" rotation "\n\t"                   \
    "smlad %[a0], %[w], %[" #t0 "], %[a0]\n\tsmlad %[b0], %[u], %[" #t0 "], %[b0]\n\t"                                 \
    "smlad %[a1], %[w], %[" #t1 "], %[a1]\n\tsmlad %[b1], %[u], %[" #t1 "], %[b1]\n\t"
    const int8_t *const end = x0 + 4 * quads;
    const int32_t entry = (-quads & 3) * 80;
    uint32_t w, u, v0, v1, t0, t1;

    __asm__ volatile("ldr %[w], %[entry]\n\tadd pc, %[w]\n\tnop\n1:\n\t.rept 4\n\t"
                     "ldr %[v0], [%[x0]], #4\n\tldr %[v1], [%[x1]], #4\n\t" RV_DSP_DIRECT_HALF(t0, t1, "")
                         RV_DSP_DIRECT_HALF(v0, v1, ", ror #8") ".endr\n\t"
                     "ldr %[w], %[end]\n\tcmp %[x0], %[w]\n\tbne 1b"
                     : [wp] "+r"(stream), [x0] "+r"(x0), [x1] "+r"(x1), [a0] "+r"(sums->a0), [a1] "+r"(sums->a1),
                       [b0] "+r"(sums->b0), [b1] "+r"(sums->b1), [w] "=&r"(w), [u] "=&r"(u), [v0] "=&r"(v0),
                       [v1] "=&r"(v1), [t0] "=&r"(t0), [t1] "=&r"(t1)
                     : [z] "r"(minus_zero), [entry] "m"(entry), [end] "m"(end)
                     : "cc", "memory");
#else
    for (int32_t i = 0; i < 2 * quads; ++i, ++stream) {
        const int32_t at = 4 * (i / 2) + i % 2;
        const uint32_t a = rv_sxtb16((uint32_t)*stream);
        const uint32_t b = rv_sxtb16_odd((uint32_t)*stream);
        const uint32_t pair0 = rv_sadd16(rv_pair16(x0[at], x0[at + 2]), minus_zero);
        const uint32_t pair1 = rv_sadd16(rv_pair16(x1[at], x1[at + 2]), minus_zero);
        sums->a0 = rv_smlad(a, pair0, sums->a0);
        sums->b0 = rv_smlad(b, pair0, sums->b0);
        sums->a1 = rv_smlad(a, pair1, sums->a1);
        sums->b1 = rv_smlad(b, pair1, sums->b1);
    }
#endif
}

/* The output for a sum; factor: 2 zero_point + 1. */
RV_INLINE int8_t rv_dsp_output(int32_t sum, int32_t multiplier, int32_t e, int32_t factor)
{
    return (int8_t)rv_dsp_requantize((int32_t)((uint32_t)sum * 2u), multiplier, (int32_t)((uint32_t)factor << (e - 1)),
                                     e);
}

/* A channel of the smallest firmware. */
typedef struct {
    int32_t bias;
    int32_t multiplier;
    int32_t e; /* -shift */
} rv_compact;

/*
 * From seven bytes: the multiplier, whose low bits say how much e exceeds the least one and which is exact as it stands, and
 * 24 bits of bias; or from eight, the last of them e.
 */
RV_INLINE rv_compact rv_load_compact(const int8_t *record, int32_t bytes, int32_t least_e, int32_t e_mask)
{
    const int32_t multiplier = (int32_t)rv_load32(record);
    const rv_compact c = {(int32_t)rv_load32(record + 3) >> 8, multiplier,
                          bytes == 8 ? record[7] : least_e + (multiplier & e_mask)};
    return c;
}

/* `count` values, at least one, `step` bytes apart. */
RV_SHARED void rv_compact_gather(int8_t *to, const int8_t *from, int32_t step, int32_t count)
{
    do {
        *to++ = *from;
        from += step;
    } while (--count > 0);
}

/* Adds the products of four windows, `stride` apart, in a plane. A function of its own: the loop needs all registers. */
RV_SHARED void rv_compact_window(const int8_t *plane, int32_t plane_width, int32_t stride, const int8_t *taps,
                                 int32_t size, int32_t *sums)
{
    const int8_t *const end = taps + size * size;
    const int32_t thrice = 3 * stride;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];

    do {
        const int8_t *const last = taps + size;
        do {
            const int32_t tap = *taps++;
            sum0 += plane[0] * tap;
            sum1 += plane[stride] * tap;
            sum2 += plane[2 * stride] * tap;
            sum3 += plane[thrice] * tap;
            ++plane;
        } while (taps != last);
        plane += plane_width - size;
    } while (taps != end);
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

#endif /* RIVULET_DSP_PRODUCT_H */
