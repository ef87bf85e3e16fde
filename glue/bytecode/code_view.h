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

/* How far somebody has read the tables beside the code. Sequential reading is in O(1) a row. */
typedef struct ft_row_cursor {
    uint32_t next; /* the row that comes next */
    ft_positions positions;
    ft_lines lines;
    bool has_lines;    /* do lines hold a range that was not passed? */
    int32_t line;      /* of the last row; FT_POSITION_NONE: none */
    int64_t last_line; /* the last one that started, for who skips those without */
    ft_position place; /* what shared is of */
    PyObject *shared;  /* owned: the positions of the last row as an object, or NULL */
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

/* The places of a row, found before any object is made. */
typedef struct ft_row_place {
    ft_position position;
    int32_t line;
    bool starts_line;
} ft_row_place;

void ft_row_cursor_init(ft_row_cursor *cursor, const ft_code_view *view);

/* Of row number index; the cursor starts again if that has passed. */
ft_row_place ft_row_cursor_move(ft_row_cursor *cursor, const ft_code_view *view, uint32_t index);

/* Row number index, which there is. A new reference, or NULL with an exception. */
PyObject *ft_instruction_row(ft_code_view *view, ft_row_cursor *cursor, uint32_t index);

#endif
