/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c: the choice and the rate of the clock (see clock.h). */
#include "engine/base/clock.h"

#if defined(__x86_64__)
#include <cpuid.h>

#define LEAF_POWER 0x80000007U
#define INVARIANT_TSC (1U << 8)

ft_clock_source ft_clock_best(void)
{
    /* "Invariant" is what Linux shows as constant_tsc and nonstop_tsc: one rate in every
     * power state, on all cores. */
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(LEAF_POWER, &eax, &ebx, &ecx, &edx))
        return FT_CLOCK_SYSTEM;
    return (edx & INVARIANT_TSC) != 0 ? FT_CLOCK_COUNTER : FT_CLOCK_SYSTEM;
}

uint64_t ft_clock_ticks_per_20us(ft_clock_source source)
{
    return source == FT_CLOCK_COUNTER ? 50000 : 20000; /* 2.5 GHz: near enough for a threshold */
}
#elif defined(__aarch64__)
ft_clock_source ft_clock_best(void)
{
    return FT_CLOCK_COUNTER; /* the generic timer runs at one rate by definition */
}

uint64_t ft_clock_ticks_per_20us(ft_clock_source source)
{
    uint64_t frequency;
    __asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
    return source == FT_CLOCK_COUNTER ? frequency / 50000 : 20000;
}
#else
ft_clock_source ft_clock_best(void)
{
    return FT_CLOCK_SYSTEM;
}

uint64_t ft_clock_ticks_per_20us(ft_clock_source source)
{
    (void)source;
    return 20000;
}
#endif

/* The middle of two readings: half of the system call's time is no error then. A thread that lost
 * the CPU between them would be off by as long as it was away, and with it the rate of a short
 * recording: the closest of a few is taken. */
ft_clock_pair ft_clock_read_pair(ft_clock_source source)
{
    enum { TRIES = 4, CLOSE = 8 }; /* a part of 20 us */
    const uint64_t close = ft_clock_ticks_per_20us(source) / CLOSE;
    uint64_t best = UINT64_MAX;
    ft_clock_pair pair = {0};
    for (int i = 0; i < TRIES && best > close; i++) {
        uint64_t before = ft_clock_ticks(source);
        uint64_t ns = ft_clock_ns(CLOCK_MONOTONIC);
        uint64_t apart = ft_clock_ticks(source) - before;
        if (apart < best) {
            best = apart;
            pair = (ft_clock_pair){.ticks = before + apart / 2, .ns = ns};
        }
    }
    return pair;
}

double ft_clock_ns_per_tick(ft_clock_source source, ft_clock_pair from, ft_clock_pair to)
{
    if (source == FT_CLOCK_SYSTEM || to.ticks <= from.ticks || to.ns <= from.ns)
        return 1.0;
    return (double)(to.ns - from.ns) / (double)(to.ticks - from.ticks);
}
