/* SPDX-License-Identifier: Apache-2.0 */
/* trim.c: making a store smaller.
 *
 * First what has not been used for longest is chosen, from the index alone. Then segments of which
 * little is left are chosen, so that the bounds hold on disk too, and what is left in them is
 * written again at the end. A new index, without the former and with the new places of the latter,
 * takes the old one's place in one step; only then files go. A process that is killed in between
 * leaves bytes that nothing leads to, which the next trim finds. */
#include "engine/store/functions.h"
#include "engine/store/store_parts.h"

#include "engine/base/array.h"
#include "engine/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SWEEP_SECONDS = 600 };

/* An entry, as its slot tells of it. */
typedef struct entry_place {
    uint32_t rank; /* what goes first: 0 for what must go, else when it was used */
    uint32_t segment, place, size;
} entry_place;

typedef struct moved {
    uint32_t segment, place; /* where it lay */
    uint32_t to_segment, to_place;
} moved;

typedef struct segment_use {
    uint32_t number;
    bool goes;
    uint64_t bytes, live;
} segment_use;

typedef struct trimming {
    ft_store *store;
    ft_totals *totals;
    uint32_t function; /* whose results must go; 0: nobody's */
    entry_place *entries;
    uint32_t count, room;
    uint32_t gone; /* so many of entries go, from the first */
    segment_use *segments;
    uint32_t segment_count, segment_room;
    moved *moves;
    uint32_t move_count, move_room;
    uint64_t live; /* bytes of what stays, blobs too */
} trimming;

static int compare(uint64_t one, uint64_t other)
{
    return (one > other) - (one < other);
}

static uint64_t position(uint32_t segment, uint32_t place)
{
    return (uint64_t)(segment & ~FT_SLOT_BLOB) << 32 | place;
}

/* By rank; of one rank, what was written first goes first. */
static int by_rank(const void *one, const void *other)
{
    const entry_place *a = one, *b = other;
    int order = compare(a->rank, b->rank);
    return order != 0 ? order
                      : compare(position(a->segment, a->place), position(b->segment, b->place));
}

static int by_place(const void *one, const void *other)
{
    const moved *a = one, *b = other;
    return compare(position(a->segment, a->place), position(b->segment, b->place));
}

static int by_entry_place(const void *one, const void *other)
{
    const entry_place *a = one, *b = other;
    return compare(position(a->segment, a->place), position(b->segment, b->place));
}

static int by_number(const void *one, const void *other)
{
    const segment_use *a = one, *b = other;
    return compare(a->number, b->number);
}

static int by_live_share(const void *one, const void *other)
{
    const segment_use *a = *(segment_use *const *)one, *b = *(segment_use *const *)other;
    double x = (double)a->live / (double)(a->bytes + 1);
    double y = (double)b->live / (double)(b->bytes + 1);
    return (x > y) - (x < y);
}

/* ---- what there is ---- */

static entry_place place_of(const trimming *is, const ft_slot *slot)
{
    uint32_t rank = slot->used < UINT32_MAX ? slot->used + 1 : slot->used;
    if (is->function != 0 && slot->function == is->function)
        rank = 0;
    return (entry_place){rank, slot->segment, slot->place, slot->size};
}

static ft_status gather(void *context, const ft_slot *slot)
{
    trimming *is = context;
    if (is->count == UINT32_MAX)
        return FT_ERR_LIMIT;
    entry_place *entries =
        ft_array_grow(is->store->mem, is->entries, is->count + 1, &is->room, sizeof *is->entries);
    if (entries == NULL)
        return FT_ERR_MEMORY;
    is->entries = entries;
    is->entries[is->count++] = place_of(is, slot);
    return FT_OK;
}

static ft_status gather_segment(void *context, uint32_t number)
{
    trimming *is = context;
    segment_use *segments = ft_array_grow(is->store->mem, is->segments, is->segment_count + 1,
                                          &is->segment_room, sizeof *is->segments);
    if (segments == NULL)
        return FT_ERR_MEMORY;
    is->segments = segments;
    segments[is->segment_count++] = (segment_use){.number = number};
    return FT_OK;
}

