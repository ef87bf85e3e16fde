/* SPDX-License-Identifier: Apache-2.0 */
/* lookup_table.c: a function whose answers are all known (see lookup_table.h).
 *
 * `vectorcall` is call_unbuilt while there are no answers and a quick one afterwards. A quick call
 * with all arguments in their places never leaves this file but to look up, so what it costs is
 * that. */
#include "glue/compat.h"

#include "glue/types/lookup_table.h"

#include <assert.h>
#include <structmember.h>

#include "glue/types/lookup_answers.h"
#include "glue/types/lookup_domain.h"

enum { MOST_DOMAINS = PyBUF_MAX_NDIM };

typedef struct lookup_table {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *function;
    PyObject *domains;    /* a tuple of ranges and tuples */
    PyObject *parameters; /* a tuple: the name of each, None where it has none to call it by */
    PyObject *defaults;   /* a tuple: of the last parameters */
    PyObject *attributes; /* a dict, that of the instance: what functools.update_wrapper sets */
    PyObject *plan;       /* members(), note(error, arguments), outside(arguments, position),
                             misuse(arguments, names) */
    PyObject *title;      /* repr */
    PyObject *otherwise;  /* the answer outside of the domains; NULL: none */
    PyObject *builders;   /* a set: identifiers of the threads that collect answers now */
    PyObject *weakly;
    ft_answers answers;
    ft_answers *growing; /* owned: those that the first of the builders has collected so far */
    bool compute;        /* outside of the domains the function is called */
    Py_ssize_t arity, count;
    ft_lookup_domain *parts;     /* owned; arity of them */
    Py_ssize_t *shape, *strides; /* owned, one block: arity each; strides count bytes */
} lookup_table;

/* ---- collecting the answers ---- */

static PyObject *call_one(PyObject *object, PyObject *const *args, size_t flagged, PyObject *names);
static PyObject *call_several(PyObject *object, PyObject *const *args, size_t flagged,
                              PyObject *names);
static PyObject *call_unbuilt(PyObject *object, PyObject *const *args, size_t flagged,
                              PyObject *names);

static bool is_built(const lookup_table *self)
{
    return self->answers.form != FT_ANSWERS_NONE;
}

/* The exception that the function raised gets a note of the plan's: which member it was. */
static void add_note(const lookup_table *self, PyObject *arguments)
{
    ft_compat_error error;
    ft_compat_error_save(&error);
    PyObject *done =
        PyObject_CallMethod(self->plan, "note", "OO", ft_compat_error_object(&error), arguments);
    if (done == NULL)
        PyErr_Clear();
    Py_XDECREF(done);
    ft_compat_error_restore(&error);
}

/* Calls the function for each member, in the order that the plan gives. */
static int call_for_each(const lookup_table *self, ft_answers *into)
{
    PyObject *members = PyObject_CallMethod(self->plan, "members", NULL);
    PyObject *arguments = NULL;
    int result = members == NULL ? -1 : 0;
    while (result == 0 && (arguments = PyIter_Next(members)) != NULL) {
        PyObject *found = NULL;
        if (!PyTuple_Check(arguments))
            PyErr_SetString(PyExc_TypeError, "the members of a plan are tuples of arguments");
        else if ((found = PyObject_Call(self->function, arguments, NULL)) == NULL)
            add_note(self, arguments);
        result = found == NULL ? -1 : ft_answers_add(into, found);
        Py_XDECREF(found);
        Py_DECREF(arguments);
    }
    if (result == 0)
        result = PyErr_Occurred() ? -1 : ft_answers_end(into);
    Py_XDECREF(members);
    return result;
}

