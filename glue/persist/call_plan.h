/* SPDX-License-Identifier: Apache-2.0 */
/* call_plan.h: how the calls of one function become keys.
 *
 * A plan is made once from the function's parameters. It binds a call's arguments to them as Python
 * would, and feeds the values in the order of the parameters: the same call written with positions,
 * with names, or without what is a default anyway feeds the same. *args are fed as a tuple,
 * **kwargs as a dict in any order. An ignored argument is fed as a mark, and one with a key
 * function as a mark and what that function gives for it. What else tells two plans apart (names,
 * kinds, the key functions' code) is not fed: whoever makes keys feeds the function's own digest
 * before.
 *
 * A plan owns references to the function's name, the parameters' names, defaults and key functions,
 * and a block of PyMem. It lies in its owner's storage: zeroed, then ft_call_plan_init; the owner's
 * tp_traverse calls ft_call_plan_traverse, its tp_clear and tp_dealloc ft_call_plan_fini, which may
 * be called again, also after an init that failed. Whoever digests holds the owner meanwhile. A
 * plan that was ended fits no call, so a key function's frame that the collector cleared is no
 * danger. */
#ifndef FT_GLUE_CALL_PLAN_H
#define FT_GLUE_CALL_PLAN_H

#include "glue/persist/argument_digest.h"

/* As inspect has them. */
typedef enum ft_parameter_kind {
    FT_POSITIONAL_ONLY,
    FT_POSITIONAL_OR_KEYWORD,
    FT_ARGS,
    FT_KEYWORD_ONLY,
    FT_KWARGS
} ft_parameter_kind;

typedef struct ft_parameter {
    PyObject *name;          /* a str, interned */
    PyObject *default_value; /* or NULL */
    PyObject *key;           /* or NULL: called with the argument, gives what stands for it */
    ft_parameter_kind kind;
    bool is_ignored;
} ft_parameter;

typedef struct ft_call_plan {
    PyObject *name; /* of the function, with its module: in messages */
    ft_parameter *parameters;
    Py_ssize_t count;
    Py_ssize_t positional; /* the first so many can be given by position */
    Py_ssize_t args_at;    /* or -1 */
    Py_ssize_t kwargs_at;  /* or -1 */
    bool is_simple;        /* positional ones alone, none ignored, no key functions */
    bool is_ready;
} ft_call_plan;

/* parameters: a tuple of (name, kind, default, ignored, key): default is () or (value,), ignored a
 * bool, key a callable or None, in the order that Python demands of parameters. 0, or -1 with an
 * exception. */
int ft_call_plan_init(ft_call_plan *plan, PyObject *name, PyObject *parameters);
void ft_call_plan_fini(ft_call_plan *plan);
int ft_call_plan_traverse(const ft_call_plan *plan, visitproc visit, void *arg);

/* A call as vectorcall has it, from a tuple and a dict. What is in it is held: code that runs
 * meanwhile may change the dict. */
typedef struct ft_flat_call {
    PyObject **values; /* count positional ones, then those of names; owned, and so is each */
    Py_ssize_t count;
    PyObject *names; /* a tuple of str, owned */
} ft_flat_call;

/* 0, or -1 with an exception: TypeError for keywords that are no dict of str. fini after 0. */
int ft_flat_call_init(ft_flat_call *call, PyObject *args, PyObject *keywords);
void ft_flat_call_fini(ft_flat_call *call); /* may run the program's code */

/* Feeds a call: count positional arguments, then the values of the keywords in names (a tuple of
 * str, or NULL). The caller holds them. 0: fed. 1: Python would not make the call, call the
 * function for its own words. -1 with an exception: a TypeError that names the argument which can
 * not be part of a key; or what a key function or a signal handler raised. Allocates nothing for up
 * to FT_PLAN_FEW parameters, if all of them are plain and **kwargs is empty. */
enum { FT_PLAN_FEW = 16 };
int ft_call_plan_digest(const ft_call_plan *plan, ft_digester *digester, ft_digest_context *context,
                        PyObject *const *args, Py_ssize_t count, PyObject *names);

#endif
