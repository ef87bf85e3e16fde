/* SPDX-License-Identifier: Apache-2.0 */
/* array_digest.c: what lies in buffers, numpy's arrays and scalars, pandas's series and frames.
 *
 * The elements are fed where they lie, if they lie there in one piece, as rows or as columns: an
 * array and its like in the other order differ. Elements that are objects are values of their own.
 */
#include "glue/persist/argument_digest.h"

#include "glue/persist/known_types.h"

/* ---- buffers ---- */

static int feed_scattered(ft_digester *digester, Py_buffer *view)
{
    void *copy = PyMem_Malloc((size_t)view->len + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int result = PyBuffer_ToContiguous(copy, view, view->len, 'C');
    if (result == 0)
        ft_feed_bytes(digester, FT_MARK_BYTES, copy, (size_t)view->len);
    PyMem_Free(copy);
    return result;
}

int ft_digest_buffer(ft_digester *digester, ft_digest_context *context, int mark, PyObject *value)
{
    (void)context;
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_FULL_RO) < 0)
        return -1;
    const char *format = view.format == NULL ? "B" : view.format;
    int result = 0;
    ft_feed_head(digester, mark, strlen(format));
    ft_digester_feed(digester, format, strlen(format));
    ft_feed_head(digester, FT_MARK_TUPLE, (size_t)view.ndim);
    for (int i = 0; i < view.ndim; i++)
        ft_feed_int(digester, view.shape[i]);
    if (PyBuffer_IsContiguous(&view, 'C'))
        ft_feed_bytes(digester, FT_MARK_BYTES, view.buf, (size_t)view.len);
    else
        result = feed_scattered(digester, &view);
    PyBuffer_Release(&view);
    return result;
}

/* ---- numpy: what the elements are ---- */

/* The truth of an attribute: 1, 0, or -1 with an exception. */
static int asks(PyObject *value, const char *name)
{
    PyObject *answer = PyObject_GetAttrString(value, name);
    int result = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return result;
}

/* Records, and types that others made, are not told by dtype.str. 1, 0, or -1. */
static int is_told_by_text(PyObject *dtype, int has_objects)
{
    PyObject *kind = has_objects ? NULL : PyObject_GetAttrString(dtype, "kind");
    if (kind == NULL)
        return has_objects ? 0 : -1;
    int result = PyUnicode_Check(kind) && PyUnicode_CompareWithASCIIString(kind, "V") != 0;
    Py_DECREF(kind);
    return result;
}

/* Feeds the dtype of an array or a scalar: 1 if its elements are objects, 0, or -1. */
static int feed_dtype(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    PyObject *dtype = PyObject_GetAttrString(value, "dtype");
    int has_objects = dtype == NULL ? -1 : asks(dtype, "hasobject");
    int by_text = has_objects < 0 ? -1 : is_told_by_text(dtype, has_objects);
    int result = -1;
    if (by_text == 1)
        result = ft_digest_attribute(digester, context, dtype, "str");
    else if (by_text == 0)
        result = ft_digest_reduced(digester, context, dtype);
    Py_XDECREF(dtype);
    return result < 0 ? -1 : has_objects;
}

/* ---- numpy: the elements ---- */

/* What the method gives, as a value. */
static int feed_answer(ft_digester *digester, ft_digest_context *context, PyObject *value,
                       const char *method)
{
    PyObject *answer = PyObject_CallMethod(value, method, NULL);
    int result = answer == NULL ? -1 : ft_argument_digest(digester, context, answer);
    Py_XDECREF(answer);
    return result;
}

static int feed_objects(ft_digester *digester, ft_digest_context *context, PyObject *array)
{
    PyObject *flat = PyObject_CallMethod(array, "ravel", NULL);
    int result = flat == NULL ? -1 : feed_answer(digester, context, flat, "tolist");
    Py_XDECREF(flat);
    return result;
}

/* Where they lie, if in one piece: 1 then, else 0. Never an exception. */
static int feed_in_place(ft_digester *digester, PyObject *array)
{
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_STRIDES) < 0) { /* not of every dtype */
        PyErr_Clear();
        return 0;
    }
    bool rows = PyBuffer_IsContiguous(&view, 'C'), columns = PyBuffer_IsContiguous(&view, 'F');
    if (rows || columns) {
        ft_feed_mark(digester, rows ? 'C' : 'F');
        ft_feed_bytes(digester, FT_MARK_BYTES, view.buf, (size_t)view.len);
    }
    PyBuffer_Release(&view);
    return rows || columns;
}

static int feed_array(ft_digester *digester, ft_digest_context *context, PyObject *array)
{
    ft_feed_mark(digester, FT_MARK_NDARRAY);
    int has_objects = feed_dtype(digester, context, array);
    if (has_objects < 0 || ft_digest_attribute(digester, context, array, "shape") < 0)
        return -1;
    if (has_objects)
        return feed_objects(digester, context, array);
    if (feed_in_place(digester, array))
        return 0;
    ft_feed_mark(digester, 'C');
    return feed_answer(digester, context, array, "tobytes");
}

/* ---- numpy: subclasses ---- */

