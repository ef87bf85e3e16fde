/* SPDX-License-Identifier: Apache-2.0 */
/* segment.h: what a reader knows of the segment it is in: the file's ids as the profile's, and how
 * far things are. It decodes the payloads of chunks into the profile; the bytes of the file, their
 * checksums and the compression are reader.c's and chunk.c's. */
#ifndef FT_FILE_SEGMENT_H
#define FT_FILE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/file/chunk.h"
#include "engine/file/cursor.h"
#include "engine/model/profile.h"

typedef struct ft_ids { /* ids[id in the file] = id in the profile */
    uint32_t *ids;      /* owned */
    uint32_t count, capacity;
} ft_ids;

typedef struct ft_segment {
    ft_profile *profile;        /* borrowed */
    uint64_t budget;            /* bytes the whole file may still cost; see format.h */
    uint32_t meta_pairs;        /* META pairs read in the whole file */
    uint32_t sources;           /* SRCE records read in the whole file */
    ft_ids texts, codes, sites; /* of this segment */
    uint32_t first_process, first_thread, first_meta; /* the profile's counts when it began */
    uint32_t first_point, first_series;               /* likewise */
    uint32_t first_group;  /* the profile's first of the series whose samples were read last */
    uint64_t nodes, notes; /* read in this segment */
    uint32_t sequence;     /* expected of the next chunk */
    bool meta_only;        /* nothing but META so far */
    bool ended;
    uint32_t open_type; /* the type whose last text is not whole yet, or 0 */
    ft_buf open_text;   /* the part of it that was read */
    bool has_key;       /* a META key waits for its value */
    uint32_t key;       /* a text of the profile */
} ft_segment;

/* profile must be empty; file_length decides the budget. Finish with ft_segment_fini always. */
void ft_segment_init(ft_segment *segment, ft_profile *profile, uint64_t file_length);
void ft_segment_fini(ft_segment *segment);

/* Adds the next id of a segment. FT_ERR_MEMORY, FT_ERR_LIMIT. */
ft_status ft_ids_add(ft_ids *map, const ft_mem *mem, uint32_t id);

/* The profile's text or process that the next number means, and any when it means none: the cursor
 * has failed then. */
uint32_t ft_segment_get_text(const ft_segment *segment, ft_cursor *from);
uint32_t ft_segment_get_process(const ft_segment *segment, ft_cursor *from);

/* A header was read: all ids start anew. */
ft_status ft_segment_begin(ft_segment *segment);

/* Whether chunks of that type are known. */
bool ft_segment_knows(uint32_t type);

/* Checks that the chunk may stand here and counts it. FT_ERR_CORRUPT; FT_ERR_NEWER for flags
 * of a known type that are not. */
ft_status ft_segment_admit(ft_segment *segment, const ft_chunk *chunk);

/* Takes bytes from the budget, or FT_ERR_LIMIT. */
ft_status ft_segment_spend(ft_segment *segment, uint64_t bytes);

/* Decodes the payload of an admitted chunk of a known type. raw as from ft_unpacker_get. */
ft_status ft_segment_take(ft_segment *segment, const ft_chunk *chunk, const uint8_t *raw);

#endif
