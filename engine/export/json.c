/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: the recording as JSON, the format for scripts; docs/export.md is its specification.
 *
 * The document is ASCII whatever the texts hold, numbers are whole (nanoseconds, never fractions)
 * but those of timings, and each row stands on a line of its own, so that line tools and diffs work
 * on it. Trees are columns: a million nodes cost five arrays, not a million objects. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/export/exporter.h"
#include "engine/export/spell.h"
#include "engine/model/query.h"

extern const ft_exporter ft_exporter_json;

static void put_text(ft_buf *out, const ft_profile *profile, uint32_t id)
{
    ft_spell_json(out, ft_strtab_get(&profile->texts, id));
}

/* A member of an object: before is all that stands in front of the value, such as ",\"line\":". */
static void put_number_member(ft_buf *out, const char *before, uint64_t value)
{
    ft_buf_put_text(out, before);
    ft_spell_number(out, value);
}

static void put_text_member(ft_buf *out, const char *before, const ft_profile *profile, uint32_t id)
{
    ft_buf_put_text(out, before);
    put_text(out, profile, id);
}

static void put_row_start(ft_buf *out, uint32_t index)
{
    ft_buf_put_text(out, index == 0 ? "\n  " : ",\n  ");
}

static void put_meta(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out, ",\n \"meta\":{");
    for (uint32_t i = 0; i < profile->meta_count; i++) {
        put_row_start(out, i);
        put_text(out, profile, profile->meta[i].key);
        put_text_member(out, ":", profile, profile->meta[i].value);
    }
    ft_buf_put_text(out, "}");
}

/* The words of a command line, which the model joins by NUL. */
static void put_words(ft_buf *out, ft_text words)
{
    ft_buf_put_byte(out, '[');
    for (size_t at = 0, end; words.length > 0 && at <= words.length; at = end + 1) {
        for (end = at; end < words.length && words.data[end] != '\0';)
            end++;
        if (at > 0)
            ft_buf_put_byte(out, ',');
        ft_spell_json(out, (ft_text){words.data + at, end - at});
    }
    ft_buf_put_byte(out, ']');
}

static void put_processes(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out, ",\n \"processes\":[");
    for (uint32_t i = 0; i < profile->process_count; i++) {
        const ft_process *process = &profile->processes[i];
        put_row_start(out, i);
        put_number_member(out, "{\"pid\":", process->pid);
        put_number_member(out, ",\"parent_pid\":", process->parent_pid);
        ft_buf_put_text(out, ",\"command\":");
        put_words(out, ft_strtab_get(&profile->texts, process->command));
        put_text_member(out, ",\"python\":", profile, process->python);
        put_number_member(out, ",\"started_ns\":", process->started);
        put_number_member(out, ",\"elapsed_ns\":", process->elapsed);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static uint64_t node_parent(const ft_node *node)
{
    return node->parent;
}

static uint64_t node_code(const ft_node *node)
{
    return node->code;
}

static uint64_t node_calls(const ft_node *node)
{
    return node->calls;
}

static uint64_t node_own(const ft_node *node)
{
    return node->own;
}

static uint64_t node_waiting(const ft_node *node)
{
    return node->waiting;
}

static void put_column(ft_buf *out, const ft_tree *tree, const char *before,
                       uint64_t (*field)(const ft_node *))
{
    ft_buf_put_text(out, before);
    for (uint32_t i = 0; i < tree->count; i++) {
        if (i > 0)
            ft_buf_put_byte(out, ',');
        ft_spell_number(out, field(&tree->nodes[i]));
    }
}

/* Of those tasks whose creator is known, their node and its: left out where there is none. */
static void put_tasks(ft_buf *out, const ft_tree *tree)
{
    for (uint32_t i = 0; i < tree->link_count; i++)
        put_number_member(out, i == 0 ? ",\n   \"task\":[" : ",", tree->links[i].marker);
    for (uint32_t i = 0; i < tree->link_count; i++)
        put_number_member(out, i == 0 ? "],\n   \"creator\":[" : ",", tree->links[i].creator);
    if (tree->link_count > 0)
        ft_buf_put_byte(out, ']');
}

static void put_threads(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out, ",\n \"threads\":[");
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const ft_thread *thread = &profile->threads[i];
        put_row_start(out, i);
        put_number_member(out, "{\"process\":", thread->process);
        put_text_member(out, ",\"name\":", profile, thread->name);
        put_number_member(out, ",\"uses\":", thread->uses);
        put_column(out, &thread->tree, ",\"nodes\":{\n   \"parent\":[", node_parent);
        put_column(out, &thread->tree, "],\n   \"code\":[", node_code);
        put_column(out, &thread->tree, "],\n   \"calls\":[", node_calls);
        put_column(out, &thread->tree, "],\n   \"own_ns\":[", node_own);
        put_column(out, &thread->tree, "],\n   \"waiting_ns\":[", node_waiting);
        ft_buf_put_byte(out, ']');
        put_tasks(out, &thread->tree);
        ft_buf_put_text(out, "}}");
    }
    ft_buf_put_byte(out, ']');
}

