/* SPDX-License-Identifier: Apache-2.0 */
/* harvest.c: arenas become a profile (see harvest.h).
 *
 * The file is read with pread, block by block: a mapping would die of SIGBUS if somebody cut the
 * file short, and whole arenas can be large. The copies are plain memory, checked before use. */
#include "engine/record/harvest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "engine/record/arena.h"
#include "engine/record/heap_harvest.h"
#include "engine/record/line_harvest.h"
#include "engine/record/recorder.h"
#include "engine/record/recording.h"
#include "engine/record/span_harvest.h"

enum {
    MAX_BLOCK = 1 << 30,
    MAX_BLOCKS = 1 << 20 /* 64 GiB of smallest blocks */
};

typedef struct block_place {
    uint64_t offset, used, address;
    uint32_t kind, owner;
    uint32_t first_node; /* CONTEXTS: the node id of its first context */
    uint32_t order;
} block_place;

typedef struct harvest {
    ft_profile *profile;
    const ft_mem *mem;
    int fd; /* -1: the arena is in this process's memory, and offsets are addresses */
    ft_arena_header header;
    uint64_t bytes;      /* of the file, as far as it is published */
    block_place *blocks; /* owned, sorted by kind, owner, place */
    uint32_t block_count, block_room;
    uint32_t *codes; /* owned: the profile's code id of each code number */
    uint32_t code_count, code_room;
    uint32_t *texts; /* owned: the profile's text of each text number */
    uint32_t text_count, text_room;
    ft_recorder *recorders; /* owned copies */
    uint32_t recorder_count;
    uint8_t *buffer; /* owned: one block's content */
    uint64_t buffer_room;
    uint32_t process;
    bool open_until_now; /* open calls last until `now` */
    bool replaced;       /* the process runs another program by now (exec) */
    uint64_t cpu_ns;     /* of the process, as far as it is known */
    ft_node *open_node;  /* borrowed: the call that was open longest ... */
    uint64_t open_ns;    /* ... and for how long */
    ft_clock_pair now;
    uint64_t last_event; /* ticks */
    double ns_per_tick;
    uint64_t torn;
    ft_line_harvest lines;
    ft_heap_harvest heap;
    ft_span_harvest spans;
} harvest;

/* ---- reading ---- */

