/* SPDX-License-Identifier: Apache-2.0 */
/* profiles.h: profiles to test with: made at random from a seed, compared by value, and as the
 * bytes of a file. Failures here are of the machine, not of what is tested: they abort. */
#ifndef PROFILES_H
#define PROFILES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/file/reader.h"
#include "engine/file/writer.h"
#include "engine/model/profile.h"
#include "tests/engine/random.h"

#define must(condition) must_hold((condition) != 0, #condition, __FILE__, __LINE__)

static inline void must_hold(bool held, const char *text, const char *file, int line)
{
    if (held)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
    abort();
}

/* A number of any size up to 64 bits, small ones as likely as large ones. */
static inline uint64_t draw_number(random_source *from)
{
    return random_next(from) >> random_below(from, 64);
}

/* Texts of any bytes, NULs among them, mostly short. */
static inline void make_texts(ft_profile *profile, random_source *from, uint32_t count)
{
    char text[4000];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id;
        size_t length = random_below(from, i % 16 == 0 ? sizeof text : 20);
        for (size_t at = 0; at < length; at++)
            text[at] = (char)random_next(from);
        must(ft_strtab_intern(&profile->texts, text, length, &id) == FT_OK);
    }
}

static inline void make_codes(ft_profile *profile, random_source *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ft_code code = {.kind = 1 + random_below(from, FT_CODE_KINDS - 1),
                        .line = (uint32_t)draw_number(from)};
        code.file = random_below(from, profile->texts.count);
        code.name = random_below(from, profile->texts.count);
        code.qualname = random_below(from, profile->texts.count);
        uint32_t id;
        must(ft_codetab_intern(&profile->codes, &code, &id) == FT_OK);
    }
}

static inline void make_tree(ft_profile *profile, ft_tree *tree, random_source *from,
                             uint32_t count)
{
    tree->nodes[0].calls = draw_number(from);
    tree->nodes[0].own = draw_number(from);
    while (tree->count < count && profile->codes.count > 1) {
        uint32_t id, back = (uint32_t)(draw_number(from) % tree->count);
        uint32_t parent = tree->count - 1 - back;
        uint32_t code = 1 + random_below(from, profile->codes.count - 1);
        must(ft_tree_add(tree, parent, code, &id) == FT_OK);
        tree->nodes[id].calls = draw_number(from);
        tree->nodes[id].own = draw_number(from);
        tree->nodes[id].waiting = random_next(from) % 3 == 0 ? draw_number(from) : 0;
        bool task = profile->codes.codes[code].kind == FT_CODE_TASK && id > 1;
        if (task && random_below(from, 3) > 0)
            must(ft_tree_add_link(tree, id, 1 + random_below(from, id - 1)) == FT_OK);
    }
}

static inline void make_threads(ft_profile *profile, random_source *from, uint32_t nodes)
{
    for (uint32_t i = random_below(from, 5); i > 0 && profile->process_count > 0; i--) {
        uint32_t index, process = random_below(from, profile->process_count);
        uint32_t name = random_below(from, profile->texts.count);
        must(ft_profile_add_thread(profile, process, name, &index) == FT_OK);
        profile->threads[index].uses = draw_number(from);
        make_tree(profile, &profile->threads[index].tree, from, random_below(from, nodes) + 1);
    }
}

static inline void make_notes(ft_profile *profile, random_source *from)
{
    for (uint32_t i = random_below(from, 4); i > 0 && profile->process_count > 0; i--) {
        ft_note note = {.kind = (uint32_t)draw_number(from), .count = draw_number(from)};
        note.process = random_below(from, profile->process_count);
        must(ft_profile_add_note(profile, &note) == FT_OK);
    }
}

/* Lines of the Python codes, up to `count`, and sources. */
static inline void make_lines(ft_profile *profile, random_source *from, uint32_t count)
{
    for (uint32_t i = random_below(from, count); i > 0; i--) {
        ft_line line = {.code = random_below(from, profile->codes.count)};
        if (profile->codes.codes[line.code].kind != FT_CODE_PYTHON)
            continue;
        line.line = (uint32_t)draw_number(from);
        line.hits = draw_number(from);
        line.time = line.line == 0 ? 0 : draw_number(from);
        line.waiting = line.time / (1 + random_below(from, 9));
        line.callees = line.time / (1 + random_below(from, 9));
        must(ft_lines_add(&profile->lines, &line) == FT_OK);
    }
    for (uint32_t i = random_below(from, 4); i > 0; i--) {
        uint32_t file = random_below(from, profile->texts.count);
        uint32_t text = random_below(from, profile->texts.count);
        must(ft_profile_set_source(profile, file, text) == FT_OK);
    }
}

