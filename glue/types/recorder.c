/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.c: fettle._core.Recorder, which records the program that makes it (see recorder.h).
 *
 * It is on while it was started more often than stopped, whoever did so: a decorated function may
 * call itself, and several threads may be in it. What was recorded adds up until clear(). */
#include "glue/types/recorder.h"

#include <assert.h>

#include "engine/record/harvest.h"
#include "glue/convert.h"
#include "glue/probes/allocs.h"
#include "glue/probes/describe.h"
#include "glue/probes/functions.h"
#include "glue/probes/line_marks.h"
#include "glue/probes/points.h"
#include "glue/probes/session.h"
#include "glue/probes/survivors.h"
#include "glue/types/profile.h"
#include "glue/types/traces.h"

typedef struct recorder_object {
    PyObject_HEAD
    ft_take take;
    ft_take_options options; /* its selectors and spared are strong references, or NULL */
    bool lingers;            /* it rests where another one is stopped */
    PyObject *watched;       /* strong: a list of functions and code, what mark() found, or NULL */
    bool open;               /* the take is */
    uint32_t starts;         /* that were not stopped */
} recorder_object;

PyObject *ft_recorder_profile(const ft_module_state *state, ft_take *take)
{
    ft_profile *model = NULL;
    PyObject *profile = ft_profile_object_new(state, &model);
    if (profile == NULL)
        return NULL;
    ft_session_settle(take);
    ft_survivors_record(take);
    ft_allocs_lock();
    ft_session_lock();
    ft_status status = ft_harvest_recording(model, &take->recording);
    ft_session_unlock();
    ft_allocs_unlock();
    if (status == FT_OK)
        return profile;
    Py_DECREF(profile);
    return ft_convert_error(state, status, 0, NULL);
}

/* ---- starting and stopping ---- */

static void close_take(recorder_object *self)
{
    if (!self->open)
        return;
    ft_session_remove(&self->take);
    if (!self->open || self->take.id != 0)
        return; /* an audit hook that heard of it closed it, or started it again */
    self->open = false;
    ft_take_close(&self->take);
}

/* No finaliser may find it half open. */
static int open_take(recorder_object *self)
{
    if (self->open)
        return 0;
    int result = -1, held = ft_compat_hold_collector();
    if (ft_take_open(&self->take, NULL, &self->options) == 0) {
        ft_describe_process(&self->take.recording);
        self->open = true;
        result = self->watched == NULL ? 0 : ft_line_marks_watch(&self->take, self->watched);
    }
    ft_compat_release_collector(held);
    if (result < 0)
        close_take(self);
    return result;
}

/* 1 when recording began with this call, 0 when it was on, -1 with an exception. */
static int start(recorder_object *self)
{
    if (self->starts == UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "started too often without a stop");
        return -1;
    }
    if (self->starts++ > 0)
        return 0;
    if (self->open && self->take.id != 0) {
        self->take.recording.lines_rest = false;
        self->take.recording.ns_per_tick = 0;
        return 1;
    }
    if (open_take(self) == 0 && ft_session_add(&self->take) == 0)
        return 1;
    self->starts--;
    return -1;
}

/* look: at what objects are alive, which takes time by their number. */
static void stop(recorder_object *self, bool look)
{
    if (self->starts == 0 || --self->starts > 0)
        return;
    if (look && self->open)
        ft_survivors_record(&self->take);
    if (self->lingers)
        self->take.recording.lines_rest = true;
    else
        ft_session_remove(&self->take);
}

