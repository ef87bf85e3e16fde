/* SPDX-License-Identifier: Apache-2.0 */
/* heap_harvest.c: the heap in an arena becomes the profile's memory (see heap_harvest.h).
 *
 * Both parts of a heap become one: sites of the same place are one site of the model, and cells of
 * all sizes are summed into it. What one counted block stands for is applied here, so that the
 * model's numbers of a sampled heap are estimates of what the program did. */
#include "engine/record/heap_harvest.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/sum.h"

enum { PARTS = 2 };

void ft_heap_harvest_fini(ft_heap_harvest *harvest)
{
    for (int part = 0; part < PARTS; part++)
        ft_mem_free(harvest->mem, harvest->sites[part].ids);
}

static uint64_t product(uint64_t a, uint64_t b)
{
    return a != 0 && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

/* A number of blocks of which each stands for so many. */
static uint64_t scale(uint64_t blocks, double each)
{
    double all = (double)blocks * each;
    if (each == 1)
        return blocks;
    return all < 0x1p63 ? (uint64_t)llround(all) : UINT64_MAX;
}

static uint64_t time_of(const ft_heap_harvest *harvest, uint64_t ticks)
{
    uint64_t since = ticks > harvest->begun ? ticks - harvest->begun : 0;
    return ft_clock_to_ns(since, harvest->ns_per_tick);
}

static ft_status take_head(ft_heap_harvest *harvest, const uint8_t *content, uint64_t bytes)
{
    if (bytes < sizeof harvest->head) {
        harvest->torn += bytes > 0; /* else it ended while it began */
        return FT_OK;
    }
    memcpy(&harvest->head, content, sizeof harvest->head);
    harvest->has_head = true;
    harvest->last = (ft_heap_moment){.ticks = harvest->begun};
    harvest->summary = (ft_heap_summary){.process = harvest->process,
                                         .frames = harvest->head.frames,
                                         .sample = harvest->head.sample};
    return FT_OK;
}

/* ---- sites ---- */

/* The profile's site of a part's; FT_SITE_NONE where there is none, which is torn. */
static uint32_t find_site(ft_heap_harvest *harvest, uint32_t part, uint32_t number)
{
    if (part < PARTS && number < harvest->sites[part].count && number > 0)
        return harvest->sites[part].ids[number];
    harvest->torn++;
    return FT_SITE_NONE;
}

static ft_status intern_site(ft_heap_harvest *harvest, uint32_t part, const ft_heap_site *site,
                             uint32_t *id)
{
    ft_profile *profile = harvest->profile;
    uint32_t code = FT_CODE_NONE, line = 0, parent = FT_SITE_NONE;
    if (site->code > 0 && site->code <= harvest->code_count &&
        profile->codes.codes[harvest->codes[site->code]].kind == FT_CODE_PYTHON) {
        code = harvest->codes[site->code];
        line = site->line;
    }
    harvest->torn += (code == FT_CODE_NONE) != (site->code == 0);
    if (site->parent != 0) /* the sites before it only: so it is not among them itself */
        parent = find_site(harvest, part, site->parent);
    return ft_sites_intern(&profile->memory.sites, code, line, parent, site->domain, id);
}

static ft_status add_number(ft_heap_harvest *harvest, ft_heap_numbers *numbers, uint32_t id)
{
    if (numbers->count >= UINT32_MAX / 2)
        return FT_ERR_LIMIT;
    uint32_t *ids =
        ft_array_grow(harvest->mem, numbers->ids, numbers->count + 1, &numbers->room, sizeof *ids);
    if (ids == NULL)
        return FT_ERR_MEMORY;
    numbers->ids = ids;
    ids[numbers->count++] = id;
    return FT_OK;
}

static ft_status take_sites(ft_heap_harvest *harvest, uint32_t part, const uint8_t *content,
                            uint64_t bytes)
{
    ft_heap_site site;
    ft_status status = FT_OK;
    ft_heap_numbers *numbers = &harvest->sites[part];
    if (numbers->count == 0) /* they begin at 1 */
        status = add_number(harvest, numbers, FT_SITE_NONE);
    for (uint64_t at = 0; bytes - at >= sizeof site && status == FT_OK; at += sizeof site) {
        uint32_t id;
        memcpy(&site, content + at, sizeof site);
        status = intern_site(harvest, part, &site, &id);
        if (status == FT_OK)
            status = add_number(harvest, numbers, id);
    }
    return status;
}

/* ---- cells ---- */

typedef struct tally { /* of one cell: what it counts, before it is known what that stands for */
    uint64_t total, peak, alive, temporary;
} tally;

static tally read_tally(const ft_heap_harvest *harvest, const ft_heap_cell *cell)
{
    bool noted = ft_heap_load(&cell->serial) == ft_heap_serial(&harvest->head);
    return (tally){
        .total = ft_heap_load(&cell->total),
        .peak = ft_heap_load(noted ? &cell->at_peak : &cell->live),
        .alive = ft_heap_load(&cell->live),
        .temporary = ft_heap_load(&cell->temporary),
    };
}

static ft_site same_size(const ft_heap_harvest *harvest, const ft_heap_cell *cell)
{
    const tally blocks = read_tally(harvest, cell);
    const double each = ft_heap_stands_for(harvest->head.sample, cell->size);
    return (ft_site){
        .total_count = scale(blocks.total, each),
        .total_bytes = product(blocks.total, cell->weight),
        .peak_count = scale(blocks.peak, each),
        .peak_bytes = product(blocks.peak, cell->weight),
        .alive_count = scale(blocks.alive, each),
        .alive_bytes = product(blocks.alive, cell->weight),
        .temporary_count = scale(blocks.temporary, each),
        .temporary_bytes = product(blocks.temporary, cell->weight),
    };
}

/* Blocks of all sizes are large: each was counted, and stands for itself. */
static ft_site any_size(const ft_heap_harvest *harvest, const ft_heap_cell *cell,
                        const ft_heap_cell *behind)
{
    const tally blocks = read_tally(harvest, cell), bytes = read_tally(harvest, behind);
    return (ft_site){
        .total_count = blocks.total,
        .total_bytes = bytes.total,
        .peak_count = blocks.peak,
        .peak_bytes = bytes.peak,
        .alive_count = blocks.alive,
        .alive_bytes = bytes.alive,
        .temporary_count = blocks.temporary,
        .temporary_bytes = bytes.temporary,
    };
}

/* A site that is not known is one of an unknown place. */
static ft_status add_to_site(ft_heap_harvest *harvest, uint32_t part, uint32_t number,
                             const ft_site *numbers)
{
    ft_heap_summary *summary = &harvest->summary;
    ft_sites *sites = &harvest->profile->memory.sites;
    uint32_t id = find_site(harvest, part, number);
    if (id == FT_SITE_NONE) {
        ft_status status = ft_sites_intern(sites, FT_CODE_NONE, 0, FT_SITE_NONE, 0, &id);
        if (status != FT_OK)
            return status;
    }
    ft_sites_add(sites, id, numbers);
    summary->total_count = ft_sum(summary->total_count, numbers->total_count);
    summary->total_bytes = ft_sum(summary->total_bytes, numbers->total_bytes);
    summary->alive_count = ft_sum(summary->alive_count, numbers->alive_count);
    summary->alive_bytes = ft_sum(summary->alive_bytes, numbers->alive_bytes);
    return FT_OK;
}

static ft_status take_cells(ft_heap_harvest *harvest, uint32_t part, const uint8_t *content,
                            uint64_t bytes)
{
    ft_heap_cell cell, behind;
    ft_status status = FT_OK;
    for (uint64_t at = 0; bytes - at >= sizeof cell && status == FT_OK; at += sizeof cell) {
        ft_site numbers;
        memcpy(&cell, content + at, sizeof cell);
        if (cell.kind == FT_HEAP_ANY_SIZE && bytes - at >= 2 * sizeof cell) {
            at += sizeof cell;
            memcpy(&behind, content + at, sizeof behind);
            harvest->torn += behind.kind != FT_HEAP_BYTES;
            numbers = any_size(harvest, &cell, &behind);
        } else if (cell.kind == FT_HEAP_SAME_SIZE) {
            numbers = same_size(harvest, &cell);
        } else {
            harvest->torn++;
            continue;
        }
        status = add_to_site(harvest, part, cell.site, &numbers);
    }
    return status;
}

/* ---- the timeline ---- */

/* The heap was largest when so many blocks had been allocated. Between two moments they are taken
 * to have come at a steady pace. */
static void find_peak(ft_heap_harvest *harvest, uint64_t ticks, uint64_t allocated)
{
    const ft_heap_moment *last = &harvest->last;
    const uint64_t wanted = ft_heap_load(&harvest->head.peak_at);
    if (harvest->peak_found || allocated < wanted)
        return;
    harvest->peak_found = true;
    harvest->peak_ticks = last->ticks;
    if (wanted > last->allocated && ticks > last->ticks)
        harvest->peak_ticks +=
            (uint64_t)((double)(ticks - last->ticks) * ((double)(wanted - last->allocated) /
                                                        (double)(allocated - last->allocated)));
}

static ft_status take_moments(ft_heap_harvest *harvest, const uint8_t *content, uint64_t bytes)
{
    ft_heap_moment moment;
    ft_status status = FT_OK;
    for (uint64_t at = 0; bytes - at >= sizeof moment && status == FT_OK; at += sizeof moment) {
        memcpy(&moment, content + at, sizeof moment);
        if (moment.ticks < harvest->begun)
            moment.ticks = harvest->begun;
        if (moment.ticks < harvest->last.ticks) /* while they were thinned out */
            continue;
        find_peak(harvest, moment.ticks, moment.allocated);
        harvest->last = moment;
        const ft_moment made = {.process = harvest->process,
                                .time = time_of(harvest, moment.ticks),
                                .live = moment.live,
                                .rss = moment.rss};
        status = ft_memory_add_moment(&harvest->profile->memory, &made);
    }
    if (harvest->last.ticks > harvest->last_event)
        harvest->last_event = harvest->last.ticks;
    return status;
}

/* ---- points ---- */

/* The profile's text of a number; the empty one where there is none, which is torn. */
static uint32_t find_text(ft_heap_harvest *harvest, uint32_t number)
{
    if (number > 0 && number <= harvest->text_count)
        return harvest->texts[number];
    harvest->torn++;
    return 0;
}

static ft_status add_point_rows(ft_heap_harvest *harvest, const uint8_t *rows, uint32_t count)
{
    ft_memory *memory = &harvest->profile->memory;
    ft_point *point = &memory->points[memory->point_count - 1];
    ft_heap_point_row row;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < count && status == FT_OK; i++, rows += sizeof row) {
        memcpy(&row, rows, sizeof row);
        uint32_t site = find_site(harvest, row.part, row.site);
        if (site == FT_SITE_NONE)
            continue;
        const ft_point_row made = {
            .point = memory->point_count - 1, .site = site, .count = row.count, .bytes = row.bytes};
        point->live_count = ft_sum(point->live_count, row.count);
        status = ft_memory_add_point_row(memory, &made);
    }
    return status;
}