/* A site of a Python code or of none: FT_SITE_NONE when that is not what was drawn. */
static inline uint32_t make_site(ft_profile *profile, random_source *from)
{
    ft_sites *sites = &profile->memory.sites;
    uint32_t id, code = random_below(from, profile->codes.count);
    if (code != FT_CODE_NONE && profile->codes.codes[code].kind != FT_CODE_PYTHON)
        return FT_SITE_NONE;
    uint32_t line = code == FT_CODE_NONE ? 0 : random_below(from, 5);
    uint32_t parent = random_below(from, sites->count), domain = random_below(from, 2) * 389047;
    must(ft_sites_intern(sites, code, line, parent, domain, &id) == FT_OK);
    const ft_site numbers = {.total_count = draw_number(from),
                             .total_bytes = draw_number(from),
                             .peak_count = draw_number(from),
                             .peak_bytes = draw_number(from),
                             .alive_count = draw_number(from),
                             .alive_bytes = draw_number(from),
                             .temporary_count = draw_number(from),
                             .temporary_bytes = draw_number(from)};
    ft_sites_add(sites, id, &numbers);
    return id;
}

/* What the process has of its own, as its rows must be ordered. */
static inline void make_heap(ft_profile *profile, random_source *from, uint32_t process)
{
    ft_memory *memory = &profile->memory;
    const ft_heap_summary heap = {.process = process,
                                  .frames = (uint32_t)draw_number(from),
                                  .sample = draw_number(from),
                                  .total_count = draw_number(from),
                                  .total_bytes = draw_number(from),
                                  .peak_bytes = draw_number(from),
                                  .peak_time = draw_number(from),
                                  .alive_count = draw_number(from),
                                  .alive_bytes = draw_number(from)};
    must(ft_memory_add_heap(memory, &heap) == FT_OK);
    uint64_t time = 0;
    for (uint32_t i = random_below(from, 5); i > 0; i--) {
        time += draw_number(from) >> 4;
        const ft_moment moment = {process, time, draw_number(from), draw_number(from)};
        must(ft_memory_add_moment(memory, &moment) == FT_OK);
    }
    for (uint32_t i = random_below(from, 3); i > 0; i--) {
        const ft_point point = {.process = process,
                                .name = random_below(from, profile->texts.count),
                                .time = draw_number(from),
                                .live_count = draw_number(from),
                                .live_bytes = draw_number(from),
                                .rss = draw_number(from)};
        must(ft_memory_add_point(memory, &point) == FT_OK);
        for (uint32_t k = random_below(from, 5); k > 0 && memory->sites.count > 1; k--) {
            const ft_point_row row = {memory->point_count - 1,
                                      1 + random_below(from, memory->sites.count - 1),
                                      draw_number(from), draw_number(from)};
            must(ft_memory_add_point_row(memory, &row) == FT_OK);
        }
    }
}

/* Sites, up to `count`, and what stands beside them. */
static inline void make_memory(ft_profile *profile, random_source *from, uint32_t count)
{
    ft_memory *memory = &profile->memory;
    for (uint32_t i = random_below(from, count); i > 0; i--)
        make_site(profile, from);
    for (uint32_t process = 0; process < profile->process_count; process++)
        if (random_below(from, 3) > 0)
            make_heap(profile, from, process);
    for (uint32_t i = random_below(from, 5); i > 0 && profile->process_count > 0; i--) {
        const ft_object_row object = {.process = random_below(from, profile->process_count),
                                      .type = random_below(from, profile->texts.count),
                                      .site = random_below(from, memory->sites.count),
                                      .count = draw_number(from),
                                      .bytes = draw_number(from)};
        must(ft_memory_add_object(memory, &object) == FT_OK);
        const ft_class_row class_row = {.process = object.process,
                                        .type = object.type,
                                        .why = random_below(from, profile->texts.count),
                                        .instances = draw_number(from),
                                        .bytes = draw_number(from),
                                        .plain = draw_number(from),
                                        .slotted = draw_number(from)};
        must(ft_memory_add_class(memory, &class_row) == FT_OK);
    }
}

