/* SPDX-License-Identifier: Apache-2.0 */
/* convert_memory.c: the memory of a profile as Python objects (see convert_memory.h). */
#include "glue/convert_memory.h"

#include <stdbool.h>

#include "glue/rows.h"

static const ft_row_shape site_row = {
    "fettle._core.SiteRow",
    "One place where memory was allocated, over all processes.",
    {{"file", "co_filename, or \"<unknown>\""},
     {"line", "the line that ran, or 0"},
     {"first_line", "co_firstlineno, or 0"},
     {"name", "co_name, or \"<unknown>\""},
     {"qualname", "co_qualname, or \"<unknown>\""},
     {"parent", "index of the caller's row, which comes before; -1 for the outermost frame kept"},
     {"domain", "0 for Python's allocators, others as tracemalloc numbers them"},
     {"total_count", "how many blocks were allocated"},
     {"total_bytes", "and their bytes"},
     {"peak_count", "blocks alive when the process's heap was largest"},
     {"peak_bytes", "and their bytes"},
     {"alive_count", "blocks alive at the end"},
     {"alive_bytes", "and their bytes"},
     {"temporary_count", "blocks freed before four more were allocated"},
     {"temporary_bytes", "and their bytes"}}};

static const ft_row_shape heap_row = {
    "fettle._core.HeapRow",
    "The heap of one process.",
    {{"process", "index into processes()"},
     {"frames", "how many frames of a path were kept at most"},
     {"sample", "mean bytes between two samples; 0: every block was heard of"},
     {"total_count", "how many blocks were allocated"},
     {"total_bytes", "and their bytes"},
     {"peak_bytes", "the most that was alive"},
     {"peak_time", "when, in seconds since the recording began"},
     {"alive_count", "blocks alive at the end"},
     {"alive_bytes", "and their bytes"}}};

static const ft_row_shape moment_row = {"fettle._core.MomentRow",
                                        "One moment of a process's timeline.",
                                        {{"process", "index into processes()"},
                                         {"time", "in seconds since the recording began"},
                                         {"live", "bytes that were alive"},
                                         {"rss", "bytes that the process had resident"}}};

static const ft_row_shape point_row = {"fettle._core.PointRow",
                                       "A moment that the program named.",
                                       {{"process", "index into processes()"},
                                        {"name", "what the program called it"},
                                        {"time", "in seconds since the recording began"},
                                        {"count", "blocks that were alive"},
                                        {"bytes", "and their bytes"},
                                        {"rss", "bytes that the process had resident"},
                                        {"rows", "(index into sites(), count, bytes) of each"}}};

static const ft_row_shape object_row = {
    "fettle._core.ObjectRow",
    "Objects of one type from one site, alive at the end.",
    {{"process", "index into processes()"},
     {"type", "\"module.qualname\"; builtins without module"},
     {"site", "index into sites(); -1: older than the recording"},
     {"count", "how many objects"},
     {"bytes", "and their bytes"}}};

static const ft_row_shape class_row = {
    "fettle._core.ClassRow",
    "What __slots__ would save in one class.",
    {{"process", "index into processes()"},
     {"type", "\"module.qualname\""},
     {"instances", "how many were alive at the end"},
     {"bytes", "all their bytes"},
     {"plain", "bytes of one as it is"},
     {"slotted", "bytes of one with __slots__; 0 where it can not have them"},
     {"why", "why it can not have them, or \"\""}}};

int ft_convert_memory_types_add(PyObject *module, ft_module_state *state)
{
    if ((state->site_row_type = ft_row_type_add(module, &site_row)) == NULL ||
        (state->heap_row_type = ft_row_type_add(module, &heap_row)) == NULL ||
        (state->moment_row_type = ft_row_type_add(module, &moment_row)) == NULL ||
        (state->point_row_type = ft_row_type_add(module, &point_row)) == NULL ||
        (state->object_row_type = ft_row_type_add(module, &object_row)) == NULL ||
        (state->class_row_type = ft_row_type_add(module, &class_row)) == NULL)
        return -1;
    return 0;
}

/* A list of count rows, each made by make. */
typedef ft_row row_maker(const ft_module_state *state, const ft_profile *profile, uint32_t index,
                         ft_str_cache *texts);

