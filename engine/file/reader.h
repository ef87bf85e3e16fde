/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h: reads .fettle files (docs/format.md), trusting nothing: every length is bounded, every
 * index checked, parents come before children, memory has a budget. */
#ifndef FT_FILE_READER_H
#define FT_FILE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/model/profile.h"

typedef struct ft_reader_report {
    bool ended;          /* the last segment has its END: the recording is whole */
    bool torn;           /* a chunk was cut off or failed its checksum; reading stopped there */
    uint64_t good_bytes; /* bytes up to the first torn chunk, or all */
    /* Where the opening of the last segment (header and first META chunks) ends. Who finishes a
     * recording that has not ended cuts the file there first, so that a half-written rest can not
     * be counted twice. */
    uint64_t opening_bytes;
    uint32_t newer_chunks; /* chunks of a type this version does not know, skipped */
    uint32_t segments;     /* that were begun: each has a header of its own */
} ft_reader_report;

/* Is this the first bytes of a .fettle file? Used before overwriting one. length may be 0..16; with
 * less than the 8 bytes of the magic it is not. */
bool ft_reader_is_fettle(const uint8_t *bytes, size_t length);

/* Reads the file's bytes into an initialised, empty profile. Concatenated files are merged. A file
 * that is cut short gives what stands before the cut (FT_OK, report->torn); so does one with a bad
 * checksum. A chunk whose checksum is right and whose content is not is FT_ERR_CORRUPT, and so is a
 * first header with a wrong checksum. *report is written on success only.
 * On an error the profile is left valid to ft_profile_fini, its content undefined.
 * FT_ERR_EMPTY, FT_ERR_FOREIGN, FT_ERR_NEWER, FT_ERR_CORRUPT, FT_ERR_LIMIT, FT_ERR_MEMORY. */
ft_status ft_reader_read(const uint8_t *bytes, size_t length, ft_profile *profile,
                         ft_reader_report *report);

/* How many of these bytes the first segment has: up to the next header, or all if there is none or
 * something before it is torn. A segment is a file of its own: it knows nothing of the others. */
size_t ft_reader_segment_bytes(const uint8_t *bytes, size_t length);

#endif
