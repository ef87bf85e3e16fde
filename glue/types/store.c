/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: fettle._core.Store.
 *
 * The GIL protects the object. Small values are read with it, since letting go of it takes longer;
 * large ones, and everything that writes, without it. Who works without it holds the store, and a
 * close waits for the last holder by leaving the store to it. */
#include "glue/types/store.h"

#include "engine/base/clock.h"
#include "glue/caching/flights.h"
#include "glue/persist/value_codec.h"

#include <errno.h>

enum { TROUBLE_UNDECODED = 1 << 8 }; /* beside those of ft_store_trouble */

typedef struct store_object {
    PyObject_HEAD
    ft_store *store;  /* owned; NULL: closed */
    PyObject *folder; /* bytes */
    uint64_t max_bytes;
    uint32_t forks; /* how often the process had been forked when it was opened */
    int holders;
    bool closes;    /* the last holder closes it */
    bool undecoded; /* a result could not be made an object: one more trouble */
} store_object;

/* ---- bytes of a store that an object lies in ---- */

typedef struct stored_bytes {
    PyObject_HEAD
    ft_value value;
    bool read_only;
} stored_bytes;

static int bytes_get_buffer(PyObject *object, Py_buffer *view, int flags)
{
    stored_bytes *self = (stored_bytes *)object;
    return PyBuffer_FillInfo(view, object, self->value.bytes, (Py_ssize_t)self->value.entry.length,
                             self->read_only, flags);
}

static void bytes_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_value_fini(&((stored_bytes *)object)->value);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyType_Slot bytes_slots[] = {
    {Py_tp_dealloc, (void *)bytes_dealloc},
    {Py_bf_getbuffer, (void *)bytes_get_buffer},
    {Py_tp_doc, "Bytes of a store that an object lies in."},
    {0, NULL},
};

static PyType_Spec bytes_spec = {
    .name = "fettle._core.StoredBytes",
    .basicsize = sizeof(stored_bytes),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = bytes_slots,
};

/* Takes the value. */
static PyObject *bytes_new(PyTypeObject *type, ft_value *value, bool read_only)
{
    stored_bytes *self = (stored_bytes *)type->tp_alloc(type, 0);
    if (self == NULL) {
        ft_value_fini(value);
        return NULL;
    }
    self->value = *value;
    self->read_only = read_only;
    return (PyObject *)self;
}

/* ---- opening and closing ---- */

static int fail(ft_status status, const store_object *self)
{
    if (status == FT_ERR_MEMORY)
        PyErr_NoMemory();
    else if (status == FT_ERR_IO)
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, self->folder);
    else
        PyErr_SetString(PyExc_OSError, ft_status_text(status));
    return -1;
}

/* anew: in the place of what is open. */
static int open_store(store_object *self, bool anew)
{
    ft_store *store;
    ft_status status;
    const char *folder = PyBytes_AS_STRING(self->folder);
    Py_BEGIN_ALLOW_THREADS
    status = ft_store_open(&store, folder, self->max_bytes, &ft_mem_system);
    Py_END_ALLOW_THREADS
    if (status != FT_OK)
        return fail(status, self);
    bool taken = self->store != NULL && (!anew || self->holders > 0);
    if (self->closes || taken) { /* another thread was faster, or uses what there is */
        ft_store_close(store);
        return 0;
    }
    ft_store *before = self->store;
    self->store = store;
    self->forks = ft_flights_forks;
    ft_store_close(before);
    return 0;
}

ft_store *ft_store_of(PyObject *object)
{
    store_object *self = (store_object *)object;
    if (self->forks != ft_flights_forks) {
        /* In a child: whoever held it is gone, and its locks may be held for ever. NULL: another
         * thread opens it now, or it could not be opened. */
        ft_store *parents = self->store;
        self->holders = 0;
        self->store = NULL;
        if (parents != NULL)
            ft_store_abandon(parents);
        if (!self->closes && open_store(self, false) < 0)
            return NULL;
    }
    if (self->store == NULL)
        PyErr_SetString(PyExc_ValueError, "the store is closed");
    return self->store;
}

/* As ft_store_of; but where it can not be had there is no exception. For what a call does besides
 * looking and keeping. */
