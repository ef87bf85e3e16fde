/* SPDX-License-Identifier: Apache-2.0 */
/* array_digest.c: what lies in buffers, numpy's arrays and scalars, pandas's series and frames.
 *
 * The elements are fed where they lie, if they lie there in one piece, as rows or as columns: an
 * array and its like in the other order differ. Elements that are objects are values of their own.
 */
#include "glue/persist/argument_digest.h"

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

/* Does the format, written as PEP 3118 and ctypes have it, tell of addresses? */
static bool has_pointers(const char *format)
{
    for (; *format != 0; format++) {
        if (*format == ':' && (format = strchr(format + 1, ':')) == NULL) /* a field's name */
            return true;
        if (*format == 'Z' && format[1] != 0 && strchr("fdg", format[1]) != NULL) /* complex */
            continue;
        if (strchr("OPXzZ&", *format) != NULL)
            return true;
    }
    return false;
}

int ft_digest_buffer(ft_digester *digester, ft_digest_context *context, int mark, PyObject *value)
{
    (void)context;
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_FULL_RO) < 0) { /* it was released, say */
        ft_digest_refuse(value);
        return -1;
    }
    const char *format = view.format == NULL ? "B" : view.format;
    int result = 0;
    if (has_pointers(format)) {
        PyErr_Format(PyExc_TypeError, "cannot describe the addresses in a '%.200s' object",
                     Py_TYPE(value)->tp_name);
        PyBuffer_Release(&view);
        return -1;
    }
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

/* Most arrays have one of a few dtypes, each one object that never changes. */
static int keep_told(ft_module_state *state, PyObject *dtype, PyObject *text)
{
    PyObject *told = PyTuple_Pack(2, dtype, text);
    return told == NULL ? -1 : PyList_SetItem(state->known_types, FT_KNOWN_DTYPE_TOLD, told);
}

/* 1: the last one that was told was fed; 0: it is another one. */
static int feed_told(ft_digester *digester, const ft_module_state *state, PyObject *dtype)
{
    PyObject *told = ft_known_get(state, FT_KNOWN_DTYPE_TOLD);
    return told != Py_None && PyTuple_GET_ITEM(told, 0) == dtype &&
           ft_feed_plain(digester, PyTuple_GET_ITEM(told, 1));
}

/* 1 if its elements are objects, 0, or -1. */
static int feed_new_dtype(ft_digester *digester, ft_digest_context *context, PyObject *dtype)
{
    int has_objects = asks(dtype, "hasobject");
    int by_text = has_objects < 0 ? -1 : is_told_by_text(dtype, has_objects);
    if (by_text < 0)
        return -1;
    if (by_text == 0)
        return ft_digest_reduced(digester, context, dtype) < 0 ? -1 : has_objects;
    PyObject *text = PyObject_GetAttrString(dtype, "str");
    int result = text == NULL ? -1 : ft_argument_digest(digester, context, text);
    if (result == 0)
        result = keep_told(context->state, dtype, text);
    Py_XDECREF(text);
    return result;
}

/* Feeds the dtype of an array or a scalar: 1 if its elements are objects, 0, or -1. */
static int feed_dtype(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    PyObject *dtype = ft_digest_get(context, value, FT_WORD_DTYPE);
    if (dtype == NULL)
        return -1;
    int result =
        feed_told(digester, context->state, dtype) ? 0 : feed_new_dtype(digester, context, dtype);
    Py_DECREF(dtype);
    return result;
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

/* Where they lie, if in one piece: 1 then, else 0; -1 with an exception. */
static int feed_in_place(ft_digester *digester, PyObject *array)
{
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_STRIDES) < 0) { /* not of every dtype */
        if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_BufferError))
            return -1;
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
    PyObject *shape = has_objects < 0 ? NULL : ft_digest_get(context, array, FT_WORD_SHAPE);
    int result = shape == NULL ? -1 : ft_argument_digest(digester, context, shape);
    Py_XDECREF(shape);
    if (result < 0)
        return -1;
    if (has_objects)
        return feed_objects(digester, context, array);
    int in_place = feed_in_place(digester, array);
    if (in_place != 0)
        return in_place < 0 ? -1 : 0;
    ft_feed_mark(digester, 'C');
    return feed_answer(digester, context, array, "tobytes");
}

/* ---- numpy: subclasses ---- */

/* Has the class the method that numpy's own has? 1, 0, or -1 with an exception. */
static int inherits(const ft_module_state *state, PyObject *array, const char *method)
{
    PyObject *own = PyObject_GetAttrString((PyObject *)Py_TYPE(array), method);
    PyObject *numpys =
        own == NULL ? NULL : PyObject_GetAttrString(ft_known_get(state, FT_KNOWN_NDARRAY), method);
    int result = numpys == NULL ? -1 : own == numpys;
    Py_XDECREF(own);
    Py_XDECREF(numpys);
    return result;
}

/* Where an array is mapped from says nothing of what is in it. */
static int feed_attributes(ft_digester *digester, ft_digest_context *context, PyObject *array)
{
    PyObject *attributes;
    if (ft_known_is(context->state, FT_KNOWN_MEMMAP, array))
        return 0;
    if (ft_digest_find(array, "__dict__", &attributes) < 0)
        return -1;
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
    bool is_numpys_own = !PyType_HasFeature(Py_TYPE(scalar), Py_TPFLAGS_HEAPTYPE);
    if (!is_numpys_own && feed_attributes(digester, context, scalar) < 0)
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
    PyObject *all = places == NULL ? NULL : PySlice_New(NULL, NULL, NULL);
    PyObject *place = all == NULL ? NULL : Py_BuildValue("(On)", all, at);
    if (place != NULL)
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
