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

typedef struct ft_shelf {
    PyObject_HEAD
    PyObject *owner;      /* a weak reference; NULL: whoever has it in a slot, or nobody */
    ft_results **results; /* owned, one for each method that was called */
    uint32_t count;
    bool in_slot;
} ft_shelf;

/* The memo's results for the receiver if it called last and has them in its __dict__; borrowed,
 * good while no code of the program's runs. NULL: ft_shelf_results finds them, or others. */
static inline ft_results *ft_shelf_known(const ft_memo *memo, PyObject *receiver)
{
    const ft_shelf *last = (const ft_shelf *)memo->last_shelf;
    return last != NULL && ft_compat_leads_to(last->owner, receiver) ? memo->last_results : NULL;
}

/* Adds Shelf and ShelfSlot to the module. 0, or -1 with an exception. */
int ft_shelf_types_add(PyObject *module, ft_module_state *state);

#endif
