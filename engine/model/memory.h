/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h: what a recording of memory holds besides times: the sites, and for each process that
 * recorded memory its heap, how it grew, what was alive at the points that the program named, and
 * its objects and classes at the end. Times are ns since the process's recording began. */
#ifndef FT_MODEL_MEMORY_H
#define FT_MODEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/model/code.h"
#include "engine/model/sites.h"

/* `process` is an index into the profile's processes in all of them, `site` into the sites. */

typedef struct ft_heap_summary { /* of all sites of one process */
    uint32_t process;
    uint32_t frames; /* at most so many of each path were kept */
    uint64_t sample; /* mean bytes between two samples; 0: every block was heard of */
    uint64_t total_count, total_bytes;
    uint64_t peak_bytes, peak_time; /* the most that was alive, and when */
    uint64_t alive_count, alive_bytes;
} ft_heap_summary;

typedef struct ft_moment { /* one reading of the timeline */
    uint32_t process;
    uint64_t time;
    uint64_t live, rss; /* bytes */
} ft_moment;

typedef struct ft_point { /* what the program named: fettle.mark("loaded") */
    uint32_t process;
    uint32_t name; /* text */
    uint64_t time;
    uint64_t live_count, live_bytes, rss;
} ft_point;

typedef struct ft_point_row { /* what was alive at a point, by site; equal sites are summed */
    uint32_t point, site;
    uint64_t count, bytes;
} ft_point_row;

typedef struct ft_object_row { /* objects alive at the end, by type and site; equal ones too */
    uint32_t process;
    uint32_t type; /* text: "build.P", module and qualified name; builtins without their module */
    uint32_t site; /* FT_SITE_NONE: older than the recording */
    uint64_t count, bytes;
} ft_object_row;

typedef struct ft_class_row { /* what __slots__ would save */
    uint32_t process;
    uint32_t type; /* text, as in ft_object_row */
    uint32_t why;  /* text: why the class can not have __slots__; the empty one: it can */
    uint64_t instances, bytes; /* alive at the end, with all that is theirs alone */
    uint64_t plain, slotted;   /* bytes of an instance as it is and with __slots__ */
} ft_class_row;

/* Orders that hold always: heaps ascend by process, at most one each; moments by process, then
 * time; points by process, then as they were named; rows of points by point. */
typedef struct ft_memory {
    const ft_mem *mem;
    ft_sites sites;
    ft_heap_summary *heaps;
    uint32_t heap_count, heap_capacity;
    ft_moment *moments;
    uint32_t moment_count, moment_capacity;
    ft_point *points;
    uint32_t point_count, point_capacity;
    ft_point_row *point_rows;
    uint32_t point_row_count, point_row_capacity;
    ft_object_row *objects;
    uint32_t object_count, object_capacity;
    ft_class_row *classes;
    uint32_t class_count, class_capacity;
} ft_memory;

ft_status ft_memory_init(ft_memory *memory, const ft_mem *mem);
void ft_memory_fini(ft_memory *memory);

/* Each appends a copy. FT_ERR_CORRUPT when it breaks the order above. FT_ERR_MEMORY, FT_ERR_LIMIT;
 * a failure changes nothing. */
ft_status ft_memory_add_heap(ft_memory *memory, const ft_heap_summary *heap);
ft_status ft_memory_add_moment(ft_memory *memory, const ft_moment *moment);
ft_status ft_memory_add_point(ft_memory *memory, const ft_point *point);
ft_status ft_memory_add_point_row(ft_memory *memory, const ft_point_row *row);
ft_status ft_memory_add_object(ft_memory *memory, const ft_object_row *object);
ft_status ft_memory_add_class(ft_memory *memory, const ft_class_row *class_row);

/* How the ids of one profile translate into those of another. */
typedef struct ft_memory_ids {
    const uint32_t *texts; /* the new id of each; NULL: the ids are the same */
    const uint32_t *codes;
    uint32_t first_process; /* the new index of the first; past all that have rows */
} ft_memory_ids;

/* Appends all of from: sites are interned, rows copied. Numbers of sites are not added yet:
 * ft_memory_sum does, and can not fail, so that a caller may do it last of all. sites: room for the
 * new id of each of from's sites. On a failure into is as it was. */
ft_status ft_memory_merge(ft_memory *into, const ft_memory *from, ft_memory_ids ids,
                          uint32_t *sites);
void ft_memory_sum(ft_memory *into, const ft_memory *from, const uint32_t *sites);

/* Forgets what was appended since memory had the counts of before; not the sums. */
void ft_memory_cut(ft_memory *memory, const ft_memory *before);

/* Whether there is anything. */
bool ft_memory_is_empty(const ft_memory *memory);

/* Validates the whole: every id in range, every order held. */
bool ft_memory_is_valid(const ft_memory *memory, const ft_codetab *codes, uint32_t text_count,
                        uint32_t process_count);

#endif
