/*
 * Rivulet runtime: what loss and gradient of a softmax have in common, in integers.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_LOSS_H
#define RIVULET_LOSS_H

#include "rivulet_gradient.h"

RV_SHARED int32_t rv_largest(const int8_t *values, int32_t count)
{
    int32_t largest = INT8_MIN;

    for (int32_t i = 0; i < count; ++i) {
        largest = values[i] > largest ? values[i] : largest;
    }
    return largest;
}

/* Of the steps below the largest value; by 24 fraction bits. */
RV_SHARED uint64_t rv_sum_of_exponentials(const int8_t *values, int32_t count, int32_t largest,
                                          const int32_t *exponentials)
{
    uint64_t sum = 0;

    for (int32_t i = 0; i < count; ++i) {
        sum += (uint32_t)exponentials[largest - values[i]];
    }
    return sum;
}

/* ln(sum / 2^24) with 16 fraction bits, 2^24 <= sum < 2^40: the logarithm to base 2 bit by bit, each from a square. */
RV_SHARED int32_t rv_logarithm(uint64_t sum)
{
    uint32_t mantissa;
    int32_t log = 0;

    for (; sum >= (uint64_t)1 << 31; sum >>= 1) {
        ++log;
    }
    mantissa = (uint32_t)sum;
    for (log += 6; mantissa < (uint32_t)1 << 30; --log) {
        mantissa <<= 1;
    }
    for (int32_t bit = 0; bit < 20; ++bit) {
        const uint32_t square = (uint32_t)((uint64_t)mantissa * mantissa >> 30);
        const uint32_t carry = square >> 31;
        mantissa = square >> carry;
        log = 2 * log + (int32_t)carry;
    }
    /* ln 2 with 30 fraction bits. */
    return (int32_t)(((int64_t)log * 744261118 + ((int64_t)1 << 33)) >> 34);
}

#endif /* RIVULET_LOSS_H */
