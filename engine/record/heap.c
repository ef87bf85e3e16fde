/* SPDX-License-Identifier: Apache-2.0 */
/* heap.c: the blocks of a program's allocators (see heap.h). */
#include "engine/record/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "engine/model/code.h"
#include "engine/model/profile.h"

enum {
    SLOTS = 1 << FT_HEAP_CELL_BITS, /* of a block of cells; the first is its header */
    FIRST_MS = 10                   /* between two moments, until they are too many */
};

/* ---- opening and closing ---- */

/* One that was never made, or has had its end, is zeros. */
static void fini_part(ft_heap_part *part, const ft_mem *mem)
{
    ft_tags_fini(&part->tags);
    ft_map_fini(&part->places);
    ft_map_fini(&part->numbers);
    ft_map_fini(&part->tags_of_sizes);
    ft_map_fini(&part->codes);
    ft_mem_free(mem, part->bases);
    ft_mem_free(mem, part->known);
    ft_mem_free(mem, part->depths);
    memset(part, 0, sizeof *part);
}

static ft_status init_part(ft_heap_part *part, ft_heap *heap, uint32_t index)
{
    const ft_mem *mem = heap->recording->mem;
    part->heap = heap;
    part->head = heap->head;
    part->index = index;
    ft_map_init(&part->places, mem);
    ft_map_init(&part->numbers, mem);
    ft_map_init(&part->tags_of_sizes, mem);
    ft_map_init(&part->codes, mem);
    part->random = ft_clock_ns(CLOCK_MONOTONIC) ^ (uint64_t)(uintptr_t)part ^ (index + 1);
    if (heap->sample > 0) {
        part->samples = true;
        ft_heap_draw(part);
    }
    return ft_tags_init(&part->tags, mem, index == FT_HEAP_RAW);
}

static ft_status open_head(ft_heap *heap)
{
    heap->head_block = heap->moments = heap->points = heap->objects = heap->classes = NULL;
    ft_status status = ft_recording_reserve(heap->recording, &heap->head_block, FT_BLOCK_HEAP, 0,
                                            sizeof(ft_heap_head));
    if (status != FT_OK)
        return status;
    ft_heap_head *head = ft_block_unused(heap->head_block);
    head->sample = heap->sample;
    head->frames = heap->frames;
    atomic_store(&head->raised[0], 1); /* a cell's 0 is no serial number */
    ft_block_publish(heap->head_block, sizeof *head);
    heap->head = head;
    heap->moment_after = 0;
    return FT_OK;
}

static ft_status open_parts(ft_heap *heap)
{
    ft_clock_source source = (ft_clock_source)heap->recording->arena.header->clock_source;
    heap->moment_every = ft_clock_ticks_per_20us(source) * 50 * FIRST_MS;
    ft_map_init(&heap->texts, heap->recording->mem);
    ft_status status = open_head(heap);
    if (status != FT_OK)
        return status;
    status = init_part(&heap->parts[FT_HEAP_PYTHON], heap, FT_HEAP_PYTHON);
    if (status == FT_OK)
        status = init_part(&heap->parts[FT_HEAP_RAW], heap, FT_HEAP_RAW);
    if (status != FT_OK)
        ft_heap_close(heap);
    return status;
}

ft_status ft_heap_open(ft_heap *heap, ft_recording *recording, uint32_t frames, uint64_t sample)
{
    assert(frames >= 1 && frames <= FT_HEAP_FRAMES_MAX);
    memset(heap, 0, sizeof *heap);
    heap->recording = recording;
    heap->frames = frames;
    heap->sample = sample;
    return open_parts(heap);
}

void ft_heap_close(ft_heap *heap)
{
    ft_code_records_fini(&heap->records, heap->recording->mem);
    ft_map_fini(&heap->texts);
    fini_part(&heap->parts[FT_HEAP_PYTHON], heap->recording->mem);
    fini_part(&heap->parts[FT_HEAP_RAW], heap->recording->mem);
}

