/* SPDX-License-Identifier: Apache-2.0 */
/* spell.c: texts and kinds as every export spells them (see spell.h). */
#include "engine/export/spell.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/code.h"
#include "engine/model/profile.h"

enum { DIGITS_MAX = 20 }; /* of UINT64_MAX */

size_t ft_spell_utf8(const char *text, size_t length, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)text;
    assert(length > 0);
    uint32_t first = bytes[0];
    size_t size = first < 0x80         ? 1
                  : first >> 5 == 0x06 ? 2
                  : first >> 4 == 0x0E ? 3
                  : first >> 3 == 0x1E ? 4
                                       : 0;
    if (size == 0 || size > length)
        return 0;
    uint32_t value = size == 1 ? first : first & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (bytes[i] >> 6 != 2)
            return 0;
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    if (value < smallest[size] || value > 0x10FFFF || value >> 11 == 0xD800 >> 11)
        return 0;
    *point = value;
    return size;
}

void ft_spell_text(ft_buf *out, ft_text text)
{
    size_t good = 0; /* where the run of well-formed bytes that is not yet put begins */
    for (size_t at = 0; at < text.length;) {
        uint32_t point;
        size_t size = ft_spell_utf8(text.data + at, text.length - at, &point);
        if (size == 0) {
            ft_buf_put(out, text.data + good, at - good);
            ft_buf_printf(out, "\\x%02x", (uint8_t)text.data[at]);
            good = at + 1;
        }
        at += size == 0 ? 1 : size;
    }
    ft_buf_put(out, text.data + good, text.length - good);
}

/* Whether a reader of lines, or a terminal, may take the point for more than a sign: the control
 * characters, and the ends of lines and paragraphs. */
static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029;
}

void ft_spell_line(ft_buf *out, ft_text text, char mark)
{
    for (size_t at = 0; at < text.length;) {
        uint32_t point = 0;
        const char *from = text.data + at;
        size_t size = ft_spell_utf8(from, text.length - at, &point);
        bool plain = size > 0 && !is_control(point) && point != (uint8_t)mark;
        size += size == 0;
        if (plain)
            ft_buf_put(out, from, size);
        for (size_t i = 0; i < size && !plain; i++)
            ft_buf_printf(out, "\\x%02x", (uint8_t)from[i]);
        at += size;
    }
}

static void put_point(ft_buf *out, uint32_t point)
{
    if (point >= 0x10000) {
        uint32_t high = 0xD800 + ((point - 0x10000) >> 10);
        ft_buf_printf(out, "\\u%04x", (unsigned)high);
        point = 0xDC00 + (point & 0x3FF);
    }
    ft_buf_printf(out, "\\u%04x", (unsigned)point);
}

