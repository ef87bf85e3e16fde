/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c: the memory of a recording (see memory.h).
 *
 * Six arrays of rows beside the sites, each only appended to; so taking back is setting counts. The
 * orders are looked at where a row is added: whoever reads finds runs and need not search. */
#include "engine/model/memory.h"

#include <assert.h>

#include "engine/base/array.h"

/* The block with room for one more element, or why there is none. */
static ft_status grow(const ft_memory *memory, void *block, uint32_t count, uint32_t *capacity,
                      size_t size, void **grown)
{
    if (count == UINT32_MAX)
        return FT_ERR_LIMIT;
    void *larger = ft_array_grow(memory->mem, block, count + 1, capacity, size);
    if (larger == NULL)
        return FT_ERR_MEMORY;
    *grown = larger;
    return FT_OK;
}

/* ---- orders ---- */

static bool heap_follows(const ft_heap_summary *last, const ft_heap_summary *heap)
{
    return last->process < heap->process;
}

static bool moment_follows(const ft_moment *last, const ft_moment *moment)
{
    return last->process < moment->process ||
           (last->process == moment->process && last->time <= moment->time);
}

static bool point_follows(const ft_point *last, const ft_point *point)
{
    return last->process <= point->process;
}

static bool point_row_follows(const ft_point_row *last, const ft_point_row *row)
{
    return last->point <= row->point;
}

/* ---- adding ---- */

ft_status ft_memory_add_heap(ft_memory *memory, const ft_heap_summary *heap)
{
    const ft_heap_summary copy = *heap; /* here and below: it may lie in the array that moves */
    void *heaps;
    if (memory->heap_count > 0 && !heap_follows(&memory->heaps[memory->heap_count - 1], heap))
        return FT_ERR_CORRUPT;
    ft_status status = grow(memory, memory->heaps, memory->heap_count, &memory->heap_capacity,
                            sizeof copy, &heaps);
    if (status != FT_OK)
        return status;
    memory->heaps = heaps;
    memory->heaps[memory->heap_count++] = copy;
    return FT_OK;
}

ft_status ft_memory_add_moment(ft_memory *memory, const ft_moment *moment)
{
    const ft_moment copy = *moment;
    void *moments;
    if (memory->moment_count > 0 &&
        !moment_follows(&memory->moments[memory->moment_count - 1], moment))
        return FT_ERR_CORRUPT;
    ft_status status = grow(memory, memory->moments, memory->moment_count, &memory->moment_capacity,
                            sizeof copy, &moments);
    if (status != FT_OK)
        return status;
    memory->moments = moments;
    memory->moments[memory->moment_count++] = copy;
    return FT_OK;
}

ft_status ft_memory_add_point(ft_memory *memory, const ft_point *point)
{
    const ft_point copy = *point;
    void *points;
    if (memory->point_count > 0 && !point_follows(&memory->points[memory->point_count - 1], point))
        return FT_ERR_CORRUPT;
    ft_status status = grow(memory, memory->points, memory->point_count, &memory->point_capacity,
                            sizeof copy, &points);
    if (status != FT_OK)
        return status;
    memory->points = points;
    memory->points[memory->point_count++] = copy;
    return FT_OK;
}

ft_status ft_memory_add_point_row(ft_memory *memory, const ft_point_row *row)
{
    const ft_point_row copy = *row;
    void *rows;
    if (memory->point_row_count > 0 &&
        !point_row_follows(&memory->point_rows[memory->point_row_count - 1], row))
        return FT_ERR_CORRUPT;
    ft_status status = grow(memory, memory->point_rows, memory->point_row_count,
                            &memory->point_row_capacity, sizeof copy, &rows);
    if (status != FT_OK)
        return status;
    memory->point_rows = rows;
    memory->point_rows[memory->point_row_count++] = copy;
    return FT_OK;
}

