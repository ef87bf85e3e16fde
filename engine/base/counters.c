/* SPDX-License-Identifier: Apache-2.0 */
/* counters.c: the processor's counters, by perf_event_open (see counters.h).
 *
 * All counters are one group, so that they count the same instructions: the kernel schedules a
 * group as a whole. A counter that the group has no room for is left out. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* syscall() */
#endif

#include "engine/base/counters.h"

#include <assert.h>
#include <unistd.h>

static const char *const names[FT_COUNTER_END] = {
    [FT_COUNTER_INSTRUCTIONS] = "instructions",   [FT_COUNTER_BRANCHES] = "branches",
    [FT_COUNTER_BRANCH_MISSES] = "branch misses", [FT_COUNTER_CACHE_MISSES] = "cache misses",
    [FT_COUNTER_PAGE_FAULTS] = "page faults",     [FT_COUNTER_TASK_CLOCK] = "task clock",
};

const char *ft_counter_name(ft_counter counter)
{
    assert(counter < FT_COUNTER_END);
    return names[counter];
}

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/perf_event.h>)
#define HAS_PERF_EVENTS 1
#endif
#endif

#ifdef HAS_PERF_EVENTS
#include <linux/perf_event.h>
#include <sys/syscall.h>

static const struct {
    uint32_t type;
    uint64_t config;
} events[FT_COUNTER_END] = {
    [FT_COUNTER_INSTRUCTIONS] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    [FT_COUNTER_BRANCHES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS},
    [FT_COUNTER_BRANCH_MISSES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    [FT_COUNTER_CACHE_MISSES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    [FT_COUNTER_PAGE_FAULTS] = {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
    [FT_COUNTER_TASK_CLOCK] = {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
};

static int open_event(void *context, ft_counter counter, int leader)
{
    (void)context;
    struct perf_event_attr attributes = {
        .type = events[counter].type,
        .size = sizeof attributes,
        .config = events[counter].config,
        .read_format =
            PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}
#else
static int open_event(void *context, ft_counter counter, int leader)
{
    (void)context, (void)counter, (void)leader;
    return -1;
}
#endif

void ft_counters_open(ft_counters *counters, const ft_counter *wanted, size_t count)
{
    ft_counters_open_with(counters, wanted, count, open_event, NULL);
}

void ft_counters_open_with(ft_counters *counters, const ft_counter *wanted, size_t count,
                           ft_counter_opener *opener, void *context)
{
    assert(count <= FT_COUNTER_END);
    counters->count = 0;
    for (size_t i = 0; i < count; i++) {
        int leader = counters->count == 0 ? -1 : counters->files[0];
        int file = opener(context, wanted[i], leader);
        if (file < 0)
            continue;
        counters->files[counters->count] = file;
        counters->kinds[counters->count++] = wanted[i];
    }
    ft_counter_reading reading;
    if (counters->count > 0 && !ft_counters_read(counters, &reading))
        ft_counters_close(counters);
}

bool ft_counters_read(const ft_counters *counters, ft_counter_reading *reading)
{
    struct { /* what read_format above stands for */
        uint64_t count, enabled, running, values[FT_COUNTER_END];
    } group;
    if (counters->count == 0)
        return false;
    const size_t wanted = (3 + counters->count) * sizeof(uint64_t);
    ssize_t got = read(counters->files[0], &group, wanted);
    if (got != (ssize_t)wanted || group.count != counters->count)
        return false;
    reading->enabled = group.enabled;
    reading->running = group.running;
    for (size_t i = 0; i < counters->count; i++)
        reading->values[i] = group.values[i];
    return true;
}

double ft_counters_between(const ft_counter_reading *from, const ft_counter_reading *to,
                           size_t which)
{
    assert(which < FT_COUNTER_END);
    const uint64_t enabled = to->enabled - from->enabled, running = to->running - from->running;
    const double counted = (double)(to->values[which] - from->values[which]);
    if (running == 0)
        return -1.0;
    return enabled == running ? counted : counted * ((double)enabled / (double)running);
}

void ft_counters_close(ft_counters *counters)
{
    for (size_t i = counters->count; i > 0; i--)
        close(counters->files[i - 1]);
    counters->count = 0;
}
