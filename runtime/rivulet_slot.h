/*
 * Rivulet runtime: states of a firmware in flash, in two slots that take turns. At any moment one of them is whole, so that
 * a loss of power finds the state before a save or the one after it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A slot is a row of lines of 32 bytes; numbers are little-endian:
 *
 *   0   magic, version, fingerprint (2 words), sequence, payload bytes, CRC-32 of the payload lines, CRC-32 of these 28 bytes
 *   1   the commit: eight times the header's CRC with all bits turned, programmed last
 *   2.. the payload, zeros up to the end of its last line
 *
 * Nothing but a line lies on the stack.
 */
#ifndef RIVULET_SLOT_H
#define RIVULET_SLOT_H

#include "rivulet.h"
#include "rivulet_flash.h"

#define RV_SLOT_LINE 32u
#define RV_SLOT_MAGIC 0x4c535652u /* "RVSL" */
#define RV_SLOT_VERSION 1u
#define RV_SLOT_PAYLOAD (2u * RV_SLOT_LINE)

/* Bytes of the application's memory that are kept. */
typedef struct {
    uint32_t offset;
    uint32_t bytes;
} rv_piece;

/* What is kept, and of which model and scheme. */
typedef struct {
    const rv_piece *pieces;
    uint32_t count;
    uint32_t bytes;
    uint32_t fingerprint[2];
} rv_kept;

/* A place in what is kept. */
typedef struct {
    uint32_t piece;
    uint32_t at;
} rv_cursor;

RV_SHARED uint32_t rv_crc32(uint32_t crc, const uint8_t *data, uint32_t bytes)
{
    /* Of the polynomial 0xedb88320, for four bits at a time. */
    static const uint32_t table[16] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u, 0x4db26158u, 0x5005713cu,
        0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu, 0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
    };

    crc = ~crc;
    for (uint32_t i = 0; i < bytes; ++i) {
        crc ^= data[i];
        crc = (crc >> 4) ^ table[crc & 15u];
        crc = (crc >> 4) ^ table[crc & 15u];
    }
    return ~crc;
}

RV_SHARED void rv_put_word(uint8_t *at, uint32_t word)
{
    for (int32_t i = 0; i < 4; ++i) {
        at[i] = (uint8_t)(word >> (8 * i));
    }
}

RV_SHARED uint32_t rv_get_word(const uint8_t *at)
{
    return (uint32_t)at[0] | ((uint32_t)at[1] << 8) | ((uint32_t)at[2] << 16) | ((uint32_t)at[3] << 24);
}

RV_SHARED uint32_t rv_payload_end(const rv_kept *kept)
{
    return RV_SLOT_PAYLOAD + (kept->bytes + RV_SLOT_LINE - 1u) / RV_SLOT_LINE * RV_SLOT_LINE;
}

/* The next 32 bytes of what is kept go from memory to the line, or from the line to memory. */
RV_SHARED void rv_move_line(const rv_kept *kept, rv_cursor *cursor, uint8_t *memory, uint8_t *line, int to_memory)
{
    uint32_t done = 0;

    while (done < RV_SLOT_LINE && cursor->piece < kept->count) {
        const rv_piece *piece = &kept->pieces[cursor->piece];
        const uint32_t left = piece->bytes - cursor->at;
        const uint32_t bytes = left < RV_SLOT_LINE - done ? left : RV_SLOT_LINE - done;
        uint8_t *place = memory + piece->offset + cursor->at;

        if (to_memory) {
            memcpy(place, line + done, bytes);
        } else {
            memcpy(line + done, place, bytes);
        }
        done += bytes;
        cursor->at += bytes;
        if (cursor->at == piece->bytes) {
            cursor->at = 0;
            ++cursor->piece;
        }
    }
    if (!to_memory) {
        memset(line + done, 0, RV_SLOT_LINE - done);
    }
}

RV_SHARED int rv_program_line(const rv_flash *flash, uint32_t address, const uint8_t *line)
{
    for (uint32_t at = 0; at < RV_SLOT_LINE; at += flash->unit_bytes) {
        if (flash->program(flash->context, address + at, line + at) != 0) {
            return -1;
        }
    }
    return 0;
}

