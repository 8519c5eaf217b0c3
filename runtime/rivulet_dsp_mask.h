/*
 * Rivulet runtime, Armv7E-M DSP extension: bits from comparisons of four bytes.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_DSP_MASK_H
#define RIVULET_DSP_MASK_H

#include "rivulet_dsp.h"

/* The sums of four bytes, each modulo 2^8. */
static inline uint32_t rv_uadd8(uint32_t a, uint32_t b)
{
#if RV_DSP
    uint32_t result;
    __asm__("uadd8 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    const uint32_t low = (a & 0x7f7f7f7fu) + (b & 0x7f7f7f7fu);
    return low ^ ((a ^ b) & 0x80808080u);
#endif
}

/* The bytes of `marks` where the unsigned byte of a is below that of b, 0 elsewhere. */
static inline uint32_t rv_marks_below(uint32_t a, uint32_t b, uint32_t marks)
{
    uint32_t result;
#if RV_DSP
    __asm__("usub8 %0, %1, %2\n\tsel %0, %3, %4" : "=&r"(result) : "r"(a), "r"(b), "r"(0), "r"(marks));
#else
    result = 0;
    for (int32_t shift = 0; shift < 32; shift += 8) {
        if ((a >> shift & 0xffu) < (b >> shift & 0xffu)) {
            result |= marks & (uint32_t)0xff << shift;
        }
    }
#endif
    return result;
}

/* The four unsigned bytes and `sum` together. */
static inline uint32_t rv_add_bytes(uint32_t bytes, uint32_t sum)
{
#if RV_DSP
    uint32_t result;
    __asm__("usada8 %0, %1, %2, %3" : "=r"(result) : "r"(bytes), "r"(0), "r"(sum));
    return result;
#else
    return sum + (bytes & 0xffu) + (bytes >> 8 & 0xffu) + (bytes >> 16 & 0xffu) + (bytes >> 24);
#endif
}

#endif /* RIVULET_DSP_MASK_H */
