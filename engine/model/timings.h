/* SPDX-License-Identifier: Apache-2.0 */
/* timings.h: line times as line_profiler keeps them: for each function, how often each of its
 * lines ran and how long, in a unit of its own.
 *
 * Nothing is rounded and nothing is summed, so that what was read can be written again as it was;
 * a profile's lines (lines.h) are made of it, and it of them, where files are read and exported.
 * Invariant: the lines of a function stand in a row, functions in the order of their lines. */
#ifndef FT_MODEL_TIMINGS_H
#define FT_MODEL_TIMINGS_H

#include <stdint.h>

#include "engine/model/strtab.h"

typedef struct ft_timing { /* of one line */
    int64_t line, hits, time;
} ft_timing;

typedef struct ft_timed {  /* a function */
    uint32_t file, name;   /* texts */
    int64_t line;          /* its first one */
    uint32_t first, count; /* of lines */
} ft_timed;

typedef struct ft_timings {
    const ft_mem *mem;
    ft_strtab texts; /* UTF-8, lone surrogates included: as Python's "surrogatepass" encodes them */
    double unit;     /* seconds; any number */
    ft_timed *functions; /* owned */
    uint32_t function_count, function_capacity;
    ft_timing *lines; /* owned */
    uint32_t line_count, line_capacity;
} ft_timings;

ft_status ft_timings_init(ft_timings *timings, const ft_mem *mem);
void ft_timings_fini(ft_timings *timings);

/* Appends a function without lines; file and name are ids of timings->texts. */
ft_status ft_timings_add_function(ft_timings *timings, uint32_t file, int64_t line, uint32_t name);
/* Appends a line, copied, to the function added last. */
ft_status ft_timings_add_line(ft_timings *timings, const ft_timing *line);

#endif
