/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h: what each line of the marked functions did. One flat array: a table is what has the
 * same code, a line of it what has the same line number besides; no two entries have both. */
#ifndef FT_MODEL_LINES_H
#define FT_MODEL_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

/* Every line that the code has stands here, with zeros when it never ran, and so does the last line
 * of the function's text: a table's first and last line are known without reading any source.
 * Line 0 is the function as a whole: its hits are the calls, its times are 0. */
typedef struct ft_line {
    uint32_t code; /* id of the profile's codetab, of kind FT_CODE_PYTHON */
    uint32_t line;
    uint64_t hits;
    uint64_t time;    /* ns, with what the line called; nothing twice within a table */
    uint64_t waiting; /* ns, of time: blocked or suspended */
    uint64_t callees; /* ns, of time: in functions it called; 0 when no calls were recorded */
} ft_line;

typedef struct ft_lines {
    const ft_mem *mem;
    ft_line *lines; /* owned */
    uint32_t count, capacity;
    uint32_t *slots; /* owned: open addressing, index + 1 or 0; NULL: made anew when needed */
    uint32_t slot_mask;
} ft_lines;

void ft_lines_init(ft_lines *lines, const ft_mem *mem);
void ft_lines_fini(ft_lines *lines);

/* Sums line into the entry of its code and line number, or appends it. FT_ERR_LIMIT when thousands
 * of entries collide (made to, in a hostile file). A failure changes no entry. */
ft_status ft_lines_add(ft_lines *lines, const ft_line *line);

/* Adds all of from, whose code c is codes[c] here. On a failure into is as it was. */
ft_status ft_lines_merge(ft_lines *into, const ft_lines *from, const uint32_t *codes);

/* Orders the entries by code, then line. */
void ft_lines_sort(ft_lines *lines);

/* A copy of the entries in that order, for who must not change them. The caller frees it with
 * ft_mem_free(mem, ...); NULL when there are none. FT_ERR_MEMORY. */
ft_status ft_lines_sorted(const ft_lines *lines, const ft_mem *mem, ft_line **sorted);

/* Whether an entry's numbers can be: waiting and callees are parts of time, line 0 has no time. */
bool ft_line_is_sound(const ft_line *line);

#endif
