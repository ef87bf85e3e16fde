/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap.c: the heap's cells against a list of blocks that is added up after each event: random
 * traces of both parts, by site; keys forgotten and learnt anew; sites, points, the timeline. */
#include "engine/record/heap.h"

#include "tests/engine/heap_driver.h"
#include "tests/engine/tap.h"

enum { SEEDS = 6, STEPS = 12000, SLOTS = 300 };

/* ---- random traces ---- */

typedef struct trace {
    driver d;
    oracle right;
    random_source source;
    struct {
        bool taken;
        uint64_t size;
    } slots[2][SLOTS];
    bool good;
} trace;

/* Some share a grid of the shadow of pools, others do not; the last are on no granule. */
static uint64_t address_of(uint32_t slot)
{
    uint64_t base = UINT64_C(0x7f12c3ff8000);
    if (slot < SLOTS / 2)
        return base + 64 * slot;
    return base + 0x10000 + 48 * slot + (slot % 16 == 1 ? 8 : 0);
}

static uint64_t pick_size(random_source *source)
{
    switch (random_below(source, 8)) {
    case 0:
        return random_below(source, 3);
    case 1:
    case 2:
        return 510 + random_below(source, 5);
    case 3:
        return UINT64_C(1) << random_below(source, 41);
    case 4:
        return UINT32_MAX - 1 + (uint64_t)random_below(source, 3);
    default:
        return random_below(source, 700);
    }
}

/* A slot that is taken or free; SLOTS if a few tries found none. */
static uint32_t pick_slot(trace *t, uint32_t part, bool taken)
{
    for (int i = 0; i < 20; i++) {
        uint32_t slot = random_below(&t->source, SLOTS);
        if (t->slots[part][slot].taken == taken)
            return slot;
    }
    return SLOTS;
}

static void begin(trace *t, uint32_t part, uint32_t slot)
{
    uint32_t stack = random_below(&t->source, ORACLE_STACKS);
    uint64_t size = pick_size(&t->source);
    t->good = t->good && driver_begin(&t->d, part, stack, address_of(slot), size);
    oracle_tell(&t->right, (oracle_event){ORACLE_BEGIN, part, stack, address_of(slot), size});
    t->slots[part][slot].taken = true;
    t->slots[part][slot].size = size;
}

static void end(trace *t, uint32_t part, uint32_t slot)
{
    t->good = t->good && driver_end(&t->d, part, address_of(slot));
    oracle_tell(&t->right, (oracle_event){ORACLE_END, part, 0, address_of(slot), 0});
    t->slots[part][slot].taken = false;
}

/* Freed after none to a few more. */
static void begin_and_end_soon(trace *t, uint32_t part, uint32_t slot)
{
    begin(t, part, slot);
    for (uint32_t more = random_below(&t->source, 6); more > 0; more--) {
        uint32_t other = pick_slot(t, part, false);
        if (other != SLOTS)
            begin(t, part, other);
    }
    end(t, part, slot);
}

/* Where it is, or to another place; or it fails. */
static void reallocate(trace *t, uint32_t part, uint32_t slot)
{
    size_t size;
    uint32_t moved = random_below(&t->source, 2) == 0 ? slot : pick_slot(t, part, false);
    ft_heap_part *in = &t->d.heap.parts[part];
    uint64_t address = address_of(slot);
    uint32_t tag = ft_heap_take(in, (uintptr_t)address, &size);
    t->good = t->good && (tag & ~FT_HEAP_GUARD) != 0;
    if (moved == SLOTS || random_below(&t->source, 8) == 0) {
        ft_heap_put_back(in, tag, (uintptr_t)address, size);
        return;
    }
    ft_heap_uncount(in, tag & ~FT_HEAP_GUARD, size);
    oracle_tell(&t->right, (oracle_event){ORACLE_DROP, part, 0, address, 0});
    t->slots[part][slot].taken = false;
    begin(t, part, moved);
}

static void move(trace *t, uint32_t part, uint32_t slot)
{
    size_t large = 0;
    ft_heap_part *in = &t->d.heap.parts[part];
    uint64_t address = address_of(slot);
    uint32_t stack = random_below(&t->source, ORACLE_STACKS);
    uint32_t old = ft_tags_get(&in->tags, (uintptr_t)address, &large);
    uint32_t tag = driver_tag(&t->d, in, stack, t->slots[part][slot].size, false);
    t->good = t->good && old != 0 && tag != 0;
    ft_heap_move(in, old & ~FT_HEAP_GUARD, tag, (uintptr_t)address, large);
    uint32_t guard = ft_tags_get(&in->tags, (uintptr_t)address, &large) & FT_HEAP_GUARD;
    t->good = t->good && guard == (old & FT_HEAP_GUARD);
    oracle_tell(&t->right, (oracle_event){ORACLE_MOVE, part, stack, address, 0});
}

