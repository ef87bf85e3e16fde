/* SPDX-License-Identifier: Apache-2.0 */
/* memo.c: a function whose results are kept (see memo.h): making one, and what it is in a class. */
#include "glue/types/memo.h"

#include <structmember.h>

#include "glue/types/bound_memo.h"
#include "glue/types/memo_key.h"
#include "glue/types/shelf.h"

/* ---- making one ---- */

typedef struct arguments {
    PyObject *function, *maxsize, *info, *parameters, *key, *copy, *curve;
    const char *policy;
    double ttl, still, working;
    int typed, is_method, is_drop_in;
} arguments;

static int parse(arguments *given, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"function", "maxsize", "policy", "info",    "parameters",
                            "typed",    "ttl",     "key",    "copy",    "curve",
                            "still",    "working", "method", "drop_in", NULL};
    *given = (arguments){.key = Py_None, .copy = Py_None, .curve = Py_None};
    return PyArg_ParseTupleAndKeywords(
               args, kwargs, "OOzOO!|$pdOOOddpp:Memo", names, &given->function, &given->maxsize,
               &given->policy, &given->info, &PyDict_Type, &given->parameters, &given->typed,
               &given->ttl, &given->key, &given->copy, &given->curve, &given->still,
               &given->working, &given->is_method, &given->is_drop_in)
               ? 0
               : -1;
}

/* How large the table may be, by which policy. maxsize is None or an int that is not negative. */
static int set_size(ft_memo *self, const arguments *given)
{
    if (given->maxsize == Py_None) {
        self->most = FT_MEMO_UNBOUNDED;
        return 0;
    }
    Py_ssize_t size = PyNumber_AsSsize_t(given->maxsize, NULL); /* what is too large is clipped */
    if (size == -1 && PyErr_Occurred())
        return -1;
    self->most = size <= 0 ? 0 : size < FT_RESULTS_MOST ? (uint32_t)size : FT_RESULTS_MOST;
    if (self->most > 0 && given->policy != NULL)
        self->policy = ft_policy_find(given->policy);
    if (self->most > 0 && self->policy == NULL) {
        PyErr_Format(PyExc_ValueError, "there is no policy %s",
                     given->policy == NULL ? "None" : given->policy);
        return -1;
    }
    self->is_off = self->most == 0;
    return 0;
}

static PyObject *unless_none(PyObject *object)
{
    return object == Py_None ? NULL : Py_NewRef(object);
}

/* Seconds that can be counted: 0 for what is no number, or negative. */
static double within(double seconds)
{
    return seconds > FT_MEMO_LONGEST ? FT_MEMO_LONGEST : seconds > 0 ? seconds : 0;
}

static int set_fields(ft_memo *self, const arguments *given, ft_module_state *state)
{
    const double ns_per_second = 1e9;
    self->function = Py_NewRef(given->function);
    self->maxsize = Py_NewRef(given->maxsize);
    self->info = Py_NewRef(given->info);
    self->parameters = Py_NewRef(given->parameters);
    self->key_function = unless_none(given->key);
    self->copy = unless_none(given->copy);
    self->curve = unless_none(given->curve);
    self->mark = Py_NewRef(state->keyword_mark);
    self->shelf_name = Py_NewRef(state->shelf_name);
    self->shelf_type = (PyTypeObject *)Py_NewRef((PyObject *)state->shelf_type);
    self->slot_type = (PyTypeObject *)Py_NewRef((PyObject *)state->shelf_slot_type);
    self->bound_type = (PyTypeObject *)Py_NewRef((PyObject *)state->bound_memo_type);
    self->call_type = (PyTypeObject *)Py_NewRef((PyObject *)state->call_type);
    self->waits = &state->waits;
    self->ttl = (uint64_t)(within(given->ttl) * ns_per_second);
    self->patience = (ft_patience){within(given->still), within(given->working)};
    self->typed = given->typed;
    self->is_method = given->is_method && !self->is_off;
    self->is_drop_in = given->is_drop_in;
    self->vectorcall = ft_memo_vectorcall(self);
    return ft_memo_results_init(self, &self->results);
}

