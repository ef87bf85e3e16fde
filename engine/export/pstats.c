/* SPDX-License-Identifier: Apache-2.0 */
/* pstats.c: the recording as cProfile's dump_stats() writes one, for pstats, snakeviz and friends.
 *
 * The file is one marshalled dictionary,
 *     {key: (primitive calls, calls, own, cumulative, {caller's key: (calls, primitive calls, own,
 *     cumulative)})},
 * with key = (file, line, name) and times in seconds. A key says less than a code does (no
 * qualname), so codes are first interned again by their key and rows with one key are summed.
 * Only type codes that every marshal since Python 3.4 reads are used. A key is written in full once
 * and referred to afterwards, as marshal itself does: with many edges the file is a fifth of the
 * size. */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/sum.h"
#include "engine/export/exporter.h"
#include "engine/export/spell.h"
#include "engine/model/query.h"

extern const ft_exporter ft_exporter_pstats;

/* marshal's type codes. */
enum {
    TYPE_DICT = '{',
    TYPE_DICT_END = '0',
    TYPE_TUPLE = '(',
    TYPE_INT = 'i',
    TYPE_LONG = 'l',
    TYPE_FLOAT = 'g',
    TYPE_UNICODE = 'u',
    TYPE_REF = 'r',
    FLAG_REF = 0x80 /* added to a type code: later objects may refer to this one by its number */
};

enum { LONG_DIGIT_BITS = 15 };

typedef struct key_sum {
    uint64_t calls, primitive, own, cumulative;
} key_sum;

typedef struct key_edge {
    uint32_t callee, caller; /* keys */
    key_sum sum;
} key_edge;

typedef struct pstats {
    const ft_mem *mem;
    ft_strtab texts;  /* of the keys: valid UTF-8 */
    ft_codetab keys;  /* codes that hold file, name and line only */
    uint32_t *key_of; /* owned: by code */
    key_sum *sums;    /* owned: by key; all 0 where there is no row */
    uint32_t *refs;   /* owned: by key, marshal's reference number + 1, or 0 before it is written */
    uint32_t ref_count;
    key_edge *edges; /* owned: ordered by callee, then caller; each pair once */
    uint32_t edge_count;
} pstats;

/* Saturates, as the queries do: a hostile file may hold any numbers. */
static void add(uint64_t *to, uint64_t more)
{
    *to = ft_sum(*to, more);
}

static void add_sum(key_sum *to, key_sum more)
{
    add(&to->calls, more.calls);
    add(&to->primitive, more.primitive);
    add(&to->own, more.own);
    add(&to->cumulative, more.cumulative);
}

static ft_status intern_spelled(pstats *stats, ft_buf *scratch, ft_text text, uint32_t *id)
{
    ft_buf_clear(scratch);
    ft_spell_text(scratch, text);
    if (ft_buf_status(scratch) != FT_OK)
        return ft_buf_status(scratch);
    if (scratch->length > INT32_MAX) /* marshal's lengths are signed 32-bit numbers */
        return FT_ERR_LIMIT;
    const char *bytes = scratch->length == 0 ? "" : (const char *)scratch->data;
    return ft_strtab_intern(&stats->texts, bytes, scratch->length, id);
}

/* Fills key_of: the codes' keys, spelled as in every export. */
static ft_status find_keys(pstats *stats, const ft_profile *profile)
{
    ft_buf scratch;
    ft_buf_init(&scratch, stats->mem);
    ft_status status = FT_OK;
    for (uint32_t i = 1; i < profile->codes.count && status == FT_OK; i++) {
        const ft_code *code = &profile->codes.codes[i];
        ft_text file = ft_strtab_get(&profile->texts, code->file);
        ft_text name = ft_strtab_get(&profile->texts, code->name);
        ft_code key = {.line = code->line, .kind = FT_CODE_PYTHON};
        status = intern_spelled(stats, &scratch, file, &key.file);
        if (status == FT_OK)
            status = intern_spelled(stats, &scratch, name, &key.name);
        if (status == FT_OK)
            status = ft_codetab_intern(&stats->keys, &key, &stats->key_of[i]);
    }
    ft_buf_fini(&scratch);
    return status;
}

