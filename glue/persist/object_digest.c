/* SPDX-License-Identifier: Apache-2.0 */
/* object_digest.c: instances of classes: known ones, and what all others say of themselves. */
#include "glue/persist/argument_digest.h"

/* ---- what can not be digested ---- */

PyObject *ft_digest_error_text(PyObject *error)
{
    PyObject *text = PyObject_Str(error);
    if (text == NULL) {
        PyErr_Clear();
        text = PyUnicode_FromString(Py_TYPE(error)->tp_name);
    }
    return text;
}

void ft_digest_refuse(PyObject *value)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_TypeError) ||
        PyErr_ExceptionMatches(PyExc_MemoryError) || PyErr_ExceptionMatches(PyExc_RecursionError))
        return;
    ft_compat_error saved;
    ft_compat_error_save(&saved);
    PyObject *text = ft_digest_error_text(ft_compat_error_object(&saved));
    if (text != NULL)
        PyErr_Format(PyExc_TypeError, "cannot describe a '%.200s' object: %U",
                     Py_TYPE(value)->tp_name, text);
    Py_XDECREF(text);
    ft_compat_error_chain(&saved);
}

/* ---- what pickle would ask ---- */

static PyObject *ask_itself(ft_digest_context *context, PyObject *value)
{
    PyObject *name = ft_known_word(context->state, FT_WORD_REDUCE_EX);
    PyObject *call[] = {value, ft_known_word(context->state, FT_WORD_PROTOCOL)};
    return PyObject_VectorcallMethod(name, call, 2, NULL);
}

/* After ft_known_types_look. */
static PyObject *ask(ft_digest_context *context, PyObject *value)
{
    PyObject *reducers = Py_NewRef(ft_known_get(context->state, FT_KNOWN_REDUCERS));
    PyObject *reducer = NULL;
    if (PyDict_Check(reducers)) /* a metaclass's hash may run code */
        reducer = PyDict_GetItemWithError(reducers, (PyObject *)Py_TYPE(value));
    Py_XINCREF(reducer);
    Py_DECREF(reducers);
    if (reducer == NULL)
        return PyErr_Occurred() ? NULL : ask_itself(context, value);
    PyObject *said = PyObject_CallOneArg(reducer, value);
    Py_DECREF(reducer);
    return said;
}

/* Something that is where its name says: what a function that was wrapped does counts too. */
static int feed_global(ft_digester *digester, ft_digest_context *context, PyObject *value,
                       PyObject *name)
{
    PyObject *inside, *module;
    if (ft_digest_find(value, "__wrapped__", &inside) < 0)
        return -1;
    if (PyFunction_Check(inside)) {
        ft_feed_mark(digester, FT_MARK_WRAPPED);
        int result = ft_digest_class(digester, context, (PyObject *)Py_TYPE(value));
        if (result == 0)
            result = ft_argument_digest(digester, context, inside);
        Py_DECREF(inside);
        return result;
    }
    Py_DECREF(inside);
    if (ft_digest_find(value, "__module__", &module) < 0)
        return -1;
    ft_feed_mark(digester, FT_MARK_NAMED);
    int result = ft_argument_digest(digester, context, module);
    Py_DECREF(module);
    return result < 0 ? -1 : ft_argument_digest(digester, context, name);
}

/* Functions that build an object say nothing of it but their name. */
static int feed_callable(ft_digester *digester, ft_digest_context *context, PyObject *callable)
{
    return PyFunction_Check(callable) ? ft_digest_name(digester, context, FT_MARK_NAMED, callable)
                                      : ft_argument_digest(digester, context, callable);
}

/* A set's elements are in its order, which says nothing. */
static int feed_arguments(ft_digester *digester, ft_digest_context *context, PyObject *arguments,
                          PyObject *value)
{
    if (PyAnySet_Check(value) && PyTuple_GET_SIZE(arguments) == 1 &&
        PyList_CheckExact(PyTuple_GET_ITEM(arguments, 0))) {
        PyObject *list = PyTuple_GET_ITEM(arguments, 0);
        return ft_digest_any_order(digester, context, FT_MARK_SET, list);
    }
    return ft_argument_digest(digester, context, arguments);
}

/* A row of what an iterator gives, or None. */
static int feed_row(ft_digester *digester, ft_digest_context *context, PyObject *iterable)
{
    PyObject *iterator = iterable == Py_None ? NULL : PyObject_GetIter(iterable), *item;
    while (iterator != NULL && (item = PyIter_Next(iterator)) != NULL) {
        ft_feed_mark(digester, FT_MARK_ITEM);
        int result = ft_argument_digest(digester, context, item);
        Py_DECREF(item);
        if (result < 0)
            break;
    }
    Py_XDECREF(iterator);
    ft_feed_mark(digester, FT_MARK_END);
    return PyErr_Occurred() ? -1 : 0;
}

/* The items of a dict, in its order only where that is a part of what it is. */
static int feed_items(ft_digester *digester, ft_digest_context *context, PyObject *items,
                      PyObject *value)
{
    if (items == Py_None || PyODict_Check(value))
        return feed_row(digester, context, items);
    PyObject *list = PySequence_List(items);
    int result = list == NULL ? -1 : ft_digest_any_order(digester, context, FT_MARK_DICT, list);
    Py_XDECREF(list);
    return result;
}

