/* SPDX-License-Identifier: Apache-2.0 */
/* timed_steps.c: fettle._core.TimedSteps, what stands between a coroutine or generator and who
 * drives it, and tells a stopwatch when it runs.
 *
 * Of kind "coroutine" it is one use from the first step to the end, asleep in between; of kind
 * "generator" only its steps are, since what is between is its consumer's time; "part" is as a
 * coroutine, but what it took is in `spent` and no use of its own (an asynchronous generator is
 * many of them). It passes on what send(), throw() and close() give, and adds nothing. */
#include "glue/types/stopwatch.h"

#include <structmember.h>

typedef enum steps_kind { COROUTINE, GENERATOR, PART } steps_kind;

typedef struct timed_steps {
    PyObject_HEAD
    ft_stopwatch_object *watch;
    PyObject *inner;     /* what has the steps */
    ft_usage_lane *lane; /* held while a use is open */
    uint64_t start, spent;
    steps_kind kind;
    bool running; /* a step is on its way */
    bool ended;
} timed_steps;

/* ---- a step ---- */

/* 1; 0 when a step runs already, which is for the inner one to refuse; -1 with an exception. */
static int begin_step(timed_steps *self)
{
    if (self->running || self->ended)
        return 0;
    const ft_usage_clock *clock = self->watch->watch.clock;
    if (self->lane != NULL) {
        self->running = true;
        ft_usage_wake(self->lane, clock, ft_stopwatch_thread());
        return 1;
    }
    ft_usage_lane *lane = ft_stopwatch_lane(self->watch);
    if (lane == NULL)
        return -1;
    if (self->running || self->ended || self->lane != NULL) { /* a finaliser took a step: 3.11 */
        ft_stopwatch_drop(self->watch, lane);
        return begin_step(self);
    }
    self->lane = lane;
    self->running = true;
    self->start = ft_usage_begin(self->lane, clock);
    return 1;
}

/* The use, or this step of a generator, is over. */
static int leave(timed_steps *self, uint64_t wall, bool ended)
{
    self->spent += wall - self->start;
    ft_usage_lane *lane = self->lane;
    self->lane = NULL;
    int result = ended && self->kind != PART ? ft_stopwatch_count(lane, self->spent) : 0;
    ft_stopwatch_drop(self->watch, lane);
    return result;
}

/* begun: what begin_step gave. 0, or -1 with MemoryError. */
static int end_step(timed_steps *self, int begun, bool ended)
{
    const ft_usage_clock *clock = self->watch->watch.clock;
    uint64_t wall = ft_usage_wall(clock), thread = ft_stopwatch_thread();
    if (begun == 0)
        return 0;
    self->running = false;
    self->ended = ended;
    if (!ended && self->kind != GENERATOR) {
        ft_usage_sleep(self->lane, clock, thread, wall);
        return 0;
    }
    ft_usage_end(self->lane, clock, thread, wall);
    return leave(self, wall, ended);
}

static PySendResult steps_send_one(PyObject *object, PyObject *value, PyObject **result)
{
    timed_steps *self = (timed_steps *)object;
    bool is_counted = Py_IS_TYPE(self->inner, Py_TYPE(object)); /* what else has steps counts */
    PySendResult sent = PYGEN_ERROR;
    *result = NULL;
    if (ft_stopwatch_descend(is_counted) != 0)
        return PYGEN_ERROR;
    int begun = begin_step(self);
    if (begun >= 0) {
        sent = PyIter_Send(self->inner, value == NULL ? Py_None : value, result);
        if (end_step(self, begun, sent != PYGEN_NEXT) < 0) {
            Py_CLEAR(*result);
            sent = PYGEN_ERROR;
        }
    }
    ft_stopwatch_ascend(is_counted);
    return sent;
}

/* StopIteration(value), as the end of an iterator says it. */
static PyObject *stop_with(PyObject *value)
{
    PyObject *stop = value == Py_None ? NULL : PyObject_CallOneArg(PyExc_StopIteration, value);
    if (value == Py_None)
        PyErr_SetNone(PyExc_StopIteration);
    else if (stop != NULL)
        PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
    Py_DECREF(value);
    return NULL;
}

static PyObject *steps_send(PyObject *object, PyObject *value)
{
    PyObject *result;
    PySendResult sent = steps_send_one(object, value, &result);
    return sent == PYGEN_RETURN ? stop_with(result) : result;
}

static PyObject *steps_next(PyObject *object)
{
    return steps_send(object, Py_None);
}

