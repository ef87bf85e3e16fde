/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_reader.c: from a file to traces (see snapshot.h).
 *
 * A chunk is a run of entries of one kind, and kinds come in one order, so an id is checked against
 * what was read already. The last chunk says how many entries there were: a file without it, or
 * with anything behind it, is refused whole, for half a snapshot would look like less memory. */
#include <assert.h>
#include <string.h>

#include "engine/base/crc.h"
#include "engine/base/varint.h"
#include "engine/file/chunk.h"
#include "engine/file/snapshot.h"
#include "engine/file/snapshot_chunks.h"

typedef struct reader {
    ft_traces *into;
    const uint8_t *at, *end; /* of the chunk's payload; at is NULL once a number was wrong */
} reader;

/* The next number, at most `most`; 0 where it is wrong. */
static uint64_t get(reader *from, uint64_t most)
{
    uint64_t value = 0;
    if (from->at != NULL)
        from->at = ft_varint_get_within(from->at, from->end, &value);
    if (from->at != NULL && value <= most)
        return value;
    from->at = NULL;
    return 0;
}

static uint32_t get_u32(reader *from, uint32_t most)
{
    return (uint32_t)get(from, most);
}

/* The next count bytes, or NULL. */
static const uint8_t *take(reader *from, size_t count)
{
    if (from->at == NULL || count > (size_t)(from->end - from->at)) {
        from->at = NULL;
        return NULL;
    }
    const uint8_t *bytes = from->at;
    from->at += count;
    return bytes;
}

/* Each reads one entry. */

static ft_status read_text(reader *from)
{
    uint32_t id, next = from->into->texts.count;
    size_t length = (size_t)get(from, FT_FORMAT_RAW_MAX);
    const uint8_t *bytes = take(from, length);
    if (bytes == NULL)
        return FT_ERR_CORRUPT;
    ft_status status = ft_strtab_intern(&from->into->texts, (const char *)bytes, length, &id);
    return status == FT_OK && id != next ? FT_ERR_CORRUPT : status; /* it was there already */
}

static ft_status read_stack(reader *from)
{
    uint32_t id, count = get_u32(from, FT_FORMAT_RAW_MAX);
    ft_status status = from->at == NULL ? FT_ERR_CORRUPT : ft_traces_add_stack(from->into, &id);
    for (uint32_t i = 0; i < count && status == FT_OK; i++) {
        ft_traces_frame frame = {.file = get_u32(from, from->into->texts.count - 1)};
        frame.line = get_u32(from, UINT32_MAX);
        status = from->at == NULL ? FT_ERR_CORRUPT : ft_traces_add_frame(from->into, frame);
    }
    return status;
}

static ft_status read_group(reader *from)
{
    ft_traces_group group = {.domain = get_u32(from, UINT32_MAX)};
    group.size = get(from, INT64_MAX);
    group.count = get(from, FT_TRACES_BLOCKS_MAX);
    group.stack = get_u32(from, UINT32_MAX);
    group.depth = get_u32(from, UINT32_MAX);
    if (from->at == NULL || group.count == 0 || group.stack >= from->into->stack_count)
        return FT_ERR_CORRUPT;
    return ft_traces_add_group(from->into, &group);
}

static ft_status read_attribute(reader *from)
{
    ft_traces_attribute attribute = {.name = get_u32(from, from->into->texts.count - 1)};
    const uint8_t *bytes = take(from, 1 + sizeof(uint64_t));
    uint64_t bits = 0;
    if (bytes == NULL || bytes[0] > FT_TRACES_TEXT)
        return FT_ERR_CORRUPT;
    attribute.kind = (ft_traces_kind)bytes[0];
    for (size_t i = sizeof bits; i > 0; i--)
        bits = bits << 8 | bytes[i];
    if (attribute.kind == FT_TRACES_TEXT && bits >= from->into->texts.count)
        return FT_ERR_CORRUPT;
    if (attribute.kind < FT_TRACES_INTEGER && bits != 0)
        return FT_ERR_CORRUPT;
    if (attribute.kind == FT_TRACES_TEXT)
        attribute.value.text = (uint32_t)bits;
    else
        memcpy(&attribute.value, &bits, sizeof bits); /* both are 64 bits, as they were put */
    return ft_traces_add_attribute(from->into, &attribute);
}

