/* SPDX-License-Identifier: Apache-2.0 */
/* stored_function.c: fettle._core.StoredFunction. */
#include "glue/types/stored_function.h"

#include "engine/base/clock.h"
#include "glue/persist/call_plan.h"
#include "glue/persist/watched_names.h"
#include "glue/types/store.h"

#include <structmember.h>

enum { PREFIX_MOST = 64 };

typedef struct stored_function {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *store; /* a Store, or None: nothing is kept anywhere */
    PyObject *function;
    PyObject *handle;
    PyObject *attributes; /* a dict, that of the instance */
    PyObject *weakly;
    PyObject *functions; /* gives bytes for functions among the arguments */
    ft_call_plan plan;
    ft_watch watch;
    uint8_t prefix[PREFIX_MOST]; /* what says which function, and which code of it */
    Py_ssize_t prefix_length;    /* 0: not settled yet */
    uint64_t ttl_ns;             /* 0: results live for ever */
    ft_view view;
    bool validates; /* the handle is asked whether a result is still good */
    uint64_t hits, saved_ns;
} stored_function;

/* ---- is the code still the same? ---- */

/* A namespace may have keys whose own code runs when a name is looked up, and it may settle anew:
 * meanwhile the watch is out of its reach, and nothing is settled. */
static bool looks_settled(stored_function *self)
{
    ft_watch watch = self->watch;
    Py_ssize_t length = self->prefix_length;
    self->watch = (ft_watch){.namespaces = NULL};
    self->prefix_length = 0;
    bool holds = ft_watch_holds(&watch);
    if (self->watch.namespaces == NULL) {
        self->watch = watch;
        self->prefix_length = holds ? length : 0;
    } else {
        ft_watch_fini(&watch);
    }
    return self->prefix_length > 0;
}

static bool is_settled(stored_function *self)
{
    return self->prefix_length > 0 && (ft_watch_is_unchanged(&self->watch) || looks_settled(self));
}

/* settle(prefix, watched, missing): the code's identity, and what it rests on. */
static PyObject *function_settle(PyObject *object, PyObject *args)
{
    stored_function *self = (stored_function *)object;
    const char *prefix;
    Py_ssize_t length;
    PyObject *rows, *missing;
    if (!PyArg_ParseTuple(args, "y#OO:settle", &prefix, &length, &rows, &missing))
        return NULL;
    if (length < 1 || length > PREFIX_MOST)
        return PyErr_Format(PyExc_ValueError, "a prefix is 1 to %d bytes", PREFIX_MOST);
    ft_watch watch;
    if (ft_watch_init(&watch, rows, missing) < 0)
        return NULL;
    ft_watch before = self->watch;
    self->watch = watch;
    memcpy(self->prefix, prefix, (size_t)length);
    self->prefix_length = length;
    ft_watch_fini(&before); /* last: it may run the program's code */
    Py_RETURN_NONE;
}

/* The handle settles anew. 0, 1: it can not be told which code it is, nothing is kept; or -1 with
 * an exception. */
static int settle_anew(stored_function *self)
{
    self->prefix_length = 0;
    PyObject *done = PyObject_CallMethod(self->handle, "settle", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : self->prefix_length == 0;
}

static int settle_if_needed(stored_function *self)
{
    return is_settled(self) ? 0 : settle_anew(self);
}

/* ---- keys ---- */

/* 0, 1: the arguments do not fit, -1 with an exception. */
static int key_of(stored_function *self, const ft_secret *secret, PyObject *const *args,
                  Py_ssize_t count, PyObject *names, ft_digest *key)
{
    ft_digester digester;
    ft_digest_context context;
    ft_module_state *state = ft_module_state_of(Py_TYPE((PyObject *)self));
    if (state == NULL) /* the interpreter ends, and its modules are gone */
        PyErr_Clear();
    if (state == NULL || self->prefix_length == 0) /* another thread settles it anew now */
        return 1;
    ft_digester_init(&digester, secret);
    ft_digester_feed(&digester, self->prefix, (size_t)self->prefix_length);
    ft_digest_context_init(&context, state, self->functions);
    int result = ft_call_plan_digest(&self->plan, &digester, &context, args, count, names);
    if (result == 0)
        *key = ft_digester_result(&digester);
    return result;
}

/* ---- a call ---- */

/* What the handle's methods take of a call: its keyword arguments as a dict or None. */
static PyObject *keywords_of(PyObject *const *values, PyObject *names)
{
    if (names == NULL || PyTuple_GET_SIZE(names) == 0)
        return Py_NewRef(Py_None);
    PyObject *keywords = PyDict_New();
    for (Py_ssize_t i = 0; keywords != NULL && i < PyTuple_GET_SIZE(names); i++)
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), values[i]) < 0)
            Py_CLEAR(keywords);
    return keywords;
}

