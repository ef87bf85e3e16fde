/* SPDX-License-Identifier: Apache-2.0 */
/* pstats_reader.c: from marshalled statistics to rows (see pstats_reader.h).
 *
 * The dictionary is read by its schema, one function a level, so nothing recurses and a reference
 * that leads back into its own container meets another type than the one expected. marshal.c gives
 * the objects. What can be referred to is interned once: its memo is the id + 1 of a text or of a
 * code. */
#include "engine/file/pstats_reader.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine/file/marshal.h"

enum { KEY_ITEMS = 3, ROW_ITEMS = 5, EDGE_ITEMS = 4 };

static const char sampled_mark[] = "__sampled__";

typedef struct reader {
    ft_marshal from;
    ft_summary *into;
} reader;

typedef struct numbers { /* what a row and an edge have in common */
    uint64_t calls, primitive, own, cumulative;
} numbers;

/* ---- scalars ---- */

static ft_status read_text(reader *at, uint32_t *id)
{
    ft_marshal_item item;
    ft_status status = ft_marshal_next(&at->from, &item);
    if (status != FT_OK)
        return status;
    if (item.kind != FT_MARSHAL_TEXT)
        return FT_ERR_CORRUPT;
    uint32_t *memo = ft_marshal_memo(&at->from, &item);
    if (memo != NULL && *memo != 0) {
        *id = *memo - 1;
        return FT_OK;
    }
    status = ft_strtab_intern(&at->into->texts, item.text.data, item.text.length, id);
    if (status == FT_OK && memo != NULL)
        *memo = *id + 1;
    return status;
}

static ft_status read_line(reader *at, uint32_t *line)
{
    ft_marshal_item item;
    ft_status status = ft_marshal_next(&at->from, &item);
    if (status != FT_OK)
        return status;
    if (item.kind != FT_MARSHAL_INTEGER && item.kind != FT_MARSHAL_NONE)
        return FT_ERR_CORRUPT;
    uint64_t number = item.negative ? 0 : item.integer;
    *line = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    return FT_OK;
}

static ft_status read_count(reader *at, uint64_t *count)
{
    ft_marshal_item item;
    ft_status status = ft_marshal_next(&at->from, &item);
    if (status != FT_OK)
        return status;
    if (item.kind != FT_MARSHAL_INTEGER)
        return FT_ERR_CORRUPT;
    *count = item.negative ? 0 : item.integer;
    return FT_OK;
}

/* Seconds as nanoseconds: to the nearest, so that what we exported comes back as it was. */
static uint64_t nanoseconds(double seconds)
{
    double ns = seconds * 1e9;
    if (!(ns > 0))
        return 0;
    if (ns >= 0x1p64)
        return UINT64_MAX;
    uint64_t whole = (uint64_t)ns;
    return whole + (ns - (double)whole >= 0.5);
}

static ft_status read_time(reader *at, uint64_t *ns)
{
    ft_marshal_item item;
    ft_status status = ft_marshal_next(&at->from, &item);
    if (status != FT_OK)
        return status;
    if (item.kind == FT_MARSHAL_INTEGER) /* a timer of the user's, under module profile */
        item.real = item.negative ? 0 : (double)item.integer;
    else if (item.kind != FT_MARSHAL_REAL || isnan(item.real))
        return FT_ERR_CORRUPT;
    *ns = nanoseconds(item.real);
    return FT_OK;
}

/* ---- keys ---- */

/* The items of a key tuple that has not been read before. */
static ft_status read_key_items(reader *at, uint32_t *code)
{
    static const char c_file[] = "~";
    ft_code made = {.kind = FT_CODE_PYTHON};
    ft_status status = read_text(at, &made.file);
    if (status == FT_OK)
        status = read_line(at, &made.line);
    if (status == FT_OK)
        status = read_text(at, &made.name);
    if (status != FT_OK)
        return status;
    ft_text file = ft_strtab_get(&at->into->texts, made.file);
    if (file.length == 1 && file.data[0] == c_file[0])
        made.kind = FT_CODE_C;
    return ft_codetab_intern(&at->into->codes, &made, code);
}

/* The code of the key tuple whose head is item. */
static ft_status read_key(reader *at, const ft_marshal_item *item, uint32_t *code)
{
    if (item->kind != FT_MARSHAL_TUPLE || item->count != KEY_ITEMS)
        return FT_ERR_CORRUPT;
    const uint32_t *known = ft_marshal_memo(&at->from, item);
    if (known != NULL && *known != 0) {
        *code = *known - 1;
        assert(item->back != 0);
        ft_marshal_leave(&at->from, item);
        return FT_OK;
    }
    ft_status status = read_key_items(at, code);
    if (status != FT_OK)
        return status;
    ft_marshal_leave(&at->from, item);
    uint32_t *memo = ft_marshal_memo(&at->from, item);
    if (memo != NULL)
        *memo = *code + 1;
    return FT_OK;
}

/* ---- callers ---- */

static ft_status read_times(reader *at, numbers *to)
{
    ft_status status = read_time(at, &to->own);
    return status == FT_OK ? read_time(at, &to->cumulative) : status;
}

