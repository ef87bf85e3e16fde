/* SPDX-License-Identifier: Apache-2.0 */
/* counters.h: what the processor counts while a thread runs: instructions, branches, misses.
 *
 * The system may have no such counters, or not let this process have them (a virtual machine, a
 * container, perf_event_paranoid): then there are simply none, and nothing is an error. The
 * counters that could be had run from ft_counters_open to ft_counters_close, for the thread that
 * opened them, in user space only; a span is the difference of two readings. */
#ifndef FT_BASE_COUNTERS_H
#define FT_BASE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ft_counter {
    FT_COUNTER_INSTRUCTIONS = 0,
    FT_COUNTER_BRANCHES,
    FT_COUNTER_BRANCH_MISSES,
    FT_COUNTER_CACHE_MISSES,
    FT_COUNTER_HARDWARE_END,
    /* counted by the kernel, so that machines without the others can test what reads them */
    FT_COUNTER_PAGE_FAULTS = FT_COUNTER_HARDWARE_END,
    FT_COUNTER_TASK_CLOCK, /* ns */
    FT_COUNTER_END
} ft_counter;

/* Opens one counter in the group of leader (-1: it is to lead); a file descriptor, or -1. */
typedef int ft_counter_opener(void *context, ft_counter counter, int leader);

typedef struct ft_counters {
    int files[FT_COUNTER_END]; /* the first leads the group */
    ft_counter kinds[FT_COUNTER_END];
    size_t count; /* of both; 0: there are none */
} ft_counters;

typedef struct ft_counter_reading {
    uint64_t enabled, running; /* ns: a group that shares the processor's counters runs in turns */
    uint64_t values[FT_COUNTER_END]; /* in the order of kinds */
} ft_counter_reading;

/* "instructions"; never NULL. */
const char *ft_counter_name(ft_counter counter);

/* Opens those of the wanted counters that can be had, in their order; count says how many. */
void ft_counters_open(ft_counters *counters, const ft_counter *wanted, size_t count);

/* The same, through an opener of the caller's. */
void ft_counters_open_with(ft_counters *counters, const ft_counter *wanted, size_t count,
                           ft_counter_opener *opener, void *context);

/* False, with nothing written, when there are none or they cannot be read. */
bool ft_counters_read(const ft_counters *counters, ft_counter_reading *reading);

/* How much counter `which` counted between two readings, had it run all the time; negative when it
 * did not run at all. */
double ft_counters_between(const ft_counter_reading *from, const ft_counter_reading *to,
                           size_t which);

/* Closing what is closed, or was never open with anything, does nothing. */
void ft_counters_close(ft_counters *counters);

#endif