static PyObject *arguments_of(PyObject *const *args, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    return tuple;
}

/* handle.METHOD(first, args, keywords); takes first, which may be NULL with an exception. */
static PyObject *ask_handle(stored_function *self, const char *method, PyObject *first,
                            PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *tuple = first == NULL ? NULL : arguments_of(args, count);
    PyObject *keywords = tuple == NULL ? NULL : keywords_of(args + count, names);
    PyObject *result = NULL;
    if (keywords != NULL)
        result = PyObject_CallMethod(self->handle, method, "OOO", first, tuple, keywords);
    Py_XDECREF(first);
    Py_XDECREF(tuple);
    Py_XDECREF(keywords);
    return result;
}

static bool has_expired(const stored_function *self, const ft_entry *entry)
{
    if (self->ttl_ns == 0)
        return false;
    uint64_t now = ft_clock_ns(CLOCK_REALTIME);
    /* of a clock that was set back since, nobody knows how old the result is */
    return now < entry->created_ns || now - entry->created_ns >= self->ttl_ns;
}

/* Is a result that was found still to be used? 1, 0, -1 with an exception. */
static int is_good(stored_function *self, const ft_entry *entry, PyObject *const *args,
                   Py_ssize_t count, PyObject *names)
{
    if (has_expired(self, entry))
        return 0;
    if (!self->validates)
        return 1;
    PyObject *answer = ask_handle(self, "valid", ft_store_entry_tuple(entry), args, count, names);
    int good = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return good;
}

/* 1 with *value, 0, -1 with an exception. */
static int look(stored_function *self, ft_digest key, PyObject *const *args, Py_ssize_t count,
                PyObject *names, PyObject **value)
{
    ft_entry entry;
    int found = ft_store_value(self->store, key, self->view, value, &entry);
    if (found <= 0)
        return found;
    int good = is_good(self, &entry, args, count, names);
    if (good <= 0) {
        Py_CLEAR(*value);
        return good;
    }
    self->hits++;
    self->saved_ns += entry.cost_ns;
    return 1;
}

/* The store, or NULL where nothing can be had of it, which the handle is told; NULL with an
 * exception where that fails. */
static ft_store *open_store(stored_function *self)
{
    ft_store *store = ft_store_of(self->store);
    if (store != NULL || !PyErr_ExceptionMatches(PyExc_Exception))
        return store;
    PyErr_Clear();
    PyObject *told = PyObject_CallMethod(self->handle, "unusable", NULL);
    Py_XDECREF(told);
    return NULL;
}

static PyObject *call_plainly(stored_function *self, PyObject *const *args, size_t flagged,
                              PyObject *names)
{
    return PyErr_Occurred() ? NULL : PyObject_Vectorcall(self->function, args, flagged, names);
}

/* Computes and keeps without a frame of Python's besides the function's own: for calls within calls
 * within calls, which would come to the end of the stack so much sooner. */
static PyObject *compute_here(stored_function *self, PyObject *key, PyObject *const *args,
                              size_t flagged, PyObject *names)
{
    uint64_t begun = ft_clock_ns(CLOCK_MONOTONIC);
    PyObject *value = PyObject_Vectorcall(self->function, args, flagged, names);
    if (value == NULL)
        return NULL;
    double cost = (double)(ft_clock_ns(CLOCK_MONOTONIC) - begun) * 1e-9;
    PyObject *kept = PyObject_CallMethod(self->handle, "keep", "OOd", key, value, cost);
    if (kept == NULL)
        Py_CLEAR(value);
    Py_XDECREF(kept);
    return value;
}

