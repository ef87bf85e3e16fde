/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap.c: the heap's cells against a list of blocks that is added up after each event: random
 * traces of both parts, by site; keys forgotten and learnt anew; sites, points, the timeline. */
#include "engine/record/heap.h"

#include "tests/engine/failing_mem.h"
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
    ft_heap_uncount(in, tag & ~FT_HEAP_GUARD, size);
    if (moved == SLOTS || random_below(&t->source, 8) == 0) {
        ft_heap_put_back(in, tag, (uintptr_t)address, size);
        return;
    }
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
    driver_shift(&t->d, part);
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
        driver_shift(&t->d, part);
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

/* What a point says is alive, by stack, and that its rows sum up to it. */
static bool marks_well(trace *t)
{
    oracle_sums sums[2][ORACLE_STACKS] = {0};
    const ft_block *before = t->d.heap.points;
    uint64_t used = before == NULL ? 0 : before->used, bytes = 0;
    if (ft_heap_mark(&t->d.heap, "here", 4) != FT_OK)
        return false;
    if (t->d.heap.points != before)
        used = 0;
    const char *at = (const char *)ft_block_data(t->d.heap.points) + used;
    const ft_heap_point *point = (const ft_heap_point *)(const void *)at;
    const ft_heap_point_row *rows = (const ft_heap_point_row *)(point + 1);
    for (uint32_t i = 0; i < point->rows; i++) {
        const ft_heap_part *part = &t->d.heap.parts[rows[i].part];
        uint32_t stack = driver_stack_of(&t->d, part, rows[i].site);
        if (stack == ORACLE_STACKS || sums[rows[i].part][stack].live[0] != 0)
            return false;
        sums[rows[i].part][stack].live[0] = rows[i].count;
        sums[rows[i].part][stack].live[1] = rows[i].bytes;
        bytes += rows[i].bytes;
    }
    for (uint32_t i = 0; i < 2 * ORACLE_STACKS; i++) {
        const uint64_t *found = sums[i % 2][i / 2].live;
        if (memcmp(found, t->right.sums[i % 2][i / 2].live, 2 * sizeof *found) != 0)
            return false;
    }
    return bytes == point->moment.live && bytes == t->right.live[0] + t->right.live[1];
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
            t->good = t->good && driver_agrees(&t->d, &t->right) && marks_well(t);
    }
    bool many = t->d.heap.parts[FT_HEAP_PYTHON].base_count > 1; /* of blocks of cells */
    bool good = t->good && t->d.sound && driver_agrees(&t->d, &t->right) && many;
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

/* ---- sites ---- */

/* Stacks that differ innermost share all other sites. */
static void test_deep_stacks(void)
{
    static driver d;
    static ft_heap_place places[FT_HEAP_FRAMES_MAX];
    REQUIRE(driver_open(&d, &ft_mem_system, NULL, 0, 1) == FT_OK);
    ft_heap_part *part = &d.heap.parts[FT_HEAP_PYTHON];
    for (uint32_t i = 0; i < FT_HEAP_FRAMES_MAX; i++)
        places[i] = (ft_heap_place){1 + i % 7, 1 + i};
    uint32_t deepest = ft_heap_site_of(part, places, FT_HEAP_FRAMES_MAX, 0);
    CHECK(deepest == FT_HEAP_FRAMES_MAX && part->site_count == FT_HEAP_FRAMES_MAX);
    uint32_t site = deepest, depth = 0;
    for (; site != 0 && part->known[site - 1].line == 1 + depth; depth++)
        site = part->known[site - 1].parent;
    CHECK(site == 0 && depth == FT_HEAP_FRAMES_MAX);
    places[0].line = 0;
    uint32_t other = ft_heap_site_of(part, places, FT_HEAP_FRAMES_MAX, 0);
    CHECK(other == deepest + 1 && part->known[other - 1].parent == deepest - 1);
    CHECK(ft_heap_site_of(part, places + 1, FT_HEAP_FRAMES_MAX - 1, 0) == deepest - 1);
    CHECK(ft_heap_site_of(part, places, 2, 0) == other + 2); /* its caller has no caller */
    CHECK(ft_heap_site_of(part, places, 2, DRIVER_DOMAIN) == other + 4);
    CHECK(ft_heap_site_of(part, NULL, 0, 0) == other + 5);
    CHECK(ft_heap_site_of(part, NULL, 0, DRIVER_DOMAIN) == other + 6);
    CHECK(ft_heap_site_of(part, NULL, 0, 0) == other + 5);
    CHECK(d.heap.parts[FT_HEAP_RAW].site_count == 0 && ft_heap_part_check(part));
    driver_close(&d);
}

