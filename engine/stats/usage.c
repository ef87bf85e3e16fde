/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c: lanes and threads of a stopwatch (see usage.h).
 *
 * Every change of a lane or thread first adds up what passed since its mark, as the counts were
 * until then, and moves the mark: sums are right at each moment, in whatever order uses end. */
#include "engine/stats/usage.h"

#include <assert.h>
#include <string.h>
#include <sys/resource.h>

#include "engine/base/clock.h"

/* ---- readings ---- */

static uint64_t system_wall(void *context)
{
    (void)context;
    return ft_clock_ns(CLOCK_MONOTONIC);
}

/* The CPU time is not getrusage's: that lags behind by up to a tick of the scheduler, 4 ms. */
static void system_cpu(void *context, ft_usage_reading *reading)
{
    (void)context;
    reading->cpu = (int64_t)ft_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    reading->known = true;
#ifdef RUSAGE_THREAD
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) == 0)
        reading->switches = usage.ru_nvcsw;
#else
    reading->switches++; /* not known: all that is not CPU time counts as waiting */
#endif
}

const ft_usage_clock ft_usage_clock_system = {system_wall, system_cpu, NULL};

/* Is the last real reading recent enough to go on from? */
static bool go_on(const ft_usage_thread *thread, ft_usage_reading *now)
{
    const ft_usage_reading *read = &thread->read;
    if (!read->known || now->wall - read->wall >= FT_USAGE_FRESH_NS)
        return false;
    now->cpu = read->cpu + (int64_t)(now->wall - read->wall);
    now->switches = read->switches;
    now->known = true;
    return true;
}

/* Before something begins: the wall clock comes last. */
static ft_usage_reading read_before(ft_usage_thread *thread, const ft_usage_clock *clock)
{
    ft_usage_reading now = {.wall = ft_usage_wall(clock)};
    if (go_on(thread, &now))
        return now;
    now.switches = thread->read.switches;
    clock->cpu(clock->context, &now);
    now.wall = ft_usage_wall(clock);
    thread->read = now;
    return now;
}

/* After something ended at wall, in that thread. */
static ft_usage_reading read_after(ft_usage_lane *lane, const ft_usage_clock *clock,
                                   uint64_t thread, uint64_t wall)
{
    ft_usage_reading now = {.wall = wall};
    if (lane->thread->key != thread || go_on(lane->thread, &now))
        return now;
    now.switches = lane->thread->read.switches;
    clock->cpu(clock->context, &now);
    lane->thread->read = now;
    return now;
}

/* ---- adding up ---- */

static uint64_t elapsed(const ft_usage_reading *from, const ft_usage_reading *to)
{
    return to->wall > from->wall ? to->wall - from->wall : 0;
}

static uint64_t waited(const ft_usage_lane *lane, const ft_usage_reading *now)
{
    uint64_t wall = elapsed(&lane->mark, now);
    if (lane->awake == 0)
        return wall;
    if (!lane->mark.known || !now->known || now->switches <= lane->mark.switches)
        return 0;
    int64_t cpu = now->cpu - lane->mark.cpu;
    if (cpu <= 0)
        return wall;
    return (uint64_t)cpu < wall ? wall - (uint64_t)cpu : 0;
}

static int64_t used(const ft_usage_thread *thread, const ft_usage_reading *now)
{
    if (thread->awake == 0 || !thread->mark.known || !now->known)
        return 0;
    int64_t cpu = now->cpu - thread->mark.cpu;
    return cpu >= -(int64_t)FT_USAGE_FRESH_NS ? cpu : 0; /* a forked child's clock starts again */
}

static void add_up(ft_usage_lane *lane, const ft_usage_reading *now)
{
    ft_usage *watch = lane->watch;
    if (watch != NULL && lane->open > 0) {
        watch->wall += elapsed(&lane->mark, now);
        watch->waiting += waited(lane, now);
    }
    if (watch != NULL)
        watch->cpu += used(lane->thread, now);
    lane->mark = *now;
    if (now->known || lane->thread->awake == 0)
        lane->thread->mark = *now;
}

uint64_t ft_usage_begin(ft_usage_lane *lane, const ft_usage_clock *clock)
{
    ft_usage_reading now = read_before(lane->thread, clock);
    add_up(lane, &now);
    lane->open++;
    lane->awake++;
    lane->thread->awake++;
    return now.wall;
}

void ft_usage_end(ft_usage_lane *lane, const ft_usage_clock *clock, uint64_t thread, uint64_t wall)
{
    ft_usage_sleep(lane, clock, thread, wall);
    assert(lane->open > lane->awake);
    lane->open--;
}

void ft_usage_sleep(ft_usage_lane *lane, const ft_usage_clock *clock, uint64_t thread,
                    uint64_t wall)
{
    assert(lane->awake > 0 && lane->thread->awake > 0);
    ft_usage_reading now = read_after(lane, clock, thread, wall);
    add_up(lane, &now);
    lane->awake--;
    lane->thread->awake--;
}

uint64_t ft_usage_wake(ft_usage_lane *lane, const ft_usage_clock *clock, uint64_t thread)
{
    ft_usage_reading now = {0};
    if (lane->thread->key == thread)
        now = read_before(lane->thread, clock);
    else
        now.wall = ft_usage_wall(clock);
    add_up(lane, &now);
    lane->awake++;
    lane->thread->awake++;
    return now.wall;
}

