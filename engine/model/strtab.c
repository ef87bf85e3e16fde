/* SPDX-License-Identifier: Apache-2.0 */
/* strtab.c: interned text (see strtab.h).
 *
 * All texts lie in one block, in the order of their ids, so that a table of any size is three
 * allocations. Beside it stands an open-addressing index of ids, at most 3/4 full. Invariant:
 * offsets[0..count] ascend strictly, offsets[count] == used, and each text's NUL is the byte before
 * the next offset. An intern makes room first and commits last: a failure changes nothing. */
#include "engine/model/strtab.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/array.h"

enum { FIRST_SLOTS = 64, FIRST_ROOM = 1024 };

#define MIX UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio: an odd number without pattern */

static uint32_t hash(const char *text, size_t length)
{
    uint64_t mixed = length * MIX, word;
    for (; length >= sizeof word; text += sizeof word, length -= sizeof word) {
        memcpy(&word, text, sizeof word);
        mixed = (mixed ^ word) * MIX;
        mixed ^= mixed >> 29;
    }
    word = 0;
    if (length > 0)
        memcpy(&word, text, length);
    mixed = (mixed ^ word) * MIX;
    return (uint32_t)(mixed >> 32);
}

ft_text ft_strtab_get(const ft_strtab *table, uint32_t id)
{
    assert(id < table->count);
    uint32_t start = table->offsets[id], end = table->offsets[id + 1];
    assert(start < end && end <= table->used);
    return (ft_text){table->bytes + start, end - start - 1};
}

/* The hashes are not secret: a hostile file can make any number of texts fall on one slot. Honest
 * tables stay below a few hundred probes; past this one the file is refused instead of taking
 * hours. */
enum { MAX_PROBES = 4096 };

static bool holds(const ft_strtab *table, uint32_t slot, const char *text, size_t length)
{
    ft_text have = ft_strtab_get(table, slot - 1);
    return have.length == length && (length == 0 || memcmp(have.data, text, length) == 0);
}

/* The slot that holds the text, or the free one where it belongs; NULL past MAX_PROBES. */
static uint32_t *find(const ft_strtab *table, const char *text, size_t length)
{
    uint32_t at = hash(text, length) & table->slot_mask;
    for (uint32_t probes = 0; probes < MAX_PROBES; probes++) {
        uint32_t slot = table->slots[at];
        if (slot == 0 || holds(table, slot, text, length))
            return &table->slots[at];
        at = (at + 1) & table->slot_mask;
    }
    return NULL;
}

static ft_status grow_slots(ft_strtab *table)
{
    uint64_t slots = table->slots == NULL ? FIRST_SLOTS : ((uint64_t)table->slot_mask + 1) * 2;
    ft_strtab larger = *table;
    if (slots > UINT32_MAX)
        return FT_ERR_LIMIT;
    larger.slots = ft_mem_new(table->mem, (size_t)slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return FT_ERR_MEMORY;
    larger.slot_mask = (uint32_t)(slots - 1);
    for (uint32_t id = 0; id < table->count; id++) {
        ft_text text = ft_strtab_get(table, id);
        uint32_t *slot = find(&larger, text.data, text.length);
        if (slot == NULL) {
            ft_mem_free(table->mem, larger.slots);
            return FT_ERR_LIMIT;
        }
        *slot = id + 1;
    }
    ft_mem_free(table->mem, table->slots);
    *table = larger;
    return FT_OK;
}

static ft_status grow_bytes(ft_strtab *table, size_t need)
{
    assert(need <= UINT32_MAX);
    if (need <= table->room)
        return FT_OK;
    size_t room = table->room + table->room / 2 + FIRST_ROOM;
    if (room < need)
        room = need;
    char *bytes = ft_mem_resize(table->mem, table->bytes, room, 1);
    if (bytes == NULL)
        return FT_ERR_MEMORY;
    table->bytes = bytes;
    table->room = room;
    return FT_OK;
}

/* Room for one more text in all three blocks. */
static ft_status make_room(ft_strtab *table, size_t length)
{
    if (length >= UINT32_MAX - table->used)
        return FT_ERR_LIMIT;
    if (table->slots == NULL || table->count >= table->slot_mask - table->slot_mask / 4) {
        ft_status status = grow_slots(table);
        if (status != FT_OK)
            return status;
    }
    uint32_t *offsets = ft_array_grow(table->mem, table->offsets, table->count + 2,
                                      &table->capacity, sizeof *offsets);
    if (offsets == NULL)
        return FT_ERR_MEMORY;
    table->offsets = offsets;
    return grow_bytes(table, table->used + length + 1);
}

ft_status ft_strtab_intern(ft_strtab *table, const char *text, size_t length, uint32_t *id)
{
    assert(text != NULL || length == 0);
    if (table->slots != NULL) {
        const uint32_t *slot = find(table, text, length);
        if (slot == NULL)
            return FT_ERR_LIMIT;
        if (*slot != 0) {
            *id = *slot - 1;
            return FT_OK;
        }
    }
    ft_status status = make_room(table, length);
    if (status != FT_OK)
        return status;
    uint32_t *slot = find(table, text, length); /* before count grows: it is not there yet */
    if (slot == NULL)
        return FT_ERR_LIMIT;
    *slot = table->count + 1;
    if (length > 0)
        memcpy(table->bytes + table->used, text, length);
    table->bytes[table->used + length] = '\0';
    table->offsets[table->count] = (uint32_t)table->used;
    table->used += length + 1;
    table->offsets[table->count + 1] = (uint32_t)table->used;
    *id = table->count++;
    return FT_OK;
}

ft_status ft_strtab_init(ft_strtab *table, const ft_mem *mem)
{
    uint32_t empty;
    *table = (ft_strtab){.mem = mem};
    ft_status status = ft_strtab_intern(table, "", 0, &empty);
    if (status != FT_OK)
        ft_strtab_fini(table);
    assert(status != FT_OK || empty == 0);
    return status;
}

void ft_strtab_fini(ft_strtab *table)
{
    ft_mem_free(table->mem, table->slots);
    ft_mem_free(table->mem, table->offsets);
    ft_mem_free(table->mem, table->bytes);
    *table = (ft_strtab){.mem = table->mem};
}
