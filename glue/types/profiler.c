/* SPDX-License-Identifier: Apache-2.0 */
/* profiler.c: fettle._core.Profiler, what cProfile's C half is to its Python half.
 *
 * Its methods, arguments, entries and rows are those of _lsprof.Profiler, its name in the tables
 * too: profiles made here and there can be compared line by line. The entries are computed from the
 * calling-context tree when somebody asks. */
#include "glue/types/recorder.h"

#include <assert.h>

#include "engine/model/query.h"
#include "engine/record/harvest.h"
#include "glue/convert.h"
#include "glue/probes/describe.h"
#include "glue/probes/session.h"

#define NS 1e-9

typedef struct profiler_object {
    PyObject_HEAD
    ft_take take;
    bool open;     /* the take is */
    bool subcalls; /* entries say whom a function called */
    bool reserved; /* this Profiler holds the interpreter's place for a profiler */
    PyObject *timer;
    double timer_unit;
    bool builtins;
} profiler_object;

/* ---- one profiler at a time ---- */

#if FT_HAS_MONITORING

/* From 3.12 on an interpreter has one place for a profiler, and cProfile takes it. */
static PyObject *call_monitoring(const char *method, const char *format, const char *name)
{
    enum { PROFILER_ID = 2 };
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (monitoring == NULL)
        return NULL;
    return PyObject_CallMethod(monitoring, method, format, PROFILER_ID, name);
}

static int reserve(profiler_object *self)
{
    PyObject *done = call_monitoring("use_tool_id", "is", "cProfile");
    if (done == NULL) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) /* in the words of 3.12 and of 3.14 */
            PyErr_SetString(PyExc_ValueError, "Another profiling tool is already active: "
                                              "tool 2 is already in use; stop it first");
        return -1;
    }
    Py_DECREF(done);
    self->reserved = true;
    return 0;
}

static void give_up(profiler_object *self)
{
    if (!self->reserved)
        return;
    self->reserved = false;
    PyObject *done = call_monitoring("free_tool_id", "i", NULL);
    Py_XDECREF(done);
    PyErr_Clear();
}

#else

static int reserve(profiler_object *self)
{
    (void)self;
    return 0;
}

static void give_up(profiler_object *self)
{
    (void)self;
}

#endif

/* ---- enable, disable, clear ---- */

static int open_take(profiler_object *self)
{
    ft_take_options options = {.calls = true,
                               .builtins = self->builtins,
                               .one_thread = !FT_HAS_MONITORING, /* as cProfile does there */
                               .replaces_hook = true,
                               .max_contexts = FT_MAX_CONTEXTS_DEFAULT,
                               .timer = self->timer,
                               .timer_unit = self->timer_unit};
    if (self->open)
        return 0;
    if (ft_take_open(&self->take, NULL, &options) < 0)
        return -1;
    self->take.owner = (PyObject *)self;
    self->open = true;
    return 0;
}

static void disable(profiler_object *self)
{
    if (self->open)
        ft_session_remove(&self->take);
    give_up(self);
}

static void close_take(profiler_object *self)
{
    disable(self);
    if (!self->open || self->take.id != 0)
        return; /* an audit hook that heard of it closed it, or started it again */
    self->open = false;
    ft_take_close(&self->take);
}

static int enable(profiler_object *self)
{
    if (self->open && self->take.id != 0 && !FT_HAS_MONITORING)
        return 0;
    if (reserve(self) < 0)
        return -1;
    if (open_take(self) == 0) {
        self->take.builtins = self->builtins;
        if (ft_session_add(&self->take) == 0)
            return 0;
    }
    give_up(self);
    return -1;
}

/* A timer must not change the recording that asks it. 0, or -1 with an exception. */
static int refuse_timer(const profiler_object *self, const char *what)
{
    if (!self->open || self->take.asking == 0)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "cannot %s profiler in external timer", what);
    return -1;
}

