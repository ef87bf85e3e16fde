/* SPDX-License-Identifier: Apache-2.0 */
/* slot_default.c: a slot with the default that its class had for it. */
#include "glue/types/slot_default.h"

#include <structmember.h>

typedef struct slot_default {
    PyObject_HEAD
    PyObject *member; /* the slot's member descriptor */
    PyObject *value;  /* the default */
} slot_default;

static PyObject *slot_default_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *member, *value;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "SlotDefault() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!O", &PyMemberDescr_Type, &member, &value))
        return NULL;
    if (((PyMemberDescrObject *)member)->d_member->type != T_OBJECT_EX) {
        PyErr_SetString(PyExc_TypeError, "SlotDefault() takes the member of a slot");
        return NULL;
    }
    slot_default *self = (slot_default *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->member = Py_NewRef(member);
        self->value = Py_NewRef(value);
    }
    return (PyObject *)self;
}

/* What the class would give for the default: a function is bound to the instance. */
static PyObject *give_default(const slot_default *self, PyObject *object, PyObject *type)
{
    descrgetfunc get = Py_TYPE(self->value)->tp_descr_get;
    return get == NULL ? Py_NewRef(self->value) : get(self->value, object, type);
}

static PyObject *slot_default_get(PyObject *descriptor, PyObject *object, PyObject *type)
{
    const slot_default *self = (const slot_default *)descriptor;
    if (object == NULL)
        return give_default(self, NULL, type);
    PyMemberDescrObject *member = (PyMemberDescrObject *)self->member;
    if (!PyObject_TypeCheck(object, PyDescr_TYPE(member))) /* it says so in the usual words */
        return Py_TYPE(member)->tp_descr_get(self->member, object, type);
    PyObject *value = *(PyObject **)((char *)object + member->d_member->offset);
    return value != NULL ? Py_NewRef(value) : give_default(self, object, type);
}

static int slot_default_set(PyObject *descriptor, PyObject *object, PyObject *value)
{
    PyObject *member = ((slot_default *)descriptor)->member;
    return Py_TYPE(member)->tp_descr_set(member, object, value);
}

static int slot_default_traverse(PyObject *object, visitproc visit, void *arg)
{
    slot_default *self = (slot_default *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->member);
    Py_VISIT(self->value);
    return 0;
}

/* There is no tp_clear: it never changes, as a tuple does not, and the class clears its own part of
 * any cycle. So no reader meets an empty one. */
static void slot_default_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    slot_default *self = (slot_default *)object;
    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->member);
    Py_XDECREF(self->value);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(slot_default_doc,
             "SlotDefault(member, default, /)\n--\n\n"
             "The slot of a member descriptor, or the default while it is empty.");

static PyType_Slot slot_default_slots[] = {
    {Py_tp_doc, (void *)slot_default_doc},
    {Py_tp_new, (void *)slot_default_new},
    {Py_tp_dealloc, (void *)slot_default_dealloc},
    {Py_tp_traverse, (void *)slot_default_traverse},
    {Py_tp_descr_get, (void *)slot_default_get},
    {Py_tp_descr_set, (void *)slot_default_set},
    {0, NULL},
};

static PyType_Spec slot_default_spec = {
    .name = "fettle._core.SlotDefault",
    .basicsize = sizeof(slot_default),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slot_default_slots,
};

int ft_slot_default_type_add(PyObject *module, ft_module_state *state)
{
    (void)state;
    PyObject *type = PyType_FromModuleAndSpec(module, &slot_default_spec, NULL);
    if (type == NULL)
        return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}
