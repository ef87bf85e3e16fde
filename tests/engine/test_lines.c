/* SPDX-License-Identifier: Apache-2.0 */
/* test_lines.c: line tables against an array indexed by code and line, merged and sorted. */
#include "engine/model/lines.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { CODES = 8, LINES = 200 };

typedef struct oracle {
    ft_line sums[CODES][LINES];
    bool present[CODES][LINES];
    uint32_t count;
} oracle;

static ft_line draw_line(random_source *source)
{
    ft_line line = {.code = random_below(source, CODES)};
    line.line = random_below(source, LINES);
    line.hits = random_below(source, 100);
    if (line.line == 0)
        return line;
    line.time = random_below(source, 1000000);
    line.waiting = random_below(source, (uint32_t)line.time + 1);
    line.callees = random_below(source, (uint32_t)line.time + 1);
    return line;
}

static void count(oracle *all, const ft_line *line)
{
    ft_line *sum = &all->sums[line->code][line->line];
    all->count += !all->present[line->code][line->line];
    all->present[line->code][line->line] = true;
    sum->code = line->code;
    sum->line = line->line;
    sum->hits += line->hits;
    sum->time += line->time;
    sum->waiting += line->waiting;
    sum->callees += line->callees;
}

static int holds(const ft_lines *lines, const oracle *all)
{
    int good = lines->count == all->count;
    for (uint32_t i = 0; i < lines->count; i++) {
        const ft_line *line = &lines->lines[i];
        good &= all->present[line->code][line->line];
        good &= memcmp(line, &all->sums[line->code][line->line], sizeof *line) == 0;
    }
    return good; /* as many entries as the oracle: none stands twice, or its sums would differ */
}

static int is_sorted(const ft_lines *lines)
{
    int good = 1;
    for (uint32_t i = 1; i < lines->count; i++) {
        const ft_line *a = &lines->lines[i - 1], *b = &lines->lines[i];
        good &= a->code < b->code || (a->code == b->code && a->line < b->line);
    }
    return good;
}

static void test_against_array(void)
{
    static oracle all;
    random_source source = {3};
    ft_lines lines;
    ft_lines_init(&lines, &ft_mem_system);
    int good = 1;
    for (int i = 0; i < 20000; i++) {
        ft_line line = draw_line(&source);
        good &= ft_lines_add(&lines, &line) == FT_OK;
        count(&all, &line);
        if (random_below(&source, 1000) == 0) { /* and adding goes on after a sort */
            ft_lines_sort(&lines);
            good &= is_sorted(&lines);
        }
    }
    ft_lines_sort(&lines);
    CHECK(good && is_sorted(&lines) && holds(&lines, &all) && lines.count > 1500);
    ft_lines_fini(&lines);
    ft_lines_fini(&lines);
}

static void test_sums_stop(void)
{
    ft_lines lines;
    ft_line most = {1, 2, UINT64_MAX, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX};
    ft_lines_init(&lines, &ft_mem_system);
    CHECK(ft_lines_add(&lines, &most) == FT_OK);
    CHECK(ft_lines_add(&lines, &lines.lines[0]) == FT_OK);
    CHECK(lines.count == 1 && lines.lines[0].hits == UINT64_MAX &&
          lines.lines[0].time == UINT64_MAX);
    CHECK(ft_line_is_sound(&lines.lines[0]));
    ft_lines_fini(&lines);
}

/* An entry that lies in the table's own array is added although the array moves. */
static void test_own_element(void)
{
    ft_lines lines;
    int good = 1;
    ft_lines_init(&lines, &ft_mem_system);
    for (uint32_t i = 0; i < 1000; i++) {
        good &= ft_lines_add(&lines, &(ft_line){.code = i, .line = 1, .hits = 1}) == FT_OK;
        good &= ft_lines_add(&lines, &lines.lines[i / 2]) == FT_OK;
    }
    CHECK(good && lines.count == 1000);
    ft_lines_fini(&lines);
}

