/*
 * Rivulet runtime: what a firmware that learns must know of the flash in which it keeps what it has learnt.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The functions are the application's; context is handed to them as it is. Each returns 0, or anything else if it failed.
 * A unit is programmed at most once after its page has been erased, always whole, in ascending order but for the
 * commit, which comes last: flash with error-correcting codes asks for no less. An erased byte is 0xFF.
 */
#ifndef RIVULET_FLASH_H
#define RIVULET_FLASH_H

#include <stdint.h>

typedef struct {
    void *context;
    /* Addresses of the two slots, each at the start of a page. A slot takes whole pages: NAME_SLOT_BYTES, rounded up. */
    uint32_t slots[2];
    /* What is erased at once. A multiple of 32. */
    uint32_t page_bytes;
    /* What is programmed at once: 1, 2, 4, 8, 16 or 32. */
    uint32_t unit_bytes;
    /* Erases the page at an address. */
    int (*erase)(void *context, uint32_t address);
    /* Programs the unit at an address. */
    int (*program)(void *context, uint32_t address, const void *unit);
    /* Reads bytes; fails where the flash reports that they are damaged. */
    int (*read)(void *context, uint32_t address, void *data, uint32_t bytes);
} rv_flash;

#endif /* RIVULET_FLASH_H */