static PyObject *steps_throw(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    timed_steps *self = (timed_steps *)object;
    PyObject *name = PyUnicode_InternFromString("throw");
    PyObject *method = name == NULL ? NULL : PyObject_GetAttr(self->inner, name), *result = NULL;
    Py_XDECREF(name);
    int begun = method == NULL ? -1 : begin_step(self);
    if (begun >= 0) {
        result = PyObject_Vectorcall(method, args, (size_t)count, NULL);
        if (end_step(self, begun, result == NULL) < 0)
            Py_CLEAR(result);
    }
    Py_XDECREF(method);
    return result;
}

static PyObject *steps_close(PyObject *object, PyObject *unused)
{
    (void)unused;
    timed_steps *self = (timed_steps *)object;
    if (self->lane == NULL && self->spent == 0)
        self->ended = true; /* it never began: that is no use */
    int begun = begin_step(self);
    if (begun < 0)
        return NULL;
    PyObject *result = PyObject_CallMethod(self->inner, "close", NULL);
    if (end_step(self, begun, true) < 0)
        Py_CLEAR(result);
    return result;
}

/* ---- the type ---- */

static int kind_of(PyObject *name, steps_kind *kind)
{
    static const char *const names[] = {"coroutine", "generator", "part"};
    for (int i = 0; i < 3; i++)
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) {
            *kind = (steps_kind)i;
            return 0;
        }
    PyErr_Format(PyExc_ValueError, "TimedSteps() knows no kind %R", name);
    return -1;
}

static PyObject *steps_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    ft_stopwatch_object *watch;
    PyObject *inner, *name;
    steps_kind kind;
    const ft_module_state *state = ft_module_state_of(type);
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "TimedSteps() takes no keyword arguments");
        return NULL;
    }
    if (state == NULL ||
        !PyArg_ParseTuple(args, "O!OU", state->stopwatch_type, &watch, &inner, &name) ||
        kind_of(name, &kind) < 0)
        return NULL;
    if (!PyIter_Check(inner)) {
        PyErr_Format(PyExc_TypeError, "TimedSteps() takes an iterator, not %.100s",
                     Py_TYPE(inner)->tp_name);
        return NULL;
    }
    timed_steps *self = (timed_steps *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->watch = (ft_stopwatch_object *)Py_NewRef((PyObject *)watch);
    self->inner = Py_NewRef(inner);
    self->kind = kind;
    return (PyObject *)self;
}

static PyObject *steps_self(PyObject *self)
{
    return Py_NewRef(self);
}

static PyObject *steps_spent(PyObject *object, void *unused)
{
    (void)unused;
    return PyFloat_FromDouble((double)((timed_steps *)object)->spent * 1e-9);
}

static int steps_traverse(PyObject *object, visitproc visit, void *arg)
{
    timed_steps *self = (timed_steps *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->watch);
    Py_VISIT(self->inner);
    return 0;
}

/* There is no tp_clear: it never leads elsewhere, and what it leads to breaks any cycle. */
static void steps_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    timed_steps *self = (timed_steps *)object;
    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, steps_dealloc); /* the inner one may be timed, too, and so on */
    if (self->lane != NULL) { /* dropped in the middle: time passed, but it is no use */
        const ft_usage_clock *clock = self->watch->watch.clock;
        uint64_t thread = ft_stopwatch_thread();
        uint64_t wall = ft_usage_wake(self->lane, clock, thread);
        ft_usage_end(self->lane, clock, thread, wall);
        ft_stopwatch_drop(self->watch, self->lane);
    }
    Py_XDECREF(self->inner);
    Py_XDECREF(self->watch);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyMethodDef steps_methods[] = {
    {"send", steps_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))steps_throw, METH_FASTCALL, NULL},
    {"close", steps_close, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef steps_getset[] = {
    {"spent", steps_spent, NULL, "seconds of it up to now", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot steps_slots[] = {
    {Py_tp_new, (void *)steps_new},
    {Py_tp_dealloc, (void *)steps_dealloc},
    {Py_tp_traverse, (void *)steps_traverse},
    {Py_tp_iter, (void *)steps_self},
    {Py_tp_iternext, (void *)steps_next},
    {Py_am_await, (void *)steps_self},
    {Py_am_send, (void *)steps_send_one},
    {Py_tp_methods, steps_methods},
    {Py_tp_getset, steps_getset},
    {0, NULL},
};

static PyType_Spec steps_spec = {
    .name = "fettle._core.TimedSteps",
    .basicsize = sizeof(timed_steps),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = steps_slots,
};

int ft_timed_steps_type_add(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &steps_spec, NULL);
    if (type == NULL)
        return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}
