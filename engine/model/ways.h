/* SPDX-License-Identifier: Apache-2.0 */
/* ways.h: several trees as one: rows are the same if the ways to them from the top are, key by key.
 *
 * A tree is two columns: of each row its parent's number, smaller than its own or -1, and a key
 * that tells it from its siblings. Siblings with the same key are one. Rows keep the order in which
 * they came, so parents come before children here too. */
#ifndef FT_MODEL_WAYS_H
#define FT_MODEL_WAYS_H

#include <stdint.h>

#include "engine/base/map.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"

typedef struct ft_ways {
    const ft_mem *mem;
    int64_t *parent, *key; /* owned */
    uint32_t count, capacity;
    ft_map found; /* from parent + 1 and key to row */
} ft_ways;

void ft_ways_init(ft_ways *ways, const ft_mem *mem);
void ft_ways_fini(ft_ways *ways);

/* Adds a tree; places[i] is where its row i is. FT_ERR_CORRUPT: a parent that does not come before,
 * or a key beyond 32 bits; FT_ERR_LIMIT, FT_ERR_MEMORY. After an error only fini is in order. */
ft_status ft_ways_add(ft_ways *ways, const int64_t *parent, const int64_t *key, uint32_t count,
                      int64_t *places);

/* Keeps the heaviest rows, at most `most` (1 or more), by own of a row and of all below it; of
 * equal ones the first. What is left out below a row becomes one row below it, with this key;
 * `most` counts those. Below what is no row (a forest's top) it becomes a top with that key.
 * moved[i]: where what was row i is now. *left: how many were left out. FT_ERR_MEMORY: the ways
 * are as they were. Afterwards nothing can be added. */
ft_status ft_ways_prune(ft_ways *ways, const int64_t *own, uint32_t most, int64_t key,
                        int64_t *moved, uint32_t *left);

#endif
