/* SPDX-License-Identifier: Apache-2.0 */
/* heap.h: the blocks of a program's allocators: where each was allocated, what is alive, what was
 * at the peak.
 *
 * Each live block has a tag (tags.h), which names a cell. A cell counts the blocks of one size that
 * one site allocated; sizes over FT_HEAP_SMALL_MAX share one, whose bytes the cell behind it
 * counts. Sites and cells lie in the recording's arena, so that they outlive the process.
 *
 * What was alive at the peak is kept without visiting all cells: a serial number counts the
 * moments when the heap was larger than ever before, and a cell that changes for the first time
 * after such a moment first notes what it had. At the peak a cell has `at_peak` if its serial is
 * the last one, else what it has now.
 *
 * A heap has two parts. PYTHON is for the allocators that need the GIL, RAW for the one that does
 * not; a block never changes its part. Locking: the caller's, one lock for each part. What is
 * common to both (`head`) has single words that one part writes, or, of the peak, whoever raised
 * it: two blocks of both parts in the same instant may count as one after the other. */
#ifndef FT_RECORD_HEAP_H
#define FT_RECORD_HEAP_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/map.h"
#include "engine/record/code_records.h"
#include "engine/record/recording.h"
#include "engine/record/tags.h"

enum {
    FT_HEAP_SMALL_MAX = 512,      /* larger blocks of a site share one cell */
    FT_HEAP_TEMPORARY_WITHIN = 4, /* a power of two: blocks from a temporary one to its end */
    FT_HEAP_FRAMES_MAX = 65535,
    FT_HEAP_CELL_BITS = 10,  /* of a tag: the place in its block; the others are the block */
    FT_HEAP_CACHE_BITS = 10, /* places and sizes that are found at once */
    FT_HEAP_CELLS_MAX = 1 << 22,
    FT_HEAP_MOMENTS_MAX = 2046 /* with its header they fill a smallest block */
};

/* Mean bytes between two samples. */
#define FT_HEAP_SAMPLE_DEFAULT UINT64_C(131072)

/* In the tag of a block: the address must not be used again unnoticed. A block that is not counted
 * may have it, too. */
#define FT_HEAP_GUARD (UINT32_C(1) << 31)

typedef enum ft_heap_part_of { FT_HEAP_PYTHON = 0, FT_HEAP_RAW = 1 } ft_heap_part_of;

/* ---- what the arena holds ---- */

/* In a HEAP block: one. */
typedef struct ft_heap_head {
    uint64_t sample; /* mean bytes between samples; 0: every block is counted */
    uint32_t frames; /* kept of each block's stack */
    uint32_t reserved;
    _Atomic uint64_t live[2];      /* bytes, by part */
    _Atomic uint64_t allocated[2]; /* blocks, by part */
    _Atomic uint64_t peak;         /* bytes */
    _Atomic uint64_t peak_at;      /* allocated[FT_HEAP_PYTHON] then */
    _Atomic uint64_t raised[2];    /* how often each part made a new peak: ft_heap_serial */
} ft_heap_head;

/* In a SITES block, whose owner is the part. Site n is the n-th, from 1. */
typedef struct ft_heap_site {
    uint32_t code;   /* number of a CODE record; 0: not known */
    uint32_t line;   /* 0: not known */
    uint32_t parent; /* the site that called it, before it in its part; 0: none */
    uint32_t domain; /* as tracemalloc numbers them; 0: Python's allocators */
} ft_heap_site;

/* In a CELLS block, whose owner is the part. */
typedef struct ft_heap_cell {
    _Atomic uint64_t live;      /* blocks; where bytes are counted, bytes */
    _Atomic uint64_t total;     /* ever allocated */
    _Atomic uint64_t temporary; /* of these: freed before FT_HEAP_TEMPORARY_WITHIN more blocks */
    _Atomic uint64_t at_peak;   /* live at the peak number `serial` */
    _Atomic uint64_t serial;
    uint32_t site;
    uint32_t kind;   /* ft_heap_cell_kind */
    uint64_t size;   /* SAME_SIZE: of each block */
    uint64_t weight; /* SAME_SIZE: bytes that each block stands for */
} ft_heap_cell;

typedef enum ft_heap_cell_kind {
    FT_HEAP_SAME_SIZE = 1,
    FT_HEAP_ANY_SIZE = 2, /* blocks of all sizes over FT_HEAP_SMALL_MAX; the next cell is ... */
    FT_HEAP_BYTES = 3     /* ... how many bytes they have */
} ft_heap_cell_kind;

