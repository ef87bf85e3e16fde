/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c: a profile as the chunks of one segment, appended to a file.
 *
 * Dictionaries first, then what refers to them. The ids of the file are the profile's own, for a
 * segment holds the whole profile. Chunks gather in a buffer and go out in large writes. */
#include "engine/file/writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/buf.h"
#include "engine/file/chunk.h"
#include "engine/file/columns.h"

enum {
    FLUSH_BYTES = 1 << 20,          /* written at once; a system call costs less than 1 % of that */
    RECORD_MAX = 12 * FT_VARINT_MAX /* bytes of the longest record that is no text: a SITE */
};

typedef struct writer {
    int fd;
    const ft_profile *profile;
    ft_packer packer;
    ft_buf raw; /* the payload of the chunk that is being filled */
    ft_buf out; /* chunks that wait to be written */
    uint32_t sequence;
    uint64_t nodes;
} writer;

static ft_status write_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno == ENOSPC || errno == EDQUOT ? FT_ERR_DISK_FULL : FT_ERR_IO;
        bytes += done;
        length -= (size_t)done;
    }
    return FT_OK;
}

static ft_status flush(writer *to)
{
    ft_status status = ft_buf_status(&to->out);
    if (status == FT_OK)
        status = write_all(to->fd, to->out.data, to->out.length);
    ft_buf_clear(&to->out);
    return status;
}

/* The payload in to->raw as a chunk, and an empty payload. */
static ft_status put_chunk(writer *to, uint32_t type, uint32_t flags, uint32_t stream)
{
    ft_chunk head = {.type = type, .flags = flags, .stream = stream, .sequence = to->sequence};
    ft_status status = ft_buf_status(&to->raw);
    if (status == FT_OK)
        status = ft_packer_put(&to->packer, &head, to->raw.data, to->raw.length, &to->out);
    if (status == FT_OK && to->out.length >= FLUSH_BYTES)
        status = flush(to);
    ft_buf_clear(&to->raw);
    to->sequence++;
    return status;
}

/* What version 1.0 did not have, its readers do without. */
static uint32_t list_flags(uint32_t type)
{
    switch (type) {
    case FT_CHUNK_META:
    case FT_CHUNK_TEXT:
    case FT_CHUNK_CODE:
    case FT_CHUNK_PROC:
    case FT_CHUNK_THRD:
    case FT_CHUNK_NOTE:
        return 0;
    default:
        return FT_CHUNK_SKIPPABLE;
    }
}

/* What is left of a list, if anything. */
static ft_status put_rest(writer *to, uint32_t type)
{
    return to->raw.length == 0 ? ft_buf_status(&to->raw) : put_chunk(to, type, list_flags(type), 0);
}

/* Makes room for one more record. */
static ft_status put_full(writer *to, uint32_t type)
{
    return to->raw.length + RECORD_MAX > FT_FORMAT_RAW_MAX
               ? put_chunk(to, type, list_flags(type), 0)
               : FT_OK;
}

/* One record of a list, and room for one more. */
static ft_status put_record(writer *to, uint32_t type, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ft_buf_put_varint(&to->raw, numbers[i]);
    return put_full(to, type);
}

/* The same of the numbers that stand there. */
#define PUT_RECORD(to, type, ...)                                                                  \
    put_record(to, type, (const uint64_t[]){__VA_ARGS__},                                          \
               sizeof(uint64_t[]){__VA_ARGS__} / sizeof(uint64_t))

/* One text of a list. A full chunk always goes out with CONTINUES, if need be for an empty last
 * part, so that the pairs of META never fall apart. */
static ft_status put_text(writer *to, uint32_t type, ft_text text)
{
    for (;;) {
        assert(to->raw.length + FT_VARINT_MAX <= FT_FORMAT_RAW_MAX);
        size_t room = FT_FORMAT_RAW_MAX - FT_VARINT_MAX - to->raw.length;
        size_t part = text.length < room ? text.length : room;
        ft_buf_put_varint(&to->raw, part);
        ft_buf_put(&to->raw, text.data, part);
        text.data += part;
        text.length -= part;
        if (to->raw.length + FT_VARINT_MAX <= FT_FORMAT_RAW_MAX) {
            assert(text.length == 0 || ft_buf_status(&to->raw) != FT_OK);
            return ft_buf_status(&to->raw);
        }
        ft_status status = put_chunk(to, type, FT_CHUNK_CONTINUES, 0);
        if (status != FT_OK)
            return status;
    }
}

