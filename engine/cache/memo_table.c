/* SPDX-License-Identifier: Apache-2.0 */
/* memo_table.c: what a cache keeps (see memo_table.h). */
#include "engine/cache/memo_table.h"

#include <string.h>

#include "engine/cache/policy.h"

/* The index of a table without entries: one empty slot, in which every search ends. */
static const uint32_t empty_index[1] = {FT_MEMO_NONE};

static const ft_memo_list empty_list = {FT_MEMO_NONE, FT_MEMO_NONE, 0};

static uint32_t home_of(const ft_memo_table *table, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * table->slots >> 32);
}

static uint32_t slot_after(const ft_memo_table *table, uint32_t at)
{
    return at + 1 == table->slots ? 0 : at + 1;
}

/* What the table holds when it holds nothing. */
static void reset(ft_memo_table *table)
{
    table->entries = NULL;
    table->stamps = NULL;
    table->index = (uint32_t *)(uintptr_t)empty_index; /* never written: there is no room */
    table->slots = 1;
    table->number_mask = 0;
    table->count = table->used = table->room = 0;
    table->free = FT_MEMO_NONE;
    for (int i = 0; i < FT_MEMO_LISTS; i++)
        table->lists[i] = empty_list;
}

void ft_memo_table_init(ft_memo_table *table, const ft_mem *mem, const ft_policy *policy,
                        uint32_t most, bool stamped)
{
    assert(most <= FT_MEMO_MOST && (policy == NULL) == (most == FT_MEMO_UNBOUNDED));
    *table = (ft_memo_table){
        .mem = mem,
        .policy = policy,
        .most = most == FT_MEMO_UNBOUNDED ? FT_MEMO_MOST : most,
        .hit = policy == NULL ? FT_HIT_NOTHING : policy->hit,
        .stamped = stamped,
    };
    reset(table);
}

void ft_memo_table_fini(ft_memo_table *table)
{
    ft_mem_free(table->mem, table->entries);
    ft_mem_free(table->mem, table->stamps);
    if (table->room > 0)
        ft_mem_free(table->mem, table->index);
    if (table->policy != NULL && table->policy->fini != NULL)
        table->policy->fini(table);
    ft_memo_table_init(table, table->mem, NULL, FT_MEMO_UNBOUNDED, false);
}

void ft_memo_table_take(ft_memo_table *table, ft_memo_table *taken)
{
    *taken = *table;
    taken->policy = NULL;
    taken->state = NULL;
    reset(table);
    table->version++;
    if (table->policy != NULL && table->policy->clear != NULL)
        table->policy->clear(table);
}

/* ---- the index ---- */

/* Enters an entry whose hash is set. */
static void index_add(ft_memo_table *table, uint32_t number)
{
    ft_memo_probe probe = ft_memo_probe_begin(table, table->entries[number].hash);
    while (table->index[probe.at] != FT_MEMO_NONE)
        probe.at = slot_after(table, probe.at);
    table->index[probe.at] = probe.tag | number;
}

/* Empties an entry's slot and closes the gap: whoever was pushed over it moves back. */
static void index_remove(ft_memo_table *table, uint32_t number)
{
    uint32_t gap = home_of(table, table->entries[number].hash);
    while (table->index[gap] == FT_MEMO_NONE || (table->index[gap] & table->number_mask) != number)
        gap = slot_after(table, gap);
    for (uint32_t at = slot_after(table, gap);; at = slot_after(table, at)) {
        uint32_t slot = table->index[at];
        if (slot == FT_MEMO_NONE)
            break;
        uint32_t home = home_of(table, table->entries[slot & table->number_mask].hash);
        /* Its home lies behind the gap, cyclically up to where it is: it stays. */
        bool stays = gap <= at ? gap < home && home <= at : gap < home || home <= at;
        if (!stays) {
            table->index[gap] = slot;
            gap = at;
        }
    }
    table->index[gap] = FT_MEMO_NONE;
}

/* The room after the next growth: by a third, so that a table that grows wastes little. */
static uint32_t next_room(const ft_memo_table *table)
{
    uint32_t more = table->room / 3 + FT_MEMO_FIRST;
    return more < table->most - table->room ? table->room + more : table->most;
}

/* Room for more entries. FT_ERR_MEMORY: as before, or with blocks larger than the room says. */
static ft_status grow(ft_memo_table *table)
{
    uint32_t room = next_room(table);
    uint32_t slots = room * FT_MEMO_SLOTS_PER_ENTRY, mask = 1;
    while (mask < room)
        mask = mask * 2 + 1;
    ft_memo_entry *entries = ft_mem_resize(table->mem, table->entries, room, sizeof *entries);
    if (entries == NULL)
        return FT_ERR_MEMORY;
    table->entries = entries;
    if (table->stamped) {
        uint64_t *stamps = ft_mem_resize(table->mem, table->stamps, room, sizeof *stamps);
        if (stamps == NULL)
            return FT_ERR_MEMORY;
        table->stamps = stamps;
    }
    uint32_t *index = ft_mem_resize(table->mem, NULL, slots, sizeof *index);
    if (index == NULL)
        return FT_ERR_MEMORY;
    memset(index, 0xff, slots * sizeof *index); /* FT_MEMO_NONE */
    if (table->room > 0)
        ft_mem_free(table->mem, table->index);
    table->index = index;
    table->slots = slots;
    table->number_mask = mask;
    table->room = room;
    for (uint32_t i = 0; i < table->used; i++)
        if (table->entries[i].key != NULL)
            index_add(table, i);
    return FT_OK;
}

