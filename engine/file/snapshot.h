/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h: snapshots of memory as fettle keeps them (docs/snapshot-format.md): written, and
 * read trusting nothing. */
#ifndef FT_FILE_SNAPSHOT_H
#define FT_FILE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/model/traces.h"

#define FT_SNAPSHOT_MAGIC                                                                          \
    "\x89"                                                                                         \
    "FTS\r\n\x1a\n"

enum { FT_SNAPSHOT_VERSION = 1, FT_SNAPSHOT_MAGIC_BYTES = 8, FT_SNAPSHOT_HEADER_BYTES = 16 };

#define FT_SNAPSHOT_BYTES_MAX (UINT64_C(1) << 28) /* some 50 million groups */

/* What may be packed into a small file, and into a larger one for each of its bytes: real ones need
 * 3 to 20. Each byte unpacked takes some 8 of memory at most. Neither read nor written beyond. */
#define FT_SNAPSHOT_RAW_FLOOR (UINT64_C(16) << 20)
#define FT_SNAPSHOT_RAW_RATIO UINT64_C(64)

/* Whether a file that begins so is one. */
bool ft_snapshot_is_one(const uint8_t *bytes, size_t length);

/* Appends a whole file to out. FT_ERR_LIMIT: a text or stack of more than a chunk, or more
 * bytes than are read; FT_ERR_MEMORY. After an error out holds a part of it. */
ft_status ft_snapshot_write(const ft_traces *traces, ft_buf *out);

/* Reads a whole file into initialised, empty traces. On an error they are left valid to
 * ft_traces_fini, their content undefined. FT_ERR_EMPTY, FT_ERR_FOREIGN, FT_ERR_NEWER,
 * FT_ERR_CORRUPT (cut off too), FT_ERR_LIMIT, FT_ERR_MEMORY. */
ft_status ft_snapshot_read(const uint8_t *bytes, size_t length, ft_traces *traces);

#endif
