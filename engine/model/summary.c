/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c: functions and callers without their trees (see summary.h).
 *
 * Rows are appended as they come and put in order once, at the end: no index is kept while they
 * come, and sorting a million rows takes less time than reading them. */
#include "engine/model/summary.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/base/sum.h"

static void add(uint64_t *to, uint64_t more)
{
    *to = ft_sum(*to, more);
}

ft_status ft_summary_init(ft_summary *summary, const ft_mem *mem)
{
    *summary = (ft_summary){.mem = mem};
    ft_status status = ft_strtab_init(&summary->texts, mem);
    if (status != FT_OK)
        return status;
    status = ft_codetab_init(&summary->codes, mem);
    if (status != FT_OK)
        ft_strtab_fini(&summary->texts);
    return status;
}

void ft_summary_fini(ft_summary *summary)
{
    ft_mem_free(summary->mem, summary->edges);
    ft_mem_free(summary->mem, summary->functions);
    ft_codetab_fini(&summary->codes);
    ft_strtab_fini(&summary->texts);
    *summary = (ft_summary){.mem = summary->mem};
}

ft_status ft_summary_add_function(ft_summary *summary, const ft_function_row *row)
{
    assert(row->code != FT_CODE_NONE && row->code < summary->codes.count);
    if (summary->function_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_function_row *rows =
        ft_array_grow(summary->mem, summary->functions, summary->function_count + 1,
                      &summary->function_capacity, sizeof *rows);
    if (rows == NULL)
        return FT_ERR_MEMORY;
    summary->functions = rows;
    rows[summary->function_count++] = *row;
    return FT_OK;
}

ft_status ft_summary_add_edge(ft_summary *summary, const ft_edge_row *row)
{
    assert(row->caller != FT_CODE_NONE && row->caller < summary->codes.count);
    assert(row->callee != FT_CODE_NONE && row->callee < summary->codes.count);
    if (summary->edge_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_edge_row *rows = ft_array_grow(summary->mem, summary->edges, summary->edge_count + 1,
                                      &summary->edge_capacity, sizeof *rows);
    if (rows == NULL)
        return FT_ERR_MEMORY;
    summary->edges = rows;
    rows[summary->edge_count++] = *row;
    return FT_OK;
}

/* ---- settling ---- */

/* One bit per code would do; a byte each is simpler, and codes are larger than that. */
static ft_status add_missing(ft_summary *summary)
{
    ft_status status = FT_OK;
    uint8_t *has_row = ft_mem_new(summary->mem, summary->codes.count, sizeof *has_row);
    if (has_row == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t i = 0; i < summary->function_count; i++)
        has_row[summary->functions[i].code] = 1;
    for (uint32_t i = 0; i < summary->edge_count && status == FT_OK; i++) {
        const uint32_t ends[] = {summary->edges[i].caller, summary->edges[i].callee};
        for (size_t end = 0; end < 2 && status == FT_OK; end++) {
            if (!has_row[ends[end]])
                status = ft_summary_add_function(summary, &(ft_function_row){.code = ends[end]});
            has_row[ends[end]] = 1;
        }
    }
    ft_mem_free(summary->mem, has_row);
    return status;
}

static int compare_functions(const void *left, const void *right)
{
    const ft_function_row *a = left, *b = right;
    return (a->code > b->code) - (a->code < b->code);
}

static int compare_edges(const void *left, const void *right)
{
    const ft_edge_row *a = left, *b = right;
    if (a->callee != b->callee)
        return a->callee < b->callee ? -1 : 1;
    return (a->caller > b->caller) - (a->caller < b->caller);
}

static void sum_functions(ft_summary *summary)
{
    ft_function_row *rows = summary->functions;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < summary->function_count; i++) {
        if (kept == 0 || rows[kept - 1].code != rows[i].code) {
            rows[kept++] = rows[i];
            continue;
        }
        ft_function_row *to = &rows[kept - 1];
        add(&to->calls, rows[i].calls);
        add(&to->primitive, rows[i].primitive);
        add(&to->own, rows[i].own);
        add(&to->cumulative, rows[i].cumulative);
        add(&to->own_waiting, rows[i].own_waiting);
        add(&to->cumulative_waiting, rows[i].cumulative_waiting);
    }
    summary->function_count = kept;
}

static void sum_edges(ft_summary *summary)
{
    ft_edge_row *rows = summary->edges;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < summary->edge_count; i++) {
        if (kept == 0 || compare_edges(&rows[kept - 1], &rows[i]) != 0) {
            rows[kept++] = rows[i];
            continue;
        }
        ft_edge_row *to = &rows[kept - 1];
        add(&to->calls, rows[i].calls);
        add(&to->primitive, rows[i].primitive);
        add(&to->own, rows[i].own);
        add(&to->cumulative, rows[i].cumulative);
        add(&to->own_waiting, rows[i].own_waiting);
        add(&to->cumulative_waiting, rows[i].cumulative_waiting);
    }
    summary->edge_count = kept;
}

