/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.h: who catches what a unit raises, out of co_exceptiontable (CPython 3.11+).
 *
 * Read forward, once. Any bytes are a table: an entry that is cut short is none, numbers keep their
 * low 32 bits, and nothing says that an entry lies within the code. */
#ifndef FT_BYTECODE_HANDLERS_H
#define FT_BYTECODE_HANDLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ft_catch {
    uint64_t start, end; /* units: what is raised in between ... */
    uint64_t target;     /* ... goes on here ... */
    uint32_t depth;      /* ... with that many entries left on the stack ... */
    bool lasti;          /* ... and then its own place */
} ft_catch;

typedef struct ft_catches {
    const uint8_t *at, *end; /* borrowed */
} ft_catches;

void ft_catches_init(ft_catches *catches, const uint8_t *table, size_t bytes);

/* Reads the next entry; false: there is none, *entry is as it was. */
bool ft_catches_next(ft_catches *catches, ft_catch *entry);

#endif