/* Collects all answers. While it does, `growing` shows them, if no other thread's are shown. */
static int collect(lookup_table *self)
{
    ft_answers *into = PyMem_New(ft_answers, 1);
    if (into == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    ft_answers_init(into, self->count);
    bool shown = self->growing == NULL;
    if (shown)
        self->growing = into;
    int result = call_for_each(self, into);
    if (result == 0 && !is_built(self)) {
        self->answers = *into;
        ft_answers_init(into, self->count);
        self->vectorcall = self->arity == 1 ? call_one : call_several;
    }
    if (shown)
        self->growing = NULL;
    ft_answers_fini(into);
    PyMem_Free(into);
    return result;
}

/* 0 when there are answers, else -1 with an exception. */
static int build(lookup_table *self)
{
    if (is_built(self))
        return 0;
    PyObject *thread = PyLong_FromUnsignedLong(PyThread_get_thread_ident());
    int building = thread == NULL ? -1 : PySet_Contains(self->builders, thread);
    if (building > 0)
        PyErr_Format(PyExc_RuntimeError,
                     "%S is being built by this thread, which asked for its values meanwhile: "
                     "call the function instead",
                     self->title);
    int result = building == 0 ? PySet_Add(self->builders, thread) : -1;
    if (result == 0) {
        result = collect(self);
        ft_compat_error error;
        ft_compat_error_save(&error);
        (void)PySet_Discard(self->builders, thread); /* an int: nothing that could fail */
        ft_compat_error_restore(&error);
    }
    Py_XDECREF(thread);
    return result;
}

/* ---- calls ---- */

static PyObject *call_function(const lookup_table *self, PyObject *const *args, size_t flagged,
                               PyObject *names)
{
    return PyObject_Vectorcall(self->function, args, (size_t)PyVectorcall_NARGS(flagged), names);
}

/* Raises the exception that a method of the plan makes of the arguments and one thing more, whose
 * reference it takes. */
static PyObject *raise_by_plan(const lookup_table *self, const char *method, PyObject *const *args,
                               Py_ssize_t given, PyObject *more)
{
    PyObject *tuple = more == NULL ? NULL : PyTuple_New(given);
    for (Py_ssize_t i = 0; tuple != NULL && i < given; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    PyObject *error =
        tuple == NULL ? NULL : PyObject_CallMethod(self->plan, method, "OO", tuple, more);
    if (error != NULL)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    Py_XDECREF(tuple);
    Py_XDECREF(more);
    return NULL;
}

/* The number of the parameter with that name; arity when there is none; -1 with an exception. */
static Py_ssize_t position_of(const lookup_table *self, PyObject *name)
{
    for (Py_ssize_t i = 0; i < self->arity; i++)
        if (PyTuple_GET_ITEM(self->parameters, i) == name)
            return i;
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(self->parameters, i), name, Py_EQ);
        if (equal != 0)
            return equal < 0 ? -1 : i;
    }
    return self->arity;
}

/* Which call gave what: fills all[arity] with borrowed arguments. 1; 0: the table has no place for
 * such a call, and its function may; -1 with an exception. */
static int bind(const lookup_table *self, PyObject *const *args, Py_ssize_t given, PyObject *names,
                PyObject **all)
{
    if (given > self->arity)
        return 0;
    for (Py_ssize_t i = 0; i < self->arity; i++)
        all[i] = i < given ? args[i] : NULL;
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < named; i++) {
        Py_ssize_t position = position_of(self, PyTuple_GET_ITEM(names, i));
        if (position < 0)
            return -1;
        if (position == self->arity || all[position] != NULL)
            return 0;
        all[position] = args[given + i];
    }
    Py_ssize_t first = self->arity - PyTuple_GET_SIZE(self->defaults);
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        if (all[i] == NULL && i < first)
            return 0;
        if (all[i] == NULL)
            all[i] = PyTuple_GET_ITEM(self->defaults, i - first);
    }
    return 1;
}

/* The place of the answer, or FT_LOOKUP_ABSENT and which argument is the first outside, or
 * FT_LOOKUP_ERROR. All arguments are looked at: one that is not hashable is an error. */
static Py_ssize_t find_all(const lookup_table *self, PyObject *const *args, Py_ssize_t *outside)
{
    Py_ssize_t place = 0;
    *outside = self->arity;
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        Py_ssize_t at = ft_lookup_domain_find(&self->parts[i], args[i]);
        if (at == FT_LOOKUP_ERROR)
            return FT_LOOKUP_ERROR;
        if (at == FT_LOOKUP_ABSENT && *outside == self->arity)
            *outside = i;
        place = place * self->parts[i].count + at;
    }
    return *outside < self->arity ? FT_LOOKUP_ABSENT : place;
}

/* The answer to a call whose place is known: what find_all said. */
static PyObject *answer(const lookup_table *self, Py_ssize_t place, PyObject *const *args,
                        Py_ssize_t outside)
{
    if (place >= 0)
        return ft_answers_at(&self->answers, place);
    if (place == FT_LOOKUP_ABSENT && self->otherwise != NULL)
        return Py_NewRef(self->otherwise);
    if (place == FT_LOOKUP_ERROR)
        return NULL;
    return raise_by_plan(self, "outside", args, self->arity, PyLong_FromSsize_t(outside));
}