static void put_codes(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out, ",\n \"codes\":[");
    for (uint32_t i = 0; i < profile->codes.count; i++) {
        const ft_code *code = &profile->codes.codes[i];
        put_row_start(out, i);
        ft_buf_printf(out, "{\"kind\":\"%s\"", ft_spell_code_kind(code->kind));
        put_text_member(out, ",\"file\":", profile, code->file);
        put_number_member(out, ",\"line\":", code->line);
        put_text_member(out, ",\"name\":", profile, code->name);
        put_text_member(out, ",\"qualname\":", profile, code->qualname);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_functions(ft_buf *out, const ft_function_row *rows, uint32_t count)
{
    ft_buf_put_text(out, ",\n \"functions\":[");
    for (uint32_t i = 0; i < count; i++) {
        put_row_start(out, i);
        put_number_member(out, "{\"code\":", rows[i].code);
        put_number_member(out, ",\"calls\":", rows[i].calls);
        put_number_member(out, ",\"primitive\":", rows[i].primitive);
        put_number_member(out, ",\"own_ns\":", rows[i].own);
        put_number_member(out, ",\"cumulative_ns\":", rows[i].cumulative);
        put_number_member(out, ",\"own_waiting_ns\":", rows[i].own_waiting);
        put_number_member(out, ",\"cumulative_waiting_ns\":", rows[i].cumulative_waiting);
        put_number_member(out, ",\"own_awaited_ns\":", rows[i].own_awaited);
        put_number_member(out, ",\"cumulative_awaited_ns\":", rows[i].cumulative_awaited);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_edges(ft_buf *out, const ft_edge_row *rows, uint32_t count)
{
    ft_buf_put_text(out, ",\n \"edges\":[");
    for (uint32_t i = 0; i < count; i++) {
        put_row_start(out, i);
        put_number_member(out, "{\"caller\":", rows[i].caller);
        put_number_member(out, ",\"callee\":", rows[i].callee);
        put_number_member(out, ",\"calls\":", rows[i].calls);
        put_number_member(out, ",\"primitive\":", rows[i].primitive);
        put_number_member(out, ",\"own_ns\":", rows[i].own);
        put_number_member(out, ",\"cumulative_ns\":", rows[i].cumulative);
        put_number_member(out, ",\"own_waiting_ns\":", rows[i].own_waiting);
        put_number_member(out, ",\"cumulative_waiting_ns\":", rows[i].cumulative_waiting);
        put_number_member(out, ",\"own_awaited_ns\":", rows[i].own_awaited);
        put_number_member(out, ",\"cumulative_awaited_ns\":", rows[i].cumulative_awaited);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_notes(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out, ",\n \"notes\":[");
    for (uint32_t i = 0; i < profile->note_count; i++) {
        const ft_note *note = &profile->notes[i];
        const char *name = ft_spell_note(note->kind);
        put_row_start(out, i);
        if (name != NULL)
            ft_buf_printf(out, "{\"kind\":\"%s\"", name);
        else
            ft_buf_printf(out, "{\"kind\":\"note %u\"", (unsigned)note->kind);
        put_number_member(out, ",\"process\":", note->process);
        put_number_member(out, ",\"count\":", note->count);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_lines(ft_buf *out, const ft_line *lines, uint32_t count)
{
    ft_buf_put_text(out, ",\n \"lines\":[");
    for (uint32_t i = 0; i < count; i++) {
        put_row_start(out, i);
        put_number_member(out, "{\"code\":", lines[i].code);
        put_number_member(out, ",\"line\":", lines[i].line);
        put_number_member(out, ",\"hits\":", lines[i].hits);
        put_number_member(out, ",\"time_ns\":", lines[i].time);
        put_number_member(out, ",\"waiting_ns\":", lines[i].waiting);
        put_number_member(out, ",\"callees_ns\":", lines[i].callees);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

/* ---- memory ---- */

static void put_sites(ft_buf *out, const ft_sites *sites)
{
    ft_buf_put_text(out, ",\n \"sites\":[");
    for (uint32_t i = 0; i < sites->count; i++) {
        const ft_site *site = &sites->sites[i];
        put_row_start(out, i);
        put_number_member(out, "{\"code\":", site->code);
        put_number_member(out, ",\"line\":", site->line);
        put_number_member(out, ",\"parent\":", site->parent);
        put_number_member(out, ",\"domain\":", site->domain);
        put_number_member(out, ",\"total_count\":", site->total_count);
        put_number_member(out, ",\"total_bytes\":", site->total_bytes);
        put_number_member(out, ",\"peak_count\":", site->peak_count);
        put_number_member(out, ",\"peak_bytes\":", site->peak_bytes);
        put_number_member(out, ",\"alive_count\":", site->alive_count);
        put_number_member(out, ",\"alive_bytes\":", site->alive_bytes);
        put_number_member(out, ",\"temporary_count\":", site->temporary_count);
        put_number_member(out, ",\"temporary_bytes\":", site->temporary_bytes);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_heaps(ft_buf *out, const ft_memory *memory)
{
    ft_buf_put_text(out, ",\n \"heaps\":[");
    for (uint32_t i = 0; i < memory->heap_count; i++) {
        const ft_heap_summary *heap = &memory->heaps[i];
        put_row_start(out, i);
        put_number_member(out, "{\"process\":", heap->process);
        put_number_member(out, ",\"frames\":", heap->frames);
        put_number_member(out, ",\"sample_bytes\":", heap->sample);
        put_number_member(out, ",\"total_count\":", heap->total_count);
        put_number_member(out, ",\"total_bytes\":", heap->total_bytes);
        put_number_member(out, ",\"peak_bytes\":", heap->peak_bytes);
        put_number_member(out, ",\"peak_ns\":", heap->peak_time);
        put_number_member(out, ",\"alive_count\":", heap->alive_count);
        put_number_member(out, ",\"alive_bytes\":", heap->alive_bytes);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_collections(ft_buf *out, const ft_spans *spans)
{
    ft_buf_put_text(out, ",\n \"collections\":[");
    for (uint32_t i = 0; i < spans->collection_count; i++) {
        const ft_collection *row = &spans->collections[i];
        put_row_start(out, i);
        put_number_member(out, "{\"process\":", row->process);
        put_number_member(out, ",\"generation\":", row->generation);
        put_number_member(out, ",\"start_ns\":", row->start);
        put_number_member(out, ",\"duration_ns\":", row->duration);
        put_number_member(out, ",\"collected\":", row->collected);
        put_number_member(out, ",\"uncollectable\":", row->uncollectable);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_text(out, "],\n \"collection_sums\":[");
    for (uint32_t i = 0; i < spans->sum_count; i++) {
        const ft_collection_sum *sum = &spans->sums[i];
        put_row_start(out, i);
        put_number_member(out, "{\"process\":", sum->process);
        put_number_member(out, ",\"generation\":", sum->generation);
        put_number_member(out, ",\"count\":", sum->count);
        put_number_member(out, ",\"time_ns\":", sum->time);
        put_number_member(out, ",\"longest_ns\":", sum->longest);
        put_number_member(out, ",\"collected\":", sum->collected);
        put_number_member(out, ",\"uncollectable\":", sum->uncollectable);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

/* An end that is not known is left out. */
static void put_spans(ft_buf *out, const ft_spans *spans)
{
    put_collections(out, spans);
    ft_buf_put_text(out, ",\n \"spans\":[");
    for (uint32_t i = 0; i < spans->thread_count; i++) {
        const ft_thread_span *span = &spans->threads[i];
        put_row_start(out, i);
        put_number_member(out, "{\"thread\":", span->thread);
        put_number_member(out, ",\"uses\":", span->uses);
        put_number_member(out, ",\"start_ns\":", span->start);
        if (span->end != FT_SPAN_OPEN)
            put_number_member(out, ",\"end_ns\":", span->end);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_moments(ft_buf *out, const ft_memory *memory)
{
    ft_buf_put_text(out, ",\n \"moments\":[");
    for (uint32_t i = 0; i < memory->moment_count; i++) {
        const ft_moment *moment = &memory->moments[i];
        put_row_start(out, i);
        put_number_member(out, "{\"process\":", moment->process);
        put_number_member(out, ",\"time_ns\":", moment->time);
        put_number_member(out, ",\"live_bytes\":", moment->live);
        put_number_member(out, ",\"rss_bytes\":", moment->rss);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_points(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out, ",\n \"points\":[");
    for (uint32_t i = 0; i < profile->memory.point_count; i++) {
        const ft_point *point = &profile->memory.points[i];
        put_row_start(out, i);
        put_number_member(out, "{\"process\":", point->process);
        put_text_member(out, ",\"name\":", profile, point->name);
        put_number_member(out, ",\"time_ns\":", point->time);
        put_number_member(out, ",\"live_count\":", point->live_count);
        put_number_member(out, ",\"live_bytes\":", point->live_bytes);
        put_number_member(out, ",\"rss_bytes\":", point->rss);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_text(out, "],\n \"point_rows\":[");
    for (uint32_t i = 0; i < profile->memory.point_row_count; i++) {
        const ft_point_row *row = &profile->memory.point_rows[i];
        put_row_start(out, i);
        put_number_member(out, "{\"point\":", row->point);
        put_number_member(out, ",\"site\":", row->site);
        put_number_member(out, ",\"count\":", row->count);
        put_number_member(out, ",\"bytes\":", row->bytes);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_objects(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out, ",\n \"objects\":[");
    for (uint32_t i = 0; i < profile->memory.object_count; i++) {
        const ft_object_row *object = &profile->memory.objects[i];
        put_row_start(out, i);
        put_number_member(out, "{\"process\":", object->process);
        put_text_member(out, ",\"type\":", profile, object->type);
        put_number_member(out, ",\"site\":", object->site);
        put_number_member(out, ",\"count\":", object->count);
        put_number_member(out, ",\"bytes\":", object->bytes);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_classes(ft_buf *out, const ft_profile *profile)
{
    ft_buf_put_text(out, ",\n \"classes\":[");
    for (uint32_t i = 0; i < profile->memory.class_count; i++) {
        const ft_class_row *class_row = &profile->memory.classes[i];
        put_row_start(out, i);
        put_number_member(out, "{\"process\":", class_row->process);
        put_text_member(out, ",\"type\":", profile, class_row->type);
        put_number_member(out, ",\"instances\":", class_row->instances);
        put_number_member(out, ",\"bytes\":", class_row->bytes);
        put_number_member(out, ",\"plain_bytes\":", class_row->plain);
        put_number_member(out, ",\"slotted_bytes\":", class_row->slotted);
        put_text_member(out, ",\"why\":", profile, class_row->why);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static void put_memory(ft_buf *out, const ft_profile *profile)
{
    put_heaps(out, &profile->memory);
    put_sites(out, &profile->memory.sites);
    put_moments(out, &profile->memory);
    put_points(out, profile);
    put_objects(out, profile);
    put_classes(out, profile);
    put_spans(out, &profile->spans);
}

/* ---- timings ---- */

/* null for what is not known. */
static void put_known(ft_buf *out, const char *before, bool known, uint64_t value)
{
    if (known)
        put_number_member(out, before, value);
    else
        ft_buf_printf(out, "%snull", before);
}

static void put_counters(ft_buf *out, const ft_profile *profile, uint32_t series, uint32_t *at)
{
    const ft_samples *samples = &profile->samples;
    const char *before = "";
    ft_buf_put_text(out, ",\"counters\":{");
    for (; *at < samples->counter_count && samples->counters[*at].series == series;
         ++*at, before = ",") {
        put_text_member(out, before, profile, samples->counters[*at].name);
        ft_buf_put_byte(out, ':');
        ft_spell_real(out, samples->counters[*at].value);
    }
    ft_buf_put_byte(out, '}');
}

static void put_groups(ft_buf *out, const ft_samples *samples, uint32_t series, uint32_t *at)
{
    const char *before = "\n   [";
    ft_buf_put_text(out, ",\"groups_s\":[");
    for (; *at < samples->group_count && samples->groups[*at].series == series;
         ++*at, before = ",\n   [") {
        const ft_group *group = &samples->groups[*at];
        ft_buf_put_text(out, before);
        for (uint32_t i = 0; i < group->count; i++) {
            if (i > 0)
                ft_buf_put_byte(out, ',');
            ft_spell_real(out, samples->seconds[group->first + i]);
        }
        ft_buf_put_byte(out, ']');
    }
    ft_buf_put_byte(out, ']');
}

static void put_timings(ft_buf *out, const ft_profile *profile)
{
    const ft_samples *samples = &profile->samples;
    uint32_t counter = 0, group = 0;
    ft_buf_put_text(out, ",\n \"timings\":[");
    for (uint32_t i = 0; i < samples->series_count; i++) {
        const ft_series *series = &samples->series[i];
        const bool has_memory = (series->flags & FT_SERIES_HAS_MEMORY) != 0;
        put_row_start(out, i);
        put_text_member(out, "{\"label\":", profile, series->label);
        ft_buf_printf(out, ",\"clock\":\"%s\"", ft_spell_clock(series->clock));
        put_number_member(out, ",\"loops\":", series->loops);
        ft_buf_put_text(out, ",\"empty_s\":");
        ft_spell_real(out, series->empty);
        put_known(out, ",\"bytes\":", has_memory, series->bytes);
        put_known(out, ",\"blocks\":", has_memory, series->blocks);
        put_known(out, ",\"peak_bytes\":", (series->flags & FT_SERIES_HAS_PEAK) != 0, series->peak);
        ft_buf_printf(out, ",\"together\":%s",
                      (series->flags & FT_SERIES_TOGETHER) != 0 ? "true" : "false");
        put_counters(out, profile, i, &counter);
        put_groups(out, samples, i, &group);
        ft_buf_put_byte(out, '}');
    }
    ft_buf_put_byte(out, ']');
}

static ft_status write_json(const ft_profile *profile, ft_buf *out)
{
    ft_function_row *functions = NULL;
    ft_edge_row *edges = NULL;
    ft_line *lines = NULL;
    uint32_t function_count, edge_count;
    ft_status status = ft_query_functions(profile, &functions, &function_count);
    if (status != FT_OK)
        goto end;
    status = ft_query_edges(profile, &edges, &edge_count);
    if (status != FT_OK)
        goto end;
    status = ft_lines_sorted(&profile->lines, profile->mem, &lines);
    if (status != FT_OK)
        goto end;
    ft_buf_put_text(out, "{\"format\":\"fettle\",\n \"version\":1");
    put_meta(out, profile);
    put_processes(out, profile);
    put_threads(out, profile);
    put_codes(out, profile);
    put_functions(out, functions, function_count);
    put_edges(out, edges, edge_count);
    put_notes(out, profile);
    put_lines(out, lines, profile->lines.count);
    put_memory(out, profile);
    put_timings(out, profile);
    ft_buf_put_text(out, "}\n");
    status = ft_buf_status(out);
end:
    ft_mem_free(profile->mem, functions);
    ft_mem_free(profile->mem, edges);
    ft_mem_free(profile->mem, lines);
    return status;
}

const ft_exporter ft_exporter_json = {
    .name = "json",
    .suffix = ".json",
    .description = "every number of the recording, for scripts (see docs/export.md)",
    .write = write_json,
    .has_tasks = true,
    .has_lines = true,
    .has_memory = true,
};
