/* SPDX-License-Identifier: Apache-2.0 */
/* firefox.c: the recording in the Firefox Profiler's processed format, version 60, the first whose
 * tables are shared by all threads; its readers upgrade what is older than they are.
 *
 * A sample for each node, as heavy as its own time and laid out as layout.h says. Function i and
 * its name are those of code i; stacks are the nodes of all threads, one thread behind the other,
 * then the sites of memory, whose stacks stand for allocations. A process without a thread is given
 * an empty one, for counters and markers belong to threads. Times are milliseconds. */
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/sum.h"
#include "engine/export/exporter.h"
#include "engine/export/layout.h"
#include "engine/export/paths.h"
#include "engine/export/spell.h"

extern const ft_exporter ft_exporter_firefox;

enum { NONE = UINT32_MAX, FORMAT_VERSION = 60, MILLIS = 6 /* decimals of ns */ };
enum { CATEGORY_OTHER, CATEGORY_PYTHON, CATEGORY_C };

typedef struct whole_plan {
    const ft_profile *profile;
    ft_buf *out;
    uint32_t *sources; /* by text: the number of the file of that name, or NONE */
    uint32_t *files;   /* by number of a file: its text */
    uint32_t file_count;
    uint32_t *mains;        /* by process: its first thread, or the one that it is given */
    uint64_t site_stacks;   /* the first stack of a site */
    uint32_t process_count; /* one at least: readers refuse a recording without a thread */
    ft_layout *room;
} whole_plan;

static void put_next(ft_buf *out)
{
    if (out->length > 0 && out->data[out->length - 1] != '[')
        ft_buf_put_byte(out, ',');
}

static void put_number(ft_buf *out, uint64_t value)
{
    put_next(out);
    ft_spell_number(out, value);
}

static void put_word(ft_buf *out, const char *word)
{
    put_next(out);
    ft_buf_put_text(out, word);
}

static void put_millis(ft_buf *out, uint64_t nanoseconds)
{
    put_next(out);
    ft_spell_fixed(out, nanoseconds, MILLIS);
}

static void put_text(ft_buf *out, ft_text text)
{
    put_next(out);
    ft_spell_json_utf8(out, text);
}

/* now - before, which may be less than nothing. */
static void put_change(ft_buf *out, uint64_t before, uint64_t now)
{
    put_next(out);
    if (now < before)
        ft_buf_put_byte(out, '-');
    ft_spell_number(out, now < before ? before - now : now - before);
}

static void put_same(ft_buf *out, const char *name, uint64_t count, const char *word)
{
    ft_buf_put_text(out, name);
    for (uint64_t i = 0; i < count; i++)
        put_word(out, word);
}

static void put_length(ft_buf *out, uint64_t length)
{
    ft_buf_put_text(out, "],\"length\":");
    ft_spell_number(out, length);
    ft_buf_put_byte(out, '}');
}

static uint32_t category(const ft_code *code)
{
    return code->kind == FT_CODE_PYTHON ? CATEGORY_PYTHON
           : code->kind == FT_CODE_C    ? CATEGORY_C
                                        : CATEGORY_OTHER;
}

static const ft_code *code_at(const whole_plan *plan, uint32_t id)
{
    return &plan->profile->codes.codes[id];
}

/* ---- what all threads share ---- */

static void put_strings(const whole_plan *plan)
{
    const ft_profile *profile = plan->profile;
    const ft_memory *memory = &profile->memory;
    ft_buf_put_text(plan->out, "\n  \"stringArray\":[");
    put_text(plan->out, (ft_text){"[unknown]", 9});
    for (uint32_t i = 1; i < profile->codes.count; i++)
        put_text(plan->out, ft_spell_name(profile, code_at(plan, i)));
    for (uint32_t i = 0; i < plan->file_count; i++)
        put_text(plan->out, ft_strtab_get(&profile->texts, plan->files[i]));
    for (uint32_t i = 0; i < memory->point_count; i++)
        put_text(plan->out, ft_strtab_get(&profile->texts, memory->points[i].name));
    put_text(plan->out, (ft_text){"garbage collection", 18});
    put_text(plan->out, (ft_text){"lifetime", 8});
    ft_buf_put_byte(plan->out, ']');
}