static ft_status put_meta(writer *to)
{
    const ft_profile *profile = to->profile;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < profile->meta_count && status == FT_OK; i++) {
        status = put_text(to, FT_CHUNK_META, ft_strtab_get(&profile->texts, profile->meta[i].key));
        if (status == FT_OK)
            status =
                put_text(to, FT_CHUNK_META, ft_strtab_get(&profile->texts, profile->meta[i].value));
    }
    return status == FT_OK ? put_chunk(to, FT_CHUNK_META, 0, 0) : status;
}

static ft_status put_texts(writer *to)
{
    const ft_strtab *texts = &to->profile->texts;
    ft_status status = FT_OK;
    for (uint32_t id = 1; id < texts->count && status == FT_OK; id++)
        status = put_text(to, FT_CHUNK_TEXT, ft_strtab_get(texts, id));
    return status == FT_OK ? put_rest(to, FT_CHUNK_TEXT) : status;
}

static ft_status put_codes(writer *to)
{
    const ft_codetab *codes = &to->profile->codes;
    for (uint32_t id = FT_CODE_NONE + 1; id < codes->count; id++) {
        const ft_code *code = &codes->codes[id];
        ft_buf_put_varint(&to->raw, code->kind);
        ft_buf_put_varint(&to->raw, code->file);
        ft_buf_put_varint(&to->raw, code->name);
        ft_buf_put_varint(&to->raw, code->qualname);
        ft_buf_put_varint(&to->raw, code->line);
        ft_status status = put_full(to, FT_CHUNK_CODE);
        if (status != FT_OK)
            return status;
    }
    return put_rest(to, FT_CHUNK_CODE);
}

static ft_status put_processes(writer *to)
{
    for (uint32_t i = 0; i < to->profile->process_count; i++) {
        const ft_process *process = &to->profile->processes[i];
        ft_buf_put_varint(&to->raw, process->pid);
        ft_buf_put_varint(&to->raw, process->parent_pid);
        ft_buf_put_varint(&to->raw, process->command);
        ft_buf_put_varint(&to->raw, process->python);
        ft_buf_put_varint(&to->raw, process->started);
        ft_buf_put_varint(&to->raw, process->elapsed);
        ft_status status = put_full(to, FT_CHUNK_PROC);
        if (status != FT_OK)
            return status;
    }
    return put_rest(to, FT_CHUNK_PROC);
}

static ft_status put_threads(writer *to)
{
    for (uint32_t i = 0; i < to->profile->thread_count; i++) {
        const ft_thread *thread = &to->profile->threads[i];
        ft_buf_put_varint(&to->raw, thread->process);
        ft_buf_put_varint(&to->raw, thread->name);
        ft_buf_put_varint(&to->raw, thread->uses);
        ft_status status = put_full(to, FT_CHUNK_THRD);
        if (status != FT_OK)
            return status;
    }
    return put_rest(to, FT_CHUNK_THRD);
}

static ft_status put_tree(writer *to, uint32_t thread)
{
    const ft_tree *tree = &to->profile->threads[thread].tree;
    for (uint32_t first = 0; first < tree->count;) {
        uint32_t count = tree->count - first;
        if (count > FT_COLUMNS_NODES)
            count = FT_COLUMNS_NODES;
        uint8_t *at = ft_buf_reserve(&to->raw, FT_COLUMNS_BYTES);
        if (at == NULL)
            return ft_buf_status(&to->raw);
        to->raw.length += ft_columns_put(at, tree, first, count);
        ft_status status = put_chunk(to, FT_CHUNK_TREE, 0, thread);
        if (status != FT_OK)
            return status;
        first += count;
        to->nodes += count;
    }
    return FT_OK;
}

