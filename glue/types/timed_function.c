/* SPDX-License-Identifier: Apache-2.0 */
/* timed_function.c: fettle._core.TimedFunction, a function whose calls a stopwatch counts.
 *
 * It is bound to instances as a function is, and has an attribute dict for what functools.wraps
 * copies. Between the two readings of the clock there is the call and nothing else. */
#include "glue/types/stopwatch.h"

#include <structmember.h>

typedef struct timed_function {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    ft_stopwatch_object *watch;
    PyObject *function, *attributes, *weakrefs;
} timed_function;

static PyObject *timed_call(PyObject *callable, PyObject *const *args, size_t nargsf,
                            PyObject *names)
{
    timed_function *self = (timed_function *)callable;
    ft_stopwatch_object *watch = self->watch;
    bool is_counted = !PyFunction_Check(self->function);
    if (ft_stopwatch_descend(is_counted) != 0)
        return NULL;
    ft_usage_lane *lane = ft_stopwatch_lane(watch);
    if (lane == NULL) {
        ft_stopwatch_ascend(is_counted);
        return NULL;
    }
    Py_INCREF(callable);
    uint64_t start = ft_usage_begin(lane, watch->watch.clock);
    PyObject *result = PyObject_Vectorcall(self->function, args, nargsf, names);
    uint64_t wall = ft_usage_wall(watch->watch.clock);
    ft_usage_end(lane, watch->watch.clock, ft_stopwatch_thread(), wall);
    if (ft_stopwatch_count(lane, wall - start) < 0)
        Py_CLEAR(result);
    ft_stopwatch_drop(watch, lane);
    Py_DECREF(callable);
    ft_stopwatch_ascend(is_counted);
    return result;
}

static PyObject *timed_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    ft_stopwatch_object *watch;
    PyObject *function;
    if (ft_stopwatch_and(type, args, kwargs, &watch, &function) < 0)
        return NULL;
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "a stopwatch times what can be called, not %.100s",
                     Py_TYPE(function)->tp_name);
        return NULL;
    }
    timed_function *self = (timed_function *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->vectorcall = timed_call;
    self->watch = (ft_stopwatch_object *)Py_NewRef((PyObject *)watch);
    self->function = Py_NewRef(function);
    return (PyObject *)self;
}

static PyObject *timed_get(PyObject *self, PyObject *object, PyObject *type)
{
    (void)type;
    return object == NULL || object == Py_None ? Py_NewRef(self) : PyMethod_New(self, object);
}

/* As functions are pickled and copied: by name. */
static PyObject *timed_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyObject_GetAttrString(self, "__qualname__");
}

static PyObject *timed_deepcopy(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

static PyObject *timed_repr(PyObject *object)
{
    return PyUnicode_FromFormat("<timed %R>", ((timed_function *)object)->function);
}

static int timed_traverse(PyObject *object, visitproc visit, void *arg)
{
    timed_function *self = (timed_function *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->watch);
    Py_VISIT(self->function);
    Py_VISIT(self->attributes);
    return 0;
}

/* The function and the stopwatch stay: a call may still run, or come from a finaliser. Both lead
 * back here through a dict, their own or a module's, and that is cleared. */
static int timed_clear(PyObject *object)
{
    Py_CLEAR(((timed_function *)object)->attributes);
    return 0;
}

static void timed_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    timed_function *self = (timed_function *)object;
    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, timed_dealloc); /* it may time another, and so on */
    if (self->weakrefs != NULL)
        PyObject_ClearWeakRefs(object);
    Py_XDECREF(self->attributes);
    Py_XDECREF(self->function);
    Py_XDECREF(self->watch);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyMethodDef timed_methods[] = {
    {"__reduce__", timed_reduce, METH_NOARGS, NULL},
    {"__deepcopy__", timed_deepcopy, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef timed_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(timed_function, vectorcall), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(timed_function, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(timed_function, attributes), READONLY, NULL},
    {"stopwatch", T_OBJECT, offsetof(timed_function, watch), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef timed_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot timed_slots[] = {
    {Py_tp_new, (void *)timed_new},
    {Py_tp_dealloc, (void *)timed_dealloc},
    {Py_tp_traverse, (void *)timed_traverse},
    {Py_tp_clear, (void *)timed_clear},
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_descr_get, (void *)timed_get},
    {Py_tp_repr, (void *)timed_repr},
    {Py_tp_methods, timed_methods},
    {Py_tp_members, timed_members},
    {Py_tp_getset, timed_getset},
    {0, NULL},
};

static PyType_Spec timed_spec = {
    .name = "fettle._core.TimedFunction",
    .basicsize = sizeof(timed_function),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = timed_slots,
};

int ft_timed_function_type_add(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &timed_spec, NULL);
    if (type == NULL)
        return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}
