/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.c: who catches what a unit raises (see handlers.h). */
#include "engine/bytecode/handlers.h"

enum { CHUNK = 6, CHUNK_MASK = 63, MORE = 64 };

/* Six bits a byte, high ones first. */
static bool take_number(ft_catches *from, uint32_t *value)
{
    uint8_t byte;
    *value = 0;
    do {
        if (from->at == from->end)
            return false;
        byte = *from->at++;
        *value = *value << CHUNK | (byte & CHUNK_MASK);
    } while ((byte & MORE) != 0);
    return true;
}

void ft_catches_init(ft_catches *catches, const uint8_t *table, size_t bytes)
{
    *catches = (ft_catches){table, table + bytes};
}

bool ft_catches_next(ft_catches *catches, ft_catch *entry)
{
    uint32_t start, length, target, rest;
    if (!take_number(catches, &start) || !take_number(catches, &length) ||
        !take_number(catches, &target) || !take_number(catches, &rest))
        return false;
    *entry = (ft_catch){.start = start,
                        .end = (uint64_t)start + length,
                        .target = target,
                        .depth = rest >> 1,
                        .lasti = (rest & 1) != 0};
    return true;
}
