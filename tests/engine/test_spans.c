/* SPDX-License-Identifier: Apache-2.0 */
/* test_spans.c: collections and threads' spans of recordings: what is refused, and merges. */
#include "engine/model/spans.h"

#include "engine/model/plain.h"
#include "engine/model/prune.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { SEEDS = 200, NODES = 20 };

static void test_orders(void)
{
    ft_spans spans;
    ft_spans_init(&spans, &ft_mem_system);
    const ft_collection first = {.process = 1, .start = 5}, same = first;
    const ft_collection before = {.process = 1, .start = 4}, less = {.process = 0, .start = 9};
    CHECK(ft_spans_add_collection(&spans, &first) == FT_OK);
    CHECK(ft_spans_add_collection(&spans, &same) == FT_OK);
    CHECK(ft_spans_add_collection(&spans, &before) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_collection(&spans, &less) == FT_ERR_CORRUPT);
    const ft_collection_sum sum = {.process = 1, .generation = 1, .count = 2, .time = 5},
                            none = {.process = 2, .time = 5},
                            longer = {.process = 2, .count = 1, .time = 5, .longest = 6},
                            younger = {.process = 1, .generation = 0, .count = 1};
    CHECK(ft_spans_add_sum(&spans, &sum) == FT_OK);
    CHECK(ft_spans_add_sum(&spans, &sum) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_sum(&spans, &none) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_sum(&spans, &longer) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_sum(&spans, &younger) == FT_ERR_CORRUPT);
    const ft_thread_span thread = {1, 1, 7, FT_SPAN_OPEN}, nobody = {2, 0, 7, 8},
                         backwards = {2, 1, 7, 6}, never = {2, 1, FT_SPAN_OPEN, FT_SPAN_OPEN},
                         earlier = {1, 1, 6, 8}, other = {0, 1, 9, 9}, empty = {1, 1, 7, 7};
    CHECK(ft_spans_add_thread(&spans, &thread) == FT_OK);
    CHECK(ft_spans_add_thread(&spans, &nobody) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_thread(&spans, &backwards) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_thread(&spans, &never) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_thread(&spans, &earlier) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_thread(&spans, &other) == FT_ERR_CORRUPT);
    CHECK(ft_spans_add_thread(&spans, &empty) == FT_OK);
    CHECK(spans.collection_count == 2 && spans.sum_count == 1 && spans.thread_count == 2);
    CHECK(ft_spans_are_valid(&spans, 2, 2));
    CHECK(!ft_spans_are_valid(&spans, 1, 2) && !ft_spans_are_valid(&spans, 2, 1));
    ft_spans_fini(&spans);
}

static bool has_collections(const ft_spans *whole, uint32_t at, const ft_spans *part,
                            uint32_t processes)
{
    bool good = true;
    for (uint32_t i = 0; i < part->collection_count && good; i++) {
        ft_collection have = whole->collections[at + i];
        have.process -= processes;
        good = memcmp(&have, &part->collections[i], sizeof have) == 0;
    }
    return good;
}

static bool has_sums(const ft_spans *whole, uint32_t at, const ft_spans *part, uint32_t processes)
{
    bool good = true;
    for (uint32_t i = 0; i < part->sum_count && good; i++) {
        ft_collection_sum have = whole->sums[at + i];
        have.process -= processes;
        good = memcmp(&have, &part->sums[i], sizeof have) == 0;
    }
    return good;
}

static bool has_threads(const ft_spans *whole, uint32_t at, const ft_spans *part, uint32_t threads)
{
    bool good = true;
    for (uint32_t i = 0; i < part->thread_count && good; i++) {
        const ft_thread_span *x = &whole->threads[at + i], *y = &part->threads[i];
        good = x->thread == threads + y->thread && x->uses == y->uses && x->start == y->start &&
               x->end == y->end;
    }
    return good;
}

static bool is_merged(uint64_t seed)
{
    ft_profile first, second, whole;
    make_profile(&first, seed, NODES);
    make_profile(&second, seed + SEEDS, NODES);
    must(ft_profile_init(&whole, &ft_mem_system) == FT_OK);
    must(ft_profile_merge(&whole, &first) == FT_OK);
    must(ft_profile_merge(&whole, &second) == FT_OK);
    const ft_spans *a = &first.spans, *b = &second.spans, *all = &whole.spans;
    bool good = all->collection_count == a->collection_count + b->collection_count &&
                all->sum_count == a->sum_count + b->sum_count &&
                all->thread_count == a->thread_count + b->thread_count &&
                has_collections(all, 0, a, 0) && has_sums(all, 0, a, 0) &&
                has_threads(all, 0, a, 0) &&
                has_collections(all, a->collection_count, b, first.process_count) &&
                has_sums(all, a->sum_count, b, first.process_count) &&
                has_threads(all, a->thread_count, b, first.thread_count) &&
                ft_profile_check(&whole) == FT_OK;
    ft_profile_fini(&whole);
    ft_profile_fini(&second);
    ft_profile_fini(&first);
    return good;
}

static void test_merge(void)
{
    bool good = true;
    for (uint64_t seed = 0; seed < SEEDS && good; seed++)
        good = is_merged(seed);
    CHECK(good);
}

/* What is made of a profile without its tasks, or of a part of its nodes, has them too. */
static void test_copies(void)
{
    ft_profile profile, plain, pruned;
    ft_pruned left_out;
    make_full_profile(&profile, NODES);
    must(ft_profile_init(&plain, &ft_mem_system) == FT_OK);
    must(ft_profile_init(&pruned, &ft_mem_system) == FT_OK);
    must(ft_plain(&plain, &profile) == FT_OK);
    const ft_prune_limits limits = {.nodes = 5, .frames = 50};
    must(ft_prune(&pruned, &profile, limits, &left_out) == FT_OK);
    CHECK(same_spans(&plain, &profile) && ft_profile_check(&plain) == FT_OK);
    CHECK(same_spans(&pruned, &profile) && ft_profile_check(&pruned) == FT_OK);
    ft_profile_fini(&pruned);
    ft_profile_fini(&plain);
    ft_profile_fini(&profile);
}

/* Without memory a merge leaves into as it was. */
static ft_status merge_twice(const ft_mem *mem)
{
    ft_spans from, into;
    ft_status status = FT_OK;
    ft_spans_init(&from, &ft_mem_system);
    ft_spans_init(&into, mem);
    for (uint32_t i = 0; i < 40; i++) {
        const ft_collection collection = {.process = i / 9, .start = i};
        const ft_collection_sum sum = {.process = i / 4, .generation = i % 4, .count = 1};
        const ft_thread_span span = {i / 3, 1, i, FT_SPAN_OPEN};
        must(ft_spans_add_collection(&from, &collection) == FT_OK);
        must(ft_spans_add_sum(&from, &sum) == FT_OK);
        must(ft_spans_add_thread(&from, &span) == FT_OK);
    }
    for (uint32_t times = 0; times < 2 && status == FT_OK; times++) {
        const ft_spans before = into;
        status = ft_spans_merge(&into, &from, 10 * times, 20 * times);
        uint32_t expected = status == FT_OK ? 40 * (times + 1) : before.collection_count;
        must(into.collection_count == expected && into.sum_count == expected &&
             into.thread_count == expected && ft_spans_are_valid(&into, 20, 40));
    }
    ft_spans_fini(&into);
    ft_spans_fini(&from);
    return status;
}

int main(void)
{
    test_orders();
    test_merge();
    test_copies();
    CHECK(sweep(merge_twice));
    return tap_end();
}
