/* SPDX-License-Identifier: Apache-2.0 */
/* bytecode.h: code of CPython 3.11 taken apart into instructions, and put together from pieces.
 *
 * In 3.11 all jumps are relative, an argument past a byte is spread over EXTENDED_ARG prefixes, and
 * inline caches follow an instruction as units of zeros (in co_code, which is what is read here).
 * Whoever inserts code between instructions changes the lengths of jumps, which may add prefixes,
 * which changes lengths again: so what is put together is a list of pieces whose jumps name
 * pieces, and it is laid out until nothing grows any more.
 *
 * Code that is not as the compiler writes it is refused, never guessed at. */
#ifndef FT_GLUE_PROBES_BYTECODE_H
#define FT_GLUE_PROBES_BYTECODE_H

#include "glue/compat.h"

#if !FT_HAS_MONITORING

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum { FT_CODE_MAX_UNITS = 1 << 24 }; /* arguments are 32 bits wide, and this is 32 MB */

#define FT_NOWHERE UINT32_MAX /* no instruction, no piece */

typedef struct ft_instruction {
    uint8_t op;
    uint8_t caches;
    uint32_t arg;
    uint32_t start;  /* its first unit, a prefix if it has one */
    uint32_t at;     /* the unit of op */
    uint32_t target; /* the instruction it may jump to, or FT_NOWHERE */
} ft_instruction;

typedef struct ft_bytecode {
    const ft_mem *mem;
    ft_instruction *instructions; /* owned */
    uint32_t *of_unit; /* owned: the instruction that starts at a unit, FT_NOWHERE in between */
    uint32_t count, units;
} ft_bytecode;

/* Reads co_code. FT_ERR_CORRUPT and FT_ERR_LIMIT: not understood. ft_bytecode_fini in any case. */
ft_status ft_bytecode_read(ft_bytecode *bytecode, const ft_mem *mem, const uint8_t *code,
                           size_t bytes);
void ft_bytecode_fini(ft_bytecode *bytecode);

/* The instruction that begins at a unit; the end of the code is its count. FT_NOWHERE: none. */
uint32_t ft_bytecode_at(const ft_bytecode *bytecode, uint64_t unit);

bool ft_op_falls_through(uint8_t op); /* may the next instruction follow? */

typedef struct ft_piece {
    uint8_t op;
    uint8_t caches;
    uint8_t prefixes; /* EXTENDED_ARGs, since it was laid out */
    uint32_t arg;
    uint32_t target; /* the piece jumped to, or FT_NOWHERE */
    uint32_t source; /* the instruction whose place in the source text it has, or FT_NOWHERE */
    uint32_t at;     /* its first unit, since it was laid out */
} ft_piece;

typedef struct ft_assembly {
    const ft_mem *mem;
    ft_piece *pieces; /* owned */
    uint32_t count, capacity;
    uint32_t units;   /* since it was laid out */
    ft_status status; /* the first failure: what is added after it is dropped */
} ft_assembly;

void ft_assembly_init(ft_assembly *assembly, const ft_mem *mem);
void ft_assembly_fini(ft_assembly *assembly);
void ft_assembly_add(ft_assembly *assembly, const ft_piece *piece);

/* Finds where each piece begins, and the arguments of jumps. */
ft_status ft_assembly_lay_out(ft_assembly *assembly);

/* Writes units * 2 bytes. */
void ft_assembly_write(const ft_assembly *assembly, uint8_t *code);

#endif /* !FT_HAS_MONITORING */
#endif
