/* SPDX-License-Identifier: Apache-2.0 */
/* test_profile.c: building, checking and merging recordings. A merge is compared by what the
 * elements say (texts spelled out), never by ids. */
#include "engine/model/profile.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

static int text_is(const ft_profile *profile, uint32_t id, const char *text, size_t length)
{
    ft_text have = ft_strtab_get(&profile->texts, id);
    return have.length == length && memcmp(have.data, text, length) == 0;
}

static int same_text(const ft_profile *a, uint32_t in_a, const ft_profile *b, uint32_t in_b)
{
    ft_text text = ft_strtab_get(&b->texts, in_b);
    return text_is(a, in_a, text.data, text.length);
}

static void test_meta(void)
{
    ft_profile profile;
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_profile_check(&profile) == FT_OK);
    CHECK(ft_profile_get_meta(&profile, "state") == NULL);
    CHECK(ft_profile_set_meta(&profile, "state", "recording") == FT_OK);
    CHECK(ft_profile_set_meta(&profile, "stat", "x") == FT_OK);
    CHECK(ft_profile_set_meta(&profile, "state", "ended") == FT_OK);
    CHECK(profile.meta_count == 2);
    CHECK(strcmp(ft_profile_get_meta(&profile, "state"), "ended") == 0);
    CHECK(strcmp(ft_profile_get_meta(&profile, "stat"), "x") == 0);
    CHECK(ft_profile_get_meta(&profile, "sta") == NULL);
    CHECK(ft_profile_get_meta(&profile, "") == NULL);
    CHECK(ft_profile_check(&profile) == FT_OK);
    ft_profile_fini(&profile);
    ft_profile_fini(&profile);
}

static void test_sources(void)
{
    ft_profile profile;
    uint32_t file, first, second;
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    REQUIRE(ft_strtab_intern(&profile.texts, "a.py", 4, &file) == FT_OK);
    REQUIRE(ft_strtab_intern(&profile.texts, "pass", 4, &first) == FT_OK);
    REQUIRE(ft_strtab_intern(&profile.texts, "fail", 4, &second) == FT_OK);
    CHECK(ft_profile_get_source(&profile, file) == NULL);
    CHECK(ft_profile_set_source(&profile, file, first) == FT_OK);
    CHECK(ft_profile_set_source(&profile, file, second) == FT_OK);
    CHECK(ft_profile_set_source(&profile, second, second) == FT_OK);
    CHECK(profile.source_count == 2 && ft_profile_get_source(&profile, file)->text == first);
    CHECK(ft_profile_get_source(&profile, first) == NULL);
    ft_profile_fini(&profile);
}

static void test_adding(void)
{
    ft_profile profile;
    uint32_t index = 99, name, code, id;
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    REQUIRE(ft_strtab_intern(&profile.texts, "main", 4, &name) == FT_OK);
    REQUIRE(ft_codetab_intern(&profile.codes, &(ft_code){.kind = FT_CODE_C}, &code) == FT_OK);
    int good = 1;
    for (uint32_t i = 0; i < 100; i++) {
        good &= ft_profile_add_process(&profile, &(ft_process){.pid = i}, &index) == FT_OK;
        good &= index == i;
    }
    for (uint32_t i = 0; i < 100; i++) {
        good &= ft_profile_add_thread(&profile, 99 - i, name, &index) == FT_OK && index == i;
        for (uint32_t nodes = 0; nodes < i; nodes++)
            good &= ft_tree_add(&profile.threads[i].tree, nodes, code, &id) == FT_OK;
    }
    for (uint32_t i = 0; i < 100; i++) {
        const ft_thread *thread = &profile.threads[i];
        good &= thread->process == 99 - i && thread->name == name && thread->tree.count == i + 1;
        good &= profile.processes[i].pid == i;
    }
    CHECK(good && profile.process_count == 100 && profile.thread_count == 100);
    CHECK(ft_profile_add_note(&profile, &(ft_note){FT_NOTE_TORN, 5, 3}) == FT_OK);
    CHECK(profile.note_count == 1 && profile.notes[0].count == 3 && profile.notes[0].process == 5);
    CHECK(ft_profile_check(&profile) == FT_OK);
    ft_profile_fini(&profile);
}

/* ---- random recordings ---- */

static uint32_t draw_text(ft_profile *profile, random_source *source, ft_status *status)
{
    char text[8];
    uint32_t id = 0;
    size_t length = random_below(source, 4);
    for (size_t i = 0; i < length; i++)
        text[i] = "abc\0"[random_below(source, 4)];
    if (*status == FT_OK)
        *status = ft_strtab_intern(&profile->texts, text, length, &id);
    return id;
}

