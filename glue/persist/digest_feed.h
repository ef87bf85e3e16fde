/* SPDX-License-Identifier: Apache-2.0 */
/* digest_feed.h: the marks that a value's encoding is made of.
 *
 * A value is one byte that says what it is, and what that byte promises: so many bytes, or a length
 * and so many values. No encoding is the beginning of another one, so values may follow each other
 * without anything between them. Digests are kept in files: a mark keeps its meaning for ever.
 * Numbers lie as the machine has them. */
#ifndef FT_GLUE_DIGEST_FEED_H
#define FT_GLUE_DIGEST_FEED_H

#include "glue/compat.h"

#include "engine/store/digest.h"

enum {
    FT_MARK_NONE = 'N',
    FT_MARK_TRUE = 'T',
    FT_MARK_FALSE = 'F',
    FT_MARK_ELLIPSIS = '.',
    FT_MARK_NOT_IMPLEMENTED = '!',
    FT_MARK_INT = 'i',     /* 64 bits */
    FT_MARK_BIG_INT = 'I', /* any other: length, hex digits as hex() gives them */
    FT_MARK_FLOAT = 'f',
    FT_MARK_COMPLEX = 'c',
    FT_MARK_TEXT = 's', /* + the bytes of a character less one: 's', 't', 'v' */
    FT_MARK_BYTES = 'b',
    FT_MARK_BYTEARRAY = 'B',
    FT_MARK_TUPLE = '(',
    FT_MARK_LIST = '[',
    FT_MARK_DICT = '{', /* length, the sorted digests of key and value */
    FT_MARK_SET = 'S',  /* length, the sorted digests of the elements */
    FT_MARK_FROZENSET = 'Z',
    FT_MARK_RANGE = 'r',
    FT_MARK_SLICE = '/',
    FT_MARK_CLASS = 'C',    /* module, qualified name */
    FT_MARK_NAMED = 'g',    /* likewise: anything else that is where its name says */
    FT_MARK_MODULE = 'm',   /* name */
    FT_MARK_FUNCTION = 'l', /* length, what the callback said */
    FT_MARK_METHOD = 'M',   /* receiver, function */
    FT_MARK_BUILTIN = 'k',  /* receiver or module, name */
    FT_MARK_WRAPPED = 'W',  /* class, the function inside */
    FT_MARK_ENUM = 'e',     /* class, name; value where it has no name */
    FT_MARK_PATH = 'p',     /* class, text */
    FT_MARK_FRACTION = 'q', /* two ints */
    FT_MARK_UUID = 'u',     /* an int */
    FT_MARK_VIEW = 'w',     /* a memoryview: format, shape, data */
    FT_MARK_ARRAY = 'y',    /* an array.array: likewise */
    FT_MARK_NDARRAY = 'A',  /* dtype, shape, data; of a subclass: class and attributes before */
    FT_MARK_NDARRAY_OF = 'a',
    FT_MARK_SCALAR = 'n', /* of numpy: dtype, data */
    FT_MARK_SERIES = 'P', /* class, index, name, attributes, values */
    FT_MARK_FRAME = 'D',  /* class, index, columns, attributes, the values of each column */
    FT_MARK_REDUCED = 'R',
    FT_MARK_BACK = '^',    /* length: that many levels up is the same object */
    FT_MARK_GONE = '#',    /* an item of a list that became shorter meanwhile */
    FT_MARK_ITEM = '+',    /* of a row without a length */
    FT_MARK_END = ';',     /* of that row */
    FT_MARK_IGNORED = '_', /* an argument that is not looked at */
    FT_MARK_STANDS = '='   /* one that another value stands for, which follows */
};

enum { FT_FEED_LARGE = 1 << 20 }; /* bytes: from here on others may run meanwhile */

static inline void ft_feed_mark(ft_digester *digester, int mark)
{
    uint8_t byte = (uint8_t)mark;
    ft_digester_feed(digester, &byte, 1);
}

/* A mark and a length: one byte, or 255 and eight of them. */
static inline void ft_feed_head(ft_digester *digester, int mark, size_t length)
{
    uint8_t head[10] = {(uint8_t)mark, (uint8_t)length};
    if (length < UINT8_MAX) {
        ft_digester_feed(digester, head, 2);
        return;
    }
    uint64_t wide = length;
    head[1] = UINT8_MAX;
    memcpy(head + 2, &wide, sizeof wide);
    ft_digester_feed(digester, head, sizeof head);
}

/* Bytes that nobody frees or moves meanwhile: many of them are digested without the GIL. */
static inline void ft_feed_steady(ft_digester *digester, const void *bytes, size_t length)
{
    if (length <= FT_DIGEST_GATHERED) {
        ft_digester_feed(digester, bytes, length);
    } else if (length < FT_FEED_LARGE) {
        ft_digester_flow(digester, bytes, length);
    } else {
        Py_BEGIN_ALLOW_THREADS
        ft_digester_flow(digester, bytes, length);
        Py_END_ALLOW_THREADS
    }
}

static inline void ft_feed_bytes(ft_digester *digester, int mark, const void *bytes, size_t length)
{
    ft_feed_head(digester, mark, length);
    ft_feed_steady(digester, bytes, length);
}

static inline void ft_feed_int(ft_digester *digester, int64_t value)
{
    uint8_t bytes[1 + sizeof value] = {FT_MARK_INT};
    memcpy(bytes + 1, &value, sizeof value);
    ft_digester_feed(digester, bytes, sizeof bytes);
}

/* All nan are one. */
static inline void ft_feed_double(ft_digester *digester, int mark, double value)
{
    const uint64_t nan = UINT64_C(0x7FF8) << 48;
    uint8_t bytes[1 + sizeof value] = {(uint8_t)mark};
    memcpy(bytes + 1, &value, sizeof value);
    if (value != value)
        memcpy(bytes + 1, &nan, sizeof nan);
    ft_digester_feed(digester, bytes, sizeof bytes);
}

/* A str whose characters are there. The width of its characters follows from them. */
static inline void ft_feed_text(ft_digester *digester, PyObject *text)
{
    size_t length = (size_t)PyUnicode_GET_LENGTH(text), width = (size_t)PyUnicode_KIND(text);
    ft_feed_head(digester, FT_MARK_TEXT + (int)width - 1, length);
    ft_feed_steady(digester, PyUnicode_DATA(text), length * width);
}

/* What takes one step and runs no code: true if value is of that kind, and was fed. */
static inline bool ft_feed_plain(ft_digester *digester, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    Py_ssize_t number;
    if (type == &PyLong_Type && ft_compat_compact(value, &number))
        ft_feed_int(digester, number);
    else if (type == &PyUnicode_Type && ft_compat_is_ready(value))
        ft_feed_text(digester, value);
    else if (type == &PyFloat_Type)
        ft_feed_double(digester, FT_MARK_FLOAT, PyFloat_AS_DOUBLE(value));
    else if (value == Py_None)
        ft_feed_mark(digester, FT_MARK_NONE);
    else if (type == &PyBool_Type)
        ft_feed_mark(digester, value == Py_True ? FT_MARK_TRUE : FT_MARK_FALSE);
    else if (type == &PyBytes_Type)
        ft_feed_bytes(digester, FT_MARK_BYTES, PyBytes_AS_STRING(value),
                      (size_t)PyBytes_GET_SIZE(value));
    else
        return false;
    return true;
}

#endif
