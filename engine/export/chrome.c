/* SPDX-License-Identifier: Apache-2.0 */
/* chrome.c: the recording as Chrome's trace events, for Perfetto, chrome://tracing and others.
 *
 * A complete event ("X") for each node of each thread, laid out as layout.h says; readings of
 * memory are counters, named points instant events, garbage collections complete events of a
 * thread of their own, and threads' lifetimes, which overlap, asynchronous events ("b", "e"), all
 * at the process's own time. Numbers of processes and threads are ours, counted from 1, for two
 * recordings in one may share a pid: the real one stands in the name. Times are microseconds with
 * three decimals: whole nanoseconds. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/sum.h"
#include "engine/export/exporter.h"
#include "engine/export/layout.h"
#include "engine/export/paths.h"
#include "engine/export/spell.h"

extern const ft_exporter ft_exporter_chrome;

enum { EVENT_MAX = 200 }; /* bytes of an event besides its code's part */

typedef struct code_heads { /* what all events of a code begin with, spelled once */
    ft_buf spelled;
    size_t *ends; /* by code; that of code 0 is 0 */
} code_heads;

typedef struct node_room { /* by node of the largest tree */
    ft_layout *links;
    uint64_t *whole; /* ns, callees included */
} node_room;

static void put_event_start(ft_buf *out)
{
    bool is_first = out->length > 0 && out->data[out->length - 1] == '[';
    ft_buf_put_text(out, is_first ? "\n  " : ",\n  ");
}

static void put_member(ft_buf *out, const char *before, uint64_t value)
{
    ft_buf_put_text(out, before);
    ft_spell_number(out, value);
}

static void put_micros(ft_buf *out, const char *before, uint64_t nanoseconds)
{
    ft_buf_put_text(out, before);
    ft_spell_fixed(out, nanoseconds, 3);
}

/* Behind a text: Perfetto takes the quote after an escaped backslash for a part of the text, so the
 * last backslash is spelled by its number. */
static void mend_end(ft_buf *out)
{
    if (out->length < 3 || memcmp(out->data + out->length - 3, "\\\\\"", 3) != 0)
        return;
    out->length -= 3;
    ft_buf_put_text(out, "\\u005c\"");
}

static void put_text(ft_buf *out, ft_text text)
{
    ft_spell_json_utf8(out, text);
    mend_end(out);
}

static void put_label(ft_buf *out, ft_text before, ft_text text)
{
    ft_spell_json_label(out, before, text);
    mend_end(out);
}

static const char *category(uint32_t kind)
{
    return kind == FT_CODE_PYTHON ? "python" : kind == FT_CODE_C ? "c" : "other";
}

static void put_head(ft_buf *out, const ft_profile *profile, const ft_code *code)
{
    ft_buf_put_text(out, "{\"ph\":\"X\",\"name\":");
    put_text(out, ft_spell_name(profile, code));
    ft_buf_printf(out, ",\"cat\":\"%s\",\"args\":{", category(code->kind));
    if (code->kind != FT_CODE_PYTHON)
        return;
    ft_buf_put_text(out, "\"file\":");
    put_text(out, ft_strtab_get(&profile->texts, code->file));
    put_member(out, ",\"line\":", code->line);
    ft_buf_put_byte(out, ',');
}

/* FT_ERR_LIMIT when the events would be more than anybody opens: each holds its names again. */
static ft_status spell_heads(code_heads *to, const ft_profile *profile)
{
    uint64_t total = 0;
    for (uint32_t code = 1; code < profile->codes.count; code++) {
        put_head(&to->spelled, profile, &profile->codes.codes[code]);
        to->ends[code] = to->spelled.length;
    }
    if (ft_buf_status(&to->spelled) != FT_OK)
        return ft_buf_status(&to->spelled);
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const ft_tree *tree = &profile->threads[i].tree;
        for (uint32_t id = 1; id < tree->count; id++) {
            uint32_t code = tree->nodes[id].code;
            total = ft_sum(total, EVENT_MAX + to->ends[code] - to->ends[code - 1]);
        }
    }
    return total > FT_PATHS_MAX_BYTES ? FT_ERR_LIMIT : FT_OK;
}

static void sum_tree(uint64_t *whole, const ft_tree *tree)
{
    for (uint32_t id = 0; id < tree->count; id++)
        whole[id] = tree->nodes[id].own;
    for (uint32_t id = tree->count; id-- > 1;) {
        uint32_t parent = tree->nodes[id].parent;
        whole[parent] = ft_sum(whole[parent], whole[id]);
    }
}