static PyObject *recorder_start(PyObject *object, PyObject *Py_UNUSED(unused))
{
    if (start((recorder_object *)object) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *recorder_stop(PyObject *object, PyObject *Py_UNUSED(unused))
{
    stop((recorder_object *)object, true);
    Py_RETURN_NONE;
}

static PyObject *recorder_pause(PyObject *object, PyObject *Py_UNUSED(unused))
{
    stop((recorder_object *)object, false);
    Py_RETURN_NONE;
}

static PyObject *recorder_enter(PyObject *object, PyObject *Py_UNUSED(unused))
{
    recorder_object *self = (recorder_object *)object;
    int started = start(self);
    if (started < 0)
        return NULL;
    if (started > 0)
        ft_session_stand_in(&self->take, ft_compat_visible(ft_compat_current_frame()));
    return Py_NewRef(object);
}

static PyObject *recorder_exit(PyObject *object, PyObject *Py_UNUSED(args))
{
    stop((recorder_object *)object, true);
    Py_RETURN_NONE;
}

static PyObject *recorder_clear(PyObject *object, PyObject *Py_UNUSED(unused))
{
    recorder_object *self = (recorder_object *)object;
    close_take(self); /* what it kept may run the user's code as it goes, which may start it */
    if (self->starts == 0 || (self->open && self->take.id != 0))
        Py_RETURN_NONE;
    if (open_take(self) == 0 && ft_session_add(&self->take) == 0)
        Py_RETURN_NONE;
    self->starts = 0;
    return NULL;
}

static PyObject *recorder_profile(PyObject *object, PyObject *Py_UNUSED(unused))
{
    recorder_object *self = (recorder_object *)object;
    const ft_module_state *state = ft_module_state_of(Py_TYPE(object));
    if (state == NULL || open_take(self) < 0)
        return NULL;
    if (self->take.recording.lines_rest) /* all who read it see the same times */
        self->take.recording.ns_per_tick = ft_recording_rate(&self->take.recording);
    return ft_recorder_profile(state, &self->take);
}

static bool refuse_without_lines(const recorder_object *self)
{
    if (self->options.lines)
        return false;
    PyErr_SetString(PyExc_RuntimeError, "this Recorder records no lines: make it with lines=True");
    return true;
}

static PyObject *recorder_mark(PyObject *object, PyObject *marked)
{
    recorder_object *self = (recorder_object *)object;
    if (refuse_without_lines(self))
        return NULL;
    PyObject *list = PyCode_Check(marked) ? Py_BuildValue("[O]", marked) : ft_functions_of(marked);
    if (list == NULL)
        return NULL;
    if (self->watched == NULL)
        self->watched = PyList_New(0);
    int result = self->watched == NULL
                     ? -1
                     : PyList_SetSlice(self->watched, PY_SSIZE_T_MAX, PY_SSIZE_T_MAX, list);
    if (result == 0 && self->open)
        result = ft_line_marks_watch(&self->take, list);
    Py_DECREF(list);
    return result < 0 ? NULL : Py_NewRef(marked);
}

static PyObject *recorder_select(PyObject *object, PyObject *selector)
{
    recorder_object *self = (recorder_object *)object;
    if (refuse_without_lines(self))
        return NULL;
    if (!PyUnicode_Check(selector)) {
        PyErr_SetString(PyExc_TypeError, "select() takes a str");
        return NULL;
    }
    if (self->open) {
        PyErr_SetString(PyExc_RuntimeError, "a Recorder that has recorded selects nothing more");
        return NULL;
    }
    if (self->options.selectors == NULL)
        self->options.selectors = PyList_New(0);
    if (self->options.selectors == NULL || PyList_Append(self->options.selectors, selector) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *recorder_spare(PyObject *object, PyObject *threads)
{
    recorder_object *self = (recorder_object *)object;
    if (self->open) {
        PyErr_SetString(PyExc_RuntimeError, "a Recorder that has recorded spares no more threads");
        return NULL;
    }
    PyObject *idents = PySequence_List(threads);
    if (idents == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(idents); i++)
        if (!PyLong_Check(PyList_GET_ITEM(idents, i))) {
            PyErr_SetString(PyExc_TypeError, "spare() takes identifiers of threads");
            Py_DECREF(idents);
            return NULL;
        }
    PyObject *old = self->options.spared;
    self->options.spared = idents;
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

/* ---- memory ---- */

/* Its heap, or NULL with an exception where it has none. */
static ft_heap *heap_of(recorder_object *self)
{
    if (self->open && self->take.heap != NULL)
        return self->take.heap;
    PyErr_SetString(PyExc_RuntimeError, "no memory was recorded: make the Recorder with mem=True "
                                        "and start it");
    return NULL;
}

static PyObject *recorder_traced(PyObject *object, PyObject *Py_UNUSED(unused))
{
    const ft_heap *heap = heap_of((recorder_object *)object);
    if (heap == NULL)
        return NULL;
    const ft_heap_head *head = heap->head;
    uint64_t live = ft_heap_load(&head->live[0]) + ft_heap_load(&head->live[1]);
    return Py_BuildValue("(KK)", (unsigned long long)live,
                         (unsigned long long)ft_heap_load(&head->peak));
}

static PyObject *recorder_reset_peak(PyObject *object, PyObject *Py_UNUSED(unused))
{
    ft_heap *heap = heap_of((recorder_object *)object);
    if (heap == NULL)
        return NULL;
    ft_allocs_lock();
    ft_heap_reset_peak(heap);
    ft_allocs_unlock();
    Py_RETURN_NONE;
}

static PyObject *recorder_forget(PyObject *object, PyObject *Py_UNUSED(unused))
{
    ft_heap *heap = heap_of((recorder_object *)object);
    if (heap == NULL)
        return NULL;
    ft_allocs_lock();
    ft_heap_forget_blocks(&heap->parts[FT_HEAP_PYTHON]);
    ft_heap_forget_blocks(&heap->parts[FT_HEAP_RAW]);
    ft_allocs_unlock();
    Py_RETURN_NONE;
}

static PyObject *recorder_overhead(PyObject *object, PyObject *Py_UNUSED(unused))
{
    const ft_heap *heap = heap_of((recorder_object *)object);
    if (heap == NULL)
        return NULL;
    ft_allocs_lock();
    uint64_t bytes = ft_heap_overhead(heap);
    ft_allocs_unlock();
    return PyLong_FromUnsignedLongLong(bytes);
}

static PyObject *recorder_traces(PyObject *object, PyObject *Py_UNUSED(unused))
{
    recorder_object *self = (recorder_object *)object;
    return heap_of(self) == NULL ? NULL : ft_traces_all(&self->take);
}

static PyObject *recorder_trace_of(PyObject *object, PyObject *of)
{
    recorder_object *self = (recorder_object *)object;
    return heap_of(self) == NULL ? NULL : ft_traces_of(&self->take, of);
}

static PyObject *recorder_point(PyObject *object, PyObject *name)
{
    recorder_object *self = (recorder_object *)object;
    if (heap_of(self) == NULL)
        return NULL;
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "a point's name is a str");
        return NULL;
    }
    if (ft_point_mark_in(&self->take, name) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* False, True, or "sample". 0, or -1 with an exception. */
static int parse_memory(PyObject *mem, Py_ssize_t frames, ft_take_options *options)
{
    bool sampled = PyUnicode_Check(mem) && PyUnicode_CompareWithASCIIString(mem, "sample") == 0;
    if (!sampled && !PyBool_Check(mem)) {
        PyErr_SetString(PyExc_ValueError, "mem must be True, False or 'sample'");
        return -1;
    }
    if (frames < 1 || frames > FT_HEAP_FRAMES_MAX) {
        PyErr_Format(PyExc_ValueError, "frames must be from 1 to %d, not %zd", FT_HEAP_FRAMES_MAX,
                     frames);
        return -1;
    }
    options->memory = mem != Py_False;
    options->sample = sampled ? FT_HEAP_SAMPLE_DEFAULT : 0;
    options->frames = (uint32_t)frames;
    return 0;
}

static PyObject *get_active(PyObject *object, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((recorder_object *)object)->starts > 0);
}

/* ---- the type ---- */

static PyObject *recorder_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                              PyObject *Py_UNUSED(kwargs))
{
    recorder_object *self = (recorder_object *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->options = (ft_take_options){
            .calls = true, .builtins = true, .max_contexts = FT_MAX_CONTEXTS_DEFAULT};
    return (PyObject *)self;
}

static int recorder_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"builtins",   "max_nodes", "calls", "lines",  "marks", "alone",
                            "one_thread", "lingers",   "mem",   "frames", NULL};
    recorder_object *self = (recorder_object *)object;
    int builtins = 1, calls = 1, lines = 0, marks = 0, alone = 0, one_thread = 0, lingers = 0;
    Py_ssize_t nodes = FT_MAX_CONTEXTS_DEFAULT, frames = 1;
    PyObject *mem = Py_False;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$pnppppppOn:Recorder", names, &builtins,
                                     &nodes, &calls, &lines, &marks, &alone, &one_thread, &lingers,
                                     &mem, &frames))
        return -1;
    if (nodes < 1 || nodes > INT32_MAX) {
        PyErr_Format(PyExc_ValueError, "max_nodes must be from 1 to %d, not %zd", INT32_MAX, nodes);
        return -1;
    }
    if (calls != 0 && lingers != 0) {
        PyErr_SetString(PyExc_ValueError, "a Recorder of calls does not linger: give calls=False");
        return -1;
    }
    if (self->open) {
        PyErr_SetString(PyExc_RuntimeError, "a Recorder that has recorded can not be made anew");
        return -1;
    }
    if (parse_memory(mem, frames, &self->options) < 0)
        return -1;
    self->options.calls = calls != 0;
    self->options.builtins = builtins != 0;
    self->options.lines = lines != 0 || marks != 0;
    self->options.marks = marks != 0;
    self->options.lines_alone = alone != 0;
    self->options.one_thread = one_thread != 0;
    self->lingers = lingers != 0;
    self->options.max_contexts = (uint32_t)nodes;
    return 0;
}

