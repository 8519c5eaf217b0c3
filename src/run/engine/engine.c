/*
 * The host engine's loop: runs prepared firings of kernels, so that a whole program is one call from TypeScript. Part of
 * the WebAssembly module and of the native library, never of firmware.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rivulet.h"

/* `count` firings of a kernel; src/run/engine/engine.ts writes these. */
typedef struct {
    void (*kernel)(void);
    const void *geometry; /* NULL where the kernel has none; so for data */
    const void *data;
    const rv_row *rows;
    int32_t count;
    int32_t stride; /* from one row to the next: 1 or -1 */
} rv_step;

typedef void (*rv_bare_kernel)(const rv_row *row);
typedef void (*rv_kernel)(const void *parameters, const rv_row *row);
typedef void (*rv_full_kernel)(const void *geometry, const void *data, const rv_row *row);

void rv_run_steps(const rv_step *steps, int32_t count);

void rv_run_steps(const rv_step *steps, int32_t count)
{
    for (const rv_step *step = steps; step < steps + count; ++step) {
        for (int32_t i = 0; i < step->count; ++i) {
            const rv_row *row = step->rows + i * step->stride;

            if (step->geometry != NULL && step->data != NULL) {
                ((rv_full_kernel)step->kernel)(step->geometry, step->data, row);
            } else if (step->geometry != NULL) {
                ((rv_kernel)step->kernel)(step->geometry, row);
            } else if (step->data != NULL) {
                ((rv_kernel)step->kernel)(step->data, row);
            } else {
                ((rv_bare_kernel)step->kernel)(row);
            }
        }
    }
}