static PyObject *profiler_enable(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"subcalls", "builtins", NULL};
    profiler_object *self = (profiler_object *)object;
    int subcalls = -1, builtins = -1; /* -1: as before */
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|pp:enable", names, &subcalls, &builtins))
        return NULL;
    if (refuse_timer(self, "enable") < 0)
        return NULL;
    if (subcalls >= 0)
        self->subcalls = subcalls != 0;
    if (builtins >= 0)
        self->builtins = builtins != 0;
    if (enable(self) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *profiler_disable(PyObject *object, PyObject *Py_UNUSED(unused))
{
    if (refuse_timer((profiler_object *)object, "disable") < 0)
        return NULL;
    disable((profiler_object *)object);
    Py_RETURN_NONE;
}

static PyObject *profiler_clear(PyObject *object, PyObject *Py_UNUSED(unused))
{
    profiler_object *self = (profiler_object *)object;
    bool active = self->open && self->take.id != 0;
    if (refuse_timer(self, "clear") < 0)
        return NULL;
    close_take(self); /* what it kept may run the user's code as it goes, which may enable it */
    if (active && !(self->open && self->take.id != 0) && enable(self) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- getstats ---- */

typedef struct entries {
    const ft_module_state *state;
    const profiler_object *profiler;
    ft_profile profile;
    ft_function_row *functions;
    ft_edge_row *edges; /* NULL where nobody asks for them */
    uint32_t function_count, edge_count;
    PyObject **codes; /* strong: what an entry calls its function by, for each code id */
    PyObject **lists; /* strong, or NULL: what each code's function called */
} entries;

/* Where the model has a code that an object stands for, the object is it. */
static int place_code(entries *e, PyObject *object)
{
    ft_description description;
    uint32_t texts[3], id;
    ft_status status = FT_OK;
    if (ft_describe_python((PyCodeObject *)object, &description) < 0)
        status = FT_ERR_MEMORY;
    const ft_function *function = &description.function;
    for (int i = 0; i < 3 && status == FT_OK; i++)
        status = ft_strtab_intern(&e->profile.texts, function->texts[i], function->lengths[i],
                                  &texts[i]);
    ft_code code = {.kind = function->kind, .line = function->line};
    uint32_t count = e->profile.codes.count;
    if (status == FT_OK) {
        code.file = texts[0], code.name = texts[1], code.qualname = texts[2];
        status = ft_codetab_intern(&e->profile.codes, &code, &id);
    }
    ft_description_fini(&description);
    Py_XDECREF(description.keeper);
    if (status != FT_OK) {
        PyErr_NoMemory();
        return -1;
    }
    if (id < count) /* else it was cut, and has its name instead */
        Py_XSETREF(e->codes[id], Py_NewRef(object));
    return 0;
}

static int place_names(entries *e, uint32_t count)
{
    for (uint32_t id = 0; id < count; id++) {
        if (e->codes[id] != NULL)
            continue;
        ft_text name = ft_strtab_get(&e->profile.texts, e->profile.codes.codes[id].name);
        e->codes[id] = ft_convert_text(name);
        if (e->codes[id] == NULL)
            return -1;
    }
    return 0;
}

static int place_codes(entries *e, uint32_t count)
{
    const ft_take *take = &e->profiler->take;
    e->codes = ft_mem_new(&ft_mem_system, count + 1, sizeof *e->codes);
    if (e->codes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < take->keeper_count; i++)
        if (PyCode_Check(take->keepers[i]) && place_code(e, take->keepers[i]) < 0)
            return -1;
    return place_names(e, count);
}

/* (code, callcount, reccallcount, totaltime, inlinetime) and room for what follows. */
static PyObject *new_entry(PyTypeObject *type, PyObject *code, const uint64_t numbers[4])
{
    PyObject *entry = PyStructSequence_New(type);
    if (entry == NULL)
        return NULL;
    PyObject *fields[5] = {Py_NewRef(code), PyLong_FromUnsignedLongLong(numbers[0]),
                           PyLong_FromUnsignedLongLong(numbers[0] - numbers[1]),
                           PyFloat_FromDouble((double)numbers[2] * NS),
                           PyFloat_FromDouble((double)numbers[3] * NS)};
    for (int i = 0; i < 5; i++)
        PyStructSequence_SetItem(entry, i, fields[i]);
    for (int i = 0; i < 5; i++)
        if (fields[i] == NULL)
            Py_CLEAR(entry);
    return entry;
}

/* Each caller's list gets an entry for each function it called. */
static int fill_lists(entries *e)
{
    for (uint32_t i = 0; i < e->edge_count; i++) {
        const ft_edge_row *row = &e->edges[i];
        if (row->caller == FT_CODE_NONE || row->calls == 0)
            continue;
        const uint64_t numbers[4] = {row->calls, row->primitive, row->cumulative, row->own};
        PyObject **list = &e->lists[row->caller];
        if (*list == NULL && (*list = PyList_New(0)) == NULL)
            return -1;
        PyObject *entry =
            new_entry(e->state->profiler_subentry_type, e->codes[row->callee], numbers);
        int result = entry == NULL ? -1 : PyList_Append(*list, entry);
        Py_XDECREF(entry);
        if (result < 0)
            return -1;
    }
    return 0;
}

static PyObject *list_entries(const entries *e)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < e->function_count; i++) {
        const ft_function_row *row = &e->functions[i];
        const uint64_t numbers[4] = {row->calls, row->primitive, row->cumulative, row->own};
        if (row->calls == 0)
            continue;
        PyObject *entry = new_entry(e->state->profiler_entry_type, e->codes[row->code], numbers);
        PyObject *called = e->lists[row->code];
        if (entry != NULL)
            PyStructSequence_SetItem(entry, 5, Py_NewRef(called != NULL ? called : Py_None));
        if (entry == NULL || PyList_Append(list, entry) < 0)
            Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    return list;
}

static PyObject *compute(entries *e, uint32_t count)
{
    ft_status status = ft_query_functions(&e->profile, &e->functions, &e->function_count);
    if (status == FT_OK && e->profiler->subcalls)
        status = ft_query_edges(&e->profile, &e->edges, &e->edge_count);
    if (status == FT_OK)
        e->lists = ft_mem_new(&ft_mem_system, count + 1, sizeof *e->lists);
    if (status != FT_OK || e->lists == NULL)
        return PyErr_NoMemory();
    if (place_codes(e, count) < 0 || fill_lists(e) < 0)
        return NULL;
    return list_entries(e);
}

static void entries_fini(entries *e, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (e->codes != NULL)
            Py_XDECREF(e->codes[i]);
        if (e->lists != NULL)
            Py_XDECREF(e->lists[i]);
    }
    ft_mem_free(&ft_mem_system, e->codes);
    ft_mem_free(&ft_mem_system, e->lists);
    ft_mem_free(e->profile.mem, e->functions);
    ft_mem_free(e->profile.mem, e->edges);
    ft_profile_fini(&e->profile);
}

static PyObject *profiler_getstats(PyObject *object, PyObject *Py_UNUSED(unused))
{
    profiler_object *self = (profiler_object *)object;
    entries e = {.state = ft_module_state_of(Py_TYPE(object)), .profiler = self};
    if (e.state == NULL || open_take(self) < 0)
        return NULL;
    if (ft_profile_init(&e.profile, &ft_mem_system) != FT_OK)
        return PyErr_NoMemory();
    ft_session_settle(&self->take);
    ft_session_lock();
    ft_status status = ft_harvest_recording(&e.profile, &self->take.recording);
    ft_session_unlock();
    uint32_t count = e.profile.codes.count;
    PyObject *list = status == FT_OK ? compute(&e, count) : PyErr_NoMemory();
    entries_fini(&e, count);
    return list;
}

/* ---- the type ---- */

static PyObject *profiler_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                              PyObject *Py_UNUSED(kwargs))
{
    profiler_object *self = (profiler_object *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->subcalls = self->builtins = true;
    return (PyObject *)self;
}

static int profiler_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"timer", "timeunit", "subcalls", "builtins", NULL};
    profiler_object *self = (profiler_object *)object;
    PyObject *timer = NULL;
    double unit = 0;
    int subcalls = 1, builtins = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Odpp:Profiler", names, &timer, &unit,
                                     &subcalls, &builtins) ||
        refuse_timer(self, "remake") < 0)
        return -1;
    close_take(self);
    Py_XSETREF(self->timer, timer == NULL || timer == Py_None ? NULL : Py_NewRef(timer));
    self->timer_unit = unit;
    self->subcalls = subcalls != 0;
    self->builtins = builtins != 0;
    return 0;
}