/* CRC-32 of the payload in a slot, which goes to memory unless that is NULL; 0 and *crc, or -1 if it cannot be read. */
RV_SHARED int rv_read_payload(const rv_flash *flash, uint32_t slot, const rv_kept *kept, uint8_t *memory, uint32_t *crc)
{
    uint8_t line[RV_SLOT_LINE];
    rv_cursor cursor = {0, 0};
    const uint32_t end = rv_payload_end(kept);

    *crc = 0;
    for (uint32_t at = RV_SLOT_PAYLOAD; at < end; at += RV_SLOT_LINE) {
        if (flash->read(flash->context, slot + at, line, RV_SLOT_LINE) != 0) {
            return -1;
        }
        *crc = rv_crc32(*crc, line, RV_SLOT_LINE);
        if (memory != NULL) {
            rv_move_line(kept, &cursor, memory, line, 1);
        }
    }
    return 0;
}

#define RV_SLOT_WHOLE 0
#define RV_SLOT_BLANK 1
#define RV_SLOT_UNUSABLE 2

/* Whether a slot is whole and of this firmware: then its sequence number and the CRC-32 of its payload. */
RV_SHARED int rv_check_slot(const rv_flash *flash, uint32_t slot, const rv_kept *kept, uint32_t *sequence, uint32_t *crc)
{
    uint8_t line[RV_SLOT_LINE];
    uint32_t header;
    uint32_t found;
    int blank = 1;
    int whole;

    if (flash->read(flash->context, slot, line, RV_SLOT_LINE) != 0) {
        return RV_SLOT_UNUSABLE;
    }
    for (uint32_t i = 0; i < RV_SLOT_LINE; ++i) {
        blank = blank && line[i] == 0xffu;
    }
    header = rv_get_word(line + 28);
    whole = rv_get_word(line) == RV_SLOT_MAGIC && rv_get_word(line + 4) == RV_SLOT_VERSION &&
            rv_get_word(line + 8) == kept->fingerprint[0] && rv_get_word(line + 12) == kept->fingerprint[1] &&
            rv_get_word(line + 20) == kept->bytes && rv_crc32(0, line, 28) == header;
    *sequence = rv_get_word(line + 16);
    *crc = rv_get_word(line + 24);
    if (!whole || flash->read(flash->context, slot + RV_SLOT_LINE, line, RV_SLOT_LINE) != 0) {
        return blank ? RV_SLOT_BLANK : RV_SLOT_UNUSABLE;
    }
    for (uint32_t i = 0; i < RV_SLOT_LINE; i += 4) {
        whole = whole && rv_get_word(line + i) == ~header;
    }
    return whole && rv_read_payload(flash, slot, kept, NULL, &found) == 0 && found == *crc ? RV_SLOT_WHOLE
                                                                                           : RV_SLOT_UNUSABLE;
}

/* Both slots in order: the one that was saved last, the other. Those that are not whole come last. */
typedef struct {
    uint32_t slot[2];
    uint32_t sequence[2];
    uint32_t crc[2];
    int is[2];
} rv_slots;

RV_SHARED void rv_find_slots(const rv_flash *flash, const rv_kept *kept, rv_slots *found)
{
    uint32_t sequence[2] = {0, 0};
    uint32_t crc[2] = {0, 0};
    int is[2];
    int newest;

    for (int i = 0; i < 2; ++i) {
        is[i] = rv_check_slot(flash, flash->slots[i], kept, &sequence[i], &crc[i]);
    }
    /* Sequence numbers wrap around: the difference decides. */
    newest = is[1] == RV_SLOT_WHOLE && (is[0] != RV_SLOT_WHOLE || (int32_t)(sequence[1] - sequence[0]) > 0);
    for (int i = 0; i < 2; ++i) {
        const int from = i == 0 ? newest : !newest;
        found->slot[i] = flash->slots[from];
        found->sequence[i] = sequence[from];
        found->crc[i] = crc[from];
        found->is[i] = is[from];
    }
}

