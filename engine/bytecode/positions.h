/* SPDX-License-Identifier: Apache-2.0 */
/* positions.h: where in the source text each unit comes from, out of co_linetable (CPython 3.11+).
 *
 * The table is a list of stretches, each up to eight units, whose lines are differences from the
 * stretch before. It is read forward, once. Any bytes are a table: what is missing at its end reads
 * as zeros, sums keep their low 32 bits. */
#ifndef FT_BYTECODE_POSITIONS_H
#define FT_BYTECODE_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FT_POSITION_NONE = -1 };

/* Each is FT_POSITION_NONE where it is not known. Columns are bytes. */
typedef struct ft_position {
    int32_t line, end_line, column, end_column;
} ft_position;

static const ft_position ft_position_unknown = {FT_POSITION_NONE, FT_POSITION_NONE,
                                                FT_POSITION_NONE, FT_POSITION_NONE};

typedef struct ft_positions {
    const uint8_t *at, *table_end; /* borrowed */
    int32_t line;                  /* of the last stretch that had one */
    uint64_t start, end;           /* units of the stretch that was read last */
    ft_position position;          /* of it */
} ft_positions;

/* Before the first stretch. */
void ft_positions_init(ft_positions *positions, const uint8_t *table, size_t bytes,
                       int32_t first_line);

/* Reads the next stretch; false: there is none. */
bool ft_positions_next(ft_positions *positions);

/* Where that unit comes from. Units are asked for in their order; what the table says nothing of
 * comes from nowhere. */
ft_position ft_positions_of(ft_positions *positions, uint64_t unit);

/* The stretches once more, with neighbours of one line joined. */
typedef struct ft_line_ranges {
    ft_positions from; /* a stretch ahead */
    uint64_t start, end;
    int32_t line; /* or FT_POSITION_NONE */
    bool ahead;   /* does from hold a stretch that was not given? */
} ft_line_ranges;

void ft_line_ranges_init(ft_line_ranges *lines, const uint8_t *table, size_t bytes,
                         int32_t first_line);

/* The next range of units; false: there is none. */
bool ft_line_ranges_next(ft_line_ranges *lines);

#endif
