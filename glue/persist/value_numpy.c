/* SPDX-License-Identifier: Apache-2.0 */
/* value_numpy.c: numpy's arrays and scalars, through numpy's own Python interface, so that one
 * build serves every numpy. A dtype is written as the text that numpy has for it, or, where it has
 * fields, as (names, formats, offsets, bytes, aligned), and in them (base, shape) for an array;
 * what that does not give back exactly is left to pickle, as are objects.
 *
 * Re-entrancy: only numpy's code is called, on exact types; numpy is never imported to write. */
#include "glue/compat.h"

#include <string.h>

#include "glue/persist/value_coder.h"

/* ---- dtypes ---- */

static int flag_of(PyObject *object, const char *name)
{
    PyObject *flag = PyObject_GetAttrString(object, name);
    int result = flag == NULL ? -1 : PyObject_IsTrue(flag);
    Py_XDECREF(flag);
    return result;
}

/* object.name, as a number; -1 with an exception. */
static Py_ssize_t number_of(PyObject *object, const char *name)
{
    PyObject *number = PyObject_GetAttrString(object, name);
    Py_ssize_t result = number == NULL ? -1 : PyLong_AsSsize_t(number);
    Py_XDECREF(number);
    return result;
}

static PyObject *read_dtype(PyObject *numpy, PyObject *spec);

/* A list of what the specs of fields say. */
static PyObject *read_formats(PyObject *numpy, PyObject *specs)
{
    PyObject *formats = PyList_New(0);
    if (formats == NULL || !PyTuple_CheckExact(specs))
        return formats;
    for (Py_ssize_t i = 0; formats != NULL && i < PyTuple_GET_SIZE(specs); i++) {
        PyObject *format = read_dtype(numpy, PyTuple_GET_ITEM(specs, i));
        if (format == NULL || PyList_Append(formats, format) < 0)
            Py_CLEAR(formats);
        Py_XDECREF(format);
    }
    return formats;
}

static PyObject *read_fields(PyObject *numpy, PyObject *spec)
{
    PyObject *names = PySequence_List(PyTuple_GET_ITEM(spec, 0));
    PyObject *formats = names == NULL ? NULL : read_formats(numpy, PyTuple_GET_ITEM(spec, 1));
    PyObject *offsets = formats == NULL ? NULL : PySequence_List(PyTuple_GET_ITEM(spec, 2));
    PyObject *fields =
        offsets == NULL ? NULL
                        : Py_BuildValue("{sOsOsOsO}", "names", names, "formats", formats, "offsets",
                                        offsets, "itemsize", PyTuple_GET_ITEM(spec, 3));
    PyObject *dtype = fields == NULL ? NULL
                                     : PyObject_CallMethod(numpy, "dtype", "OO", fields,
                                                           PyTuple_GET_ITEM(spec, 4));
    Py_XDECREF(names);
    Py_XDECREF(formats);
    Py_XDECREF(offsets);
    Py_XDECREF(fields);
    return dtype;
}

/* The dtype of a spec; TypeError or ValueError for what is none. */
static PyObject *read_dtype(PyObject *numpy, PyObject *spec)
{
    if (PyUnicode_CheckExact(spec))
        return PyObject_CallMethod(numpy, "dtype", "O", spec);
    if (PyTuple_CheckExact(spec) && PyTuple_GET_SIZE(spec) == 5 &&
        PyLong_CheckExact(PyTuple_GET_ITEM(spec, 3)) && PyBool_Check(PyTuple_GET_ITEM(spec, 4)))
        return read_fields(numpy, spec);
    if (!PyTuple_CheckExact(spec) || PyTuple_GET_SIZE(spec) != 2) {
        PyErr_SetString(PyExc_TypeError, "no dtype");
        return NULL;
    }
    PyObject *base = read_dtype(numpy, PyTuple_GET_ITEM(spec, 0));
    PyObject *both = base == NULL ? NULL : PyTuple_Pack(2, base, PyTuple_GET_ITEM(spec, 1));
    PyObject *dtype = both == NULL ? NULL : PyObject_CallMethod(numpy, "dtype", "(O)", both);
    Py_XDECREF(base);
    Py_XDECREF(both);
    return dtype;
}