/* Who does not know links sees all but who created a task. */
static ft_status put_links(writer *to, uint32_t thread)
{
    const ft_tree *tree = &to->profile->threads[thread].tree;
    uint32_t before = 0;
    for (uint32_t i = 0; i < tree->link_count; i++) {
        const ft_link *link = &tree->links[i];
        ft_buf_put_varint(&to->raw, link->marker - before);
        ft_buf_put_varint(&to->raw, link->marker - link->creator);
        before = link->marker;
        if (i + 1 < tree->link_count && to->raw.length + RECORD_MAX <= FT_FORMAT_RAW_MAX)
            continue;
        ft_status status = put_chunk(to, FT_CHUNK_LINK, FT_CHUNK_SKIPPABLE, thread);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status put_trees(writer *to)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < to->profile->thread_count && status == FT_OK; i++) {
        status = put_tree(to, i);
        if (status == FT_OK)
            status = put_links(to, i);
    }
    return status;
}

static ft_status put_notes(writer *to)
{
    for (uint32_t i = 0; i < to->profile->note_count; i++) {
        const ft_note *note = &to->profile->notes[i];
        ft_buf_put_varint(&to->raw, note->kind);
        ft_buf_put_varint(&to->raw, note->process);
        ft_buf_put_varint(&to->raw, note->count);
        ft_status status = put_full(to, FT_CHUNK_NOTE);
        if (status != FT_OK)
            return status;
    }
    return put_rest(to, FT_CHUNK_NOTE);
}

static ft_status put_lines(writer *to)
{
    const ft_lines *lines = &to->profile->lines;
    for (uint32_t i = 0; i < lines->count; i++) {
        const ft_line *line = &lines->lines[i];
        ft_buf_put_varint(&to->raw, line->code);
        ft_buf_put_varint(&to->raw, line->line);
        ft_buf_put_varint(&to->raw, line->hits);
        ft_buf_put_varint(&to->raw, line->time);
        ft_buf_put_varint(&to->raw, line->waiting);
        ft_buf_put_varint(&to->raw, line->callees);
        ft_status status = put_full(to, FT_CHUNK_LINE);
        if (status != FT_OK)
            return status;
    }
    return put_rest(to, FT_CHUNK_LINE);
}

static ft_status put_sources(writer *to)
{
    for (uint32_t i = 0; i < to->profile->source_count; i++) {
        ft_buf_put_varint(&to->raw, to->profile->sources[i].file);
        ft_buf_put_varint(&to->raw, to->profile->sources[i].text);
        ft_status status = put_full(to, FT_CHUNK_SRCE);
        if (status != FT_OK)
            return status;
    }
    return put_rest(to, FT_CHUNK_SRCE);
}

static ft_status put_sites(writer *to)
{
    const ft_sites *sites = &to->profile->memory.sites;
    ft_status status = FT_OK;
    for (uint32_t id = FT_SITE_NONE + 1; id < sites->count && status == FT_OK; id++) {
        const ft_site *site = &sites->sites[id];
        status = PUT_RECORD(to, FT_CHUNK_SITE, site->code, site->line, site->parent, site->domain,
                            site->total_count, site->total_bytes, site->peak_count,
                            site->peak_bytes, site->alive_count, site->alive_bytes,
                            site->temporary_count, site->temporary_bytes);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_SITE) : status;
}

static ft_status put_heaps(writer *to)
{
    const ft_memory *memory = &to->profile->memory;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < memory->heap_count && status == FT_OK; i++) {
        const ft_heap_summary *heap = &memory->heaps[i];
        status = PUT_RECORD(to, FT_CHUNK_HEAP, heap->process, heap->frames, heap->sample,
                            heap->total_count, heap->total_bytes, heap->peak_bytes, heap->peak_time,
                            heap->alive_count, heap->alive_bytes);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_HEAP) : status;
}

static ft_status put_moments(writer *to)
{
    const ft_memory *memory = &to->profile->memory;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < memory->moment_count && status == FT_OK; i++) {
        const ft_moment *moment = &memory->moments[i];
        status =
            PUT_RECORD(to, FT_CHUNK_MOMT, moment->process, moment->time, moment->live, moment->rss);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_MOMT) : status;
}