static void put_sources(const whole_plan *plan)
{
    put_same(plan->out, ",\n  \"sources\":{\"id\":[", plan->file_count, "null");
    ft_buf_put_text(plan->out, "],\"filename\":[");
    for (uint32_t i = 0; i < plan->file_count; i++)
        put_number(plan->out, (uint64_t)plan->profile->codes.count + i);
    put_length(plan->out, plan->file_count);
}

static void put_functions(const whole_plan *plan)
{
    uint32_t count = plan->profile->codes.count;
    ft_buf_put_text(plan->out, ",\n  \"funcTable\":{\"name\":[");
    for (uint32_t i = 0; i < count; i++)
        put_number(plan->out, i);
    ft_buf_put_text(plan->out, "],\"isJS\":[");
    for (uint32_t i = 0; i < count; i++)
        put_word(plan->out, code_at(plan, i)->kind == FT_CODE_PYTHON ? "true" : "false");
    put_same(plan->out, "],\"relevantForJS\":[", count, "false");
    put_same(plan->out, "],\"resource\":[", count, "-1");
    ft_buf_put_text(plan->out, "],\"source\":[");
    for (uint32_t i = 0; i < count; i++)
        if (code_at(plan, i)->kind == FT_CODE_PYTHON)
            put_number(plan->out, plan->sources[code_at(plan, i)->file]);
        else
            put_word(plan->out, "null");
    ft_buf_put_text(plan->out, "],\"lineNumber\":[");
    for (uint32_t i = 0; i < count; i++)
        if (code_at(plan, i)->kind == FT_CODE_PYTHON)
            put_number(plan->out, code_at(plan, i)->line);
        else
            put_word(plan->out, "null");
    put_same(plan->out, "],\"columnNumber\":[", count, "null");
    put_length(plan->out, count);
}

/* Frame i is code i, those behind them are the sites', which know their lines. */
static void put_frames(const whole_plan *plan)
{
    const ft_sites *sites = &plan->profile->memory.sites;
    uint32_t count = plan->profile->codes.count;
    uint64_t all = (uint64_t)count + sites->count - 1;
    ft_buf_put_text(plan->out, ",\n  \"frameTable\":{\"func\":[");
    for (uint32_t i = 0; i < count; i++)
        put_number(plan->out, i);
    for (uint32_t i = 1; i < sites->count; i++)
        put_number(plan->out, sites->sites[i].code);
    ft_buf_put_text(plan->out, "],\"category\":[");
    for (uint32_t i = 0; i < count; i++)
        put_number(plan->out, category(code_at(plan, i)));
    for (uint32_t i = 1; i < sites->count; i++)
        put_number(plan->out, category(code_at(plan, sites->sites[i].code)));
    put_same(plan->out, "],\"line\":[", count, "null");
    for (uint32_t i = 1; i < sites->count; i++)
        if (sites->sites[i].line != 0)
            put_number(plan->out, sites->sites[i].line);
        else
            put_word(plan->out, "null");
    put_same(plan->out, "],\"subcategory\":[", all, "0");
    put_same(plan->out, "],\"address\":[", all, "-1");
    put_same(plan->out, "],\"inlineDepth\":[", all, "0");
    put_same(plan->out, "],\"nativeSymbol\":[", all, "null");
    put_same(plan->out, "],\"innerWindowID\":[", all, "0");
    put_same(plan->out, "],\"column\":[", all, "null");
    put_length(plan->out, all);
}

/* A parent's id counts from 1 among those of the same tree, which begin at first. */
static void put_prefix(ft_buf *out, uint64_t first, uint32_t parent)
{
    if (parent != 0)
        put_number(out, first + parent - 1);
    else
        put_word(out, "null");
}

