/* SPDX-License-Identifier: Apache-2.0 */
/* test_bytecode.c: code of random dialects against a walk with a counter of caches to skip, labels
 * against counting, tables against what they were written from, and any bytes at all. */
#include "engine/bytecode/decode.h"
#include "engine/bytecode/handlers.h"
#include "engine/bytecode/labels.h"
#include "engine/bytecode/positions.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { ROUNDS = 3000, MOST_UNITS = 120, MOST_BYTES = 2 * MOST_UNITS + 1 };

/* ---- random dialects and code ---- */

static void draw_dialect(random_source *random, ft_dialect *dialect)
{
    for (int opcode = 0; opcode < FT_OPCODES; opcode++) {
        ft_opcode_traits *traits = &dialect->opcodes[opcode];
        bool plain = random_below(random, 4) != 0;
        *traits = (ft_opcode_traits){
            .base = (uint8_t)(plain ? opcode : (int)random_below(random, 8)),
            .argument = (uint8_t)random_below(random, FT_ARGUMENT_ABSOLUTE + 1),
            .caches = (uint8_t)(random_below(random, 3) == 0 ? random_below(random, 10) : 0),
        };
    }
    for (int opcode = 0; opcode < 8; opcode++) /* bases are forms of nothing */
        dialect->opcodes[opcode].base = (uint8_t)opcode;
    for (int opcode = 6; opcode < 30; opcode++)
        dialect->opcodes[opcode] =
            (ft_opcode_traits){.base = 6, .argument = FT_ARGUMENT_NUMBER, .extends = true};
}

static size_t draw_bytes(random_source *random, uint8_t *bytes, size_t most)
{
    size_t count = random_below(random, (uint32_t)most + 1);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(random_below(random, 3) == 0 ? random_below(random, 32)
                                                          : random_next(random));
    return count;
}

/* ---- operations ---- */

/* The row of what an opcode is a form of. */
static const ft_opcode_traits *base_of(const ft_dialect *dialect, uint8_t opcode)
{
    return &dialect->opcodes[dialect->opcodes[opcode].base];
}

/* The argument of the operation at a unit: its byte below those of the prefixes right before it, as
 * far as they are operations themselves. */
static int64_t arg_at(const uint8_t *code, const bool *prefix, uint32_t unit, uint32_t *start)
{
    uint64_t value = code[2 * unit + 1];
    unsigned shift = 8;
    for (*start = unit; *start > 0 && prefix[*start - 1]; shift += 8) {
        --*start;
        if (shift < 32)
            value |= (uint64_t)code[2 * *start + 1] << shift;
    }
    return value >= UINT64_C(1) << 31 ? (int64_t)value - (INT64_C(1) << 32) : (int64_t)value;
}

static bool is_right(const ft_operation *operation, const ft_dialect *dialect, const uint8_t *code,
                     const uint8_t *shown, const bool *prefix, uint32_t unit)
{
    uint32_t start;
    const ft_opcode_traits *traits = base_of(dialect, code[2 * unit]);
    int64_t arg = arg_at(code, prefix, unit, &start);
    if (traits->argument == FT_ARGUMENT_NONE)
        arg = 0;
    if (traits->extends)
        start = unit;
    return operation->unit == unit && operation->start == start && operation->arg == arg &&
           operation->opcode == shown[2 * unit] && operation->cache == 0 &&
           operation->base == dialect->opcodes[code[2 * unit]].base;
}

