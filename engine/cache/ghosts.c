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
    assert(room > 0 && room < FT_GHOST_NONE / 4);
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

ft_ghost_place ft_ghosts_find(const ft_ghosts *ghosts, uint32_t hash)
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

static void append(ft_ghosts *ghosts, uint8_t list, uint32_t ghost)
{
    ft_ghost_list *into = &ghosts->lists[list];
    ghosts->ghosts[ghost].before = into->last;
    ghosts->ghosts[ghost].after = FT_GHOST_NONE;
    if (into->last == FT_GHOST_NONE)
        into->first = ghost;
    else
        ghosts->ghosts[into->last].after = ghost;
    into->last = ghost;
    into->count++;
}

void ft_ghosts_add(ft_ghosts *ghosts, uint8_t list, uint32_t hash)
{
    uint32_t ghost = ghosts->free;
    if (ghost != FT_GHOST_NONE)
        ghosts->free = ghosts->ghosts[ghost].after;
    else
        ghost = ghosts->used++;
    assert(ghost < ghosts->room && list < FT_GHOST_LISTS);
    ghosts->ghosts[ghost].hash = hash;
    append(ghosts, list, ghost);
    ft_memo_index_add(&ghosts->index, hash, ghost * 2 + list);
}

void ft_ghosts_remove(ft_ghosts *ghosts, ft_ghost_place place)
{
    ft_ghost *ghost = &ghosts->ghosts[place.ghost];
    ft_ghost_list *list = &ghosts->lists[place.list];
    assert(place.ghost < ghosts->used && list->count > 0);
    ft_memo_index_remove(&ghosts->index, ghost->hash, place.ghost * 2 + place.list,
                         FT_INDEX_ELSEWHERE);
    if (ghost->before == FT_GHOST_NONE)
        list->first = ghost->after;
    else
        ghosts->ghosts[ghost->before].after = ghost->after;
    if (ghost->after == FT_GHOST_NONE)
        list->last = ghost->before;
    else
        ghosts->ghosts[ghost->after].before = ghost->before;
    list->count--;
    ghost->after = ghosts->free;
    ghosts->free = place.ghost;
}

void ft_ghosts_drop(ft_ghosts *ghosts, uint8_t list)
{
    assert(ghosts->lists[list].count > 0);
    ft_ghosts_remove(ghosts, (ft_ghost_place){ghosts->lists[list].first, list});
}

uint64_t ft_ghosts_bytes(const ft_ghosts *ghosts)
{
    return (uint64_t)ghosts->room * sizeof *ghosts->ghosts + ft_memo_index_bytes(&ghosts->index);
}