static ft_status read_end(reader *from)
{
    const ft_traces *traces = from->into;
    bool same = get(from, UINT32_MAX) == traces->texts.count - 1;
    same = get(from, UINT32_MAX) == traces->stack_count && same;
    same = get(from, UINT32_MAX) == traces->group_count && same;
    same = get(from, UINT32_MAX) == traces->attribute_count && same;
    return same && from->at == from->end ? FT_OK : FT_ERR_CORRUPT;
}

static const struct {
    uint32_t type;
    ft_status (*read)(reader *from);
} kinds[] = {{FT_SNAPSHOT_TEXT, read_text},
             {FT_SNAPSHOT_STAK, read_stack},
             {FT_SNAPSHOT_GRUP, read_group},
             {FT_SNAPSHOT_ATTR, read_attribute},
             {FT_SNAPSHOT_END, read_end}};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* Reads the entries of one chunk. *kind: of the chunk before, and of this one afterwards. */
static ft_status read_chunk(reader *from, const ft_chunk *chunk, ft_unpacker *unpacker,
                            size_t *kind)
{
    const uint8_t *raw;
    size_t found = *kind;
    while (found < KINDS && kinds[found].type != chunk->type)
        found++;
    if (found == KINDS)
        return chunk->flags == FT_CHUNK_SKIPPABLE ? FT_OK : FT_ERR_NEWER;
    if (chunk->flags != 0)
        return FT_ERR_NEWER;
    ft_status status = ft_unpacker_get(unpacker, chunk, &raw);
    if (status != FT_OK)
        return status;
    *kind = found;
    from->at = raw;
    from->end = raw + chunk->raw_length;
    do
        status = kinds[found].read(from);
    while (status == FT_OK && from->at < from->end);
    return status;
}

static ft_status read_chunks(reader *from, const uint8_t *at, size_t length, ft_unpacker *unpacker)
{
    uint64_t budget = FT_SNAPSHOT_RAW_FLOOR + FT_SNAPSHOT_RAW_RATIO * length;
    size_t kind = 0;
    uint32_t sequence = 0;
    ft_chunk chunk;
    while (kind + 1 < KINDS) { /* the last one ends it */
        if (!ft_chunk_find(at, length, &chunk) || chunk.sequence != sequence++ || chunk.stream != 0)
            return FT_ERR_CORRUPT;
        if (chunk.raw_length > budget)
            return FT_ERR_LIMIT;
        budget -= chunk.raw_length;
        ft_status status = read_chunk(from, &chunk, unpacker, &kind);
        if (status != FT_OK)
            return status;
        at += FT_FORMAT_CHUNK_HEAD_BYTES + chunk.stored_length;
        length -= FT_FORMAT_CHUNK_HEAD_BYTES + chunk.stored_length;
    }
    return length == 0 ? FT_OK : FT_ERR_CORRUPT;
}

bool ft_snapshot_is_one(const uint8_t *bytes, size_t length)
{
    return length >= FT_SNAPSHOT_MAGIC_BYTES &&
           memcmp(bytes, FT_SNAPSHOT_MAGIC, FT_SNAPSHOT_MAGIC_BYTES) == 0;
}

static uint32_t number_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static ft_status check_header(const uint8_t *bytes, size_t length)
{
    enum { CHECKED = FT_SNAPSHOT_MAGIC_BYTES + 4 };
    if (length == 0)
        return FT_ERR_EMPTY;
    if (!ft_snapshot_is_one(bytes, length))
        return FT_ERR_FOREIGN;
    if (length > FT_SNAPSHOT_BYTES_MAX)
        return FT_ERR_LIMIT;
    if (length < FT_SNAPSHOT_HEADER_BYTES ||
        number_at(bytes + CHECKED) != ft_crc32c(0, bytes, CHECKED))
        return FT_ERR_CORRUPT;
    return number_at(bytes + FT_SNAPSHOT_MAGIC_BYTES) > FT_SNAPSHOT_VERSION ? FT_ERR_NEWER : FT_OK;
}

ft_status ft_snapshot_read(const uint8_t *bytes, size_t length, ft_traces *traces)
{
    assert(traces->texts.count == 1 && traces->stack_count == 0 && traces->attribute_count == 0);
    ft_unpacker unpacker;
    reader from = {.into = traces};
    ft_status status = check_header(bytes, length);
    if (status == FT_OK)
        status = ft_unpacker_init(&unpacker, traces->mem);
    if (status != FT_OK)
        return status;
    status = read_chunks(&from, bytes + FT_SNAPSHOT_HEADER_BYTES, length - FT_SNAPSHOT_HEADER_BYTES,
                         &unpacker);
    ft_unpacker_fini(&unpacker);
    return status;
}