/* Walks with a counter of the caches that are left. */
static bool decodes_right(const ft_dialect *dialect, const uint8_t *code, const uint8_t *shown,
                          size_t bytes, bool with_caches)
{
    ft_decoding decoding;
    bool prefix[MOST_UNITS + 1] = {false}, right = true;
    uint32_t units = (uint32_t)(bytes / 2), left = 0, i = 0, cache = 0;
    right &= ft_decoding_init(&decoding, &ft_mem_system, dialect, code, shown, bytes,
                              with_caches) == FT_OK;
    const ft_operation *owner = NULL;
    for (uint32_t unit = 0; right && unit < units; unit++) {
        if (left > 0) {
            left--, cache++;
            if (with_caches)
                right &= i < decoding.count && decoding.operations[i].cache == cache &&
                         decoding.operations[i].base == owner->base &&
                         decoding.operations[i++].unit == unit;
            continue;
        }
        right &= i < decoding.count &&
                 is_right(&decoding.operations[i], dialect, code, shown, prefix, unit);
        owner = &decoding.operations[i++];
        left = base_of(dialect, code[2 * unit])->caches;
        cache = 0;
        uint32_t there = left < units - unit - 1 ? left : units - unit - 1;
        right = right && owner->caches == there;
        prefix[unit] = base_of(dialect, code[2 * unit])->extends;
    }
    right &= i == decoding.count && decoding.units == units;
    ft_decoding_fini(&decoding);
    return right;
}

static void test_operations(void)
{
    random_source random = {1};
    ft_dialect dialect;
    uint8_t code[MOST_BYTES], shown[MOST_BYTES];
    bool right = true;
    for (int round = 0; round < ROUNDS; round++) {
        draw_dialect(&random, &dialect);
        size_t bytes = draw_bytes(&random, code, MOST_BYTES);
        for (size_t i = 0; i < bytes; i++)
            shown[i] = (uint8_t)random_next(&random);
        right &= decodes_right(&dialect, code, shown, bytes, false);
        right &= decodes_right(&dialect, code, shown, bytes, true);
        right &= decodes_right(&dialect, code, code, bytes, false);
    }
    CHECK(right);
}

static void test_known(void)
{
    ft_dialect dialect = {0};
    for (int i = 0; i < FT_OPCODES; i++)
        dialect.opcodes[i] = (ft_opcode_traits){.base = (uint8_t)i};
    dialect.opcodes[9] =
        (ft_opcode_traits){.base = 9, .argument = FT_ARGUMENT_NUMBER, .extends = true};
    dialect.opcodes[5] =
        (ft_opcode_traits){.base = 5, .argument = FT_ARGUMENT_BACKWARD, .caches = 1};
    static const uint8_t code[] = {1, 7, 9, 1, 9, 2, 5, 3, 0, 0, 5, 2, 0};
    ft_decoding decoding;
    int64_t target = 0;
    REQUIRE(ft_decoding_init(&decoding, &ft_mem_system, &dialect, code, code, sizeof code, false) ==
            FT_OK);
    REQUIRE(decoding.count == 5 && decoding.units == 6);
    CHECK(decoding.operations[0].arg == 0); /* it has none */
    CHECK(decoding.operations[2].arg == 0x102 && decoding.operations[2].start == 2);
    CHECK(decoding.operations[3].arg == 0x10203 && decoding.operations[3].start == 1);
    CHECK(ft_operation_target(&decoding.operations[3], &dialect, &target));
    CHECK(target == 5 - 0x10203);
    CHECK(decoding.operations[4].caches == 0); /* cut off */
    CHECK(ft_operation_target(&decoding.operations[4], &dialect, &target) && target == 5);
    CHECK(!ft_operation_target(&decoding.operations[0], &dialect, &target));
    ft_decoding_fini(&decoding);
}

static void test_empty(void)
{
    ft_dialect dialect = {0};
    ft_decoding decoding;
    static const uint8_t odd[1] = {3};
    CHECK(ft_decoding_init(&decoding, &ft_mem_system, &dialect, odd, odd, 0, true) == FT_OK);
    CHECK(decoding.count == 0);
    ft_decoding_fini(&decoding);
    CHECK(ft_decoding_init(&decoding, &ft_mem_system, &dialect, odd, odd, 1, true) == FT_OK);
    CHECK(decoding.count == 0);
    ft_decoding_fini(&decoding);
    size_t long_one = ((size_t)FT_DECODE_MAX_UNITS + 1) * FT_UNIT_BYTES;
    CHECK(ft_decoding_init(&decoding, &ft_mem_system, &dialect, odd, odd, long_one, false) ==
          FT_ERR_LIMIT);
    ft_decoding_fini(&decoding);
}

