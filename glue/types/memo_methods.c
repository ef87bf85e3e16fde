/* SPDX-License-Identifier: Apache-2.0 */
/* memo_methods.c: cache_info, cache_clear and so on: what a Memo has besides being called. */
#include "glue/types/memo.h"

#include <structmember.h>

#include "glue/types/memo_key.h"
#include "glue/types/shelf.h"

/* ---- which results are meant ---- */

/* Is each of the receiver's results the memo's own, under a key that begins with the receiver? A
 * class is shared by too many to be written to. */
static bool is_in_key(PyObject *receiver)
{
    return receiver != NULL && PyType_Check(receiver);
}

/* Those of the receiver, or the memo's own; *holder: a new reference, or NULL. NULL with an
 * exception. */
static ft_results *results_of(ft_memo *memo, PyObject *receiver, PyObject **holder)
{
    *holder = NULL;
    if (receiver == NULL || is_in_key(receiver))
        return &memo->results;
    return ft_shelf_results(memo, receiver, holder);
}

/* Asks with the receiver as the first argument, if there is one. Ended by ft_memo_asked and
 * PyMem_Free(*joined). */
static int ask(ft_memo *memo, PyObject *receiver, const ft_call *call, ft_memo_question *question,
               PyObject ***joined)
{
    ft_call whole = *call;
    *joined = NULL;
    ft_call_items_init(&question->items);
    question->holder = question->made = NULL;
    if (receiver != NULL) {
        Py_ssize_t given = call->count + (call->names == NULL ? 0 : PyTuple_GET_SIZE(call->names));
        PyObject **all = PyMem_New(PyObject *, (size_t)given + 1);
        if (all == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        all[0] = receiver;
        if (given > 0)
            memcpy(all + 1, call->args, (size_t)given * sizeof *all);
        whole = (ft_call){all, call->count + 1, call->names};
        *joined = all;
    }
    return ft_memo_ask(memo, question, &whole);
}

/* ---- cache_info ---- */

typedef struct sums {
    ft_counts counts;
    uint64_t entries, bytes;
    uint64_t room; /* entries that the bytes are for */
} sums;

static void add_results(sums *sum, const ft_results *results)
{
    sum->counts.hits += results->counts.hits;
    sum->counts.misses += results->counts.misses;
    sum->counts.waited += results->counts.waited;
    sum->counts.evictions += results->table.evictions;
    sum->entries += results->table.count;
    sum->bytes += ft_memo_table_bytes(&results->table);
    sum->room += results->table.room;
}

/* Of all instances, those that are gone included. */
static sums sum_of_all(const ft_memo *memo)
{
    sums sum = {.counts = memo->past};
    for (const ft_results *one = &memo->results; one != NULL; one = one->after)
        add_results(&sum, one);
    return sum;
}

static double seconds_saved(const ft_memo *memo, uint64_t hits)
{
    const ft_memo_timing *timing = &memo->timing;
    return timing->calls == 0 ? 0 : (double)timing->ns / (double)timing->calls * (double)hits / 1e9;
}

PyObject *ft_memo_info(ft_memo *memo, PyObject *receiver)
{
    sums sum = {.entries = 0};
    PyObject *holder;
    if (receiver == NULL) {
        sum = sum_of_all(memo);
    } else {
        const ft_results *one = results_of(memo, receiver, &holder);
        if (one == NULL)
            return NULL;
        add_results(&sum, one);
        Py_XDECREF(holder);
    }
    if (memo->is_drop_in)
        return PyObject_CallFunction(memo->info, "KKOK", sum.counts.hits, sum.counts.misses,
                                     memo->maxsize, sum.entries);
    return PyObject_CallFunction(
        memo->info, "KKOKKKKd", sum.counts.hits, sum.counts.misses, memo->maxsize, sum.entries,
        sum.counts.evictions, sum.counts.waited, sum.bytes, seconds_saved(memo, sum.counts.hits));
}

static PyObject *memo_info(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ft_memo_info((ft_memo *)self, NULL);
}

/* ---- cache_curve ---- */

/* A list of (size, hits) wherever these change; NULL with an exception. */
static PyObject *list_steps(const ft_hit_histogram *histogram)
{
    PyObject *steps = PyList_New(0);
    for (ft_hit_step step = {0}; steps != NULL && ft_hit_histogram_next(histogram, &step);) {
        uint64_t whole = (uint64_t)step.hits;
        PyObject *row = step.hits > (double)whole ? Py_BuildValue("(Id)", step.size, step.hits)
                                                  : Py_BuildValue("(IK)", step.size, whole);
        if (row == NULL || PyList_Append(steps, row) < 0)
            Py_CLEAR(steps);
        Py_XDECREF(row);
    }
    return steps;
}

/* The histogram as it is now: making objects may run code that calls the function. 0, or -1 with an
 * exception. */
static int copy_histogram(ft_hit_histogram *copy, const ft_hit_histogram *histogram)
{
    *copy = *histogram;
    if (histogram->slots == 0)
        return 0;
    copy->hits = ft_mem_new(histogram->mem, histogram->slots, sizeof *copy->hits);
    if (copy->hits == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy->hits, histogram->hits, histogram->slots * sizeof *copy->hits);
    return 0;
}

/* Why there is no curve. */
static PyObject *no_curve(const ft_memo *memo)
{
    PyObject *name = ft_memo_name(memo);
    if (name != NULL)
        PyErr_Format(
            PyExc_TypeError,
            memo->curve == NULL
                ? "%S was cached without curve=True, so nobody looked at its calls: cache it "
                  "with @fettle.cache(curve=True)"
                : "%S is cached with maxsize=0, so nobody looks at its calls: give it a size",
            name);
    Py_XDECREF(name);
    return NULL;
}

static PyObject *memo_curve(PyObject *object, PyObject *unused)
{
    const ft_memo *memo = (const ft_memo *)object;
    ft_hit_histogram now;
    (void)unused;
    if (memo->curve == NULL || memo->is_off)
        return no_curve(memo);
    sums sum = sum_of_all(memo);
    if (copy_histogram(&now, &memo->histogram) < 0)
        return NULL;
    PyObject *steps = list_steps(&now), *entry_bytes = Py_NewRef(Py_None), *curve = NULL;
    if (sum.room > 0)
        Py_SETREF(entry_bytes, PyFloat_FromDouble((double)sum.bytes / (double)sum.room));
    if (steps != NULL && entry_bytes != NULL)
        curve =
            PyObject_CallFunction(memo->curve, "KdOOiO", now.calls, ft_hit_histogram_keys(&now),
                                  steps, now.exact ? Py_True : Py_False, FT_HIT_NEAR, entry_bytes);
    Py_XDECREF(steps);
    Py_XDECREF(entry_bytes);
    ft_hit_histogram_fini(&now);
    return curve;
}

/* ---- cache_clear, cache_forget ---- */

static void forget_all(ft_results *results)
{
    results->counts = (ft_counts){.hits = 0};
    results->table.evictions = 0;
    ft_results_clear(results);
}

/* Clears what instances have. Letting go runs the program's code, which may end instances: so the
 * next one is where the list's own changes find it. What is new comes before all of them. Whoever
 * clears meanwhile begins anew, and leaves nothing to be done. */
static void clear_instances(ft_memo *memo)
{
    memo->cleared_next = memo->results.after;
    while (memo->cleared_next != NULL) {
        ft_results *at = memo->cleared_next;
        memo->cleared_next = at->after;
        forget_all(at);
    }
}

PyObject *ft_memo_clear(ft_memo *memo, PyObject *receiver)
{
    PyObject *holder;
    ft_results *results = results_of(memo, receiver, &holder);
    if (results == NULL)
        return NULL;
    if (receiver == NULL)
        ft_hit_histogram_fini(&memo->histogram); /* and begun anew */
    forget_all(results);
    Py_XDECREF(holder);
    if (receiver == NULL) {
        memo->past = (ft_counts){.hits = 0};
        bool are_instances = memo->results.after != NULL;
        clear_instances(memo);
        if (are_instances) /* what was called meanwhile fed curves that were to be cleared */
            ft_hit_histogram_fini(&memo->histogram);
    }
    Py_RETURN_NONE;
}

static PyObject *memo_clear_all(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ft_memo_clear((ft_memo *)self, NULL);
}

PyObject *ft_memo_forget(ft_memo *memo, PyObject *receiver, PyObject *const *args, Py_ssize_t count,
                         PyObject *names)
{
    ft_memo_question question;
    PyObject **joined;
    uint32_t number = FT_RESULTS_FAILED;
    bool was_kept = false;
    if (ask(memo, receiver, &(ft_call){args, count, names}, &question, &joined) == 0)
        number = ft_results_find(question.results, &question.key);
    if (number < FT_RESULTS_FAILED) {
        was_kept = !ft_results_is_over(question.results, number, ft_memo_now(memo));
        ft_results_remove(question.results, number);
    }
    ft_memo_asked(&question);
    PyMem_Free(joined);
    return number == FT_RESULTS_FAILED ? NULL : PyBool_FromLong(was_kept);
}

static PyObject *memo_forget(PyObject *self, PyObject *const *args, Py_ssize_t count,
                             PyObject *names)
{
    return ft_memo_forget((ft_memo *)self, NULL, args, count, names);
}

/* ---- cache_export: a key is an argument, or the tuple of several, or a Call ---- */

static PyStructSequence_Field call_fields[] = {
    {"args", "the positional arguments, a tuple"},
    {"keywords", "the others, a tuple of pairs"},
    {NULL, NULL},
};

static PyStructSequence_Desc call_desc = {
    .name = "fettle._core.Call",
    .doc = "A call with keywords, as a key that cache_export gives and cache_load takes.",
    .fields = call_fields,
    .n_in_sequence = 2,
};

int ft_memo_call_type_add(PyObject *module, ft_module_state *state)
{
    state->call_type = PyStructSequence_NewType(&call_desc);
    return state->call_type == NULL ? -1 : PyModule_AddType(module, state->call_type);
}

static PyObject *export_keywords(const ft_memo *memo, PyObject *kept, Py_ssize_t positional,
                                 Py_ssize_t named)
{
    PyObject *call = PyStructSequence_New(memo->call_type);
    PyObject *args = PyTuple_GetSlice(kept, 0, positional), *keywords = PyTuple_New(named);
    for (Py_ssize_t i = 0; keywords != NULL && i < named; i++) {
        Py_ssize_t at = positional + 1 + 2 * i;
        PyObject *pair = PyTuple_GetSlice(kept, at, at + 2);
        if (pair == NULL)
            Py_CLEAR(keywords);
        else
            PyTuple_SET_ITEM(keywords, i, pair);
    }
    if (call == NULL || args == NULL || keywords == NULL) {
        Py_XDECREF(call);
        Py_XDECREF(args);
        Py_XDECREF(keywords);
        return NULL;
    }
    PyStructSequence_SET_ITEM(call, 0, args);
    PyStructSequence_SET_ITEM(call, 1, keywords);
    return call;
}

/* A single argument is its own key, but for what would be taken for several. */
static PyObject *export_one(const ft_memo *memo, PyObject *argument)
{
    bool is_plain = !PyTuple_CheckExact(argument) && !Py_IS_TYPE(argument, memo->call_type);
    return is_plain ? Py_NewRef(argument) : PyTuple_Pack(1, argument);
}

/* A key as the user sees it: a new reference, or NULL with an exception. */
static PyObject *export_key(const ft_memo *memo, PyObject *kept, bool several)
{
    if (!several)
        return export_one(memo, kept);
    Py_ssize_t items = PyTuple_GET_SIZE(kept), positional = 0, named = 0;
    while (positional < items && PyTuple_GET_ITEM(kept, positional) != memo->mark)
        positional++;
    if (positional < items)
        named = (items - positional - 1 - memo->typed * positional) / (2 + memo->typed);
    else if (memo->typed)
        positional /= 2;
    if (named > 0)
        return export_keywords(memo, kept, positional, named);
    return positional == 1 ? export_one(memo, PyTuple_GET_ITEM(kept, 0))
                           : PyTuple_GetSlice(kept, 0, positional);
}

/* The pair that the user sees of a row of ft_results_list: a new reference; NULL with an exception,
 * or where it is another receiver's. */
static PyObject *export_row(const ft_memo *memo, PyObject *receiver, PyObject *row)
{
    PyObject *kept = PyTuple_GET_ITEM(row, 1), *rest = NULL;
    unsigned long hash = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(row, 0));
    bool several = (hash & FT_KEY_KINDS) == FT_KEY_ITEMS;
    if (is_in_key(receiver) && memo->key_function == NULL) {
        Py_ssize_t count = several ? PyTuple_GET_SIZE(kept) : 0;
        if ((count > 0 ? PyTuple_GET_ITEM(kept, 0) : kept) != receiver)
            return NULL;
        kept = rest = count > 0 ? PyTuple_GetSlice(kept, 1, count) : PyTuple_New(0);
        several = true;
    }
    PyObject *key = kept == NULL ? NULL : export_key(memo, kept, several);
    PyObject *pair = key == NULL ? NULL : PyTuple_Pack(2, key, PyTuple_GET_ITEM(row, 2));
    Py_XDECREF(key);
    Py_XDECREF(rest);
    return pair;
}

