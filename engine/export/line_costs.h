/* SPDX-License-Identifier: Apache-2.0 */
/* line_costs.h: the own time of each function, spread over its lines.
 *
 * The calls say how much a function took itself, the lines where: a line's part is its time less
 * that in callees. What no line accounts for stands at the `def`; where the lines come to more than
 * the function's own time, each gets the same share of it. So a function's costs sum to its own
 * time, and all costs to the time of the recording. In a recording of lines alone a function costs
 * what its lines took, what they called included.
 *
 * The lines of a function hold the time of its lambdas and generator expressions too, which have
 * their own time in the calls: that is taken off the lines where these stand. */
#ifndef FT_EXPORT_LINE_COSTS_H
#define FT_EXPORT_LINE_COSTS_H

#include "engine/model/query.h"

typedef struct ft_line_cost {
    uint32_t code, line;
    uint64_t ns;
} ft_line_cost;

/* rows: all of ft_query_functions. Of each function with a row (of each with a line that ran, when
 * there are no rows) first the `def`, then each line that ran; in order of code, and of line. The
 * caller frees *costs with
 * ft_mem_free(profile->mem, ...); NULL when there are none. FT_ERR_MEMORY, FT_ERR_LIMIT. */
ft_status ft_line_costs(const ft_profile *profile, const ft_function_row *rows, uint32_t row_count,
                        ft_line_cost **costs, uint32_t *count);

#endif
