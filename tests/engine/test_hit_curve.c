/* SPDX-License-Identifier: Apache-2.0 */
/* test_hit_curve.c: curves that sample nothing, against LRU simulated at every size. */
#include "engine/stats/hit_curve.h"

#include <string.h>

#include "tests/engine/hit_model.h"
#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST_CALLS = 20000, SEEDS = 24 };

typedef struct trace {
    uint32_t keys, calls;
    uint32_t key[MOST_CALLS];
} trace;

/* Hot keys, loops, the same again, anything, of so many keys. */
static void draw_trace(trace *drawn, random_source *source, uint32_t keys, uint32_t calls)
{
    uint32_t kind = random_below(source, 5), last = 0;
    drawn->keys = keys;
    drawn->calls = calls;
    for (uint32_t i = 0; i < calls; i++) {
        uint32_t any = random_below(source, keys);
        switch (kind == 4 ? random_below(source, 4) : kind) {
        case 0:
            last = i % keys;
            break;
        case 1:
            last = random_below(source, 1 + any);
            break;
        case 2:
            last = random_below(source, 3) ? last : any;
            break;
        default:
            last = any;
        }
        drawn->key[i] = last;
    }
}

static uint32_t distinct_of(const trace *given)
{
    uint8_t *seen = calloc(given->keys, 1);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < given->calls; i++) {
        distinct += !seen[given->key[i]];
        seen[given->key[i]] = 1;
    }
    free(seen);
    return distinct;
}

/* Feeds a trace, and whether the curve kept its invariant. */
static int feed(caller *self, ft_hit_histogram *histogram, const trace *given)
{
    int good = 1;
    for (uint32_t i = 0; i < given->calls; i++) {
        good &= caller_call(self, histogram, given->key[i], given->key[i]) == FT_OK;
        if (i % 1000 == 0)
            good &= ft_hit_curve_check(&self->curve);
    }
    return good && self->good && ft_hit_curve_check(&self->curve);
}

/* Whether ratio and steps say what LRU of that size hits: to the last digit. */
static int agrees(const ft_hit_histogram *histogram, const trace *given, uint32_t size)
{
    double hits = (double)lru_hits(given->key, given->calls, given->keys, size), stepped = 0;
    for (ft_hit_step step = {0}; ft_hit_histogram_next(histogram, &step) && step.size <= size;)
        stepped = step.hits;
    return stepped == hits &&
           ft_hit_histogram_ratio(histogram, size) == hits / (double)histogram->calls;
}

static int run_seed(uint64_t seed)
{
    static trace drawn;
    static caller self;
    random_source source = {seed};
    uint32_t keys = 1 + random_below(&source, seed % 2 ? FT_HIT_KEYS : 200);
    draw_trace(&drawn, &source, keys, seed % 2 ? MOST_CALLS : 3000);
    ft_hit_histogram histogram;
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    caller_init(&self, &ft_mem_system, keys);
    int good = feed(&self, &histogram, &drawn);
    uint32_t by = seed % 2 ? 1 + keys / 100 : 1;
    for (uint32_t size = 0; size <= keys + by && good; size += by)
        good = agrees(&histogram, &drawn, size);
    good &= histogram.exact && histogram.calls == drawn.calls;
    good &= ft_hit_histogram_keys(&histogram) == distinct_of(&drawn);
    good &= self.kept == distinct_of(&drawn);
    caller_fini(&self);
    ft_hit_histogram_fini(&histogram);
    return good;
}

static void test_against_lru(void)
{
    int good = 1;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        if (run_seed(seed))
            continue;
        printf("# seed %llu\n", (unsigned long long)seed);
        good = 0;
    }
    CHECK(good);
}

/* The largest number of keys that is exact, and one more. */
static void test_limit(void)
{
    static trace drawn;
    static caller self;
    for (uint32_t more = 0; more < 2; more++) {
        drawn.keys = FT_HIT_KEYS + more;
        drawn.calls = 4 * drawn.keys;
        for (uint32_t i = 0; i < drawn.calls; i++)
            drawn.key[i] = i % drawn.keys;
        ft_hit_histogram histogram;
        ft_hit_histogram_init(&histogram, &ft_mem_system);
        caller_init(&self, &ft_mem_system, drawn.keys);
        CHECK(feed(&self, &histogram, &drawn) && self.kept <= FT_HIT_KEYS);
        CHECK(histogram.exact == (more == 0) && self.kept >= FT_HIT_KEYS - 9 * more);
        if (more == 0)
            CHECK(agrees(&histogram, &drawn, FT_HIT_KEYS) &&
                  agrees(&histogram, &drawn, FT_HIT_KEYS - 1));
        caller_fini(&self);
        ft_hit_histogram_fini(&histogram);
    }
}