static segment_use *segment_of(const trimming *is, uint32_t number)
{
    segment_use key = {.number = number & ~FT_SLOT_BLOB};
    return is->segment_count == 0
               ? NULL
               : bsearch(&key, is->segments, is->segment_count, sizeof key, by_number);
}

static ft_status survey(trimming *is)
{
    const ft_folder *folder = &is->store->folder;
    ft_status status = ft_segments_each(folder, gather_segment, is);
    if (status == FT_OK)
        status = ft_slots_each(&is->store->writer.slots, &folder->secret, gather, is);
    if (status != FT_OK)
        return status;
    if (is->segment_count > 0)
        qsort(is->segments, is->segment_count, sizeof *is->segments, by_number);
    if (is->count > 0)
        qsort(is->entries, is->count, sizeof *is->entries, by_rank);
    for (uint32_t i = 0; i < is->segment_count; i++) {
        segment_use *segment = &is->segments[i];
        segment->bytes = ft_segment_bytes(folder, segment->number);
        if (segment->number > is->totals->active)
            is->totals->active = segment->number;
    }
    return FT_OK;
}

/* ---- what goes ---- */

static void choose_entries(trimming *is, const ft_bounds *bounds)
{
    uint64_t fixed = ft_slots_bytes(&is->store->writer.slots), now = ft_store_ticks(is->store);
    uint64_t ticks = bounds->age_ns / (1000000000 / FT_TICKS_PER_SECOND);
    uint64_t before = bounds->age_ns != UINT64_MAX && now > ticks ? now - ticks : 0;
    is->live = 0;
    for (uint32_t i = 0; i < is->count; i++)
        is->live += (uint64_t)is->entries[i].size * FT_UNIT;
    for (is->gone = 0; is->gone < is->count; is->gone++) {
        const entry_place *first = &is->entries[is->gone];
        uint64_t left = is->count - is->gone;
        if (first->rank > before && left <= bounds->items &&
            (bounds->bytes == UINT64_MAX || is->live + fixed <= bounds->bytes))
            break;
        is->live -= (uint64_t)first->size * FT_UNIT;
    }
    if (is->gone > 0) /* from here on they are known by their places: ranks change with each use */
        qsort(is->entries, is->gone, sizeof *is->entries, by_entry_place);
}

static uint32_t log_bytes_of(const entry_place *entry)
{
    return ft_slot_log_bytes(&(ft_slot){.segment = entry->segment, .size = entry->size});
}

/* Segments without anything go; then those with the smallest share of what stays, until the bound
 * holds; and in any case those of which less than a half stays. */
static ft_status choose_segments(trimming *is, uint64_t most)
{
    uint64_t disk = ft_slots_bytes(&is->store->writer.slots);
    segment_use **order = ft_mem_new(is->store->mem, is->segment_count + 1, sizeof *order);
    if (order == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t i = is->gone; i < is->count; i++) {
        const entry_place *entry = &is->entries[i];
        segment_use *segment = segment_of(is, entry->segment);
        if (segment != NULL)
            segment->live += log_bytes_of(entry);
        disk += (uint64_t)entry->size * FT_UNIT - log_bytes_of(entry);
    }
    for (uint32_t i = 0; i < is->segment_count; i++) {
        order[i] = &is->segments[i];
        disk += order[i]->bytes;
    }
    qsort(order, is->segment_count, sizeof *order, by_live_share);
    for (uint32_t i = 0; i < is->segment_count; i++) {
        segment_use *segment = order[i];
        if (segment->live == 0) { /* empty ones too: of a writer that was killed */
            segment->goes = true;
            disk -= segment->bytes;
            continue;
        }
        if (segment->live >= segment->bytes || (disk <= most && segment->live * 2 > segment->bytes))
            break;
        segment->goes = true;
        disk -= segment->bytes - segment->live;
    }
    ft_mem_free(is->store->mem, order);
    return FT_OK;
}

