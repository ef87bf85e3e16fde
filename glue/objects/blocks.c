/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.c: which blocks belong to an object, type by type. */
#include "glue/objects/blocks.h"

#include <assert.h>

/* What says more has a type whose instances keep something else in ob_size. */
static const size_t items_most = (size_t)1 << 40;

static void add(ft_blocks *blocks, ft_compat_block block)
{
    if (block.start == NULL || block.bytes == 0)
        return;
    assert(blocks->count < FT_BLOCKS_MOST);
    blocks->starts[blocks->count] = block.start;
    blocks->bytes[blocks->count++] = block.bytes;
}

PyObject *ft_blocks_dict(PyObject *object)
{
    PyObject *dict = ft_compat_instance_dict(object);
    return dict != NULL && PyDict_CheckExact(dict) && !ft_compat_is_static(object) ? dict : NULL;
}

/* ---- the block of the object itself ---- */

static size_t rounded_up(size_t bytes)
{
    return (bytes + sizeof(PyObject *) - 1) / sizeof(PyObject *) * sizeof(PyObject *);
}

/* An instance of a subclass has room for one item more, see PyType_GenericAlloc. */
static bool has_sentinel(const PyTypeObject *type)
{
    return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 && type->tp_alloc == PyType_GenericAlloc;
}

static size_t text_bytes(PyObject *text)
{
    if (!PyUnicode_IS_COMPACT(text))
        return (size_t)Py_TYPE(text)->tp_basicsize;
    size_t header =
        PyUnicode_IS_ASCII(text) ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
    return header + ((size_t)PyUnicode_GET_LENGTH(text) + 1) * PyUnicode_KIND(text);
}

static size_t int_bytes(PyObject *number)
{
    size_t digits = ft_compat_digits(number), offset = ft_compat_digits_offset();
    const PyTypeObject *type = Py_TYPE(number);
    if (has_sentinel(type)) /* it has a word more than its digits need */
        return rounded_up((size_t)type->tp_basicsize + (digits + 1) * sizeof(digit));
    return offset + (digits == 0 ? 1 : digits) * sizeof(digit);
}

/* How many items of tp_itemsize an object has. */
static size_t item_count(PyObject *object)
{
    if (ft_compat_is_generator(object))
        return ft_compat_generator_slots(object);
    Py_ssize_t size = Py_SIZE(object);
    size_t items = (size_t)(size < 0 ? -size : size);
    return (items > items_most ? 0 : items) + has_sentinel(Py_TYPE(object));
}

static size_t sized_bytes(PyObject *object)
{
    const PyTypeObject *type = Py_TYPE(object);
    size_t bytes = (size_t)type->tp_basicsize, item = (size_t)type->tp_itemsize;
    if (item == 0)
        return bytes;
    bytes += item_count(object) * item;
    return PyBytes_CheckExact(object) ? bytes : rounded_up(bytes);
}

size_t ft_blocks_header_bytes(PyObject *object)
{
    if (PyType_Check(object) && !PyType_HasFeature((PyTypeObject *)object, Py_TPFLAGS_HEAPTYPE))
        return sizeof(PyTypeObject); /* static: there is nothing in front of it */
    size_t before = ft_compat_preheader(Py_TYPE(object));
    if (PyUnicode_Check(object))
        return before + text_bytes(object);
    if (PyLong_Check(object))
        return before + int_bytes(object);
    return before + sized_bytes(object) + ft_compat_inline_bytes(object);
}

/* ---- the blocks besides ---- */

static ft_compat_block list_block(PyObject *object)
{
    const PyListObject *list = (const PyListObject *)object;
    if (list->ob_item == NULL || list->allocated <= 0) /* -1 while it is sorted */
        return (ft_compat_block){NULL, 0};
    return (ft_compat_block){list->ob_item, (size_t)list->allocated * sizeof(PyObject *)};
}

static ft_compat_block set_block(PyObject *object)
{
    const PySetObject *set = (const PySetObject *)object;
    if (set->table == set->smalltable)
        return (ft_compat_block){NULL, 0};
    return (ft_compat_block){set->table, ((size_t)set->mask + 1) * sizeof *set->table};
}

static void add_dict_blocks(PyObject *dict, ft_blocks *blocks)
{
    ft_compat_block both[2];
    ft_compat_dict_blocks(dict, both);
    add(blocks, both[0]);
    add(blocks, both[1]);
}

/* The keys that the instances of a class share are the class's. */
static void add_type_blocks(PyObject *object, ft_blocks *blocks)
{
    const PyDictKeysObject *keys = ft_compat_shared_keys((const PyTypeObject *)object);
    if (keys != NULL)
        add(blocks, ft_compat_keys_block(keys));
}

static void add_buffers(PyObject *object, ft_blocks *blocks)
{
    if (PyList_Check(object)) {
        add(blocks, list_block(object));
    } else if (ft_compat_is_dict(object)) {
        add_dict_blocks(object, blocks);
    } else if (PyAnySet_Check(object)) {
        add(blocks, set_block(object));
    } else if (PyUnicode_Check(object)) {
        add(blocks, ft_compat_text_block(object));
        add(blocks, ft_compat_utf8_block(object));
    } else if (PyByteArray_Check(object)) {
        add(blocks, ft_compat_bytearray_block(object));
    } else if (PyType_Check(object)) {
        add_type_blocks(object, blocks);
    }
}

void ft_blocks_of(PyObject *object, ft_blocks *blocks)
{
    const PyTypeObject *type = Py_TYPE(object);
    blocks->count = 1;
    blocks->starts[0] = (const char *)object - ft_compat_preheader(type);
    blocks->bytes[0] = ft_blocks_header_bytes(object);
    add_buffers(object, blocks);
    if (ft_compat_has_managed_dict(type))
        add(blocks, ft_compat_instance_values_block(object));
}

void ft_blocks_add_dict(PyObject *dict, ft_blocks *blocks)
{
    assert(PyDict_CheckExact(dict));
    const PyTypeObject *type = Py_TYPE(dict);
    size_t before = ft_compat_preheader(type);
    add(blocks,
        (ft_compat_block){(const char *)dict - before, before + (size_t)type->tp_basicsize});
    add_dict_blocks(dict, blocks);
}
