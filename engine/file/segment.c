/* SPDX-License-Identifier: Apache-2.0 */
/* segment.c: the meaning of chunks (docs/format.md): payloads become texts, codes, processes,
 * threads, trees, notes, lines and sources of a profile. memory_chunks.c has those of memory,
 * timing_chunks.c those of timings, span_chunks.c those of spans.
 *
 * Invariant: whatever was taken is in range of the profile's own tables, so that the profile is
 * whole after each chunk and a file may break off anywhere. The dictionaries of a segment are
 * translated by two arrays, processes and threads by an offset. */
#include "engine/file/segment.h"

#include <assert.h>

#include "engine/base/array.h"
#include "engine/file/columns.h"
#include "engine/file/memory_chunks.h"
#include "engine/file/span_chunks.h"
#include "engine/file/timing_chunks.h"

/* Bytes of memory one element may cost, slots of the index and spare room included. */
enum {
    TEXT_COST = 40,
    CODE_COST = 80,
    PROCESS_COST = 2 * sizeof(ft_process),
    THREAD_COST = 1024, /* with the first block of its tree */
    NOTE_COST = 2 * sizeof(ft_note),
    NODE_COST = 2 * sizeof(ft_node),
    LINK_COST = 2 * sizeof(ft_link),
    LINE_COST = 2 * sizeof(ft_line) + 16,
    SOURCE_COST = 2 * sizeof(ft_source)
};

ft_status ft_ids_add(ft_ids *map, const ft_mem *mem, uint32_t id)
{
    if (map->count == UINT32_MAX)
        return FT_ERR_LIMIT;
    uint32_t *ids = ft_array_grow(mem, map->ids, map->count + 1, &map->capacity, sizeof *ids);
    if (ids == NULL)
        return FT_ERR_MEMORY;
    map->ids = ids;
    ids[map->count++] = id;
    return FT_OK;
}

uint32_t ft_segment_get_text(const ft_segment *segment, ft_cursor *from)
{
    uint32_t id = ft_cursor_get_below(from, segment->texts.count);
    return segment->texts.ids[id]; /* 0 is always there */
}

uint32_t ft_segment_get_process(const ft_segment *segment, ft_cursor *from)
{
    uint32_t here = segment->profile->process_count - segment->first_process;
    return segment->first_process + ft_cursor_get_below(from, here);
}

void ft_segment_init(ft_segment *segment, ft_profile *profile, uint64_t file_length)
{
    uint64_t budget = FT_READER_BUDGET_MAX;
    if (file_length < FT_READER_BUDGET_MAX / FT_READER_BUDGET_RATIO)
        budget = FT_READER_BUDGET_FLOOR + file_length * FT_READER_BUDGET_RATIO;
    *segment = (ft_segment){.profile = profile, .budget = budget};
    ft_buf_init(&segment->open_text, profile->mem);
}

void ft_segment_fini(ft_segment *segment)
{
    const ft_mem *mem = segment->profile->mem;
    ft_buf_fini(&segment->open_text);
    ft_mem_free(mem, segment->sites.ids);
    ft_mem_free(mem, segment->codes.ids);
    ft_mem_free(mem, segment->texts.ids);
}

ft_status ft_segment_begin(ft_segment *segment)
{
    const ft_profile *profile = segment->profile;
    segment->first_process = profile->process_count;
    segment->first_thread = profile->thread_count;
    segment->first_meta = profile->meta_count;
    segment->first_point = profile->memory.point_count;
    segment->first_series = profile->samples.series_count;
    segment->first_group = profile->samples.group_count;
    segment->nodes = segment->notes = 0;
    segment->sequence = 0;
    segment->meta_only = true;
    segment->ended = segment->has_key = false;
    segment->open_type = 0;
    ft_buf_clear(&segment->open_text);
    segment->texts.count = segment->codes.count = segment->sites.count = 0;
    ft_status status = ft_ids_add(&segment->texts, profile->mem, 0);
    if (status == FT_OK)
        status = ft_ids_add(&segment->codes, profile->mem, FT_CODE_NONE);
    if (status == FT_OK)
        status = ft_ids_add(&segment->sites, profile->mem, FT_SITE_NONE);
    return status;
}

ft_status ft_segment_spend(ft_segment *segment, uint64_t bytes)
{
    if (bytes > segment->budget)
        return FT_ERR_LIMIT;
    segment->budget -= bytes;
    return FT_OK;
}

