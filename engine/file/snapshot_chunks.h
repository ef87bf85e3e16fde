/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_chunks.h: the types of the chunks of a snapshot's file, in the order in which they stand
 * there (docs/snapshot-format.md). */
#ifndef FT_FILE_SNAPSHOT_CHUNKS_H
#define FT_FILE_SNAPSHOT_CHUNKS_H

#include "engine/file/format.h"

#define FT_SNAPSHOT_TEXT FT_FORMAT_TYPE('T', 'E', 'X', 'T')
#define FT_SNAPSHOT_STAK FT_FORMAT_TYPE('S', 'T', 'A', 'K')
#define FT_SNAPSHOT_GRUP FT_FORMAT_TYPE('G', 'R', 'U', 'P')
#define FT_SNAPSHOT_ATTR FT_FORMAT_TYPE('A', 'T', 'T', 'R')
#define FT_SNAPSHOT_END FT_FORMAT_TYPE('E', 'N', 'D', ' ')

#endif
