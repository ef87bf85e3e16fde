/* SPDX-License-Identifier: Apache-2.0 */
/* memo.h: fettle._core.Memo, a function whose results are kept.
 *
 * What a call does is chosen when the Memo is made: the vectorcall of a plain one is a look-up and
 * little else. A Memo is a method descriptor, so `instance.method(x)` calls it with the instance
 * first and makes no bound method. A Memo that is a method keeps the results of each instance in
 * that instance (shelf.h), so they die with it; it knows where they are, but does not own them. */
#ifndef FT_GLUE_MEMO_H
#define FT_GLUE_MEMO_H

#include "glue/caching/flights.h"
#include "glue/caching/results.h"
#include "glue/state.h"

/* What computations take, estimated: a quick one is timed once in a while only. */
typedef struct ft_memo_timing {
    uint64_t ns, calls; /* of those timed, and of those that each of these stands for */
    uint32_t untimed;   /* how many to pass over before the next is timed */
} ft_memo_timing;

typedef struct ft_memo {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *function, *dict, *weakrefs;
    ft_results results; /* of a function; empty in a method, and the head of its instances' list */
    ft_results *cleared_next; /* of the instances', where these are cleared; else NULL */
    ft_counts past;           /* of instances that are gone, and what was counted elsewhere */
    ft_memo_timing timing;
    ft_flights flights;
    ft_patience patience;
    ft_wait **waits;                /* who waits in this interpreter; in the module's state */
    PyObject *mark;                 /* what stands before keywords in a key */
    PyObject *key_function, *copy;  /* or NULL */
    PyObject *curve;                /* makes a cache_curve; NULL: nothing is learnt for one */
    ft_hit_histogram histogram;     /* what all curves feed: of its results, of its instances' */
    PyObject *info, *parameters;    /* makes a cache_info; what cache_parameters gives */
    PyObject *maxsize, *shelf_name; /* as the user gave it; "__fettle__" */
    PyTypeObject *shelf_type, *bound_type; /* of this module */
    PyTypeObject *slot_type;               /* likewise */
    const struct ft_policy *policy;        /* or NULL */
    uint32_t most;                         /* FT_MEMO_UNBOUNDED */
    uint64_t ttl;                          /* ns; 0: for ever */
    unsigned int home_version;             /* of the type whose instances' home is known, or 0 */
    Py_ssize_t home;                       /* the offset of its slot; 0: the instance's __dict__ */
    bool typed, is_method, is_off;         /* off: maxsize=0, nothing is kept */
    bool is_drop_in;                       /* as lru_cache is, down to its cache_info */
    PyTypeObject *call_type;               /* of this module: a call with keywords, exported */
} ft_memo;

enum { FT_MEMO_LONGEST = 1000000000 }; /* seconds: clocks' ns stay within 64 bits */

/* Adds the type to the module. 0, or -1 with an exception. */
int ft_memo_type_add(PyObject *module, ft_module_state *state);

/* Results of nothing yet, of the memo's kind. 0, or -1 with an exception. */
int ft_memo_results_init(const ft_memo *memo, ft_results *results);

/* Calls with the receiver as the first argument, if there is one. */
PyObject *ft_memo_call(ft_memo *memo, PyObject *receiver, PyObject *const *args, size_t nargsf,
                       PyObject *names);

/* What a Memo of these options does when it is called (memo_call.c). */
vectorcallfunc ft_memo_vectorcall(const ft_memo *memo);

/* ---- the methods of Memo and BoundMemo (memo_methods.c). receiver NULL: the Memo's own. ---- */

PyObject *ft_memo_info(ft_memo *memo, PyObject *receiver);
PyObject *ft_memo_clear(ft_memo *memo, PyObject *receiver);
PyObject *ft_memo_forget(ft_memo *memo, PyObject *receiver, PyObject *const *args, Py_ssize_t count,
                         PyObject *names);
PyObject *ft_memo_export(ft_memo *memo, PyObject *receiver);
PyObject *ft_memo_load(ft_memo *memo, PyObject *receiver, PyObject *pairs);

/* What it is called, for people: a new reference, or NULL with an exception. */
PyObject *ft_memo_name(const ft_memo *memo);
PyObject *ft_memo_repr(PyObject *memo);
PyObject *ft_memo_set_name(PyObject *memo, PyObject *args); /* memo.c */
int ft_memo_call_type_add(PyObject *module, ft_module_state *state);
extern PyMethodDef ft_memo_methods[];

/* What is being asked: where the results are and under which key. Made by ft_memo_ask from a call,
 * ended by ft_memo_asked whether or not that succeeded. */
typedef struct ft_memo_question {
    ft_results *results;
    ft_call_key key;
    uint64_t version; /* of the table in which the key was not found; 0: not looked for */
    ft_call_items items;
    PyObject *holder; /* of the results, a strong reference, or NULL: the memo */
    PyObject *made;   /* what the key function made, a strong reference, or NULL */
} ft_memo_question;

int ft_memo_ask(ft_memo *memo, ft_memo_question *question, const ft_call *call);

void ft_memo_asked(ft_memo_question *question);

/* The time, for stamps, in ns; 0 where nothing ever ends. */
uint64_t ft_memo_now(const ft_memo *memo);

/* The entry of a question whose time is not over, or FT_MEMO_NONE, or FT_RESULTS_FAILED. */
uint32_t ft_memo_find(const ft_memo *memo, ft_memo_question *question);

/* Keeps a value under the question's key; takes over the reference to the key as it is kept. 0, or
 * -1 with an exception: of a comparison. */
int ft_memo_keep(const ft_memo *memo, ft_memo_question *question, PyObject *kept, PyObject *value);

#endif
