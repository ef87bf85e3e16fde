/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_atoms.c: numbers and texts of a pickle (see pickle_atoms.h).
 *
 * Numbers of more than 64 bits are refused: a counter of the tools that are read here has less. */
#include "engine/file/pickle_atoms.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/base/decimal.h"
#include "engine/file/opcode.h"

ft_status ft_pickle_refuse(ft_pickle *from, uint32_t at, const char *format, ...)
{
    char what[sizeof from->fault.text - sizeof " at byte 4294967295"];
    va_list list;
    if (from->fault.text[0] != '\0')
        return FT_ERR_CORRUPT;
    va_start(list, format);
    (void)vsnprintf(what, sizeof what, format, list);
    va_end(list);
    (void)snprintf(from->fault.text, sizeof from->fault.text, "%s at byte %u", what, (unsigned)at);
    return FT_ERR_CORRUPT;
}

/* ---- bytes ---- */

/* The next count bytes, or NULL where there are less; that is noted. */
static const uint8_t *take(ft_pickle *from, uint64_t count)
{
    assert(from->at <= from->length);
    if (count > from->length - from->at) {
        (void)ft_pickle_refuse(from, from->length, "an early end");
        return NULL;
    }
    const uint8_t *bytes = from->bytes + from->at;
    from->at += (uint32_t)count;
    return bytes;
}

ft_status ft_pickle_number(ft_pickle *from, size_t size, uint64_t *number)
{
    assert(size >= 1 && size <= sizeof *number);
    const uint8_t *bytes = take(from, size);
    uint64_t made = 0;
    if (bytes == NULL)
        return FT_ERR_CORRUPT;
    for (size_t i = size; i-- > 0;)
        made = made << 8 | bytes[i];
    *number = made;
    return FT_OK;
}

ft_status ft_pickle_line(ft_pickle *from, ft_text *line)
{
    const uint8_t *start = from->bytes + from->at;
    const uint8_t *end = memchr(start, '\n', from->length - from->at);
    if (end == NULL)
        return ft_pickle_refuse(from, from->length, "an early end");
    *line = (ft_text){(const char *)start, (size_t)(end - start)};
    from->at += (uint32_t)line->length + 1;
    return FT_OK;
}

ft_status ft_pickle_index(ft_pickle *from, uint64_t *index)
{
    ft_text line;
    int64_t number;
    uint32_t start = from->at;
    ft_status status = ft_pickle_line(from, &line);
    if (status != FT_OK)
        return status;
    if (!ft_decimal_integer(line.data, line.length, &number) || number < 0)
        return ft_pickle_refuse(from, start, "a damaged number");
    *index = (uint64_t)number;
    return FT_OK;
}

/* ---- numbers ---- */

/* A signed number of size bytes, or of size bytes that say how many it has. */
static ft_status read_integer(ft_pickle *from, size_t size, int64_t *value)
{
    uint64_t bits = 0;
    ft_status status = size == 0 ? FT_OK : ft_pickle_number(from, size, &bits);
    if (status != FT_OK)
        return status;
    if (size > 0 && size < sizeof bits && bits >> (8 * size - 1) != 0) /* fill up with the sign */
        bits |= UINT64_MAX << (8 * size);
    *value = bits > INT64_MAX ? -(int64_t)~bits - 1 : (int64_t)bits;
    return FT_OK;
}

static ft_status read_long(ft_pickle *from, size_t size_bytes, int64_t *value)
{
    uint64_t size;
    uint32_t start = from->at;
    ft_status status = ft_pickle_number(from, size_bytes, &size);
    if (status != FT_OK)
        return status;
    if (size > sizeof *value)
        return ft_pickle_refuse(from, start, "a number of more than 64 bits");
    return read_integer(from, (size_t)size, value);
}

static ft_status read_unsigned(ft_pickle *from, size_t size, int64_t *value)
{
    uint64_t number;
    ft_status status = ft_pickle_number(from, size, &number);
    if (status == FT_OK)
        *value = (int64_t)number;
    return status;
}