ft_status ft_segment_admit(ft_segment *segment, const ft_chunk *chunk)
{
    bool meta = chunk->type == FT_CHUNK_META;
    bool known = ft_segment_knows(chunk->type);
    bool restarts = meta && chunk->sequence == 0 && segment->meta_only && segment->open_type == 0;
    if (segment->ended || (chunk->sequence != segment->sequence && !restarts))
        return FT_ERR_CORRUPT;
    if (known && (chunk->flags & ~(uint32_t)(FT_CHUNK_SKIPPABLE | FT_CHUNK_CONTINUES)) != 0)
        return FT_ERR_NEWER;
    if (segment->open_type != 0 && chunk->type != segment->open_type)
        return FT_ERR_CORRUPT;
    bool of_thread = chunk->type == FT_CHUNK_TREE || chunk->type == FT_CHUNK_LINK;
    if (known && chunk->stream != 0 && !of_thread)
        return FT_ERR_CORRUPT;
    bool lists_texts = meta || chunk->type == FT_CHUNK_TEXT;
    if (known && !lists_texts && (chunk->flags & FT_CHUNK_CONTINUES) != 0)
        return FT_ERR_CORRUPT;
    segment->sequence = chunk->sequence + 1;
    segment->meta_only &= meta;
    return FT_OK;
}

/* One whole text of a TEXT chunk. */
static ft_status take_text(ft_segment *segment, const uint8_t *text, size_t length)
{
    uint32_t id;
    ft_status status = ft_segment_spend(segment, length + TEXT_COST);
    if (status == FT_OK)
        status = ft_strtab_intern(&segment->profile->texts, (const char *)text, length, &id);
    if (status == FT_OK)
        status = ft_ids_add(&segment->texts, segment->profile->mem, id);
    return status;
}

/* Whether an earlier segment has set that property: it stands then. */
static bool is_settled(const ft_segment *segment, uint32_t key)
{
    for (uint32_t i = 0; i < segment->first_meta; i++)
        if (segment->profile->meta[i].key == key)
            return true;
    return false;
}

/* One whole text of a META chunk: a key, or the value of the one before. */
static ft_status take_meta(ft_segment *segment, const uint8_t *text, size_t length)
{
    ft_profile *profile = segment->profile;
    uint32_t id;
    ft_status status = ft_segment_spend(segment, length + TEXT_COST);
    if (status == FT_OK)
        status = ft_strtab_intern(&profile->texts, (const char *)text, length, &id);
    if (status != FT_OK)
        return status;
    segment->has_key = !segment->has_key;
    if (segment->has_key) {
        segment->key = id;
        return FT_OK;
    }
    if (++segment->meta_pairs > FT_READER_META_PAIRS_MAX)
        return FT_ERR_LIMIT;
    if (is_settled(segment, segment->key))
        return FT_OK;
    status = ft_profile_put_meta(profile, segment->key, id);
    if (status == FT_OK && profile->meta_count > FT_READER_META_KEYS_MAX)
        status = FT_ERR_LIMIT;
    return status;
}

/* A part of a text, with what was kept of it before; `whole`: this is its last part. */
static ft_status take_part(ft_segment *segment, const ft_chunk *chunk, const uint8_t *part,
                           size_t length, bool whole)
{
    ft_buf *open = &segment->open_text;
    bool joined = open->length > 0 || !whole;
    if (joined)
        ft_buf_put(open, part, length);
    if (ft_buf_status(open) != FT_OK || !whole)
        return ft_buf_status(open);
    const uint8_t *text = joined ? open->data : part;
    size_t text_length = joined ? open->length : length;
    ft_status status = chunk->type == FT_CHUNK_META ? take_meta(segment, text, text_length)
                                                    : take_text(segment, text, text_length);
    ft_buf_clear(open);
    return status;
}

static ft_status take_texts(ft_segment *segment, const ft_chunk *chunk, ft_cursor *from)
{
    bool continues = (chunk->flags & FT_CHUNK_CONTINUES) != 0;
    if ((continues || segment->open_type != 0) && ft_cursor_is_done(from))
        return FT_ERR_CORRUPT; /* no part of the text that is open, or shall be */
    while (!ft_cursor_is_done(from)) {
        uint64_t length = ft_cursor_get(from);
        if (from->failed || length > (size_t)(from->end - from->at))
            return FT_ERR_CORRUPT;
        const uint8_t *part = from->at;
        from->at += length;
        bool whole = !(continues && ft_cursor_is_done(from));
        ft_status status = take_part(segment, chunk, part, (size_t)length, whole);
        if (status != FT_OK)
            return status;
    }
    segment->open_type = continues ? chunk->type : 0;
    return segment->has_key && !continues ? FT_ERR_CORRUPT : FT_OK;
}

