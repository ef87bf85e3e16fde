/* SPDX-License-Identifier: Apache-2.0 */
/* allocs.c: the allocation probe (see allocs.h).
 *
 * Keys of places are addresses in code objects. The block of a code object that keys point into
 * bears a guard; when it is freed, it is kept back until the recordings end, or until so many are
 * kept back that all keys are forgotten and all of them given back. */
#include "glue/probes/allocs.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

#include "engine/model/profile.h"
#include "glue/probes/kept_blocks.h"
#include "glue/probes/numpy_data.h"
#include "glue/probes/places.h"
#include "glue/probes/session.h"

enum { LARGE = 1 << 16 }; /* bytes of a block that the timeline is looked at for */

typedef enum allocator { RAW, MEM, OBJECT, ALLOCATORS } allocator;

static const PyMemAllocatorDomain domain_names[ALLOCATORS] = {
    [RAW] = PYMEM_DOMAIN_RAW, [MEM] = PYMEM_DOMAIN_MEM, [OBJECT] = PYMEM_DOMAIN_OBJ};

typedef struct ft_allocs {
    PyMemAllocatorEx originals[ALLOCATORS]; /* where ours calls through to */
    bool installed[ALLOCATORS];
    bool heard[ALLOCATORS]; /* by a hook, since this was cleared */
    bool probing;
    bool prepared; /* the fork handlers are there */
    PyInterpreterState *interpreter;
    ft_heap *heaps[FT_HEAPS_MAX]; /* those that are on */
    uint32_t count;
    uint64_t changes;     /* of the list of heaps */
    _Atomic bool foreign; /* another interpreter's block was seen; written by its thread */
    _Atomic bool on;      /* count > 0 */
    bool forked;          /* heaps in files have to be opened anew */
    pthread_mutex_t raw_lock;
    uintptr_t newest; /* the PYTHON block that began last, and its size; 0: it has its object */
    size_t newest_size;
    ft_kept_blocks kept; /* of dead code */
} ft_allocs;

static ft_allocs allocs = {.raw_lock = PTHREAD_MUTEX_INITIALIZER};

/* Why this thread's blocks are not told of. */
enum {
    IN_HOOK = 1, /* what happens further in is the same block's */
    MUTED = 2    /* what it allocates is ours; what it frees may be the program's */
};

static _Thread_local unsigned char inside FT_TLS;

bool ft_allocs_enter(void)
{
    bool entered = (inside & MUTED) == 0;
    inside |= MUTED;
    return entered;
}

void ft_allocs_leave(bool entered)
{
    if (entered)
        inside &= (unsigned char)~MUTED;
}

/* ---- dead code ---- */

/* Its keys are found no more; needs the GIL. */
static void forget_places(void)
{
    for (uint32_t i = 0; i < allocs.count; i++)
        ft_heap_forget_places(&allocs.heaps[i]->parts[FT_HEAP_PYTHON]);
    pthread_mutex_lock(&allocs.raw_lock);
    for (uint32_t i = 0; i < allocs.count; i++)
        ft_heap_forget_places(&allocs.heaps[i]->parts[FT_HEAP_RAW]);
    pthread_mutex_unlock(&allocs.raw_lock);
}

static void give_back_kept(void)
{
    forget_places();
    ft_kept_give_back(&allocs.kept);
}

/* False: there is no room for it, so no key leads anywhere any more, and it may go. */
static bool keep_back(allocator of, void *block, size_t size)
{
    if (!ft_kept_has_room(&allocs.kept, size)) {
        give_back_kept();
        return false;
    }
    ft_kept_add(&allocs.kept, &allocs.originals[of], block, size);
    return true;
}

static void guard_code(PyCodeObject *code)
{
    size_t size = ft_compat_code_bytes(code);
    for (uint32_t i = 0; i < allocs.count; i++)
        ft_heap_guard(&allocs.heaps[i]->parts[FT_HEAP_PYTHON], (uintptr_t)code, size);
}

/* ---- blocks of the PYTHON parts ---- */

