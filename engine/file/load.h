/* SPDX-License-Identifier: Apache-2.0 */
/* load.h: a file's bytes in memory, for the readers: they trust nothing in it, this trusts nothing
 * about it. */
#ifndef FT_FILE_LOAD_H
#define FT_FILE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum { FT_LOAD_HEAD_BYTES = 16 }; /* what is looked at first */

typedef struct ft_load {
    const ft_mem *mem;
    uint8_t *bytes; /* owned */
    size_t length;
} ft_load;

/* Whether a file that begins with these bytes, at most FT_LOAD_HEAD_BYTES, is wanted. */
typedef bool ft_load_is_wanted(const uint8_t *bytes, size_t length);

/* Loads the file at path: a regular one of at most max_bytes. A FIFO is not waited for. *number is
 * errno where the status is FT_ERR_IO, 0 for what is no file and has no errno that says so.
 * FT_ERR_EMPTY, FT_ERR_FOREIGN (not wanted; it was not read whole), FT_ERR_LIMIT, FT_ERR_MEMORY. */
ft_status ft_load_file(ft_load *file, const ft_mem *mem, const char *path, uint64_t max_bytes,
                       ft_load_is_wanted *is_wanted, int *number);
void ft_load_fini(ft_load *file);

#endif
