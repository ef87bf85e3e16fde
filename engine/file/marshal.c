/* SPDX-License-Identifier: Apache-2.0 */
/* marshal.c: marshal's bytes, object by object (see marshal.h).
 *
 * A reference is a jump: its object is decoded again where it stands, and `back` of the item says
 * where to go on. So no object is kept, and the table of references holds eight bytes each. Numbers
 * are given out as marshal gives them, to each flagged object in the order in which they begin,
 * and only at the first reading. */
#include "engine/file/marshal.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/decimal.h"

enum {
    TYPE_NULL = '0',
    TYPE_NONE = 'N',
    TYPE_TRUE = 'T',
    TYPE_INT = 'i',
    TYPE_LONG = 'l',
    TYPE_FLOAT_TEXT = 'f', /* decimal; marshal's versions 0 and 1 */
    TYPE_FLOAT = 'g',
    TYPE_UNICODE = 'u',
    TYPE_INTERNED = 't',
    TYPE_ASCII = 'a',
    TYPE_ASCII_INTERNED = 'A',
    TYPE_SHORT_ASCII = 'z',
    TYPE_SHORT_ASCII_INTERNED = 'Z',
    TYPE_TUPLE = '(',
    TYPE_SMALL_TUPLE = ')',
    TYPE_DICT = '{',
    TYPE_REF = 'r',
    FLAG_REF = 0x80 /* added to a type: later objects may refer to this one */
};

enum { LONG_DIGIT_BITS = 15, LONG_DIGIT_BYTES = 2 };

void ft_marshal_init(ft_marshal *from, const ft_mem *mem, const uint8_t *bytes, uint32_t length)
{
    *from = (ft_marshal){.mem = mem, .bytes = bytes, .length = length};
    from->budget = length * FT_MARSHAL_BUDGET_RATIO + FT_MARSHAL_BUDGET_FLOOR;
}

void ft_marshal_fini(ft_marshal *from)
{
    ft_mem_free(from->mem, from->refs);
    *from = (ft_marshal){.mem = from->mem};
}

/* ---- bytes ---- */

/* The next count bytes, or NULL where there are less. */
static const uint8_t *take(ft_marshal *from, uint64_t count)
{
    assert(from->at <= from->length);
    if (count > from->length - from->at)
        return NULL;
    const uint8_t *bytes = from->bytes + from->at;
    from->at += (uint32_t)count;
    return bytes;
}

static bool take_number(ft_marshal *from, size_t size, uint64_t *number)
{
    const uint8_t *bytes = take(from, size);
    uint64_t made = 0;
    if (bytes == NULL)
        return false;
    for (size_t i = size; i-- > 0;)
        made = made << 8 | bytes[i];
    *number = made;
    return true;
}

/* A signed number of four bytes as its sign and the rest. */
static bool take_signed(ft_marshal *from, bool *negative, uint64_t *magnitude)
{
    uint64_t number;
    if (!take_number(from, 4, &number))
        return false;
    *negative = number > INT32_MAX;
    *magnitude = *negative ? (UINT64_C(1) << 32) - number : number;
    return true;
}

/* A count of items or bytes that follow, each taking a byte at least. */
static bool take_count(ft_marshal *from, size_t size, uint32_t *count)
{
    uint64_t number;
    if (!take_number(from, size, &number) || number > from->length - from->at)
        return false;
    *count = (uint32_t)number;
    return true;
}

/* ---- numbers ---- */

static bool read_long(ft_marshal *from, ft_marshal_item *item)
{
    uint64_t digits, made = 0;
    if (!take_signed(from, &item->negative, &digits))
        return false;
    const uint8_t *bytes = take(from, digits * LONG_DIGIT_BYTES);
    if (bytes == NULL)
        return false;
    for (size_t i = (size_t)digits; i-- > 0;) {
        uint32_t digit = (uint32_t)bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8;
        if (digit >> LONG_DIGIT_BITS != 0 || (digit == 0 && i + 1 == digits))
            return false;
        made = made > UINT64_MAX >> LONG_DIGIT_BITS ? UINT64_MAX : made << LONG_DIGIT_BITS | digit;
    }
    item->integer = made;
    return true;
}

static bool read_float(ft_marshal *from, ft_marshal_item *item)
{
    uint64_t bits;
    static_assert(sizeof bits == sizeof item->real, "a double has 64 bits");
    if (!take_number(from, sizeof bits, &bits))
        return false;
    memcpy(&item->real, &bits, sizeof bits);
    return true;
}

static bool read_float_text(ft_marshal *from, ft_marshal_item *item)
{
    uint32_t count;
    if (!take_count(from, 1, &count))
        return false;
    return ft_decimal_real((const char *)take(from, count), count, &item->real);
}

/* ---- objects ---- */

static bool read_text(ft_marshal *from, size_t size, ft_marshal_item *item)
{
    uint32_t count;
    if (!take_count(from, size, &count))
        return false;
    item->text = (ft_text){(const char *)take(from, count), count};
    return true;
}

