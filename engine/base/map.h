/* SPDX-License-Identifier: Apache-2.0 */
/* map.h: a hash map from uint64 keys to uint32 values.
 *
 * Open addressing with linear probing over a power-of-two array that is at most 3/4 full; keys
 * are mixed, so that pointers and small numbers both spread. No deletion: nobody needs it. */
#ifndef FT_BASE_MAP_H
#define FT_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

typedef struct ft_map_slot {
    uint64_t key;
    uint32_t value;
    uint32_t used; /* 0 or 1 */
} ft_map_slot;

typedef struct ft_map {
    const ft_mem *mem;
    ft_map_slot *slots; /* owned; NULL while empty */
    uint32_t mask;      /* number of slots - 1 */
    uint32_t count;
} ft_map;

void ft_map_init(ft_map *map, const ft_mem *mem);
void ft_map_fini(ft_map *map);
void ft_map_clear(ft_map *map); /* empty, capacity kept */

/* The value of key, or NULL. Valid until the next ft_map_put. */
uint32_t *ft_map_get(const ft_map *map, uint64_t key);

/* Sets key to value. FT_ERR_MEMORY leaves the map as it was. */
ft_status ft_map_put(ft_map *map, uint64_t key, uint32_t value);

#endif