/* Has the class the method that numpy's own has? 1, 0, or -1 with an exception. */
static int inherits(const ft_module_state *state, PyObject *array, const char *method)
{
    PyObject *own = PyObject_GetAttrString((PyObject *)Py_TYPE(array), method);
    PyObject *numpys = PyObject_GetAttrString(ft_known_get(state, FT_KNOWN_NDARRAY), method);
    int result = own == NULL || numpys == NULL ? -1 : own == numpys;
    Py_XDECREF(own);
    Py_XDECREF(numpys);
    return result;
}

/* Where an array is mapped from says nothing of what is in it. */
static int feed_attributes(ft_digester *digester, ft_digest_context *context, PyObject *array)
{
    PyObject *attributes = ft_known_is(context->state, FT_KNOWN_MEMMAP, array)
                               ? Py_NewRef(Py_None)
                               : PyObject_GetAttrString(array, "__dict__");
    if (attributes == NULL) { /* none: slots, say */
        PyErr_Clear();
        attributes = Py_NewRef(Py_None);
    }
    int result = ft_argument_digest(digester, context, attributes);
    Py_DECREF(attributes);
    return result;
}

int ft_digest_ndarray(ft_digester *digester, ft_digest_context *context, PyObject *array)
{
    if (ft_known_is(context->state, FT_KNOWN_NDARRAY, array))
        return feed_array(digester, context, array);
    int inherited = inherits(context->state, array, "__reduce__");
    if (inherited == 1)
        inherited = inherits(context->state, array, "__reduce_ex__");
    if (inherited <= 0)
        return inherited < 0 ? -1 : ft_digest_reduced(digester, context, array);
    ft_feed_mark(digester, FT_MARK_NDARRAY_OF);
    if (ft_digest_class(digester, context, (PyObject *)Py_TYPE(array)) < 0 ||
        feed_attributes(digester, context, array) < 0)
        return -1;
    return feed_array(digester, context, array);
}

int ft_digest_scalar(ft_digester *digester, ft_digest_context *context, PyObject *scalar)
{
    ft_feed_mark(digester, FT_MARK_SCALAR);
    if (ft_digest_class(digester, context, (PyObject *)Py_TYPE(scalar)) < 0)
        return -1;
    int has_objects = feed_dtype(digester, context, scalar);
    if (has_objects < 0)
        return -1;
    return feed_answer(digester, context, scalar, has_objects ? "item" : "tobytes");
}

/* ---- pandas ---- */

/* numpy's values as an array of its own, others as pandas describes them. */
static int feed_values(ft_digester *digester, ft_digest_context *context, PyObject *series)
{
    PyObject *dtype = PyObject_GetAttrString(series, "dtype"), *values = NULL;
    if (dtype != NULL && ft_known_holds(context->state, FT_KNOWN_DTYPE, dtype))
        values = PyObject_CallMethod(series, "to_numpy", NULL);
    else if (dtype != NULL)
        values = PyObject_GetAttrString(series, "array");
    Py_XDECREF(dtype);
    int result = values == NULL ? -1 : ft_argument_digest(digester, context, values);
    Py_XDECREF(values);
    return result;
}

/* What a series and a frame both have. */
static int feed_labels(ft_digester *digester, ft_digest_context *context, int mark,
                       PyObject *labelled)
{
    ft_feed_mark(digester, mark);
    if (ft_digest_class(digester, context, (PyObject *)Py_TYPE(labelled)) < 0 ||
        ft_digest_attribute(digester, context, labelled, "index") < 0)
        return -1;
    return ft_digest_attribute(digester, context, labelled, "attrs");
}

int ft_digest_series(ft_digester *digester, ft_digest_context *context, PyObject *series)
{
    if (feed_labels(digester, context, FT_MARK_SERIES, series) < 0 ||
        ft_digest_attribute(digester, context, series, "name") < 0)
        return -1;
    return feed_values(digester, context, series);
}

/* frame.iloc[:, at], a new reference. */
static PyObject *column_at(PyObject *frame, Py_ssize_t at)
{
    PyObject *places = PyObject_GetAttrString(frame, "iloc"), *column = NULL;
    PyObject *all = PySlice_New(NULL, NULL, NULL);
    PyObject *place = all == NULL ? NULL : Py_BuildValue("(On)", all, at);
    if (places != NULL && place != NULL)
        column = PyObject_GetItem(places, place);
    Py_XDECREF(places);
    Py_XDECREF(all);
    Py_XDECREF(place);
    return column;
}

int ft_digest_frame(ft_digester *digester, ft_digest_context *context, PyObject *frame)
{
    if (feed_labels(digester, context, FT_MARK_FRAME, frame) < 0)
        return -1;
    PyObject *columns = PyObject_GetAttrString(frame, "columns");
    Py_ssize_t count = columns == NULL ? -1 : PyObject_Size(columns);
    int result = count < 0 ? -1 : ft_argument_digest(digester, context, columns);
    for (Py_ssize_t i = 0; i < count && result == 0; i++) {
        PyObject *column = column_at(frame, i);
        result = column == NULL ? -1 : feed_values(digester, context, column);
        Py_XDECREF(column);
    }
    Py_XDECREF(columns);
    return result;
}
