/* SPDX-License-Identifier: Apache-2.0 */
/* memo.c: a function whose results are kept (see memo.h): calls, and making one. */
#include "glue/types/memo.h"

#include <structmember.h>

#include "engine/base/clock.h"
#include "glue/types/bound_memo.h"
#include "glue/types/shelf.h"

/* A call as it came, for the function. */
typedef struct request {
    PyObject *const *args;
    size_t nargsf;
    PyObject *names;
} request;

/* ---- how long computations take ---- */

enum { STRIDE = 16, QUICK_NS = 10000 }; /* reading the clock twice is then a hundredth at most */

static inline uint64_t stopwatch_begin(ft_stopwatch *watch)
{
    if (watch->untimed > 0) {
        watch->untimed--;
        return 0;
    }
    return ft_clock_ns(CLOCK_MONOTONIC);
}

/* begun 0: it was not timed. */
static inline void stopwatch_end(ft_stopwatch *watch, uint64_t begun)
{
    if (begun == 0)
        return;
    uint64_t ns = ft_clock_ns(CLOCK_MONOTONIC) - begun;
    uint32_t stands_for = ns < QUICK_NS ? STRIDE : 1;
    watch->ns += ns * stands_for;
    watch->calls += stands_for;
    watch->untimed = stands_for - 1;
}

/* ---- keys and results ---- */

void ft_memo_results_init(const ft_memo *memo, ft_results *results)
{
    *results = (ft_results){.before = NULL};
    ft_memo_table_init(&results->table, &ft_results_mem, memo->policy, memo->most, memo->ttl > 0);
}

/* A coarse clock is off by some ms and ten times as quick to read. */
uint64_t ft_memo_now(const ft_memo *memo)
{
    const uint64_t coarse_enough = 500000000;
    if (memo->ttl == 0)
        return 0;
    return ft_clock_ns(memo->ttl >= coarse_enough ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC);
}

static uint64_t end_of_new(const ft_memo *memo)
{
    return memo->ttl == 0 ? FT_MEMO_NEVER : ft_memo_now(memo) + memo->ttl;
}

static bool is_over(const ft_memo *memo, const ft_results *results, uint32_t number)
{
    return memo->ttl > 0 && results->table.stamps[number] <= ft_memo_now(memo);
}

int ft_memo_ask(ft_memo *memo, ft_memo_question *question, const ft_call *call)
{
    ft_call asked = *call;
    *question = (ft_memo_question){.results = &memo->results};
    if (memo->key_function != NULL) {
        question->made =
            PyObject_Vectorcall(memo->key_function, call->args, (size_t)call->count, call->names);
        if (question->made == NULL)
            return -1;
    }
    if (memo->is_method && call->count > 0 && !PyType_Check(call->args[0])) {
        question->results = ft_shelf_results(memo, call->args[0], &question->holder);
        if (question->results == NULL)
            return -1;
        asked.args++;
        asked.count--;
    }
    if (question->made != NULL)
        return ft_call_key_one(&question->key, &question->made);
    return ft_call_key_any(&question->key, &question->items, &asked, memo->typed, memo->mark);
}

uint32_t ft_memo_find(const ft_memo *memo, const ft_memo_question *question)
{
    uint32_t number = ft_results_find(question->results, &question->key);
    if (number < FT_RESULTS_FAILED && is_over(memo, question->results, number))
        return FT_MEMO_NONE;
    return number;
}

int ft_memo_keep(const ft_memo *memo, const ft_memo_question *question, PyObject *kept,
                 PyObject *value)
{
    uint32_t number = ft_results_find(question->results, &question->key);
    if (number == FT_RESULTS_FAILED)
        return -1;
    uint64_t stamp = end_of_new(memo);
    if (number == FT_MEMO_NONE)
        ft_results_add(question->results, question->key.hash, kept, value, stamp);
    else if (is_over(memo, question->results, number))
        ft_results_replace(question->results, number, value, stamp);
    return 0;
}

