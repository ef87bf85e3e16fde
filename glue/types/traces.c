/* SPDX-License-Identifier: Apache-2.0 */
/* traces.c: what a heap that is on knows, as Python objects (see traces.h).
 *
 * The numbers are copied first, while no block begins or ends; objects are made of the copy, for
 * making them is allocating. What this thread allocates meanwhile is not told of. */
#include "glue/types/traces.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/record/heap.h"
#include "glue/probes/allocs.h"

enum { PARTS = 2 };

/* Equal live blocks of one part. */
typedef struct group {
    uint32_t part, site;
    uint64_t size, count;
} group;

typedef struct listing {
    ft_heap *heap;
    const ft_heap_part *part; /* that is being listed */
    group *groups;            /* owned */
    uint32_t count, room;
    ft_heap_site *sites[PARTS]; /* owned: copies, by number - 1 */
    uint16_t *depths[PARTS];    /* owned: of their stacks, 0: not known */
    uint32_t site_counts[PARTS];
    bool failed;
} listing;

static void fini_listing(listing *list)
{
    for (int part = 0; part < PARTS; part++) {
        ft_mem_free(&ft_mem_system, list->sites[part]);
        ft_mem_free(&ft_mem_system, list->depths[part]);
    }
    ft_mem_free(&ft_mem_system, list->groups);
}

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

static int by_site_and_size(const void *one, const void *other)
{
    const group *a = one, *b = other;
    if (a->site != b->site)
        return a->site < b->site ? -1 : 1;
    return (a->size > b->size) - (a->size < b->size);
}

/* The groups from first on, one block each, become one for each size and site. */
static void join_large(listing *list, uint32_t first)
{
    group *groups = list->groups;
    uint32_t kept = first;
    if (list->count == first)
        return;
    qsort(groups + first, list->count - first, sizeof *groups, by_site_and_size);
    for (uint32_t i = first; i < list->count; i++) {
        if (kept > first && by_site_and_size(&groups[kept - 1], &groups[i]) == 0)
            groups[kept - 1].count += groups[i].count;
        else
            groups[kept++] = groups[i];
    }
    list->count = kept;
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
    uint32_t first = list->count;
    ft_tags_each_large(&part->tags, add_large, list);
    join_large(list, first);
}

/* Sites of the RAW part may move as soon as the lock is free. */
static void copy_sites(listing *list, const ft_heap_part *part)
{
    uint32_t count = part->site_count;
    ft_heap_site *sites = ft_mem_new(&ft_mem_system, (size_t)count + 1, sizeof *sites);
    uint16_t *depths = ft_mem_new(&ft_mem_system, (size_t)count + 1, sizeof *depths);
    list->sites[part->index] = sites;
    list->depths[part->index] = depths;
    list->site_counts[part->index] = count;
    if (sites == NULL || depths == NULL) {
        list->failed = true;
        return;
    }
    if (count > 0)
        memcpy(sites, part->known, count * sizeof *sites);
    for (uint32_t i = 0; i < count; i++)
        depths[i] = ft_heap_depth_of(part, i + 1);
}

static bool list_all(listing *list)
{
    ft_allocs_lock();
    for (int part = 0; part < PARTS; part++) {
        list_part(list, &list->heap->parts[part]);
        copy_sites(list, &list->heap->parts[part]);
    }
    ft_allocs_unlock();
    return !list->failed;
}

/* ---- as objects ---- */

/* Of a place. A new reference. */
static PyObject *make_frame(const ft_code_records *records, uint32_t code, uint32_t line,
                            PyObject **file)
{
    PyObject *name = file == NULL ? NULL : Py_XNewRef(*file);
    if (name == NULL && code == 0) {
        name = PyUnicode_FromString("<unknown>");
    } else if (name == NULL) {
        uint32_t length;
        const char *text = ft_code_records_file(records, code, &length);
        name = PyUnicode_DecodeUTF8(text, length, "replace");
    }
    if (name != NULL && file != NULL && *file == NULL)
        *file = Py_NewRef(name);
    return name == NULL ? NULL : Py_BuildValue("(NI)", name, (unsigned)line);
}