PyObject *ft_memo_export(ft_memo *memo, PyObject *receiver)
{
    PyObject *holder;
    if (receiver == NULL && memo->is_method) {
        PyErr_Format(PyExc_TypeError,
                     "each instance keeps its own results of %R: ask the method of an instance.",
                     memo->function);
        return NULL;
    }
    ft_results *results = results_of(memo, receiver, &holder);
    PyObject *rows = results == NULL ? NULL : ft_results_list(results, ft_memo_now(memo));
    PyObject *pairs = PyList_New(0);
    for (Py_ssize_t i = 0; rows != NULL && pairs != NULL && i < PyList_GET_SIZE(rows); i++) {
        PyObject *pair = export_row(memo, receiver, PyList_GET_ITEM(rows, i));
        if (pair == NULL ? PyErr_Occurred() != NULL : PyList_Append(pairs, pair) < 0)
            Py_CLEAR(pairs);
        Py_XDECREF(pair);
    }
    if (rows == NULL)
        Py_CLEAR(pairs);
    Py_XDECREF(rows);
    Py_XDECREF(holder);
    return pairs;
}

static PyObject *memo_export(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ft_memo_export((ft_memo *)self, NULL);
}

/* ---- cache_load ---- */

static int keep_pair(ft_memo *memo, ft_memo_question *question, PyObject *value)
{
    PyObject *kept = ft_call_key_keep(&question->key);
    if (kept == NULL)
        return -1;
    uint32_t number = ft_results_find(question->results, &question->key);
    if (number < FT_RESULTS_FAILED)
        ft_results_remove(question->results, number); /* what is loaded is newer */
    if (number == FT_RESULTS_FAILED) {
        Py_DECREF(kept);
        return -1;
    }
    return ft_memo_keep(memo, question, kept, value);
}

