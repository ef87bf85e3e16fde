/* SPDX-License-Identifier: Apache-2.0 */
/* query.h: tables computed from the trees of a profile, over all its threads.
 *
 * Primitive calls are those with no ancestor of the same function; cumulative time counts the
 * subtrees of primitive nodes only, so recursion is counted once. Edges follow the same rule with
 * "same function" read as "same (caller, callee) pair", as cProfile's do.
 *
 * Awaited time is that for which coroutines were suspended (FT_CODE_AWAITED). It is beside the time
 * of the threads: in no own or cumulative time and no total. It goes up the tree as cumulative time
 * does, but not past the task: neither the event loop nor who created a task awaits what it awaits.
 *
 * The time of a tree's root is in no table and in no total. Numbers too large for 64 bits saturate.
 * A profile must pass ft_profile_check. */
#ifndef FT_MODEL_QUERY_H
#define FT_MODEL_QUERY_H

#include <stdint.h>

#include "engine/model/profile.h"

typedef struct ft_function_row {
    uint32_t code;
    uint64_t calls, primitive;
    uint64_t own, cumulative;                 /* ns */
    uint64_t own_waiting, cumulative_waiting; /* ns */
    uint64_t own_awaited, cumulative_awaited; /* ns */
} ft_function_row;

typedef struct ft_edge_row {
    uint32_t caller, callee; /* caller is FT_CODE_NONE for what no recorded function called */
    uint64_t calls, primitive;
    uint64_t own, cumulative; /* ns of the callee when called by this caller */
    uint64_t own_waiting, cumulative_waiting;
    uint64_t own_awaited, cumulative_awaited;
} ft_edge_row;

typedef struct ft_totals {
    uint64_t calls, primitive;
    uint64_t own, waiting; /* ns, over all threads */
    uint64_t nodes;        /* of all trees, roots included */
} ft_totals;

/* One row per function that was entered or has time, in order of code id. Zero-call nodes that only
 * carry a caller's identity below FOLDED are left out. The caller frees *rows with
 * ft_mem_free(profile->mem, ...); NULL when there are none. */
ft_status ft_query_functions(const ft_profile *profile, ft_function_row **rows, uint32_t *count);

/* One row per (caller, callee) with calls or time, ordered by callee, then caller. Ownership as
 * above. */
ft_status ft_query_edges(const ft_profile *profile, ft_edge_row **rows, uint32_t *count);

ft_status ft_query_totals(const ft_profile *profile, ft_totals *totals);

#endif
