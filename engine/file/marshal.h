/* SPDX-License-Identifier: Apache-2.0 */
/* marshal.h: reads the bytes that Python's marshal module writes, one object at a time, as far as
 * a file of statistics holds them: dictionaries, tuples, texts, numbers, None, True and references
 * to objects that stand further ahead. Versions 0 to 6 of marshal; everything else is refused.
 *
 * Nothing is built: whoever reads says what he expects next, so the depth is his and there is no
 * recursion. Invariant: a reference leads to an object that begins earlier in the bytes, and is
 * read there anew; what this can cost is bounded (FT_MARSHAL_BUDGET_*), so small files with many
 * references to large objects end. */
#ifndef FT_FILE_MARSHAL_H
#define FT_FILE_MARSHAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/model/strtab.h"

/* How many bytes may be read, those read again by reference too. Honest files need below 5 per
 * byte: they refer to keys, numbers and now and then to a tuple of numbers. */
#define FT_MARSHAL_BUDGET_RATIO UINT64_C(16)
#define FT_MARSHAL_BUDGET_FLOOR (UINT64_C(4) << 20)

typedef enum ft_marshal_kind {
    FT_MARSHAL_END, /* no object: a dictionary ends here */
    FT_MARSHAL_NONE,
    FT_MARSHAL_TRUE,
    FT_MARSHAL_INTEGER,
    FT_MARSHAL_REAL,
    FT_MARSHAL_TEXT,
    FT_MARSHAL_TUPLE, /* its items follow */
    FT_MARSHAL_DICT   /* keys and values follow in turn, then END */
} ft_marshal_kind;

#define FT_MARSHAL_NO_REF UINT32_MAX /* no enumerator: those are int */

typedef struct ft_marshal_item {
    ft_marshal_kind kind;
    bool negative;    /* INTEGER */
    uint64_t integer; /* INTEGER without its sign; UINT64_MAX for all larger ones */
    double real;      /* REAL: any, infinite or no number too */
    ft_text text;     /* TEXT: borrowed from the bytes, not ended by a NUL, any bytes */
    uint32_t count;   /* TUPLE: how many items follow */
    uint32_t ref;     /* the number by which it is referred to, or FT_MARSHAL_NO_REF */
    uint32_t back;    /* where to go on behind its last item, or 0: right there */
} ft_marshal_item;

typedef struct ft_marshal_ref {
    uint32_t at;   /* where the object begins */
    uint32_t memo; /* 0, or whatever the reader noted when he had read it */
} ft_marshal_ref;

typedef struct ft_marshal {
    const ft_mem *mem;
    const uint8_t *bytes; /* borrowed */
    uint32_t length, at;
    uint32_t numbered;    /* objects that begin before here have got their reference numbers */
    ft_marshal_ref *refs; /* owned: by number */
    uint32_t ref_count, ref_capacity;
    uint64_t budget; /* bytes that may still be read */
} ft_marshal;

/* The bytes are borrowed until ft_marshal_fini. */
void ft_marshal_init(ft_marshal *from, const ft_mem *mem, const uint8_t *bytes, uint32_t length);
void ft_marshal_fini(ft_marshal *from);

/* Reads the next object, or the head of it. FT_ERR_CORRUPT, FT_ERR_LIMIT, FT_ERR_MEMORY: from is
 * good for ft_marshal_fini only. */
ft_status ft_marshal_next(ft_marshal *from, ft_marshal_item *item);

/* To be called after the last item of a TUPLE or the END of a DICT; for a TUPLE that is known from
 * a reference also instead of reading its items. */
void ft_marshal_leave(ft_marshal *from, const ft_marshal_item *item);

/* The memo of an object that can be referred to, else NULL. Valid until the next ft_marshal_next.
 */
uint32_t *ft_marshal_memo(ft_marshal *from, const ft_marshal_item *item);

#endif
