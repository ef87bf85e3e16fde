/* SPDX-License-Identifier: Apache-2.0 */
/* ghosts.h: the hashes of keys that were evicted lately, in two lists by age.
 *
 * A ghost is 12 bytes and its share of an index: no key is kept, so nothing of the caller's lives
 * longer for it. Two keys with one hash of 32 bits are not told apart, which makes a policy's guess
 * worse once in a while and nothing wrong. The arrays are made once, for the most there can be. */
#ifndef FT_CACHE_GHOSTS_H
#define FT_CACHE_GHOSTS_H

#include "engine/cache/memo_index.h"

enum {
    FT_GHOST_LISTS = 2,
    FT_GHOST_PER_CHUNK = 10, /* of 12: only who misses looks for ghosts */
    FT_GHOST_BITS = 30,      /* of a ghost's number: there are no more than entries */
    FT_GHOST_NONE = (1 << FT_GHOST_BITS) - 1
};

typedef struct ft_ghost {
    uint32_t hash;
    /* Its neighbours in its list (`after` also in the list of free ones), and in two halves the
     * slot of the index that it is in. */
    uint32_t before : FT_GHOST_BITS, slot_low : 2;
    uint32_t after : FT_GHOST_BITS, slot_high : 2;
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

uint64_t ft_ghosts_bytes(const ft_ghosts *ghosts);

/* The rest is on the path of every miss, and in line. */

static inline ft_ghost_place ft_ghosts_find(const ft_ghosts *ghosts, uint32_t hash)
{
    ft_index_probe probe = ft_index_probe_begin(&ghosts->index, hash);
    do {
        while (probe.matches != 0) {
            uint32_t number = ft_index_probe_take(&ghosts->index, &probe);
            if (ghosts->ghosts[number / 2].hash == hash)
                return (ft_ghost_place){number / 2, (uint8_t)(number % 2)};
        }
    } while (ft_index_probe_move(&ghosts->index, &probe));
    return (ft_ghost_place){FT_GHOST_NONE, 0};
}

/* Makes a ghost that is in no list the youngest of one. */
static inline void ft_ghosts_append(ft_ghosts *ghosts, uint8_t list, uint32_t number, uint32_t hash)
{
    ft_ghost *ghost = &ghosts->ghosts[number];
    ft_ghost_list *into = &ghosts->lists[list];
    uint8_t slot = ft_memo_index_add(&ghosts->index, hash, number * 2 + list);
    ghost->hash = hash;
    ghost->before = into->last & FT_GHOST_NONE;
    ghost->slot_low = slot & 3U;
    ghost->after = FT_GHOST_NONE;
    ghost->slot_high = (uint32_t)slot >> 2 & 3U;
    if (into->last == FT_GHOST_NONE)
        into->first = number;
    else
        ghosts->ghosts[into->last].after = number & FT_GHOST_NONE;
    into->last = number;
    into->count++;
}

/* A new youngest ghost of a list; there must be room. */
static inline void ft_ghosts_add(ft_ghosts *ghosts, uint8_t list, uint32_t hash)
{
    uint32_t number = ghosts->free;
    if (number != FT_GHOST_NONE)
        ghosts->free = ghosts->ghosts[number].after;
    else
        number = ghosts->used++;
    assert(number < ghosts->room && list < FT_GHOST_LISTS);
    ft_ghosts_append(ghosts, list, number, hash);
}

/* Takes a ghost out of its list and the index; it is not free yet. */
static inline void ft_ghosts_unlink(ft_ghosts *ghosts, ft_ghost_place place)
{
    const ft_ghost *ghost = &ghosts->ghosts[place.ghost];
    ft_ghost_list *list = &ghosts->lists[place.list];
    assert(place.ghost < ghosts->used && list->count > 0);
    ft_memo_index_remove(&ghosts->index, ghost->hash, place.ghost * 2 + place.list,
                         (uint8_t)(ghost->slot_high << 2 | ghost->slot_low));
    if (ghost->before == FT_GHOST_NONE)
        list->first = ghost->after;
    else
        ghosts->ghosts[ghost->before].after = ghost->after;
    if (ghost->after == FT_GHOST_NONE)
        list->last = ghost->before;
    else
        ghosts->ghosts[ghost->after].before = ghost->before;
    list->count--;
}

static inline void ft_ghosts_remove(ft_ghosts *ghosts, ft_ghost_place place)
{
    ft_ghosts_unlink(ghosts, place);
    ghosts->ghosts[place.ghost].after = ghosts->free & FT_GHOST_NONE;
    ghosts->free = place.ghost;
}

/* Removes the oldest of a list that is not empty. */
static inline void ft_ghosts_drop(ft_ghosts *ghosts, uint8_t list)
{
    ft_ghosts_remove(ghosts, (ft_ghost_place){ghosts->lists[list].first, list});
}

/* The same, and a new youngest one in its place. */
static inline void ft_ghosts_renew(ft_ghosts *ghosts, uint8_t list, uint32_t hash)
{
    ft_ghost_place oldest = {ghosts->lists[list].first, list};
    ft_ghosts_unlink(ghosts, oldest);
    ft_ghosts_append(ghosts, list, oldest.ghost, hash);
}

#endif
