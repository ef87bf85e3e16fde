/* SPDX-License-Identifier: Apache-2.0 */
/* value_codec.h: Python values to bytes that are kept, and back (docs/codec.md).
 *
 * What consists of exact builtin types, dates, Decimals and numpy's data is written typed, and
 * reading it runs nobody's code. Anything else makes the whole value a pickle of protocol 5. So
 * does a mutable object that is held twice, or holds itself: what is one object stays one. */
#ifndef FT_GLUE_PERSIST_VALUE_CODEC_H
#define FT_GLUE_PERSIST_VALUE_CODEC_H

#include <Python.h>

#include <stdbool.h>

#include "engine/base/buf.h"
#include "engine/store/codec.h"

struct ft_piece; /* engine/store/store.h */

/* An encoding in pieces. The large ones are not copied: the objects that hold them are kept, and
 * must not be changed by the program, until ft_encoded_fini. */
typedef struct ft_encoded {
    ft_buf head;
    Py_buffer *pieces; /* owned, and each is released */
    uint32_t count, capacity;
    bool pickled;
} ft_encoded;

/* 0, and *out is to be ended with ft_encoded_fini; or -1 with an exception: what pickle says of the
 * value, MemoryError, RecursionError. Runs the program's code where the value is pickled. */
int ft_value_encode(ft_encoded *out, PyObject *value);
void ft_encoded_fini(ft_encoded *encoded);

/* The pieces, gaps between them included, are the whole encoding: so many, and into room for so
 * many. Borrowed. */
size_t ft_encoded_count(const ft_encoded *encoded);
void ft_encoded_fill(const ft_encoded *encoded, struct ft_piece *pieces);
size_t ft_encoded_length(const ft_encoded *encoded);

typedef enum ft_decode_flags {
    FT_DECODE_ANY = 0,
    FT_DECODE_NO_PICKLE = 1 << 0 /* a pickle is refused: ValueError */
} ft_decode_flags;

/* The value, or NULL: ValueError where the bytes are damaged, of another version or refused; what
 * unpickling raises; MemoryError; ImportError where numpy is needed and not there.
 *
 * owner (NULL: none) is an object whose buffer the bytes lie in. Large arrays are then views of it,
 * and all arrays can be written to if its buffer can. Without it everything is copied. */
PyObject *ft_value_decode(const uint8_t *bytes, size_t length, PyObject *owner,
                          ft_decode_flags flags);

/* Would decoding unpickle? */
static inline bool ft_value_is_pickled(const uint8_t *bytes, size_t length)
{
    return ft_codec_is_pickled(bytes, length);
}

/* encode(value), decode(bytes, owner=None), encoded_pickled(bytes) of the module. */
PyObject *ft_core_encode(PyObject *module, PyObject *value);
PyObject *ft_core_decode(PyObject *module, PyObject *args);
PyObject *ft_core_encoded_pickled(PyObject *module, PyObject *bytes);
extern const char ft_core_encode_doc[], ft_core_decode_doc[], ft_core_encoded_pickled_doc[];

#endif