static ft_status draw_tree(ft_profile *profile, random_source *source, ft_tree *tree)
{
    uint32_t nodes = random_below(source, 40), id;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < nodes && status == FT_OK; i++) {
        if (profile->codes.count == 1)
            break;
        uint32_t code = 1 + random_below(source, profile->codes.count - 1);
        status = ft_tree_add(tree, random_below(source, tree->count), code, &id);
        if (status == FT_OK)
            tree->nodes[id].calls = random_next(source);
        if (status == FT_OK)
            tree->nodes[id].own = random_next(source);
        if (status == FT_OK)
            tree->nodes[id].waiting = random_next(source);
    }
    return status;
}

static ft_status draw_codes(ft_profile *profile, random_source *source)
{
    ft_status status = FT_OK;
    for (uint32_t i = random_below(source, 10), id; i > 0 && status == FT_OK; i--) {
        ft_code code = {.line = random_below(source, 3), .kind = 1 + random_below(source, 4)};
        code.file = draw_text(profile, source, &status);
        code.name = draw_text(profile, source, &status);
        code.qualname = draw_text(profile, source, &status);
        if (status == FT_OK)
            status = ft_codetab_intern(&profile->codes, &code, &id);
    }
    return status;
}

static ft_status draw_process(ft_profile *profile, random_source *source)
{
    ft_status status = FT_OK;
    uint32_t process, thread;
    ft_process made = {.pid = random_below(source, 1000), .started = random_next(source)};
    made.parent_pid = random_below(source, 1000);
    made.elapsed = random_next(source);
    made.command = draw_text(profile, source, &status);
    made.python = draw_text(profile, source, &status);
    if (status == FT_OK)
        status = ft_profile_add_process(profile, &made, &process);
    for (uint32_t i = random_below(source, 4); i > 0 && status == FT_OK; i--) {
        uint32_t name = draw_text(profile, source, &status);
        if (status == FT_OK)
            status = ft_profile_add_thread(profile, process, name, &thread);
        if (status != FT_OK)
            break;
        profile->threads[thread].uses = random_below(source, 5);
        status = draw_tree(profile, source, &profile->threads[thread].tree);
    }
    if (status == FT_OK && random_below(source, 2) == 0)
        status = ft_profile_add_note(
            profile, &(ft_note){1 + random_below(source, 99), process, random_next(source)});
    return status;
}

static ft_status draw_lines(ft_profile *profile, random_source *source)
{
    ft_status status = FT_OK;
    for (uint32_t i = random_below(source, 30); i > 0 && status == FT_OK; i--) {
        uint32_t code = random_below(source, profile->codes.count);
        if (profile->codes.codes[code].kind != FT_CODE_PYTHON)
            continue;
        ft_line line = {code, 1 + random_below(source, 5), .hits = random_below(source, 9)};
        line.time = random_below(source, 1000);
        line.waiting = line.time / 2;
        line.callees = line.time / 3;
        status = ft_lines_add(&profile->lines, &line);
    }
    for (uint32_t i = random_below(source, 5); i > 0 && status == FT_OK; i--) {
        uint32_t file = draw_text(profile, source, &status);
        uint32_t text = draw_text(profile, source, &status);
        if (status == FT_OK)
            status = ft_profile_set_source(profile, file, text);
    }
    return status;
}

/* Fills an initialised, empty profile. */
static ft_status draw_profile(ft_profile *profile, random_source *source)
{
    ft_status status = draw_codes(profile, source);
    for (uint32_t i = random_below(source, 5); i > 0 && status == FT_OK; i--) {
        uint32_t key = draw_text(profile, source, &status);
        uint32_t value = draw_text(profile, source, &status);
        if (status == FT_OK)
            status = ft_profile_put_meta(profile, key, value);
    }
    for (uint32_t i = random_below(source, 4); i > 0 && status == FT_OK; i--)
        status = draw_process(profile, source);
    return status == FT_OK ? draw_lines(profile, source) : status;
}

/* ---- merge ---- */

/* Where part begins in whole: the counts before it was merged. */
typedef struct place {
    uint32_t meta, processes, threads, notes;
} place;

static int same_code(const ft_profile *a, uint32_t in_a, const ft_profile *b, uint32_t in_b)
{
    const ft_code *x = &a->codes.codes[in_a], *y = &b->codes.codes[in_b];
    return same_text(a, x->file, b, y->file) && same_text(a, x->name, b, y->name) &&
           same_text(a, x->qualname, b, y->qualname) && x->line == y->line && x->kind == y->kind;
}