/* What a dtype is written as; None: it can not be. New; NULL with an exception. */
static PyObject *spec_of(PyObject *dtype);

/* (specs, offsets) of the fields in order of names; None likewise. */
static PyObject *specs_of(PyObject *fields, PyObject *names)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    PyObject *specs = PyTuple_New(count), *offsets = PyTuple_New(count), *result = NULL;
    bool can = true;
    for (Py_ssize_t i = 0; specs != NULL && offsets != NULL && can && i < count; i++) {
        PyObject *field = PyObject_GetItem(fields, PyTuple_GET_ITEM(names, i));
        can = field != NULL && PyTuple_CheckExact(field) && PyTuple_GET_SIZE(field) == 2;
        PyObject *spec = can ? spec_of(PyTuple_GET_ITEM(field, 0)) : NULL;
        can = can && spec != NULL && spec != Py_None;
        if (can)
            PyTuple_SET_ITEM(offsets, i, Py_NewRef(PyTuple_GET_ITEM(field, 1)));
        PyTuple_SET_ITEM(specs, i, spec);
        Py_XDECREF(field);
    }
    if (specs != NULL && offsets != NULL && PyErr_Occurred() == NULL)
        result = can ? PyTuple_Pack(2, specs, offsets) : Py_NewRef(Py_None);
    Py_XDECREF(specs);
    Py_XDECREF(offsets);
    return result;
}

static PyObject *spec_of_fields(PyObject *dtype, PyObject *names)
{
    PyObject *fields = PyObject_GetAttrString(dtype, "fields");
    PyObject *both = fields == NULL ? NULL : specs_of(fields, names);
    Py_ssize_t bytes = both == NULL ? -1 : number_of(dtype, "itemsize");
    int aligned = bytes < 0 ? -1 : flag_of(dtype, "isalignedstruct");
    PyObject *spec = NULL;
    if (both == Py_None)
        spec = Py_NewRef(both);
    else if (both != NULL && bytes >= 0 && aligned >= 0)
        spec = Py_BuildValue("(NOOnO)", PySequence_List(names), PyTuple_GET_ITEM(both, 0),
                             PyTuple_GET_ITEM(both, 1), bytes, aligned ? Py_True : Py_False);
    Py_XDECREF(fields);
    Py_XDECREF(both);
    return spec;
}

static PyObject *spec_of_subarray(PyObject *pair)
{
    PyObject *base = spec_of(PyTuple_GET_ITEM(pair, 0));
    if (base == NULL || base == Py_None)
        return base;
    return Py_BuildValue("(NO)", base, PyTuple_GET_ITEM(pair, 1));
}

static PyObject *spec_of(PyObject *dtype)
{
    PyObject *metadata = PyObject_GetAttrString(dtype, "metadata");
    PyObject *names = metadata == NULL ? NULL : PyObject_GetAttrString(dtype, "names");
    PyObject *pair = names == NULL ? NULL : PyObject_GetAttrString(dtype, "subdtype");
    PyObject *spec = NULL;
    if (pair != NULL) {
        if (metadata != Py_None)
            spec = Py_NewRef(Py_None);
        else if (PyTuple_CheckExact(names))
            spec = spec_of_fields(dtype, names);
        else if (PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair) == 2)
            spec = spec_of_subarray(pair);
        else
            spec = PyObject_GetAttrString(dtype, "str");
    }
    Py_XDECREF(metadata);
    Py_XDECREF(names);
    Py_XDECREF(pair);
    return spec;
}