/* Any call, however its arguments are given. */
static PyObject *call_slowly(const lookup_table *self, PyObject *const *args, size_t flagged,
                             PyObject *names)
{
    PyObject *all[MOST_DOMAINS];
    Py_ssize_t given = PyVectorcall_NARGS(flagged), outside = 0;
    int bound = bind(self, args, given, names, all);
    if (bound < 0)
        return NULL;
    if (bound == 0) {
        if (self->compute)
            return call_function(self, args, flagged, names);
        return raise_by_plan(self, "misuse", args, given,
                             names == NULL ? PyTuple_New(0) : Py_NewRef(names));
    }
    Py_ssize_t place = find_all(self, all, &outside);
    if (place == FT_LOOKUP_ABSENT && self->compute)
        return call_function(self, args, flagged, names);
    return answer(self, place, all, outside);
}

/* A call while the answers are collected: what is known already, else what the function says. */
static PyObject *call_meanwhile(const lookup_table *self, PyObject *const *args, size_t flagged,
                                PyObject *names)
{
    PyObject *all[MOST_DOMAINS];
    Py_ssize_t outside = 0;
    int bound = bind(self, args, PyVectorcall_NARGS(flagged), names, all);
    if (bound < 0)
        return NULL;
    if (bound > 0) {
        Py_ssize_t place = find_all(self, all, &outside);
        if (place == FT_LOOKUP_ERROR)
            return NULL;
        if (place >= 0 && self->growing != NULL && place < self->growing->used)
            return ft_answers_early(self->growing, place);
    }
    return call_function(self, args, flagged, names);
}

static PyObject *call_unbuilt(PyObject *object, PyObject *const *args, size_t flagged,
                              PyObject *names)
{
    lookup_table *self = (lookup_table *)object;
    if (!is_built(self) && PySet_GET_SIZE(self->builders) > 0)
        return call_meanwhile(self, args, flagged, names);
    return build(self) < 0 ? NULL : call_slowly(self, args, flagged, names);
}

static PyObject *call_one(PyObject *object, PyObject *const *args, size_t flagged, PyObject *names)
{
    lookup_table *self = (lookup_table *)object;
    if (PyVectorcall_NARGS(flagged) == 1 && names == NULL) {
        Py_ssize_t place = ft_lookup_domain_find(&self->parts[0], args[0]);
        if (place >= 0)
            return ft_answers_at(&self->answers, place);
        if (place == FT_LOOKUP_ERROR)
            return NULL;
        if (self->compute)
            return call_function(self, args, flagged, names);
        return answer(self, place, args, 0);
    }
    return call_slowly(self, args, flagged, names);
}

static PyObject *call_several(PyObject *object, PyObject *const *args, size_t flagged,
                              PyObject *names)
{
    lookup_table *self = (lookup_table *)object;
    if (PyVectorcall_NARGS(flagged) == self->arity && names == NULL) {
        Py_ssize_t outside, place = find_all(self, args, &outside);
        if (place == FT_LOOKUP_ABSENT && self->compute)
            return call_function(self, args, flagged, names);
        return answer(self, place, args, outside);
    }
    return call_slowly(self, args, flagged, names);
}

/* ---- making one ---- */

