/* SPDX-License-Identifier: Apache-2.0 */
/* bound_memo.c: a cached method of one instance (see bound_memo.h). */
#include "glue/types/bound_memo.h"

#include <structmember.h>

typedef struct bound_memo {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    ft_memo *memo;
    PyObject *receiver;
    PyObject *weakrefs;
} bound_memo;

static PyObject *bound_call(PyObject *callable, PyObject *const *args, size_t nargsf,
                            PyObject *names)
{
    const bound_memo *self = (const bound_memo *)callable;
    return ft_memo_call(self->memo, self->receiver, args, nargsf, names);
}

PyObject *ft_bound_memo_new(ft_memo *memo, PyObject *receiver)
{
    bound_memo *self = (bound_memo *)memo->bound_type->tp_alloc(memo->bound_type, 0);
    if (self == NULL)
        return NULL;
    self->vectorcall = bound_call;
    self->memo = (ft_memo *)Py_NewRef((PyObject *)memo);
    self->receiver = Py_NewRef(receiver);
    return (PyObject *)self;
}

static int bound_traverse(PyObject *object, visitproc visit, void *arg)
{
    bound_memo *self = (bound_memo *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->memo);
    Py_VISIT(self->receiver);
    return 0;
}

/* There is no tp_clear: it never changes, as a method does not. */
static void bound_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    bound_memo *self = (bound_memo *)object;
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL)
        PyObject_ClearWeakRefs(object);
    Py_XDECREF(self->memo);
    Py_XDECREF(self->receiver);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Equal where both are the same method of the same object, as methods are. */
