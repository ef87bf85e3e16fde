/* SPDX-License-Identifier: Apache-2.0 */
/* block_map.c: live blocks by address (see block_map.h). */
#include "engine/record/block_map.h"

#include <assert.h>

enum { FIRST_CAPACITY = 64 };

static uint32_t home(const ft_block_map *map, uint64_t address)
{
    /* One product alone would put blocks at a regular distance that it maps to next to nothing
     * (46368 is one) into one long run. */
    uint64_t mixed = address * UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((mixed >> 32) * map->capacity >> 32);
}

static uint32_t after(const ft_block_map *map, uint32_t at)
{
    return at + 1 == map->capacity ? 0 : at + 1;
}

/* How many steps forward it is from one place to another. */
static uint32_t steps(const ft_block_map *map, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + (map->capacity - from);
}

void ft_block_map_init(ft_block_map *map, const ft_mem *mem)
{
    *map = (ft_block_map){.mem = mem};
}

void ft_block_map_fini(ft_block_map *map)
{
    ft_mem_free(map->mem, map->entries);
    ft_block_map_init(map, map->mem);
}

/* The entry of the address, or the empty one where it belongs. */
static ft_block_entry *search(const ft_block_map *map, uint64_t address)
{
    uint32_t at = home(map, address);
    while (map->entries[at].tag != 0 && map->entries[at].address != address)
        at = after(map, at);
    return &map->entries[at];
}

ft_block_entry *ft_block_map_find(const ft_block_map *map, uint64_t address)
{
    if (map->count == 0)
        return NULL;
    ft_block_entry *entry = search(map, address);
    return entry->tag == 0 ? NULL : entry;
}

/* false: no memory, nothing changed. */
static bool resize(ft_block_map *map, uint64_t capacity)
{
    ft_block_map made = {.mem = map->mem, .count = map->count};
    assert(capacity > map->count);
    if (capacity > UINT32_MAX)
        return false;
    made.entries = ft_mem_new(map->mem, (size_t)capacity, sizeof *made.entries);
    if (made.entries == NULL)
        return false;
    made.capacity = (uint32_t)capacity;
    for (uint32_t i = 0; i < map->capacity; i++)
        if (map->entries[i].tag != 0)
            *search(&made, map->entries[i].address) = map->entries[i];
    ft_mem_free(map->mem, map->entries);
    *map = made;
    return true;
}

bool ft_block_map_put(ft_block_map *map, ft_block_entry block)
{
    assert(block.tag != 0);
    ft_block_entry *entry = map->capacity == 0 ? NULL : search(map, block.address);
    if (entry == NULL || (entry->tag == 0 && map->count >= map->capacity - map->capacity / 3)) {
        uint64_t capacity = (uint64_t)map->capacity + map->capacity / 2;
        if (!resize(map, capacity == 0 ? FIRST_CAPACITY : capacity))
            return false;
        entry = search(map, block.address);
    }
    map->count += entry->tag == 0;
    *entry = block;
    assert(map->count < map->capacity);
    return true;
}

void ft_block_map_remove(ft_block_map *map, ft_block_entry *entry)
{
    assert(entry >= map->entries && entry < map->entries + map->capacity && entry->tag != 0);
    uint32_t hole = (uint32_t)(entry - map->entries);
    for (uint32_t at = after(map, hole); map->entries[at].tag != 0; at = after(map, at)) {
        uint32_t from = home(map, map->entries[at].address);
        if (steps(map, from, at) < steps(map, hole, at))
            continue; /* its home is behind the hole */
        map->entries[hole] = map->entries[at];
        hole = at;
    }
    map->entries[hole].tag = 0;
    map->count--;
    if (map->capacity > FIRST_CAPACITY && map->count < map->capacity / 8)
        (void)resize(map, map->capacity / 2); /* without memory it stays as large as it is */
}

bool ft_block_map_check(const ft_block_map *map)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < map->capacity; i++) {
        const ft_block_entry *entry = &map->entries[i];
        if (entry->tag != 0 && search(map, entry->address) != entry)
            return false;
        count += entry->tag != 0;
    }
    return count == map->count && (count == 0 || count < map->capacity);
}
