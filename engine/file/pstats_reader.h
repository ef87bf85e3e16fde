/* SPDX-License-Identifier: Apache-2.0 */
/* pstats_reader.h: reads the files that cProfile, profile and pstats write (dump_stats), trusting
 * nothing. A file is one marshalled dictionary,
 *     {(file, line, name): (primitive calls, calls, own, cumulative, callers)},
 * where callers maps the caller's (file, line, name) to (calls, primitive calls, own, cumulative),
 * or, by module profile, to calls alone. Times are seconds. The sampling profiler of Python 3.15
 * adds ("__sampled__",): True. */
#ifndef FT_FILE_PSTATS_READER_H
#define FT_FILE_PSTATS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/model/summary.h"

/* A million functions with five callers each take a third of this. */
#define FT_PSTATS_BYTES_MAX (UINT64_C(1) << 30)

/* Does a file that begins so hold a marshalled dictionary, empty or with a tuple as its first key?
 * JSON, which begins with a brace too, does not look so. */
bool ft_pstats_reader_is_pstats(const uint8_t *bytes, size_t length);

/* Reads the file's bytes into an initialised, empty summary and settles it. Numbers that are too
 * large saturate; negative counts (other tools write -1 for "not known") and times (profile
 * subtracts a calibration) become 0; a time that is no number, and a byte behind the dictionary,
 * are FT_ERR_CORRUPT. On an error summary is left valid to ft_summary_fini, its content undefined.
 * FT_ERR_EMPTY, FT_ERR_FOREIGN, FT_ERR_CORRUPT, FT_ERR_LIMIT, FT_ERR_MEMORY. */
ft_status ft_pstats_reader_read(const uint8_t *bytes, size_t length, ft_summary *summary);

#endif
