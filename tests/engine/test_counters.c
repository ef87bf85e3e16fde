/* SPDX-License-Identifier: Apache-2.0 */
/* test_counters.c: counters of the kernel against getrusage() and the thread's clock, and every way
 * in which the system may refuse. What the processor counts can not be had everywhere: there it
 * is enough that nothing is. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* RUSAGE_THREAD */
#endif

#include "engine/base/counters.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "tests/engine/tap.h"

enum { PAGES = 64 };

/* An opener that refuses where a bit of `refused` is set, and gives what reads as `content`. */
typedef struct script {
    unsigned refused;
    uint64_t content[3 + FT_COUNTER_END];
    size_t length; /* bytes of it that are there to read */
    int asked, led, files[FT_COUNTER_END];
} script;

static int open_scripted(void *context, ft_counter counter, int leader)
{
    script *with = context;
    with->asked++;
    if ((with->refused >> counter & 1) != 0)
        return -1;
    with->led += leader >= 0;
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    if (with->length > 0 && write(ends[1], with->content, with->length) < 0)
        return -1;
    close(ends[1]);
    with->files[counter] = ends[0];
    return ends[0];
}

static const ft_counter all[] = {FT_COUNTER_INSTRUCTIONS, FT_COUNTER_BRANCHES,
                                 FT_COUNTER_BRANCH_MISSES, FT_COUNTER_CACHE_MISSES};

static void test_refusals(void)
{
    for (unsigned refused = 0; refused < 16; refused++) {
        script with = {.refused = refused};
        size_t given = 0;
        for (unsigned i = 0; i < 4; i++)
            given += (refused >> i & 1) == 0;
        with.content[0] = given;
        with.length = (3 + given) * sizeof(uint64_t);
        ft_counters counters;
        ft_counters_open_with(&counters, all, 4, open_scripted, &with);
        CHECK(with.asked == 4);
        CHECK(counters.count == given);
        CHECK(with.led == (int)(given > 0 ? given - 1 : 0));
        size_t at = 0;
        for (unsigned i = 0; i < 4; i++)
            if ((refused >> i & 1) == 0)
                CHECK(counters.kinds[at++] == all[i]);
        ft_counters_close(&counters);
        CHECK(counters.count == 0);
        for (unsigned i = 0; i < 4; i++)
            if ((refused >> i & 1) == 0)
                CHECK(close(with.files[i]) != 0); /* it was closed already */
    }
}

/* A counter that opens, and then can not be read or tells of another group, is none. */
static void test_unreadable(void)
{
    for (size_t length = 0; length < 7 * sizeof(uint64_t); length += 4) {
        script with = {.content = {4}, .length = length};
        ft_counters counters;
        ft_counters_open_with(&counters, all, 4, open_scripted, &with);
        CHECK(counters.count == 0);
    }
    script with = {.content = {3}, .length = 7 * sizeof(uint64_t)};
    ft_counters counters;
    ft_counters_open_with(&counters, all, 4, open_scripted, &with);
    CHECK(counters.count == 0);
    ft_counter_reading reading = {.enabled = 7};
    CHECK(!ft_counters_read(&counters, &reading) && reading.enabled == 7);
    ft_counters_close(&counters);
}

static void test_shared(void)
{
    ft_counter_reading from = {.enabled = 100, .running = 50, .values = {1000}};
    ft_counter_reading to = {.enabled = 300, .running = 100, .values = {1500}};
    CHECK(ft_counters_between(&from, &to, 0) == 2000.0); /* it ran a quarter of the time */
    to.running = 250;
    CHECK(ft_counters_between(&from, &to, 0) == 500.0);
    to.running = 50;
    CHECK(ft_counters_between(&from, &to, 0) < 0);
}

static void touch_pages(void)
{
    long page = sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, PAGES * (size_t)page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(pages != MAP_FAILED);
    for (int i = 0; i < PAGES; i++)
        ((volatile char *)pages)[i * page] = 1;
    munmap(pages, PAGES * (size_t)page);
}

#ifdef __linux__
static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt + usage.ru_majflt;
}

static void test_kernels(void)
{
    const ft_counter wanted[] = {FT_COUNTER_PAGE_FAULTS, FT_COUNTER_TASK_CLOCK};
    ft_counters counters;
    ft_counters_open(&counters, wanted, 2);
    if (counters.count != 2) { /* perf_event_open is forbidden here */
        ft_counters_close(&counters);
        return;
    }
    ft_counter_reading from, to;
    const long faults_before = faults();
    const uint64_t begun = ft_clock_ns(CLOCK_MONOTONIC);
    REQUIRE(ft_counters_read(&counters, &from));
    const uint64_t before = ft_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    touch_pages();
    while (ft_clock_ns(CLOCK_THREAD_CPUTIME_ID) - before < 2000000)
        continue;
    REQUIRE(ft_counters_read(&counters, &to));
    const uint64_t passed = ft_clock_ns(CLOCK_MONOTONIC) - begun;
    const long faulted = faults() - faults_before;
    CHECK(ft_counters_between(&from, &to, 0) >= PAGES);
    CHECK(ft_counters_between(&from, &to, 0) <= (double)faulted);
    /* A virtual machine's kernel was seen to bring it up to date after seconds only. */
    CHECK(ft_counters_between(&from, &to, 1) >= 0);
    CHECK(ft_counters_between(&from, &to, 1) <= (double)passed);
    ft_counters_close(&counters);
}
#endif

static void test_processors(void)
{
    ft_counters counters;
    ft_counters_open(&counters, all, 4);
    CHECK(counters.count <= 4);
    ft_counter_reading from, to;
    if (ft_counters_read(&counters, &from)) {
        touch_pages();
        CHECK(ft_counters_read(&counters, &to));
        if (counters.kinds[0] == FT_COUNTER_INSTRUCTIONS && to.running > from.running)
            CHECK(ft_counters_between(&from, &to, 0) >= PAGES);
    }
    ft_counters_close(&counters);
    ft_counters_close(&counters);
}

int main(void)
{
    for (ft_counter i = 0; i < FT_COUNTER_END; i++)
        CHECK(strlen(ft_counter_name(i)) > 0);
    test_refusals();
    test_unreadable();
    test_shared();
#ifdef __linux__
    test_kernels();
#endif
    test_processors();
    return tap_end();
}
