/* SPDX-License-Identifier: Apache-2.0 */
/* usage.h: what a stopwatch adds up: elapsed time, CPU time and waiting, none of it twice.
 *
 * A use belongs to a lane: what runs one thing after another, a task of an event loop or, outside
 * of any, a thread. Uses that overlap in one lane (recursion) are counted once in the wall clock,
 * and so are those that overlap in one thread on the CPU's, whatever lanes they are of. A lane is
 * awake while a use of it may run, and asleep while all of them are suspended: that is waiting.
 * Awake, it waited as long as its thread had neither the CPU nor wanted it: the wall clock less the
 * CPU's where the thread gave the CPU up of its own accord, else nothing (it was preempted).
 *
 * The CPU's clock is a system call. A reading is good for FT_USAGE_FRESH_NS: until then the thread
 * is taken to have run, and the next real reading sets that right. So what is shorter, and waits,
 * counts as CPU time unless other uses follow at once.
 *
 * Nothing here locks: the caller's lock (the GIL) is held by all callers, never while a use runs.
 * A use that ends in another thread than it began in has no CPU time and no waiting. */
#ifndef FT_STATS_USAGE_H
#define FT_STATS_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/stats/durations.h"

enum { FT_USAGE_FRESH_NS = 20000, FT_USAGE_BUCKETS = 64 };

typedef struct ft_usage_reading {
    uint64_t wall;    /* ns */
    int64_t cpu;      /* ns of the thread */
    int64_t switches; /* how often it gave the CPU up of its own accord */
    bool known;       /* cpu and switches are */
} ft_usage_reading;

/* Where readings come from: the system's, but for tests. */
typedef struct ft_usage_clock {
    uint64_t (*wall)(void *context);
    void (*cpu)(void *context, ft_usage_reading *reading); /* of the calling thread: all but wall */
    void *context;
} ft_usage_clock;

extern const ft_usage_clock ft_usage_clock_system;

typedef struct ft_usage_thread {
    struct ft_usage_thread *next;
    uint64_t key;
    uint32_t lanes;        /* that hold it; 0: it is freed */
    uint32_t awake;        /* uses that may run */
    ft_usage_reading read; /* the last real one */
    ft_usage_reading mark; /* up to here its CPU time is added up */
} ft_usage_thread;

typedef struct ft_usage ft_usage;

typedef struct ft_usage_lane {
    struct ft_usage_lane *next; /* in its bucket */
    ft_usage *watch;            /* NULL after ft_usage_reset: its uses count for nothing */
    ft_usage_thread *thread;
    uint64_t key;
    uint32_t holders, open, awake; /* open: uses; awake: those that may run */
    ft_usage_reading mark;         /* up to here it is added up */
} ft_usage_lane;

struct ft_usage {
    const ft_mem *mem;
    const ft_usage_clock *clock;
    ft_usage_lane *lanes[FT_USAGE_BUCKETS];
    ft_usage_thread *threads;
    ft_usage_lane *spare; /* the one lane that stays without a holder: it is wanted again soon */
    uint64_t wall, waiting;
    int64_t cpu;
    ft_durations durations;
};

typedef struct ft_usage_totals {
    uint64_t wall, cpu, waiting; /* ns */
} ft_usage_totals;

void ft_usage_init(ft_usage *watch, const ft_mem *mem, const ft_usage_clock *clock);
/* Every lane has been dropped. */
void ft_usage_fini(ft_usage *watch);

/* Forgets all; uses that run are not counted when they end. */
void ft_usage_reset(ft_usage *watch);

/* The lane of that key in that thread, made if need be, for its caller to drop; NULL: no memory. */
ft_usage_lane *ft_usage_lane_take(ft_usage *watch, uint64_t thread, uint64_t key);
void ft_usage_lane_drop(const ft_mem *mem, ft_usage_lane *lane);

/* A use begins in the lane's own thread, awake; its first moment, read last of all. */
uint64_t ft_usage_begin(ft_usage_lane *lane, const ft_usage_clock *clock);
/* A use that is awake ends in that thread; wall was read as soon as it did. */
void ft_usage_end(ft_usage_lane *lane, const ft_usage_clock *clock, uint64_t thread, uint64_t wall);
/* A use is suspended, and goes on. */
void ft_usage_sleep(ft_usage_lane *lane, const ft_usage_clock *clock, uint64_t thread,
                    uint64_t wall);
uint64_t ft_usage_wake(ft_usage_lane *lane, const ft_usage_clock *clock, uint64_t thread);

/* One use, for count, least, most, last and median; FT_ERR_MEMORY: it is not counted there. */
ft_status ft_usage_count(ft_usage_lane *lane, uint64_t duration);

/* The totals up to now; of uses that run in other threads than the caller's, elapsed time only. */
ft_usage_totals ft_usage_total(const ft_usage *watch, uint64_t thread);

static inline uint64_t ft_usage_wall(const ft_usage_clock *clock)
{
    return clock->wall(clock->context);
}

#endif
