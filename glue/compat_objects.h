/* SPDX-License-Identifier: Apache-2.0 */
/* compat_objects.h: the half of compat.h that is about objects: the blocks they are made of.
 *
 * Only read, and only while the GIL is held. None of it runs code of the program's or makes an
 * object: reading o.__dict__ would make a dict that was not there. */
#ifndef FT_GLUE_COMPAT_OBJECTS_H
#define FT_GLUE_COMPAT_OBJECTS_H

#include "glue/compat.h"

#include <internal/pycore_dict.h>
#include <internal/pycore_object.h>

/* A block as its allocator gave it; start is NULL where there is none. */
typedef struct ft_compat_block {
    const void *start;
    size_t bytes;
} ft_compat_block;

/* Bytes of the collector's header. */
static inline size_t ft_compat_collector_bytes(void)
{
    return sizeof(PyGC_Head);
}

/* Do a slotted class's weak references stand in two words in front of the object, rather than in a
 * word at its end? */
#define FT_WEAK_REFERENCES_IN_FRONT (PY_VERSION_HEX >= 0x030C0000)

/* Does it have a header of the collector? PyObject_IS_GC, without a call for most. */
static inline bool ft_compat_is_collectable(PyObject *object)
{
    return _PyObject_IS_GC(object) != 0;
}

/* Is it in the collector's lists? PyObject_GC_IsTracked, inline. */
static inline bool ft_compat_is_tracked(PyObject *object)
{
    return ft_compat_is_collectable(object) && _PyObject_GC_IS_TRACKED(object);
}

/* Is it in the interpreter's own static room, as small ints and characters are? Says so without
 * reading it. */
static inline bool ft_compat_is_in_runtime(const PyObject *object)
{
    return (uintptr_t)object - (uintptr_t)&_PyRuntime < sizeof _PyRuntime; /* wraps below it */
}

/* Is it a part of the interpreter that is on no heap: a small int, a character, the empty tuple,
 * None, a type that is built in? */
