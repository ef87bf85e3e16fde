/* SPDX-License-Identifier: Apache-2.0 */
/* argument_digest.c: values of built-in types. */
#include "glue/persist/argument_digest.h"

#include <stdlib.h>

/* ---- numbers and texts ---- */

static int feed_int(ft_digester *digester, PyObject *number)
{
    int beyond;
    long long value = PyLong_AsLongLongAndOverflow(number, &beyond);
    if (beyond == 0) {
        ft_feed_int(digester, value);
        return 0;
    }
    const int hexadecimal = 16;
    PyObject *digits = PyNumber_ToBase(number, hexadecimal);
    if (digits == NULL)
        return -1;
    ft_feed_bytes(digester, FT_MARK_BIG_INT, PyUnicode_DATA(digits),
                  (size_t)PyUnicode_GET_LENGTH(digits));
    Py_DECREF(digits);
    return 0;
}

static int feed_complex(ft_digester *digester, PyObject *value)
{
    ft_feed_double(digester, FT_MARK_COMPLEX, PyComplex_RealAsDouble(value));
    ft_feed_double(digester, FT_MARK_FLOAT, PyComplex_ImagAsDouble(value));
    return 0;
}

static int feed_unready_text(ft_digester *digester, PyObject *text)
{
    if (ft_compat_make_ready(text) < 0)
        return -1;
    ft_feed_text(digester, text);
    return 0;
}

