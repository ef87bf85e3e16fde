/* SPDX-License-Identifier: Apache-2.0 */
/* lprof.h: line_profiler's files, written from what it keeps itself. The exporter "lprof" makes
 * that of a recording first (lprof.c). */
#ifndef FT_EXPORT_LPROF_H
#define FT_EXPORT_LPROF_H

#include "engine/base/buf.h"
#include "engine/model/timings.h"

/* Appends the file to out: every number and text as it stands in timings. FT_ERR_MEMORY,
 * FT_ERR_LIMIT (a text of more than 2 GiB). */
ft_status ft_lprof_write(const ft_timings *timings, ft_buf *out);

#endif
