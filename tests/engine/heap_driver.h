/* SPDX-License-Identifier: Apache-2.0 */
/* heap_driver.h: tells a heap of blocks as the allocation probe does, with stacks of the tests'
 * own, and sums its cells up by stack. */
#ifndef HEAP_DRIVER_H
#define HEAP_DRIVER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/model/code.h"
#include "engine/record/heap.h"
#include "tests/engine/heap_oracle.h"
#include "tests/engine/random.h"

enum { DRIVER_CODES = 12, DRIVER_DEPTH = 6, DRIVER_DOMAIN = 389047 };

/* Innermost first; the codes are the driver's, from 0. The number of a stack is in its innermost
 * line, so no two are equal. */
typedef struct driver_stack {
    uint32_t codes[DRIVER_DEPTH], lines[DRIVER_DEPTH];
    uint32_t count, domain;
} driver_stack;

typedef struct driver {
    ft_recording recording;
    ft_heap heap;
    driver_stack stacks[ORACLE_STACKS];
    uint32_t numbers[DRIVER_CODES]; /* of the codes' records; 0: not declared yet */
    char names[DRIVER_CODES][16];
    uint32_t shift[2]; /* of keys: those that were forgotten come to stand for other stacks */
    bool sound;        /* a code has always got the same number */
    bool sites_repeat; /* without memory a stack may get a second site */
} driver;

/* The last stack is not known at all; the one before only its code. */
static inline void driver_make_stacks(driver *d, random_source *source)
{
    for (uint32_t i = 0; i < ORACLE_STACKS; i++) {
        driver_stack *stack = &d->stacks[i];
        stack->count = i == ORACLE_STACKS - 1 ? 0 : 1 + random_below(source, DRIVER_DEPTH);
        stack->domain = i % 5 == 3 ? DRIVER_DOMAIN : 0;
        for (uint32_t at = 0; at < stack->count; at++) {
            stack->codes[at] = random_below(source, at + 2 < DRIVER_CODES ? at + 2 : DRIVER_CODES);
            stack->lines[at] = at == 0 ? i : 1 + random_below(source, 2);
        }
    }
}

static inline ft_status driver_open(driver *d, const ft_mem *mem, const char *directory,
                                    uint64_t sample, uint64_t seed)
{
    random_source source = {seed};
    memset(d, 0, sizeof *d);
    d->sound = true;
    for (uint32_t i = 0; i < DRIVER_CODES; i++)
        snprintf(d->names[i], sizeof d->names[i], "f%u", i);
    driver_make_stacks(d, &source);
    ft_status status = ft_recording_open(&d->recording, mem, directory, 1000);
    if (status != FT_OK)
        return status;
    status = ft_heap_open(&d->heap, &d->recording, DRIVER_DEPTH, sample);
    if (status != FT_OK) {
        if (directory != NULL)
            unlink(d->recording.arena.path);
        ft_recording_close(&d->recording);
    }
    return status;
}

static inline void driver_close(driver *d)
{
    ft_heap_close(&d->heap);
    ft_recording_close(&d->recording);
}

/* Number of the record of a code; 0 without room. */
static inline uint32_t driver_code(driver *d, ft_heap_part *part, uint32_t code)
{
    const char *name = d->names[code];
    uint32_t number = ft_heap_code_of(part, name);
    if (number == 0) {
        ft_function function = {.kind = FT_CODE_PYTHON,
                                .line = 10 * code,
                                .texts = {"t.py", name, name},
                                .lengths = {4, strlen(name), strlen(name)}};
        number = ft_heap_declare_code(part, name, &function);
    }
    if (d->numbers[code] == 0)
        d->numbers[code] = number;
    else if (number != 0 && d->numbers[code] != number)
        d->sound = false;
    return number;
}

static inline uint32_t driver_site(driver *d, ft_heap_part *part, uint32_t stack)
{
    const driver_stack *of = &d->stacks[stack];
    ft_heap_place places[DRIVER_DEPTH] = {0};
    for (uint32_t i = 0; i < of->count; i++) {
        places[i] = (ft_heap_place){driver_code(d, part, of->codes[i]), of->lines[i]};
        if (places[i].code == 0)
            return 0;
    }
    return ft_heap_site_of(part, places, of->count, of->domain);
}

/* As the probe's slow half; keyless: it has no key to remember the place by. */
static inline uint32_t driver_learn(driver *d, ft_heap_part *part, uint64_t key, uint32_t stack,
                                    uint32_t sized, bool keyless)
{
    uint32_t site = keyless ? 0 : ft_heap_known_site(part, key);
    if (site == 0)
        site = driver_site(d, part, stack);
    if (site == 0)
        return 0;
    if (!keyless)
        ft_heap_remember(part, key, site);
    return ft_heap_tag_of(part, site, sized);
}

/* The tag of blocks of a size from a stack; 0 without room. */
static inline uint32_t driver_tag(driver *d, ft_heap_part *part, uint32_t stack, uint64_t size,
                                  bool keyless)
{
    uint32_t shifted = (stack + d->shift[part->index]) % ORACLE_STACKS;
    uint64_t key = UINT64_C(0x7f0000001000) + 16 * shifted;
    uint32_t sized = ft_heap_size_of(part, size);
    uint32_t tag = keyless ? 0 : ft_heap_find(part, key, sized);
    if (tag != 0)
        return tag;
    tag = driver_learn(d, part, key, stack, sized, keyless);
    if (tag != 0 && !keyless)
        ft_heap_cache(part, key, sized, tag);
    return tag;
}