/* Of a process: collections, some generations, as their rows must be ordered. */
static inline void make_collections(ft_profile *profile, random_source *from, uint32_t process)
{
    uint64_t start = 0;
    for (uint32_t i = random_below(from, 5); i > 0; i--) {
        start += draw_number(from) >> 4;
        const ft_collection row = {.process = process,
                                   .generation = random_below(from, 4),
                                   .start = start,
                                   .duration = draw_number(from),
                                   .collected = draw_number(from),
                                   .uncollectable = draw_number(from)};
        must(ft_spans_add_collection(&profile->spans, &row) == FT_OK);
    }
    for (uint32_t generation = random_below(from, 3); generation < 3; generation++) {
        ft_collection_sum sum = {.process = process,
                                 .generation = generation,
                                 .count = draw_number(from) | 1,
                                 .time = draw_number(from),
                                 .collected = draw_number(from),
                                 .uncollectable = draw_number(from)};
        sum.longest = sum.time / (1 + random_below(from, 9));
        must(ft_spans_add_sum(&profile->spans, &sum) == FT_OK);
    }
}

static inline void make_spans(ft_profile *profile, random_source *from)
{
    for (uint32_t process = 0; process < profile->process_count; process++)
        if (random_below(from, 3) > 0)
            make_collections(profile, from, process);
    for (uint32_t thread = 0; thread < profile->thread_count; thread++) {
        uint64_t start = 0;
        for (uint32_t i = random_below(from, 4); i > 0; i--) {
            start += draw_number(from) >> 4;
            ft_thread_span span = {thread, draw_number(from) | 1, start, FT_SPAN_OPEN};
            if (random_below(from, 3) > 0)
                span.end = start + (draw_number(from) >> 4);
            must(ft_spans_add_thread(&profile->spans, &span) == FT_OK);
        }
    }
}

/* A finite double of any size. */
static inline double draw_double(random_source *from)
{
    uint64_t bits = random_next(from) & ~(UINT64_C(1) << 62); /* no exponent of ones alone */
    double drawn;
    memcpy(&drawn, &bits, sizeof drawn);
    return drawn;
}

/* Series with groups of up to `count` samples, often none. */
static inline void make_samples(ft_profile *profile, random_source *from, uint32_t count)
{
    ft_samples *samples = &profile->samples;
    for (uint32_t i = random_below(from, 4), number = 0; i > 0; i--, number++) {
        ft_series series = {.label = random_below(from, profile->texts.count),
                            .clock = 1 + random_below(from, FT_SERIES_CLOCKS - 1),
                            .loops = draw_number(from) | 1,
                            .flags = random_below(from, FT_SERIES_FLAGS + 1)};
        series.flags &= number == 0 ? ~(uint32_t)FT_SERIES_TOGETHER : UINT32_MAX;
        series.empty = (double)random_below(from, 100) * 1e-9;
        series.bytes = (series.flags & FT_SERIES_HAS_MEMORY) != 0 ? draw_number(from) : 0;
        series.blocks = series.bytes / 3;
        series.peak = (series.flags & FT_SERIES_HAS_PEAK) != 0 ? draw_number(from) : 0;
        must(ft_samples_add_series(samples, &series) == FT_OK);
        for (uint32_t name = random_below(from, profile->texts.count); name > 0; name /= 3) {
            const ft_counter counter = {number, name, draw_double(from)};
            must(ft_samples_add_counter(samples, &counter) == FT_OK);
        }
        for (uint32_t groups = random_below(from, 5); groups > 0; groups--) {
            must(ft_samples_add_group(samples, number) == FT_OK);
            for (uint32_t left = random_below(from, count + 1); left > 0; left--) {
                const double seconds = draw_double(from);
                must(ft_samples_add_seconds(samples, &seconds, 1) == FT_OK);
            }
        }
    }
}