static PyObject *list_make(const ft_module_state *state, const ft_profile *profile, uint32_t count,
                           row_maker *make)
{
    ft_str_cache texts;
    PyObject *list = PyList_New((Py_ssize_t)count);
    if (list == NULL || ft_str_cache_init(&texts, &profile->texts) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        ft_row made = make(state, profile, i, &texts);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    ft_str_cache_fini(&texts);
    return list;
}

/* ---- sites ---- */

static void put_place(ft_row *to, const ft_profile *profile, const ft_site *site,
                      ft_str_cache *texts)
{
    static const ft_text unknown = {"<unknown>", sizeof "<unknown>" - 1};
    const ft_code *code = &profile->codes.codes[site->code];
    if (site->code == FT_CODE_NONE) {
        ft_row_put_text(to, unknown);
        ft_row_put_number(to, site->line);
        ft_row_put_number(to, 0);
        ft_row_put_text(to, unknown);
        ft_row_put_text(to, unknown);
        return;
    }
    ft_row_put_cached(to, texts, code->file);
    ft_row_put_number(to, site->line);
    ft_row_put_number(to, code->line);
    ft_row_put_cached(to, texts, code->name);
    ft_row_put_cached(to, texts, code->qualname);
}

static ft_row site_row_make(const ft_module_state *state, const ft_profile *profile, uint32_t index,
                            ft_str_cache *texts)
{
    const ft_site *site = &profile->memory.sites.sites[index + 1];
    ft_row made = ft_row_start(state->site_row_type);
    put_place(&made, profile, site, texts);
    ft_row_put_index(&made, (int64_t)site->parent - 1);
    ft_row_put_number(&made, site->domain);
    ft_row_put_number(&made, site->total_count);
    ft_row_put_number(&made, site->total_bytes);
    ft_row_put_number(&made, site->peak_count);
    ft_row_put_number(&made, site->peak_bytes);
    ft_row_put_number(&made, site->alive_count);
    ft_row_put_number(&made, site->alive_bytes);
    ft_row_put_number(&made, site->temporary_count);
    ft_row_put_number(&made, site->temporary_bytes);
    return made;
}

PyObject *ft_convert_sites(const ft_module_state *state, const ft_profile *profile)
{
    return list_make(state, profile, profile->memory.sites.count - 1, site_row_make);
}

/* ---- heaps and their time ---- */

static ft_row heap_row_make(const ft_module_state *state, const ft_profile *profile, uint32_t index,
                            ft_str_cache *Py_UNUSED(texts))
{
    const ft_heap_summary *heap = &profile->memory.heaps[index];
    ft_row made = ft_row_start(state->heap_row_type);
    ft_row_put_number(&made, heap->process);
    ft_row_put_number(&made, heap->frames);
    ft_row_put_number(&made, heap->sample);
    ft_row_put_number(&made, heap->total_count);
    ft_row_put_number(&made, heap->total_bytes);
    ft_row_put_number(&made, heap->peak_bytes);
    ft_row_put_seconds(&made, heap->peak_time);
    ft_row_put_number(&made, heap->alive_count);
    ft_row_put_number(&made, heap->alive_bytes);
    return made;
}

PyObject *ft_convert_heaps(const ft_module_state *state, const ft_profile *profile)
{
    return list_make(state, profile, profile->memory.heap_count, heap_row_make);
}

static ft_row moment_row_make(const ft_module_state *state, const ft_profile *profile,
                              uint32_t index, ft_str_cache *Py_UNUSED(texts))
{
    const ft_moment *moment = &profile->memory.moments[index];
    ft_row made = ft_row_start(state->moment_row_type);
    ft_row_put_number(&made, moment->process);
    ft_row_put_seconds(&made, moment->time);
    ft_row_put_number(&made, moment->live);
    ft_row_put_number(&made, moment->rss);
    return made;
}

PyObject *ft_convert_moments(const ft_module_state *state, const ft_profile *profile)
{
    return list_make(state, profile, profile->memory.moment_count, moment_row_make);
}

/* ---- points ---- */

/* The first row of that point or of a later one: they ascend. */
static uint32_t first_row(const ft_memory *memory, uint32_t point)
{
    uint32_t low = 0, high = memory->point_row_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memory->point_rows[middle].point < point)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static PyObject *alive_make(const ft_memory *memory, uint32_t point)
{
    const uint32_t first = first_row(memory, point), end = first_row(memory, point + 1);
    PyObject *list = PyList_New((Py_ssize_t)(end - first));
    for (uint32_t i = first; i < end && list != NULL; i++) {
        const ft_point_row *row = &memory->point_rows[i];
        PyObject *made =
            Py_BuildValue("(kKK)", (unsigned long)row->site - 1, (unsigned long long)row->count,
                          (unsigned long long)row->bytes);
        if (made == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)(i - first), made);
    }
    return list;
}

static ft_row point_row_make(const ft_module_state *state, const ft_profile *profile,
                             uint32_t index, ft_str_cache *texts)
{
    const ft_point *point = &profile->memory.points[index];
    ft_row made = ft_row_start(state->point_row_type);
    ft_row_put_number(&made, point->process);
    ft_row_put_cached(&made, texts, point->name);
    ft_row_put_seconds(&made, point->time);
    ft_row_put_number(&made, point->live_count);
    ft_row_put_number(&made, point->live_bytes);
    ft_row_put_number(&made, point->rss);
    if (made.object != NULL)
        ft_row_put(&made, alive_make(&profile->memory, index));
    return made;
}

PyObject *ft_convert_points(const ft_module_state *state, const ft_profile *profile)
{
    return list_make(state, profile, profile->memory.point_count, point_row_make);
}

/* ---- objects ---- */

static ft_row object_row_make(const ft_module_state *state, const ft_profile *profile,
                              uint32_t index, ft_str_cache *texts)
{
    const ft_object_row *object = &profile->memory.objects[index];
    ft_row made = ft_row_start(state->object_row_type);
    ft_row_put_number(&made, object->process);
    ft_row_put_cached(&made, texts, object->type);
    ft_row_put_index(&made, (int64_t)object->site - 1);
    ft_row_put_number(&made, object->count);
    ft_row_put_number(&made, object->bytes);
    return made;
}

PyObject *ft_convert_objects(const ft_module_state *state, const ft_profile *profile)
{
    return list_make(state, profile, profile->memory.object_count, object_row_make);
}

static ft_row class_row_make(const ft_module_state *state, const ft_profile *profile,
                             uint32_t index, ft_str_cache *texts)
{
    const ft_class_row *from = &profile->memory.classes[index];
    ft_row made = ft_row_start(state->class_row_type);
    ft_row_put_number(&made, from->process);
    ft_row_put_cached(&made, texts, from->type);
    ft_row_put_number(&made, from->instances);
    ft_row_put_number(&made, from->bytes);
    ft_row_put_number(&made, from->plain);
    ft_row_put_number(&made, from->slotted);
    ft_row_put_cached(&made, texts, from->why);
    return made;
}

PyObject *ft_convert_classes(const ft_module_state *state, const ft_profile *profile)
{
    return list_make(state, profile, profile->memory.class_count, class_row_make);
}
