/* SPDX-License-Identifier: Apache-2.0 */
/* alloc_hooks.h: the hooks on Python's allocators, which tell the heaps that are on.
 *
 * They are one static for the process: an allocator has nobody else to ask. Locking: see allocs.h.
 */
#ifndef FT_GLUE_PROBES_ALLOC_HOOKS_H
#define FT_GLUE_PROBES_ALLOC_HOOKS_H

#include "glue/compat.h"

#include <pthread.h>

#include "engine/record/sampling.h"
#include "glue/probes/allocators.h"
#include "glue/probes/allocs.h"
#include "glue/probes/kept_blocks.h"

typedef struct ft_alloc_hooks {
    ft_allocators allocators;
    bool prepared; /* the fork handlers are there */
    PyInterpreterState *interpreter;
    ft_heap *heaps[FT_HEAPS_MAX]; /* those that are on */
    uint32_t count;
    const PyThreadState *last_thread; /* of the PYTHON block before; borrowed, for comparing only */
    uint64_t changes;                 /* of the list of heaps */
    _Atomic bool foreign; /* another interpreter's block was seen; written by its thread */
    _Atomic bool on;      /* count > 0 */
    bool forked;          /* heaps in files have to be opened anew */
    pthread_mutex_t raw_lock;
    uintptr_t newest; /* the PYTHON block that began last, and its size; 0: it has its object */
    size_t newest_size;
    ft_kept_blocks kept; /* of dead code */
    ft_sampling sampling;
} ft_alloc_hooks;

/* Found without a table of addresses: it is this library's alone. */
extern ft_alloc_hooks ft_hooks __attribute__((visibility("hidden")));

/* All need the GIL. */

void ft_hooks_install(void);
/* All but RAW's; what is kept back is given back. */
void ft_hooks_uninstall(void);
/* Are ours in the chains still? */
bool ft_hooks_are_heard(void);

/* In a forked child: heaps in files go on in an arena of the child's own. */
void ft_hooks_go_on(void);

/* For objects that are made in blocks which a freelist kept, where the interpreter tells of them.
 * Another tool's tracer stays. */
void ft_hooks_install_tracer(void);
void ft_hooks_remove_tracer(void);
bool ft_hooks_have_tracer(void);

#endif
