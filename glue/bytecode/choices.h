/* SPDX-License-Identifier: Apache-2.0 */
/* choices.h: the part of a dialect that says how arguments read: the lists that they choose from,
 * and what is said beside names. */
#ifndef FT_GLUE_CHOICES_H
#define FT_GLUE_CHOICES_H

#include "glue/bytecode/dialect_of_python.h"

typedef struct ft_building {
    ft_python_dialect *dialect;
    PyObject *module;  /* opcode */
    PyObject *numbers; /* a dict: of each name, specialised forms as well */
    bool ok;           /* after a failure each step is a no-op */
} ft_building;

/* The number of an opcode; -1: this version has none of that name. */
int ft_dialect_opcode(const ft_building *build, const char *name);

/* Gives the object, which may be NULL after a failure, to the dialect, and lends it. */
PyObject *ft_dialect_keep(ft_building *build, PyObject *object);

/* A list of the module as a tuple, borrowed; NULL without a failure: it has none of that name. */
PyObject *ft_dialect_list(ft_building *build, const char *name);

void ft_dialect_add_choices(ft_building *build);

#endif