static int same_tree(const ft_profile *a, const ft_tree *in_a, const ft_profile *b,
                     const ft_tree *in_b)
{
    int good = in_a->count == in_b->count;
    for (uint32_t id = 0; id < in_a->count && good; id++) {
        const ft_node *x = &in_a->nodes[id], *y = &in_b->nodes[id];
        good = same_code(a, x->code, b, y->code) && x->parent == y->parent;
        good &= x->calls == y->calls && x->own == y->own && x->waiting == y->waiting;
    }
    return good;
}

static int has_processes(const ft_profile *whole, const ft_profile *part, place at)
{
    int good = 1;
    for (uint32_t i = 0; i < part->process_count && good; i++) {
        const ft_process *x = &whole->processes[at.processes + i], *y = &part->processes[i];
        good = same_text(whole, x->command, part, y->command);
        good &= same_text(whole, x->python, part, y->python);
        good &= x->pid == y->pid && x->parent_pid == y->parent_pid;
        good &= x->started == y->started && x->elapsed == y->elapsed;
    }
    return good;
}

static int has_part(const ft_profile *whole, const ft_profile *part, place at)
{
    int good = has_processes(whole, part, at);
    for (uint32_t i = 0; i < part->thread_count && good; i++) {
        const ft_thread *x = &whole->threads[at.threads + i], *y = &part->threads[i];
        good = x->process == at.processes + y->process && x->uses == y->uses;
        good &= same_text(whole, x->name, part, y->name);
        good &= same_tree(whole, &x->tree, part, &y->tree);
    }
    for (uint32_t i = 0; i < part->note_count && good; i++) {
        const ft_note *x = &whole->notes[at.notes + i], *y = &part->notes[i];
        good = x->kind == y->kind && x->process == at.processes + y->process;
        good &= x->count == y->count;
    }
    return good;
}

/* Whether whole has the key of part's property once and, if that one must win, part's value. */
static int meta_holds(const ft_profile *whole, const ft_profile *part, uint32_t index, int must_win)
{
    const ft_meta *wanted = &part->meta[index];
    int found = 0, same = 0;
    for (uint32_t i = 0; i < whole->meta_count; i++) {
        if (!same_text(whole, whole->meta[i].key, part, wanted->key))
            continue;
        found++;
        same = same_text(whole, whole->meta[i].value, part, wanted->value);
    }
    return found == 1 && (same || !must_win);
}

static int has_key(const ft_profile *profile, const ft_profile *other, uint32_t key)
{
    for (uint32_t i = 0; i < profile->meta_count; i++)
        if (same_text(profile, profile->meta[i].key, other, key))
            return 1;
    return 0;
}

static int merged_meta(const ft_profile *whole, const ft_profile *first, const ft_profile *second)
{
    int good = 1;
    for (uint32_t i = 0; i < first->meta_count; i++)
        good &= meta_holds(whole, first, i, 1);
    for (uint32_t i = 0; i < second->meta_count; i++)
        good &= meta_holds(whole, second, i, !has_key(first, second, second->meta[i].key));
    return good;
}

/* What part says of line x of whole, to be summed: each line of part once at most. */
static void add_same_line(ft_line *sum, const ft_profile *whole, const ft_line *x,
                          const ft_profile *part)
{
    for (uint32_t i = 0; i < part->lines.count; i++) {
        const ft_line *y = &part->lines.lines[i];
        if (y->line != x->line || !same_code(whole, x->code, part, y->code))
            continue;
        sum->hits += y->hits;
        sum->time += y->time;
        sum->waiting += y->waiting;
        sum->callees += y->callees;
    }
}

static int merged_lines(const ft_profile *whole, const ft_profile *first, const ft_profile *second)
{
    uint64_t hits = 0;
    int good = 1;
    for (uint32_t i = 0; i < whole->lines.count; i++) {
        const ft_line *x = &whole->lines.lines[i];
        ft_line sum = {.code = x->code, .line = x->line};
        add_same_line(&sum, whole, x, first);
        add_same_line(&sum, whole, x, second);
        good &= memcmp(&sum, x, sizeof sum) == 0;
        hits += x->hits;
    }
    for (uint32_t i = 0; i < first->lines.count; i++)
        hits -= first->lines.lines[i].hits;
    for (uint32_t i = 0; i < second->lines.count; i++)
        hits -= second->lines.lines[i].hits;
    return good && hits == 0; /* all of both stand in whole */
}