static int feed_bytearray(ft_digester *digester, PyObject *value)
{
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return -1;
    ft_feed_bytes(digester, FT_MARK_BYTEARRAY, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return 0;
}

PyObject *ft_digest_get(const ft_digest_context *context, PyObject *value, ft_word word)
{
    PyObject *name = ft_known_word(context->state, word);
    return name == NULL ? NULL : PyObject_GetAttr(value, name);
}

int ft_digest_find(PyObject *value, const char *name, PyObject **attribute)
{
    *attribute = PyObject_GetAttrString(value, name);
    if (*attribute != NULL)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    PyErr_Clear();
    *attribute = Py_NewRef(Py_None);
    return 0;
}

int ft_digest_attribute(ft_digester *digester, ft_digest_context *context, PyObject *value,
                        const char *name)
{
    PyObject *attribute = PyObject_GetAttrString(value, name);
    int result = attribute == NULL ? -1 : ft_argument_digest(digester, context, attribute);
    Py_XDECREF(attribute);
    return result;
}

static int feed_range_or_slice(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    ft_feed_mark(digester, PyRange_Check(value) ? FT_MARK_RANGE : FT_MARK_SLICE);
    if (ft_digest_attribute(digester, context, value, "start") < 0 ||
        ft_digest_attribute(digester, context, value, "stop") < 0)
        return -1;
    return ft_digest_attribute(digester, context, value, "step");
}

/* ---- containers in order ---- */

/* None of a tuple's items goes while it is held. */
static int feed_tuple(ft_digester *digester, ft_digest_context *context, PyObject *tuple)
{
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    ft_feed_head(digester, FT_MARK_TUPLE, (size_t)count);
    for (Py_ssize_t i = 0; i < count; i++)
        if (ft_argument_digest(digester, context, PyTuple_GET_ITEM(tuple, i)) < 0)
            return -1;
    return 0;
}

static int feed_list(ft_digester *digester, ft_digest_context *context, PyObject *list)
{
    Py_ssize_t count = PyList_GET_SIZE(list);
    ft_feed_head(digester, FT_MARK_LIST, (size_t)count);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i >= PyList_GET_SIZE(list)) {
            ft_feed_mark(digester, FT_MARK_GONE);
            continue;
        }
        PyObject *item = Py_NewRef(PyList_GET_ITEM(list, i)); /* a large text lets others run */
        int result = ft_argument_digest(digester, context, item);
        Py_DECREF(item);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* ---- containers in any order ---- */

static int compare_digests(const void *one, const void *other)
{
    const ft_digest *a = one, *b = other;
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    return (a->low > b->low) - (a->low < b->low);
}

/* qsort takes longer for few than everything else that is done with them. */
static void sort_digests(ft_digest *digests, Py_ssize_t count)
{
    const Py_ssize_t few = 16;
    if (count > few) {
        qsort(digests, (size_t)count, sizeof *digests, compare_digests);
        return;
    }
    for (Py_ssize_t i = 1; i < count; i++) {
        ft_digest is = digests[i];
        Py_ssize_t at = i;
        for (; at > 0 && compare_digests(&digests[at - 1], &is) > 0; at--)
            digests[at] = digests[at - 1];
        digests[at] = is;
    }
}

/* A digester is too large for the C stack of a level: it lies before the digests, in a block. */
typedef struct digest_rows {
    void *block;
    ft_digester *digester;
    ft_digest *digests;
} digest_rows;

static int rows_init(digest_rows *rows, Py_ssize_t count)
{
    const size_t alignment = _Alignof(ft_digester);
    size_t fixed = sizeof(ft_digester) + alignment;
    rows->block = NULL;
    if ((size_t)count <= (PY_SSIZE_T_MAX - fixed) / sizeof(ft_digest))
        rows->block = PyMem_Malloc(fixed + (size_t)count * sizeof(ft_digest));
    if (rows->block == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    uintptr_t start = (uintptr_t)rows->block;
    size_t skipped = (alignment - start % alignment) % alignment;
    rows->digester = (void *)((char *)rows->block + skipped);
    rows->digests = (void *)(rows->digester + 1);
    return 0;
}

static int digest_row(ft_digester *own, const ft_secret *secret, ft_digest_context *context,
                      PyObject *const *values, int width)
{
    ft_digester_init(own, secret);
    for (int i = 0; i < width; i++)
        if (ft_argument_digest(own, context, values[i]) < 0)
            return -1;
    return 0;
}

int ft_digest_unordered(ft_digester *digester, ft_digest_context *context, int mark,
                        PyObject **values, Py_ssize_t count, int width)
{
    digest_rows rows;
    int result = rows_init(&rows, count);
    for (Py_ssize_t i = 0; i < count && result == 0; i++) {
        result = digest_row(rows.digester, digester->secret, context, values + i * width, width);
        if (result == 0)
            rows.digests[i] = ft_digester_result(rows.digester);
    }
    if (result == 0) {
        sort_digests(rows.digests, count);
        ft_feed_head(digester, mark, (size_t)count);
        ft_feed_steady(digester, rows.digests, (size_t)count * sizeof *rows.digests);
    }
    for (Py_ssize_t i = 0; i < count * width; i++)
        Py_DECREF(values[i]);
    PyMem_Free(rows.block);
    PyMem_Free(values);
    return result;
}

/* Room for so many references; NULL with an exception. */
static PyObject **new_row(Py_ssize_t count)
{
    PyObject **row = PyMem_New(PyObject *, (size_t)count + 1);
    if (row == NULL)
        PyErr_NoMemory();
    return row;
}

static int feed_dict(ft_digester *digester, ft_digest_context *context, PyObject *dict)
{
    Py_ssize_t at = 0, count = 0, size = PyDict_GET_SIZE(dict);
    PyObject *key, *value, **items = new_row(2 * size);
    if (items == NULL)
        return -1;
    while (count < size && PyDict_Next(dict, &at, &key, &value)) {
        items[2 * count] = Py_NewRef(key);
        items[2 * count++ + 1] = Py_NewRef(value);
    }
    return ft_digest_unordered(digester, context, FT_MARK_DICT, items, count, 2);
}

int ft_digest_any_order(ft_digester *digester, ft_digest_context *context, int mark, PyObject *list)
{
    Py_ssize_t count = PyList_GET_SIZE(list);
    PyObject **items = new_row(count);
    if (items == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < count; i++)
        items[i] = Py_NewRef(PyList_GET_ITEM(list, i));
    return ft_digest_unordered(digester, context, mark, items, count, 1);
}

static int feed_set(ft_digester *digester, ft_digest_context *context, PyObject *set)
{
    PyObject *list = PySequence_List(set);
    int mark = PyFrozenSet_CheckExact(set) ? FT_MARK_FROZENSET : FT_MARK_SET;
    int result = list == NULL ? -1 : ft_digest_any_order(digester, context, mark, list);
    Py_XDECREF(list);
    return result;
}

/* ---- what is where its name says ---- */

/* A str or None; anything else (a property that a class has of that name) has no meaning here. */
static int feed_name(ft_digester *digester, PyObject *name, PyObject *of)
{
    if (name != NULL && ft_feed_plain(digester, name))
        return 0;
    if (name != NULL)
        PyErr_Format(PyExc_TypeError, "cannot tell what module a '%.200s' object is from",
                     Py_TYPE(of)->tp_name);
    return -1;
}

/* What multiprocessing calls the script in a process that it spawned is the script. */
static PyObject *module_of(ft_digest_context *context, PyObject *value)
{
    PyObject *module = ft_digest_get(context, value, FT_WORD_MODULE);
    if (module != NULL && PyUnicode_Check(module) &&
        PyUnicode_CompareWithASCIIString(module, "__mp_main__") == 0)
        Py_SETREF(module, PyUnicode_FromString("__main__"));
    return module;
}

int ft_digest_name(ft_digester *digester, ft_digest_context *context, int mark, PyObject *value)
{
    PyObject *module = module_of(context, value);
    PyObject *name = module == NULL ? NULL : ft_digest_get(context, value, FT_WORD_QUALNAME);
    int result = -1;
    if (name != NULL) {
        ft_feed_mark(digester, mark);
        result = feed_name(digester, module, value) < 0 ? -1 : feed_name(digester, name, value);
    }
    Py_XDECREF(module);
    Py_XDECREF(name);
    return result;
}

/* type's own getters: a metaclass can not have code run, nor a class say what is not a name. */
int ft_digest_class(ft_digester *digester, ft_digest_context *context, PyObject *type)
{
    return ft_digest_name(digester, context, FT_MARK_CLASS, type);
}

static bool has_name_of_its_own(PyObject *function)
{
    PyObject *name = ((PyFunctionObject *)function)->func_qualname; /* a str, always */
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    return PyUnicode_FindChar(name, '<', 0, length, 1) == -1;
}

/* What the callback says of a function or a class. */
static int feed_said(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    PyObject *said = PyObject_CallOneArg(context->functions, value);
    int result = said == NULL ? -1 : 0;
    if (said != NULL && !PyBytes_Check(said)) {
        PyErr_Format(PyExc_TypeError, "what says what functions do gave a '%.200s', not bytes",
                     Py_TYPE(said)->tp_name);
        result = -1;
    }
    if (result == 0)
        ft_feed_bytes(digester, FT_MARK_FUNCTION, PyBytes_AS_STRING(said),
                      (size_t)PyBytes_GET_SIZE(said));
    Py_XDECREF(said);
    return result;
}

static int feed_function(ft_digester *digester, ft_digest_context *context, PyObject *function)
{
    if (context->functions != NULL)
        return feed_said(digester, context, function);
    if (has_name_of_its_own(function))
        return ft_digest_name(digester, context, FT_MARK_NAMED, function);
    PyErr_Format(PyExc_TypeError, "cannot tell the function %U from others of its name",
                 ((PyFunctionObject *)function)->func_qualname);
    return -1;
}

/* As a part of what one of its instances is: that is fed by name, and often. */
static bool has_instance_around(const ft_digest_context *context, const PyObject *type)
{
    for (const ft_digest_level *at = context->level; at != NULL; at = at->around)
        if ((const PyObject *)Py_TYPE(at->value) == type)
            return true;
    return false;
}

static int feed_type(ft_digester *digester, ft_digest_context *context, PyObject *type)
{
    bool is_written_in_c = !PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE);
    if (context->functions == NULL || is_written_in_c || has_instance_around(context, type))
        return ft_digest_class(digester, context, type);
    return feed_said(digester, context, type);
}

static int feed_method(ft_digester *digester, ft_digest_context *context, PyObject *method)
{
    ft_feed_mark(digester, FT_MARK_METHOD);
    if (ft_argument_digest(digester, context, PyMethod_GET_SELF(method)) < 0)
        return -1;
    return ft_argument_digest(digester, context, PyMethod_GET_FUNCTION(method));
}

/* A module's function has the module as its receiver. */
static int feed_builtin(ft_digester *digester, ft_digest_context *context, PyObject *builtin)
{
    ft_feed_mark(digester, FT_MARK_BUILTIN);
    if (ft_digest_attribute(digester, context, builtin, "__self__") < 0)
        return -1;
    return ft_digest_attribute(digester, context, builtin, "__name__");
}

static int feed_module(ft_digester *digester, PyObject *module)
{
    PyObject *name = PyModule_GetNameObject(module);
    int result = -1;
    ft_feed_mark(digester, FT_MARK_MODULE);
    if (name != NULL)
        result = feed_name(digester, name, module);
    Py_XDECREF(name);
    return result;
}

/* ---- which is which ---- */

/* 0 and -1 as always; 1: of none of these types. */
static int feed_simple(ft_digester *digester, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyLong_Type)
        return feed_int(digester, value);
    if (type == &PyUnicode_Type)
        return feed_unready_text(digester, value);
    if (type == &PyComplex_Type)
        return feed_complex(digester, value);
    if (type == &PyByteArray_Type)
        return feed_bytearray(digester, value);
    if (value != Py_Ellipsis && value != Py_NotImplemented)
        return 1;
    ft_feed_mark(digester, value == Py_Ellipsis ? FT_MARK_ELLIPSIS : FT_MARK_NOT_IMPLEMENTED);
    return 0;
}