/* The two cells of large blocks are side by side: where a block of cells has room for one only,
 * they go to the next. */
/* How deep a site's stack was: what was said first; a hint that memory may be too short for. */
static void test_depths(void)
{
    static driver d;
    REQUIRE(driver_open(&d, &ft_mem_system, NULL, 0, 1) == FT_OK);
    ft_heap_part *part = &d.heap.parts[FT_HEAP_RAW];
    uint32_t sites[40];
    for (uint32_t i = 0; i < 40; i++)
        sites[i] = ft_heap_site_of(part, &(ft_heap_place){driver_code(&d, part, 1), i + 1}, 1, 0);
    CHECK(ft_heap_depth_of(part, sites[39]) == 0);
    ft_heap_note_depth(part, sites[39], FT_HEAP_FRAMES_MAX);
    ft_heap_note_depth(part, sites[39], 7);
    ft_heap_note_depth(part, sites[2], 7);
    CHECK(ft_heap_depth_of(part, sites[39]) == FT_HEAP_FRAMES_MAX);
    CHECK(ft_heap_depth_of(part, sites[2]) == 7 && ft_heap_depth_of(part, sites[3]) == 0);
    failing_mem none;
    const ft_mem *mem = d.recording.mem;
    REQUIRE(ft_heap_site_of(&d.heap.parts[FT_HEAP_PYTHON], NULL, 0, 0) == 1);
    failing_mem_init(&none, 0);
    d.recording.mem = &none.mem;
    ft_heap_note_depth(&d.heap.parts[FT_HEAP_PYTHON], 1, 7);
    d.recording.mem = mem;
    CHECK(none.failed && ft_heap_depth_of(&d.heap.parts[FT_HEAP_PYTHON], 1) == 0);
    driver_close(&d);
}

static void test_cells_of_large_blocks(void)
{
    static driver d;
    REQUIRE(driver_open(&d, &ft_mem_system, NULL, 0, 1) == FT_OK);
    ft_heap_part *part = &d.heap.parts[FT_HEAP_PYTHON];
    uint32_t site = ft_heap_site_of(part, NULL, 0, 0), tag = 0;
    for (uint32_t size = 0; size < 2; size++)
        tag = ft_heap_tag_of(part, site, size);
    for (uint32_t i = 1; part->base_count == 1; i++) {
        site = ft_heap_site_of(part, &(ft_heap_place){5, i}, 1, 0);
        tag = ft_heap_tag_of(part, site, FT_HEAP_ANY);
    }
    CHECK(ft_heap_cells_in(part, 0) == (1 << FT_HEAP_CELL_BITS) - 2);
    CHECK(tag == (1 << FT_HEAP_CELL_BITS | 1) && ft_heap_cells_in(part, 1) == 2);
    CHECK(ft_heap_tag_of(part, site, 7) == tag + 2 &&
          ft_heap_tag_of(part, site, FT_HEAP_ANY) == tag);
    driver_close(&d);
}

/* A number leads to what the function is called, whether its code is known by its address or not.
 */
static void test_names(void)
{
    static driver d;
    uint32_t length;
    bool good = true;
    REQUIRE(driver_open(&d, &ft_mem_system, NULL, 0, 1) == FT_OK);
    ft_heap_part *parts = d.heap.parts;
    for (uint32_t i = 0; i < 3000; i++) {
        char file[16];
        int written = snprintf(file, sizeof file, "%u.py", i);
        ft_function function = {
            .kind = FT_CODE_PYTHON, .texts = {file, "f", "f"}, .lengths = {(size_t)written, 1, 1}};
        uint32_t number = ft_heap_declare_code(&parts[i % 2], i % 3 == 0 ? file : NULL, &function);
        if (i % 500 == 0) /* each update goes on from what was known */
            good &= ft_code_records_update(&d.heap.records, &d.recording) == FT_OK;
        good &= ft_heap_declare_code(&parts[1 - i % 2], NULL, &function) == number;
        good &= ft_heap_code_of(&parts[i % 2], file) == (i % 3 == 0 ? number : 0);
        ft_heap_forget_places(&parts[i % 2]);
        good &= ft_heap_code_of(&parts[i % 2], file) == 0;
        if (i == 0)
            d.numbers[0] = number;
    }
    CHECK(good && ft_code_records_update(&d.heap.records, &d.recording) == FT_OK);
    for (uint32_t i = 0; i < 3000; i++) {
        char file[16];
        int written = snprintf(file, sizeof file, "%u.py", i);
        const char *text = ft_code_records_file(&d.heap.records, d.numbers[0] + i, &length);
        good &= length == (uint32_t)written && memcmp(text, file, length) == 0;
    }
    CHECK(good && d.heap.records.count == d.numbers[0] + 2999);
    driver_close(&d);
}

