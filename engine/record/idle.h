/* SPDX-License-Identifier: Apache-2.0 */
/* idle.h: how long a thread was off the CPU by its own choice.
 *
 * Reading a thread's CPU clock at every event would cost more than the events. It is read at the
 * end of a slice that was long enough to have been waiting in; off the CPU without a voluntary
 * switch is preemption, and that is not waiting. */
#ifndef FT_RECORD_IDLE_H
#define FT_RECORD_IDLE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ft_idle {
    uint64_t off_cpu;   /* ns off the CPU since some moment, as last looked at */
    uint64_t voluntary; /* switches, as last looked at */
} ft_idle;

/* From here on the calling thread's time off the CPU is counted. */
void ft_idle_start(ft_idle *idle);

/* How long the calling thread has been waiting since the last look, at most slice_ns. A look costs
 * a system call of 0.5 us, two in slices that were waiting or are very_long. */
uint64_t ft_idle_waited(ft_idle *idle, uint64_t slice_ns, uint64_t now_ns, bool very_long);

/* How long a thread was off the CPU since its last look, by its CPU clock: for another thread,
 * which can not ask why. */
uint64_t ft_idle_waited_by(ft_idle *idle, uint64_t cpu_ns, uint64_t now_ns);

#endif
