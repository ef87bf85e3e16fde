/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.c: the outer layer of docs/format.md. A chunk's checksum covers its head and its stored
 * payload, and is looked at before anything else in it is believed.
 *
 * zstd's contexts allocate through ft_mem like everything else; the functions that take an
 * allocator are in zstd's "static linking only" section, but every shared build exports them. */
#define ZSTD_STATIC_LINKING_ONLY
#include "engine/file/chunk.h"

#include <assert.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "engine/base/crc.h"
#include "engine/base/varint.h"

enum { COMPRESSION_LEVEL = 1 }; /* higher ones cost twice the time for a tenth of the bytes */

static_assert(FT_FORMAT_STORED_MAX >= ZSTD_COMPRESSBOUND(FT_FORMAT_RAW_MAX),
              "what zstd may need for the largest payload can be stored");

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void *zstd_allocate(void *mem, size_t bytes)
{
    return ft_mem_resize(mem, NULL, bytes, 1);
}

static void zstd_free(void *mem, void *block)
{
    ft_mem_free(mem, block);
}

static ZSTD_customMem zstd_mem(const ft_mem *mem)
{
    /* zstd hands the pointer back to the two functions above and to nobody else; they only read. */
    return (ZSTD_customMem){zstd_allocate, zstd_free, (void *)(uintptr_t)mem};
}

void ft_header_put(ft_buf *out, uint16_t major, uint16_t minor)
{
    uint8_t header[FT_FORMAT_HEADER_BYTES];
    memcpy(header, FT_FORMAT_MAGIC, FT_FORMAT_MAGIC_BYTES);
    put_u32(header + 8, (uint32_t)major | (uint32_t)minor << 16);
    put_u32(header + 12, ft_crc32c(0, header, 12));
    ft_buf_put(out, header, sizeof header);
}

bool ft_header_is_at(const uint8_t *bytes, size_t length)
{
    return length >= FT_FORMAT_MAGIC_BYTES &&
           memcmp(bytes, FT_FORMAT_MAGIC, FT_FORMAT_MAGIC_BYTES) == 0;
}

ft_status ft_header_get(const uint8_t *bytes, size_t length, bool *torn)
{
    assert(ft_header_is_at(bytes, length));
    *torn = length < FT_FORMAT_HEADER_BYTES || get_u32(bytes + 12) != ft_crc32c(0, bytes, 12);
    if (*torn)
        return FT_OK;
    uint32_t major = get_u32(bytes + 8) & 0xffff;
    return major > FT_FORMAT_MAJOR ? FT_ERR_NEWER : FT_OK;
}

static uint32_t chunk_checksum(const uint8_t *head, const uint8_t *stored, size_t length)
{
    return ft_crc32c(ft_crc32c(0, head, FT_FORMAT_CHUNK_HEAD_BYTES - 4), stored, length);
}

bool ft_chunk_find(const uint8_t *bytes, size_t length, ft_chunk *chunk)
{
    if (length < FT_FORMAT_CHUNK_HEAD_BYTES)
        return false;
    ft_chunk found = {
        .type = get_u32(bytes),
        .flags = get_u32(bytes + 4),
        .raw_length = get_u32(bytes + 8),
        .stored_length = get_u32(bytes + 12),
        .stream = get_u32(bytes + 16),
        .sequence = get_u32(bytes + 20),
        .stored = bytes + FT_FORMAT_CHUNK_HEAD_BYTES,
    };
    if (found.stored_length > length - FT_FORMAT_CHUNK_HEAD_BYTES ||
        get_u32(bytes + 24) != chunk_checksum(bytes, found.stored, found.stored_length))
        return false;
    *chunk = found;
    return true;
}

ft_status ft_packer_init(ft_packer *packer, const ft_mem *mem)
{
    *packer = (ft_packer){.mem = mem, .context = ZSTD_createCCtx_advanced(zstd_mem(mem))};
    return packer->context == NULL ? FT_ERR_MEMORY : FT_OK;
}

void ft_packer_fini(ft_packer *packer)
{
    ZSTD_freeCCtx(packer->context);
    packer->context = NULL;
}

ft_status ft_packer_put(ft_packer *packer, const ft_chunk *head, const uint8_t *raw,
                        size_t raw_length, ft_buf *out)
{
    assert(raw_length <= FT_FORMAT_RAW_MAX);
    size_t bound = ZSTD_compressBound(raw_length);
    uint8_t *at = ft_buf_reserve(out, FT_FORMAT_CHUNK_HEAD_BYTES + bound);
    if (at == NULL)
        return ft_buf_status(out);
    uint8_t *stored = at + FT_FORMAT_CHUNK_HEAD_BYTES;
    size_t length =
        ZSTD_compressCCtx(packer->context, stored, bound, raw, raw_length, COMPRESSION_LEVEL);
    if (ZSTD_isError(length)) /* there was room: nothing but memory can be short */
        return FT_ERR_MEMORY;
    put_u32(at, head->type);
    put_u32(at + 4, head->flags);
    put_u32(at + 8, (uint32_t)raw_length);
    put_u32(at + 12, (uint32_t)length);
    put_u32(at + 16, head->stream);
    put_u32(at + 20, head->sequence);
    put_u32(at + 24, chunk_checksum(at, stored, length));
    out->length += FT_FORMAT_CHUNK_HEAD_BYTES + length;
    return FT_OK;
}

ft_status ft_unpacker_init(ft_unpacker *unpacker, const ft_mem *mem)
{
    *unpacker = (ft_unpacker){
        .mem = mem,
        .context = ZSTD_createDCtx_advanced(zstd_mem(mem)),
        .raw = ft_mem_resize(mem, NULL, FT_FORMAT_RAW_MAX + FT_VARINT_MAX, 1),
    };
    if (unpacker->context == NULL || unpacker->raw == NULL) {
        ft_unpacker_fini(unpacker);
        return FT_ERR_MEMORY;
    }
    return FT_OK;
}

void ft_unpacker_fini(ft_unpacker *unpacker)
{
    ZSTD_freeDCtx(unpacker->context);
    ft_mem_free(unpacker->mem, unpacker->raw);
    unpacker->context = NULL;
    unpacker->raw = NULL;
}

ft_status ft_unpacker_get(ft_unpacker *unpacker, const ft_chunk *chunk, const uint8_t **raw)
{
    size_t stored = chunk->stored_length, length = chunk->raw_length;
    if (stored > FT_FORMAT_STORED_MAX || length > FT_FORMAT_RAW_MAX ||
        ZSTD_getFrameContentSize(chunk->stored, stored) != length ||
        ZSTD_findFrameCompressedSize(chunk->stored, stored) != stored)
        return FT_ERR_CORRUPT;
    size_t got =
        ZSTD_decompressDCtx(unpacker->context, unpacker->raw, length, chunk->stored, stored);
    if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
        return FT_ERR_MEMORY;
    if (got != length)
        return FT_ERR_CORRUPT;
    memset(unpacker->raw + length, 0, FT_VARINT_MAX);
    *raw = unpacker->raw;
    return FT_OK;
}
