/* SPDX-License-Identifier: Apache-2.0 */
/* idle.c: how long a thread was off the CPU by its own choice (see idle.h). */
#include "engine/record/idle.h"

#include <sys/resource.h>
#include <time.h>

#include "engine/base/clock.h"

void ft_idle_start(ft_idle *idle)
{
    struct rusage usage;
    idle->off_cpu = ft_clock_ns(CLOCK_MONOTONIC) - ft_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    idle->voluntary =
        getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nvcsw : UINT64_C(0);
}

uint64_t ft_idle_waited(ft_idle *idle, uint64_t slice_ns, uint64_t now_ns, bool very_long)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        return 0;
    uint64_t voluntary = (uint64_t)usage.ru_nvcsw;
    bool switched = voluntary != idle->voluntary;
    if (!switched && !very_long)
        return 0;
    uint64_t off_cpu = now_ns - ft_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    uint64_t waited = off_cpu > idle->off_cpu ? off_cpu - idle->off_cpu : 0;
    idle->off_cpu = off_cpu;
    idle->voluntary = voluntary;
    if (!switched) /* it was preempted: that is not waiting */
        return 0;
    return waited < slice_ns ? waited : slice_ns;
}

uint64_t ft_idle_waited_by(ft_idle *idle, uint64_t cpu_ns, uint64_t now_ns)
{
    uint64_t off_cpu = now_ns - cpu_ns;
    uint64_t waited = off_cpu > idle->off_cpu ? off_cpu - idle->off_cpu : 0;
    idle->off_cpu = off_cpu;
    return waited;
}
