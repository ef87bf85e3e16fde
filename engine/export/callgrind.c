/* SPDX-License-Identifier: Apache-2.0 */
/* callgrind.c: the recording in Callgrind's profile format 1, for KCachegrind and
 * callgrind_annotate.
 *
 * A block for each function: its own time, at the `def` or spread over its lines (line_costs.h),
 * then for each of its callees the number of calls and what they took, callees included. A name is
 * written once and then called by its number. All file keys (fl, cfi) share one table of numbers,
 * fn and cfn another: files are numbered by their texts, functions by their codes. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/sum.h"
#include "engine/export/exporter.h"
#include "engine/export/line_costs.h"
#include "engine/export/spell.h"
#include "engine/model/query.h"

extern const ft_exporter ft_exporter_callgrind;

typedef struct callgrind {
    const ft_profile *profile;
    ft_buf *out;
    ft_line_cost *costs; /* owned: by code */
    ft_edge_row *edges;  /* owned: by caller, then callee */
    uint32_t cost_count, edge_count;
    uint8_t *file_told; /* owned: by text, 1 once its name was written */
    uint8_t *name_told; /* owned: by code, likewise */
} callgrind;

/* A reader drops the blanks before a name, and takes a number without a name for a reference: so
 * no name is empty or begins with a blank. */
static void put_name(ft_buf *out, ft_text text)
{
    if (text.length == 0)
        ft_buf_put_text(out, "???"); /* as Callgrind calls what it does not know */
    else if (text.data[0] == ' ')
        ft_buf_put_text(out, "\\x20");
    size_t skip = text.length > 0 && text.data[0] == ' ';
    ft_spell_line(out, (ft_text){text.data + skip, text.length - skip}, '\0');
}

static void put_number_key(ft_buf *out, const char *key, uint64_t number)
{
    ft_buf_put_text(out, key);
    ft_buf_put_byte(out, '(');
    ft_spell_number(out, number);
    ft_buf_put_byte(out, ')');
}

static void put_file(callgrind *all, const char *key, const ft_code *code)
{
    put_number_key(all->out, key, code->file + UINT64_C(1));
    if (!all->file_told[code->file]) {
        ft_buf_put_byte(all->out, ' ');
        put_name(all->out, ft_strtab_get(&all->profile->texts, code->file));
    }
    all->file_told[code->file] = 1;
    ft_buf_put_byte(all->out, '\n');
}

/* Readers know a function by its file and name: the line tells namesakes apart. */
static void put_function(callgrind *all, const char *key, uint32_t id)
{
    const ft_code *code = &all->profile->codes.codes[id];
    put_number_key(all->out, key, id);
    if (!all->name_told[id]) {
        ft_buf_put_byte(all->out, ' ');
        put_name(all->out, ft_spell_name(all->profile, code));
        if (code->kind == FT_CODE_PYTHON) {
            ft_buf_put_byte(all->out, ':');
            ft_spell_number(all->out, code->line);
        }
    }
    all->name_told[id] = 1;
    ft_buf_put_byte(all->out, '\n');
}

static void put_pair(ft_buf *out, uint64_t first, uint64_t second)
{
    ft_spell_number(out, first);
    ft_buf_put_byte(out, ' ');
    ft_spell_number(out, second);
    ft_buf_put_byte(out, '\n');
}

static void put_call(callgrind *all, const ft_edge_row *edge)
{
    const ft_code *codes = all->profile->codes.codes;
    if (edge->calls == 0)
        return; /* readers would take its time for the caller's own */
    put_file(all, "cfi=", &codes[edge->callee]);
    put_function(all, "cfn=", edge->callee);
    ft_buf_put_text(all->out, "calls=");
    put_pair(all->out, edge->calls, codes[edge->callee].line);
    put_pair(all->out, codes[edge->caller].line, edge->cumulative);
}

