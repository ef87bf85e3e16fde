/* SPDX-License-Identifier: Apache-2.0 */
/* block_map.h: live blocks by address: (address, size, tag), 24 bytes each.
 *
 * Open addressing with linear probing. An entry without a tag is empty, and none stands between an
 * entry and its home: removing one moves those behind it forward, so there are no tombstones and a
 * search ends at the first empty entry. The capacity is any number, not a power of two: it grows by
 * half when 2/3 is full, so that a block costs 36 to 54 bytes (36 more each while it grows), and
 * halves when 7/8 is empty, so that a program that let go of its blocks gets the memory back and
 * none that goes up and down by a few pays for it. Fuller, searches would get long: at 7/8 thirty
 * entries for a block that is not there, at 2/3 five. */
#ifndef FT_RECORD_BLOCK_MAP_H
#define FT_RECORD_BLOCK_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"

typedef struct ft_block_entry {
    uint64_t address;
    uint64_t size;
    uint32_t tag; /* 0: empty */
} ft_block_entry;

typedef struct ft_block_map {
    const ft_mem *mem;
    ft_block_entry *entries; /* owned; NULL while the capacity is 0 */
    uint32_t capacity, count;
} ft_block_map;

void ft_block_map_init(ft_block_map *map, const ft_mem *mem);
void ft_block_map_fini(ft_block_map *map); /* it is empty then and can be used again */

/* The entry of an address, valid until the next put or remove; NULL if there is none. */
ft_block_entry *ft_block_map_find(const ft_block_map *map, uint64_t address);

/* Adds the block (tag > 0), in place of one at the same address. false: it is new and there is no
 * memory, nothing changed. */
bool ft_block_map_put(ft_block_map *map, ft_block_entry block);

/* Removes what ft_block_map_find found. */
void ft_block_map_remove(ft_block_map *map, ft_block_entry *entry);

/* Whether every entry is where it is looked for and the count is right: for tests. */
bool ft_block_map_check(const ft_block_map *map);

#endif
