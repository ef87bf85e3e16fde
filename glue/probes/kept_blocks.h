/* SPDX-License-Identifier: Apache-2.0 */
/* kept_blocks.h: blocks that the program freed, and that are not given back yet: nobody else is to
 * have their addresses. */
#ifndef FT_GLUE_PROBES_KEPT_BLOCKS_H
#define FT_GLUE_PROBES_KEPT_BLOCKS_H

#include "glue/compat.h"

enum {
    FT_KEPT_MAX = 4096,         /* blocks ... */
    FT_KEPT_BYTES_MAX = 4 << 20 /* ... and their bytes */
};

typedef struct ft_kept_block {
    const PyMemAllocatorEx *of; /* borrowed: what gives it back */
    void *block;
} ft_kept_block;

typedef struct ft_kept_blocks {
    ft_kept_block blocks[FT_KEPT_MAX];
    size_t count, bytes;
} ft_kept_blocks;

static inline bool ft_kept_has_room(const ft_kept_blocks *kept, size_t size)
{
    return kept->count < FT_KEPT_MAX && kept->bytes + size <= FT_KEPT_BYTES_MAX;
}

/* There is room. */
void ft_kept_add(ft_kept_blocks *kept, const PyMemAllocatorEx *of, void *block, size_t size);
void ft_kept_give_back(ft_kept_blocks *kept);

#endif
