/* SPDX-License-Identifier: Apache-2.0 */
/* positions.c: where in the source text each unit comes from (see positions.h). */
#include "engine/bytecode/positions.h"

/* How a stretch is written: bits 3 to 6 of its first byte. Below are those with no line of their
 * own, whose columns are small; between are those some lines below, with a byte for each column. */
enum { KIND_SAME_LINE_END = 10, KIND_NO_COLUMNS = 13, KIND_LONG = 14, KIND_NONE = 15 };
enum { KIND_ONE_LINE = 10, CHUNK = 6, CHUNK_MASK = 63, MORE = 64, NUMBER_BITS = 32 };

static uint8_t take_byte(ft_positions *from)
{
    return from->at < from->table_end ? *from->at++ : 0;
}

/* Six bits a byte, low ones first. */
static uint32_t take_number(ft_positions *from)
{
    uint32_t value = 0;
    uint8_t byte;
    int shift = 0;
    do {
        byte = take_byte(from);
        if (shift < NUMBER_BITS)
            value |= (uint32_t)(byte & CHUNK_MASK) << shift;
        shift += shift < NUMBER_BITS ? CHUNK : 0;
    } while ((byte & MORE) != 0);
    return value;
}

static int32_t as_signed(uint32_t value)
{
    return value <= INT32_MAX ? (int32_t)value : (int32_t)((int64_t)value - (INT64_C(1) << 32));
}

static int32_t sum(int32_t a, uint32_t b)
{
    return as_signed((uint32_t)a + b);
}

/* The sign is the lowest bit. */
static uint32_t take_difference(ft_positions *from)
{
    uint32_t value = take_number(from);
    return (value & 1) != 0 ? 0 - (value >> 1) : value >> 1;
}

static int32_t take_column(ft_positions *from)
{
    return as_signed(take_number(from) - 1);
}

static void take_position(ft_positions *from, int kind)
{
    ft_position *to = &from->position;
    *to = ft_position_unknown;
    if (kind == KIND_NONE)
        return;
    if (kind < KIND_SAME_LINE_END) {
        uint8_t byte = take_byte(from);
        to->column = kind << 3 | byte >> 4;
        to->end_column = to->column + (byte & 15);
    } else if (kind < KIND_NO_COLUMNS) {
        from->line = sum(from->line, (uint32_t)(kind - KIND_ONE_LINE));
        to->column = take_byte(from);
        to->end_column = take_byte(from);
    } else {
        from->line = sum(from->line, take_difference(from));
    }
    to->line = to->end_line = from->line;
    if (kind == KIND_LONG) {
        to->end_line = sum(from->line, take_number(from));
        to->column = take_column(from);
        to->end_column = take_column(from);
    }
}

void ft_positions_init(ft_positions *positions, const uint8_t *table, size_t bytes,
                       int32_t first_line)
{
    *positions = (ft_positions){.at = table, .table_end = table + bytes, .line = first_line};
}

bool ft_positions_next(ft_positions *positions)
{
    if (positions->at == positions->table_end)
        return false;
    uint8_t head = take_byte(positions);
    positions->start = positions->end;
    positions->end += (head & 7U) + 1;
    take_position(positions, head >> 3 & 15);
    return true;
}

ft_position ft_positions_of(ft_positions *positions, uint64_t unit)
{
    while (unit >= positions->end && ft_positions_next(positions))
        continue;
    if (unit < positions->end)
        return positions->position;
    return ft_position_unknown;
}

void ft_line_ranges_init(ft_line_ranges *lines, const uint8_t *table, size_t bytes,
                         int32_t first_line)
{
    *lines = (ft_line_ranges){.line = FT_POSITION_NONE};
    ft_positions_init(&lines->from, table, bytes, first_line);
    lines->ahead = ft_positions_next(&lines->from);
}

bool ft_line_ranges_next(ft_line_ranges *lines)
{
    if (!lines->ahead)
        return false;
    lines->start = lines->from.start;
    lines->line = lines->from.position.line;
    do {
        lines->end = lines->from.end;
        lines->ahead = ft_positions_next(&lines->from);
    } while (lines->ahead && lines->from.position.line == lines->line);
    return true;
}
