/* SPDX-License-Identifier: Apache-2.0 */
/* stack_distance.c: exact LRU stack distances of a stream of items (see stack_distance.h).
 *
 * Invariant: the position places[item] - 1 of a live item is below next and marked, no two items
 * have the same, and nothing else is marked. Words grow until half of the positions are free when
 * they are numbered anew, so that this costs O(log n) a touch in the mean as well. */
#include "engine/stats/stack_distance.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"

enum { WORD_BITS = 64 };

void ft_stack_distance_init(ft_stack_distance *stack, const ft_mem *mem)
{
    *stack = (ft_stack_distance){.mem = mem};
}

void ft_stack_distance_fini(ft_stack_distance *stack)
{
    ft_mem_free(stack->mem, stack->places);
    ft_mem_free(stack->mem, stack->marks);
    ft_mem_free(stack->mem, stack->tree);
    ft_stack_distance_init(stack, stack->mem);
}

static uint32_t count_bits(uint64_t word)
{
    return (uint32_t)__builtin_popcountll(word);
}

/* Marks at position or before it. */
static uint32_t rank_of(const ft_stack_distance *stack, uint32_t position)
{
    uint32_t word = position / WORD_BITS;
    uint32_t rank = count_bits(stack->marks[word] << (WORD_BITS - 1 - position % WORD_BITS));
    for (uint32_t i = word; i > 0; i &= i - 1)
        rank += stack->tree[i - 1];
    return rank;
}

static void put_mark(ft_stack_distance *stack, uint32_t position)
{
    stack->marks[position / WORD_BITS] |= UINT64_C(1) << position % WORD_BITS;
    for (uint32_t i = position / WORD_BITS + 1; i <= stack->words; i += i & -i)
        stack->tree[i - 1]++;
}

static void take_mark(ft_stack_distance *stack, uint32_t position)
{
    assert(stack->marks[position / WORD_BITS] >> position % WORD_BITS & 1);
    stack->marks[position / WORD_BITS] &= ~(UINT64_C(1) << position % WORD_BITS);
    for (uint32_t i = position / WORD_BITS + 1; i <= stack->words; i += i & -i)
        stack->tree[i - 1]--;
}

/* Positions 0 .. live - 1 are marked, and no others. */
static void mark_first(ft_stack_distance *stack)
{
    uint32_t full = stack->live / WORD_BITS, rest = stack->live % WORD_BITS;
    memset(stack->marks, 0, stack->words * sizeof *stack->marks);
    memset(stack->marks, 0xff, full * sizeof *stack->marks);
    if (rest != 0)
        stack->marks[full] = (UINT64_C(1) << rest) - 1;
    memset(stack->tree, 0, stack->words * sizeof *stack->tree);
    for (uint32_t i = 1; i <= stack->words; i++) {
        uint32_t above = i + (i & -i);
        stack->tree[i - 1] += count_bits(stack->marks[i - 1]);
        if (above <= stack->words)
            stack->tree[above - 1] += stack->tree[i - 1];
    }
    stack->next = stack->live;
}

/* Room for marks where numbering anew would leave less than half of the positions free. What they
 * say is void then: mark_first says it anew. */
static ft_status grow_marks(ft_stack_distance *stack)
{
    uint32_t words = stack->words;
    if (words != 0 && stack->live < words * (WORD_BITS / 2))
        return FT_OK;
    words = words == 0 ? 1 : words * 2;
    uint64_t *marks = ft_mem_new(stack->mem, words, sizeof *marks);
    uint32_t *tree = ft_mem_new(stack->mem, words, sizeof *tree);
    if (marks == NULL || tree == NULL) {
        ft_mem_free(stack->mem, marks);
        ft_mem_free(stack->mem, tree);
        return FT_ERR_MEMORY;
    }
    ft_mem_free(stack->mem, stack->marks);
    ft_mem_free(stack->mem, stack->tree);
    stack->marks = marks;
    stack->tree = tree;
    stack->words = words;
    return FT_OK;
}