/* The domains, shape, strides and count. -1 with an exception. */
static int init_parts(lookup_table *self)
{
    Py_ssize_t arity = PyTuple_GET_SIZE(self->domains);
    if (arity < 1 || arity > MOST_DOMAINS || PyTuple_GET_SIZE(self->parameters) != arity ||
        PyTuple_GET_SIZE(self->defaults) > arity) {
        PyErr_SetString(PyExc_ValueError, "LookupTable() takes 1 to 64 domains, a name for each");
        return -1;
    }
    self->parts = PyMem_Calloc((size_t)arity, sizeof *self->parts);
    self->shape = PyMem_Calloc((size_t)arity, 2 * sizeof *self->shape);
    if (self->parts == NULL || self->shape == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->arity = arity;
    self->strides = self->shape + arity;
    self->count = 1;
    for (Py_ssize_t i = arity - 1; i >= 0; i--) {
        PyObject *domain = PyTuple_GET_ITEM(self->domains, i);
        if (ft_lookup_domain_init(&self->parts[i], domain) < 0)
            return -1;
        Py_ssize_t size = self->parts[i].count;
        self->shape[i] = size;
        self->strides[i] = self->count * (Py_ssize_t)sizeof(int64_t);
        if (size < 1 || size > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(int64_t) / self->count) {
            PyErr_SetString(PyExc_OverflowError, "LookupTable() has too many members");
            return -1;
        }
        self->count *= size;
    }
    return 0;
}

static PyObject *lookup_table_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"function", "domains", "parameters", "defaults", "attributes",
                            "plan",     "title",   "otherwise",  "compute",  NULL};
    PyObject *function, *domains, *parameters, *defaults, *attributes, *plan, *title;
    PyObject *otherwise = NULL;
    int compute = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO!O!O!O!OU|O!p", names, &function,
                                     &PyTuple_Type, &domains, &PyTuple_Type, &parameters,
                                     &PyTuple_Type, &defaults, &PyDict_Type, &attributes, &plan,
                                     &title, &PyTuple_Type, &otherwise, &compute))
        return NULL;
    lookup_table *self = (lookup_table *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    PyObject_GC_UnTrack(self); /* members have a __hash__: nobody sees it half made */
    self->vectorcall = call_unbuilt;
    self->function = Py_NewRef(function);
    self->domains = Py_NewRef(domains);
    self->parameters = Py_NewRef(parameters);
    self->defaults = Py_NewRef(defaults);
    self->plan = Py_NewRef(plan);
    self->title = Py_NewRef(title);
    self->compute = compute;
    if (otherwise != NULL && PyTuple_GET_SIZE(otherwise) > 0)
        self->otherwise = Py_NewRef(PyTuple_GET_ITEM(otherwise, 0));
    self->attributes = PyDict_Copy(attributes);
    self->builders = PySet_New(NULL);
    if (self->attributes == NULL || self->builders == NULL || init_parts(self) < 0)
        Py_CLEAR(self);
    else
        PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int lookup_table_traverse(PyObject *object, visitproc visit, void *arg)
{
    lookup_table *self = (lookup_table *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->function);
    Py_VISIT(self->domains);
    Py_VISIT(self->parameters);
    Py_VISIT(self->defaults);
    Py_VISIT(self->attributes);
    Py_VISIT(self->plan);
    Py_VISIT(self->otherwise);
    Py_VISIT(self->builders);
    Py_VISIT(self->answers.values);
    if (self->growing != NULL)
        Py_VISIT(self->growing->values);
    for (Py_ssize_t i = 0; i < self->arity; i++)
        Py_VISIT(self->parts[i].members);
    return 0;
}

/* Only the answers can be newer than the table, but for dicts, which clear themselves; so they are
 * what closes a cycle that nothing else would break. A finaliser that calls a cleared table has it
 * built again. Packed answers stay: memory that is exported must. */
static int lookup_table_clear(PyObject *object)
{
    lookup_table *self = (lookup_table *)object;
    self->vectorcall = call_unbuilt;
    if (self->answers.form == FT_ANSWERS_OBJECTS)
        ft_answers_fini(&self->answers);
    return 0;
}

static void lookup_table_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    lookup_table *self = (lookup_table *)object;
    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, lookup_table_dealloc); /* its function may be a table, and so on */
    if (self->weakly != NULL)
        PyObject_ClearWeakRefs(object);
    assert(self->growing == NULL); /* a builder holds a reference */
    Py_XDECREF(self->function);
    Py_XDECREF(self->domains);
    Py_XDECREF(self->parameters);
    Py_XDECREF(self->defaults);
    Py_XDECREF(self->attributes);
    Py_XDECREF(self->plan);
    Py_XDECREF(self->title);
    Py_XDECREF(self->otherwise);
    Py_XDECREF(self->builders);
    ft_answers_fini(&self->answers);
    for (Py_ssize_t i = 0; i < self->arity; i++)
        ft_lookup_domain_fini(&self->parts[i]);
    PyMem_Free(self->parts);
    PyMem_Free(self->shape);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

/* ---- what it is beside a function ---- */

static PyObject *lookup_table_repr(PyObject *object)
{
    return Py_NewRef(((lookup_table *)object)->title);
}

static Py_ssize_t lookup_table_length(PyObject *object)
{
    return ((lookup_table *)object)->count;
}

static int lookup_table_set_attribute(PyObject *object, PyObject *name, PyObject *value)
{
    (void)value;
    PyErr_Format(PyExc_AttributeError,
                 "%S is immutable, its attribute %R too: set it on the function before it is "
                 "decorated",
                 ((lookup_table *)object)->title, name);
    return -1;
}

static PyObject *lookup_table_values(PyObject *object, void *unused)
{
    (void)unused;
    lookup_table *self = (lookup_table *)object;
    return build(self) < 0 ? NULL : ft_answers_values(&self->answers);
}

static PyObject *lookup_table_dict(PyObject *object, void *unused)
{
    (void)unused;
    return PyDictProxy_New(((lookup_table *)object)->attributes);
}

