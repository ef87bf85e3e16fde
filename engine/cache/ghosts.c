/* SPDX-License-Identifier: Apache-2.0 */
/* ghosts.c: the hashes of keys that were evicted lately (see ghosts.h). */
#include "engine/cache/ghosts.h"

#include <assert.h>

void ft_ghosts_clear(ft_ghosts *ghosts)
{
    ft_memo_index_clear(&ghosts->index);
    ghosts->used = 0;
    ghosts->free = FT_GHOST_NONE;
    for (int i = 0; i < FT_GHOST_LISTS; i++)
        ghosts->lists[i] = (ft_ghost_list){FT_GHOST_NONE, FT_GHOST_NONE, 0};
}

ft_status ft_ghosts_init(ft_ghosts *ghosts, const ft_mem *mem, uint32_t room)
{
    assert(room > 0 && room < FT_GHOST_NONE);
    ft_ghosts made = {.room = room};
    ft_status status = ft_memo_index_new(&made.index, mem, room / FT_GHOST_PER_CHUNK + 1);
    if (status != FT_OK)
        return status;
    made.ghosts = ft_mem_resize(mem, NULL, made.room, sizeof *made.ghosts);
    if (made.ghosts == NULL) {
        ft_memo_index_fini(&made.index, mem);
        return FT_ERR_MEMORY;
    }
    ft_ghosts_clear(&made);
    *ghosts = made;
    return FT_OK;
}

void ft_ghosts_fini(ft_ghosts *ghosts, const ft_mem *mem)
{
    ft_mem_free(mem, ghosts->ghosts);
    ghosts->ghosts = NULL;
    ft_memo_index_fini(&ghosts->index, mem);
}

uint64_t ft_ghosts_bytes(const ft_ghosts *ghosts)
{
    return (uint64_t)ghosts->room * sizeof *ghosts->ghosts + ft_memo_index_bytes(&ghosts->index);
}
