/* SPDX-License-Identifier: Apache-2.0 */
/* tracemalloc_reader.h: reads the files that tracemalloc's Snapshot.dump() writes, trusting
 * nothing. A file is one pickled object of class Snapshot, whose attributes are
 *     traces: an object of class _Traces, whose attribute _traces is
 *         [(domain, size, ((file, line), ...), total number of frames), ...]
 *     traceback_limit: a number
 *     any others that it was given.
 * A Snapshot of ours that was pickled has, in place of the list, an object of class _Blocks, whose
 * state is [((domain, size, ...), count), ...]. */
#ifndef FT_FILE_TRACEMALLOC_READER_H
#define FT_FILE_TRACEMALLOC_READER_H

#include "engine/file/pickle.h"
#include "engine/model/traces.h"

/* Reads the file's bytes into initialised, empty traces: everything as it stands there; the total
 * is unknown in files of Python 3.8 and older. Where the status is FT_ERR_CORRUPT, fault says what
 * was refused: an attribute must be a number, a text, a truth value or None. On an error traces
 * are left valid to ft_traces_fini, their content undefined. FT_ERR_EMPTY, FT_ERR_FOREIGN (no
 * pickle at all), FT_ERR_CORRUPT, FT_ERR_LIMIT, FT_ERR_MEMORY. */
ft_status ft_tracemalloc_reader_read(const uint8_t *bytes, size_t length, ft_traces *traces,
                                     ft_pickle_fault *fault);

#endif
