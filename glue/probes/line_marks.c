/* SPDX-License-Identifier: Apache-2.0 */
/* line_marks.c: which functions the line profile watches (see line_marks.h). */
#include "glue/probes/line_marks.h"

#include <string.h>

#include "engine/base/map.h"
#include "engine/model/profile.h"
#include "glue/probes/code_lines.h"
#include "glue/probes/functions.h"
#include "glue/probes/selector.h"
#include "glue/probes/session.h"

/* One per process, as the session is. */
static struct {
    PyObject *marked;    /* a list of weak references to functions, strong; NULL: none yet */
    Py_ssize_t prune_at; /* length of the list at which dead ones are taken out */
    ft_map watchers;     /* code object -> number of takes that watch it and are active */
    uint32_t watching;   /* number of takes that are active and record lines */
    uint32_t selecting;  /* ... and have selectors */
} state = {.watchers.mem = &ft_mem_system};

/* ---- code objects ---- */

/* One more take, or one less (-1), watches the code object. */
static int count(PyCodeObject *code, int change)
{
    uint64_t key = (uint64_t)(uintptr_t)code;
    const uint32_t *known = ft_map_get(&state.watchers, key);
    uint32_t old = known == NULL ? 0 : *known;
    uint32_t now = change > 0 ? old + 1 : old - (old > 0);
    if (ft_map_put(&state.watchers, key, now) != FT_OK) {
        PyErr_NoMemory();
        return -1;
    }
    if (old == 0 && now == 1 && ft_line_probe_watch(code) < 0) {
        (void)ft_map_put(&state.watchers, key, 0); /* the slot is there: this can not fail */
        return -1;
    }
    if (old == 1 && now == 0)
        ft_line_probe_unwatch(code);
    return 0;
}

static PyCodeObject *code_at(const ft_take *take, uint32_t at)
{
    return (PyCodeObject *)(uintptr_t)take->recording.lines.codes[at]->key;
}

/* What the recording knows is watched, as far as it is not yet: codes are only added to it. */
static int count_up(ft_take *take)
{
    for (; take->counted < take->recording.lines.code_count; take->counted++)
        if (count(code_at(take, take->counted), 1) < 0)
            return -1;
    return 0;
}

static void count_down(ft_take *take)
{
    while (take->counted > 0)
        if (count(code_at(take, --take->counted), -1) < 0)
            PyErr_Clear();
}

bool ft_line_marks_is_watched(const PyCodeObject *code)
{
    const uint32_t *known = ft_map_get(&state.watchers, (uint64_t)(uintptr_t)code);
    return known != NULL && *known > 0;
}

/* The take's recording knows the lines of the code object from now on. 1 when it did not before,
 * 0, or -1 with an exception. */
static int learn(ft_take *take, PyCodeObject *code)
{
    ft_code_lines lines;
    if (ft_line_registry_find(&take->recording.lines, code) != NULL)
        return 0;
    if (ft_session_know(take, code) < 0)
        return -1;
    int result = ft_code_lines_init(&lines, code, take->lines_alone);
    if (result == 0) {
        ft_status status =
            ft_recording_watch_lines(&take->recording, lines.members, lines.count, lines.last_line);
        if (status == FT_ERR_MEMORY)
            PyErr_NoMemory();
        else if (status != FT_OK)
            ft_arena_note(&take->recording.arena,
                          status == FT_ERR_LIMIT ? FT_NOTE_TOO_MANY_LINES : FT_NOTE_DISK_FULL, 1);
        result = status == FT_ERR_MEMORY ? -1 : status != FT_ERR_LIMIT;
    }
    ft_code_lines_fini(&lines);
    if (result > 0 && take->watching && count_up(take) < 0)
        return -1;
    return result;
}

/* ---- functions ---- */

static int watch_function(ft_take *take, PyFunctionObject *function)
{
    if (learn(take, ft_line_probe_code(function)) < 0)
        return -1;
    return take->watching ? ft_line_probe_adopt(function) : 0;
}

static int keep_function(ft_take *take, PyFunctionObject *function)
{
    if (take->functions == NULL)
        take->functions = PyList_New(0);
    if (take->functions == NULL || PyList_Append(take->functions, (PyObject *)function) < 0)
        return -1;
    return watch_function(take, function);
}

int ft_line_marks_watch(ft_take *take, PyObject *list)
{
    int result = 0, held = ft_compat_hold_collector();
    for (Py_ssize_t i = 0; result >= 0 && i < PyList_GET_SIZE(list); i++) {
        PyObject *object = PyList_GET_ITEM(list, i);
        result = PyCode_Check(object) ? learn(take, (PyCodeObject *)object)
                                      : keep_function(take, (PyFunctionObject *)object);
    }
    ft_compat_release_collector(held);
    return result < 0 ? -1 : 0;
}

/* Takes out the marks of functions that are gone. */
static int prune(void)
{
    enum { FIRST = 64 };
    Py_ssize_t length = PyList_GET_SIZE(state.marked);
    if (length < state.prune_at)
        return 0;
    PyObject *kept = PyList_New(0);
    for (Py_ssize_t i = 0; kept != NULL && i < length; i++) {
        PyObject *reference = PyList_GET_ITEM(state.marked, i);
        PyObject *function = ft_compat_weakly(reference);
        if (function != NULL && PyList_Append(kept, reference) < 0)
            Py_CLEAR(kept);
        Py_XDECREF(function);
    }
    if (kept == NULL)
        return -1;
    state.prune_at = 2 * PyList_GET_SIZE(kept) + FIRST;
    Py_SETREF(state.marked, kept);
    return 0;
}