/* The frame of a block that begins; false when it is another interpreter's. */
static bool find_frame(const ft_frame **frame)
{
    const PyThreadState *thread = ft_compat_thread();
    *frame = NULL;
    if (thread == NULL)
        return true;
    if (FT_UNLIKELY(thread->interp != allocs.interpreter)) {
        atomic_store_explicit(&allocs.foreign, true, memory_order_relaxed);
        return false;
    }
    *frame = ft_compat_frame_in(thread);
    return true;
}

static bool is_ours(void)
{
    const PyThreadState *thread = ft_compat_thread();
    return thread == NULL || thread->interp == allocs.interpreter;
}

static uint32_t tag_of(ft_heap_part *part, const ft_frame *frame, uint32_t domain, size_t size,
                       ft_place_guard *guard)
{
    uint64_t key = ft_place_key(frame, part->heap->frames, domain);
    uint32_t sized = ft_heap_size_of(part, size);
    uint32_t tag = ft_heap_find(part, key, sized);
    if (FT_UNLIKELY(tag == 0 || part->sampled != NULL) && guard != NULL)
        ft_numpy_data_look();
    if (FT_LIKELY(tag != 0 && guard != NULL))
        return tag;
    tag = ft_place_tag(part, key, frame, domain, size, guard);
    if (tag != 0 && guard != NULL)
        ft_heap_cache(part, key, sized, tag);
    return tag;
}

static void begin_in(ft_heap_part *part, const ft_frame *frame, uint32_t domain, uintptr_t address,
                     size_t size, ft_place_guard *guard)
{
    uint32_t tag = tag_of(part, frame, domain, size, guard);
    if (tag != 0 && !ft_heap_add(part, tag, address, size))
        ft_arena_note(&part->heap->recording->arena, FT_NOTE_OUT_OF_MEMORY, 1);
}

/* The timeline is looked at now and then, and at large blocks; in a sampled heap, of which few
 * blocks come here, at each. */
static inline void look(ft_heap *heap, size_t size)
{
    enum { EVERY = 1 << 12 };
    uint64_t number = ft_heap_load(&heap->head->allocated[FT_HEAP_PYTHON]);
    if (FT_UNLIKELY(number % EVERY == 0 || size >= LARGE || heap->sample > 0))
        ft_heap_look(heap);
}

static void block_begins(uintptr_t address, size_t size)
{
    const ft_frame *frame;
    if (FT_UNLIKELY(!find_frame(&frame)))
        return;
    allocs.newest = address;
    allocs.newest_size = size;
    for (uint32_t i = 0; i < allocs.count; i++) {
        ft_heap *heap = allocs.heaps[i];
        ft_heap_part *part = &heap->parts[FT_HEAP_PYTHON];
        if (!ft_heap_wants(part, size))
            continue;
        begin_in(part, frame, 0, address, size, guard_code);
        look(heap, size);
    }
}

/* A block that is about to be freed. True: it is kept back. */
static bool block_ends(allocator of, uintptr_t address)
{
    bool guarded = false;
    size_t kept = sizeof(PyCodeObject); /* of a small one no size is known */
    if (FT_UNLIKELY(!is_ours()))
        return false;
    for (uint32_t i = 0; i < allocs.count; i++) {
        size_t size;
        ft_heap_part *part = &allocs.heaps[i]->parts[FT_HEAP_PYTHON];
        uint32_t tag = ft_heap_take(part, address, &size);
        guarded |= (tag & FT_HEAP_GUARD) != 0;
        kept = size > kept ? size : kept;
        if ((tag & ~FT_HEAP_GUARD) != 0)
            ft_heap_end(part, tag & ~FT_HEAP_GUARD, address, size);
    }
    return FT_UNLIKELY(guarded) && keep_back(of, (void *)address, kept);
}

/* In a forked child: heaps in files go on in an arena of the child's own. */
static void go_on_after_fork(void)
{
    allocs.forked = false;
    ft_session_go_on();
}

static inline bool is_told(void)
{
    if (!atomic_load_explicit(&allocs.on, memory_order_relaxed))
        return false;
    if (FT_UNLIKELY(allocs.forked))
        go_on_after_fork();
    return allocs.count > 0;
}

/* ---- the hooks of MEM and OBJECT ---- */

