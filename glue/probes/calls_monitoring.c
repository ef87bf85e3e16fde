/* SPDX-License-Identifier: Apache-2.0 */
/* calls_monitoring.c: function calls through sys.monitoring (PEP 669), CPython 3.12 and newer.
 *
 * The callbacks are objects with a vectorcall of their own, which saves the call protocol of a
 * built-in function on every event. They always give None: returning DISABLE from CALL would lose
 * later C calls at the same place, and from PY_UNWIND it raises into the program. */
#include "glue/probes/events.h"

#if FT_HAS_MONITORING

#include <stddef.h>
#include <structmember.h>

#include "engine/model/profile.h"

typedef struct hook {
    PyObject_HEAD
    vectorcallfunc call;
} hook;

/* One per process, as the session is. */
static struct {
    PyObject *monitoring; /* sys.monitoring, strong */
    PyObject *missing;    /* sys.monitoring.MISSING, borrowed from it */
    PyTypeObject *hook_type;
    int tool; /* the id we hold, or -1 */
} state = {.tool = -1};

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
    return first != state.missing &&
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

/* ---- the hooks as objects ---- */

static void hook_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef hook_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(hook, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot hook_slots[] = {
    {Py_tp_dealloc, (void *)hook_dealloc},
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_members, hook_members},
    {0, NULL},
};

static PyType_Spec hook_spec = {
    .name = "fettle._core.hook",
    .basicsize = sizeof(hook),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = hook_slots,
};

static PyObject *new_hook(vectorcallfunc call)
{
    hook *made = PyObject_New(hook, state.hook_type);
    if (made != NULL)
        made->call = call;
    return (PyObject *)made;
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

/* The number of an event, or -1 with an exception. */
static int event_number(const char *name)
{
    PyObject *numbers = PyObject_GetAttrString(state.monitoring, "events");
    PyObject *number = numbers == NULL ? NULL : PyObject_GetAttrString(numbers, name);
    long value = number == NULL ? -1 : PyLong_AsLong(number);
    Py_XDECREF(numbers);
    Py_XDECREF(number);
    return (int)value;
}

static int register_hook(int event, vectorcallfunc call)
{
    PyObject *made = new_hook(call);
    if (made == NULL)
        return -1;
    PyObject *old =
        PyObject_CallMethod(state.monitoring, "register_callback", "iiN", state.tool, event, made);
    Py_XDECREF(old);
    return old == NULL ? -1 : 0;
}

static int set_events(int mask)
{
    PyObject *done = PyObject_CallMethod(state.monitoring, "set_events", "ii", state.tool, mask);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* No event is on without its hook. */
static int watch_level(ft_level level, bool pending)
{
    int mask = 0;
    for (int i = 0; i < EVENTS; i++) {
        bool starts = i == 0 && pending;
        if (level < events[i].level && !starts)
            continue;
        int event = event_number(events[i].name);
        if (event < 0 || register_hook(event, starts ? on_any_start : events[i].call) < 0)
            return -1;
        mask |= event;
    }
    return set_events(mask);
}

/* Takes a tool id that nobody uses: the two without a purpose first, the profiler's last but the
 * debugger's. 0, or -1 with an exception when all are taken. */
static int take_tool_id(void)
{
    static const int preferred[] = {4, 3, 5, 2, 1, 0};
    for (size_t i = 0; i < sizeof preferred / sizeof preferred[0]; i++) {
        PyObject *done =
            PyObject_CallMethod(state.monitoring, "use_tool_id", "is", preferred[i], "fettle");
        if (done != NULL) {
            Py_DECREF(done);
            state.tool = preferred[i];
            return 0;
        }
        PyErr_Clear();
    }
    ft_session_note(FT_NOTE_NO_TOOL_ID);
    PyErr_SetString(PyExc_RuntimeError, "every sys.monitoring tool id is taken: stop another tool");
    return -1;
}

/* Somebody may have freed our tool id, and another tool have taken it. */
static bool tool_is_ours(void)
{
    PyObject *name = PyObject_CallMethod(state.monitoring, "get_tool", "i", state.tool);
    bool ours = name != NULL && PyUnicode_Check(name) &&
                PyUnicode_CompareWithASCIIString(name, "fettle") == 0;
    Py_XDECREF(name);
    PyErr_Clear();
    return ours;
}

static bool has_hooks(void)
{
    return state.tool < 0 || tool_is_ours();
}

static void give_tool_id_back(void)
{
    if (state.tool < 0)
        return;
    if (!tool_is_ours()) {
        state.tool = -1;
        return;
    }
    if (set_events(0) < 0)
        PyErr_Clear();
    PyObject *done = PyObject_CallMethod(state.monitoring, "free_tool_id", "i", state.tool);
    Py_XDECREF(done);
    PyErr_Clear();
    state.tool = -1;
}

static int prepare(void)
{
    if (state.hook_type != NULL)
        return 0;
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (monitoring == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "sys.monitoring is gone");
        return -1;
    }
    Py_XSETREF(state.missing, PyObject_GetAttrString(monitoring, "MISSING"));
    if (state.missing == NULL)
        return -1;
    Py_XSETREF(state.monitoring, Py_NewRef(monitoring));
    state.hook_type = (PyTypeObject *)PyType_FromSpec(&hook_spec);
    return state.hook_type == NULL ? -1 : 0;
}

static int adjust(bool in_use)
{
    ft_level level = in_use ? ft_session_level() : FT_LEVEL_OFF;
    bool pending = in_use && ft_session_is_pending();
    ft_compat_error error;
    if (level == FT_LEVEL_OFF && !pending) {
        ft_compat_error_save(&error);
        give_tool_id_back();
        ft_compat_error_restore(&error);
        return 0;
    }
    if (prepare() < 0)
        return -1;
    if ((state.tool < 0 || !tool_is_ours()) && take_tool_id() < 0)
        return -1;
    return watch_level(level, pending);
}

const ft_probe ft_probe_calls = {"calls", adjust, has_hooks};

#endif