static PyObject *function_vectorcall(PyObject *object, PyObject *const *args, size_t flagged,
                                     PyObject *names)
{
    stored_function *self = (stored_function *)object;
    Py_ssize_t count = PyVectorcall_NARGS(flagged);
    PyObject *value;
    ft_digest key;
    int unsettled = self->store == Py_None ? 1 : settle_if_needed(self);
    if (unsettled != 0)
        return unsettled < 0 ? NULL : PyObject_Vectorcall(self->function, args, flagged, names);
    ft_store *store = open_store(self);
    if (store == NULL)
        return call_plainly(self, args, flagged, names);
    PyObject *held = Py_NewRef(self->store); /* the arguments' own code may run, and end it */
    ft_store_hold(held);
    int keyed = key_of(self, ft_store_secret(store), args, count, names, &key);
    ft_store_let_go(held);
    Py_DECREF(held);
    if (keyed < 0)
        return NULL;
    if (keyed > 0 || open_store(self) == NULL)
        return call_plainly(self, args, flagged, names);
    int found = look(self, key, args, count, names, &value);
    if (found != 0)
        return found < 0 ? NULL : value;
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)&key, sizeof key);
    PyObject *result = ask_handle(self, "miss", Py_XNewRef(bytes), args, count, names);
    if (result != NULL && result == self->handle)
        Py_SETREF(result, compute_here(self, bytes, args, flagged, names));
    Py_XDECREF(bytes);
    return result;
}

/* Fills in a secret: grown from seed, or the store's where there is none. 0, 1: it has none, -1. */
static int read_secret(stored_function *self, PyObject *seed, ft_secret *secret)
{
    uint8_t bytes[FT_SEED_BYTES] = {0};
    if (seed == Py_None) {
        ft_store *store = open_store(self);
        if (store != NULL)
            *secret = *ft_store_secret(store);
        return store != NULL ? 0 : PyErr_Occurred() ? -1 : 1;
    }
    if (!PyBytes_Check(seed) || PyBytes_GET_SIZE(seed) != FT_SEED_BYTES) {
        PyErr_SetString(PyExc_TypeError, "a seed is 32 bytes");
        return -1;
    }
    memcpy(bytes, PyBytes_AS_STRING(seed), FT_SEED_BYTES);
    ft_secret_init(secret, bytes);
    return 0;
}

/* As key_of, of a tuple and a dict or None. */
static int key_of_call(stored_function *self, const ft_secret *secret, PyObject *args,
                       PyObject *keywords, ft_digest *key)
{
    ft_flat_call call;
    PyObject *named = keywords == Py_None ? PyDict_New() : Py_NewRef(keywords);
    int keyed = named == NULL ? -1 : ft_flat_call_init(&call, args, named);
    Py_XDECREF(named);
    if (keyed < 0)
        return -1;
    keyed = key_of(self, secret, call.values, call.count, call.names, key);
    ft_flat_call_fini(&call);
    return keyed;
}

/* key(args, keywords, seed=None): its bytes, or None where the arguments do not fit. */
static PyObject *function_key(PyObject *object, PyObject *arguments)
{
    stored_function *self = (stored_function *)object;
    PyObject *tuple, *keywords, *seed = Py_None;
    ft_secret secret;
    ft_digest key;
    if (!PyArg_ParseTuple(arguments, "O!O|O:key", &PyTuple_Type, &tuple, &keywords, &seed))
        return NULL;
    int keyed = self->store == Py_None ? 1 : settle_if_needed(self);
    if (keyed == 0)
        keyed = read_secret(self, seed, &secret);
    if (keyed == 0)
        keyed = key_of_call(self, &secret, tuple, keywords, &key);
    if (keyed > 0)
        Py_RETURN_NONE;
    return keyed < 0 ? NULL : PyBytes_FromStringAndSize((const char *)&key, sizeof key);
}