static int recorder_traverse(PyObject *object, visitproc visit, void *arg)
{
    recorder_object *self = (recorder_object *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->watched);
    Py_VISIT(self->options.selectors);
    Py_VISIT(self->options.spared);
    return self->open ? ft_take_traverse(&self->take, visit, arg) : 0;
}

static int recorder_clear_references(PyObject *object)
{
    recorder_object *self = (recorder_object *)object;
    self->starts = 0;
    close_take(self);
    Py_CLEAR(self->watched);
    Py_CLEAR(self->options.selectors);
    Py_CLEAR(self->options.spared);
    return 0;
}

static void recorder_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_compat_error error;
    PyObject_GC_UnTrack(object);
    ft_compat_error_save(&error);
    (void)recorder_clear_references(object);
    ft_compat_error_restore(&error);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef recorder_methods[] = {
    {"start", recorder_start, METH_NOARGS, "start($self, /)\n--\n\nRecord from now on."},
    {"stop", recorder_stop, METH_NOARGS,
     "stop($self, /)\n--\n\nEnd what the last start() began; without one, do nothing."},
    {"pause", recorder_pause, METH_NOARGS,
     "pause($self, /)\n--\n\nAs stop(), but of memory it does not look at what objects are alive: "
     "for many short spans."},
    {"__enter__", recorder_enter, METH_NOARGS,
     "__enter__($self, /)\n--\n\nStart; the function that calls this is recorded too."},
    {"__exit__", recorder_exit, METH_VARARGS, "__exit__($self, /, *exception)\n--\n\nStop."},
    {"clear", recorder_clear, METH_NOARGS,
     "clear($self, /)\n--\n\nForget what was recorded; a recording that is on goes on."},
    {"mark", recorder_mark, METH_O,
     "mark($self, object, /)\n--\n\nRecord the lines of these functions, in this recorder alone; "
     "gives the object back."},
    {"select", recorder_select, METH_O,
     "select($self, selector, /)\n--\n\nRecord the lines of what `app:User`, `src/*.py` or "
     "`json.decoder` means, before the first start()."},
    {"spare", recorder_spare, METH_O,
     "spare($self, threads, /)\n--\n\nDo not record calls and lines in threads with these "
     "identifiers; before the first start()."},
    {"traced", recorder_traced, METH_NOARGS,
     "traced($self, /)\n--\n\nBytes of the blocks that are alive, and at most were: a tuple."},
    {"reset_peak", recorder_reset_peak, METH_NOARGS,
     "reset_peak($self, /)\n--\n\nFrom now on the peak is what is alive now."},
    {"forget", recorder_forget, METH_NOARGS,
     "forget($self, /)\n--\n\nForget all blocks and what they counted."},
    {"overhead", recorder_overhead, METH_NOARGS,
     "overhead($self, /)\n--\n\nBytes that the recording of memory takes itself."},
    {"traces", recorder_traces, METH_NOARGS,
     "traces($self, /)\n--\n\nThe live blocks in groups of equal ones: ((domain, size, stack, "
     "total), count)."},
    {"trace_of", recorder_trace_of, METH_O,
     "trace_of($self, object, /)\n--\n\nWhere the object's block was allocated: a tuple of "
     "(file, line), most recent last, or None."},
    {"point", recorder_point, METH_O,
     "point($self, name, /)\n--\n\nA named point of the recording, to compare with."},
    {"profile", recorder_profile, METH_NOARGS,
     "profile($self, /)\n--\n\nWhat was recorded so far, as a Profile; the recording goes on."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef recorder_getters[] = {
    {"active", get_active, NULL, "Is it recording?", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot recorder_slots[] = {
    {Py_tp_doc, (void *)"Recorder(*, calls=True, builtins=True, lines=False, marks=False, "
                        "alone=False, one_thread=False, lingers=False, mem=False, frames=1, "
                        "max_nodes=2000000)\n--\n\n"
                        "Records the calls or lines of the program that makes it, in its threads."},
    {Py_tp_new, (void *)recorder_new},
    {Py_tp_init, (void *)recorder_init},
    {Py_tp_dealloc, (void *)recorder_dealloc},
    {Py_tp_traverse, (void *)recorder_traverse},
    {Py_tp_clear, (void *)recorder_clear_references},
    {Py_tp_methods, recorder_methods},
    {Py_tp_getset, recorder_getters},
    {0, NULL},
};

static PyType_Spec recorder_spec = {
    .name = "fettle._core.Recorder",
    .basicsize = sizeof(recorder_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = recorder_slots,
};

int ft_recorder_type_add(PyObject *module, ft_module_state *state)
{
    ft_session_leave_out(recorder_methods);
    state->recorder_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &recorder_spec, NULL);
    return state->recorder_type == NULL ? -1 : PyModule_AddType(module, state->recorder_type);
}