ft_status ft_heap_reopen(ft_heap *heap)
{
    ft_heap_close(heap);
    return open_parts(heap);
}

/* ---- forgetting ---- */

void ft_heap_forget_places(ft_heap_part *part)
{
    ft_map_clear(&part->places);
    ft_map_clear(&part->codes);
    memset(part->cache, 0, sizeof part->cache);
}

static void forget_tags(ft_heap_part *part)
{
    ft_tags_clear(&part->tags);
}

static void clear_cells(ft_heap_part *part)
{
    for (uint32_t b = 0; b < part->base_count; b++)
        for (uint64_t i = ft_heap_cells_in(part, b); i > 0; i--) {
            ft_heap_cell *cell = &part->bases[b][i];
            ft_heap_store(&cell->live, 0);
            ft_heap_store(&cell->total, 0);
            ft_heap_store(&cell->temporary, 0);
            ft_heap_store(&cell->at_peak, 0);
            ft_heap_store(&cell->serial, 0);
        }
}

void ft_heap_forget_blocks(ft_heap_part *part)
{
    forget_tags(part);
    ft_heap_forget_places(part); /* their guards are gone */
    clear_cells(part);
    ft_heap_store(&part->head->live[part->index], 0);
    ft_heap_reset_peak(part->heap);
}

void ft_heap_rest(ft_heap_part *part)
{
    forget_tags(part);
    ft_heap_forget_places(part);
}

static void resume_part(ft_heap_part *part)
{
    for (uint32_t b = 0; b < part->base_count; b++)
        for (uint64_t i = ft_heap_cells_in(part, b); i > 0; i--) {
            ft_heap_cell *cell = &part->bases[b][i];
            ft_heap_keep_peak(part, cell);
            ft_heap_store(&cell->live, 0);
        }
    ft_heap_store(&part->head->live[part->index], 0);
}

void ft_heap_resume(ft_heap *heap)
{
    resume_part(&heap->parts[FT_HEAP_PYTHON]);
    resume_part(&heap->parts[FT_HEAP_RAW]);
}

void ft_heap_reset_peak(ft_heap *heap)
{
    ft_heap_head *head = heap->head;
    uint64_t live = ft_heap_load(&head->live[0]) + ft_heap_load(&head->live[1]);
    ft_heap_store(&head->peak, live);
    ft_heap_store(&head->peak_at, ft_heap_load(&head->allocated[FT_HEAP_PYTHON]));
    ft_counter_add(&head->raised[FT_HEAP_PYTHON], 1);
}

static uint64_t map_bytes(const ft_map *map)
{
    return map->slots == NULL ? 0 : (uint64_t)(map->mask + 1) * sizeof(ft_map_slot);
}

uint64_t ft_heap_overhead(const ft_heap *heap)
{
    uint64_t bytes = sizeof *heap;
    for (int i = 0; i < 2; i++) {
        const ft_heap_part *part = &heap->parts[i];
        bytes +=
            ft_tags_bytes(&part->tags) + (uint64_t)part->base_count * SLOTS * sizeof(ft_heap_cell) +
            (uint64_t)part->site_room * sizeof *part->known +
            (uint64_t)part->depth_room * sizeof *part->depths + map_bytes(&part->places) +
            map_bytes(&part->numbers) + map_bytes(&part->tags_of_sizes) + map_bytes(&part->codes);
    }
    return bytes;
}

/* ---- places ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

/* FNV-1a. */
static uint64_t hash_text(uint64_t hash, const char *text, size_t length)
{
    for (size_t at = 0; at < length; at++)
        hash = (hash ^ (uint8_t)text[at]) * UINT64_C(0x100000001b3);
    return mix(hash, length);
}

/* Over what a function is: asked once for each code object. */
static uint64_t hash_function(const ft_function *function)
{
    uint64_t hash = mix(function->kind, function->line);
    for (int i = 0; i < 3; i++)
        hash = hash_text(hash, function->texts[i], function->lengths[i]);
    return hash;
}

