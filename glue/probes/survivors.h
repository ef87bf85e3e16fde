/* SPDX-License-Identifier: Apache-2.0 */
/* survivors.h: what objects are alive when a recording of memory ends, by type and place. */
#ifndef FT_GLUE_PROBES_SURVIVORS_H
#define FT_GLUE_PROBES_SURVIVORS_H

#include "glue/probes/take.h"

/* Looks at all live objects and writes down their types and where they came from, and what the
 * program's classes would take with __slots__, in place of what was written before. Nothing if the
 * take does not record memory at the moment. What there is no room for is noted. No code of the
 * program's runs. Needs the GIL. */
void ft_survivors_record(ft_take *take);

#endif
