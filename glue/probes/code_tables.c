/* SPDX-License-Identifier: Apache-2.0 */
/* code_tables.c: co_linetable and co_exceptiontable of 3.11 (see code_tables.h). */
#include "glue/probes/code_tables.h"

#if !FT_HAS_MONITORING

#include <assert.h>
#include <limits.h>

#include "engine/base/array.h"

/* Bytes that are taken one after the other. Past the end, failed is set and all are 0. */
typedef struct bytes_left {
    const uint8_t *at, *end;
    bool failed;
} bytes_left;

static uint8_t take_byte(bytes_left *left)
{
    if (left->at == left->end) {
        left->failed = true;
        return 0;
    }
    return *left->at++;
}

/* ---- places: a head byte 1kkkklll (kind, units - 1), then what the kind says ---- */

enum {
    HEAD = 0x80,
    MAX_STRETCH = 8, /* units */
    KIND_SHORT_END = 10,
    KIND_ONE_LINE = 10, /* + the lines since, 0 to 2 */
    KIND_NO_COLUMNS = 13,
    KIND_LONG = 14,
    KIND_NONE = 15,
    SHORT_COLUMNS = 80, /* a short kind's column is below, its width in four bits */
    BYTE_COLUMNS = 128, /* a one-line kind's columns are below */
    MORE = 0x40,        /* a varint's byte is followed by another */
    CHUNK = 6,          /* bits of a varint's byte */
    CHUNK_MASK = 0x3F,
    MAX_SHIFT = 30, /* numbers have 32 bits */
};

/* Low bits first. */
static uint32_t take_low_first(bytes_left *left)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += CHUNK) {
        uint8_t byte = take_byte(left);
        value |= (uint64_t)(byte & CHUNK_MASK) << shift;
        if ((byte & MORE) == 0)
            break;
        if (shift == MAX_SHIFT) {
            left->failed = true;
            break;
        }
    }
    left->failed |= value > UINT32_MAX;
    return (uint32_t)value;
}

