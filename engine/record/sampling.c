/* SPDX-License-Identifier: Apache-2.0 */
/* sampling.c: which blocks pass untold when the only heap samples (see sampling.h). */
#include "engine/record/sampling.h"

void ft_sampling_set(ft_sampling *sampling, bool alone)
{
    uint32_t number = FT_SAMPLING_NONE;
    if (alone) {
        if (++sampling->last == 0) /* it went round: neither 0 nor FT_SAMPLING_NONE */
            sampling->last = FT_SAMPLING_NONE + 1;
        number = sampling->last;
    }
    atomic_store_explicit(&sampling->recording, number, memory_order_relaxed);
}

void ft_sampling_forget(ft_sampling *sampling)
{
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < 1 << FT_SAMPLING_BITS; i++)
            atomic_store_explicit(&sampling->tagged[part][i], 0, memory_order_relaxed);
}

bool ft_sampling_wants(const ft_sampling *sampling, ft_sampling_countdown *here, ft_heap_part *part,
                       size_t size)
{
    uint32_t recording = atomic_load_explicit(&sampling->recording, memory_order_relaxed);
    if (here->recording != recording) { /* else it was counted when it did not pass */
        if (here->drawn_for != recording)
            *here = (ft_sampling_countdown){.left = ft_heap_gap(part), .drawn_for = recording};
        here->left -= (int64_t)(size + (size == 0));
    }
    ft_heap_hear(part);
    if (here->left <= 0) {
        *here = (ft_sampling_countdown){ft_heap_gap(part), 0, recording, FT_HEAP_TEMPORARY_WITHIN};
        return true;
    }
    if (here->watched == 0 || --here->watched == 0)
        here->recording = recording;
    return false;
}
