/* SPDX-License-Identifier: Apache-2.0 */
/* call_key.c: which calls are the same call (see call_key.h). */
#include "glue/caching/call_key.h"

/* Where the items go; NULL with an exception. */
static PyObject **room_for(ft_call_items *items, Py_ssize_t count)
{
    if (count <= FT_CALL_ITEMS_FEW)
        return items->few;
    items->many = PyMem_New(PyObject *, (size_t)count);
    if (items->many == NULL)
        PyErr_NoMemory();
    return items->many;
}

int ft_call_key_any(ft_call_key *key, ft_call_items *items, const ft_call *call, bool typed,
                    PyObject *mark)
{
    Py_ssize_t named = call->names == NULL ? 0 : PyTuple_GET_SIZE(call->names);
    Py_ssize_t given = call->count + named;
    ft_call_items_init(items);
    if (named == 0 && !typed)
        return call->count == 1 ? ft_call_key_one(key, call->args)
                                : ft_call_key_items(key, call->args, call->count, -1);
    /* A call has at most a stack's length of arguments: nothing here overflows. */
    PyObject **room = room_for(items, call->count + (named > 0) + 2 * named + typed * given);
    if (room == NULL)
        return -1;
    Py_ssize_t used = 0;
    for (Py_ssize_t i = 0; i < call->count; i++)
        room[used++] = call->args[i];
    if (named > 0)
        room[used++] = mark;
    for (Py_ssize_t i = 0; i < named; i++) {
        room[used++] = PyTuple_GET_ITEM(call->names, i);
        room[used++] = call->args[call->count + i];
    }
    items->types = room + used;
    items->held = typed ? given : 0;
    for (Py_ssize_t i = 0; i < items->held; i++)
        room[used++] = Py_NewRef((PyObject *)Py_TYPE(call->args[i]));
    return ft_call_key_items(key, room, used, named > 0 ? call->count : -1);
}

PyObject *ft_call_key_keep(const ft_call_key *key)
{
    if ((key->hash & FT_KEY_KINDS) != FT_KEY_ITEMS)
        return Py_NewRef(key->items[0]);
    PyObject *tuple = PyTuple_New(key->count);
    for (Py_ssize_t i = 0; tuple != NULL && i < key->count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(key->items[i]));
    return tuple;
}

int ft_key_equal(PyObject *kept, const ft_call_key *key)
{
    if ((key->hash & FT_KEY_KINDS) != FT_KEY_ITEMS)
        return PyObject_RichCompareBool(kept, key->items[0], Py_EQ);
    int same = PyTuple_GET_SIZE(kept) == key->count;
    for (Py_ssize_t i = 0; same == 1 && i < key->count; i++)
        same = PyObject_RichCompareBool(PyTuple_GET_ITEM(kept, i), key->items[i], Py_EQ);
    return same;
}