/* Does the spec give the same dtype? 1, 0 or -1 with an exception. */
static int is_exact(PyObject *numpy, PyObject *dtype, PyObject *spec)
{
    if (spec == Py_None)
        return 0;
    PyObject *again = read_dtype(numpy, spec);
    if (again == NULL) { /* numpy does not know it by that name: ml_dtypes and the like */
        bool unknown =
            PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_ValueError);
        if (unknown)
            PyErr_Clear();
        return unknown ? 0 : -1;
    }
    int same = Py_TYPE(again) != Py_TYPE(dtype) ? 0 : PyObject_RichCompareBool(again, dtype, Py_EQ);
    Py_DECREF(again);
    return same;
}

/* The spec of a dtype whose elements are bytes that mean the same elsewhere. *spec is new. */
static ft_outcome write_dtype(PyObject *numpy, PyObject *dtype, PyObject **spec)
{
    int objects = flag_of(dtype, "hasobject");
    Py_ssize_t bytes = objects < 0 ? -1 : number_of(dtype, "itemsize");
    if (bytes < 0)
        return FT_FAILED;
    if (objects > 0 || bytes == 0)
        return FT_FOREIGN;
    PyObject *made = spec_of(dtype);
    int exact = made == NULL ? -1 : is_exact(numpy, dtype, made);
    if (exact == 1) {
        *spec = made;
        return FT_ENCODED;
    }
    Py_XDECREF(made);
    return exact < 0 ? FT_FAILED : FT_FOREIGN;
}

/* ---- the bytes of an array ---- */

/* An array that is contiguous (C's order, or if fortran the other) as one row of bytes. */
static PyObject *flattened(PyObject *array, bool fortran)
{
    PyObject *turned = fortran ? PyObject_GetAttrString(array, "T") : Py_NewRef(array);
    PyObject *row = turned == NULL ? NULL : PyObject_CallMethod(turned, "reshape", "i", -1);
    PyObject *bytes = row == NULL ? NULL : PyObject_CallMethod(row, "view", "s", "u1");
    Py_XDECREF(turned);
    Py_XDECREF(row);
    return bytes;
}

static int shape_of(PyObject *array, int64_t *shape, uint32_t *count)
{
    PyObject *sizes = PyObject_GetAttrString(array, "shape");
    if (sizes == NULL)
        return -1;
    Py_ssize_t dimensions = PyTuple_CheckExact(sizes) ? PyTuple_GET_SIZE(sizes) : -1;
    if (dimensions < 0 || dimensions > FT_CODEC_DIMS)
        PyErr_SetString(PyExc_ValueError, "an array has more dimensions than can be kept: "
                                          "reshape it to at most 64");
    *count = (uint32_t)dimensions;
    for (Py_ssize_t i = 0; PyErr_Occurred() == NULL && i < dimensions; i++)
        shape[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(sizes, i));
    Py_DECREF(sizes);
    return PyErr_Occurred() == NULL ? 0 : -1;
}

/* A contiguous array's token. */
static ft_outcome put_elements(ft_value_encoder *encoder, PyObject *array, bool fortran)
{
    int64_t shape[FT_CODEC_DIMS];
    uint32_t count;
    ft_buf *tokens = &encoder->out->head;
    Py_ssize_t length = shape_of(array, shape, &count) < 0 ? -1 : number_of(array, "nbytes");
    if (length < 0)
        return FT_FAILED;
    if (length == 0) {
        ft_codec_put_array(tokens, fortran, shape, count, "", 0);
        return FT_ENCODED;
    }
    PyObject *bytes = flattened(array, fortran);
    Py_buffer buffer;
    int result = bytes == NULL ? -1 : 0;
    if (result == 0 && length >= FT_CODEC_PIECE) {
        ft_codec_put_array(tokens, fortran, shape, count, NULL, 0);
        result = ft_encoded_add(encoder->out, bytes);
    } else if (result == 0 && (result = PyObject_GetBuffer(bytes, &buffer, PyBUF_SIMPLE)) == 0) {
        ft_codec_put_array(tokens, fortran, shape, count, buffer.buf, (size_t)buffer.len);
        PyBuffer_Release(&buffer);
    }
    Py_XDECREF(bytes);
    return result < 0 ? FT_FAILED : FT_ENCODED;
}