static bool is_plain(char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

/* What stands at text[0..length), which does not begin with a plain byte; gives the bytes used. */
static size_t put_special(ft_buf *out, const char *text, size_t length, bool in_ascii)
{
    uint32_t point = 0;
    size_t size = ft_spell_utf8(text, length, &point);
    if (size == 0)
        ft_buf_printf(out, "\\\\x%02x", (uint8_t)text[0]);
    else if (point > 0x7F && !in_ascii && !is_control(point))
        ft_buf_put(out, text, size);
    else if (point == '"' || point == '\\')
        ft_buf_printf(out, "\\%c", (char)point);
    else
        put_point(out, point);
    return size == 0 ? 1 : size;
}

static void put_json(ft_buf *out, ft_text text, bool in_ascii)
{
    ft_buf_put_byte(out, '"');
    for (size_t at = 0; at < text.length;) {
        size_t plain = 0;
        while (at + plain < text.length && is_plain(text.data[at + plain]))
            plain++;
        ft_buf_put(out, text.data + at, plain);
        at += plain;
        if (at < text.length)
            at += put_special(out, text.data + at, text.length - at, in_ascii);
    }
    ft_buf_put_byte(out, '"');
}

void ft_spell_json(ft_buf *out, ft_text text)
{
    put_json(out, text, true);
}

void ft_spell_json_utf8(ft_buf *out, ft_text text)
{
    put_json(out, text, false);
}

void ft_spell_json_label(ft_buf *out, ft_text before, ft_text text)
{
    ft_buf label;
    ft_buf_init(&label, out->mem);
    ft_buf_put(&label, before.data, before.length);
    ft_buf_put(&label, text.data, text.length);
    for (size_t i = 0; i < label.length; i++)
        if (label.data[i] == '\0')
            label.data[i] = ' ';
    ft_spell_json_utf8(out, (ft_text){(const char *)label.data, label.length});
    if (ft_buf_status(&label) != FT_OK && out->status == FT_OK)
        out->status = ft_buf_status(&label);
    ft_buf_fini(&label);
}

void ft_spell_number(ft_buf *out, uint64_t value)
{
    char digits[DIGITS_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    ft_buf_put(out, digits + at, sizeof digits - at);
}

void ft_spell_fixed(ft_buf *out, uint64_t value, unsigned places)
{
    uint64_t unit = 1;
    assert(places <= 9);
    for (unsigned i = 0; i < places; i++)
        unit *= 10;
    ft_spell_number(out, value / unit);
    if (value % unit != 0)
        ft_buf_printf(out, ".%0*u", (int)places, (unsigned)(value % unit));
}

void ft_spell_real(ft_buf *out, double value)
{
    enum { SURE = 15, MOST = 17 }; /* digits that any double keeps, and that keep any double */
    char spelled[MOST + 16];
    double again = 0;
    for (int digits = SURE; digits <= MOST; digits++) {
        snprintf(spelled, sizeof spelled, "%.*g", digits, value);
        again = strtod(spelled, NULL);
        if (memcmp(&again, &value, sizeof value) == 0)
            break;
    }
    bool in_point = false, is_whole = strchr(spelled, 'e') == NULL;
    for (const char *at = spelled; *at != '\0'; at++) {
        bool is_point = strchr("0123456789+-e", *at) == NULL; /* or a part of the locale's */
        if (!is_point)
            ft_buf_put_byte(out, (uint8_t)*at);
        else if (!in_point)
            ft_buf_put_byte(out, '.');
        is_whole &= !is_point;
        in_point = is_point;
    }
    if (is_whole) /* else -0 would be read as a whole number, which has no sign */
        ft_buf_put_text(out, ".0");
}

static ft_text fixed_text(const char *text)
{
    return (ft_text){text, strlen(text)};
}

ft_text ft_spell_name(const ft_profile *profile, const ft_code *code)
{
    if (code->kind == FT_CODE_FOLDED)
        return fixed_text("[folded]");
    if (code->kind == FT_CODE_FOLDED_AGAIN)
        return fixed_text("[folded again]");
    if (code->kind == FT_CODE_TASK)
        return fixed_text("[task]");
    if (code->kind == FT_CODE_AWAITED)
        return fixed_text("[awaited]");
    ft_text name = ft_strtab_get(&profile->texts, code->qualname);
    if (name.length == 0)
        name = ft_strtab_get(&profile->texts, code->name);
    return name.length == 0 ? fixed_text("?") : name;
}

const char *ft_spell_note(uint32_t kind)
{
    static const char *const names[] = {
        [FT_NOTE_FOLDED] = "folded",
        [FT_NOTE_DISK_FULL] = "disk full",
        [FT_NOTE_NO_TOOL_ID] = "no tool id",
        [FT_NOTE_HOOK_TAKEN] = "hook taken",
        [FT_NOTE_STILL_RUNNING] = "still running",
        [FT_NOTE_TORN] = "torn",
        [FT_NOTE_DEEP_STACK] = "deep stack",
        [FT_NOTE_OUT_OF_MEMORY] = "out of memory",
        [FT_NOTE_CHILDREN_LOST] = "children lost",
        [FT_NOTE_NEVER_STARTED] = "never started",
        [FT_NOTE_TOO_MANY_LINES] = "too many lines",
        [FT_NOTE_TRACER_TAKEN] = "tracer taken",
        [FT_NOTE_ALLOCATOR_TAKEN] = "allocator taken",
        [FT_NOTE_NO_SHADOW] = "no shadow",
        [FT_NOTE_INTERPRETERS] = "interpreters",
        [FT_NOTE_COLLECTIONS] = "collections",
    };
    return kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

const char *ft_spell_clock(uint32_t clock)
{
    return clock == FT_SERIES_CPU ? "cpu" : "wall";
}

const char *ft_spell_code_kind(uint32_t kind)
{
    static const char *const names[FT_CODE_KINDS] = {
        [FT_CODE_ROOT] = "root",
        [FT_CODE_PYTHON] = "python",
        [FT_CODE_C] = "c",
        [FT_CODE_FOLDED] = "folded",
        [FT_CODE_FOLDED_AGAIN] = "folded again",
        [FT_CODE_TASK] = "task",
        [FT_CODE_AWAITED] = "awaited",
    };
    assert(kind < FT_CODE_KINDS);
    return names[kind];
}