static inline bool ft_compat_is_static(PyObject *object)
{
    if (ft_compat_is_in_runtime(object))
        return true;
    if (PyType_Check(object))
        return (((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0;
    return object == Py_None || PyBool_Check(object) || object == Py_Ellipsis ||
           object == Py_NotImplemented;
}

/* Each object in the collector's lists, frozen ones too. PyUnstable_GC_VisitObjects is there from
 * 3.12 on, but leaves frozen objects out in 3.12 and the first of 3.13. visit gives 1 to go on, 0
 * to end. */
#if PY_VERSION_HEX >= 0x030E0000
static inline void ft_compat_each_tracked(int (*visit)(PyObject *, void *), void *context)
{
    PyUnstable_GC_VisitObjects(visit, context);
}
#else
static inline bool ft_compat_each_of_generation(struct gc_generation *generation,
                                                int (*visit)(PyObject *, void *), void *context)
{
    PyGC_Head *head = &generation->head;
    for (PyGC_Head *at = _PyGCHead_NEXT(head); at != head; at = _PyGCHead_NEXT(at))
        if (visit((PyObject *)(at + 1), context) == 0)
            return false;
    return true;
}

static inline void ft_compat_each_tracked(int (*visit)(PyObject *, void *), void *context)
{
    struct _gc_runtime_state *state = &PyInterpreterState_Get()->gc;
    bool go_on = true;
    for (int i = 0; go_on && i < NUM_GENERATIONS; i++)
        go_on = ft_compat_each_of_generation(&state->generations[i], visit, context);
    if (go_on)
        (void)ft_compat_each_of_generation(&state->permanent_generation, visit, context);
}
#endif

/* Has the collector's next object fetched while this one, which is tracked, is dealt with. */
static inline void ft_compat_fetch_next(PyObject *tracked)
{
    __builtin_prefetch((const void *)_PyGCHead_NEXT(_Py_AS_GC(tracked)));
}

static inline bool ft_compat_has_managed_dict(const PyTypeObject *type)
{
    return (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) != 0;
}

/* Bytes of an instance's attribute values within its own block, behind tp_basicsize: 3.13+. */
static inline size_t ft_compat_inline_bytes(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030D0000
    const PyTypeObject *type = Py_TYPE(object);
    if ((type->tp_flags & Py_TPFLAGS_INLINE_VALUES) == 0)
        return 0;
    size_t capacity = _PyObject_InlineValues(object)->capacity;
    return (capacity + 1) * sizeof(PyObject *) + _Py_SIZE_ROUND_UP(capacity, sizeof(PyObject *));
#else
    (void)object;
    return 0;
#endif
}

/* The block of an array of attribute values that lies outside its object. */
static inline ft_compat_block ft_compat_values_block(const PyDictValues *values,
                                                     const PyDictKeysObject *keys)
{
#if PY_VERSION_HEX >= 0x030D0000
    (void)keys;
    if (values->embedded)
        return (ft_compat_block){NULL, 0};
    size_t capacity = values->capacity;
    size_t order = _Py_SIZE_ROUND_UP(capacity, sizeof(PyObject *));
    return (ft_compat_block){values, (capacity + 1) * sizeof(PyObject *) + order};
#else
    /* A prefix of bytes says the order, and its last one how long it is: the room for values and 2
     * more, rounded up. Where the class's keys grew or shrank since, this is the most it can be. */
    size_t prefix = ((const uint8_t *)values)[-1];
    size_t room = (size_t)(keys->dk_nentries + keys->dk_usable);
    if (_Py_SIZE_ROUND_UP(room + 2, sizeof(PyObject *)) != prefix)
        room = prefix - 2;
    return (ft_compat_block){(const uint8_t *)values - prefix, prefix + room * sizeof(PyObject *)};
#endif
}

/* The attribute values of an instance that has no __dict__ (yet), or NULL. */
static inline const PyDictValues *ft_compat_instance_values(PyObject *object)
{
    assert(ft_compat_has_managed_dict(Py_TYPE(object)));
#if PY_VERSION_HEX >= 0x030D0000
    if ((Py_TYPE(object)->tp_flags & Py_TPFLAGS_INLINE_VALUES) == 0)
        return NULL;
    const PyDictValues *values = _PyObject_InlineValues(object);
    return values->valid ? values : NULL;
#elif PY_VERSION_HEX >= 0x030C0000
    PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
    return _PyDictOrValues_IsValues(either) ? _PyDictOrValues_GetValues(either) : NULL;
#else
    return *_PyObject_ValuesPointer(object);
#endif
}

/* Have instances of this type nothing but a managed __dict__ (and weak references)? */
static inline bool ft_compat_has_attributes_only(const PyTypeObject *type)
{
    Py_ssize_t bytes = (Py_ssize_t)sizeof(PyObject);
    if (type->tp_weaklistoffset > 0)
        bytes += (Py_ssize_t)sizeof(PyObject *);
    return ft_compat_has_managed_dict(type) && (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
           type->tp_itemsize == 0 && type->tp_basicsize == bytes;
}

/* How many attributes are set in an array of values. */
static inline uint32_t ft_compat_values_used(const PyDictValues *values)
{
#if PY_VERSION_HEX >= 0x030D0000
    return values->size;
#else
    return ((const uint8_t *)values)[-2];
#endif
}

/* Value number i of those, as many as its class has shared names. Borrowed; may be NULL. */
static inline PyObject *ft_compat_value(const PyDictValues *values, Py_ssize_t i)
{
    return values->values[i];
}

/* The block of the values above, where it is one of its own: until 3.12. */
static inline ft_compat_block ft_compat_instance_values_block(PyObject *object)
{
    const PyDictValues *values = ft_compat_instance_values(object);
    const PyHeapTypeObject *type = (const PyHeapTypeObject *)Py_TYPE(object);
    if (values == NULL || type->ht_cached_keys == NULL)
        return (ft_compat_block){NULL, 0};
    return ft_compat_values_block(values, type->ht_cached_keys);
}

/* Where an unmanaged __dict__ lies: tp_dictoffset from the front, or, negative, from the end. */
static inline PyObject *ft_compat_dict_at_offset(PyObject *object)
{
    const PyTypeObject *type = Py_TYPE(object);
    Py_ssize_t offset = type->tp_dictoffset;
    if (offset < 0) { /* behind the items */
        Py_ssize_t items = Py_SIZE(object) < 0 ? -Py_SIZE(object) : Py_SIZE(object);
        size_t end = (size_t)type->tp_basicsize + (size_t)items * (size_t)type->tp_itemsize;
        offset += (Py_ssize_t)_Py_SIZE_ROUND_UP(end, sizeof(PyObject *));
    }
    return offset <= 0 ? NULL : *(PyObject **)((char *)object + offset);
}

/* The __dict__ of an instance where it has one by now; never makes one. Borrowed. */
static inline PyObject *ft_compat_instance_dict(PyObject *object)
{
    if (!ft_compat_has_managed_dict(Py_TYPE(object)))
        return Py_TYPE(object)->tp_dictoffset == 0 ? NULL : ft_compat_dict_at_offset(object);
#if PY_VERSION_HEX >= 0x030D0000
    return (PyObject *)_PyObject_GetManagedDict(object);
#elif PY_VERSION_HEX >= 0x030C0000
    PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
    return _PyDictOrValues_IsValues(either) ? NULL : _PyDictOrValues_GetDict(either);
#else
    return *_PyObject_ManagedDictPointer(object);
#endif
}

/* Are its instances dicts, or (3.15) frozendicts? */
static inline bool ft_compat_is_dict_type(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030F0000
    if (PyType_IsSubtype(type, &PyFrozenDict_Type))
        return true;
#endif
    return PyType_HasFeature(type, Py_TPFLAGS_DICT_SUBCLASS);
}

/* The block of a table of keys. _PyDict_KeysSize is not exported. */
static inline ft_compat_block ft_compat_keys_block(const PyDictKeysObject *keys)
{
    if (keys->dk_log2_size == 0) /* the one of all empty dicts, which is static */
        return (ft_compat_block){NULL, 0};
    size_t entry =
        keys->dk_kind == DICT_KEYS_GENERAL ? 3 * sizeof(PyObject *) : 2 * sizeof(PyObject *);
    size_t usable = ((size_t)1 << keys->dk_log2_size) * 2 / 3;
    return (ft_compat_block){keys, sizeof *keys + ((size_t)1 << keys->dk_log2_index_bytes) +
                                       entry * usable};
}

/* The two blocks of a dict besides its own: keys, unless the dict shares them with its class, and
 * values, where they are split from them. */
static inline void ft_compat_dict_blocks(PyObject *object, ft_compat_block blocks[2])
{
    const PyDictObject *dict = (const PyDictObject *)object;
    bool shared = dict->ma_keys->dk_kind == DICT_KEYS_SPLIT;
    blocks[0] = shared ? (ft_compat_block){NULL, 0} : ft_compat_keys_block(dict->ma_keys);
    blocks[1] = dict->ma_values == NULL ? (ft_compat_block){NULL, 0}
                                        : ft_compat_values_block(dict->ma_values, dict->ma_keys);
}

/* Are its keys those that the instances of a class have in common? */
static inline bool ft_compat_shares_keys(PyObject *dict)
{
    return ((const PyDictObject *)dict)->ma_keys->dk_kind == DICT_KEYS_SPLIT;
}

/* The names that the instances of a class share; NULL when they share none. */
static inline const PyDictKeysObject *ft_compat_shared_keys(const PyTypeObject *type)
{
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0)
        return NULL;
    return ((const PyHeapTypeObject *)type)->ht_cached_keys;
}

static inline Py_ssize_t ft_compat_shared_count(const PyTypeObject *type)
{
    const PyDictKeysObject *keys = ft_compat_shared_keys(type);
    return keys == NULL ? 0 : keys->dk_nentries;
}

/* Name number i of those. Borrowed; may be NULL. */
static inline PyObject *ft_compat_shared_name(const PyTypeObject *type, Py_ssize_t i)
{
    const PyDictKeysObject *keys = ft_compat_shared_keys(type);
    assert(keys != NULL && i < keys->dk_nentries);
    const char *entries = keys->dk_indices + ((size_t)1 << keys->dk_log2_index_bytes);
    return ((const PyDictUnicodeEntry *)(const void *)entries)[i].me_key;
}

/* The frame of a generator, coroutine or asynchronous generator lies in it, and is of a length that
 * no field says: the slots of its code object; unknown (0) once it has ended. */
static inline size_t ft_compat_generator_slots(PyObject *object)
{
    const PyGenObject *generator = (const PyGenObject *)object;
    if (generator->gi_frame_state >= FRAME_CLEARED)
        return 0;
    const ft_frame *frame = (const ft_frame *)(const void *)&generator->gi_iframe;
    const PyCodeObject *code = ft_compat_frame_code(frame);
    return (size_t)code->co_nlocalsplus + (size_t)code->co_stacksize;
}

/* Digits of an int, in room for as many as it was made with. */
static inline size_t ft_compat_digits(PyObject *number)
{
#if PY_VERSION_HEX >= 0x030C0000
    return ((PyLongObject *)number)->long_value.lv_tag >> _PyLong_NON_SIZE_BITS;
#else
    Py_ssize_t digits = Py_SIZE(number);
    return (size_t)(digits < 0 ? -digits : digits);
#endif
}

/* The bytes of an int up to its first digit. */
static inline size_t ft_compat_digits_offset(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return offsetof(PyLongObject, long_value.ob_digit);
#else
    return offsetof(PyLongObject, ob_digit);
#endif
}

/* The characters of a str that lie outside it (subclasses of str). */
static inline ft_compat_block ft_compat_text_block(PyObject *text)
{
    const PyUnicodeObject *unicode = (const PyUnicodeObject *)text;
    if (PyUnicode_IS_COMPACT(text) || unicode->data.any == NULL)
        return (ft_compat_block){NULL, 0};
    size_t length = (size_t)PyUnicode_GET_LENGTH(text);
    return (ft_compat_block){unicode->data.any, (length + 1) * PyUnicode_KIND(text)};
}

/* The UTF-8 of a str that was asked for once and is kept beside it. */
static inline ft_compat_block ft_compat_utf8_block(PyObject *text)
{
    const PyCompactUnicodeObject *compact = (const PyCompactUnicodeObject *)text;
    if (PyUnicode_IS_COMPACT_ASCII(text) || compact->utf8 == NULL)
        return (ft_compat_block){NULL, 0};
    if (!PyUnicode_IS_COMPACT(text) && compact->utf8 == ((const PyUnicodeObject *)text)->data.any)
        return (ft_compat_block){NULL, 0};
    return (ft_compat_block){compact->utf8, (size_t)compact->utf8_length + 1};
}

/* The buffer of a bytearray: bytes of its own, from 3.15 on a bytes object. */
static inline ft_compat_block ft_compat_bytearray_block(PyObject *object)
{
    const PyByteArrayObject *array = (const PyByteArrayObject *)object;
    if (array->ob_alloc == 0)
        return (ft_compat_block){NULL, 0};
#if PY_VERSION_HEX >= 0x030F0000
    size_t header = offsetof(PyBytesObject, ob_sval) + 1;
    return (ft_compat_block){array->ob_bytes_object, header + (size_t)array->ob_alloc};
#else
    return (ft_compat_block){array->ob_bytes, (size_t)array->ob_alloc};
#endif
}

#endif
