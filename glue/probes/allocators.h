/* SPDX-License-Identifier: Apache-2.0 */
/* allocators.h: Python's three allocators, and hooks of ours in front of each.
 *
 * Other tools have hooks, too: over ours, below them, or back in a place that was theirs before
 * ours came. So whether ours are heard is not remembered but tried. */
#ifndef FT_GLUE_PROBES_ALLOCATORS_H
#define FT_GLUE_PROBES_ALLOCATORS_H

#include "glue/compat.h"

typedef enum ft_allocator { FT_RAW, FT_MEM, FT_OBJECT, FT_ALLOCATORS } ft_allocator;

typedef struct ft_allocators {
    PyMemAllocatorEx originals[FT_ALLOCATORS]; /* where ours calls through to */
    bool installed[FT_ALLOCATORS];
    bool probing;
    bool heard[FT_ALLOCATORS]; /* by ours, while probing */
} ft_allocators;

/* All need the GIL. ours: whose functions call through to `originals`; the contexts are not used,
 * each is called with that of the original. */
void ft_allocators_install(ft_allocators *allocators, const PyMemAllocatorEx *ours);

/* All but FT_RAW, in which a thread without the GIL may be. Another tool's hooks over ours stay,
 * and ours below them call through. */
void ft_allocators_uninstall(ft_allocators *allocators, const PyMemAllocatorEx *ours);

/* Is our hook in the chain still? Allocates a block, larger than 512 bytes, and frees it. Where
 * none is given nobody can say, and it is true: a second time in the chain it would call itself for
 * ever. */
bool ft_allocators_is_heard(ft_allocators *allocators, ft_allocator of);

#endif