ft_status ft_summary_settle(ft_summary *summary)
{
    ft_status status = add_missing(summary);
    if (status != FT_OK)
        return status;
    if (summary->function_count > 0)
        qsort(summary->functions, summary->function_count, sizeof *summary->functions,
              compare_functions);
    if (summary->edge_count > 0)
        qsort(summary->edges, summary->edge_count, sizeof *summary->edges, compare_edges);
    sum_functions(summary);
    sum_edges(summary);
    assert(ft_summary_check(summary) == FT_OK);
    return FT_OK;
}

/* ---- merging ---- */

static ft_status copy_text(ft_summary *into, const ft_summary *from, uint32_t *id)
{
    ft_text text = ft_strtab_get(&from->texts, *id);
    return ft_strtab_intern(&into->texts, text.data, text.length, id);
}

/* Fills ids with into's id of each code of from. */
static ft_status copy_codes(ft_summary *into, const ft_summary *from, uint32_t *ids)
{
    ft_status status = FT_OK;
    for (uint32_t i = 1; i < from->codes.count && status == FT_OK; i++) {
        ft_code code = from->codes.codes[i];
        status = copy_text(into, from, &code.file);
        if (status == FT_OK)
            status = copy_text(into, from, &code.name);
        if (status == FT_OK)
            status = copy_text(into, from, &code.qualname);
        if (status == FT_OK)
            status = ft_codetab_intern(&into->codes, &code, &ids[i]);
    }
    return status;
}

static ft_status copy_rows(ft_summary *into, const ft_summary *from, const uint32_t *ids)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < from->function_count && status == FT_OK; i++) {
        ft_function_row row = from->functions[i];
        row.code = ids[row.code];
        status = ft_summary_add_function(into, &row);
    }
    for (uint32_t i = 0; i < from->edge_count && status == FT_OK; i++) {
        ft_edge_row row = from->edges[i];
        row.caller = ids[row.caller];
        row.callee = ids[row.callee];
        status = ft_summary_add_edge(into, &row);
    }
    return status;
}

ft_status ft_summary_merge(ft_summary *into, const ft_summary *from)
{
    assert(into != from);
    const uint32_t function_count = into->function_count, edge_count = into->edge_count;
    uint32_t *ids = ft_mem_new(into->mem, from->codes.count, sizeof *ids);
    if (ids == NULL)
        return FT_ERR_MEMORY;
    ft_status status = copy_codes(into, from, ids);
    if (status == FT_OK)
        status = copy_rows(into, from, ids);
    if (status == FT_OK)
        status = ft_summary_settle(into);
    ft_mem_free(into->mem, ids);
    if (status != FT_OK) { /* nothing was put in order yet: what was added stands at the end */
        into->function_count = function_count;
        into->edge_count = edge_count;
        return status;
    }
    into->sampled = into->sampled || from->sampled;
    into->untimed = into->untimed || from->untimed;
    return FT_OK;
}

/* ---- asking ---- */

ft_totals ft_summary_totals(const ft_summary *summary)
{
    ft_totals totals = {0};
    for (uint32_t i = 0; i < summary->function_count; i++) {
        add(&totals.calls, summary->functions[i].calls);
        add(&totals.primitive, summary->functions[i].primitive);
        add(&totals.own, summary->functions[i].own);
        add(&totals.waiting, summary->functions[i].own_waiting);
    }
    return totals;
}

/* Whether code is one of the settled function rows. */
static bool has_row(const ft_summary *summary, uint32_t code)
{
    const ft_function_row key = {.code = code};
    return summary->function_count > 0 && bsearch(&key, summary->functions, summary->function_count,
                                                  sizeof key, compare_functions) != NULL;
}

ft_status ft_summary_check(const ft_summary *summary)
{
    const ft_function_row *functions = summary->functions;
    const ft_edge_row *edges = summary->edges;
    for (uint32_t i = 0; i < summary->function_count; i++)
        if (functions[i].code == FT_CODE_NONE || functions[i].code >= summary->codes.count ||
            (i > 0 && functions[i - 1].code >= functions[i].code))
            return FT_ERR_CORRUPT;
    for (uint32_t i = 0; i < summary->edge_count; i++)
        if (!has_row(summary, edges[i].caller) || !has_row(summary, edges[i].callee) ||
            (i > 0 && compare_edges(&edges[i - 1], &edges[i]) >= 0))
            return FT_ERR_CORRUPT;
    for (uint32_t i = 1; i < summary->codes.count; i++) {
        const ft_code *code = &summary->codes.codes[i];
        if (code->file >= summary->texts.count || code->name >= summary->texts.count ||
            code->qualname >= summary->texts.count)
            return FT_ERR_CORRUPT;
    }
    return FT_OK;
}