/* ---- entries ---- */

/* A free entry, of a table that has one. */
static uint32_t take_free(ft_memo_table *table)
{
    uint32_t number = table->free;
    if (number == FT_MEMO_NONE)
        return table->used++;
    table->free = table->entries[number].after;
    return number;
}

/* Empties an entry that is in no list. */
static ft_memo_pair empty_entry(ft_memo_table *table, uint32_t number)
{
    ft_memo_entry *entry = &table->entries[number];
    ft_memo_pair pair = {entry->key, entry->value};
    index_remove(table, number);
    *entry = (ft_memo_entry){.after = table->free};
    table->free = number;
    table->count--;
    return pair;
}

ft_status ft_memo_table_put(ft_memo_table *table, uint32_t hash, void *key, void *value,
                            ft_memo_pair *evicted, uint32_t *number)
{
    assert(key != NULL);
    *evicted = (ft_memo_pair){NULL, NULL};
    if (table->count == table->most) {
        if (table->policy == NULL)
            return FT_ERR_LIMIT;
        *evicted = empty_entry(table, table->policy->evict(table));
        table->evictions++;
    } else if (table->count == table->room) {
        ft_status status = grow(table);
        if (status != FT_OK)
            return status;
    }
    uint32_t at = take_free(table);
    table->entries[at] = (ft_memo_entry){.key = key, .value = value, .hash = hash};
    if (table->stamped)
        table->stamps[at] = FT_MEMO_NEVER;
    index_add(table, at);
    table->count++;
    table->version++;
    if (table->policy != NULL)
        table->policy->add(table, at);
    if (number != NULL)
        *number = at;
    return FT_OK;
}

ft_memo_pair ft_memo_table_remove(ft_memo_table *table, uint32_t number)
{
    assert(number < table->used && table->entries[number].key != NULL);
    if (table->policy != NULL)
        ft_memo_list_remove(table, number);
    table->version++;
    return empty_entry(table, number);
}

void ft_memo_list_append(ft_memo_table *table, uint8_t list, uint32_t number)
{
    ft_memo_entry *entry = &table->entries[number];
    ft_memo_list *into = &table->lists[list];
    entry->list = list;
    entry->before = into->last;
    entry->after = FT_MEMO_NONE;
    if (into->last == FT_MEMO_NONE)
        into->first = number;
    else
        table->entries[into->last].after = number;
    into->last = number;
    into->count++;
}

uint64_t ft_memo_table_bytes(const ft_memo_table *table)
{
    uint64_t bytes = (uint64_t)table->room * sizeof *table->entries;
    if (table->room > 0)
        bytes += (uint64_t)table->slots * sizeof *table->index;
    if (table->stamped)
        bytes += (uint64_t)table->room * sizeof *table->stamps;
    if (table->policy != NULL && table->policy->bytes != NULL)
        bytes += table->policy->bytes(table);
    return bytes;
}

/* ---- whether all of it holds ---- */

#ifdef NDEBUG
void ft_memo_table_check(const ft_memo_table *table)
{
    (void)table;
}
#else
static void check_lists(const ft_memo_table *table)
{
    uint32_t listed = 0;
    for (uint8_t i = 0; i < FT_MEMO_LISTS; i++) {
        uint32_t before = FT_MEMO_NONE, length = 0;
        for (uint32_t at = table->lists[i].first; at != FT_MEMO_NONE;) {
            const ft_memo_entry *entry = &table->entries[at];
            assert(at < table->used && entry->key != NULL && entry->list == i);
            assert(entry->before == before && length < table->count);
            length++;
            before = at;
            at = entry->after;
        }
        assert(table->lists[i].last == before && table->lists[i].count == length);
        listed += length;
    }
    assert(listed == (table->policy == NULL ? 0 : table->count));
}

/* Does a search for the entry's hash come to it? */
static bool is_found(const ft_memo_table *table, uint32_t number)
{
    uint32_t hash = table->entries[number].hash, found;
    ft_memo_probe probe = ft_memo_probe_begin(table, hash);
    while ((found = ft_memo_probe_next(table, &probe, hash)) != FT_MEMO_NONE)
        if (found == number)
            return true;
    return false;
}

void ft_memo_table_check(const ft_memo_table *table)
{
    uint32_t count = 0, taken = 0, free = 0;
    assert(table->count <= table->used && table->used <= table->room);
    assert(table->room <= table->most && table->most <= FT_MEMO_MOST);
    assert(table->room == 0 || (table->number_mask >= table->room && table->slots > table->room));
    for (uint32_t i = 0; i < table->used; i++) {
        count += table->entries[i].key != NULL;
        assert(table->entries[i].key == NULL || is_found(table, i));
    }
    for (uint32_t i = 0; i < table->slots; i++)
        taken += table->index[i] != FT_MEMO_NONE;
    for (uint32_t at = table->free; at != FT_MEMO_NONE; at = table->entries[at].after) {
        assert(at < table->used && table->entries[at].key == NULL && free < table->used);
        free++;
    }
    assert(count == table->count && taken == count && count + free == table->used);
    check_lists(table);
    if (table->policy != NULL && table->policy->check != NULL)
        table->policy->check(table);
}
#endif
