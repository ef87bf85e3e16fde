/* SPDX-License-Identifier: Apache-2.0 */
/* ghosts.h: the hashes of keys that were evicted lately, in two lists by age.
 *
 * A ghost is 12 bytes and its share of an index: no key is kept, so nothing of the caller's lives
 * longer for it. Two keys with one hash of 32 bits are one ghost, which makes a policy's guess
 * worse once in a while and nothing wrong. The arrays are made once, for the most there can be. */
#ifndef FT_CACHE_GHOSTS_H
#define FT_CACHE_GHOSTS_H

#include "engine/cache/memo_index.h"

#define FT_GHOST_NONE UINT32_MAX

enum {
    FT_GHOST_LISTS = 2,
    FT_GHOST_PER_CHUNK = 10 /* of 12: only who misses looks for ghosts */
};

typedef struct ft_ghost {
    uint32_t hash;
    uint32_t before, after; /* in its list, `after` also in the list of free ones */
} ft_ghost;

typedef struct ft_ghost_list {
    uint32_t first, last, count; /* first: the oldest */
} ft_ghost_list;

typedef struct ft_ghosts {
    ft_ghost *ghosts;    /* owned */
    ft_memo_index index; /* numbers: ghost * 2 + list */
    uint32_t room, used, free;
    ft_ghost_list lists[FT_GHOST_LISTS];
} ft_ghosts;

/* Where a ghost is. */
typedef struct ft_ghost_place {
    uint32_t ghost; /* FT_GHOST_NONE: there is none */
    uint8_t list;
} ft_ghost_place;

/* No ghosts, with memory for `room` of them. FT_ERR_MEMORY. */
ft_status ft_ghosts_init(ft_ghosts *ghosts, const ft_mem *mem, uint32_t room);
void ft_ghosts_fini(ft_ghosts *ghosts, const ft_mem *mem);
void ft_ghosts_clear(ft_ghosts *ghosts);

ft_ghost_place ft_ghosts_find(const ft_ghosts *ghosts, uint32_t hash);

/* A new youngest ghost of a list; there must be room. */
void ft_ghosts_add(ft_ghosts *ghosts, uint8_t list, uint32_t hash);

void ft_ghosts_remove(ft_ghosts *ghosts, ft_ghost_place place);

/* Removes the oldest of a list that is not empty. */
void ft_ghosts_drop(ft_ghosts *ghosts, uint8_t list);

uint64_t ft_ghosts_bytes(const ft_ghosts *ghosts);

#endif