static int64_t take_signed(bytes_left *left)
{
    uint32_t value = take_low_first(left);
    return (value & 1) != 0 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

/* A column is stored plus one, 0 is none. */
static int take_column(bytes_left *left)
{
    uint32_t value = take_low_first(left);
    left->failed |= value > INT_MAX;
    return (int)(value & INT_MAX) - 1;
}

static const ft_place nowhere = {FT_NO_LINE, FT_NO_LINE, FT_NO_COLUMN, FT_NO_COLUMN};

/* *line: of the stretch before, becomes this one's. */
static void take_place(bytes_left *left, int kind, int64_t *line, ft_place *place)
{
    int64_t lines = 0;
    *place = nowhere;
    if (kind == KIND_NONE)
        return;
    if (kind < KIND_SHORT_END) {
        uint8_t byte = take_byte(left);
        place->column = kind << 3 | byte >> 4;
        place->end_column = place->column + (byte & 0xF);
    } else if (kind < KIND_NO_COLUMNS) {
        *line += kind - KIND_ONE_LINE;
        place->column = take_byte(left);
        place->end_column = take_byte(left);
    } else {
        *line += take_signed(left);
        if (kind == KIND_LONG) {
            lines = take_low_first(left);
            place->column = take_column(left);
            place->end_column = take_column(left);
        }
    }
    if (*line < 0 || *line + lines > INT_MAX) {
        left->failed = true;
        return;
    }
    place->line = (int)*line;
    place->end_line = (int)(*line + lines);
}

ft_status ft_places_read(ft_place *places, const ft_bytecode *bytecode, const uint8_t *table,
                         size_t bytes, int first_line)
{
    bytes_left left = {table, table + bytes, false};
    int64_t line = first_line;
    uint64_t unit = 0;
    uint32_t i = 0;
    while (left.at < left.end && i < bytecode->count) {
        uint8_t head = take_byte(&left);
        if ((head & HEAD) == 0)
            return FT_ERR_CORRUPT;
        ft_place place;
        take_place(&left, head >> 3 & 0xF, &line, &place);
        if (left.failed)
            return FT_ERR_CORRUPT;
        for (unit += (head & 7) + 1U; i < bytecode->count; i++) {
            if (bytecode->instructions[i].at >= unit)
                break;
            places[i] = place;
        }
    }
    for (; i < bytecode->count; i++) /* what somebody has appended comes from nowhere */
        places[i] = nowhere;
    return FT_OK;
}

static void put_low_first(ft_buf *table, uint32_t value)
{
    while (value >= MORE) {
        ft_buf_put_byte(table, (uint8_t)(MORE | (value & CHUNK_MASK)));
        value >>= CHUNK;
    }
    ft_buf_put_byte(table, (uint8_t)value);
}

static void put_signed(ft_buf *table, int value)
{
    assert(value != INT_MIN);
    put_low_first(table, value < 0 ? (uint32_t)-value << 1 | 1 : (uint32_t)value << 1);
}

static void put_head(ft_buf *table, int kind, uint32_t units)
{
    ft_buf_put_byte(table, (uint8_t)(HEAD | kind << 3 | (int)(units - 1)));
}

static void put_long(ft_buf *table, int lines, const ft_place *place, uint32_t units)
{
    put_head(table, KIND_LONG, units);
    put_signed(table, lines);
    put_low_first(table, (uint32_t)(place->end_line - place->line));
    put_low_first(table, (uint32_t)(place->column + 1));
    put_low_first(table, (uint32_t)(place->end_column + 1));
}

/* The shortest kind for up to MAX_STRETCH units, lines below the stretch before. */
static void put_stretch(ft_buf *table, int lines, const ft_place *place, uint32_t units)
{
    int column = place->column, width = place->end_column - column;
    bool one_line = place->line == place->end_line;
    bool columns = column != FT_NO_COLUMN && place->end_column != FT_NO_COLUMN;
    if (one_line && column == FT_NO_COLUMN && place->end_column == FT_NO_COLUMN) {
        put_head(table, KIND_NO_COLUMNS, units);
        put_signed(table, lines);
    } else if (one_line && columns && lines == 0 && column < SHORT_COLUMNS && width >= 0 &&
               width < 16) {
        put_head(table, column >> 3, units);
        ft_buf_put_byte(table, (uint8_t)((column & 7) << 4 | width));
    } else if (one_line && columns && lines >= 0 && lines <= 2 && column < BYTE_COLUMNS &&
               place->end_column < BYTE_COLUMNS) {
        put_head(table, KIND_ONE_LINE + lines, units);
        ft_buf_put_byte(table, (uint8_t)column);
        ft_buf_put_byte(table, (uint8_t)place->end_column);
    } else {
        put_long(table, lines, place, units);
    }
}

void ft_place_write(ft_buf *table, int *line, const ft_place *place, uint32_t units)
{
    while (units > 0) {
        uint32_t stretch = units < MAX_STRETCH ? units : MAX_STRETCH;
        if (place->line == FT_NO_LINE) {
            put_head(table, KIND_NONE, stretch);
        } else {
            put_stretch(table, place->line - *line, place, stretch);
            *line = place->line;
        }
        units -= stretch;
    }
}

/* ---- handlers: start, length, target, depth and lasti as numbers, high bits first; HEAD marks
 * the first byte of an entry, for the interpreter searches in halves ---- */

static uint32_t take_high_first(bytes_left *left, bool first)
{
    uint8_t byte = take_byte(left);
    left->failed |= first != ((byte & HEAD) != 0);
    uint64_t value = byte & CHUNK_MASK;
    while ((byte & MORE) != 0 && !left->failed) {
        byte = take_byte(left);
        value = value << CHUNK | (byte & CHUNK_MASK);
        left->failed |= value > UINT32_MAX;
    }
    return (uint32_t)value;
}

static bool take_handler(bytes_left *left, const ft_bytecode *bytecode, ft_handler *handler)
{
    uint64_t start = take_high_first(left, true);
    uint64_t end = start + take_high_first(left, false);
    handler->start = ft_bytecode_at(bytecode, start);
    handler->end = ft_bytecode_at(bytecode, end);
    handler->target = ft_bytecode_at(bytecode, take_high_first(left, false));
    uint32_t depth_lasti = take_high_first(left, false);
    handler->depth = depth_lasti >> 1;
    handler->lasti = (depth_lasti & 1) != 0;
    return !left->failed && handler->start < handler->end && handler->end <= bytecode->count &&
           handler->target < bytecode->count;
}

ft_status ft_handlers_read(ft_handlers *handlers, const ft_mem *mem, const ft_bytecode *bytecode,
                           const uint8_t *table, size_t bytes)
{
    *handlers = (ft_handlers){.mem = mem};
    bytes_left left = {table, table + bytes, false};
    uint32_t end = 0; /* of the entry before */
    while (left.at < left.end) {
        ft_handler *all = ft_array_grow(mem, handlers->all, handlers->count + 1,
                                        &handlers->capacity, sizeof(ft_handler));
        if (all == NULL)
            return FT_ERR_MEMORY;
        handlers->all = all;
        ft_handler *handler = &all[handlers->count];
        if (!take_handler(&left, bytecode, handler) || handler->start < end)
            return FT_ERR_CORRUPT;
        end = handler->end;
        handlers->count++;
    }
    return FT_OK;
}

void ft_handlers_fini(ft_handlers *handlers)
{
    ft_mem_free(handlers->mem, handlers->all);
    *handlers = (ft_handlers){.mem = handlers->mem};
}

static void put_high_first(ft_buf *table, uint32_t value, uint8_t mark)
{
    for (int shift = MAX_SHIFT; shift > 0; shift -= CHUNK) {
        if (value >> shift == 0)
            continue;
        ft_buf_put_byte(table, (uint8_t)(mark | MORE | (value >> shift & CHUNK_MASK)));
        mark = 0;
    }
    ft_buf_put_byte(table, (uint8_t)(mark | (value & CHUNK_MASK)));
}

void ft_handler_write(ft_buf *table, const ft_handler *units)
{
    put_high_first(table, units->start, HEAD);
    put_high_first(table, units->end - units->start, 0);
    put_high_first(table, units->target, 0);
    put_high_first(table, units->depth << 1 | (uint32_t)units->lasti, 0);
}

#endif /* !FT_HAS_MONITORING */
