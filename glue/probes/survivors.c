/* SPDX-License-Identifier: Apache-2.0 */
/* survivors.c: what objects are alive when a recording of memory ends (see survivors.h).
 *
 * A census visits each object with its blocks; the tag of the block that it lies in says which site
 * made it, and all its blocks count as its bytes. */
#include "glue/probes/survivors.h"

#include <math.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/model/profile.h"
#include "engine/record/heap.h"
#include "glue/objects/census.h"
#include "glue/probes/allocs.h"
#include "glue/probes/plain_text.h"

/* Objects of one type from one site. */
typedef struct group {
    PyTypeObject *type; /* borrowed: nothing of the program's runs meanwhile */
    uint32_t site;
    double count, bytes;
} group;

typedef struct survey {
    ft_heap *heap;
    ft_map numbers; /* hash of type and site -> index of the group */
    group *groups;  /* owned */
    uint32_t count, room;
    ft_map names; /* address of a type -> number of its text */
    bool failed;
} survey;

/* ---- while the census walks ---- */

static bool is_group(const group *known, const PyTypeObject *type, uint32_t site)
{
    return known->type == type && known->site == site;
}

/* The group, new or known; NULL without memory. */
static group *group_of(survey *all, PyTypeObject *type, uint32_t site)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t key = (uint64_t)(uintptr_t)type * odd ^ site;
    for (;; key++) { /* two pairs of one hash: the next number */
        const uint32_t *number = ft_map_get(&all->numbers, key);
        if (number == NULL)
            break;
        if (is_group(&all->groups[*number], type, site))
            return &all->groups[*number];
    }
    group *groups =
        ft_array_grow(&ft_mem_system, all->groups, all->count + 1, &all->room, sizeof *groups);
    if (groups == NULL)
        return NULL;
    all->groups = groups;
    if (ft_map_put(&all->numbers, key, all->count) != FT_OK)
        return NULL;
    groups[all->count] = (group){.type = type, .site = site};
    return &groups[all->count++];
}

static void visit(void *context, PyTypeObject *type, const void *object, const void *const *blocks,
                  const size_t *block_bytes, size_t block_count)
{
    (void)object;
    survey *all = context;
    const ft_heap_part *part = &all->heap->parts[FT_HEAP_PYTHON];
    size_t large = 0, bytes = 0;
    uint32_t tag = 0, site = 0;
    size_t asked = all->heap->sample > 0 ? block_count > 0 : block_count;
    for (size_t i = 0; i < asked && tag == 0; i++) /* a list may be older than its items' block */
        tag = ft_tags_get(&part->tags, (uintptr_t)blocks[i], &large) & ~FT_HEAP_GUARD;
    if (tag != 0)
        site = ft_heap_cell_at(part, tag)->site;
    if (site == 0 && all->heap->sample > 0)
        return; /* one of the many that no sample fell on */
    for (size_t i = 0; i < block_count; i++)
        bytes += block_bytes[i];
    group *of = group_of(all, type, site);
    if (of == NULL) {
        all->failed = true;
        return;
    }
    double each = block_count == 0 ? 1 : ft_heap_stands_for(all->heap->sample, block_bytes[0]);
    of->count += each;
    of->bytes += each * (double)bytes;
}

/* ---- names ---- */

/* The module that the class says it is of. Borrowed; NULL for what is built in. */
static PyObject *module_of(PyTypeObject *type, PyObject *key)
{
    PyObject *names = ft_compat_type_dict(type);
    PyObject *module = names == NULL ? NULL : PyDict_GetItemWithError(names, key);
    Py_XDECREF(names);
    if (module == NULL || !PyUnicode_CheckExact(module) ||
        PyUnicode_CompareWithASCIIString(module, "builtins") == 0)
        return NULL;
    return module;
}

/* "build.P", in a buffer of twice FT_NAME_MAX_BYTES; its length. */
static size_t spell_type(PyTypeObject *type, PyObject *key, char *buffer)
{
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        size_t length = strlen(type->tp_name);
        length = length < FT_NAME_MAX_BYTES ? length : FT_NAME_MAX_BYTES;
        memcpy(buffer, type->tp_name, length);
        return length;
    }
    size_t length = ft_plain_text(module_of(type, key), buffer);
    if (length > 0)
        buffer[length++] = '.';
    return length + ft_plain_text(((PyHeapTypeObject *)type)->ht_qualname, buffer + length);
}

/* The number of the type's text; 0 without room. */
static uint32_t name_of(survey *all, PyTypeObject *type)
{
    const uint32_t *known = ft_map_get(&all->names, (uint64_t)(uintptr_t)type);
    if (known != NULL)
        return *known;
    uint32_t number = 0;
    PyObject *key = PyUnicode_InternFromString("__module__");
    char *buffer = ft_mem_new(&ft_mem_system, 2, FT_NAME_MAX_BYTES);
    if (key != NULL && buffer != NULL) {
        size_t length = spell_type(type, key, buffer);
        if (ft_heap_text(all->heap, buffer, length, &number) != FT_OK ||
            ft_map_put(&all->names, (uint64_t)(uintptr_t)type, number) != FT_OK)
            number = 0;
    }
    ft_mem_free(&ft_mem_system, buffer);
    Py_XDECREF(key);
    return number;
}

/* ---- writing ---- */

static void write_groups(survey *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        const group *from = &all->groups[i];
        ft_heap_object row = {.type = name_of(all, from->type),
                              .part = FT_HEAP_PYTHON,
                              .site = from->site,
                              .count = (uint64_t)llround(from->count),
                              .bytes = (uint64_t)llround(from->bytes)};
        if (row.type == 0 || ft_heap_add_object(all->heap, &row) != FT_OK)
            all->failed = true;
    }
}

static void write_class(survey *all, const ft_census *census, const ft_class_count *class)
{
    ft_layout layout = {0};
    (void)ft_layout_estimate(census, class, &layout);
    if (layout.slotted == 0 && layout.why == NULL)
        return; /* nothing to say: no class of the program's */
    ft_heap_class row = {.type = name_of(all, class->type),
                         .instances = class->instances,
                         .bytes = class->bytes,
                         .plain = layout.plain,
                         .slotted = layout.slotted};
    ft_status status = FT_OK;
    if (layout.why != NULL)
        status = ft_heap_text(all->heap, layout.why, strlen(layout.why), &row.why);
    if (row.type == 0 || status != FT_OK || ft_heap_add_class(all->heap, &row) != FT_OK)
        all->failed = true;
}

static void record(survey *all)
{
    ft_census census;
    if (ft_census_take(&census, &ft_mem_system, visit, all) != FT_OK) {
        all->failed = true;
        return;
    }
    write_groups(all);
    for (uint32_t i = 0; i < census.count; i++)
        write_class(all, &census, &census.classes[i]);
    ft_census_fini(&census);
}

void ft_survivors_record(ft_take *take)
{
    if (!take->heap_is_on)
        return;
    ft_compat_error error;
    survey all = {.heap = take->heap};
    bool entered = ft_allocs_enter();
    ft_compat_error_save(&error);
    ft_map_init(&all.numbers, &ft_mem_system);
    ft_map_init(&all.names, &ft_mem_system);
    ft_heap_forget_survivors(take->heap);
    record(&all);
    if (all.failed)
        ft_arena_note(&take->recording.arena, FT_NOTE_OUT_OF_MEMORY, 1);
    ft_map_fini(&all.numbers);
    ft_map_fini(&all.names);
    ft_mem_free(&ft_mem_system, all.groups);
    ft_compat_error_restore(&error);
    ft_allocs_leave(entered);
}
