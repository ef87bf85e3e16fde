/* SPDX-License-Identifier: Apache-2.0 */
/* memo_call.c: what a Memo does when it is called.
 *
 * A plain one, called with an int or a str, finds it without a call of any function: that is the
 * path of most hits, and it has no stack frame of its own. Whatever is not decided there goes the
 * general way, which looks again.
 *
 * What is on the stack while the function runs is small: a program recurses through its caches, and
 * must not run out of stack where it does not with lru_cache. So whoever looks and waits has come
 * back by then, and who went on to somebody else has left nothing behind: arguments are handed on
 * one by one, and no local variable's address with them. */
#include "glue/types/memo.h"

#include "engine/base/clock.h"
#include "glue/types/shelf.h"

/* ---- how long computations take ---- */

enum { STRIDE = 64, QUICK_NS = 10000 }; /* reading the clock is then a hundredth at most */

static __attribute__((noinline)) uint64_t read_clock(void)
{
    return ft_clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t timing_begin(ft_memo_timing *timing)
{
    if (timing->untimed == 0)
        return read_clock();
    timing->untimed--;
    return 0;
}

/* begun 0: it was not timed. */
static inline void timing_end(ft_memo_timing *timing, uint64_t begun)
{
    if (begun == 0)
        return;
    uint64_t ns = read_clock() - begun;
    uint32_t stands_for = ns < QUICK_NS ? STRIDE : 1;
    timing->ns += ns * stands_for;
    timing->calls += stands_for;
    timing->untimed = stands_for - 1;
}

/* ---- the program's functions ---- */

/* Who recurses through a cache must end with RecursionError before the stack does. From 3.12 on the
 * interpreter sees to that where a Python function is called from C, and others are counted here:
 * they could come back again and again without any that is. 3.11 counts calls, not stack: there all
 * are counted once more, as they are in lru_cache. (PyObject_Vectorcall would stay on the stack.)
 */
static inline PyObject *run(PyObject *function, PyObject *const *args, size_t nargsf,
                            PyObject *names)
{
    bool is_python = PyFunction_Check(function), is_counted = !FT_GUARDS_STACK || !is_python;
    if (is_counted && Py_EnterRecursiveCall(" in a cached function"))
        return NULL;
    PyObject *value = is_python ? PyVectorcall_Function(function)(function, args, nargsf, names)
                                : PyObject_Vectorcall(function, args, nargsf, names);
    if (is_counted)
        Py_LeaveRecursiveCall();
    return value;
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
    ft_call_items_init(&question->items);
    question->holder = question->made = NULL;
}

int ft_memo_ask(ft_memo *memo, ft_memo_question *question, const ft_call *call)
{
    ft_call asked = *call;
    begin_question(question, &memo->results);
    if (memo->key_function != NULL) {
        question->made = run(memo->key_function, call->args, (size_t)call->count, call->names);
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

/* As ft_memo_keep does. version: of the table in which the key was not found. */
static int put(const ft_memo *memo, ft_results *results, const ft_call_key *key, uint64_t version,
               PyObject *kept, PyObject *value)
{
    uint32_t number = FT_MEMO_NONE;
    if (version != results->table.version)
        number = ft_results_find(results, key);
    if (number == FT_MEMO_NONE) {
        ft_results_add(results, key->hash, kept, value, end_of_new(memo));
        return 0;
    }
    if (number != FT_RESULTS_FAILED && (is_over(memo, results, number) || is_last_kept(memo)))
        ft_results_replace(results, number, value, end_of_new(memo));
    Py_DECREF(kept);
    return number == FT_RESULTS_FAILED ? -1 : 0;
}

int ft_memo_keep(const ft_memo *memo, ft_memo_question *question, PyObject *kept, PyObject *value)
{
    return put(memo, question->results, &question->key, question->version, kept, value);
}

/* ---- a call ---- */

/* A value as the caller gets it; takes over the reference. */
static PyObject *handed_out(const ft_memo *self, PyObject *value)
{
    if (self->copy == NULL || value == NULL)
        return value;
    PyObject *copy = run(self->copy, &value, 1, NULL);
    Py_DECREF(value);
    return copy;
}

static inline PyObject *hit(ft_results *results, uint32_t number)
{
    results->counts.hits++;
    ft_memo_table_hit(&results->table, number);
    return Py_NewRef(ft_results_value(results, number));
}

/* A key that was not found: all that there is of its call on the stack while the function runs. */
typedef struct sought {
    ft_results *results;
    PyObject *holder; /* of the results, a strong reference, or NULL: the memo */
    PyObject *kept;   /* the key as it is kept, a strong reference; NULL: nothing is sought */
    uint64_t version; /* of the table in which it was not found; 0: not looked for */
    uint32_t hash;
    bool is_known;     /* to the curve */
    ft_flight *flight; /* or NULL */
    uint64_t begun;    /* 0: it is not timed */
} sought;

/* A curve hears of a key that it knows when it is asked for, and of another when its value is
 * there: that is where LRU would have them. This is a call whose key it did not know. By now it
 * may: this call waited for another's. 0, or -1 with an exception: of a comparison. */
static int tell_curve(ft_memo *self, ft_results *results, const ft_call_key *key, bool is_computed,
                      bool failed)
{
    int known = 0;
    if (!failed && !is_computed)
        known = ft_reuse_touch(results->reuse, &self->histogram, key);
    if (known != 0)
        return known < 0 ? -1 : 0;
    ft_reuse_miss(results->reuse, &self->histogram, key);
    return failed ? 0 : ft_reuse_add(results->reuse, &self->histogram, key);
}

static __attribute__((noinline)) PyObject *told_of(ft_memo *self, const sought *key,
                                                   PyObject *value)
{
    ft_call_key asked;
    ft_call_key_of_kept(&asked, &key->kept, key->hash);
    if (tell_curve(self, key->results, &asked, true, value == NULL) < 0)
        Py_CLEAR(value);
    return value;
}

/* Keeps a result, or a copy of it, and gives a new reference to what was kept; NULL with an
 * exception. The first to have computed a key keeps it: who finds it there gives its own result and
 * leaves it, as a bounded lru_cache does. */
static inline PyObject *keep(const ft_memo *self, const sought *key, PyObject *value)
{
    PyObject *shared = handed_out(self, Py_NewRef(value));
    if (shared == NULL)
        return NULL;
    if (key->version == key->results->table.version && self->ttl == 0) {
        ft_results_add(key->results, key->hash, Py_NewRef(key->kept), shared, FT_MEMO_NEVER);
        return shared;
    }
    ft_call_key asked;
    ft_call_key_of_kept(&asked, &key->kept, key->hash);
    if (put(self, key->results, &asked, key->version, Py_NewRef(key->kept), shared) < 0)
        Py_CLEAR(shared);
    return shared;
}

/* Keeps what was computed (NULL: there is an exception), wakes who waited, and ends the key. */
static __attribute__((noinline)) PyObject *land(ft_memo *self, sought *key, PyObject *value)
{
    PyObject *shared = value == NULL ? NULL : keep(self, key, value);
    timing_end(&self->timing, key->begun);
    if (shared == NULL)
        Py_CLEAR(value);
    ft_flights_land(&self->flights, key->flight, shared);
    Py_XDECREF(shared);
    if (self->curve != NULL && !key->is_known)
        value = told_of(self, key, value);
    Py_DECREF(key->kept);
    Py_XDECREF(key->holder);
    return value;
}

static inline PyObject *compute(ft_memo *self, sought *key, PyObject *const *args, size_t nargsf,
                                PyObject *names)
{
    key->flight = NULL;
    key->begun = 0;
    if (self->patience.still > 0)
        key->flight = ft_flights_begin(&self->flights, key->results, key->hash, key->kept);
    if (!self->is_drop_in)
        key->begun = timing_begin(&self->timing);
    key->results->counts.misses++;
    return land(self, key, run(self->function, args, nargsf, names));
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

/* The result of a key that is not there, from another thread that computes it; NULL: there is none,
 * or an exception. */
static PyObject *waited_for(ft_memo *self, ft_memo_question *question)
{
    PyObject *value = NULL;
    uint32_t number = wait_for_others(self, question, &value);
    if (number == FT_RESULTS_FAILED)
        return NULL;
    if (number != FT_MEMO_NONE)
        return handed_out(self, hit(question->results, number));
    if (value != NULL) {
        question->results->counts.hits++;
        question->results->counts.waited++;
    }
    return handed_out(self, value);
}

/* The result that is there, or that another thread computes; NULL: there is none, or (*failed) an
 * exception. */
static PyObject *answer(ft_memo *self, ft_memo_question *question, bool *failed)
{
    PyObject *value = NULL;
    uint32_t number = ft_memo_find(self, question);
    *failed = number == FT_RESULTS_FAILED;
    if (number < FT_RESULTS_FAILED)
        value = handed_out(self, hit(question->results, number));
    else if (number == FT_MEMO_NONE && self->patience.still > 0 && ft_flights_are(&self->flights))
        value = waited_for(self, question);
    else
        return NULL;
    *failed = value == NULL && PyErr_Occurred() != NULL;
    return value;
}

static PyObject *answer_for_curve(ft_memo *self, ft_memo_question *question, bool *is_known,
                                  bool *failed)
{
    int known = ft_reuse_touch(question->results->reuse, &self->histogram, &question->key);
    *is_known = known == 1;
    *failed = known < 0;
    if (*failed)
        return NULL;
    PyObject *value = answer(self, question, failed);
    bool is_sought = value == NULL && !*failed;
    if (known == 0 && !is_sought &&
        tell_curve(self, question->results, &question->key, false, *failed) < 0) {
        Py_CLEAR(value);
        *failed = true;
    }
    return value;
}

/* ---- any call ---- */

/* What was asked for and is not there: the question's references become the key's. */
static void seek(sought *key, ft_memo_question *question)
{
    key->kept = ft_call_key_keep(&question->key);
    if (key->kept == NULL)
        return;
    key->results = question->results;
    key->version = question->version;
    key->hash = question->key.hash;
    key->holder = question->holder;
    question->holder = NULL;
}

/* The result if it is there; NULL: there is an exception, or key->kept is to be computed. */
static __attribute__((noinline)) PyObject *look_up(ft_memo *self, PyObject *const *args,
                                                   size_t nargsf, PyObject *names, sought *key)
{
    ft_memo_question question;
    ft_call call = {args, PyVectorcall_NARGS(nargsf), names};
    PyObject *value = NULL;
    bool failed = ft_memo_ask(self, &question, &call) < 0;
    key->is_known = false;
    if (!failed)
        value = self->curve == NULL ? answer(self, &question, &failed)
                                    : answer_for_curve(self, &question, &key->is_known, &failed);
    key->kept = NULL;
    if (value == NULL && !failed)
        seek(key, &question);
    ft_memo_asked(&question);
    return value;
}

static __attribute__((noinline)) PyObject *call_general(PyObject *callable, PyObject *const *args,
                                                        size_t nargsf, PyObject *names)
{
    ft_memo *self = (ft_memo *)callable;
    sought key;
    PyObject *value = look_up(self, args, nargsf, names, &key);
    return key.kept == NULL ? value : compute(self, &key, args, nargsf, names);
}

/* ---- a function with nothing but a size, called without keywords: what most are ---- */

static __attribute__((noinline)) PyObject *plain_kept(PyObject *const *args, size_t nargsf,
                                                      uint32_t hash)
{
    return ft_call_key_keep(&(ft_call_key){args, PyVectorcall_NARGS(nargsf), hash});
}

/* The result from another thread; NULL: there is none, or an exception. */
static __attribute__((noinline)) PyObject *plain_wait(ft_memo *self, PyObject *const *args,
                                                      size_t nargsf, sought *key)
{
    ft_memo_question question;
    begin_question(&question, key->results);
    question.key = (ft_call_key){args, PyVectorcall_NARGS(nargsf), key->hash};
    question.version = key->version;
    PyObject *value = waited_for(self, &question);
    key->version = question.version;
    return value;
}

static __attribute__((noinline)) PyObject *plain_miss(ft_memo *self, PyObject *const *args,
                                                      size_t nargsf, uint32_t hash)
{
    sought key;
    key.results = &self->results;
    key.holder = NULL;
    key.version = self->results.table.version;
    key.hash = hash;
    if (self->patience.still > 0 && ft_flights_are(&self->flights)) {
        PyObject *waited = plain_wait(self, args, nargsf, &key);
        if (waited != NULL || PyErr_Occurred())
            return waited;
    }
    key.kept = plain_kept(args, nargsf, hash);
    return key.kept == NULL ? NULL : compute(self, &key, args, nargsf, NULL);
}

static __attribute__((noinline)) uint32_t plain_number(const ft_memo *self, PyObject *const *args,
                                                       size_t nargsf, uint32_t hash)
{
    return ft_results_find(&self->results, &(ft_call_key){args, PyVectorcall_NARGS(nargsf), hash});
}

/* Another key has the same hash, and only the program's own code can tell whether it is equal. */
static __attribute__((noinline)) PyObject *plain_search(ft_memo *self, PyObject *const *args,
                                                        size_t nargsf, uint32_t hash)
{
    uint32_t number = plain_number(self, args, nargsf, hash);
    if (number < FT_RESULTS_FAILED)
        return hit(&self->results, number);
    return number == FT_RESULTS_FAILED ? NULL : plain_miss(self, args, nargsf, hash);
}

/* The entry of a key that can be told without the program's own code; FT_MEMO_NONE: there is none;
 * FT_RESULTS_FAILED: it can not be told. */
static __attribute__((noinline)) uint32_t
plain_probe(const ft_memo_table *table, PyObject *const *args, Py_ssize_t count, uint32_t hash)
{
    const ft_call_key key = {args, count, hash};
    ft_index_probe probe = ft_memo_probe_begin(table, hash);
    for (;;) {
        uint32_t number = ft_memo_probe_next(table, &probe, hash);
        int same = number == FT_MEMO_NONE ? 1 : ft_key_same(table->entries[number].key, &key);
        if (same != 0)
            return same == 1 ? number : FT_RESULTS_FAILED;
    }
}

/* The rest of a call whose key is made, and is not where its hash says. */
static __attribute__((noinline)) PyObject *plain_answer(ft_memo *self, PyObject *const *args,
                                                        size_t nargsf, uint32_t hash)
{
    uint32_t number = plain_probe(&self->results.table, args, PyVectorcall_NARGS(nargsf), hash);
    if (number < FT_RESULTS_FAILED)
        return hit(&self->results, number);
    return number == FT_MEMO_NONE ? plain_miss(self, args, nargsf, hash)
                                  : plain_search(self, args, nargsf, hash);
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
    return plain_answer(self, args, nargsf, key.hash);
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
    return plain_answer(self, args, nargsf, key.hash);
}

/* The result of a call with one keyword, as look_up does. */
static __attribute__((noinline)) PyObject *look_up_named(ft_memo *self, PyObject *name,
                                                         PyObject *value, sought *key)
{
    PyObject *const items[] = {self->mark, name, value};
    ft_memo_question question;
    bool failed;
    begin_question(&question, &self->results);
    question.key = (ft_call_key){items, 3, key->hash};
    PyObject *found = answer(self, &question, &failed);
    key->kept = NULL;
    if (found == NULL && !failed)
        seek(key, &question);
    return found;
}

static __attribute__((noinline)) PyObject *
named_answer(ft_memo *self, PyObject *const *args, size_t nargsf, PyObject *names, uint32_t hash)
{
    sought key = {.hash = hash};
    PyObject *value = look_up_named(self, PyTuple_GET_ITEM(names, 0), args[0], &key);
    return key.kept == NULL ? value : compute(self, &key, args, nargsf, names);
}

/* One keyword and nothing else is looked for without making the row of its items. */
static __attribute__((noinline)) PyObject *call_named(ft_memo *self, PyObject *const *args,
                                                      size_t nargsf, PyObject *names)
{
    uint32_t number, hash;
    if (PyVectorcall_NARGS(nargsf) != 0 || PyTuple_GET_SIZE(names) != 1)
        return call_general((PyObject *)self, args, nargsf, names);
    PyObject *name = PyTuple_GET_ITEM(names, 0);
    if (ft_key_of_keyword(&hash, name, args[0]) < 0)
        return NULL;
    const ft_memo_entry *entry = at_home(&self->results.table, hash, &number);
    if (entry != NULL && PyTuple_GET_SIZE(entry->key) == 3 &&
        PyTuple_GET_ITEM(entry->key, 0) == self->mark && PyTuple_GET_ITEM(entry->key, 1) == name &&
        PyTuple_GET_ITEM(entry->key, 2) == args[0])
        return hit(&self->results, number);
    return named_answer(self, args, nargsf, names, hash);
}

/* ---- what has no frame of its own ---- */

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
        return plain_answer(self, args, nargsf, hash);
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

/* What was kept of a method's call; NULL: there is none, or it takes a search, or there
 * is an exception. The instance's results are asked of the instance each time: who takes them out
 * of its __dict__, or puts them back, is heard. */
static __attribute__((noinline)) PyObject *method_hit(ft_memo *self, PyObject *const *args,
                                                      Py_ssize_t count)
{
    PyObject *holder;
    ft_results *results = ft_shelf_results(self, args[0], &holder);
    if (results == NULL)
        return NULL;
    PyObject *value = kept_of_method(results, args, count);
    Py_DECREF(holder);
    return value;
}

/* A method with nothing but a size. */
static PyObject *call_method(PyObject *callable, PyObject *const *args, size_t nargsf,
                             PyObject *names)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (names == NULL && (count == 1 || count == 2) && !PyType_Check(args[0])) {
        PyObject *value = method_hit((ft_memo *)callable, args, count);
        if (value != NULL || PyErr_Occurred())
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
    return run(self->function, args, nargsf, names);
}

static __attribute__((noinline)) PyObject *call_joined(ft_memo *memo, PyObject *receiver,
                                                       PyObject *const *args, size_t nargsf,
                                                       PyObject *names)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    Py_ssize_t given = count + (names == NULL ? 0 : PyTuple_GET_SIZE(names));
    PyObject **all = PyMem_New(PyObject *, (size_t)given + 1);
    if (all == NULL)
        return PyErr_NoMemory();
    all[0] = receiver;
    if (given > 0)
        memcpy(all + 1, args, (size_t)given * sizeof *all);
    PyObject *result = memo->vectorcall((PyObject *)memo, all, (size_t)count + 1, names);
    PyMem_Free(all);
    return result;
}

PyObject *ft_memo_call(ft_memo *memo, PyObject *receiver, PyObject *const *args, size_t nargsf,
                       PyObject *names)
{
    if ((nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) == 0)
        return call_joined(memo, receiver, args, nargsf, names);
    PyObject **all = (PyObject **)args - 1; /* ours until we return */
    PyObject *before = all[0];
    all[0] = receiver;
    size_t count = (size_t)PyVectorcall_NARGS(nargsf) + 1;
    PyObject *result = memo->vectorcall((PyObject *)memo, all, count, names);
    all[0] = before;
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
