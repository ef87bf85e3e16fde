/* SPDX-License-Identifier: Apache-2.0 */
/* stopwatch.c: fettle._core.Stopwatch and its `with` blocks (see stopwatch.h).
 *
 * A block ends where it began: in the same frame. So blocks of generators and coroutines, which
 * take turns in any order, are told apart. Where it is another frame that ends it (ExitStack, a
 * method called by hand) it is the newest block of the same lane. */
#include "glue/types/stopwatch.h"

#include <structmember.h>

struct ft_stopwatch_block {
    ft_stopwatch_block *next;
    ft_usage_lane *lane; /* held */
    uintptr_t frame;     /* compared, never followed */
    uint64_t start, order;
    bool suspends; /* the frame is a generator's: nobody else's while the block runs */
};

/* ---- shared with the other files ---- */

ft_usage_lane *ft_stopwatch_lane(ft_stopwatch_object *self)
{
    PyThreadState *thread = PyThreadState_Get();
    PyObject *context = ft_compat_context(thread);
    if (context == NULL)
        return NULL;
    ft_usage_lane *lane =
        ft_usage_lane_take(&self->watch, PyThreadState_GetID(thread), (uintptr_t)context);
    if (lane == NULL)
        PyErr_NoMemory();
    return lane;
}

int ft_stopwatch_count(ft_usage_lane *lane, uint64_t duration)
{
    if (ft_usage_count(lane, duration) == FT_OK || PyErr_Occurred() != NULL)
        return 0;
    PyErr_NoMemory();
    return -1;
}

int ft_stopwatch_and(PyTypeObject *type, PyObject *args, PyObject *kwargs,
                     ft_stopwatch_object **watch, PyObject **other)
{
    const ft_module_state *state = ft_module_state_of(type);
    if (state == NULL)
        return -1;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", type->tp_name);
        return -1;
    }
    return PyArg_ParseTuple(args, "O!O", state->stopwatch_type, (PyObject **)watch, other) ? 0 : -1;
}

/* ---- blocks ---- */

static ft_stopwatch_block **bucket_of(ft_stopwatch_object *self, uintptr_t frame)
{
    const unsigned aligned = 4;
    return &self->blocks[(frame >> aligned ^ frame >> (aligned + 6)) % FT_STOPWATCH_BUCKETS];
}

static PyObject *stopwatch_enter(PyObject *object, PyObject *unused)
{
    (void)unused;
    ft_stopwatch_object *self = (ft_stopwatch_object *)object;
    ft_usage_lane *lane = ft_stopwatch_lane(self);
    if (lane == NULL)
        return NULL;
    ft_stopwatch_block *block = self->spare;
    self->spare = NULL;
    if (block == NULL)
        block = ft_mem_new(self->watch.mem, 1, sizeof *block);
    if (block == NULL) {
        ft_stopwatch_drop(self, lane);
        return PyErr_NoMemory();
    }
    const ft_frame *frame = ft_compat_frame_in(PyThreadState_Get());
    ft_stopwatch_block **bucket = bucket_of(self, (uintptr_t)frame);
    block->next = *bucket;
    block->lane = lane;
    block->frame = (uintptr_t)frame;
    block->suspends = frame != NULL && ft_compat_is_generators(frame);
    block->order = self->entered++;
    *bucket = block;
    Py_INCREF(object);
    block->start = ft_usage_begin(lane, self->watch.clock);
    return object;
}

/* How well a block fits who ends one: 0, not at all. */
static int fit(const ft_stopwatch_block *block, uintptr_t frame, uint64_t thread, uint64_t key)
{
    bool own_thread = block->lane->thread->key == thread;
    bool own_lane = own_thread && block->lane->key == key;
    if (block->frame == frame && (block->suspends || own_lane))
        return 5;
    if (own_lane)
        return block->suspends ? 3 : 4;
    if (own_thread)
        return block->suspends ? 1 : 2;
    return 0;
}