static int by_caller_then_callee(const void *left, const void *right)
{
    const ft_edge_row *a = left, *b = right;
    if (a->caller != b->caller)
        return a->caller < b->caller ? -1 : 1;
    return (a->callee > b->callee) - (a->callee < b->callee);
}

static void put_functions(callgrind *all)
{
    uint32_t cost = 0, edge = 0;
    while (edge < all->edge_count && all->edges[edge].caller == FT_CODE_NONE)
        edge++; /* nobody there to have called them */
    for (uint32_t id = 1; id < all->profile->codes.count; id++) {
        bool costs = cost < all->cost_count && all->costs[cost].code == id;
        bool calls = edge < all->edge_count && all->edges[edge].caller == id;
        if (!costs && !calls)
            continue;
        const ft_code *code = &all->profile->codes.codes[id];
        ft_buf_put_byte(all->out, '\n');
        put_file(all, "fl=", code);
        put_function(all, "fn=", id);
        if (!costs)
            put_pair(all->out, code->line, 0);
        for (; cost < all->cost_count && all->costs[cost].code == id; cost++)
            put_pair(all->out, all->costs[cost].line, all->costs[cost].ns);
        for (; edge < all->edge_count && all->edges[edge].caller == id; edge++)
            put_call(all, &all->edges[edge]);
    }
    assert(cost == all->cost_count && edge == all->edge_count);
}

static void put_head(callgrind *all)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < all->cost_count; i++)
        total = ft_sum(total, all->costs[i].ns);
    const char *command = ft_profile_get_meta(all->profile, "command");
    ft_buf_put_text(all->out, "# callgrind format\nversion: 1\ncreator: fettle\n");
    if (command != NULL) {
        ft_buf_put_text(all->out, "cmd: ");
        ft_spell_line(all->out, (ft_text){command, strlen(command)}, '\0');
        ft_buf_put_byte(all->out, '\n');
    }
    ft_buf_put_text(all->out, "positions: line\nevent: ns : Nanoseconds\nevents: ns\nsummary: ");
    ft_spell_number(all->out, total);
    ft_buf_put_byte(all->out, '\n');
}

/* What all of it is made from; whatever it returns, the caller frees. */
static ft_status collect(callgrind *all)
{
    ft_function_row *functions = NULL;
    uint32_t function_count = 0;
    const ft_profile *profile = all->profile;
    all->file_told = ft_mem_new(profile->mem, profile->texts.count, 1);
    all->name_told = ft_mem_new(profile->mem, profile->codes.count, 1);
    if (all->file_told == NULL || all->name_told == NULL)
        return FT_ERR_MEMORY;
    ft_status status = ft_query_functions(profile, &functions, &function_count);
    if (status == FT_OK)
        status = ft_line_costs(profile, functions, function_count, &all->costs, &all->cost_count);
    ft_mem_free(profile->mem, functions);
    if (status == FT_OK)
        status = ft_query_edges(profile, &all->edges, &all->edge_count);
    if (status == FT_OK && all->edges != NULL)
        qsort(all->edges, all->edge_count, sizeof *all->edges, by_caller_then_callee);
    return status;
}

static ft_status write_callgrind(const ft_profile *profile, ft_buf *out)
{
    callgrind all = {.profile = profile, .out = out};
    ft_status status = collect(&all);
    if (status == FT_OK) {
        put_head(&all);
        put_functions(&all);
        status = ft_buf_status(out);
    }
    ft_mem_free(profile->mem, all.edges);
    ft_mem_free(profile->mem, all.costs);
    ft_mem_free(profile->mem, all.name_told);
    ft_mem_free(profile->mem, all.file_told);
    return status;
}

const ft_exporter ft_exporter_callgrind = {
    .name = "callgrind",
    .suffix = ".callgrind",
    .description = "functions and their calls: for KCachegrind, callgrind_annotate",
    .write = write_callgrind,
    .has_lines = true,
};