static inline void *hear_malloc(allocator of, void *context, size_t size)
{
    const PyMemAllocatorEx *original = &allocs.originals[of];
    if (FT_UNLIKELY(inside)) {
        if (allocs.probing)
            allocs.heard[of] = true;
        return original->malloc(context, size);
    }
    inside = IN_HOOK;
    void *block = original->malloc(context, size);
    if (FT_LIKELY(block != NULL && is_told()))
        block_begins((uintptr_t)block, size);
    inside = 0;
    return block;
}

static inline void *hear_calloc(allocator of, void *context, size_t count, size_t each)
{
    const PyMemAllocatorEx *original = &allocs.originals[of];
    if (FT_UNLIKELY(inside))
        return original->calloc(context, count, each);
    inside = IN_HOOK;
    void *block = original->calloc(context, count, each);
    if (FT_LIKELY(block != NULL && is_told()))
        block_begins((uintptr_t)block, count * each);
    inside = 0;
    return block;
}

/* What the heaps knew of a block that may move. */
typedef struct moving {
    uint64_t changes; /* of the list of heaps, then */
    uint32_t tags[FT_HEAPS_MAX];
    size_t sizes[FT_HEAPS_MAX];
} moving;

/* The block is not known any more, but it has not died: it was not temporary. */
static void forget_block(ft_heap_part_of of, uintptr_t address, moving *old)
{
    old->changes = allocs.changes;
    for (uint32_t i = 0; i < allocs.count; i++) {
        ft_heap_part *part = &allocs.heaps[i]->parts[of];
        old->tags[i] = ft_heap_take(part, address, &old->sizes[i]);
        if ((old->tags[i] & ~FT_HEAP_GUARD) != 0)
            ft_heap_uncount(part, old->tags[i] & ~FT_HEAP_GUARD, old->sizes[i]);
    }
}

/* It could not be resized and is where it was. Heaps that came or went meanwhile do not know it. */
static void know_again(ft_heap_part_of of, uintptr_t address, const moving *old)
{
    for (uint32_t i = 0; i < allocs.count && old->changes == allocs.changes; i++)
        if (old->tags[i] != 0)
            ft_heap_put_back(&allocs.heaps[i]->parts[of], old->tags[i], address, old->sizes[i]);
}

static void *hear_realloc(allocator of, void *context, void *block, size_t size)
{
    const PyMemAllocatorEx *original = &allocs.originals[of];
    if ((inside & IN_HOOK) != 0)
        return original->realloc(context, block, size);
    moving old;
    inside |= IN_HOOK;
    bool told = is_told() && is_ours();
    if (told && block != NULL)
        forget_block(FT_HEAP_PYTHON, (uintptr_t)block, &old);
    void *moved = original->realloc(context, block, size);
    if (told && block != NULL && moved == NULL)
        know_again(FT_HEAP_PYTHON, (uintptr_t)block, &old);
    if (told && moved != NULL && (inside & MUTED) == 0)
        block_begins((uintptr_t)moved, size);
    inside &= (unsigned char)~IN_HOOK;
    return moved;
}

static inline void hear_free(allocator of, void *context, void *block)
{
    const PyMemAllocatorEx *original = &allocs.originals[of];
    if (FT_UNLIKELY((inside & IN_HOOK) != 0 || block == NULL)) {
        original->free(context, block);
        return;
    }
    inside |= IN_HOOK;
    if (!is_told() || !block_ends(of, (uintptr_t)block))
        original->free(context, block);
    inside &= (unsigned char)~IN_HOOK;
}

/* The four functions of an allocator. */
#define HEARING(name, of)                                                                          \
    static void *name##_malloc(void *context, size_t size)                                         \
    {                                                                                              \
        return hear_malloc(of, context, size);                                                     \
    }                                                                                              \
    static void *name##_calloc(void *context, size_t count, size_t each)                           \
    {                                                                                              \
        return hear_calloc(of, context, count, each);                                              \
    }                                                                                              \
    static void *name##_realloc(void *context, void *block, size_t size)                           \
    {                                                                                              \
        return hear_realloc(of, context, block, size);                                             \
    }                                                                                              \
    static void name##_free(void *context, void *block)                                            \
    {                                                                                              \
        hear_free(of, context, block);                                                             \
    }