static ft_status put_points(writer *to)
{
    const ft_memory *memory = &to->profile->memory;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < memory->point_count && status == FT_OK; i++) {
        const ft_point *point = &memory->points[i];
        status = PUT_RECORD(to, FT_CHUNK_PONT, point->process, point->name, point->time,
                            point->live_count, point->live_bytes, point->rss);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_PONT) : status;
}

static ft_status put_point_rows(writer *to)
{
    const ft_memory *memory = &to->profile->memory;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < memory->point_row_count && status == FT_OK; i++) {
        const ft_point_row *row = &memory->point_rows[i];
        status = PUT_RECORD(to, FT_CHUNK_PROW, row->point, row->site, row->count, row->bytes);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_PROW) : status;
}

static ft_status put_objects(writer *to)
{
    const ft_memory *memory = &to->profile->memory;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < memory->object_count && status == FT_OK; i++) {
        const ft_object_row *object = &memory->objects[i];
        status = PUT_RECORD(to, FT_CHUNK_OBJS, object->process, object->type, object->site,
                            object->count, object->bytes);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_OBJS) : status;
}

static ft_status put_classes(writer *to)
{
    const ft_memory *memory = &to->profile->memory;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < memory->class_count && status == FT_OK; i++) {
        const ft_class_row *class_row = &memory->classes[i];
        status = PUT_RECORD(to, FT_CHUNK_CLAS, class_row->process, class_row->type, class_row->why,
                            class_row->instances, class_row->bytes, class_row->plain,
                            class_row->slotted);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_CLAS) : status;
}

static void put_double(ft_buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    ft_buf_put_u64(out, bits);
}

static ft_status put_series(writer *to)
{
    const ft_samples *samples = &to->profile->samples;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < samples->series_count && status == FT_OK; i++) {
        const ft_series *series = &samples->series[i];
        ft_buf_put_varint(&to->raw, series->label);
        ft_buf_put_varint(&to->raw, series->clock);
        ft_buf_put_varint(&to->raw, series->loops);
        put_double(&to->raw, series->empty);
        status = PUT_RECORD(to, FT_CHUNK_TIME, series->flags, series->bytes, series->blocks,
                            series->peak);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_TIME) : status;
}

static ft_status put_counters(writer *to)
{
    const ft_samples *samples = &to->profile->samples;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < samples->counter_count && status == FT_OK; i++) {
        ft_buf_put_varint(&to->raw, samples->counters[i].series);
        ft_buf_put_varint(&to->raw, samples->counters[i].name);
        put_double(&to->raw, samples->counters[i].value);
        status = put_full(to, FT_CHUNK_CNTR);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_CNTR) : status;
}

/* The samples of one group, in as many records as chunks they take; a record at least. number: the
 * group's in its series. */
static ft_status put_group(writer *to, const ft_group *group, uint32_t number)
{
    uint32_t at = 0;
    ft_status status;
    do {
        assert(to->raw.length + RECORD_MAX <= FT_FORMAT_RAW_MAX);
        uint32_t room = (uint32_t)((FT_FORMAT_RAW_MAX - RECORD_MAX - to->raw.length) / 8) + 1;
        uint32_t count = group->count - at < room ? group->count - at : room;
        ft_buf_put_varint(&to->raw, group->series);
        ft_buf_put_varint(&to->raw, number);
        ft_buf_put_varint(&to->raw, count);
        for (uint32_t i = 0; i < count; i++)
            put_double(&to->raw, to->profile->samples.seconds[group->first + at + i]);
        at += count;
        status = put_full(to, FT_CHUNK_SMPL);
    } while (at < group->count && status == FT_OK);
    return status;
}

static ft_status put_samples(writer *to)
{
    const ft_samples *samples = &to->profile->samples;
    ft_status status = FT_OK;
    uint32_t first = 0; /* group of the series */
    for (uint32_t i = 0; i < samples->group_count && status == FT_OK; i++) {
        if (samples->groups[i].series != samples->groups[first].series)
            first = i;
        status = put_group(to, &samples->groups[i], i - first);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_SMPL) : status;
}