static ft_status read_edge_numbers(reader *at, numbers *to)
{
    ft_marshal_item item;
    ft_status status = ft_marshal_next(&at->from, &item);
    if (status != FT_OK)
        return status;
    if (item.kind == FT_MARSHAL_INTEGER) {
        to->calls = to->primitive = item.negative ? 0 : item.integer;
        at->into->untimed = true;
        return FT_OK;
    }
    if (item.kind != FT_MARSHAL_TUPLE || item.count != EDGE_ITEMS)
        return FT_ERR_CORRUPT;
    status = read_count(at, &to->calls); /* the other order than in a row */
    if (status == FT_OK)
        status = read_count(at, &to->primitive);
    if (status == FT_OK)
        status = read_times(at, to);
    if (status == FT_OK)
        ft_marshal_leave(&at->from, &item);
    return status;
}

static ft_status read_caller(reader *at, const ft_marshal_item *key, uint32_t callee)
{
    numbers is = {0};
    uint32_t caller;
    ft_status status = read_key(at, key, &caller);
    if (status == FT_OK)
        status = read_edge_numbers(at, &is);
    if (status != FT_OK)
        return status;
    return ft_summary_add_edge(at->into, &(ft_edge_row){.caller = caller,
                                                        .callee = callee,
                                                        .calls = is.calls,
                                                        .primitive = is.primitive,
                                                        .own = is.own,
                                                        .cumulative = is.cumulative});
}

static ft_status read_callers(reader *at, uint32_t callee)
{
    ft_marshal_item callers, key;
    ft_status status = ft_marshal_next(&at->from, &callers);
    if (status == FT_OK && callers.kind != FT_MARSHAL_DICT)
        return FT_ERR_CORRUPT;
    while (status == FT_OK) {
        status = ft_marshal_next(&at->from, &key);
        if (status == FT_OK && key.kind == FT_MARSHAL_END) {
            ft_marshal_leave(&at->from, &callers);
            return FT_OK;
        }
        if (status == FT_OK)
            status = read_caller(at, &key, callee);
    }
    return status;
}

/* ---- functions ---- */

static ft_status read_function(reader *at, const ft_marshal_item *key)
{
    ft_marshal_item row;
    numbers is = {0};
    uint32_t code;
    ft_status status = read_key(at, key, &code);
    if (status == FT_OK)
        status = ft_marshal_next(&at->from, &row);
    if (status != FT_OK)
        return status;
    if (row.kind != FT_MARSHAL_TUPLE || row.count != ROW_ITEMS)
        return FT_ERR_CORRUPT;
    status = read_count(at, &is.primitive);
    if (status == FT_OK)
        status = read_count(at, &is.calls);
    if (status == FT_OK)
        status = read_times(at, &is);
    if (status == FT_OK)
        status = read_callers(at, code);
    if (status != FT_OK)
        return status;
    ft_marshal_leave(&at->from, &row);
    return ft_summary_add_function(at->into, &(ft_function_row){.code = code,
                                                                .calls = is.calls,
                                                                .primitive = is.primitive,
                                                                .own = is.own,
                                                                .cumulative = is.cumulative});
}

/* ("__sampled__",): True, of which key is the head. */
static ft_status read_mark(reader *at, const ft_marshal_item *key)
{
    ft_marshal_item text, value;
    ft_status status = ft_marshal_next(&at->from, &text);
    if (status != FT_OK)
        return status;
    ft_marshal_leave(&at->from, key);
    status = ft_marshal_next(&at->from, &value);
    if (status != FT_OK)
        return status;
    bool is_mark = text.kind == FT_MARSHAL_TEXT && text.text.length == strlen(sampled_mark) &&
                   memcmp(text.text.data, sampled_mark, text.text.length) == 0;
    if (!is_mark || value.kind != FT_MARSHAL_TRUE)
        return FT_ERR_CORRUPT;
    at->into->sampled = true;
    return FT_OK;
}

static ft_status read_all(reader *at)
{
    ft_marshal_item stats, key;
    ft_status status = ft_marshal_next(&at->from, &stats);
    assert(status != FT_OK || stats.kind == FT_MARSHAL_DICT); /* is_pstats has looked */
    while (status == FT_OK) {
        status = ft_marshal_next(&at->from, &key);
        if (status == FT_OK && key.kind == FT_MARSHAL_END)
            return at->from.at == at->from.length ? FT_OK : FT_ERR_CORRUPT;
        if (status != FT_OK)
            return status;
        bool mark = key.kind == FT_MARSHAL_TUPLE && key.count == 1;
        status = mark ? read_mark(at, &key) : read_function(at, &key);
    }
    return status;
}

bool ft_pstats_reader_is_pstats(const uint8_t *bytes, size_t length)
{
    enum { NO_FLAG = 0x7F };
    if (length < 2 || (bytes[0] & NO_FLAG) != '{')
        return false;
    return bytes[1] == '0' || (bytes[1] & NO_FLAG) == '(' || (bytes[1] & NO_FLAG) == ')';
}

ft_status ft_pstats_reader_read(const uint8_t *bytes, size_t length, ft_summary *summary)
{
    assert(summary->function_count == 0 && summary->edge_count == 0);
    if (length == 0)
        return FT_ERR_EMPTY;
    if (!ft_pstats_reader_is_pstats(bytes, length))
        return FT_ERR_FOREIGN;
    if (length > FT_PSTATS_BYTES_MAX)
        return FT_ERR_LIMIT;
    reader at = {.into = summary};
    ft_marshal_init(&at.from, summary->mem, bytes, (uint32_t)length);
    ft_status status = read_all(&at);
    ft_marshal_fini(&at.from);
    return status == FT_OK ? ft_summary_settle(summary) : status;
}
