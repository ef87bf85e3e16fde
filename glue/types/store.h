/* SPDX-License-Identifier: Apache-2.0 */
/* store.h: fettle._core.Store, a folder of results, as Python has it. */
#ifndef FT_GLUE_TYPES_STORE_H
#define FT_GLUE_TYPES_STORE_H

#include "glue/compat.h"

#include "engine/store/store.h"
#include "glue/state.h"

int ft_store_type_add(PyObject *module, ft_module_state *state);

/* The store of a Store object, opened again in a forked child. NULL with an exception: it was
 * closed, or can not be opened. Borrowed: good until the GIL is let go of or the object ends. */
ft_store *ft_store_of(PyObject *object);

/* Between these the store of an object is not closed, whoever else runs meanwhile. */
void ft_store_hold(PyObject *object);
void ft_store_let_go(PyObject *object);

/* The value of key as an object: 1, 0 where it is absent or can not be decoded, -1 with an
 * exception (no memory, KeyboardInterrupt and the like). *entry is written where 1. May let go of
 * the GIL and run the program's code. */
int ft_store_value(PyObject *object, ft_digest key, ft_view view, PyObject **value,
                   ft_entry *entry);

/* (key, function, created, cost, used, length, stored, kind); times in seconds. */
PyObject *ft_store_entry_tuple(const ft_entry *entry);

#endif