static ft_status put_collections(writer *to)
{
    const ft_spans *spans = &to->profile->spans;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < spans->collection_count && status == FT_OK; i++) {
        const ft_collection *row = &spans->collections[i];
        status = PUT_RECORD(to, FT_CHUNK_COLL, row->process, row->generation, row->start,
                            row->duration, row->collected, row->uncollectable);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_COLL) : status;
}

static ft_status put_collection_sums(writer *to)
{
    const ft_spans *spans = &to->profile->spans;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < spans->sum_count && status == FT_OK; i++) {
        const ft_collection_sum *sum = &spans->sums[i];
        status = PUT_RECORD(to, FT_CHUNK_CSUM, sum->process, sum->generation, sum->count, sum->time,
                            sum->longest, sum->collected, sum->uncollectable);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_CSUM) : status;
}

static ft_status put_thread_spans(writer *to)
{
    const ft_spans *spans = &to->profile->spans;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < spans->thread_count && status == FT_OK; i++) {
        const ft_thread_span *span = &spans->threads[i];
        uint64_t lasted = span->end == FT_SPAN_OPEN ? 0 : span->end - span->start + 1;
        status = PUT_RECORD(to, FT_CHUNK_SPAN, span->thread, span->uses, span->start, lasted);
    }
    return status == FT_OK ? put_rest(to, FT_CHUNK_SPAN) : status;
}

static ft_status put_end(writer *to)
{
    const ft_profile *profile = to->profile;
    ft_buf_put_varint(&to->raw, profile->texts.count - 1); /* the first of each is not written */
    ft_buf_put_varint(&to->raw, profile->codes.count - 1);
    ft_buf_put_varint(&to->raw, profile->process_count);
    ft_buf_put_varint(&to->raw, profile->thread_count);
    ft_buf_put_varint(&to->raw, to->nodes);
    ft_buf_put_varint(&to->raw, profile->note_count);
    return put_chunk(to, FT_CHUNK_END, 0, 0);
}

static ft_status put_opening(writer *to)
{
    ft_header_put(&to->out, FT_FORMAT_MAJOR, FT_FORMAT_MINOR);
    return put_meta(to);
}

static ft_status put_profile(writer *to)
{
    ft_status (*const parts[])(writer *) = {put_meta,         put_texts,       put_codes,
                                            put_processes,    put_threads,     put_trees,
                                            put_notes,        put_lines,       put_sources,
                                            put_sites,        put_heaps,       put_moments,
                                            put_points,       put_point_rows,  put_objects,
                                            put_classes,      put_series,      put_counters,
                                            put_samples,      put_collections, put_collection_sums,
                                            put_thread_spans, put_end};
    ft_status status = FT_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == FT_OK; i++)
        status = parts[i](to);
    return status;
}

/* Runs put between opening and flushing; on a failure the file is cut back to `start`. */
static ft_status run(int fd, off_t start, const ft_profile *profile, ft_status (*put)(writer *))
{
    writer to = {.fd = fd, .profile = profile};
    ft_buf_init(&to.raw, profile->mem);
    ft_buf_init(&to.out, profile->mem);
    ft_status status = ft_packer_init(&to.packer, profile->mem);
    if (status == FT_OK)
        status = put(&to);
    if (status == FT_OK)
        status = flush(&to);
    if (status != FT_OK) {
        int saved = errno;
        if (ftruncate(fd, start) == 0) /* nothing more can be done if even that fails */
            (void)lseek(fd, start, SEEK_SET);
        errno = saved;
    }
    ft_packer_fini(&to.packer);
    ft_buf_fini(&to.out);
    ft_buf_fini(&to.raw);
    return status;
}

ft_status ft_writer_begin(int fd, const ft_profile *meta_only)
{
    off_t start = lseek(fd, 0, SEEK_CUR);
    return start < 0 ? FT_ERR_IO : run(fd, start, meta_only, put_opening);
}

ft_status ft_writer_append(int fd, const ft_profile *profile)
{
    off_t start = lseek(fd, 0, SEEK_END);
    return start < 0 ? FT_ERR_IO : run(fd, start, profile, put_profile);
}