static void put_stacks(const whole_plan *plan)
{
    const ft_profile *profile = plan->profile;
    const ft_sites *sites = &profile->memory.sites;
    uint64_t first = 0;
    ft_buf_put_text(plan->out, ",\n  \"stackTable\":{\"frame\":[");
    for (uint32_t i = 0; i < profile->thread_count; i++)
        for (uint32_t id = 1; id < profile->threads[i].tree.count; id++)
            put_number(plan->out, profile->threads[i].tree.nodes[id].code);
    for (uint32_t id = 1; id < sites->count; id++)
        put_number(plan->out, (uint64_t)profile->codes.count + id - 1);
    ft_buf_put_text(plan->out, "],\"prefix\":[");
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const ft_tree *tree = &profile->threads[i].tree;
        for (uint32_t id = 1; id < tree->count; id++)
            put_prefix(plan->out, first, tree->nodes[id].parent);
        first += tree->count - 1;
    }
    for (uint32_t id = 1; id < sites->count; id++)
        put_prefix(plan->out, first, sites->sites[id].parent);
    put_length(plan->out, first + sites->count - 1);
}

static void put_shared(const whole_plan *plan)
{
    ft_buf_put_text(plan->out, ",\n \"shared\":{");
    put_strings(plan);
    put_sources(plan);
    put_functions(plan);
    put_frames(plan);
    put_stacks(plan);
    ft_buf_put_text(plan->out,
                    ",\n  \"resourceTable\":{\"lib\":[],\"name\":[],\"host\":[],\"type\":[],"
                    "\"length\":0},\n  \"nativeSymbols\":{\"libIndex\":[],\"address\":[],"
                    "\"name\":[],\"functionSize\":[],\"length\":0}}");
}

/* ---- threads ---- */

static bool has_sample(const ft_node *node)
{
    return (node->own | node->calls) != 0;
}

/* Behind the last one there is one without a stack, which says when that ended; and another at end,
 * when memory was read last: readers show no more of time than there are samples. */
static void put_samples(const whole_plan *plan, const ft_tree *tree, uint64_t first, uint64_t end)
{
    const ft_layout *links = plan->room;
    uint64_t before = 0, now = 0, count = 1;
    ft_buf_put_text(plan->out, "{\"weightType\":\"tracing-ms\",\"stack\":[");
    for (uint32_t id = 0; (id = ft_layout_next(links, tree, id)) != 0;)
        if (has_sample(&tree->nodes[id])) {
            put_number(plan->out, first + id - 1);
            now = ft_sum(now, tree->nodes[id].own);
            count++;
        }
    uint64_t left = end > now ? end - now : 0;
    put_same(plan->out, "", left > 0 ? 2 : 1, "null");
    ft_buf_put_text(plan->out, "],\n    \"timeDeltas\":[");
    for (uint32_t id = 0; (id = ft_layout_next(links, tree, id)) != 0;)
        if (has_sample(&tree->nodes[id])) {
            put_millis(plan->out, before);
            before = tree->nodes[id].own;
        }
    put_millis(plan->out, before);
    if (left > 0)
        put_millis(plan->out, left);
    ft_buf_put_text(plan->out, "],\n    \"weight\":[");
    for (uint32_t id = 0; (id = ft_layout_next(links, tree, id)) != 0;)
        if (has_sample(&tree->nodes[id]))
            put_millis(plan->out, tree->nodes[id].own);
    put_same(plan->out, "", left > 0 ? 2 : 1, "0");
    put_length(plan->out, count + (left > 0));
}

static void put_pid(ft_buf *out, const ft_profile *profile, uint32_t process)
{
    if (process >= profile->process_count) {
        ft_buf_put_text(out, "\"0\"");
        return;
    }
    uint32_t pid = profile->processes[process].pid;
    if (process == 0)
        ft_buf_printf(out, "\"%u\"", (unsigned)pid);
    else /* the pids of two recordings in one may be the same */
        ft_buf_printf(out, "\"%u-%u\"", (unsigned)pid, (unsigned)process + 1);
}

static void put_command(ft_buf *out, const ft_profile *profile, uint32_t process)
{
    uint32_t command = process < profile->process_count ? profile->processes[process].command : 0;
    ft_spell_json_label(out, (ft_text){"", 0}, ft_strtab_get(&profile->texts, command));
}

