/* SPDX-License-Identifier: Apache-2.0 */
/* ghosts.c: the hashes of keys that were evicted lately (see ghosts.h). */
#include "engine/cache/ghosts.h"

#include <assert.h>
#include <string.h>

static uint32_t home_of(const ft_ghosts *ghosts, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * ghosts->slots >> 32);
}

static uint32_t slot_after(const ft_ghosts *ghosts, uint32_t at)
{
    return at + 1 == ghosts->slots ? 0 : at + 1;
}

void ft_ghosts_clear(ft_ghosts *ghosts)
{
    memset(ghosts->index, 0xff, ghosts->slots * sizeof *ghosts->index); /* FT_GHOST_NONE */
    ghosts->used = 0;
    ghosts->free = FT_GHOST_NONE;
    for (int i = 0; i < FT_GHOST_LISTS; i++)
        ghosts->lists[i] = (ft_ghost_list){FT_GHOST_NONE, FT_GHOST_NONE, 0};
}

ft_status ft_ghosts_init(ft_ghosts *ghosts, const ft_mem *mem, uint32_t room)
{
    assert(room > 0 && room < FT_GHOST_NONE / 4);
    ft_ghosts made = {.room = room, .slots = room + room / 2 + 1};
    made.ghosts = ft_mem_resize(mem, NULL, made.room, sizeof *made.ghosts);
    made.index = ft_mem_resize(mem, NULL, made.slots, sizeof *made.index);
    if (made.ghosts == NULL || made.index == NULL) {
        ft_ghosts_fini(&made, mem);
        return FT_ERR_MEMORY;
    }
    ft_ghosts_clear(&made);
    *ghosts = made;
    return FT_OK;
}

void ft_ghosts_fini(ft_ghosts *ghosts, const ft_mem *mem)
{
    ft_mem_free(mem, ghosts->ghosts);
    ft_mem_free(mem, ghosts->index);
    *ghosts = (ft_ghosts){.ghosts = NULL};
}

ft_ghost_place ft_ghosts_find(const ft_ghosts *ghosts, uint32_t hash)
{
    for (uint32_t at = home_of(ghosts, hash);; at = slot_after(ghosts, at)) {
        uint32_t slot = ghosts->index[at];
        if (slot == FT_GHOST_NONE)
            return (ft_ghost_place){FT_GHOST_NONE, 0};
        if (ghosts->ghosts[slot / 2].hash == hash)
            return (ft_ghost_place){slot / 2, (uint8_t)(slot % 2)};
    }
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
    uint32_t at = home_of(ghosts, hash);
    while (ghosts->index[at] != FT_GHOST_NONE)
        at = slot_after(ghosts, at);
    ghosts->index[at] = ghost * 2 + list;
}

/* Empties the slot of a ghost and closes the gap, as memo_table.c does. */
static void index_remove(ft_ghosts *ghosts, ft_ghost_place place)
{
    uint32_t gap = home_of(ghosts, ghosts->ghosts[place.ghost].hash);
    while (ghosts->index[gap] != place.ghost * 2 + place.list)
        gap = slot_after(ghosts, gap);
    for (uint32_t at = slot_after(ghosts, gap);; at = slot_after(ghosts, at)) {
        uint32_t slot = ghosts->index[at];
        if (slot == FT_GHOST_NONE)
            break;
        uint32_t home = home_of(ghosts, ghosts->ghosts[slot / 2].hash);
        bool stays = gap <= at ? gap < home && home <= at : gap < home || home <= at;
        if (!stays) {
            ghosts->index[gap] = slot;
            gap = at;
        }
    }
    ghosts->index[gap] = FT_GHOST_NONE;
}

void ft_ghosts_remove(ft_ghosts *ghosts, ft_ghost_place place)
{
    ft_ghost *ghost = &ghosts->ghosts[place.ghost];
    ft_ghost_list *list = &ghosts->lists[place.list];
    assert(place.ghost < ghosts->used && list->count > 0);
    index_remove(ghosts, place);
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
    return (uint64_t)ghosts->room * sizeof *ghosts->ghosts +
           (uint64_t)ghosts->slots * sizeof *ghosts->index;
}
