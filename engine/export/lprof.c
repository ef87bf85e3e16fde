/* SPDX-License-Identifier: Apache-2.0 */
/* lprof.c: the lines of a recording as line_profiler's LineStats.to_file() writes them.
 *
 * The file is one pickled object with two attributes,
 *     timings: {(file, first line, name): [(line, hits, time), ...]}
 *     unit: seconds,
 * in protocol 2, and of the class by the name that line_profiler 3, 4 and 5 all know. As there, a
 * line that never ran is left out, and a function that never ran has no lines. A key says less
 * than a code does, so codes with one key are summed. What line_profiler does not measure (waiting,
 * calls, time in callees) has no place here. */
#include "engine/export/lprof.h"

#include <assert.h>
#include <string.h>

#include "engine/export/exporter.h"
#include "engine/export/spell.h"

extern const ft_exporter ft_exporter_lprof;

/* Opcodes of pickle. */
enum {
    OP_APPENDS = 'e',
    OP_BINFLOAT = 'G',
    OP_BININT = 'J',
    OP_BININT1 = 'K',
    OP_BINUNICODE = 'X',
    OP_BUILD = 'b',
    OP_EMPTY_DICT = '}',
    OP_EMPTY_LIST = ']',
    OP_EMPTY_TUPLE = ')',
    OP_GLOBAL = 'c',
    OP_LONG1 = 0x8A,
    OP_LONG_BINGET = 'j',
    OP_LONG_BINPUT = 'r',
    OP_MARK = '(',
    OP_NEWOBJ = 0x81,
    OP_PROTO = 0x80,
    OP_SETITEMS = 'u',
    OP_STOP = '.',
    OP_TUPLE3 = 0x87
};

#define NANOSECOND 1e-9

/* ---- timings to bytes ---- */

typedef struct lprof {
    const ft_timings *timings;
    ft_buf *out;
    uint32_t *memo; /* owned: by text, the number it is referred to by + 1, or 0 */
    uint32_t memo_count;
} lprof;

static void put_int(ft_buf *out, int64_t value)
{
    if (value >= 0 && value <= UINT8_MAX) {
        ft_buf_put_byte(out, OP_BININT1);
        ft_buf_put_byte(out, (uint8_t)value);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        ft_buf_put_byte(out, OP_BININT);
        ft_buf_put_u32(out, (uint32_t)value);
    } else {
        ft_buf_put_byte(out, OP_LONG1);
        ft_buf_put_byte(out, sizeof value);
        ft_buf_put_u64(out, (uint64_t)value);
    }
}

static void put_real(ft_buf *out, double value)
{
    uint64_t bits;
    static_assert(sizeof bits == sizeof value, "a double has 64 bits");
    memcpy(&bits, &value, sizeof bits);
    ft_buf_put_byte(out, OP_BINFLOAT);
    for (int shift = 56; shift >= 0; shift -= 8) /* the byte with the sign first */
        ft_buf_put_byte(out, (uint8_t)(bits >> shift));
}

static void put_text(ft_buf *out, const char *text, size_t length)
{
    ft_buf_put_byte(out, OP_BINUNICODE);
    ft_buf_put_u32(out, (uint32_t)length);
    ft_buf_put(out, text, length);
}

/* In full the first time, by its number afterwards. */
static void put_shared_text(lprof *to, uint32_t id)
{
    ft_text text = ft_strtab_get(&to->timings->texts, id);
    bool known = to->memo[id] != 0;
    if (!known) {
        put_text(to->out, text.data, text.length);
        to->memo[id] = ++to->memo_count;
    }
    ft_buf_put_byte(to->out, known ? OP_LONG_BINGET : OP_LONG_BINPUT);
    ft_buf_put_u32(to->out, to->memo[id] - 1);
}

static void put_function(lprof *to, const ft_timed *function)
{
    put_shared_text(to, function->file);
    put_int(to->out, function->line);
    put_shared_text(to, function->name);
    ft_buf_put_byte(to->out, OP_TUPLE3);
    ft_buf_put_byte(to->out, OP_EMPTY_LIST);
    ft_buf_put_byte(to->out, OP_MARK);
    for (uint32_t i = 0; i < function->count; i++) {
        const ft_timing *line = &to->timings->lines[function->first + i];
        put_int(to->out, line->line);
        put_int(to->out, line->hits);
        put_int(to->out, line->time);
        ft_buf_put_byte(to->out, OP_TUPLE3);
    }
    ft_buf_put_byte(to->out, OP_APPENDS);
}

