/* SPDX-License-Identifier: Apache-2.0 */
/* memory_chunks.h: what the reader makes of the chunks of memory: SITE, HEAP, MOMT, PONT, PROW,
 * OBJS and CLAS. All are lists of records of numbers. */
#ifndef FT_FILE_MEMORY_CHUNKS_H
#define FT_FILE_MEMORY_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/file/segment.h"

/* Whether the type is one of these. */
bool ft_memory_chunks_knows(uint32_t type);

/* Decodes the payload of a chunk of such a type into the segment's profile. FT_ERR_CORRUPT,
 * FT_ERR_LIMIT, FT_ERR_MEMORY. */
ft_status ft_memory_chunks_take(ft_segment *segment, uint32_t type, ft_cursor *from);

#endif
