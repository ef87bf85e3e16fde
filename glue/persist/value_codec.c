/* SPDX-License-Identifier: Apache-2.0 */
/* value_codec.c: an encoding as pieces for the store, and the codec as functions of the module. */
#include "glue/compat.h"

#include <string.h>

#include "engine/store/store.h"
#include "glue/persist/value_codec.h"

static const uint8_t zeros[FT_CODEC_ALIGN];

size_t ft_encoded_count(const ft_encoded *encoded)
{
    return 1 + 2 * (size_t)encoded->count;
}

void ft_encoded_fill(const ft_encoded *encoded, ft_piece *pieces)
{
    size_t end = encoded->head.length;
    *pieces++ = (ft_piece){encoded->head.data, end};
    for (uint32_t i = 0; i < encoded->count; i++) {
        const Py_buffer *piece = &encoded->pieces[i];
        size_t gap = ft_codec_gap(end), length = (size_t)piece->len;
        *pieces++ = (ft_piece){zeros, gap};
        *pieces++ = (ft_piece){piece->buf, length};
        end += gap + length;
    }
}

size_t ft_encoded_length(const ft_encoded *encoded)
{
    size_t end = encoded->head.length;
    for (uint32_t i = 0; i < encoded->count; i++)
        end += ft_codec_gap(end) + (size_t)encoded->pieces[i].len;
    return end;
}

static PyObject *joined(const ft_encoded *encoded)
{
    size_t count = ft_encoded_count(encoded);
    ft_piece *pieces = ft_mem_new(&ft_mem_system, count, sizeof *pieces);
    if (pieces == NULL)
        return PyErr_NoMemory();
    ft_encoded_fill(encoded, pieces);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)ft_encoded_length(encoded));
    char *at = bytes == NULL ? NULL : PyBytes_AS_STRING(bytes);
    for (size_t i = 0; bytes != NULL && i < count; i++) {
        memcpy(at, pieces[i].bytes, pieces[i].length);
        at += pieces[i].length;
    }
    ft_mem_free(&ft_mem_system, pieces);
    return bytes;
}

const char ft_core_encode_doc[] =
    PyDoc_STR("encode(value, /)\n--\n\n"
              "The value as bytes: typed, or a pickle where it holds anything unusual.");

PyObject *ft_core_encode(PyObject *module, PyObject *value)
{
    (void)module;
    ft_encoded encoded;
    if (ft_value_encode(&encoded, value) < 0)
        return NULL;
    PyObject *bytes = encoded.count == 0
                          ? PyBytes_FromStringAndSize((const char *)encoded.head.data,
                                                      (Py_ssize_t)encoded.head.length)
                          : joined(&encoded);
    ft_encoded_fini(&encoded);
    return bytes;
}

const char ft_core_decode_doc[] = PyDoc_STR(
    "decode(bytes, owner=None, /)\n--\n\n"
    "The value that encode() made these bytes of. owner, in whose buffer they lie, keeps\n"
    "large arrays, which are then not copied.");

PyObject *ft_core_decode(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *bytes, *owner = Py_None;
    Py_buffer buffer;
    if (!PyArg_ParseTuple(args, "O|O:decode", &bytes, &owner) ||
        PyObject_GetBuffer(bytes, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *value = ft_value_decode(buffer.buf, (size_t)buffer.len,
                                      owner == Py_None ? NULL : owner, FT_DECODE_ANY);
    PyBuffer_Release(&buffer);
    return value;
}

const char ft_core_encoded_pickled_doc[] =
    PyDoc_STR("encoded_pickled(bytes, /)\n--\n\n"
              "Would decode() unpickle these bytes, and so run whatever they say?");

PyObject *ft_core_encoded_pickled(PyObject *module, PyObject *bytes)
{
    (void)module;
    Py_buffer buffer;
    if (PyObject_GetBuffer(bytes, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    bool pickled = ft_value_is_pickled(buffer.buf, (size_t)buffer.len);
    PyBuffer_Release(&buffer);
    return PyBool_FromLong(pickled);
}