static ft_status take_points(ft_heap_harvest *harvest, const uint8_t *content, uint64_t bytes)
{
    ft_heap_point head;
    for (uint64_t at = 0; bytes - at >= sizeof head;) {
        memcpy(&head, content + at, sizeof head);
        at += sizeof head;
        uint64_t length = (uint64_t)head.rows * sizeof(ft_heap_point_row);
        if (length > bytes - at) {
            harvest->torn++; /* where the next one begins is not known */
            return FT_OK;
        }
        const ft_point made = {.process = harvest->process,
                               .name = find_text(harvest, head.name),
                               .time = time_of(harvest, head.moment.ticks),
                               .live_bytes = head.moment.live,
                               .rss = head.moment.rss};
        ft_status status = ft_memory_add_point(&harvest->profile->memory, &made);
        if (status == FT_OK)
            status = add_point_rows(harvest, content + at, head.rows);
        if (status != FT_OK)
            return status;
        at += length;
    }
    return FT_OK;
}

/* ---- objects ---- */

static ft_status take_objects(ft_heap_harvest *harvest, const uint8_t *content, uint64_t bytes)
{
    ft_heap_object object;
    ft_status status = FT_OK;
    for (uint64_t at = 0; bytes - at >= sizeof object && status == FT_OK; at += sizeof object) {
        memcpy(&object, content + at, sizeof object);
        const ft_object_row made = {
            .process = harvest->process,
            .type = find_text(harvest, object.type),
            .site = object.site == 0 ? FT_SITE_NONE : find_site(harvest, object.part, object.site),
            .count = object.count,
            .bytes = object.bytes};
        status = ft_memory_add_object(&harvest->profile->memory, &made);
    }
    return status;
}