static void put_node(ft_buf *out, const code_heads *from, const ft_node *node, uint64_t now,
                     uint64_t whole)
{
    size_t start = from->ends[node->code - 1];
    uint64_t left = UINT64_MAX - now; /* all sums stop there */
    put_event_start(out);
    ft_buf_put(out, from->spelled.data + start, from->ends[node->code] - start);
    put_member(out, "\"calls\":", node->calls);
    put_member(out, ",\"own_ns\":", node->own);
    put_member(out, ",\"waiting_ns\":", node->waiting);
    put_micros(out, "},\"ts\":", now);
    put_micros(out, ",\"dur\":", whole < left ? whole : left);
}

static void put_thread(ft_buf *out, const ft_profile *profile, uint32_t index,
                       const code_heads *from, node_room *room)
{
    const ft_thread *thread = &profile->threads[index];
    const ft_tree *tree = &thread->tree;
    uint64_t now = 0;
    put_event_start(out);
    put_member(out,
               "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":", thread->process + UINT64_C(1));
    put_member(out, ",\"tid\":", index + UINT64_C(1));
    ft_buf_put_text(out, ",\"args\":{\"name\":");
    put_text(out, ft_strtab_get(&profile->texts, thread->name));
    ft_buf_put_text(out, "}}");
    sum_tree(room->whole, tree);
    ft_layout_link(room->links, tree);
    for (uint32_t id = 0; (id = ft_layout_next(room->links, tree, id)) != 0;) {
        put_node(out, from, &tree->nodes[id], now, room->whole[id]);
        put_member(out, ",\"pid\":", thread->process + UINT64_C(1));
        put_member(out, ",\"tid\":", index + UINT64_C(1));
        ft_buf_put_byte(out, '}');
        now = ft_sum(now, tree->nodes[id].own);
    }
}

static void put_process_name(ft_buf *out, const ft_profile *profile, const ft_process *process)
{
    char pid[32];
    int length = snprintf(pid, sizeof pid, "pid %u ", (unsigned)process->pid);
    put_label(out, (ft_text){pid, (size_t)length},
              ft_strtab_get(&profile->texts, process->command));
}

static void put_processes(ft_buf *out, const ft_profile *profile)
{
    for (uint32_t i = 0; i < profile->process_count; i++) {
        put_event_start(out);
        put_member(out, "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":", i + UINT64_C(1));
        ft_buf_put_text(out, ",\"args\":{\"name\":");
        put_process_name(out, profile, &profile->processes[i]);
        ft_buf_put_text(out, "}}");
    }
}

static void put_counter(ft_buf *out, const ft_moment *moment, const char *name, uint64_t bytes)
{
    put_event_start(out);
    ft_buf_printf(out, "{\"ph\":\"C\",\"name\":\"%s\"", name);
    put_member(out, ",\"pid\":", moment->process + UINT64_C(1));
    put_micros(out, ",\"ts\":", moment->time);
    put_member(out, ",\"args\":{\"bytes\":", bytes);
    ft_buf_put_text(out, "}}");
}

static void put_point(ft_buf *out, const ft_profile *profile, const ft_point *point)
{
    put_event_start(out);
    ft_buf_put_text(out, "{\"ph\":\"i\",\"s\":\"p\",\"cat\":\"point\",\"name\":");
    put_text(out, ft_strtab_get(&profile->texts, point->name));
    put_member(out, ",\"pid\":", point->process + UINT64_C(1));
    put_micros(out, ",\"ts\":", point->time);
    put_member(out, ",\"args\":{\"live_count\":", point->live_count);
    put_member(out, ",\"live_bytes\":", point->live_bytes);
    put_member(out, ",\"rss\":", point->rss);
    ft_buf_put_text(out, "}}");
}

/* A process's collections stand in a thread of their own, whose number is behind all others. */
static void put_collection(ft_buf *out, const ft_profile *profile, uint32_t index)
{
    const ft_collection *row = &profile->spans.collections[index];
    uint64_t tid = (uint64_t)profile->thread_count + row->process + 1;
    uint64_t left = UINT64_MAX - row->start;
    if (index == 0 || row[-1].process != row->process) {
        put_event_start(out);
        put_member(out,
                   "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":", row->process + UINT64_C(1));
        put_member(out, ",\"tid\":", tid);
        ft_buf_put_text(out, ",\"args\":{\"name\":\"garbage collections\"}}");
    }
    put_event_start(out);
    put_member(out, "{\"ph\":\"X\",\"name\":\"generation ", row->generation);
    put_member(out, "\",\"cat\":\"gc\",\"args\":{\"collected\":", row->collected);
    put_member(out, ",\"uncollectable\":", row->uncollectable);
    put_micros(out, "},\"ts\":", row->start);
    put_micros(out, ",\"dur\":", row->duration < left ? row->duration : left);
    put_member(out, ",\"pid\":", row->process + UINT64_C(1));
    put_member(out, ",\"tid\":", tid);
    ft_buf_put_byte(out, '}');
}

/* Half of a lifetime: where it begins, or where it ends. */
static void put_span_event(ft_buf *out, const ft_profile *profile, const ft_thread_span *span,
                           char phase, uint64_t time)
{
    const ft_thread *thread = &profile->threads[span->thread];
    put_event_start(out);
    ft_buf_printf(out, "{\"ph\":\"%c\",\"cat\":\"thread\",\"name\":", phase);
    put_label(out, (ft_text){"lifetime of ", 12}, ft_strtab_get(&profile->texts, thread->name));
    put_member(out, ",\"id2\":{\"local\":\"", span->thread + UINT64_C(1));
    put_member(out, "\"},\"pid\":", thread->process + UINT64_C(1));
    put_member(out, ",\"tid\":", span->thread + UINT64_C(1));
    put_micros(out, ",\"ts\":", time);
    put_member(out, ",\"args\":{\"uses\":", span->uses);
    ft_buf_put_text(out, "}}");
}

static void put_spans(ft_buf *out, const ft_profile *profile)
{
    for (uint32_t i = 0; i < profile->spans.thread_count; i++) {
        const ft_thread_span *span = &profile->spans.threads[i];
        uint32_t process = profile->threads[span->thread].process;
        uint64_t end = ft_thread_span_end(span, profile->processes[process].elapsed);
        put_span_event(out, profile, span, 'b', span->start);
        put_span_event(out, profile, span, 'e', end);
    }
}

static void put_memory(ft_buf *out, const ft_profile *profile)
{
    const ft_memory *memory = &profile->memory;
    for (uint32_t i = 0; i < memory->moment_count; i++) {
        put_counter(out, &memory->moments[i], "live memory", memory->moments[i].live);
        put_counter(out, &memory->moments[i], "resident memory", memory->moments[i].rss);
    }
    for (uint32_t i = 0; i < memory->point_count; i++)
        put_point(out, profile, &memory->points[i]);
}

static void put_meta(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out,
                    "],\n \"displayTimeUnit\":\"ns\",\n \"otherData\":{"
                    "\n  \"exporter\":\"fettle\","
                    "\n  \"axis\":\"Times of functions are sums over all calls of a path, laid "
                    "out one behind the other: lengths are right, moments are not. Memory, "
                    "garbage collections and lifetimes of threads are at their own moments.\"");
    for (uint32_t i = 0; i < profile->meta_count; i++) {
        put_event_start(out);
        put_label(out, (ft_text){"recording: ", 11},
                  ft_strtab_get(&profile->texts, profile->meta[i].key));
        ft_buf_put_byte(out, ':');
        put_text(out, ft_strtab_get(&profile->texts, profile->meta[i].value));
    }
    ft_buf_put_text(out, "}}\n");
}

static ft_status put_all(ft_buf *out, const ft_profile *profile, code_heads *heads, node_room *room)
{
    ft_status status = spell_heads(heads, profile);
    if (status != FT_OK)
        return status;
    ft_buf_put_text(out, "{\"traceEvents\":[");
    put_processes(out, profile);
    for (uint32_t i = 0; i < profile->thread_count; i++)
        put_thread(out, profile, i, heads, room);
    put_memory(out, profile);
    for (uint32_t i = 0; i < profile->spans.collection_count; i++)
        put_collection(out, profile, i);
    put_spans(out, profile);
    put_meta(out, profile);
    return ft_buf_status(out);
}

static ft_status write_chrome(const ft_profile *profile, ft_buf *out)
{
    uint32_t largest = ft_paths_largest_tree(profile);
    code_heads heads = {.ends = ft_mem_new(profile->mem, profile->codes.count, sizeof *heads.ends)};
    node_room room = {.links = ft_mem_resize(profile->mem, NULL, largest, sizeof *room.links),
                      .whole = ft_mem_resize(profile->mem, NULL, largest, sizeof *room.whole)};
    ft_status status = FT_ERR_MEMORY;
    ft_buf_init(&heads.spelled, profile->mem);
    if (heads.ends != NULL && room.links != NULL && room.whole != NULL)
        status = put_all(out, profile, &heads, &room);
    ft_buf_fini(&heads.spelled);
    ft_mem_free(profile->mem, heads.ends);
    ft_mem_free(profile->mem, room.links);
    ft_mem_free(profile->mem, room.whole);
    return status;
}

const ft_exporter ft_exporter_chrome = {
    .name = "chrome",
    .suffix = ".trace.json",
    .description = "trace events, for ui.perfetto.dev and chrome://tracing",
    .write = write_chrome,
    .comfort = FT_EXPORTER_PATHS_COMFORT,
    .has_memory = true,
};
