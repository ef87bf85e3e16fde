/* SPDX-License-Identifier: Apache-2.0 */
/* line_harvest.c: the lines in an arena become the profile's (see line_harvest.h). */
#include "engine/record/line_harvest.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

void ft_line_harvest_fini(ft_line_harvest *harvest)
{
    ft_mem_free(harvest->mem, harvest->counts);
    ft_mem_free(harvest->mem, harvest->extents);
    ft_mem_free(harvest->mem, harvest->open);
}

/* ---- cells ---- */

static uint64_t load(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static ft_status add_table(ft_line_harvest *harvest, const ft_line_cells *head,
                           const uint8_t *cells, uint64_t address)
{
    ft_line_extent *extents =
        ft_array_grow(harvest->mem, harvest->extents, harvest->extent_count + 1,
                      &harvest->extent_room, sizeof *extents);
    if (extents == NULL)
        return FT_ERR_MEMORY;
    harvest->extents = extents;
    if (head->count > UINT32_MAX / 2 - harvest->count)
        return FT_ERR_LIMIT;
    ft_line_count *counts =
        ft_array_grow(harvest->mem, harvest->counts, harvest->count + head->count + 1,
                      &harvest->room, sizeof *counts);
    if (counts == NULL)
        return FT_ERR_MEMORY;
    harvest->counts = counts;
    extents[harvest->extent_count++] =
        (ft_line_extent){.address = address, .first = harvest->count, .count = head->count};
    for (uint32_t i = 0; i < head->count; i++, cells += sizeof(ft_line_cell)) {
        ft_line_cell cell;
        memcpy(&cell, cells, sizeof cell);
        harvest->torn += cell.line > UINT32_MAX || (i == 0) != (cell.line == 0);
        counts[harvest->count++] = (ft_line_count){
            .code = harvest->codes[head->code],
            .line = (uint32_t)cell.line,
            .hits = load(&cell.hits),
            .time = load(&cell.time),
            .waiting = load(&cell.waiting),
            .callees = load(&cell.callees),
        };
    }
    return FT_OK;
}

ft_status ft_line_harvest_cells(ft_line_harvest *harvest, const uint8_t *content, uint64_t bytes,
                                uint64_t address)
{
    ft_line_cells head;
    for (uint64_t at = 0; bytes - at >= sizeof head;) {
        memcpy(&head, content + at, sizeof head);
        at += sizeof head;
        uint64_t length = (uint64_t)head.count * sizeof(ft_line_cell);
        if (head.count == 0 || length > bytes - at || head.code == 0 ||
            head.code > harvest->code_count) {
            harvest->torn++; /* where the next one begins is not known */
            return FT_OK;
        }
        ft_status status = add_table(harvest, &head, content + at, address + at);
        if (status != FT_OK)
            return status;
        at += length;
    }
    return FT_OK;
}

/* ---- activations ---- */

static bool is_open(const ft_line_activation *activation)
{
    uint32_t state = atomic_load_explicit(&activation->state, memory_order_relaxed);
    return state == FT_LINE_RUNNING || state == FT_LINE_SUSPENDED;
}

ft_status ft_line_harvest_activations(ft_line_harvest *harvest, const uint8_t *content,
                                      uint64_t bytes)
{
    ft_line_activation activation;
    for (uint64_t at = 0; bytes - at >= sizeof activation; at += sizeof activation) {
        memcpy(&activation, content + at, sizeof activation);
        if (activation.since > harvest->last_event)
            harvest->last_event = activation.since;
        if (!is_open(&activation) || activation.cell == NULL)
            continue;
        ft_line_activation *open =
            ft_array_grow(harvest->mem, harvest->open, harvest->open_count + 1, &harvest->open_room,
                          sizeof *open);
        if (open == NULL)
            return FT_ERR_MEMORY;
        harvest->open = open;
        harvest->open[harvest->open_count++] = activation;
    }
    return FT_OK;
}

static int by_address(const void *left, const void *right)
{
    const ft_line_extent *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

/* The count of the cell that lay at address, or NULL. */
static ft_line_count *count_at(const ft_line_harvest *harvest, uint64_t address)
{
    uint32_t low = 0, high = harvest->extent_count; /* the extent is below high */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (harvest->extents[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    const ft_line_extent *extent = &harvest->extents[low - 1];
    uint64_t offset = address - extent->address;
    uint64_t index = offset / sizeof(ft_line_cell);
    if (offset % sizeof(ft_line_cell) != 0 || index >= extent->count)
        return NULL;
    return &harvest->counts[extent->first + index];
}

/* The line lasted until the end. What the process's whole CPU time does not account for was
 * waiting, as what was suspended is. */
static void add_open(ft_line_harvest *harvest, const ft_line_activation *activation, uint64_t end)
{
    ft_line_count *count = count_at(harvest, (uint64_t)(uintptr_t)activation->cell);
    uint64_t elapsed = end > activation->since ? end - activation->since : 0;
    if (count == NULL) {
        harvest->torn++;
        return;
    }
    uint32_t state = atomic_load_explicit(&activation->state, memory_order_relaxed);
    uint64_t running = state == FT_LINE_SUSPENDED ? 0 : elapsed;
    if (harvest->cpu > 0 && running > harvest->cpu)
        running = harvest->cpu;
    count->time += elapsed;
    count->waiting += elapsed - running;
}

/* ---- the end ---- */

static uint64_t at_most(uint64_t value, uint64_t bound)
{
    return value < bound ? value : bound;
}

ft_status ft_line_harvest_finish(ft_line_harvest *harvest, ft_profile *profile, double ns_per_tick)
{
    uint64_t end = harvest->end > 0 ? harvest->end : harvest->last_event;
    if (harvest->extent_count > 0)
        qsort(harvest->extents, harvest->extent_count, sizeof *harvest->extents, by_address);
    for (uint32_t i = 0; i < harvest->open_count; i++)
        add_open(harvest, &harvest->open[i], end);
    for (uint32_t i = 0; i < harvest->count; i++) {
        const ft_line_count *count = &harvest->counts[i];
        uint64_t time = count->line == 0 ? 0 : ft_clock_to_ns(count->time, ns_per_tick);
        ft_line line = {
            .code = count->code,
            .line = count->line,
            .hits = count->hits,
            .time = time,
            .waiting = at_most(ft_clock_to_ns(count->waiting, ns_per_tick), time),
            .callees = at_most(ft_clock_to_ns(count->callees, ns_per_tick), time),
        };
        if (profile->codes.codes[line.code].kind != FT_CODE_PYTHON) {
            harvest->torn++; /* no function that has lines */
            continue;
        }
        ft_status status = ft_lines_add(&profile->lines, &line);
        if (status != FT_OK)
            return status;
    }
    ft_lines_sort(&profile->lines);
    return FT_OK;
}