/* The arguments that a Call's key stands for, into an array of the caller's to free. */
static int open_call(PyObject *key, PyObject ***args, PyObject **names, Py_ssize_t *count)
{
    PyObject *given = PyStructSequence_GET_ITEM(key, 0), *named = PyStructSequence_GET_ITEM(key, 1);
    if (!PyTuple_Check(given) || !PyTuple_Check(named)) {
        PyErr_SetString(PyExc_TypeError, "a Call has a tuple of arguments and one of pairs");
        return -1;
    }
    *count = PyTuple_GET_SIZE(given);
    *args = PyMem_New(PyObject *, (size_t)(*count + PyTuple_GET_SIZE(named)) + 1);
    *names = PyTuple_New(PyTuple_GET_SIZE(named));
    if (*args == NULL || *names == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < *count; i++)
        (*args)[i] = PyTuple_GET_ITEM(given, i);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(named); i++) {
        PyObject *pair = PyTuple_GET_ITEM(named, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
            !PyUnicode_Check(PyTuple_GET_ITEM(pair, 0))) {
            PyErr_SetString(PyExc_TypeError, "a Call's keywords are pairs of a name and a value");
            return -1;
        }
        PyTuple_SET_ITEM(*names, i, Py_NewRef(PyTuple_GET_ITEM(pair, 0)));
        (*args)[*count + i] = PyTuple_GET_ITEM(pair, 1);
    }
    return 0;
}

