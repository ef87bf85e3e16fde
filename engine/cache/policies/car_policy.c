/* SPDX-License-Identifier: Apache-2.0 */
/* car_policy.c: clock with adaptive replacement (Bansal and Modha, FAST 2004).
 *
 * Two clocks: list 0 holds keys that were asked for once lately, list 1 those that came back. Of
 * either the ghosts of what was evicted are kept. A key that is missed and is a ghost says that its
 * clock was too small: `target`, the share of list 0, moves towards it. So a scan of keys that
 * never come back passes through list 0 and leaves list 1 alone, and a hit only sets a mark.
 *
 * One thing is not as published: list 0 has an eighth of the table at least. With less, what a
 * recursive function has just computed goes before its caller's caller asks for it, and a program
 * computes everything again and again (docs/adr/0014-caches-policies.md).
 *
 * Between calls: |0| + |ghosts of 0| <= most, and all four together <= 2 * most. The ghosts' memory
 * is made at the first eviction, when the table is as large as it gets; without it this is a clock
 * in two parts. */
#include "engine/cache/policy.h"

#include "engine/cache/ghosts.h"

enum { ONCE = 0, AGAIN = 1, LEAST_PART = 8 };

typedef struct car {
    ft_ghosts ghosts;
    uint32_t target; /* of list ONCE */
} car;

/* The state, made when there is none; NULL when memory is out. */
static car *state_of(ft_memo_table *table)
{
    car *self = table->state;
    if (self != NULL)
        return self;
    self = ft_mem_new(table->mem, 1, sizeof *self);
    /* Right after an eviction there is one more ghost than there will be when the call ends. */
    if (self != NULL && ft_ghosts_init(&self->ghosts, table->mem, table->most + 1) != FT_OK) {
        ft_mem_free(table->mem, self);
        self = NULL;
    }
    table->state = self;
    return self;
}

/* The share of list ONCE that is kept. */
static uint32_t share_of(const car *self, uint32_t most)
{
    uint32_t least = most / LEAST_PART > 1 ? most / LEAST_PART : 1;
    return self != NULL && self->target > least ? self->target : least;
}

static uint32_t evict(ft_memo_table *table)
{
    car *self = state_of(table);
    uint32_t share = share_of(self, table->most);
    for (;;) { /* ends: each turn evicts or takes a mark away */
        uint8_t list = table->lists[ONCE].count >= share ? ONCE : AGAIN;
        uint32_t number = table->lists[list].first;
        ft_memo_list_remove(table, number);
        ft_memo_entry *entry = &table->entries[number];
        if (!entry->marked) {
            if (self != NULL)
                ft_ghosts_add(&self->ghosts, list, entry->hash);
            return number;
        }
        entry->marked = false;
        ft_memo_list_append(table, AGAIN, number);
    }
}

static uint32_t at_least_1(uint32_t number)
{
    return number > 1 ? number : 1;
}

/* A key whose ghost is there has come back: moves the target towards its list. */
static void adapt(car *self, ft_ghost_place place, uint32_t most)
{
    uint32_t once = self->ghosts.lists[ONCE].count, again = self->ghosts.lists[AGAIN].count;
    if (place.list == ONCE) {
        uint32_t step = at_least_1(again / once);
        self->target = step < most - self->target ? self->target + step : most;
    } else {
        uint32_t step = at_least_1(once / again);
        self->target = step < self->target ? self->target - step : 0;
    }
}

/* Makes room among the ghosts for a key that is new, so that the bounds hold when it is in. */
static void trim(const ft_memo_table *table, ft_ghosts *ghosts)
{
    uint64_t once = (uint64_t)table->lists[ONCE].count + ghosts->lists[ONCE].count;
    uint64_t again = (uint64_t)table->lists[AGAIN].count + ghosts->lists[AGAIN].count;
    if (once >= table->most && ghosts->lists[ONCE].count > 0)
        ft_ghosts_drop(ghosts, ONCE);
    else if (once + again >= 2 * (uint64_t)table->most && ghosts->lists[AGAIN].count > 0)
        ft_ghosts_drop(ghosts, AGAIN);
}

static void add(ft_memo_table *table, uint32_t number)
{
    car *self = table->state;
    uint8_t list = ONCE;
    if (self != NULL) {
        ft_ghost_place place = ft_ghosts_find(&self->ghosts, table->entries[number].hash);
        if (place.ghost == FT_GHOST_NONE) {
            trim(table, &self->ghosts);
        } else {
            adapt(self, place, table->most);
            ft_ghosts_remove(&self->ghosts, place);
            list = AGAIN;
        }
    }
    ft_memo_list_append(table, list, number);
}

static void fini(ft_memo_table *table)
{
    car *self = table->state;
    if (self != NULL)
        ft_ghosts_fini(&self->ghosts, table->mem);
    ft_mem_free(table->mem, self);
    table->state = NULL;
}

static uint64_t bytes(const ft_memo_table *table)
{
    const car *self = table->state;
    return self == NULL ? 0 : sizeof *self + ft_ghosts_bytes(&self->ghosts);
}

static void check(const ft_memo_table *table)
{
    const car *self = table->state;
    if (self == NULL)
        return;
    uint64_t once = (uint64_t)table->lists[ONCE].count + self->ghosts.lists[ONCE].count;
    uint64_t again = (uint64_t)table->lists[AGAIN].count + self->ghosts.lists[AGAIN].count;
    assert(once <= table->most && once + again <= 2 * (uint64_t)table->most);
    assert(self->target <= table->most);
    (void)once, (void)again;
}

const ft_policy ft_policy_car = {
    .name = "car",
    .description = "clock with adaptive replacement: learns whether recency or frequency counts",
    .hit = FT_HIT_MARK,
    .evict = evict,
    .add = add,
    .clear = fini, /* what is empty needs no ghosts */
    .fini = fini,
    .bytes = bytes,
    .check = check,
};
