/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.c: where an instance has the results of its methods (see shelf.h). */
#include "glue/types/shelf.h"

#include <structmember.h>

/* ---- Shelf ---- */

typedef struct ft_shelf {
    PyObject_HEAD
    PyObject *owner;      /* a weak reference; NULL: whoever has it in a slot, or nobody */
    ft_results **results; /* owned, one for each method that was called */
    uint32_t count;
    bool in_slot;
} ft_shelf;

/* Puts new results into the list of its memo's. */
static void enlist(ft_memo *memo, ft_results *results)
{
    ft_results *head = &memo->results;
    results->memo = Py_NewRef((PyObject *)memo);
    results->before = head;
    results->after = head->after;
    if (head->after != NULL)
        head->after->before = results;
    head->after = results;
}

/* Takes them out of the list, empties and frees them. */
static void discard(ft_results *results)
{
    ft_memo *memo = (ft_memo *)results->memo;
    if (memo->cleared_next == results)
        memo->cleared_next = results->after;
    results->before->after = results->after;
    if (results->after != NULL)
        results->after->before = results->before;
    memo->past.hits += results->counts.hits;
    memo->past.misses += results->counts.misses;
    memo->past.waited += results->counts.waited;
    memo->past.evictions += results->table.evictions;
    ft_results_fini(results);
    PyMem_Free(results);
    Py_DECREF(memo);
}

static ft_results *add_results(ft_shelf *self, ft_memo *memo)
{
    ft_results *made = PyMem_Malloc(sizeof *made);
    ft_results **grown = PyMem_Realloc(self->results, (self->count + 1) * sizeof *grown);
    if (grown != NULL)
        self->results = grown;
    if (made == NULL || grown == NULL) {
        PyMem_Free(made);
        PyErr_NoMemory();
        return NULL;
    }
    if (ft_memo_results_init(memo, made) < 0) {
        PyMem_Free(made);
        return NULL;
    }
    enlist(memo, made);
    self->results[self->count++] = made;
    return made;
}

static PyObject *shelf_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {NULL};
    return PyArg_ParseTupleAndKeywords(args, kwargs, ":Shelf", names) ? type->tp_alloc(type, 0)
                                                                      : NULL;
}

static int shelf_traverse(PyObject *object, visitproc visit, void *arg)
{
    ft_shelf *self = (ft_shelf *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->owner);
    for (uint32_t i = 0; i < self->count; i++) {
        int result = ft_results_traverse(self->results[i], visit, arg);
        if (result != 0)
            return result;
    }
    return 0;
}

/* The results stay, empty: a call that is under way may come back to them. */
static int shelf_clear(PyObject *object)
{
    ft_shelf *self = (ft_shelf *)object;
    for (uint32_t i = 0; i < self->count; i++)
        ft_results_clear(self->results[i]);
    return 0;
}

static void shelf_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_shelf *self = (ft_shelf *)object;
    PyObject_GC_UnTrack(object);
    while (self->count > 0)
        discard(self->results[--self->count]);
    PyMem_Free(self->results);
    Py_XDECREF(self->owner);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Pickled and copied as an empty one. */
static PyObject *shelf_reduce(PyObject *object, PyObject *unused)
{
    (void)unused;
    return Py_BuildValue("(O())", Py_TYPE(object));
}

