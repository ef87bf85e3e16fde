/* SPDX-License-Identifier: Apache-2.0 */
/* describe.h: what a function is called in the tables, as cProfile would call it.
 *
 * Runs no code of the user's: no repr, no attribute look-up through a type's own hooks. */
#ifndef FT_GLUE_PROBES_DESCRIBE_H
#define FT_GLUE_PROBES_DESCRIBE_H

#include "glue/compat.h"

#include "engine/record/recording.h"

/* The texts of one function and what keeps them alive. */
typedef struct ft_description {
    ft_function function;
    PyObject *owned[3]; /* strong references behind function.texts, or NULL */
    PyObject *keeper;   /* strong: while it lives, function.key is no other function's */
} ft_description;

/* Both: 0, or -1 with an exception when memory is out. ft_description_fini in either case. */
int ft_describe_python(PyCodeObject *code, ft_description *description);
int ft_describe_c(const PyMethodDef *method, PyObject *callable, ft_description *description);

/* Stores sys.orig_argv and the version: what the process is. */
void ft_describe_process(ft_recording *recording);

/* Drops everything but the keeper, which is the caller's. */
void ft_description_fini(ft_description *description);

#endif
