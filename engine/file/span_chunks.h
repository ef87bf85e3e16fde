/* SPDX-License-Identifier: Apache-2.0 */
/* span_chunks.h: what the reader makes of the chunks of spans: COLL, CSUM and SPAN. */
#ifndef FT_FILE_SPAN_CHUNKS_H
#define FT_FILE_SPAN_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/file/segment.h"

/* Whether the type is one of these. */
bool ft_span_chunks_knows(uint32_t type);

/* Decodes the payload of a chunk of such a type into the segment's profile. FT_ERR_CORRUPT,
 * FT_ERR_LIMIT, FT_ERR_MEMORY. */
ft_status ft_span_chunks_take(ft_segment *segment, uint32_t type, ft_cursor *from);

#endif