RV_SHARED int rv_flash_is_usable(const rv_flash *flash, const rv_kept *kept)
{
    uint32_t pages;

    if (flash == NULL || flash->erase == NULL || flash->program == NULL || flash->read == NULL ||
        flash->unit_bytes == 0 || RV_SLOT_LINE % flash->unit_bytes != 0 || flash->page_bytes == 0 ||
        flash->page_bytes % RV_SLOT_LINE != 0 || flash->slots[0] % flash->page_bytes != 0 ||
        flash->slots[1] % flash->page_bytes != 0) {
        return 0;
    }
    pages = (rv_payload_end(kept) + flash->page_bytes - 1u) / flash->page_bytes * flash->page_bytes;
    return flash->slots[0] < flash->slots[1] ? flash->slots[1] - flash->slots[0] >= pages
                                             : flash->slots[0] - flash->slots[1] >= pages;
}

/* See NAME_save. */
RV_SHARED int rv_save(const rv_flash *flash, const rv_kept *kept, uint8_t *memory)
{
    rv_slots slots;
    uint8_t line[RV_SLOT_LINE];
    rv_cursor cursor = {0, 0};
    const uint32_t end = rv_payload_end(kept);
    uint32_t crc = 0;
    uint32_t header;
    uint32_t written;
    uint32_t slot;

    if (!rv_flash_is_usable(flash, kept)) {
        return -1;
    }
    rv_find_slots(flash, kept, &slots);
    slot = slots.is[0] == RV_SLOT_WHOLE ? slots.slot[1] : slots.slot[0];
    for (uint32_t at = 0; at < end; at += flash->page_bytes) {
        if (flash->erase(flash->context, slot + at) != 0) {
            return -2;
        }
    }
    for (uint32_t at = RV_SLOT_PAYLOAD; at < end; at += RV_SLOT_LINE) {
        rv_move_line(kept, &cursor, memory, line, 0);
        crc = rv_crc32(crc, line, RV_SLOT_LINE);
        if (rv_program_line(flash, slot + at, line) != 0) {
            return -3;
        }
    }
    rv_put_word(line, RV_SLOT_MAGIC);
    rv_put_word(line + 4, RV_SLOT_VERSION);
    rv_put_word(line + 8, kept->fingerprint[0]);
    rv_put_word(line + 12, kept->fingerprint[1]);
    rv_put_word(line + 16, slots.is[0] == RV_SLOT_WHOLE ? slots.sequence[0] + 1u : 1u);
    rv_put_word(line + 20, kept->bytes);
    rv_put_word(line + 24, crc);
    header = rv_crc32(0, line, 28);
    rv_put_word(line + 28, header);
    if (rv_program_line(flash, slot, line) != 0) {
        return -3;
    }
    if (rv_read_payload(flash, slot, kept, NULL, &written) != 0 || written != crc) {
        return -4;
    }
    for (uint32_t i = 0; i < RV_SLOT_LINE; i += 4) {
        rv_put_word(line + i, ~header);
    }
    if (rv_program_line(flash, slot + RV_SLOT_LINE, line) != 0) {
        return -3;
    }
    return rv_check_slot(flash, slot, kept, &written, &crc) == RV_SLOT_WHOLE ? 0 : -4;
}

/* See NAME_restore; memory is undefined if the result is neither 0 nor 1. */
RV_SHARED int rv_restore(const rv_flash *flash, const rv_kept *kept, uint8_t *memory)
{
    rv_slots slots;

    rv_find_slots(flash, kept, &slots);
    for (int i = 0; i < 2 && slots.is[i] == RV_SLOT_WHOLE; ++i) {
        uint32_t crc;

        if (rv_read_payload(flash, slots.slot[i], kept, memory, &crc) == 0 && crc == slots.crc[i]) {
            return i == 0 && slots.is[1] != RV_SLOT_UNUSABLE ? 0 : 1;
        }
    }
    return slots.is[0] == RV_SLOT_BLANK && slots.is[1] == RV_SLOT_BLANK ? 2 : 3;
}

#endif /* RIVULET_SLOT_H */