static ft_status take_classes(ft_heap_harvest *harvest, const uint8_t *content, uint64_t bytes)
{
    ft_heap_class class_cell;
    ft_status status = FT_OK;
    for (uint64_t at = 0; bytes - at >= sizeof class_cell && status == FT_OK;
         at += sizeof class_cell) {
        memcpy(&class_cell, content + at, sizeof class_cell);
        const ft_class_row made = {.process = harvest->process,
                                   .type = find_text(harvest, class_cell.type),
                                   .why =
                                       class_cell.why == 0 ? 0 : find_text(harvest, class_cell.why),
                                   .instances = class_cell.instances,
                                   .bytes = class_cell.bytes,
                                   .plain = class_cell.plain,
                                   .slotted = class_cell.slotted};
        status = ft_memory_add_class(&harvest->profile->memory, &made);
    }
    return status;
}

/* ---- the end ---- */

ft_status ft_heap_harvest_block(ft_heap_harvest *harvest, ft_block_kind kind, uint32_t owner,
                                const uint8_t *content, uint64_t bytes)
{
    const bool of_part = kind == FT_BLOCK_SITES || kind == FT_BLOCK_CELLS;
    if ((kind == FT_BLOCK_HEAP) == harvest->has_head || (of_part && owner >= PARTS)) {
        harvest->torn++; /* a second head, or something without a head or part */
        return FT_OK;
    }
    switch (kind) {
    case FT_BLOCK_HEAP:
        return take_head(harvest, content, bytes);
    case FT_BLOCK_SITES:
        return take_sites(harvest, owner, content, bytes);
    case FT_BLOCK_CELLS:
        return take_cells(harvest, owner, content, bytes);
    case FT_BLOCK_MOMENTS:
        return take_moments(harvest, content, bytes);
    case FT_BLOCK_POINTS:
        return take_points(harvest, content, bytes);
    case FT_BLOCK_OBJECTS:
        return take_objects(harvest, content, bytes);
    default:
        assert(kind == FT_BLOCK_CLASSES);
        return take_classes(harvest, content, bytes);
    }
}

ft_status ft_heap_harvest_finish(ft_heap_harvest *harvest)
{
    ft_heap_summary *summary = &harvest->summary;
    if (!harvest->has_head)
        return FT_OK;
    uint64_t end = harvest->end > 0 ? harvest->end : harvest->last_event;
    find_peak(harvest, end, ft_heap_load(&harvest->head.allocated[FT_HEAP_PYTHON]));
    summary->peak_time = time_of(harvest, harvest->peak_ticks);
    summary->peak_bytes = ft_heap_load(&harvest->head.peak);
    if (summary->peak_bytes < summary->alive_bytes) /* it died between a cell and the head */
        summary->peak_bytes = summary->alive_bytes;
    return ft_memory_add_heap(&harvest->profile->memory, summary);
}
