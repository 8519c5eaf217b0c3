/*
 * Rivulet runtime, Armv7E-M DSP extension (Cortex-M4, M7, M33): one function an instruction, with a body in plain C where
 * the instruction does not exist, so that kernels written with them run and are tested on any computer.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A word holds two int16 or four int8 values, the first in the lowest bits. Inline assembly rather than ACLE intrinsics:
 * the operands stay in the registers they are in, and compilers other than GCC and Clang get the plain bodies.
 */
#ifndef RIVULET_DSP_H
#define RIVULET_DSP_H

#include "rivulet.h"

/* The tiles below take all fourteen registers, which only an optimising compiler without frame pointer has to give. */
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(RV_PLAIN_C)
#define RV_DSP 1
#else
#define RV_DSP 0
#endif

/* The int16 values of a word. */
static inline int32_t rv_low16(uint32_t word)
{
    return (int16_t)(uint16_t)word;
}

static inline int32_t rv_high16(uint32_t word)
{
    return (int16_t)(uint16_t)(word >> 16);
}

/* Two int16 values as a word. */
static inline uint32_t rv_pair16(int32_t low, int32_t high)
{
    return (uint32_t)(uint16_t)low | (uint32_t)high << 16;
}

/* Four bytes from any address. */
static inline uint32_t rv_load32(const void *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline void rv_store32(void *to, uint32_t word)
{
    memcpy(to, &word, sizeof word);
}

/* Bytes 0 and 2 as a pair of int16. */
static inline uint32_t rv_sxtb16(uint32_t bytes)
{
#if RV_DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return rv_pair16((int8_t)(uint8_t)bytes, (int8_t)(uint8_t)(bytes >> 16));
#endif
}

/* Bytes 1 and 3 as a pair of int16. */
static inline uint32_t rv_sxtb16_odd(uint32_t bytes)
{
#if RV_DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return rv_sxtb16(bytes >> 8);
#endif
}

/* The sums of both pairs of int16, each modulo 2^16. */
static inline uint32_t rv_sadd16(uint32_t a, uint32_t b)
{
#if RV_DSP
    uint32_t result;
    __asm__("sadd16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return rv_pair16(rv_low16(a) + rv_low16(b), rv_high16(a) + rv_high16(b));
#endif
}

/* sum + a.low * b.low + a.high * b.high */
static inline int32_t rv_smlad(uint32_t a, uint32_t b, int32_t sum)
{
#if RV_DSP
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    const uint32_t products =
        (uint32_t)(rv_low16(a) * rv_low16(b)) + (uint32_t)(rv_high16(a) * rv_high16(b));
    return (int32_t)((uint32_t)sum + products);
#endif
}

/* sum + a.low * b.low */
static inline int32_t rv_smlabb(uint32_t a, uint32_t b, int32_t sum)
{
#if RV_DSP
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(rv_low16(a) * rv_low16(b)));
#endif
}

/* sum + the upper 32 bits of a * b, to nearest, ties up; all modulo 2^32. */
static inline int32_t rv_smmlar(int32_t a, int32_t b, int32_t sum)
{
#if RV_DSP
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    const int32_t high = (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
    return (int32_t)((uint32_t)sum + (uint32_t)high);
#endif
}

/* x saturated to int8. */
static inline int32_t rv_ssat8(int32_t x)
{
#if RV_DSP
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return result;
#else
    return rv_clamp(x, -128, 127);
#endif
}

/*
 * Requantisation for 0 < multiplier, -22 <= shift <= -1 and |sum| < 2^30, which holds for almost every layer; exact:
 *
 *     high = hi32(2 sum * multiplier), to nearest, ties up             = SRDHM of TFLite
 *     (high + 2^(e-1) - (sum < 0) + zero_point * 2^e) >> e,  e = -shift = its rounding divide, ties away from zero
 *
 * The first addition rides on SMMLAR. rounding: 2^(e-1) + zero_point * 2^e, see rv_dsp_rounding. `twice` is 2 sum.
 * Where the smallest output is the zero point, as after a ReLU, a negative tie gives that output either way, and
 * rv_dsp_requantize_relu leaves the sign out.
 */
static inline int32_t rv_dsp_requantize(int32_t twice, int32_t multiplier, int32_t rounding, int32_t e)
{
    return rv_ssat8(rv_smmlar(twice, multiplier, rounding + (twice >> 31)) >> e);
}

static inline int32_t rv_dsp_requantize_relu(int32_t twice, int32_t multiplier, int32_t rounding, int32_t e)
{
    return rv_ssat8(rv_smmlar(twice, multiplier, rounding) >> e);
}

/* (2 zero_point + 1) * 2^(e-1) */
static inline int32_t rv_dsp_rounding(int32_t zero_point, int32_t e)
{
    return (int32_t)((uint32_t)(2 * zero_point + 1) << (e - 1));
}

/*
 * Matrix products: sums of K products for two output channels and one to four pixels at once.
 *
 * Stream of weights, for each pair of channels (a, b), in words:
 *     bias a, bias b | K / 2 words of four bytes: a[i], b[i], a[i + 2], b[i + 2] | multiplier a, multiplier b | e a, e b, e a - 1, e b - 1 as bytes
 * where i runs over 0, 1, 4, 5, 8, 9 ...: SXTB16 then gives the pairs (i, i + 2) that it also takes from a word of four
 * input values. e = -shift. K is a multiple of 4. There are at least two channels;
 * the last pair of an odd number takes the channel before in once more.
 *
 * Wide weights, for small layers, are doubled and come as they are used: K words with the pairs of a and of b in turn.
 *
 * A column holds the K input values of some pixels as such pairs: for each four values first the even pairs of all
 * pixels, then the odd ones.
 */

/* What a matrix product works with. Outputs are any int8; a narrower range is for rv_dsp_clamp. */
typedef struct {
    const int32_t *stream;
    int32_t words; /* K / 2 */
    int32_t channels;
    int32_t zero_factor; /* 2 zero_point + 1 */
    int32_t doubled;     /* the column holds doubled values, and biases are doubled */
    int32_t wide;        /* weights are int16 and doubled, as biases are */
    int32_t relu;        /* sums are doubled either way, and the zero point is -128 */
} rv_dsp_product;

/* Clamps bytes to a range. */
RV_SHARED void rv_dsp_clamp(int8_t *bytes, int32_t count, int32_t lowest, int32_t highest)
{
    for (int32_t i = 0; i < count; ++i) {
        bytes[i] = (int8_t)rv_clamp(bytes[i], lowest, highest);
    }
}

#if RV_DSP

#define RV_DSP_WIDEN4(pairs)                                                                                           \
    "1:\n\tldr r0, [%[a]], #4\n\tldr r1, [%[b]], #4\n\tldr r2, [%[c]], #4\n\tldr r3, [%[d]], #4\n\t"                \
    "sxtb16 r4, r0\n\tsxtb16 r5, r1\n\tsxtb16 r6, r2\n\tsxtb16 r8, r3\n\t" pairs                                    \
    "stm %[column]!, {r4, r5, r6, r8}\n\t"                                                                            \
    "sxtb16 r4, r0, ror #8\n\tsxtb16 r5, r1, ror #8\n\tsxtb16 r6, r2, ror #8\n\tsxtb16 r8, r3, ror #8\n\t" pairs    \
    "stm %[column]!, {r4, r5, r6, r8}\n\tldr r0, %[end]\n\tcmp %[column], r0\n\tbne 1b"
#define RV_DSP_WIDEN4_OPERANDS                                                                                         \
    [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [column] "+r"(column)                                          \
        : [end] "m"(end)                                                                                               \
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "cc", "memory"

/* The windows of four pixels as pairs. STM wants ascending registers, so they are named. */
RV_SHARED void rv_dsp_widen4(uint32_t *column, const int8_t *const *windows, int32_t quads, int32_t doubled)
{
    const int8_t *a = windows[0];
    const int8_t *b = windows[1];
    const int8_t *c = windows[2];
    const int8_t *d = windows[3];
    uint32_t *const end = column + 8 * quads;

    if (doubled) {
        __asm__ volatile(RV_DSP_WIDEN4("sadd16 r4, r4, r4\n\tsadd16 r5, r5, r5\n\t"
                                       "sadd16 r6, r6, r6\n\tsadd16 r8, r8, r8\n\t")
                         : RV_DSP_WIDEN4_OPERANDS);
    } else {
        __asm__ volatile(RV_DSP_WIDEN4("") : RV_DSP_WIDEN4_OPERANDS);
    }
}

#endif

#if RV_DSP
typedef uint64_t __attribute__((may_alias)) rv_dsp_words;
#endif

/* Two neighbouring words. */
RV_INLINE void rv_dsp_store2(uint32_t *to, uint32_t first, uint32_t second)
{
#if RV_DSP
    __asm__ volatile("strd %1, %2, %0" : "=m"(*(rv_dsp_words *)to) : "r"(first), "r"(second));
#else
    to[0] = first;
    to[1] = second;
#endif
}

/* Values of `a` and `b` as pairs, side by side in a column that is `pitch` words wide; quads: K / 4. */
RV_SHARED void rv_dsp_widen2(uint32_t *column, int32_t pitch, const int8_t *a, const int8_t *b, int32_t quads,
                             int32_t doubled)
{
    const int8_t *const end = a + 4 * quads;

    for (; a != end; a += 4, b += 4) {
        const uint32_t from_a = rv_load32(a);
        const uint32_t from_b = rv_load32(b);
        uint32_t even_a = rv_sxtb16(from_a);
        uint32_t even_b = rv_sxtb16(from_b);
        uint32_t odd_a = rv_sxtb16_odd(from_a);
        uint32_t odd_b = rv_sxtb16_odd(from_b);
        if (doubled) {
            even_a = rv_sadd16(even_a, even_a);
            even_b = rv_sadd16(even_b, even_b);
            odd_a = rv_sadd16(odd_a, odd_a);
            odd_b = rv_sadd16(odd_b, odd_b);
        }
        rv_dsp_store2(column, even_a, even_b);
        column += pitch;
        rv_dsp_store2(column, odd_a, odd_b);
        column += pitch;
    }
}

/* Values of six columns as pairs, side by side; quads: K / 4. */
RV_SHARED void rv_dsp_widen6(uint32_t *strip, const int8_t *const *columns, int32_t quads, int32_t doubled)
{
    const int8_t *a = columns[0];
    const int8_t *b = columns[1];
    const int8_t *c = columns[2];
    const int8_t *d = columns[3];
    const int8_t *e = columns[4];
    const int8_t *f = columns[5];

    if (doubled) {
        for (int32_t i = 0; i < 6; i += 2) {
            rv_dsp_widen2(strip + i, 6, columns[i], columns[i + 1], quads, doubled);
        }
        return;
    }
    for (const int8_t *const end = a + 4 * quads; a != end; strip += 12, a += 4, b += 4, c += 4, d += 4, e += 4, f += 4) {
        uint32_t first = rv_load32(a);
        uint32_t second = rv_load32(b);
        rv_dsp_store2(strip, rv_sxtb16(first), rv_sxtb16(second));
        rv_dsp_store2(strip + 6, rv_sxtb16_odd(first), rv_sxtb16_odd(second));
        first = rv_load32(c);
        second = rv_load32(d);
        rv_dsp_store2(strip + 2, rv_sxtb16(first), rv_sxtb16(second));
        rv_dsp_store2(strip + 8, rv_sxtb16_odd(first), rv_sxtb16_odd(second));
        first = rv_load32(e);
        second = rv_load32(f);
        rv_dsp_store2(strip + 4, rv_sxtb16(first), rv_sxtb16(second));
        rv_dsp_store2(strip + 10, rv_sxtb16_odd(first), rv_sxtb16_odd(second));
    }
}

RV_SHARED void rv_dsp_widen1(uint32_t *column, int32_t pixels, const int8_t *a, int32_t quads, int32_t doubled)
{
    uint32_t *const end = column + 2 * pixels * quads;

    for (; column != end; column += 2 * pixels, a += 4) {
        const uint32_t from = rv_load32(a);
        const uint32_t even = rv_sxtb16(from);
        const uint32_t odd = rv_sxtb16_odd(from);
        column[0] = doubled ? rv_sadd16(even, even) : even;
        column[pixels] = doubled ? rv_sadd16(odd, odd) : odd;
    }
}

/* The windows of all pixels into a column. */
static inline void rv_dsp_widen(uint32_t *column, int32_t pixels, const int8_t *const *windows, int32_t quads,
                                int32_t doubled)
{
    int32_t p = 0;

#if RV_DSP
    if (pixels == 4) {
        rv_dsp_widen4(column, windows, quads, doubled);
        return;
    }
#endif
    for (; p + 2 <= pixels; p += 2) {
        rv_dsp_widen2(column + p, pixels, windows[p], windows[p + 1], quads, doubled);
    }
    if (p < pixels) {
        rv_dsp_widen1(column + p, pixels, windows[p], quads, doubled);
    }
}

/*
 * `bytes` bytes of a row from byte `first` on, or padding where they lie outside or the row is NULL. Up to three bytes
 * behind them may be overwritten.
 */
RV_INLINE void rv_dsp_copy_window(int8_t *to, const int8_t *in, int32_t first, int32_t row_bytes, int32_t bytes,
                                  int32_t padding)
{
    if (in != NULL && first >= 0 && first + ((bytes + 3) & ~3) <= row_bytes) {
        const int8_t *from = in + first;
        for (int32_t i = 0; i < bytes; i += 4) {
            rv_store32(to + i, rv_load32(from + i));
        }
        return;
    }
    for (int32_t i = first; i < first + bytes; ++i) {
        *to++ = (int8_t)(in != NULL && i >= 0 && i < row_bytes ? in[i] : padding);
    }
}

#if RV_DSP

/* Weights w0 of two channels become the pairs w0 of channel a and u of channel b. */
#define RV_DSP_SPLIT(w) "sxtb16 %[u], %[" #w "], ror #8\n\tsxtb16 %[" #w "], %[" #w "]\n\t"
/* Both channels of pixel i gain the products with the pair x. */
#define RV_DSP_MAC(w, i, x)                                                                                            \
    "smlad %[a" #i "], %[" #w "], %[" #x "], %[a" #i "]\n\tsmlad %[b" #i "], %[u], %[" #x "], %[b" #i "]\n\t"
#define RV_DSP_LOAD(w) "ldr %[" #w "], [%[wp]], #4\n\t"
#define RV_DSP_LOAD2(from, a, b) "ldrd %[" #a "], %[" #b "], [%[" #from "]], #8\n\t"

/*
 * One step, for one to four pixels; that for three and four takes two values of K, the others take four,
 * with a3 as second weights.
 */
#define RV_DSP_STEP4                                                                                                   \
    RV_DSP_LOAD(w0)                                                                                                    \
    RV_DSP_LOAD2(cp, x0, x1)                                                                                           \
    RV_DSP_SPLIT(w0)                                                                                                   \
    RV_DSP_MAC(w0, 0, x0) RV_DSP_MAC(w0, 1, x1) RV_DSP_LOAD2(cp, x0, x1) RV_DSP_MAC(w0, 2, x0) RV_DSP_MAC(w0, 3, x1)
#define RV_DSP_STEP3                                                                                                   \
    RV_DSP_LOAD(w0)                                                                                                    \
    RV_DSP_LOAD2(cp, x0, x1)                                                                                           \
    RV_DSP_SPLIT(w0)                                                                                                   \
    RV_DSP_MAC(w0, 0, x0) "ldr %[x0], [%[cp]], #4\n\t" RV_DSP_MAC(w0, 1, x1) RV_DSP_MAC(w0, 2, x0)
#define RV_DSP_STEP2                                                                                                   \
    RV_DSP_LOAD2(wp, w0, a3)                                                                                           \
    RV_DSP_LOAD2(cp, x0, x1)                                                                                           \
    RV_DSP_SPLIT(w0)                                                                                                   \
    RV_DSP_MAC(w0, 0, x0)                                                                                              \
    RV_DSP_MAC(w0, 1, x1)                                                                                              \
    RV_DSP_LOAD2(cp, x0, x1) RV_DSP_SPLIT(a3) RV_DSP_MAC(a3, 0, x0) RV_DSP_MAC(a3, 1, x1)
#define RV_DSP_STEP1                                                                                                   \
    RV_DSP_LOAD2(wp, w0, a3)                                                                                           \
    RV_DSP_LOAD2(cp, x0, x1) RV_DSP_SPLIT(w0) RV_DSP_MAC(w0, 0, x0) RV_DSP_SPLIT(a3) RV_DSP_MAC(a3, 0, x1)

/*
 * Steps until the column ends, sixteen or eight unrolled and entered where their number demands: pc is four bytes ahead
 * of the ADD.
 */
#define RV_DSP_STEPS(unrolled, step)                                                                                   \
    "ldr %[x0], %[entry]\n\tadd pc, %[x0]\n\tnop\n1:\n\t.rept " unrolled "\n\t" step ".endr\n\t"                       \
    "ldr %[x0], %[end]\n\tcmp %[cp], %[x0]\n\tbne 1b\n\t"

/* From sums to outputs, with what the steps leave free: w0 multiplier, x0 e, x1 rounding. Then to memory. */
#define RV_DSP_PARAMETERS(multiplier, e, e_less_1)                                                                     \
    "ldrb %[x1], [%[wp], #" e_less_1 "]\n\tldr %[w0], %[zero]\n\tldrb %[x0], [%[wp], #" e "]\n\t"                      \
    "lsl %[x1], %[w0], %[x1]\n\tldr %[w0], [%[wp], #" multiplier "]\n\t"
#define RV_DSP_RELU(s)                                                                                                 \
    "smmlar %[" #s "], %[" #s "], %[w0], %[x1]\n\tasr %[" #s "], %[" #s "], %[x0]\n\t"                                 \
    "ssat %[" #s "], #8, %[" #s "]\n\t"
#define RV_DSP_SIGNED(s)                                                                                               \
    "add %[u], %[x1], %[" #s "], asr #31\n\tsmmlar %[" #s "], %[" #s "], %[w0], %[u]\n\t"                              \
    "asr %[" #s "], %[" #s "], %[x0]\n\tssat %[" #s "], #8, %[" #s "]\n\t"
#define RV_DSP_FULL(s)                                                                                                 \
    "lsl %[" #s "], %[" #s "], #1\n\t" RV_DSP_SIGNED(s)
#define RV_DSP_QUANTIZE(all, otherwise)                                                                                \
    "ldr %[w0], %[relu]\n\tcmp %[w0], #0\n\tbeq 2f\n\t"                                                                \
    RV_DSP_PARAMETERS("0", "8", "10") all(RV_DSP_RELU, a) RV_DSP_PARAMETERS("4", "9", "11") all(RV_DSP_RELU, b)        \
    "b 3f\n2:\n\t"                                                                                                     \
    RV_DSP_PARAMETERS("0", "8", "10") all(otherwise, a) RV_DSP_PARAMETERS("4", "9", "11") all(otherwise, b)            \
    "3:\n\tldr %[x0], %[out]\n\tldr %[u], %[stride]\n\t"
#define RV_DSP_ALL1(do, c) do(c##0)
#define RV_DSP_ALL2(do, c) do(c##0) do(c##1)
#define RV_DSP_ALL3(do, c) do(c##0) do(c##1) do(c##2)
#define RV_DSP_ALL4(do, c) do(c##0) do(c##1) do(c##2) do(c##3)
#define RV_DSP_STORE1 "strb %[a0], [%[x0]]\n\tstrb %[b0], [%[x0], #1]\n\t"
#define RV_DSP_STORE2 RV_DSP_STORE1 "strb %[a1], [%[x0], %[u]]\n\tadd %[u], %[u], #1\n\tstrb %[b1], [%[x0], %[u]]\n\t"
#define RV_DSP_STORE3                                                                                                  \
    "add %[w0], %[x0], %[u], lsl #1\n\tstrb %[a2], [%[w0]]\n\tstrb %[b2], [%[w0], #1]\n\t" RV_DSP_STORE2
#define RV_DSP_STORE4                                                                                                  \
    "add %[w0], %[x0], %[u], lsl #1\n\tstrb %[a2], [%[w0]]\n\tstrb %[b2], [%[w0], #1]\n\t"                             \
    "strb %[a3], [%[w0], %[u]]\n\t" RV_DSP_STORE2 "strb %[b3], [%[w0], %[u]]\n\t"
/* The next pair of channels. */
#define RV_DSP_NEXT                                                                                                    \
    "add %[wp], %[wp], #12\n\tadd %[x0], %[x0], #2\n\tstr %[x0], %[out]\n\tldr %[x1], %[last]\n\t"                     \
    "cmp %[x0], %[x1]\n\tbne 0b"

/*
 * All channels of one to four pixels. The registers hold what the steps need, the rest waits in memory. The last channel of
 * an odd number takes a second turn, with the one before it.
 */
#define RV_DSP_TILE(name, column_words, skipped_bytes, assembly)                                                                 \
    RV_SHARED void name(const rv_dsp_product *product, const uint32_t *column, int8_t *out)                             \
    {                                                                                                                  \
        const int32_t channels = product->channels;                                                                    \
        const uint32_t *const end = column + column_words * product->words;                                                 \
        const int32_t entry = skipped_bytes;                                                                           \
        const int32_t zero_factor = product->zero_factor;                                                              \
        const int32_t relu = product->relu     ;                                                                       \
        const int32_t *stream = product->stream;                                                                       \
        int8_t *const begin = out;                                                                                     \
        int8_t *last = begin + (channels & ~1);                                                                        \
                                                                                                                       \
        for (;;) {                                                                                                     \
            const uint32_t *cp;                                                                                        \
            int32_t a0, a1, a2, a3, b0, b1, b2, b3;                                                                    \
            uint32_t w0, u, x0, x1;                                                                                    \
                                                                                                                       \
            __asm__ volatile("0:\n\tldr %[cp], %[column]\n\t" assembly RV_DSP_NEXT                                     \
                             : [wp] "+r"(stream), [out] "+m"(out), [cp] "=&r"(cp), [a0] "=&r"(a0), [a1] "=&r"(a1),     \
                               [a2] "=&r"(a2), [a3] "=&r"(a3), [b0] "=&r"(b0), [b1] "=&r"(b1), [b2] "=&r"(b2),         \
                               [b3] "=&r"(b3), [w0] "=&r"(w0), [u] "=&r"(u), [x0] "=&r"(x0), [x1] "=&r"(x1)            \
                             : [column] "m"(column), [entry] "m"(entry), [end] "m"(end), [zero] "m"(zero_factor),      \
                               [relu] "m"(relu), [stride] "m"(channels), [last] "m"(last)                        \
                             : "cc", "memory");                                                                        \
            if (last == begin + channels) {                                                                            \
                return;                                                                                                \
            }                                                                                                          \
            last = begin + channels;                                                                                   \
            out = last - 2;                                                                                            \
        }                                                                                                              \
    }

#define RV_DSP_COPY(i) "mov %[a" #i "], %[a0]\n\tmov %[b" #i "], %[b0]\n\t"

/* 10 instructions for 8 products. */
RV_DSP_TILE(rv_dsp_tile1, 1, (-(product->words / 2) & 7) * 40,
            RV_DSP_LOAD2(wp, a0, b0) RV_DSP_STEPS("8", RV_DSP_STEP1) RV_DSP_QUANTIZE(RV_DSP_ALL1, RV_DSP_FULL) RV_DSP_STORE1)
/* 15 for 16. */
RV_DSP_TILE(rv_dsp_tile2, 2, (-(product->words / 2) & 7) * 60,
            RV_DSP_LOAD2(wp, a0, b0) RV_DSP_COPY(1) RV_DSP_STEPS("8", RV_DSP_STEP2) RV_DSP_QUANTIZE(RV_DSP_ALL2, RV_DSP_FULL)
                RV_DSP_STORE2)
/* 11 for 12. */
RV_DSP_TILE(rv_dsp_tile3, 3, (-product->words & 7) * 44,
            RV_DSP_LOAD2(wp, a0, b0) RV_DSP_COPY(1) RV_DSP_COPY(2) RV_DSP_STEPS("8", RV_DSP_STEP3)
                RV_DSP_QUANTIZE(RV_DSP_ALL3, RV_DSP_FULL) RV_DSP_STORE3)
/* 13 for 16. The first step, apart from the loop, adds to the biases. */
RV_DSP_TILE(rv_dsp_tile4, 4, ((17 - product->words) & 15) * 52,
            RV_DSP_LOAD2(wp, a3, b3) RV_DSP_LOAD(w0) RV_DSP_LOAD2(cp, x0, x1) RV_DSP_SPLIT(w0)
            "smlad %[a0], %[w0], %[x0], %[a3]\n\tsmlad %[b0], %[u], %[x0], %[b3]\n\t"
            "smlad %[a1], %[w0], %[x1], %[a3]\n\tsmlad %[b1], %[u], %[x1], %[b3]\n\t" RV_DSP_LOAD2(cp, x0, x1)
            "smlad %[a2], %[w0], %[x0], %[a3]\n\tsmlad %[b2], %[u], %[x0], %[b3]\n\t" RV_DSP_MAC(w0, 3, x1)
                RV_DSP_STEPS("16", RV_DSP_STEP4) RV_DSP_QUANTIZE(RV_DSP_ALL4, RV_DSP_FULL) RV_DSP_STORE4)

/* Wide weights: 11 instructions, 44 bytes, for 16. */
#define RV_DSP_STEP4_WIDE                                                                                              \
    RV_DSP_LOAD2(wp, w0, u)                                                                                            \
    RV_DSP_LOAD2(cp, x0, x1)                                                                                           \
    RV_DSP_MAC(w0, 0, x0) RV_DSP_MAC(w0, 1, x1) RV_DSP_LOAD2(cp, x0, x1) RV_DSP_MAC(w0, 2, x0) RV_DSP_MAC(w0, 3, x1)

RV_DSP_TILE(rv_dsp_tile4_wide, 4, (-product->words & 15) * 44,
            RV_DSP_LOAD2(wp, a0, b0) RV_DSP_COPY(1) RV_DSP_COPY(2) RV_DSP_COPY(3)
                RV_DSP_STEPS("16", RV_DSP_STEP4_WIDE) RV_DSP_QUANTIZE(RV_DSP_ALL4, RV_DSP_SIGNED) RV_DSP_STORE4)

/* Three neighbouring taps of four neighbouring pixels, from six words of a strip. */
#define RV_DSP_TAP(distance)                                                                                           \
    RV_DSP_LOAD(w0)                                                                                                    \
    RV_DSP_LOAD2(cp, x0, x1)                                                                                           \
    RV_DSP_SPLIT(w0)                                                                                                   \
    RV_DSP_MAC(w0, 0, x0)                                                                                              \
    RV_DSP_MAC(w0, 1, x1)                                                                                              \
    "ldrd %[x0], %[x1], [%[cp]], #" distance "\n\t" RV_DSP_MAC(w0, 2, x0) RV_DSP_MAC(w0, 3, x1)
#define RV_DSP_TAPS RV_DSP_TAP("-4") RV_DSP_TAP("-4") RV_DSP_TAP("8")

/* 39 for 48. */
RV_DSP_TILE(rv_dsp_tile_strip_assembly, 2, (-(product->words / 3) & 3) * 156,
            RV_DSP_LOAD2(wp, a0, b0) RV_DSP_COPY(1) RV_DSP_COPY(2) RV_DSP_COPY(3) RV_DSP_STEPS("4", RV_DSP_TAPS)
                RV_DSP_QUANTIZE(RV_DSP_ALL4, RV_DSP_FULL) RV_DSP_STORE4)

#endif

/* In plain C: all channels of some pixels, from a column or from a strip. */
RV_SHARED void rv_dsp_tile_plain(const rv_dsp_product *product, const uint32_t *column, int32_t pixels, int32_t strip,
                                 int8_t *out)
{
    const int32_t twice = product->doubled || product->wide;
    const int32_t *stream = product->stream;

    for (int32_t first = 0; first < product->channels; first += 2) {
        const int32_t channel = first + 2 <= product->channels ? first : product->channels - 2;
        const int32_t *tail = stream + 2 + product->words * (1 + product->wide);

        for (int32_t which = 0; which < 2; ++which) {
            const int32_t e = (tail[2] >> (8 * which)) & 255;
            const int32_t rounding = (int32_t)((uint32_t)product->zero_factor << (e - 1));

            for (int32_t p = 0; p < pixels; ++p) {
                uint32_t sum = (uint32_t)stream[which];
                for (int32_t k = 0; k < product->words; ++k) {
                    const uint32_t weights = (uint32_t)stream[2 + (product->wide ? 2 * k + which : k)];
                    const uint32_t pair =
                        product->wide ? weights : which ? rv_sxtb16_odd(weights) : rv_sxtb16(weights);
                    const uint32_t values = column[(strip ? k / 3 * 6 + k % 3 : k * pixels) + p];
                    sum = (uint32_t)rv_smlad(pair, values, (int32_t)sum);
                }
                sum *= twice ? 1 : 2;
                out[p * product->channels + channel + which] =
                    (int8_t)(product->relu ? rv_dsp_requantize_relu((int32_t)sum, tail[which], rounding, e)
                                           : rv_dsp_requantize((int32_t)sum, tail[which], rounding, e));
            }
        }
        stream = tail + 3;
    }
}

/* All channels of one to four pixels, whose values are in `column`. */
RV_INLINE void rv_dsp_tile(const rv_dsp_product *product, const uint32_t *column, int32_t pixels, int8_t *out)
{
#if RV_DSP
    switch (pixels) {
    case 4:
        if (product->wide) {
            rv_dsp_tile4_wide(product, column, out);
        } else {
            rv_dsp_tile4(product, column, out);
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
 * All channels of four neighbouring pixels under windows three wide. strip: for each kernel row and pair of input values
 * the pairs of six columns; the weights have three words for each, one a tap.
 */
RV_INLINE void rv_dsp_tile_strip(const rv_dsp_product *product, const uint32_t *strip, int8_t *out)
{
#if RV_DSP
    rv_dsp_tile_strip_assembly(product, strip, out);
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
    int32_t doubled;
    int32_t wide;
    int32_t relu;
} rv_dsp_convolution;

/* Copies of the windows of some pixels, of kernel row `part` or, joined, of all of them. */
RV_SHARED void rv_dsp_copy_windows(const rv_dsp_convolution *G, const rv_row *row, int32_t part, int32_t first,
                                   int32_t pixels, int8_t *copies, const int8_t **windows)
{
    const int32_t rows = G->joined ? G->kernel_height : 1;
    const int32_t row_bytes = G->in_width * G->in_channels;
    const int32_t bytes = G->kernel_width * G->in_channels;

    for (int32_t p = 0; p < pixels; ++p, first += G->stride * G->in_channels) {
        int8_t *to = copies;
        for (int32_t ky = part; ky < part + rows; ++ky, to += bytes) {
            rv_dsp_copy_window(to, row->in[ky], first, row_bytes, bytes, G->in_zero_point);
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
    const rv_dsp_product product = {stream, parts * quads * 2, G->out_channels, 2 * G->out_zero_point + 1,
                                    G->doubled, G->wide, G->relu};
    const int32_t row_bytes = G->in_width * G->in_channels;
    const int32_t step = G->stride * G->in_channels;
    const int32_t clamps = G->out_max - G->out_min < 255;
    int8_t *const copies = (int8_t *)(columns + G->pixels * product.words);
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
            rv_dsp_widen(column, pixels, windows, quads, G->doubled);
        }
        rv_dsp_tile(&product, columns, pixels, out);
        if (clamps) {
            rv_dsp_clamp(out, pixels * G->out_channels, G->out_min, G->out_max);
        }
        first += pixels * step;
        out += pixels * G->out_channels;
    }
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
    const rv_dsp_product product = {stream, G->kernel_height * pairs * 3, G->out_channels, 2 * G->out_zero_point + 1,
                                    G->doubled, G->wide, G->relu};
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
            rv_dsp_widen6(strip + ky * pairs * 6, columns, G->quads, G->doubled);
        }
        rv_dsp_tile_strip(&product, strip, out);
        if (G->out_max - G->out_min < 255) {
            rv_dsp_clamp(out, 4 * G->out_channels, G->out_min, G->out_max);
        }
    }
}

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
#if RV_DSP
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

#endif /* RIVULET_DSP_H */