/* The text that profile has for the file of other's source, or NULL. */
static const ft_source *source_of(const ft_profile *profile, const ft_profile *other,
                                  const ft_source *source)
{
    for (uint32_t i = 0; i < profile->source_count; i++)
        if (same_text(profile, profile->sources[i].file, other, source->file))
            return &profile->sources[i];
    return NULL;
}

static int merged_sources(const ft_profile *whole, const ft_profile *first,
                          const ft_profile *second)
{
    uint32_t only_second = 0;
    int good = 1;
    for (uint32_t i = 0; i < first->source_count; i++) {
        const ft_source *have = source_of(whole, first, &first->sources[i]);
        good &= have != NULL && same_text(whole, have->text, first, first->sources[i].text);
    }
    for (uint32_t i = 0; i < second->source_count; i++) {
        const ft_source *wanted = &second->sources[i], *have = source_of(whole, second, wanted);
        int in_first = source_of(first, second, wanted) != NULL;
        good &= have != NULL && (in_first || same_text(whole, have->text, second, wanted->text));
        only_second += !in_first;
    }
    return good && whole->source_count == first->source_count + only_second;
}

static int merge_of_seed(uint64_t seed)
{
    random_source source = {seed};
    ft_profile first, second, whole;
    place none = {0};
    int good = ft_profile_init(&first, &ft_mem_system) == FT_OK;
    good &= ft_profile_init(&second, &ft_mem_system) == FT_OK;
    good &= ft_profile_init(&whole, &ft_mem_system) == FT_OK;
    good &= draw_profile(&first, &source) == FT_OK && draw_profile(&second, &source) == FT_OK;
    good &= ft_profile_check(&first) == FT_OK && ft_profile_check(&second) == FT_OK;

    good &= ft_profile_merge(&whole, &first) == FT_OK && has_part(&whole, &first, none);
    place after = {whole.meta_count, whole.process_count, whole.thread_count, whole.note_count};
    good &= ft_profile_merge(&whole, &second) == FT_OK;
    good &= has_part(&whole, &first, none) && has_part(&whole, &second, after);
    good &= whole.thread_count == first.thread_count + second.thread_count;
    good &= whole.process_count == first.process_count + second.process_count;
    good &= whole.note_count == first.note_count + second.note_count;
    good &= merged_meta(&whole, &first, &second);
    good &= merged_lines(&whole, &first, &second) && merged_sources(&whole, &first, &second);
    good &= ft_profile_check(&whole) == FT_OK;
    ft_profile_fini(&first);
    ft_profile_fini(&second);
    ft_profile_fini(&whole);
    return good;
}

static void test_merge(void)
{
    int good = 1;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        if (merge_of_seed(seed))
            continue;
        printf("# seed %llu\n", (unsigned long long)seed);
        good = 0;
    }
    CHECK(good);
}

enum { FULL_SEED = 70 }; /* gives two recordings with something of everything: checked below */

static ft_status draw_and_merge(const ft_mem *mem)
{
    random_source source = {FULL_SEED};
    ft_profile first, second;
    ft_status status = ft_profile_init(&first, mem);
    if (status != FT_OK)
        return status;
    status = ft_profile_init(&second, mem);
    if (status == FT_OK)
        status = draw_profile(&first, &source);
    if (status == FT_OK)
        status = draw_profile(&second, &source);
    if (status == FT_OK) {
        place before = {first.meta_count, first.process_count, first.thread_count,
                        first.note_count};
        const uint32_t lines = first.lines.count, sources = first.source_count;
        status = ft_profile_merge(&first, &second);
        if (status != FT_OK &&
            (first.meta_count != before.meta || /* nothing half done */
             first.process_count != before.processes || first.thread_count != before.threads ||
             first.note_count != before.notes || first.lines.count != lines ||
             first.source_count != sources))
            status = FT_ERR_CORRUPT;
        if (ft_profile_check(&first) != FT_OK)
            status = FT_ERR_CORRUPT;
    }
    ft_profile_fini(&second);
    ft_profile_fini(&first);
    return status;
}

static void test_sweep_is_full(void)
{
    random_source source = {FULL_SEED};
    ft_profile profile;
    for (int i = 0; i < 2; i++) {
        REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
        REQUIRE(draw_profile(&profile, &source) == FT_OK);
        CHECK(profile.thread_count > 0 && profile.note_count > 0 && profile.meta_count > 0);
        CHECK(profile.lines.count > 0 && profile.source_count > 0);
        ft_profile_fini(&profile);
    }
}