/* ---- a call ---- */

/* A value as the caller gets it; takes over the reference. */
static PyObject *handed_out(const ft_memo *self, PyObject *value)
{
    if (self->copy == NULL || value == NULL)
        return value;
    PyObject *copy = PyObject_CallOneArg(self->copy, value);
    Py_DECREF(value);
    return copy;
}

static inline PyObject *hit(ft_results *results, uint32_t number)
{
    results->counts.hits++;
    ft_memo_table_hit(&results->table, number);
    return Py_NewRef(ft_results_value(results, number));
}

/* Computes, keeps, and wakes who waited. The first to have computed a key keeps it: who finds it
 * there gives its own result and leaves it, as lru_cache does. */
static PyObject *compute(ft_memo *self, const ft_memo_question *question, const request *call)
{
    PyObject *kept = ft_call_key_keep(&question->key), *shared = NULL;
    if (kept == NULL)
        return NULL;
    ft_flight *flight = NULL;
    if (self->patience.still > 0)
        flight = ft_flights_begin(&self->flights, question->results, question->key.hash, kept);
    uint64_t version = question->results->table.version;
    question->results->counts.misses++;
    uint64_t begun = stopwatch_begin(&self->stopwatch);
    PyObject *value = PyObject_Vectorcall(self->function, call->args, call->nargsf, call->names);
    if (value != NULL) {
        stopwatch_end(&self->stopwatch, begun);
        shared = handed_out(self, Py_NewRef(value));
        bool is_new = question->results->table.version == version && self->ttl == 0;
        if (shared == NULL)
            Py_CLEAR(value);
        else if (is_new)
            ft_results_add(question->results, question->key.hash, kept, shared, FT_MEMO_NEVER);
        else if (ft_memo_keep(self, question, kept, shared) < 0)
            Py_CLEAR(value);
    }
    ft_flights_land(&self->flights, flight, value == NULL ? NULL : shared);
    Py_XDECREF(shared);
    Py_DECREF(kept);
    return value;
}

/* The key is not there: waits for who computes it, or does it. */
static PyObject *miss(ft_memo *self, const ft_memo_question *question, const request *call)
{
    while (self->patience.still > 0 && ft_flights_may_be(&self->flights, question->key.hash)) {
        PyObject *value;
        uint64_t version = question->results->table.version;
        ft_waited waited = ft_flights_wait(&self->flights, question->results, &question->key,
                                           self->patience, self->waits, &value);
        if (waited == FT_WAITED_FAILED)
            return NULL;
        if (waited == FT_WAITED_VALUE) {
            question->results->counts.hits++;
            question->results->counts.waited++;
            return handed_out(self, value);
        }
        uint32_t number = FT_MEMO_NONE;
        if (question->results->table.version != version) /* it may have come another way */
            number = ft_memo_find(self, question);
        if (number == FT_RESULTS_FAILED)
            return NULL;
        if (number != FT_MEMO_NONE)
            return handed_out(self, hit(question->results, number));
        if (waited == FT_WAITED_NOT)
            break;
    }
    return compute(self, question, call);
}

static PyObject *call_general(PyObject *callable, PyObject *const *args, size_t nargsf,
                              PyObject *names)
{
    ft_memo *self = (ft_memo *)callable;
    ft_memo_question question;
    PyObject *result = NULL;
    ft_call call = {args, PyVectorcall_NARGS(nargsf), names};
    if (ft_memo_ask(self, &question, &call) == 0) {
        uint32_t number = ft_memo_find(self, &question);
        if (number < FT_RESULTS_FAILED)
            result = handed_out(self, hit(question.results, number));
        else if (number == FT_MEMO_NONE)
            result = miss(self, &question, &(request){args, nargsf, names});
    }
    ft_memo_asked(&question);
    return result;
}