/* ---- labels ---- */

/* 1 + how many different ones are smaller, or 0. */
static uint32_t number_of(const int64_t *marked, uint32_t count, int64_t place)
{
    uint32_t smaller = 0;
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        bool first = true;
        for (uint32_t k = 0; k < i; k++)
            first &= marked[k] != marked[i];
        smaller += first && marked[i] < place;
        found |= marked[i] == place;
    }
    return found ? smaller + 1 : 0;
}

static void test_labels(void)
{
    enum { UNITS = 40, MOST = 60, FAR = 30 };
    random_source random = {2};
    bool right = true;
    for (int round = 0; round < ROUNDS / 10; round++) {
        int64_t marked[MOST], places[MOST];
        uint32_t count = random_below(&random, MOST);
        ft_labels labels;
        right &= ft_labels_init(&labels, &ft_mem_system, UNITS) == FT_OK;
        for (uint32_t i = 0; i < count; i++) {
            marked[i] = (int64_t)random_below(&random, UNITS + 2 * FAR) - FAR;
            right &= ft_labels_mark(&labels, marked[i]) == FT_OK;
        }
        ft_labels_number(&labels);
        uint32_t seen = 0;
        ft_labels_places(&labels, places);
        for (int64_t place = -FAR - 1; place <= UNITS + FAR + 1; place++) {
            uint32_t number = number_of(marked, count, place);
            right &= ft_labels_at(&labels, place) == number;
            right &= number == 0 || (number == seen + 1 && places[seen++] == place);
        }
        right &= seen == labels.count;
        ft_labels_fini(&labels);
    }
    CHECK(right);
}

/* Labels of a decoding, and what each operation should have: those of caches name nothing. */
static bool names_right(const ft_decoding *decoding, const ft_dialect *dialect, bool plain_only)
{
    int64_t marked[MOST_UNITS];
    uint32_t count = 0;
    ft_labels labels;
    bool right = ft_labels_init(&labels, &ft_mem_system, decoding->units) == FT_OK &&
                 ft_labels_mark_jumps(&labels, decoding, dialect, plain_only) == FT_OK;
    for (uint32_t i = 0; i < decoding->count; i++) {
        const ft_operation *one = &decoding->operations[i];
        ft_operation owner = *one;
        owner.cache = 0;
        if (one->cache != 0 || (plain_only && one->opcode != one->base))
            continue;
        count += ft_operation_target(&owner, dialect, &marked[count]);
    }
    ft_labels_number(&labels);
    for (uint32_t i = 0; right && i < count; i++)
        right &= ft_labels_at(&labels, marked[i]) == number_of(marked, count, marked[i]);
    for (uint32_t unit = 0; right && unit <= decoding->units; unit++)
        right &= ft_labels_at(&labels, unit) == number_of(marked, count, unit);
    ft_labels_fini(&labels);
    return right;
}

static void test_labels_of_jumps(void)
{
    random_source random = {3};
    bool right = true;
    for (int round = 0; round < ROUNDS / 10; round++) {
        ft_dialect dialect;
        uint8_t code[MOST_BYTES];
        ft_decoding decoding;
        draw_dialect(&random, &dialect);
        size_t bytes = draw_bytes(&random, code, MOST_BYTES);
        right &=
            ft_decoding_init(&decoding, &ft_mem_system, &dialect, code, code, bytes, true) == FT_OK;
        right &= names_right(&decoding, &dialect, false);
        right &= names_right(&decoding, &dialect, true);
        ft_decoding_fini(&decoding);
    }
    CHECK(right);
}

/* ---- positions: written here, by the description of the format ---- */