/* What was made already. */
typedef struct cache {
    const listing *list;
    const ft_code_records *records;
    PyObject **files;         /* owned: by code number */
    PyObject **frames[PARTS]; /* owned: (file, line) by site - 1 */
    PyObject **stacks[PARTS]; /* owned: by site - 1 */
    uint32_t file_count;
} cache;

static void fini_objects(PyObject **objects, uint32_t count)
{
    for (uint32_t i = 0; objects != NULL && i < count; i++)
        Py_XDECREF(objects[i]);
    ft_mem_free(&ft_mem_system, objects);
}

static void fini_cache(cache *made)
{
    fini_objects(made->files, made->file_count);
    for (int part = 0; part < PARTS; part++) {
        fini_objects(made->frames[part], made->list->site_counts[part]);
        fini_objects(made->stacks[part], made->list->site_counts[part]);
    }
}

static bool init_cache(cache *made, const listing *list)
{
    *made = (cache){.list = list, .records = &list->heap->records};
    if (ft_code_records_update(&list->heap->records, list->heap->recording) != FT_OK)
        return false;
    made->file_count = made->records->count + 1;
    made->files = ft_mem_new(&ft_mem_system, made->file_count, sizeof(PyObject *));
    bool good = made->files != NULL;
    for (int part = 0; part < PARTS; part++) {
        size_t room = (size_t)list->site_counts[part] + 1;
        made->frames[part] = ft_mem_new(&ft_mem_system, room, sizeof(PyObject *));
        made->stacks[part] = ft_mem_new(&ft_mem_system, room, sizeof(PyObject *));
        good = good && made->frames[part] != NULL && made->stacks[part] != NULL;
    }
    return good;
}

static Py_ssize_t length_of(const ft_heap_site *sites, uint32_t site)
{
    Py_ssize_t length = 0;
    for (; site != 0; site = sites[site - 1].parent)
        length++;
    return length;
}

/* Borrowed, or NULL. */
static PyObject *frame_of(cache *made, uint32_t part, uint32_t site)
{
    PyObject **frame = &made->frames[part][site - 1];
    const ft_heap_site *of = &made->list->sites[part][site - 1];
    if (*frame == NULL)
        *frame = make_frame(made->records, of->code, of->line, &made->files[of->code]);
    return *frame;
}

/* The most recent frame first. Borrowed, or NULL. */
static PyObject *stack_of(cache *made, uint32_t part, uint32_t site)
{
    const ft_heap_site *sites = made->list->sites[part];
    PyObject **known = &made->stacks[part][site - 1];
    if (*known != NULL)
        return *known;
    PyObject *stack = PyTuple_New(length_of(sites, site));
    for (Py_ssize_t at = 0; stack != NULL && site != 0; at++, site = sites[site - 1].parent) {
        PyObject *frame = frame_of(made, part, site);
        if (frame == NULL)
            Py_CLEAR(stack);
        else
            PyTuple_SET_ITEM(stack, at, Py_NewRef(frame));
    }
    *known = stack;
    return stack;
}

/* How many frames there were, or None. */
static PyObject *total_of(const listing *list, const group *of, Py_ssize_t length)
{
    uint16_t depth = list->depths[of->part][of->site - 1];
    if (depth == 0 && length == (Py_ssize_t)list->heap->frames)
        return Py_NewRef(Py_None);
    return PyLong_FromSsize_t(depth == 0 ? length : depth);
}

/* ((domain, size, stack, total), count) */
static PyObject *row_of(cache *made, const group *of)
{
    PyObject *stack = stack_of(made, of->part, of->site);
    PyObject *total = stack == NULL ? NULL : total_of(made->list, of, PyTuple_GET_SIZE(stack));
    if (total == NULL)
        return NULL;
    return Py_BuildValue("((IKON)K)", made->list->sites[of->part][of->site - 1].domain,
                         (unsigned long long)of->size, stack, total, (unsigned long long)of->count);
}

