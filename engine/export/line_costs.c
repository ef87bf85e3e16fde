/* SPDX-License-Identifier: Apache-2.0 */
/* line_costs.c: the own time of each function, spread over its lines (see line_costs.h).
 *
 * Works on a sorted copy of the lines in which time is what remains to be given to the line. */
#include "engine/export/line_costs.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/sum.h"

typedef struct place { /* where a line of a file stands among the lines */
    uint32_t file, line, at;
} place;

typedef struct spread {
    const ft_profile *profile;
    ft_line *lines; /* owned: by code, then line; see above */
    place *places;  /* owned: of each, by file, then line */
    uint32_t line_count;
    ft_line_cost *costs; /* the result: room for all */
    uint32_t count;
} spread;

static bool has_run(const ft_line *line)
{
    return (line->hits | line->time) != 0;
}

static int by_file_then_line(const void *left, const void *right)
{
    const place *a = left, *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

static int in_order(const void *left, const void *right)
{
    const place *a = left, *b = right;
    int order = by_file_then_line(left, right);
    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static void find_places(spread *all)
{
    for (uint32_t i = 0; i < all->line_count; i++) {
        const ft_line *line = &all->lines[i];
        const ft_code *code = &all->profile->codes.codes[line->code];
        all->places[i] = (place){code->file, line->line, i};
    }
    if (all->line_count > 0)
        qsort(all->places, all->line_count, sizeof *all->places, in_order);
}

/* A lambda, a comprehension, a generator expression: it stands in a line of the function around. */
static bool is_anonymous(const ft_profile *profile, const ft_code *code)
{
    ft_text name = ft_strtab_get(&profile->texts, code->name);
    return code->kind == FT_CODE_PYTHON && name.length > 0 && name.data[0] == '<' &&
           strcmp(name.data, "<module>") != 0;
}

enum { ANONYMOUS_LINES = 100 }; /* looked at for one: none is longer, but in a hostile file */

/* Takes a function's own time off the lines that it stands in, from its first on. */
static void take_off(spread *all, const ft_code *code, uint64_t own)
{
    const place wanted = {.file = code->file, .line = code->line};
    if (all->line_count == 0)
        return;
    const place *found =
        bsearch(&wanted, all->places, all->line_count, sizeof *all->places, by_file_then_line);
    if (found == NULL)
        return;
    const ft_line first = all->lines[found->at];
    for (uint32_t i = 0; i < ANONYMOUS_LINES && i < all->line_count - found->at; i++) {
        ft_line *at = &all->lines[found->at + i];
        if (at->code != first.code || at->line - first.line != i)
            return;
        uint64_t part = own < at->time ? own : at->time;
        at->time -= part;
        own -= part;
    }
}

/* part of whole, of ns: ns for the whole of it, never less for a larger part. */
static uint64_t share(uint64_t ns, uint64_t part, uint64_t whole)
{
    assert(part <= whole && whole > 0);
    while (whole > UINT32_MAX) { /* so that the product below fits */
        whole >>= 1;
        part >>= 1;
    }
    return ns / whole * part + ns % whole * part / whole;
}

static void put(spread *all, uint32_t code, uint32_t line, uint64_t ns)
{
    all->costs[all->count++] = (ft_line_cost){code, line, ns};
}

/* The costs of a function whose lines, if any, are those from first to end (excluded). own: its own
 * time, or NULL for what its lines took. */
static void put_costs(spread *all, uint32_t code, const uint64_t *own, uint32_t first, uint32_t end)
{
    const ft_line *lines = all->lines;
    uint64_t whole = 0, so_far = 0, given = 0;
    for (uint32_t i = first; i < end; i++)
        whole = ft_sum(whole, lines[i].time);
    uint64_t ns = own == NULL ? whole : *own;
    put(all, code, all->profile->codes.codes[code].line, ns > whole ? ns - whole : 0);
    for (uint32_t i = first; i < end; i++) {
        so_far = ft_sum(so_far, lines[i].time);
        uint64_t until = ns >= whole ? so_far : share(ns, so_far, whole);
        if (lines[i].line != 0 && has_run(&lines[i]))
            put(all, code, lines[i].line, until - given);
        given = until;
    }
}

static void put_all(spread *all, const ft_function_row *rows, uint32_t row_count)
{
    uint32_t row = 0, first = 0;
    while (row < row_count || first < all->line_count) {
        bool has_row = row < row_count &&
                       (first == all->line_count || rows[row].code <= all->lines[first].code);
        uint32_t code = has_row ? rows[row].code : all->lines[first].code;
        uint32_t end = first;
        bool costs = has_row;
        for (; end < all->line_count && all->lines[end].code == code; end++)
            costs |= row_count == 0 && has_run(&all->lines[end]);
        if (costs)
            put_costs(all, code, has_row ? &rows[row].own : NULL, first, end);
        first = end;
        row += has_row;
    }
}

/* What remains to be given to each line, so that put_all can give it. */
static void prepare(spread *all, const ft_function_row *rows, uint32_t row_count)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < all->line_count; i++)
        all->lines[i].time -= all->lines[i].callees;
    find_places(all);
    for (uint32_t i = 0; i < row_count; i++) {
        const ft_code *code = &all->profile->codes.codes[rows[i].code];
        while (at < all->line_count && all->lines[at].code < rows[i].code)
            at++;
        bool has_lines = at < all->line_count && all->lines[at].code == rows[i].code;
        if (!has_lines && is_anonymous(all->profile, code))
            take_off(all, code, rows[i].own);
    }
}

ft_status ft_line_costs(const ft_profile *profile, const ft_function_row *rows, uint32_t row_count,
                        ft_line_cost **costs, uint32_t *count)
{
    const ft_mem *mem = profile->mem;
    spread all = {.profile = profile, .line_count = profile->lines.count};
    uint64_t most = (uint64_t)row_count + 2 * (uint64_t)all.line_count; /* a `def` a table */
    ft_status status = most > UINT32_MAX ? FT_ERR_LIMIT : FT_OK;
    if (status == FT_OK)
        status = ft_lines_sorted(&profile->lines, mem, &all.lines);
    if (status == FT_OK && most > 0) {
        all.places = ft_mem_resize(mem, NULL, (size_t)all.line_count + 1, sizeof *all.places);
        all.costs = ft_mem_resize(mem, NULL, (size_t)most, sizeof *all.costs);
        status = all.places == NULL || all.costs == NULL ? FT_ERR_MEMORY : FT_OK;
    }
    if (status == FT_OK && most > 0) {
        prepare(&all, rows, row_count);
        put_all(&all, rows, row_count);
        assert(all.count <= most);
        *costs = all.costs;
        *count = all.count;
        all.costs = NULL;
    } else if (status == FT_OK) {
        *costs = NULL;
        *count = 0;
    }
    ft_mem_free(mem, all.costs);
    ft_mem_free(mem, all.places);
    ft_mem_free(mem, all.lines);
    return status;
}