static PyObject *plain_miss(ft_memo *self, const ft_call_key *key, PyObject *const *args,
                            size_t nargsf)
{
    ft_memo_question question = {.results = &self->results, .key = *key};
    return miss(self, &question, &(request){args, nargsf, NULL});
}

/* A function with nothing but a size: what most are. */
static PyObject *call_plain(PyObject *callable, PyObject *const *args, size_t nargsf,
                            PyObject *names)
{
    ft_memo *self = (ft_memo *)callable;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    ft_call_key key;
    if (names != NULL)
        return call_general(callable, args, nargsf, names);
    if ((count == 1 ? ft_call_key_one(&key, args) : ft_call_key_items(&key, args, count)) < 0)
        return NULL;
    uint32_t number = ft_results_find(&self->results, &key);
    if (number < FT_RESULTS_FAILED)
        return hit(&self->results, number);
    return number == FT_RESULTS_FAILED ? NULL : plain_miss(self, &key, args, nargsf);
}

/* maxsize=0: nothing is kept. */
static PyObject *call_uncached(PyObject *callable, PyObject *const *args, size_t nargsf,
                               PyObject *names)
{
    ft_memo *self = (ft_memo *)callable;
    self->results.counts.misses++;
    return PyObject_Vectorcall(self->function, args, nargsf, names);
}

PyObject *ft_memo_call(ft_memo *memo, PyObject *receiver, PyObject *const *args, size_t nargsf,
                       PyObject *names)
{
    enum { FEW = 8 };
    PyObject *few[FEW], **all = few;
    Py_ssize_t given = PyVectorcall_NARGS(nargsf) + (names == NULL ? 0 : PyTuple_GET_SIZE(names));
    if (given + 1 > FEW && (all = PyMem_New(PyObject *, given + 1)) == NULL)
        return PyErr_NoMemory();
    all[0] = receiver;
    if (given > 0)
        memcpy(all + 1, args, (size_t)given * sizeof *all);
    size_t count = (size_t)PyVectorcall_NARGS(nargsf) + 1;
    PyObject *result = memo->vectorcall((PyObject *)memo, all, count, names);
    if (all != few)
        PyMem_Free(all);
    return result;
}

/* ---- making one ---- */

typedef struct arguments {
    PyObject *function, *maxsize, *info, *parameters, *key, *copy;
    const char *policy;
    double ttl, still, working;
    int typed, is_method, is_drop_in;
} arguments;

static int parse(arguments *given, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"function", "maxsize", "policy",  "info", "parameters",
                            "typed",    "ttl",     "key",     "copy", "still",
                            "working",  "method",  "drop_in", NULL};
    *given = (arguments){.key = Py_None, .copy = Py_None};
    return PyArg_ParseTupleAndKeywords(
               args, kwargs, "OOzOO!|$pdOOddpp:Memo", names, &given->function, &given->maxsize,
               &given->policy, &given->info, &PyDict_Type, &given->parameters, &given->typed,
               &given->ttl, &given->key, &given->copy, &given->still, &given->working,
               &given->is_method, &given->is_drop_in)
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
    self->policy = self->most == 0 ? NULL : ft_policy_find(given->policy);
    if (self->most > 0 && self->policy == NULL) {
        PyErr_Format(PyExc_ValueError, "there is no policy %s", given->policy);
        return -1;
    }
    self->is_off = self->most == 0;
    if (self->is_off)
        self->vectorcall = call_uncached;
    return 0;
}

static PyObject *unless_none(PyObject *object)
{
    return object == Py_None ? NULL : Py_NewRef(object);
}

