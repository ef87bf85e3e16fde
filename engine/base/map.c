/* SPDX-License-Identifier: Apache-2.0 */
/* map.c: a hash map from uint64 keys to uint32 values (see map.h). */
#include "engine/base/map.h"

#include <assert.h>
#include <string.h>

enum { FIRST_SLOTS = 16, MAX_SLOTS = 1 << 30 };

static uint32_t first_slot(const ft_map *map, uint64_t key)
{
    /* Fibonacci hashing: the high bits of the product depend on every bit of the key. */
    return (uint32_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & map->mask;
}

static ft_map_slot *find(const ft_map *map, uint64_t key)
{
    uint32_t at = first_slot(map, key);
    while (map->slots[at].used && map->slots[at].key != key)
        at = (at + 1) & map->mask;
    return &map->slots[at];
}

void ft_map_init(ft_map *map, const ft_mem *mem)
{
    *map = (ft_map){.mem = mem};
}

void ft_map_fini(ft_map *map)
{
    ft_mem_free(map->mem, map->slots);
    ft_map_init(map, map->mem);
}

void ft_map_clear(ft_map *map)
{
    if (map->slots != NULL)
        memset(map->slots, 0, ((size_t)map->mask + 1) * sizeof *map->slots);
    map->count = 0;
}

uint32_t *ft_map_get(const ft_map *map, uint64_t key)
{
    if (map->slots == NULL)
        return NULL;
    ft_map_slot *slot = find(map, key);
    return slot->used ? &slot->value : NULL;
}

static ft_status grow(ft_map *map)
{
    ft_map larger = {.mem = map->mem};
    uint64_t slots = map->slots == NULL ? FIRST_SLOTS : ((uint64_t)map->mask + 1) * 2;
    if (slots > MAX_SLOTS)
        return FT_ERR_LIMIT;
    larger.slots = ft_mem_new(map->mem, (size_t)slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return FT_ERR_MEMORY;
    larger.mask = (uint32_t)(slots - 1);
    larger.count = map->count;
    for (uint32_t i = 0; map->slots != NULL && i <= map->mask; i++)
        if (map->slots[i].used)
            *find(&larger, map->slots[i].key) = map->slots[i];
    ft_mem_free(map->mem, map->slots);
    *map = larger;
    return FT_OK;
}

ft_status ft_map_put(ft_map *map, uint64_t key, uint32_t value)
{
    if (map->slots == NULL || map->count >= map->mask - map->mask / 4) {
        ft_status status = grow(map);
        if (status != FT_OK)
            return status;
    }
    ft_map_slot *slot = find(map, key);
    map->count += !slot->used;
    *slot = (ft_map_slot){.key = key, .value = value, .used = 1};
    assert(map->count <= map->mask);
    return FT_OK;
}
