/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.h: the heap blocks that an object is made of.
 *
 * An object's own blocks are the one that holds its header, and those that it alone leads to: the
 * dict of its attributes with that dict's keys and values, the items of a list, the table of a set
 * or dict, the characters of a str. What it shares (the keys that instances of a class have in
 * common) or only refers to (the objects in a list) is not its own. Blocks begin where the
 * allocator said, that is in front of the collector's header, and have the bytes that were asked
 * for: they can be looked up in a table of what was allocated.
 *
 * Nothing here runs code of the program's, makes an object or reads what the interpreter has not
 * finished; all of it needs the GIL. */
#ifndef FT_GLUE_BLOCKS_H
#define FT_GLUE_BLOCKS_H

#include "glue/compat_objects.h"

/* Header; keys and values, or a buffer and UTF-8; __dict__ and its keys and values. */
enum { FT_BLOCKS_MOST = 6 };

typedef struct ft_blocks {
    size_t count;
    const void *starts[FT_BLOCKS_MOST];
    size_t bytes[FT_BLOCKS_MOST];
} ft_blocks;

/* What the instances of a type are made of, as far as they have it in common. */
typedef enum ft_shape_kind {
    FT_SHAPE_FIXED, /* of tp_basicsize */
    FT_SHAPE_SIZED, /* with items of tp_itemsize */
    FT_SHAPE_BYTES, /* those, not rounded up */
    FT_SHAPE_GENERATOR,
    FT_SHAPE_INT,
    FT_SHAPE_TEXT,
    FT_SHAPE_LIST,
    FT_SHAPE_DICT,
    FT_SHAPE_SET,
    FT_SHAPE_BYTEARRAY,
    FT_SHAPE_CLASS
} ft_shape_kind;

typedef struct ft_shape {
    PyTypeObject *type; /* borrowed */
    ft_shape_kind kind;
    uint32_t before; /* bytes in front of the object */
    bool managed;    /* has a managed __dict__ */
    bool takes_dict; /* has a __dict__ of some kind */
    bool simple;     /* refers to its type and its attributes only */
} ft_shape;

void ft_shape_of(PyTypeObject *type, ft_shape *shape);

/* The dict of an object's attributes where it has one by now and that is an exact dict, as it is
 * but for strange programs; else NULL. Borrowed. */
PyObject *ft_blocks_dict(PyObject *object, const ft_shape *shape);

/* The blocks without those of ft_blocks_dict. Never none; what is static has one all the same.
 * shape: its type's. */
void ft_blocks_of(PyObject *object, const ft_shape *shape, ft_blocks *blocks);

/* Adds the blocks of the object's dict. */
void ft_blocks_add_dict(PyObject *dict, ft_blocks *blocks);

/* The sum of their bytes. */
static inline size_t ft_blocks_sum(const ft_blocks *blocks)
{
    size_t sum = 0;
    for (size_t i = 0; i < blocks->count; i++)
        sum += blocks->bytes[i];
    return sum;
}

#endif