static uint8_t *put_number(uint8_t *at, uint32_t value)
{
    for (; value >= 64; value >>= 6)
        *at++ = (uint8_t)(64 | (value & 63));
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_difference(uint8_t *at, int32_t value)
{
    return put_number(at, value < 0 ? (uint32_t)-value << 1 | 1 : (uint32_t)value << 1);
}

/* A stretch of a random kind; *line is of the one before. */
static uint8_t *put_stretch(random_source *random, uint8_t *at, uint32_t units, int32_t *line,
                            ft_position *position)
{
    uint32_t kind = random_below(random, 16);
    *at++ = (uint8_t)(0x80 | kind << 3 | (units - 1));
    *position = ft_position_unknown;
    if (kind == 15)
        return at;
    if (kind < 10) {
        uint32_t low = random_below(random, 8), width = random_below(random, 16);
        *at++ = (uint8_t)(low << 4 | width);
        position->column = (int32_t)(kind * 8 + low);
        position->end_column = position->column + (int32_t)width;
    } else if (kind < 13) {
        *line += (int32_t)kind - 10;
        position->column = *at++ = (uint8_t)random_below(random, 128);
        position->end_column = *at++ = (uint8_t)random_below(random, 128);
    } else {
        int32_t change = (int32_t)random_below(random, 2000) - 1000;
        *line += change;
        at = put_difference(at, change);
    }
    position->line = position->end_line = *line;
    if (kind == 14) {
        uint32_t more = random_below(random, 3000);
        position->end_line += (int32_t)more;
        position->column = (int32_t)random_below(random, 70000) - 1;
        position->end_column = (int32_t)random_below(random, 70000) - 1;
        at = put_number(at, more);
        at = put_number(at, (uint32_t)position->column + 1);
        at = put_number(at, (uint32_t)position->end_column + 1);
    }
    return at;
}

enum { STRETCHES = 40, STRETCH_BYTES = 24 };

typedef struct written {
    uint8_t table[STRETCHES * STRETCH_BYTES];
    size_t bytes;
    ft_position of_unit[STRETCHES * 8];
    uint32_t units;
} written;

static void write_table(random_source *random, written *to, int32_t line)
{
    uint8_t *at = to->table;
    to->units = 0;
    for (uint32_t i = random_below(random, STRETCHES + 1); i > 0; i--) {
        uint32_t units = 1 + random_below(random, 8);
        ft_position position;
        at = put_stretch(random, at, units, &line, &position);
        while (units-- > 0)
            to->of_unit[to->units++] = position;
    }
    to->bytes = (size_t)(at - to->table);
}

static bool is_equal(ft_position a, ft_position b)
{
    return a.line == b.line && a.end_line == b.end_line && a.column == b.column &&
           a.end_column == b.end_column;
}

/* Each range is of one line, they follow each other, and neighbours differ. */
static bool has_lines(const written *of, int32_t first_line)
{
    ft_line_ranges ranges;
    uint64_t unit = 0;
    bool right = true;
    ft_line_ranges_init(&ranges, of->table, of->bytes, first_line);
    while (right && ft_line_ranges_next(&ranges)) {
        right &= ranges.start == unit && ranges.end > unit && ranges.end <= of->units;
        right &= unit == 0 || of->of_unit[unit - 1].line != ranges.line;
        for (; right && unit < ranges.end; unit++)
            right &= of->of_unit[unit].line == ranges.line;
    }
    return right && unit == of->units;
}

static void test_positions(void)
{
    random_source random = {4};
    bool right = true, skips = true, lines = true;
    for (int round = 0; round < ROUNDS; round++) {
        static written table;
        ft_positions positions;
        write_table(&random, &table, 50000);
        ft_positions_init(&positions, table.table, table.bytes, 50000);
        for (uint32_t unit = 0; unit < table.units; unit++)
            right &= is_equal(ft_positions_of(&positions, unit), table.of_unit[unit]);
        right &= is_equal(ft_positions_of(&positions, table.units), ft_position_unknown);
        ft_positions_init(&positions, table.table, table.bytes, 50000);
        for (uint32_t unit = 0; unit < table.units; unit += 1 + random_below(&random, 20))
            skips &= is_equal(ft_positions_of(&positions, unit), table.of_unit[unit]);
        lines &= has_lines(&table, 50000);
    }
    CHECK(right);
    CHECK(skips);
    CHECK(lines);
}

/* ---- handlers ---- */

static uint8_t *put_high_first(uint8_t *at, uint32_t value, uint8_t mark)
{
    unsigned shift = 0;
    while (shift < 30 && value >> (shift + 6) != 0)
        shift += 6;
    for (; shift > 0; shift -= 6, mark = 0)
        *at++ = (uint8_t)(mark | 64 | (value >> shift & 63));
    *at++ = (uint8_t)(mark | (value & 63));
    return at;
}

static void test_handlers(void)
{
    enum { ENTRIES = 9 };
    random_source random = {5};
    bool right = true;
    for (int round = 0; round < ROUNDS / 10; round++) {
        uint8_t table[ENTRIES * 24], *at = table;
        size_t ends[ENTRIES];
        uint32_t numbers[ENTRIES][4];
        for (int i = 0; i < ENTRIES; i++) {
            for (int k = 0; k < 4; k++) {
                numbers[i][k] = (uint32_t)random_next(&random) >> random_below(&random, 32);
                at = put_high_first(at, numbers[i][k], k == 0 ? 128 : 0);
            }
            ends[i] = (size_t)(at - table);
        }
        for (size_t bytes = 0; bytes <= ends[ENTRIES - 1]; bytes++) {
            ft_catches catches;
            ft_catch entry;
            int i = 0;
            ft_catches_init(&catches, table, bytes);
            for (; ft_catches_next(&catches, &entry) && right; i++) {
                right &= ends[i] <= bytes && entry.start == numbers[i][0];
                right &= entry.end == (uint64_t)numbers[i][0] + numbers[i][1];
                right &= entry.target == numbers[i][2] && entry.depth == numbers[i][3] >> 1;
                right &= entry.lasti == ((numbers[i][3] & 1) != 0);
            }
            right &= i == ENTRIES || ends[i] > bytes;
        }
    }
    CHECK(right);
}

/* ---- any bytes: what a sanitizer finds, and that it ends ---- */

static void test_any_bytes(void)
{
    random_source random = {6};
    uint64_t stretches = 0, entries = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t drawn[MOST_BYTES];
        size_t bytes = draw_bytes(&random, drawn, MOST_BYTES);
        uint8_t *exact = malloc(bytes + (bytes == 0)); /* a read behind it is found */
        if (exact == NULL)
            abort();
        memcpy(exact, drawn, bytes);
        ft_positions positions;
        ft_catches catches;
        ft_catch entry;
        ft_positions_init(&positions, exact, bytes, INT32_MAX);
        while (ft_positions_next(&positions))
            stretches++;
        ft_catches_init(&catches, exact, bytes);
        while (ft_catches_next(&catches, &entry))
            entries++;
        free(exact);
    }
    CHECK(stretches > 0 && stretches <= (uint64_t)ROUNDS * MOST_BYTES);
    CHECK(entries > 0 && entries <= (uint64_t)ROUNDS * MOST_BYTES / 4);
}

/* ---- memory ---- */

static ft_status decode_all(const ft_mem *mem)
{
    random_source random = {7};
    ft_dialect dialect;
    uint8_t code[2 * MOST_UNITS];
    ft_decoding decoding;
    ft_labels labels = {.mem = mem};
    draw_dialect(&random, &dialect);
    for (size_t i = 0; i < sizeof code; i++)
        code[i] = (uint8_t)random_next(&random);
    ft_status status = ft_decoding_init(&decoding, mem, &dialect, code, code, sizeof code, false);
    if (status == FT_OK)
        status = ft_labels_init(&labels, mem, decoding.units);
    for (int64_t far = -40; status == FT_OK && far < 0; far++)
        status = ft_labels_mark(&labels, far);
    if (status == FT_OK)
        status = ft_labels_mark_jumps(&labels, &decoding, &dialect, false);
    if (status == FT_OK)
        ft_labels_number(&labels);
    ft_labels_fini(&labels);
    ft_decoding_fini(&decoding);
    return status;
}

int main(void)
{
    test_known();
    test_operations();
    test_empty();
    test_labels();
    test_labels_of_jumps();
    test_positions();
    test_handlers();
    test_any_bytes();
    CHECK(sweep(decode_all));
    return tap_end();
}
