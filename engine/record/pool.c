/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: blocks of 2^k bytes that are freed all at once (see pool.h). */
#include "engine/record/pool.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 16, CHUNK_HEAD = 16 };

void ft_pool_init(ft_pool *pool, const ft_mem *mem)
{
    *pool = (ft_pool){.mem = mem};
}

void ft_pool_fini(ft_pool *pool)
{
    for (void *chunk = pool->chunks, *next; chunk != NULL; chunk = next) {
        memcpy(&next, chunk, sizeof next);
        ft_mem_free(pool->mem, chunk);
    }
    ft_pool_init(pool, pool->mem);
}

static char *new_chunk(ft_pool *pool, size_t bytes)
{
    char *chunk = ft_mem_resize(pool->mem, NULL, CHUNK_HEAD + bytes, 1);
    if (chunk == NULL)
        return NULL;
    memcpy(chunk, &pool->chunks, sizeof pool->chunks);
    pool->chunks = chunk;
    return chunk + CHUNK_HEAD;
}

static void *carve(ft_pool *pool, size_t bytes)
{
    if (bytes > CHUNK_BYTES / 4) /* a chunk of its own: no rest is thrown away for it */
        return new_chunk(pool, bytes);
    if ((size_t)(pool->end - pool->free_at) < bytes) {
        char *chunk = new_chunk(pool, CHUNK_BYTES);
        if (chunk == NULL)
            return NULL;
        pool->free_at = chunk;
        pool->end = chunk + CHUNK_BYTES;
    }
    void *block = pool->free_at;
    pool->free_at += bytes;
    return block;
}

void *ft_pool_new(ft_pool *pool, unsigned log2_bytes)
{
    assert(log2_bytes >= 4 && log2_bytes < FT_POOL_CLASSES);
    size_t bytes = (size_t)1 << log2_bytes;
    void *block = pool->reuse[log2_bytes];
    if (block != NULL)
        memcpy(&pool->reuse[log2_bytes], block, sizeof block);
    else
        block = carve(pool, bytes);
    if (block != NULL)
        memset(block, 0, bytes);
    return block;
}

void ft_pool_give_back(ft_pool *pool, void *block, unsigned log2_bytes)
{
    assert(log2_bytes >= 4 && log2_bytes < FT_POOL_CLASSES);
    memcpy(block, &pool->reuse[log2_bytes], sizeof block);
    pool->reuse[log2_bytes] = block;
}