uint32_t ft_heap_code_of(const ft_heap_part *part, const void *address)
{
    const uint32_t *number = ft_map_get(&part->codes, (uint64_t)(uintptr_t)address);
    return number == NULL ? 0 : *number;
}

static void note_lack(ft_heap_part *part)
{
    ft_recording_note_lack(part->heap->recording, FT_ERR_MEMORY);
}

/* A code object may die and another one take its address, so the recording knows it by what it is:
 * a number that no address is. */
uint32_t ft_heap_declare_code(ft_heap_part *part, const void *address, const ft_function *function)
{
    ft_function named = *function;
    ft_recording *recording = part->heap->recording;
    uint64_t key = hash_function(function) | UINT64_C(1) << 63;
    named.key = (const void *)(uintptr_t)key;
    ft_status status = ft_recording_intern(recording, &named);
    if (status != FT_OK) {
        ft_recording_note_lack(recording, status);
        return 0;
    }
    uint32_t number = ft_recording_code_of(recording, named.key);
    if (address != NULL) /* without room it is declared again the next time */
        (void)ft_map_put(&part->codes, (uint64_t)(uintptr_t)address, number);
    return number;
}

static bool is_site(const ft_heap_site *left, const ft_heap_site *right)
{
    return left->code == right->code && left->line == right->line &&
           left->parent == right->parent && left->domain == right->domain;
}

static bool store_site(ft_heap_part *part, const ft_heap_site *site)
{
    ft_heap_site *known = ft_array_grow(part->heap->recording->mem, part->known,
                                        part->site_count + 1, &part->site_room, sizeof *known);
    if (known == NULL) {
        note_lack(part);
        return false;
    }
    part->known = known;
    ft_heap_site *stored = ft_recording_room(part->heap->recording, &part->sites, FT_BLOCK_SITES,
                                             part->index, sizeof *stored);
    if (stored == NULL)
        return false;
    *stored = *site;
    ft_block_publish(part->sites, sizeof *stored);
    part->known[part->site_count++] = *site;
    return true;
}

/* The number of the site, new or known; 0 without room (noted). */
static uint32_t intern_site(ft_heap_part *part, const ft_heap_site *site)
{
    uint64_t hash = mix(mix(mix(mix(0, site->code), site->line), site->parent), site->domain);
    const uint32_t *number = ft_map_get(&part->numbers, hash);
    if (number != NULL && is_site(&part->known[*number - 1], site))
        return *number;
    if (!store_site(part, site))
        return 0;
    (void)ft_map_put(&part->numbers, hash, part->site_count); /* else it gets another number next */
    return part->site_count;
}

uint32_t ft_heap_site_of(ft_heap_part *part, const ft_heap_place *places, uint32_t count,
                         uint32_t domain)
{
    uint32_t number = 0;
    if (count == 0)
        number = intern_site(part, &(ft_heap_site){.domain = domain});
    for (uint32_t i = count; i-- > 0;) {
        ft_heap_site site = {places[i].code, places[i].line, number, domain};
        number = intern_site(part, &site);
        if (number == 0)
            break;
    }
    return number;
}

void ft_heap_note_depth(ft_heap_part *part, uint32_t site, uint32_t depth)
{
    uint32_t before = part->depth_room;
    assert(site > 0 && site <= part->site_count && depth <= FT_HEAP_FRAMES_MAX);
    uint16_t *depths = ft_array_grow(part->heap->recording->mem, part->depths, site,
                                     &part->depth_room, sizeof *depths);
    if (depths == NULL)
        return;
    memset(depths + before, 0, (part->depth_room - before) * sizeof *depths);
    part->depths = depths;
    if (depths[site - 1] == 0)
        depths[site - 1] = (uint16_t)depth;
}

uint16_t ft_heap_depth_of(const ft_heap_part *part, uint32_t site)
{
    return site <= part->depth_room ? part->depths[site - 1] : 0;
}

/* Without room it is found out again the next time. */
void ft_heap_remember(ft_heap_part *part, uint64_t key, uint32_t site)
{
    (void)ft_map_put(&part->places, key, site);
}