/* All shelves are equal: what an object remembers makes no difference to what it is. */
static PyObject *shelf_compare(PyObject *one, PyObject *other, int operation)
{
    if (!Py_IS_TYPE(other, Py_TYPE(one)) || (operation != Py_EQ && operation != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong(operation == Py_EQ);
}

static PyObject *shelf_repr(PyObject *object)
{
    const ft_shelf *self = (const ft_shelf *)object;
    return PyUnicode_FromFormat("<kept results of %u cached methods>", self->count);
}

static PyMethodDef shelf_methods[] = {
    {"__reduce__", shelf_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(shelf_doc, "Shelf()\n--\n\nWhere an instance has the results of its cached methods.");

static PyType_Slot shelf_slots[] = {
    {Py_tp_doc, (void *)shelf_doc},
    {Py_tp_new, (void *)shelf_new},
    {Py_tp_dealloc, (void *)shelf_dealloc},
    {Py_tp_traverse, (void *)shelf_traverse},
    {Py_tp_clear, (void *)shelf_clear},
    {Py_tp_richcompare, (void *)shelf_compare},
    {Py_tp_hash, (void *)PyObject_HashNotImplemented},
    {Py_tp_repr, (void *)shelf_repr},
    {Py_tp_methods, shelf_methods},
    {0, NULL},
};

static PyType_Spec shelf_spec = {
    .name = "fettle._core.Shelf",
    .basicsize = sizeof(ft_shelf),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = shelf_slots,
};

/* ---- ShelfSlot: what stands in the place of the slot's own descriptor ---- */

typedef struct shelf_slot {
    PyObject_HEAD
    PyObject *member; /* the slot's own descriptor */
} shelf_slot;

static PyObject *shelf_slot_get(PyObject *descriptor, PyObject *object, PyObject *type)
{
    (void)type;
    if (object == NULL)
        return Py_NewRef(descriptor);
    PyErr_SetString(PyExc_AttributeError, "__fettle__ is where cached methods keep their results");
    return NULL;
}

static int shelf_slot_set(PyObject *descriptor, PyObject *object, PyObject *value)
{
    (void)value;
    PyObject *nothing = shelf_slot_get(descriptor, object, NULL);
    Py_XDECREF(nothing);
    return -1;
}

static int shelf_slot_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((shelf_slot *)object)->member);
    return 0;
}

/* There is no tp_clear: the class clears its own part of any cycle. */
static void shelf_slot_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    Py_XDECREF(((shelf_slot *)object)->member);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyType_Slot shelf_slot_slots[] = {
    {Py_tp_dealloc, (void *)shelf_slot_dealloc},
    {Py_tp_traverse, (void *)shelf_slot_traverse},
    {Py_tp_descr_get, (void *)shelf_slot_get},
    {Py_tp_descr_set, (void *)shelf_slot_set},
    {0, NULL},
};

static PyType_Spec shelf_slot_spec = {
    .name = "fettle._core.ShelfSlot",
    .basicsize = sizeof(shelf_slot),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = shelf_slot_slots,
};

/* ---- where a class has its instances' shelves ---- */

/* Puts a ShelfSlot in the place of the member. 0, or -1 with an exception. */
static int hide_member(const ft_memo *memo, PyObject *owner, PyObject *member)
{
    shelf_slot *slot = (shelf_slot *)memo->slot_type->tp_alloc(memo->slot_type, 0);
    if (slot == NULL)
        return -1;
    slot->member = Py_NewRef(member);
    int result = PyObject_SetAttr(owner, memo->shelf_name, (PyObject *)slot);
    Py_DECREF(slot);
    return result;
}

/* The offset that the descriptor has in the instances of a class if it is that class's own slot;
 * else 0: one of another class's would lead out of them. */
static Py_ssize_t offset_of(const ft_memo *memo, PyObject *owner, PyObject *found)
{
    if (Py_IS_TYPE(found, memo->slot_type))
        found = ((shelf_slot *)found)->member;
    if (!Py_IS_TYPE(found, &PyMemberDescr_Type))
        return 0;
    const PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
    bool is_slot = (PyObject *)PyDescr_TYPE(found) == owner &&
                   PyDescr_NAME(found) == memo->shelf_name && member->type == T_OBJECT_EX;
    return is_slot ? member->offset : 0;
}

/* The same of whatever a class has by the name; hides the member. -1 with an exception. */
static Py_ssize_t slot_in(const ft_memo *memo, PyObject *owner)
{
    PyObject *dict = ft_compat_type_dict((PyTypeObject *)owner);
    PyObject *found = dict == NULL ? NULL : PyDict_GetItemWithError(dict, memo->shelf_name);
    Py_XINCREF(found);
    Py_XDECREF(dict);
    if (found == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_ssize_t offset = offset_of(memo, owner, found);
    if (offset > 0 && !Py_IS_TYPE(found, memo->slot_type) && hide_member(memo, owner, found) < 0)
        offset = -1;
    Py_DECREF(found);
    return offset;
}

/* The offset of the slot that a class, or one of its bases, has for it: 0 where there is none, -1
 * with an exception. Keys of a namespace may be the program's, and so what compares them: it may
 * give the class other bases. */
static Py_ssize_t slot_of(const ft_memo *memo, PyTypeObject *type)
{
    Py_ssize_t offset = 0;
    PyObject *order = Py_XNewRef(type->tp_mro);
    for (Py_ssize_t i = 0; order != NULL && offset == 0 && i < PyTuple_GET_SIZE(order); i++)
        offset = slot_in(memo, PyTuple_GET_ITEM(order, i));
    Py_XDECREF(order);
    return offset;
}

/* The memo remembers the answer for the class that asked last. */
static Py_ssize_t home_of(ft_memo *memo, PyTypeObject *type)
{
    unsigned int version = ft_compat_type_version(type);
    if (version != 0 && version == memo->home_version)
        return memo->home;
    Py_ssize_t home = slot_of(memo, type);
    if (home >= 0) {
        memo->home = home;
        memo->home_version = version;
    }
    return home;
}

/* ---- an instance's shelf ---- */

/* The sentence for an instance that has no room: what to do depends on what it is. */
static PyObject *no_room(const ft_memo *memo, PyObject *receiver)
{
    const PyTypeObject *type = Py_TYPE(receiver);
    const char *advice = "name '__fettle__' in the __slots__ of the class";
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0)
        advice = "if its first argument is no instance, put @staticmethod above @fettle.cache";
    else if (type->tp_itemsize != 0) /* a tuple's or an int's subclass: it can have no slots */
        advice = "lru_cache of fettle.compat.functools keeps what has a value and no room";
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError,
                 "%R can not keep its results in a %.100s, which has no __dict__ or no "
                 "__weakref__: %s.",
                 memo->function, type->tp_name, advice);
    return NULL;
}

static bool is_missing(void)
{
    return PyErr_ExceptionMatches(PyExc_AttributeError) || PyErr_ExceptionMatches(PyExc_TypeError);
}

/* A new shelf of the receiver's in its __dict__. */
static PyObject *put_in_dict(const ft_memo *memo, PyObject *receiver)
{
    ft_shelf *made = (ft_shelf *)memo->shelf_type->tp_alloc(memo->shelf_type, 0);
    if (made == NULL)
        return NULL;
    made->owner = PyWeakref_NewRef(receiver, NULL);
    if (made->owner != NULL &&
        PyObject_GenericSetAttr(receiver, memo->shelf_name, (PyObject *)made) == 0)
        return (PyObject *)made;
    Py_DECREF(made);
    return is_missing() ? no_room(memo, receiver) : NULL;
}

/* The generic way: the class's own __getattribute__, __getattr__ and __setattr__ are not asked. */
static PyObject *shelf_in_dict(const ft_memo *memo, PyObject *receiver)
{
    PyObject *found = PyObject_GenericGetAttr(receiver, memo->shelf_name);
    if (found == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
        return put_in_dict(memo, receiver);
    }
    if (Py_IS_TYPE(found, memo->shelf_type)) {
        PyObject *owner = ((ft_shelf *)found)->owner;
        if (owner != NULL && ft_compat_leads_to(owner, receiver))
            return found;
    }
    Py_DECREF(found);
    return put_in_dict(memo, receiver);
}

static PyObject *shelf_in_slot(const ft_memo *memo, PyObject *receiver, Py_ssize_t offset)
{
    PyObject **slot = (PyObject **)((char *)receiver + offset);
    if (*slot != NULL && Py_IS_TYPE(*slot, memo->shelf_type) && ((ft_shelf *)*slot)->in_slot)
        return Py_NewRef(*slot);
    ft_shelf *made = (ft_shelf *)memo->shelf_type->tp_alloc(memo->shelf_type, 0);
    if (made == NULL)
        return NULL;
    made->in_slot = true;
    PyObject *old = *slot;
    *slot = Py_NewRef((PyObject *)made);
    Py_XDECREF(old); /* the program's code: it may empty the slot */
    return (PyObject *)made;
}

ft_results *ft_shelf_results(ft_memo *memo, PyObject *receiver, PyObject **holder)
{
    Py_ssize_t home = home_of(memo, Py_TYPE(receiver));
    if (home < 0)
        return NULL;
    PyObject *found =
        home > 0 ? shelf_in_slot(memo, receiver, home) : shelf_in_dict(memo, receiver);
    if (found == NULL)
        return NULL;
    *holder = found;
    ft_shelf *self = (ft_shelf *)found;
    ft_results *results = NULL;
    for (uint32_t i = 0; i < self->count && results == NULL; i++)
        if (self->results[i]->memo == (PyObject *)memo)
            results = self->results[i];
    if (results == NULL)
        results = add_results(self, memo);
    if (results == NULL)
        Py_CLEAR(*holder);
    return results;
}

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type != NULL && PyModule_AddType(module, type) < 0)
        Py_CLEAR(type);
    return type;
}

int ft_shelf_types_add(PyObject *module, ft_module_state *state)
{
    state->shelf_type = add_type(module, &shelf_spec);
    state->shelf_slot_type = add_type(module, &shelf_slot_spec);
    return state->shelf_type == NULL || state->shelf_slot_type == NULL ? -1 : 0;
}
