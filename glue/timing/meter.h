/* SPDX-License-Identifier: Apache-2.0 */
/* meter.h: fettle._core.Meter, the clocks around a piece of Python code. */
#ifndef FT_GLUE_TIMING_METER_H
#define FT_GLUE_TIMING_METER_H

#include "glue/state.h"

/* Add the type and that of its readings to the module, the latter to state too. 0, or -1 with an
 * exception. */
int ft_meter_type_add(PyObject *module, ft_module_state *state);

/* end_with(parent): this process is killed when that one, which started it, ends. */
PyObject *ft_core_end_with(PyObject *module, PyObject *parent);
extern const char ft_core_end_with_doc[];

#endif