uint32_t ft_heap_known_site(const ft_heap_part *part, uint64_t key)
{
    const uint32_t *site = ft_map_get(&part->places, key);
    return site == NULL ? 0 : *site;
}

/* ---- cells ---- */

static bool add_base(ft_heap_part *part)
{
    ft_recording *recording = part->heap->recording;
    ft_heap_cell **bases = ft_array_grow(recording->mem, part->bases, part->base_count + 1,
                                         &part->base_room, sizeof(ft_heap_cell *));
    if (bases == NULL) {
        note_lack(part);
        return false;
    }
    part->bases = bases;
    ft_block *fresh = NULL; /* all blocks have one size, for tags are places in them */
    if (ft_recording_room(recording, &fresh, FT_BLOCK_CELLS, part->index,
                          (SLOTS - 1) * sizeof(ft_heap_cell)) == NULL)
        return false;
    part->cells = fresh;
    part->bases[part->base_count++] = (ft_heap_cell *)(void *)fresh;
    return true;
}

/* Room for so many cells side by side, not published; NULL when there is none (noted). */
static ft_heap_cell *blank_cells(ft_heap_part *part, uint32_t count, uint32_t *tag)
{
    bool fits = part->cells != NULL && ft_block_room(part->cells) >= count * sizeof(ft_heap_cell);
    if (!fits && part->base_count >= FT_HEAP_CELLS_MAX / SLOTS) {
        note_lack(part);
        return NULL;
    }
    if (!fits && !add_base(part))
        return NULL;
    ft_heap_cell *cell = ft_block_unused(part->cells);
    uint32_t slot = (uint32_t)(cell - part->bases[part->base_count - 1]);
    *tag = (part->base_count - 1) << FT_HEAP_CELL_BITS | slot;
    return cell;
}

static double sampled_with(uint64_t sample, uint64_t size)
{
    return -expm1(-(double)(size > 0 ? size : 1) / (double)sample);
}

double ft_heap_stands_for(uint64_t sample, uint64_t size)
{
    return sample == 0 ? 1 : 1 / sampled_with(sample, size);
}

/* Cells of a new (site, size); 0 without room (noted). */
static uint32_t make_cell(ft_heap_part *part, uint32_t site, uint32_t size)
{
    bool any = size == FT_HEAP_ANY;
    uint32_t tag = 0, count = any ? 2 : 1;
    ft_heap_cell *cell = blank_cells(part, count, &tag);
    if (cell == NULL)
        return 0;
    cell->site = site;
    cell->kind = any ? FT_HEAP_ANY_SIZE : FT_HEAP_SAME_SIZE;
    cell->size = any ? 0 : size;
    cell->weight =
        (uint64_t)llround((double)cell->size * ft_heap_stands_for(part->heap->sample, cell->size));
    if (any) {
        cell[1].site = site;
        cell[1].kind = FT_HEAP_BYTES;
    }
    ft_block_publish(part->cells, count * sizeof *cell);
    return tag;
}

uint32_t ft_heap_tag_of(ft_heap_part *part, uint32_t site, uint32_t size)
{
    uint64_t sized = (uint64_t)site << 32 | size;
    const uint32_t *known = ft_map_get(&part->tags_of_sizes, sized);
    if (known != NULL)
        return *known;
    uint32_t tag = make_cell(part, site, size);
    if (tag != 0) /* without room the next block gets another cell */
        (void)ft_map_put(&part->tags_of_sizes, sized, tag);
    return tag;
}

bool ft_heap_put_slowly(ft_heap_part *part, uint32_t tag, uintptr_t address, size_t size)
{
    size_t old_size;
    uint32_t old = ft_heap_take(part, address, &old_size) & ~FT_HEAP_GUARD;
    if (old != 0)
        ft_heap_uncount(part, old, old_size);
    return ft_tags_put(&part->tags, address, size, tag);
}

