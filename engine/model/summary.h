/* SPDX-License-Identifier: Apache-2.0 */
/* summary.h: a profile that was summed up before we got it: functions and who called them, as
 * cProfile keeps them. No processes, no threads, no trees; the rows are those of query.h.
 *
 * It is filled row by row and then settled. A settled summary has one function row per code, in
 * order of code id, one edge row per (caller, callee), ordered by callee, then caller, and a
 * function row for every code that an edge names: one of zeros where only an edge knew it. */
#ifndef FT_MODEL_SUMMARY_H
#define FT_MODEL_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/model/query.h"

typedef struct ft_summary {
    const ft_mem *mem;
    ft_strtab texts;
    ft_codetab codes;
    ft_function_row *functions; /* owned */
    uint32_t function_count, function_capacity;
    ft_edge_row *edges; /* owned */
    uint32_t edge_count, edge_capacity;
    bool sampled; /* calls are how often a function was seen, not how often it was called */
    bool untimed; /* some edges have calls only: their times and primitive calls are not known */
} ft_summary;

ft_status ft_summary_init(ft_summary *summary, const ft_mem *mem);
void ft_summary_fini(ft_summary *summary);

/* Each appends one row, copied; the codes it names are ids of summary->codes, not FT_CODE_NONE. */
ft_status ft_summary_add_function(ft_summary *summary, const ft_function_row *row);
ft_status ft_summary_add_edge(ft_summary *summary, const ft_edge_row *row);

/* Sorts the rows, sums those of one function or one pair, and adds the rows of zeros. Sums
 * saturate. FT_ERR_MEMORY, FT_ERR_LIMIT: nothing is in order, some rows of zeros may be added. */
ft_status ft_summary_settle(ft_summary *summary);

/* Adds all of from to into; both are settled, and not the same. On an error into is as it was, but
 * for texts and codes that nothing refers to. */
ft_status ft_summary_merge(ft_summary *into, const ft_summary *from);

/* Sums over the function rows; no nodes. */
ft_totals ft_summary_totals(const ft_summary *summary);

/* Validates a settled summary: every id in range, the order, no row twice. FT_ERR_CORRUPT. */
ft_status ft_summary_check(const ft_summary *summary);

#endif