/* ---- the timeline ---- */

static bool ascends(const ft_heap *heap, uint64_t count)
{
    const ft_heap_moment *moments = ft_block_data(heap->moments);
    for (uint64_t i = 1; i < count; i++)
        if (moments[i].ticks < moments[i - 1].ticks || moments[i].live <= moments[i - 1].live)
            return false;
    return true;
}

/* Each moment has more alive than the one before, so that it is seen which of them stayed. */
static void test_timeline(void)
{
    static driver d;
    bool good = true;
    REQUIRE(driver_open(&d, &ft_mem_system, NULL, 0, 1) == FT_OK);
    ft_heap *heap = &d.heap;
    uint64_t every = heap->moment_every, most = 0;
    for (uint32_t i = 0; i < 7 * FT_HEAP_MOMENTS_MAX; i++) {
        good &= driver_begin(&d, 0, 1, 0x100000 + 64 * i, 1);
        ft_heap_look_now(heap);
        uint64_t count = heap->moments->used / sizeof(ft_heap_moment);
        most = count > most ? count : most;
        good &= ((const ft_heap_moment *)ft_block_data(heap->moments))[count - 1].live == i + 1;
        if (i % 500 == 0)
            good &= ascends(heap, count);
    }
    const ft_heap_moment *moments = ft_block_data(heap->moments);
    CHECK(good && most == FT_HEAP_MOMENTS_MAX && moments[0].live == 1 && moments[0].rss > 0);
    CHECK(heap->moments->bytes == FT_BLOCK_MIN_BYTES);
    CHECK(heap->moment_every == every); /* asked for in a row they do not stretch its steps */
    uint64_t used = heap->moments->used;
    heap->moment_after = UINT64_MAX;
    ft_heap_look(heap);
    CHECK(heap->moments->used == used);
    driver_close(&d);
}

/* As far apart as they were when there were too many of them, twice as far from then on. */
static void test_thinned_timeline(void)
{
    static driver d;
    REQUIRE(driver_open(&d, &ft_mem_system, NULL, 0, 1) == FT_OK);
    ft_heap *heap = &d.heap;
    ft_heap_look_now(heap);
    uint64_t every = heap->moment_every;
    ft_heap_moment *moments = ft_block_data(heap->moments);
    for (uint32_t i = 0; i < FT_HEAP_MOMENTS_MAX; i++)
        moments[i] = (ft_heap_moment){.ticks = 1000 + i * every, .live = i};
    heap->moments->used = FT_HEAP_MOMENTS_MAX * sizeof *moments;
    ft_heap_look_now(heap);
    CHECK(heap->moment_every == 2 * every);
    CHECK(heap->moments->used == (FT_HEAP_MOMENTS_MAX / 2 + 1) * sizeof *moments);
    CHECK(moments[1].live == 2 && moments[FT_HEAP_MOMENTS_MAX / 2 - 1].live == 2044);
    driver_close(&d);
}

/* Nobody asks a caller for the time; a point has none then. */
static void test_callers_clock(void)
{
    static driver d;
    REQUIRE(driver_open(&d, &ft_mem_system, NULL, 0, 1) == FT_OK);
    ft_recording_use_callers_clock(&d.recording, 1);
    ft_heap_look(&d.heap);
    ft_heap_look_now(&d.heap);
    CHECK(ft_heap_mark(&d.heap, "p", 1) == FT_OK && d.heap.moments == NULL);
    CHECK(((const ft_heap_point *)ft_block_data(d.heap.points))->moment.ticks == 0);
    driver_close(&d);
}

int main(void)
{
    test_traces();
    test_deep_stacks();
    test_depths();
    test_cells_of_large_blocks();
    test_names();
    test_timeline();
    test_thinned_timeline();
    test_callers_clock();
    return tap_end();
}
