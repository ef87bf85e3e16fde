/* SPDX-License-Identifier: Apache-2.0 */
/* line_table.h: the functions whose lines are recorded: which lines they have, and the cells where
 * each thread counts them.
 *
 * A table belongs to a function and to the anonymous code inside it. Each of these code objects has
 * an index from its lines to the table's cells, so that an event is one look-up. A line's hits are
 * counted by the outermost code that has it: `sorted(xs, key=lambda x: x.a)` on one line is one
 * hit, however often the lambda is called.
 *
 * Tables and codes never change once made and live as long as the recording. Their lists change
 * under the recording's lock. */
#ifndef FT_RECORD_LINE_TABLE_H
#define FT_RECORD_LINE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/map.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"

enum {
    FT_LINE_CODES_MAX = 1 << 16, /* code objects of one table */
    FT_LINE_SPAN_MAX = 1 << 22   /* lines from a code's first to its last: an index's room */
};

/* In a slot: the code around this one counts the hits. */
#define FT_LINE_NOT_COUNTED (UINT32_C(1) << 31)
/* Owner of a block of LINES: no thread, the table as it was made. */
#define FT_LINE_DECLARED UINT32_MAX

/* What one thread counted of one line; in ticks. The file's layout. */
typedef struct ft_line_cell {
    _Atomic uint64_t hits;
    _Atomic uint64_t time;
    _Atomic uint64_t waiting; /* of time */
    _Atomic uint64_t callees; /* of time: in functions that were called, as far as recorded */
    uint64_t line;            /* 0, in the first cell: the function, whose hits are its calls */
} ft_line_cell;

/* In a block of LINES: this, then its cells. */
typedef struct ft_line_cells {
    uint32_t code; /* number of the function's record */
    uint32_t count;
} ft_line_cells;

_Static_assert(sizeof(ft_line_cell) == 40 && sizeof(ft_line_cells) == 8, "the file's layout");

typedef struct ft_line_table {
    uint32_t number; /* among the recording's tables */
    uint32_t code;   /* number of the function's record */
    uint32_t cell_count;
    uint32_t lines[]; /* of each cell, in ascending order */
} ft_line_table;

typedef struct ft_line_code {
    const void *key;
    const ft_line_table *table;
    uint32_t entry; /* the line that every call begins with */
    uint32_t first; /* line of the first slot */
    uint32_t count;
    bool is_function; /* not the code inside one */
    uint32_t slots[]; /* number of the cell, perhaps with FT_LINE_NOT_COUNTED; 0: no such line */
} ft_line_code;

typedef struct ft_line_registry {
    const ft_mem *mem;
    ft_map keys; /* key -> index into codes */
    ft_line_code **codes;
    ft_line_table **tables;
    _Atomic uint32_t code_count; /* only grows; may be read without the lock */
    uint32_t code_room, table_count, table_room;
} ft_line_registry;

/* One code object of a table, as the probe knows it. Borrowed for the call. */
typedef struct ft_line_member {
    const void *key;       /* not NULL; stays valid as long as the recording */
    const uint32_t *lines; /* in any order, each from 1 on, repetitions allowed; may be NULL */
    uint32_t line_count;
    uint32_t entry;
    uint32_t outer; /* index of the member around this one; its own for the function itself */
} ft_line_member;

void ft_line_registry_init(ft_line_registry *tables, const ft_mem *mem);
void ft_line_registry_fini(ft_line_registry *tables);

/* Makes a table of the members, the function first, each after the one around it. last_line: of the
 * function's source text, 0 if not known. *table is borrowed. Keys that are known go to the new
 * table. FT_ERR_MEMORY, FT_ERR_LIMIT: nothing changed. */
ft_status ft_line_registry_add(ft_line_registry *tables, uint32_t code,
                               const ft_line_member *members, uint32_t count, uint32_t last_line,
                               const ft_line_table **table);

/* The code of key, or NULL. Borrowed. */
const ft_line_code *ft_line_registry_find(const ft_line_registry *tables, const void *key);

/* Writes the table's cells, all zeros, behind the head at `at`, which has room for
 * ft_line_cells_bytes of it. */
void ft_line_cells_write(ft_line_cells *at, const ft_line_table *table);

static inline uint64_t ft_line_cells_bytes(const ft_line_table *table)
{
    return sizeof(ft_line_cells) + (uint64_t)table->cell_count * sizeof(ft_line_cell);
}

static inline ft_line_cell *ft_line_cells_of(ft_line_cells *head)
{
    return (ft_line_cell *)(void *)(head + 1);
}

/* The slot of a line, 0 when the code has no such line. */
static inline uint32_t ft_line_slot(const ft_line_code *code, uint32_t line)
{
    uint32_t at = line - code->first;
    return at < code->count ? code->slots[at] : 0;
}

#endif
