/* SPDX-License-Identifier: Apache-2.0 */
/* watched_names.h: what a function's identity rests on: names that must lead to the objects they
 * led to, and functions that must have the code they had.
 *
 * Asked before every hit, of up to thousands of names. So names are grouped by their namespace, and
 * looked up again only where the namespace changed at all since it was last found to be right:
 * CPython counts or tells changes of dicts. Functions have no such count; theirs is a comparison of
 * two pointers each.
 *
 * A watch owns its references. It lies in its owner's storage, zeroed: nothing is watched. The
 * owner's tp_traverse calls ft_watch_traverse. */
#ifndef FT_GLUE_WATCHED_NAMES_H
#define FT_GLUE_WATCHED_NAMES_H

#include "glue/compat.h"

/* namespace[name] must be that very object. expected NULL: there must be none. */
typedef struct ft_watched_name {
    PyObject *name, *expected;
} ft_watched_name;

typedef struct ft_watched_code {
    PyObject *function, *code;
} ft_watched_code;

typedef struct ft_watched_namespace {
    PyObject *dict;
    const uint64_t *changes; /* another number after each change of it; NULL: nobody counts */
    uint64_t seen;           /* what that was when its names were right */
    Py_ssize_t first, count; /* its names */
} ft_watched_namespace;

typedef struct ft_watch {
    ft_watched_namespace *namespaces;
    ft_watched_name *names; /* by namespaces */
    ft_watched_code *codes;
    Py_ssize_t namespace_count, name_count, code_count;
} ft_watch;

/* Fills in a watch from rows: (dict, str, object) or (None, function, code); the object missing
 * stands for none. 0, or -1 with an exception, the watch then being empty. */
int ft_watch_init(ft_watch *watch, PyObject *rows, PyObject *missing);
void ft_watch_fini(ft_watch *watch); /* may run the program's code */
int ft_watch_traverse(const ft_watch *watch, visitproc visit, void *arg);

/* Did nothing change at all since it was last found to be right? Runs nothing. */
static inline bool ft_watch_is_unchanged(const ft_watch *watch)
{
    for (Py_ssize_t i = 0; i < watch->namespace_count; i++) {
        const ft_watched_namespace *is = &watch->namespaces[i];
        if (is->changes == NULL || *is->changes != is->seen)
            return false;
    }
    for (Py_ssize_t i = 0; i < watch->code_count; i++)
        if (PyFunction_GET_CODE(watch->codes[i].function) != watch->codes[i].code)
            return false;
    return true;
}

/* Is everything as it was? Looks names up where anything changed, which may run the program's code:
 * nobody else must have the watch meanwhile. */
bool ft_watch_holds(const ft_watch *watch);

#endif
