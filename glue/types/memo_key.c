/* SPDX-License-Identifier: Apache-2.0 */
/* memo_key.c: one call of a Memo whose result is made elsewhere (see memo_key.h). */
#include "glue/types/memo_key.h"

typedef struct memo_key {
    PyObject_HEAD
    ft_memo *memo;
    ft_results *results; /* the memo's own or the holder's */
    PyObject *holder;    /* or NULL */
    PyObject *kept;
    uint32_t hash;
    bool is_new; /* the curve did not know it when it was asked for */
} memo_key;

/* ---- made from a call ---- */

static PyObject *key_of(ft_memo *memo, ft_memo_question *question)
{
    ft_module_state *state = ft_module_state_of(Py_TYPE((PyObject *)memo));
    PyObject *kept = state == NULL ? NULL : ft_call_key_keep(&question->key);
    PyTypeObject *type = kept == NULL ? NULL : state->memo_key_type;
    memo_key *self = type == NULL ? NULL : (memo_key *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_XDECREF(kept);
        return NULL;
    }
    self->memo = (ft_memo *)Py_NewRef((PyObject *)memo);
    self->results = question->results;
    self->holder = Py_XNewRef(question->holder);
    self->kept = kept;
    self->hash = question->key.hash;
    return (PyObject *)self;
}

/* A value as it is handed on: a new reference to it, or to a copy; NULL with an exception. */
static PyObject *shared(const ft_memo *memo, PyObject *value)
{
    PyObject *held = Py_NewRef(value); /* whatever the copying does to the table */
    if (memo->copy == NULL)
        return held;
    PyObject *copy = PyObject_CallOneArg(memo->copy, held);
    Py_DECREF(held);
    return copy;
}

/* A call that is answered, or will be: 1 or 0, whether the curve knows its key; -1 with an
 * exception. */
static int tell_curve(ft_memo *memo, const ft_memo_question *question, bool is_answered)
{
    ft_reuse *reuse = question->results->reuse;
    int known = ft_reuse_touch(reuse, &memo->histogram, &question->key);
    if (known == 0 && is_answered) {
        ft_reuse_miss(reuse, &memo->histogram, &question->key);
        return ft_reuse_add(reuse, &memo->histogram, &question->key);
    }
    return known;
}

/* What is kept under the key, or (*is_there: no) the key as an object. */
static PyObject *find(ft_memo *memo, ft_memo_question *question, bool *is_there)
{
    uint32_t number = ft_memo_find(memo, question);
    if (number == FT_RESULTS_FAILED)
        return NULL;
    *is_there = number != FT_MEMO_NONE;
    if (!*is_there)
        return key_of(memo, question);
    question->results->counts.hits++;
    ft_memo_table_hit(&question->results->table, number);
    return shared(memo, ft_results_value(question->results, number));
}

PyObject *ft_memo_find_result(PyObject *object, PyObject *const *args, Py_ssize_t count,
                              PyObject *names)
{
    ft_memo *memo = (ft_memo *)object;
    ft_memo_question question;
    PyObject *found = NULL;
    bool is_there = false;
    if (ft_memo_ask(memo, &question, &(ft_call){args, count, names}) == 0)
        found = find(memo, &question, &is_there);
    if (found != NULL && memo->curve != NULL) {
        int known = tell_curve(memo, &question, is_there);
        if (known < 0)
            Py_CLEAR(found);
        else if (!is_there)
            ((memo_key *)found)->is_new = known == 0;
    }
    ft_memo_asked(&question);
    return found;
}

PyObject *ft_memo_key_new(PyObject *object, PyObject *const *args, Py_ssize_t count,
                          PyObject *names)
{
    ft_memo *memo = (ft_memo *)object;
    ft_memo_question question;
    PyObject *key = NULL;
    if (ft_memo_ask(memo, &question, &(ft_call){args, count, names}) == 0)
        key = key_of(memo, &question);
    ft_memo_asked(&question);
    return key;
}

/* ---- an object ---- */

static int key_traverse(PyObject *object, visitproc visit, void *arg)
{
    memo_key *self = (memo_key *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->memo);
    Py_VISIT(self->holder);
    Py_VISIT(self->kept);
    return 0;
}

/* There is no tp_clear: it never changes, as a tuple does not. */
static void key_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    memo_key *self = (memo_key *)object;
    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->kept);
    Py_XDECREF(self->holder);
    Py_XDECREF(self->memo);
    type->tp_free(object);
    Py_DECREF(type);
}

static Py_hash_t key_hash(PyObject *object)
{
    const memo_key *self = (const memo_key *)object;
    const unsigned aligned = 4; /* addresses are multiples of 16 */
    uintptr_t mixed = ((uintptr_t)self->results >> aligned) * 31 + self->hash;
    return (Py_hash_t)(mixed == (uintptr_t)-1 ? 0 : mixed);
}