static int feed_named(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    if (PyType_Check(value))
        return feed_type(digester, context, value);
    if (PyFunction_Check(value))
        return feed_function(digester, context, value);
    if (PyMethod_Check(value))
        return feed_method(digester, context, value);
    if (PyCFunction_Check(value))
        return feed_builtin(digester, context, value);
    return PyModule_CheckExact(value) ? feed_module(digester, value) : 1;
}

static int feed_any(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyTuple_Type)
        return feed_tuple(digester, context, value);
    if (type == &PyList_Type)
        return feed_list(digester, context, value);
    if (type == &PyDict_Type)
        return feed_dict(digester, context, value);
    if (PyAnySet_CheckExact(value))
        return feed_set(digester, context, value);
    if (type == &PyRange_Type || type == &PySlice_Type)
        return feed_range_or_slice(digester, context, value);
    if (type == &PyMemoryView_Type)
        return ft_digest_buffer(digester, context, FT_MARK_VIEW, value);
    int result = feed_named(digester, context, value);
    return result <= 0 ? result : ft_digest_object(digester, context, value);
}

/* How many levels up the value is being walked already; 0: it is not. */
static size_t find_around(const ft_digest_context *context, const PyObject *value)
{
    size_t levels = 1;
    for (const ft_digest_level *at = context->level; at != NULL; at = at->around, levels++)
        if (at->value == value)
            return levels;
    return 0;
}