/* In a MOMENTS block: the timeline. */
typedef struct ft_heap_moment {
    uint64_t ticks;
    uint64_t live, rss; /* bytes */
    uint64_t allocated; /* head->allocated[FT_HEAP_PYTHON] then */
} ft_heap_moment;

/* In a POINTS block: this, then its rows. */
typedef struct ft_heap_point {
    ft_heap_moment moment;
    uint32_t name; /* number of a TEXT record */
    uint32_t rows;
} ft_heap_point;

typedef struct ft_heap_point_row {
    uint32_t part, site;
    uint64_t count, bytes;
} ft_heap_point_row;

/* In an OBJECTS block: live objects of one type from one site, at the end. */
typedef struct ft_heap_object {
    uint32_t type; /* number of a TEXT record */
    uint32_t part;
    uint32_t site; /* 0: older than the recording */
    uint32_t reserved;
    uint64_t count, bytes;
} ft_heap_object;

/* In a CLASSES block: instances at the end, and what they would take with __slots__. */
typedef struct ft_heap_class {
    uint32_t type, why; /* numbers of TEXT records; why 0: none */
    uint64_t instances, bytes;
    uint64_t plain, slotted; /* bytes each; slotted 0: it can not be */
} ft_heap_class;

_Static_assert(sizeof(ft_heap_cell) == 64 && sizeof(ft_heap_head) == 80, "the file's layout");
_Static_assert(sizeof(ft_heap_site) == 16 && sizeof(ft_heap_moment) == 32, "the file's layout");
_Static_assert(sizeof(ft_heap_point) == 40 && sizeof(ft_heap_point_row) == 24, "the file's layout");
_Static_assert(sizeof(ft_heap_object) == 32 && sizeof(ft_heap_class) == 40, "the file's layout");
_Static_assert(sizeof(ft_heap_cell) == FT_BLOCK_HEADER_BYTES, "the header is a block's cell 0");
_Static_assert(FT_BLOCK_MIN_BYTES == sizeof(ft_heap_cell) << FT_HEAP_CELL_BITS, "a block of cells");

/* ---- what the process keeps beside it ---- */

/* As a size: blocks of all sizes over FT_HEAP_SMALL_MAX. */
#define FT_HEAP_ANY UINT32_MAX

typedef struct ft_heap_cached {
    uint64_t key;
    uint32_t size;
    uint32_t tag; /* 0: empty */
} ft_heap_cached;

struct ft_heap;

typedef struct ft_heap_part {
    struct ft_heap *heap; /* borrowed */
    ft_heap_head *head;   /* borrowed from the arena */
    uint32_t index;       /* ft_heap_part_of */
    uint32_t site_count, site_room;
    uint32_t base_count, base_room;
    ft_heap_cell **bases; /* owned: the blocks of cells, by the upper bits of a tag */
    ft_heap_site *known;  /* owned: copies of the sites, by number - 1 */
    uint16_t *depths;     /* owned: how deep their stacks were, likewise; 0: not known */
    uint32_t depth_room;
    ft_block *cells; /* the newest blocks */
    ft_block *sites;
    uint64_t heard;       /* blocks, of which few are counted: in a sampled heap only */
    int64_t until_sample; /* bytes */
    uint64_t random;      /* state of the generator of samples */
    bool samples;         /* few blocks are counted */
    ft_map places;        /* key -> number of a site */
    ft_map numbers;       /* hash of a site's fields -> its number */
    ft_map tags_of_sizes; /* site << 32 | size -> tag */
    ft_map codes;         /* address of a code object -> number of its record */
    ft_tags tags;
    uintptr_t recent[FT_HEAP_TEMPORARY_WITHIN]; /* the last blocks; 0: one that is not counted */
    ft_heap_cached cache[1 << FT_HEAP_CACHE_BITS];
} ft_heap_part;

typedef struct ft_heap {
    ft_recording *recording; /* borrowed */
    ft_heap_head *head;      /* borrowed from the arena */
    uint32_t frames;
    uint64_t sample;
    ft_block *head_block, *moments, *points, *objects, *classes;
    uint64_t moment_after;   /* ticks: the next moment of the timeline is not before */
    uint64_t moment_every;   /* ticks */
    ft_code_records records; /* for who reads it in the process */
    ft_map texts;            /* hash of a text -> its number */
    ft_heap_part parts[2];   /* by ft_heap_part_of */
} ft_heap;

