/* SPDX-License-Identifier: Apache-2.0 */
/* bytecode.c: instructions and pieces (see bytecode.h). */
#include "glue/probes/bytecode.h"

#if !FT_HAS_MONITORING

#include <assert.h>

#include "engine/base/array.h"

enum {
    UNIT = 2,           /* bytes: the opcode, then its argument's low byte */
    MAX_PREFIXES = 3,   /* an argument has 32 bits */
    MAX_LAYOUTS = 64,   /* each one lengthens something; code that is real takes two or three */
    FIRST_PSEUDO = 256, /* opcodes are bytes */
};

/* ---- what is known of an opcode ---- */

static bool jumps_ahead(uint8_t op)
{
    switch (op) {
    case FOR_ITER:
    case SEND:
    case JUMP_FORWARD:
    case JUMP_IF_FALSE_OR_POP:
    case JUMP_IF_TRUE_OR_POP:
    case POP_JUMP_FORWARD_IF_FALSE:
    case POP_JUMP_FORWARD_IF_TRUE:
    case POP_JUMP_FORWARD_IF_NONE:
    case POP_JUMP_FORWARD_IF_NOT_NONE:
        return true;
    default:
        return false;
    }
}

static bool jumps_back(uint8_t op)
{
    switch (op) {
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case POP_JUMP_BACKWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
        return true;
    default:
        return false;
    }
}

bool ft_op_falls_through(uint8_t op)
{
    switch (op) {
    case JUMP_FORWARD:
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case RETURN_VALUE:
    case RAISE_VARARGS:
    case RERAISE:
        return false;
    default:
        return true;
    }
}

/* The compiler's own table says which opcodes there are. */
static bool is_known(uint8_t op, bool known[FIRST_PSEUDO])
{
    if (!known[op])
        known[op] = op != CACHE && PyCompile_OpcodeStackEffect(op, 0) != PY_INVALID_STACK_EFFECT;
    return known[op];
}

/* ---- instructions ---- */

uint32_t ft_bytecode_at(const ft_bytecode *bytecode, uint64_t unit)
{
    if (unit == bytecode->units)
        return bytecode->count;
    return unit < bytecode->units ? bytecode->of_unit[unit] : FT_NOWHERE;
}

static uint32_t prefixes_for(uint32_t arg)
{
    return (uint32_t)(arg > 0xFF) + (arg > 0xFFFF) + (arg > 0xFFFFFF);
}

/* The instruction at unit *at, which moves past it. */
static ft_status read_instruction(ft_instruction *instruction, const uint8_t *code, uint32_t units,
                                  uint32_t *at)
{
    uint32_t unit = *at, arg = code[unit * UNIT + 1];
    *instruction = (ft_instruction){.start = unit, .target = FT_NOWHERE};
    while (code[unit * UNIT] == EXTENDED_ARG) {
        if (++unit >= units || unit - instruction->start > MAX_PREFIXES)
            return FT_ERR_CORRUPT;
        arg = arg << 8 | code[unit * UNIT + 1];
    }
    instruction->op = code[unit * UNIT];
    instruction->arg = arg;
    instruction->at = unit++;
    while (unit < units && code[unit * UNIT] == CACHE) {
        if (code[unit * UNIT + 1] != 0 || instruction->caches == UINT8_MAX)
            return FT_ERR_CORRUPT;
        instruction->caches++;
        unit++;
    }
    *at = unit;
    return FT_OK;
}

static ft_status read_instructions(ft_bytecode *bytecode, const uint8_t *code)
{
    bool known[FIRST_PSEUDO] = {false};
    uint32_t unit = 0;
    while (unit < bytecode->units) {
        uint32_t first = unit;
        ft_instruction *instruction = &bytecode->instructions[bytecode->count];
        ft_status status = read_instruction(instruction, code, bytecode->units, &unit);
        if (status != FT_OK || !is_known(instruction->op, known))
            return FT_ERR_CORRUPT;
        for (uint32_t i = first; i < unit; i++)
            bytecode->of_unit[i] = FT_NOWHERE;
        bytecode->of_unit[first] = bytecode->count++;
    }
    return FT_OK;
}

static ft_status find_targets(ft_bytecode *bytecode)
{
    for (uint32_t i = 0; i < bytecode->count; i++) {
        ft_instruction *instruction = &bytecode->instructions[i];
        bool back = jumps_back(instruction->op);
        if (!back && !jumps_ahead(instruction->op))
            continue;
        uint64_t from = (uint64_t)instruction->at + 1;
        if (instruction->caches != 0 || (back && instruction->arg > from))
            return FT_ERR_CORRUPT;
        uint64_t to = back ? from - instruction->arg : from + instruction->arg;
        instruction->target = ft_bytecode_at(bytecode, to);
        if (instruction->target >= bytecode->count || (back && instruction->target > i))
            return FT_ERR_CORRUPT;
    }
    return FT_OK;
}

