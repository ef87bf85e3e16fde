/* SPDX-License-Identifier: Apache-2.0 */
/* moving_mem.h: an allocator that counts bytes, moves whatever it resizes, fills what it hands out
 * and what it takes back with rubbish, and can refuse: what asks too little, holds a pointer for
 * too long or reads what it never wrote does not get away with it. For one thread at a time. */
#ifndef MOVING_MEM_H
#define MOVING_MEM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

enum { MOVING_RUBBISH = 0xa5 };

typedef struct moving_mem {
    ft_mem mem;
    uint64_t bytes;               /* asked for and not given back */
    long asked;                   /* allocations so far, refused ones too */
    long refuse_from, refuse_end; /* which of them are refused */
    long refused;
} moving_mem;

typedef union moving_block { /* before each block; its alignment is the block's */
    size_t bytes;
    max_align_t alignment;
} moving_block;

static void moving_free(moving_mem *state, moving_block *head)
{
    if (head == NULL)
        return;
    state->bytes -= head->bytes;
    memset(head + 1, MOVING_RUBBISH, head->bytes);
    free(head);
}

static void *moving_resize(void *context, void *block, size_t bytes)
{
    moving_mem *state = context;
    moving_block *before = block == NULL ? NULL : (moving_block *)block - 1;
    if (bytes == 0) {
        moving_free(state, before);
        return NULL;
    }
    long number = state->asked++;
    bool refused = number >= state->refuse_from && number < state->refuse_end;
    moving_block *head = refused ? NULL : malloc(sizeof *head + bytes);
    state->refused += refused;
    if (head == NULL)
        return NULL;
    head->bytes = bytes;
    memset(head + 1, MOVING_RUBBISH, bytes);
    if (before != NULL)
        memcpy(head + 1, before + 1, before->bytes < bytes ? before->bytes : bytes);
    state->bytes += bytes;
    moving_free(state, before);
    return head + 1;
}

/* Refuses none until refuse_from and refuse_end say so. */
static inline void moving_mem_init(moving_mem *state)
{
    *state = (moving_mem){.mem = {moving_resize, state}, .refuse_from = LONG_MAX};
}

#endif