static PyObject *make_rows(const listing *list, cache *made)
{
    PyObject *rows = PyList_New(list->count);
    for (uint32_t i = 0; rows != NULL && i < list->count; i++) {
        PyObject *row = row_of(made, &list->groups[i]);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, i, row);
    }
    return rows;
}

PyObject *ft_traces_all(ft_take *take)
{
    if (!take->heap_is_on)
        return PyList_New(0);
    cache made = {.list = NULL};
    PyObject *result = NULL;
    listing list = {.heap = take->heap};
    bool entered = ft_allocs_enter();
    int held = ft_compat_hold_collector(); /* a finaliser may end the heap */
    if (list_all(&list) && init_cache(&made, &list))
        result = make_rows(&list, &made);
    else
        PyErr_NoMemory();
    if (made.list != NULL)
        fini_cache(&made);
    fini_listing(&list);
    ft_compat_release_collector(held);
    ft_allocs_leave(entered);
    return result;
}

/* ---- one block ---- */

/* The site of the block that begins at an address; 0 when it is not known. The lock is held. */
static uint32_t find_site(const ft_heap_part *part, uintptr_t address)
{
    size_t size;
    uint32_t tag = ft_tags_get(&part->tags, address, &size) & ~FT_HEAP_GUARD;
    return tag == 0 ? 0 : ft_heap_cell_at(part, tag)->site;
}

/* The places of a block's stack, the most recent first: owned, *count of them; NULL when it is not
 * known, or without memory, which *failed tells. */
static ft_heap_place *find_places(const ft_heap *heap, uintptr_t address, Py_ssize_t *count,
                                  bool *failed)
{
    ft_heap_place *places = NULL;
    *failed = false;
    ft_allocs_lock();
    for (int i = 0; i < PARTS && places == NULL && !*failed; i++) {
        const ft_heap_part *part = &heap->parts[i];
        uint32_t site = find_site(part, address);
        if (site == 0)
            continue;
        *count = length_of(part->known, site);
        places = ft_mem_new(&ft_mem_system, (size_t)*count, sizeof *places);
        *failed = places == NULL;
        for (Py_ssize_t at = 0; places != NULL && at < *count; at++) {
            const ft_heap_site *known = &part->known[site - 1];
            places[at] = (ft_heap_place){known->code, known->line};
            site = known->parent;
        }
    }
    ft_allocs_unlock();
    return places;
}

/* A tuple of the places, the most recent last. */
static PyObject *make_stack(ft_heap *heap, const ft_heap_place *places, Py_ssize_t count)
{
    if (ft_code_records_update(&heap->records, heap->recording) != FT_OK)
        return PyErr_NoMemory();
    PyObject *stack = PyTuple_New(count);
    for (Py_ssize_t i = 0; stack != NULL && i < count; i++) {
        const ft_heap_place *place = &places[count - 1 - i];
        PyObject *frame = make_frame(&heap->records, place->code, place->line, NULL);
        if (frame == NULL)
            Py_CLEAR(stack);
        else
            PyTuple_SET_ITEM(stack, i, frame);
    }
    return stack;
}

PyObject *ft_traces_of(ft_take *take, PyObject *object)
{
    bool failed = false;
    Py_ssize_t count;
    ft_heap_place *places = NULL;
    uintptr_t address = (uintptr_t)object - ft_compat_preheader(Py_TYPE(object));
    bool entered = ft_allocs_enter();
    int held = ft_compat_hold_collector();
    if (take->heap_is_on)
        places = find_places(take->heap, address, &count, &failed);
    PyObject *result = NULL;
    if (failed)
        PyErr_NoMemory();
    else
        result = places == NULL ? Py_NewRef(Py_None) : make_stack(take->heap, places, count);
    ft_mem_free(&ft_mem_system, places);
    ft_compat_release_collector(held);
    ft_allocs_leave(entered);
    return result;
}
