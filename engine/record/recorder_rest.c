/* SPDX-License-Identifier: Apache-2.0 */
/* recorder_rest.c: the parked stacks of a recorder (see recorder_rest.h). */
#include "engine/record/recorder_rest.h"

#include <assert.h>
#include <string.h>

/* A frame in the middle of a parked stack is looked for only while that is cheap. */
enum { SEARCH_ENTRIES = 1 << 14 };

static ft_parked **bucket(ft_recorder_rest *rest, uintptr_t frame)
{
    return &rest->buckets[(frame * UINT64_C(0x9E3779B97F4A7C15)) >> 56];
}

static uintptr_t plain(uintptr_t frame)
{
    return frame & ~(uintptr_t)1;
}

ft_recorder_rest *ft_recorder_rest_new(const ft_mem *mem)
{
    ft_recorder_rest *rest = ft_mem_new(mem, 1, sizeof *rest);
    if (rest == NULL)
        return NULL;
    ft_pool_init(&rest->pool, mem);
    ft_tasks_init(&rest->tasks, mem);
    return rest;
}

void ft_recorder_rest_free(ft_recorder_rest *rest, const ft_mem *mem)
{
    if (rest == NULL)
        return;
    ft_parked_drop_all(rest, mem);
    ft_line_recorder_free(rest->lines, mem);
    ft_tasks_fini(&rest->tasks);
    ft_pool_fini(&rest->pool);
    ft_mem_free(mem, rest);
}

ft_line_recorder *ft_recorder_lines(ft_recorder *recorder)
{
    if (FT_UNLIKELY(recorder->rest->lines == NULL))
        recorder->rest->lines = ft_line_recorder_new(recorder);
    return recorder->rest->lines;
}

void ft_parked_drop_all(ft_recorder_rest *rest, const ft_mem *mem)
{
    for (size_t i = 0; i < sizeof rest->buckets / sizeof rest->buckets[0]; i++) {
        for (ft_parked *parked = rest->buckets[i], *next; parked != NULL; parked = next) {
            next = parked->next;
            ft_mem_free(mem, parked);
        }
        rest->buckets[i] = NULL;
    }
    rest->parked_entries = 0;
}

void ft_parked_add(ft_recorder_rest *rest, const ft_mem *mem, const ft_stack_entry *entries,
                   size_t count)
{
    assert(count > 0);
    if (count > FT_PARKED_MAX_ENTRIES)
        return;
    if (rest->parked_entries + count > FT_PARKED_MAX_ENTRIES)
        ft_parked_drop_all(rest, mem);
    ft_parked *parked = ft_mem_resize(mem, NULL, sizeof *parked + count * sizeof *entries, 1);
    if (parked == NULL)
        return;
    ft_parked **head = bucket(rest, plain(entries[count - 1].frame));
    parked->next = *head;
    parked->count = count;
    memcpy(parked->entries, entries, count * sizeof *entries);
    *head = parked;
    rest->parked_entries += count;
}

static ft_parked *unlink_at(ft_recorder_rest *rest, ft_parked **link)
{
    ft_parked *parked = *link;
    *link = parked->next;
    rest->parked_entries -= parked->count;
    return parked;
}

static bool holds(const ft_parked *parked, uintptr_t frame)
{
    for (size_t i = 0; i < parked->count; i++)
        if (plain(parked->entries[i].frame) == frame)
            return true;
    return false;
}

ft_parked *ft_parked_take(ft_recorder_rest *rest, uintptr_t frame)
{
    if (rest->parked_entries == 0)
        return NULL;
    for (ft_parked **link = bucket(rest, frame); *link != NULL; link = &(*link)->next)
        if (plain((*link)->entries[(*link)->count - 1].frame) == frame)
            return unlink_at(rest, link);
    if (rest->parked_entries > SEARCH_ENTRIES)
        return NULL;
    for (size_t i = 0; i < sizeof rest->buckets / sizeof rest->buckets[0]; i++)
        for (ft_parked **link = &rest->buckets[i]; *link != NULL; link = &(*link)->next)
            if (holds(*link, frame))
                return unlink_at(rest, link);
    return NULL;
}
