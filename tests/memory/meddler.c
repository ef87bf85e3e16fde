/* SPDX-License-Identifier: Apache-2.0 */
/* meddler.c: what only C can do to a heap that is being recorded, for the tests beside it: threads
 * without the GIL, hooks of another tool, a tracer of another tool.
 *
 * The tests compile it and call it through ctypes, which releases the GIL around a CDLL's function
 * and holds it around a PyDLL's. */
#ifdef SETS_TRACING /* an expression: tracemalloc's flag, which is in internal headers */
#define Py_BUILD_CORE_MODULE 1
#endif
#include <Python.h>

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#ifdef SETS_TRACING
#include <internal/pycore_pymem.h>
#include <internal/pycore_runtime.h>
#endif

/* tracemalloc goes on to hear of blocks, but not of objects in blocks of a freelist. */
int meddler_set_tracing(int on)
{
#ifdef SETS_TRACING
    int was = SETS_TRACING;
    SETS_TRACING = on;
    return was;
#else
    (void)on;
    return -1;
#endif
}

int meddler_ignore(int on)
{
    return on;
}

/* ---- blocks of threads without the GIL ---- */

enum { KEPT = 500 };

typedef struct storm {
    uint64_t random;
    long rounds;
    void *kept[KEPT];
    size_t sizes[KEPT];
} storm;

static uint64_t draw(storm *of)
{
    of->random ^= of->random << 13;
    of->random ^= of->random >> 7;
    of->random ^= of->random << 17;
    return of->random;
}

static void *blow(void *argument)
{
    storm *of = argument;
    for (long i = 0; i < of->rounds; i++) {
        size_t at = draw(of) % KEPT, size = draw(of) % 3000;
        switch (of->kept[at] == NULL ? draw(of) % 2 : 2 + draw(of) % 3) {
        case 0:
            of->kept[at] = PyMem_RawMalloc(size);
            break;
        case 1:
            of->kept[at] = PyMem_RawCalloc(1, size);
            break;
        case 2:
            of->kept[at] = PyMem_RawRealloc(of->kept[at], size);
            break;
        default:
            PyMem_RawFree(of->kept[at]);
            of->kept[at] = NULL;
            size = 0;
        }
        of->sizes[at] = size;
    }
    return NULL;
}

/* Threads that Python knows nothing of allocate, reallocate and free at random. What is alive at
 * the end: blocks, and bytes in *bytes; it stays so. -1 when no thread can be had. */
long meddler_storm(int threads, long rounds, uint64_t *bytes)
{
    enum { MOST = 8 };
    pthread_t made[MOST];
    storm *of = calloc(MOST, sizeof *of);
    long blocks = 0;
    if (of == NULL || threads > MOST)
        return -1;
    for (int i = 0; i < threads; i++) {
        of[i].random = (uint64_t)i + 88172645463325252u;
        of[i].rounds = rounds;
        if (pthread_create(&made[i], NULL, blow, &of[i]) != 0)
            return -1;
    }
    *bytes = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(made[i], NULL);
        for (int k = 0; k < KEPT; k++) {
            blocks += of[i].kept[k] != NULL;
            *bytes += of[i].sizes[k];
        }
    }
    free(of); /* the blocks are not: they count as alive */
    return blocks;
}

/* The same in this thread, whose state Python may take away meanwhile. */
void meddler_here(long rounds)
{
    storm *of = calloc(1, sizeof *of);
    if (of == NULL)
        return;
    of->random = (uint64_t)(uintptr_t)of | 1;
    of->rounds = rounds;
    blow(of);
    free(of);
}

/* ---- another tool's hooks ---- */

static const PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM,
                                               PYMEM_DOMAIN_OBJ};
static PyMemAllocatorEx below[3];
static long heard;

static void *hook_malloc(void *context, size_t size)
{
    const PyMemAllocatorEx *to = context;
    __atomic_fetch_add(&heard, 1, __ATOMIC_RELAXED);
    return to->malloc(to->ctx, size);
}

static void *hook_calloc(void *context, size_t count, size_t each)
{
    const PyMemAllocatorEx *to = context;
    __atomic_fetch_add(&heard, 1, __ATOMIC_RELAXED);
    return to->calloc(to->ctx, count, each);
}

static void *hook_realloc(void *context, void *block, size_t size)
{
    const PyMemAllocatorEx *to = context;
    return to->realloc(to->ctx, block, size);
}

static void hook_free(void *context, void *block)
{
    const PyMemAllocatorEx *to = context;
    to->free(to->ctx, block);
}

/* Puts hooks over what is there. */
void meddler_cover(void)
{
    for (int i = 0; i < 3; i++) {
        PyMem_GetAllocator(domains[i], &below[i]);
        PyMemAllocatorEx hook = {&below[i], hook_malloc, hook_calloc, hook_realloc, hook_free};
        PyMem_SetAllocator(domains[i], &hook);
    }
}

/* Puts back what was there, whoever came later. How many blocks were heard of. */
long meddler_uncover(void)
{
    for (int i = 0; i < 3; i++)
        PyMem_SetAllocator(domains[i], &below[i]);
    long count = heard;
    heard = 0;
    return count;
}

/* ---- another tool's tracer ---- */

#ifdef HAS_TRACER
static long created;

static int count_created(PyObject *object, PyRefTracerEvent event, void *data)
{
    (void)object;
    (void)data;
    created += event == PyRefTracer_CREATE;
    return 0;
}

/* How many objects were made since it was put there. */
long meddler_tracer(int on)
{
    long count = created;
    created = 0;
    PyRefTracer_SetTracer(on ? count_created : NULL, NULL);
    return count;
}

int meddler_has_tracer(void)
{
    void *data;
    return PyRefTracer_GetTracer(&data) == count_created;
}
#endif
