/* SPDX-License-Identifier: Apache-2.0 */
/* slot_default.h: fettle._core.SlotDefault, a slot with the default that its class had for it.
 *
 * `class P: colour = "red"` gives each instance a colour until it is assigned one. A slot of that
 * name would hide the default from instances and from the class. A SlotDefault stands where the
 * slot's own descriptor stood: it reads that slot, and the default while the slot is empty. */
#ifndef FT_GLUE_SLOT_DEFAULT_H
#define FT_GLUE_SLOT_DEFAULT_H

#include <Python.h>

#include "glue/state.h"

/* Adds the type to the module. 0, or -1 with an exception. */
int ft_slot_default_type_add(PyObject *module, ft_module_state *state);

#endif
