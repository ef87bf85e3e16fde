/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.h: headers and chunks as bytes: checksum and compression, nothing of their meaning. */
#ifndef FT_FILE_CHUNK_H
#define FT_FILE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/file/format.h"

typedef struct ft_chunk {
    uint32_t type, flags;
    uint32_t raw_length, stored_length;
    uint32_t stream, sequence;
    const uint8_t *stored; /* borrowed: the payload in the file's bytes */
} ft_chunk;

void ft_header_put(ft_buf *out, uint16_t major, uint16_t minor);

/* Whether a header starts at bytes; length may be anything. */
bool ft_header_is_at(const uint8_t *bytes, size_t length);

/* Checks the header at bytes, where ft_header_is_at held. *torn: it is cut off or its checksum is
 * wrong (the result is FT_OK then). FT_ERR_NEWER. */
ft_status ft_header_get(const uint8_t *bytes, size_t length, bool *torn);

/* Finds the chunk at bytes; false when it is torn: cut off, or its checksum is wrong. */
bool ft_chunk_find(const uint8_t *bytes, size_t length, ft_chunk *chunk);

/* Packs payloads into chunks with one compression context. */
typedef struct ft_packer {
    const ft_mem *mem;
    struct ZSTD_CCtx_s *context; /* owned */
} ft_packer;

ft_status ft_packer_init(ft_packer *packer, const ft_mem *mem);
void ft_packer_fini(ft_packer *packer);

/* Appends a chunk to out. head gives type, flags, stream and sequence; raw_length bytes at raw
 * (at most FT_FORMAT_RAW_MAX) are its payload. FT_ERR_MEMORY leaves out as it was. */
ft_status ft_packer_put(ft_packer *packer, const ft_chunk *head, const uint8_t *raw,
                        size_t raw_length, ft_buf *out);

/* Unpacks payloads into a buffer of its own, one at a time. */
typedef struct ft_unpacker {
    const ft_mem *mem;
    struct ZSTD_DCtx_s *context; /* owned */
    uint8_t *raw;                /* owned: FT_FORMAT_RAW_MAX bytes and room for one varint more */
} ft_unpacker;

ft_status ft_unpacker_init(ft_unpacker *unpacker, const ft_mem *mem);
void ft_unpacker_fini(ft_unpacker *unpacker);

/* *raw: the chunk->raw_length bytes of the payload, borrowed until the next call. FT_VARINT_MAX
 * bytes after them can be read and are zero: a varint that begins inside ends in the block, so
 * that who decodes checks for the end once a number and not once a byte.
 * FT_ERR_CORRUPT: not exactly one frame of exactly that length. */
ft_status ft_unpacker_get(ft_unpacker *unpacker, const ft_chunk *chunk, const uint8_t **raw);

#endif