static uint32_t process_of_point(const ft_profile *profile, uint32_t index)
{
    return profile->memory.points[index].process;
}

static uint32_t process_of_moment(const ft_profile *profile, uint32_t index)
{
    return profile->memory.moments[index].process;
}

static uint32_t process_of_collection(const ft_profile *profile, uint32_t index)
{
    return profile->spans.collections[index].process;
}

static uint32_t thread_of_span(const ft_profile *profile, uint32_t index)
{
    return profile->spans.threads[index].thread;
}

/* The first of count rows, which ascend by process, that is not of a process below this one. */
static uint32_t first_of(const ft_profile *profile, uint32_t count, uint32_t process,
                         uint32_t (*process_of)(const ft_profile *, uint32_t))
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (process_of(profile, middle) < process)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* When the memory of the process was read last, or 0. */
static uint64_t last_reading(const ft_profile *profile, uint32_t process)
{
    uint32_t count = profile->memory.moment_count;
    uint32_t from = first_of(profile, count, process, process_of_moment);
    uint32_t end = first_of(profile, count, process + 1, process_of_moment);
    return end > from ? profile->memory.moments[end - 1].time : 0;
}

typedef struct marker {
    uint64_t name; /* a string */
    uint64_t start, end;
    const ft_point *point;           /* or NULL: */
    const ft_collection *collection; /* or NULL: */
    const ft_thread_span *span;
} marker;

typedef struct marker_range { /* those of a process, points first; then those of a thread */
    uint32_t point, points, collection, collections, span, spans;
} marker_range;

/* is_main: it has those of its process. */
static marker_range markers_of(const ft_profile *profile, uint32_t process, uint32_t thread,
                               bool is_main)
{
    uint32_t spans = profile->spans.thread_count;
    uint32_t span = first_of(profile, spans, thread, thread_of_span);
    uint32_t end = first_of(profile, spans, thread + 1, thread_of_span);
    if (!is_main)
        return (marker_range){.span = span, .spans = end - span};
    uint32_t points = profile->memory.point_count;
    uint32_t collections = profile->spans.collection_count;
    marker_range range = {
        .point = first_of(profile, points, process, process_of_point),
        .collection = first_of(profile, collections, process, process_of_collection),
        .span = span,
        .spans = end - span,
    };
    range.points = first_of(profile, points, process + 1, process_of_point) - range.point;
    range.collections =
        first_of(profile, collections, process + 1, process_of_collection) - range.collection;
    return range;
}

/* Names of points stand behind those of functions and files, those of collections and of lifetimes
 * behind them. */
static marker marker_at(const whole_plan *plan, const marker_range *range, uint64_t index)
{
    const ft_profile *profile = plan->profile;
    uint64_t names = (uint64_t)profile->codes.count + plan->file_count;
    if (index < range->points) {
        uint32_t at = range->point + (uint32_t)index;
        const ft_point *point = &profile->memory.points[at];
        return (marker){.name = names + at, .start = point->time, .point = point};
    }
    names += profile->memory.point_count;
    index -= range->points;
    if (index < range->collections) {
        const ft_collection *row = &profile->spans.collections[range->collection + index];
        uint64_t end = ft_sum(row->start, row->duration);
        return (marker){.name = names, .start = row->start, .end = end, .collection = row};
    }
    const ft_thread_span *span =
        &profile->spans.threads[range->span + (index - range->collections)];
    uint32_t process = profile->threads[span->thread].process;
    uint64_t end = ft_thread_span_end(span, profile->processes[process].elapsed);
    return (marker){.name = names + 1, .start = span->start, .end = end, .span = span};
}

static void put_span_data(ft_buf *out, const ft_thread_span *span)
{
    put_next(out);
    ft_buf_put_text(out, "{\"type\":\"lifetime\",\"uses\":");
    ft_spell_number(out, span->uses);
    ft_buf_put_byte(out, '}');
}