/* ---- check ---- */

/* A valid recording with one of everything. */
static void make_small(ft_profile *profile)
{
    uint32_t id;
    REQUIRE(ft_profile_init(profile, &ft_mem_system) == FT_OK);
    REQUIRE(ft_profile_set_meta(profile, "key", "value") == FT_OK);
    REQUIRE(ft_codetab_intern(&profile->codes, &(ft_code){1, 2, 1, 9, FT_CODE_PYTHON}, &id) ==
            FT_OK);
    REQUIRE(ft_profile_add_process(profile, &(ft_process){.pid = 7, .command = 1}, &id) == FT_OK);
    REQUIRE(ft_profile_add_thread(profile, 0, 2, &id) == FT_OK);
    REQUIRE(ft_tree_add(&profile->threads[0].tree, 0, 1, &id) == FT_OK);
    REQUIRE(ft_tree_add(&profile->threads[0].tree, 1, 1, &id) == FT_OK);
    REQUIRE(ft_profile_add_note(profile, &(ft_note){FT_NOTE_TORN, 0, 1}) == FT_OK);
    REQUIRE(ft_lines_add(&profile->lines, &(ft_line){1, 9, 1, 5, 5, 5}) == FT_OK);
    REQUIRE(ft_profile_set_source(profile, 1, 2) == FT_OK);
    REQUIRE(ft_profile_check(profile) == FT_OK);
}

/* Sets one number of the small recording, and whether the check sees it; then sets it back. */
static int is_refused(const ft_profile *profile, uint32_t *number, uint32_t wrong)
{
    uint32_t right = *number;
    *number = wrong;
    int refused = ft_profile_check(profile) == FT_ERR_CORRUPT;
    *number = right;
    return refused && ft_profile_check(profile) == FT_OK;
}

static void test_check(void)
{
    ft_profile p;
    make_small(&p);
    uint32_t texts = p.texts.count, codes = p.codes.count;
    ft_node *nodes = p.threads[0].tree.nodes;
    CHECK(is_refused(&p, &p.meta[0].key, texts));
    CHECK(is_refused(&p, &p.meta[0].value, UINT32_MAX));
    CHECK(is_refused(&p, &p.codes.codes[1].file, texts));
    CHECK(is_refused(&p, &p.codes.codes[1].name, texts));
    CHECK(is_refused(&p, &p.codes.codes[1].qualname, texts));
    CHECK(is_refused(&p, &p.codes.codes[1].kind, FT_CODE_KINDS));
    CHECK(is_refused(&p, &p.codes.codes[1].kind, FT_CODE_ROOT));
    CHECK(is_refused(&p, &p.codes.codes[0].kind, FT_CODE_PYTHON));
    CHECK(is_refused(&p, &p.processes[0].command, texts));
    CHECK(is_refused(&p, &p.processes[0].python, texts));
    CHECK(is_refused(&p, &p.threads[0].process, 1));
    CHECK(is_refused(&p, &p.threads[0].name, texts));
    CHECK(is_refused(&p, &p.threads[0].tree.count, 0));
    CHECK(is_refused(&p, &nodes[0].parent, 1));
    CHECK(is_refused(&p, &nodes[0].code, 1));
    CHECK(is_refused(&p, &nodes[1].parent, 1));
    CHECK(is_refused(&p, &nodes[1].parent, 2));
    CHECK(is_refused(&p, &nodes[2].parent, UINT32_MAX));
    CHECK(is_refused(&p, &nodes[2].code, codes));
    CHECK(is_refused(&p, &nodes[2].code, FT_CODE_NONE));
    CHECK(is_refused(&p, &p.notes[0].process, 1));
    CHECK(is_refused(&p, &p.lines.lines[0].code, codes));
    CHECK(is_refused(&p, &p.lines.lines[0].code, FT_CODE_NONE));
    CHECK(is_refused(&p, &p.lines.lines[0].line, 0)); /* the function as a whole has no time */
    CHECK(is_refused(&p, &p.sources[0].file, texts));
    CHECK(is_refused(&p, &p.sources[0].text, texts));
    CHECK(is_refused(&p, &p.texts.offsets[1], 0));
    CHECK(is_refused(&p, &p.texts.offsets[texts], 1));
    ft_profile_fini(&p);
}

int main(void)
{
    test_meta();
    test_adding();
    test_sources();
    test_merge();
    test_sweep_is_full();
    CHECK(sweep(draw_and_merge));
    test_check();
    return tap_end();
}
