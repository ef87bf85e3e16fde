/* SPDX-License-Identifier: Apache-2.0 */
/* failing_mem.h: an allocator for the sweep that fails each allocation in turn.
 *
 * Use: for (fail_at = 0; ; fail_at++) { failing_mem f; failing_mem_init(&f, fail_at); run with
 * &f.mem; the result must be FT_ERR_MEMORY while f.failed; f.live must be 0 at the end; stop when a
 * run ends without f.failed. */
#ifndef FAILING_MEM_H
#define FAILING_MEM_H

#include <stdlib.h>

#include "engine/base/mem.h"

typedef struct failing_mem {
    ft_mem mem;
    long left;  /* allocations that still succeed */
    long live;  /* blocks that are allocated and not freed */
    int failed; /* whether one was refused */
} failing_mem;

static void *failing_resize(void *context, void *block, size_t bytes)
{
    failing_mem *state = context;
    if (bytes == 0) {
        state->live -= block != NULL;
        free(block);
        return NULL;
    }
    if (state->left-- <= 0) {
        state->failed = 1;
        return NULL;
    }
    void *moved = realloc(block, bytes);
    state->live += block == NULL && moved != NULL;
    return moved;
}

static inline void failing_mem_init(failing_mem *state, long succeed)
{
    *state = (failing_mem){.mem = {failing_resize, state}, .left = succeed};
}

#endif