/* An initialised profile drawn from the seed, with trees of up to `nodes` nodes. */
static inline void make_profile(ft_profile *profile, uint64_t seed, uint32_t nodes)
{
    random_source from = {seed};
    char key[32];
    uint32_t index;
    must(ft_profile_init(profile, &ft_mem_system) == FT_OK);
    for (uint32_t i = random_below(&from, 5); i > 0; i--) {
        snprintf(key, sizeof key, "key %u", (unsigned)random_below(&from, 6));
        must(ft_profile_set_meta(profile, key, i % 3 == 0 ? "" : key + 2) == FT_OK);
    }
    make_texts(profile, &from, random_below(&from, 40));
    make_codes(profile, &from, random_below(&from, 30));
    for (uint32_t i = random_below(&from, 4); i > 0; i--) {
        ft_process process = {.pid = (uint32_t)draw_number(&from),
                              .parent_pid = (uint32_t)draw_number(&from),
                              .started = draw_number(&from),
                              .elapsed = draw_number(&from)};
        process.command = random_below(&from, profile->texts.count);
        process.python = random_below(&from, profile->texts.count);
        must(ft_profile_add_process(profile, &process, &index) == FT_OK);
    }
    make_threads(profile, &from, nodes);
    make_notes(profile, &from);
    make_lines(profile, &from, nodes / 2);
    make_memory(profile, &from, nodes / 2);
    make_spans(profile, &from);
    make_samples(profile, &from, nodes < 1000 ? 5 : 3 * nodes); /* more than a chunk holds */
    must(ft_profile_check(profile) == FT_OK);
}

/* The first random profile that has some of everything. */
static inline void make_full_profile(ft_profile *profile, uint32_t nodes)
{
    for (uint64_t seed = 0;; seed++) {
        make_profile(profile, seed, nodes);
        if (profile->thread_count > 1 && profile->note_count > 0 && profile->meta_count > 1 &&
            profile->process_count > 1 && profile->threads[0].tree.count > nodes / 2 &&
            profile->lines.count > 0 && profile->source_count > 0 &&
            profile->memory.sites.count > 1 && profile->memory.moment_count > 0 &&
            profile->memory.point_row_count > 0 && profile->memory.object_count > 0 &&
            profile->spans.collection_count > 0 && profile->spans.sum_count > 0 &&
            profile->spans.thread_count > 0 && profile->samples.counter_count > 0 &&
            profile->samples.second_count > 0)
            return;
        ft_profile_fini(profile);
    }
}

static inline bool same_text(const ft_profile *a, uint32_t x, const ft_profile *b, uint32_t y)
{
    ft_text left = ft_strtab_get(&a->texts, x), right = ft_strtab_get(&b->texts, y);
    return left.length == right.length && memcmp(left.data, right.data, left.length) == 0;
}

static inline bool same_code(const ft_profile *a, uint32_t x, const ft_profile *b, uint32_t y)
{
    const ft_code *left = &a->codes.codes[x], *right = &b->codes.codes[y];
    return left->kind == right->kind && left->line == right->line &&
           same_text(a, left->file, b, right->file) && same_text(a, left->name, b, right->name) &&
           same_text(a, left->qualname, b, right->qualname);
}

static inline bool same_tree(const ft_profile *a, const ft_tree *x, const ft_profile *b,
                             const ft_tree *y)
{
    bool same = x->count == y->count && x->link_count == y->link_count;
    for (uint32_t i = 0; same && i < x->link_count; i++)
        same = memcmp(&x->links[i], &y->links[i], sizeof x->links[i]) == 0;
    for (uint32_t i = 0; same && i < x->count; i++) {
        const ft_node *left = &x->nodes[i], *right = &y->nodes[i];
        same = left->parent == right->parent && left->calls == right->calls &&
               left->own == right->own && left->waiting == right->waiting &&
               same_code(a, left->code, b, right->code);
    }
    return same;
}

