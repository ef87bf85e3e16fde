/* SPDX-License-Identifier: Apache-2.0 */
/* allocs.h: the allocation probe: hooks on Python's allocators feed the heaps of the active takes.
 *
 * PyMem_SetAllocator hooks hear of every block of the three domains; from 3.13 on a reference
 * tracer hears of objects that are made in blocks which a freelist kept. A hook calls through first
 * and tells the heaps afterwards; while it does, what this thread allocates further in (a large
 * block of one domain is a block of another) is not told of.
 *
 * Locking: MEM and OBJ blocks come with the GIL, which protects the PYTHON parts and the list of
 * heaps; RAW blocks come with or without it, and take `raw_lock`, which protects the RAW parts. The
 * list changes under both. Another interpreter of the process may have a GIL of its own: its blocks
 * pass untold. */
#ifndef FT_GLUE_PROBES_ALLOCS_H
#define FT_GLUE_PROBES_ALLOCS_H

#include "glue/compat.h"

#include "engine/record/heap.h"
#include "glue/probes/take.h"

enum { FT_HEAPS_MAX = 8 }; /* that are on at the same time */

/* All need the GIL. */

/* From now on the take's heap hears of blocks, if the take asks for memory. 0, or -1 with an
 * exception. */
int ft_allocs_begin(ft_take *take);
/* ... and no more. Nothing if it does not. */
void ft_allocs_end(ft_take *take);
/* Frees the heap of a take that is not active. */
void ft_allocs_close(ft_take *take);

/* The take goes on in a forked child, in an arena of its own; lost: it does not. */
void ft_allocs_after_fork(ft_take *take, bool lost);

/* A block that a library tells of itself (a domain as in tracemalloc) begins and ends. What was
 * known of the address before is forgotten. With or without the GIL. */
void ft_allocs_track(uint32_t domain, uintptr_t address, size_t size);
void ft_allocs_untrack(uint32_t domain, uintptr_t address);
/* The block is not known any more, and has not died: it is about to be resized. */
void ft_allocs_forget(uintptr_t address);

/* The heaps that are on, from number 0; NULL behind the last. Needs the GIL. */
ft_heap *ft_allocs_heap(uint32_t number);

/* No block of a part begins or ends in between: to read a heap that is on. */
void ft_allocs_lock(void);
void ft_allocs_unlock(void);

/* While this thread is in between, what it allocates and frees is not told of. */
bool ft_allocs_enter(void);
void ft_allocs_leave(bool entered);

#endif
