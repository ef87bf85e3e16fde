/* SPDX-License-Identifier: Apache-2.0 */
/* test_hit_curve_sampled.c: curves of many keys, which must sample, against simulated LRU.
 *
 * What may be expected: the far distance of a key is estimated from a sample of at most
 * n = FT_HIT_FAR far keys, so its relative error has a standard deviation of 1 / sqrt(n), 3.1 %,
 * where all n are nearer, which is the worst. A loop's curve is a cliff that is put off by that
 * much: on average over all sizes up to the cliff that is an error of sqrt(2 / pi) * 3.1 % = 2.5 %
 * where it comes too early and 0 where it comes too late, 1.3 % in the mean; slopes are less
 * sensitive. So the mean over traces is asked to be below 2 %, one trace to be within four standard
 * deviations. Sizes up to FT_HIT_NEAR are asked to be exact. Seeds are fixed. */
#include "engine/stats/hit_curve.h"

#include <math.h>

#include "tests/engine/hit_model.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { CALLS = 300000, MOST_KEYS = 400000, SEEDS = 5, SIZES = 30 };

static const double MEAN_ERROR = 0.02, DEVIATION = 0.03125; /* 1 / sqrt(FT_HIT_FAR) */

typedef struct trace {
    uint32_t keys;
    uint32_t key[CALLS];
    double heavier[MOST_KEYS]; /* for zipf: the probability of a key up to this one */
} trace;

static double draw_share(random_source *source)
{
    return (double)(random_next(source) >> 11) * 0x1p-53;
}

static void prepare_zipf(trace *drawn, double exponent)
{
    double sum = 0;
    for (uint32_t key = 0; key < drawn->keys; key++)
        drawn->heavier[key] = sum += pow(key + 1, -exponent);
    for (uint32_t key = 0; key < drawn->keys; key++)
        drawn->heavier[key] /= sum;
}

static uint32_t draw_zipf(const trace *drawn, random_source *source)
{
    double share = draw_share(source);
    uint32_t low = 0, high = drawn->keys - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (drawn->heavier[middle] < share)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void draw_zipf_trace(trace *drawn, random_source *source, uint32_t keys, double exponent)
{
    drawn->keys = keys;
    prepare_zipf(drawn, exponent);
    for (uint32_t i = 0; i < CALLS; i++)
        drawn->key[i] = draw_zipf(drawn, source);
}

static void draw_zipf_flat(trace *drawn, random_source *source)
{
    draw_zipf_trace(drawn, source, 40000, 0.7);
}

static void draw_zipf_steep(trace *drawn, random_source *source)
{
    draw_zipf_trace(drawn, source, 400000, 1.0);
}

static void draw_loop(trace *drawn, random_source *source)
{
    drawn->keys = 21000 + random_below(source, 60000);
    for (uint32_t i = 0; i < CALLS; i++)
        drawn->key[i] = i % drawn->keys;
}

/* A few hot keys, and a scan that never comes back. */
static void draw_scan(trace *drawn, random_source *source)
{
    drawn->keys = 300 + CALLS;
    for (uint32_t i = 0; i < CALLS; i++)
        drawn->key[i] = random_below(source, 2) ? random_below(source, 300) : 300 + i;
}

/* Each call three times, in a loop, with hot keys between. */
static void draw_mixture(trace *drawn, random_source *source)
{
    drawn->keys = 50000;
    prepare_zipf(drawn, 0.9);
    for (uint32_t i = 0; i < CALLS; i++)
        drawn->key[i] = i % 4 == 3 ? draw_zipf(drawn, source) : i / 4 % 30000;
}

typedef struct found {
    double error;      /* mean over sizes, of the hit ratio */
    double keys_error; /* relative */
    int near_exact, bounded;
    int whole; /* with room for all keys, what is not a first call is a hit */
} found;

static uint32_t distinct_of(const trace *given)
{
    uint8_t *seen = calloc(given->keys, 1);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        distinct += !seen[given->key[i]];
        seen[given->key[i]] = 1;
    }
    free(seen);
    return distinct;
}

static double error_at(const ft_hit_histogram *histogram, const trace *given, uint32_t size)
{
    double right = (double)lru_hits(given->key, CALLS, given->keys, size) / CALLS;
    return fabs(ft_hit_histogram_ratio(histogram, size) - right);
}

static int is_bounded(const caller *self, const ft_hit_histogram *histogram)
{
    const ft_hit_curve *curve = &self->curve;
    return self->most_kept <= FT_HIT_KEYS && curve->given <= FT_HIT_ITEMS &&
           curve->capacity <= FT_HIT_ITEMS * 3 / 2 + 16 &&
           curve->near.items <= FT_HIT_ITEMS * 3 / 2 + 16 &&
           curve->near.words <= FT_HIT_NEAR / 16 && curve->far.items <= FT_HIT_ITEMS * 3 / 2 + 16 &&
           curve->far.words <= FT_HIT_FAR / 16 &&
           histogram->slots * sizeof *histogram->hits <= 65536;
}