static void put_collection_data(ft_buf *out, const ft_collection *row)
{
    put_next(out);
    ft_buf_put_text(out, "{\"type\":\"collection\",\"generation\":");
    ft_spell_number(out, row->generation);
    ft_buf_put_text(out, ",\"collected\":");
    ft_spell_number(out, row->collected);
    ft_buf_put_text(out, ",\"uncollectable\":");
    ft_spell_number(out, row->uncollectable);
    ft_buf_put_byte(out, '}');
}

static void put_point_data(ft_buf *out, const ft_point *point)
{
    put_next(out);
    ft_buf_put_text(out, "{\"type\":\"point\",\"live_count\":");
    ft_spell_number(out, point->live_count);
    ft_buf_put_text(out, ",\"live_bytes\":");
    ft_spell_number(out, point->live_bytes);
    ft_buf_put_text(out, ",\"rss\":");
    ft_spell_number(out, point->rss);
    ft_buf_put_byte(out, '}');
}

static void put_marker_times(const whole_plan *plan, const marker_range *range, uint64_t count)
{
    ft_buf_put_text(plan->out, "],\"startTime\":[");
    for (uint64_t i = 0; i < count; i++)
        put_millis(plan->out, marker_at(plan, range, i).start);
    put_same(plan->out, "],\"endTime\":[", range->points, "null");
    for (uint64_t i = range->points; i < count; i++)
        put_millis(plan->out, marker_at(plan, range, i).end);
    put_same(plan->out, "],\"phase\":[", range->points, "0");
    put_same(plan->out, "", count - range->points, "1");
}

static void put_markers(const whole_plan *plan, const marker_range *range)
{
    uint64_t count = (uint64_t)range->points + range->collections + range->spans;
    ft_buf_put_text(plan->out, ",\n   \"markers\":{\"name\":[");
    for (uint64_t i = 0; i < count; i++)
        put_number(plan->out, marker_at(plan, range, i).name);
    put_marker_times(plan, range, count);
    ft_buf_put_text(plan->out, "],\"data\":[");
    for (uint64_t i = 0; i < count; i++) {
        marker of = marker_at(plan, range, i);
        if (of.point != NULL)
            put_point_data(plan->out, of.point);
        else if (of.span != NULL)
            put_span_data(plan->out, of.span);
        else
            put_collection_data(plan->out, of.collection);
    }
    put_same(plan->out, "],\"category\":[", count, "0");
    put_length(plan->out, count);
}

typedef struct site_block { /* allocated at a site */
    uint32_t site;
    bool is_freed, frees;
    uint64_t bytes;
} site_block;

/* The blocks of a site: what was freed, its freeing, and what is alive at the end; gives how many
 * there are. */
static uint32_t blocks_of(const ft_sites *sites, uint32_t id, site_block blocks[3])
{
    const ft_site *site = &sites->sites[id];
    uint32_t count = 0;
    if (site->total_bytes > site->alive_bytes) {
        uint64_t bytes = site->total_bytes - site->alive_bytes;
        blocks[count++] = (site_block){id, true, false, bytes};
        blocks[count++] = (site_block){id, true, true, bytes};
    }
    if (site->alive_bytes > 0)
        blocks[count++] = (site_block){id, false, false, site->alive_bytes};
    return count;
}

static void put_weight(const whole_plan *plan, const site_block *block, uint64_t stacks)
{
    (void)stacks;
    put_next(plan->out);
    if (block->frees)
        ft_buf_put_byte(plan->out, '-');
    ft_spell_number(plan->out, block->bytes);
}

static void put_address(const whole_plan *plan, const site_block *block, uint64_t stacks)
{
    (void)stacks;
    put_number(plan->out, 2 * (uint64_t)block->site + block->is_freed);
}

static void put_stack(const whole_plan *plan, const site_block *block, uint64_t stacks)
{
    put_number(plan->out, stacks + block->site - 1);
}

static uint64_t put_blocks(const whole_plan *plan, const char *name, uint64_t stacks,
                           void (*put)(const whole_plan *, const site_block *, uint64_t))
{
    const ft_sites *sites = &plan->profile->memory.sites;
    uint64_t all = 0;
    ft_buf_put_text(plan->out, name);
    for (uint32_t id = 1; id < sites->count; id++) {
        site_block blocks[3];
        uint32_t count = blocks_of(sites, id, blocks);
        for (uint32_t i = 0; i < count; i++)
            put(plan, &blocks[i], stacks);
        all += count;
    }
    return all;
}

