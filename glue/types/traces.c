/* SPDX-License-Identifier: Apache-2.0 */
/* traces.c: what a heap that is on knows, as Python objects (see traces.h).
 *
 * The numbers are copied first, while nothing of the program's can run; objects are made of the
 * copy, for making them is allocating. */
#include "glue/types/traces.h"

#include "engine/base/array.h"
#include "engine/record/heap.h"
#include "glue/probes/allocs.h"

/* Equal live blocks of one part. */
typedef struct group {
    uint32_t part, site;
    uint64_t size, count;
} group;

typedef struct listing {
    ft_heap *heap;
    const ft_heap_part *part;
    group *groups; /* owned */
    uint32_t count, room;
    bool failed;
} listing;

static void add_group(listing *list, uint32_t site, uint64_t size, uint64_t count)
{
    group *groups =
        ft_array_grow(&ft_mem_system, list->groups, list->count + 1, &list->room, sizeof *groups);
    if (groups == NULL) {
        list->failed = true;
        return;
    }
    list->groups = groups;
    groups[list->count++] = (group){list->part->index, site, size, count};
}

static void add_large(void *context, uintptr_t address, size_t size, uint32_t tag)
{
    (void)address;
    listing *list = context;
    if ((tag & ~FT_HEAP_GUARD) == 0)
        return;
    const ft_heap_cell *cell = ft_heap_cell_at(list->part, tag & ~FT_HEAP_GUARD);
    if (cell->kind == FT_HEAP_ANY_SIZE)
        add_group(list, cell->site, size, 1);
}

static void list_part(listing *list, const ft_heap_part *part)
{
    list->part = part;
    for (uint32_t b = 0; b < part->base_count; b++) {
        uint64_t cells = ft_heap_cells_in(part, b);
        for (uint64_t i = 1; i <= cells; i++) {
            const ft_heap_cell *cell = &part->bases[b][i];
            uint64_t live = ft_heap_load(&cell->live);
            if (cell->kind == FT_HEAP_SAME_SIZE && live > 0)
                add_group(list, cell->site, cell->size, live);
        }
    }
    ft_tags_each_large(&part->tags, add_large, list);
}

static bool list_all(listing *list)
{
    ft_allocs_lock();
    list_part(list, &list->heap->parts[FT_HEAP_PYTHON]);
    list_part(list, &list->heap->parts[FT_HEAP_RAW]);
    ft_allocs_unlock();
    return !list->failed;
}

/* ---- as objects ---- */

/* Files, frames and stacks that were made already, by numbers. */
typedef struct cache {
    ft_heap *heap;
    PyObject **files;      /* owned: by code number - 1 */
    PyObject **frames[2];  /* owned: (file, line) by part and site - 1 */
    Py_ssize_t *places[2]; /* owned: 1 + index in stacks, by part and site - 1 */
    uint32_t files_room, sites[2];
} cache;

static void fini_cache(cache *made)
{
    for (uint32_t i = 0; made->files != NULL && i < made->files_room; i++)
        Py_XDECREF(made->files[i]);
    ft_mem_free(&ft_mem_system, made->files);
    for (int part = 0; part < 2; part++) {
        for (uint32_t i = 0; made->frames[part] != NULL && i < made->sites[part]; i++)
            Py_XDECREF(made->frames[part][i]);
        ft_mem_free(&ft_mem_system, made->frames[part]);
        ft_mem_free(&ft_mem_system, made->places[part]);
    }
}

static bool init_cache(cache *made, ft_heap *heap)
{
    *made = (cache){.heap = heap};
    if (ft_code_records_update(&heap->records, heap->recording) != FT_OK)
        return false;
    made->files_room = heap->records.count;
    made->files = ft_mem_new(&ft_mem_system, (size_t)made->files_room + 1, sizeof(PyObject *));
    bool good = made->files != NULL;
    for (int part = 0; part < 2; part++) {
        made->sites[part] = heap->parts[part].site_count;
        size_t room = (size_t)made->sites[part] + 1;
        made->frames[part] = ft_mem_new(&ft_mem_system, room, sizeof(PyObject *));
        made->places[part] = ft_mem_new(&ft_mem_system, room, sizeof(Py_ssize_t));
        good = good && made->frames[part] != NULL && made->places[part] != NULL;
    }
    return good;
}

/* Borrowed, or NULL with an exception. */
static PyObject *file_of(cache *made, uint32_t code)
{
    PyObject **file = &made->files[code - 1];
    if (*file == NULL) {
        uint32_t length;
        const char *text = ft_code_records_file(&made->heap->records, code, &length);
        *file = PyUnicode_DecodeUTF8(text, length, "replace");
        if (*file != NULL)
            PyUnicode_InternInPlace(file);
    }
    return *file;
}