ft_status ft_usage_count(ft_usage_lane *lane, uint64_t duration)
{
    return lane->watch == NULL ? FT_OK : ft_durations_add(&lane->watch->durations, duration);
}

ft_usage_totals ft_usage_total(const ft_usage *watch, uint64_t thread)
{
    ft_usage_reading now = {0};
    uint64_t wall = watch->wall, waiting = watch->waiting;
    int64_t cpu = watch->cpu;
    now.wall = ft_usage_wall(watch->clock);
    for (ft_usage_thread *each = watch->threads; each != NULL; each = each->next)
        if (each->key == thread && each->awake > 0) {
            now.switches = each->read.switches;
            watch->clock->cpu(watch->clock->context, &now);
            cpu += used(each, &now);
        }
    for (int i = 0; i < FT_USAGE_BUCKETS; i++)
        for (ft_usage_lane *lane = watch->lanes[i]; lane != NULL; lane = lane->next)
            if (lane->open > 0) {
                wall += elapsed(&lane->mark, &now);
                waiting += lane->awake == 0 || lane->thread->key == thread ? waited(lane, &now) : 0;
            }
    /* Clocks are read one after the other: no more than there was. */
    uint64_t most = wall < waiting ? 0 : wall - waiting;
    uint64_t on_cpu = cpu > 0 ? (uint64_t)cpu : 0;
    return (ft_usage_totals){wall, on_cpu < most ? on_cpu : most, waiting};
}

/* ---- lanes ---- */

static ft_usage_lane **bucket_of(ft_usage *watch, uint64_t thread, uint64_t key)
{
    uint64_t mixed = (key ^ thread) * UINT64_C(0x9E3779B97F4A7C15);
    return &watch->lanes[mixed >> 58];
}

static ft_usage_thread *thread_take(ft_usage *watch, uint64_t key)
{
    ft_usage_thread *thread = watch->threads;
    while (thread != NULL && thread->key != key)
        thread = thread->next;
    if (thread == NULL) {
        thread = ft_mem_new(watch->mem, 1, sizeof *thread);
        if (thread == NULL)
            return NULL;
        thread->key = key;
        thread->next = watch->threads;
        watch->threads = thread;
    }
    thread->lanes++;
    return thread;
}

static void thread_drop(const ft_mem *mem, ft_usage *watch, ft_usage_thread *thread)
{
    if (--thread->lanes > 0)
        return;
    if (watch != NULL) {
        ft_usage_thread **place = &watch->threads;
        while (*place != thread)
            place = &(*place)->next;
        *place = thread->next;
    }
    ft_mem_free(mem, thread);
}

static void lane_free(const ft_mem *mem, ft_usage_lane *lane)
{
    if (lane->watch != NULL) {
        ft_usage_lane **place = bucket_of(lane->watch, lane->thread->key, lane->key);
        while (*place != lane)
            place = &(*place)->next;
        *place = lane->next;
    }
    thread_drop(mem, lane->watch, lane->thread);
    ft_mem_free(mem, lane);
}

ft_usage_lane *ft_usage_lane_take(ft_usage *watch, uint64_t thread, uint64_t key)
{
    ft_usage_lane **bucket = bucket_of(watch, thread, key), *lane = *bucket;
    while (lane != NULL && (lane->key != key || lane->thread->key != thread))
        lane = lane->next;
    if (lane == NULL) {
        lane = ft_mem_new(watch->mem, 1, sizeof *lane);
        if (lane != NULL && (lane->thread = thread_take(watch, thread)) == NULL) {
            ft_mem_free(watch->mem, lane);
            lane = NULL;
        }
        if (lane == NULL)
            return NULL;
        lane->watch = watch;
        lane->key = key;
        lane->next = *bucket;
        *bucket = lane;
    }
    if (lane == watch->spare)
        watch->spare = NULL;
    lane->holders++;
    return lane;
}

void ft_usage_lane_drop(const ft_mem *mem, ft_usage_lane *lane)
{
    assert(lane->holders > 0);
    if (--lane->holders > 0)
        return;
    ft_usage *watch = lane->watch;
    if (watch == NULL) {
        lane_free(mem, lane);
        return;
    }
    if (watch->spare != NULL)
        lane_free(mem, watch->spare);
    watch->spare = lane;
}

/* ---- a watch ---- */

void ft_usage_init(ft_usage *watch, const ft_mem *mem, const ft_usage_clock *clock)
{
    memset(watch, 0, sizeof *watch);
    watch->mem = mem;
    watch->clock = clock;
    ft_durations_init(&watch->durations, mem);
}

void ft_usage_reset(ft_usage *watch)
{
    if (watch->spare != NULL)
        lane_free(watch->mem, watch->spare);
    for (int i = 0; i < FT_USAGE_BUCKETS; i++)
        for (ft_usage_lane *lane = watch->lanes[i]; lane != NULL; lane = lane->next)
            lane->watch = NULL; /* it, and its thread, are its holders' now */
    ft_durations_fini(&watch->durations);
    ft_usage_init(watch, watch->mem, watch->clock);
}

void ft_usage_fini(ft_usage *watch)
{
    ft_usage_reset(watch);
}