/* A block gets a guard, which no counter shows; of one that is not counted it can be taken. */
static void guard(trace *t, uint32_t part, uint32_t slot)
{
    size_t size = 0;
    ft_heap_part *in = &t->d.heap.parts[part];
    uintptr_t address = (uintptr_t)address_of(slot);
    bool taken = t->slots[part][slot].taken;
    ft_heap_guard(in, address, t->slots[part][slot].size);
    uint32_t tag = ft_tags_get(&in->tags, address, &size);
    t->good = t->good && (tag & FT_HEAP_GUARD) != 0 && ((tag & ~FT_HEAP_GUARD) != 0) == taken;
    if (!taken)
        t->good = t->good && ft_heap_take(in, address, &size) == FT_HEAP_GUARD;
}

static void forget(trace *t, uint32_t part, bool and_counts)
{
    if (and_counts)
        ft_heap_forget_blocks(&t->d.heap.parts[part]);
    else
        ft_heap_rest(&t->d.heap.parts[part]);
    oracle_tell(&t->right,
                (oracle_event){.kind = and_counts ? ORACLE_FORGET : ORACLE_REST, .part = part});
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        t->slots[part][slot].taken = false;
}

static void rare_step(trace *t, uint32_t part)
{
    uint32_t what = random_below(&t->source, 12);
    if (what == 0) {
        forget(t, part, true);
    } else if (what == 1) {
        forget(t, part, false);
    } else if (what < 4) {
        ft_heap_reset_peak(&t->d.heap);
        oracle_tell(&t->right, (oracle_event){.kind = ORACLE_RESET_PEAK});
    } else {
        ft_heap_forget_places(&t->d.heap.parts[part]);
    }
}

static void step(trace *t, bool grows)
{
    uint32_t part = random_below(&t->source, 3) == 0 ? FT_HEAP_RAW : FT_HEAP_PYTHON;
    uint32_t what = random_below(&t->source, 100);
    bool wants_free = what < (grows ? 50u : 25u);
    uint32_t slot = pick_slot(t, part, !wants_free);
    if (what == 99)
        rare_step(t, part);
    else if (what == 98) /* its end was not heard */
        begin(t, part, random_below(&t->source, SLOTS));
    else if (what == 97)
        guard(t, part, random_below(&t->source, SLOTS));
    else if (slot == SLOTS)
        return;
    else if (wants_free && what % 5 == 0)
        begin_and_end_soon(t, part, slot);
    else if (wants_free)
        begin(t, part, slot);
    else if (what >= 90)
        move(t, part, slot);
    else if (what >= 80)
        reallocate(t, part, slot);
    else
        end(t, part, slot);
}

static bool agrees(trace *t)
{
    static oracle_sums sums[ORACLE_STACKS];
    const ft_heap_head *head = t->d.heap.head;
    if (ft_heap_load(&head->peak) != t->right.peak)
        return false;
    for (uint32_t part = 0; part < 2; part++)
        if (!driver_sum(&t->d, part, sums) || memcmp(sums, t->right.sums[part], sizeof sums) != 0 ||
            ft_heap_load(&head->live[part]) != t->right.live[part] ||
            ft_heap_load(&head->allocated[part]) != t->right.begun[part] ||
            !ft_heap_part_check(&t->d.heap.parts[part]) ||
            !ft_tags_check(&t->d.heap.parts[part].tags))
            return false;
    return true;
}

/* Up and down, so that there is more than one peak. */
static bool run_trace(trace *t, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->source.state = seed;
    t->good = driver_open(&t->d, &ft_mem_system, NULL, 0, seed) == FT_OK;
    if (!t->good)
        return false;
    for (uint32_t i = 0; i < STEPS && t->good; i++) {
        step(t, i / 1000 % 2 == 0);
        if (random_below(&t->source, 40) == 0)
            t->good = t->good && agrees(t);
    }
    bool many = t->d.heap.parts[FT_HEAP_PYTHON].base_count > 1; /* of blocks of cells */
    bool good = t->good && t->d.sound && agrees(t) && many;
    driver_close(&t->d);
    return good;
}

static void test_traces(void)
{
    static trace t;
    int good = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        good += run_trace(&t, seed);
    CHECK(good == SEEDS);
}

int main(void)
{
    test_traces();
    return tap_end();
}
