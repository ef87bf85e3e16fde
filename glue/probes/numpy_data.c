/* SPDX-License-Identifier: Apache-2.0 */
/* numpy_data.c: the data of numpy's arrays (see numpy_data.h).
 *
 * Nothing of numpy is known when fettle is built. What is used of it at run time is promised by its
 * C interface: the places in its table of functions, and the layout of a handler of version 1.
 *
 * Looking for it happens inside an allocator: it reads two dicts, runs no code, makes no object and
 * raises nothing. A dict is whole whenever it asks for memory.
 *
 * An array keeps the capsule that it was made with and asks it for functions at each call. So an
 * array may be freed by other functions than it was allocated by, and whether ours are between does
 * not matter to it: both pairs end in numpy's own. */
#include "glue/probes/numpy_data.h"

#include "glue/compat.h"

#include <assert.h>

#include "glue/probes/allocs.h"

enum {
    DOMAIN = 389047, /* as numpy names it to tracemalloc */
    /* places in numpy's table */
    ABI_VERSION = 0,
    FEATURE_VERSION = 211,
    DEFAULT_HANDLER = 306,
    /* values */
    ABI_1 = 0x01000009,
    ABI_2 = 0x02000000,
    FEATURES_1_22 = 0xf, /* the first with handlers */
    HANDLER_VERSION = 1
};

static const char handler_name[] = "mem_handler"; /* of capsules */

/* What such a capsule holds. */
typedef struct handler {
    char name[127];
    uint8_t version;
    void *context;
    void *(*malloc)(void *context, size_t size);
    void *(*calloc)(void *context, size_t count, size_t each);
    void *(*realloc)(void *context, void *block, size_t size);
    void (*free)(void *context, void *block, size_t size);
} handler;

enum { MODULES = 2 };

/* The module of numpy 2, of numpy 1, and what leads to the table in it. */
static const char *const module_names[MODULES] = {"numpy._core._multiarray_umath",
                                                  "numpy.core._multiarray_umath"};
static const char table_name[] = "_ARRAY_API";

typedef struct numpy_data {
    bool sought;                    /* a heap is on, and numpy was not found yet */
    PyObject *modules;              /* owned: sys.modules */
    PyObject *module_keys[MODULES]; /* owned: the names as objects */
    PyObject *table_key;
    PyObject *capsule;     /* owned: numpy's default handler, once it was changed */
    const handler *theirs; /* what it led to, and ours calls through to */
    handler ours;
    bool heard; /* by ours, since this was cleared */
} numpy_data;

static numpy_data numpy;

/* ---- the handler ---- */

/* What the inner functions take from Python's allocators is this block itself. */

static void *hear_malloc(void *context, size_t size)
{
    bool entered = ft_allocs_enter();
    numpy.heard = true;
    void *block = numpy.theirs->malloc(context, size);
    ft_allocs_leave(entered);
    if (block != NULL)
        ft_allocs_track(DOMAIN, (uintptr_t)block, size);
    return block;
}

static void *hear_calloc(void *context, size_t count, size_t each)
{
    bool entered = ft_allocs_enter();
    void *block = numpy.theirs->calloc(context, count, each);
    ft_allocs_leave(entered);
    if (block != NULL)
        ft_allocs_track(DOMAIN, (uintptr_t)block, count * each);
    return block;
}

/* Once the old address is free another thread may be given it: it is forgotten before. A block that
 * could not be resized is therefore not known any more. */
static void *hear_realloc(void *context, void *block, size_t size)
{
    ft_allocs_forget((uintptr_t)block);
    bool entered = ft_allocs_enter();
    void *moved = numpy.theirs->realloc(context, block, size);
    ft_allocs_leave(entered);
    if (moved != NULL)
        ft_allocs_track(DOMAIN, (uintptr_t)moved, size);
    return moved;
}

static void hear_free(void *context, void *block, size_t size)
{
    ft_allocs_untrack(DOMAIN, (uintptr_t)block);
    numpy.theirs->free(context, block, size);
}

/* ---- finding numpy ---- */

/* Its module of C, if it has been imported. Borrowed. No attribute is asked for, which might run
 * code of the program's: what lies in dicts is enough. */