static ft_status take_codes(ft_segment *segment, ft_cursor *from)
{
    ft_profile *profile = segment->profile;
    while (!ft_cursor_is_done(from)) {
        uint32_t id, kind = ft_cursor_get_u32(from);
        ft_code code = {.kind = kind};
        code.file = ft_segment_get_text(segment, from);
        code.name = ft_segment_get_text(segment, from);
        code.qualname = ft_segment_get_text(segment, from);
        code.line = ft_cursor_get_u32(from);
        if (from->failed || kind == FT_CODE_ROOT)
            return FT_ERR_CORRUPT;
        if (kind >= FT_CODE_KINDS)
            return FT_ERR_NEWER;
        ft_status status = ft_segment_spend(segment, CODE_COST);
        if (status == FT_OK)
            status = ft_codetab_intern(&profile->codes, &code, &id);
        if (status == FT_OK)
            status = ft_ids_add(&segment->codes, profile->mem, id);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status take_processes(ft_segment *segment, ft_cursor *from)
{
    while (!ft_cursor_is_done(from)) {
        uint32_t index;
        ft_process process = {.pid = ft_cursor_get_u32(from)};
        process.parent_pid = ft_cursor_get_u32(from);
        process.command = ft_segment_get_text(segment, from);
        process.python = ft_segment_get_text(segment, from);
        process.started = ft_cursor_get(from);
        process.elapsed = ft_cursor_get(from);
        if (from->failed)
            return FT_ERR_CORRUPT;
        ft_status status = ft_segment_spend(segment, PROCESS_COST);
        if (status == FT_OK)
            status = ft_profile_add_process(segment->profile, &process, &index);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status take_threads(ft_segment *segment, ft_cursor *from)
{
    ft_profile *profile = segment->profile;
    while (!ft_cursor_is_done(from)) {
        uint32_t index, process = ft_segment_get_process(segment, from);
        uint32_t name = ft_segment_get_text(segment, from);
        uint64_t uses = ft_cursor_get(from);
        if (from->failed)
            return FT_ERR_CORRUPT;
        ft_status status = ft_segment_spend(segment, THREAD_COST);
        if (status == FT_OK)
            status = ft_profile_add_thread(profile, process, name, &index);
        if (status != FT_OK)
            return status;
        profile->threads[index].uses = uses;
    }
    return FT_OK;
}

static ft_status take_tree(ft_segment *segment, const ft_chunk *chunk, const uint8_t *raw)
{
    ft_profile *profile = segment->profile;
    if (chunk->stream >= profile->thread_count - segment->first_thread)
        return FT_ERR_CORRUPT;
    ft_tree *tree = &profile->threads[segment->first_thread + chunk->stream].tree;
    ft_columns_codes codes = {segment->codes.ids, segment->codes.count};
    uint32_t nodes;
    ft_status status = ft_columns_get(raw, chunk->raw_length, codes, tree, &nodes);
    if (status != FT_OK)
        return status;
    segment->nodes += nodes;
    return ft_segment_spend(segment, (uint64_t)nodes * NODE_COST); /* late by a chunk at most */
}

static ft_status take_links(ft_segment *segment, const ft_chunk *chunk, ft_cursor *from)
{
    const ft_profile *profile = segment->profile;
    if (chunk->stream >= profile->thread_count - segment->first_thread)
        return FT_ERR_CORRUPT;
    ft_tree *tree = &profile->threads[segment->first_thread + chunk->stream].tree;
    while (!ft_cursor_is_done(from)) {
        uint32_t before = tree->link_count == 0 ? 0 : tree->links[tree->link_count - 1].marker;
        uint32_t further = ft_cursor_get_u32(from), back = ft_cursor_get_u32(from);
        if (from->failed || further == 0 || further >= tree->count - before)
            return FT_ERR_CORRUPT;
        uint32_t marker = before + further;
        uint32_t kind = profile->codes.codes[tree->nodes[marker].code].kind;
        if (kind != FT_CODE_TASK || back == 0 || back >= marker)
            return FT_ERR_CORRUPT;
        ft_status status = ft_segment_spend(segment, LINK_COST);
        if (status == FT_OK)
            status = ft_tree_add_link(tree, marker, marker - back);
        if (status != FT_OK)
            return status;
    }
    return from->failed ? FT_ERR_CORRUPT : FT_OK;
}

static ft_status take_notes(ft_segment *segment, ft_cursor *from)
{
    while (!ft_cursor_is_done(from)) {
        ft_note note = {.kind = ft_cursor_get_u32(from)};
        note.process = ft_segment_get_process(segment, from);
        note.count = ft_cursor_get(from);
        if (from->failed)
            return FT_ERR_CORRUPT;
        ft_status status = ft_segment_spend(segment, NOTE_COST);
        if (status == FT_OK)
            status = ft_profile_add_note(segment->profile, &note);
        if (status != FT_OK)
            return status;
        segment->notes++;
    }
    return FT_OK;
}

static ft_status take_lines(ft_segment *segment, ft_cursor *from)
{
    ft_profile *profile = segment->profile;
    while (!ft_cursor_is_done(from)) {
        uint32_t code = ft_cursor_get_below(from, segment->codes.count);
        ft_line line = {.code = segment->codes.ids[code], .line = ft_cursor_get_u32(from)};
        line.hits = ft_cursor_get(from);
        line.time = ft_cursor_get(from);
        line.waiting = ft_cursor_get(from);
        line.callees = ft_cursor_get(from);
        bool of_function = profile->codes.codes[line.code].kind == FT_CODE_PYTHON;
        if (from->failed || !of_function || !ft_line_is_sound(&line))
            return FT_ERR_CORRUPT;
        ft_status status = ft_segment_spend(segment, LINE_COST);
        if (status == FT_OK)
            status = ft_lines_add(&profile->lines, &line);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status take_sources(ft_segment *segment, ft_cursor *from)
{
    while (!ft_cursor_is_done(from)) {
        uint32_t file = ft_segment_get_text(segment, from);
        uint32_t text = ft_segment_get_text(segment, from);
        if (from->failed)
            return FT_ERR_CORRUPT;
        if (++segment->sources > FT_READER_SOURCES_MAX)
            return FT_ERR_LIMIT;
        ft_status status = ft_segment_spend(segment, SOURCE_COST);
        if (status == FT_OK)
            status = ft_profile_set_source(segment->profile, file, text);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status take_end(ft_segment *segment, ft_cursor *from)
{
    const ft_profile *profile = segment->profile;
    const uint64_t counts[] = {
        segment->texts.count - 1, /* the first of each is not written */
        segment->codes.count - 1,
        profile->process_count - segment->first_process,
        profile->thread_count - segment->first_thread,
        segment->nodes,
        segment->notes,
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (ft_cursor_get(from) != counts[i])
            return FT_ERR_CORRUPT;
    segment->ended = ft_cursor_is_done(from) && !from->failed;
    return segment->ended ? FT_OK : FT_ERR_CORRUPT;
}

/* Payloads that are lists and end where the chunk ends. */
static ft_status take_list(ft_segment *segment, const ft_chunk *chunk, ft_cursor *from)
{
    switch (chunk->type) {
    case FT_CHUNK_META:
    case FT_CHUNK_TEXT:
        return take_texts(segment, chunk, from);
    case FT_CHUNK_CODE:
        return take_codes(segment, from);
    case FT_CHUNK_PROC:
        return take_processes(segment, from);
    case FT_CHUNK_THRD:
        return take_threads(segment, from);
    case FT_CHUNK_LINK:
        return take_links(segment, chunk, from);
    case FT_CHUNK_NOTE:
        return take_notes(segment, from);
    case FT_CHUNK_LINE:
        return take_lines(segment, from);
    case FT_CHUNK_SRCE:
        return take_sources(segment, from);
    case FT_CHUNK_END:
        return take_end(segment, from);
    default:
        if (ft_memory_chunks_knows(chunk->type))
            return ft_memory_chunks_take(segment, chunk->type, from);
        return ft_span_chunks_knows(chunk->type)
                   ? ft_span_chunks_take(segment, chunk->type, from)
                   : ft_timing_chunks_take(segment, chunk->type, from);
    }
}

bool ft_segment_knows(uint32_t type)
{
    switch (type) {
    case FT_CHUNK_META:
    case FT_CHUNK_TEXT:
    case FT_CHUNK_CODE:
    case FT_CHUNK_PROC:
    case FT_CHUNK_THRD:
    case FT_CHUNK_TREE:
    case FT_CHUNK_LINK:
    case FT_CHUNK_NOTE:
    case FT_CHUNK_LINE:
    case FT_CHUNK_SRCE:
    case FT_CHUNK_END:
        return true;
    default:
        return ft_memory_chunks_knows(type) || ft_timing_chunks_knows(type) ||
               ft_span_chunks_knows(type);
    }
}

ft_status ft_segment_take(ft_segment *segment, const ft_chunk *chunk, const uint8_t *raw)
{
    ft_cursor from = {raw, raw + chunk->raw_length, false};
    assert(ft_segment_knows(chunk->type));
    return chunk->type == FT_CHUNK_TREE ? take_tree(segment, chunk, raw)
                                        : take_list(segment, chunk, &from);
}
