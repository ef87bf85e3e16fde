/* SPDX-License-Identifier: Apache-2.0 */
/* memo_table.c: what a cache keeps (see memo_table.h). */
#include "engine/cache/memo_table.h"

#include <string.h>

#include "engine/cache/policy.h"

static const ft_memo_list empty_list = {FT_MEMO_NONE, FT_MEMO_NONE, 0};

static void clear_lists(ft_memo_table *table)
{
    for (int i = 0; i < FT_MEMO_LISTS; i++)
        table->lists[i] = empty_list;
}

/* What the table holds when it holds nothing. */
static void reset(ft_memo_table *table)
{
    table->entries = NULL;
    table->stamps = NULL;
    ft_memo_index_init(&table->index);
    table->count = table->used = table->room = 0;
    table->free = FT_MEMO_NONE;
    clear_lists(table);
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
        .version = 1,
    };
    reset(table);
}

void ft_memo_table_fini(ft_memo_table *table)
{
    ft_mem_free(table->mem, table->entries);
    ft_mem_free(table->mem, table->stamps);
    ft_memo_index_fini(&table->index, table->mem);
    if (table->policy != NULL && table->policy->fini != NULL)
        table->policy->fini(table);
    ft_memo_table_init(table, table->mem, NULL, FT_MEMO_UNBOUNDED, false);
}

void ft_memo_table_take(ft_memo_table *table, ft_memo_table *taken)
{
    *taken = *table;
    taken->policy = NULL;
    taken->state = NULL;
    taken->hit = FT_HIT_NOTHING;
    clear_lists(taken);
    reset(table);
    table->version++;
    if (table->policy != NULL && table->policy->clear != NULL)
        table->policy->clear(table);
}

/* The room after the next growth: by a third, so that a table that grows wastes little. A full
 * table has an entry to spare: what is new goes in before what is old goes out. */
static uint32_t next_room(const ft_memo_table *table)
{
    uint32_t room = table->room + table->room / 3 + FT_MEMO_FIRST;
    return room < table->most ? room : table->most + 1;
}

/* Memory for that many entries, and their stamps; false: memory is out, and no entry moved. */
static bool resize_entries(ft_memo_table *table, uint32_t room)
{
    if (table->stamped) {
        uint64_t *stamps = ft_mem_resize(table->mem, table->stamps, room, sizeof *stamps);
        if (stamps == NULL)
            return false;
        table->stamps = stamps;
    }
    ft_memo_entry *entries = ft_mem_resize(table->mem, table->entries, room, sizeof *entries);
    if (entries != NULL)
        table->entries = entries;
    return entries != NULL;
}

/* Room for more entries. FT_ERR_MEMORY: as before, or with more stamps than the room says. */
static ft_status grow(ft_memo_table *table)
{
    uint32_t room = next_room(table);
    ft_memo_index index;
    ft_status status = ft_memo_index_new(&index, table->mem, room / FT_MEMO_PER_CHUNK + 1);
    if (status != FT_OK)
        return status;
    if (!resize_entries(table, room)) {
        ft_memo_index_fini(&index, table->mem);
        return FT_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < table->used; i++)
        if (table->entries[i].key != NULL)
            table->entries[i].slot = ft_memo_index_add(&index, table->entries[i].hash, i);
    ft_memo_index_fini(&table->index, table->mem);
    table->index = index;
    table->room = room;
    table->version++;
    return FT_OK;
}

/* ---- entries ---- */

/* Empties an entry that is in no list. */
static inline ft_memo_pair empty_entry(ft_memo_table *table, uint32_t number)
{
    ft_memo_entry *entry = &table->entries[number];
    ft_memo_pair pair = {entry->key, entry->value};
    ft_memo_index_remove(&table->index, entry->hash, number, entry->slot);
    entry->key = entry->value = NULL;
    entry->after = table->free;
    table->free = number;
    table->count--;
    return pair;
}

/* Fills a free entry, which is there, and enters it in the index. */
static inline uint32_t fill_entry(ft_memo_table *table, uint32_t hash, void *key, void *value)
{
    uint32_t number = table->free;
    if (number == FT_MEMO_NONE)
        number = table->used++;
    else
        table->free = table->entries[number].after;
    ft_memo_entry *entry = &table->entries[number];
    entry->key = key;
    entry->value = value;
    entry->hash = hash;
    entry->marked = false;
    entry->slot = ft_memo_index_add(&table->index, hash, number);
    if (table->stamped)
        table->stamps[number] = FT_MEMO_NEVER;
    table->count++;
    table->version++;
    return number;
}

/* Puts a new entry into a list; the number of the one that goes for it, or FT_MEMO_NONE. */
static inline uint32_t admit(ft_memo_table *table, uint32_t number, bool full)
{
    if (table->policy == NULL)
        return FT_MEMO_NONE;
    if (table->policy->admit != NULL)
        return table->policy->admit(table, number, full);
    uint32_t oldest = full ? table->lists[0].first : FT_MEMO_NONE;
    if (full)
        ft_memo_list_remove(table, oldest);
    ft_memo_list_append(table, 0, number);
    return oldest;
}

ft_status ft_memo_table_put(ft_memo_table *table, uint32_t hash, void *key, void *value,
                            ft_memo_pair *evicted, uint32_t *number)
{
    assert(key != NULL);
    bool full = table->count == table->most;
    if (full && table->policy == NULL)
        return FT_ERR_LIMIT;
    if (table->count == table->room) {
        ft_status status = grow(table);
        if (status != FT_OK)
            return status;
    }
    uint32_t at = fill_entry(table, hash, key, value);
    uint32_t victim = admit(table, at, full);
    if (full) {
        *evicted = empty_entry(table, victim);
        table->evictions++;
    } else {
        evicted->key = evicted->value = NULL;
    }
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

uint64_t ft_memo_table_bytes(const ft_memo_table *table)
{
    uint64_t bytes = (uint64_t)table->room * sizeof *table->entries;
    bytes += ft_memo_index_bytes(&table->index);
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
    ft_index_probe probe = ft_memo_probe_begin(table, hash);
    while ((found = ft_memo_probe_next(table, &probe, hash)) != FT_MEMO_NONE)
        if (found == number)
            return true;
    return false;
}

void ft_memo_table_check(const ft_memo_table *table)
{
    uint32_t count = 0, taken = 0, free = 0;
    assert(table->count <= table->used && table->used <= table->room);
    assert(table->room <= table->most + 1 && table->most <= FT_MEMO_MOST);
    assert(table->count <= table->most);
    assert(table->room == 0 || table->index.count * FT_INDEX_SLOTS > table->room);
    for (uint32_t i = 0; i < table->used; i++) {
        count += table->entries[i].key != NULL;
        assert(table->entries[i].key == NULL || is_found(table, i));
    }
    for (uint32_t i = 0; i < table->index.count; i++)
        for (int slot = 0; slot < FT_INDEX_SLOTS; slot++)
            taken += table->index.chunks[i].tags[slot] != 0;
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
