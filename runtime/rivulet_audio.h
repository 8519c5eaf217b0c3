/*
 * Rivulet runtime, sound to features: frames of samples, their spectra, mel bands, logarithms, cepstral coefficients. Integers
 * only, the same as src/audio/ in TypeScript, step by step; docs/audio.md says what each number means.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_AUDIO_H
#define RIVULET_AUDIO_H

#include "rivulet.h"

/* A front-end: its sizes and its tables, all constant. */
typedef struct {
    int32_t window;        /* samples of a frame */
    int32_t hop;           /* samples from one frame to the next */
    int32_t points;        /* of the real transform, a power of two */
    int32_t emphasis;      /* Q22 */
    int32_t sample_shift;  /* from products of samples (Q8) and window values (Q22) to inputs of the transform */
    int32_t bands;
    int32_t coefficients;  /* 0: the features are the logarithms */
    int32_t unit;          /* log2 of the units of an unscaled band */
    int64_t floor;         /* in those units */
    const int32_t *hann;         /* [window / 2 + 1], Q22 */
    const int32_t *sine;         /* [points], Q22 */
    const uint16_t *edges;       /* [bands + 2], lines of the spectrum */
    const uint16_t *rises;       /* from line edges[0] on, Q15 */
    const uint16_t *logarithms;  /* [65], Q15 */
    const uint16_t *roots;       /* [97], Q14; NULL: bands sum up squares, not magnitudes */
    const int16_t *cosines;      /* [coefficients][bands], Q14 */
    int32_t multiplier;    /* from a feature (Q12) to steps of the network's input */
    int32_t shift;
    int32_t zero_point;
} rv_front_end;

/* Parts of complex numbers lie in turn: real, imaginary. Products with sines are rounded once, from 64 bits. */
RV_INLINE int32_t rv_turn_real(int32_t re, int32_t im, int32_t cosine, int32_t sine)
{
    return (int32_t)(((int64_t)re * cosine + (int64_t)im * sine + (1 << 21)) >> 22);
}

RV_INLINE int32_t rv_turn_imaginary(int32_t re, int32_t im, int32_t cosine, int32_t sine)
{
    return (int32_t)(((int64_t)im * cosine - (int64_t)re * sine + (1 << 21)) >> 22);
}

/* Combines four transforms, whose elements are `quarter` parts apart; b, c and d have been turned already. */
RV_INLINE void rv_butterfly(int32_t *a, int32_t quarter, int32_t br, int32_t bi, int32_t cr, int32_t ci, int32_t dr, int32_t di)
{
    int32_t *const b = a + quarter;
    int32_t *const c = b + quarter;
    int32_t *const d = c + quarter;
    const int32_t sum_r = a[0] + br;
    const int32_t sum_i = a[1] + bi;
    const int32_t difference_r = a[0] - br;
    const int32_t difference_i = a[1] - bi;

    a[0] = sum_r + (cr + dr);
    a[1] = sum_i + (ci + di);
    c[0] = sum_r - (cr + dr);
    c[1] = sum_i - (ci + di);
    b[0] = difference_r + (ci - di);
    b[1] = difference_i - (cr - dr);
    d[0] = difference_r - (ci - di);
    d[1] = difference_i + (cr - dr);
}

/* Two stages of the transform at once, on `count` parts. */
RV_SHARED void rv_fft_pass(int32_t *data, int32_t count, int32_t quarter, const int32_t *sine)
{
    /* The table is for twice as many points: it is as long as there are parts. */
    const int32_t step = count / (2 * quarter);
    const int32_t *const cosine = sine + count / 4;

    for (int32_t i = 0; i < count; i += 4 * quarter) {
        int32_t *const a = data + i;
        int32_t *const b = a + quarter;
        int32_t *const c = b + quarter;
        int32_t *const d = c + quarter;
        rv_butterfly(a, quarter, b[0], b[1], c[0], c[1], d[0], d[1]);
    }
    for (int32_t k = 2, at = step; k < quarter; k += 2, at += step) {
        const int32_t s1 = sine[at];
        const int32_t c1 = cosine[at];
        const int32_t s2 = sine[2 * at];
        const int32_t c2 = cosine[2 * at];
        const int32_t s3 = sine[3 * at];
        const int32_t c3 = cosine[3 * at];
        for (int32_t i = k; i < count; i += 4 * quarter) {
            int32_t *const a = data + i;
            const int32_t *const b = a + quarter;
            const int32_t *const c = b + quarter;
            const int32_t *const d = c + quarter;
            rv_butterfly(a, quarter, rv_turn_real(b[0], b[1], c2, s2), rv_turn_imaginary(b[0], b[1], c2, s2),
                         rv_turn_real(c[0], c[1], c1, s1), rv_turn_imaginary(c[0], c[1], c1, s1),
                         rv_turn_real(d[0], d[1], c3, s3), rv_turn_imaginary(d[0], d[1], c3, s3));
        }
    }
}