HEARING(mem, MEM)
HEARING(object, OBJECT)

/* ---- RAW, with and without the GIL ---- */

/* The raw lock is held. */
static void raw_begins(uint32_t domain, uintptr_t address, size_t size)
{
    bool holds;
    const PyThreadState *thread = ft_compat_own_thread(&holds);
    if (thread != NULL && thread->interp != allocs.interpreter)
        return;
    const ft_frame *frame = thread == NULL ? NULL : ft_compat_frame_in(thread);
    for (uint32_t i = 0; i < allocs.count; i++) {
        ft_heap_part *part = &allocs.heaps[i]->parts[FT_HEAP_RAW];
        if (!ft_heap_wants(part, size))
            continue;
        begin_in(part, frame, domain, address, size, holds ? guard_code : NULL);
        if (holds && size >= LARGE)
            ft_heap_look(part->heap);
    }
}

static void raw_ends(uintptr_t address)
{
    for (uint32_t i = 0; i < allocs.count; i++) {
        size_t size;
        ft_heap_part *part = &allocs.heaps[i]->parts[FT_HEAP_RAW];
        uint32_t tag = ft_heap_take(part, address, &size);
        if (tag != 0)
            ft_heap_end(part, tag, address, size);
    }
}

/* why_not: the reasons that count here. */
static inline bool is_raw_told(unsigned char why_not)
{
    return (inside & why_not) == 0 && atomic_load_explicit(&allocs.on, memory_order_acquire);
}

/* Between the two nothing of the RAW parts is told by anybody else. */
static void enter_raw(void)
{
    inside |= IN_HOOK;
    pthread_mutex_lock(&allocs.raw_lock);
}

static void leave_raw(void)
{
    pthread_mutex_unlock(&allocs.raw_lock);
    inside &= (unsigned char)~IN_HOOK;
}

static void tell_raw_begin(uint32_t domain, void *block, size_t size)
{
    enter_raw();
    raw_begins(domain, (uintptr_t)block, size);
    leave_raw();
}

static void tell_raw_end(void *block)
{
    enter_raw();
    raw_ends((uintptr_t)block);
    leave_raw();
}

static void *raw_malloc(void *context, size_t size)
{
    void *block = allocs.originals[RAW].malloc(context, size);
    if (FT_UNLIKELY(allocs.probing && (inside & MUTED) != 0))
        allocs.heard[RAW] = true;
    if (block != NULL && is_raw_told(IN_HOOK | MUTED))
        tell_raw_begin(0, block, size);
    return block;
}

static void *raw_calloc(void *context, size_t count, size_t each)
{
    void *block = allocs.originals[RAW].calloc(context, count, each);
    if (block != NULL && is_raw_told(IN_HOOK | MUTED))
        tell_raw_begin(0, block, count * each);
    return block;
}

/* Once the old address is free another thread may be given it: it is forgotten before. The lock is
 * not held while the block is resized: another tool's hook below ours may wait for the GIL, whose
 * holder may wait for the lock. */
static void *tell_raw_realloc(void *context, void *block, size_t size)
{
    moving old;
    if (block != NULL) {
        enter_raw();
        forget_block(FT_HEAP_RAW, (uintptr_t)block, &old);
        leave_raw();
    }
    inside |= IN_HOOK;
    void *moved = allocs.originals[RAW].realloc(context, block, size);
    enter_raw();
    if (block != NULL && moved == NULL)
        know_again(FT_HEAP_RAW, (uintptr_t)block, &old);
    if (moved != NULL && (inside & MUTED) == 0)
        raw_begins(0, (uintptr_t)moved, size);
    leave_raw();
    return moved;
}

static void *raw_realloc(void *context, void *block, size_t size)
{
    if (is_raw_told(IN_HOOK))
        return tell_raw_realloc(context, block, size);
    return allocs.originals[RAW].realloc(context, block, size);
}

static void raw_free(void *context, void *block)
{
    if (block != NULL && is_raw_told(IN_HOOK))
        tell_raw_end(block);
    allocs.originals[RAW].free(context, block);
}

/* ---- blocks that others tell of ---- */

