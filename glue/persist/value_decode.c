/* SPDX-License-Identifier: Apache-2.0 */
/* value_decode.c: tokens as Python values. The reader has compared every length with what is left;
 * what is refused here is what only Python can see: text that is no UTF-8, a list in a set, a 31st
 * of February. All of that is one ValueError to the caller. */
#include "glue/compat.h"

#include "glue/persist/value_coder.h"

PyObject *ft_decoder_refuse(const ft_value_decoder *decoder)
{
    const ft_codec_reader *reader = &decoder->reader;
    PyErr_Format(PyExc_ValueError,
                 "the encoded value is damaged near byte %zd of %zd: compute it anew",
                 (Py_ssize_t)(reader->at - reader->start), (Py_ssize_t)reader->length);
    return NULL;
}

static PyObject *get_long(const ft_codec_token *token)
{
    PyObject *method = PyObject_GetAttrString((PyObject *)&PyLong_Type, "from_bytes");
    PyObject *bytes = method == NULL ? NULL
                                     : PyBytes_FromStringAndSize((const char *)token->bytes,
                                                                 (Py_ssize_t)token->length);
    PyObject *args = bytes == NULL ? NULL : Py_BuildValue("(Ns)", bytes, "little");
    PyObject *keywords = args == NULL ? NULL : Py_BuildValue("{sO}", "signed", Py_True);
    PyObject *number = keywords == NULL ? NULL : PyObject_Call(method, args, keywords);
    Py_XDECREF(method);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    return number;
}

static PyObject *get_text(const ft_codec_token *token)
{
    return PyUnicode_DecodeUTF8((const char *)token->bytes, (Py_ssize_t)token->length,
                                "surrogatepass");
}

static PyObject *get_key(ft_value_decoder *decoder, const ft_codec_token *token)
{
    if (token->kind == FT_CODEC_KEY_AGAIN) {
        /* numbered by the reader, which counts a key when it is read: it may have failed since */
        return token->count < decoder->keys ? Py_NewRef(decoder->key[token->count])
                                            : ft_decoder_refuse(decoder);
    }
    PyObject *text = get_text(token);
    if (text != NULL)
        decoder->key[decoder->keys++] = Py_NewRef(text);
    return text;
}

/* ---- containers ---- */

static PyObject *get_tuple(ft_value_decoder *decoder, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *item = ft_decoder_get(decoder);
        if (item == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, item);
    }
    return tuple;
}