static ft_status sum_functions(pstats *stats, const ft_profile *profile)
{
    ft_function_row *rows;
    uint32_t count;
    ft_status status = ft_query_functions(profile, &rows, &count);
    if (status != FT_OK)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        const ft_function_row *row = &rows[i];
        assert(row->code < profile->codes.count);
        if (row->code != FT_CODE_NONE)
            add_sum(&stats->sums[stats->key_of[row->code]],
                    (key_sum){row->calls, row->primitive, row->own, row->cumulative});
    }
    ft_mem_free(profile->mem, rows);
    return FT_OK;
}

static int by_callee_then_caller(const void *left, const void *right)
{
    const key_edge *a = left, *b = right;
    if (a->callee != b->callee)
        return a->callee < b->callee ? -1 : 1;
    return (a->caller > b->caller) - (a->caller < b->caller);
}

/* Sorts the edges and sums those of one (callee, caller) pair. */
static void merge_edges(pstats *stats)
{
    uint32_t kept = 0;
    if (stats->edge_count > 0)
        qsort(stats->edges, stats->edge_count, sizeof *stats->edges, by_callee_then_caller);
    for (uint32_t i = 0; i < stats->edge_count; i++) {
        const key_edge *from = &stats->edges[i];
        key_edge *last = kept == 0 ? NULL : &stats->edges[kept - 1];
        if (last != NULL && by_callee_then_caller(last, from) == 0)
            add_sum(&last->sum, from->sum);
        else
            stats->edges[kept++] = *from;
    }
    stats->edge_count = kept;
}

static ft_status sum_edges(pstats *stats, const ft_profile *profile)
{
    ft_edge_row *rows;
    uint32_t count;
    ft_status status = ft_query_edges(profile, &rows, &count);
    if (status != FT_OK || count == 0)
        return status;
    stats->edges = ft_mem_new(stats->mem, count, sizeof *stats->edges);
    if (stats->edges == NULL)
        status = FT_ERR_MEMORY;
    for (uint32_t i = 0; i < count && status == FT_OK; i++) {
        const ft_edge_row *row = &rows[i];
        if (row->caller == FT_CODE_NONE || row->callee == FT_CODE_NONE)
            continue; /* cProfile too knows no caller of its first function */
        key_edge *edge = &stats->edges[stats->edge_count++];
        edge->callee = stats->key_of[row->callee];
        edge->caller = stats->key_of[row->caller];
        edge->sum = (key_sum){row->calls, row->primitive, row->own, row->cumulative};
    }
    merge_edges(stats);
    ft_mem_free(profile->mem, rows);
    return status;
}

static void put_int(ft_buf *out, uint64_t value)
{
    if (value <= INT32_MAX) {
        ft_buf_put_byte(out, TYPE_INT);
        ft_buf_put_u32(out, (uint32_t)value);
        return;
    }
    uint32_t digits = 0;
    for (uint64_t rest = value; rest != 0; rest >>= LONG_DIGIT_BITS)
        digits++;
    ft_buf_put_byte(out, TYPE_LONG);
    ft_buf_put_u32(out, digits);
    for (; value != 0; value >>= LONG_DIGIT_BITS) {
        uint32_t digit = (uint32_t)(value & ((1u << LONG_DIGIT_BITS) - 1));
        ft_buf_put_byte(out, (uint8_t)(digit & 0xFF));
        ft_buf_put_byte(out, (uint8_t)(digit >> 8));
    }
}

static void put_seconds(ft_buf *out, uint64_t ns)
{
    double seconds = (double)ns / 1e9;
    uint64_t bits;
    static_assert(sizeof bits == sizeof seconds, "a double has 64 bits");
    memcpy(&bits, &seconds, sizeof bits);
    ft_buf_put_byte(out, TYPE_FLOAT);
    ft_buf_put_u64(out, bits);
}

static void put_text(ft_buf *out, ft_text text)
{
    assert(text.length <= INT32_MAX);
    ft_buf_put_byte(out, TYPE_UNICODE);
    ft_buf_put_u32(out, (uint32_t)text.length);
    ft_buf_put(out, text.data, text.length);
}

static void put_tuple_start(ft_buf *out, uint8_t flag, uint32_t items)
{
    ft_buf_put_byte(out, TYPE_TUPLE | flag);
    ft_buf_put_u32(out, items);
}

