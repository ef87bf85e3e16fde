/* SPDX-License-Identifier: Apache-2.0 */
/* lines_monitoring.c: lines through sys.monitoring's local events, CPython 3.12 and newer.
 *
 * Only the code objects that are watched have events; what they call has none. PY_UNWIND and
 * PY_THROW can be local from 3.15 on; before they are heard of everywhere, which costs where
 * exceptions pass. While a take has a selection, every code object is looked at when it first
 * starts, and then no more (DISABLE) until another take has one. */
#include "glue/probes/line_marks.h"

#if FT_HAS_MONITORING

#include "engine/base/map.h"
#include "glue/probes/code_lines.h"
#include "glue/probes/coroutines.h"
#include "glue/probes/line_events.h"
#include "glue/probes/monitoring.h"

static struct {
    ft_tool tool;
    int local;     /* the events of a watched code object; 0: not heard of yet */
    int start;     /* PY_START */
    ft_map untold; /* watched code object -> 1 if its calls begin with an untold line */
    bool selecting;
    bool disabled; /* somewhere, for a selection of before */
} state = {.tool = {.name = "fettle lines", .preferred = {3, 5, 2, 1, 0, 4}, .id = -1},
           .untold.mem = &ft_mem_system};

static bool is_untold(const void *code)
{
    const uint32_t *untold = ft_map_get(&state.untold, (uint64_t)(uintptr_t)code);
    return untold != NULL && *untold != 0;
}

/* ---- the events ---- */

static PyObject *on_line(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    ft_line_event(args[0], ft_compat_current_frame(), ft_compat_small_number(args[1]));
    Py_RETURN_NONE;
}

static PyObject *on_end(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    ft_line_event_leave(args[0], ft_compat_current_frame());
    Py_RETURN_NONE;
}

/* Everywhere before 3.15, where most of what an exception leaves is not watched. */
static PyObject *on_unwind(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    if (ft_line_marks_is_watched((PyCodeObject *)args[0]))
        return on_end(self, args, count, names);
    Py_RETURN_NONE;
}

/* A coroutine yields what it awaits, an asynchronous generator that or a value. */
static PyObject *on_yield(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    PyCodeObject *code = (PyCodeObject *)args[0];
    if ((ft_coroutines_flags(code) & FT_CODE_SUSPENDS) != 0 && !ft_compat_is_wrapped(args[2]))
        ft_line_event_suspend(code, ft_compat_current_frame());
    else
        ft_line_event_yield(code, ft_compat_current_frame());
    Py_RETURN_NONE;
}

static PyObject *on_resume(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    ft_line_event_resume(args[0], ft_compat_current_frame(), 0);
    Py_RETURN_NONE;
}

/* Everywhere before 3.15. */
static PyObject *on_throw(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    if (ft_line_marks_is_watched((PyCodeObject *)args[0]))
        return on_resume(self, args, count, names);
    Py_RETURN_NONE;
}

/* A code object starts: for a selection it may be the first time; where calls begin untold this is
 * on for the sake of LINE. */
static PyObject *on_start(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    PyCodeObject *code = (PyCodeObject *)args[0];
    if (state.selecting)
        (void)ft_line_marks_offer(code, ft_compat_frame_globals(ft_compat_current_frame()));
    if (is_untold(code))
        Py_RETURN_NONE;
    state.disabled = true;
    return Py_NewRef(ft_monitoring_disable());
}

/* ---- switching events on and off ---- */

typedef enum reach { LOCAL, UNLESS_LOCAL, SELECTING } reach;

static const struct {
    const char *name;
    vectorcallfunc call;
    reach reach;
} events[] = {
    {"LINE", on_line, LOCAL},
    {"PY_RETURN", on_end, LOCAL},
    {"PY_YIELD", on_yield, LOCAL},
    {"PY_RESUME", on_resume, LOCAL},
    {"PY_UNWIND", on_unwind, UNLESS_LOCAL},
    {"PY_THROW", on_throw, UNLESS_LOCAL},
    {"PY_START", on_start, SELECTING},
};

/* From 3.13 on LINE is not told of the line of RESUME where PY_START is off: `lambda: 1` would
 * never have run. */
int ft_line_probe_watch(PyCodeObject *code)
{
    if (!ft_tool_holds_id(&state.tool)) /* taken by another tool: no failure of the program's */
        return 0;
    uint64_t key = (uint64_t)(uintptr_t)code;
    bool untold = ft_code_begins_untold(code);
    if (untold && ft_map_put(&state.untold, key, 1) != FT_OK) {
        PyErr_NoMemory();
        return -1;
    }
    return ft_tool_set_local_events(&state.tool, code, state.local | (untold ? state.start : 0));
}

void ft_line_probe_unwatch(PyCodeObject *code)
{
    ft_compat_error error;
    ft_compat_error_save(&error);
    if (is_untold(code))
        (void)ft_map_put(&state.untold, (uint64_t)(uintptr_t)code, 0); /* it is there: no failure */
    if (ft_tool_holds_id(&state.tool) && ft_tool_set_local_events(&state.tool, code, 0) < 0)
        PyErr_Clear();
    ft_compat_error_restore(&error);
}

void ft_line_probe_let_go(void)
{
}

bool ft_line_probe_has_hooks(void)
{
    return ft_tool_holds_id(&state.tool);
}

int ft_line_probe_adopt(PyFunctionObject *function)
{
    (void)function;
    return 0;
}

PyCodeObject *ft_line_probe_code(PyFunctionObject *function)
{
    return (PyCodeObject *)function->func_code;
}

/* Which events are on in what is watched, and which everywhere. */
static int choose_events(bool selecting, int *local, int *everywhere)
{
    *local = *everywhere = 0;
    state.start = ft_monitoring_event("PY_START");
    if (state.start < 0)
        return -1;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        int event = ft_monitoring_event(events[i].name);
        if (event < 0)
            return -1;
        if (events[i].reach == LOCAL || (events[i].reach == UNLESS_LOCAL && FT_HAS_LOCAL_UNWIND))
            *local |= event;
        else if (events[i].reach == UNLESS_LOCAL || selecting)
            *everywhere |= event;
    }
    return 0;
}

/* Registering a callback asks the audit hooks: only where it must be. */
static int take_tool(void)
{
    if (ft_monitoring_prepare() < 0)
        return -1;
    if (ft_tool_holds_id(&state.tool))
        return 0;
    if (ft_tool_take(&state.tool) < 0)
        return -1;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (ft_tool_hear(&state.tool, events[i].name, events[i].call) < 0)
            return -1;
    return 0;
}

int ft_line_probe_adjust(bool in_use, bool selecting)
{
    int everywhere;
    if (!in_use) {
        ft_tool_give_back(&state.tool);
        return 0;
    }
    if (take_tool() < 0 || choose_events(selecting, &state.local, &everywhere) < 0)
        return -1;
    state.selecting = selecting;
    return ft_tool_set_events(&state.tool, everywhere);
}

/* What was disabled for a selection of before has to be looked at anew. The interpreter can enable
 * events again for all tools together only. */
int ft_line_probe_select_anew(void)
{
    if (!state.disabled)
        return 0;
    state.disabled = false;
    return ft_monitoring_restart();
}

#endif
