/* SPDX-License-Identifier: Apache-2.0 */
/* memo_key.h: fettle._core.MemoKey, one call of a Memo whose result is made elsewhere.
 *
 * A coroutine function's results are awaited, and Python does that (python/fettle/caching). It asks
 * the Memo with _find, gets what is kept or the call's key, and keeps the result under that. A key
 * was hashed, and the program's key function called, when it was made: both happen once for a call.
 * Two keys are equal where both calls are the same and their results lie in the same place, so what
 * is under way is looked up in a dict. */
#ifndef FT_GLUE_MEMO_KEY_H
#define FT_GLUE_MEMO_KEY_H

#include "glue/types/memo.h"

/* Adds the type to the module. 0, or -1 with an exception. */
int ft_memo_key_type_add(PyObject *module, ft_module_state *state);

/* Memo._find: what is kept for a call, counted as a hit, a copy where each caller gets one; or the
 * call's MemoKey. */
PyObject *ft_memo_find_result(PyObject *memo, PyObject *const *args, Py_ssize_t count,
                              PyObject *names);

/* Memo._key: the call's MemoKey. */
PyObject *ft_memo_key_new(PyObject *memo, PyObject *const *args, Py_ssize_t count, PyObject *names);

#endif