/* ---- what stays of the segments that go ---- */

static ft_status gather_moves(trimming *is)
{
    for (uint32_t i = is->gone; i < is->count; i++) {
        const entry_place *entry = &is->entries[i];
        const segment_use *segment = segment_of(is, entry->segment);
        if (segment == NULL || !segment->goes)
            continue;
        moved *moves = ft_array_grow(is->store->mem, is->moves, is->move_count + 1, &is->move_room,
                                     sizeof *moves);
        if (moves == NULL)
            return FT_ERR_MEMORY;
        is->moves = moves;
        /* to_place holds the length until it is moved */
        moves[is->move_count++] = (moved){segment->number, entry->place, 0, log_bytes_of(entry)};
    }
    if (is->move_count > 0)
        qsort(is->moves, is->move_count, sizeof *is->moves, by_place);
    return FT_OK;
}

static ft_status move_entries(trimming *is)
{
    const size_t most = FT_BODY_AT + FT_STORE_INLINE + FT_UNIT;
    ft_status status = gather_moves(is);
    uint8_t *block = ft_mem_new(is->store->mem, most, 1);
    if (block == NULL)
        status = FT_ERR_MEMORY;
    if (is->move_count > 0 && is->totals->active < FT_SEGMENT_MOST)
        is->totals->active++; /* none of those that go */
    for (uint32_t i = 0; i < is->move_count && status == FT_OK; i++) {
        moved *move = &is->moves[i];
        size_t bytes = move->to_place;
        move->to_place = 0;
        if (bytes > most ||
            ft_store_read_own(is->store, move->segment, move->place, block, bytes) != bytes)
            continue; /* it leads to nothing: to_segment 0 */
        status = ft_store_append(is->store, is->totals, block, bytes, &move->to_segment,
                                 &move->to_place);
    }
    ft_mem_free(is->store->mem, block);
    return status;
}

/* ---- the new index ---- */

static bool kept(void *context, ft_slot *slot)
{
    trimming *is = context;
    entry_place entry = place_of(is, slot);
    if (is->gone > 0 &&
        bsearch(&entry, is->entries, is->gone, sizeof entry, by_entry_place) != NULL)
        return false;
    const segment_use *segment = segment_of(is, slot->segment);
    if (segment == NULL || segment->goes) {
        moved key = {.segment = ft_slot_segment(slot), .place = slot->place};
        const moved *move = is->move_count == 0
                                ? NULL
                                : bsearch(&key, is->moves, is->move_count, sizeof key, by_place);
        if (move == NULL || move->to_segment == 0)
            return false;
        slot->segment = move->to_segment | (slot->segment & FT_SLOT_BLOB);
        slot->place = move->to_place;
    }
    is->totals->blob_bytes += ft_slot_blob_bytes(slot);
    return true;
}

static void remove_blobs(trimming *is)
{
    for (uint32_t i = 0; i < is->gone; i++) {
        ft_blob blob;
        const entry_place *entry = &is->entries[i];
        ft_slot slot = {.segment = entry->segment, .place = entry->place};
        if (ft_store_blob_of(is->store, &slot, &blob))
            ft_blob_remove(&is->store->folder, &blob);
    }
}

static void remove_segments(trimming *is)
{
    for (uint32_t i = 0; i < is->segment_count; i++)
        if (is->segments[i].goes)
            ft_segments_remove(&is->store->writer.segments, &is->store->folder,
                               is->segments[i].number);
}

/* The disk has no room for another index, or for what would be moved: what goes leaves its slots,
 * and segments go of which nothing stays. */
static ft_status go_in_place(trimming *is)
{
    for (uint32_t i = 0; i < is->segment_count; i++)
        is->segments[i].goes = is->segments[i].live == 0;
    is->move_count = 0;
    ft_status status =
        ft_slots_filter(&is->store->writer.slots, &is->store->folder.secret, kept, is);
    if (status == FT_OK) {
        is->totals->entries = is->count - is->gone;
        remove_blobs(is);
        remove_segments(is);
    }
    return status;
}