static int feed_parts(ft_digester *digester, ft_digest_context *context, PyObject *parts,
                      PyObject *value)
{
    enum { CALLABLE, ARGUMENTS, STATE, LIST, DICT, SETTER, MOST };
    PyObject *part[MOST];
    Py_ssize_t count = PyTuple_GET_SIZE(parts);
    for (Py_ssize_t i = 0; i < MOST; i++)
        part[i] = i < count ? PyTuple_GET_ITEM(parts, i) : Py_None;
    ft_feed_mark(digester, FT_MARK_REDUCED);
    if (feed_callable(digester, context, part[CALLABLE]) < 0 ||
        feed_arguments(digester, context, part[ARGUMENTS], value) < 0 ||
        ft_argument_digest(digester, context, part[STATE]) < 0 ||
        feed_row(digester, context, part[LIST]) < 0 ||
        feed_items(digester, context, part[DICT], value) < 0)
        return -1;
    return feed_callable(digester, context, part[SETTER]);
}

int ft_digest_reduced(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    if (ft_digest_step(context, FT_DIGEST_STEPS_OF_OBJECT) < 0)
        return -1;
    int result = -1;
    PyObject *said = ask(context, value);
    if (said == NULL) {
        ft_digest_refuse(value);
        return -1;
    }
    if (PyUnicode_Check(said))
        result = feed_global(digester, context, value, said);
    else if (PyTuple_Check(said) && PyTuple_GET_SIZE(said) >= 2 && PyTuple_GET_SIZE(said) <= 6 &&
             PyTuple_Check(PyTuple_GET_ITEM(said, 1)))
        result = feed_parts(digester, context, said, value);
    else
        PyErr_Format(PyExc_TypeError,
                     "cannot describe a '%.200s' object: its __reduce_ex__ gave a '%.200s' that "
                     "pickle does not understand",
                     Py_TYPE(value)->tp_name, Py_TYPE(said)->tp_name);
    Py_DECREF(said);
    return result;
}

/* ---- known classes ---- */

/* Of a member that has a name; some values can not be digested, and the name says which it is. */
static int feed_value_of(ft_digester *digester, ft_digest_context *context, PyObject *member)
{
    int result = ft_digest_attribute(digester, context, member, "_value_");
    if (result == 0 || !PyErr_ExceptionMatches(PyExc_TypeError))
        return result;
    PyErr_Clear();
    return 0;
}

/* A member is its class and its name; flags without one, their value. Where code counts (there is a
 * callback), so does what a name stands for today. */
static int feed_member(ft_digester *digester, ft_digest_context *context, PyObject *member)
{
    PyObject *name = ft_digest_get(context, member, FT_WORD_NAME);
    int result = -1;
    ft_feed_mark(digester, FT_MARK_ENUM);
    if (name != NULL)
        result = ft_digest_class(digester, context, (PyObject *)Py_TYPE(member));
    if (result == 0)
        result = ft_argument_digest(digester, context, name);
    if (result == 0 && name == Py_None)
        result = ft_digest_attribute(digester, context, member, "_value_");
    else if (result == 0 && context->functions != NULL)
        result = feed_value_of(digester, context, member);
    Py_XDECREF(name);
    return result;
}

static int feed_path(ft_digester *digester, ft_digest_context *context, PyObject *path)
{
    PyObject *text = PyOS_FSPath(path);
    int result = -1;
    ft_feed_mark(digester, FT_MARK_PATH);
    if (text != NULL)
        result = ft_digest_class(digester, context, (PyObject *)Py_TYPE(path));
    if (result == 0)
        result = ft_argument_digest(digester, context, text);
    Py_XDECREF(text);
    return result;
}

static int feed_fraction(ft_digester *digester, ft_digest_context *context, PyObject *fraction)
{
    ft_feed_mark(digester, FT_MARK_FRACTION);
    if (ft_digest_attribute(digester, context, fraction, "numerator") < 0)
        return -1;
    return ft_digest_attribute(digester, context, fraction, "denominator");
}

static int feed_uuid(ft_digester *digester, ft_digest_context *context, PyObject *uuid)
{
    ft_feed_mark(digester, FT_MARK_UUID);
    return ft_digest_attribute(digester, context, uuid, "int");
}

int ft_digest_object(ft_digester *digester, ft_digest_context *context, PyObject *value)
{
    const ft_module_state *state = context->state;
    if (ft_known_types_look(context->state) < 0)
        return -1;
    PyObject *meta = ft_known_get(state, FT_KNOWN_ENUM_META);
    if (PyType_Check(meta) && PyObject_TypeCheck((PyObject *)Py_TYPE(value), (PyTypeObject *)meta))
        return feed_member(digester, context, value);
    if (ft_known_holds(state, FT_KNOWN_NDARRAY, value))
        return ft_digest_ndarray(digester, context, value);
    if (ft_known_holds(state, FT_KNOWN_SCALAR, value))
        return ft_digest_scalar(digester, context, value);
    if (ft_known_holds(state, FT_KNOWN_PURE_PATH, value))
        return feed_path(digester, context, value);
    if (ft_known_is(state, FT_KNOWN_FRACTION, value))
        return feed_fraction(digester, context, value);
    if (ft_known_is(state, FT_KNOWN_UUID, value))
        return feed_uuid(digester, context, value);
    if (ft_known_is(state, FT_KNOWN_ARRAY, value))
        return ft_digest_buffer(digester, context, FT_MARK_ARRAY, value);
    if (ft_known_is(state, FT_KNOWN_SERIES, value))
        return ft_digest_series(digester, context, value);
    if (ft_known_is(state, FT_KNOWN_FRAME, value))
        return ft_digest_frame(digester, context, value);
    return ft_digest_reduced(digester, context, value);
}
