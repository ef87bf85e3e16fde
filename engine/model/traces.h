/* SPDX-License-Identifier: Apache-2.0 */
/* traces.h: a snapshot of memory as tracemalloc keeps it: the blocks that were alive, each with its
 * size and the frames where it was allocated, and what the snapshot was given besides.
 *
 * Blocks of one stack and size that follow each other are one group, so a snapshot is as large as
 * there are places. Nothing else is summed or sorted: what was read can be written again as it was.
 * Invariant: every id in a frame, stack, group or attribute is one of this structure. */
#ifndef FT_MODEL_TRACES_H
#define FT_MODEL_TRACES_H

#include <stdint.h>

#include "engine/model/strtab.h"

/* More blocks than a machine has room for; their number fits Python's lengths. */
#define FT_TRACES_BLOCKS_MAX (UINT64_C(1) << 40)

typedef struct ft_traces_frame {
    uint32_t file; /* text */
    uint32_t line;
} ft_traces_frame;

typedef struct ft_traces_stack {
    uint32_t first, count; /* of frames, the most recent first */
} ft_traces_stack;

typedef struct ft_traces_group {
    uint64_t size;   /* bytes of each block */
    uint64_t count;  /* of blocks, 1 at least */
    uint32_t domain; /* 0: Python's allocators */
    uint32_t stack;
    uint32_t depth; /* frames before the limit cut some off, + 1; 0: not known */
} ft_traces_group;

typedef enum ft_traces_kind {
    FT_TRACES_NONE,
    FT_TRACES_FALSE,
    FT_TRACES_TRUE,
    FT_TRACES_INTEGER,
    FT_TRACES_REAL,
    FT_TRACES_TEXT
} ft_traces_kind;

typedef struct ft_traces_attribute {
    uint32_t name; /* text */
    ft_traces_kind kind;
    union {
        int64_t integer;
        double real;
        uint32_t text;
    } value;
} ft_traces_attribute;

typedef struct ft_traces {
    const ft_mem *mem;
    ft_strtab texts; /* UTF-8, lone surrogates included: as Python's "surrogatepass" encodes them */
    ft_traces_frame *frames; /* owned */
    uint32_t frame_count, frame_capacity;
    ft_traces_stack *stacks; /* owned */
    uint32_t stack_count, stack_capacity;
    ft_traces_group *groups; /* owned */
    uint32_t group_count, group_capacity;
    uint64_t block_count;            /* the sum of the groups' */
    ft_traces_attribute *attributes; /* owned */
    uint32_t attribute_count, attribute_capacity;
} ft_traces;

ft_status ft_traces_init(ft_traces *traces, const ft_mem *mem);
void ft_traces_fini(ft_traces *traces);

/* Appends a stack without frames. FT_ERR_LIMIT past 32 bits, as of all that follow. */
ft_status ft_traces_add_stack(ft_traces *traces, uint32_t *id);
/* Appends a frame to the stack added last: the caller of the one before. */
ft_status ft_traces_add_frame(ft_traces *traces, ft_traces_frame frame);
/* Appends blocks, which join the last group if they are equal to its. FT_ERR_LIMIT also past
 * FT_TRACES_BLOCKS_MAX. */
ft_status ft_traces_add_group(ft_traces *traces, const ft_traces_group *group);
ft_status ft_traces_add_attribute(ft_traces *traces, const ft_traces_attribute *attribute);

#endif