static found measure(const trace *given, uint64_t hash_base)
{
    static caller self;
    found result = {.near_exact = 1, .bounded = 1};
    ft_hit_histogram histogram;
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    caller_init(&self, &ft_mem_system, given->keys);
    for (uint32_t i = 0; i < CALLS; i++) {
        uint32_t key = given->key[i];
        result.bounded &= caller_call(&self, &histogram, key, hash_base + key) == FT_OK;
        if (i % 30000 == 0)
            result.bounded &= ft_hit_curve_check(&self.curve);
    }
    uint32_t distinct = distinct_of(given);
    for (uint32_t i = 1; i <= SIZES; i++)
        result.error += error_at(&histogram, given, distinct / SIZES * i) / SIZES;
    for (uint32_t size = 1; size <= FT_HIT_NEAR; size = size * 2)
        result.near_exact &= error_at(&histogram, given, size) == 0;
    result.keys_error = fabs(ft_hit_histogram_keys(&histogram) / distinct - 1);
    double hits = ft_hit_histogram_ratio(&histogram, UINT64_MAX) * CALLS;
    result.whole =
        histogram.far == 0 || fabs(hits + ft_hit_histogram_keys(&histogram) - CALLS) < 1e-6 * CALLS;
    result.bounded &= self.good && !histogram.exact && is_bounded(&self, &histogram);
    caller_fini(&self);
    ft_hit_histogram_fini(&histogram);
    return result;
}

static void test_traces(const char *name, void (*draw)(trace *drawn, random_source *source))
{
    static trace drawn;
    double error = 0, keys_error = 0, worst = 0, worst_keys = 0;
    int near_exact = 1, bounded = 1, whole = 1;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        random_source source = {1000 + seed};
        draw(&drawn, &source);
        found result = measure(&drawn, seed << 40);
        error += result.error / SEEDS;
        keys_error += result.keys_error / SEEDS;
        worst = fmax(worst, result.error);
        worst_keys = fmax(worst_keys, result.keys_error);
        near_exact &= result.near_exact;
        bounded &= result.bounded;
        whole &= result.whole;
    }
    printf("# %s: error %.4f, worst trace %.4f; of keys %.4f, %.4f\n", name, error, worst,
           keys_error, worst_keys);
    CHECK(error < MEAN_ERROR);
    CHECK(worst < 4 * DEVIATION);
    CHECK(keys_error < 1.5 * DEVIATION && worst_keys < 4 * DEVIATION);
    CHECK(near_exact);
    CHECK(bounded);
    CHECK(whole);
}

/* Keys of one hash can not be sampled: what is near is exact all the same, and it ends. */
static void test_one_hash(void)
{
    static trace drawn;
    static caller self;
    random_source source = {5};
    ft_hit_histogram histogram;
    draw_zipf_trace(&drawn, &source, 30000, 0.9);
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    caller_init(&self, &ft_mem_system, drawn.keys);
    for (uint32_t i = 0; i < CALLS; i++)
        caller_call(&self, &histogram, drawn.key[i], 42);
    CHECK(self.good && self.most_kept <= FT_HIT_KEYS && ft_hit_curve_check(&self.curve));
    CHECK(!histogram.exact && error_at(&histogram, &drawn, 1) == 0);
    CHECK(error_at(&histogram, &drawn, FT_HIT_NEAR) == 0);
    double hits = 0;
    for (ft_hit_step step = {0}; ft_hit_histogram_next(&histogram, &step);)
        hits = step.hits;
    CHECK(hits > 0 && hits <= CALLS);
    caller_fini(&self);
    ft_hit_histogram_fini(&histogram);
}

/* Two caches of one function, one that samples and one that does not. */
static void test_two_rates(void)
{
    static trace drawn;
    static caller large, small;
    random_source source = {6};
    ft_hit_histogram histogram;
    draw_loop(&drawn, &source);
    ft_hit_histogram_init(&histogram, &ft_mem_system);
    caller_init(&large, &ft_mem_system, drawn.keys);
    caller_init(&small, &ft_mem_system, 2000);
    for (uint32_t i = 0; i < CALLS; i++) {
        caller_call(&large, &histogram, drawn.key[i], drawn.key[i]);
        caller_call(&small, &histogram, i % 2000, i % 2000);
    }
    double rounds = (double)CALLS / drawn.keys, whole = floor(rounds);
    double half = (CALLS - 2000) / (2.0 * CALLS); /* the small loop, with room for it */
    double all = half + (CALLS - drawn.keys) / (2.0 * CALLS);
    CHECK(whole >= 3);
    CHECK(ft_hit_histogram_ratio(&histogram, 1999) < 4 * DEVIATION);
    CHECK(fabs(ft_hit_histogram_ratio(&histogram, 2000) - half) < 4 * DEVIATION);
    CHECK(fabs(ft_hit_histogram_ratio(&histogram, drawn.keys / 5 * 4) - half) < 4 * DEVIATION);
    CHECK(fabs(ft_hit_histogram_ratio(&histogram, drawn.keys / 4 * 5) - all) < 4 * DEVIATION);
    CHECK(large.good && small.good && small.kept == 2000);
    caller_fini(&large);
    caller_fini(&small);
    ft_hit_histogram_fini(&histogram);
}

int main(void)
{
    test_traces("zipf, flat", draw_zipf_flat);
    test_traces("zipf, steep", draw_zipf_steep);
    test_traces("loop", draw_loop);
    test_traces("scan", draw_scan);
    test_traces("mixture", draw_mixture);
    test_one_hash();
    test_two_rates();
    return tap_end();
}
