/* SPDX-License-Identifier: Apache-2.0 */
/* known_types.h: classes of other modules that are looked for, and never imported.
 *
 * An instance of one of them can only be met when its module is loaded, so sys.modules is where
 * they are found; it is asked again when it has grown or shrunk. What was found is kept in the
 * module state, a list: the state's traverse and clear see it. */
#ifndef FT_GLUE_KNOWN_TYPES_H
#define FT_GLUE_KNOWN_TYPES_H

#include "glue/compat.h"

#include "glue/state.h"

typedef enum ft_known {
    FT_KNOWN_ENUM_META,
    FT_KNOWN_PURE_PATH,
    FT_KNOWN_FRACTION,
    FT_KNOWN_UUID,
    FT_KNOWN_ARRAY,
    FT_KNOWN_NDARRAY,
    FT_KNOWN_SCALAR, /* numpy.generic */
    FT_KNOWN_MEMMAP,
    FT_KNOWN_DTYPE,
    FT_KNOWN_SERIES,
    FT_KNOWN_FRAME,
    FT_KNOWN_REDUCERS,   /* copyreg.dispatch_table, a dict */
    FT_KNOWN_DTYPE_TOLD, /* the last dtype that its text tells, and that text: a tuple */
    FT_KNOWN_COUNT
} ft_known;

/* Names of attributes, interned, and a number: objects that need not be made each time. */
typedef enum ft_word {
    FT_WORD_MODULE,
    FT_WORD_QUALNAME,
    FT_WORD_REDUCE_EX,
    FT_WORD_DTYPE,
    FT_WORD_SHAPE,
    FT_WORD_TOBYTES,
    FT_WORD_NAME,
    FT_WORD_PROTOCOL, /* the int that __reduce_ex__ is called with */
    FT_WORD_COUNT
} ft_word;

/* Borrowed; NULL with an exception. */
PyObject *ft_known_word(ft_module_state *state, ft_word word);

/* Looks for those that were not found yet. 0, or -1 with an exception. */
int ft_known_types_look(ft_module_state *state);

/* Borrowed; None where it is not loaded. After ft_known_types_look. */
static inline PyObject *ft_known_get(const ft_module_state *state, ft_known which)
{
    return PyList_GET_ITEM(state->known_types, which);
}

/* Is it an instance of it, or of a subclass? */
static inline bool ft_known_holds(const ft_module_state *state, ft_known which, PyObject *value)
{
    PyObject *known = ft_known_get(state, which);
    return PyType_Check(known) && PyObject_TypeCheck(value, (PyTypeObject *)known);
}

/* Is it an instance of exactly it? */
static inline bool ft_known_is(const ft_module_state *state, ft_known which, PyObject *value)
{
    return (PyObject *)Py_TYPE(value) == ft_known_get(state, which);
}

#endif
