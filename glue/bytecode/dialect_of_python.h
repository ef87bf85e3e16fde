/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_of_python.h: what the running interpreter means by its opcodes.
 *
 * Built once, at the first use, from the module `opcode`: names, specialised forms, kinds of
 * arguments, caches, and the lists that arguments choose from. No number of an opcode stands here.
 * What no module tells (how an argument is written) differs by version and is named in
 * glue/compat.h as FT_DIS_. It never changes, and each object of its own is immutable. */
#ifndef FT_GLUE_DIALECT_OF_PYTHON_H
#define FT_GLUE_DIALECT_OF_PYTHON_H

#include "glue/compat.h"

#include "engine/bytecode/dialect.h"
#include "glue/state.h"

/* Arguments, offsets and lines are small as a rule: those are made once. */
enum { FT_KNOWN_NUMBERS = 4096 };

/* An opcode whose argument chooses from a list. */
typedef struct ft_choice {
    PyObject *texts;  /* a tuple */
    PyObject *values; /* a tuple, or NULL: the value is the argument */
    int32_t mask;     /* of the argument's bits that choose */
    bool truth;       /* chooses 1 if it is not 0 */
} ft_choice;

/* What the low bits of a name's argument add to the name. */
typedef struct ft_mark {
    PyObject *lowest, *second; /* str, or NULL: it adds nothing */
} ft_mark;

/* Every reference is borrowed from kept. */
typedef struct ft_python_dialect {
    ft_dialect table;
    PyObject *kept; /* owned: a list */
    PyObject *names[FT_OPCODES];
    PyObject *numbers[FT_KNOWN_NUMBERS]; /* ints, from 0 */
    PyObject *fields[FT_OPCODES]; /* by base: a tuple of (name, units) of its caches, or NULL */
    PyObject *zeros[FT_OPCODES];  /* by base: its caches when all are zeros, or NULL */
    ft_choice choices[FT_OPCODES];
    ft_mark marks[FT_OPCODES];
    bool unresolved[FT_OPCODES];           /* constants that are not looked up */
    PyObject *compared, *compared_as_bool; /* tuples of str */
    PyObject *empty;                       /* "" */
    PyObject *cache_name;                  /* "CACHE" */
    uint8_t cache_opcode, executor_opcode; /* CACHE; ENTER_EXECUTOR, or CACHE where there is none */
    uint8_t from_opcode;                   /* its argument says where from: or CACHE */
    PyTypeObject *row_type, *position_type;
} ft_python_dialect;

/* A capsule, for its owners to share: a new reference, or NULL with an exception. */
PyObject *ft_python_dialect_get(ft_module_state *state);

/* What is in the capsule. */
const ft_python_dialect *ft_python_dialect_in(PyObject *capsule);

/* An int: a new reference, or NULL with an exception. */
static inline PyObject *ft_dialect_number(const ft_python_dialect *dialect, int64_t number)
{
    bool known = number >= 0 && number < FT_KNOWN_NUMBERS;
    return known ? Py_NewRef(dialect->numbers[number]) : PyLong_FromLongLong(number);
}

/* The type of (line, end line, column, end column) and that of rows, added to the module. */
int ft_instruction_types_add(PyObject *module, ft_module_state *state);

#endif
