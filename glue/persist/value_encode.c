/* SPDX-License-Identifier: Apache-2.0 */
/* value_encode.c: a Python value as tokens. Only exact types are written; the first thing that is
 * none of them ends the attempt, and the value is pickled whole.
 *
 * What one container alone holds can not be met twice, so only objects with more than one reference
 * are noted. Small immutable ones may be written again and again instead; larger ones may not, or
 * a small value could have a huge encoding.
 *
 * Re-entrancy: no code of the program's is called here, but the collector may run at an allocation,
 * and finalizers with it. So whatever is walked is held, and a container that changed while it was
 * walked is left to pickle. */
#include "glue/compat.h"

#include <string.h>

#include "glue/persist/value_coder.h"

enum {
    AGAIN_BYTES = 64, /* more of them are not written twice */
    AGAIN_ITEMS = 8   /* of a tuple, likewise */
};

static ft_outcome said(const ft_buf *tokens)
{
    if (ft_buf_status(tokens) == FT_OK)
        return FT_ENCODED;
    PyErr_NoMemory();
    return FT_FAILED;
}

/* ---- what was met ---- */

static ft_outcome meet_in_set(ft_value_encoder *encoder, const void *object)
{
    bool added = false;
    if (!encoder->spilled) {
        ft_address_set_init(&encoder->met, &ft_mem_system);
        encoder->spilled = true;
        for (uint32_t i = 0; i < encoder->few; i++)
            if (!ft_address_set_add(&encoder->met, (uintptr_t)encoder->met_first[i], &added))
                goto fail;
    }
    if (!ft_address_set_add(&encoder->met, (uintptr_t)object, &added))
        goto fail;
    return added ? FT_ENCODED : FT_FOREIGN;
fail:
    PyErr_NoMemory();
    return FT_FAILED;
}

ft_outcome ft_encoder_meet(ft_value_encoder *encoder, const void *object)
{
    if (encoder->few == FT_ENCODER_FEW)
        return meet_in_set(encoder, object);
    for (uint32_t i = 0; i < encoder->few; i++)
        if (encoder->met_first[i] == object)
            return FT_FOREIGN;
    encoder->met_first[encoder->few++] = object;
    return FT_ENCODED;
}

/* Is it small and immutable, and holds nothing? */
static bool is_small_atom(PyObject *value)
{
    if (PyUnicode_CheckExact(value))
        return ft_compat_is_ready(value) && PyUnicode_GET_LENGTH(value) <= AGAIN_BYTES;
    int overflow = 0;
    if (PyLong_CheckExact(value))
        return PyLong_AsLongLongAndOverflow(value, &overflow) != 0 || overflow == 0;
    if (PyBytes_CheckExact(value))
        return PyBytes_GET_SIZE(value) <= AGAIN_BYTES;
    return PyFloat_CheckExact(value) || PyBool_Check(value) || value == Py_None;
}

static bool is_small_tuple(PyObject *tuple)
{
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    for (Py_ssize_t i = 0; i < count && count <= AGAIN_ITEMS; i++)
        if (!is_small_atom(PyTuple_GET_ITEM(tuple, i)))
            return false;
    return count <= AGAIN_ITEMS;
}

/* ---- atoms ---- */

/* Written again wherever it is held again, as pickle does. */
static ft_outcome put_long(ft_value_encoder *encoder, PyObject *number)
{
    PyObject *bits = PyObject_CallMethod(number, "bit_length", NULL);
    size_t length = bits == NULL ? 0 : PyLong_AsSize_t(bits) / 8 + 1;
    Py_XDECREF(bits);
    if (bits == NULL || PyErr_Occurred() != NULL)
        return FT_FAILED;
    PyObject *method = PyObject_GetAttrString(number, "to_bytes");
    PyObject *args = method == NULL ? NULL : Py_BuildValue("(ns)", (Py_ssize_t)length, "little");
    PyObject *keywords = args == NULL ? NULL : Py_BuildValue("{sO}", "signed", Py_True);
    PyObject *bytes = keywords == NULL ? NULL : PyObject_Call(method, args, keywords);
    if (bytes != NULL)
        ft_codec_put_bytes(&encoder->out->head, FT_CODEC_LONG, PyBytes_AS_STRING(bytes), length);
    Py_XDECREF(method);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    Py_XDECREF(bytes);
    return bytes == NULL ? FT_FAILED : FT_ENCODED;
}

