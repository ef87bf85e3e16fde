/* SPDX-License-Identifier: Apache-2.0 */
/* sampling.h: which blocks pass untold when the only heap that is on samples.
 *
 * Nearly all do, so for these there is next to nothing here: no lock, no look at the heap or at
 * where the program is. Each thread has countdowns of its own, in bytes, to its next samples. The
 * gaps of a Poisson process have no memory, so the samples of all threads are one process still,
 * and a sample in a block that nobody may be told of (our own, another interpreter's) is dropped,
 * with the next gap beginning behind it. A block that ends passes if no block that was told of has
 * its hash.
 *
 *   Invariant: while a part of a sampling heap has a tag for an address, `tagged` of its hash is
 *   over 0.
 *
 * `recording` is another number for each time that a heap is alone with it: what a thread drew for
 * an earlier one does not count. Behind a sample a thread lets no blocks pass for as many as a
 * temporary block may see, so that the heap hears whether it is one.
 *
 * Locking: the locks of the heap's parts for what says so; the rest needs none. */
#ifndef FT_RECORD_SAMPLING_H
#define FT_RECORD_SAMPLING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/record/heap.h"

enum {
    FT_SAMPLING_NONE = 1, /* as a recording: every block is to be told of */
    FT_SAMPLING_BITS = 13
};

/* recording and last begin as FT_SAMPLING_NONE, the rest as 0. */
typedef struct ft_sampling {
    _Atomic uint32_t recording;
    uint32_t last;                                    /* number that was given away */
    _Atomic uint8_t tagged[2][1 << FT_SAMPLING_BITS]; /* by part; written under its lock */
} ft_sampling;

/* A thread's, for one part. Begins as 0, which is no recording. */
typedef struct ft_sampling_countdown {
    int64_t left;       /* bytes */
    uint32_t recording; /* blocks may pass, of that one */
    uint32_t drawn_for;
    uint32_t watched; /* blocks that may not pass yet */
} ft_sampling_countdown;

/* Does a heap sample, and is it the only one that is on? Needs both parts' locks. */
void ft_sampling_set(ft_sampling *sampling, bool alone);

/* No heap that samples has a tag. Needs both parts' locks. */
void ft_sampling_forget(ft_sampling *sampling);

/* Is a block that did not pass to be told of? Asked once, with the part's lock. */
bool ft_sampling_wants(const ft_sampling *sampling, ft_sampling_countdown *here, ft_heap_part *part,
                       size_t size);

static inline bool ft_sampling_is_on(const ft_sampling *sampling)
{
    return atomic_load_explicit(&sampling->recording, memory_order_relaxed) != FT_SAMPLING_NONE;
}

/* Does a block that begins pass untold? Asked once for each. */
static inline bool ft_sampling_passes(const ft_sampling *sampling, ft_sampling_countdown *here,
                                      size_t size)
{
    if (here->recording != atomic_load_explicit(&sampling->recording, memory_order_relaxed))
        return false;
    here->left -= (int64_t)(size + (size == 0));
    return here->left > 0;
}

/* A block that did not pass is one that nobody may be told of. */
static inline void ft_sampling_drop(ft_sampling_countdown *here)
{
    *here = (ft_sampling_countdown){0};
}

static inline uint32_t ft_sampling_hash(uintptr_t address)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(((uint64_t)address * odd) >> (64 - FT_SAMPLING_BITS));
}

/* Does a block that ends pass untold? */
static inline bool ft_sampling_is_stranger(const ft_sampling *sampling, ft_heap_part_of part,
                                           uintptr_t address)
{
    return ft_sampling_is_on(sampling) &&
           atomic_load_explicit(&sampling->tagged[part][ft_sampling_hash(address)],
                                memory_order_relaxed) == 0;
}

/* A sampling heap's part has one tag more for this address, or one less. 255 stays. Needs the
 * part's lock. */
static inline void ft_sampling_note(ft_sampling *sampling, ft_heap_part_of part, uintptr_t address,
                                    int more)
{
    _Atomic uint8_t *tagged = &sampling->tagged[part][ft_sampling_hash(address)];
    uint8_t count = atomic_load_explicit(tagged, memory_order_relaxed);
    assert(more > 0 || count > 0);
    if (count != UINT8_MAX)
        atomic_store_explicit(tagged, (uint8_t)(count + more), memory_order_relaxed);
}

#endif
