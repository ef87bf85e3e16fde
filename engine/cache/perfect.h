/* SPDX-License-Identifier: Apache-2.0 */
/* perfect.h: from one of n 64-bit hashes, known beforehand, to its number: one look at one place.
 *
 * Hash and displace. Hashes fall into buckets of about four. Each bucket has a displacement under
 * which all of its hashes go to places of their own; it is searched when the table is built, for
 * the largest buckets first, while there is most room. So a look-up computes the bucket, reads its
 * displacement, and goes to the one place where the hash can be.
 *
 * Members whose hashes are equal can not be told apart by them: they share a place, as a chain. So
 * do the members of a bucket for which no displacement was found, after the table has grown a few
 * times: then it is no perfect table, but a right one. No input makes it fail or search for long.
 *
 * Immutable once made, so that any number of threads may read it. */
#ifndef FT_CACHE_PERFECT_H
#define FT_CACHE_PERFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum { FT_PERFECT_MOST = 1 << 28 }; /* members: places and chains count in 32 bits */

typedef struct ft_perfect_place {
    uint64_t hash;
    uint32_t member; /* its number plus one; 0: the place is free */
    uint32_t next;   /* the place that goes on the chain; 0: its end */
} ft_perfect_place;

typedef struct ft_perfect {
    const ft_mem *mem;
    uint64_t *displacements;  /* owned; one for each bucket */
    ft_perfect_place *places; /* owned; behind the first `size` are those only chains reach */
    uint32_t buckets, size, chained, count;
} ft_perfect;

/* Makes the table of count hashes; member i is the one of hashes[i]. count may be 0. FT_ERR_MEMORY,
 * FT_ERR_LIMIT past FT_PERFECT_MOST: table is as it was. */
ft_status ft_perfect_init(ft_perfect *table, const ft_mem *mem, const uint64_t *hashes,
                          size_t count);

/* A table of zeros may be given, too. */
void ft_perfect_fini(ft_perfect *table);

/* Bytes of heap. */
size_t ft_perfect_bytes(const ft_perfect *table);

/* Whether it is a table of these hashes: for tests and debug builds, linear in count. */
bool ft_perfect_check(const ft_perfect *table, const uint64_t *hashes);

/* ---- looking up; inline, for it is the whole cost of a call ---- */

/* Neighbours and multiples spread over all bits; different hashes stay different. */
static inline uint64_t ft_perfect_mix(uint64_t hash)
{
    hash = (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* A number below limit by the upper half of mixed. */
static inline uint32_t ft_perfect_below(uint64_t mixed, uint32_t limit)
{
    return (uint32_t)((mixed >> 32) * limit >> 32);
}

static inline uint32_t ft_perfect_displaced(uint64_t mixed, uint64_t displacement, uint32_t size)
{
    return ft_perfect_below((mixed ^ displacement) * UINT64_C(0x165667B19E3779F9), size);
}

/* From a place on along the chain, itself included: the first of this hash, or NULL. */
static inline const ft_perfect_place *ft_perfect_along(const ft_perfect *table,
                                                       const ft_perfect_place *place, uint64_t hash)
{
    while (place->hash != hash || place->member == 0) {
        if (place->next == 0)
            return NULL;
        place = &table->places[place->next];
    }
    return place;
}

/* The place where members with this hash are, if there are any: the first of a chain. */
static inline const ft_perfect_place *ft_perfect_at(const ft_perfect *table, uint64_t hash)
{
    uint64_t mixed = ft_perfect_mix(hash);
    uint64_t displacement = table->displacements[ft_perfect_below(mixed, table->buckets)];
    return &table->places[ft_perfect_displaced(mixed, displacement, table->size)];
}

/* The first member with this hash, or NULL. */
static inline const ft_perfect_place *ft_perfect_first(const ft_perfect *table, uint64_t hash)
{
    return ft_perfect_along(table, ft_perfect_at(table, hash), hash);
}

/* The one after it with the same hash, or NULL. */
static inline const ft_perfect_place *ft_perfect_next(const ft_perfect *table,
                                                      const ft_perfect_place *place)
{
    if (place->next == 0)
        return NULL;
    return ft_perfect_along(table, &table->places[place->next], place->hash);
}

#endif