static void put_key(pstats *stats, ft_buf *out, uint32_t key)
{
    if (stats->refs[key] != 0) {
        ft_buf_put_byte(out, TYPE_REF);
        ft_buf_put_u32(out, stats->refs[key] - 1);
        return;
    }
    stats->refs[key] = ++stats->ref_count;
    put_tuple_start(out, FLAG_REF, 3);
    put_text(out, ft_strtab_get(&stats->texts, stats->keys.codes[key].file));
    put_int(out, stats->keys.codes[key].line);
    put_text(out, ft_strtab_get(&stats->texts, stats->keys.codes[key].name));
}

/* Puts the callers of the edges from *at on that end in callee, and moves *at behind them. */
static void put_callers(pstats *stats, ft_buf *out, uint32_t callee, uint32_t *at)
{
    ft_buf_put_byte(out, TYPE_DICT);
    for (; *at < stats->edge_count && stats->edges[*at].callee == callee; ++*at) {
        const key_edge *edge = &stats->edges[*at];
        put_key(stats, out, edge->caller);
        put_tuple_start(out, 0, 4);
        put_int(out, edge->sum.calls);
        put_int(out, edge->sum.primitive);
        put_seconds(out, edge->sum.own);
        put_seconds(out, edge->sum.cumulative);
    }
    ft_buf_put_byte(out, TYPE_DICT_END);
}

static void put_stats(pstats *stats, ft_buf *out)
{
    uint32_t at = 0;
    ft_buf_put_byte(out, TYPE_DICT);
    for (uint32_t key = 1; key < stats->keys.count; key++) {
        const key_sum *sum = &stats->sums[key];
        bool called = at < stats->edge_count && stats->edges[at].callee == key;
        if (sum->calls == 0 && sum->own == 0 && !called)
            continue;
        put_key(stats, out, key);
        put_tuple_start(out, 0, 5);
        put_int(out, sum->primitive);
        put_int(out, sum->calls);
        put_seconds(out, sum->own);
        put_seconds(out, sum->cumulative);
        put_callers(stats, out, key, &at);
    }
    assert(at == stats->edge_count);
    ft_buf_put_byte(out, TYPE_DICT_END);
}

static void stats_fini(pstats *stats)
{
    ft_mem_free(stats->mem, stats->edges);
    ft_mem_free(stats->mem, stats->refs);
    ft_mem_free(stats->mem, stats->sums);
    ft_mem_free(stats->mem, stats->key_of);
    ft_codetab_fini(&stats->keys);
    ft_strtab_fini(&stats->texts);
}

/* On an error too, stats is left for stats_fini. */
static ft_status stats_init(pstats *stats, const ft_profile *profile)
{
    uint32_t codes = profile->codes.count;
    stats->key_of = ft_mem_new(stats->mem, codes, sizeof *stats->key_of);
    if (stats->key_of == NULL)
        return FT_ERR_MEMORY;
    ft_status status = find_keys(stats, profile);
    if (status != FT_OK)
        return status;
    stats->sums = ft_mem_new(stats->mem, stats->keys.count, sizeof *stats->sums);
    stats->refs = ft_mem_new(stats->mem, stats->keys.count, sizeof *stats->refs);
    if (stats->sums == NULL || stats->refs == NULL)
        return FT_ERR_MEMORY;
    status = sum_functions(stats, profile);
    return status == FT_OK ? sum_edges(stats, profile) : status;
}

static ft_status write_pstats(const ft_profile *profile, ft_buf *out)
{
    pstats stats = {.mem = profile->mem};
    ft_status status = ft_strtab_init(&stats.texts, stats.mem);
    if (status != FT_OK)
        return status;
    status = ft_codetab_init(&stats.keys, stats.mem);
    if (status != FT_OK)
        goto end_texts;
    status = stats_init(&stats, profile);
    if (status == FT_OK) {
        put_stats(&stats, out);
        status = ft_buf_status(out);
    }
    stats_fini(&stats);
    return status;
end_texts:
    ft_strtab_fini(&stats.texts);
    return status;
}

const ft_exporter ft_exporter_pstats = {
    .name = "pstats",
    .suffix = ".pstats",
    .description = "what cProfile writes: for pstats, snakeviz, gprof2dot",
    .write = write_pstats,
};
