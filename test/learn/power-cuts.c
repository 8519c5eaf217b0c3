/*
 * A step of training on a device whose power fails: after every step all memory is lost and restored from flash, and with
 * every third the power fails while it is saved, so that it is taken again from the one before.
 */
#include <string.h>

#include "net.h"

#define PAGE 512u
#define PAGES ((NET_SLOT_BYTES + PAGE - 1u) / PAGE)
#define UNIT 8u

static uint8_t cells[2u * PAGES * PAGE];
/* Programming operations until the power fails. */
static int32_t power = -1;

static int erase(void *context, uint32_t address)
{
    (void)context;
    memset(cells + address, 0xff, PAGE);
    return 0;
}

static int program(void *context, uint32_t address, const void *unit)
{
    (void)context;
    for (uint32_t i = 0; i < UNIT; ++i) {
        if (cells[address + i] != 0xffu) {
            return -1;
        }
    }
    memcpy(cells + address, unit, power == 0 ? UNIT / 2u : UNIT);
    return power >= 0 && power-- == 0 ? -1 : 0;
}

static int read_cells(void *context, uint32_t address, void *data, uint32_t bytes)
{
    (void)context;
    memcpy(data, cells + address, bytes);
    return 0;
}

int step(const int8_t *image, int32_t label, float rate, float *loss, net_arena *memory)
{
    static const rv_flash flash = {NULL, {0, PAGES * PAGE}, PAGE, UNIT, erase, program, read_cells};
    static int32_t count;
    int status;

    if (count == 0) {
        memset(cells, 0x5a, sizeof cells);
        if (net_restore(&flash, memory) != 3) {
            return -100;
        }
    }
    status = net_train_step(image, label, rate, loss, memory);
    ++count;
    if (count % 3 == 0) {
        /* The power goes while this step is saved: it is lost, and taken again from the one before. */
        power = 5 * count;
        if (net_save(&flash, memory) != -3) {
            return -101;
        }
        power = -1;
        memset(memory, 0xa5 + count, sizeof *memory);
        if (net_restore(&flash, memory) < 0) {
            return -102;
        }
        status |= net_train_step(image, label, rate, loss, memory);
    }
    if (net_save(&flash, memory) != 0) {
        return -103;
    }
    {
        /* What lies in memory beyond the states is the outputs that the test reads. */
        static net_arena kept;

        kept = *memory;
        memset(memory, 0x3c, sizeof *memory);
        /* The first time, the other slot has never been written. */
        if (net_restore(&flash, memory) != (count < 2)) {
            return -104;
        }
        memcpy(memory->bytes + NET_OUTPUT_0_OFFSET, kept.bytes + NET_OUTPUT_0_OFFSET, NET_OUTPUT_0_BYTES);
        memcpy(memory->bytes + LOSS_OFFSET, kept.bytes + LOSS_OFFSET, sizeof(float));
    }
    return status;
}