/* Where a block is allocated: a function's code and a line of it, innermost first. */
typedef struct ft_heap_place {
    uint32_t code, line;
} ft_heap_place;

/* In the recording's arena. The heap is the caller's to close, and large: not on a stack. frames: 1
 * to FT_HEAP_FRAMES_MAX; sample: mean bytes between samples, 0: every block. FT_ERR_MEMORY,
 * FT_ERR_DISK_FULL, FT_ERR_IO: nothing is left to close. */
ft_status ft_heap_open(ft_heap *heap, ft_recording *recording, uint32_t frames, uint64_t sample);
void ft_heap_close(ft_heap *heap);

/* In a forked child whose recording moved to an arena of its own: an empty heap there. What fails
 * leaves the heap closed. */
ft_status ft_heap_reopen(ft_heap *heap);

/* Keys stand for nothing any more: addresses of code may be used again. Of one part. */
void ft_heap_forget_places(ft_heap_part *part);

/* No block is known any more; what they counted is gone too. */
void ft_heap_forget_blocks(ft_heap_part *part);

/* Recording rests, and what is freed meanwhile will not be told of: blocks are not known any more,
 * what they counted stays as it is. */
void ft_heap_rest(ft_heap_part *part);

/* It goes on after a rest: none of the blocks that were alive then is counted as alive any more.
 * Totals add up, and the peak is the highest of all stretches. */
void ft_heap_resume(ft_heap *heap);

/* From now on the peak is what is alive now. Needs both parts' locks, as does forgetting blocks. */
void ft_heap_reset_peak(ft_heap *heap);

/* Bytes of our own that the heap takes. */
uint64_t ft_heap_overhead(const ft_heap *heap);

/* ---- slow halves ---- */

/* Number of the record of the code object at this address, or 0: declare it. */
uint32_t ft_heap_code_of(const ft_heap_part *part, const void *address);
/* Makes it known: its number, or 0 without room (noted). function->key is not looked at. address
 * NULL: it is not remembered by its address. */
uint32_t ft_heap_declare_code(ft_heap_part *part, const void *address, const ft_function *function);

/* The number of the site that a stack of places (0: nothing is known of it) of a domain is; 0
 * without room (noted). */
uint32_t ft_heap_site_of(ft_heap_part *part, const ft_heap_place *places, uint32_t count,
                         uint32_t domain);

/* The whole stack had so many frames when the site was met; the first time stays. A hint: without
 * room it is not kept. */
void ft_heap_note_depth(ft_heap_part *part, uint32_t site, uint32_t depth);
/* FT_HEAP_FRAMES_MAX at most; 0: not known. */
uint16_t ft_heap_depth_of(const ft_heap_part *part, uint32_t site);

/* From now on key stands for the site. */
void ft_heap_remember(ft_heap_part *part, uint64_t key, uint32_t site);
/* What it stands for, or 0. */
uint32_t ft_heap_known_site(const ft_heap_part *part, uint64_t key);

/* The tag of blocks of this size from a site; 0 without room (noted). */
uint32_t ft_heap_tag_of(ft_heap_part *part, uint32_t site, uint32_t size);

/* Bytes up to a sample, from the part's generator ... */
int64_t ft_heap_gap(ft_heap_part *part);
/* ... and the part's own next sample. */
void ft_heap_draw(ft_heap_part *part);

/* The timeline: what is alive now, and the process's memory, unless it is too early. Needs the
 * PYTHON part's lock. */
void ft_heap_look(ft_heap *heap);
/* The same, early or not. */
void ft_heap_look_now(ft_heap *heap);

/* A named point of the recording: what is alive now, by site. Needs both parts' locks. */
ft_status ft_heap_mark(ft_heap *heap, const char *name, size_t length);

/* The number of a text that may have been asked for before: it is written once. */
ft_status ft_heap_text(ft_heap *heap, const char *text, size_t length, uint32_t *number);

/* What is alive at the end, in place of what was said before; the rows are copied. */
void ft_heap_forget_survivors(ft_heap *heap);
ft_status ft_heap_add_object(ft_heap *heap, const ft_heap_object *row);
ft_status ft_heap_add_class(ft_heap *heap, const ft_heap_class *row);

/* How many blocks of this size one sampled block stands for; 1 where every block is counted. */
double ft_heap_stands_for(uint64_t sample, uint64_t size);

/* Validates all of a part: for tests. */
bool ft_heap_part_check(const ft_heap_part *part);

/* ---- the hot path ---- */

