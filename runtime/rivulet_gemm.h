/*
 * Rivulet runtime, float32 matrix products on computers: tiles of RV_TILE_ROWS rows by two vectors of columns stay in
 * registers while the inner dimension passes by. All matrices are row-major with a distance between rows.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RIVULET_GEMM_H
#define RIVULET_GEMM_H

#include "rivulet_float.h"

/* As many sums as there are registers for, beside two columns and a broadcast. */
#if RV_FLOATS == 16
#define RV_TILE_ROWS 8
#elif RV_FLOATS == 8
#define RV_TILE_ROWS 6
#else
#define RV_TILE_ROWS 4
#endif

/* Rows that rv_gemm_transposed takes at a time, so that they stay in the first cache while all tiles pass over them. */
#define RV_CHUNK_ROWS 128

/* Where the sums of a product go. */
typedef struct {
    float *to;
    int32_t stride;
    const float *bias; /* by column, NULL for none */
    float lowest;
    float highest;
} rv_gemm_result;

/* Floats of a matrix of `inner` rows and `columns` columns when it is packed. */
#define RV_PACKED_FLOATS(inner, columns) (((columns) + RV_FLOATS - 1) / RV_FLOATS * RV_FLOATS * (inner))

/*
 * Packs a matrix: panels of RV_FLOATS columns, each [inner][RV_FLOATS], zeros beyond the last column. Element (k, n) lies at
 * from[k * inner_stride + n * column_stride].
 */
RV_FLOAT_FUNCTION void rv_pack_columns(float *to, const float *from, int32_t inner, int32_t columns, int32_t inner_stride,
                                       int32_t column_stride)
{
    for (int32_t n = 0; n < columns; n += RV_FLOATS) {
        const int32_t count = columns - n < RV_FLOATS ? columns - n : RV_FLOATS;

        for (int32_t k = 0; k < inner; ++k) {
            const float *row = from + (ptrdiff_t)k * inner_stride + (ptrdiff_t)n * column_stride;

            if (column_stride == 1) {
                rv_store_floats(to, rv_load_some(row, count));
            } else {
                for (int32_t i = 0; i < RV_FLOATS; ++i) {
                    to[i] = i < count ? row[(ptrdiff_t)i * column_stride] : 0.0f;
                }
            }
            to += RV_FLOATS;
        }
    }
}

/* `rows` rows by `vectors` panels; both are constants where this is called. */
RV_FLOAT_FUNCTION void rv_gemm_tile(const int32_t rows, const int32_t vectors, const float *a, int32_t a_stride,
                                    const float *packed, int32_t inner, int32_t count, rv_gemm_result result)
{
    rv_floats sums[RV_TILE_ROWS][2];
    const rv_floats lowest = rv_floats_of(result.lowest);
    const rv_floats highest = rv_floats_of(result.highest);

#pragma GCC unroll 8
    for (int32_t r = 0; r < rows; ++r) {
        sums[r][0] = rv_floats_of(0.0f);
        sums[r][1] = rv_floats_of(0.0f);
    }
    for (int32_t k = 0; k < inner; ++k) {
        const rv_floats b0 = rv_load_floats(packed + k * RV_FLOATS);
        const rv_floats b1 = rv_load_floats(packed + (vectors == 2 ? inner + k : k) * RV_FLOATS);

#pragma GCC unroll 8
        for (int32_t r = 0; r < rows; ++r) {
            const rv_floats x = rv_floats_of(a[(ptrdiff_t)r * a_stride + k]);

            sums[r][0] += x * b0;
            if (vectors == 2) {
                sums[r][1] += x * b1;
            }
        }
    }
#pragma GCC unroll 8
    for (int32_t r = 0; r < rows; ++r) {
        float *to = result.to + (ptrdiff_t)r * result.stride;

#pragma GCC unroll 2
        for (int32_t v = 0; v < vectors; ++v) {
            const int32_t rest = count - v * RV_FLOATS;
            const int32_t lanes = rest < RV_FLOATS ? rest : RV_FLOATS;
            rv_floats sum = sums[r][v];

            if (result.bias != NULL) {
                sum += rv_load_some(result.bias + v * RV_FLOATS, lanes);
            }
            rv_store_some(to + v * RV_FLOATS, rv_clamp_floats(sum, lowest, highest), lanes);
        }
    }
}