static ft_outcome put_array(ft_value_encoder *encoder, PyObject *array, PyObject *spec)
{
    PyObject *flags = PyObject_GetAttrString(array, "flags");
    int rows = flags == NULL ? -1 : flag_of(flags, "c_contiguous");
    int columns = rows < 0 ? -1 : flag_of(flags, "f_contiguous");
    Py_XDECREF(flags);
    if (columns < 0)
        return FT_FAILED;
    PyObject *contiguous =
        rows || columns ? Py_NewRef(array) : PyObject_CallMethod(array, "copy", "s", "C");
    ft_outcome outcome =
        contiguous == NULL ? FT_FAILED : put_elements(encoder, contiguous, !rows && columns);
    Py_XDECREF(contiguous);
    return outcome == FT_ENCODED ? ft_encoder_put(encoder, spec, false) : outcome;
}

/* ---- scalars ---- */

/* Texts lose zeros at their end when they are made from bytes. */
static bool keeps_bytes(PyObject *dtype, PyObject *bytes)
{
    PyObject *kind = PyObject_GetAttrString(dtype, "kind");
    Py_ssize_t length = PyBytes_GET_SIZE(bytes);
    const char *end = PyBytes_AS_STRING(bytes) + length;
    bool text = kind == NULL || PyUnicode_CompareWithASCIIString(kind, "S") == 0;
    bool wide = kind != NULL && PyUnicode_CompareWithASCIIString(kind, "U") == 0;
    Py_XDECREF(kind);
    static const char zeros[4];
    if (text || wide)
        return length >= 4 - 3 * text && memcmp(end - (text ? 1 : 4), zeros, text ? 1 : 4) != 0;
    return true;
}