static PyObject *find_module(void)
{
    for (size_t i = 0; i < MODULES; i++) {
        PyObject *module = PyDict_GetItemWithError(numpy.modules, numpy.module_keys[i]);
        if (module != NULL && PyModule_Check(module))
            return module;
    }
    return NULL;
}

/* Its table of functions; NULL: not yet. */
static void *const *find_table(void)
{
    PyObject *module = find_module();
    if (module == NULL)
        return NULL;
    PyObject *capsule = PyDict_GetItemWithError(PyModule_GetDict(module), numpy.table_key);
    if (capsule == NULL || !PyCapsule_CheckExact(capsule))
        return NULL;
    return PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
}

static unsigned version_at(void *const *table, int place)
{
    union {
        void *object;
        unsigned (*function)(void);
    } entry = {table[place]};
    return entry.function();
}

/* Has a table of this version a place for the default handler? */
static bool has_handlers(void *const *table)
{
    unsigned abi = version_at(table, ABI_VERSION);
    return (abi == ABI_1 || abi == ABI_2) && version_at(table, FEATURE_VERSION) >= FEATURES_1_22;
}

/* ---- changing the capsule ---- */

/* A capsule with a destructor is not numpy's own: that would free what it leads to. */
static bool is_fit(PyObject *capsule)
{
    if (!PyCapsule_IsValid(capsule, handler_name) || PyCapsule_GetDestructor(capsule) != NULL)
        return false;
    const handler *found = PyCapsule_GetPointer(capsule, handler_name);
    return found->version == HANDLER_VERSION;
}

static void change(void)
{
    numpy.theirs = PyCapsule_GetPointer(numpy.capsule, handler_name);
    numpy.ours = *numpy.theirs; /* of the same name and context */
    numpy.ours.malloc = hear_malloc;
    numpy.ours.calloc = hear_calloc;
    numpy.ours.realloc = hear_realloc;
    numpy.ours.free = hear_free;
    (void)PyCapsule_SetPointer(numpy.capsule, &numpy.ours);
}

void ft_numpy_data_look(void)
{
    if (FT_LIKELY(!numpy.sought) || ft_compat_thread() == NULL)
        return;
    void *const *table = find_table();
    if (table == NULL)
        return;
    PyObject **capsule = has_handlers(table) ? table[DEFAULT_HANDLER] : NULL;
    if (capsule != NULL && *capsule == NULL)
        return; /* numpy is being imported */
    numpy.sought = false;
    if (capsule == NULL || !is_fit(*capsule))
        return;
    numpy.capsule = Py_NewRef(*capsule);
    change();
}

/* What looking needs, so that it makes no object. */
static bool prepare(void)
{
    PyObject *modules = PySys_GetObject("modules");
    if (modules == NULL || !PyDict_CheckExact(modules))
        return false;
    Py_XSETREF(numpy.modules, Py_NewRef(modules));
    for (size_t i = 0; i < MODULES; i++)
        if (numpy.module_keys[i] == NULL)
            numpy.module_keys[i] = PyUnicode_InternFromString(module_names[i]);
    if (numpy.table_key == NULL)
        numpy.table_key = PyUnicode_InternFromString(table_name);
    if (!PyErr_Occurred())
        return true;
    PyErr_Clear();
    return false;
}

/* Is ours in the chain still? Another tool may have put itself before it, or have put back what was
 * there before both. */
static bool is_heard(void)
{
    const handler *first = PyCapsule_GetPointer(numpy.capsule, handler_name);
    numpy.heard = false;
    void *block = first->malloc(first->context, 1);
    if (block != NULL)
        first->free(first->context, block, 1);
    return numpy.heard;
}

void ft_numpy_data_begin(void)
{
    assert(!PyErr_Occurred());
    bool entered = ft_allocs_enter();
    if (numpy.capsule == NULL)
        numpy.sought = prepare();
    else if (!is_heard())
        change();
    ft_allocs_leave(entered);
    ft_numpy_data_look();
}

void ft_numpy_data_end(void)
{
    numpy.sought = false;
    if (numpy.capsule != NULL &&
        PyCapsule_GetPointer(numpy.capsule, handler_name) == (void *)&numpy.ours)
        (void)PyCapsule_SetPointer(numpy.capsule, (void *)(uintptr_t)numpy.theirs);
}
