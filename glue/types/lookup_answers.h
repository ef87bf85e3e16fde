/* SPDX-License-Identifier: Apache-2.0 */
/* lookup_answers.h: the answers of a table, in the order of their places.
 *
 * All exact ints of 64 bits, or all exact floats, are packed: 8 bytes each, without an object. Any
 * other answers are objects in a tuple. That tuple is made of packed ones, too: at once where they
 * are few, else when it is asked for. Answers come from it then, which is quicker than making them.
 *
 * While they are collected, those below `used` can be read already. */
#ifndef FT_GLUE_LOOKUP_ANSWERS_H
#define FT_GLUE_LOOKUP_ANSWERS_H

#include <Python.h>

#include <stdint.h>

enum { FT_ANSWERS_FEW = 4096 }; /* 160 kB as objects, at most */

typedef enum ft_answer_form {
    FT_ANSWERS_NONE = 0,
    FT_ANSWERS_INTS,
    FT_ANSWERS_FLOATS,
    FT_ANSWERS_OBJECTS
} ft_answer_form;

typedef struct ft_answers {
    ft_answer_form form;
    Py_ssize_t count, used;
    union {
        void *packed; /* owned; one of the next two */
        int64_t *ints;
        double *floats;
    };
    PyObject *values; /* a tuple; a list while it grows; NULL: only packed so far */
} ft_answers;

/* Room for count > 0 answers, of which there are none yet. */
void ft_answers_init(ft_answers *answers, Py_ssize_t count);
void ft_answers_fini(ft_answers *answers); /* zeros again */

/* Adds the next answer. -1 with an exception: it has those that it had. */
int ft_answers_add(ft_answers *answers, PyObject *answer);

/* To be called after the last one was added. -1 with an exception, as where one lacks. */
int ft_answers_end(ft_answers *answers);

/* The tuple, made if need be: a new reference, or NULL with an exception. None may lack. */
PyObject *ft_answers_values(ft_answers *answers);

size_t ft_answers_bytes(const ft_answers *answers); /* of heap, without the objects */

/* The answer at a place below used, while more are added: a new reference, or NULL with an
 * exception. */
PyObject *ft_answers_early(const ft_answers *answers, Py_ssize_t place);

/* NULL with an exception: the collector of garbage took the answers while a call was under way. */
PyObject *ft_answers_gone(void);

/* The same where none lacks. */
static inline PyObject *ft_answers_at(const ft_answers *answers, Py_ssize_t place)
{
    if (answers->values != NULL)
        return Py_NewRef(PyTuple_GET_ITEM(answers->values, place));
    if (answers->form == FT_ANSWERS_INTS)
        return PyLong_FromLongLong(answers->ints[place]);
    if (answers->form == FT_ANSWERS_FLOATS)
        return PyFloat_FromDouble(answers->floats[place]);
    return ft_answers_gone();
}

#endif
