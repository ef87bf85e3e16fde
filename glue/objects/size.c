/* SPDX-License-Identifier: Apache-2.0 */
/* size.c: the bytes that an object takes. */
#include "glue/objects/size.h"

#include "engine/base/mem.h"
#include "glue/objects/blocks.h"
#include "glue/objects/walk.h"

/* ---- what a type written in C says of its instances ---- */

/* Does blocks.c know all that this type's instances hold? */
static bool is_known(const PyTypeObject *type)
{
    return type == &PyBaseObject_Type || type == &PyList_Type || type == &PyDict_Type ||
           type == &PySet_Type || type == &PyFrozenSet_Type || type == &PyUnicode_Type ||
           type == &PyLong_Type || type == &PyTuple_Type || type == &PyBytes_Type ||
           type == &PyByteArray_Type || type == &PyType_Type || type == &PyCode_Type;
}

/* The nearest __sizeof__ of a type's bases that is written in C, unless blocks.c knows better.
 * Borrowed; NULL: none, perhaps with an exception. */
static PyObject *foreign_sizeof(const PyTypeObject *type, PyObject *name)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (is_known(base))
            return NULL;
        PyObject *dict = ft_compat_type_dict(base);
        PyObject *method = dict == NULL ? NULL : PyDict_GetItemWithError(dict, name);
        Py_XDECREF(dict);
        if (method != NULL && Py_IS_TYPE(method, &PyMethodDescr_Type))
            return method;
    }
    return NULL;
}

bool ft_size_is_foreign(const PyTypeObject *type, PyObject *name)
{
    return foreign_sizeof(type, name) != NULL;
}

size_t ft_size_foreign(PyObject *object, PyObject *name)
{
    PyObject *method = foreign_sizeof(Py_TYPE(object), name);
    PyObject *said = method == NULL ? NULL : PyObject_CallOneArg(method, object);
    size_t all = said == NULL || !PyLong_Check(said) ? 0 : PyLong_AsSize_t(said);
    Py_XDECREF(said);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    ft_shape shape;
    ft_blocks blocks;
    ft_shape_of(Py_TYPE(object), &shape);
    ft_blocks_of(object, &shape, &blocks);
    size_t known = ft_blocks_sum(&blocks) - shape.before - ft_compat_inline_bytes(object);
    return all > known ? all - known : 0;
}

/* ---- one object, and all that it leads to ---- */

static size_t shallow_bytes(PyObject *object, PyObject *name)
{
    ft_shape shape;
    ft_blocks blocks;
    ft_shape_of(Py_TYPE(object), &shape);
    ft_blocks_of(object, &shape, &blocks);
    PyObject *dict = ft_blocks_dict(object, &shape);
    if (dict != NULL)
        ft_blocks_add_dict(dict, &blocks);
    return ft_blocks_sum(&blocks) + ft_size_foreign(object, name);
}

typedef struct deep_sum {
    size_t bytes;
    PyObject *foreign; /* list: objects whose types are to be asked when the walk is over */
    PyObject *name;
    const PyTypeObject *last;
    bool last_is_foreign;
    bool failed;
} deep_sum;

static void add_to_sum(ft_walk *walk, uint32_t type, PyObject *object, PyObject *dict,
                       const ft_blocks *blocks)
{
    (void)type, (void)dict;
    deep_sum *sum = walk->context;
    sum->bytes += ft_blocks_sum(blocks);
    if (Py_TYPE(object) != sum->last) {
        sum->last = Py_TYPE(object);
        sum->last_is_foreign = ft_size_is_foreign(sum->last, sum->name);
    }
    if (sum->last_is_foreign && PyList_Append(sum->foreign, object) < 0)
        sum->failed = true;
}

/* Data, not the program. */
static bool is_data(PyObject *object)
{
    return !(PyType_Check(object) || PyModule_Check(object) || PyFunction_Check(object) ||
             PyCFunction_Check(object) || PyCode_Check(object) ||
             Py_IS_TYPE(object, &PyMethodDescr_Type) || Py_IS_TYPE(object, &PyGetSetDescr_Type) ||
             Py_IS_TYPE(object, &PyMemberDescr_Type) || Py_IS_TYPE(object, &PyWrapperDescr_Type));
}

static int deep_bytes(PyObject *object, PyObject *name, size_t *bytes)
{
    deep_sum sum = {.foreign = PyList_New(0), .name = name};
    if (sum.foreign == NULL)
        return -1;
    ft_walk walk;
    ft_walk_init(&walk, &ft_mem_system, add_to_sum, &sum);
    walk.enters = is_data;
    sum.failed |= ft_walk_from(&walk, object) != FT_OK;
    ft_walk_fini(&walk);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(sum.foreign); i++)
        sum.bytes += ft_size_foreign(PyList_GET_ITEM(sum.foreign, i), name);
    Py_DECREF(sum.foreign);
    *bytes = sum.bytes;
    if (sum.failed && !PyErr_Occurred())
        PyErr_NoMemory();
    return sum.failed ? -1 : 0;
}

int ft_size_of(PyObject *object, bool deep, size_t *bytes)
{
    PyObject *name = PyUnicode_InternFromString("__sizeof__");
    if (name == NULL)
        return -1;
    int result = 0;
    if (deep)
        result = deep_bytes(object, name, bytes);
    else
        *bytes = shallow_bytes(object, name);
    Py_DECREF(name);
    return result;
}

const char ft_core_sizeof_doc[] =
    "sizeof(object, deep=False, /)\n--\n\n"
    "The bytes that an object takes; deep: with all data that it leads to.";

PyObject *ft_core_sizeof(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *object;
    int deep = 0;
    size_t bytes = 0;
    if (!PyArg_ParseTuple(arguments, "O|p", &object, &deep) ||
        ft_size_of(object, deep != 0, &bytes) < 0)
        return NULL;
    return PyLong_FromSize_t(bytes);
}