static void set_fields(ft_memo *self, const arguments *given, ft_module_state *state)
{
    const double ns_per_second = 1e9;
    self->function = Py_NewRef(given->function);
    self->maxsize = Py_NewRef(given->maxsize);
    self->info = Py_NewRef(given->info);
    self->parameters = Py_NewRef(given->parameters);
    self->key_function = unless_none(given->key);
    self->copy = unless_none(given->copy);
    self->mark = Py_NewRef(state->keyword_mark);
    self->shelf_name = Py_NewRef(state->shelf_name);
    self->shelf_type = (PyTypeObject *)Py_NewRef((PyObject *)state->shelf_type);
    self->slot_type = (PyTypeObject *)Py_NewRef((PyObject *)state->shelf_slot_type);
    self->bound_type = (PyTypeObject *)Py_NewRef((PyObject *)state->bound_memo_type);
    self->call_type = (PyTypeObject *)Py_NewRef((PyObject *)state->call_type);
    self->waits = &state->waits;
    self->ttl = (uint64_t)(given->ttl * ns_per_second);
    self->patience = (ft_patience){given->still, given->working};
    self->typed = given->typed;
    self->is_method = given->is_method;
    self->is_drop_in = given->is_drop_in;
    bool plain = !(self->typed || self->is_method || self->key_function != NULL ||
                   self->copy != NULL || self->ttl > 0);
    if (self->vectorcall == NULL)
        self->vectorcall = plain ? call_plain : call_general;
    ft_memo_results_init(self, &self->results);
}

static PyObject *memo_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    arguments given;
    ft_module_state *state = ft_module_state_of(type);
    if (state == NULL || parse(&given, args, kwargs) < 0)
        return NULL;
    ft_memo *self = (ft_memo *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    ft_memo_table_init(&self->results.table, &ft_results_mem, NULL, FT_MEMO_UNBOUNDED, false);
    if (set_size(self, &given) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    set_fields(self, &given, state);
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
    Py_VISIT(self->info);
    Py_VISIT(self->parameters);
    Py_VISIT(self->maxsize);
    Py_VISIT(self->shelf_type);
    Py_VISIT(self->slot_type);
    Py_VISIT(self->bound_type);
    Py_VISIT(self->call_type);
    return ft_results_traverse(&self->results, visit, arg);
}

/* What a call needs stays: the caller of a function that calls itself may hold the last reference
 * to it. What is cleared is where cycles pass through. */
static int memo_clear(PyObject *object)
{
    ft_memo *self = (ft_memo *)object;
    ft_results_clear(&self->results);
    Py_CLEAR(self->dict);
    return 0;
}

static void memo_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_memo *self = (ft_memo *)object;
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL)
        PyObject_ClearWeakRefs(object);
    memo_clear(object);
    ft_memo_table_fini(&self->results.table);
    ft_flights_fini(&self->flights);
    Py_XDECREF(self->function);
    Py_XDECREF(self->mark);
    Py_XDECREF(self->key_function);
    Py_XDECREF(self->copy);
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

/* Was the function written in the body of that class? 1, 0, or -1 with an exception. */
static int is_of_class(const ft_memo *self, PyObject *owner)
{
    PyObject *ours = PyObject_GetAttrString(self->function, "__qualname__");
    PyObject *theirs = ours == NULL ? NULL : PyObject_GetAttrString(owner, "__qualname__");
    int result = -1;
    if (theirs == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        result = 0;
    } else if (theirs != NULL && PyUnicode_Check(ours) && PyUnicode_Check(theirs)) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(theirs);
        result = (int)PyUnicode_Tailmatch(ours, theirs, 0, PY_SSIZE_T_MAX, -1);
        if (result == 1)
            result =
                PyUnicode_GET_LENGTH(ours) > length && PyUnicode_READ_CHAR(ours, length) == '.';
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
        self->vectorcall = call_general;
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
    if (fill_state(state) < 0 || add_policies(module) < 0 || ft_shelf_types_add(module, state) < 0 ||
        ft_bound_memo_type_add(module, state) < 0 || ft_memo_call_type_add(module, state) < 0)
        return -1;
    state->memo_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &memo_spec, NULL);
    return state->memo_type == NULL ? -1 : PyModule_AddType(module, state->memo_type);
}