/* result[m][n] = clamp(bias[n] + sum over k of a[m * a_stride + k] * b[k][n]) with b packed by rv_pack_columns. */
RV_SHARED void rv_gemm(const float *a, int32_t a_stride, const float *packed, int32_t rows, int32_t inner, int32_t columns,
                       rv_gemm_result result)
{
    for (int32_t m = 0; m < rows;) {
        const int32_t tall = rows - m >= RV_TILE_ROWS;

        for (int32_t n = 0; n < columns; n += 2 * RV_FLOATS) {
            const float *from = a + (ptrdiff_t)m * a_stride;
            const float *panel = packed + (ptrdiff_t)n * inner;
            const int32_t count = columns - n;
            rv_gemm_result part = result;

            part.to += (ptrdiff_t)m * result.stride + n;
            part.bias = result.bias == NULL ? NULL : result.bias + n;
            if (tall && count > RV_FLOATS) {
                rv_gemm_tile(RV_TILE_ROWS, 2, from, a_stride, panel, inner, count, part);
            } else if (tall) {
                rv_gemm_tile(RV_TILE_ROWS, 1, from, a_stride, panel, inner, count, part);
            } else if (count > RV_FLOATS) {
                rv_gemm_tile(1, 2, from, a_stride, panel, inner, count, part);
            } else {
                rv_gemm_tile(1, 1, from, a_stride, panel, inner, count, part);
            }
        }
        m += tall ? RV_TILE_ROWS : 1;
    }
}

/* Adds to `rows` rows by `vectors` vectors of c, the last of which has `lanes` lanes; rows and vectors are constants. */
RV_FLOAT_FUNCTION void rv_gemm_transposed_tile(const int32_t rows, const int32_t vectors, const float *a, int32_t a_stride,
                                               const float *b, int32_t b_stride, int32_t inner, float *c, int32_t c_stride,
                                               const int32_t lanes)
{
    rv_floats sums[RV_TILE_ROWS][2];

#pragma GCC unroll 8
    for (int32_t r = 0; r < rows; ++r) {
        sums[r][0] = rv_floats_of(0.0f);
        sums[r][1] = rv_floats_of(0.0f);
    }
    for (int32_t m = 0; m < inner; ++m) {
        const rv_floats b0 = vectors == 2 ? rv_load_floats(b) : rv_load_some(b, lanes);
        const rv_floats b1 = vectors == 2 ? rv_load_some(b + RV_FLOATS, lanes) : b0;

#pragma GCC unroll 8
        for (int32_t r = 0; r < rows; ++r) {
            const rv_floats x = rv_floats_of(a[r]);

            sums[r][0] += x * b0;
            if (vectors == 2) {
                sums[r][1] += x * b1;
            }
        }
        a += a_stride;
        b += b_stride;
    }
#pragma GCC unroll 8
    for (int32_t r = 0; r < rows; ++r) {
        float *to = c + (ptrdiff_t)r * c_stride;

        if (vectors == 2) {
            rv_store_floats(to, rv_load_floats(to) + sums[r][0]);
            rv_store_some(to + RV_FLOATS, rv_load_some(to + RV_FLOATS, lanes) + sums[r][1], lanes);
        } else {
            rv_store_some(to, rv_load_some(to, lanes) + sums[r][0], lanes);
        }
    }
}

/* Adds to c[i][j] the sum over m < inner of a[m * a_stride + i] * b[m * b_stride + j], i < rows, j < columns. */
RV_SHARED void rv_gemm_transposed(const float *a, int32_t a_stride, const float *b, int32_t b_stride, int32_t inner,
                                  int32_t rows, int32_t columns, float *c, int32_t c_stride)
{
    for (int32_t m = 0; m < inner; m += RV_CHUNK_ROWS) {
        const int32_t chunk = inner - m < RV_CHUNK_ROWS ? inner - m : RV_CHUNK_ROWS;

        for (int32_t i = 0; i < rows;) {
            const int32_t tall = rows - i >= RV_TILE_ROWS;
            const float *from = a + (ptrdiff_t)m * a_stride + i;

            for (int32_t j = 0; j < columns; j += 2 * RV_FLOATS) {
                const float *across = b + (ptrdiff_t)m * b_stride + j;
                float *to = c + (ptrdiff_t)i * c_stride + j;
                const int32_t rest = columns - j;

                if (tall && rest >= 2 * RV_FLOATS) {
                    rv_gemm_transposed_tile(RV_TILE_ROWS, 2, from, a_stride, across, b_stride, chunk, to, c_stride,
                                            RV_FLOATS);
                } else if (tall && rest > RV_FLOATS) {
                    rv_gemm_transposed_tile(RV_TILE_ROWS, 2, from, a_stride, across, b_stride, chunk, to, c_stride,
                                            rest - RV_FLOATS);
                } else if (tall) {
                    rv_gemm_transposed_tile(RV_TILE_ROWS, 1, from, a_stride, across, b_stride, chunk, to, c_stride, rest);
                } else if (rest > RV_FLOATS) {
                    rv_gemm_transposed_tile(1, 2, from, a_stride, across, b_stride, chunk, to, c_stride,
                                            rest >= 2 * RV_FLOATS ? RV_FLOATS : rest - RV_FLOATS);
                } else {
                    rv_gemm_transposed_tile(1, 1, from, a_stride, across, b_stride, chunk, to, c_stride, rest);
                }
            }
            i += tall ? RV_TILE_ROWS : 1;
        }
    }
}

#endif /* RIVULET_GEMM_H */
