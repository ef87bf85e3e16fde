/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h: writes .fettle files (docs/format.md). Append-only: `begin` when the recording starts,
 * `profile` when it ended; nothing that was written is ever changed. */
#ifndef FT_FILE_WRITER_H
#define FT_FILE_WRITER_H

#include "engine/model/profile.h"

/* Writes the header and one META chunk holding the profile's meta at fd's offset (a new file).
 * A file with no more than that is a recording that has not ended. fd stays the caller's.
 * FT_ERR_IO (errno), FT_ERR_DISK_FULL, FT_ERR_MEMORY. */
ft_status ft_writer_begin(int fd, const ft_profile *meta_only);

/* Appends the whole profile (meta, texts, codes, processes, threads, trees, notes, lines,
 * sources, memory, timings) and END. On an error the file is truncated back to where it was, so
 * that the call can be repeated. */
ft_status ft_writer_append(int fd, const ft_profile *profile);

#endif