/*
 * The spectrum of real samples, in place. In: `count` parts, the complex input bit-reversed. Out: twice the lines 1 to
 * count / 2 - 1; the first two parts mean nothing.
 */
RV_SHARED void rv_fft_real(int32_t *data, int32_t count, const int32_t *sine)
{
    const int32_t *const cosine = sine + count / 4;
    int32_t quarter = 2;
    int32_t rest = count / 2;

    while (rest > 2) {
        rest >>= 2;
    }
    if (rest == 2) {
        for (int32_t i = 0; i < count; i += 4) {
            const int32_t re = data[i + 2];
            const int32_t im = data[i + 3];
            data[i + 2] = data[i] - re;
            data[i + 3] = data[i + 1] - im;
            data[i] += re;
            data[i + 1] += im;
        }
        quarter = 4;
    }
    for (; quarter < count; quarter *= 4) {
        rv_fft_pass(data, count, quarter, sine);
    }
    for (int32_t k = 1; k <= count / 4; ++k) {
        int32_t *const low = data + 2 * k;
        int32_t *const high = data + count - 2 * k;
        const int32_t even_r = low[0] + high[0];
        const int32_t even_i = low[1] - high[1];
        const int32_t odd_r = low[1] + high[1];
        const int32_t odd_i = high[0] - low[0];
        const int32_t turned_r = rv_turn_real(odd_r, odd_i, cosine[k], sine[k]);
        const int32_t turned_i = rv_turn_imaginary(odd_r, odd_i, cosine[k], sine[k]);
        low[0] = even_r + turned_r;
        low[1] = even_i + turned_i;
        high[0] = even_r - turned_r;
        high[1] = turned_i - even_i;
    }
}

/* The position of the highest bit of x > 0. */
RV_INLINE int32_t rv_highest_bit(uint64_t x)
{
#if defined(__GNUC__)
    return 63 - __builtin_clzll(x);
#else
    int32_t bit = 0;
    for (; x > 1; x >>= 1) {
        ++bit;
    }
    return bit;
#endif
}

/* x with its highest bit, at `from`, brought to `to`. */
RV_INLINE uint32_t rv_mantissa(uint64_t x, int32_t from, int32_t to)
{
    return (uint32_t)(from > to ? x >> (from - to) : x << (to - from));
}

/* A table's value at a position in steps of 2^25. */
RV_INLINE int32_t rv_interpolate(const uint16_t *table, uint32_t position)
{
    const uint16_t *const entry = table + (position >> 25);
    return entry[0] + (int32_t)(((uint32_t)(entry[1] - entry[0]) * ((position >> 9) & 0xffffu)) >> 16);
}

/* log2(x) in Q15, x > 0. */
RV_INLINE int32_t rv_log2(uint64_t x, const uint16_t *table)
{
    const int32_t bit = rv_highest_bit(x);
    return bit * 32768 + rv_interpolate(table, rv_mantissa(x, bit, 31) - 0x80000000u);
}

/* sqrt(x) in Q8. */
RV_INLINE uint64_t rv_root(uint64_t x, const uint16_t *table)
{
    int32_t even, root;
    if (x == 0) {
        return 0;
    }
    even = rv_highest_bit(x) & ~1;
    root = rv_interpolate(table, rv_mantissa(x, even, 30) - 0x40000000u);
    return even >= 12 ? (uint64_t)root << (even / 2 - 6) : (uint64_t)(root >> (6 - even / 2));
}

/* Emphasised and windowed samples at the places that the transform wants. */
RV_SHARED void rv_load_frame(const rv_front_end *F, const int16_t *samples, int32_t *spectrum)
{
    const int64_t half = (int64_t)1 << (F->sample_shift - 1);
    uint32_t place = 0;

    memset(spectrum, 0, (size_t)F->points * sizeof *spectrum);
    /* The window begins with 0: what comes before the frame is not asked for. */
    for (int32_t n = 1; n < F->window; ++n) {
        const int32_t emphasised = samples[n] * 256 - (int32_t)(((int64_t)F->emphasis * samples[n - 1]) >> 14);
        const int32_t weight = F->hann[2 * n > F->window ? F->window - n : n];
        spectrum[place + ((uint32_t)n & 1u)] = (int32_t)(((int64_t)emphasised * weight + half) >> F->sample_shift);
        if (n & 1) {
            /* The next place: one is added to the number whose bits are these in reverse. */
            uint32_t bit = (uint32_t)F->points >> 1;
            for (; place & bit; bit >>= 1) {
                place ^= bit;
            }
            place |= bit;
        }
    }
}

