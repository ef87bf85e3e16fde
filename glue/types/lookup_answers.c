/* SPDX-License-Identifier: Apache-2.0 */
/* lookup_answers.c: the answers of a table, collected and given (see lookup_answers.h). */
#include "glue/types/lookup_answers.h"

#include <assert.h>

_Static_assert(sizeof(double) == sizeof(int64_t), "an answer is 8 bytes, packed");

/* What an answer could be packed as. *number: an int's value. */
static ft_answer_form form_of(PyObject *answer, int64_t *number)
{
    if (PyFloat_CheckExact(answer))
        return FT_ANSWERS_FLOATS;
    if (!PyLong_CheckExact(answer))
        return FT_ANSWERS_OBJECTS;
    int overflow;
    *number = PyLong_AsLongLongAndOverflow(answer, &overflow);
    return overflow == 0 ? FT_ANSWERS_INTS : FT_ANSWERS_OBJECTS;
}

static int begin(ft_answers *into, ft_answer_form form)
{
    if (form == FT_ANSWERS_OBJECTS) {
        into->values = PyList_New(0);
        if (into->values == NULL)
            return -1;
    } else {
        into->packed = PyMem_New(int64_t, (size_t)into->count);
        if (into->packed == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    into->form = form;
    return 0;
}

static PyObject *unpacked(const ft_answers *answers, Py_ssize_t place)
{
    return answers->form == FT_ANSWERS_INTS ? PyLong_FromLongLong(answers->ints[place])
                                            : PyFloat_FromDouble(answers->floats[place]);
}

/* From packed to objects, for one came that is neither. */
static int spill(ft_answers *into)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < into->used; i++) {
        PyObject *answer = unpacked(into, i);
        if (answer == NULL || PyList_Append(list, answer) < 0)
            Py_CLEAR(list);
        Py_XDECREF(answer);
    }
    if (list == NULL)
        return -1;
    PyMem_Free(into->packed);
    into->packed = NULL;
    into->values = list;
    into->form = FT_ANSWERS_OBJECTS;
    return 0;
}

void ft_answers_init(ft_answers *answers, Py_ssize_t count)
{
    assert(count > 0);
    *answers = (ft_answers){.count = count};
}

int ft_answers_add(ft_answers *answers, PyObject *answer)
{
    int64_t number = 0;
    if (answers->used == answers->count) {
        PyErr_SetString(PyExc_RuntimeError, "there are more answers than members");
        return -1;
    }
    ft_answer_form form = form_of(answer, &number);
    if (answers->form == FT_ANSWERS_NONE && begin(answers, form) < 0)
        return -1;
    if (answers->form != form && answers->form != FT_ANSWERS_OBJECTS && spill(answers) < 0)
        return -1;
    if (answers->form == FT_ANSWERS_INTS)
        answers->ints[answers->used] = number;
    else if (answers->form == FT_ANSWERS_FLOATS)
        answers->floats[answers->used] = PyFloat_AS_DOUBLE(answer);
    else if (PyList_Append(answers->values, answer) < 0)
        return -1;
    answers->used++;
    return 0;
}

/* Packed answers as a tuple of objects. */
static PyObject *as_tuple(const ft_answers *answers)
{
    PyObject *tuple = PyTuple_New(answers->count);
    for (Py_ssize_t i = 0; tuple != NULL && i < answers->count; i++) {
        PyObject *answer = unpacked(answers, i);
        if (answer == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, answer);
    }
    return tuple;
}

int ft_answers_end(ft_answers *answers)
{
    if (answers->used < answers->count) {
        PyErr_SetString(PyExc_RuntimeError, "there are fewer answers than members");
        return -1;
    }
    PyObject *tuple = NULL;
    if (answers->form == FT_ANSWERS_OBJECTS)
        tuple = PyList_AsTuple(answers->values);
    else if (answers->count <= FT_ANSWERS_FEW)
        tuple = as_tuple(answers);
    else
        return 0;
    if (tuple == NULL)
        return -1;
    Py_XSETREF(answers->values, tuple);
    return 0;
}

void ft_answers_fini(ft_answers *answers)
{
    PyObject *values = answers->values;
    void *packed = answers->packed;
    *answers = (ft_answers){0};
    PyMem_Free(packed);
    Py_XDECREF(values); /* may run the user's finalisers, who find no answers */
}

PyObject *ft_answers_values(ft_answers *answers)
{
    if (answers->values != NULL)
        return Py_NewRef(answers->values);
    PyObject *tuple = as_tuple(answers);
    if (tuple == NULL)
        return NULL;
    if (answers->values == NULL) /* making a tuple may collect garbage, and that may ask, too */
        answers->values = Py_NewRef(tuple);
    Py_DECREF(tuple);
    return Py_NewRef(answers->values);
}

size_t ft_answers_bytes(const ft_answers *answers)
{
    return answers->packed == NULL ? 0 : (size_t)answers->count * sizeof(int64_t);
}

PyObject *ft_answers_early(const ft_answers *answers, Py_ssize_t place)
{
    assert(place < answers->used);
    if (answers->values == NULL)
        return unpacked(answers, place);
    return PySequence_GetItem(answers->values, place);
}

PyObject *ft_answers_gone(void)
{
    PyErr_SetString(PyExc_RuntimeError, "the table is being collected as garbage");
    return NULL;
}