/* An object without anything yet, then its attributes. */
static void put_stats(lprof *to)
{
    enum { PROTOCOL = 2 };
    static const char class[] = "line_profiler._line_profiler\nLineStats\n";
    static const char timings[] = "timings", unit[] = "unit";
    ft_buf *out = to->out;
    ft_buf_put_byte(out, OP_PROTO);
    ft_buf_put_byte(out, PROTOCOL);
    ft_buf_put_byte(out, OP_GLOBAL);
    ft_buf_put_text(out, class);
    ft_buf_put_byte(out, OP_EMPTY_TUPLE);
    ft_buf_put_byte(out, OP_NEWOBJ);
    ft_buf_put_byte(out, OP_EMPTY_DICT);
    ft_buf_put_byte(out, OP_MARK);
    put_text(out, timings, strlen(timings));
    ft_buf_put_byte(out, OP_EMPTY_DICT);
    ft_buf_put_byte(out, OP_MARK);
    for (uint32_t i = 0; i < to->timings->function_count; i++)
        put_function(to, &to->timings->functions[i]);
    ft_buf_put_byte(out, OP_SETITEMS);
    put_text(out, unit, strlen(unit));
    put_real(out, to->timings->unit);
    ft_buf_put_byte(out, OP_SETITEMS);
    ft_buf_put_byte(out, OP_BUILD);
    ft_buf_put_byte(out, OP_STOP);
}

ft_status ft_lprof_write(const ft_timings *timings, ft_buf *out)
{
    for (uint32_t id = 0; id < timings->texts.count; id++)
        if (ft_strtab_get(&timings->texts, id).length > INT32_MAX) /* BINUNICODE's lengths */
            return FT_ERR_LIMIT;
    lprof to = {.timings = timings, .out = out};
    to.memo = ft_mem_new(timings->mem, timings->texts.count, sizeof *to.memo);
    if (to.memo == NULL)
        return FT_ERR_MEMORY;
    put_stats(&to);
    ft_mem_free(timings->mem, to.memo);
    return ft_buf_status(out);
}

/* ---- lines to timings ---- */

typedef struct keyed { /* a recording's lines by what a key holds */
    const ft_profile *profile;
    ft_timings timings;
    ft_codetab keys; /* codes that hold file, line and name only, their texts in timings */
    ft_lines lines;
} keyed;

static ft_status intern_spelled(keyed *to, ft_text text, uint32_t *id)
{
    ft_buf spelled;
    ft_buf_init(&spelled, to->timings.mem);
    ft_spell_text(&spelled, text);
    ft_status status = ft_buf_status(&spelled);
    if (status == FT_OK)
        status = ft_strtab_intern(&to->timings.texts,
                                  spelled.length == 0 ? "" : (const char *)spelled.data,
                                  spelled.length, id);
    ft_buf_fini(&spelled);
    return status;
}

static ft_status intern_key(keyed *to, const ft_code *code, uint32_t *key)
{
    ft_code made = {.line = code->line, .kind = FT_CODE_PYTHON};
    ft_status status =
        intern_spelled(to, ft_strtab_get(&to->profile->texts, code->file), &made.file);
    if (status == FT_OK)
        status = intern_spelled(to, ft_spell_name(to->profile, code), &made.name);
    return status == FT_OK ? ft_codetab_intern(&to->keys, &made, key) : status;
}

/* Sums the lines of all codes by their keys. */
static ft_status sum_lines(keyed *to)
{
    const ft_profile *profile = to->profile;
    uint32_t *key_of = ft_mem_new(profile->mem, profile->codes.count, sizeof *key_of);
    ft_status status = key_of == NULL ? FT_ERR_MEMORY : FT_OK;
    for (uint32_t i = 0; i < profile->lines.count && status == FT_OK; i++) {
        uint32_t code = profile->lines.lines[i].code;
        if (key_of[code] == 0)
            status = intern_key(to, &profile->codes.codes[code], &key_of[code]);
    }
    if (status == FT_OK)
        status = ft_lines_merge(&to->lines, &profile->lines, key_of);
    ft_mem_free(profile->mem, key_of);
    ft_lines_sort(&to->lines);
    return status;
}

static int64_t saturated(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static ft_status add_timings(keyed *to)
{
    uint32_t last = FT_CODE_NONE;
    ft_status status = FT_OK;
    to->timings.unit = NANOSECOND;
    for (uint32_t i = 0; i < to->lines.count && status == FT_OK; i++) {
        const ft_line *line = &to->lines.lines[i];
        const ft_code *key = &to->keys.codes[line->code];
        if (line->code != last)
            status = ft_timings_add_function(&to->timings, key->file, key->line, key->name);
        last = line->code;
        if (status == FT_OK && line->line > 0 && (line->hits > 0 || line->time > 0))
            status =
                ft_timings_add_line(&to->timings, &(ft_timing){line->line, saturated(line->hits),
                                                               saturated(line->time)});
    }
    return status;
}

static ft_status write_lprof(const ft_profile *profile, ft_buf *out)
{
    keyed to = {.profile = profile};
    ft_lines_init(&to.lines, profile->mem);
    ft_status status = ft_timings_init(&to.timings, profile->mem);
    if (status != FT_OK)
        return status;
    status = ft_codetab_init(&to.keys, profile->mem);
    if (status != FT_OK)
        goto end_timings;
    status = sum_lines(&to);
    if (status == FT_OK)
        status = add_timings(&to);
    if (status == FT_OK)
        status = ft_lprof_write(&to.timings, out);
    ft_lines_fini(&to.lines);
    ft_codetab_fini(&to.keys);
end_timings:
    ft_timings_fini(&to.timings);
    return status;
}

const ft_exporter ft_exporter_lprof = {
    .name = "lprof",
    .suffix = ".lprof",
    .description = "lines, as line_profiler writes them",
    .write = write_lprof,
    .has_lines = true,
};
