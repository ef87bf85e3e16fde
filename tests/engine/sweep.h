/* SPDX-License-Identifier: Apache-2.0 */
/* sweep.h: runs a piece of work again and again, failing its first allocation, its second, ...
 * until a run gets through. */
#ifndef SWEEP_H
#define SWEEP_H

#include "engine/base/status.h"
#include "tests/engine/failing_mem.h"

enum { SWEEP_MAX_ALLOCATIONS = 100000 };

/* Whether each run with a refused allocation said FT_ERR_MEMORY, the last one FT_OK, at least one
 * was refused, and none left a block behind. The work checks its own results. */
static inline int sweep(ft_status (*work)(const ft_mem *mem))
{
    for (long succeed = 0; succeed < SWEEP_MAX_ALLOCATIONS; succeed++) {
        failing_mem state;
        failing_mem_init(&state, succeed);
        ft_status status = work(&state.mem);
        if (state.live != 0 || status != (state.failed ? FT_ERR_MEMORY : FT_OK))
            return 0;
        if (!state.failed)
            return succeed > 0;
    }
    return 0;
}

#endif