/* Of all processes: sites know none. stacks: where those of the sites begin. */
static void put_allocations(const whole_plan *plan, uint64_t stacks)
{
    ft_buf_put_text(plan->out, ",\n   \"nativeAllocations\":{\"weightType\":\"bytes\"");
    put_blocks(plan, ",\"weight\":[", stacks, put_weight);
    put_blocks(plan, "],\"memoryAddress\":[", stacks, put_address);
    uint64_t count = put_blocks(plan, "],\"stack\":[", stacks, put_stack);
    put_same(plan->out, "],\"threadId\":[", count, "0");
    put_same(plan->out, "],\"time\":[", count, "0");
    put_length(plan->out, count);
}

static void put_thread(const whole_plan *plan, uint32_t index, uint32_t process, ft_text name,
                       const ft_tree *tree, uint64_t first)
{
    const ft_profile *profile = plan->profile;
    bool is_main = plan->mains[process] == index;
    marker_range markers = markers_of(profile, process, index, is_main);
    ft_buf_put_text(plan->out, index == 0 ? "\n  " : ",\n  ");
    ft_buf_put_text(plan->out, "{\"name\":");
    ft_spell_json_utf8(plan->out, name);
    ft_buf_printf(plan->out, ",\"isMainThread\":%s,\"pid\":", is_main ? "true" : "false");
    put_pid(plan->out, profile, process);
    ft_buf_printf(plan->out,
                  ",\"tid\":%u,\"processType\":\"default\",\"processName\":", (unsigned)index);
    put_command(plan->out, profile, process);
    ft_buf_put_text(plan->out,
                    ",\"processStartupTime\":0,\"processShutdownTime\":null,\"registerTime\":0,"
                    "\"unregisterTime\":null,\"pausedRanges\":[],\n   \"samples\":");
    ft_layout_link(plan->room, tree);
    put_samples(plan, tree, first, is_main ? last_reading(profile, process) : 0);
    put_markers(plan, &markers);
    if (index == 0 && profile->memory.sites.count > 1)
        put_allocations(plan, plan->site_stacks);
    ft_buf_put_byte(plan->out, '}');
}

static void put_threads(const whole_plan *plan)
{
    const ft_profile *profile = plan->profile;
    ft_node root = {0};
    const ft_tree empty = {.nodes = &root, .count = 1};
    uint64_t first = 0;
    ft_buf_put_text(plan->out, ",\n \"threads\":[");
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const ft_thread *thread = &profile->threads[i];
        put_thread(plan, i, thread->process, ft_strtab_get(&profile->texts, thread->name),
                   &thread->tree, first);
        first += thread->tree.count - 1;
    }
    for (uint32_t i = 0; i < plan->process_count; i++)
        if (plan->mains[i] >= profile->thread_count)
            put_thread(plan, plan->mains[i], i, (ft_text){"[no thread]", 11}, &empty, first);
    ft_buf_put_byte(plan->out, ']');
}

/* ---- memory over time ---- */

static uint64_t live_of(const ft_moment *moment)
{
    return moment->live;
}

static uint64_t resident_of(const ft_moment *moment)
{
    return moment->rss;
}