/* A new reference. */
static PyObject *frame_of(cache *made, uint32_t part, uint32_t site)
{
    PyObject **frame = &made->frames[part][site - 1];
    if (*frame == NULL) {
        const ft_heap_site *known = &made->heap->parts[part].known[site - 1];
        if (known->code == 0) {
            *frame = Py_BuildValue("(sI)", "<unknown>", known->line);
        } else {
            PyObject *file = file_of(made, known->code);
            *frame = file == NULL ? NULL : Py_BuildValue("(OI)", file, known->line);
        }
    }
    return Py_XNewRef(*frame);
}

static Py_ssize_t depth_of(const ft_heap_part *part, uint32_t site)
{
    Py_ssize_t depth = 0;
    for (; site != 0; site = part->known[site - 1].parent)
        depth++;
    return depth;
}

/* The stack of a site, most recent last. A new reference. */
static PyObject *stack_of(cache *made, uint32_t part, uint32_t site)
{
    const ft_heap_part *of = &made->heap->parts[part];
    Py_ssize_t at = depth_of(of, site);
    PyObject *stack = PyTuple_New(at);
    for (; stack != NULL && site != 0; site = of->known[site - 1].parent) {
        PyObject *frame = frame_of(made, part, site);
        if (frame == NULL)
            Py_CLEAR(stack);
        else
            PyTuple_SET_ITEM(stack, --at, frame);
    }
    return stack;
}

/* Its index in stacks, or -1 with an exception. */
static Py_ssize_t stack_index(cache *made, PyObject *stacks, uint32_t part, uint32_t site)
{
    Py_ssize_t *place = &made->places[part][site - 1];
    if (*place == 0) {
        PyObject *stack = stack_of(made, part, site);
        int result = stack == NULL ? -1 : PyList_Append(stacks, stack);
        Py_XDECREF(stack);
        if (result < 0)
            return -1;
        *place = PyList_GET_SIZE(stacks);
    }
    return *place - 1;
}

static PyObject *row_of(cache *made, PyObject *stacks, const group *of)
{
    const ft_heap_part *part = &made->heap->parts[of->part];
    Py_ssize_t at = stack_index(made, stacks, of->part, of->site);
    if (at < 0)
        return NULL;
    Py_ssize_t depth = PyTuple_GET_SIZE(PyList_GET_ITEM(stacks, at));
    return Py_BuildValue("(IKKnN)", part->known[of->site - 1].domain, (unsigned long long)of->size,
                         (unsigned long long)of->count, at,
                         PyBool_FromLong(depth == (Py_ssize_t)made->heap->frames));
}

static PyObject *make_rows(const listing *list, cache *made)
{
    PyObject *stacks = PyList_New(0), *rows = PyList_New(list->count);
    bool good = stacks != NULL && rows != NULL;
    for (uint32_t i = 0; good && i < list->count; i++) {
        PyObject *row = row_of(made, stacks, &list->groups[i]);
        good = row != NULL;
        if (good)
            PyList_SET_ITEM(rows, i, row);
    }
    PyObject *result = good ? PyTuple_Pack(2, stacks, rows) : NULL;
    Py_XDECREF(stacks);
    Py_XDECREF(rows);
    return result;
}

PyObject *ft_traces_all(ft_take *take)
{
    if (!take->heap_is_on)
        return Py_BuildValue("([][])");
    cache made;
    PyObject *result = NULL;
    listing list = {.heap = take->heap};
    bool entered = ft_allocs_enter();
    bool good = list_all(&list);
    good = init_cache(&made, take->heap) && good;
    if (good)
        result = make_rows(&list, &made);
    else
        PyErr_NoMemory();
    fini_cache(&made);
    ft_mem_free(&ft_mem_system, list.groups);
    ft_allocs_leave(entered);
    return result;
}

/* The site of the block that begins at an address; 0 when it is not known. */
static uint32_t find_site(const ft_heap *heap, uintptr_t address, uint32_t *part)
{
    size_t size;
    uint32_t site = 0;
    ft_allocs_lock();
    for (*part = 0; *part < 2; ++*part) {
        const ft_heap_part *of = &heap->parts[*part];
        uint32_t tag = ft_tags_get(&of->tags, address, &size) & ~FT_HEAP_GUARD;
        if (tag != 0) {
            site = ft_heap_cell_at(of, tag)->site;
            break;
        }
    }
    ft_allocs_unlock();
    return site;
}

PyObject *ft_traces_of(ft_take *take, PyObject *object)
{
    uint32_t part, site = 0;
    uintptr_t address = (uintptr_t)object - ft_compat_pre_header(Py_TYPE(object));
    if (take->heap_is_on)
        site = find_site(take->heap, address, &part);
    if (site == 0)
        Py_RETURN_NONE;
    cache made;
    PyObject *result = NULL;
    bool entered = ft_allocs_enter();
    if (init_cache(&made, take->heap))
        result = stack_of(&made, part, site);
    else
        PyErr_NoMemory();
    fini_cache(&made);
    ft_allocs_leave(entered);
    return result;
}
