/*
 * A flash as strict as the strictest: units are programmed once after an erase, and a cut of the power leaves garbage in what
 * was being written. Commands come from stdin, one a line; answers go to stdout. Exit code 3: a rule of the flash was broken.
 *
 *   new PAGE UNIT          an erased flash, and memory of zeros
 *   owner WORD             the fingerprint of the firmware
 *   save VALUE CUT HOW     saves a state of that value; the power goes at operation CUT (-1: never), HOW below
 *   restore                what rv_restore says, and the value of the state: -1 if it is a mixture
 *   flip BYTE BIT          of the whole flash
 *   load SLOT HEX, dump SLOT
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "rivulet_slot.h"

#define FLASH_BYTES 16384u
enum { NOTHING_DONE, TORN, TORN_UNREADABLE, ALL_DONE };

static uint8_t cells[FLASH_BYTES];
static uint8_t programmed[FLASH_BYTES];
static uint8_t unreadable[FLASH_BYTES];
static uint32_t random_state = 1;
static long operations;
static long cut_at = -1;
static int cut_how;
static jmp_buf power;

/* What is kept lies between bytes that nothing may touch. */
static const rv_piece pieces[] = {{4, 4}, {12, 37}, {64, 91}};
static uint8_t memory[160];
static rv_kept kept = {pieces, 3, 132, {0x12345678u, 0x9abcdef0u}};
static rv_flash flash;

static void broken(const char *rule)
{
    printf("broken: %s\n", rule);
    exit(3);
}

static uint8_t garbage(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint8_t)(random_state >> 24);
}

/* Whether the power goes now; then the bytes are left as it leaves them. */
static int is_cut(uint32_t address, uint32_t bytes)
{
    if (operations++ != cut_at) {
        return 0;
    }
    for (uint32_t i = address; i < address + bytes && cut_how != NOTHING_DONE && cut_how != ALL_DONE; ++i) {
        cells[i] = garbage() < 64 ? cells[i] : garbage();
        programmed[i] = 1;
        unreadable[i] = cut_how == TORN_UNREADABLE;
    }
    return 1;
}

static int erase(void *context, uint32_t address)
{
    const int cut = is_cut(address, flash.page_bytes);

    if (context != &flash || address % flash.page_bytes != 0 || address + flash.page_bytes > FLASH_BYTES) {
        broken("an address that is not a page is erased");
    }
    if (!cut || cut_how == ALL_DONE) {
        memset(cells + address, 0xff, flash.page_bytes);
        memset(programmed + address, 0, flash.page_bytes);
        memset(unreadable + address, 0, flash.page_bytes);
    }
    if (cut) {
        longjmp(power, 1);
    }
    return 0;
}

static int program(void *context, uint32_t address, const void *unit)
{
    const uint8_t *bytes = unit;
    const uint32_t slot = flash.slots[address >= flash.slots[1]];
    int cut;

    if (context != &flash || address % flash.unit_bytes != 0 || address + flash.unit_bytes > FLASH_BYTES) {
        broken("an address that is not a unit is programmed");
    }
    for (uint32_t i = 0; i < flash.unit_bytes; ++i) {
        if (programmed[address + i]) {
            broken("a unit is programmed twice");
        }
    }
    for (uint32_t i = 0; address / 32u == slot / 32u + 1u && i < rv_payload_end(&kept); ++i) {
        if (!programmed[slot + i] && (i < 32u || i >= 64u)) {
            broken("the commit is programmed before the rest of the slot");
        }
    }
    cut = is_cut(address, flash.unit_bytes);
    if (!cut || cut_how == ALL_DONE) {
        for (uint32_t i = 0; i < flash.unit_bytes; ++i) {
            cells[address + i] &= bytes[i];
            programmed[address + i] = 1;
        }
    }
    if (cut) {
        longjmp(power, 1);
    }
    return 0;
}

static int read_cells(void *context, uint32_t address, void *data, uint32_t bytes)
{
    if (context != &flash || address + bytes > FLASH_BYTES) {
        broken("a byte outside of the flash is read");
    }
    for (uint32_t i = 0; i < bytes; ++i) {
        if (unreadable[address + i]) {
            return -1;
        }
    }
    memcpy(data, cells + address, bytes);
    return 0;
}

static uint8_t byte_of(uint32_t value, uint32_t i) { return (uint8_t)((value * 2654435761u + i * 40503u) >> 11); }

static void fill(uint32_t value)
{
    for (uint32_t p = 0; p < kept.count; ++p) {
        for (uint32_t i = 0; i < pieces[p].bytes; ++i) {
            memory[pieces[p].offset + i] = byte_of(value, pieces[p].offset + i);
        }
    }
}

/* The value whose state lies in memory; -1: none, or bytes around it have changed. */
static long value_in_memory(void)
{
    for (uint32_t value = 0; value < 100; ++value) {
        uint8_t expected[sizeof memory];

        memcpy(expected, memory, sizeof memory);
        memset(memory, 0x55, sizeof memory);
        fill(value);
        if (memcmp(expected, memory, sizeof memory) == 0) {
            return (long)value;
        }
        memcpy(memory, expected, sizeof memory);
    }
    return -1;
}

int main(void)
{
    char command[16];
    char hex[1024];
    uint32_t a, b;
    int how;

    while (scanf("%15s", command) == 1) {
        if (strcmp(command, "new") == 0 && scanf("%u %u", &a, &b) == 2) {
            const rv_flash fresh = {&flash, {a, FLASH_BYTES / 2u}, a, b, erase, program, read_cells};

            flash = fresh;
            memset(cells, 0xff, sizeof cells);
            memset(programmed, 0, sizeof programmed);
            memset(unreadable, 0, sizeof unreadable);
        } else if (strcmp(command, "owner") == 0 && scanf("%u", &a) == 1) {
            kept.fingerprint[1] = a;
        } else if (strcmp(command, "save") == 0 && scanf("%u %ld %d", &a, &cut_at, &how) == 3) {
            cut_how = how;
            operations = 0;
            random_state = random_state * 7u + a;
            memset(memory, 0x55, sizeof memory);
            fill(a);
            if (setjmp(power) == 0) {
                const int status = rv_save(&flash, &kept, memory);

                printf("saved %d %ld\n", status, operations);
            } else {
                printf("cut %ld\n", operations);
            }
            cut_at = -1;
        } else if (strcmp(command, "restore") == 0) {
            int found;

            memset(memory, 0x55, sizeof memory);
            found = rv_restore(&flash, &kept, memory);
            printf("restored %d %ld\n", found, value_in_memory());
        } else if (strcmp(command, "flip") == 0 && scanf("%u %u", &a, &b) == 2) {
            cells[a] ^= (uint8_t)(1u << b);
        } else if (strcmp(command, "load") == 0 && scanf("%u %1023s", &a, hex) == 2) {
            for (uint32_t i = 0; hex[2 * i] != 0; ++i) {
                sscanf(hex + 2 * i, "%2x", &b);
                cells[flash.slots[a] + i] = (uint8_t)b;
                programmed[flash.slots[a] + i] = 1;
            }
        } else if (strcmp(command, "dump") == 0 && scanf("%u", &a) == 1) {
            for (uint32_t i = 0; i < rv_payload_end(&kept); ++i) {
                printf("%02x", cells[flash.slots[a] + i]);
            }
            printf("\n");
        } else {
            broken("the command is not known");
        }
    }
    return 0;
}
