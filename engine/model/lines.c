/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c: what each line of the marked functions did (see lines.h).
 *
 * An array in the order of arrival and beside it an open-addressing index, at most 3/4 full, as
 * in code.c. What moves entries or takes them away drops the index, which the next add makes anew:
 * so sorting can not fail, and sorting before every look is free of upkeep. */
#include "engine/model/lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/sum.h"

enum {
    FIRST_SLOTS = 64,
    MAX_PROBES = 4096 /* the hashes are not secret: past this a file was made to collide */
};

#define MIX UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio: an odd number without pattern */

static uint32_t hash(uint32_t code, uint32_t line)
{
    uint64_t mixed = ((uint64_t)code << 32 | line) * MIX;
    return (uint32_t)((mixed ^ mixed >> 29) * MIX >> 32);
}

/* The slot of the entry, or the free one where it belongs; NULL past MAX_PROBES. */
static uint32_t *find(const ft_lines *lines, uint32_t code, uint32_t line)
{
    uint32_t at = hash(code, line) & lines->slot_mask;
    for (uint32_t probes = 0; probes < MAX_PROBES; probes++) {
        uint32_t slot = lines->slots[at];
        if (slot == 0)
            return &lines->slots[at];
        assert(slot <= lines->count);
        const ft_line *have = &lines->lines[slot - 1];
        if (have->code == code && have->line == line)
            return &lines->slots[at];
        at = (at + 1) & lines->slot_mask;
    }
    return NULL;
}

static void drop_index(ft_lines *lines)
{
    ft_mem_free(lines->mem, lines->slots);
    lines->slots = NULL;
    lines->slot_mask = 0;
}

static ft_status make_index(ft_lines *lines)
{
    uint64_t slots = FIRST_SLOTS;
    while (slots - slots / 4 <= (uint64_t)lines->count + 1)
        slots *= 2;
    ft_lines larger = *lines;
    if (slots > UINT32_MAX)
        return FT_ERR_LIMIT;
    larger.slots = ft_mem_new(lines->mem, (size_t)slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return FT_ERR_MEMORY;
    larger.slot_mask = (uint32_t)(slots - 1);
    for (uint32_t i = 0; i < lines->count; i++) {
        uint32_t *slot = find(&larger, lines->lines[i].code, lines->lines[i].line);
        if (slot == NULL) {
            ft_mem_free(lines->mem, larger.slots);
            return FT_ERR_LIMIT;
        }
        assert(*slot == 0); /* no two entries have the same code and line */
        *slot = i + 1;
    }
    drop_index(lines);
    *lines = larger;
    return FT_OK;
}

static ft_status make_room(ft_lines *lines)
{
    if (lines->slots == NULL || lines->count >= lines->slot_mask - lines->slot_mask / 4) {
        ft_status status = make_index(lines);
        if (status != FT_OK)
            return status;
    }
    ft_line *grown =
        ft_array_grow(lines->mem, lines->lines, lines->count + 1, &lines->capacity, sizeof *grown);
    if (grown == NULL)
        return FT_ERR_MEMORY;
    lines->lines = grown;
    return FT_OK;
}

/* The entry of code and line, appended with zeros if there was none. */
static ft_status get(ft_lines *lines, uint32_t code, uint32_t line, ft_line **entry)
{
    ft_status status = make_room(lines);
    if (status != FT_OK)
        return status;
    uint32_t *slot = find(lines, code, line);
    if (slot == NULL)
        return FT_ERR_LIMIT;
    if (*slot == 0) {
        lines->lines[lines->count++] = (ft_line){.code = code, .line = line};
        *slot = lines->count;
    }
    *entry = &lines->lines[*slot - 1];
    return FT_OK;
}

static void sum(ft_line *into, const ft_line *line)
{
    into->hits = ft_sum(into->hits, line->hits);
    into->time = ft_sum(into->time, line->time);
    into->waiting = ft_sum(into->waiting, line->waiting);
    into->callees = ft_sum(into->callees, line->callees);
}

ft_status ft_lines_add(ft_lines *lines, const ft_line *line)
{
    const ft_line copy = *line; /* it may lie in the array that is about to move */
    ft_line *entry;
    assert(ft_line_is_sound(line));
    ft_status status = get(lines, copy.code, copy.line, &entry);
    if (status == FT_OK)
        sum(entry, &copy);
    return status;
}

ft_status ft_lines_merge(ft_lines *into, const ft_lines *from, const uint32_t *codes)
{
    const uint32_t before = into->count;
    ft_line *entry;
    assert(into != from);
    /* All entries first, then the sums: by then nothing can fail. */
    for (uint32_t i = 0; i < from->count; i++) {
        const ft_line *line = &from->lines[i];
        ft_status status = get(into, codes[line->code], line->line, &entry);
        if (status != FT_OK) {
            into->count = before;
            drop_index(into);
            return status;
        }
    }
    for (uint32_t i = 0; i < from->count; i++) {
        const ft_line *line = &from->lines[i];
        uint32_t slot = *find(into, codes[line->code], line->line);
        assert(slot != 0);
        sum(&into->lines[slot - 1], line);
    }
    return FT_OK;
}

static int by_code_then_line(const void *a, const void *b)
{
    const ft_line *x = a, *y = b;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static bool is_sorted(const ft_lines *lines)
{
    for (uint32_t i = 1; i < lines->count; i++)
        if (by_code_then_line(&lines->lines[i - 1], &lines->lines[i]) > 0)
            return false;
    return true;
}

void ft_lines_sort(ft_lines *lines)
{
    if (is_sorted(lines))
        return;
    qsort(lines->lines, lines->count, sizeof *lines->lines, by_code_then_line);
    drop_index(lines);
}

ft_status ft_lines_sorted(const ft_lines *lines, const ft_mem *mem, ft_line **sorted)
{
    if (lines->count == 0) {
        *sorted = NULL;
        return FT_OK;
    }
    ft_line *copy = ft_mem_resize(mem, NULL, lines->count, sizeof *copy);
    if (copy == NULL)
        return FT_ERR_MEMORY;
    memcpy(copy, lines->lines, lines->count * sizeof *copy);
    if (!is_sorted(lines))
        qsort(copy, lines->count, sizeof *copy, by_code_then_line);
    *sorted = copy;
    return FT_OK;
}

bool ft_line_is_sound(const ft_line *line)
{
    return line->waiting <= line->time && line->callees <= line->time &&
           (line->line != 0 || line->time == 0);
}

void ft_lines_init(ft_lines *lines, const ft_mem *mem)
{
    *lines = (ft_lines){.mem = mem};
}

void ft_lines_fini(ft_lines *lines)
{
    ft_mem_free(lines->mem, lines->slots);
    ft_mem_free(lines->mem, lines->lines);
    ft_lines_init(lines, lines->mem);
}