/* Where the block hangs that ends now; NULL: there is none. */
static ft_stopwatch_block **block_to_end(ft_stopwatch_object *self, uint64_t thread)
{
    PyThreadState *state = PyThreadState_Get();
    uintptr_t frame = (uintptr_t)ft_compat_frame_in(state);
    uint64_t key = (uintptr_t)ft_compat_context(state);
    if (key == 0)
        PyErr_Clear(); /* the frame may tell it all the same */
    ft_stopwatch_block **place, **best = NULL;
    for (place = bucket_of(self, frame); *place != NULL; place = &(*place)->next)
        if (fit(*place, frame, thread, key) == 5)
            return place;
    int best_fit = 0;
    for (int i = 0; i < FT_STOPWATCH_BUCKETS; i++)
        for (place = &self->blocks[i]; *place != NULL; place = &(*place)->next) {
            int fits = fit(*place, frame, thread, key);
            if (fits > best_fit ||
                (fits == best_fit && fits > 0 && (*place)->order > (*best)->order)) {
                best = place;
                best_fit = fits;
            }
        }
    return best;
}

static PyObject *stopwatch_exit(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    ft_stopwatch_object *self = (ft_stopwatch_object *)object;
    uint64_t wall = ft_usage_wall(self->watch.clock), thread = ft_stopwatch_thread();
    (void)args, (void)count;
    ft_stopwatch_block **place = block_to_end(self, thread), *block;
    if (place == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this stopwatch does not run in this thread: enter it, best with `with`, "
                        "before you leave it");
        return NULL;
    }
    block = *place;
    *place = block->next;
    ft_usage_end(block->lane, self->watch.clock, thread, wall);
    /* Until 3.11 looking for it may collect garbage, whose finaliser may have begun it. */
    uint64_t duration = wall > block->start ? wall - block->start : 0;
    int result = ft_stopwatch_count(block->lane, duration);
    ft_stopwatch_drop(self, block->lane);
    if (self->spare == NULL)
        self->spare = block;
    else
        ft_mem_free(self->watch.mem, block);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- readings ---- */

static const double NS = 1e-9;

typedef enum reading { WALL, CPU, WAITING, LEAST, MOST, LAST } reading;

static PyObject *stopwatch_total(PyObject *object, void *which)
{
    ft_usage_totals totals =
        ft_usage_total(&((const ft_stopwatch_object *)object)->watch, ft_stopwatch_thread());
    uint64_t ns = (uintptr_t)which == WALL  ? totals.wall
                  : (uintptr_t)which == CPU ? totals.cpu
                                            : totals.waiting;
    return PyFloat_FromDouble((double)ns * NS);
}

static PyObject *stopwatch_one(PyObject *object, void *which)
{
    const ft_durations *durations = &((const ft_stopwatch_object *)object)->watch.durations;
    uint64_t ns = (uintptr_t)which == LEAST  ? durations->least
                  : (uintptr_t)which == MOST ? durations->most
                                             : durations->last;
    return PyFloat_FromDouble((double)ns * NS);
}

static PyObject *stopwatch_median(PyObject *object, void *unused)
{
    (void)unused;
    double median;
    if (ft_durations_median(&((const ft_stopwatch_object *)object)->watch.durations, &median) !=
        FT_OK)
        return PyErr_NoMemory();
    return PyFloat_FromDouble(median * NS);
}

static PyObject *stopwatch_uses(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(
        ((const ft_stopwatch_object *)object)->watch.durations.count);
}

static PyObject *stopwatch_reset(PyObject *object, PyObject *unused)
{
    (void)unused;
    ft_usage_reset(&((ft_stopwatch_object *)object)->watch);
    Py_RETURN_NONE;
}

