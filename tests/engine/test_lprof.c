/* SPDX-License-Identifier: Apache-2.0 */
/* test_lprof.c: line_profiler's files as a whole: what is written is read back, timings become
 * lines and lines timings, cut and damaged files are refused, and every allocation is refused once.
 */
#include <math.h>
#include <string.h>

#include "engine/export/exporter.h"
#include "engine/export/lprof.h"
#include "engine/file/lprof_reader.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { SEEDS = 50 };

static uint32_t draw_text(ft_timings *timings, random_source *from)
{
    char text[300];
    uint32_t id;
    size_t length = random_below(from, random_below(from, 4) == 0 ? sizeof text : 3);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)random_next(from);
    must(ft_strtab_intern(&timings->texts, text, length, &id) == FT_OK);
    return id;
}

static int64_t draw_signed(random_source *from)
{
    int64_t number = (int64_t)draw_number(from);
    return random_below(from, 4) == 0 ? -(number / 2) : number;
}

/* Initialised timings with any numbers and texts. */
static void make_timings(ft_timings *timings, uint64_t seed)
{
    random_source from = {seed};
    must(ft_timings_init(timings, &ft_mem_system) == FT_OK);
    timings->unit = (double)random_next(&from) / 0x1p70;
    for (uint32_t i = random_below(&from, 20); i > 0; i--) {
        uint32_t file = draw_text(timings, &from), name = draw_text(timings, &from);
        must(ft_timings_add_function(timings, file, draw_signed(&from), name) == FT_OK);
        for (uint32_t line = random_below(&from, 30); line > 0; line--)
            must(ft_timings_add_line(timings, &(ft_timing){draw_signed(&from), draw_signed(&from),
                                                           draw_signed(&from)}) == FT_OK);
    }
}

static bool same_name(const ft_timings *a, uint32_t x, const ft_timings *b, uint32_t y)
{
    ft_text left = ft_strtab_get(&a->texts, x), right = ft_strtab_get(&b->texts, y);
    return left.length == right.length && memcmp(left.data, right.data, left.length) == 0;
}

static bool same_timings(const ft_timings *a, const ft_timings *b)
{
    bool same = a->function_count == b->function_count && a->line_count == b->line_count &&
                memcmp(&a->unit, &b->unit, sizeof a->unit) == 0;
    for (uint32_t i = 0; same && i < a->function_count; i++) {
        const ft_timed *x = &a->functions[i], *y = &b->functions[i];
        same = same_name(a, x->file, b, y->file) && same_name(a, x->name, b, y->name) &&
               x->line == y->line && x->first == y->first && x->count == y->count;
    }
    for (uint32_t i = 0; same && i < a->line_count; i++)
        same = a->lines[i].line == b->lines[i].line && a->lines[i].hits == b->lines[i].hits &&
               a->lines[i].time == b->lines[i].time;
    return same;
}

static void read_back(const ft_buf *file, ft_timings *timings)
{
    ft_pickle_fault fault;
    must(ft_timings_init(timings, &ft_mem_system) == FT_OK);
    must(ft_lprof_reader_read(file->data, file->length, timings, &fault) == FT_OK);
}

static ft_buf written(uint64_t seed)
{
    ft_timings timings;
    ft_buf file;
    ft_buf_init(&file, &ft_mem_system);
    make_timings(&timings, seed);
    must(ft_lprof_write(&timings, &file) == FT_OK);
    ft_timings_fini(&timings);
    return file;
}

static void test_what_is_written_is_read_back(void)
{
    bool same = true;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ft_timings timings, back;
        ft_buf file = written(seed);
        make_timings(&timings, seed);
        read_back(&file, &back);
        same = same && same_timings(&timings, &back);
        ft_timings_fini(&back);
        ft_timings_fini(&timings);
        ft_buf_fini(&file);
    }
    CHECK(same);
}

static ft_status read_status(const uint8_t *bytes, size_t length)
{
    ft_timings timings;
    ft_pickle_fault fault = {""};
    uint8_t *copy = malloc(length); /* exactly as large: a sanitizer finds what reads behind it */
    must(copy != NULL && ft_timings_init(&timings, &ft_mem_system) == FT_OK);
    memcpy(copy, bytes, length);
    ft_status status = ft_lprof_reader_read(copy, length, &timings, &fault);
    must((status == FT_ERR_CORRUPT) == (fault.text[0] != '\0'));
    ft_timings_fini(&timings);
    free(copy);
    return status;
}