static ft_outcome put_scalar(ft_value_encoder *encoder, PyObject *value, PyObject *dtype,
                             PyObject *spec)
{
    PyObject *bytes = PyObject_CallMethod(value, "tobytes", NULL);
    if (bytes == NULL)
        return FT_FAILED;
    ft_outcome outcome =
        PyBytes_CheckExact(bytes) && keeps_bytes(dtype, bytes) ? FT_ENCODED : FT_FOREIGN;
    if (PyErr_Occurred() != NULL)
        outcome = FT_FAILED;
    if (outcome == FT_ENCODED)
        ft_codec_put_bytes(&encoder->out->head, FT_CODEC_SCALAR, PyBytes_AS_STRING(bytes),
                           (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return outcome == FT_ENCODED ? ft_encoder_put(encoder, spec, false) : outcome;
}

enum { OTHER, ARRAY, SCALAR };

/* What a value is to numpy; -1 with an exception. */
static int class_of(PyObject *numpy, PyObject *value)
{
    PyObject *array = PyObject_GetAttrString(numpy, "ndarray");
    PyObject *scalar = array == NULL ? NULL : PyObject_GetAttrString(numpy, "generic");
    int result = -1;
    if (scalar != NULL) {
        bool is = PyType_Check(scalar) && PyObject_TypeCheck(value, (PyTypeObject *)scalar);
        result = is ? SCALAR : OTHER;
        result = (PyObject *)Py_TYPE(value) == array ? ARRAY : result;
    }
    Py_XDECREF(array);
    Py_XDECREF(scalar);
    return result;
}

/* Is it of the very type that the elements of its dtype have? */
static int is_plain_scalar(PyObject *value, PyObject *dtype)
{
    PyObject *type = PyObject_GetAttrString(dtype, "type");
    int result = type == NULL ? -1 : type == (PyObject *)Py_TYPE(value);
    Py_XDECREF(type);
    return result;
}

/* Scalars are immutable but those with fields, which are views. */
static ft_outcome meet_numpy(ft_value_encoder *encoder, PyObject *value, int class)
{
    enum { SMALL = 32 };
    Py_ssize_t bytes = class == ARRAY ? SMALL + 1 : number_of(value, "itemsize");
    if (bytes < 0)
        return FT_FAILED;
    if (bytes <= SMALL && strcmp(Py_TYPE(value)->tp_name, "numpy.void") != 0)
        return FT_ENCODED;
    return ft_encoder_meet(encoder, value);
}

static ft_outcome put_of_class(ft_value_encoder *encoder, PyObject *numpy, PyObject *value,
                               int class)
{
    PyObject *spec = NULL, *dtype = PyObject_GetAttrString(value, "dtype");
    int plain = dtype == NULL ? -1 : class == ARRAY ? 1 : is_plain_scalar(value, dtype);
    ft_outcome outcome = plain < 0    ? FT_FAILED
                         : plain == 0 ? FT_FOREIGN
                                      : write_dtype(numpy, dtype, &spec);
    if (outcome == FT_ENCODED)
        outcome = class == ARRAY ? put_array(encoder, value, spec)
                                 : put_scalar(encoder, value, dtype, spec);
    Py_XDECREF(spec);
    Py_XDECREF(dtype);
    return outcome;
}

ft_outcome ft_encoder_put_numpy(ft_value_encoder *encoder, PyObject *value, bool shared)
{
    PyObject *numpy = NULL;
    if (!Py_IsFinalizing()) /* then there may be no sys.modules any more */
        numpy = PyDict_GetItemString(PyImport_GetModuleDict(), "numpy");
    if (numpy == NULL)
        return FT_FOREIGN;
    Py_INCREF(numpy);
    int class = class_of(numpy, value);
    ft_outcome outcome = class < 0 ? FT_FAILED : class == OTHER ? FT_FOREIGN : FT_ENCODED;
    if (outcome == FT_ENCODED && shared)
        outcome = meet_numpy(encoder, value, class);
    if (outcome == FT_ENCODED)
        outcome = put_of_class(encoder, numpy, value, class);
    Py_DECREF(numpy);
    return outcome;
}

/* ---- back ---- */

/* The dtype that follows; *bytes of each element, never 0 and never objects. */
static PyObject *get_dtype(ft_value_decoder *decoder, Py_ssize_t *bytes)
{
    if (decoder->numpy == NULL)
        decoder->numpy = PyImport_ImportModule("numpy");
    PyObject *spec = decoder->numpy == NULL ? NULL : ft_decoder_get(decoder);
    PyObject *dtype = spec == NULL ? NULL : read_dtype(decoder->numpy, spec);
    Py_XDECREF(spec);
    if (dtype == NULL)
        return NULL;
    int objects = flag_of(dtype, "hasobject");
    *bytes = number_of(dtype, "itemsize");
    if (objects == 0 && *bytes > 0)
        return dtype;
    if (PyErr_Occurred() == NULL)
        ft_decoder_refuse(decoder);
    Py_DECREF(dtype);
    return NULL;
}

/* The shape, where elements of so many bytes fill the token's bytes. */
static PyObject *get_shape(const ft_value_decoder *decoder, const ft_codec_token *token,
                           Py_ssize_t bytes)
{
    int64_t shape[FT_CODEC_DIMS];
    if (ft_codec_shape(token, shape) != FT_OK)
        return ft_decoder_refuse(decoder);
    uint64_t count = token->length / (size_t)bytes;
    bool empty = false;
    for (uint64_t i = 0; i < token->count; i++)
        empty |= shape[i] == 0;
    for (uint64_t i = 0; i < token->count && !empty; i++) {
        if (count % (uint64_t)shape[i] != 0)
            return ft_decoder_refuse(decoder);
        count /= (uint64_t)shape[i];
    }
    if (empty ? token->length != 0 : count != 1 || token->length % (size_t)bytes != 0)
        return ft_decoder_refuse(decoder);
    PyObject *sizes = PyTuple_New((Py_ssize_t)token->count);
    for (uint64_t i = 0; sizes != NULL && i < token->count; i++) {
        PyObject *size = PyLong_FromLongLong(shape[i]);
        if (size == NULL)
            Py_CLEAR(sizes);
        else
            PyTuple_SET_ITEM(sizes, (Py_ssize_t)i, size);
    }
    return sizes;
}

/* Copies the token's bytes into an array of its shape. */
static int fill(PyObject *array, const ft_codec_token *token)
{
    if (token->length == 0)
        return 0;
    PyObject *row = flattened(array, token->fortran);
    Py_buffer buffer;
    int result = row == NULL ? -1 : PyObject_GetBuffer(row, &buffer, PyBUF_WRITABLE);
    if (result == 0) {
        bool fits = (size_t)buffer.len == token->length;
        if (fits)
            memcpy(buffer.buf, token->bytes, token->length);
        else
            PyErr_SetString(PyExc_ValueError, "an array is not as large as its elements");
        PyBuffer_Release(&buffer);
        result = fits ? 0 : -1;
    }
    Py_XDECREF(row);
    return result;
}

static PyObject *copied(const ft_value_decoder *decoder, const ft_codec_token *token,
                        PyObject *shape, PyObject *dtype)
{
    PyObject *array = PyObject_CallMethod(decoder->numpy, "empty", "OOs", shape, dtype,
                                          token->fortran ? "F" : "C");
    int result = array == NULL ? -1 : fill(array, token);
    if (result == 0 && decoder->read_only) { /* as its neighbours that are views */
        PyObject *done = PyObject_CallMethod(array, "setflags", "O", Py_False);
        result = done == NULL ? -1 : 0;
        Py_XDECREF(done);
    }
    if (result < 0)
        Py_CLEAR(array);
    return array;
}

PyObject *ft_decoder_get_array(ft_value_decoder *decoder, const ft_codec_token *token)
{
    Py_ssize_t bytes;
    PyObject *dtype = get_dtype(decoder, &bytes);
    PyObject *shape = dtype == NULL ? NULL : get_shape(decoder, token, bytes);
    PyObject *array = NULL;
    if (shape != NULL && token->in_piece && decoder->owner != NULL && token->length > 0) {
        Py_ssize_t offset = (Py_ssize_t)decoder->offset + (token->bytes - decoder->reader.start);
        array = PyObject_CallMethod(decoder->numpy, "ndarray", "OOOnOs", shape, dtype,
                                    decoder->owner, offset, Py_None, token->fortran ? "F" : "C");
    } else if (shape != NULL) {
        array = copied(decoder, token, shape, dtype);
    }
    Py_XDECREF(dtype);
    Py_XDECREF(shape);
    return array;
}

PyObject *ft_decoder_get_scalar(ft_value_decoder *decoder, const ft_codec_token *token)
{
    Py_ssize_t bytes;
    PyObject *dtype = get_dtype(decoder, &bytes);
    if (dtype != NULL && (size_t)bytes != token->length) {
        Py_DECREF(dtype);
        return ft_decoder_refuse(decoder);
    }
    PyObject *buffer =
        dtype == NULL ? NULL : PyByteArray_FromStringAndSize((const char *)token->bytes, bytes);
    PyObject *none = PyTuple_New(0);
    PyObject *array =
        buffer == NULL || none == NULL
            ? NULL
            : PyObject_CallMethod(decoder->numpy, "ndarray", "OOO", none, dtype, buffer);
    PyObject *scalar = array == NULL ? NULL : PyObject_GetItem(array, none);
    Py_XDECREF(dtype);
    Py_XDECREF(buffer);
    Py_XDECREF(none);
    Py_XDECREF(array);
    return scalar;
}
