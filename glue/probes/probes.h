/* SPDX-License-Identifier: Apache-2.0 */
/* probes.h: the list of probes of this Python. */
#ifndef FT_GLUE_PROBES_PROBES_H
#define FT_GLUE_PROBES_PROBES_H

#include "glue/probes/session.h"

/* Function calls: sys.monitoring from 3.12 on, the profile hook on 3.11. */
extern const ft_probe ft_probe_calls;

#if !FT_HAS_MONITORING
/* Python functions only, through PEP 523: a fraction of the profile hook's cost. */
extern const ft_probe ft_probe_calls_python_only;
#endif

#endif