static bool read_at(int fd, void *into, uint64_t length, uint64_t offset)
{
    uint64_t done = 0;
    while (done < length) {
        ssize_t got = pread(fd, (char *)into + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (uint64_t)got;
    }
    return true;
}

/* The block's used bytes in h->buffer; FT_ERR_CORRUPT when they can not be read. */
static ft_status load(harvest *h, const block_place *place)
{
    if (place->used > h->buffer_room) {
        uint8_t *moved = ft_mem_resize(h->mem, h->buffer, place->used, 1);
        if (moved == NULL)
            return FT_ERR_MEMORY;
        h->buffer = moved;
        h->buffer_room = place->used;
    }
    if (h->fd < 0) {
        const ft_block *block = (const ft_block *)(uintptr_t)place->offset;
        if (place->used > 0)
            memcpy(h->buffer, block + 1, place->used);
        return FT_OK;
    }
    if (read_at(h->fd, h->buffer, place->used, place->offset + FT_BLOCK_HEADER_BYTES))
        return FT_OK;
    h->torn++;
    return FT_ERR_CORRUPT;
}

static bool is_sound(const harvest *h, const ft_block *block, uint64_t offset)
{
    uint64_t used = atomic_load_explicit(&block->used, memory_order_relaxed);
    return block->magic == FT_BLOCK_MAGIC && block->bytes >= FT_BLOCK_MIN_BYTES &&
           block->bytes <= MAX_BLOCK && block->bytes <= h->bytes - offset &&
           used <= block->bytes - FT_BLOCK_HEADER_BYTES;
}

static ft_status add_place(harvest *h, const ft_block *block, uint64_t offset)
{
    block_place *blocks =
        ft_array_grow(h->mem, h->blocks, h->block_count + 1, &h->block_room, sizeof *blocks);
    if (blocks == NULL)
        return FT_ERR_MEMORY;
    h->blocks = blocks;
    h->blocks[h->block_count] = (block_place){
        .offset = offset,
        .used = atomic_load_explicit(&block->used, memory_order_relaxed),
        .address = block->address,
        .kind = block->kind,
        .owner = block->owner,
        .order = h->block_count,
    };
    h->block_count++;
    return FT_OK;
}

static int by_kind_owner_order(const void *left, const void *right)
{
    const block_place *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* The blocks from *offset on to the end of what is published; only those of a kind, or all for 0.
 */
static ft_status find_blocks(harvest *h, uint64_t *offset, uint32_t kind)
{
    ft_block block;
    while (h->bytes - *offset >= FT_BLOCK_HEADER_BYTES && h->block_count < MAX_BLOCKS) {
        if (!read_at(h->fd, &block, sizeof block, *offset) || !is_sound(h, &block, *offset)) {
            h->torn++; /* where the next one begins is not known */
            break;
        }
        ft_status status = kind == 0 || block.kind == kind ? add_place(h, &block, *offset) : FT_OK;
        if (status != FT_OK)
            return status;
        *offset += block.bytes;
    }
    return FT_OK;
}

/* A living process goes on while its arena is read, and publishes what others refer to before them:
 * contexts and sites after their function's record, cells after their site. So what there is of
 * such a kind is asked last. offset: where the blocks that were found ended. */
static ft_status find_newer(harvest *h, uint64_t offset, uint32_t kind)
{
    ft_block block;
    struct stat info;
    ft_arena_header header;
    for (uint32_t i = 0; i < h->block_count; i++) {
        block_place *place = &h->blocks[i];
        if (place->kind == kind && read_at(h->fd, &block, sizeof block, place->offset) &&
            is_sound(h, &block, place->offset))
            place->used = atomic_load_explicit(&block.used, memory_order_relaxed);
    }
    if (!read_at(h->fd, &header, sizeof header, 0) || fstat(h->fd, &info) != 0)
        return FT_OK;
    uint64_t bytes = atomic_load_explicit(&header.bytes, memory_order_relaxed);
    if (bytes > h->bytes && bytes <= (uint64_t)info.st_size)
        h->bytes = bytes;
    return find_blocks(h, &offset, kind);
}

static void sort_blocks(harvest *h)
{
    if (h->block_count > 0)
        qsort(h->blocks, h->block_count, sizeof *h->blocks, by_kind_owner_order);
}

static ft_status find_all_blocks(harvest *h)
{
    uint64_t offset = FT_ARENA_HEADER_BYTES;
    ft_status status = find_blocks(h, &offset, 0);
    if (status == FT_OK && h->torn == 0)
        status = find_newer(h, offset, FT_BLOCK_SITES);
    if (status == FT_OK && h->torn == 0)
        status = find_newer(h, offset, FT_BLOCK_RECORDS);
    sort_blocks(h);
    return status;
}

/* The blocks of an arena in memory. Its list is newest first, their order is oldest first. */
static ft_status list_blocks(harvest *h, const ft_block *newest)
{
    for (const ft_block *block = newest; block != NULL; block = block->next) {
        ft_status status = add_place(h, block, (uint64_t)(uintptr_t)block);
        if (status != FT_OK)
            return status;
    }
    for (uint32_t i = 0; i < h->block_count; i++)
        h->blocks[i].order = h->block_count - 1 - i;
    sort_blocks(h);
    return FT_OK;
}

/* ---- functions and properties ---- */

static ft_status add_code(harvest *h, const ft_record *record, const char *text)
{
    ft_code code = {.line = record->line, .kind = record->kind};
    uint32_t *fields[3] = {&code.file, &code.name, &code.qualname};
    uint32_t *codes = ft_array_grow(h->mem, h->codes, h->code_count + 2, &h->code_room,
                                    sizeof *codes); /* number 0 is there besides */
    if (codes == NULL)
        return FT_ERR_MEMORY;
    h->codes = codes;
    for (int i = 0; i < 3; text += record->lengths[i], i++) {
        ft_status status =
            ft_strtab_intern(&h->profile->texts, text, record->lengths[i], fields[i]);
        if (status != FT_OK)
            return status;
    }
    return ft_codetab_intern(&h->profile->codes, &code, &h->codes[++h->code_count]);
}

static ft_status add_text(harvest *h, const ft_record *record, const char *text)
{
    uint32_t *texts = ft_array_grow(h->mem, h->texts, h->text_count + 2, &h->text_room,
                                    sizeof *texts); /* number 0 is no text's */
    if (texts == NULL)
        return FT_ERR_MEMORY;
    h->texts = texts;
    return ft_strtab_intern(&h->profile->texts, text, record->lengths[0],
                            &h->texts[++h->text_count]);
}

static ft_status set_property(harvest *h, const ft_record *record, const char *text)
{
    ft_process *process = &h->profile->processes[h->process];
    const char *value = text + record->lengths[0];
    uint32_t *field = NULL;
    if (record->lengths[0] == 7 && memcmp(text, "command", 7) == 0)
        field = &process->command;
    if (record->lengths[0] == 6 && memcmp(text, "python", 6) == 0)
        field = &process->python;
    if (field == NULL)
        return FT_OK;
    return ft_strtab_intern(&h->profile->texts, value, record->lengths[1], field);
}

static bool record_is_sound(const ft_record *record, uint64_t room)
{
    uint64_t texts = 0;
    for (int i = 0; i < 3; i++)
        texts += record->lengths[i];
    return record->bytes >= sizeof *record && record->bytes <= room && record->bytes % 8 == 0 &&
           texts <= record->bytes - sizeof *record &&
           (record->type != FT_RECORD_CODE ||
            (record->kind > FT_CODE_ROOT && record->kind < FT_CODE_KINDS));
}

static ft_status read_records(harvest *h, const block_place *place)
{
    ft_record record;
    for (uint64_t at = 0; place->used - at >= sizeof record; at += record.bytes) {
        memcpy(&record, h->buffer + at, sizeof record);
        if (!record_is_sound(&record, place->used - at)) {
            h->torn++;
            return FT_OK;
        }
        const char *text = (const char *)h->buffer + at + sizeof record;
        ft_status status = FT_OK;
        if (record.type == FT_RECORD_CODE)
            status = add_code(h, &record, text);
        else if (record.type == FT_RECORD_PROPERTY)
            status = set_property(h, &record, text);
        else if (record.type == FT_RECORD_TEXT)
            status = add_text(h, &record, text);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status read_recorders(harvest *h, const block_place *place)
{
    uint32_t count = (uint32_t)(place->used / sizeof(ft_recorder));
    if (count == 0)
        return FT_OK;
    ft_recorder *moved =
        ft_mem_resize(h->mem, h->recorders, (size_t)h->recorder_count + count, sizeof *moved);
    if (moved == NULL)
        return FT_ERR_MEMORY;
    h->recorders = moved;
    memcpy(&h->recorders[h->recorder_count], h->buffer, count * sizeof *moved);
    for (uint32_t i = 0; i < count; i++) {
        const ft_recorder *recorder = &h->recorders[h->recorder_count + i];
        if (recorder->slice_start > h->last_event)
            h->last_event = recorder->slice_start;
    }
    h->recorder_count += count;
    return FT_OK;
}

static ft_status read_blocks_of(harvest *h, ft_block_kind kind,
                                ft_status (*read)(harvest *, const block_place *))
{
    for (uint32_t i = 0; i < h->block_count; i++) {
        if (h->blocks[i].kind != (uint32_t)kind)
            continue;
        ft_status status = load(h, &h->blocks[i]);
        if (status == FT_OK)
            status = read(h, &h->blocks[i]);
        if (status != FT_OK && status != FT_ERR_CORRUPT)
            return status;
    }
    return FT_OK;
}

/* ---- trees ---- */

/* The node id of the context at `address` among one recorder's blocks, or UINT32_MAX. */
static uint32_t node_at(const block_place *blocks, uint32_t count, uint64_t address)
{
    for (uint32_t i = count; i-- > 0;) {
        uint64_t offset = address - blocks[i].address - FT_BLOCK_HEADER_BYTES;
        if (offset < blocks[i].used)
            return offset % sizeof(ft_context) == 0
                       ? blocks[i].first_node + (uint32_t)(offset / sizeof(ft_context))
                       : UINT32_MAX;
    }
    return UINT32_MAX;
}

static uint64_t to_ns(const harvest *h, uint64_t ticks)
{
    return ft_clock_to_ns(ticks, h->ns_per_tick);
}

static uint32_t kind_of(const harvest *h, const ft_node *node)
{
    return h->profile->codes.codes[node->code].kind;
}

/* An AWAITED context adds ends and takes beginnings away (tasks.h): those that are open end now. Of
 * its two words one may be an event older than the other; the sum is too small then. */
static uint64_t awaited_ticks(const harvest *h, uint64_t own, uint64_t open, uint64_t calls)
{
    uint64_t first = ft_arena_first_ticks(&h->header);
    uint64_t now = h->open_until_now ? h->now.ticks : h->last_event;
    uint64_t end = now > first ? now - first : 0;
    double most = (double)calls * (double)end;
    uint64_t ticks = own + open * end;
    if ((double)ticks > most)
        ticks += end;
    return (double)ticks > most ? 0 : ticks;
}

static void set_counters(const harvest *h, ft_node *node, const ft_context *context)
{
    uint64_t own = atomic_load_explicit(&context->own, memory_order_relaxed);
    uint64_t waiting = atomic_load_explicit(&context->waiting, memory_order_relaxed);
    node->calls = atomic_load_explicit(&context->calls, memory_order_relaxed);
    if (kind_of(h, node) == FT_CODE_AWAITED)
        own = waiting = awaited_ticks(h, own, waiting, node->calls);
    node->own = to_ns(h, own);
    node->waiting = to_ns(h, waiting < own ? waiting : own);
}

/* The key of a task's marker is the context that created it, or no context at all. */
static ft_status link_creator(const harvest *h, ft_tree *tree, uint32_t marker,
                              const block_place *blocks, uint32_t count, const ft_context *context)
{
    if (kind_of(h, &tree->nodes[marker]) != FT_CODE_TASK)
        return FT_OK;
    uint32_t creator = node_at(blocks, count, (uint64_t)(uintptr_t)context->key);
    return creator == 0 || creator >= marker ? FT_OK : ft_tree_add_link(tree, marker, creator);
}

static ft_status add_context(harvest *h, ft_tree *tree, const block_place *blocks, uint32_t count,
                             const ft_context *context)
{
    uint32_t id;
    uint32_t parent = node_at(blocks, count, (uint64_t)(uintptr_t)context->parent);
    bool sound = parent < tree->count && context->code > 0 && context->code <= h->code_count;
    h->torn += !sound;
    ft_status status =
        ft_tree_add(tree, sound ? parent : 0, sound ? h->codes[context->code] : h->codes[0], &id);
    if (status != FT_OK)
        return status;
    set_counters(h, &tree->nodes[id], context);
    return link_creator(h, tree, id, blocks, count, context);
}

static ft_status add_contexts(harvest *h, ft_tree *tree, block_place *blocks, uint32_t count)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        blocks[i].first_node = (uint32_t)total;
        total += blocks[i].used / sizeof(ft_context);
    }
    ft_status status =
        total > UINT32_MAX / 2 ? FT_ERR_LIMIT : ft_tree_reserve(tree, (uint32_t)total);
    for (uint32_t i = 0; i < count && status == FT_OK; i++) {
        status = load(h, &blocks[i]);
        if (status == FT_ERR_CORRUPT)
            return FT_OK; /* counted; what follows hangs off it */
        const ft_context *contexts = (const ft_context *)(const void *)h->buffer;
        uint64_t held = blocks[i].used / sizeof *contexts;
        for (uint64_t k = i == 0; k < held && status == FT_OK; k++) /* the first one is the root */
            status = add_context(h, tree, blocks, i + 1, &contexts[k]);
    }
    return status;
}

/* A program that replaced itself is over, whatever its process does now. */
static bool is_exec(const harvest *h, uint32_t code)
{
    ft_text name = ft_strtab_get(&h->profile->texts, h->profile->codes.codes[code].name);
    return strcmp(name.data, "<built-in method posix.execv>") == 0 ||
           strcmp(name.data, "<built-in method posix.execve>") == 0;
}

/* The call that was running when the process died, or still runs. */
static void end_open_slice(harvest *h, ft_tree *tree, const block_place *blocks, uint32_t count,
                           const ft_recorder *recorder)
{
    uint32_t node = node_at(blocks, count, (uint64_t)(uintptr_t)recorder->current);
    if (!h->open_until_now || node == 0 || node >= tree->count ||
        h->now.ticks <= recorder->slice_start ||
        atomic_load_explicit(&recorder->state, memory_order_relaxed) != FT_RECORDER_IN_USE)
        return;
    if (is_exec(h, tree->nodes[node].code)) {
        h->replaced = true;
        h->open_until_now = false;
        return;
    }
    uint64_t open_ns = to_ns(h, h->now.ticks - recorder->slice_start);
    tree->nodes[node].own += open_ns;
    if (open_ns > h->open_ns) {
        h->open_ns = open_ns;
        h->open_node = &tree->nodes[node];
    }
}

/* No probe saw whether the call that was open at the end ran or waited. What was recorded as
 * running beyond the process's CPU time can only have been waiting in it. */
static void find_open_waiting(harvest *h, uint32_t first_thread)
{
    uint64_t running = 0;
    if (h->open_node == NULL || h->cpu_ns == 0)
        return;
    for (uint32_t t = first_thread; t < h->profile->thread_count; t++) {
        const ft_tree *tree = &h->profile->threads[t].tree;
        for (uint32_t id = 1; id < tree->count; id++)
            running += tree->nodes[id].own - tree->nodes[id].waiting;
    }
    uint64_t beyond = running > h->cpu_ns ? running - h->cpu_ns : 0;
    h->open_node->waiting += beyond < h->open_ns ? beyond : h->open_ns;
}

static ft_status add_thread(harvest *h, block_place *blocks, uint32_t count)
{
    char name[32];
    uint32_t text, index, owner = blocks[0].owner;
    int length = owner == 0 ? snprintf(name, sizeof name, "main")
                            : snprintf(name, sizeof name, "thread %u", owner + 1);
    ft_status status = ft_strtab_intern(&h->profile->texts, name, (size_t)length, &text);
    if (status == FT_OK)
        status = ft_profile_add_thread(h->profile, h->process, text, &index);
    if (status != FT_OK)
        return status;
    ft_thread *thread = &h->profile->threads[index];
    status = add_contexts(h, &thread->tree, blocks, count);
    if (status == FT_OK && owner < h->recorder_count) {
        h->spans.threads[owner] = index;
        thread->uses = atomic_load_explicit(&h->recorders[owner].uses, memory_order_relaxed);
        end_open_slice(h, &thread->tree, blocks, count, &h->recorders[owner]);
    }
    return status;
}

static ft_status add_threads(harvest *h)
{
    for (uint32_t first = 0, end; first < h->block_count; first = end) {
        end = first + 1;
        if (h->blocks[first].kind != FT_BLOCK_CONTEXTS)
            continue;
        while (end < h->block_count && h->blocks[end].kind == FT_BLOCK_CONTEXTS &&
               h->blocks[end].owner == h->blocks[first].owner)
            end++;
        ft_status status = add_thread(h, &h->blocks[first], end - first);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

/* ---- lines ---- */

static ft_status read_lines(harvest *h, const block_place *place)
{
    return ft_line_harvest_cells(&h->lines, h->buffer, place->used,
                                 place->address + FT_BLOCK_HEADER_BYTES);
}

static ft_status read_activations(harvest *h, const block_place *place)
{
    return ft_line_harvest_activations(&h->lines, h->buffer, place->used);
}

static ft_status add_lines(harvest *h)
{
    h->lines.codes = h->codes;
    h->lines.code_count = h->code_count;
    if (h->open_until_now)
        h->lines.end = h->now.ticks;
    h->lines.cpu = (uint64_t)((double)h->cpu_ns / h->ns_per_tick);
    h->lines.last_event = h->last_event;
    ft_status status = read_blocks_of(h, FT_BLOCK_LINES, read_lines);
    if (status == FT_OK)
        status = read_blocks_of(h, FT_BLOCK_ACTIVATIONS, read_activations);
    if (status == FT_OK)
        status = ft_line_harvest_finish(&h->lines, h->profile, h->ns_per_tick);
    h->last_event = h->lines.last_event;
    h->torn += h->lines.torn;
    return status;
}

/* ---- the heap ---- */

/* Their kinds are in the order in which they are read. */
static ft_status read_heap(harvest *h)
{
    bool gap = false; /* in the sites: the numbers of those behind it are not known */
    for (uint32_t i = 0; i < h->block_count; i++) {
        const block_place *place = &h->blocks[i];
        const bool sites = place->kind == FT_BLOCK_SITES;
        if (place->kind < FT_BLOCK_HEAP || place->kind > FT_BLOCK_CLASSES || (sites && gap))
            continue;
        ft_status status = load(h, place);
        gap |= sites && status == FT_ERR_CORRUPT;
        if (status == FT_OK)
            status = ft_heap_harvest_block(&h->heap, (ft_block_kind)place->kind, place->owner,
                                           h->buffer, place->used);
        if (status != FT_OK && status != FT_ERR_CORRUPT)
            return status;
    }
    return ft_heap_harvest_finish(&h->heap);
}

static ft_status add_heap(harvest *h)
{
    uint64_t begun = atomic_load_explicit(&h->header.begun, memory_order_relaxed);
    h->heap.profile = h->profile;
    h->heap.process = h->process;
    h->heap.codes = h->codes;
    h->heap.code_count = h->code_count;
    h->heap.texts = h->texts;
    h->heap.text_count = h->text_count;
    h->heap.begun = begun != 0 ? begun : ft_arena_first_ticks(&h->header);
    h->heap.end = h->lines.end;
    h->heap.ns_per_tick = h->ns_per_tick;
    h->heap.last_event = h->last_event;
    ft_status status = read_heap(h);
    h->last_event = h->heap.last_event;
    h->torn += h->heap.torn;
    return status;
}

/* ---- spans ---- */

static ft_status read_spans(harvest *h, const block_place *place)
{
    return ft_span_harvest_block(&h->spans, h->buffer, place->used);
}

static ft_status add_spans(harvest *h)
{
    h->spans.profile = h->profile;
    h->spans.process = h->process;
    h->spans.begun = h->heap.begun;
    h->spans.ns_per_tick = h->ns_per_tick;
    h->spans.last_event = h->last_event;
    ft_status status = read_blocks_of(h, FT_BLOCK_SPANS, read_spans);
    h->last_event = h->spans.last_event;
    h->torn += h->spans.torn;
    return status;
}

/* The content of all blocks that were found. */
static ft_status read_all(harvest *h)
{
    ft_status status = read_blocks_of(h, FT_BLOCK_RECORDS, read_records);
    if (status == FT_OK)
        status = read_blocks_of(h, FT_BLOCK_RECORDERS, read_recorders);
    if (status == FT_OK)
        status = ft_span_harvest_start(&h->spans, h->recorder_count);
    if (status == FT_OK)
        status = add_threads(h);
    if (status == FT_OK)
        status = add_lines(h);
    if (status == FT_OK)
        status = add_heap(h);
    return status == FT_OK ? add_spans(h) : status;
}

/* ---- the process ---- */

static uint64_t difference(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* The rate of the ticks. The longest span is the most exact: until now, if that is the same boot.
 */
static void set_clock(harvest *h)
{
    const uint64_t second = UINT64_C(1000000000);
    const ft_arena_header *header = &h->header;
    ft_clock_source source =
        header->clock_source == FT_CLOCK_COUNTER ? FT_CLOCK_COUNTER : FT_CLOCK_SYSTEM;
    h->now = ft_clock_read_pair(source);
    ft_clock_pair last = {
        .ticks = atomic_load_explicit(&header->last_ticks, memory_order_relaxed),
        .ns = atomic_load_explicit(&header->last_ns, memory_order_relaxed),
    };
    uint64_t boot_now = ft_clock_ns(CLOCK_REALTIME) - h->now.ns;
    bool same_boot = difference(boot_now, header->started_unix - header->first.ns) < 5 * second &&
                     h->now.ns > header->first.ns && h->now.ticks > header->first.ticks;
    h->ns_per_tick = ft_clock_ns_per_tick(source, header->first, same_boot ? h->now : last);
    h->open_until_now = h->open_until_now && same_boot;
}

static void close_harvest(harvest *h)
{
    if (h->fd >= 0)
        close(h->fd);
    ft_mem_free(h->mem, h->blocks);
    ft_mem_free(h->mem, h->codes);
    ft_mem_free(h->mem, h->texts);
    ft_mem_free(h->mem, h->recorders);
    ft_mem_free(h->mem, h->buffer);
    ft_line_harvest_fini(&h->lines);
    ft_heap_harvest_fini(&h->heap);
    ft_span_harvest_fini(&h->spans);
}

static ft_status add_notes(harvest *h, bool alive)
{
    uint64_t counts[FT_ARENA_NOTES] = {0};
    for (uint32_t kind = 1; kind < FT_ARENA_NOTES; kind++)
        counts[kind] = atomic_load_explicit(&h->header.notes[kind], memory_order_relaxed);
    counts[FT_NOTE_TORN] += h->torn;
    counts[FT_NOTE_STILL_RUNNING] += alive;
    counts[FT_NOTE_NEVER_STARTED] +=
        atomic_load_explicit(&h->header.begun, memory_order_relaxed) == 0 &&
        counts[FT_NOTE_NO_TOOL_ID] == 0; /* which says why */
    for (uint32_t kind = 1; kind < FT_ARENA_NOTES; kind++) {
        ft_note note = {.kind = kind, .process = h->process, .count = counts[kind]};
        if (counts[kind] == 0)
            continue;
        ft_status status = ft_profile_add_note(h->profile, &note);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static void set_elapsed(harvest *h)
{
    uint64_t begun = atomic_load_explicit(&h->header.begun, memory_order_relaxed);
    uint64_t end = h->open_until_now ? h->now.ticks : h->last_event;
    if (begun != 0 && end > begun)
        h->profile->processes[h->process].elapsed = to_ns(h, end - begun);
}

static ft_status open_file(harvest *h, const char *path)
{
    struct stat info;
    h->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (h->fd < 0 || fstat(h->fd, &info) != 0)
        return FT_ERR_IO;
    if (!S_ISREG(info.st_mode) || info.st_size < FT_ARENA_HEADER_BYTES ||
        !read_at(h->fd, &h->header, sizeof h->header, 0) || h->header.magic != FT_ARENA_MAGIC)
        return FT_ERR_FOREIGN;
    if (h->header.layout != FT_RECORDING_LAYOUT)
        return FT_ERR_NEWER;
    h->bytes = atomic_load_explicit(&h->header.bytes, memory_order_acquire);
    if (h->bytes > (uint64_t)info.st_size || h->bytes < FT_ARENA_HEADER_BYTES)
        h->bytes = (uint64_t)info.st_size;
    return FT_OK;
}

static ft_status add_process(harvest *h)
{
    ft_process process = {.pid = h->header.pid,
                          .parent_pid = h->header.parent_pid,
                          .started = h->header.started_unix};
    ft_record damaged = {.kind = FT_CODE_PYTHON, .lengths = {0, 9, 9}};
    ft_status status = ft_profile_add_process(h->profile, &process, &h->process);
    if (status != FT_OK)
        return status;
    /* Number 0 is no function's: it stands for those that were damaged. */
    status = add_code(h, &damaged, "<damaged><damaged>");
    if (status != FT_OK)
        return status;
    h->codes[0] = h->codes[1];
    h->code_count = 0;
    return FT_OK;
}

static bool is_alive(const ft_arena_header *header)
{
    return header->process_start != 0 &&
           ft_arena_process_start(header->pid) == header->process_start;
}

ft_status ft_harvest_file(ft_profile *profile, const char *path, ft_harvest_death death)
{
    harvest h = {.profile = profile,
                 .mem = profile->mem,
                 .fd = -1,
                 .lines.mem = profile->mem,
                 .heap.mem = profile->mem,
                 .spans.mem = profile->mem};
    uint32_t first_thread = profile->thread_count;
    ft_status status = open_file(&h, path);
    if (status != FT_OK)
        goto done;
    bool alive = is_alive(&h.header);
    h.open_until_now = alive || h.header.pid == death.pid;
    h.cpu_ns = alive ? ft_arena_process_cpu(h.header.pid) : death.cpu_ns;
    set_clock(&h);
    status = add_process(&h);
    if (status == FT_OK)
        status = find_all_blocks(&h);
    if (status == FT_OK)
        status = read_all(&h);
    if (status == FT_OK)
        find_open_waiting(&h, first_thread);
    if (status == FT_OK)
        status = add_notes(&h, alive && !h.replaced);
    if (status == FT_OK)
        set_elapsed(&h);

done:
    close_harvest(&h);
    return status;
}

ft_status ft_harvest_recording(ft_profile *profile, const ft_recording *recording)
{
    harvest h = {.profile = profile,
                 .mem = profile->mem,
                 .fd = -1,
                 .lines.mem = profile->mem,
                 .heap.mem = profile->mem,
                 .spans.mem = profile->mem};
    assert(recording->directory == NULL);
    h.header = *recording->arena.header;
    h.ns_per_tick = ft_recording_rate(recording);
    if (h.header.clock_source != FT_CLOCK_CALLERS)
        h.lines.end = ft_clock_ticks((ft_clock_source)h.header.clock_source);
    ft_status status = add_process(&h);
    if (status == FT_OK)
        status = list_blocks(&h, recording->arena.blocks);
    if (status == FT_OK)
        status = read_all(&h);
    if (status == FT_OK)
        status = add_notes(&h, false);
    if (status == FT_OK)
        set_elapsed(&h);
    close_harvest(&h);
    return status;
}