/* The part's places were forgotten. */
static inline void driver_shift(driver *d, uint32_t part)
{
    d->shift[part]++;
}

/* False: it was not counted. */
static inline bool driver_begin(driver *d, uint32_t part, uint32_t stack, uint64_t address,
                                uint64_t size)
{
    ft_heap_part *in = &d->heap.parts[part];
    if (!ft_heap_wants(in, size))
        return false;
    uint32_t tag = driver_tag(d, in, stack, size, address % 96 == 0);
    return tag != 0 && ft_heap_add(in, tag, (uintptr_t)address, size);
}

/* False: it was not known. */
static inline bool driver_end(driver *d, uint32_t part, uint64_t address)
{
    size_t size;
    ft_heap_part *in = &d->heap.parts[part];
    uint32_t tag = ft_heap_take(in, (uintptr_t)address, &size) & ~FT_HEAP_GUARD;
    if (tag != 0)
        ft_heap_end(in, tag, (uintptr_t)address, size);
    return tag != 0;
}

/* ---- what the heap says ---- */

/* Is the site this stack? */
static inline bool driver_is_stack(const driver *d, const ft_heap_part *part, uint32_t site,
                                   const driver_stack *stack)
{
    const ft_heap_site *known = &part->known[site - 1];
    if (known->domain != stack->domain)
        return false;
    if (stack->count == 0)
        return known->code == 0 && known->line == 0 && known->parent == 0;
    for (uint32_t i = 0; i < stack->count; i++, site = known->parent) {
        known = site == 0 ? NULL : &part->known[site - 1];
        if (known == NULL || known->code != d->numbers[stack->codes[i]] ||
            known->line != stack->lines[i] || known->domain != stack->domain)
            return false;
    }
    return site == 0;
}

/* Its number, or ORACLE_STACKS. */
static inline uint32_t driver_stack_of(const driver *d, const ft_heap_part *part, uint32_t site)
{
    uint32_t stack = 0;
    while (stack < ORACLE_STACKS && !driver_is_stack(d, part, site, &d->stacks[stack]))
        stack++;
    return stack;
}

static inline void driver_sum_cell(const ft_heap_part *part, const ft_heap_cell *cell,
                                   oracle_sums *sums)
{
    const ft_heap_head *head = part->head;
    uint64_t live = ft_heap_load(&cell->live), total = ft_heap_load(&cell->total);
    uint64_t temporary = ft_heap_load(&cell->temporary), peak = live;
    if (ft_heap_load(&cell->serial) == ft_heap_serial(head))
        peak = ft_heap_load(&cell->at_peak);
    bool counts = cell->kind != FT_HEAP_BYTES;
    uint64_t bytes = counts ? cell->weight : 1;
    for (uint32_t i = counts ? 0 : 1; i < 2; i++) {
        uint64_t each = i == 0 ? 1 : bytes;
        sums->live[i] += live * each;
        sums->total[i] += total * each;
        sums->temporary[i] += temporary * each;
        sums->peak[i] += peak * each;
    }
}

/* The cells of a part by stack; false if one is of none, or two sites are one stack: keys that were
 * forgotten must have led to the same site again. */
static inline bool driver_sum(const driver *d, uint32_t index, oracle_sums sums[ORACLE_STACKS])
{
    const ft_heap_part *part = &d->heap.parts[index];
    uint32_t site_of[ORACLE_STACKS] = {0};
    memset(sums, 0, ORACLE_STACKS * sizeof *sums);
    for (uint32_t b = 0; b < part->base_count; b++)
        for (uint64_t i = 1; i <= ft_heap_cells_in(part, b); i++) {
            const ft_heap_cell *cell = &part->bases[b][i];
            uint32_t stack = driver_stack_of(d, part, cell->site);
            if (stack == ORACLE_STACKS)
                return false;
            if (site_of[stack] != 0 && site_of[stack] != cell->site && !d->sites_repeat)
                return false;
            site_of[stack] = cell->site;
            driver_sum_cell(part, cell, &sums[stack]);
        }
    return true;
}

/* Whether all that the heap counts is what the oracle found. */
static inline bool driver_agrees(const driver *d, const oracle *right)
{
    oracle_sums sums[ORACLE_STACKS];
    const ft_heap_head *head = d->heap.head;
    if (ft_heap_load(&head->peak) != right->peak)
        return false;
    for (uint32_t part = 0; part < 2; part++)
        if (!driver_sum(d, part, sums) || memcmp(sums, right->sums[part], sizeof sums) != 0 ||
            ft_heap_load(&head->live[part]) != right->live[part] ||
            ft_heap_load(&head->allocated[part]) != right->begun[part] ||
            !ft_heap_part_check(&d->heap.parts[part]) || !ft_tags_check(&d->heap.parts[part].tags))
            return false;
    return true;
}

#endif