static int mark_function(PyFunctionObject *function)
{
    if (state.marked == NULL)
        state.marked = PyList_New(0);
    if (state.marked == NULL || prune() < 0)
        return -1;
    PyObject *reference = PyWeakref_NewRef((PyObject *)function, NULL);
    int result = reference == NULL ? -1 : PyList_Append(state.marked, reference);
    Py_XDECREF(reference);
    for (ft_take *take = NULL; result == 0 && (take = ft_session_next(take)) != NULL;)
        if (take->marks && take->watching)
            result = watch_function(take, function);
    return result;
}

int ft_line_marks_mark(PyObject *object)
{
    if (!ft_compat_is_main_interpreter()) /* whose functions are not recorded, and end with it */
        return 0;
    PyObject *functions = ft_functions_of(object);
    int result = functions == NULL ? -1 : 0, held = ft_compat_hold_collector();
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(functions); i++)
        result = mark_function((PyFunctionObject *)PyList_GET_ITEM(functions, i));
    ft_compat_release_collector(held);
    Py_XDECREF(functions);
    return result;
}

static int watch_marked(ft_take *take)
{
    for (Py_ssize_t i = 0; state.marked != NULL && i < PyList_GET_SIZE(state.marked); i++) {
        PyObject *function = ft_compat_weakly(PyList_GET_ITEM(state.marked, i));
        if (function == NULL)
            continue;
        int result = watch_function(take, (PyFunctionObject *)function);
        Py_DECREF(function);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* ---- takes ---- */

/* The hooks are new: what was watched with those that another tool took is watched again. */
static int watch_anew(void)
{
    for (ft_take *take = NULL; (take = ft_session_next(take)) != NULL;)
        for (uint32_t i = 0; take->watching && i < take->counted; i++)
            if (ft_line_probe_watch(code_at(take, i)) < 0)
                return -1;
    return 0;
}

static int adjust(void)
{
    bool had_hooks = ft_line_probe_has_hooks();
    if (ft_line_probe_adjust(state.watching > 0, state.selecting > 0) < 0)
        return -1;
    return had_hooks || state.watching == 0 ? 0 : watch_anew();
}

bool ft_line_marks_are_heard(void)
{
    return state.watching == 0 || ft_line_probe_has_hooks();
}

static int adopt_functions(ft_take *take)
{
    for (Py_ssize_t i = 0; take->functions != NULL && i < PyList_GET_SIZE(take->functions); i++)
        if (ft_line_probe_adopt((PyFunctionObject *)PyList_GET_ITEM(take->functions, i)) < 0)
            return -1;
    return 0;
}

int ft_line_marks_begin(ft_take *take)
{
    if (!take->lines || take->watching)
        return 0;
    take->watching = true;
    state.watching++;
    state.selecting += take->selectors != NULL;
    if (adjust() < 0)
        return -1;
    if (!take->watching) /* an audit hook that heard of it ended it */
        return 0;
    if (take->selectors != NULL && ft_line_probe_select_anew() < 0)
        return -1;
    if (!take->watching) /* likewise */
        return 0;
    int held = ft_compat_hold_collector();
    int result = count_up(take) < 0 || adopt_functions(take) < 0 ? -1 : 0;
    if (result == 0 && take->marks)
        result = watch_marked(take);
    ft_compat_release_collector(held);
    return result;
}

void ft_line_marks_end(ft_take *take)
{
    ft_compat_error error;
    if (!take->watching)
        return;
    ft_compat_error_save(&error);
    take->watching = false;
    state.watching--;
    state.selecting -= take->selectors != NULL;
    int held = ft_compat_hold_collector();
    count_down(take);
    ft_compat_release_collector(held);
    if (adjust() < 0)
        PyErr_Clear();
    ft_line_probe_let_go();
    ft_compat_error_restore(&error);
}

/* ---- selections ---- */

/* The code object itself, if it is not looked at as a part of another. */
static bool offer_one(ft_take *take, PyCodeObject *code, PyObject *globals)
{
    if (ft_line_registry_find(&take->recording.lines, code) != NULL)
        return true;
    if (ft_code_is_anonymous(code) || ft_code_is_class_body(code) ||
        !ft_selectors_match(take->selectors, code, globals))
        return false;
    if (learn(take, code) >= 0)
        return true;
    PyErr_Clear();
    ft_session_note(FT_NOTE_OUT_OF_MEMORY);
    return false;
}

static bool offer_all(ft_take *take, PyCodeObject *code, PyObject *globals, int depth)
{
    enum { DEPTH_MAX = 100 };
    bool watched = offer_one(take, code, globals);
    for (Py_ssize_t i = 0; depth < DEPTH_MAX && i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *inner = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(inner) && offer_all(take, (PyCodeObject *)inner, globals, depth + 1))
            watched = true;
    }
    return watched;
}

bool ft_line_marks_offer(PyCodeObject *code, PyObject *globals)
{
    ft_compat_error error;
    bool watched = false;
    ft_compat_error_save(&error);
    int held = ft_compat_hold_collector();
    for (ft_take *take = NULL; (take = ft_session_next(take)) != NULL;) {
        if (take->selectors == NULL || !take->watching || take->stopped)
            continue;
        bool here = ft_code_is_module(code) ? offer_all(take, code, globals, 0)
                                            : offer_one(take, code, globals);
        watched = watched || here;
    }
    ft_compat_release_collector(held);
    PyErr_Clear();
    ft_compat_error_restore(&error);
    return watched;
}