/* The block is alive again, as if ft_heap_uncount had not been. */
static void count_again(const ft_heap_part *part, ft_heap_cell *cell, size_t size)
{
    ft_heap_keep_peak(part, cell);
    ft_counter_add(&cell->live, 1);
    if (cell->kind == FT_HEAP_ANY_SIZE) {
        ft_heap_keep_peak(part, cell + 1);
        ft_counter_add(&cell[1].live, size);
    }
    ft_heap_raise(part, ft_heap_weight(cell, size));
}

bool ft_heap_put_back(ft_heap_part *part, uint32_t tag, uintptr_t address, size_t size)
{
    uint32_t counted = tag & ~FT_HEAP_GUARD;
    ft_heap_cell *cell = counted == 0 ? NULL : ft_heap_cell_at(part, counted);
    size_t whole = cell != NULL && cell->kind == FT_HEAP_SAME_SIZE ? (size_t)cell->size : size;
    if (!ft_tags_put(&part->tags, address, whole, tag)) {
        note_lack(part);
        return false;
    }
    if (cell != NULL)
        count_again(part, cell, size);
    return true;
}

bool ft_heap_guard(ft_heap_part *part, uintptr_t address, size_t size)
{
    size_t large = 0;
    uint32_t tag = ft_tags_get(&part->tags, address, &large);
    if (tag == 0)
        return ft_tags_put(&part->tags, address, size, FT_HEAP_GUARD);
    (void)ft_tags_retag(&part->tags, address, tag | FT_HEAP_GUARD);
    return false;
}

/* ---- samples ---- */

/* Marsaglia's xorshift, with a multiplication behind it: from 0 to below 1. */
static double draw_uniform(uint64_t *state)
{
    if (*state == 0)
        *state = 1;
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 11) * 0x1p-53;
}

/* The gaps of a Poisson process over the bytes are exponential, and it has no memory: wherever in a
 * block a sample fell, the gap to the next one begins behind that block. */
int64_t ft_heap_gap(ft_heap_part *part)
{
    double gap = -log1p(-draw_uniform(&part->random)) * (double)part->heap->sample;
    return (int64_t)(gap < 0x1p62 ? gap : 0x1p62) + 1;
}

void ft_heap_draw(ft_heap_part *part)
{
    part->until_sample = ft_heap_gap(part);
}

/* ---- the timeline and points ---- */

