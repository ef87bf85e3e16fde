/* SPDX-License-Identifier: Apache-2.0 */
/* value_pickle.c: values that only pickle can keep: a pickle of protocol 5, whose large buffers are
 * pieces, so that a frame's or an array's data is neither copied into the pickle nor out of it.
 *
 * Both ways run the program's code: nothing is borrowed from it across the calls. */
#include "glue/compat.h"

#include "glue/persist/value_coder.h"

/* ---- to bytes ---- */

/* Called for each buffer; true: it is to be in the pickle. self is the list of those that are not.
 */
static PyObject *take_buffer(PyObject *self, PyObject *buffer)
{
    PyObject *raw = PyObject_CallMethod(buffer, "raw", NULL);
    if (raw == NULL && PyErr_ExceptionMatches(PyExc_BufferError)) {
        PyErr_Clear(); /* in the pickle then, if it can be */
        Py_RETURN_TRUE;
    }
    bool small = raw != NULL && PyMemoryView_GET_BUFFER(raw)->len < FT_CODEC_PIECE;
    int result = raw == NULL || small ? 0 : PyList_Append(self, raw);
    Py_XDECREF(raw);
    return raw == NULL || result < 0 ? NULL : PyBool_FromLong(small);
}

static PyMethodDef taker = {"take_buffer", take_buffer, METH_O, NULL};

static PyObject *pickled(PyObject *value, PyObject *buffers)
{
    PyObject *module = PyImport_ImportModule("pickle");
    PyObject *dumps = module == NULL ? NULL : PyObject_GetAttrString(module, "dumps");
    PyObject *args = dumps == NULL ? NULL : PyTuple_Pack(1, value);
    PyObject *take = args == NULL ? NULL : PyCFunction_New(&taker, buffers);
    PyObject *keywords =
        take == NULL ? NULL : Py_BuildValue("{sisO}", "protocol", 5, "buffer_callback", take);
    PyObject *bytes = keywords == NULL ? NULL : PyObject_Call(dumps, args, keywords);
    Py_XDECREF(module);
    Py_XDECREF(dumps);
    Py_XDECREF(args);
    Py_XDECREF(take);
    Py_XDECREF(keywords);
    if (bytes != NULL && !PyBytes_CheckExact(bytes)) {
        PyErr_SetString(PyExc_TypeError, "pickle.dumps gave something other than bytes: "
                                         "it was replaced; put the original back");
        Py_CLEAR(bytes);
    }
    return bytes;
}

int ft_encoded_pickle(ft_encoded *out, PyObject *value)
{
    PyObject *buffers = PyList_New(0);
    PyObject *bytes = buffers == NULL ? NULL : pickled(value, buffers);
    int result = bytes == NULL ? -1 : 0;
    if (result == 0) {
        size_t length = (size_t)PyBytes_GET_SIZE(bytes);
        bool large = length >= FT_CODEC_PIECE;
        ft_codec_put_pickle(&out->head, large ? NULL : PyBytes_AS_STRING(bytes), length,
                            (uint64_t)PyList_GET_SIZE(buffers));
        result = large ? ft_encoded_add(out, bytes) : 0;
        for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(buffers); i++)
            result = ft_encoded_add(out, PyList_GET_ITEM(buffers, i));
    }
    Py_XDECREF(buffers);
    Py_XDECREF(bytes);
    return result;
}

/* ---- from bytes ---- */

/* The owner's buffer as bytes. */
static PyObject *view_owner(const ft_value_decoder *decoder)
{
    PyObject *view = PyMemoryView_FromObject(decoder->owner);
    PyObject *bytes = view == NULL ? NULL : PyObject_CallMethod(view, "cast", "s", "B");
    Py_XDECREF(view);
    return bytes;
}

static PyObject *get_buffer(ft_value_decoder *decoder, PyObject *whole)
{
    const uint8_t *bytes;
    size_t length;
    if (ft_codec_take(&decoder->reader, &bytes, &length) != FT_OK)
        return ft_decoder_refuse(decoder);
    if (whole == NULL)
        return PyByteArray_FromStringAndSize((const char *)bytes, (Py_ssize_t)length);
    Py_ssize_t begin = (Py_ssize_t)decoder->offset + (bytes - decoder->reader.start);
    return PySequence_GetSlice(whole, begin, begin + (Py_ssize_t)length);
}

static PyObject *get_buffers(ft_value_decoder *decoder, uint64_t count)
{
    PyObject *whole = NULL;
    if (decoder->owner != NULL && count > 0 && (whole = view_owner(decoder)) == NULL)
        return NULL;
    PyObject *buffers = PyList_New((Py_ssize_t)count);
    for (uint64_t i = 0; buffers != NULL && i < count; i++) {
        PyObject *buffer = get_buffer(decoder, whole);
        if (buffer == NULL)
            Py_CLEAR(buffers);
        else
            PyList_SET_ITEM(buffers, (Py_ssize_t)i, buffer);
    }
    Py_XDECREF(whole);
    return buffers;
}

PyObject *ft_decoder_unpickle(ft_value_decoder *decoder, const ft_codec_token *token)
{
    PyObject *buffers = get_buffers(decoder, token->count);
    if (buffers == NULL)
        return NULL;
    PyObject *module = PyImport_ImportModule("pickle");
    PyObject *loads = module == NULL ? NULL : PyObject_GetAttrString(module, "loads");
    PyObject *view = loads == NULL ? NULL
                                   : PyMemoryView_FromMemory((char *)token->bytes,
                                                             (Py_ssize_t)token->length, PyBUF_READ);
    PyObject *args = view == NULL ? NULL : Py_BuildValue("(N)", view);
    PyObject *keywords = args == NULL ? NULL : Py_BuildValue("{sO}", "buffers", buffers);
    PyObject *value = keywords == NULL ? NULL : PyObject_Call(loads, args, keywords);
    Py_XDECREF(module);
    Py_XDECREF(loads);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    Py_DECREF(buffers);
    return value;
}
