/* SPDX-License-Identifier: Apache-2.0 */
/* convert_spans.c: the spans of a profile as Python objects (see convert_spans.h). */
#include "glue/convert_spans.h"

#include "glue/rows.h"

static const ft_row_shape collection_row = {
    "fettle._core.CollectionRow",
    "One garbage collection; of many, the longest have a row.",
    {{"process", "index into processes()"},
     {"start", "in seconds since the recording began"},
     {"duration", "seconds"},
     {"generation", "as the interpreter counts them"},
     {"collected", "objects that it freed"}}};

static const ft_row_shape collection_sum_row = {
    "fettle._core.CollectionSumRow",
    "All garbage collections of one generation in one process.",
    {{"process", "index into processes()"},
     {"generation", "as the interpreter counts them"},
     {"count", "how many"},
     {"time", "seconds, of all together"},
     {"longest", "seconds"},
     {"collected", "objects that they freed"},
     {"uncollectable", "objects that they could not free"}}};

static const ft_row_shape thread_span_row = {
    "fettle._core.ThreadSpanRow",
    "When a thread ran.",
    {{"process", "index into processes()"},
     {"name", "of the tree it ran on, as in threads()"},
     {"start", "of its first event, in seconds since the recording began"},
     {"end", "likewise, or None: it had not ended when the recording did"}}};

int ft_convert_span_types_add(PyObject *module, ft_module_state *state)
{
    if ((state->collection_row_type = ft_row_type_add(module, &collection_row)) == NULL ||
        (state->collection_sum_row_type = ft_row_type_add(module, &collection_sum_row)) == NULL ||
        (state->thread_span_row_type = ft_row_type_add(module, &thread_span_row)) == NULL)
        return -1;
    return 0;
}

static PyObject *collections_make(const ft_module_state *state, const ft_spans *spans)
{
    PyObject *list = PyList_New((Py_ssize_t)spans->collection_count);
    for (uint32_t i = 0; i < spans->collection_count && list != NULL; i++) {
        const ft_collection *from = &spans->collections[i];
        ft_row made = ft_row_start(state->collection_row_type);
        ft_row_put_number(&made, from->process);
        ft_row_put_seconds(&made, from->start);
        ft_row_put_seconds(&made, from->duration);
        ft_row_put_number(&made, from->generation);
        ft_row_put_number(&made, from->collected);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static ft_row thread_row_make(const ft_module_state *state, const ft_profile *profile,
                              const ft_thread_span *span, ft_str_cache *texts)
{
    const ft_thread *thread = &profile->threads[span->thread];
    ft_row made = ft_row_start(state->thread_span_row_type);
    ft_row_put_number(&made, thread->process);
    ft_row_put_cached(&made, texts, thread->name);
    ft_row_put_seconds(&made, span->start);
    if (span->end != FT_SPAN_OPEN)
        ft_row_put_seconds(&made, span->end);
    else if (made.object != NULL)
        ft_row_put(&made, Py_NewRef(Py_None));
    return made;
}

static PyObject *threads_make(const ft_module_state *state, const ft_profile *profile)
{
    const ft_spans *spans = &profile->spans;
    ft_str_cache texts;
    PyObject *list = PyList_New((Py_ssize_t)spans->thread_count);
    if (list == NULL || ft_str_cache_init(&texts, &profile->texts) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    for (uint32_t i = 0; i < spans->thread_count && list != NULL; i++) {
        ft_row made = thread_row_make(state, profile, &spans->threads[i], &texts);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    ft_str_cache_fini(&texts);
    return list;
}

PyObject *ft_convert_spans(const ft_module_state *state, const ft_profile *profile)
{
    PyObject *collections = collections_make(state, &profile->spans);
    PyObject *threads = collections == NULL ? NULL : threads_make(state, profile);
    if (threads == NULL) {
        Py_XDECREF(collections);
        return NULL;
    }
    return Py_BuildValue("(NN)", collections, threads);
}

PyObject *ft_convert_collection_sums(const ft_module_state *state, const ft_profile *profile)
{
    const ft_spans *spans = &profile->spans;
    PyObject *list = PyList_New((Py_ssize_t)spans->sum_count);
    for (uint32_t i = 0; i < spans->sum_count && list != NULL; i++) {
        const ft_collection_sum *from = &spans->sums[i];
        ft_row made = ft_row_start(state->collection_sum_row_type);
        ft_row_put_number(&made, from->process);
        ft_row_put_number(&made, from->generation);
        ft_row_put_number(&made, from->count);
        ft_row_put_seconds(&made, from->time);
        ft_row_put_seconds(&made, from->longest);
        ft_row_put_number(&made, from->collected);
        ft_row_put_number(&made, from->uncollectable);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    return list;
}
