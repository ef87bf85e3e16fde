/* SPDX-License-Identifier: Apache-2.0 */
/* memo_index.h: which entries have a hash?
 *
 * A hash table of entry numbers in chunks of one cache line: twelve tags, a byte of each entry's
 * hash, and twelve numbers. A hash has a chunk, and in it a slot of its own: while a table grows
 * most entries are there (two thirds; a third once it evicts), at the cost of an array's element.
 * One that finds its slot taken takes any other of the chunk: all tags of a chunk are compared at
 * once, so there is no loop that a processor would guess wrong. One that finds its chunk full goes
 * into the next one, and each chunk counts the entries that passed it: a search ends at a chunk
 * that none passed. An entry that is removed is taken from those counts, so there are no tombstones
 * to clean up, however much comes and goes.
 *
 * Chunks are in the order of the hashes (hash * count / 2^32), which works for any number of them:
 * an index is as large as its entries need, not the next power of two. */
#ifndef FT_CACHE_MEMO_INDEX_H
#define FT_CACHE_MEMO_INDEX_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/match16.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"

enum {
    FT_INDEX_SLOTS = 12,
    FT_INDEX_PASSED_MOST = 255 /* a count that came here stays, and only costs a look */
};

typedef struct ft_index_chunk {
    uint8_t tags[FT_INDEX_SLOTS]; /* 0: the slot is empty */
    uint8_t passed;               /* how many entries of here and before are further on */
    uint8_t unused[3];            /* the sixteen bytes up to here are compared at once */
    uint32_t numbers[FT_INDEX_SLOTS];
} ft_index_chunk;

typedef struct ft_memo_index {
    ft_index_chunk *chunks; /* each in one cache line; in block, or the empty one */
    void *block;            /* owned; NULL: there is no memory yet */
    uint32_t count;
} ft_memo_index;

/* An index in which nothing is found and to which nothing can be added; allocates nothing. */
void ft_memo_index_init(ft_memo_index *index);

/* An empty index of that many chunks. FT_ERR_MEMORY; *index is written on success only. */
ft_status ft_memo_index_new(ft_memo_index *index, const ft_mem *mem, uint32_t chunks);
void ft_memo_index_fini(ft_memo_index *index, const ft_mem *mem);
void ft_memo_index_clear(ft_memo_index *index);

uint64_t ft_memo_index_bytes(const ft_memo_index *index);

/* Where the search for a hash is. */
typedef struct ft_index_probe {
    uint32_t chunk;
    uint32_t matches; /* slots of the chunk that are to be looked at */
    uint32_t walked;  /* chunks that were passed */
    uint8_t tag;
} ft_index_probe;

/* Where an entry of that hash is most often. */
typedef struct ft_index_home {
    uint32_t chunk, slot;
    uint8_t tag;
} ft_index_home;

/* The chunk is told by the hash's high bits, tag and slot by its low ones: they do not wait for
 * each other, and up to a million entries they are independent. */
static inline ft_index_home ft_index_home_of(const ft_memo_index *index, uint32_t hash)
{
    return (ft_index_home){(uint32_t)((uint64_t)hash * index->count >> 32),
                           ((hash & 0xff) * FT_INDEX_SLOTS) >> 8,
                           (uint8_t)(0x80 | (hash >> 8 & 0x7f))};
}

/* The number in the home of a hash, if its tag is equal: a guess, to be compared with the entry.
 * false: only a probe can tell. */
static inline bool ft_index_at_home(const ft_memo_index *index, ft_index_home home,
                                    uint32_t *number)
{
    const ft_index_chunk *chunk = &index->chunks[home.chunk];
    *number = chunk->numbers[home.slot];
    return chunk->tags[home.slot] == home.tag;
}

static inline uint32_t ft_index_match(const ft_index_chunk *chunk, uint8_t tag)
{
    return ft_match16((const uint8_t *)chunk, tag) & ((1U << FT_INDEX_SLOTS) - 1);
}

static inline ft_index_probe ft_index_probe_begin(const ft_memo_index *index, uint32_t hash)
{
    ft_index_home home = ft_index_home_of(index, hash);
    ft_index_probe probe = {.chunk = home.chunk, .tag = home.tag};
    probe.matches = ft_index_match(&index->chunks[probe.chunk], probe.tag);
    return probe;
}

/* To the next chunk; false: the search is over. */
static inline bool ft_index_probe_move(const ft_memo_index *index, ft_index_probe *probe)
{
    if (__builtin_expect(index->chunks[probe->chunk].passed == 0, 1) ||
        ++probe->walked == index->count)
        return false;
    probe->chunk = probe->chunk + 1 == index->count ? 0 : probe->chunk + 1;
    probe->matches = ft_index_match(&index->chunks[probe->chunk], probe->tag);
    return true;
}

/* The number in the next slot whose tag is equal; only after matches was seen not to be 0. */
static inline uint32_t ft_index_probe_take(const ft_memo_index *index, ft_index_probe *probe)
{
    uint32_t slot = ft_lowest_bit(probe->matches);
    probe->matches &= probe->matches - 1;
    return index->chunks[probe->chunk].numbers[slot];
}

/* ---- what comes and goes ---- */

/* What _add says of an entry that is not in its own chunk. */
enum { FT_INDEX_ELSEWHERE = FT_INDEX_SLOTS };

/* The same where that chunk is full, or the slot is not known. */
void ft_index_add_elsewhere(ft_memo_index *index, ft_index_home home, uint32_t number);
void ft_index_remove_elsewhere(ft_memo_index *index, ft_index_home home, uint32_t number);

/* There must be an empty slot. Gives the slot that the entry is in now, for _remove. */
static inline uint8_t ft_memo_index_add(ft_memo_index *index, uint32_t hash, uint32_t number)
{
    ft_index_home home = ft_index_home_of(index, hash);
    ft_index_chunk *chunk = &index->chunks[home.chunk];
    uint32_t empty = ft_index_match(chunk, 0);
    if (__builtin_expect(empty == 0, 0)) {
        ft_index_add_elsewhere(index, home, number);
        return FT_INDEX_ELSEWHERE;
    }
    /* Half of the homes are taken, and nobody can guess which: no branch. */
    uint32_t slot = ft_lowest_bit(empty);
    slot = (empty >> home.slot & 1) != 0 ? home.slot : slot;
    chunk->tags[slot] = home.tag;
    chunk->numbers[slot] = number;
    return (uint8_t)slot;
}

/* The number must be there, under that hash. slot: what _add gave, or FT_INDEX_ELSEWHERE. */
static inline void ft_memo_index_remove(ft_memo_index *index, uint32_t hash, uint32_t number,
                                        uint8_t slot)
{
    ft_index_home home = ft_index_home_of(index, hash);
    if (__builtin_expect(slot == FT_INDEX_ELSEWHERE, 0)) {
        ft_index_remove_elsewhere(index, home, number);
        return;
    }
    assert(index->chunks[home.chunk].numbers[slot] == number);
    index->chunks[home.chunk].tags[slot] = 0;
}

#endif
