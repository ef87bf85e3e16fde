/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_bytecode.c: hostile code, tables beside it and dialects (fuzz/make_bytecode_corpus.py makes
 * the first inputs). What is decoded lies within the code and follows itself, each jump has a
 * label, labels are in order, and each unit comes from one place.
 *
 * An input: how many opcodes the dialect has; opcode, base, argument and caches of each; how long
 * the code and the line table are, two bytes each, low one first; code, line table, exception
 * table. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/bytecode/decode.h"
#include "engine/bytecode/handlers.h"
#include "engine/bytecode/labels.h"
#include "engine/bytecode/positions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EXTENDS = 128, ROW = 4 };

static void must(bool held)
{
    if (!held)
        abort();
}

static void read_dialect(ft_dialect *dialect, const uint8_t *rows, size_t count)
{
    for (int opcode = 0; opcode < FT_OPCODES; opcode++)
        dialect->opcodes[opcode] = (ft_opcode_traits){.base = (uint8_t)opcode};
    for (; count > 0; count--, rows += ROW) {
        ft_opcode_traits *traits = &dialect->opcodes[rows[0]];
        traits->base = rows[1];
        traits->argument = (uint8_t)((rows[2] & (EXTENDS - 1)) % (FT_ARGUMENT_ABSOLUTE + 1));
        traits->extends = (rows[2] & EXTENDS) != 0;
        traits->caches = rows[3];
    }
}

static void look_at_operations(const ft_decoding *decoding, const ft_dialect *dialect,
                               const ft_labels *labels)
{
    uint32_t unit = 0, label = labels->before;
    for (uint32_t i = 0; i < decoding->count; i++) {
        const ft_operation *operation = &decoding->operations[i];
        int64_t target;
        must(operation->unit == unit && operation->start <= unit);
        must(operation->caches < decoding->units - unit);
        unit += 1U + operation->caches;
        if (ft_operation_target(operation, dialect, &target))
            must(ft_labels_at(labels, target) > 0);
        uint32_t own = ft_labels_at(labels, operation->unit);
        must(own == 0 || own > label);
        label = own > 0 ? own : label;
    }
    must(unit == decoding->units && label <= labels->count);
}

static void look_at_lines(const uint8_t *table, size_t bytes)
{
    ft_positions positions;
    ft_line_ranges ranges;
    uint64_t unit = 0;
    ft_positions_init(&positions, table, bytes, 1);
    ft_line_ranges_init(&ranges, table, bytes, 1);
    while (ft_line_ranges_next(&ranges)) {
        must(ranges.start == unit && ranges.end > unit);
        for (; unit < ranges.end; unit++)
            must(ft_positions_of(&positions, unit).line == ranges.line);
    }
    must(unit <= bytes * 8 && ft_positions_of(&positions, unit).line == FT_POSITION_NONE);
}

static void look_at_handlers(const uint8_t *table, size_t bytes)
{
    ft_catches catches;
    ft_catch entry;
    size_t count = 0;
    ft_catches_init(&catches, table, bytes);
    for (; ft_catches_next(&catches, &entry); count++)
        must(entry.start <= entry.end);
    must(count <= bytes / 4);
}

static void look_at_code(const ft_dialect *dialect, const uint8_t *code, size_t bytes)
{
    ft_decoding decoding, with_caches;
    ft_labels labels;
    must(ft_decoding_init(&decoding, &ft_mem_system, dialect, code, code, bytes, false) == FT_OK);
    must(ft_decoding_init(&with_caches, &ft_mem_system, dialect, code, code, bytes, true) == FT_OK);
    must(with_caches.count == decoding.units);
    must(ft_labels_init(&labels, &ft_mem_system, decoding.units) == FT_OK);
    must(ft_labels_mark_jumps(&labels, &decoding, dialect, false) == FT_OK);
    ft_labels_number(&labels);
    look_at_operations(&decoding, dialect, &labels);
    ft_labels_fini(&labels);
    ft_decoding_fini(&decoding);
    ft_decoding_fini(&with_caches);
}

/* How many of the bytes that are left two bytes ask for. */
static size_t take_length(const uint8_t **at, const uint8_t *end)
{
    if (end - *at < 2)
        return 0;
    size_t wanted = (size_t)((*at)[0] | (*at)[1] << 8);
    *at += 2;
    return wanted < (size_t)(end - *at) ? wanted : (size_t)(end - *at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    ft_dialect dialect;
    if (size == 0)
        return 0;
    size_t rows = (size - 1) / ROW < *data ? (size - 1) / ROW : *data;
    read_dialect(&dialect, ++data, rows);
    data += rows * ROW;
    size_t bytes = take_length(&data, end);
    const uint8_t *lengths = data + bytes;
    size_t lines = take_length(&lengths, end);
    look_at_code(&dialect, data, bytes);
    look_at_lines(lengths, lines);
    look_at_handlers(lengths + lines, (size_t)(end - lengths) - lines);
    return 0;
}