/* One use that was added up in parts. */
static PyObject *stopwatch_counted(PyObject *object, PyObject *seconds)
{
    double value = PyFloat_AsDouble(seconds);
    if (value == -1 && PyErr_Occurred() != NULL)
        return NULL;
    if (!(value >= 0 && value < 1e9)) {
        PyErr_SetString(PyExc_ValueError, "a use takes from 0 to 1e9 seconds");
        return NULL;
    }
    ft_durations *durations = &((ft_stopwatch_object *)object)->watch.durations;
    if (ft_durations_add(durations, (uint64_t)(value / NS + 0.5)) != FT_OK)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *stopwatch_reduce(PyObject *object, PyObject *unused)
{
    (void)object, (void)unused;
    PyErr_SetString(PyExc_TypeError, "a stopwatch cannot be copied or pickled: take what it read, "
                                     "its wall, cpu, waiting and count");
    return NULL;
}

/* ---- the type ---- */

static PyObject *stopwatch_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", NULL};
    PyObject *name = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$O", names, &name))
        return NULL;
    if (name != Py_None && !PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a stopwatch's name is a str, not %.100s",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    ft_stopwatch_object *self = (ft_stopwatch_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    ft_usage_init(&self->watch, &ft_mem_system, &ft_usage_clock_system);
    self->name = Py_NewRef(name);
    return (PyObject *)self;
}

static int stopwatch_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((ft_stopwatch_object *)object)->name);
    return 0;
}

static void stopwatch_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_stopwatch_object *self = (ft_stopwatch_object *)object;
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL)
        PyObject_ClearWeakRefs(object);
    for (int i = 0; i < FT_STOPWATCH_BUCKETS; i++)
        while (self->blocks[i] != NULL) {
            ft_stopwatch_block *block = self->blocks[i];
            self->blocks[i] = block->next;
            ft_stopwatch_drop(self, block->lane);
            ft_mem_free(self->watch.mem, block);
        }
    ft_mem_free(self->watch.mem, self->spare);
    ft_usage_fini(&self->watch);
    Py_XDECREF(self->name);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef stopwatch_methods[] = {
    {"__enter__", stopwatch_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))stopwatch_exit, METH_FASTCALL, NULL},
    {"reset", stopwatch_reset, METH_NOARGS,
     "reset()\n--\n\nForget all that was measured; what still runs is not counted when it ends."},
    {"_counted", stopwatch_counted, METH_O, NULL},
    {"__reduce_ex__", stopwatch_reduce, METH_O, NULL},
    {"__reduce__", stopwatch_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef stopwatch_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ft_stopwatch_object, weakrefs), READONLY, NULL},
    {"name", T_OBJECT, offsetof(ft_stopwatch_object, name), READONLY,
     "what it was called, or None"},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef stopwatch_getset[] = {
    {"wall", stopwatch_total, NULL, "seconds that passed, over all uses", (void *)WALL},
    {"cpu", stopwatch_total, NULL, "seconds on a CPU", (void *)CPU},
    {"waiting", stopwatch_total, NULL, "seconds in which it waited", (void *)WAITING},
    {"count", stopwatch_uses, NULL, "how many uses ended", NULL},
    {"min", stopwatch_one, NULL, "seconds of the shortest use; 0.0 of none", (void *)LEAST},
    {"median", stopwatch_median, NULL,
     "seconds of the use in the middle; 0.0 of none. Exact up to 1024 uses, then to 1 %", NULL},
    {"max", stopwatch_one, NULL, "seconds of the longest use; 0.0 of none", (void *)MOST},
    {"last", stopwatch_one, NULL, "seconds of the use that ended last; 0.0 of none", (void *)LAST},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot stopwatch_slots[] = {
    {Py_tp_doc, "Stopwatch(*, name=None)\n--\n\nWhat fettle.stopwatch is built on."},
    {Py_tp_new, (void *)stopwatch_new},
    {Py_tp_dealloc, (void *)stopwatch_dealloc},
    {Py_tp_traverse, (void *)stopwatch_traverse},
    {Py_tp_methods, stopwatch_methods},
    {Py_tp_members, stopwatch_members},
    {Py_tp_getset, stopwatch_getset},
    {0, NULL},
};

static PyType_Spec stopwatch_spec = {
    .name = "fettle._core.Stopwatch",
    .basicsize = sizeof(ft_stopwatch_object),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_BASETYPE,
    .slots = stopwatch_slots,
};

int ft_stopwatch_type_add(PyObject *module, ft_module_state *state)
{
    state->stopwatch_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &stopwatch_spec, NULL);
    if (state->stopwatch_type == NULL || PyModule_AddType(module, state->stopwatch_type) < 0 ||
        ft_timed_function_type_add(module) < 0)
        return -1;
    return ft_timed_steps_type_add(module);
}
