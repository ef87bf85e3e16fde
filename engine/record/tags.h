/* SPDX-License-Identifier: Apache-2.0 */
/* tags.h: the tag, a number that is not 0, of each live block by its address.
 *
 * Each allocation and each free of the program comes through here, so it is a shadow of the memory
 * rather than a hash. A region is 16 KiB of addresses, what CPython's small-object allocator fills
 * with blocks of one size. Its blocks lie on a grid: their addresses are `unit` granules of 16
 * bytes apart, beginning at some column, and their tags are an array of one word for each point of
 * the grid. So a tag costs three dependent loads and no search, and little more than 4 bytes where
 * the grid is full. (An area is 64 MiB of regions; the areas hang off one table of all addresses,
 * which is mapped at once and touched page by page.)
 *
 *   Invariant: every tag in a region's array belongs to the address of its point, and an address
 *   off the grid has none there.
 *
 * Nothing needs to be known of the allocator for that. The size of an empty region's first block is
 * but a guess of the unit. A block off the grid makes a new one: of the unit of its own size if
 * everything alive lies on that, else of the greatest common divisor. In the small-object
 * allocator's pools the guess is right, but for a block that shrank where it was; under malloc the
 * unit is soon 1, which is 4 bytes for each 16 of the heap. The array of a region whose last block
 * went is for the next region of that unit, so one that empties again and again costs a few ns each
 * time. What arrays there were at once of each unit are kept until ft_tags_clear.
 *
 * Larger blocks, and small ones for which there is no array, are in a hash (block_map.h). Each
 * region counts those in it, so a free of a block without a tag, as most are when sampling, seldom
 * asks the hash. Without memory for an area, or without room in the address space for the table
 * (RLIMIT_AS), `degraded` is set: no area is made any more, and blocks outside of those that are go
 * to the hash. So do addresses off the granules or beyond the table.
 *
 * No lock: the caller's. */
#ifndef FT_RECORD_TAGS_H
#define FT_RECORD_TAGS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/record/block_map.h"

enum {
    FT_TAGS_SMALL_BYTES =
        512, /* larger blocks go to the hash: they would leave most points empty */
    FT_TAGS_GRANULE_BITS = 4,
    FT_TAGS_REGION_BITS = 10, /* granules of a region */
    FT_TAGS_AREA_BITS = 12,   /* regions of an area */
    FT_TAGS_UNITS = FT_TAGS_SMALL_BYTES >> FT_TAGS_GRANULE_BITS,
    FT_TAGS_RECIPROCAL_BITS = 15,
/* What the kernel gives a program that does not ask for more. */
#if defined(__x86_64__)
    FT_TAGS_ADDRESS_BITS = 47
#else
    FT_TAGS_ADDRESS_BITS = 48
#endif
};

typedef struct ft_tags_region {
    uint32_t *tags;      /* NULL while live is 0 */
    uint16_t reciprocal; /* of the unit */
    uint16_t live;       /* tags that are not 0 */
    uint16_t large;      /* how many blocks in the hash begin in this region */
    uint8_t unit;        /* granules between two points of the grid, 1 to FT_TAGS_UNITS */
    uint8_t column;      /* 1 + the first point, at most unit; 0: no grid, so no address is on it */
} ft_tags_region;

typedef struct ft_tags_area {
    ft_tags_region regions[1 << FT_TAGS_AREA_BITS];
    struct ft_tags_area *next; /* of all areas */
    uint64_t number;           /* its place in the table */
} ft_tags_area;

typedef struct ft_tags {
    const ft_mem *mem;
    ft_tags_area **table; /* mapped; NULL if everything is in the hash */
    uint64_t reach;       /* granules that the table covers, 0 without one */
    ft_tags_area *areas;  /* owned, linked */
    void *chunks;         /* owned, linked through their first word: the arrays are carved off */
    char *chunk_at, *chunk_end;
    uint32_t
        *spare[FT_TAGS_UNITS + 1]; /* arrays by unit, zeroed but for the link in the first words */
    ft_block_map large;
    uint64_t area_count, carved_bytes;
    bool degraded; /* there was no memory for the table or for an area */
    bool only_hash;
} ft_tags;

/* only_hash: no block is small. Without room for the table it is degraded, but works: always FT_OK.
 */
ft_status ft_tags_init(ft_tags *tags, const ft_mem *mem, bool only_hash);
void ft_tags_fini(ft_tags *tags);

/* Forgets all blocks and gives back all memory but the table. */
void ft_tags_clear(ft_tags *tags);

/* visit must change nothing here. The order says nothing. */
typedef void ft_tags_visit(void *context, uintptr_t address, size_t size, uint32_t tag);

/* The blocks in the hash: the large ones and those that it had to take. */
void ft_tags_each_large(const ft_tags *tags, ft_tags_visit *visit, void *context);

/* All blocks; size is 0 for those that are not in the hash. */
void ft_tags_each(const ft_tags *tags, ft_tags_visit *visit, void *context);

/* Our own memory, as far as it was ever written to; of the table a page for each area, as areas
 * that have neighbours share one. */
uint64_t ft_tags_bytes(const ft_tags *tags);

/* Whether everything above holds: for tests. */
bool ft_tags_check(const ft_tags *tags);