/* By name, as a function. */
static PyObject *lookup_table_reduce(PyObject *object, PyObject *unused)
{
    (void)unused;
    PyObject *name = PyObject_GetAttrString(object, "__qualname__");
    if (name == NULL && PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Format(PyExc_TypeError, "%S has no name to pickle it by: pickle its values", object);
    return name;
}

static PyObject *lookup_table_build(PyObject *object, PyObject *unused)
{
    (void)unused;
    if (build((lookup_table *)object) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *lookup_table_sizeof(PyObject *object, PyObject *unused)
{
    (void)unused;
    lookup_table *self = (lookup_table *)object;
    size_t bytes = sizeof *self + ft_answers_bytes(&self->answers) +
                   (size_t)self->arity * (sizeof *self->parts + 2 * sizeof *self->shape);
    for (Py_ssize_t i = 0; i < self->arity; i++)
        bytes += ft_lookup_domain_bytes(&self->parts[i]);
    return PyLong_FromSize_t(bytes);
}

static int refuse_buffer(PyObject *object, const char *why)
{
    PyErr_Format(PyExc_BufferError, "%S %s", ((lookup_table *)object)->title, why);
    return -1;
}

static int lookup_table_buffer(PyObject *object, Py_buffer *view, int flags)
{
    static char ints[] = "q", floats[] = "d";
    lookup_table *self = (lookup_table *)object;
    view->obj = NULL;
    if (build(self) < 0)
        return -1;
    if (self->answers.packed == NULL)
        return refuse_buffer(object, "has no buffer, for its answers are neither all int of 64 "
                                     "bits nor all float: take them from its `values`");
    if ((flags & PyBUF_WRITABLE) != 0)
        return refuse_buffer(object, "can only be read: copy it to have one to write to");
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && self->arity > 1)
        return refuse_buffer(object, "is in the order of C, not of Fortran: copy it");
    bool shaped = (flags & PyBUF_ND) != 0;
    *view = (Py_buffer){
        .buf = self->answers.packed,
        .obj = Py_NewRef(object),
        .len = self->count * (Py_ssize_t)sizeof(int64_t),
        .itemsize = sizeof(int64_t),
        .readonly = 1,
        .ndim = shaped ? (int)self->arity : 1,
        .format = (flags & PyBUF_FORMAT) == 0             ? NULL
                  : self->answers.form == FT_ANSWERS_INTS ? ints
                                                          : floats,
        .shape = shaped ? self->shape : NULL,
        .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? self->strides : NULL,
    };
    return 0;
}

/* ---- the type ---- */

static PyMemberDef lookup_table_members[] = {
    {"domains", T_OBJECT_EX, offsetof(lookup_table, domains), READONLY,
     "A range or a tuple of members for each parameter."},
    {"__dictoffset__", T_PYSSIZET, offsetof(lookup_table, attributes), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(lookup_table, weakly), READONLY, NULL},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lookup_table, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef lookup_table_getset[] = {
    {"values", lookup_table_values, NULL,
     "All answers, flat, the last parameter counting fastest: a tuple.", NULL},
    {"__dict__", lookup_table_dict, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef lookup_table_methods[] = {
    {"__reduce__", lookup_table_reduce, METH_NOARGS, NULL},
    {"__sizeof__", lookup_table_sizeof, METH_NOARGS, NULL},
    {"_build", lookup_table_build, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(lookup_table_doc, "A function whose answers are all known: see fettle.table.");

static PyType_Slot lookup_table_slots[] = {
    {Py_tp_doc, (void *)lookup_table_doc},
    {Py_tp_new, (void *)lookup_table_new},
    {Py_tp_dealloc, (void *)lookup_table_dealloc},
    {Py_tp_traverse, (void *)lookup_table_traverse},
    {Py_tp_clear, (void *)lookup_table_clear},
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_repr, (void *)lookup_table_repr},
    {Py_tp_setattro, (void *)lookup_table_set_attribute},
    {Py_tp_members, lookup_table_members},
    {Py_tp_getset, lookup_table_getset},
    {Py_tp_methods, lookup_table_methods},
    {Py_sq_length, (void *)lookup_table_length},
    {Py_bf_getbuffer, (void *)lookup_table_buffer},
    {0, NULL},
};

static PyType_Spec lookup_table_spec = {
    .name = "fettle._core.LookupTable",
    .basicsize = sizeof(lookup_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lookup_table_slots,
};

int ft_lookup_table_type_add(PyObject *module, ft_module_state *state)
{
    (void)state;
    PyObject *type = PyType_FromModuleAndSpec(module, &lookup_table_spec, NULL);
    if (type == NULL)
        return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}
