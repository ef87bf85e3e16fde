/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h: code units taken apart into operations.
 *
 * A unit is an opcode and a byte of argument; EXTENDED_ARG before an instruction holds higher bytes
 * of its argument, inline caches follow it. Two copies of the code are read: the plain one is
 * walked, for it is as the compiler wrote it; of the shown one, which may be as the interpreter has
 * specialised it since, only the opcodes are taken.
 *
 * Any bytes can be decoded. What is cut short has the caches that are there; an odd last byte is
 * dropped; an argument of more than four bytes keeps its low 32 bits, as in the interpreter. */
#ifndef FT_BYTECODE_DECODE_H
#define FT_BYTECODE_DECODE_H

#include <stddef.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/bytecode/dialect.h"

enum { FT_DECODE_MAX_UNITS = 1 << 28 };

typedef struct ft_operation {
    uint32_t unit;  /* where its opcode is */
    uint32_t start; /* where its first EXTENDED_ARG is, else the same */
    int32_t arg;    /* 0 where the base has none */
    uint8_t opcode; /* as shown */
    uint8_t base;   /* of the plain code: what it is a form of */
    uint8_t caches; /* units of caches behind it, as many as are there */
    uint8_t cache;  /* this is unit 1.. of the caches of the operation before; 0: it is none */
} ft_operation;

typedef struct ft_decoding {
    const ft_mem *mem;
    ft_operation *operations; /* owned; room for one a unit */
    uint32_t count, units;
} ft_decoding;

/* Caches are operations of their own if with_caches. FT_ERR_MEMORY, FT_ERR_LIMIT.
 * ft_decoding_fini in any case. */
ft_status ft_decoding_init(ft_decoding *decoding, const ft_mem *mem, const ft_dialect *dialect,
                           const uint8_t *plain, const uint8_t *shown, size_t bytes,
                           bool with_caches);
void ft_decoding_fini(ft_decoding *decoding);

/* Does it jump? *target is the unit then, which may lie outside the code, on either side. */
bool ft_operation_target(const ft_operation *operation, const ft_dialect *dialect, int64_t *target);

#endif