ft_status ft_memory_add_object(ft_memory *memory, const ft_object_row *object)
{
    const ft_object_row copy = *object;
    void *objects;
    ft_status status = grow(memory, memory->objects, memory->object_count, &memory->object_capacity,
                            sizeof copy, &objects);
    if (status != FT_OK)
        return status;
    memory->objects = objects;
    memory->objects[memory->object_count++] = copy;
    return FT_OK;
}

ft_status ft_memory_add_class(ft_memory *memory, const ft_class_row *class_row)
{
    const ft_class_row copy = *class_row;
    void *classes;
    ft_status status = grow(memory, memory->classes, memory->class_count, &memory->class_capacity,
                            sizeof copy, &classes);
    if (status != FT_OK)
        return status;
    memory->classes = classes;
    memory->classes[memory->class_count++] = copy;
    return FT_OK;
}

/* ---- merging ---- */

static uint32_t new_text(ft_memory_ids ids, uint32_t text)
{
    return ids.texts == NULL ? text : ids.texts[text];
}

static ft_status merge_heaps(ft_memory *into, const ft_memory *from, ft_memory_ids ids)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < from->heap_count && status == FT_OK; i++) {
        ft_heap_summary heap = from->heaps[i];
        heap.process += ids.first_process;
        status = ft_memory_add_heap(into, &heap);
    }
    return status;
}

static ft_status merge_moments(ft_memory *into, const ft_memory *from, ft_memory_ids ids)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < from->moment_count && status == FT_OK; i++) {
        ft_moment moment = from->moments[i];
        moment.process += ids.first_process;
        status = ft_memory_add_moment(into, &moment);
    }
    return status;
}

static ft_status merge_points(ft_memory *into, const ft_memory *from, ft_memory_ids ids,
                              const uint32_t *sites)
{
    const uint32_t first = into->point_count;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < from->point_count && status == FT_OK; i++) {
        ft_point point = from->points[i];
        point.process += ids.first_process;
        point.name = new_text(ids, point.name);
        status = ft_memory_add_point(into, &point);
    }
    for (uint32_t i = 0; i < from->point_row_count && status == FT_OK; i++) {
        ft_point_row row = from->point_rows[i];
        row.point += first;
        row.site = sites[row.site];
        status = ft_memory_add_point_row(into, &row);
    }
    return status;
}

static ft_status merge_objects(ft_memory *into, const ft_memory *from, ft_memory_ids ids,
                               const uint32_t *sites)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < from->object_count && status == FT_OK; i++) {
        ft_object_row object = from->objects[i];
        object.process += ids.first_process;
        object.type = new_text(ids, object.type);
        object.site = sites[object.site];
        status = ft_memory_add_object(into, &object);
    }
    for (uint32_t i = 0; i < from->class_count && status == FT_OK; i++) {
        ft_class_row class_row = from->classes[i];
        class_row.process += ids.first_process;
        class_row.type = new_text(ids, class_row.type);
        class_row.why = new_text(ids, class_row.why);
        status = ft_memory_add_class(into, &class_row);
    }
    return status;
}

ft_status ft_memory_merge(ft_memory *into, const ft_memory *from, ft_memory_ids ids,
                          uint32_t *sites)
{
    const ft_memory before = *into; /* its counts only: the blocks may move */
    assert(into != from);
    ft_status status = ft_sites_merge(&into->sites, &from->sites, ids.codes, sites);
    if (status == FT_OK)
        status = merge_heaps(into, from, ids);
    if (status == FT_OK)
        status = merge_moments(into, from, ids);
    if (status == FT_OK)
        status = merge_points(into, from, ids, sites);
    if (status == FT_OK)
        status = merge_objects(into, from, ids, sites);
    if (status != FT_OK)
        ft_memory_cut(into, &before);
    return status;
}

void ft_memory_sum(ft_memory *into, const ft_memory *from, const uint32_t *sites)
{
    ft_sites_sum(&into->sites, &from->sites, sites);
}