static ft_store *store_if_any(PyObject *object)
{
    ft_store *store = ft_store_of(object);
    if (store == NULL)
        PyErr_Clear();
    return store;
}

void ft_store_hold(PyObject *object)
{
    ((store_object *)object)->holders++;
}

void ft_store_let_go(PyObject *object)
{
    store_object *self = (store_object *)object;
    if (self->holders > 0 && --self->holders == 0 && self->closes) {
        ft_store_close(self->store);
        self->store = NULL;
    }
}

static PyObject *store_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"folder", "max_bytes", NULL};
    PyObject *folder;
    unsigned long long most = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O&|K:Store", names, PyUnicode_FSConverter,
                                     &folder, &most))
        return NULL;
    store_object *self = (store_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_DECREF(folder);
        return NULL;
    }
    self->folder = folder;
    self->max_bytes = most;
    if (open_store(self, false) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void store_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    store_object *self = (store_object *)object;
    if (self->store != NULL && self->forks != ft_flights_forks)
        ft_store_abandon(self->store);
    else
        ft_store_close(self->store);
    Py_XDECREF(self->folder);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Is it open in the folder that lies there now? */
static PyObject *store_reopen(PyObject *object, PyObject *unused)
{
    store_object *self = (store_object *)object;
    (void)unused;
    if (self->store == NULL || self->holders > 0)
        Py_RETURN_FALSE;
    const ft_store *before = self->store;
    if (open_store(self, true) < 0)
        return NULL;
    return PyBool_FromLong(self->store != before);
}

static PyObject *store_close(PyObject *object, PyObject *unused)
{
    store_object *self = (store_object *)object;
    (void)unused;
    self->closes = true;
    if (self->holders == 0 && self->store != NULL) {
        ft_store_close(self->store);
        self->store = NULL;
    }
    Py_RETURN_NONE;
}

/* ---- keys and entries ---- */

static int read_key(PyObject *object, ft_digest *key)
{
    if (!PyBytes_Check(object) || PyBytes_GET_SIZE(object) != sizeof *key) {
        PyErr_SetString(PyExc_TypeError, "a key is 16 bytes");
        return -1;
    }
    memcpy(key, PyBytes_AS_STRING(object), sizeof *key);
    return 0;
}

static double seconds(uint64_t ns)
{
    return (double)ns * 1e-9;
}

PyObject *ft_store_entry_tuple(const ft_entry *entry)
{
    return Py_BuildValue("y#KdddKKI", (const char *)&entry->key, (Py_ssize_t)sizeof entry->key,
                         (unsigned long long)entry->function, seconds(entry->created_ns),
                         seconds(entry->cost_ns), seconds(entry->used_ns),
                         (unsigned long long)entry->length, (unsigned long long)entry->stored,
                         (unsigned)entry->kind);
}

/* ---- reading ---- */

/* Errors of decoding are an absent value; what is no Exception (KeyboardInterrupt) and a lack of
 * memory are not of decoding. */
static int decoded(PyObject *object, PyObject *made, PyObject **value)
{
    if (made == NULL &&
        (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)))
        return -1;
    if (made == NULL) {
        PyErr_Clear();
        ((store_object *)object)->undecoded = true;
    }
    *value = made;
    return made != NULL;
}

static int decode_large(PyObject *object, ft_value *is, bool read_only, PyObject **value)
{
    ft_module_state *state = ft_module_state_of(Py_TYPE(object));
    if (state == NULL || state->stored_bytes_type == NULL) { /* the interpreter ends */
        PyErr_Clear();
        ft_value_fini(is);
        return 0;
    }
    PyObject *owner = bytes_new(state->stored_bytes_type, is, read_only);
    if (owner == NULL)
        return -1;
    const ft_value *held = &((stored_bytes *)owner)->value;
    PyObject *made = ft_value_decode(held->bytes, (size_t)held->entry.length, owner, FT_DECODE_ANY);
    Py_DECREF(owner);
    return decoded(object, made, value);
}

static ft_status get_without_gil(PyObject *object, ft_store *store, ft_digest key, ft_view view,
                                 bool *found, ft_value *value)
{
    ft_status status;
    ft_store_hold(object);
    Py_BEGIN_ALLOW_THREADS
    status = ft_store_get(store, key, view, found, value);
    Py_END_ALLOW_THREADS
    ft_store_let_go(object);
    return status;
}