static void test_cut_anywhere(void)
{
    ft_buf file = written(1);
    bool refused = true;
    CHECK(read_status(file.data, file.length) == FT_OK);
    for (size_t length = 2; length < file.length; length++)
        refused = refused && read_status(file.data, length) == FT_ERR_CORRUPT;
    CHECK(refused);
    ft_buf_fini(&file);
}

/* Nothing to hold but that it ends, within its block. */
static void test_damaged_anywhere(void)
{
    random_source from = {7};
    ft_buf file = written(2);
    bool ends = true;
    for (size_t at = 2; at < file.length; at++) {
        uint8_t was = file.data[at];
        file.data[at] = (uint8_t)random_next(&from);
        ft_status status = read_status(file.data, file.length);
        ends = ends && (status == FT_OK || status == FT_ERR_CORRUPT || status == FT_ERR_LIMIT);
        file.data[at] = was;
    }
    CHECK(ends);
    ft_buf_fini(&file);
}

/* ---- lines ---- */

typedef struct example { /* one function of a.py, from line 3 on */
    ft_timings timings;
    ft_profile profile;
    ft_status status;
} example;

static void example_init(example *of, double unit, const ft_timing *lines, uint32_t count)
{
    uint32_t file, name;
    must(ft_timings_init(&of->timings, &ft_mem_system) == FT_OK);
    must(ft_profile_init(&of->profile, &ft_mem_system) == FT_OK);
    must(ft_strtab_intern(&of->timings.texts, "a.py", 4, &file) == FT_OK);
    must(ft_strtab_intern(&of->timings.texts, "C.f", 3, &name) == FT_OK);
    must(ft_timings_add_function(&of->timings, file, 3, name) == FT_OK);
    of->timings.unit = unit;
    for (uint32_t i = 0; i < count; i++)
        must(ft_timings_add_line(&of->timings, &lines[i]) == FT_OK);
    of->status = ft_lprof_reader_add(&of->profile, &of->timings);
    must(ft_profile_check(&of->profile) == FT_OK);
}

static void example_fini(example *of)
{
    ft_profile_fini(&of->profile);
    ft_timings_fini(&of->timings);
}

/* Whether the profile has just these lines. */
static bool has_lines(const example *of, const ft_line *wanted, uint32_t count)
{
    bool same = of->status == FT_OK && of->profile.lines.count == count;
    for (uint32_t i = 0; same && i < count; i++) {
        const ft_line *line = &of->profile.lines.lines[i];
        same = line->line == wanted[i].line && line->hits == wanted[i].hits &&
               line->time == wanted[i].time && line->waiting == 0 && line->callees == 0;
    }
    return same;
}

static void test_timings_become_lines(void)
{
    static const ft_timing lines[] = {{5, 7, 20}, {4, 2, 1500000}, {3, 0, 0}, {6, 9, 0}};
    static const ft_line wanted[] = {{.line = 0, .hits = 2},
                                     {.line = 3},
                                     {.line = 4, .hits = 2, .time = 1500000000},
                                     {.line = 5, .hits = 7, .time = 20000},
                                     {.line = 6, .hits = 9}};
    example of;
    example_init(&of, 1e-6, lines, 4);
    CHECK(has_lines(&of, wanted, 5));
    const ft_code *code = &of.profile.codes.codes[of.profile.lines.lines[0].code];
    CHECK(code->kind == FT_CODE_PYTHON && code->line == 3 && code->name == code->qualname);
    CHECK(strcmp(ft_strtab_get(&of.profile.texts, code->name).data, "C.f") == 0);
    CHECK(strcmp(ft_strtab_get(&of.profile.texts, code->file).data, "a.py") == 0);
    example_fini(&of);
}

static void test_numbers_that_no_profile_has(void)
{
    static const ft_timing lines[] = {{-5, -1, -7}, {INT64_MAX, INT64_MAX, INT64_MAX}};
    static const ft_line wanted[] = {{.line = 0, .hits = INT64_MAX},
                                     {.line = 1},
                                     {.line = UINT32_MAX, .hits = INT64_MAX, .time = UINT64_MAX}};
    example of;
    example_init(&of, 1e-3, lines, 2);
    CHECK(has_lines(&of, wanted, 3));
    example_fini(&of);
}

static uint64_t time_of(double unit, int64_t time)
{
    example of;
    example_init(&of, unit, &(ft_timing){4, 1, time}, 1);
    must(of.status == FT_OK && of.profile.lines.count == 2);
    uint64_t ns = of.profile.lines.lines[1].time;
    example_fini(&of);
    return ns;
}

