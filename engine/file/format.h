/* SPDX-License-Identifier: Apache-2.0 */
/* format.h: the numbers of docs/format.md: what stands where, and how large it may be. */
#ifndef FT_FILE_FORMAT_H
#define FT_FILE_FORMAT_H

#include <stdint.h>

#define FT_FORMAT_MAGIC                                                                            \
    "\x89"                                                                                         \
    "FTL\r\n\x1a\n"

enum {
    FT_FORMAT_MAJOR = 1,
    FT_FORMAT_MINOR = 4,
    FT_FORMAT_MAGIC_BYTES = 8,
    FT_FORMAT_HEADER_BYTES = 16,
    FT_FORMAT_CHUNK_HEAD_BYTES = 28,
    /* Small enough that a reader's buffer costs nothing and a torn chunk loses little, large
     * enough that zstd has a window to find repetitions in. */
    FT_FORMAT_RAW_MAX = 1 << 20,
    FT_FORMAT_STORED_MAX = FT_FORMAT_RAW_MAX + 4096 /* ZSTD_COMPRESSBOUND of it */
};

/* Chunk types as they read in the file, as a little-endian number. */
#define FT_FORMAT_TYPE(a, b, c, d)                                                                 \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define FT_CHUNK_META FT_FORMAT_TYPE('M', 'E', 'T', 'A')
#define FT_CHUNK_TEXT FT_FORMAT_TYPE('T', 'E', 'X', 'T')
#define FT_CHUNK_CODE FT_FORMAT_TYPE('C', 'O', 'D', 'E')
#define FT_CHUNK_PROC FT_FORMAT_TYPE('P', 'R', 'O', 'C')
#define FT_CHUNK_THRD FT_FORMAT_TYPE('T', 'H', 'R', 'D')
#define FT_CHUNK_TREE FT_FORMAT_TYPE('T', 'R', 'E', 'E')
#define FT_CHUNK_LINK FT_FORMAT_TYPE('L', 'I', 'N', 'K')
#define FT_CHUNK_NOTE FT_FORMAT_TYPE('N', 'O', 'T', 'E')
#define FT_CHUNK_LINE FT_FORMAT_TYPE('L', 'I', 'N', 'E')
#define FT_CHUNK_SRCE FT_FORMAT_TYPE('S', 'R', 'C', 'E')
#define FT_CHUNK_SITE FT_FORMAT_TYPE('S', 'I', 'T', 'E')
#define FT_CHUNK_HEAP FT_FORMAT_TYPE('H', 'E', 'A', 'P')
#define FT_CHUNK_MOMT FT_FORMAT_TYPE('M', 'O', 'M', 'T')
#define FT_CHUNK_PONT FT_FORMAT_TYPE('P', 'O', 'N', 'T')
#define FT_CHUNK_PROW FT_FORMAT_TYPE('P', 'R', 'O', 'W')
#define FT_CHUNK_OBJS FT_FORMAT_TYPE('O', 'B', 'J', 'S')
#define FT_CHUNK_CLAS FT_FORMAT_TYPE('C', 'L', 'A', 'S')
#define FT_CHUNK_TIME FT_FORMAT_TYPE('T', 'I', 'M', 'E')
#define FT_CHUNK_CNTR FT_FORMAT_TYPE('C', 'N', 'T', 'R')
#define FT_CHUNK_SMPL FT_FORMAT_TYPE('S', 'M', 'P', 'L')
#define FT_CHUNK_COLL FT_FORMAT_TYPE('C', 'O', 'L', 'L')
#define FT_CHUNK_CSUM FT_FORMAT_TYPE('C', 'S', 'U', 'M')
#define FT_CHUNK_SPAN FT_FORMAT_TYPE('S', 'P', 'A', 'N')
#define FT_CHUNK_END FT_FORMAT_TYPE('E', 'N', 'D', ' ')

enum {
    FT_CHUNK_SKIPPABLE = 1, /* who does not know the type may go on without it */
    FT_CHUNK_CONTINUES = 2  /* the last text goes on in the next chunk of the type */
};

/* What a reader allows a file to make it do, so that a small hostile file can not fill the
 * machine: bytes decompressed and bytes kept, both counted against one budget. */
#define FT_READER_BUDGET_FLOOR (UINT64_C(256) << 20) /* any small file, however well it packs */
#define FT_READER_BUDGET_RATIO UINT64_C(256)         /* real trees need 5 to 10 per stored byte */
#define FT_READER_BUDGET_MAX (UINT64_C(16) << 30)

/* Setting a property or a source looks through the ones there are; together with FT_MAX_SOURCES
 * these bound that work. */
enum {
    FT_READER_META_KEYS_MAX = 1024,     /* a recording has about a dozen */
    FT_READER_META_PAIRS_MAX = 1 << 18, /* some 10 000 recordings in one file */
    FT_READER_SOURCES_MAX = 1 << 18
};

#endif