void ft_allocs_track(uint32_t domain, uintptr_t address, size_t size)
{
    if (is_raw_told(IN_HOOK | MUTED))
        tell_raw_begin(domain, (void *)address, size);
}

void ft_allocs_forget(uintptr_t address)
{
    moving old;
    if (!is_raw_told(IN_HOOK))
        return;
    enter_raw();
    forget_block(FT_HEAP_RAW, address, &old);
    leave_raw();
}

void ft_allocs_untrack(uint32_t domain, uintptr_t address)
{
    (void)domain;
    if (is_raw_told(IN_HOOK))
        tell_raw_end((void *)address);
}

/* ---- objects made in blocks that a freelist kept ---- */

#if FT_HAS_REFERENCE_TRACER

static void move_in(ft_heap_part *part, const ft_frame *frame, uintptr_t address)
{
    size_t size = 0;
    uint32_t old = ft_tags_get(&part->tags, address, &size) & ~FT_HEAP_GUARD;
    if (old == 0)
        return;
    const ft_heap_cell *cell = ft_heap_cell_at(part, old);
    size_t whole = cell->kind == FT_HEAP_ANY_SIZE ? size : (size_t)cell->size;
    uint32_t tag = tag_of(part, frame, 0, whole, guard_code);
    if (tag != 0)
        ft_heap_move(part, old, tag, address, size);
}

/* The first object in the newest block is what it was allocated for; a second one is not. */
static bool is_expected(uintptr_t address)
{
    if (address - allocs.newest >= allocs.newest_size)
        return false;
    allocs.newest_size = 0;
    return true;
}

static int trace_reference(PyObject *object, PyRefTracerEvent event, void *Py_UNUSED(data))
{
    const ft_frame *frame;
    uintptr_t address = (uintptr_t)object;
    if (event != PyRefTracer_CREATE || inside || is_expected(address) || !is_told() ||
        !find_frame(&frame))
        return 0;
    inside = IN_HOOK;
    address -= ft_compat_pre_header(Py_TYPE(object));
    for (uint32_t i = 0; i < allocs.count; i++) {
        ft_heap_part *part = &allocs.heaps[i]->parts[FT_HEAP_PYTHON];
        if (part->sampled == NULL)
            move_in(part, frame, address);
    }
    inside = 0;
    return 0;
}

static void install_tracer(void)
{
    void *data;
    PyRefTracer present = PyRefTracer_GetTracer(&data);
    if (present == NULL)
        (void)PyRefTracer_SetTracer(trace_reference, NULL);
}

static bool has_tracer(void)
{
    void *data;
    return PyRefTracer_GetTracer(&data) == trace_reference;
}

static void remove_tracer(void)
{
    if (has_tracer())
        (void)PyRefTracer_SetTracer(NULL, NULL);
}

#else
static void install_tracer(void)
{
}

static bool has_tracer(void)
{
    return true;
}

static void remove_tracer(void)
{
}
#endif

/* ---- installing ---- */

static const PyMemAllocatorEx ours[ALLOCATORS] = {
    [RAW] = {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free},
    [MEM] = {NULL, mem_malloc, mem_calloc, mem_realloc, mem_free},
    [OBJECT] = {NULL, object_malloc, object_calloc, object_realloc, object_free},
};

static bool is_on_top(allocator of)
{
    PyMemAllocatorEx present;
    PyMem_GetAllocator(domain_names[of], &present);
    return present.malloc == ours[of].malloc;
}

/* The context stays the original's: whoever reads the allocator while it changes calls one of the
 * two, and both take it. */
static void install(allocator of)
{
    PyMemAllocatorEx hooked = ours[of];
    PyMem_GetAllocator(domain_names[of], &allocs.originals[of]);
    hooked.ctx = allocs.originals[of].ctx;
    PyMem_SetAllocator(domain_names[of], &hooked);
    allocs.installed[of] = true;
}

/* Another tool's hooks over ours stay, and ours below them call through. RAW stays in any case: a
 * thread without the GIL may be in it. */
static void uninstall(allocator of)
{
    if (!allocs.installed[of] || !is_on_top(of))
        return;
    PyMem_SetAllocator(domain_names[of], &allocs.originals[of]);
    allocs.installed[of] = false;
}

