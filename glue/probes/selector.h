/* SPDX-License-Identifier: Apache-2.0 */
/* selector.h: which code a word like `app:User`, `src/x.py` or `json.decoder` means.
 *
 *     FILE  FILE:QUALNAME  MODULE  MODULE:QUALNAME  MODULE.QUALNAME
 *
 * The part before the colon is a file when it has a slash or ends in .py: its absolute path is
 * compared. A module takes its submodules in, a name what is defined in it. Everything may be a
 * glob; ** in a path crosses folders. `<locals>` is left out of names. */
#ifndef FT_GLUE_PROBES_SELECTOR_H
#define FT_GLUE_PROBES_SELECTOR_H

#include "glue/compat.h"

typedef struct ft_selector {
    struct ft_selector *next;
    char *place; /* owned: pattern of an absolute path, or of a dotted name */
    char *flat;  /* owned: of a path with **, without it; else NULL */
    char *name;  /* owned: pattern of a qualname; NULL: everything */
    bool is_file;
    bool is_deep; /* a path with ** */
} ft_selector;

/* Appends the selector that text, a str, means. 0, or -1 with an exception. */
int ft_selectors_add(ft_selector **list, PyObject *text);
void ft_selectors_free(ft_selector *list);

/* Does any of them mean this code object? */
bool ft_selectors_match(const ft_selector *list, PyCodeObject *code, PyObject *globals);

#endif