/* The natural logarithms of the bands, in Q12, over the first lines of the spectrum, which have been read by then. */
RV_SHARED void rv_sum_bands(const rv_front_end *F, int32_t *spectrum)
{
    const int32_t first = F->edges[0];
    const uint16_t *rise = F->rises;
    uint64_t falling = 0;
    int32_t bits = 0;
    int32_t shift, scale, line;

    for (int32_t i = 2 * first; i < 2 * F->edges[F->bands + 1]; ++i) {
        bits |= spectrum[i] ^ (spectrum[i] >> 31);
    }
    /* Lines of a loud frame lose bits that the loudest do not need: squares stay below 2^41. */
    shift = bits >> 20 == 0 ? 0 : rv_highest_bit((uint32_t)bits) - 19;
    scale = F->roots == NULL ? 2 * shift : shift;
    line = first;
    for (int32_t segment = 0; segment <= F->bands; ++segment) {
        uint64_t rising = 0;
        for (; line < F->edges[segment + 1]; ++line, ++rise) {
            const int32_t re = spectrum[2 * line] >> shift;
            const int32_t im = spectrum[2 * line + 1] >> shift;
            const uint64_t square = (uint64_t)((int64_t)re * re + (int64_t)im * im);
            const uint64_t value = F->roots == NULL ? square : rv_root(square, F->roots);
            const uint64_t share = (value * *rise) >> 15;
            rising += share;
            falling += value - share;
        }
        if (segment > 0) {
            const uint64_t sum = falling + ((uint64_t)F->floor >> scale);
            const int32_t logarithm = rv_log2(sum > 0 ? sum : 1, F->logarithms) + (scale - F->unit) * 32768;
            spectrum[segment - 1] = (int32_t)(((int64_t)logarithm * 45426 + (1 << 18)) >> 19);
        }
        falling = rising;
    }
}

/* A feature in Q12 as a value of the network's input; halves, and what is within 2^-10 of one, go away from zero. */
RV_INLINE int8_t rv_quantize_feature(const rv_front_end *F, int32_t feature)
{
    const int64_t magnitude = (int64_t)(feature < 0 ? -feature : feature) * F->multiplier;
    const int64_t rounding = ((int64_t)1 << (F->shift - 1)) + ((int64_t)1 << (F->shift - 10)) - 1;
    const int64_t steps = (magnitude + rounding) >> F->shift;
    const int64_t value = (feature < 0 ? -steps : steps) + F->zero_point;
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/*
 * The features of one frame.
 * samples: those of the frame; spectrum: `points` words of working memory
 */
RV_SHARED void rv_frame_features(const rv_front_end *F, const int16_t *samples, int32_t *spectrum, int8_t *features)
{
    const int16_t *cosine = F->cosines;

    rv_load_frame(F, samples, spectrum);
    rv_fft_real(spectrum, F->points, F->sine);
    rv_sum_bands(F, spectrum);
    if (F->coefficients == 0) {
        for (int32_t b = 0; b < F->bands; ++b) {
            features[b] = rv_quantize_feature(F, spectrum[b]);
        }
    }
    for (int32_t c = 0; c < F->coefficients; ++c) {
        int64_t sum = 1 << 13;
        for (int32_t b = 0; b < F->bands; ++b) {
            sum += (int64_t)spectrum[b] * *cosine++;
        }
        features[c] = rv_quantize_feature(F, (int32_t)(sum >> 14));
    }
}

/*
 * Takes samples until a frame is complete: then returns 1, with its features in `features`. Returns 0 when all are taken.
 * *samples and *count move on to those that are left.
 * history: the samples of a frame, `filled` of which are there
 */
RV_SHARED int rv_push_samples(const rv_front_end *F, const int16_t **samples, size_t *count, int16_t *history, int32_t *filled,
                              int32_t *spectrum, int8_t *features)
{
    const size_t missing = (size_t)(F->window - *filled);
    const size_t taken = *count < missing ? *count : missing;

    memcpy(history + *filled, *samples, taken * sizeof *history);
    *samples += taken;
    *count -= taken;
    *filled += (int32_t)taken;
    if (taken < missing) {
        return 0;
    }
    rv_frame_features(F, history, spectrum, features);
    *filled = F->window - F->hop;
    memmove(history, history + F->hop, (size_t)*filled * sizeof *history);
    return 1;
}

#endif /* RIVULET_AUDIO_H */
