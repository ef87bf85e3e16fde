/* SPDX-License-Identifier: Apache-2.0 */
/* array.h: how every growing array of the model gets its room.
 *
 * Capacities grow by half: appending stays O(1) amortised, and an array of a million elements
 * wastes a third of its room at worst instead of a half. */
#ifndef FT_BASE_ARRAY_H
#define FT_BASE_ARRAY_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"

enum { FT_ARRAY_FIRST = 16 }; /* elements of the first block */

/* The block, moved if it must be, with room for need > 0 elements; NULL when memory is out (block
 * and *capacity are as before then). */
static inline void *ft_array_grow(const ft_mem *mem, void *block, uint32_t need, uint32_t *capacity,
                                  size_t size)
{
    assert(need > 0 && size > 0);
    assert((block == NULL) == (*capacity == 0));
    if (need <= *capacity)
        return block;
    uint64_t room = (uint64_t)*capacity + *capacity / 2 + FT_ARRAY_FIRST;
    if (room < need)
        room = need;
    if (room > UINT32_MAX)
        room = UINT32_MAX;
    void *grown = ft_mem_resize(mem, block, (size_t)room, size);
    if (grown != NULL)
        *capacity = (uint32_t)room;
    return grown;
}

#endif