/* Resident bytes of this process, or 0 where they can not be known. */
static uint64_t read_rss(void)
{
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    uint64_t pages = 0;
    ssize_t at = 0;
    while (at < got && text[at] != ' ')
        at++;
    for (at++; at < got && text[at] >= '0' && text[at] <= '9'; at++)
        pages = pages * 10 + (uint64_t)(text[at] - '0');
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static ft_clock_source clock_of(const ft_heap *heap)
{
    return (ft_clock_source)heap->recording->arena.header->clock_source;
}

/* Nobody asks the callers what their clock says: the time is 0 then. */
static ft_heap_moment moment_now(const ft_heap *heap)
{
    const ft_heap_head *head = heap->head;
    ft_clock_source source = clock_of(heap);
    int number = errno; /* the program's */
    ft_heap_moment moment = {
        .ticks = source == FT_CLOCK_CALLERS ? 0 : ft_clock_ticks(source),
        .live = ft_heap_load(&head->live[0]) + ft_heap_load(&head->live[1]),
        .rss = read_rss(),
        .allocated = ft_heap_load(&head->allocated[FT_HEAP_PYTHON]),
    };
    errno = number;
    return moment;
}

/* Every second moment goes, and from now on they come as far apart as those that stay, or as they
 * did: many may have been asked for at once. A reader that sees it half done sees some of them
 * twice. */
static void thin_out(ft_heap *heap)
{
    enum { KEPT = FT_HEAP_MOMENTS_MAX / 2 };
    ft_heap_moment *moments = ft_block_data(heap->moments);
    for (uint32_t i = 0; i < KEPT; i++)
        moments[i] = moments[2 * i];
    atomic_store_explicit(&heap->moments->used, KEPT * sizeof *moments, memory_order_release);
    uint64_t apart = (moments[KEPT - 1].ticks - moments[0].ticks) / (KEPT - 1);
    if (apart > heap->moment_every)
        heap->moment_every = apart;
}

static void add_moment(ft_heap *heap, ft_heap_moment moment)
{
    if (heap->moments != NULL &&
        atomic_load(&heap->moments->used) >= FT_HEAP_MOMENTS_MAX * sizeof moment)
        thin_out(heap);
    ft_heap_moment *at =
        ft_recording_room(heap->recording, &heap->moments, FT_BLOCK_MOMENTS, 0,
                          heap->moments != NULL ? sizeof *at : FT_HEAP_MOMENTS_MAX * sizeof *at);
    heap->moment_after = moment.ticks + heap->moment_every;
    if (at == NULL)
        return;
    *at = moment;
    ft_block_publish(heap->moments, sizeof *at);
}

void ft_heap_look_now(ft_heap *heap)
{
    if (clock_of(heap) != FT_CLOCK_CALLERS)
        add_moment(heap, moment_now(heap));
}

void ft_heap_look(ft_heap *heap)
{
    ft_clock_source source = clock_of(heap);
    if (source != FT_CLOCK_CALLERS && ft_clock_ticks(source) >= heap->moment_after)
        add_moment(heap, moment_now(heap));
}

/* Sums the live cells of a part by site; sums has a row for each site. */
static void sum_sites(const ft_heap_part *part, ft_heap_point_row *sums)
{
    for (uint32_t b = 0; b < part->base_count; b++) {
        uint64_t cells = ft_heap_cells_in(part, b);
        for (uint64_t i = 1; i <= cells; i++) {
            const ft_heap_cell *cell = &part->bases[b][i];
            uint64_t live = ft_heap_load(&cell->live);
            ft_heap_point_row *row = &sums[cell->site - 1];
            if (cell->kind == FT_HEAP_BYTES) {
                row->bytes += live;
                continue;
            }
            row->bytes += live * cell->weight;
            double each = ft_heap_stands_for(
                cell->kind == FT_HEAP_SAME_SIZE ? part->heap->sample : 0, cell->size);
            row->count += (uint64_t)llround((double)live * each);
        }
    }
}

/* The rows of a part that are not zero, moved to the front: how many. */
static uint32_t keep_rows(ft_heap_point_row *rows, uint32_t count, uint32_t part)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].count == 0 && rows[i].bytes == 0)
            continue;
        rows[kept] = rows[i];
        rows[kept].part = part;
        rows[kept++].site = i + 1;
    }
    return kept;
}

/* The point is one of the timeline's moments, too. */
static ft_status write_point(ft_heap *heap, uint32_t name, const ft_heap_point_row *rows,
                             uint32_t count)
{
    uint64_t bytes = sizeof(ft_heap_point) + (uint64_t)count * sizeof *rows;
    ft_status status =
        ft_recording_reserve(heap->recording, &heap->points, FT_BLOCK_POINTS, 0, bytes);
    if (status != FT_OK)
        return status;
    ft_heap_point *point = ft_block_unused(heap->points);
    *point = (ft_heap_point){.moment = moment_now(heap), .name = name, .rows = count};
    if (count > 0)
        memcpy(point + 1, rows, count * sizeof *rows);
    ft_block_publish(heap->points, bytes);
    if (clock_of(heap) != FT_CLOCK_CALLERS)
        add_moment(heap, point->moment);
    return FT_OK;
}

ft_status ft_heap_mark(ft_heap *heap, const char *name, size_t length)
{
    const ft_mem *mem = heap->recording->mem;
    uint32_t first = heap->parts[0].site_count, all = first + heap->parts[1].site_count;
    uint32_t number, kept;
    ft_heap_point_row *rows = ft_mem_new(mem, (size_t)all + 1, sizeof *rows);
    if (rows == NULL)
        return FT_ERR_MEMORY;
    sum_sites(&heap->parts[0], rows);
    sum_sites(&heap->parts[1], rows + first);
    kept = keep_rows(rows, first, 0);
    uint32_t more = keep_rows(rows + first, all - first, 1);
    memmove(rows + kept, rows + first, more * sizeof *rows);
    ft_status status = ft_recording_add_text(heap->recording, name, length, &number);
    if (status == FT_OK)
        status = write_point(heap, number, rows, kept + more);
    ft_mem_free(mem, rows);
    return status;
}