static PyObject *key_compare(PyObject *one, PyObject *other, int operation)
{
    if (!Py_IS_TYPE(other, Py_TYPE(one)) || (operation != Py_EQ && operation != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    const memo_key *a = (const memo_key *)one, *b = (const memo_key *)other;
    int same = a->results == b->results && a->hash == b->hash;
    if (same) {
        ft_call_key key;
        ft_call_key_of_kept(&key, &b->kept, b->hash);
        same = ft_key_same(a->kept, &key);
        if (same == FT_SAME_UNKNOWN)
            same = ft_key_equal(a->kept, &key);
    }
    return same < 0 ? NULL : PyBool_FromLong(same == (operation == Py_EQ));
}

/* ---- what is done with the result ---- */

static void ask_again(const memo_key *self, ft_memo_question *question)
{
    *question = (ft_memo_question){.results = self->results};
    ft_call_key_of_kept(&question->key, &self->kept, self->hash);
}

static PyObject *key_keep(PyObject *object, PyObject *value)
{
    const memo_key *self = (const memo_key *)object;
    const ft_memo *memo = self->memo;
    PyObject *kept = shared(memo, value);
    ft_memo_question question;
    ask_again(self, &question);
    int result = kept == NULL ? -1 : ft_memo_keep(memo, &question, Py_NewRef(self->kept), kept);
    if (result == 0 && memo->curve != NULL)
        result = ft_reuse_add(self->results->reuse, &self->memo->histogram, &question.key);
    if (result < 0)
        Py_CLEAR(kept);
    return kept;
}

static PyObject *key_forget(PyObject *object, PyObject *unused)
{
    const memo_key *self = (const memo_key *)object;
    ft_memo_question question;
    (void)unused;
    ask_again(self, &question);
    uint32_t number = ft_results_find(self->results, &question.key);
    if (number == FT_RESULTS_FAILED)
        return NULL;
    if (number != FT_MEMO_NONE)
        ft_results_remove(self->results, number);
    return PyBool_FromLong(number != FT_MEMO_NONE);
}

/* A call whose key the curve did not know: it was computed, or waited until it was. 0, or -1 with
 * an exception. */
static int count_for_curve(const memo_key *self, bool waited)
{
    ft_hit_histogram *histogram = &self->memo->histogram;
    ft_memo_question question;
    ask_again(self, &question);
    int known = waited ? ft_reuse_touch(self->results->reuse, histogram, &question.key) : 0;
    if (known == 0)
        ft_reuse_miss(self->results->reuse, histogram, &question.key);
    return known < 0 ? -1 : 0;
}

static PyObject *key_count(PyObject *object, PyObject *args)
{
    const memo_key *self = (const memo_key *)object;
    int misses, waited;
    double seconds;
    if (!PyArg_ParseTuple(args, "ppd:count", &misses, &waited, &seconds))
        return NULL;
    self->results->counts.misses += (unsigned)misses;
    self->results->counts.waited += (unsigned)waited;
    self->results->counts.hits += (unsigned)waited;
    if (self->is_new && (misses || waited) && count_for_curve(self, waited) < 0)
        return NULL;
    if (seconds > 0 && seconds <= FT_MEMO_LONGEST) {
        const double ns_per_second = 1e9;
        self->memo->timing.ns += (uint64_t)(seconds * ns_per_second);
        self->memo->timing.calls++;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(keep_doc, "keep($self, value, /)\n--\n\n"
                       "Keep the result, or a copy of it where each caller gets one; gives what "
                       "may be shared.");
PyDoc_STRVAR(forget_doc, "forget($self, /)\n--\n\nForget the result; True: there was one.");
PyDoc_STRVAR(count_doc, "count($self, computed, waited, seconds, /)\n--\n\n"
                        "Count a computation, a call that waited for one, what one took.");

static PyMethodDef key_methods[] = {
    {"keep", key_keep, METH_O, keep_doc},
    {"forget", key_forget, METH_NOARGS, forget_doc},
    {"count", key_count, METH_VARARGS, count_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot key_slots[] = {
    {Py_tp_dealloc, (void *)key_dealloc}, {Py_tp_traverse, (void *)key_traverse},
    {Py_tp_hash, (void *)key_hash},       {Py_tp_richcompare, (void *)key_compare},
    {Py_tp_methods, key_methods},         {0, NULL},
};

static PyType_Spec key_spec = {
    .name = "fettle._core.MemoKey",
    .basicsize = sizeof(memo_key),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = key_slots,
};

int ft_memo_key_type_add(PyObject *module, ft_module_state *state)
{
    state->memo_key_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &key_spec, NULL);
    return state->memo_key_type == NULL ? -1 : PyModule_AddType(module, state->memo_key_type);
}
