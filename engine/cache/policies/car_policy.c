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
 * is made at the first eviction, when the table is as large as it gets; while there is none nothing
 * is learned, and list 0 has half of the table. */
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
    /* While a key whose ghost is there comes in there is one more than when the call ends. */
    if (self != NULL && ft_ghosts_init(&self->ghosts, table->mem, table->most + 1) != FT_OK) {
        ft_mem_free(table->mem, self);
        self = NULL;
    }
    table->state = self;
    return self;
}

static uint32_t at_least_1(uint32_t number)
{
    return number > 1 ? number : 1;
}

/* The share of list ONCE that is kept. */
static uint32_t share_of(const car *self, uint32_t most)
{
    uint32_t target = self != NULL ? self->target : most / 2;
    uint32_t least = at_least_1(most / LEAST_PART);
    return target > least ? target : least;
}

/* Takes the entry that goes out of its list; its `list` says which that was. */
static uint32_t take_victim(ft_memo_table *table, uint32_t share)
{
    for (;;) { /* ends: each turn finds one or takes a mark away */
        uint8_t list = table->lists[ONCE].count >= share ? ONCE : AGAIN;
        uint32_t number = table->lists[list].first;
        ft_memo_list_remove(table, number);
        if (!table->entries[number].marked)
            return number;
        table->entries[number].marked = false;
        ft_memo_list_append(table, AGAIN, number);
    }
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

/* Whose oldest ghost goes for a key that is new, so that the bounds hold when it is in; gone: a
 * ghost that is about to come into that list, or FT_GHOST_LISTS. Gives FT_GHOST_LISTS for none. */
static uint8_t list_to_trim(const ft_memo_table *table, const ft_ghosts *ghosts, uint8_t gone)
{
    uint64_t of_once = (uint64_t)ghosts->lists[ONCE].count + (gone == ONCE);
    uint64_t of_again = (uint64_t)ghosts->lists[AGAIN].count + (gone == AGAIN);
    uint64_t once = table->lists[ONCE].count + of_once;
    uint64_t both = once + table->lists[AGAIN].count + of_again;
    if (once >= table->most && of_once > 0)
        return ONCE;
    return both >= 2 * (uint64_t)table->most && of_again > 0 ? AGAIN : FT_GHOST_LISTS;
}

/* A key that is no ghost comes, and the victim becomes one. */
static void admit_new(ft_memo_table *table, ft_ghosts *ghosts, const ft_memo_entry *victim)
{
    uint8_t gone = victim == NULL ? FT_GHOST_LISTS : victim->list;
    uint8_t trimmed = list_to_trim(table, ghosts, gone);
    if (trimmed == gone) {
        if (victim != NULL && ghosts->lists[gone].count > 0)
            ft_ghosts_renew(ghosts, gone, victim->hash);
        return; /* what would be alone in its list would go at once */
    }
    if (victim != NULL)
        ft_ghosts_add(ghosts, gone, victim->hash);
    if (trimmed != FT_GHOST_LISTS)
        ft_ghosts_drop(ghosts, trimmed);
}

static uint32_t admit(ft_memo_table *table, uint32_t number, bool full)
{
    car *self = full ? state_of(table) : table->state;
    uint32_t victim = full ? take_victim(table, share_of(self, table->most)) : FT_MEMO_NONE;
    const ft_memo_entry *gone = full ? &table->entries[victim] : NULL;
    ft_ghost_place place = {FT_GHOST_NONE, ONCE};
    if (self != NULL)
        place = ft_ghosts_find(&self->ghosts, table->entries[number].hash);
    if (self != NULL && place.ghost == FT_GHOST_NONE) {
        admit_new(table, &self->ghosts, gone);
    } else if (self != NULL) {
        if (gone != NULL)
            ft_ghosts_add(&self->ghosts, gone->list, gone->hash);
        adapt(self, place, table->most);
        ft_ghosts_remove(&self->ghosts, place);
    }
    ft_memo_list_append(table, place.ghost == FT_GHOST_NONE ? ONCE : AGAIN, number);
    return victim;
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
    .admit = admit,
    .clear = fini, /* what is empty needs no ghosts */
    .fini = fini,
    .bytes = bytes,
    .check = check,
};
