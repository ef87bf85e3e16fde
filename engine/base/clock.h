/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: the clocks of the recorders.
 *
 * Events are stamped in ticks: the CPU's constant-rate counter where there is one (14-26 ns a
 * reading), else CLOCK_MONOTONIC in ns (50-70 ns). Which one is a value that a recorder keeps, so
 * the choice is one well-predicted branch. Ticks become ns afterwards, through two
 * (ticks, ns) pairs taken far apart. */
#ifndef FT_BASE_CLOCK_H
#define FT_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

typedef enum ft_clock_source {
    FT_CLOCK_SYSTEM = 0,
    FT_CLOCK_COUNTER = 1,
    FT_CLOCK_CALLERS = 2 /* whoever tells the events has a clock of its own: never read here */
} ft_clock_source;

typedef struct ft_clock_pair {
    uint64_t ticks;
    uint64_t ns; /* CLOCK_MONOTONIC */
} ft_clock_pair;

/* The best source of this machine. */
ft_clock_source ft_clock_best(void);

/* About how many ticks 20 us are: a threshold, not a calibration. */
uint64_t ft_clock_ticks_per_20us(ft_clock_source source);

/* Both clocks, read as closely together as they can be. */
ft_clock_pair ft_clock_read_pair(ft_clock_source source);

/* ns per tick between two pairs; 1 for the system clock or where the pairs are too close to tell.
 */
double ft_clock_ns_per_tick(ft_clock_source source, ft_clock_pair from, ft_clock_pair to);

/* A span of ticks in ns, at most 146 years: two of them still fit 64 bits. */
static inline uint64_t ft_clock_to_ns(uint64_t ticks, double ns_per_tick)
{
    const double most = 4.6e18;
    double ns = (double)ticks * ns_per_tick;
    return (uint64_t)(ns < most ? ns : most);
}

static inline uint64_t ft_clock_ns_of(struct timespec time)
{
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static inline uint64_t ft_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return ft_clock_ns_of(now);
}

#if defined(__x86_64__)
static inline uint64_t ft_clock_counter(void)
{
    return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
static inline uint64_t ft_clock_counter(void)
{
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
#else
static inline uint64_t ft_clock_counter(void)
{
    return ft_clock_ns(CLOCK_MONOTONIC);
}
#endif

static inline uint64_t ft_clock_ticks(ft_clock_source source)
{
    return __builtin_expect(source == FT_CLOCK_COUNTER, 1) ? ft_clock_counter()
                                                           : ft_clock_ns(CLOCK_MONOTONIC);
}

#endif
