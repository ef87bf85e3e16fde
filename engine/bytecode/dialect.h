/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.h: what a version of the bytecode of CPython means by each of its opcodes.
 *
 * A table that the caller fills from what its interpreter says of itself, so that nothing in this
 * folder knows the number of an opcode. Opcodes are bytes: there is a row for each. A byte that is
 * no opcode has a row, too, with no argument and no caches: decoding is defined for any bytes. */
#ifndef FT_BYTECODE_DIALECT_H
#define FT_BYTECODE_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

enum { FT_OPCODES = 256, FT_UNIT_BYTES = 2 };

/* What an instruction's argument is. */
typedef enum ft_argument {
    FT_ARGUMENT_NONE,     /* it has none: its byte is not looked at */
    FT_ARGUMENT_NUMBER,   /* nothing but itself */
    FT_ARGUMENT_CONSTANT, /* an index of co_consts */
    FT_ARGUMENT_NAME,     /* an index of co_names, above bits that say more */
    FT_ARGUMENT_LOCAL,    /* an index of the fast locals, cells and free variables */
    FT_ARGUMENT_LOCALS,   /* two of them, four bits each */
    FT_ARGUMENT_COMPARE,  /* an index of cmp_op, above bits that say more */
    FT_ARGUMENT_CHOICE,   /* an index of a list of that opcode's own */
    FT_ARGUMENT_FORWARD,  /* so many units behind it and its caches; here jumps begin */
    FT_ARGUMENT_BACKWARD, /* so many units before that */
    FT_ARGUMENT_ABSOLUTE, /* that unit */
} ft_argument;

typedef struct ft_opcode_traits {
    uint8_t base;     /* the opcode that it is a specialised form of; else itself */
    uint8_t argument; /* an ft_argument */
    uint8_t shift;    /* how many bits lie below an index */
    uint8_t caches;   /* units that follow it */
    bool extends;     /* EXTENDED_ARG: its argument is the high bits of the next one's */
} ft_opcode_traits;

typedef struct ft_dialect {
    ft_opcode_traits opcodes[FT_OPCODES];
} ft_dialect;

#endif