/* Asks for a key that the key function once made. */
static int ask_made(ft_memo *memo, PyObject *receiver, PyObject *key, ft_memo_question *question)
{
    bool wrapped = PyTuple_CheckExact(key) && PyTuple_GET_SIZE(key) == 1;
    *question = (ft_memo_question){.made = Py_NewRef(wrapped ? PyTuple_GET_ITEM(key, 0) : key)};
    question->results = results_of(memo, receiver, &question->holder);
    return question->results == NULL ? -1 : ft_call_key_one(&question->key, &question->made);
}

static int load_pair(ft_memo *memo, PyObject *receiver, PyObject *key, PyObject *value)
{
    PyObject **opened = NULL, *names = NULL, **joined = NULL;
    ft_memo_question question = {.results = NULL};
    ft_call call = {&key, 1, NULL};
    int result = 0;
    if (memo->key_function == NULL && Py_IS_TYPE(key, memo->call_type)) {
        result = open_call(key, &opened, &names, &call.count);
        call = (ft_call){opened, call.count, names};
    } else if (PyTuple_CheckExact(key)) {
        call = (ft_call){((PyTupleObject *)key)->ob_item, PyTuple_GET_SIZE(key), NULL};
    }
    if (result == 0)
        result = memo->key_function != NULL ? ask_made(memo, receiver, key, &question)
                                            : ask(memo, receiver, &call, &question, &joined);
    if (result == 0)
        result = keep_pair(memo, &question, value);
    ft_memo_asked(&question);
    PyMem_Free(joined);
    PyMem_Free(opened);
    Py_XDECREF(names);
    return result;
}