static inline bool same_lists(const ft_profile *a, const ft_profile *b)
{
    bool same = true;
    for (uint32_t i = 0; same && i < a->process_count; i++) {
        const ft_process *left = &a->processes[i], *right = &b->processes[i];
        same = left->pid == right->pid && left->parent_pid == right->parent_pid &&
               left->started == right->started && left->elapsed == right->elapsed &&
               same_text(a, left->command, b, right->command) &&
               same_text(a, left->python, b, right->python);
    }
    for (uint32_t i = 0; same && i < a->note_count; i++)
        same = memcmp(&a->notes[i], &b->notes[i], sizeof a->notes[i]) == 0;
    for (uint32_t i = 0; same && i < a->meta_count; i++)
        same = same_text(a, a->meta[i].key, b, b->meta[i].key) &&
               same_text(a, a->meta[i].value, b, b->meta[i].value);
    return same;
}

/* In the same order, too. */
static inline bool same_lines(const ft_profile *a, const ft_profile *b)
{
    bool same = a->lines.count == b->lines.count && a->source_count == b->source_count;
    for (uint32_t i = 0; same && i < a->lines.count; i++) {
        const ft_line *left = &a->lines.lines[i], *right = &b->lines.lines[i];
        same = left->line == right->line && left->hits == right->hits &&
               left->time == right->time && left->waiting == right->waiting &&
               left->callees == right->callees && same_code(a, left->code, b, right->code);
    }
    for (uint32_t i = 0; same && i < a->source_count; i++)
        same = same_text(a, a->sources[i].file, b, b->sources[i].file) &&
               same_text(a, a->sources[i].text, b, b->sources[i].text);
    return same;
}

/* Sites in the same order, too. */
static inline bool same_sites(const ft_profile *a, const ft_profile *b)
{
    const ft_sites *x = &a->memory.sites, *y = &b->memory.sites;
    bool same = x->count == y->count;
    for (uint32_t i = 0; same && i < x->count; i++) {
        ft_site left = x->sites[i], right = y->sites[i];
        same = same_code(a, left.code, b, right.code);
        left.code = right.code;
        same = same && memcmp(&left, &right, sizeof left) == 0;
    }
    return same;
}

static inline bool same_points(const ft_profile *a, const ft_profile *b)
{
    const ft_memory *x = &a->memory, *y = &b->memory;
    bool same = x->point_count == y->point_count && x->point_row_count == y->point_row_count;
    for (uint32_t i = 0; same && i < x->point_count; i++) {
        const ft_point *left = &x->points[i], *right = &y->points[i];
        same = left->process == right->process && left->time == right->time &&
               left->live_count == right->live_count && left->live_bytes == right->live_bytes &&
               left->rss == right->rss && same_text(a, left->name, b, right->name);
    }
    for (uint32_t i = 0; same && i < x->point_row_count; i++)
        same = memcmp(&x->point_rows[i], &y->point_rows[i], sizeof x->point_rows[i]) == 0;
    return same;
}

static inline bool same_objects(const ft_profile *a, const ft_profile *b)
{
    const ft_memory *x = &a->memory, *y = &b->memory;
    bool same = x->object_count == y->object_count && x->class_count == y->class_count;
    for (uint32_t i = 0; same && i < x->object_count; i++) {
        const ft_object_row *left = &x->objects[i], *right = &y->objects[i];
        same = left->process == right->process && left->site == right->site &&
               left->count == right->count && left->bytes == right->bytes &&
               same_text(a, left->type, b, right->type);
    }
    for (uint32_t i = 0; same && i < x->class_count; i++) {
        const ft_class_row *left = &x->classes[i], *right = &y->classes[i];
        same = left->process == right->process && left->instances == right->instances &&
               left->bytes == right->bytes && left->plain == right->plain &&
               left->slotted == right->slotted && same_text(a, left->type, b, right->type) &&
               same_text(a, left->why, b, right->why);
    }
    return same;
}

static inline bool same_memory(const ft_profile *a, const ft_profile *b)
{
    const ft_memory *x = &a->memory, *y = &b->memory;
    bool same = x->heap_count == y->heap_count && x->moment_count == y->moment_count;
    for (uint32_t i = 0; same && i < x->heap_count; i++)
        same = memcmp(&x->heaps[i], &y->heaps[i], sizeof x->heaps[i]) == 0;
    for (uint32_t i = 0; same && i < x->moment_count; i++) {
        const ft_moment *left = &x->moments[i], *right = &y->moments[i];
        same = left->process == right->process && left->time == right->time &&
               left->live == right->live && left->rss == right->rss;
    }
    return same && same_sites(a, b) && same_points(a, b) && same_objects(a, b);
}