static void put_counter(const whole_plan *plan, const char *name, uint32_t from, uint32_t end,
                        uint64_t (*value)(const ft_moment *))
{
    const ft_moment *moments = plan->profile->memory.moments;
    uint32_t process = moments[from].process;
    put_next(plan->out);
    ft_buf_printf(plan->out,
                  "\n  {\"name\":\"%s\",\"category\":\"Memory\",\"description\":\"%s of "
                  "the process\",\n   \"display\":{\"label\":\"%s\",\"unit\":\"bytes\","
                  "\"graphType\":\"line-accumulated\",\"color\":\"orange\",\"sortWeight\":20,"
                  "\"markerSchemaLocation\":\"timeline-memory\"},\n   \"pid\":",
                  name, name, name);
    put_pid(plan->out, plan->profile, process);
    ft_buf_printf(plan->out, ",\"mainThreadIndex\":%u,\n   \"samples\":{\"time\":[",
                  (unsigned)plan->mains[process]);
    for (uint32_t i = from; i < end; i++)
        put_millis(plan->out, moments[i].time);
    ft_buf_put_text(plan->out, "],\"count\":[");
    for (uint32_t i = from; i < end; i++)
        put_change(plan->out, i == from ? 0 : value(&moments[i - 1]), value(&moments[i]));
    put_length(plan->out, end - from);
    ft_buf_put_byte(plan->out, '}');
}

static void put_counters(const whole_plan *plan)
{
    const ft_memory *memory = &plan->profile->memory;
    ft_buf_put_text(plan->out, ",\n \"counters\":[");
    for (uint32_t from = 0, end; from < memory->moment_count; from = end) {
        for (end = from; end < memory->moment_count &&
                         memory->moments[end].process == memory->moments[from].process;)
            end++;
        put_counter(plan, "live memory", from, end, live_of);
        put_counter(plan, "resident memory", from, end, resident_of);
    }
    ft_buf_put_byte(plan->out, ']');
}

/* ---- the whole ---- */

static void put_entry(const whole_plan *plan, ft_text label, ft_text value)
{
    put_next(plan->out);
    ft_buf_put_text(plan->out, "\n   {\"format\":\"string\",\"label\":");
    ft_spell_json_utf8(plan->out, label);
    ft_buf_put_text(plan->out, ",\"value\":");
    ft_spell_json_utf8(plan->out, value);
    ft_buf_put_byte(plan->out, '}');
}

static void put_about(const whole_plan *plan)
{
    const ft_profile *profile = plan->profile;
    static const char axis[] =
        "Times of functions are sums over all calls of a path, laid out one behind the other: "
        "lengths are right, moments are not. Memory, garbage collections and lifetimes are at "
        "their own.";
    ft_buf_put_text(plan->out, ",\n  \"extra\":[{\"label\":\"Recording\",\"entries\":[");
    put_entry(plan, (ft_text){"axis", 4}, (ft_text){axis, sizeof axis - 1});
    for (uint32_t i = 0; i < profile->meta_count; i++)
        put_entry(plan, ft_strtab_get(&profile->texts, profile->meta[i].key),
                  ft_strtab_get(&profile->texts, profile->meta[i].value));
    ft_buf_put_text(plan->out, "]}]");
}

static void put_meta(const whole_plan *plan)
{
    const ft_profile *profile = plan->profile;
    uint64_t started = profile->process_count > 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < profile->process_count; i++)
        if (profile->processes[i].started < started)
            started = profile->processes[i].started;
    ft_buf_printf(plan->out,
                  "{\"meta\":{\"preprocessedProfileVersion\":%d,\"version\":31,"
                  "\"product\":\"fettle\",\"importedFrom\":\"fettle\",\"processType\":0,"
                  "\"stackwalk\":0,\"interval\":1,\"startTime\":",
                  FORMAT_VERSION);
    ft_spell_fixed(plan->out, started, MILLIS);
    ft_buf_put_text(
        plan->out,
        ",\n  \"symbolicated\":true,\"symbolicationNotSupported\":true,"
        "\"usesOnlyOneStackType\":true,\"sourceCodeIsNotOnSearchfox\":true,"
        "\n  \"categories\":[{\"name\":\"Other\",\"color\":\"grey\",\"subcategories\":[\"Other\"]},"
        "\n   {\"name\":\"Python\",\"color\":\"blue\",\"subcategories\":[\"Other\"]},"
        "\n   {\"name\":\"C\",\"color\":\"orange\",\"subcategories\":[\"Other\"]}],"
        "\n  \"markerSchema\":[{\"name\":\"point\",\"display\":[\"marker-chart\",\"marker-table\","
        "\"timeline-memory\"],\"fields\":["
        "\n   {\"key\":\"live_count\",\"label\":\"Live blocks\",\"format\":\"integer\"},"
        "\n   {\"key\":\"live_bytes\",\"label\":\"Live memory\",\"format\":\"bytes\"},"
        "\n   {\"key\":\"rss\",\"label\":\"Resident memory\",\"format\":\"bytes\"}]},"
        "\n  {\"name\":\"collection\",\"display\":[\"marker-chart\",\"marker-table\","
        "\"timeline-overview\"],\"fields\":["
        "\n   {\"key\":\"generation\",\"label\":\"Generation\",\"format\":\"integer\"},"
        "\n   {\"key\":\"collected\",\"label\":\"Collected\",\"format\":\"integer\"},"
        "\n   {\"key\":\"uncollectable\",\"label\":\"Uncollectable\",\"format\":\"integer\"}]},"
        "\n  {\"name\":\"lifetime\",\"display\":[\"marker-chart\",\"marker-table\","
        "\"timeline-overview\"],\"fields\":["
        "\n   {\"key\":\"uses\",\"label\":\"Threads\",\"format\":\"integer\"}]}]");
    put_about(plan);
    ft_buf_put_text(plan->out, "},\n \"libs\":[],\"pages\":[]");
}

