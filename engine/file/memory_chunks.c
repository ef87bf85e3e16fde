/* SPDX-License-Identifier: Apache-2.0 */
/* memory_chunks.c: the chunks of memory (docs/format.md) become the profile's memory.
 *
 * Each type is a function that takes one record; the loop around them is the same. The orders of
 * rows are looked at where the model adds them. */
#include "engine/file/memory_chunks.h"

/* Bytes of memory one element may cost, slots of the index and spare room included. */
enum {
    SITE_COST = 2 * sizeof(ft_site) + 16,
    HEAP_COST = 2 * sizeof(ft_heap_summary),
    MOMENT_COST = 2 * sizeof(ft_moment),
    POINT_COST = 2 * sizeof(ft_point),
    POINT_ROW_COST = 2 * sizeof(ft_point_row),
    OBJECT_COST = 2 * sizeof(ft_object_row),
    CLASS_COST = 2 * sizeof(ft_class_row)
};

typedef struct record { /* of one type */
    uint32_t cost;
    ft_status (*take)(ft_segment *segment, ft_cursor *from);
} record;

static uint32_t get_site(const ft_segment *segment, ft_cursor *from)
{
    return segment->sites.ids[ft_cursor_get_below(from, segment->sites.count)];
}

static ft_status take_site(ft_segment *segment, ft_cursor *from)
{
    ft_profile *profile = segment->profile;
    ft_sites *sites = &profile->memory.sites;
    uint32_t id, code = segment->codes.ids[ft_cursor_get_below(from, segment->codes.count)];
    ft_site site = {.code = code, .line = ft_cursor_get_u32(from)};
    site.parent = get_site(segment, from);
    site.domain = ft_cursor_get_u32(from);
    site.total_count = ft_cursor_get(from);
    site.total_bytes = ft_cursor_get(from);
    site.peak_count = ft_cursor_get(from);
    site.peak_bytes = ft_cursor_get(from);
    site.alive_count = ft_cursor_get(from);
    site.alive_bytes = ft_cursor_get(from);
    site.temporary_count = ft_cursor_get(from);
    site.temporary_bytes = ft_cursor_get(from);
    bool placed =
        code == FT_CODE_NONE ? site.line == 0 : profile->codes.codes[code].kind == FT_CODE_PYTHON;
    if (from->failed || !placed)
        return FT_ERR_CORRUPT;
    ft_status status = ft_sites_intern(sites, site.code, site.line, site.parent, site.domain, &id);
    if (status == FT_OK)
        status = ft_ids_add(&segment->sites, profile->mem, id);
    if (status == FT_OK)
        ft_sites_add(sites, id, &site);
    return status;
}

static ft_status take_heap(ft_segment *segment, ft_cursor *from)
{
    ft_heap_summary heap = {.process = ft_segment_get_process(segment, from)};
    heap.frames = ft_cursor_get_u32(from);
    heap.sample = ft_cursor_get(from);
    heap.total_count = ft_cursor_get(from);
    heap.total_bytes = ft_cursor_get(from);
    heap.peak_bytes = ft_cursor_get(from);
    heap.peak_time = ft_cursor_get(from);
    heap.alive_count = ft_cursor_get(from);
    heap.alive_bytes = ft_cursor_get(from);
    return from->failed ? FT_ERR_CORRUPT : ft_memory_add_heap(&segment->profile->memory, &heap);
}

static ft_status take_moment(ft_segment *segment, ft_cursor *from)
{
    ft_moment moment = {.process = ft_segment_get_process(segment, from)};
    moment.time = ft_cursor_get(from);
    moment.live = ft_cursor_get(from);
    moment.rss = ft_cursor_get(from);
    return from->failed ? FT_ERR_CORRUPT : ft_memory_add_moment(&segment->profile->memory, &moment);
}

static ft_status take_point(ft_segment *segment, ft_cursor *from)
{
    ft_point point = {.process = ft_segment_get_process(segment, from)};
    point.name = ft_segment_get_text(segment, from);
    point.time = ft_cursor_get(from);
    point.live_count = ft_cursor_get(from);
    point.live_bytes = ft_cursor_get(from);
    point.rss = ft_cursor_get(from);
    return from->failed ? FT_ERR_CORRUPT : ft_memory_add_point(&segment->profile->memory, &point);
}

static ft_status take_point_row(ft_segment *segment, ft_cursor *from)
{
    ft_memory *memory = &segment->profile->memory;
    uint32_t point = ft_cursor_get_below(from, memory->point_count - segment->first_point);
    ft_point_row row = {.point = segment->first_point + point, .site = get_site(segment, from)};
    row.count = ft_cursor_get(from);
    row.bytes = ft_cursor_get(from);
    if (from->failed || row.site == FT_SITE_NONE)
        return FT_ERR_CORRUPT;
    return ft_memory_add_point_row(memory, &row);
}

static ft_status take_object(ft_segment *segment, ft_cursor *from)
{
    ft_object_row object = {.process = ft_segment_get_process(segment, from)};
    object.type = ft_segment_get_text(segment, from);
    object.site = get_site(segment, from);
    object.count = ft_cursor_get(from);
    object.bytes = ft_cursor_get(from);
    return from->failed ? FT_ERR_CORRUPT : ft_memory_add_object(&segment->profile->memory, &object);
}

static ft_status take_class(ft_segment *segment, ft_cursor *from)
{
    ft_class_row class_row = {.process = ft_segment_get_process(segment, from)};
    class_row.type = ft_segment_get_text(segment, from);
    class_row.why = ft_segment_get_text(segment, from);
    class_row.instances = ft_cursor_get(from);
    class_row.bytes = ft_cursor_get(from);
    class_row.plain = ft_cursor_get(from);
    class_row.slotted = ft_cursor_get(from);
    return from->failed ? FT_ERR_CORRUPT
                        : ft_memory_add_class(&segment->profile->memory, &class_row);
}

/* How a record of that type is taken; take is NULL for a type that is none of memory's. */
static record record_of(uint32_t type)
{
    switch (type) {
    case FT_CHUNK_SITE:
        return (record){SITE_COST, take_site};
    case FT_CHUNK_HEAP:
        return (record){HEAP_COST, take_heap};
    case FT_CHUNK_MOMT:
        return (record){MOMENT_COST, take_moment};
    case FT_CHUNK_PONT:
        return (record){POINT_COST, take_point};
    case FT_CHUNK_PROW:
        return (record){POINT_ROW_COST, take_point_row};
    case FT_CHUNK_OBJS:
        return (record){OBJECT_COST, take_object};
    case FT_CHUNK_CLAS:
        return (record){CLASS_COST, take_class};
    default:
        return (record){0, NULL};
    }
}

bool ft_memory_chunks_knows(uint32_t type)
{
    return record_of(type).take != NULL;
}

ft_status ft_memory_chunks_take(ft_segment *segment, uint32_t type, ft_cursor *from)
{
    const record of = record_of(type);
    ft_status status = FT_OK;
    while (!ft_cursor_is_done(from) && status == FT_OK) {
        status = ft_segment_spend(segment, of.cost);
        if (status == FT_OK)
            status = of.take(segment, from);
    }
    return status;
}