static ft_status go(trimming *is, uint64_t most)
{
    ft_store *store = is->store;
    ft_status status = choose_segments(is, most);
    if (status == FT_OK)
        status = move_entries(is);
    is->totals->blob_bytes = 0;
    if (status == FT_OK)
        status = ft_slots_rebuild(&store->writer.slots, &store->folder, store->mem,
                                  ft_slots_bits_for(is->count - is->gone), is->totals, kept, is);
    if (status == FT_ERR_DISK_FULL) {
        is->totals->blob_bytes = 0;
        return go_in_place(is);
    }
    if (status != FT_OK)
        return status;
    remove_blobs(is);
    remove_segments(is);
    return ft_store_renew(store);
}

/* What segments take now. */
static ft_status add_segment(void *context, uint32_t number)
{
    trimming *is = context;
    is->totals->log_bytes += ft_segment_bytes(&is->store->folder, number);
    return FT_OK;
}

/* What writers that were killed left behind. */
static void sweep_now_and_then(ft_store *store, ft_totals *totals)
{
    uint64_t now = (uint64_t)time(NULL);
    if (now >= totals->swept_s && now - totals->swept_s < SWEEP_SECONDS)
        return;
    totals->swept_s = now;
    ft_blobs_sweep(&store->folder, false, ft_store_uses_blob, store);
}

ft_status ft_store_trim(ft_store *store, ft_totals *totals, const ft_bounds *bounds,
                        uint64_t function, uint64_t *removed)
{
    trimming is = {.store = store, .totals = totals, .function = (uint32_t)function};
    if (totals->active == 0)
        totals->active = 1;
    ft_status status = survey(&is);
    if (status == FT_OK) {
        choose_entries(&is, bounds);
        status = go(&is, bounds->bytes);
    }
    if (status == FT_OK) {
        totals->log_bytes = 0;
        status = ft_segments_each(&store->folder, add_segment, &is);
    }
    if (status == FT_OK)
        sweep_now_and_then(store, totals);
    if (status == FT_OK)
        status = ft_slots_set_totals(&store->writer.slots, &store->folder.secret, totals);
    if (status == FT_OK && removed != NULL)
        *removed = is.gone;
    ft_mem_free(store->mem, is.entries);
    ft_mem_free(store->mem, is.segments);
    ft_mem_free(store->mem, is.moves);
    return status;
}

/* ---- reduce and clear ---- */

ft_status ft_store_reduce(ft_store *store, const ft_bounds *bounds, uint64_t *removed)
{
    ft_totals totals;
    *removed = 0;
    ft_status status = ft_store_begin(store, FT_REDUCERS_PATIENCE_MS, &totals);
    if (status != FT_OK)
        return status;
    totals.swept_s = 0; /* now */
    status = ft_store_trim(store, &totals, bounds, 0, removed);
    ft_store_end(store);
    return status;
}

static ft_status count_one(void *context, const ft_slot *slot)
{
    (void)slot;
    ++*(uint64_t *)context;
    return FT_OK;
}

static ft_status clear_all(ft_store *store, uint64_t *removed)
{
    ft_status status =
        ft_slots_each(&store->writer.slots, &store->folder.secret, count_one, removed);
    if (status == FT_OK)
        status = ft_store_start_over(store);
    ft_functions_remove_all(&store->folder);
    return status == FT_OK ? ft_store_renew(store) : status;
}

ft_status ft_store_clear(ft_store *store, uint64_t function, uint64_t *removed)
{
    ft_totals totals;
    const ft_bounds none = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    *removed = 0;
    ft_status status = ft_store_begin(store, FT_REDUCERS_PATIENCE_MS, &totals);
    if (status != FT_OK)
        return status;
    if (function == 0)
        status = clear_all(store, removed);
    else
        status = ft_store_trim(store, &totals, &none, function, removed);
    ft_store_end(store);
    return status;
}