/* Is our hook in the chain still? Another tool may have put back what was there before it. */
static bool is_heard(allocator of)
{
    void *block = NULL;
    bool entered = ft_allocs_enter();
    allocs.heard[of] = false;
    allocs.probing = true;
    if (of == RAW)
        PyMem_RawFree(block = PyMem_RawMalloc(1));
    else if (of == MEM)
        PyMem_Free(block = PyMem_Malloc(1));
    else
        PyObject_Free(block = PyObject_Malloc(1));
    allocs.probing = false;
    ft_allocs_leave(entered);
    return allocs.heard[of];
}

static void install_all(void)
{
    for (allocator of = RAW; of < ALLOCATORS; of++)
        if (!allocs.installed[of] || !is_heard(of))
            install(of);
}

/* ---- forks ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&allocs.raw_lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&allocs.raw_lock);
}

/* A heap in a file lies in memory that is the parent's, too. */
static void after_fork_in_child(void)
{
    uint32_t kept = 0;
    pthread_mutex_init(&allocs.raw_lock, NULL);
    for (uint32_t i = 0; i < allocs.count; i++) {
        if (allocs.heaps[i]->recording->directory == NULL)
            allocs.heaps[kept++] = allocs.heaps[i];
        else
            allocs.forked = true;
    }
    allocs.count = kept;
}

static int prepare(void)
{
    if (allocs.prepared)
        return 0;
    if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0) {
        PyErr_SetString(PyExc_OSError, "no fork handler is left");
        return -1;
    }
    allocs.prepared = true;
    return 0;
}

/* ---- takes ---- */

static void add_heap(ft_heap *heap)
{
    pthread_mutex_lock(&allocs.raw_lock);
    allocs.heaps[allocs.count++] = heap;
    allocs.changes++;
    pthread_mutex_unlock(&allocs.raw_lock);
}

static void remove_heap(const ft_heap *heap)
{
    pthread_mutex_lock(&allocs.raw_lock);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < allocs.count; i++)
        if (allocs.heaps[i] != heap)
            allocs.heaps[kept++] = allocs.heaps[i];
    allocs.count = kept;
    allocs.changes++;
    pthread_mutex_unlock(&allocs.raw_lock);
}

static int open_heap(ft_take *take)
{
    if (take->heap != NULL)
        return 0;
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
    if (allocs.count == FT_HEAPS_MAX) {
        PyErr_Format(PyExc_RuntimeError, "memory is recorded %d times already: stop one of them",
                     FT_HEAPS_MAX);
        return -1;
    }
    if (prepare() < 0 || open_heap(take) < 0)
        return -1;
    allocs.interpreter = PyInterpreterState_Main();
    allocs.newest_size = 0;
    install_all();
    add_heap(take->heap);
    take->heap_is_on = true;
    atomic_store(&allocs.on, true);
    install_tracer();
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
    atomic_store(&allocs.on, false);
    remove_tracer();
    ft_numpy_data_end();
    uninstall(MEM);
    uninstall(OBJECT);
    give_back_kept();
}

/* What a reader of the numbers must know. */
static void note_lacks(ft_take *take)
{
    ft_arena *arena = &take->recording.arena;
    if (!is_heard(MEM) || !is_heard(OBJECT) || !is_heard(RAW))
        ft_arena_note(arena, FT_NOTE_ALLOCATOR_TAKEN, 1);
    if (take->sample == 0 && !has_tracer())
        ft_arena_note(arena, FT_NOTE_TRACER_TAKEN, 1);
    if (take->heap->parts[FT_HEAP_PYTHON].tags.degraded)
        ft_arena_note(arena, FT_NOTE_NO_SHADOW, 1);
    if (atomic_load(&allocs.foreign))
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
    if (allocs.count == 0 && !allocs.forked)
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
    if (allocs.forked)
        go_on_after_fork();
    return number < allocs.count ? allocs.heaps[number] : NULL;
}

void ft_allocs_lock(void)
{
    pthread_mutex_lock(&allocs.raw_lock);
}

void ft_allocs_unlock(void)
{
    pthread_mutex_unlock(&allocs.raw_lock);
}
