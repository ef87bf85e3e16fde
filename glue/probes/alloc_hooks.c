/* SPDX-License-Identifier: Apache-2.0 */
/* alloc_hooks.c: the hooks on Python's allocators (see alloc_hooks.h).
 *
 * Keys of places are addresses in code objects. The block of a code object that keys point into
 * bears a guard; when it is freed, it is kept back until the recordings end, or until so many are
 * kept back that all keys are forgotten and all of them given back. */
#include "glue/probes/alloc_hooks.h"

#include <assert.h>

#include "engine/model/profile.h"
#include "glue/probes/numpy_data.h"
#include "glue/probes/places.h"
#include "glue/probes/session.h"

/* What is seldom called stays out of its callers, which then save no registers for it. */
#define FT_NOINLINE __attribute__((noinline))

enum { LARGE = 1 << 16 }; /* bytes of a block that the timeline is looked at for */

ft_alloc_hooks ft_hooks = {
    .raw_lock = PTHREAD_MUTEX_INITIALIZER,
    .sampling = {.recording = FT_SAMPLING_NONE, .last = FT_SAMPLING_NONE},
};
static _Thread_local ft_sampling_countdown countdowns[2] FT_TLS; /* by part */

/* Why this thread's blocks are not told of. */
enum {
    IN_HOOK = 1, /* what happens further in is the same block's */
    MUTED = 2,   /* what it allocates is ours; what it frees may be the program's */
    IN_RAW = 4   /* it holds the raw lock */
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

/* ---- samples ---- */

/* The part has a tag more, or one less. */
static inline void note_tag(const ft_heap_part *part, uintptr_t address, int more)
{
    if (FT_UNLIKELY(part->samples))
        ft_sampling_note(&ft_hooks.sampling, (ft_heap_part_of)part->index, address, more);
}

static inline uint32_t take(ft_heap_part *part, uintptr_t address, size_t *size)
{
    uint32_t tag = ft_heap_take(part, address, size);
    if (tag != 0)
        note_tag(part, address, -1);
    return tag;
}

static inline bool passes(ft_heap_part_of part, size_t size)
{
    return ft_sampling_passes(&ft_hooks.sampling, &countdowns[part], size);
}

static inline bool is_stranger(ft_heap_part_of part, const void *block)
{
    return ft_sampling_is_stranger(&ft_hooks.sampling, part, (uintptr_t)block);
}

static inline bool wants(ft_heap_part *part, size_t size)
{
    if (FT_UNLIKELY(ft_sampling_is_on(&ft_hooks.sampling)))
        return ft_sampling_wants(&ft_hooks.sampling, &countdowns[part->index], part, size);
    return ft_heap_wants(part, size);
}

/* ---- dead code ---- */

/* Its keys are found no more; needs the GIL. */
static void forget_places(void)
{
    for (uint32_t i = 0; i < ft_hooks.count; i++)
        ft_heap_forget_places(&ft_hooks.heaps[i]->parts[FT_HEAP_PYTHON]);
    pthread_mutex_lock(&ft_hooks.raw_lock);
    for (uint32_t i = 0; i < ft_hooks.count; i++)
        ft_heap_forget_places(&ft_hooks.heaps[i]->parts[FT_HEAP_RAW]);
    pthread_mutex_unlock(&ft_hooks.raw_lock);
}

static void give_back_kept(void)
{
    forget_places();
    ft_kept_give_back(&ft_hooks.kept);
}

/* False: there is no room for it, so no key leads anywhere any more, and it may go. */
static bool keep_back(ft_allocator of, void *block, size_t size)
{
    if (!ft_kept_has_room(&ft_hooks.kept, size)) {
        give_back_kept();
        return false;
    }
    ft_kept_add(&ft_hooks.kept, &ft_hooks.allocators.originals[of], block, size);
    return true;
}

static void guard_code(PyCodeObject *code)
{
    size_t size = ft_compat_code_bytes(code);
    for (uint32_t i = 0; i < ft_hooks.count; i++) {
        ft_heap_part *part = &ft_hooks.heaps[i]->parts[FT_HEAP_PYTHON];
        if (ft_heap_guard(part, (uintptr_t)code, size))
            note_tag(part, (uintptr_t)code, 1);
    }
}

/* ---- blocks of the PYTHON parts ---- */

/* Another thread than that of the block before may be a new one, whose time begins. */
static FT_NOINLINE void meet(const PyThreadState *thread)
{
    ft_hooks.last_thread = thread;
    ft_session_go_on();
}

/* The frame of a block that begins; false when it is another interpreter's. */
static bool find_frame(const ft_frame **frame)
{
    const PyThreadState *thread = ft_compat_thread();
    *frame = NULL;
    if (thread == NULL)
        return true;
    if (FT_UNLIKELY(thread->interp != ft_hooks.interpreter)) {
        atomic_store_explicit(&ft_hooks.foreign, true, memory_order_relaxed);
        ft_sampling_drop(&countdowns[FT_HEAP_PYTHON]);
        return false;
    }
    if (FT_UNLIKELY(thread != ft_hooks.last_thread))
        meet(thread);
    *frame = ft_compat_frame_in(thread);
    return true;
}

static bool is_ours(void)
{
    const PyThreadState *thread = ft_compat_thread();
    return thread == NULL || thread->interp == ft_hooks.interpreter;
}

static uint32_t tag_of(ft_heap_part *part, const ft_frame *frame, uint32_t domain, size_t size,
                       ft_place_guard *guard)
{
    uint64_t key = ft_place_key(frame, part->heap->frames, domain);
    uint32_t sized = ft_heap_size_of(part, size);
    uint32_t tag = ft_heap_find(part, key, sized);
    if (FT_UNLIKELY(tag == 0 || part->samples) && guard != NULL)
        ft_numpy_data_look();
    if (FT_LIKELY(tag != 0 && guard != NULL))
        return tag;
    if (frame != NULL && guard != NULL && ft_session_leaves_blocks_out(ft_compat_frame_code(frame)))
        return 0;
    tag = ft_place_tag(part, key, frame, domain, size, guard);
    if (tag != 0 && guard != NULL)
        ft_heap_cache(part, key, sized, tag);
    return tag;
}

static void begin_in(ft_heap_part *part, const ft_frame *frame, uint32_t domain, uintptr_t address,
                     size_t size, ft_place_guard *guard)
{
    uint32_t tag = tag_of(part, frame, domain, size, guard);
    if (tag == 0)
        return;
    if (ft_heap_add(part, tag, address, size))
        note_tag(part, address, 1);
    else
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
    ft_hooks.newest = address;
    ft_hooks.newest_size = size;
    for (uint32_t i = 0; i < ft_hooks.count; i++) {
        ft_heap *heap = ft_hooks.heaps[i];
        ft_heap_part *part = &heap->parts[FT_HEAP_PYTHON];
        if (!wants(part, size))
            continue;
        begin_in(part, frame, 0, address, size, guard_code);
        look(heap, size);
    }
}

/* A block that is about to be freed. True: it is kept back. */
static bool block_ends(ft_allocator of, uintptr_t address)
{
    bool guarded = false;
    size_t kept = sizeof(PyCodeObject); /* of a small one no size is known */
    if (FT_UNLIKELY(!is_ours()))
        return false;
    for (uint32_t i = 0; i < ft_hooks.count; i++) {
        size_t size;
        ft_heap_part *part = &ft_hooks.heaps[i]->parts[FT_HEAP_PYTHON];
        uint32_t tag = take(part, address, &size);
        guarded |= (tag & FT_HEAP_GUARD) != 0;
        kept = size > kept ? size : kept;
        if ((tag & ~FT_HEAP_GUARD) != 0)
            ft_heap_end(part, tag & ~FT_HEAP_GUARD, address, size);
    }
    return FT_UNLIKELY(guarded) && keep_back(of, (void *)address, kept);
}

/* In a forked child: heaps in files go on in an arena of the child's own. */
void ft_hooks_go_on(void)
{
    ft_hooks.forked = false;
    ft_session_go_on();
}

static inline bool is_told(void)
{
    if (!atomic_load_explicit(&ft_hooks.on, memory_order_relaxed))
        return false;
    if (FT_UNLIKELY(ft_hooks.forked))
        ft_hooks_go_on();
    return ft_hooks.count > 0;
}

/* ---- the hooks of MEM and OBJECT ---- */

/* Is a block that begins, and may pass, nobody's now that the thread is inside? */
static inline bool is_unheard(ft_allocator of, bool may_pass)
{
    if (FT_LIKELY(inside == 0))
        return false;
    if (ft_hooks.allocators.probing)
        ft_hooks.allocators.heard[of] = true;
    if (!may_pass)
        ft_sampling_drop(&countdowns[FT_HEAP_PYTHON]);
    return true;
}

static FT_NOINLINE void *tell_malloc(ft_allocator of, void *context, size_t size, bool may_pass)
{
    const PyMemAllocatorEx *original = &ft_hooks.allocators.originals[of];
    if (FT_UNLIKELY(is_unheard(of, may_pass)))
        return original->malloc(context, size);
    inside = IN_HOOK;
    void *block = original->malloc(context, size);
    if (FT_LIKELY(block != NULL && !may_pass && is_told()))
        block_begins((uintptr_t)block, size);
    inside = 0;
    return block;
}

static FT_NOINLINE void *tell_calloc(ft_allocator of, void *context, size_t count, size_t each,
                                     bool may_pass)
{
    const PyMemAllocatorEx *original = &ft_hooks.allocators.originals[of];
    if (FT_UNLIKELY(is_unheard(of, may_pass)))
        return original->calloc(context, count, each);
    inside = IN_HOOK;
    void *block = original->calloc(context, count, each);
    if (FT_LIKELY(block != NULL && !may_pass && is_told()))
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
    old->changes = ft_hooks.changes;
    for (uint32_t i = 0; i < ft_hooks.count; i++) {
        ft_heap_part *part = &ft_hooks.heaps[i]->parts[of];
        old->tags[i] = take(part, address, &old->sizes[i]);
        if ((old->tags[i] & ~FT_HEAP_GUARD) != 0)
            ft_heap_uncount(part, old->tags[i] & ~FT_HEAP_GUARD, old->sizes[i]);
    }
}

/* It could not be resized and is where it was. Heaps that came or went meanwhile do not know it. */
static void know_again(ft_heap_part_of of, uintptr_t address, const moving *old)
{
    for (uint32_t i = 0; i < ft_hooks.count && old->changes == ft_hooks.changes; i++) {
        ft_heap_part *part = &ft_hooks.heaps[i]->parts[of];
        if (old->tags[i] != 0 && ft_heap_put_back(part, old->tags[i], address, old->sizes[i]))
            note_tag(part, address, 1);
    }
}

static void *move_block(ft_allocator of, void *context, void *block, size_t size, bool may_pass)
{
    moving old;
    bool told = is_told() && is_ours();
    if (told && block != NULL)
        forget_block(FT_HEAP_PYTHON, (uintptr_t)block, &old);
    void *moved = ft_hooks.allocators.originals[of].realloc(context, block, size);
    if (told && block != NULL && moved == NULL)
        know_again(FT_HEAP_PYTHON, (uintptr_t)block, &old);
    if (told && moved != NULL && !may_pass && (inside & MUTED) == 0)
        block_begins((uintptr_t)moved, size);
    else if (!may_pass)
        ft_sampling_drop(&countdowns[FT_HEAP_PYTHON]);
    return moved;
}

static FT_NOINLINE void *tell_realloc(ft_allocator of, void *context, void *block, size_t size,
                                      bool may_pass)
{
    if ((inside & IN_HOOK) != 0)
        return ft_hooks.allocators.originals[of].realloc(context, block, size);
    inside |= IN_HOOK;
    void *moved = move_block(of, context, block, size, may_pass);
    inside &= (unsigned char)~IN_HOOK;
    return moved;
}

static FT_NOINLINE void tell_free(ft_allocator of, void *context, void *block)
{
    const PyMemAllocatorEx *original = &ft_hooks.allocators.originals[of];
    if (FT_UNLIKELY((inside & IN_HOOK) != 0 || block == NULL)) {
        original->free(context, block);
        return;
    }
    inside |= IN_HOOK;
    if (!is_told() || !block_ends(of, (uintptr_t)block))
        original->free(context, block);
    inside &= (unsigned char)~IN_HOOK;
}

/* What the hooks themselves do is for blocks that pass: no more than to call through, as long as
 * the original calls no hook in its turn, which it does for large blocks. */
static inline void *hear_malloc(ft_allocator of, void *context, size_t size)
{
    bool may_pass = passes(FT_HEAP_PYTHON, size);
    if (may_pass && FT_LIKELY(size <= FT_HEAP_SMALL_MAX))
        return ft_hooks.allocators.originals[of].malloc(context, size);
    return tell_malloc(of, context, size, may_pass);
}

static inline void *hear_calloc(ft_allocator of, void *context, size_t count, size_t each)
{
    bool may_pass = passes(FT_HEAP_PYTHON, count * each);
    if (may_pass && FT_LIKELY(count * each <= FT_HEAP_SMALL_MAX))
        return ft_hooks.allocators.originals[of].calloc(context, count, each);
    return tell_calloc(of, context, count, each, may_pass);
}

/* The original calls a hook for small blocks, too, that were large. */
static inline void *hear_realloc(ft_allocator of, void *context, void *block, size_t size)
{
    bool may_pass = passes(FT_HEAP_PYTHON, size);
    if (!may_pass || !is_stranger(FT_HEAP_PYTHON, block))
        return tell_realloc(of, context, block, size, may_pass);
    unsigned char before = inside;
    inside = before | IN_HOOK;
    void *moved = ft_hooks.allocators.originals[of].realloc(context, block, size);
    inside = before;
    return moved;
}

static inline void hear_free(ft_allocator of, void *context, void *block)
{
    if (is_stranger(FT_HEAP_PYTHON, block))
        ft_hooks.allocators.originals[of].free(context, block);
    else
        tell_free(of, context, block);
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

HEARING(mem, FT_MEM)
HEARING(object, FT_OBJECT)

/* ---- RAW, with and without the GIL ---- */

/* The raw lock is held. */
static void raw_begins(uint32_t domain, uintptr_t address, size_t size)
{
    bool holds;
    const PyThreadState *thread = ft_compat_own_thread(&holds);
    if (thread != NULL && thread->interp != ft_hooks.interpreter) {
        ft_sampling_drop(&countdowns[FT_HEAP_RAW]);
        return;
    }
    const ft_frame *frame = thread == NULL ? NULL : ft_compat_frame_in(thread);
    for (uint32_t i = 0; i < ft_hooks.count; i++) {
        ft_heap_part *part = &ft_hooks.heaps[i]->parts[FT_HEAP_RAW];
        if (!wants(part, size))
            continue;
        begin_in(part, frame, domain, address, size, holds ? guard_code : NULL);
        if (holds && size >= LARGE)
            ft_heap_look(part->heap);
    }
}

static void raw_ends(uintptr_t address)
{
    for (uint32_t i = 0; i < ft_hooks.count; i++) {
        size_t size;
        ft_heap_part *part = &ft_hooks.heaps[i]->parts[FT_HEAP_RAW];
        uint32_t tag = take(part, address, &size);
        if (tag != 0)
            ft_heap_end(part, tag, address, size);
    }
}

/* why_not: the reasons that count here. */
static inline bool is_raw_told(unsigned char why_not)
{
    return (inside & why_not) == 0 && atomic_load_explicit(&ft_hooks.on, memory_order_acquire);
}

/* Between the two nothing of the FT_RAW parts is told by anybody else. */
static unsigned char enter_raw(void)
{
    unsigned char before = inside;
    inside = before | IN_HOOK | IN_RAW;
    pthread_mutex_lock(&ft_hooks.raw_lock);
    return before;
}

static void leave_raw(unsigned char before)
{
    pthread_mutex_unlock(&ft_hooks.raw_lock);
    inside = before;
}

static void tell_raw_begin(uint32_t domain, void *block, size_t size)
{
    unsigned char before = enter_raw();
    raw_begins(domain, (uintptr_t)block, size);
    leave_raw(before);
}

static void tell_raw_end(void *block)
{
    unsigned char before = enter_raw();
    raw_ends((uintptr_t)block);
    leave_raw(before);
}

static void *raw_malloc(void *context, size_t size)
{
    void *block = ft_hooks.allocators.originals[FT_RAW].malloc(context, size);
    if (FT_UNLIKELY(ft_hooks.allocators.probing && (inside & MUTED) != 0))
        ft_hooks.allocators.heard[FT_RAW] = true;
    if (block != NULL && is_raw_told(IN_HOOK | MUTED) && !passes(FT_HEAP_RAW, size))
        tell_raw_begin(0, block, size);
    return block;
}

static void *raw_calloc(void *context, size_t count, size_t each)
{
    void *block = ft_hooks.allocators.originals[FT_RAW].calloc(context, count, each);
    if (block != NULL && is_raw_told(IN_HOOK | MUTED) && !passes(FT_HEAP_RAW, count * each))
        tell_raw_begin(0, block, count * each);
    return block;
}

/* Once the old address is free another thread may be given it: it is forgotten before. The lock is
 * not held while the block is resized: another tool's hook below ours may wait for the GIL, whose
 * holder may wait for the lock. */
static void *tell_raw_realloc(void *context, void *block, size_t size, bool may_pass)
{
    moving old;
    unsigned char before = inside;
    if (block != NULL) {
        (void)enter_raw();
        forget_block(FT_HEAP_RAW, (uintptr_t)block, &old);
        leave_raw(before);
    }
    inside |= IN_HOOK;
    void *moved = ft_hooks.allocators.originals[FT_RAW].realloc(context, block, size);
    (void)enter_raw();
    if (block != NULL && moved == NULL)
        know_again(FT_HEAP_RAW, (uintptr_t)block, &old);
    if (moved != NULL && !may_pass && (inside & MUTED) == 0)
        raw_begins(0, (uintptr_t)moved, size);
    else if (!may_pass)
        ft_sampling_drop(&countdowns[FT_HEAP_RAW]);
    leave_raw(before);
    return moved;
}

static void *raw_realloc(void *context, void *block, size_t size)
{
    if (is_raw_told(IN_HOOK)) {
        bool may_pass = passes(FT_HEAP_RAW, size);
        if (!may_pass || !is_stranger(FT_HEAP_RAW, block))
            return tell_raw_realloc(context, block, size, may_pass);
    }
    return ft_hooks.allocators.originals[FT_RAW].realloc(context, block, size);
}

/* Also within another block's hook: a tool above ours gives back there what it kept of the block.
 */
static void raw_free(void *context, void *block)
{
    if (block != NULL && is_raw_told(IN_RAW) && !is_stranger(FT_HEAP_RAW, block))
        tell_raw_end(block);
    ft_hooks.allocators.originals[FT_RAW].free(context, block);
}

/* ---- blocks that others tell of ---- */

void ft_allocs_track(uint32_t domain, uintptr_t address, size_t size)
{
    if (is_raw_told(IN_HOOK | MUTED) && !passes(FT_HEAP_RAW, size))
        tell_raw_begin(domain, (void *)address, size);
}

void ft_allocs_forget(uintptr_t address)
{
    moving old;
    if (!is_raw_told(IN_HOOK) || is_stranger(FT_HEAP_RAW, (void *)address))
        return;
    unsigned char before = enter_raw();
    forget_block(FT_HEAP_RAW, address, &old);
    leave_raw(before);
}

void ft_allocs_untrack(uint32_t domain, uintptr_t address)
{
    (void)domain;
    if (is_raw_told(IN_HOOK) && !is_stranger(FT_HEAP_RAW, (void *)address))
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
    if (address - ft_hooks.newest >= ft_hooks.newest_size)
        return false;
    ft_hooks.newest_size = 0;
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
    address -= ft_compat_preheader(Py_TYPE(object));
    for (uint32_t i = 0; i < ft_hooks.count; i++) {
        ft_heap_part *part = &ft_hooks.heaps[i]->parts[FT_HEAP_PYTHON];
        if (!part->samples)
            move_in(part, frame, address);
    }
    inside = 0;
    return 0;
}

void ft_hooks_install_tracer(void)
{
    void *data;
    PyRefTracer present = PyRefTracer_GetTracer(&data);
    if (present == NULL)
        (void)PyRefTracer_SetTracer(trace_reference, NULL);
}

bool ft_hooks_have_tracer(void)
{
    void *data;
    return PyRefTracer_GetTracer(&data) == trace_reference;
}

void ft_hooks_remove_tracer(void)
{
    if (ft_hooks_have_tracer())
        (void)PyRefTracer_SetTracer(NULL, NULL);
}

#else
void ft_hooks_install_tracer(void)
{
}

bool ft_hooks_have_tracer(void)
{
    return true;
}

void ft_hooks_remove_tracer(void)
{
}
#endif

/* ---- installing ---- */

static const PyMemAllocatorEx ours[FT_ALLOCATORS] = {
    [FT_RAW] = {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free},
    [FT_MEM] = {NULL, mem_malloc, mem_calloc, mem_realloc, mem_free},
    [FT_OBJECT] = {NULL, object_malloc, object_calloc, object_realloc, object_free},
};

/* Are ours in the chains still? */
bool ft_hooks_are_heard(void)
{
    bool heard = true, entered = ft_allocs_enter();
    for (ft_allocator of = FT_RAW; of < FT_ALLOCATORS; of++)
        heard &= ft_allocators_is_heard(&ft_hooks.allocators, of);
    ft_allocs_leave(entered);
    return heard;
}

void ft_hooks_install(void)
{
    bool entered = ft_allocs_enter();
    ft_allocators_install(&ft_hooks.allocators, ours);
    ft_allocs_leave(entered);
}

void ft_hooks_uninstall(void)
{
    ft_allocators_uninstall(&ft_hooks.allocators, ours);
    give_back_kept();
}
