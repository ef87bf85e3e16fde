/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_writer.c: from traces to a file (see snapshot.h).
 *
 * Entries are put one behind the other and a chunk is closed before the entry that would not fit,
 * so that each chunk holds whole ones and its reader needs nothing of the chunk before. */
#include <stdbool.h>
#include <string.h>

#include "engine/base/crc.h"
#include "engine/file/chunk.h"
#include "engine/file/snapshot.h"
#include "engine/file/snapshot_chunks.h"

typedef struct writer {
    const ft_traces *traces;
    ft_buf *out;
    ft_packer packer;
    ft_buf raw; /* the chunk that is being filled */
    uint32_t type, sequence;
    uint64_t raw_total;
} writer;

static ft_status close_chunk(writer *to, size_t length)
{
    ft_chunk head = {.type = to->type, .sequence = to->sequence++};
    ft_status status = ft_packer_put(&to->packer, &head, to->raw.data, length, to->out);
    to->raw_total += length;
    size_t rest = to->raw.length - length;
    if (rest > 0)
        memmove(to->raw.data, to->raw.data + length, rest);
    to->raw.length = rest;
    return status;
}

/* An entry was put behind the first start bytes. */
static ft_status end_entry(writer *to, size_t start)
{
    ft_status status = ft_buf_status(&to->raw);
    if (status != FT_OK || to->raw.length <= FT_FORMAT_RAW_MAX)
        return status;
    if (to->raw.length - start > FT_FORMAT_RAW_MAX)
        return FT_ERR_LIMIT;
    return close_chunk(to, start);
}

static void put_text(ft_buf *raw, const ft_traces *traces, uint32_t id)
{
    ft_text text = ft_strtab_get(&traces->texts, id + 1); /* the empty one is in no file */
    ft_buf_put_varint(raw, text.length);
    ft_buf_put(raw, text.data, text.length);
}

static void put_stack(ft_buf *raw, const ft_traces *traces, uint32_t id)
{
    const ft_traces_stack *stack = &traces->stacks[id];
    ft_buf_put_varint(raw, stack->count);
    for (uint32_t i = 0; i < stack->count; i++) {
        ft_buf_put_varint(raw, traces->frames[stack->first + i].file);
        ft_buf_put_varint(raw, traces->frames[stack->first + i].line);
    }
}

static void put_group(ft_buf *raw, const ft_traces *traces, uint32_t id)
{
    const ft_traces_group *group = &traces->groups[id];
    ft_buf_put_varint(raw, group->domain);
    ft_buf_put_varint(raw, group->size);
    ft_buf_put_varint(raw, group->count);
    ft_buf_put_varint(raw, group->stack);
    ft_buf_put_varint(raw, group->depth);
}

static void put_attribute(ft_buf *raw, const ft_traces *traces, uint32_t id)
{
    const ft_traces_attribute *attribute = &traces->attributes[id];
    uint64_t bits = 0;
    ft_buf_put_varint(raw, attribute->name);
    ft_buf_put_byte(raw, (uint8_t)attribute->kind);
    if (attribute->kind == FT_TRACES_INTEGER)
        bits = (uint64_t)attribute->value.integer;
    else if (attribute->kind == FT_TRACES_REAL)
        memcpy(&bits, &attribute->value.real, sizeof bits);
    else if (attribute->kind == FT_TRACES_TEXT)
        bits = attribute->value.text;
    ft_buf_put_u64(raw, bits);
}

static ft_status put_entries(writer *to, uint32_t type, uint32_t count,
                             void (*put)(ft_buf *, const ft_traces *, uint32_t))
{
    ft_status status = FT_OK;
    to->type = type;
    for (uint32_t i = 0; i < count && status == FT_OK; i++) {
        size_t start = to->raw.length;
        put(&to->raw, to->traces, i);
        status = end_entry(to, start);
    }
    if (status == FT_OK && to->raw.length > 0)
        status = close_chunk(to, to->raw.length);
    return status;
}

static ft_status put_end(writer *to)
{
    const ft_traces *traces = to->traces;
    to->type = FT_SNAPSHOT_END;
    ft_buf_put_varint(&to->raw, traces->texts.count - 1);
    ft_buf_put_varint(&to->raw, traces->stack_count);
    ft_buf_put_varint(&to->raw, traces->group_count);
    ft_buf_put_varint(&to->raw, traces->attribute_count);
    ft_status status = ft_buf_status(&to->raw);
    return status == FT_OK ? close_chunk(to, to->raw.length) : status;
}

static void put_header(ft_buf *out)
{
    size_t start = out->length;
    ft_buf_put(out, FT_SNAPSHOT_MAGIC, FT_SNAPSHOT_MAGIC_BYTES);
    ft_buf_put_u32(out, FT_SNAPSHOT_VERSION);
    if (ft_buf_status(out) == FT_OK)
        ft_buf_put_u32(out, ft_crc32c(0, out->data + start, FT_SNAPSHOT_MAGIC_BYTES + 4));
}

/* Whether the reader will take a file of so many bytes. */
static bool is_readable(const writer *to, size_t length)
{
    return length <= FT_SNAPSHOT_BYTES_MAX &&
           to->raw_total <= FT_SNAPSHOT_RAW_FLOOR + FT_SNAPSHOT_RAW_RATIO * length;
}

static ft_status put_all(writer *to)
{
    const ft_traces *traces = to->traces;
    ft_status status = put_entries(to, FT_SNAPSHOT_TEXT, traces->texts.count - 1, put_text);
    if (status == FT_OK)
        status = put_entries(to, FT_SNAPSHOT_STAK, traces->stack_count, put_stack);
    if (status == FT_OK)
        status = put_entries(to, FT_SNAPSHOT_GRUP, traces->group_count, put_group);
    if (status == FT_OK)
        status = put_entries(to, FT_SNAPSHOT_ATTR, traces->attribute_count, put_attribute);
    return status == FT_OK ? put_end(to) : status;
}

ft_status ft_snapshot_write(const ft_traces *traces, ft_buf *out)
{
    writer to = {.traces = traces, .out = out};
    size_t start = out->length;
    ft_status status = ft_packer_init(&to.packer, traces->mem);
    if (status != FT_OK)
        return status;
    ft_buf_init(&to.raw, traces->mem);
    put_header(out);
    status = put_all(&to);
    if (status == FT_OK)
        status = ft_buf_status(out);
    if (status == FT_OK && !is_readable(&to, out->length - start - FT_SNAPSHOT_HEADER_BYTES))
        status = FT_ERR_LIMIT;
    ft_buf_fini(&to.raw);
    ft_packer_fini(&to.packer);
    return status;
}
