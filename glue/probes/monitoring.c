/* SPDX-License-Identifier: Apache-2.0 */
/* monitoring.c: sys.monitoring as the probes use it (see monitoring.h). */
#include "glue/probes/monitoring.h"

#if FT_HAS_MONITORING

#include <stddef.h>
#include <structmember.h>

#include "engine/model/profile.h"
#include "glue/probes/session.h"

typedef struct hook {
    PyObject_HEAD
    vectorcallfunc call;
} hook;

/* One per process, as the session is. */
static struct {
    PyObject *monitoring;        /* sys.monitoring, strong */
    PyObject *missing, *disable; /* of sys.monitoring, strong */
    PyTypeObject *hook_type;
} state;

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

int ft_monitoring_prepare(void)
{
    if (state.hook_type != NULL)
        return 0;
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (monitoring == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "sys.monitoring is gone");
        return -1;
    }
    Py_XSETREF(state.missing, PyObject_GetAttrString(monitoring, "MISSING"));
    Py_XSETREF(state.disable, PyObject_GetAttrString(monitoring, "DISABLE"));
    if (state.missing == NULL || state.disable == NULL)
        return -1;
    Py_XSETREF(state.monitoring, Py_NewRef(monitoring));
    state.hook_type = (PyTypeObject *)PyType_FromSpec(&hook_spec);
    return state.hook_type == NULL ? -1 : 0;
}

PyObject *ft_monitoring_missing(void)
{
    return state.missing;
}

PyObject *ft_monitoring_disable(void)
{
    return state.disable;
}

/* ---- tool ids ---- */

bool ft_tool_holds_id(const ft_tool *tool)
{
    if (tool->id < 0)
        return false;
    PyObject *name = PyObject_CallMethod(state.monitoring, "get_tool", "i", tool->id);
    bool ours = name != NULL && PyUnicode_Check(name) &&
                PyUnicode_CompareWithASCIIString(name, tool->name) == 0;
    Py_XDECREF(name);
    PyErr_Clear();
    return ours;
}

int ft_tool_take(ft_tool *tool)
{
    if (ft_tool_holds_id(tool))
        return 0;
    for (size_t i = 0; i < sizeof tool->preferred / sizeof tool->preferred[0]; i++) {
        PyObject *done = PyObject_CallMethod(state.monitoring, "use_tool_id", "is",
                                             tool->preferred[i], tool->name);
        if (done != NULL) {
            Py_DECREF(done);
            tool->id = tool->preferred[i];
            return 0;
        }
        PyErr_Clear();
    }
    ft_session_note(FT_NOTE_NO_TOOL_ID);
    PyErr_SetString(PyExc_RuntimeError, "every sys.monitoring tool id is taken: stop another tool");
    return -1;
}

void ft_tool_give_back(ft_tool *tool)
{
    ft_compat_error error;
    ft_compat_error_save(&error);
    if (ft_tool_holds_id(tool)) {
        if (ft_tool_set_events(tool, 0) < 0)
            PyErr_Clear();
        PyObject *done = PyObject_CallMethod(state.monitoring, "free_tool_id", "i", tool->id);
        Py_XDECREF(done);
        PyErr_Clear();
    }
    tool->id = -1;
    ft_compat_error_restore(&error);
}

/* ---- events ---- */

int ft_monitoring_event(const char *name)
{
    PyObject *numbers = PyObject_GetAttrString(state.monitoring, "events");
    PyObject *number = numbers == NULL ? NULL : PyObject_GetAttrString(numbers, name);
    long value = number == NULL ? -1 : PyLong_AsLong(number);
    Py_XDECREF(numbers);
    Py_XDECREF(number);
    return (int)value;
}

int ft_monitoring_restart(void)
{
    PyObject *done = PyObject_CallMethod(state.monitoring, "restart_events", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int ft_tool_hear(const ft_tool *tool, const char *event, vectorcallfunc call)
{
    int number = ft_monitoring_event(event);
    PyObject *made = number < 0 ? NULL : new_hook(call);
    if (made == NULL)
        return -1;
    PyObject *old =
        PyObject_CallMethod(state.monitoring, "register_callback", "iiN", tool->id, number, made);
    Py_XDECREF(old);
    return old == NULL ? -1 : number;
}

int ft_tool_set_events(const ft_tool *tool, int events)
{
    PyObject *done = PyObject_CallMethod(state.monitoring, "set_events", "ii", tool->id, events);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int ft_tool_set_local_events(const ft_tool *tool, PyCodeObject *code, int events)
{
    PyObject *done =
        PyObject_CallMethod(state.monitoring, "set_local_events", "iOi", tool->id, code, events);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

#endif