void ft_memory_cut(ft_memory *memory, const ft_memory *before)
{
    ft_sites_cut(&memory->sites, before->sites.count);
    memory->heap_count = before->heap_count;
    memory->moment_count = before->moment_count;
    memory->point_count = before->point_count;
    memory->point_row_count = before->point_row_count;
    memory->object_count = before->object_count;
    memory->class_count = before->class_count;
}

/* ---- the whole ---- */

bool ft_memory_is_empty(const ft_memory *memory)
{
    return memory->sites.count == 1 && memory->heap_count == 0 && memory->moment_count == 0 &&
           memory->point_count == 0 && memory->object_count == 0 && memory->class_count == 0;
}

static bool sites_are_valid(const ft_sites *sites, const ft_codetab *codes)
{
    if (!ft_sites_are_sound(sites))
        return false;
    for (uint32_t id = FT_SITE_NONE + 1; id < sites->count; id++) {
        uint32_t code = sites->sites[id].code;
        if (code >= codes->count ||
            (code != FT_CODE_NONE && codes->codes[code].kind != FT_CODE_PYTHON))
            return false;
    }
    return true;
}

static bool timelines_are_valid(const ft_memory *memory, uint32_t process_count)
{
    for (uint32_t i = 0; i < memory->heap_count; i++)
        if (memory->heaps[i].process >= process_count ||
            (i > 0 && !heap_follows(&memory->heaps[i - 1], &memory->heaps[i])))
            return false;
    for (uint32_t i = 0; i < memory->moment_count; i++)
        if (memory->moments[i].process >= process_count ||
            (i > 0 && !moment_follows(&memory->moments[i - 1], &memory->moments[i])))
            return false;
    return true;
}

static bool points_are_valid(const ft_memory *memory, uint32_t text_count, uint32_t process_count)
{
    for (uint32_t i = 0; i < memory->point_count; i++) {
        const ft_point *point = &memory->points[i];
        if (point->process >= process_count || point->name >= text_count ||
            (i > 0 && !point_follows(&memory->points[i - 1], point)))
            return false;
    }
    for (uint32_t i = 0; i < memory->point_row_count; i++) {
        const ft_point_row *row = &memory->point_rows[i];
        if (row->point >= memory->point_count || row->site >= memory->sites.count ||
            row->site == FT_SITE_NONE ||
            (i > 0 && !point_row_follows(&memory->point_rows[i - 1], row)))
            return false;
    }
    return true;
}

static bool objects_are_valid(const ft_memory *memory, uint32_t text_count, uint32_t process_count)
{
    for (uint32_t i = 0; i < memory->object_count; i++) {
        const ft_object_row *object = &memory->objects[i];
        if (object->process >= process_count || object->type >= text_count ||
            object->site >= memory->sites.count)
            return false;
    }
    for (uint32_t i = 0; i < memory->class_count; i++) {
        const ft_class_row *class_row = &memory->classes[i];
        if (class_row->process >= process_count || class_row->type >= text_count ||
            class_row->why >= text_count)
            return false;
    }
    return true;
}

bool ft_memory_is_valid(const ft_memory *memory, const ft_codetab *codes, uint32_t text_count,
                        uint32_t process_count)
{
    return sites_are_valid(&memory->sites, codes) && timelines_are_valid(memory, process_count) &&
           points_are_valid(memory, text_count, process_count) &&
           objects_are_valid(memory, text_count, process_count);
}

ft_status ft_memory_init(ft_memory *memory, const ft_mem *mem)
{
    *memory = (ft_memory){.mem = mem};
    return ft_sites_init(&memory->sites, mem);
}

void ft_memory_fini(ft_memory *memory)
{
    ft_mem_free(memory->mem, memory->classes);
    ft_mem_free(memory->mem, memory->objects);
    ft_mem_free(memory->mem, memory->point_rows);
    ft_mem_free(memory->mem, memory->points);
    ft_mem_free(memory->mem, memory->moments);
    ft_mem_free(memory->mem, memory->heaps);
    ft_sites_fini(&memory->sites);
    *memory = (ft_memory){.mem = memory->mem, .sites = {.mem = memory->mem}};
}
