/* SPDX-License-Identifier: Apache-2.0 */
/* kept_blocks.c: freed blocks that are not given back yet (see kept_blocks.h). */
#include "glue/probes/kept_blocks.h"

#include <assert.h>

void ft_kept_add(ft_kept_blocks *kept, const PyMemAllocatorEx *of, void *block, size_t size)
{
    assert(ft_kept_has_room(kept, size));
    kept->blocks[kept->count++] = (ft_kept_block){of, block};
    kept->bytes += size;
}

void ft_kept_give_back(ft_kept_blocks *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        const PyMemAllocatorEx *of = kept->blocks[i].of;
        of->free(of->ctx, kept->blocks[i].block);
    }
    kept->count = kept->bytes = 0;
}
