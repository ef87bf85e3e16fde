/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h: blocks of 2^k bytes that are freed all at once.
 *
 * The tables of a tree's children only grow; what a table leaves behind is kept for the next one of
 * that size. After a fork the child drops a pool by dropping its few chunks, without walking any
 * tree. */
#ifndef FT_RECORD_POOL_H
#define FT_RECORD_POOL_H

#include <stddef.h>

#include "engine/base/mem.h"

enum { FT_POOL_CLASSES = 32 };

typedef struct ft_pool {
    const ft_mem *mem;
    void *chunks;                 /* owned, linked through their first word */
    char *free_at, *end;          /* the unused rest of the newest chunk */
    void *reuse[FT_POOL_CLASSES]; /* given back, by log2 of the size, linked likewise */
} ft_pool;

void ft_pool_init(ft_pool *pool, const ft_mem *mem);
void ft_pool_fini(ft_pool *pool);

/* 1 << log2_bytes zeroed bytes (16 at least), aligned to 16; NULL when memory is out. */
void *ft_pool_new(ft_pool *pool, unsigned log2_bytes);
void ft_pool_give_back(ft_pool *pool, void *block, unsigned log2_bytes);

#endif