static PyObject *memo_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    arguments given;
    ft_module_state *state = ft_module_state_of(type);
    if (state == NULL || parse(&given, args, kwargs) < 0)
        return NULL;
    if (state->shelf_type == NULL) { /* the interpreter ends, and the module went first */
        PyErr_SetString(PyExc_RuntimeError, "fettle._core has been cleared");
        return NULL;
    }
    ft_memo *self = (ft_memo *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    PyObject_GC_UnTrack(self); /* maxsize may have an __index__: nobody sees it half made */
    ft_memo_table_init(&self->results.table, &ft_results_mem, NULL, FT_MEMO_UNBOUNDED, false);
    ft_hit_histogram_init(&self->histogram, &ft_results_mem);
    if (set_size(self, &given) < 0 || set_fields(self, &given, state) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int memo_traverse(PyObject *object, visitproc visit, void *arg)
{
    ft_memo *self = (ft_memo *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->function);
    Py_VISIT(self->dict);
    Py_VISIT(self->mark);
    Py_VISIT(self->key_function);
    Py_VISIT(self->copy);
    Py_VISIT(self->curve);
    Py_VISIT(self->info);
    Py_VISIT(self->parameters);
    Py_VISIT(self->maxsize);
    Py_VISIT(self->shelf_type);
    Py_VISIT(self->slot_type);
    Py_VISIT(self->bound_type);
    Py_VISIT(self->call_type);
    return ft_results_traverse(&self->results, visit, arg);
}

/* Puts None in the place of what was there, so that a call that comes all the same finds an object.
 */
static void put_none(PyObject **field)
{
    if (*field != NULL)
        Py_SETREF(*field, Py_NewRef(Py_None));
}

static int memo_clear(PyObject *object)
{
    ft_memo *self = (ft_memo *)object;
    ft_results_clear(&self->results);
    Py_CLEAR(self->dict);
    put_none(&self->function);
    put_none(&self->key_function);
    put_none(&self->copy);
    put_none(&self->info);
    return 0;
}

static void free_own(ft_memo *self)
{
    ft_results_fini(&self->results);
    ft_hit_histogram_fini(&self->histogram);
    ft_flights_fini(&self->flights);
}

static void memo_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_memo *self = (ft_memo *)object;
    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, memo_dealloc); /* results may be, or hold, another Memo, and so on */
    if (self->weakrefs != NULL)
        PyObject_ClearWeakRefs(object);
    memo_clear(object);
    free_own(self);
    Py_XDECREF(self->function);
    Py_XDECREF(self->mark);
    Py_XDECREF(self->key_function);
    Py_XDECREF(self->copy);
    Py_XDECREF(self->curve);
    Py_XDECREF(self->info);
    Py_XDECREF(self->parameters);
    Py_XDECREF(self->maxsize);
    Py_XDECREF(self->shelf_name);
    Py_XDECREF(self->shelf_type);
    Py_XDECREF(self->slot_type);
    Py_XDECREF(self->bound_type);
    Py_XDECREF(self->call_type);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

/* ---- a descriptor ---- */

static PyObject *memo_get(PyObject *descriptor, PyObject *object, PyObject *type)
{
    ft_memo *self = (ft_memo *)descriptor;
    (void)type;
    if (object == NULL || object == Py_None)
        return Py_NewRef(descriptor);
    return self->is_method ? ft_bound_memo_new(self, object) : PyMethod_New(descriptor, object);
}

/* Is what follows in a qualified name a dot and one name more? */
static bool is_name_after(PyObject *qualified, Py_ssize_t length)
{
    Py_ssize_t whole = PyUnicode_GET_LENGTH(qualified);
    return length < whole && PyUnicode_READ_CHAR(qualified, length) == '.' &&
           PyUnicode_FindChar(qualified, '.', length + 1, whole, 1) == -1;
}

/* Was the function written in the body of that class? 1, 0, or -1 with an exception. One without a
 * name that says so was not. */
static int is_of_class(const ft_memo *self, PyObject *owner)
{
    PyObject *ours = PyObject_GetAttrString(self->function, "__qualname__");
    PyObject *theirs = ours == NULL ? NULL : PyObject_GetAttrString(owner, "__qualname__");
    int result = -1;
    if (theirs == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        result = 0;
    } else if (theirs != NULL && !(PyUnicode_Check(ours) && PyUnicode_Check(theirs))) {
        result = 0;
    } else if (theirs != NULL) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(theirs);
        result = (int)PyUnicode_Tailmatch(ours, theirs, 0, PY_SSIZE_T_MAX, -1);
        if (result == 1)
            result = is_name_after(ours, length);
    }
    Py_XDECREF(ours);
    Py_XDECREF(theirs);
    return result;
}

