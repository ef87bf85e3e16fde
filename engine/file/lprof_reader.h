/* SPDX-License-Identifier: Apache-2.0 */
/* lprof_reader.h: reads the files that line_profiler and kernprof write (LineStats.to_file),
 * trusting nothing. A file is one pickled object of class LineStats with two attributes,
 *     timings: {(file, first line, name): [(line, hits, time), ...]}
 *     unit: how many seconds a time of 1 is. */
#ifndef FT_FILE_LPROF_READER_H
#define FT_FILE_LPROF_READER_H

#include "engine/file/pickle.h"
#include "engine/model/profile.h"
#include "engine/model/timings.h"

/* Reads the file's bytes into initialised, empty timings: everything as it stands there. Where the
 * status is FT_ERR_CORRUPT, fault says what was refused. On an error timings are left valid to
 * ft_timings_fini, their content undefined. FT_ERR_EMPTY, FT_ERR_FOREIGN (no pickle at all),
 * FT_ERR_CORRUPT, FT_ERR_LIMIT, FT_ERR_MEMORY. */
ft_status ft_lprof_reader_read(const uint8_t *bytes, size_t length, ft_timings *timings,
                               ft_pickle_fault *fault);

/* Adds the timings to the lines of profile, in nanoseconds to the nearest. The file does not say
 * how often a function was called: that is how often its first line that ran did. A qualified name
 * is the name too. Numbers below 0 count as 0, lines below 1 as 1; what is too large saturates.
 * FT_ERR_CORRUPT: the unit is no time. FT_ERR_LIMIT, FT_ERR_MEMORY. On an error some are added. */
ft_status ft_lprof_reader_add(ft_profile *profile, const ft_timings *timings);

#endif