/* ---- the end ---- */

ft_status ft_heap_text(ft_heap *heap, const char *text, size_t length, uint32_t *number)
{
    uint64_t hash = hash_text(0, text, length);
    const uint32_t *known = ft_map_get(&heap->texts, hash);
    if (known != NULL) {
        *number = *known;
        return FT_OK;
    }
    ft_status status = ft_recording_add_text(heap->recording, text, length, number);
    if (status == FT_OK) /* without room it is written again the next time */
        (void)ft_map_put(&heap->texts, hash, *number);
    return status;
}

/* A reader of the arena finds blocks that hold nothing; they are filled again. */
void ft_heap_forget_survivors(ft_heap *heap)
{
    pthread_mutex_lock(&heap->recording->lock);
    for (ft_block *block = heap->recording->arena.blocks; block != NULL; block = block->next)
        if (block->kind == FT_BLOCK_OBJECTS || block->kind == FT_BLOCK_CLASSES)
            atomic_store_explicit(&block->used, 0, memory_order_release);
    pthread_mutex_unlock(&heap->recording->lock);
}

/* A block of the kind that holds nothing any more; else the newest. */
static ft_block *find_emptied(const ft_heap *heap, ft_block *newest, ft_block_kind kind)
{
    ft_block *found = newest;
    pthread_mutex_lock(&heap->recording->lock);
    for (ft_block *block = heap->recording->arena.blocks; block != NULL; block = block->next)
        if (block->kind == (uint32_t)kind && atomic_load(&block->used) == 0)
            found = block;
    pthread_mutex_unlock(&heap->recording->lock);
    return found;
}

static ft_status append(ft_heap *heap, ft_block **newest, ft_block_kind kind, const void *row,
                        size_t bytes)
{
    if (*newest != NULL && ft_block_room(*newest) < bytes)
        *newest = find_emptied(heap, *newest, kind);
    ft_status status = ft_recording_reserve(heap->recording, newest, kind, 0, bytes);
    if (status != FT_OK)
        return status;
    memcpy(ft_block_unused(*newest), row, bytes);
    ft_block_publish(*newest, bytes);
    return FT_OK;
}

ft_status ft_heap_add_object(ft_heap *heap, const ft_heap_object *row)
{
    return append(heap, &heap->objects, FT_BLOCK_OBJECTS, row, sizeof *row);
}

ft_status ft_heap_add_class(ft_heap *heap, const ft_heap_class *row)
{
    return append(heap, &heap->classes, FT_BLOCK_CLASSES, row, sizeof *row);
}

/* ---- checking ---- */

typedef struct tally {
    const ft_heap_part *part;
    uint64_t blocks, bytes;
    bool sound;
} tally;

static void tally_block(void *context, uintptr_t address, size_t size, uint32_t tag)
{
    (void)address;
    tally *sum = context;
    tag &= ~FT_HEAP_GUARD;
    if (tag == 0)
        return;
    uint32_t base = tag >> FT_HEAP_CELL_BITS, slot = tag & (SLOTS - 1);
    if (base >= sum->part->base_count || slot == 0) {
        sum->sound = false;
        return;
    }
    sum->blocks++;
    sum->bytes += ft_heap_weight(ft_heap_cell_at(sum->part, tag), size);
}

bool ft_heap_part_check(const ft_heap_part *part)
{
    tally sum = {.part = part, .sound = true};
    ft_tags_each(&part->tags, tally_block, &sum);
    for (uint32_t i = 0; i < part->site_count; i++)
        sum.sound = sum.sound && part->known[i].parent <= i;
    return sum.sound && sum.bytes <= ft_heap_load(&part->head->live[part->index]);
}