/* look(key, args, keywords): (value, seconds it cost), or None. */
static PyObject *function_look(PyObject *object, PyObject *arguments)
{
    stored_function *self = (stored_function *)object;
    PyObject *tuple, *keywords;
    const char *bytes;
    Py_ssize_t length;
    ft_entry entry;
    ft_digest key;
    if (!PyArg_ParseTuple(arguments, "y#O!O:look", &bytes, &length, &PyTuple_Type, &tuple,
                          &keywords))
        return NULL;
    if (length != sizeof key)
        return PyErr_Format(PyExc_TypeError, "a key is 16 bytes");
    memcpy(&key, bytes, sizeof key);
    PyObject *value = NULL, *answer = Py_NewRef(Py_True);
    int found =
        self->store == Py_None ? 0 : ft_store_value(self->store, key, self->view, &value, &entry);
    if (found == 1 && has_expired(self, &entry))
        found = 0;
    if (found == 1 && self->validates) {
        PyObject *tuple_of = ft_store_entry_tuple(&entry);
        Py_SETREF(answer, tuple_of == NULL ? NULL
                                           : PyObject_CallMethod(self->handle, "valid", "NOO",
                                                                 tuple_of, tuple, keywords));
        found = answer == NULL ? -1 : PyObject_IsTrue(answer);
    }
    Py_XDECREF(answer);
    if (found == 1)
        return Py_BuildValue("Nd", value, (double)entry.cost_ns * 1e-9);
    Py_XDECREF(value);
    if (found < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* (hits, seconds saved) since the last time. */
static PyObject *function_counts(PyObject *object, PyObject *unused)
{
    stored_function *self = (stored_function *)object;
    (void)unused;
    PyObject *counts =
        Py_BuildValue("Kd", (unsigned long long)self->hits, (double)self->saved_ns * 1e-9);
    if (counts != NULL)
        self->hits = self->saved_ns = 0;
    return counts;
}

/* A hit that was found elsewhere: by waiting, or remote. */
static PyObject *function_add_hit(PyObject *object, PyObject *saved)
{
    stored_function *self = (stored_function *)object;
    double seconds = PyFloat_AsDouble(saved);
    if (PyErr_Occurred())
        return NULL;
    self->hits++;
    self->saved_ns += seconds > 0 && seconds < 9e9 ? (uint64_t)(seconds * 1e9) : 0;
    Py_RETURN_NONE;
}

/* ---- the object ---- */

static int read_options(stored_function *self, PyObject *name, PyObject *parameters, int view,
                        double ttl)
{
    if (view < FT_VIEW_COPY || view > FT_VIEW_SHARED) {
        PyErr_SetString(PyExc_ValueError, "a view is 0, 1 or 2");
        return -1;
    }
    self->view = (ft_view)view;
    self->ttl_ns = ttl > 0 && ttl < 9e9 ? (uint64_t)(ttl * 1e9) + 1 : 0;
    return ft_call_plan_init(&self->plan, name, parameters);
}

static PyObject *function_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"store", "function", "handle",    "name",      "parameters",
                            "view",  "ttl",      "validates", "functions", NULL};
    PyObject *store, *function, *handle, *name, *parameters, *functions = Py_None;
    int view = FT_VIEW_PRIVATE, validates = 0;
    double ttl = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOOUO!|idpO:StoredFunction", names, &store,
                                     &function, &handle, &name, &PyTuple_Type, &parameters, &view,
                                     &ttl, &validates, &functions))
        return NULL;
    const ft_module_state *state = ft_module_state_of(type);
    if (store != Py_None && !Py_IS_TYPE(store, state->store_type)) {
        PyErr_SetString(PyExc_TypeError, "store must be a Store or None");
        return NULL;
    }
    stored_function *self = (stored_function *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->vectorcall = function_vectorcall;
    self->store = Py_NewRef(store);
    self->function = Py_NewRef(function);
    self->handle = Py_NewRef(handle);
    self->functions = Py_NewRef(functions);
    self->validates = validates;
    self->attributes = PyDict_New();
    if (self->attributes == NULL || read_options(self, name, parameters, view, ttl) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int function_traverse(PyObject *object, visitproc visit, void *arg)
{
    stored_function *self = (stored_function *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->store);
    Py_VISIT(self->function);
    Py_VISIT(self->handle);
    Py_VISIT(self->functions);
    Py_VISIT(self->attributes);
    int result = ft_watch_traverse(&self->watch, visit, arg);
    if (result != 0)
        return result;
    return ft_call_plan_traverse(&self->plan, visit, arg);
}

static int function_clear(PyObject *object)
{
    stored_function *self = (stored_function *)object;
    ft_watch watch = self->watch;
    self->watch = (ft_watch){.namespaces = NULL};
    /* Called after this, by a finaliser: it calls the function. */
    Py_XSETREF(self->store, Py_NewRef(Py_None));
    Py_XSETREF(self->handle, Py_NewRef(Py_None));
    Py_XSETREF(self->functions, Py_NewRef(Py_None));
    Py_XSETREF(self->function, Py_NewRef(Py_None));
    Py_CLEAR(self->attributes);
    ft_call_plan_fini(&self->plan);
    ft_watch_fini(&watch);
    return 0;
}

static void function_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    stored_function *self = (stored_function *)object;
    PyObject_GC_UnTrack(object);
    if (self->weakly != NULL)
        PyObject_ClearWeakRefs(object);
    function_clear(object);
    Py_CLEAR(self->store);
    Py_CLEAR(self->handle);
    Py_CLEAR(self->functions);
    Py_CLEAR(self->function);
    type->tp_free(object);
    Py_DECREF(type);
}

/* What the object has not, its handle may have. */
static PyObject *function_getattro(PyObject *object, PyObject *name)
{
    const stored_function *self = (const stored_function *)object;
    PyObject *found = PyObject_GenericGetAttr(object, name);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError) || self->handle == NULL)
        return found;
    PyErr_Clear();
    return PyObject_GetAttr(self->handle, name);
}

