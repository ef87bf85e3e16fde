/* SPDX-License-Identifier: Apache-2.0 */
/* heap_harvest.h: the heap in an arena becomes the profile's memory (see harvest.h, which reads
 * blocks).
 *
 * Nothing in the blocks is trusted. What does not fit is left out and counted in `torn`. */
#ifndef FT_RECORD_HEAP_HARVEST_H
#define FT_RECORD_HEAP_HARVEST_H

#include "engine/model/profile.h"
#include "engine/record/heap.h"

typedef struct ft_heap_numbers { /* ids[n]: the profile's site of site n of a part; 0: not known */
    uint32_t *ids;               /* owned */
    uint32_t count, room;
} ft_heap_numbers;

typedef struct ft_heap_harvest {
    const ft_mem *mem;
    ft_profile *profile; /* borrowed */
    uint32_t process;
    const uint32_t *codes; /* borrowed: the profile's code id of each code number, from 1 */
    uint32_t code_count;
    const uint32_t *texts; /* borrowed: the profile's text of each text number, from 1 */
    uint32_t text_count;
    uint64_t begun, end; /* ticks: of the recording */
    double ns_per_tick;
    uint64_t last_event; /* ticks */
    uint64_t torn;
    bool has_head; /* without one nothing else means anything */
    ft_heap_head head;
    ft_heap_numbers sites[2]; /* by ft_heap_part_of */
    ft_heap_summary summary;
    ft_heap_moment last; /* the moment before */
    uint64_t peak_ticks; /* when the heap was largest, once that is known */
    bool peak_found;
} ft_heap_harvest;

void ft_heap_harvest_fini(ft_heap_harvest *harvest);

/* The content of a block from FT_BLOCK_HEAP to FT_BLOCK_CLASSES; in the order of their kinds, and
 * of one kind and owner as they were made. FT_ERR_MEMORY, FT_ERR_LIMIT. */
ft_status ft_heap_harvest_block(ft_heap_harvest *harvest, ft_block_kind kind, uint32_t owner,
                                const uint8_t *content, uint64_t bytes);

/* The process's summary, at the end. */
ft_status ft_heap_harvest_finish(ft_heap_harvest *harvest);

#endif