static inline uint64_t ft_heap_load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void ft_heap_store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Of the last peak. Each part has a word of it to itself, so it never steps back. */
static inline uint64_t ft_heap_serial(const ft_heap_head *head)
{
    return ft_heap_load(&head->raised[0]) + ft_heap_load(&head->raised[1]);
}

static inline ft_heap_cell *ft_heap_cell_at(const ft_heap_part *part, uint32_t tag)
{
    const uint32_t mask = (UINT32_C(1) << FT_HEAP_CELL_BITS) - 1;
    assert(tag >> FT_HEAP_CELL_BITS < part->base_count && (tag & mask) != 0);
    return part->bases[tag >> FT_HEAP_CELL_BITS] + (tag & mask);
}

/* How many cells the part's block number `base` has; they begin at 1. */
static inline uint64_t ft_heap_cells_in(const ft_heap_part *part, uint32_t base)
{
    const ft_block *block = (const ft_block *)(const void *)part->bases[base];
    return atomic_load_explicit(&block->used, memory_order_acquire) / sizeof(ft_heap_cell);
}

/* A size as the cells know it. */
static inline uint32_t ft_heap_size_of(const ft_heap_part *part, size_t size)
{
    if (FT_LIKELY(size <= FT_HEAP_SMALL_MAX))
        return (uint32_t)size;
    return part->heap->sample > 0 && size < FT_HEAP_ANY ? (uint32_t)size : FT_HEAP_ANY;
}

static inline ft_heap_cached *ft_heap_cached_at(ft_heap_part *part, uint64_t key, uint32_t size)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    return &part->cache[((key ^ (uint64_t)size << 40) * odd) >> (64 - FT_HEAP_CACHE_BITS)];
}

/* The tag of blocks of this size (ft_heap_size_of) from where key stands for, if it was asked for
 * not long ago; else 0. */
static inline uint32_t ft_heap_find(ft_heap_part *part, uint64_t key, uint32_t size)
{
    const ft_heap_cached *cached = ft_heap_cached_at(part, key, size);
    return FT_LIKELY(cached->key == key && cached->size == size) ? cached->tag : 0;
}

static inline void ft_heap_cache(ft_heap_part *part, uint64_t key, uint32_t size, uint32_t tag)
{
    *ft_heap_cached_at(part, key, size) = (ft_heap_cached){key, size, tag};
}

/* Before live changes: what it was at the peak stays known. */
static inline void ft_heap_keep_peak(const ft_heap_part *part, ft_heap_cell *cell)
{
    uint64_t serial = ft_heap_serial(part->head);
    if (ft_heap_load(&cell->serial) != serial) {
        ft_heap_store(&cell->at_peak, ft_heap_load(&cell->live));
        ft_heap_store(&cell->serial, serial);
    }
}

static inline void ft_heap_cell_add(const ft_heap_part *part, ft_heap_cell *cell, uint64_t amount)
{
    ft_heap_keep_peak(part, cell);
    ft_counter_add(&cell->live, amount);
    ft_counter_add(&cell->total, amount);
}

static inline void ft_heap_cell_remove(const ft_heap_part *part, ft_heap_cell *cell,
                                       uint64_t amount)
{
    ft_heap_keep_peak(part, cell);
    assert(ft_heap_load(&cell->live) >= amount);
    ft_counter_add(&cell->live, 0 - amount);
}

/* The heap has grown by so many bytes. */
static inline void ft_heap_raise(const ft_heap_part *part, uint64_t bytes)
{
    ft_heap_head *head = part->head;
    uint64_t mine = ft_heap_load(&head->live[part->index]) + bytes;
    uint64_t all = mine + ft_heap_load(&head->live[1 - part->index]);
    ft_heap_store(&head->live[part->index], mine);
    if (all > ft_heap_load(&head->peak)) {
        ft_heap_store(&head->peak, all);
        ft_heap_store(&head->peak_at, ft_heap_load(&head->allocated[FT_HEAP_PYTHON]));
        ft_counter_add(&head->raised[part->index], 1);
    }
}

/* How much a block weighs in its cell; size: of a block of ANY_SIZE. */
static inline uint64_t ft_heap_weight(const ft_heap_cell *cell, size_t size)
{
    return cell->kind == FT_HEAP_ANY_SIZE ? size : cell->weight;
}

/* Counts in the cell of a tag: a block of this size is alive. */
static inline void ft_heap_count(const ft_heap_part *part, uint32_t tag, size_t size)
{
    ft_heap_cell *cell = ft_heap_cell_at(part, tag);
    ft_heap_cell_add(part, cell, 1);
    if (FT_UNLIKELY(cell->kind == FT_HEAP_ANY_SIZE))
        ft_heap_cell_add(part, cell + 1, size);
    ft_heap_raise(part, ft_heap_weight(cell, size));
}

