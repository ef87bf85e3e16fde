/* SPDX-License-Identifier: Apache-2.0 */
/* code_view.h: what rows of instructions are made of: one code object, or bytes, decoded.
 *
 * Nothing of it changes after it was made, but what is kept of work that was done: texts of
 * constants, and how far the last reader came. So a constant's repr(), which may be the user's
 * code, can do nothing to whoever asked for it. */
#ifndef FT_GLUE_CODE_VIEW_H
#define FT_GLUE_CODE_VIEW_H

#include "engine/bytecode/labels.h"
#include "engine/bytecode/positions.h"
#include "glue/bytecode/dialect_of_python.h"

enum { FT_SHARED_POSITIONS = 8 };

typedef struct ft_shared_position {
    ft_position of;
    PyObject *object; /* owned, or NULL */
} ft_shared_position;

/* How far somebody has read the line table. Sequential reading is in O(1) a row. */
typedef struct ft_row_cursor {
    uint32_t next;          /* the row that comes next */
    ft_positions positions; /* a stretch ahead */
    bool ahead;             /* does it hold a stretch that was not passed? */
    uint64_t end;           /* of the stretch passed last */
    ft_position position;   /* of the last row */
    int32_t line;           /* of the last row */
    int32_t range_line;     /* of the stretch passed last */
    int32_t last_line;      /* the last that started */
    ft_shared_position shared[FT_SHARED_POSITIONS];
} ft_row_cursor;

typedef struct ft_code_view {
    PyObject_HEAD
    PyObject *capsule; /* what dialect lies in */
    const ft_python_dialect *dialect;
    PyObject *code;                       /* the code object, or None */
    PyObject *plain, *shown;              /* bytes */
    PyObject *line_table, *handler_table; /* bytes */
    PyObject *consts, *names, *locals;    /* tuples, or NULL: not known */
    PyObject *unknown;                    /* the value of what is not known */
    PyObject **reprs;                     /* of consts, each made at its first use */
    int32_t first_line;                   /* as the tables have it */
    int64_t line_shift;                   /* added to lines that are shown */
    ft_decoding decoding;
    ft_labels labels;
    ft_row_cursor cursor; /* of who asks by index */
} ft_code_view;

/* Before the first row; keeps what is shared. */
void ft_row_cursor_init(ft_row_cursor *cursor, const ft_code_view *view);
void ft_row_cursor_fini(ft_row_cursor *cursor);

/* To row number index; starts again if that has passed. Does a line start there? */
bool ft_row_cursor_move(ft_row_cursor *cursor, const ft_code_view *view, uint32_t index);

/* Row number index, which there is. A new reference, or NULL with an exception. */
PyObject *ft_instruction_row(ft_code_view *view, ft_row_cursor *cursor, uint32_t index);

#endif