static PyObject *bound_compare(PyObject *one, PyObject *other, int operation)
{
    if (!Py_IS_TYPE(other, Py_TYPE(one)) || (operation != Py_EQ && operation != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    const bound_memo *a = (const bound_memo *)one, *b = (const bound_memo *)other;
    bool equal = a->memo == b->memo && a->receiver == b->receiver;
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static Py_hash_t bound_hash(PyObject *object)
{
    const bound_memo *self = (const bound_memo *)object;
    const unsigned aligned = 4; /* addresses are multiples of 16 */
    uintptr_t mixed =
        ((uintptr_t)self->memo >> aligned) * 31 + ((uintptr_t)self->receiver >> aligned);
    return (Py_hash_t)(mixed == (uintptr_t)-1 ? 0 : mixed);
}

/* As the bound method that it stands for has it: without the first parameter. AttributeError where
 * there is none. */
static PyObject *signature_of(const bound_memo *self)
{
    PyObject *inspect = PyImport_ImportModule("inspect");
    PyObject *method = PyMethod_New((PyObject *)self->memo, self->receiver);
    PyObject *signature = NULL;
    if (inspect != NULL && method != NULL)
        signature = PyObject_CallMethod(inspect, "signature", "O", method);
    if (signature == NULL &&
        (PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_TypeError)))
        PyErr_SetString(PyExc_AttributeError, "__signature__");
    Py_XDECREF(inspect);
    Py_XDECREF(method);
    return signature;
}

/* What it does not have itself the Memo has; so it is with what every object has. */
static PyObject *bound_getattro(PyObject *object, PyObject *name)
{
    const bound_memo *self = (const bound_memo *)object;
    if (PyUnicode_CompareWithASCIIString(name, "__signature__") == 0)
        return signature_of(self);
    if (PyUnicode_CompareWithASCIIString(name, "__module__") != 0) {
        PyObject *found = PyObject_GenericGetAttr(object, name);
        if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
            return found;
        PyErr_Clear();
    }
    return PyObject_GetAttr((PyObject *)self->memo, name);
}

static PyObject *bound_doc(PyObject *object, void *unused)
{
    (void)unused;
    return PyObject_GetAttrString((PyObject *)((bound_memo *)object)->memo, "__doc__");
}

/* It is bound already: another object makes no difference. */
static PyObject *bound_get(PyObject *self, PyObject *object, PyObject *type)
{
    (void)object, (void)type;
    return Py_NewRef(self);
}

static PyObject *bound_repr(PyObject *object)
{
    const bound_memo *self = (const bound_memo *)object;
    PyObject *name = ft_memo_name(self->memo);
    PyObject *text =
        name == NULL ? NULL
                     : PyUnicode_FromFormat("<bound cached method %S of %R>", name, self->receiver);
    Py_XDECREF(name);
    return text;
}

static PyObject *bound_reduce(PyObject *object, PyObject *unused)
{
    (void)unused;
    const bound_memo *self = (const bound_memo *)object;
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *getattr = builtins == NULL ? NULL : PyObject_GetAttrString(builtins, "getattr");
    PyObject *name = PyObject_GetAttrString((PyObject *)self->memo, "__name__");
    PyObject *reduced = NULL;
    if (getattr != NULL && name != NULL)
        reduced = Py_BuildValue("(O(OO))", getattr, self->receiver, name);
    Py_XDECREF(builtins);
    Py_XDECREF(getattr);
    Py_XDECREF(name);
    return reduced;
}

/* The same method of a copy of the instance, as with methods. */
static PyObject *bound_deepcopy(PyObject *object, PyObject *copied)
{
    const bound_memo *self = (const bound_memo *)object;
    PyObject *copy = PyImport_ImportModule("copy"), *receiver = NULL, *made = NULL;
    if (copy != NULL)
        receiver = PyObject_CallMethod(copy, "deepcopy", "OO", self->receiver, copied);
    if (receiver != NULL)
        made = ft_bound_memo_new(self->memo, receiver);
    Py_XDECREF(copy);
    Py_XDECREF(receiver);
    return made;
}

static PyObject *bound_info(PyObject *object, PyObject *unused)
{
    (void)unused;
    return ft_memo_info(((bound_memo *)object)->memo, ((bound_memo *)object)->receiver);
}

static PyObject *bound_clear(PyObject *object, PyObject *unused)
{
    (void)unused;
    return ft_memo_clear(((bound_memo *)object)->memo, ((bound_memo *)object)->receiver);
}

static PyObject *bound_forget(PyObject *object, PyObject *const *args, Py_ssize_t count,
                              PyObject *names)
{
    const bound_memo *self = (const bound_memo *)object;
    return ft_memo_forget(self->memo, self->receiver, args, count, names);
}

static PyObject *bound_export(PyObject *object, PyObject *unused)
{
    (void)unused;
    return ft_memo_export(((bound_memo *)object)->memo, ((bound_memo *)object)->receiver);
}

static PyObject *bound_load(PyObject *object, PyObject *pairs)
{
    return ft_memo_load(((bound_memo *)object)->memo, ((bound_memo *)object)->receiver, pairs);
}

static PyMethodDef bound_methods[] = {
    {"cache_info", bound_info, METH_NOARGS, NULL},
    {"cache_clear", bound_clear, METH_NOARGS, NULL},
    {"cache_forget", (PyCFunction)(void *)bound_forget, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"cache_export", bound_export, METH_NOARGS, NULL},
    {"cache_load", bound_load, METH_O, NULL},
    {"__reduce__", bound_reduce, METH_NOARGS, NULL},
    {"__deepcopy__", bound_deepcopy, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef bound_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(bound_memo, vectorcall), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(bound_memo, weakrefs), READONLY, NULL},
    {"__self__", T_OBJECT, offsetof(bound_memo, receiver), READONLY, NULL},
    {"__func__", T_OBJECT, offsetof(bound_memo, memo), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef bound_getset[] = {
    {"__doc__", bound_doc, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot bound_slots[] = {
    {Py_tp_dealloc, (void *)bound_dealloc},  {Py_tp_traverse, (void *)bound_traverse},
    {Py_tp_call, (void *)PyVectorcall_Call}, {Py_tp_getattro, (void *)bound_getattro},
    {Py_tp_descr_get, (void *)bound_get},    {Py_tp_richcompare, (void *)bound_compare},
    {Py_tp_hash, (void *)bound_hash},        {Py_tp_repr, (void *)bound_repr},
    {Py_tp_members, bound_members},          {Py_tp_getset, bound_getset},
    {Py_tp_methods, bound_methods},          {0, NULL},
};

static PyType_Spec bound_spec = {
    .name = "fettle._core.BoundMemo",
    .basicsize = sizeof(bound_memo),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = bound_slots,
};

int ft_bound_memo_type_add(PyObject *module, ft_module_state *state)
{
    state->bound_memo_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &bound_spec, NULL);
    return state->bound_memo_type == NULL ? -1 : PyModule_AddType(module, state->bound_memo_type);
}