static inline bool same_spans(const ft_profile *a, const ft_profile *b)
{
    const ft_spans *x = &a->spans, *y = &b->spans;
    bool same = x->collection_count == y->collection_count && x->sum_count == y->sum_count &&
                x->thread_count == y->thread_count;
    for (uint32_t i = 0; same && i < x->collection_count; i++)
        same = memcmp(&x->collections[i], &y->collections[i], sizeof x->collections[i]) == 0;
    for (uint32_t i = 0; same && i < x->sum_count; i++)
        same = memcmp(&x->sums[i], &y->sums[i], sizeof x->sums[i]) == 0;
    for (uint32_t i = 0; same && i < x->thread_count; i++) {
        const ft_thread_span *left = &x->threads[i], *right = &y->threads[i];
        same = left->thread == right->thread && left->uses == right->uses &&
               left->start == right->start && left->end == right->end;
    }
    return same;
}

static inline bool same_samples(const ft_profile *a, const ft_profile *b)
{
    const ft_samples *x = &a->samples, *y = &b->samples;
    bool same = x->series_count == y->series_count && x->counter_count == y->counter_count &&
                x->group_count == y->group_count && x->second_count == y->second_count;
    for (uint32_t i = 0; same && i < x->series_count; i++) {
        const ft_series *left = &x->series[i], *right = &y->series[i];
        same = same_text(a, left->label, b, right->label) && left->clock == right->clock &&
               left->loops == right->loops && left->flags == right->flags &&
               memcmp(&left->empty, &right->empty, sizeof left->empty) == 0 &&
               left->bytes == right->bytes && left->blocks == right->blocks &&
               left->peak == right->peak;
    }
    for (uint32_t i = 0; same && i < x->counter_count; i++) {
        const ft_counter *left = &x->counters[i], *right = &y->counters[i];
        same = left->series == right->series && same_text(a, left->name, b, right->name) &&
               memcmp(&left->value, &right->value, sizeof left->value) == 0;
    }
    for (uint32_t i = 0; same && i < x->group_count; i++)
        same = memcmp(&x->groups[i], &y->groups[i], sizeof x->groups[i]) == 0;
    return same && (x->second_count == 0 ||
                    memcmp(x->seconds, y->seconds, x->second_count * sizeof *x->seconds) == 0);
}

/* Equal in everything but the numbering of texts and codes. */
static inline bool same_profile(const ft_profile *a, const ft_profile *b)
{
    bool same = a->process_count == b->process_count && a->note_count == b->note_count &&
                a->meta_count == b->meta_count && a->thread_count == b->thread_count &&
                same_lists(a, b) && same_lines(a, b) && same_memory(a, b) && same_samples(a, b) &&
                same_spans(a, b);
    for (uint32_t i = 0; same && i < a->thread_count; i++) {
        const ft_thread *left = &a->threads[i], *right = &b->threads[i];
        same = left->process == right->process && left->uses == right->uses &&
               same_text(a, left->name, b, right->name) &&
               same_tree(a, &left->tree, b, &right->tree);
    }
    return same;
}

/* An open file without a name. */
static inline int open_temporary(void)
{
    char path[] = "/tmp/fettle_test_XXXXXX";
    int fd = mkstemp(path);
    must(fd >= 0 && unlink(path) == 0);
    return fd;
}

static inline size_t file_size(int fd)
{
    struct stat info;
    must(fstat(fd, &info) == 0);
    return (size_t)info.st_size;
}

/* The file's bytes; the caller frees them. */
static inline uint8_t *file_bytes(int fd, size_t *length)
{
    *length = file_size(fd);
    uint8_t *bytes = malloc(*length + 1);
    must(bytes != NULL && pread(fd, bytes, *length, 0) == (ssize_t)*length);
    return bytes;
}

/* The whole recording as a file's bytes; the caller frees them. */
static inline uint8_t *profile_bytes(const ft_profile *profile, size_t *length)
{
    int fd = open_temporary();
    must(ft_writer_begin(fd, profile) == FT_OK && ft_writer_append(fd, profile) == FT_OK);
    uint8_t *bytes = file_bytes(fd, length);
    close(fd);
    return bytes;
}

#endif