/* Reads what follows the type. Long because it is a table. */
static bool read_content(ft_marshal *from, int type, ft_marshal_item *item)
{
    switch (type) {
    case TYPE_NULL:
        item->kind = FT_MARSHAL_END;
        return true;
    case TYPE_NONE:
        item->kind = FT_MARSHAL_NONE;
        return true;
    case TYPE_TRUE:
        item->kind = FT_MARSHAL_TRUE;
        return true;
    case TYPE_INT:
        item->kind = FT_MARSHAL_INTEGER;
        return take_signed(from, &item->negative, &item->integer);
    case TYPE_LONG:
        item->kind = FT_MARSHAL_INTEGER;
        return read_long(from, item);
    case TYPE_FLOAT_TEXT:
        item->kind = FT_MARSHAL_REAL;
        return read_float_text(from, item);
    case TYPE_FLOAT:
        item->kind = FT_MARSHAL_REAL;
        return read_float(from, item);
    case TYPE_UNICODE:
    case TYPE_INTERNED:
    case TYPE_ASCII:
    case TYPE_ASCII_INTERNED:
        item->kind = FT_MARSHAL_TEXT;
        return read_text(from, 4, item);
    case TYPE_SHORT_ASCII:
    case TYPE_SHORT_ASCII_INTERNED:
        item->kind = FT_MARSHAL_TEXT;
        return read_text(from, 1, item);
    case TYPE_TUPLE:
    case TYPE_SMALL_TUPLE:
        item->kind = FT_MARSHAL_TUPLE;
        return take_count(from, type == TYPE_TUPLE ? 4 : 1, &item->count);
    case TYPE_DICT:
        item->kind = FT_MARSHAL_DICT;
        return true;
    default:
        return false;
    }
}

/* Gives the object that began at start its reference number, unless it has it from a reading
 * before. */
static ft_status number_object(ft_marshal *from, uint32_t start, ft_marshal_item *item)
{
    if (start < from->numbered)
        return FT_OK;
    ft_marshal_ref *refs = ft_array_grow(from->mem, from->refs, from->ref_count + 1,
                                         &from->ref_capacity, sizeof *refs);
    if (refs == NULL)
        return FT_ERR_MEMORY;
    from->refs = refs;
    from->numbered = start + 1;
    item->ref = from->ref_count++; /* below the file's length: a byte each at least */
    refs[item->ref] = (ft_marshal_ref){.at = start};
    return FT_OK;
}

/* Jumps to the object that a reference names. */
static bool follow(ft_marshal *from, ft_marshal_item *item)
{
    uint64_t number;
    if (!take_number(from, 4, &number) || number >= from->ref_count)
        return false;
    item->ref = (uint32_t)number;
    item->back = from->at;
    assert(from->refs[item->ref].at < from->at);
    from->at = from->refs[item->ref].at;
    return true;
}

static bool spend(ft_marshal *from, uint32_t bytes)
{
    if (bytes > from->budget)
        return false;
    from->budget -= bytes;
    return true;
}

static bool has_content(ft_marshal_kind kind)
{
    return kind == FT_MARSHAL_TUPLE || kind == FT_MARSHAL_DICT;
}

ft_status ft_marshal_next(ft_marshal *from, ft_marshal_item *item)
{
    ft_marshal_item made = {.ref = FT_MARSHAL_NO_REF};
    uint32_t start = from->at;
    const uint8_t *code = take(from, 1);
    if (code != NULL && (*code & ~FLAG_REF) == TYPE_REF) {
        if (!follow(from, &made))
            return FT_ERR_CORRUPT;
        start = from->at;
        code = take(from, 1);
    }
    int type = code == NULL ? -1 : *code & ~FLAG_REF;
    bool is_constant = type == TYPE_NULL || type == TYPE_NONE || type == TYPE_TRUE;
    if (code != NULL && (*code & FLAG_REF) != 0 && !is_constant) {
        assert(type != TYPE_REF);
        ft_status status = number_object(from, start, &made);
        if (status != FT_OK)
            return status;
    }
    if (!read_content(from, type, &made))
        return FT_ERR_CORRUPT;
    if (!spend(from, from->at - start))
        return FT_ERR_LIMIT;
    if (!has_content(made.kind))
        ft_marshal_leave(from, &made);
    *item = made;
    return FT_OK;
}

void ft_marshal_leave(ft_marshal *from, const ft_marshal_item *item)
{
    assert(item->back <= from->length);
    if (item->back != 0)
        from->at = item->back;
}

uint32_t *ft_marshal_memo(ft_marshal *from, const ft_marshal_item *item)
{
    assert(item->ref == FT_MARSHAL_NO_REF || item->ref < from->ref_count);
    return item->ref == FT_MARSHAL_NO_REF ? NULL : &from->refs[item->ref].memo;
}
