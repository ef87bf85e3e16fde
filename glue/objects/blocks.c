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

/* ---- what the instances of a type have in common ---- */

static ft_shape_kind kind_of_containers(PyTypeObject *type)
{
    if (PyType_HasFeature(type, Py_TPFLAGS_LIST_SUBCLASS))
        return FT_SHAPE_LIST;
    if (ft_compat_is_dict_type(type))
        return FT_SHAPE_DICT;
    if (PyType_HasFeature(type, Py_TPFLAGS_TYPE_SUBCLASS))
        return FT_SHAPE_CLASS;
    if (PyType_IsSubtype(type, &PySet_Type) || PyType_IsSubtype(type, &PyFrozenSet_Type))
        return FT_SHAPE_SET;
    if (PyType_IsSubtype(type, &PyByteArray_Type))
        return FT_SHAPE_BYTEARRAY;
    return type->tp_itemsize == 0 ? FT_SHAPE_FIXED : FT_SHAPE_SIZED;
}

static ft_shape_kind kind_of(PyTypeObject *type)
{
    if (PyType_HasFeature(type, Py_TPFLAGS_UNICODE_SUBCLASS))
        return FT_SHAPE_TEXT;
    if (PyType_HasFeature(type, Py_TPFLAGS_LONG_SUBCLASS))
        return FT_SHAPE_INT;
    if (type == &PyBytes_Type)
        return FT_SHAPE_BYTES;
    if (type == &PyGen_Type || type == &PyCoro_Type || type == &PyAsyncGen_Type)
        return FT_SHAPE_GENERATOR;
    return kind_of_containers(type);
}

void ft_shape_of(PyTypeObject *type, ft_shape *shape)
{
    *shape = (ft_shape){
        .type = type,
        .kind = kind_of(type),
        .before = (uint32_t)ft_compat_preheader(type),
        .managed = ft_compat_has_managed_dict(type),
        .takes_dict = ft_compat_has_managed_dict(type) || type->tp_dictoffset != 0,
        .simple = ft_compat_has_attributes_only(type),
    };
}

PyObject *ft_blocks_dict(PyObject *object, const ft_shape *shape)
{
    PyObject *dict = shape->takes_dict ? ft_compat_instance_dict(object) : NULL;
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
    size_t digits = ft_compat_digits(number);
    const PyTypeObject *type = Py_TYPE(number);
    if (has_sentinel(type))
        return rounded_up((size_t)type->tp_basicsize + (digits + 1) * sizeof(digit));
    return ft_compat_digits_offset() + (digits == 0 ? 1 : digits) * sizeof(digit);
}

/* tp_basicsize with so many items. */
static size_t sized_bytes(const PyTypeObject *type, size_t items)
{
    return (size_t)type->tp_basicsize + items * (size_t)type->tp_itemsize;
}

static size_t item_count(PyObject *object)
{
    Py_ssize_t size = Py_SIZE(object);
    size_t items = (size_t)(size < 0 ? -size : size);
    return (items > items_most ? 0 : items) + has_sentinel(Py_TYPE(object));
}

static size_t own_bytes(PyObject *object, const ft_shape *shape)
{
    switch (shape->kind) {
    case FT_SHAPE_TEXT:
        return text_bytes(object);
    case FT_SHAPE_INT:
        return int_bytes(object);
    case FT_SHAPE_BYTES:
        return sized_bytes(shape->type, (size_t)PyBytes_GET_SIZE(object));
    case FT_SHAPE_GENERATOR:
        return sized_bytes(shape->type, ft_compat_generator_slots(object));
    case FT_SHAPE_SIZED:
    case FT_SHAPE_CLASS:
        return rounded_up(sized_bytes(shape->type, item_count(object)));
    default:
        return (size_t)shape->type->tp_basicsize;
    }
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
static void add_class_blocks(PyObject *object, ft_blocks *blocks)
{
    const PyDictKeysObject *keys = ft_compat_shared_keys((const PyTypeObject *)object);
    if (keys != NULL)
        add(blocks, ft_compat_keys_block(keys));
}

static void add_buffers(PyObject *object, const ft_shape *shape, ft_blocks *blocks)
{
    switch (shape->kind) {
    case FT_SHAPE_LIST:
        add(blocks, list_block(object));
        break;
    case FT_SHAPE_DICT:
        add_dict_blocks(object, blocks);
        break;
    case FT_SHAPE_SET:
        add(blocks, set_block(object));
        break;
    case FT_SHAPE_TEXT:
        add(blocks, ft_compat_text_block(object));
        add(blocks, ft_compat_utf8_block(object));
        break;
    case FT_SHAPE_BYTEARRAY:
        add(blocks, ft_compat_bytearray_block(object));
        break;
    case FT_SHAPE_CLASS:
        add_class_blocks(object, blocks);
        break;
    default:
        break;
    }
}

void ft_blocks_of(PyObject *object, const ft_shape *shape, ft_blocks *blocks)
{
    assert(shape->type == Py_TYPE(object));
    blocks->count = 1;
    blocks->starts[0] = (const char *)object - shape->before;
    blocks->bytes[0] = shape->before + own_bytes(object, shape);
    if (shape->kind >= FT_SHAPE_TEXT)
        add_buffers(object, shape, blocks);
    if (shape->kind == FT_SHAPE_CLASS && ft_compat_is_static(object)) {
        blocks->starts[0] = object;
        blocks->bytes[0] = sizeof(PyTypeObject);
    }
    if (shape->managed) {
        blocks->bytes[0] += ft_compat_inline_bytes(object);
        add(blocks, ft_compat_instance_values_block(object));
    }
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
