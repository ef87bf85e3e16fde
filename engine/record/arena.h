/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h: memory that outlives the process that writes it.
 *
 * An arena is a file of blocks, each mapped MAP_SHARED where it was made and never moved: whatever
 * the writer stored is in the page cache and stays there however the process dies. Blocks are
 * allocated with posix_fallocate, never sparse, so that a full disk is an error here and not a
 * SIGBUS later. Without a file the same blocks are plain memory.
 *
 * What is in a block is published by a release store of its `used` bytes: a reader of the file sees
 * whole elements only. No descriptor is kept open between growths: programs that close all
 * descriptors, or count on their numbers, must not notice us.
 *
 * Locking: none. Whoever grows an arena holds the recording's lock; readers need none. */
#ifndef FT_RECORD_ARENA_H
#define FT_RECORD_ARENA_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"

#define FT_ARENA_MAGIC UINT64_C(0x3130414e45525446) /* "FTRENA01", little-endian */
#define FT_BLOCK_MAGIC UINT32_C(0x4b4c4246)         /* "FBLK" */

enum {
    FT_ARENA_HEADER_BYTES = 1 << 16, /* a multiple of every page size in use; one page is touched */
    FT_BLOCK_HEADER_BYTES = 64,
    FT_BLOCK_MIN_BYTES = 1 << 16,
    FT_BLOCK_MAX_BYTES = 1 << 22, /* what a growing writer asks for at most: far ahead is waste */
    FT_ARENA_NOTES = 24           /* ft_note_kind is the index */
};

typedef enum ft_block_kind {
    FT_BLOCK_RECORDS = 1,   /* ft_record, one after another: codes and properties */
    FT_BLOCK_RECORDERS = 2, /* ft_recorder slots */
    FT_BLOCK_CONTEXTS = 3,  /* ft_context, of the recorder `owner` */
    FT_BLOCK_LINES = 4,     /* ft_line_cells, one after another, of the recorder `owner` or none */
    FT_BLOCK_ACTIVATIONS = 5, /* ft_line_activation, of the recorder `owner` */
    /* heap.h: */
    FT_BLOCK_HEAP = 6,     /* one ft_heap_head */
    FT_BLOCK_SITES = 7,    /* ft_heap_site, of the part `owner` */
    FT_BLOCK_CELLS = 8,    /* ft_heap_cell, likewise */
    FT_BLOCK_MOMENTS = 9,  /* ft_heap_moment */
    FT_BLOCK_POINTS = 10,  /* ft_heap_point and its rows */
    FT_BLOCK_OBJECTS = 11, /* ft_heap_object */
    FT_BLOCK_CLASSES = 12, /* ft_heap_class */
    FT_BLOCK_SPANS = 13    /* span_log.h: one ft_span_log */
} ft_block_kind;

typedef struct ft_block {
    uint32_t magic;
    uint32_t kind;    /* ft_block_kind */
    uint64_t bytes;   /* of the whole block, this header included */
    uint64_t address; /* where the writer had it mapped: contexts point at each other by address */
    uint32_t owner;   /* CONTEXTS: index of the recorder */
    uint32_t reserved;
    _Atomic uint64_t used; /* published bytes behind this header */
    struct ft_block *next; /* the writer's list, newest first */
    uint64_t padding[2];
} ft_block;

_Static_assert(sizeof(ft_block) == FT_BLOCK_HEADER_BYTES, "the file's layout");

typedef struct ft_arena_header {
    uint64_t magic;
    uint32_t layout; /* sizeof(ft_context) << 16 | sizeof(ft_recorder): another build is another
                        layout */
    uint32_t clock_source;
    uint32_t pid, parent_pid;
    uint64_t
        process_start;     /* of /proc/PID/stat: tells a process from a later one of the same pid */
    uint64_t started_unix; /* ns */
    ft_clock_pair first;
    _Atomic uint64_t last_ticks, last_ns; /* a pair, refreshed now and then */
    _Atomic uint64_t notes[FT_ARENA_NOTES];
    _Atomic uint64_t begun; /* ticks when the main module started; 0: it has not */
    _Atomic uint64_t bytes; /* published length of the file */
} ft_arena_header;

typedef struct ft_arena {
    const ft_mem *mem;
    char *path;              /* owned; NULL for plain memory */
    ft_arena_header *header; /* owned mapping */
    ft_block *blocks;        /* owned mappings, newest first */
    uint64_t device, inode;  /* of the file, so that no other file is ever grown */
} ft_arena;

/* Makes the file path (it must not exist) or, for NULL, a memory arena; writes pid, times and
 * clock. FT_ERR_IO, FT_ERR_DISK_FULL, FT_ERR_MEMORY: nothing is left behind. */
ft_status ft_arena_open(ft_arena *arena, const ft_mem *mem, const char *path, uint32_t layout);

/* Unmaps all; the file stays. */
void ft_arena_close(ft_arena *arena);

/* A new zeroed block of at least `bytes`, rounded up to a power of two, published as empty.
 * Borrowed: it lives as long as the arena. */
ft_status ft_arena_add_block(ft_arena *arena, ft_block_kind kind, uint32_t owner, uint64_t bytes,
                             ft_block **block);

/* Counts one more of a note (ft_note_kind). Any thread. */
void ft_arena_note(ft_arena *arena, uint32_t kind, uint64_t count);

/* Start time of a process in jiffies since boot, or 0 when there is no such process or it is dead.
 */
uint64_t ft_arena_process_start(uint32_t pid);

/* CPU time of a living process so far in ns, to the hundredth of a second; 0 when it is not known.
 */
uint64_t ft_arena_process_cpu(uint32_t pid);

/* Where the ticks begin. */
static inline uint64_t ft_arena_first_ticks(const ft_arena_header *header)
{
    return header->clock_source == FT_CLOCK_CALLERS ? 0 : header->first.ticks;
}

static inline void *ft_block_data(ft_block *block)
{
    return (char *)block + FT_BLOCK_HEADER_BYTES;
}

/* The first unused byte. */
static inline void *ft_block_unused(ft_block *block)
{
    return (char *)ft_block_data(block) + atomic_load_explicit(&block->used, memory_order_relaxed);
}

/* Bytes that were filled can be read from now on. */
static inline void ft_block_publish(ft_block *block, uint64_t bytes)
{
    uint64_t used = atomic_load_explicit(&block->used, memory_order_relaxed);
    assert(used + bytes + FT_BLOCK_HEADER_BYTES <= block->bytes);
    atomic_store_explicit(&block->used, used + bytes, memory_order_release);
}

/* Bytes that are neither used nor outside the block. */
static inline uint64_t ft_block_room(const ft_block *block)
{
    return block->bytes - FT_BLOCK_HEADER_BYTES -
           atomic_load_explicit(&block->used, memory_order_relaxed);
}

#endif
