/* SPDX-License-Identifier: Apache-2.0 */
/* stack_distance.h: exact LRU stack distances of a stream of items.
 *
 * The distance of a touch is the number of distinct items touched since the last touch of this one,
 * counting itself: 1 is a touch again at once. LRU with room for n items hits exactly the touches
 * whose distance is n or less, so the distances of one stream answer for every size at once.
 *
 * Each live item has one mark, at the position in time of its last touch: the distance is the
 * number of marks from there on. Marks are the bits of 64-bit words, and a Fenwick tree counts
 * them by word, so a touch takes O(log n) steps over 3 bits for each position. When the positions
 * run out, the live items are numbered anew in their order. */
#ifndef FT_STATS_STACK_DISTANCE_H
#define FT_STATS_STACK_DISTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum {
    FT_STACK_ITEMS_MAX = 1 << 24, /* the positions, up to four for each item, stay 32-bit */
    FT_STACK_NEVER = 0            /* the distance of a first touch; others begin at 1 */
};

typedef struct ft_stack_distance {
    const ft_mem *mem;
    uint32_t *places; /* owned: for each item the position of its mark + 1; 0: it has none */
    uint64_t *marks;  /* owned: a bit for each position */
    uint32_t *tree;   /* owned: the Fenwick tree, [i - 1] counts the words (i - (i & -i), i] */
    uint32_t items;   /* capacity of places */
    uint32_t words;   /* of marks and of tree: a power of two; 0: nothing was touched yet */
    uint32_t next;    /* the next free position */
    uint32_t live;    /* items that have a mark */
} ft_stack_distance;

/* Takes no memory before the first touch. */
void ft_stack_distance_init(ft_stack_distance *stack, const ft_mem *mem);
void ft_stack_distance_fini(ft_stack_distance *stack);

/* Touches an item: a number that the caller gave to something, below FT_STACK_ITEMS_MAX and as
 * small as can be, for the memory is that of the largest (4 bytes for each number, 1 for each live
 * item at most). *distance: as above, FT_STACK_NEVER if it was not touched since it was forgotten.
 * FT_ERR_MEMORY, FT_ERR_LIMIT: nothing was touched. */
ft_status ft_stack_distance_touch(ft_stack_distance *stack, uint32_t item, uint32_t *distance);

/* The distance that a touch of the item would have now; FT_STACK_NEVER likewise. */
uint32_t ft_stack_distance_get(const ft_stack_distance *stack, uint32_t item);

/* As if the item had never been touched: its number may mean something else from now on. */
void ft_stack_distance_forget(ft_stack_distance *stack, uint32_t item);

static inline bool ft_stack_distance_has(const ft_stack_distance *stack, uint32_t item)
{
    return item < stack->items && stack->places[item] != 0;
}

/* Whether marks, tree and places agree: for tests. */
bool ft_stack_distance_check(const ft_stack_distance *stack);

#endif
