/* SPDX-License-Identifier: Apache-2.0 */
/* pickle.h: reads a Python pickle as far as an object with plain attributes needs it: numbers,
 * texts, None, truth values, tuples, lists, dictionaries, and objects of the classes that the
 * caller names.
 * Protocols 0 to 5. Everything else is refused.
 *
 * Nothing is imported, called or executed: a class is a number that the caller knows, an object is
 * what it was given as its state. Containers are made of indices, so nothing recurses and one that
 * holds itself does no harm: whoever reads goes as deep as he expects things to be. Memory is
 * bounded by the bytes: some fifty of it for each (FT_PICKLE_BYTES_MAX). But for what containers
 * share: walking all of a value may take longer than the file is long, so a reader must count. */
#ifndef FT_FILE_PICKLE_H
#define FT_FILE_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/model/strtab.h"

/* More than a million lines of a program. */
#define FT_PICKLE_BYTES_MAX (UINT64_C(1) << 25)

typedef enum ft_pickle_kind {
    FT_PICKLE_ABSENT, /* no value: what a memo holds nothing of */
    FT_PICKLE_NONE,
    FT_PICKLE_BOOLEAN, /* its integer is 0 or 1 */
    FT_PICKLE_INTEGER,
    FT_PICKLE_REAL,
    FT_PICKLE_TEXT,
    FT_PICKLE_TUPLE,
    FT_PICKLE_LIST,
    FT_PICKLE_DICT,   /* its items are keys and values in turn, as they were put */
    FT_PICKLE_OBJECT, /* its items are its states: one as a rule */
    FT_PICKLE_CLASS,
    FT_PICKLE_BUILTIN /* of Python's own: how protocols 0 and 1 make an object */
} ft_pickle_kind;

enum { FT_PICKLE_BUILTIN_RECONSTRUCTOR, FT_PICKLE_BUILTIN_OBJECT };

typedef struct ft_pickle_value {
    ft_pickle_kind kind;
    uint32_t id; /* TEXT: of texts. CLASS: of classes. Containers: of containers */
    union {
        int64_t integer; /* INTEGER, BOOLEAN */
        double real;     /* REAL: any, infinite or no number too */
    } number;
} ft_pickle_value;

typedef struct ft_pickle_class {
    const char *module, *name;
} ft_pickle_class;

typedef struct ft_pickle_chunk { /* items that a container got at once */
    uint32_t first, count;       /* of items */
    uint32_t next;               /* index of a chunk, or FT_PICKLE_LAST */
} ft_pickle_chunk;

#define FT_PICKLE_LAST UINT32_MAX /* no enumerator: those are int */

typedef struct ft_pickle_container {
    uint32_t first, last; /* chunks, or FT_PICKLE_LAST for none */
    uint32_t class;       /* OBJECT */
} ft_pickle_container;

/* What was refused, for a sentence: "the class os.system at byte 12". Any bytes, whole texts of
 * the file as far as they fit. */
typedef struct ft_pickle_fault {
    char text[160];
} ft_pickle_fault;

typedef struct ft_pickle_values { /* a growing array */
    ft_pickle_value *values;      /* owned */
    uint32_t count, capacity;
} ft_pickle_values;

typedef struct ft_pickle {
    const ft_mem *mem;
    const uint8_t *bytes; /* borrowed */
    uint32_t length, at, opcode_at;
    ft_strtab *texts;               /* borrowed: gets every text of the file */
    const ft_pickle_class *classes; /* borrowed: ended by one without a module */
    ft_pickle_values stack, memo, items;
    uint32_t *marks; /* owned: heights of the stack */
    uint32_t mark_count, mark_capacity;
    ft_pickle_chunk *chunks; /* owned */
    uint32_t chunk_count, chunk_capacity;
    ft_pickle_container *containers; /* owned */
    uint32_t container_count, container_capacity;
    ft_pickle_fault fault;
} ft_pickle;

/* Whether a file that begins so may be a pickle: by its protocol number, or, where there is none,
 * by how protocols 0 and 1 begin an object. */
bool ft_pickle_is_pickle(const uint8_t *bytes, size_t length);

/* Everything is borrowed until ft_pickle_fini. length is at most FT_PICKLE_BYTES_MAX. */
void ft_pickle_init(ft_pickle *from, ft_strtab *texts, const ft_pickle_class *classes,
                    const uint8_t *bytes, uint32_t length);
void ft_pickle_fini(ft_pickle *from);

/* Reads all bytes: one value and nothing behind it. FT_ERR_CORRUPT: fault says what. FT_ERR_LIMIT,
 * FT_ERR_MEMORY. After an error from is good for ft_pickle_fini only. */
ft_status ft_pickle_read(ft_pickle *from, ft_pickle_value *value);

/* The items of a container, in order. */
typedef struct ft_pickle_walk {
    uint32_t chunk, index;
} ft_pickle_walk;

ft_pickle_walk ft_pickle_walk_start(const ft_pickle *from, const ft_pickle_value *container);
bool ft_pickle_walk_next(const ft_pickle *from, ft_pickle_walk *walk, ft_pickle_value *item);

/* The class of an OBJECT. */
uint32_t ft_pickle_class_of(const ft_pickle *from, const ft_pickle_value *object);

#endif