static PyObject *get_list(ft_value_decoder *decoder, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = ft_decoder_get(decoder);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *get_set(ft_value_decoder *decoder, Py_ssize_t count, bool frozen)
{
    PyObject *set = frozen ? PyFrozenSet_New(NULL) : PySet_New(NULL);
    for (Py_ssize_t i = 0; set != NULL && i < count; i++) {
        PyObject *item = ft_decoder_get(decoder);
        if (item == NULL || PySet_Add(set, item) < 0)
            Py_CLEAR(set);
        Py_XDECREF(item);
    }
    return set;
}

static PyObject *get_dict(ft_value_decoder *decoder, Py_ssize_t count)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i < count; i++) {
        PyObject *key = ft_decoder_get(decoder);
        PyObject *value = key == NULL ? NULL : ft_decoder_get(decoder);
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *get_range(ft_value_decoder *decoder)
{
    PyObject *bounds = get_tuple(decoder, 3);
    PyObject *range =
        bounds == NULL ? NULL : PyObject_Call((PyObject *)&PyRange_Type, bounds, NULL);
    Py_XDECREF(bounds);
    return range;
}

/* What has values, or a dtype, in it. */
static PyObject *get_deep(ft_value_decoder *decoder, const ft_codec_token *token)
{
    Py_ssize_t count = (Py_ssize_t)token->count;
    switch (token->kind) {
    case FT_CODEC_TUPLE:
        return get_tuple(decoder, count);
    case FT_CODEC_LIST:
        return get_list(decoder, count);
    case FT_CODEC_SET:
    case FT_CODEC_FROZENSET:
        return get_set(decoder, count, token->kind == FT_CODEC_FROZENSET);
    case FT_CODEC_DICT:
        return get_dict(decoder, count);
    case FT_CODEC_RANGE:
        return get_range(decoder);
    case FT_CODEC_ARRAY:
        return ft_decoder_get_array(decoder, token);
    case FT_CODEC_SCALAR:
        return ft_decoder_get_scalar(decoder, token);
    default:
        return ft_decoder_refuse(decoder);
    }
}

static PyObject *get_nested(ft_value_decoder *decoder, const ft_codec_token *token)
{
    /* one more than containers: the innermost may be an array or a range, which count here */
    if (decoder->depth > FT_CODEC_DEPTH)
        return ft_decoder_refuse(decoder);
    if (Py_EnterRecursiveCall(" while a value is decoded"))
        return NULL;
    decoder->depth++;
    PyObject *value = get_deep(decoder, token);
    decoder->depth--;
    Py_LeaveRecursiveCall();
    return value;
}

/* ---- the rest ---- */

static PyObject *get_decimal(const ft_codec_token *token)
{
    PyObject *module = PyImport_ImportModule("decimal");
    PyObject *text = module == NULL ? NULL
                                    : PyUnicode_DecodeASCII((const char *)token->bytes,
                                                            (Py_ssize_t)token->length, "strict");
    PyObject *value = text == NULL ? NULL : PyObject_CallMethod(module, "Decimal", "O", text);
    Py_XDECREF(module);
    Py_XDECREF(text);
    return value;
}

static PyObject *get_when(ft_value_decoder *decoder, const ft_codec_token *token)
{
    if (decoder->datetime == NULL)
        decoder->datetime = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
    const PyDateTime_CAPI *api = decoder->datetime;
    const ft_codec_when *when = &token->when;
    if (api == NULL)
        return NULL;
    switch (token->kind) {
    case FT_CODEC_UTC:
        return Py_NewRef(api->TimeZone_UTC);
    case FT_CODEC_DATE:
        return api->Date_FromDate(when->year, when->month, when->day, api->DateType);
    case FT_CODEC_TIMEDELTA:
        return api->Delta_FromDelta(when->day, when->second, when->microsecond, 0, api->DeltaType);
    case FT_CODEC_TIME:
        return api->Time_FromTimeAndFold(when->hour, when->minute, when->second, when->microsecond,
                                         when->utc ? api->TimeZone_UTC : Py_None, when->fold,
                                         api->TimeType);
    default:
        return api->DateTime_FromDateAndTimeAndFold(when->year, when->month, when->day, when->hour,
                                                    when->minute, when->second, when->microsecond,
                                                    when->utc ? api->TimeZone_UTC : Py_None,
                                                    when->fold, api->DateTimeType);
    }
}

/* Long because it names each kind once. */
PyObject *ft_decoder_get(ft_value_decoder *decoder)
{
    ft_codec_token token;
    if (ft_codec_next(&decoder->reader, &token) != FT_OK)
        return ft_decoder_refuse(decoder);
    switch (token.kind) {
    case FT_CODEC_NONE:
        return Py_NewRef(Py_None);
    case FT_CODEC_FALSE:
        return Py_NewRef(Py_False);
    case FT_CODEC_TRUE:
        return Py_NewRef(Py_True);
    case FT_CODEC_ELLIPSIS:
        return Py_NewRef(Py_Ellipsis);
    case FT_CODEC_INT:
        return PyLong_FromLongLong(token.number);
    case FT_CODEC_LONG:
        return get_long(&token);
    case FT_CODEC_FLOAT:
        return PyFloat_FromDouble(token.real);
    case FT_CODEC_COMPLEX:
        return PyComplex_FromDoubles(token.real, token.imaginary);
    case FT_CODEC_STR:
        return get_text(&token);
    case FT_CODEC_KEY:
    case FT_CODEC_KEY_AGAIN:
        return get_key(decoder, &token);
    case FT_CODEC_BYTES:
        return PyBytes_FromStringAndSize((const char *)token.bytes, (Py_ssize_t)token.length);
    case FT_CODEC_BYTEARRAY:
        return PyByteArray_FromStringAndSize((const char *)token.bytes, (Py_ssize_t)token.length);
    case FT_CODEC_DATE:
    case FT_CODEC_TIME:
    case FT_CODEC_DATETIME:
    case FT_CODEC_TIMEDELTA:
    case FT_CODEC_UTC:
        return get_when(decoder, &token);
    case FT_CODEC_DECIMAL:
        return get_decimal(&token);
    case FT_CODEC_PICKLE:
        return ft_decoder_unpickle(decoder, &token);
    default:
        return get_nested(decoder, &token);
    }
}

/* ---- the whole ---- */

/* Where in the owner's buffer the encoding lies. */
static int find_owner(ft_value_decoder *decoder, const uint8_t *bytes, size_t length)
{
    Py_buffer buffer;
    if (PyObject_GetBuffer(decoder->owner, &buffer, PyBUF_SIMPLE) < 0)
        return -1;
    uintptr_t begin = (uintptr_t)buffer.buf, at = (uintptr_t)bytes;
    size_t size = (size_t)buffer.len;
    bool within = at >= begin && at - begin <= size && length <= size - (at - begin);
    decoder->offset = at - begin;
    decoder->read_only = buffer.readonly != 0;
    PyBuffer_Release(&buffer);
    if (!within)
        PyErr_SetString(PyExc_ValueError, "the encoded value does not lie in its owner's buffer: "
                                          "pass the object that holds the bytes as owner");
    return within ? 0 : -1;
}

static int open_reader(ft_value_decoder *decoder, const uint8_t *bytes, size_t length,
                       ft_decode_flags flags)
{
    ft_status status = ft_codec_open(&decoder->reader, bytes, length);
    if (status == FT_ERR_NEWER)
        PyErr_Format(PyExc_ValueError,
                     "the encoded value has format %d, and this fettle reads format %d: compute "
                     "it anew, or use the fettle that wrote it",
                     bytes[0], FT_CODEC_VERSION);
    else if (status != FT_OK)
        PyErr_Format(PyExc_ValueError,
                     "the encoded value is damaged at its beginning (%zd bytes): compute it anew",
                     (Py_ssize_t)length);
    else if (decoder->reader.pickled && (flags & FT_DECODE_NO_PICKLE) != 0)
        PyErr_SetString(PyExc_ValueError,
                        "the encoded value is a pickle, which could run any code, and pickles are "
                        "refused here: compute it anew, or allow them if you trust who wrote it");
    else
        return 0;
    return -1;
}

/* Whatever Python or numpy said of damaged bytes is one ValueError. */
static void unify_error(const ft_value_decoder *decoder)
{
    if (decoder->reader.pickled || !PyErr_ExceptionMatches(PyExc_Exception) ||
        PyErr_ExceptionMatches(PyExc_MemoryError) || PyErr_ExceptionMatches(PyExc_ImportError) ||
        PyErr_ExceptionMatches(PyExc_RecursionError))
        return;
    PyErr_Clear();
    ft_decoder_refuse(decoder);
}

PyObject *ft_value_decode(const uint8_t *bytes, size_t length, PyObject *owner,
                          ft_decode_flags flags)
{
    ft_value_decoder decoder;
    decoder.depth = decoder.keys = 0;
    decoder.owner = owner;
    decoder.numpy = NULL;
    decoder.datetime = NULL;
    decoder.read_only = false;
    if (open_reader(&decoder, bytes, length, flags) < 0 ||
        (owner != NULL && find_owner(&decoder, bytes, length) < 0))
        return NULL;
    PyObject *value = ft_decoder_get(&decoder);
    if (value == NULL) {
        unify_error(&decoder);
    } else if (ft_codec_close(&decoder.reader) != FT_OK) {
        ft_decoder_refuse(&decoder);
        Py_CLEAR(value);
    }
    for (uint32_t i = 0; i < decoder.keys; i++)
        Py_DECREF(decoder.key[i]);
    Py_XDECREF(decoder.numpy);
    return value;
}
