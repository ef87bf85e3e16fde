/* SPDX-License-Identifier: Apache-2.0 */
/* line_marks.h: which functions the line profile watches, and for which takes.
 *
 * A mark is a wish that outlives recordings: `@fettle.lines` leaves a weak reference here and the
 * function as it is. While a take that wants lines is active, the code objects it watches are known
 * to its recording (engine/record/line_recorder.h) by their address, and the interpreter tells
 * their lines. Several takes may watch one code object; its events come while one of them does.
 *
 * A code object is watched together with its anonymous inner code (comprehensions, generator
 * expressions, lambdas), which belongs to the same table.
 *
 * Everything here needs the GIL. */
#ifndef FT_GLUE_PROBES_LINE_MARKS_H
#define FT_GLUE_PROBES_LINE_MARKS_H

#include "glue/compat.h"

#include "glue/probes/take.h"

/* Marks the functions of object (a function, method, descriptor, partial or class) for every take
 * that wants what is marked, the active ones and those to come. Anything else is left alone. 0, or
 * -1 with an exception. */
int ft_line_marks_mark(PyObject *object);

/* One take alone, which must be open, watches what is in the list: functions and code objects. */
int ft_line_marks_watch(ft_take *take, PyObject *list);

/* An active take begins to hear of what it watches, and ends. */
int ft_line_marks_begin(ft_take *take);
void ft_line_marks_end(ft_take *take);

/* Do the active takes still hear, or has another tool taken the hooks? */
bool ft_line_marks_are_heard(void);

/* ---- what the hooks of a version call ---- */

/* A code object is about to run with these globals: takes with a selection look at it. When it is a
 * module's, everything in it is looked at too. True if anything of it is watched from now on. */
bool ft_line_marks_offer(PyCodeObject *code, PyObject *globals);

/* Is the code object watched by any take? */
bool ft_line_marks_is_watched(const PyCodeObject *code);

/* ---- what the hooks of a version do: lines_monitoring.c from 3.12 on, lines_rewriting.c ---- */

/* The events of this code object, and of it alone, come from now on. 0, or -1 with an exception. */
int ft_line_probe_watch(PyCodeObject *code);

/* No longer. Runs no code of the user's: what it lets go of is kept for ft_line_probe_let_go. */
void ft_line_probe_unwatch(PyCodeObject *code);

/* Drops what was kept, which may run the user's code. */
void ft_line_probe_let_go(void);

/* Are the hooks there? */
bool ft_line_probe_has_hooks(void);

/* The function has a code object that is watched. 3.11: it runs the rewritten one from now on. */
int ft_line_probe_adopt(PyFunctionObject *function);

/* The code object that the function was made with. Borrowed. */
PyCodeObject *ft_line_probe_code(PyFunctionObject *function);

/* Some take wants lines (in_use), some take has a selection (ft_line_marks_offer is called). Brings
 * the hooks to that. 0, or -1 with an exception. */
int ft_line_probe_adjust(bool in_use, bool selecting);

/* One more take has a selection: code that was offered before is offered again. 0, or -1 with an
 * exception. */
int ft_line_probe_select_anew(void);

#endif
