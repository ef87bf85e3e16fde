/* SPDX-License-Identifier: Apache-2.0 */
/* code_tables.h: the two tables beside the bytecode of CPython 3.11, read and written.
 *
 * co_linetable says which stretch of the source each unit comes from, as differences of lines;
 * co_exceptiontable which handler an exception in a stretch of units goes to. Both are read by
 * instruction, so that units may be inserted between any two. A table that the compiler would not
 * have written is refused. */
#ifndef FT_GLUE_PROBES_CODE_TABLES_H
#define FT_GLUE_PROBES_CODE_TABLES_H

#include "glue/probes/bytecode.h"

#if !FT_HAS_MONITORING

#include "engine/base/buf.h"

enum { FT_NO_LINE = -1, FT_NO_COLUMN = -1 };

/* Where an instruction comes from. Without a line it comes from nowhere in the source. */
typedef struct ft_place {
    int line, end_line;
    int column, end_column; /* in bytes, or FT_NO_COLUMN */
} ft_place;

/* places: one for each instruction, filled. */
ft_status ft_places_read(ft_place *places, const ft_bytecode *bytecode, const uint8_t *table,
                         size_t bytes, int first_line);

/* Appends units that come from there. *line: of the stretch before, the code's first line at
 * first. */
void ft_place_write(ft_buf *table, int *line, const ft_place *place, uint32_t units);

typedef struct ft_handler {
    uint32_t start, end; /* instructions: who raises in between ... */
    uint32_t target;     /* ... goes on here ... */
    uint32_t depth;      /* ... with that many entries left on the stack ... */
    bool lasti;          /* ... and then its own position */
} ft_handler;

typedef struct ft_handlers {
    const ft_mem *mem;
    ft_handler *all; /* owned; by their start, and they do not overlap */
    uint32_t count, capacity;
} ft_handlers;

/* ft_handlers_fini in any case. */
ft_status ft_handlers_read(ft_handlers *handlers, const ft_mem *mem, const ft_bytecode *bytecode,
                           const uint8_t *table, size_t bytes);
void ft_handlers_fini(ft_handlers *handlers);

/* Appends an entry; the numbers are units here. */
void ft_handler_write(ft_buf *table, const ft_handler *units);

#endif /* !FT_HAS_MONITORING */
#endif