int ft_store_value(PyObject *object, ft_digest key, ft_view view, PyObject **value, ft_entry *entry)
{
    ft_value is;
    bool found;
    ft_store *store = ft_store_of(object);
    if (store == NULL)
        return -1;
    ft_view first = view == FT_VIEW_PRIVATE ? FT_VIEW_READY : FT_VIEW_SMALL;
    ft_status status = ft_store_get(store, key, first, &found, &is);
    bool later = status == FT_OK && found && is.bytes == NULL;
    if (later)
        status = get_without_gil(object, store, key, view, &found, &is);
    if (status != FT_OK)
        return fail(status, (store_object *)object);
    if (!found)
        return 0;
    *entry = is.entry;
    if (later || is.mapping != NULL)
        return decode_large(object, &is, view == FT_VIEW_SHARED, value);
    PyObject *made = ft_value_decode(is.bytes, (size_t)is.entry.length, NULL, FT_DECODE_ANY);
    ft_value_fini(&is);
    return decoded(object, made, value);
}

static PyObject *store_get(PyObject *object, PyObject *args)
{
    ft_digest key;
    ft_entry entry;
    PyObject *key_bytes, *value;
    int view = FT_VIEW_PRIVATE;
    if (!PyArg_ParseTuple(args, "O|i:get", &key_bytes, &view) || read_key(key_bytes, &key) < 0)
        return NULL;
    if (view < FT_VIEW_COPY || view > FT_VIEW_SHARED) {
        PyErr_SetString(PyExc_ValueError, "a view is 0, 1 or 2");
        return NULL;
    }
    int found = ft_store_value(object, key, (ft_view)view, &value, &entry);
    if (found == 0)
        Py_RETURN_NONE;
    if (found < 0)
        return NULL;
    PyObject *tuple = ft_store_entry_tuple(&entry);
    if (tuple == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    return Py_BuildValue("NN", value, tuple);
}

static PyObject *store_peek(PyObject *object, PyObject *key_bytes)
{
    ft_digest key;
    ft_entry entry;
    bool found;
    ft_store *store;
    if (read_key(key_bytes, &key) < 0 || (store = ft_store_of(object)) == NULL)
        return NULL;
    ft_status status = ft_store_peek(store, key, &found, &entry);
    if (status != FT_OK) {
        fail(status, (store_object *)object);
        return NULL;
    }
    if (!found)
        Py_RETURN_NONE;
    return ft_store_entry_tuple(&entry);
}

/* ---- writing ---- */

static PyObject *put(PyObject *object, const ft_put *as)
{
    bool kept;
    ft_status status;
    ft_store *store = ft_store_of(object);
    if (store == NULL)
        return NULL;
    ft_store_hold(object);
    Py_BEGIN_ALLOW_THREADS
    status = ft_store_put(store, as, &kept);
    Py_END_ALLOW_THREADS
    ft_store_let_go(object);
    if (status != FT_OK) {
        fail(status, (store_object *)object);
        return NULL;
    }
    return PyBool_FromLong(kept);
}

static uint64_t nanoseconds(double time)
{
    return time > 0 && time < 9e9 ? (uint64_t)(time * 1e9) : 0;
}

static PyObject *store_put(PyObject *object, PyObject *args)
{
    ft_put as = {0};
    ft_encoded encoded;
    PyObject *key, *value;
    unsigned long long function;
    double cost = 0;
    if (!PyArg_ParseTuple(args, "OKO|di:put", &key, &function, &value, &cost, &as.compress) ||
        read_key(key, &as.key) < 0 || ft_value_encode(&encoded, value) < 0)
        return NULL;
    as.function = function;
    as.cost_ns = nanoseconds(cost);
    as.kind = encoded.pickled;
    as.count = ft_encoded_count(&encoded);
    ft_piece *pieces = PyMem_New(ft_piece, as.count);
    PyObject *kept = NULL;
    if (pieces == NULL) {
        PyErr_NoMemory();
    } else {
        ft_encoded_fill(&encoded, pieces);
        as.pieces = pieces;
        kept = put(object, &as);
    }
    PyMem_Free(pieces);
    ft_encoded_fini(&encoded);
    return kept;
}

static PyObject *store_put_encoded(PyObject *object, PyObject *args)
{
    ft_put as = {.count = 1};
    Py_buffer bytes;
    PyObject *key;
    unsigned long long function;
    double cost = 0, created = 0;
    if (!PyArg_ParseTuple(args, "OKy*|did:put_encoded", &key, &function, &bytes, &cost,
                          &as.compress, &created))
        return NULL;
    PyObject *kept = NULL;
    ft_piece piece = {bytes.buf, (size_t)bytes.len};
    as.function = function;
    as.cost_ns = nanoseconds(cost);
    as.created_ns = nanoseconds(created);
    as.pieces = &piece;
    as.kind = ft_value_is_pickled(bytes.buf, (size_t)bytes.len);
    if (read_key(key, &as.key) == 0)
        kept = put(object, &as);
    PyBuffer_Release(&bytes);
    return kept;
}

static PyObject *store_remove(PyObject *object, PyObject *key_bytes)
{
    ft_digest key;
    bool found = false;
    ft_store *store;
    if (read_key(key_bytes, &key) < 0 || (store = ft_store_of(object)) == NULL)
        return NULL;
    ft_store_hold(object);
    Py_BEGIN_ALLOW_THREADS(void)
    ft_store_remove(store, key, &found);
    Py_END_ALLOW_THREADS
    ft_store_let_go(object);
    return PyBool_FromLong(found);
}

static PyObject *counted(PyObject *object, ft_status status, uint64_t removed)
{
    ft_store_let_go(object);
    if (status == FT_ERR_MEMORY)
        return PyErr_NoMemory();
    return PyLong_FromUnsignedLongLong(removed); /* where it could not be, a trouble says why */
}

static PyObject *store_clear(PyObject *object, PyObject *args)
{
    unsigned long long function = 0;
    uint64_t removed = 0;
    ft_status status;
    ft_store *store;
    if (!PyArg_ParseTuple(args, "|K:clear", &function) || (store = ft_store_of(object)) == NULL)
        return NULL;
    ft_store_hold(object);
    Py_BEGIN_ALLOW_THREADS
    status = ft_store_clear(store, function, &removed);
    Py_END_ALLOW_THREADS
    return counted(object, status, removed);
}

/* A bound: a number, or None for none. */
static int read_bound(PyObject *object, double scale, uint64_t *bound)
{
    *bound = UINT64_MAX;
    if (object == Py_None)
        return 0;
    double number = PyFloat_AsDouble(object);
    if (PyErr_Occurred())
        return -1;
    if (number * scale < 1.8e19)
        *bound = number > 0 ? (uint64_t)(number * scale) : 0;
    return 0;
}

static PyObject *store_reduce(PyObject *object, PyObject *args)
{
    PyObject *bytes = Py_None, *items = Py_None, *age = Py_None;
    ft_bounds bounds;
    uint64_t removed = 0;
    ft_status status;
    ft_store *store;
    if (!PyArg_ParseTuple(args, "|OOO:reduce", &bytes, &items, &age) ||
        read_bound(bytes, 1, &bounds.bytes) < 0 || read_bound(items, 1, &bounds.items) < 0 ||
        read_bound(age, 1e9, &bounds.age_ns) < 0 || (store = ft_store_of(object)) == NULL)
        return NULL;
    ft_store_hold(object);
    Py_BEGIN_ALLOW_THREADS
    status = ft_store_reduce(store, &bounds, &removed);
    Py_END_ALLOW_THREADS
    return counted(object, status, removed);
}

/* ---- all entries ---- */

typedef struct telling {
    PyObject *told;
    bool failed;
} telling;

static bool tell_python(PyObject *tuple, telling *to)
{
    PyObject *result = tuple == NULL ? NULL : PyObject_CallOneArg(to->told, tuple);
    Py_XDECREF(tuple);
    Py_XDECREF(result);
    to->failed = result == NULL;
    return !to->failed;
}

static bool tell_entry(void *context, const ft_entry *entry)
{
    return tell_python(ft_store_entry_tuple(entry), context);
}

static bool tell_function(void *context, const ft_kept_function *is)
{
    /* a long one may have been cut within a character */
    PyObject *name = PyUnicode_DecodeUTF8(is->name, (Py_ssize_t)strlen(is->name), "replace");
    PyObject *tuple = NULL;
    if (name != NULL)
        tuple =
            Py_BuildValue("KNKKd", (unsigned long long)is->id, name, (unsigned long long)is->hits,
                          (unsigned long long)is->misses, seconds(is->saved_ns));
    return tell_python(tuple, context);
}

static PyObject *told_all(PyObject *object, ft_status status, const telling *to)
{
    ft_store_let_go(object);
    if (to->failed)
        return NULL;
    if (status == FT_ERR_MEMORY)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *store_each(PyObject *object, PyObject *told)
{
    telling to = {told, false};
    ft_store *store = ft_store_of(object);
    if (store == NULL)
        return NULL;
    ft_store_hold(object);
    return told_all(object, ft_store_each(store, tell_entry, &to), &to);
}

static PyObject *store_each_function(PyObject *object, PyObject *told)
{
    telling to = {told, false};
    ft_store *store = ft_store_of(object);
    if (store == NULL)
        return NULL;
    ft_store_hold(object);
    return told_all(object, ft_store_each_function(store, tell_function, &to), &to);
}

/* ---- functions, claims, troubles ---- */

static PyObject *store_name_function(PyObject *object, PyObject *name)
{
    uint64_t id = 0;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    ft_store *store = text == NULL ? NULL : ft_store_of(object);
    if (store == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "a function's name is a str");
        return NULL;
    }
    ft_store_hold(object);
    Py_BEGIN_ALLOW_THREADS(void)
    ft_store_name_function(store, text, &id);
    Py_END_ALLOW_THREADS
    ft_store_let_go(object);
    return PyLong_FromUnsignedLongLong(id);
}

static PyObject *store_count(PyObject *object, PyObject *args)
{
    const char *name;
    unsigned long long hits, misses;
    double saved;
    ft_store *store;
    if (!PyArg_ParseTuple(args, "sKKd:count", &name, &hits, &misses, &saved))
        return NULL;
    if ((store = store_if_any(object)) == NULL)
        Py_RETURN_NONE;
    ft_store_hold(object);
    Py_BEGIN_ALLOW_THREADS(void)
    ft_store_count(store, name, hits, misses, nanoseconds(saved));
    Py_END_ALLOW_THREADS
    ft_store_let_go(object);
    Py_RETURN_NONE;
}

static PyObject *store_claim(PyObject *object, PyObject *key_bytes)
{
    ft_digest key;
    ft_store *store;
    if (read_key(key_bytes, &key) < 0)
        return NULL;
    store = store_if_any(object);
    return PyLong_FromLong(store == NULL ? FT_CLAIM_NOBODYS : ft_store_claim(store, key));
}

static PyObject *store_release(PyObject *object, PyObject *key_bytes)
{
    ft_digest key;
    ft_store *store;
    if (read_key(key_bytes, &key) < 0)
        return NULL;
    if ((store = store_if_any(object)) != NULL)
        ft_store_release(store, key);
    Py_RETURN_NONE;
}

static PyObject *store_owner_cpu(PyObject *object, PyObject *key_bytes)
{
    ft_digest key;
    ft_store *store;
    if (read_key(key_bytes, &key) < 0 || (store = ft_store_of(object)) == NULL)
        return NULL;
    uint64_t used = ft_store_owner_cpu(store, key);
    return PyFloat_FromDouble(used == UINT64_MAX ? -1.0 : seconds(used));
}

static PyObject *store_waits(PyObject *object, PyObject *waits)
{
    int is = PyObject_IsTrue(waits);
    if (is < 0)
        return NULL;
    ft_store *store = store_if_any(object);
    if (store != NULL && is)
        ft_store_wait_begin(store);
    else if (store != NULL)
        ft_store_wait_end(store);
    Py_RETURN_NONE;
}

static PyObject *store_measure(PyObject *object, PyObject *unused)
{
    ft_store_sizes sizes;
    (void)unused;
    ft_store *store = ft_store_of(object);
    if (store == NULL)
        return NULL;
    (void)ft_store_measure(store, &sizes);
    return Py_BuildValue("KKK", (unsigned long long)sizes.entries, (unsigned long long)sizes.bytes,
                         (unsigned long long)sizes.max_bytes);
}

static PyObject *store_troubles(PyObject *object, PyObject *unused)
{
    store_object *self = (store_object *)object;
    (void)unused;
    ft_store *store = store_if_any(object);
    if (store == NULL)
        return Py_BuildValue("Ii", 0, 0);
    unsigned troubles = ft_store_take_troubles(store) | (self->undecoded ? TROUBLE_UNDECODED : 0);
    self->undecoded = false;
    return Py_BuildValue("Ii", troubles, ft_store_errno(store));
}

static PyObject *store_usable(PyObject *object, void *unused)
{
    const store_object *self = (const store_object *)object;
    (void)unused;
    return PyBool_FromLong(self->store != NULL && ft_store_usable(self->store));
}

static PyObject *store_folder(PyObject *object, void *unused)
{
    const store_object *self = (const store_object *)object;
    (void)unused;
    return PyUnicode_DecodeFSDefaultAndSize(PyBytes_AS_STRING(self->folder),
                                            PyBytes_GET_SIZE(self->folder));
}

static PyMethodDef store_methods[] = {
    {"get", store_get, METH_VARARGS,
     "get(key, view=1): (value, entry), or None. view: 0 copied, 1 large ones mapped and private, "
     "2 mapped to be read only."},
    {"peek", store_peek, METH_O, "The entry of a key, or None; reads no value, marks no use."},
    {"put", store_put, METH_VARARGS,
     "put(key, function, value, cost=0.0, compress=0): is it kept? cost: seconds. Raises what "
     "pickle says of the value."},
    {"put_encoded", store_put_encoded, METH_VARARGS,
     "put_encoded(key, function, bytes, cost=0.0, compress=0, created=0.0): is it kept? created: "
     "seconds since the epoch, 0: now."},
    {"remove", store_remove, METH_O, "Forget a key: was it there?"},
    {"clear", store_clear, METH_VARARGS, "clear(function=0): how many entries went; 0: all."},
    {"reduce", store_reduce, METH_VARARGS,
     "reduce(bytes=None, items=None, age=None): down to these bounds, the least recently used "
     "first; how many went. age: seconds since the last use."},
    {"each", store_each, METH_O, "Call a function with each entry."},
    {"each_function", store_each_function, METH_O,
     "Call a function with each (id, name, hits, misses, saved)."},
    {"name_function", store_name_function, METH_O, "The id of a function's name."},
    {"count", store_count, METH_VARARGS, "count(name, hits, misses, saved)"},
    {"claim", store_claim, METH_O,
     "0: this process computes the key; 1: another one; 2: it itself waits for one; 3: it is "
     "stopped; 4: nobody can tell."},
    {"release", store_release, METH_O, "End a claim."},
    {"owner_cpu", store_owner_cpu, METH_O,
     "Seconds of processor time that whoever has the claim has used; -1.0: not known."},
    {"waits", store_waits, METH_O, "Say that this process waits for another's claim, or no more."},
    {"measure", store_measure, METH_NOARGS, "(entries, bytes on disk, most bytes)"},
    {"troubles", store_troubles, METH_NOARGS, "(bits since the last time, errno)"},
    {"reopen", store_reopen, METH_NOARGS,
     "Open the folder anew, after it was removed: False where somebody uses the store just now."},
    {"close", store_close, METH_NOARGS, "Close the files."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef store_getset[] = {
    {"usable", store_usable, NULL, "Can anything be read from it?", NULL},
    {"folder", store_folder, NULL, "Its folder.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot store_slots[] = {
    {Py_tp_new, (void *)store_new},
    {Py_tp_dealloc, (void *)store_dealloc},
    {Py_tp_methods, store_methods},
    {Py_tp_getset, store_getset},
    {Py_tp_doc, "Store(folder, max_bytes=0): results in a folder, shared by processes."},
    {0, NULL},
};

static PyType_Spec store_spec = {
    .name = "fettle._core.Store",
    .basicsize = sizeof(store_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = store_slots,
};

int ft_store_type_add(PyObject *module, ft_module_state *state)
{
    state->stored_bytes_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &bytes_spec, NULL);
    state->store_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &store_spec, NULL);
    if (state->stored_bytes_type == NULL || state->store_type == NULL || ft_flights_prepare() < 0)
        return -1;
    return PyModule_AddType(module, state->store_type);
}