static ft_outcome put_int(ft_value_encoder *encoder, PyObject *value)
{
    int overflow = 0;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0)
        return put_long(encoder, value);
    ft_codec_put_int(&encoder->out->head, number);
    return FT_ENCODED;
}

static ft_outcome put_other_text(ft_value_encoder *encoder, ft_codec_kind kind, PyObject *text)
{
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (bytes == NULL)
        return FT_FAILED;
    ft_codec_put_bytes(&encoder->out->head, kind, PyBytes_AS_STRING(bytes),
                       (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return FT_ENCODED;
}

static ft_outcome put_text(ft_value_encoder *encoder, ft_codec_kind kind, PyObject *text)
{
    if (!PyUnicode_IS_COMPACT_ASCII(text))
        return put_other_text(encoder, kind, text);
    ft_codec_put_bytes(&encoder->out->head, kind, PyUnicode_DATA(text),
                       (size_t)PyUnicode_GET_LENGTH(text));
    return FT_ENCODED;
}

/* Where the number of a text is, or could be put: a free slot, else one that is given up. */
static uint8_t *slot_of(ft_value_encoder *encoder, const PyObject *text)
{
    size_t first = ((uintptr_t)text >> 4) % FT_ENCODER_SLOTS;
    for (size_t i = 0; i < FT_ENCODER_PROBES; i++) {
        uint8_t *slot = &encoder->slots[(first + i) % FT_ENCODER_SLOTS];
        if (*slot == 0 || encoder->key[*slot - 1] == text)
            return slot;
    }
    return &encoder->slots[first];
}

/* Writes a text as its number, if it was numbered before, or numbers it: fields of records and long
 * texts cost their bytes once. false: all numbers are used. */
static bool put_numbered(ft_value_encoder *encoder, PyObject *text, ft_outcome *outcome)
{
    if (encoder->keys == 0)
        memset(encoder->slots, 0, sizeof encoder->slots);
    uint8_t *slot = slot_of(encoder, text);
    if (*slot != 0 && encoder->key[*slot - 1] == text) {
        ft_codec_put_count(&encoder->out->head, FT_CODEC_KEY_AGAIN, *slot - 1u);
        *outcome = FT_ENCODED;
        return true;
    }
    if (encoder->keys == FT_CODEC_KEYS)
        return false;
    encoder->key[encoder->keys++] = Py_NewRef(text);
    *slot = (uint8_t)encoder->keys;
    *outcome = put_text(encoder, FT_CODEC_KEY, text);
    return true;
}

static ft_outcome put_str(ft_value_encoder *encoder, PyObject *text, bool shared)
{
    ft_outcome outcome = FT_ENCODED;
    if (shared && !is_small_atom(text)) {
        if (put_numbered(encoder, text, &outcome))
            return outcome;
        outcome = ft_encoder_meet(encoder, text);
    }
    return outcome == FT_ENCODED ? put_text(encoder, FT_CODEC_STR, text) : outcome;
}

static ft_outcome put_key(ft_value_encoder *encoder, PyObject *key, bool shared)
{
    ft_outcome outcome;
    if (shared && put_numbered(encoder, key, &outcome))
        return outcome;
    return put_str(encoder, key, shared);
}

int ft_encoded_add(ft_encoded *encoded, PyObject *object)
{
    if (encoded->count == encoded->capacity) {
        uint32_t room = encoded->capacity * 2 + 4;
        Py_buffer *grown =
            room <= encoded->capacity
                ? NULL
                : ft_mem_resize(&ft_mem_system, encoded->pieces, room, sizeof *encoded->pieces);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        encoded->pieces = grown;
        encoded->capacity = room;
    }
    if (PyObject_GetBuffer(object, &encoded->pieces[encoded->count], PyBUF_SIMPLE) < 0)
        return -1;
    encoded->count++;
    return 0;
}

static ft_outcome put_bytes(ft_value_encoder *encoder, PyObject *bytes, bool shared)
{
    size_t length = (size_t)PyBytes_GET_SIZE(bytes);
    ft_outcome outcome = FT_ENCODED;
    if (shared && length > AGAIN_BYTES && (outcome = ft_encoder_meet(encoder, bytes)) != FT_ENCODED)
        return outcome;
    if (length < FT_CODEC_PIECE) {
        ft_codec_put_bytes(&encoder->out->head, FT_CODEC_BYTES, PyBytes_AS_STRING(bytes), length);
        return FT_ENCODED;
    }
    ft_codec_put_piece(&encoder->out->head, FT_CODEC_BYTES);
    return ft_encoded_add(encoder->out, bytes) < 0 ? FT_FAILED : FT_ENCODED;
}

/* ---- containers ---- */

static ft_outcome put_items(ft_value_encoder *encoder, PyObject *value)
{
    bool tuple = PyTuple_CheckExact(value);
    Py_ssize_t count = Py_SIZE(value);
    ft_outcome outcome = FT_ENCODED;
    ft_codec_put_count(&encoder->out->head, tuple ? FT_CODEC_TUPLE : FT_CODEC_LIST,
                       (uint64_t)count);
    for (Py_ssize_t i = 0; outcome == FT_ENCODED && i < count; i++) {
        if (i >= Py_SIZE(value))
            return FT_FOREIGN;
        PyObject *item = tuple ? PyTuple_GET_ITEM(value, i) : PyList_GET_ITEM(value, i);
        bool shared = Py_REFCNT(item) > 1;
        Py_INCREF(item);
        outcome = ft_encoder_put(encoder, item, shared);
        Py_DECREF(item);
    }
    return outcome == FT_ENCODED && Py_SIZE(value) != count ? FT_FOREIGN : outcome;
}

static ft_outcome put_pair(ft_value_encoder *encoder, PyObject *key, PyObject *value)
{
    bool shared_key = Py_REFCNT(key) > 1, shared = Py_REFCNT(value) > 1;
    Py_INCREF(key);
    Py_INCREF(value);
    ft_outcome outcome = PyUnicode_CheckExact(key) ? put_key(encoder, key, shared_key)
                                                   : ft_encoder_put(encoder, key, shared_key);
    if (outcome == FT_ENCODED)
        outcome = ft_encoder_put(encoder, value, shared);
    Py_DECREF(key);
    Py_DECREF(value);
    return outcome;
}

static ft_outcome put_dict(ft_value_encoder *encoder, PyObject *dict)
{
    Py_ssize_t count = PyDict_GET_SIZE(dict), walked = 0, at = 0;
    PyObject *key, *value;
    ft_outcome outcome = FT_ENCODED;
    ft_codec_put_count(&encoder->out->head, FT_CODEC_DICT, (uint64_t)count);
    while (outcome == FT_ENCODED && PyDict_Next(dict, &at, &key, &value)) {
        outcome = walked < count ? put_pair(encoder, key, value) : FT_FOREIGN;
        walked++;
    }
    return outcome == FT_ENCODED && walked != count ? FT_FOREIGN : outcome;
}

static ft_outcome put_set(ft_value_encoder *encoder, PyObject *set)
{
    Py_ssize_t count = PySet_GET_SIZE(set), walked = 0;
    PyObject *item, *items = PyObject_GetIter(set);
    ft_outcome outcome = items == NULL ? FT_FAILED : FT_ENCODED;
    ft_codec_put_count(&encoder->out->head,
                       PyFrozenSet_CheckExact(set) ? FT_CODEC_FROZENSET : FT_CODEC_SET,
                       (uint64_t)count);
    while (outcome == FT_ENCODED && (item = PyIter_Next(items)) != NULL) {
        outcome = ft_encoder_put(encoder, item, Py_REFCNT(item) > 2);
        Py_DECREF(item);
        walked++;
    }
    Py_XDECREF(items);
    if (outcome == FT_ENCODED && PyErr_Occurred() != NULL)
        return FT_FAILED;
    return outcome == FT_ENCODED && walked != count ? FT_FOREIGN : outcome;
}

static ft_outcome put_container(ft_value_encoder *encoder, PyObject *value, bool shared)
{
    ft_outcome outcome = FT_ENCODED;
    if (shared && !(PyTuple_CheckExact(value) && is_small_tuple(value)))
        outcome = ft_encoder_meet(encoder, value);
    if (outcome != FT_ENCODED)
        return outcome;
    if (encoder->depth == FT_CODEC_DEPTH)
        return FT_FOREIGN;
    if (Py_EnterRecursiveCall(" while a value is encoded"))
        return FT_FAILED;
    encoder->depth++;
    if (PyDict_CheckExact(value))
        outcome = put_dict(encoder, value);
    else if (PyAnySet_CheckExact(value))
        outcome = put_set(encoder, value);
    else
        outcome = put_items(encoder, value);
    encoder->depth--;
    Py_LeaveRecursiveCall();
    return outcome == FT_ENCODED ? said(&encoder->out->head) : outcome;
}

/* ---- the rest ---- */

static ft_outcome put_range(ft_value_encoder *encoder, PyObject *range)
{
    static const char *const names[] = {"start", "stop", "step"};
    ft_codec_put(&encoder->out->head, FT_CODEC_RANGE);
    for (size_t i = 0; i < 3; i++) {
        PyObject *number = PyObject_GetAttrString(range, names[i]);
        /* no subclass of int is left in a range of ours: it might be written as it is not */
        ft_outcome outcome = number == NULL              ? FT_FAILED
                             : PyLong_CheckExact(number) ? put_int(encoder, number)
                                                         : FT_FOREIGN;
        Py_XDECREF(number);
        if (outcome != FT_ENCODED)
            return outcome;
    }
    return FT_ENCODED;
}

static PyObject *tzinfo_of(PyObject *value, bool whole)
{
    if (whole)
        return PyDateTime_DATE_GET_TZINFO(value);
    return PyDateTime_TIME_GET_TZINFO(value);
}

static ft_outcome put_moment(ft_value_encoder *encoder, PyObject *value, ft_codec_kind kind)
{
    bool whole = kind == FT_CODEC_DATETIME;
    ft_codec_when when = {0};
    if (kind != FT_CODEC_TIME) {
        when.year = PyDateTime_GET_YEAR(value);
        when.month = PyDateTime_GET_MONTH(value);
        when.day = PyDateTime_GET_DAY(value);
    }
    if (kind != FT_CODEC_DATE) {
        PyObject *zone = tzinfo_of(value, whole);
        when.utc = zone == encoder->datetime->TimeZone_UTC;
        if (zone != Py_None && !when.utc)
            return FT_FOREIGN;
        when.hour = whole ? PyDateTime_DATE_GET_HOUR(value) : PyDateTime_TIME_GET_HOUR(value);
        when.minute = whole ? PyDateTime_DATE_GET_MINUTE(value) : PyDateTime_TIME_GET_MINUTE(value);
        when.second = whole ? PyDateTime_DATE_GET_SECOND(value) : PyDateTime_TIME_GET_SECOND(value);
        when.microsecond =
            whole ? PyDateTime_DATE_GET_MICROSECOND(value) : PyDateTime_TIME_GET_MICROSECOND(value);
        when.fold =
            (whole ? PyDateTime_DATE_GET_FOLD(value) : PyDateTime_TIME_GET_FOLD(value)) != 0;
    }
    ft_codec_put_when(&encoder->out->head, kind, &when);
    return FT_ENCODED;
}

static ft_outcome put_datetime(ft_value_encoder *encoder, PyObject *value)
{
    if (encoder->datetime == NULL)
        encoder->datetime = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
    const PyDateTime_CAPI *types = encoder->datetime;
    if (types == NULL)
        return FT_FAILED;
    if (Py_IS_TYPE(value, types->DateTimeType))
        return put_moment(encoder, value, FT_CODEC_DATETIME);
    if (Py_IS_TYPE(value, types->DateType))
        return put_moment(encoder, value, FT_CODEC_DATE);
    if (Py_IS_TYPE(value, types->TimeType))
        return put_moment(encoder, value, FT_CODEC_TIME);
    if (value == types->TimeZone_UTC) {
        ft_codec_put(&encoder->out->head, FT_CODEC_UTC);
        return FT_ENCODED;
    }
    if (!Py_IS_TYPE(value, types->DeltaType))
        return FT_FOREIGN;
    ft_codec_when when = {.day = PyDateTime_DELTA_GET_DAYS(value),
                          .second = PyDateTime_DELTA_GET_SECONDS(value),
                          .microsecond = PyDateTime_DELTA_GET_MICROSECONDS(value)};
    ft_codec_put_when(&encoder->out->head, FT_CODEC_TIMEDELTA, &when);
    return FT_ENCODED;
}

static ft_outcome put_decimal(ft_value_encoder *encoder, PyObject *value, bool shared)
{
    PyObject *module = PyImport_ImportModule("decimal");
    PyObject *type = module == NULL ? NULL : PyObject_GetAttrString(module, "Decimal");
    Py_XDECREF(module);
    Py_XDECREF(type);
    if (type == NULL)
        return FT_FAILED;
    if (type != (PyObject *)Py_TYPE(value))
        return FT_FOREIGN;
    PyObject *text = PyObject_Str(value);
    if (text == NULL)
        return FT_FAILED;
    ft_outcome outcome = FT_ENCODED;
    if (shared && PyUnicode_GET_LENGTH(text) > AGAIN_BYTES)
        outcome = ft_encoder_meet(encoder, value);
    if (outcome == FT_ENCODED)
        outcome = put_text(encoder, FT_CODEC_DECIMAL, text);
    Py_DECREF(text);
    return outcome;
}

static ft_outcome put_bytearray(ft_value_encoder *encoder, PyObject *value, bool shared)
{
    ft_outcome outcome = shared ? ft_encoder_meet(encoder, value) : FT_ENCODED;
    if (outcome == FT_ENCODED) /* copied: while it is a piece, the program could not resize it */
        ft_codec_put_bytes(&encoder->out->head, FT_CODEC_BYTEARRAY, PyByteArray_AS_STRING(value),
                           (size_t)PyByteArray_GET_SIZE(value));
    return outcome;
}

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static ft_outcome put_rare(ft_value_encoder *encoder, PyObject *value, bool shared)
{
    const char *name = Py_TYPE(value)->tp_name;
    if (PyComplex_CheckExact(value)) {
        Py_complex number = PyComplex_AsCComplex(value);
        ft_codec_put_complex(&encoder->out->head, number.real, number.imag);
        return FT_ENCODED;
    }
    if (value == Py_Ellipsis) {
        ft_codec_put(&encoder->out->head, FT_CODEC_ELLIPSIS);
        return FT_ENCODED;
    }
    if (PyByteArray_CheckExact(value))
        return put_bytearray(encoder, value, shared);
    if (Py_IS_TYPE(value, &PyRange_Type))
        return put_range(encoder, value);
    if (begins(name, "datetime."))
        return put_datetime(encoder, value);
    if (begins(name, "numpy."))
        return ft_encoder_put_numpy(encoder, value, shared);
    return strcmp(name, "decimal.Decimal") == 0 ? put_decimal(encoder, value, shared) : FT_FOREIGN;
}

ft_outcome ft_encoder_put(ft_value_encoder *encoder, PyObject *value, bool shared)
{
    if (PyLong_CheckExact(value))
        return put_int(encoder, value);
    if (PyUnicode_CheckExact(value))
        return put_str(encoder, value, shared);
    if (PyFloat_CheckExact(value)) {
        ft_codec_put_float(&encoder->out->head, PyFloat_AS_DOUBLE(value));
        return FT_ENCODED;
    }
    if (value == Py_None || PyBool_Check(value)) {
        ft_codec_put(&encoder->out->head, value == Py_None   ? FT_CODEC_NONE
                                          : value == Py_True ? FT_CODEC_TRUE
                                                             : FT_CODEC_FALSE);
        return FT_ENCODED;
    }
    if (PyTuple_CheckExact(value) || PyList_CheckExact(value) || PyDict_CheckExact(value) ||
        PyAnySet_CheckExact(value))
        return put_container(encoder, value, shared);
    if (PyBytes_CheckExact(value))
        return put_bytes(encoder, value, shared);
    return put_rare(encoder, value, shared);
}

/* ---- the whole ---- */

void ft_encoded_fini(ft_encoded *encoded)
{
    for (uint32_t i = 0; i < encoded->count; i++)
        PyBuffer_Release(&encoded->pieces[i]);
    ft_mem_free(&ft_mem_system, encoded->pieces);
    encoded->pieces = NULL;
    encoded->count = encoded->capacity = 0;
    ft_buf_fini(&encoded->head);
}

static void begin(ft_encoded *out, bool pickled)
{
    *out = (ft_encoded){.pickled = pickled};
    ft_buf_init(&out->head, &ft_mem_system);
    ft_codec_put_head(&out->head, pickled);
}

/* The tokens get a table of the pieces in front. */
static ft_outcome end(ft_encoded *out)
{
    ft_buf tokens = out->head;
    if (ft_buf_status(&tokens) != FT_OK || out->count == 0)
        return said(&tokens);
    size_t *lengths = ft_mem_new(&ft_mem_system, out->count, sizeof *lengths);
    if (lengths == NULL) {
        PyErr_NoMemory();
        return FT_FAILED;
    }
    for (uint32_t i = 0; i < out->count; i++)
        lengths[i] = (size_t)out->pieces[i].len;
    ft_buf_init(&out->head, &ft_mem_system);
    ft_codec_put_table(&out->head, out->pickled, tokens.data + FT_CODEC_PLAIN_HEAD,
                       tokens.length - FT_CODEC_PLAIN_HEAD, lengths, out->count);
    ft_buf_fini(&tokens);
    ft_mem_free(&ft_mem_system, lengths);
    return said(&out->head);
}

static ft_outcome encode_typed(ft_encoded *out, PyObject *value)
{
    ft_value_encoder encoder;
    encoder.out = out;
    encoder.depth = encoder.few = encoder.keys = 0;
    encoder.spilled = false;
    encoder.datetime = NULL;
    ft_outcome outcome = ft_encoder_put(&encoder, value, true);
    for (uint32_t i = 0; i < encoder.keys; i++)
        Py_DECREF(encoder.key[i]);
    if (encoder.spilled)
        ft_address_set_fini(&encoder.met);
    return outcome == FT_ENCODED ? end(out) : outcome;
}

int ft_value_encode(ft_encoded *out, PyObject *value)
{
    begin(out, false);
    ft_outcome outcome = encode_typed(out, value);
    if (outcome == FT_FOREIGN) {
        ft_encoded_fini(out);
        begin(out, true);
        outcome = ft_encoded_pickle(out, value) < 0 ? FT_FAILED : end(out);
    }
    if (outcome == FT_ENCODED)
        return 0;
    ft_encoded_fini(out);
    return -1;
}