ft_status ft_bytecode_read(ft_bytecode *bytecode, const ft_mem *mem, const uint8_t *code,
                           size_t bytes)
{
    *bytecode = (ft_bytecode){.mem = mem};
    if (bytes == 0 || bytes % UNIT != 0)
        return FT_ERR_CORRUPT;
    if (bytes / UNIT > FT_CODE_MAX_UNITS)
        return FT_ERR_LIMIT;
    bytecode->units = (uint32_t)(bytes / UNIT);
    bytecode->instructions = ft_mem_new(mem, bytecode->units, sizeof(ft_instruction));
    bytecode->of_unit = ft_mem_new(mem, bytecode->units, sizeof(uint32_t));
    if (bytecode->instructions == NULL || bytecode->of_unit == NULL)
        return FT_ERR_MEMORY;
    ft_status status = read_instructions(bytecode, code);
    return status == FT_OK ? find_targets(bytecode) : status;
}

void ft_bytecode_fini(ft_bytecode *bytecode)
{
    ft_mem_free(bytecode->mem, bytecode->instructions);
    ft_mem_free(bytecode->mem, bytecode->of_unit);
    *bytecode = (ft_bytecode){.mem = bytecode->mem};
}

/* ---- pieces ---- */

void ft_assembly_init(ft_assembly *assembly, const ft_mem *mem)
{
    *assembly = (ft_assembly){.mem = mem};
}

void ft_assembly_fini(ft_assembly *assembly)
{
    ft_mem_free(assembly->mem, assembly->pieces);
    *assembly = (ft_assembly){.mem = assembly->mem};
}

void ft_assembly_add(ft_assembly *assembly, const ft_piece *piece)
{
    if (assembly->status != FT_OK)
        return;
    ft_piece *pieces = NULL;
    if (assembly->count >= FT_CODE_MAX_UNITS)
        assembly->status = FT_ERR_LIMIT;
    else if ((pieces = ft_array_grow(assembly->mem, assembly->pieces, assembly->count + 1,
                                     &assembly->capacity, sizeof(ft_piece))) == NULL)
        assembly->status = FT_ERR_MEMORY;
    if (assembly->status != FT_OK)
        return;
    assembly->pieces = pieces;
    pieces[assembly->count++] = *piece;
}

static uint32_t length_of(const ft_piece *piece)
{
    return (uint32_t)piece->prefixes + 1 + piece->caches;
}

static void find_places(ft_assembly *assembly)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < assembly->count; i++) {
        assembly->pieces[i].at = (uint32_t)at;
        at += length_of(&assembly->pieces[i]);
    }
    assert(at <= UINT32_MAX); /* count * (prefixes + 1 + caches) */
    assembly->units = (uint32_t)at;
}

/* The argument of a jump as everything lies now. */
static uint32_t distance(const ft_assembly *assembly, const ft_piece *piece)
{
    assert(piece->target < assembly->count && piece->caches == 0);
    uint32_t from = piece->at + length_of(piece), to = assembly->pieces[piece->target].at;
    assert(jumps_back(piece->op) == (to < from));
    return to < from ? from - to : to - from;
}

/* Has a piece become longer? Pieces never become shorter, so this ends. */
static bool lengthen(ft_assembly *assembly)
{
    bool grown = false;
    for (uint32_t i = 0; i < assembly->count; i++) {
        ft_piece *piece = &assembly->pieces[i];
        if (piece->target != FT_NOWHERE)
            piece->arg = distance(assembly, piece);
        uint32_t prefixes = prefixes_for(piece->arg);
        assert(prefixes >= piece->prefixes);
        grown |= prefixes > piece->prefixes;
        piece->prefixes = (uint8_t)prefixes;
    }
    return grown;
}

ft_status ft_assembly_lay_out(ft_assembly *assembly)
{
    if (assembly->status != FT_OK)
        return assembly->status;
    for (int i = 0; i < MAX_LAYOUTS; i++) {
        find_places(assembly);
        if (!lengthen(assembly))
            return assembly->units <= FT_CODE_MAX_UNITS ? FT_OK : FT_ERR_LIMIT;
    }
    return FT_ERR_LIMIT;
}

void ft_assembly_write(const ft_assembly *assembly, uint8_t *code)
{
    for (uint32_t i = 0; i < assembly->count; i++) {
        const ft_piece *piece = &assembly->pieces[i];
        for (uint32_t prefix = piece->prefixes; prefix > 0; prefix--) {
            *code++ = EXTENDED_ARG;
            *code++ = (uint8_t)(piece->arg >> 8 * prefix);
        }
        *code++ = piece->op;
        *code++ = (uint8_t)piece->arg;
        memset(code, CACHE, (size_t)piece->caches * UNIT);
        code += (size_t)piece->caches * UNIT;
    }
}

#endif /* !FT_HAS_MONITORING */
