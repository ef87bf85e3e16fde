/* SPDX-License-Identifier: Apache-2.0 */
/* memo_call.c: what a Memo does when it is called.
 *
 * A plain one, called with an int or a str, finds it without a call of any function: that is the
 * path of most hits, and it has no stack frame of its own. Whatever is not decided there goes the
 * general way, which looks again. */
#include "glue/types/memo.h"

#include "engine/base/clock.h"
#include "glue/types/shelf.h"

/* A call as it came, for the function. */
typedef struct request {
    PyObject *const *args;
    size_t nargsf;
    PyObject *names;
} request;

/* ---- how long computations take ---- */

enum { STRIDE = 64, QUICK_NS = 10000 }; /* reading the clock is then a hundredth at most */

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

int ft_memo_results_init(const ft_memo *memo, ft_results *results)
{
    *results = (ft_results){.before = NULL};
    ft_memo_table_init(&results->table, &ft_results_mem, memo->policy, memo->most, memo->ttl > 0);
    if (memo->curve == NULL)
        return 0;
    results->reuse = ft_reuse_new(&ft_results_mem);
    if (results->reuse == NULL)
        PyErr_NoMemory();
    return results->reuse == NULL ? -1 : 0;
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

void ft_memo_asked(ft_memo_question *question)
{
    ft_call_items_fini(&question->items);
    Py_XDECREF(question->made);
    Py_XDECREF(question->holder);
}

/* Everything but the items, which are many and are written before they are read. */
static inline void begin_question(ft_memo_question *question, ft_results *results)
{
    question->results = results;
    question->version = 0;
    question->is_computed = false;
    ft_call_items_init(&question->items);
    question->holder = question->made = NULL;
}

int ft_memo_ask(ft_memo *memo, ft_memo_question *question, const ft_call *call)
{
    ft_call asked = *call;
    begin_question(question, &memo->results);
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

uint32_t ft_memo_find(const ft_memo *memo, ft_memo_question *question)
{
    uint32_t number = ft_results_find(question->results, &question->key);
    if (number == FT_MEMO_NONE)
        question->version = question->results->table.version;
    if (number < FT_RESULTS_FAILED && is_over(memo, question->results, number))
        return FT_MEMO_NONE;
    return number;
}

/* Where two computed one key lru_cache keeps the first result, and without a bound the last one. */
static bool is_last_kept(const ft_memo *memo)
{
    return memo->is_drop_in && memo->policy == NULL;
}

int ft_memo_keep(const ft_memo *memo, ft_memo_question *question, PyObject *kept, PyObject *value)
{
    uint32_t number = FT_MEMO_NONE;
    if (question->version != question->results->table.version)
        number = ft_results_find(question->results, &question->key);
    if (number == FT_MEMO_NONE) {
        ft_results_add(question->results, question->key.hash, kept, value, end_of_new(memo));
        return 0;
    }
    if (number != FT_RESULTS_FAILED &&
        (is_over(memo, question->results, number) || is_last_kept(memo)))
        ft_results_replace(question->results, number, value, end_of_new(memo));
    Py_DECREF(kept);
    return number == FT_RESULTS_FAILED ? -1 : 0;
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
 * there gives its own result and leaves it, as a bounded lru_cache does. */
static inline PyObject *compute(ft_memo *self, ft_memo_question *question, const request *call)
{
    PyObject *kept = ft_call_key_keep(&question->key);
    if (kept == NULL)
        return NULL;
    question->is_computed = true;
    ft_flight *flight = NULL;
    uint64_t begun = 0;
    if (self->patience.still > 0)
        flight = ft_flights_begin(&self->flights, question->results, question->key.hash, kept);
    if (!self->is_drop_in)
        begun = stopwatch_begin(&self->stopwatch);
    question->results->counts.misses++;
    PyObject *value = PyObject_Vectorcall(self->function, call->args, call->nargsf, call->names);
    PyObject *shared = value == NULL ? NULL : handed_out(self, Py_NewRef(value));
    stopwatch_end(&self->stopwatch, begun);
    if (shared != NULL && question->version == question->results->table.version && self->ttl == 0)
        ft_results_add(question->results, question->key.hash, Py_NewRef(kept), shared,
                       FT_MEMO_NEVER);
    else if (shared != NULL && ft_memo_keep(self, question, Py_NewRef(kept), shared) < 0)
        Py_CLEAR(shared);
    if (shared == NULL)
        Py_CLEAR(value);
    ft_flights_land(&self->flights, flight, shared);
    Py_XDECREF(shared);
    Py_DECREF(kept);
    return value;
}

/* Waits for who computes the key. FT_MEMO_NONE: compute; FT_RESULTS_FAILED: there is an exception;
 * else the entry, or *value is the result. */
static uint32_t wait_for_others(ft_memo *self, ft_memo_question *question, PyObject **value)
{
    ft_waited waited = FT_WAITED_AGAIN;
    while (waited == FT_WAITED_AGAIN) {
        uint64_t version = question->results->table.version;
        waited = ft_flights_wait(&self->flights, question->results, &question->key, self->patience,
                                 self->waits, value);
        if (waited == FT_WAITED_FAILED)
            return FT_RESULTS_FAILED;
        uint32_t number = FT_MEMO_NONE;
        if (waited != FT_WAITED_VALUE && question->results->table.version != version)
            number = ft_memo_find(self, question); /* it may have come another way */
        if (number != FT_MEMO_NONE)
            return number;
    }
    return FT_MEMO_NONE;
}

/* The key is not there: waits for who computes it, or does it. */
static PyObject *miss(ft_memo *self, ft_memo_question *question, const request *call)
{
    if (self->patience.still > 0 && ft_flights_are(&self->flights)) {
        PyObject *value = NULL;
        uint32_t number = wait_for_others(self, question, &value);
        if (number == FT_RESULTS_FAILED)
            return NULL;
        if (number != FT_MEMO_NONE)
            return handed_out(self, hit(question->results, number));
        if (value != NULL) {
            question->results->counts.hits++;
            question->results->counts.waited++;
            return handed_out(self, value);
        }
    }
    return compute(self, question, call);
}

static inline PyObject *answer(ft_memo *self, ft_memo_question *question, const request *call)
{
    uint32_t number = ft_memo_find(self, question);
    if (number == FT_RESULTS_FAILED)
        return NULL;
    return number == FT_MEMO_NONE ? miss(self, question, call)
                                  : handed_out(self, hit(question->results, number));
}

/* A call whose key the curve did not know. By now it may: this call waited for another's. 0, or -1
 * with an exception: of a comparison. */
static int tell_curve(ft_memo *self, const ft_memo_question *question, bool failed)
{
    ft_reuse *reuse = question->results->reuse;
    int known = 0;
    if (!failed && !question->is_computed)
        known = ft_reuse_touch(reuse, &self->histogram, &question->key);
    if (known != 0)
        return known < 0 ? -1 : 0;
    ft_reuse_miss(reuse, &self->histogram, &question->key);
    return failed ? 0 : ft_reuse_add(reuse, &self->histogram, &question->key);
}

/* The same where there is a curve. It hears of a key that it knows when it is asked for, and of
 * another when its value is there: that is where LRU would have them. */
static PyObject *answer_for_curve(ft_memo *self, ft_memo_question *question, const request *call)
{
    int known = ft_reuse_touch(question->results->reuse, &self->histogram, &question->key);
    if (known < 0)
        return NULL;
    PyObject *value = answer(self, question, call);
    if (!known && tell_curve(self, question, value == NULL) < 0)
        Py_CLEAR(value);
    return value;
}

static __attribute__((noinline)) PyObject *call_general(PyObject *callable, PyObject *const *args,
                                                        size_t nargsf, PyObject *names)
{
    ft_memo *self = (ft_memo *)callable;
    ft_memo_question question;
    PyObject *result = NULL;
    ft_call call = {args, PyVectorcall_NARGS(nargsf), names};
    request asked = {args, nargsf, names};
    if (ft_memo_ask(self, &question, &call) == 0)
        result = self->curve == NULL ? answer(self, &question, &asked)
                                     : answer_for_curve(self, &question, &asked);
    ft_memo_asked(&question);
    return result;
}

/* ---- a function with nothing but a size, called without keywords: what most are ---- */

static __attribute__((noinline)) PyObject *plain_miss(ft_memo *self, const ft_call_key *key,
                                                      const request *call)
{
    ft_memo_question question;
    begin_question(&question, &self->results);
    question.key = *key;
    question.version = self->results.table.version;
    return miss(self, &question, call);
}

/* Another key has the same hash, and only the program's own code can tell whether it is equal. */
static __attribute__((noinline)) PyObject *plain_search(ft_memo *self, const ft_call_key *key,
                                                        const request *call)
{
    uint32_t number = ft_results_find(&self->results, key);
    if (number < FT_RESULTS_FAILED)
        return hit(&self->results, number);
    return number == FT_RESULTS_FAILED ? NULL : plain_miss(self, key, call);
}

/* The rest of a call whose key is made, and is not where its hash says. */
static PyObject *plain_answer(ft_memo *self, const ft_call_key *key, const request *call)
{
    const ft_memo_table *table = &self->results.table;
    ft_index_probe probe = ft_memo_probe_begin(table, key->hash);
    for (;;) {
        uint32_t number = ft_memo_probe_next(table, &probe, key->hash);
        if (number == FT_MEMO_NONE)
            return plain_miss(self, key, call);
        int same = ft_key_same(table->entries[number].key, key);
        if (same == 1)
            return hit(&self->results, number);
        if (same == FT_SAME_UNKNOWN)
            return plain_search(self, key, call);
    }
}

/* The entry of a hash, if it is where most are; NULL: a search is needed. */
static inline const ft_memo_entry *at_home(const ft_memo_table *table, uint32_t hash,
                                           uint32_t *number)
{
    if (!ft_index_at_home(&table->index, ft_index_home_of(&table->index, hash), number))
        return NULL;
    const ft_memo_entry *entry = &table->entries[*number];
    return entry->hash == hash ? entry : NULL;
}

static __attribute__((noinline)) PyObject *call_one(ft_memo *self, PyObject *const *args,
                                                    size_t nargsf)
{
    ft_call_key key;
    uint32_t number;
    if (ft_call_key_one(&key, args) < 0)
        return NULL;
    const ft_memo_entry *entry = at_home(&self->results.table, key.hash, &number);
    if (entry != NULL && ft_key_same_item(entry->key, args[0]) == 1)
        return hit(&self->results, number);
    return plain_answer(self, &key, &(request){args, nargsf, NULL});
}

/* Are all items the very objects that were kept? */
static inline bool are_identical(PyObject *kept, PyObject *const *items, Py_ssize_t count)
{
    Py_ssize_t same = 0;
    if (PyTuple_GET_SIZE(kept) == count)
        while (same < count && PyTuple_GET_ITEM(kept, same) == items[same])
            same++;
    return same == count;
}

static __attribute__((noinline)) PyObject *call_several(ft_memo *self, PyObject *const *args,
                                                        size_t nargsf)
{
    ft_call_key key;
    uint32_t number;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (ft_call_key_items(&key, args, count, -1) < 0)
        return NULL;
    const ft_memo_entry *entry = at_home(&self->results.table, key.hash, &number);
    if (entry != NULL && are_identical(entry->key, args, count))
        return hit(&self->results, number);
    return plain_answer(self, &key, &(request){args, nargsf, NULL});
}

static PyObject *answer_named(ft_memo *self, const request *call)
{
    ft_call_key key;
    ft_call_items items;
    ft_call given = {call->args, PyVectorcall_NARGS(call->nargsf), call->names};
    PyObject *result = NULL;
    if (ft_call_key_any(&key, &items, &given, false, self->mark) == 0)
        result = plain_answer(self, &key, call);
    ft_call_items_fini(&items);
    return result;
}

/* One keyword and nothing else is looked for without making the row of its items. */
static __attribute__((noinline)) PyObject *call_named(ft_memo *self, PyObject *const *args,
                                                      size_t nargsf, PyObject *names)
{
    uint32_t number, hash;
    if (PyVectorcall_NARGS(nargsf) == 0 && PyTuple_GET_SIZE(names) == 1) {
        PyObject *name = PyTuple_GET_ITEM(names, 0);
        if (ft_key_of_keyword(&hash, name, args[0]) < 0)
            return NULL;
        const ft_memo_entry *entry = at_home(&self->results.table, hash, &number);
        PyObject *const items[] = {self->mark, name, args[0]};
        if (entry != NULL && are_identical(entry->key, items, 3))
            return hit(&self->results, number);
        return plain_answer(self, &(ft_call_key){items, 3, hash}, &(request){args, nargsf, names});
    }
    return answer_named(self, &(request){args, nargsf, names});
}

/* ---- what has no frame of its own ---- */

static __attribute__((noinline)) PyObject *call_far_int(ft_memo *self, uint32_t hash,
                                                        PyObject *const *args, size_t nargsf)
{
    return plain_answer(self, &(ft_call_key){args, 1, hash}, &(request){args, nargsf, NULL});
}

/* The number of an argument's entry that is where most are, if the argument is the very object that
 * was kept, or a small int equal to it. An int or a str is the key of a call with one argument
 * only, so whose key it is has the same hash. *hash is 0 where it is not known. */
static inline __attribute__((always_inline)) bool
is_at_home(const ft_memo_table *table, PyObject *argument, uint32_t *hash, uint32_t *number)
{
    Py_ssize_t value, other;
    *hash = 0;
    if (PyLong_CheckExact(argument) && ft_compat_compact(argument, &value)) {
        *hash = ft_key_mix(value - (value == -1), FT_KEY_INT);
    } else if (PyUnicode_CheckExact(argument) && ((PyASCIIObject *)argument)->hash != -1) {
        Py_hash_t known = ((PyASCIIObject *)argument)->hash;
        return ft_index_at_home(&table->index,
                                ft_index_home_of(&table->index, ft_key_mix(known, FT_KEY_STR)),
                                number) &&
               table->entries[*number].key == argument;
    } else {
        return false;
    }
    if (!ft_index_at_home(&table->index, ft_index_home_of(&table->index, *hash), number))
        return false;
    const ft_memo_entry *entry = &table->entries[*number];
    return entry->key == argument ||
           (entry->hash == *hash && ft_compat_compact(entry->key, &other) && other == value);
}

static inline PyObject *call_without(ft_memo *self, PyObject *const *args, size_t nargsf)
{
    uint32_t number;
    const ft_memo_entry *entry = at_home(&self->results.table, ft_key_of_nothing(), &number);
    if (entry != NULL && PyTuple_GET_SIZE(entry->key) == 0)
        return hit(&self->results, number);
    return call_several(self, args, nargsf);
}

static PyObject *call_plain(PyObject *callable, PyObject *const *args, size_t nargsf,
                            PyObject *names)
{
    ft_memo *self = (ft_memo *)callable;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    uint32_t hash, number;
    if (names != NULL)
        return call_named(self, args, nargsf, names);
    if (count == 0)
        return call_without(self, args, nargsf);
    if (count > 1)
        return call_several(self, args, nargsf);
    if (is_at_home(&self->results.table, args[0], &hash, &number))
        return hit(&self->results, number);
    if (hash != 0)
        return call_far_int(self, hash, args, nargsf);
    return call_one(self, args, nargsf);
}

/* What was kept of a method's call without arguments, or with one; NULL: there is none, or it takes
 * a search. */
static inline PyObject *kept_of_method(ft_results *results, PyObject *const *args, Py_ssize_t count)
{
    uint32_t hash, number;
    if (count == 2)
        return is_at_home(&results->table, args[1], &hash, &number) ? hit(results, number) : NULL;
    const ft_memo_entry *entry = at_home(&results->table, ft_key_of_nothing(), &number);
    return entry != NULL && PyTuple_GET_SIZE(entry->key) == 0 ? hit(results, number) : NULL;
}

/* A method with nothing but a size. The instance's results are asked of the instance each time: who
 * takes them out of its __dict__, or puts them back, is heard. */
static PyObject *call_method(PyObject *callable, PyObject *const *args, size_t nargsf,
                             PyObject *names)
{
    ft_memo *self = (ft_memo *)callable;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (names == NULL && (count == 1 || count == 2) && !PyType_Check(args[0])) {
        PyObject *holder;
        ft_results *results = ft_shelf_results(self, args[0], &holder);
        if (results == NULL)
            return NULL;
        PyObject *value = kept_of_method(results, args, count);
        Py_DECREF(holder);
        if (value != NULL)
            return value;
    }
    return call_general(callable, args, nargsf, names);
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

vectorcallfunc ft_memo_vectorcall(const ft_memo *memo)
{
    if (memo->is_off)
        return call_uncached;
    if (memo->typed || memo->key_function != NULL || memo->copy != NULL || memo->ttl > 0 ||
        memo->curve != NULL)
        return call_general;
    return memo->is_method ? call_method : call_plain;
}