/* Numbers the files and finds the threads of processes. */
static void make_plan(whole_plan *plan)
{
    const ft_profile *profile = plan->profile;
    for (uint32_t i = 0; i < profile->texts.count; i++)
        plan->sources[i] = NONE;
    for (uint32_t i = 1; i < profile->codes.count; i++) {
        const ft_code *code = code_at(plan, i);
        if (code->kind != FT_CODE_PYTHON || plan->sources[code->file] != NONE)
            continue;
        plan->sources[code->file] = plan->file_count;
        plan->files[plan->file_count++] = code->file;
    }
    for (uint32_t i = 0; i < plan->process_count; i++)
        plan->mains[i] = NONE;
    for (uint32_t i = profile->thread_count; i-- > 0;) {
        plan->mains[profile->threads[i].process] = i;
        plan->site_stacks += profile->threads[i].tree.count - 1;
    }
    uint32_t next = profile->thread_count;
    for (uint32_t i = 0; i < plan->process_count; i++)
        if (plan->mains[i] == NONE)
            plan->mains[i] = next++;
}

static ft_status put_all(whole_plan *plan)
{
    make_plan(plan);
    put_meta(plan);
    put_counters(plan);
    put_shared(plan);
    put_threads(plan);
    ft_buf_put_text(plan->out, "}\n");
    return ft_buf_status(plan->out);
}

static ft_status write_firefox(const ft_profile *profile, ft_buf *out)
{
    const ft_mem *mem = profile->mem;
    uint32_t texts = profile->texts.count, codes = profile->codes.count;
    uint32_t processes = profile->process_count > 0 ? profile->process_count : 1;
    whole_plan plan = {
        .profile = profile,
        .out = out,
        .sources = ft_mem_resize(mem, NULL, texts, sizeof *plan.sources),
        .files = ft_mem_resize(mem, NULL, codes, sizeof *plan.files),
        .mains = ft_mem_resize(mem, NULL, processes, sizeof *plan.mains),
        .process_count = processes,
        .room = ft_mem_resize(mem, NULL, ft_paths_largest_tree(profile), sizeof *plan.room),
    };
    ft_status status = FT_ERR_MEMORY;
    if (plan.sources != NULL && plan.files != NULL && plan.mains != NULL && plan.room != NULL)
        status = put_all(&plan);
    ft_mem_free(mem, plan.sources);
    ft_mem_free(mem, plan.files);
    ft_mem_free(mem, plan.mains);
    ft_mem_free(mem, plan.room);
    return status;
}

const ft_exporter ft_exporter_firefox = {
    .name = "firefox",
    .suffix = ".firefox.json",
    .description = "every path and the memory over time, for profiler.firefox.com",
    .write = write_firefox,
    .comfort = {.nodes = 1000000}, /* in a second or two */
    .has_memory = true,
};