/* Places by rank, in place: what is ranked does not change meanwhile. */
static void rank_places(ft_stack_distance *stack)
{
    for (uint32_t item = 0; item < stack->items; item++)
        if (stack->places[item] != 0)
            stack->places[item] = rank_of(stack, stack->places[item] - 1);
}

/* A free position at next. FT_ERR_MEMORY: all positions may be other ones, in the same order. */
static ft_status make_position(ft_stack_distance *stack)
{
    if (stack->next < stack->words * WORD_BITS)
        return FT_OK;
    if (stack->words != 0) {
        rank_places(stack);
        mark_first(stack);
    }
    ft_status status = grow_marks(stack);
    if (status == FT_OK)
        mark_first(stack);
    assert(status != FT_OK || stack->next < stack->words * WORD_BITS);
    return status;
}

static ft_status make_place(ft_stack_distance *stack, uint32_t item)
{
    if (item < stack->items)
        return FT_OK;
    if (item >= FT_STACK_ITEMS_MAX)
        return FT_ERR_LIMIT;
    uint32_t items = stack->items;
    uint32_t *places =
        ft_array_grow(stack->mem, stack->places, item + 1, &items, sizeof *stack->places);
    if (places == NULL)
        return FT_ERR_MEMORY;
    memset(places + stack->items, 0, (items - stack->items) * sizeof *places);
    stack->places = places;
    stack->items = items;
    return FT_OK;
}

uint32_t ft_stack_distance_get(const ft_stack_distance *stack, uint32_t item)
{
    if (!ft_stack_distance_has(stack, item))
        return FT_STACK_NEVER;
    return stack->live - rank_of(stack, stack->places[item] - 1) + 1;
}

ft_status ft_stack_distance_touch(ft_stack_distance *stack, uint32_t item, uint32_t *distance)
{
    ft_status status = make_place(stack, item);
    if (status != FT_OK)
        return status;
    uint32_t *place = &stack->places[item];
    if (*place != 0 && *place == stack->next) { /* the last one again */
        *distance = 1;
        return FT_OK;
    }
    status = make_position(stack);
    if (status != FT_OK)
        return status;
    uint32_t found = ft_stack_distance_get(stack, item);
    if (found == FT_STACK_NEVER)
        stack->live++;
    else
        take_mark(stack, *place - 1);
    put_mark(stack, stack->next);
    *place = ++stack->next;
    assert(found <= stack->live && stack->live <= stack->next);
    *distance = found;
    return FT_OK;
}

void ft_stack_distance_forget(ft_stack_distance *stack, uint32_t item)
{
    if (!ft_stack_distance_has(stack, item))
        return;
    take_mark(stack, stack->places[item] - 1);
    stack->places[item] = 0;
    stack->live--;
}

/* Whether each node of the tree counts its words. */
static bool counts_right(const ft_stack_distance *stack)
{
    for (uint32_t i = 1; i <= stack->words; i++) {
        uint32_t count = 0;
        for (uint32_t word = i - (i & -i); word < i; word++)
            count += count_bits(stack->marks[word]);
        if (stack->tree[i - 1] != count)
            return false;
    }
    return true;
}

bool ft_stack_distance_check(const ft_stack_distance *stack)
{
    uint32_t live = 0, marked = 0;
    for (uint32_t word = 0; word < stack->words; word++)
        marked += count_bits(stack->marks[word]);
    for (uint32_t item = 0; item < stack->items; item++) {
        uint32_t place = stack->places[item];
        if (place == 0)
            continue;
        live++;
        if (place > stack->next ||
            !(stack->marks[(place - 1) / WORD_BITS] >> (place - 1) % WORD_BITS & 1))
            return false;
    }
    return live == stack->live && marked == live && stack->next <= stack->words * WORD_BITS &&
           counts_right(stack);
}
