/* SPDX-License-Identifier: Apache-2.0 */
/* outline.h: the call trees of a profile as one tree small enough to read.
 *
 * The recording stands on top; below it its processes, if it has several; below each its threads,
 * if that process has several; below these the calls. What is too light to be shown is folded into
 * the nearest row above it that is, and counted there. So nothing is lost: of each row, the own
 * time, the cumulative times of the rows below it and what was folded sum to its cumulative time.
 *
 * The tasks of an event loop stand below the call that created them, or below the loop's where that
 * is not known. What a coroutine awaited is beside all that: as in query.h it goes up to the task's
 * outermost coroutine, and weighs like time.
 *
 * Unlike in the tables of query.h, a recursive call stands below the call that made it, with its
 * own cumulative time. Numbers too large for 64 bits saturate. A profile must pass
 * ft_profile_check. */
#ifndef FT_MODEL_OUTLINE_H
#define FT_MODEL_OUTLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/model/profile.h"

typedef enum ft_outline_kind {
    FT_OUTLINE_RECORDING,
    FT_OUTLINE_PROCESS,
    FT_OUTLINE_THREAD,
    FT_OUTLINE_CALL,
    FT_OUTLINE_TASK /* the outermost call of a task, below what created it */
} ft_outline_kind;

typedef struct ft_outline_wish {
    double least;       /* a share of all time, 0 to 1: what takes less is folded */
    uint32_t rows;      /* not more than these, the heaviest, and the recording; 0 for all */
    const bool *wanted; /* by code: only these and what leads to them is shown; NULL for all */
} ft_outline_wish;

typedef struct ft_outline_row {
    uint32_t kind;   /* ft_outline_kind */
    uint32_t index;  /* a process, a thread or a code; 0 for the recording */
    uint32_t parent; /* the row above, which comes before; row 0, the recording, is its own */
    uint64_t calls;
    uint64_t own, cumulative;                 /* ns */
    uint64_t own_waiting, cumulative_waiting; /* ns */
    uint64_t own_awaited, cumulative_awaited; /* ns */
    uint64_t folded_functions;                /* how many different ones were folded into here */
    uint64_t folded_calls, folded, folded_waiting; /* their calls and time */
    uint64_t folded_awaited;
} ft_outline_row;

/* At least the recording's row; parents come before children, siblings in the order in which they
 * were first called. The caller frees *rows with ft_mem_free(profile->mem, ...). */
ft_status ft_outline_make(const ft_profile *profile, const ft_outline_wish *wish,
                          ft_outline_row **rows, uint32_t *count);

#endif