/* Three caches of one function: its hits are the sum of theirs. */
static void test_several_curves(void)
{
    static trace drawn[3];
    static caller self[3];
    random_source source = {3};
    ft_hit_histogram histogram;
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    uint32_t keys = 0;
    for (uint32_t i = 0; i < 3; i++) {
        draw_trace(&drawn[i], &source, 40 + 300 * i, 4000);
        caller_init(&self[i], &ft_mem_system, drawn[i].keys);
        keys += distinct_of(&drawn[i]);
    }
    int good = 1;
    for (uint32_t call = 0; call < 4000; call++)
        for (uint32_t i = 0; i < 3; i++)
            good &= caller_call(&self[i], &histogram, drawn[i].key[call], call) == FT_OK;
    for (uint32_t size = 0; size < 700; size++) {
        uint64_t hits = 0;
        for (uint32_t i = 0; i < 3; i++)
            hits += lru_hits(drawn[i].key, 4000, drawn[i].keys, size);
        good &= ft_hit_histogram_ratio(&histogram, size) == (double)hits / 12000;
    }
    CHECK(good && histogram.exact && ft_hit_histogram_keys(&histogram) == keys);
    for (uint32_t i = 0; i < 3; i++)
        caller_fini(&self[i]);
    ft_hit_histogram_fini(&histogram);
}

/* Calls that fail store nothing: they are misses, and to the others as if they had not been. */
static void test_failing_calls(void)
{
    static trace drawn, stored;
    static caller self;
    random_source source = {5};
    ft_hit_histogram histogram;
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    draw_trace(&drawn, &source, 400, 5000);
    stored = (trace){.keys = 400};
    caller_init(&self, &ft_mem_system, drawn.keys);
    for (uint32_t i = 0; i < drawn.calls; i++) {
        uint32_t key = drawn.key[i];
        if (key % 3 == 0) {
            ft_hit_curve_miss(&self.curve, &histogram, key);
            continue;
        }
        stored.key[stored.calls++] = key;
        caller_call(&self, &histogram, key, key);
    }
    int good = histogram.calls == drawn.calls && histogram.exact;
    for (uint32_t size = 0; size < 410; size++) {
        double hits = (double)lru_hits(stored.key, stored.calls, stored.keys, size);
        good &= ft_hit_histogram_ratio(&histogram, size) == hits / (double)drawn.calls;
    }
    CHECK(good && ft_hit_histogram_keys(&histogram) == distinct_of(&stored));
    caller_fini(&self);
    ft_hit_histogram_fini(&histogram);
}

/* The call of a recursive function, whose key is added when its value is there. */
static void call_fibonacci(caller *self, ft_hit_histogram *histogram, uint32_t n)
{
    uint32_t item = self->item_of[n];
    if (item != NOT_KEPT) {
        ft_hit_curve_touch(&self->curve, histogram, item);
        return;
    }
    ft_hit_curve_miss(&self->curve, histogram, n);
    if (n > 1) {
        call_fibonacci(self, histogram, n - 1);
        call_fibonacci(self, histogram, n - 2);
    }
    if (ft_hit_curve_add(&self->curve, histogram, n, &item) == FT_OK)
        self->item_of[n] = item;
}

/* f(n) calls f(n - 1), which ends with a hit of f(n - 3) and stores n - 1; so the f(n - 2) that it
 * calls then is the third from the top. Of 2n - 1 calls n - 2 are hits, with room for three. */
static void test_recursion(void)
{
    static caller self;
    ft_hit_histogram histogram;
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    caller_init(&self, &ft_mem_system, 101);
    call_fibonacci(&self, &histogram, 100);
    CHECK(histogram.calls == 199 && ft_hit_histogram_keys(&histogram) == 101);
    CHECK(ft_hit_histogram_ratio(&histogram, 3) == 98.0 / 199);
    CHECK(ft_hit_histogram_ratio(&histogram, 100) == 98.0 / 199);
    CHECK(ft_hit_histogram_ratio(&histogram, 2) == 0);
    caller_fini(&self);
    ft_hit_histogram_fini(&histogram);
}