/* A decimal on a line; a long one of Python's has an L behind it. */
static ft_status read_integer_line(ft_pickle *from, bool is_long, int64_t *value)
{
    ft_text line;
    uint32_t start = from->at;
    ft_status status = ft_pickle_line(from, &line);
    if (status != FT_OK)
        return status;
    if (is_long && line.length > 0 && line.data[line.length - 1] == 'L')
        line.length--;
    if (!ft_decimal_integer(line.data, line.length, value))
        return ft_pickle_refuse(from, start, "a damaged number");
    return FT_OK;
}

static ft_status read_real_line(ft_pickle *from, double *value)
{
    ft_text line;
    uint32_t start = from->at;
    ft_status status = ft_pickle_line(from, &line);
    if (status != FT_OK)
        return status;
    if (!ft_decimal_real(line.data, line.length, value))
        return ft_pickle_refuse(from, start, "a damaged number");
    return FT_OK;
}

/* Eight bytes, the one with the sign first. */
static ft_status read_real(ft_pickle *from, double *value)
{
    const uint8_t *bytes = take(from, sizeof *value);
    uint64_t bits = 0;
    static_assert(sizeof bits == sizeof *value, "a double has 64 bits");
    if (bytes == NULL)
        return FT_ERR_CORRUPT;
    for (size_t i = 0; i < sizeof bits; i++)
        bits = bits << 8 | bytes[i];
    memcpy(value, &bits, sizeof bits);
    return FT_OK;
}

/* ---- texts ---- */

static ft_status read_text(ft_pickle *from, size_t size_bytes, uint32_t *id)
{
    uint64_t size;
    ft_status status = ft_pickle_number(from, size_bytes, &size);
    if (status != FT_OK)
        return status;
    const uint8_t *bytes = take(from, size);
    if (bytes == NULL)
        return FT_ERR_CORRUPT;
    return ft_strtab_intern(from->texts, (const char *)bytes, (size_t)size, id);
}

/* Surrogates too: they are what Python puts where a file's name is no UTF-8. */
static void put_utf8(ft_buf *out, uint32_t point)
{
    if (point < 0x80) {
        ft_buf_put_byte(out, (uint8_t)point);
    } else if (point < 0x800) {
        ft_buf_put_byte(out, (uint8_t)(0xC0 | point >> 6));
        ft_buf_put_byte(out, (uint8_t)(0x80 | (point & 0x3F)));
    } else if (point < 0x10000) {
        ft_buf_put_byte(out, (uint8_t)(0xE0 | point >> 12));
        ft_buf_put_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3F)));
        ft_buf_put_byte(out, (uint8_t)(0x80 | (point & 0x3F)));
    } else {
        ft_buf_put_byte(out, (uint8_t)(0xF0 | point >> 18));
        ft_buf_put_byte(out, (uint8_t)(0x80 | (point >> 12 & 0x3F)));
        ft_buf_put_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3F)));
        ft_buf_put_byte(out, (uint8_t)(0x80 | (point & 0x3F)));
    }
}

/* digits hexadecimal ones at the start of text as a code point; UINT32_MAX where they are not. */
static uint32_t read_point(ft_text text, size_t digits)
{
    enum { POINT_MAX = 0x10FFFF };
    uint32_t point = 0;
    if (text.length < digits)
        return UINT32_MAX;
    for (size_t i = 0; i < digits; i++) {
        char letter = text.data[i];
        if (letter >= '0' && letter <= '9')
            point = point << 4 | (uint32_t)(letter - '0');
        else if (letter >= 'a' && letter <= 'f')
            point = point << 4 | (uint32_t)(letter - 'a' + 10);
        else
            return UINT32_MAX;
    }
    return point <= POINT_MAX ? point : UINT32_MAX;
}

