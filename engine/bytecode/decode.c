/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: code units taken apart into operations (see decode.h). */
#include "engine/bytecode/decode.h"

#include <assert.h>

/* The argument as the interpreter has it: 32 bits, with a sign. */
static int32_t as_signed(uint32_t value)
{
    return value <= INT32_MAX ? (int32_t)value : (int32_t)((int64_t)value - (INT64_C(1) << 32));
}

typedef struct walk {
    const ft_dialect *dialect;
    const uint8_t *plain, *shown;
    uint32_t high;  /* of the argument to come, from the EXTENDED_ARGs so far */
    uint32_t start; /* where those began */
    bool extended;  /* are there any? */
} walk;

/* The operation at a unit of the code. */
static void read_operation(walk *from, uint32_t unit, uint32_t units, ft_operation *operation)
{
    const uint8_t *at = from->plain + (size_t)unit * FT_UNIT_BYTES;
    uint8_t base = from->dialect->opcodes[at[0]].base;
    const ft_opcode_traits *traits = &from->dialect->opcodes[base];
    uint32_t arg = traits->argument == FT_ARGUMENT_NONE ? 0 : from->high | at[1];
    uint32_t left = units - unit - 1;
    *operation = (ft_operation){
        .unit = unit,
        .start = from->extended && !traits->extends ? from->start : unit,
        .arg = as_signed(arg),
        .opcode = from->shown[(size_t)unit * FT_UNIT_BYTES],
        .base = base,
        .caches = (uint8_t)(traits->caches < left ? traits->caches : left),
    };
    if (traits->extends && !from->extended)
        from->start = unit;
    from->extended = traits->extends;
    from->high = traits->extends ? arg << 8 : 0;
}

static void add_caches(ft_decoding *decoding, const ft_operation *of, const uint8_t *shown)
{
    for (uint32_t i = 1; i <= of->caches; i++) {
        uint32_t unit = of->unit + i;
        uint8_t opcode = shown[(size_t)unit * FT_UNIT_BYTES];
        decoding->operations[decoding->count++] = (ft_operation){
            .unit = unit, .start = unit, .opcode = opcode, .base = of->base, .cache = (uint8_t)i};
    }
}

ft_status ft_decoding_init(ft_decoding *decoding, const ft_mem *mem, const ft_dialect *dialect,
                           const uint8_t *plain, const uint8_t *shown, size_t bytes,
                           bool with_caches)
{
    *decoding = (ft_decoding){.mem = mem};
    if (bytes / FT_UNIT_BYTES > FT_DECODE_MAX_UNITS)
        return FT_ERR_LIMIT;
    decoding->units = (uint32_t)(bytes / FT_UNIT_BYTES);
    if (decoding->units == 0)
        return FT_OK;
    decoding->operations = ft_mem_resize(mem, NULL, decoding->units, sizeof(ft_operation));
    if (decoding->operations == NULL)
        return FT_ERR_MEMORY;
    walk from = {.dialect = dialect, .plain = plain, .shown = shown};
    for (uint32_t unit = 0; unit < decoding->units;) {
        ft_operation *operation = &decoding->operations[decoding->count++];
        read_operation(&from, unit, decoding->units, operation);
        unit += 1U + operation->caches;
        if (with_caches)
            add_caches(decoding, operation, shown);
    }
    assert(decoding->count <= decoding->units);
    return FT_OK;
}

void ft_decoding_fini(ft_decoding *decoding)
{
    ft_mem_free(decoding->mem, decoding->operations);
    *decoding = (ft_decoding){.mem = decoding->mem};
}

bool ft_operation_target(const ft_operation *operation, const ft_dialect *dialect, int64_t *target)
{
    const ft_opcode_traits *traits = &dialect->opcodes[operation->base];
    int64_t behind = (int64_t)operation->unit + 1 + traits->caches;
    if (operation->cache != 0)
        return false;
    switch ((ft_argument)traits->argument) {
    case FT_ARGUMENT_FORWARD:
        *target = behind + operation->arg;
        return true;
    case FT_ARGUMENT_BACKWARD:
        *target = behind - operation->arg;
        return true;
    case FT_ARGUMENT_ABSOLUTE:
        *target = operation->arg;
        return true;
    default:
        return false;
    }
}
