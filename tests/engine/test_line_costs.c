/* SPDX-License-Identifier: Apache-2.0 */
/* test_line_costs.c: own times spread over lines: nothing is lost, nothing is added, and each line
 * gets what it took where that is known. */
#include "engine/export/line_costs.h"

#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { SEEDS = 300, NODES = 40 };

typedef struct costs {
    ft_function_row *rows;
    ft_line_cost *list;
    uint32_t row_count, count;
} costs;

static costs find_costs(const ft_profile *profile)
{
    costs all = {0};
    must(ft_query_functions(profile, &all.rows, &all.row_count) == FT_OK);
    must(ft_line_costs(profile, all.rows, all.row_count, &all.list, &all.count) == FT_OK);
    return all;
}

static void free_costs(const costs *all)
{
    ft_mem_free(&ft_mem_system, all->list);
    ft_mem_free(&ft_mem_system, all->rows);
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t cost_of(const costs *all, uint32_t code)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (all->list[i].code == code)
            sum = add(sum, all->list[i].ns);
    return sum;
}

static uint64_t own_of(const costs *all, uint32_t code)
{
    for (uint32_t i = 0; i < all->row_count; i++)
        if (all->rows[i].code == code)
            return all->rows[i].own;
    return 0;
}

static uint64_t own_of_lines(const ft_profile *profile, uint32_t code)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < profile->lines.count; i++)
        if (profile->lines.lines[i].code == code)
            sum = add(sum, profile->lines.lines[i].time - profile->lines.lines[i].callees);
    return sum;
}

/* The `def` first, then lines that ran, each once and in order. */
static bool has_only_lines_that_ran(const ft_profile *profile, const costs *all)
{
    bool good = true;
    for (uint32_t i = 0; i < all->count && good; i++) {
        const ft_line_cost *cost = &all->list[i], *before = i == 0 ? NULL : &all->list[i - 1];
        if (before == NULL || before->code != cost->code) {
            good = cost->line == profile->codes.codes[cost->code].line;
            good &= before == NULL || before->code < cost->code;
            continue;
        }
        bool ran = false;
        for (uint32_t at = 0; at < profile->lines.count; at++) {
            const ft_line *line = &profile->lines.lines[at];
            ran |= line->code == cost->code && line->line == cost->line &&
                   (line->hits | line->time) != 0;
        }
        bool first = i < 2 || all->list[i - 2].code != cost->code; /* behind the `def` */
        good = ran && (first || before->line < cost->line);
    }
    return good;
}

static bool sums_are_right(const ft_profile *profile, const costs *all)
{
    bool good = true;
    for (uint32_t code = 1; code < profile->codes.count; code++) {
        uint64_t wanted = all->row_count == 0 ? own_of_lines(profile, code) : own_of(all, code);
        good &= cost_of(all, code) == wanted;
    }
    return good;
}

/* Of any numbers, up to the largest. */
static void test_random(void)
{
    int good = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ft_profile profile;
        make_profile(&profile, seed, NODES);
        costs all = find_costs(&profile);
        good += sums_are_right(&profile, &all) && has_only_lines_that_ran(&profile, &all);
        free_costs(&all);
        ft_profile_fini(&profile);
    }
    CHECK(good == SEEDS);
}

/* ---- by hand ---- */

static uint32_t make_code(ft_profile *profile, const char *name, uint32_t line)
{
    ft_code code = {.line = line, .kind = FT_CODE_PYTHON};
    uint32_t id;
    must(ft_strtab_intern(&profile->texts, "a.py", 4, &code.file) == FT_OK);
    must(ft_strtab_intern(&profile->texts, name, strlen(name), &code.name) == FT_OK);
    must(ft_codetab_intern(&profile->codes, &code, &id) == FT_OK);
    return id;
}

static void make_call(ft_profile *profile, uint32_t code, uint64_t own)
{
    uint32_t index, id;
    if (profile->thread_count == 0) {
        must(ft_profile_add_process(profile, &(ft_process){.pid = 1}, &index) == FT_OK);
        must(ft_profile_add_thread(profile, 0, 0, &index) == FT_OK);
    }
    ft_tree *tree = &profile->threads[0].tree;
    must(ft_tree_add(tree, 0, code, &id) == FT_OK);
    tree->nodes[id].calls = 1;
    tree->nodes[id].own = own;
}