/* Latin-1 with \uXXXX and \UXXXXXXXX, which is Python's raw-unicode-escape. */
static bool put_unescaped(ft_buf *out, ft_text line)
{
    enum { SHORT = 4, LONG = 8 };
    for (size_t i = 0; i < line.length; i++) {
        char next = line.data[i] == '\\' && i + 1 < line.length ? line.data[i + 1] : '\0';
        if (next != 'u' && next != 'U') {
            put_utf8(out, (uint8_t)line.data[i]);
            continue;
        }
        size_t digits = next == 'u' ? SHORT : LONG;
        uint32_t point = read_point((ft_text){line.data + i + 2, line.length - i - 2}, digits);
        if (point == UINT32_MAX)
            return false;
        put_utf8(out, point);
        i += 1 + digits;
    }
    return true;
}

static ft_status read_text_line(ft_pickle *from, uint32_t *id)
{
    ft_text line;
    ft_buf text;
    uint32_t start = from->at;
    ft_status status = ft_pickle_line(from, &line);
    if (status != FT_OK)
        return status;
    ft_buf_init(&text, from->mem);
    if (!put_unescaped(&text, line))
        status = ft_pickle_refuse(from, start, "a damaged text");
    else
        status = ft_buf_status(&text);
    if (status == FT_OK)
        status = ft_strtab_intern(from->texts, text.length == 0 ? "" : (const char *)text.data,
                                  text.length, id);
    ft_buf_fini(&text);
    return status;
}

/* ---- scalars ---- */

static ft_status read_number(ft_pickle *from, uint8_t opcode, int64_t *value)
{
    switch (opcode) {
    case FT_OPCODE_BININT:
        return read_integer(from, 4, value);
    case FT_OPCODE_BININT1:
        return read_unsigned(from, 1, value);
    case FT_OPCODE_BININT2:
        return read_unsigned(from, 2, value);
    case FT_OPCODE_LONG1:
        return read_long(from, 1, value);
    case FT_OPCODE_LONG4:
        return read_long(from, 4, value);
    default:
        assert(opcode == FT_OPCODE_INT || opcode == FT_OPCODE_LONG);
        return read_integer_line(from, opcode == FT_OPCODE_LONG, value);
    }
}

/* How many bytes say how long the text is. */
static size_t length_size(uint8_t opcode)
{
    if (opcode == FT_OPCODE_SHORT_BINUNICODE || opcode == FT_OPCODE_SHORT_BINSTRING)
        return 1;
    return opcode == FT_OPCODE_BINUNICODE8 ? 8 : 4;
}

/* Long because it is a table. */
ft_status ft_pickle_scalar(ft_pickle *from, uint8_t opcode, ft_pickle_value *value)
{
    *value = (ft_pickle_value){.kind = FT_PICKLE_ABSENT};
    switch (opcode) {
    case FT_OPCODE_NONE:
        value->kind = FT_PICKLE_NONE;
        return FT_OK;
    case FT_OPCODE_NEWTRUE:
    case FT_OPCODE_NEWFALSE:
        value->kind = FT_PICKLE_BOOLEAN;
        value->number.integer = opcode == FT_OPCODE_NEWTRUE;
        return FT_OK;
    case FT_OPCODE_INT:
    case FT_OPCODE_BININT:
    case FT_OPCODE_BININT1:
    case FT_OPCODE_BININT2:
    case FT_OPCODE_LONG:
    case FT_OPCODE_LONG1:
    case FT_OPCODE_LONG4:
        value->kind = FT_PICKLE_INTEGER;
        return read_number(from, opcode, &value->number.integer);
    case FT_OPCODE_FLOAT:
        value->kind = FT_PICKLE_REAL;
        return read_real_line(from, &value->number.real);
    case FT_OPCODE_BINFLOAT:
        value->kind = FT_PICKLE_REAL;
        return read_real(from, &value->number.real);
    case FT_OPCODE_UNICODE:
        value->kind = FT_PICKLE_TEXT;
        return read_text_line(from, &value->id);
    case FT_OPCODE_BINSTRING:
    case FT_OPCODE_SHORT_BINSTRING:
    case FT_OPCODE_BINUNICODE:
    case FT_OPCODE_SHORT_BINUNICODE:
    case FT_OPCODE_BINUNICODE8:
        value->kind = FT_PICKLE_TEXT;
        return read_text(from, length_size(opcode), &value->id);
    default:
        return FT_OK;
    }
}