static void test_units(void)
{
    CHECK(time_of(1e-9, INT64_MAX) == INT64_MAX); /* not rounded to 53 bits */
    CHECK(time_of(1e-9, 123456789012345677) == 123456789012345677);
    CHECK(time_of(1e-7, 3) == 300 && time_of(1e-6, 999999999) == UINT64_C(999999999000));
    CHECK(time_of(0.015625, 3) == 46875000 && time_of(1, 2) == 2000000000);
    CHECK(time_of(4e-10, 1) == 0 && time_of(5e-10, 1) == 1 && time_of(1e-9 / 3, 5) == 2);
}

static ft_status status_of_unit(double unit)
{
    example of;
    example_init(&of, unit, NULL, 0);
    ft_status status = of.status;
    example_fini(&of);
    return status;
}

static void test_units_that_are_none(void)
{
    CHECK(status_of_unit(0) == FT_ERR_CORRUPT && status_of_unit(-1e-6) == FT_ERR_CORRUPT);
    CHECK(status_of_unit((double)NAN) == FT_ERR_CORRUPT);
    CHECK(status_of_unit((double)INFINITY) == FT_ERR_CORRUPT);
    CHECK(status_of_unit(1e308) == FT_ERR_CORRUPT);
    CHECK(status_of_unit(1e-300) == FT_OK);
}

/* ---- the exporter ---- */

/* Two codes that differ in what a key does not hold are one function; a line that never ran is
 * left out. */
static void test_codes_with_one_key_are_summed(void)
{
    ft_profile profile;
    ft_timings back;
    ft_buf file;
    uint32_t text, code;
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    must(ft_strtab_intern(&profile.texts, "f", 1, &text) == FT_OK);
    for (uint32_t name = 0; name < 2; name++) { /* the same qualname, another name */
        ft_code made = {.kind = FT_CODE_PYTHON, .file = text, .line = 1, .name = name * text};
        made.qualname = text;
        must(ft_codetab_intern(&profile.codes, &made, &code) == FT_OK);
        must(ft_lines_add(&profile.lines, &(ft_line){.code = code, .hits = 1}) == FT_OK);
        for (uint32_t line = 2; line < 4; line++)
            must(ft_lines_add(&profile.lines, &(ft_line){.code = code,
                                                         .line = line,
                                                         .hits = line - 2,
                                                         .time = 10 * (line - 2)}) == FT_OK);
    }
    ft_buf_init(&file, &ft_mem_system);
    must(ft_exporter_write(ft_exporter_find("lprof"), &profile, &file) == FT_OK);
    read_back(&file, &back);
    CHECK(back.function_count == 1 && back.line_count == 1);
    CHECK(back.lines[0].line == 3 && back.lines[0].hits == 2 && back.lines[0].time == 20);
    CHECK(fabs(back.unit - 1e-9) <= 0);
    ft_timings_fini(&back);
    ft_buf_fini(&file);
    ft_profile_fini(&profile);
}

static ft_status read_and_export(const ft_mem *mem)
{
    ft_buf file = written(1), out;
    ft_timings timings;
    ft_profile profile;
    ft_pickle_fault fault;
    ft_buf_init(&out, mem);
    ft_status status = ft_timings_init(&timings, mem);
    if (status != FT_OK)
        goto end_file;
    status = ft_profile_init(&profile, mem);
    if (status != FT_OK)
        goto end_timings;
    status = ft_lprof_reader_read(file.data, file.length, &timings, &fault);
    if (status == FT_OK)
        status = ft_lprof_reader_add(&profile, &timings);
    must(ft_profile_check(&profile) == FT_OK); /* after a failure too */
    if (status == FT_OK)
        status = ft_exporter_write(ft_exporter_find("lprof"), &profile, &out);
    ft_profile_fini(&profile);
end_timings:
    ft_timings_fini(&timings);
end_file:
    ft_buf_fini(&out);
    ft_buf_fini(&file);
    return status;
}

int main(void)
{
    test_what_is_written_is_read_back();
    test_cut_anywhere();
    test_damaged_anywhere();
    test_timings_become_lines();
    test_numbers_that_no_profile_has();
    test_units();
    test_units_that_are_none();
    test_codes_with_one_key_are_summed();
    CHECK(sweep(read_and_export));
    return tap_end();
}