static void make_line(ft_profile *profile, uint32_t code, uint32_t line, uint64_t time,
                      uint64_t callees)
{
    const ft_line made = {.code = code, .line = line, .hits = 1, .time = time, .callees = callees};
    must(ft_lines_add(&profile->lines, &made) == FT_OK);
}

/* f from line 1 on: 10 ns in line 2, 30 in line 3, of which 10 in what it called; f took `own`, a
 * lambda in line 3 took `of_lambda`. */
static bool gives(uint64_t own, uint64_t of_lambda, const uint64_t wanted[3])
{
    ft_profile profile;
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    uint32_t code = make_code(&profile, "f", 1), inner = make_code(&profile, "<lambda>", 3);
    make_line(&profile, code, 3, 30, 10);
    make_line(&profile, code, 2, 10, 0);
    if (own > 0)
        make_call(&profile, code, own);
    if (of_lambda > 0)
        make_call(&profile, inner, of_lambda);
    costs all = find_costs(&profile);
    bool good = all.count >= 3;
    for (uint32_t i = 0; i < 3 && good; i++)
        good = all.list[i].code == code && all.list[i].line == i + 1 && all.list[i].ns == wanted[i];
    good &= cost_of(&all, inner) == of_lambda;
    free_costs(&all);
    ft_profile_fini(&profile);
    return good;
}

static void test_what_is_spread(void)
{
    CHECK(gives(30, 0, (uint64_t[]){0, 10, 20}));
    CHECK(gives(33, 0, (uint64_t[]){3, 10, 20})); /* what no line accounts for: at the def */
    CHECK(gives(3, 0, (uint64_t[]){0, 1, 2}));    /* less than the lines: its share to each */
    CHECK(gives(0, 0, (uint64_t[]){0, 10, 20}));  /* no calls: what the lines took */
    CHECK(gives(18, 12, (uint64_t[]){0, 10, 8})); /* the lambda's time is not f's */
    CHECK(gives(30, 50, (uint64_t[]){20, 10, 0}));
}

/* Where calls were recorded, what was not called costs nothing, whatever its lines say. */
static void test_lines_beside_calls_of_others(void)
{
    ft_profile profile;
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    uint32_t called = make_code(&profile, "called", 1), other = make_code(&profile, "other", 9);
    make_call(&profile, called, 7);
    make_line(&profile, other, 10, 100, 0);
    costs all = find_costs(&profile);
    CHECK(all.count == 1 && all.list[0].code == called && all.list[0].ns == 7);
    free_costs(&all);
    ft_profile_fini(&profile);
}

/* A lambda that is marked has lines of its own, which are nobody else's. */
static void test_a_lambda_with_lines(void)
{
    ft_profile profile;
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    uint32_t inner = make_code(&profile, "<lambda>", 3);
    make_line(&profile, inner, 3, 8, 0);
    make_call(&profile, inner, 9);
    costs all = find_costs(&profile);
    CHECK(all.count == 2 && all.list[0].ns == 1 && all.list[1].ns == 8);
    free_costs(&all);
    ft_profile_fini(&profile);
}

static ft_profile swept;

static ft_status find_swept(const ft_mem *mem)
{
    ft_profile profile = swept; /* a view: it is only read */
    ft_function_row *rows = NULL;
    ft_line_cost *list = NULL;
    uint32_t row_count, count;
    profile.mem = mem;
    ft_status status = ft_query_functions(&profile, &rows, &row_count);
    if (status == FT_OK)
        status = ft_line_costs(&profile, rows, row_count, &list, &count);
    ft_mem_free(mem, list);
    ft_mem_free(mem, rows);
    return status;
}

static void test_out_of_memory(void)
{
    make_full_profile(&swept, NODES);
    CHECK(sweep(find_swept));
    ft_profile_fini(&swept);
}

int main(void)
{
    test_random();
    test_what_is_spread();
    test_lines_beside_calls_of_others();
    test_a_lambda_with_lines();
    test_out_of_memory();
    return tap_end();
}