static int load_row(ft_memo *memo, PyObject *receiver, PyObject *row)
{
    PyObject *pair = PySequence_Tuple(row);
    int result = -1;
    if (pair == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "cache_load takes pairs of a key and a value, not %R",
                         row);
    } else if (PyTuple_GET_SIZE(pair) != 2) {
        PyErr_Format(PyExc_ValueError, "cache_load takes pairs of a key and a value, not %R", row);
    } else {
        result = load_pair(memo, receiver, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
    }
    Py_XDECREF(pair);
    return result;
}

/* The items of a mapping; of anything else itself: a new reference, or NULL with an exception. */
static PyObject *rows_of(PyObject *pairs)
{
    if (PyDict_CheckExact(pairs))
        return PyMapping_Items(pairs);
    PyObject *items = PyMapping_Check(pairs) ? PyObject_GetAttrString(pairs, "items") : NULL;
    if (items == NULL && PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_AttributeError))
        return NULL;
    PyErr_Clear();
    PyObject *rows = items == NULL ? Py_NewRef(pairs) : PyObject_CallNoArgs(items);
    Py_XDECREF(items);
    return rows;
}

PyObject *ft_memo_load(ft_memo *memo, PyObject *receiver, PyObject *pairs)
{
    PyObject *row, *rows;
    if (receiver == NULL && memo->is_method)
        return ft_memo_export(memo, NULL); /* says why not */
    rows = rows_of(pairs);
    PyObject *iterator = rows == NULL ? NULL : PyObject_GetIter(rows);
    Py_XDECREF(rows);
    if (iterator == NULL)
        return NULL;
    while (!memo->is_off && (row = PyIter_Next(iterator)) != NULL) {
        int result = load_row(memo, receiver, row);
        Py_DECREF(row);
        if (result < 0)
            break;
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *memo_load(PyObject *self, PyObject *pairs)
{
    return ft_memo_load((ft_memo *)self, NULL, pairs);
}

/* ---- for coroutine functions, whose results are awaited elsewhere (memo_key.h) ---- */

PyDoc_STRVAR(find_doc, "_find($self, /, *args, **keywords)\n--\n\n"
                       "What is kept for a call, counted as a hit; or the call's MemoKey.");
PyDoc_STRVAR(key_doc, "_key($self, /, *args, **keywords)\n--\n\nThe call's MemoKey.");

static PyObject *memo_count(PyObject *object, PyObject *args)
{
    ft_memo *self = (ft_memo *)object;
    unsigned long long misses;
    if (!PyArg_ParseTuple(args, "K:_count", &misses))
        return NULL;
    self->past.misses += misses;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(count_doc, "_count($self, misses, /)\n--\n\nCount calls that were not looked for.");

/* ---- what functions have ---- */

static PyObject *memo_parameters(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyDict_Copy(((ft_memo *)self)->parameters);
}

static PyObject *memo_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyObject_GetAttrString(self, "__qualname__");
}

static PyObject *memo_itself(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

PyObject *ft_memo_name(const ft_memo *memo)
{
    PyObject *const named[] = {(PyObject *)memo, memo->function}; /* a coroutine's Memo has none */
    for (size_t i = 0; i < 2 && named[i] != NULL; i++) {
        PyObject *name = PyObject_GetAttrString(named[i], "__qualname__");
        if (name != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
            return name;
        PyErr_Clear();
    }
    return PyObject_Repr(memo->function);
}

PyObject *ft_memo_repr(PyObject *memo)
{
    PyObject *name = ft_memo_name((ft_memo *)memo);
    PyObject *text =
        name == NULL ? NULL : PyUnicode_FromFormat("<cached function %S at %p>", name, memo);
    Py_XDECREF(name);
    return text;
}

PyDoc_STRVAR(info_doc, "cache_info($self, /)\n--\n\nWhat became of the calls, as a named tuple.");
PyDoc_STRVAR(curve_doc, "cache_curve($self, /)\n--\n\n"
                        "What a cache of every size would have hit: a fettle.caching.curve.Curve.");
PyDoc_STRVAR(clear_doc, "cache_clear($self, /)\n--\n\nForget all results, and the counts.");
PyDoc_STRVAR(parameters_doc, "cache_parameters($self, /)\n--\n\nWhat it was made with, as a dict.");
PyDoc_STRVAR(forget_doc, "cache_forget($self, /, *args, **keywords)\n--\n\n"
                         "Forget the result of one call; True: there was one.");
PyDoc_STRVAR(
    export_doc,
    "cache_export($self, /)\n--\n\n"
    "The kept results: a list of pairs (key, value), of which dict() makes a dict. A key is\n"
    "the argument of the call; the tuple of them if there are several or none, or if the\n"
    "only one is a tuple itself; a Call(args, keywords) if there are keywords.");
PyDoc_STRVAR(load_doc, "cache_load($self, pairs, /)\n--\n\n"
                       "Keep results: pairs as cache_export gives them, or a mapping.");

PyMethodDef ft_memo_methods[] = {
    {"cache_info", memo_info, METH_NOARGS, info_doc},
    {"cache_curve", memo_curve, METH_NOARGS, curve_doc},
    {"cache_clear", memo_clear_all, METH_NOARGS, clear_doc},
    {"cache_parameters", memo_parameters, METH_NOARGS, parameters_doc},
    {"cache_forget", (PyCFunction)(void *)memo_forget, METH_FASTCALL | METH_KEYWORDS, forget_doc},
    {"cache_export", memo_export, METH_NOARGS, export_doc},
    {"cache_load", memo_load, METH_O, load_doc},
    {"_find", (PyCFunction)(void *)ft_memo_find_result, METH_FASTCALL | METH_KEYWORDS, find_doc},
    {"_key", (PyCFunction)(void *)ft_memo_key_new, METH_FASTCALL | METH_KEYWORDS, key_doc},
    {"_count", memo_count, METH_VARARGS, count_doc},
    {"__set_name__", ft_memo_set_name, METH_VARARGS, NULL},
    {"__reduce__", memo_reduce, METH_NOARGS, NULL},
    {"__copy__", memo_itself, METH_NOARGS, NULL},
    {"__deepcopy__", memo_itself, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
