/* SPDX-License-Identifier: Apache-2.0 */
/* reader.c: walks the headers and chunks of a file from front to back, once.
 *
 * There is no search for a next good chunk after a torn one: ids would be missing, and the walk
 * stays linear whatever the bytes are. segment.c gives the chunks their meaning. */
#include "engine/file/reader.h"

#include <assert.h>

#include "engine/file/chunk.h"
#include "engine/file/segment.h"

typedef struct reader {
    const uint8_t *bytes;
    size_t length, at;
    ft_segment segment;
    ft_unpacker unpacker;
    ft_reader_report report;
} reader;

bool ft_reader_is_fettle(const uint8_t *bytes, size_t length)
{
    return ft_header_is_at(bytes, length);
}

static ft_status read_header(reader *from)
{
    bool torn;
    ft_status status = ft_header_get(from->bytes + from->at, from->length - from->at, &torn);
    if (status != FT_OK)
        return status;
    bool whole = from->length - from->at >= FT_FORMAT_HEADER_BYTES;
    if (torn && whole && from->at == 0)
        return FT_ERR_CORRUPT; /* nothing stands before it that could be given */
    from->report.torn = torn;
    if (torn)
        return FT_OK;
    from->at += FT_FORMAT_HEADER_BYTES;
    from->report.opening_bytes = from->at;
    from->report.segments++;
    return ft_segment_begin(&from->segment);
}

static ft_status take_chunk(reader *from, const ft_chunk *chunk)
{
    const uint8_t *raw;
    ft_status status = ft_segment_admit(&from->segment, chunk);
    if (status != FT_OK)
        return status;
    if (!ft_segment_knows(chunk->type)) {
        from->report.newer_chunks++;
        return (chunk->flags & FT_CHUNK_SKIPPABLE) != 0 ? FT_OK : FT_ERR_NEWER;
    }
    status = ft_segment_spend(&from->segment, chunk->raw_length);
    if (status == FT_OK)
        status = ft_unpacker_get(&from->unpacker, chunk, &raw);
    if (status == FT_OK)
        status = ft_segment_take(&from->segment, chunk, raw);
    return status;
}

static ft_status read_chunk(reader *from)
{
    ft_chunk chunk;
    from->report.torn = !ft_chunk_find(from->bytes + from->at, from->length - from->at, &chunk);
    if (from->report.torn)
        return FT_OK;
    ft_status status = take_chunk(from, &chunk);
    if (status != FT_OK)
        return status;
    from->at += FT_FORMAT_CHUNK_HEAD_BYTES + (size_t)chunk.stored_length;
    assert(from->at <= from->length);
    if (from->segment.meta_only && from->segment.open_type == 0)
        from->report.opening_bytes = from->at;
    return FT_OK;
}

static ft_status read_all(reader *from)
{
    while (from->at < from->length && !from->report.torn) {
        bool header = ft_header_is_at(from->bytes + from->at, from->length - from->at);
        ft_status status = header ? read_header(from) : read_chunk(from);
        if (status != FT_OK)
            return status;
    }
    from->report.good_bytes = from->at;
    from->report.ended = from->segment.ended;
    return FT_OK;
}

ft_status ft_reader_read(const uint8_t *bytes, size_t length, ft_profile *profile,
                         ft_reader_report *report)
{
    assert(profile->thread_count == 0 && profile->process_count == 0 && profile->meta_count == 0);
    if (length == 0)
        return FT_ERR_EMPTY;
    if (!ft_header_is_at(bytes, length))
        return FT_ERR_FOREIGN;
    reader from = {.bytes = bytes, .length = length};
    ft_segment_init(&from.segment, profile, length);
    ft_status status = ft_unpacker_init(&from.unpacker, profile->mem);
    if (status == FT_OK)
        status = read_all(&from);
    if (status == FT_OK)
        *report = from.report;
    ft_unpacker_fini(&from.unpacker);
    ft_segment_fini(&from.segment);
    return status;
}

size_t ft_reader_segment_bytes(const uint8_t *bytes, size_t length)
{
    size_t at = FT_FORMAT_HEADER_BYTES;
    ft_chunk chunk;
    while (at < length && !ft_header_is_at(bytes + at, length - at)) {
        if (!ft_chunk_find(bytes + at, length - at, &chunk))
            return length;
        at += FT_FORMAT_CHUNK_HEAD_BYTES + (size_t)chunk.stored_length;
    }
    assert(at <= length || length < FT_FORMAT_HEADER_BYTES);
    return at < length ? at : length;
}
