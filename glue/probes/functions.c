/* SPDX-License-Identifier: Apache-2.0 */
/* functions.c: the Python functions that an object is made of (see functions.h). */
#include "glue/probes/functions.h"

enum { DEPTH_MAX = 32 }; /* of wrappers around wrappers, and of classes in classes */

static int each(PyObject *object, PyObject *found, int depth);

/* Is it one of the standard library's wrappers? They can not be told apart without their module,
 * which a program that does not use them has not imported. */
static bool has_type_name(PyObject *object, const char *name)
{
    for (PyTypeObject *type = Py_TYPE(object); type != NULL; type = type->tp_base)
        if (strcmp(type->tp_name, name) == 0)
            return true;
    return false;
}

static int each_attribute(PyObject *object, const char *name, PyObject *found, int depth)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    if (value == NULL) {
        PyErr_Clear();
        return 0;
    }
    int result = each(value, found, depth + 1);
    Py_DECREF(value);
    return result;
}

static int each_accessor(PyObject *property, PyObject *found, int depth)
{
    static const char *const names[] = {"fget", "fset", "fdel"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int result = each_attribute(property, names[i], found, depth);
        if (result != 0)
            return result;
    }
    return 0;
}

/* Was the inner class defined in the outer one, or only given a name there? */
static bool is_defined_in(PyTypeObject *inner, PyTypeObject *outer)
{
    PyObject *name = PyObject_GetAttrString((PyObject *)inner, "__qualname__");
    PyObject *around = PyObject_GetAttrString((PyObject *)outer, "__qualname__");
    bool result = name != NULL && around != NULL && PyUnicode_Check(name) &&
                  PyUnicode_Check(around) &&
                  PyUnicode_Tailmatch(name, around, 0, PY_SSIZE_T_MAX, -1) == 1 &&
                  PyUnicode_GET_LENGTH(name) > PyUnicode_GET_LENGTH(around);
    Py_XDECREF(name);
    Py_XDECREF(around);
    PyErr_Clear();
    return result;
}

static int each_member(PyTypeObject *type, PyObject *found, int depth)
{
    PyObject *names = ft_compat_type_dict(type);
    PyObject *members = names == NULL ? NULL : PyDict_Values(names); /* the dictionary may change */
    int result = members == NULL ? -1 : 0;
    Py_XDECREF(names);
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(members); i++) {
        PyObject *member = PyList_GET_ITEM(members, i);
        if (!PyType_Check(member) || is_defined_in((PyTypeObject *)member, type))
            result = each(member, found, depth + 1);
    }
    Py_XDECREF(members);
    return result;
}

/* Is it what fettle.cache makes of a coroutine function? It is a function too. */
static bool is_cached(PyObject *function)
{
    PyObject *module = PyDict_GetItemString(PyFunction_GET_GLOBALS(function), "__name__");
    return module != NULL && PyUnicode_Check(module) &&
           PyUnicode_CompareWithASCIIString(module, "fettle.caching.coroutine") == 0;
}

static int each(PyObject *object, PyObject *found, int depth)
{
    if (depth > DEPTH_MAX)
        return 0;
    if (PyFunction_Check(object) && !is_cached(object))
        return PyList_Append(found, object);
    if (PyMethod_Check(object))
        return each(PyMethod_GET_FUNCTION(object), found, depth + 1);
    if (PyType_Check(object))
        return each_member((PyTypeObject *)object, found, depth);
    if (PyObject_TypeCheck(object, &PyProperty_Type))
        return each_accessor(object, found, depth);
    if (PyObject_TypeCheck(object, &PyStaticMethod_Type) ||
        PyObject_TypeCheck(object, &PyClassMethod_Type))
        return each_attribute(object, "__func__", found, depth);
    if (has_type_name(object, "functools.partial") || has_type_name(object, "partialmethod") ||
        has_type_name(object, "cached_property"))
        return each_attribute(object, "func", found, depth);
    if (PyFunction_Check(object) || has_type_name(object, "functools._lru_cache_wrapper") ||
        has_type_name(object, "fettle._core.Memo") ||
        has_type_name(object, "fettle._core.BoundMemo") ||
        has_type_name(object, "fettle._core.LookupTable"))
        return each_attribute(object, "__wrapped__", found, depth);
    return 0;
}

PyObject *ft_functions_of(PyObject *object)
{
    PyObject *found = PyList_New(0);
    if (found != NULL && each(object, found, 0) < 0)
        Py_CLEAR(found);
    return found;
}
