/* SPDX-License-Identifier: Apache-2.0 */
/* code.c: interned codes (see code.h).
 *
 * An array in the order of ids and beside it an open-addressing index of ids, at most 3/4 full.
 * An intern makes room first and commits last: a failure changes nothing. */
#include "engine/model/code.h"

#include <assert.h>
#include <stdbool.h>

#include "engine/base/array.h"

enum { FIRST_SLOTS = 64 };

#define MIX UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio: an odd number without pattern */

static uint32_t hash(const ft_code *code)
{
    uint64_t mixed = ((uint64_t)code->file << 32 | code->name) * MIX;
    mixed = (mixed ^ mixed >> 29 ^ ((uint64_t)code->qualname << 32 | code->line)) * MIX;
    mixed = (mixed ^ mixed >> 29 ^ code->kind) * MIX;
    return (uint32_t)(mixed >> 32);
}

static bool equal(const ft_code *a, const ft_code *b)
{
    return a->file == b->file && a->name == b->name && a->qualname == b->qualname &&
           a->line == b->line && a->kind == b->kind;
}

/* The hashes are not secret: a hostile file can make any number of codes fall on one slot. Honest
 * tables stay below a few hundred probes; past this one the file is refused instead of taking
 * hours. */
enum { MAX_PROBES = 4096 };

/* The slot that holds the code, or the free one where it belongs; NULL past MAX_PROBES. */
static uint32_t *find(const ft_codetab *table, const ft_code *code)
{
    uint32_t at = hash(code) & table->slot_mask;
    for (uint32_t probes = 0; probes < MAX_PROBES; probes++) {
        uint32_t slot = table->slots[at];
        if (slot == 0 || equal(&table->codes[slot - 1], code))
            return &table->slots[at];
        at = (at + 1) & table->slot_mask;
    }
    return NULL;
}

static ft_status grow_slots(ft_codetab *table)
{
    uint64_t slots = table->slots == NULL ? FIRST_SLOTS : ((uint64_t)table->slot_mask + 1) * 2;
    ft_codetab larger = *table;
    if (slots > UINT32_MAX)
        return FT_ERR_LIMIT;
    larger.slots = ft_mem_new(table->mem, (size_t)slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return FT_ERR_MEMORY;
    larger.slot_mask = (uint32_t)(slots - 1);
    for (uint32_t id = 0; id < table->count; id++) {
        uint32_t *slot = find(&larger, &table->codes[id]);
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

static ft_status make_room(ft_codetab *table)
{
    if (table->slots == NULL || table->count >= table->slot_mask - table->slot_mask / 4) {
        ft_status status = grow_slots(table);
        if (status != FT_OK)
            return status;
    }
    ft_code *codes =
        ft_array_grow(table->mem, table->codes, table->count + 1, &table->capacity, sizeof *codes);
    if (codes == NULL)
        return FT_ERR_MEMORY;
    table->codes = codes;
    return FT_OK;
}

ft_status ft_codetab_intern(ft_codetab *table, const ft_code *code, uint32_t *id)
{
    ft_code copy = *code; /* code may point into the array that is about to move */
    if (table->slots != NULL) {
        const uint32_t *slot = find(table, &copy);
        if (slot == NULL)
            return FT_ERR_LIMIT;
        if (*slot != 0) {
            *id = *slot - 1;
            return FT_OK;
        }
    }
    ft_status status = make_room(table);
    if (status != FT_OK)
        return status;
    uint32_t *slot = find(table, &copy);
    if (slot == NULL)
        return FT_ERR_LIMIT;
    *slot = table->count + 1;
    table->codes[table->count] = copy;
    *id = table->count++;
    return FT_OK;
}

ft_status ft_codetab_init(ft_codetab *table, const ft_mem *mem)
{
    uint32_t none;
    *table = (ft_codetab){.mem = mem};
    ft_status status = ft_codetab_intern(table, &(ft_code){.kind = FT_CODE_ROOT}, &none);
    if (status != FT_OK)
        ft_codetab_fini(table);
    assert(status != FT_OK || none == FT_CODE_NONE);
    return status;
}

void ft_codetab_fini(ft_codetab *table)
{
    ft_mem_free(table->mem, table->slots);
    ft_mem_free(table->mem, table->codes);
    *table = (ft_codetab){.mem = table->mem};
}
