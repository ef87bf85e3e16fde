/* SPDX-License-Identifier: Apache-2.0 */
/* argument_digest.h: what a value is, fed to a digest: equal values of equal types feed the same.
 *
 * Types count: 1, 1.0, True and "1" differ, and so does an instance of a subclass. What decides is
 * the value alone, not which objects are shared, nor the order of a dict or a set. A class is its
 * module and its qualified name; an instance is its class and its state. So two classes of one name
 * (made by a function, or typed twice in a notebook) are not told apart by their instances.
 *
 * Plain values, containers, and some classes of the standard library, numpy and pandas are known
 * (the encoding: digest_feed.h). Anything else is what its __reduce_ex__ (or copyreg) says:
 * pickle's own description of it, but digested as a structure, since what pickle writes depends on
 * which objects are shared. An object that refers to itself is fed as so many levels up.
 *
 * Where a value's own code runs, it may change what is being walked: whatever is looked at is held,
 * and lengths are read again. */
#ifndef FT_GLUE_ARGUMENT_DIGEST_H
#define FT_GLUE_ARGUMENT_DIGEST_H

#include "glue/persist/digest_feed.h"
#include "glue/persist/known_types.h"
#include "glue/state.h"

/* Levels of values in values; beyond it is a RecursionError. A level takes less than 1 KiB of the
 * C stack, and CPython 3.12 and 3.13 would let 10 000 pass. */
enum { FT_DIGEST_DEEPEST = 2000 };

/* What two objects share is walked twice, so a net of objects that lead to each other is walked on
 * each of its ways: too many ever to end. A step is 20 to 200 ns: after some twenty seconds it is a
 * TypeError. */
enum { FT_DIGEST_STEPS = 1 << 27, FT_DIGEST_STEPS_OF_OBJECT = 16, FT_DIGEST_LOOK = 1 << 14 };

/* A value that is being walked, and those around it. */
typedef struct ft_digest_level {
    const struct ft_digest_level *around;
    PyObject *value; /* borrowed: whoever walks holds it */
} ft_digest_level;

/* Lasts for one digest, in one thread. */
typedef struct ft_digest_context {
    ft_module_state *state;       /* borrowed */
    PyObject *functions;          /* borrowed, or NULL: gives bytes for code, see below */
    const ft_digest_level *level; /* the innermost one */
    int depth;                    /* levels */
    uint32_t steps;               /* taken */
    int until_look;               /* so many until signals are looked at */
} ft_digest_context;

/* functions: called with each Python function that is met, and each class that is neither met as
 * that of an instance nor a static type of C; gives bytes that say what it does. Members of enums
 * are then fed with their values. NULL or None: functions and classes are their module and
 * qualified name, and a function that has no name of its own (a lambda, or one made in another
 * function) is a TypeError. */
static inline void ft_digest_context_init(ft_digest_context *context, ft_module_state *state,
                                          PyObject *functions)
{
    *context =
        (ft_digest_context){.state = state, .functions = functions == Py_None ? NULL : functions};
}

/* Any value that is not plain. As ft_argument_digest. */
int ft_digest_deep(ft_digester *digester, ft_digest_context *context, PyObject *value);

/* Feeds the value. 0, or -1 with an exception: TypeError where it can not be part of a digest. The
 * caller holds value. */
static inline int ft_argument_digest(ft_digester *digester, ft_digest_context *context,
                                     PyObject *value)
{
    return ft_feed_plain(digester, value) ? 0 : ft_digest_deep(digester, context, value);
}

/* ---- for the files that take part ---- */

/* A class, by name. 0, or -1 with an exception; so are the others. */
int ft_digest_class(ft_digester *digester, ft_digest_context *context, PyObject *type);
/* A mark, and what is named so in that module. */
int ft_digest_name(ft_digester *digester, ft_digest_context *context, int mark, PyObject *value);
PyObject *ft_digest_get(const ft_digest_context *context, PyObject *value, ft_word word);
int ft_digest_attribute(ft_digester *digester, ft_digest_context *context, PyObject *value,
                        const char *name);
/* An attribute, a new reference; None where there is none. */
int ft_digest_find(PyObject *value, const char *name, PyObject **attribute);
/* So many steps more. */
int ft_digest_step(ft_digest_context *context, uint32_t steps);
/* A mark, and the values in any order: rows of width (1 or 2) of them. Steals the references in
 * values, a PyMem block, which it frees. */
int ft_digest_unordered(ft_digester *digester, ft_digest_context *context, int mark,
                        PyObject **values, Py_ssize_t rows, int width);
/* The elements of a list in any order. */
int ft_digest_any_order(ft_digester *digester, ft_digest_context *context, int mark,
                        PyObject *list);
/* Instances of classes that no file here knows by their type object (object_digest.c). */
int ft_digest_object(ft_digester *digester, ft_digest_context *context, PyObject *value);
/* Anything with a buffer whose format it tells; and numpy's and pandas's (array_digest.c). */
int ft_digest_buffer(ft_digester *digester, ft_digest_context *context, int mark, PyObject *value);
int ft_digest_ndarray(ft_digester *digester, ft_digest_context *context, PyObject *array);
int ft_digest_scalar(ft_digester *digester, ft_digest_context *context, PyObject *scalar);
int ft_digest_series(ft_digester *digester, ft_digest_context *context, PyObject *series);
int ft_digest_frame(ft_digester *digester, ft_digest_context *context, PyObject *frame);
/* Makes any error but those that say nothing of the value a TypeError whose cause is the error. */
void ft_digest_refuse(PyObject *value);
/* What an exception says, or its class's name: a new reference; NULL with an exception. */
PyObject *ft_digest_error_text(PyObject *error);
/* What pickle would ask it. */
int ft_digest_reduced(ft_digester *digester, ft_digest_context *context, PyObject *value);

#endif