/* It stands in a class body: what it computes depends on the instance. A function that is only
 * named there, and may be called elsewhere, stays one. */
PyObject *ft_memo_set_name(PyObject *object, PyObject *args)
{
    ft_memo *self = (ft_memo *)object;
    PyObject *owner, *name;
    if (!PyArg_ParseTuple(args, "OO:__set_name__", &owner, &name))
        return NULL;
    int is_of = self->is_drop_in || self->is_off ? 0 : is_of_class(self, owner);
    if (is_of < 0)
        return NULL;
    if (is_of) {
        self->is_method = true;
        self->vectorcall = ft_memo_vectorcall(self);
    }
    Py_RETURN_NONE;
}

static PyMemberDef memo_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(ft_memo, vectorcall), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(ft_memo, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ft_memo, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef memo_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(memo_doc, "Memo(function, maxsize, policy, info, parameters, *, ...)\n--\n\n"
                       "A function whose results are kept; fettle.cache makes them.");

static PyType_Slot memo_slots[] = {
    {Py_tp_doc, (void *)memo_doc},         {Py_tp_new, (void *)memo_new},
    {Py_tp_dealloc, (void *)memo_dealloc}, {Py_tp_traverse, (void *)memo_traverse},
    {Py_tp_clear, (void *)memo_clear},     {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_descr_get, (void *)memo_get},   {Py_tp_repr, (void *)ft_memo_repr},
    {Py_tp_members, memo_members},         {Py_tp_getset, memo_getset},
    {Py_tp_methods, ft_memo_methods},      {0, NULL},
};

static PyType_Spec memo_spec = {
    .name = "fettle._core.Memo",
    .basicsize = sizeof(ft_memo),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = memo_slots,
};

/* What is shared by all memos of an interpreter. */
static int fill_state(ft_module_state *state)
{
    state->keyword_mark = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    state->shelf_name = PyUnicode_InternFromString("__fettle__");
    return state->keyword_mark == NULL || state->shelf_name == NULL ? -1 : ft_flights_prepare();
}

/* fettle._core.policies: their names. */
static int add_policies(PyObject *module)
{
    PyObject *names = PyList_New(0), *tuple = NULL;
    for (const ft_policy *const *at = ft_policies; names != NULL && *at != NULL; at++) {
        PyObject *name = PyUnicode_FromString((*at)->name);
        if (name == NULL || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    if (names != NULL)
        tuple = PyList_AsTuple(names);
    int result = tuple == NULL ? -1 : PyModule_AddObjectRef(module, "policies", tuple);
    Py_XDECREF(names);
    Py_XDECREF(tuple);
    return result;
}

int ft_memo_type_add(PyObject *module, ft_module_state *state)
{
    if (fill_state(state) < 0 || add_policies(module) < 0 ||
        ft_shelf_types_add(module, state) < 0 || ft_bound_memo_type_add(module, state) < 0 ||
        ft_memo_call_type_add(module, state) < 0 || ft_memo_key_type_add(module, state) < 0)
        return -1;
    state->memo_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &memo_spec, NULL);
    return state->memo_type == NULL ? -1 : PyModule_AddType(module, state->memo_type);
}