int ft_digest_step(ft_digest_context *context, uint32_t steps)
{
    context->steps += steps;
    if (context->steps > FT_DIGEST_STEPS) {
        PyErr_SetString(PyExc_TypeError, "it refers to itself in too many ways");
        return -1;
    }
    context->until_look -= (int)steps;
    if (context->until_look > 0)
        return 0;
    context->until_look = FT_DIGEST_LOOK;
    return PyErr_CheckSignals();
}

static int feed_level(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    size_t levels = find_around(context, value);
    if (levels > 0) {
        ft_feed_head(digester, FT_MARK_BACK, levels);
        return 0;
    }
    if (context->depth >= FT_DIGEST_DEEPEST) {
        PyErr_SetString(PyExc_RecursionError, "values lie too deep in each other for a digest");
        return -1;
    }
    if (ft_digest_step(context, 1) < 0)
        return -1;
    ft_digest_level level = {context->level, value};
    context->level = &level;
    context->depth++;
    int result = feed_any(digester, context, value);
    context->depth--;
    context->level = level.around;
    return result;
}

int ft_digest_deep(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    int result = feed_simple(digester, value);
    if (result <= 0)
        return result;
    if (Py_EnterRecursiveCall(" while a value is digested"))
        return -1;
    result = feed_level(digester, context, value);
    Py_LeaveRecursiveCall();
    return result;
}
