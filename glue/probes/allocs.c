/* SPDX-License-Identifier: Apache-2.0 */
/* allocs.c: which heaps are on, and who reads them (see allocs.h). The hooks that tell them are
 * alloc_hooks.c. */
#include "glue/probes/allocs.h"

#include <assert.h>
#include <errno.h>

#include "engine/model/profile.h"
#include "glue/probes/alloc_hooks.h"
#include "glue/probes/numpy_data.h"

/* ---- the list of heaps ---- */

/* Is one on that samples, or one that does not? */
static bool is_any_on(bool samples)
{
    for (uint32_t i = 0; i < ft_hooks.count; i++)
        if ((ft_hooks.heaps[i]->sample > 0) == samples)
            return true;
    return false;
}

/* Both locks are held. */
static void list_changed(void)
{
    ft_hooks.changes++;
    ft_hooks.last_thread = NULL; /* it has no recorder of a take that begins */
    ft_sampling_set(&ft_hooks.sampling, ft_hooks.count == 1 && is_any_on(true));
    if (!is_any_on(true))
        ft_sampling_forget(&ft_hooks.sampling);
}

/* ---- forks ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&ft_hooks.raw_lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&ft_hooks.raw_lock);
}

/* A heap in a file lies in memory that is the parent's, too. */
static void after_fork_in_child(void)
{
    uint32_t kept = 0;
    pthread_mutex_init(&ft_hooks.raw_lock, NULL);
    for (uint32_t i = 0; i < ft_hooks.count; i++) {
        if (ft_hooks.heaps[i]->recording->directory == NULL)
            ft_hooks.heaps[kept++] = ft_hooks.heaps[i];
        else
            ft_hooks.forked = true;
    }
    ft_hooks.count = kept;
    list_changed();
}

static int prepare(void)
{
    if (ft_hooks.prepared)
        return 0;
    if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0) {
        PyErr_SetString(PyExc_OSError, "no fork handler is left");
        return -1;
    }
    ft_hooks.prepared = true;
    return 0;
}

/* ---- takes ---- */

static void add_heap(ft_heap *heap)
{
    pthread_mutex_lock(&ft_hooks.raw_lock);
    ft_hooks.heaps[ft_hooks.count++] = heap;
    list_changed();
    pthread_mutex_unlock(&ft_hooks.raw_lock);
}

static void remove_heap(const ft_heap *heap)
{
    pthread_mutex_lock(&ft_hooks.raw_lock);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ft_hooks.count; i++)
        if (ft_hooks.heaps[i] != heap)
            ft_hooks.heaps[kept++] = ft_hooks.heaps[i];
    ft_hooks.count = kept;
    list_changed();
    pthread_mutex_unlock(&ft_hooks.raw_lock);
}

static int open_heap(ft_take *take)
{
    if (take->heap != NULL) {
        ft_heap_resume(take->heap);
        return 0;
    }
    ft_heap *heap = ft_mem_new(&ft_mem_system, 1, sizeof *heap);
    if (heap == NULL || ft_heap_open(heap, &take->recording, take->frames, take->sample) != FT_OK) {
        ft_mem_free(&ft_mem_system, heap);
        PyErr_NoMemory();
        return -1;
    }
    take->heap = heap;
    return 0;
}

int ft_allocs_begin(ft_take *take)
{
    if (!take->memory || take->heap_is_on)
        return 0;
    if (ft_hooks.count == FT_HEAPS_MAX) {
        PyErr_Format(PyExc_RuntimeError, "memory is recorded %d times already: stop one of them",
                     FT_HEAPS_MAX);
        return -1;
    }
    if (prepare() < 0 || open_heap(take) < 0)
        return -1;
    ft_hooks.interpreter = PyInterpreterState_Main();
    ft_hooks.newest_size = 0;
    ft_hooks_install();
    add_heap(take->heap);
    take->heap_is_on = true;
    atomic_store(&ft_hooks.on, true);
    if (take->sample == 0)
        ft_hooks_install_tracer();
    ft_numpy_data_begin();
    ft_heap_look(take->heap);
    return 0;
}

static void rest(ft_heap *heap)
{
    ft_heap_rest(&heap->parts[FT_HEAP_PYTHON]);
    ft_heap_rest(&heap->parts[FT_HEAP_RAW]);
}

/* Nobody is told any more. */
static void close_down(void)
{
    atomic_store(&ft_hooks.on, false);
    ft_numpy_data_end();
    ft_hooks_uninstall();
}

/* What a reader of the numbers must know. */
static void note_lacks(ft_take *take)
{
    ft_arena *arena = &take->recording.arena;
    if (!ft_hooks_are_heard())
        ft_arena_note(arena, FT_NOTE_ALLOCATOR_TAKEN, 1);
    if (take->sample == 0 && !ft_hooks_have_tracer())
        ft_arena_note(arena, FT_NOTE_TRACER_TAKEN, 1);
    if (take->heap->parts[FT_HEAP_PYTHON].tags.degraded)
        ft_arena_note(arena, FT_NOTE_NO_SHADOW, 1);
    if (atomic_load(&ft_hooks.foreign))
        ft_arena_note(arena, FT_NOTE_INTERPRETERS, 1);
}

void ft_allocs_end(ft_take *take)
{
    if (!take->heap_is_on)
        return;
    take->heap_is_on = false;
    note_lacks(take);
    ft_heap_look_now(take->heap);
    remove_heap(take->heap);
    rest(take->heap);
    if (!is_any_on(false))
        ft_hooks_remove_tracer();
    if (ft_hooks.count == 0 && !ft_hooks.forked)
        close_down();
}

void ft_allocs_close(ft_take *take)
{
    assert(!take->heap_is_on);
    if (take->heap == NULL)
        return;
    ft_heap_close(take->heap);
    ft_mem_free(&ft_mem_system, take->heap);
    take->heap = NULL;
}

void ft_allocs_after_fork(ft_take *take, bool lost)
{
    if (!take->heap_is_on || take->recording.directory == NULL)
        return;
    if (!lost && ft_heap_reopen(take->heap) == FT_OK) {
        add_heap(take->heap);
        return;
    }
    if (lost)
        ft_heap_close(take->heap);
    ft_mem_free(&ft_mem_system, take->heap);
    take->heap = NULL;
    take->heap_is_on = false;
}

/* ---- for who reads or marks a heap ---- */

ft_heap *ft_allocs_heap(uint32_t number)
{
    if (ft_hooks.forked)
        ft_hooks_go_on();
    return number < ft_hooks.count ? ft_hooks.heaps[number] : NULL;
}

void ft_allocs_lock(void)
{
    pthread_mutex_lock(&ft_hooks.raw_lock);
}

void ft_allocs_unlock(void)
{
    pthread_mutex_unlock(&ft_hooks.raw_lock);
}