static void test_merge(void)
{
    static oracle all;
    const uint32_t turned[CODES] = {7, 6, 5, 4, 3, 2, 1, 0};
    random_source source = {4};
    ft_lines into, from;
    int good = 1;
    ft_lines_init(&into, &ft_mem_system);
    ft_lines_init(&from, &ft_mem_system);
    CHECK(ft_lines_merge(&into, &from, turned) == FT_OK && into.count == 0);
    for (int i = 0; i < 1500; i++) {
        ft_line line = draw_line(&source);
        good &= ft_lines_add(i % 3 == 0 ? &into : &from, &line) == FT_OK;
        if (i % 3 != 0)
            line.code = turned[line.code];
        count(&all, &line);
    }
    CHECK(good && ft_lines_merge(&into, &from, turned) == FT_OK && holds(&into, &all));
    ft_lines_fini(&from);
    ft_lines_fini(&into);
}

/* Two codes that become one: their lines are summed. */
static void test_merge_joins(void)
{
    const uint32_t joined[2] = {5, 5};
    ft_lines into, from;
    ft_lines_init(&into, &ft_mem_system);
    ft_lines_init(&from, &ft_mem_system);
    CHECK(ft_lines_add(&from, &(ft_line){0, 3, 1, 10, 2, 3}) == FT_OK);
    CHECK(ft_lines_add(&from, &(ft_line){1, 3, 2, 20, 4, 6}) == FT_OK);
    CHECK(ft_lines_merge(&into, &from, joined) == FT_OK && into.count == 1);
    const ft_line wanted = {5, 3, 3, 30, 6, 9};
    CHECK(memcmp(&into.lines[0], &wanted, sizeof wanted) == 0);
    ft_lines_fini(&from);
    ft_lines_fini(&into);
}

static void test_sound(void)
{
    CHECK(ft_line_is_sound(&(ft_line){1, 5, 0, 0, 0, 0}));
    CHECK(ft_line_is_sound(&(ft_line){1, 5, 1, 10, 10, 10}));
    CHECK(ft_line_is_sound(&(ft_line){1, 0, 9, 0, 0, 0}));
    CHECK(!ft_line_is_sound(&(ft_line){1, 5, 1, 10, 11, 0}));
    CHECK(!ft_line_is_sound(&(ft_line){1, 5, 1, 10, 0, 11}));
    CHECK(!ft_line_is_sound(&(ft_line){1, 0, 1, 1, 0, 0}));
}

enum { MADE = 300 };

static ft_status fill(ft_lines *lines, uint32_t code)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < MADE && status == FT_OK; i++) {
        ft_line line = {.code = code, .line = MADE - i, .hits = i, .time = i};
        status = ft_lines_add(lines, &line);
        if (status != FT_OK && lines->count != i) /* the failed one left nothing behind */
            status = FT_ERR_CORRUPT;
    }
    return status;
}

/* What a failed merge leaves is what was there, and can be merged into again. */
static int is_as_filled(const ft_lines *lines)
{
    int good = lines->count == MADE;
    for (uint32_t i = 0; i < MADE && good; i++)
        good = lines->lines[i].line == i + 1 && lines->lines[i].hits == MADE - 1 - i;
    return good;
}

static ft_status fill_sort_merge(const ft_mem *mem)
{
    static const uint32_t same[3] = {0, 1, 1}; /* joins half of from with into */
    ft_lines into, from;
    ft_lines_init(&into, mem);
    ft_lines_init(&from, mem);
    ft_status status = fill(&into, 0);
    if (status == FT_OK) {
        ft_lines_sort(&into);
        status = fill(&from, 0);
    }
    for (uint32_t i = 0; i < MADE && status == FT_OK; i++)
        status = ft_lines_add(&from, &(ft_line){.code = 1, .line = i});
    if (status == FT_OK) {
        status = ft_lines_merge(&into, &from, same);
        if (status != FT_OK && !is_as_filled(&into))
            status = FT_ERR_CORRUPT;
        if (status == FT_OK && (into.count != 2 * MADE || into.lines[0].hits != 2 * (MADE - 1)))
            status = FT_ERR_CORRUPT;
    }
    ft_lines_fini(&from);
    ft_lines_fini(&into);
    return status;
}

int main(void)
{
    test_against_array();
    test_sums_stop();
    test_own_element();
    test_merge();
    test_merge_joins();
    test_sound();
    CHECK(sweep(fill_sort_merge));
    return tap_end();
}
