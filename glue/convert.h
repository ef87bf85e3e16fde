/* SPDX-License-Identifier: Apache-2.0 */
/* convert.h: from the engine's model to Python objects: texts, rows, errors.
 *
 * A function that gives a PyObject * gives a new reference, or NULL with an exception set. All of
 * them need the GIL; none runs code of the user's, save that allocating may run the collector. */
#ifndef FT_GLUE_CONVERT_H
#define FT_GLUE_CONVERT_H

#include <Python.h>

#include "engine/base/buf.h"
#include "engine/model/outline.h"
#include "engine/model/query.h"
#include "glue/state.h"

/* Makes the row types and FileError, keeps them in state and adds them to the module. 0 or -1. */
int ft_convert_types_add(PyObject *module, ft_module_state *state);

/* Raises what status (not FT_OK) means: MemoryError, OSError for number, the errno, or FileError.
 * path may be NULL. Always gives NULL. */
PyObject *ft_convert_error(const ft_module_state *state, ft_status status, int number,
                           PyObject *path);

/* The same; what a reader found corrupt is said in its own words, UTF-8, if there are any. */
PyObject *ft_convert_fault(const ft_module_state *state, ft_status status, int number,
                           PyObject *path, const char *fault);

/* Raises OSError(number, text, path). Always gives NULL. */
PyObject *ft_convert_os_error(int number, const char *text, PyObject *path);

/* The text as str; bytes that are not UTF-8 are spelled \xNN. */
PyObject *ft_convert_text(ft_text text);

/* list[FunctionRow]; the rows' codes are in codes, their texts in texts. */
PyObject *ft_convert_functions(const ft_module_state *state, const ft_strtab *texts,
                               const ft_codetab *codes, const ft_function_row *rows,
                               uint32_t count);

/* list[EdgeRow]; functions are the rows that its indices mean, in order of code id as edges are. */
PyObject *ft_convert_edges(const ft_module_state *state, const ft_codetab *codes,
                           const ft_function_row *functions, uint32_t function_count,
                           const ft_edge_row *edges, uint32_t count);

/* list[TreeRow] */
PyObject *ft_convert_outline(const ft_module_state *state, const ft_profile *profile,
                             const ft_outline_row *rows, uint32_t count);

PyObject *ft_convert_totals(const ft_module_state *state, const ft_totals *totals);

/* list[ProcessRow], list[ThreadRow] (sums[i]: of thread i's tree), list[NoteRow], dict[str, str] */
PyObject *ft_convert_processes(const ft_module_state *state, const ft_profile *profile);
PyObject *ft_convert_threads(const ft_module_state *state, const ft_profile *profile,
                             const ft_totals *sums);
PyObject *ft_convert_notes(const ft_module_state *state, const ft_profile *profile);
PyObject *ft_convert_meta(const ft_profile *profile);

/* What a writer with this status left in the buffer, which is freed: bytes, or NULL with an
 * exception. */
PyObject *ft_convert_bytes(const ft_module_state *state, ft_status status, ft_buf *written);

#endif