static void test_empty(void)
{
    ft_hit_histogram histogram;
    ft_hit_curve curve;
    ft_hit_step step = {0};
    uint32_t item;
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    ft_hit_curve_init(&curve, &ft_mem_system);
    CHECK(!ft_hit_curve_drop(&curve, &histogram, &item) && ft_hit_curve_check(&curve));
    CHECK(histogram.exact && ft_hit_histogram_ratio(&histogram, 10) == 0);
    CHECK(!ft_hit_histogram_next(&histogram, &step) && ft_hit_histogram_keys(&histogram) == 0);
    ft_hit_curve_miss(&curve, &histogram, 1);
    CHECK(histogram.calls == 1 && ft_hit_histogram_ratio(&histogram, UINT64_MAX) == 0);
    ft_hit_curve_fini(&curve);
    ft_hit_curve_fini(&curve);
    ft_hit_histogram_fini(&histogram);
}

/* Each distance counts at a size that is not below it, at itself while there is a slot for each,
 * and at most 1/64 above; the slots end. */
static void test_slots(void)
{
    random_source source = {9};
    int good = 1;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t distance = (uint32_t)random_next(&source) >> i % 32;
        distance += distance == 0;
        ft_hit_histogram histogram;
        ft_hit_histogram_init(&histogram, &ft_mem_system);
        ft_hit_step step = {0};
        good &= ft_hit_histogram_add(&histogram, distance, 1) == FT_OK;
        histogram.calls = 1;
        good &= ft_hit_histogram_next(&histogram, &step) && step.hits == 1;
        good &= step.size >= distance && step.size - distance <= distance / FT_HIT_STEPS;
        good &= distance >= FT_HIT_FINE || step.size == distance;
        good &= histogram.slots * sizeof *histogram.hits <= 65536;
        ft_hit_histogram_fini(&histogram);
    }
    CHECK(good);
    ft_hit_histogram histogram;
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    CHECK(ft_hit_histogram_add(&histogram, 1e300, 1) == FT_OK);
    CHECK(histogram.slots * sizeof *histogram.hits <= 65536);
    ft_hit_histogram_fini(&histogram);
}

static ft_status fill(const ft_mem *mem)
{
    static caller self;
    random_source source = {13};
    ft_hit_histogram histogram;
    ft_status status = FT_OK;
    ft_hit_histogram_init(&histogram, mem);
    caller_init(&self, mem, 5000);
    for (uint32_t i = 0; i < 10000 && status == FT_OK; i++) {
        uint32_t key = random_below(&source, 1 + i / 2);
        status = caller_call(&self, &histogram, key, key);
        /* a far key that was dropped for lack of memory is no error of the call, but known */
        if (status == FT_OK && ((const failing_mem *)mem->context)->failed)
            status = FT_ERR_MEMORY;
    }
    if (!self.good || !ft_hit_curve_check(&self.curve))
        status = FT_ERR_CORRUPT;
    if (status == FT_ERR_MEMORY && histogram.exact)
        status = FT_ERR_CORRUPT;
    caller_fini(&self);
    ft_hit_histogram_fini(&histogram);
    return status;
}

/* Out of memory now and then: the curve goes on, and what it says is within reason. */
static void test_comes_back(void)
{
    static caller self;
    random_source source = {17};
    failing_mem memory;
    failing_mem_init(&memory, 0);
    ft_hit_histogram histogram;
    ft_hit_histogram_init(&histogram, &memory.mem);
    caller_init(&self, &memory.mem, 5000);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < 40000; i++) {
        uint32_t key = random_below(&source, 1 + i / 8);
        memory.left = i % 5 == 0 ? 3 : 0;
        refused += caller_call(&self, &histogram, key, key) != FT_OK;
    }
    CHECK(self.good && ft_hit_curve_check(&self.curve));
    CHECK(refused > 0 && !histogram.exact && histogram.calls == 40000);
    double last = 0;
    for (ft_hit_step step = {0}; ft_hit_histogram_next(&histogram, &step); last = step.hits)
        if (step.hits <= last || step.hits > 40000)
            refused = 0;
    CHECK(refused > 0 && last > 0);
    caller_fini(&self);
    ft_hit_histogram_fini(&histogram);
    CHECK(memory.live == 0);
}

int main(void)
{
    test_against_lru();
    test_limit();
    test_several_curves();
    test_failing_calls();
    test_recursion();
    test_empty();
    test_slots();
    CHECK(sweep(fill));
    test_comes_back();
    return tap_end();
}