static inline void ft_heap_uncount(const ft_heap_part *part, uint32_t tag, size_t size)
{
    ft_heap_cell *cell = ft_heap_cell_at(part, tag);
    ft_heap_cell_remove(part, cell, 1);
    if (FT_UNLIKELY(cell->kind == FT_HEAP_ANY_SIZE))
        ft_heap_cell_remove(part, cell + 1, size);
    ft_counter_add(&part->head->live[part->index], 0 - ft_heap_weight(cell, size));
}

/* A block of a sampled heap begins, counted or not. */
static inline void ft_heap_hear(ft_heap_part *part)
{
    part->recent[++part->heard % FT_HEAP_TEMPORARY_WITHIN] = 0;
}

/* Is this block to be told of? In a sampled heap few are. */
static inline bool ft_heap_wants(ft_heap_part *part, size_t size)
{
    if (FT_LIKELY(!part->samples))
        return true;
    ft_heap_hear(part);
    part->until_sample -= (int64_t)(size > 0 ? size : 1);
    if (FT_LIKELY(part->until_sample > 0))
        return false;
    ft_heap_draw(part);
    return true;
}

/* A tag for a block that begins, where there is more to do than to store it. */
bool ft_heap_put_slowly(ft_heap_part *part, uint32_t tag, uintptr_t address, size_t size);

/* A block begins; tag: what ft_heap_find gave. One that was known at its address has ended unheard.
 * False when there is no room to remember it: it is not counted. */
static inline bool ft_heap_add(ft_heap_part *part, uint32_t tag, uintptr_t address, size_t size)
{
    if (FT_UNLIKELY(!ft_tags_put_new(&part->tags, address, size, tag)) &&
        !ft_heap_put_slowly(part, tag, address, size))
        return false;
    uint64_t number = ft_heap_load(&part->head->allocated[part->index]) + 1;
    ft_heap_store(&part->head->allocated[part->index], number);
    if (part->samples)
        number = part->heard;
    part->recent[number % FT_HEAP_TEMPORARY_WITHIN] = address;
    ft_heap_count(part, tag, size);
    return true;
}

/* The block's tag, which it has no more, with its guard; 0 when it is not known. *size: of a large
 * one. */
static inline uint32_t ft_heap_take(ft_heap_part *part, uintptr_t address, size_t *size)
{
    *size = 0;
    return ft_tags_take(&part->tags, address, size);
}

/* The block at this address, counted or not, bears a guard from now on. Without room it does not.
 * True if it has a tag now and had none. */
bool ft_heap_guard(ft_heap_part *part, uintptr_t address, size_t size);

/* What ft_heap_take gave, and ft_heap_uncount took off if it was counted, goes back: the block was
 * not freed. False without room (noted). */
bool ft_heap_put_back(ft_heap_part *part, uint32_t tag, uintptr_t address, size_t size);

static inline bool ft_heap_is_recent(const ft_heap_part *part, uintptr_t address)
{
    bool found = false;
    for (int i = 0; i < FT_HEAP_TEMPORARY_WITHIN; i++)
        found |= part->recent[i] == address;
    return found;
}

/* A block that ft_heap_take told of has ended. */
static inline void ft_heap_end(ft_heap_part *part, uint32_t tag, uintptr_t address, size_t size)
{
    ft_heap_uncount(part, tag, size);
    if (ft_heap_is_recent(part, address)) {
        ft_heap_cell *cell = ft_heap_cell_at(part, tag);
        ft_counter_add(&cell->temporary, 1);
        if (FT_UNLIKELY(cell->kind == FT_HEAP_ANY_SIZE))
            ft_counter_add(&cell[1].temporary, size);
    }
}

/* What was allocated at an address belongs to another site from now on: an object was made in a
 * block that a freelist had kept. Its guard stays; old is without it. */
static inline void ft_heap_move(ft_heap_part *part, uint32_t old, uint32_t tag, uintptr_t address,
                                size_t size)
{
    size_t unused;
    uint32_t *known = ft_tags_find(&part->tags, address, &unused);
    if (known == NULL || old == tag)
        return;
    *known = tag | (*known & FT_HEAP_GUARD);
    ft_heap_uncount(part, old, size);
    ft_heap_count(part, tag, size);
}

#endif
