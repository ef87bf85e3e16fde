/* SPDX-License-Identifier: Apache-2.0 */
/* samples.h: what `fettle time` measured: series of samples, each number as it was.
 *
 * Flat arrays, each only appended to: the groups and counters of a series stand in a row, series
 * after series, and so do the seconds of its groups. Invariants: every number is finite, a clock is
 * one that is known, no two counters of a series have one name, the first series is together with
 * none. Whoever reads needs no other care. */
#ifndef FT_MODEL_SAMPLES_H
#define FT_MODEL_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum {
    /* Each is a row of a table and one comparison, which takes a bootstrap: a hostile file must not
     * ask for millions. One of `fettle time` has a handful. */
    FT_SERIES_MAX = 4096,
    /* What says how sure a median is takes more time than in proportion to them. `fettle time` has
     * one for each process, or each run of a command. */
    FT_SERIES_GROUPS_MAX = 1 << 16,
    FT_SERIES_COUNTERS_MAX = 64 /* looked through one by one; the kernel counts some dozens */
};

typedef enum ft_series_clock {
    FT_SERIES_CPU = 1,  /* CPU time of the process */
    FT_SERIES_WALL = 2, /* time that passed */
    FT_SERIES_CLOCKS    /* how many kinds there are */
} ft_series_clock;

/* Bits of the flags of a series. */
enum {
    FT_SERIES_HAS_MEMORY = 1,
    FT_SERIES_HAS_PEAK = 2,
    FT_SERIES_TOGETHER = 4, /* measured together with the series before: its samples are pairs */
    FT_SERIES_FLAGS = 7     /* all of them */
};

typedef struct ft_series {
    uint32_t label;         /* text */
    uint32_t clock;         /* ft_series_clock */
    uint64_t loops;         /* calls a sample; at least 1 */
    double empty;           /* seconds a call of the empty loop, already subtracted; 0 or more */
    uint32_t flags;         /* the numbers below that are not known are 0 */
    uint64_t bytes, blocks; /* that one call allocated */
    uint64_t peak;          /* bytes at the highest point of a call */
} ft_series;

typedef struct ft_counter { /* of the machine, for one call: instructions, ... */
    uint32_t series;
    uint32_t name; /* text */
    double value;
} ft_counter;

typedef struct ft_group { /* samples that share their luck: those of one process */
    uint32_t series;
    uint32_t first, count; /* of the seconds */
} ft_group;

typedef struct ft_samples {
    const ft_mem *mem;
    ft_series *series; /* owned, as all of them */
    uint32_t series_count, series_capacity;
    ft_counter *counters;
    uint32_t counter_count, counter_capacity;
    ft_group *groups;
    uint32_t group_count, group_capacity;
    double *seconds; /* a call; below 0 where the empty loop took longer than the call */
    uint32_t second_count, second_capacity;
} ft_samples;

void ft_samples_init(ft_samples *samples, const ft_mem *mem);
void ft_samples_fini(ft_samples *samples);

/* Each appends a copy. FT_ERR_CORRUPT for what can not be, or is out of order: counters and groups
 * belong to the series before's or to a later one. FT_ERR_LIMIT, FT_ERR_MEMORY. A failure changes
 * nothing. */
ft_status ft_samples_add_series(ft_samples *samples, const ft_series *series);
ft_status ft_samples_add_counter(ft_samples *samples, const ft_counter *counter);
ft_status ft_samples_add_group(ft_samples *samples, uint32_t series);
/* To the group that was added last; there must be one. seconds are no part of samples. */
ft_status ft_samples_add_seconds(ft_samples *samples, const double *seconds, uint32_t count);

/* Appends all of from, whose text t is texts[t] here. Its first series may be together with the
 * last one of into, and with none if there is none. On a failure into is as it was. */
ft_status ft_samples_merge(ft_samples *into, const ft_samples *from, const uint32_t *texts);

/* Forgets what was appended since samples had the counts of before, which ended with a series. */
void ft_samples_cut(ft_samples *samples, const ft_samples *before);

/* Validates the whole: every id in range, every order held, every number finite. */
bool ft_samples_are_valid(const ft_samples *samples, uint32_t text_count);

#endif
