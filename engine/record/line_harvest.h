/* SPDX-License-Identifier: Apache-2.0 */
/* line_harvest.h: the lines in an arena become the profile's (see harvest.h, which reads blocks).
 *
 * Nothing in the blocks is trusted. What does not fit is left out and counted in `torn`. */
#ifndef FT_RECORD_LINE_HARVEST_H
#define FT_RECORD_LINE_HARVEST_H

#include "engine/model/profile.h"
#include "engine/record/line_recorder.h"

typedef struct ft_line_count { /* of one thread's cell; ticks */
    uint32_t code, line;       /* code: id in the profile */
    uint64_t hits, time, waiting, callees;
} ft_line_count;

typedef struct ft_line_extent { /* the cells of one thread's table, as they lay in memory */
    uint64_t address;
    uint32_t first, count; /* among counts */
} ft_line_extent;

typedef struct ft_line_harvest {
    const ft_mem *mem;
    const uint32_t *codes; /* borrowed: the profile's code id of each code number */
    uint32_t code_count;   /* numbers are 1 to this */
    uint64_t end;          /* ticks: what is open lasted until then; 0: until the last event */
    uint64_t cpu;          /* ticks of CPU time that the process had at the end; 0: not known */
    uint64_t last_event;   /* ticks */
    uint64_t torn;
    ft_line_count *counts; /* owned */
    uint32_t count, room;
    ft_line_extent *extents; /* owned */
    uint32_t extent_count, extent_room;
    ft_line_activation *open; /* owned copies of those that ran or were suspended */
    uint32_t open_count, open_room;
} ft_line_harvest;

void ft_line_harvest_fini(ft_line_harvest *harvest);

/* The content of a block of LINES, which lay at address in the writer's memory. */
ft_status ft_line_harvest_cells(ft_line_harvest *harvest, const uint8_t *content, uint64_t bytes,
                                uint64_t address);

/* The content of a block of ACTIVATIONS, after all LINES. */
ft_status ft_line_harvest_activations(ft_line_harvest *harvest, const uint8_t *content,
                                      uint64_t bytes);

/* Adds all to the profile. */
ft_status ft_line_harvest_finish(ft_line_harvest *harvest, ft_profile *profile, double ns_per_tick);

#endif