static int profiler_traverse(PyObject *object, visitproc visit, void *arg)
{
    profiler_object *self = (profiler_object *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->timer);
    return self->open ? ft_take_traverse(&self->take, visit, arg) : 0;
}

static int profiler_clear_references(PyObject *object)
{
    profiler_object *self = (profiler_object *)object;
    self->take.owner = NULL; /* its timer is asked no more */
    close_take(self);
    Py_CLEAR(self->timer);
    return 0;
}

static void profiler_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_compat_error error;
    PyObject_GC_UnTrack(object);
    ft_compat_error_save(&error);
    (void)profiler_clear_references(object);
    ft_compat_error_restore(&error);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef profiler_methods[] = {
    {"enable", (PyCFunction)(void (*)(void))profiler_enable, METH_VARARGS | METH_KEYWORDS,
     "enable(subcalls=True, builtins=True)\n\nStart recording. With subcalls an entry says whom "
     "its "
     "function called; with builtins\nC functions are recorded too. ValueError where another "
     "profiler is active (3.12+)."},
    {"disable", profiler_disable, METH_NOARGS, "disable()\n\nStop recording."},
    {"clear", profiler_clear, METH_NOARGS, "clear()\n\nForget what was recorded so far."},
    {"getstats", profiler_getstats, METH_NOARGS,
     "getstats() -> list of profiler_entry\n\nEach has code, callcount, reccallcount, totaltime, "
     "inlinetime (seconds) and calls: a list of\nprofiler_subentry, or None."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot profiler_slots[] = {
    {Py_tp_doc,
     (void *)"Profiler(timer=None, timeunit=0.0, subcalls=True, builtins=True)\n\n"
             "Records function calls with exact counts and a tree of their paths. timer: "
             "a callable that\ngives seconds, or counts of timeunit seconds."},
    {Py_tp_new, (void *)profiler_new},
    {Py_tp_init, (void *)profiler_init},
    {Py_tp_dealloc, (void *)profiler_dealloc},
    {Py_tp_traverse, (void *)profiler_traverse},
    {Py_tp_clear, (void *)profiler_clear_references},
    {Py_tp_methods, profiler_methods},
    {0, NULL},
};

/* The name that its methods have in the tables, as {method 'disable' of '_lsprof.Profiler' ...}. */
static PyType_Spec profiler_spec = {
    .name = "_lsprof.Profiler",
    .basicsize = sizeof(profiler_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = profiler_slots,
};

static PyStructSequence_Field entry_fields[] = {
    {"code", "code object or built-in function name"},
    {"callcount", "how many times this was called"},
    {"reccallcount", "how many times called recursively"},
    {"totaltime", "total time in this entry, in seconds"},
    {"inlinetime", "time in it but not in what it called"},
    {"calls", "details of the calls"},
    {NULL, NULL},
};

static PyStructSequence_Desc entry_desc = {"fettle._core.profiler_entry", NULL, entry_fields, 6};
static PyStructSequence_Desc subentry_desc = {"fettle._core.profiler_subentry", NULL, entry_fields,
                                              5};

int ft_profiler_type_add(PyObject *module, ft_module_state *state)
{
    state->profiler_entry_type = PyStructSequence_NewType(&entry_desc);
    state->profiler_subentry_type = PyStructSequence_NewType(&subentry_desc);
    if (state->profiler_entry_type == NULL || state->profiler_subentry_type == NULL)
        return -1;
    state->profiler_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &profiler_spec, NULL);
    if (state->profiler_type == NULL)
        return -1;
    if (PyModule_AddType(module, state->profiler_entry_type) < 0 ||
        PyModule_AddType(module, state->profiler_subentry_type) < 0)
        return -1;
    return PyModule_AddType(module, state->profiler_type);
}