/* The rest of the functions below: where there is no point of a grid for the block. */
bool ft_tags_put_slowly(ft_tags *tags, uintptr_t address, size_t size, uint32_t tag);
uint32_t ft_tags_take_slowly(ft_tags *tags, uintptr_t address, size_t *large_size);
ft_block_entry *ft_tags_find_large(const ft_tags *tags, uintptr_t address);
void ft_tags_empty(ft_tags *tags, ft_tags_region *region);

/* The number of the address's granule, or a huge one if it is not the granule's first byte: both
 * ways to be none of the table's are one comparison. */
static inline uint64_t ft_tags_granule(uintptr_t address)
{
    uint64_t wide = address;
    return wide >> FT_TAGS_GRANULE_BITS | wide << (64 - FT_TAGS_GRANULE_BITS);
}

static inline ft_tags_region *ft_tags_region_of(const ft_tags *tags, uint64_t granule)
{
    if (granule >= tags->reach)
        return NULL;
    ft_tags_area *area = tags->table[granule >> (FT_TAGS_REGION_BITS + FT_TAGS_AREA_BITS)];
    if (area == NULL)
        return NULL;
    return &area->regions[granule >> FT_TAGS_REGION_BITS & ((1u << FT_TAGS_AREA_BITS) - 1)];
}

/* The tag of the granule's point, NULL if there is none. With a reciprocal of ceil(2^15 / unit) the
 * quotient is exact: it is too large by at most 1023 * 31 / (unit * 2^15) < 1 / unit. */
static inline uint32_t *ft_tags_point(const ft_tags_region *region, uint64_t granule)
{
    uint32_t at = (uint32_t)granule & ((1u << FT_TAGS_REGION_BITS) - 1);
    uint32_t row = at * region->reciprocal >> FT_TAGS_RECIPROCAL_BITS;
    return at - row * region->unit + 1 == region->column ? &region->tags[row] : NULL;
}

static inline void ft_tags_remove(ft_tags *tags, ft_tags_region *region, uint32_t *point)
{
    assert(*point != 0 && region->live > 0);
    *point = 0;
    if (--region->live == 0)
        ft_tags_empty(tags, region);
}

/* Tags a block, in place of what was known at its address. false: no memory, the block has no tag.
 */
static inline bool ft_tags_put(ft_tags *tags, uintptr_t address, size_t size, uint32_t tag)
{
    assert(tag != 0);
    uint64_t granule = ft_tags_granule(address);
    ft_tags_region *region = ft_tags_region_of(tags, granule);
    if (region != NULL && size <= FT_TAGS_SMALL_BYTES && region->large == 0) {
        uint32_t *point = ft_tags_point(region, granule);
        if (point != NULL) {
            region->live = (uint16_t)(region->live + (*point == 0));
            *point = tag;
            return true;
        }
    }
    return ft_tags_put_slowly(tags, address, size, tag);
}

/* Tags a block if nothing is in the way: its point is there and free. Else nothing is changed. */
static inline bool ft_tags_put_new(ft_tags *tags, uintptr_t address, size_t size, uint32_t tag)
{
    assert(tag != 0);
    uint64_t granule = ft_tags_granule(address);
    ft_tags_region *region = ft_tags_region_of(tags, granule);
    if (region == NULL || size > FT_TAGS_SMALL_BYTES || region->large != 0)
        return false;
    uint32_t *point = ft_tags_point(region, granule);
    if (point == NULL || *point != 0)
        return false;
    region->live++;
    *point = tag;
    return true;
}

/* Removes the block and says its tag, 0 if it had none. *large_size is its size if it was in the
 * hash, else left alone; so with the next. */
static inline uint32_t ft_tags_take(ft_tags *tags, uintptr_t address, size_t *large_size)
{
    uint64_t granule = ft_tags_granule(address);
    ft_tags_region *region = ft_tags_region_of(tags, granule);
    if (region != NULL) {
        uint32_t *point = ft_tags_point(region, granule);
        uint32_t tag = point == NULL ? 0 : *point;
        if (tag != 0) {
            ft_tags_remove(tags, region, point);
            return tag;
        }
        if (region->large == 0)
            return 0;
    }
    return ft_tags_take_slowly(tags, address, large_size);
}

/* The place of the block's tag, NULL if it has none. */
static inline uint32_t *ft_tags_find(const ft_tags *tags, uintptr_t address, size_t *large_size)
{
    uint64_t granule = ft_tags_granule(address);
    ft_tags_region *region = ft_tags_region_of(tags, granule);
    if (region != NULL) {
        uint32_t *point = ft_tags_point(region, granule);
        if (point != NULL && *point != 0)
            return point;
        if (region->large == 0)
            return NULL;
    }
    ft_block_entry *entry = ft_tags_find_large(tags, address);
    if (entry == NULL)
        return NULL;
    *large_size = (size_t)entry->size;
    return &entry->tag;
}

/* The tag of the block, 0 if it has none. */
static inline uint32_t ft_tags_get(const ft_tags *tags, uintptr_t address, size_t *large_size)
{
    uint32_t *tag = ft_tags_find(tags, address, large_size);
    return tag == NULL ? 0 : *tag;
}

/* Another tag for a block that has one; false if it has none. */
static inline bool ft_tags_retag(ft_tags *tags, uintptr_t address, uint32_t tag)
{
    assert(tag != 0);
    size_t size;
    uint32_t *known = ft_tags_find(tags, address, &size);
    if (known != NULL)
        *known = tag;
    return known != NULL;
}

#endif