static PyObject *function_descr_get(PyObject *object, PyObject *instance, PyObject *owner)
{
    (void)owner;
    if (instance == NULL || instance == Py_None)
        return Py_NewRef(object);
    return PyObject_CallMethod(((stored_function *)object)->handle, "bind", "O", instance);
}

/* By its name, as functions are; the handle knows when it takes more. */
static PyObject *function_reduce(PyObject *object, PyObject *unused)
{
    (void)unused;
    return PyObject_CallMethod(((stored_function *)object)->handle, "pickled", NULL);
}

static PyObject *function_same(PyObject *object, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(object);
}

static PyObject *function_repr(PyObject *object)
{
    const stored_function *self = (const stored_function *)object;
    return PyUnicode_FromFormat("<stored %R>", self->function);
}

static PyMethodDef function_methods[] = {
    {"settle", function_settle, METH_VARARGS,
     "settle(prefix, watched, missing): what tells this function's code from others, and the "
     "objects that must stay what they are for it."},
    {"key", function_key, METH_VARARGS,
     "key(args, keywords, seed=None): the key of a call, or None. seed: 32 bytes, instead of what "
     "the "
     "store was made with."},
    {"look", function_look, METH_VARARGS,
     "look(key, args, keywords): (value, seconds it cost), if it is kept and good; else None."},
    {"counts", function_counts, METH_NOARGS, "(hits, seconds saved) since the last time."},
    {"add_hit", function_add_hit, METH_O, "Count a hit that saved so many seconds."},
    {"__reduce__", function_reduce, METH_NOARGS, NULL},
    {"__copy__", function_same, METH_NOARGS, NULL},
    {"__deepcopy__", function_same, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef function_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(stored_function, vectorcall), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(stored_function, attributes), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(stored_function, weakly), READONLY, NULL},
    {"handle", T_OBJECT, offsetof(stored_function, handle), READONLY, NULL},
    {"store", T_OBJECT, offsetof(stored_function, store), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef function_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot function_slots[] = {
    {Py_tp_new, (void *)function_new},
    {Py_tp_dealloc, (void *)function_dealloc},
    {Py_tp_traverse, (void *)function_traverse},
    {Py_tp_clear, (void *)function_clear},
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_getattro, (void *)function_getattro},
    {Py_tp_descr_get, (void *)function_descr_get},
    {Py_tp_repr, (void *)function_repr},
    {Py_tp_methods, function_methods},
    {Py_tp_members, function_members},
    {Py_tp_getset, function_getset},
    {Py_tp_doc, "A function whose results lie in a Store."},
    {0, NULL},
};

static PyType_Spec function_spec = {
    .name = "fettle._core.StoredFunction",
    .basicsize = sizeof(stored_function),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = function_slots,
};

int ft_stored_function_type_add(PyObject *module, ft_module_state *state)
{
    state->stored_function_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &function_spec, NULL);
    return state->stored_function_type == NULL
               ? -1
               : PyModule_AddType(module, state->stored_function_type);
}
