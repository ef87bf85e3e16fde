/* SPDX-License-Identifier: Apache-2.0 */
/* calls_monitoring.c: function calls through sys.monitoring (PEP 669), CPython 3.12 and newer.
 *
 * The callbacks always give None: returning DISABLE from CALL would lose
 * later C calls at the same place, and from PY_UNWIND it raises into the program. */
#include "glue/probes/events.h"

#if FT_HAS_MONITORING

#include "glue/probes/monitoring.h"

/* One per process, as the session is. The two ids without a purpose first, the profiler's last but
 * the debugger's. */
static ft_tool tool = {.name = "fettle", .preferred = {4, 3, 5, 2, 1, 0}, .id = -1};

/* ---- the events ---- */

static PyObject *on_start(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    ft_frame *frame = ft_compat_current_frame();
    ft_event_enter_frame((PyCodeObject *)args[0], frame, ft_compat_previous(frame));
    Py_RETURN_NONE;
}

/* PY_START until the main module begins. */
static PyObject *on_any_start(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    if (ft_session_is_main(ft_compat_current_frame()))
        ft_session_begin();
    return on_start(self, args, count, names);
}

static PyObject *on_end(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    ft_event_leave_frame((PyCodeObject *)args[0], ft_compat_current_frame());
    Py_RETURN_NONE;
}

static PyObject *on_yield(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    ft_event_yield_frame((PyCodeObject *)args[0], ft_compat_current_frame(), args[2]);
    Py_RETURN_NONE;
}

/* A method descriptor called with a wrong first argument, or none, raises before the C function is
 * reached. */
static bool reaches_function(PyObject *callable, PyObject *first)
{
    if (!Py_IS_TYPE(callable, &PyMethodDescr_Type))
        return true;
    return first != ft_monitoring_missing() &&
           PyObject_TypeCheck(first, ((PyMethodDescrObject *)callable)->d_common.d_type);
}

static PyObject *on_call(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    const PyMethodDef *method = ft_event_method(args[2]);
    if (method != NULL && reaches_function(args[2], args[3]))
        ft_event_enter_method(method, args[2], ft_compat_current_frame());
    Py_RETURN_NONE;
}

static PyObject *on_c_end(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    (void)self, (void)count, (void)names;
    const PyMethodDef *method = ft_event_method(args[2]);
    if (method != NULL)
        ft_event_leave_method(method, ft_compat_current_frame());
    Py_RETURN_NONE;
}

/* ---- switching events on and off ---- */

static const struct {
    const char *name;
    vectorcallfunc call;
    ft_level level; /* from which on it is needed */
} events[] = {
    {"PY_START", on_start, FT_LEVEL_PYTHON},  {"PY_RESUME", on_start, FT_LEVEL_PYTHON},
    {"PY_THROW", on_start, FT_LEVEL_PYTHON},  {"PY_RETURN", on_end, FT_LEVEL_PYTHON},
    {"PY_YIELD", on_yield, FT_LEVEL_PYTHON},  {"PY_UNWIND", on_end, FT_LEVEL_PYTHON},
    {"CALL", on_call, FT_LEVEL_BUILTINS},     {"C_RETURN", on_c_end, FT_LEVEL_BUILTINS},
    {"C_RAISE", on_c_end, FT_LEVEL_BUILTINS},
};

enum { EVENTS = sizeof events / sizeof events[0] };

/* No event is on without its hook. */
static int watch_level(ft_level level, bool pending)
{
    int mask = 0;
    for (int i = 0; i < EVENTS; i++) {
        bool starts = i == 0 && pending;
        if (level < events[i].level && !starts)
            continue;
        int event = ft_tool_hear(&tool, events[i].name, starts ? on_any_start : events[i].call);
        if (event < 0)
            return -1;
        mask |= event;
    }
    return ft_tool_set_events(&tool, mask);
}

static bool has_hooks(void)
{
    return tool.id < 0 || ft_tool_holds_id(&tool);
}

static int adjust(bool in_use)
{
    ft_level level = in_use ? ft_session_level() : FT_LEVEL_OFF;
    bool pending = in_use && ft_session_is_pending();
    if (level == FT_LEVEL_OFF && !pending) {
        ft_tool_give_back(&tool);
        return 0;
    }
    if (ft_monitoring_prepare() < 0 || ft_tool_take(&tool) < 0)
        return -1;
    return watch_level(level, pending);
}

const ft_probe ft_probe_calls = {"calls", adjust, has_hooks};

#endif
