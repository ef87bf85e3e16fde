/* SPDX-License-Identifier: Apache-2.0 */
/* memo_index.c: which entries have a hash? (see memo_index.h) */
#include "engine/cache/memo_index.h"

#include <string.h>

/* Of an index without memory: a search ends in it. */
static const ft_index_chunk empty_chunk = {.passed = 0};

enum { LINE = 64 }; /* bytes of a cache line, and of a chunk */

_Static_assert(sizeof(ft_index_chunk) == LINE, "a chunk is one cache line");
_Static_assert(offsetof(ft_index_chunk, tags) == 0, "its tags are where it begins");

void ft_memo_index_init(ft_memo_index *index)
{
    *index = (ft_memo_index){
        .chunks = (ft_index_chunk *)(uintptr_t)&empty_chunk, /* never written: nothing is added */
        .count = 1,
    };
}

ft_status ft_memo_index_new(ft_memo_index *index, const ft_mem *mem, uint32_t chunks)
{
    assert(chunks > 0);
    /* One chunk more than there are: room to begin at a cache line. */
    void *block = ft_mem_new(mem, (size_t)chunks + 1, sizeof(ft_index_chunk));
    if (block == NULL)
        return FT_ERR_MEMORY;
    uintptr_t aligned = ((uintptr_t)block + LINE - 1) / LINE * LINE;
    *index = (ft_memo_index){(ft_index_chunk *)aligned, block, chunks};
    return FT_OK;
}

void ft_memo_index_fini(ft_memo_index *index, const ft_mem *mem)
{
    ft_mem_free(mem, index->block);
    ft_memo_index_init(index);
}

void ft_memo_index_clear(ft_memo_index *index)
{
    if (index->block != NULL)
        memset(index->chunks, 0, index->count * sizeof *index->chunks);
}

uint64_t ft_memo_index_bytes(const ft_memo_index *index)
{
    return index->block == NULL ? 0 : ((uint64_t)index->count + 1) * sizeof *index->chunks;
}

/* The next chunk. */
static ft_index_chunk *pass(const ft_memo_index *index, ft_index_home *home)
{
    home->chunk = home->chunk + 1 == index->count ? 0 : home->chunk + 1;
    return &index->chunks[home->chunk];
}

void ft_index_add_elsewhere(ft_memo_index *index, ft_index_home home, uint32_t number)
{
    ft_index_chunk *chunk = &index->chunks[home.chunk];
    uint32_t empty;
    for (; (empty = ft_index_match(chunk, 0)) == 0; chunk = pass(index, &home))
        if (chunk->passed < FT_INDEX_PASSED_MOST)
            chunk->passed++;
    uint32_t slot = ft_lowest_bit(empty);
    chunk->tags[slot] = home.tag;
    chunk->numbers[slot] = number;
}

/* Empties the number's slot, if it is in that chunk. */
static bool remove_from(ft_index_chunk *chunk, uint8_t tag, uint32_t number)
{
    for (uint32_t left = ft_index_match(chunk, tag); left != 0; left &= left - 1) {
        uint32_t slot = ft_lowest_bit(left);
        if (chunk->numbers[slot] == number) {
            chunk->tags[slot] = 0;
            return true;
        }
    }
    return false;
}

void ft_index_remove_elsewhere(ft_memo_index *index, ft_index_home home, uint32_t number)
{
    ft_index_chunk *chunk = &index->chunks[home.chunk];
    for (; !remove_from(chunk, home.tag, number); chunk = pass(index, &home)) {
        assert(chunk->passed > 0);
        if (chunk->passed < FT_INDEX_PASSED_MOST)
            chunk->passed--;
    }
}
