/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.h: fettle._core.Shelf, where an instance has the results of its methods.
 *
 * The instance owns its shelf, so results die with it, however they refer to it: the collector sees
 * the circle. A class whose __slots__ name `__fettle__` has the shelf there, and the slot's
 * descriptor gives way to one that shows nothing: so a copy or a pickle of the instance does not
 * take it along. Any other instance has it in its __dict__ under that name. A copied __dict__
 * brings the original's shelf into the copy: so a shelf knows its owner, weakly, and is the copy's
 * no more than a pickled one is anybody's; a new one then takes its place. */
#ifndef FT_GLUE_SHELF_H
#define FT_GLUE_SHELF_H

#include "glue/types/memo.h"

/* The memo's results for the receiver, made if there are none. *holder: what keeps them there, a
 * new reference. NULL with an exception, one sentence where an instance has no room for a shelf. */
ft_results *ft_shelf_results(ft_memo *memo, PyObject *receiver, PyObject **holder);

/* Adds Shelf and ShelfSlot to the module. 0, or -1 with an exception. */
int ft_shelf_types_add(PyObject *module, ft_module_state *state);

#endif
