/* SPDX-License-Identifier: Apache-2.0 */
/* test_perfect.c: the table of known hashes against a search from end to end. */
#include "engine/cache/perfect.h"

#include <string.h>

#include "tests/engine/failing_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { MOST = 1500, SEEDS = 120, MANY = 100000 };

/* Whether exactly the members whose hash it is are found, each once. */
static int finds(const ft_perfect *table, const uint64_t *hashes, uint32_t count, uint64_t hash)
{
    static unsigned char seen[MANY]; /* large for a stack */
    memset(seen, 0, count);
    const ft_perfect_place *place = ft_perfect_first(table, hash);
    for (; place != NULL; place = ft_perfect_next(table, place)) {
        uint32_t member = place->member - 1;
        if (member >= count || seen[member] || hashes[member] != hash)
            return 0;
        seen[member] = 1;
    }
    for (uint32_t i = 0; i < count; i++)
        if (seen[i] != (hashes[i] == hash))
            return 0;
    return 1;
}

/* Hashes as they come in life: small numbers, pointers, pairs, extremes, equal ones, anything. */
static uint64_t draw_hash(random_source *source, uint32_t kind)
{
    switch (kind) {
    case 0:
        return random_below(source, 400);
    case 1:
        return UINT64_C(0x7f0000000000) + 16 * (uint64_t)random_below(source, 3000);
    case 2:
        return (uint64_t)random_below(source, 40) << 32 | random_below(source, 40);
    case 3:
        return UINT64_MAX - random_below(source, 3);
    case 4:
        return (uint64_t)random_below(source, 500) << 48;
    case 5:
        return UINT64_C(1) << random_below(source, 64);
    default:
        return random_next(source);
    }
}

static int run_seed(uint64_t seed)
{
    static uint64_t hashes[MOST]; /* large for a stack */
    random_source source = {seed};
    ft_perfect table;
    uint32_t count = random_below(&source, seed % 2 ? 12 : MOST);
    uint32_t kind = random_below(&source, 9);
    for (uint32_t i = 0; i < count; i++)
        hashes[i] = draw_hash(&source, kind == 8 ? random_below(&source, 8) : kind);
    if (ft_perfect_init(&table, &ft_mem_system, hashes, count) != FT_OK)
        return 0;
    int good = ft_perfect_check(&table, hashes) && ft_perfect_bytes(&table) > 0;
    for (uint32_t i = 0; i < count && good; i++)
        good = finds(&table, hashes, count, hashes[i]);
    for (uint32_t i = 0; i < 300 && good; i++)
        good = finds(&table, hashes, count, draw_hash(&source, i % 8));
    ft_perfect_fini(&table);
    ft_perfect_fini(&table);
    return good;
}

static void test_against_a_search(void)
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

/* Whether each hash leads to its member in one look, without a chain. */
static int is_perfect(const uint64_t *hashes, uint32_t count)
{
    ft_perfect table;
    if (ft_perfect_init(&table, &ft_mem_system, hashes, count) != FT_OK)
        return 0;
    int good = table.chained == 0 && table.size <= 2 * count + 2;
    for (uint32_t i = 0; i < count && good; i++) {
        const ft_perfect_place *place = ft_perfect_first(&table, hashes[i]);
        good = place != NULL && place->member == i + 1 && ft_perfect_next(&table, place) == NULL;
    }
    ft_perfect_fini(&table);
    return good;
}

static void test_different_hashes_have_places_of_their_own(void)
{
    static uint64_t hashes[MANY];
    random_source source = {1};
    for (uint32_t i = 0; i < MANY; i++)
        hashes[i] = i;
    CHECK(is_perfect(hashes, 1) && is_perfect(hashes, 2) && is_perfect(hashes, 26));
    CHECK(is_perfect(hashes, MANY));
    for (uint32_t i = 0; i < MANY; i++)
        hashes[i] = UINT64_C(0x55d0c0000000) + 48 * (uint64_t)i;
    CHECK(is_perfect(hashes, MANY));
    for (uint32_t i = 0; i < MANY; i++)
        hashes[i] = (uint64_t)i << 40;
    CHECK(is_perfect(hashes, MANY));
    for (uint32_t i = 0; i < MANY; i++)
        hashes[i] = random_next(&source);
    CHECK(is_perfect(hashes, MANY));
    for (uint32_t i = 0; i < 64; i++)
        hashes[i] = UINT64_C(1) << i;
    CHECK(is_perfect(hashes, 64));
}

static void test_equal_hashes_are_a_chain(void)
{
    static uint64_t hashes[MANY];
    ft_perfect table;
    for (uint32_t i = 0; i < MANY; i++)
        hashes[i] = i < MANY / 2 ? 77 : i;
    REQUIRE(ft_perfect_init(&table, &ft_mem_system, hashes, MANY) == FT_OK);
    CHECK(ft_perfect_check(&table, hashes));
    CHECK(table.chained == MANY / 2 - 1);
    CHECK(finds(&table, hashes, MANY, 77) && finds(&table, hashes, MANY, MANY - 1));
    CHECK(finds(&table, hashes, MANY, 78));
    ft_perfect_fini(&table);
}

/* Hashes that somebody chose so that all fall into one bucket, which no displacement spreads. */
static void test_one_bucket(void)
{
    static uint64_t hashes[MOST];
    ft_perfect table;
    uint32_t count = 0, buckets = MOST / 4 + 1;
    for (uint64_t hash = 0; count < MOST; hash++)
        if (ft_perfect_below(ft_perfect_mix(hash), buckets) == 3)
            hashes[count++] = hash;
    REQUIRE(ft_perfect_init(&table, &ft_mem_system, hashes, count) == FT_OK);
    CHECK(table.buckets == buckets && table.chained > 0);
    int good = ft_perfect_check(&table, hashes);
    for (uint32_t i = 0; i < count; i++)
        good &= finds(&table, hashes, count, hashes[i]);
    for (uint64_t hash = 0; hash < 2000; hash++)
        good &= finds(&table, hashes, count, hash);
    CHECK(good);
    ft_perfect_fini(&table);
}

static void test_none(void)
{
    ft_perfect table = {0};
    CHECK(ft_perfect_init(&table, &ft_mem_system, NULL, (size_t)FT_PERFECT_MOST + 1) ==
          FT_ERR_LIMIT);
    CHECK(table.places == NULL);
    REQUIRE(ft_perfect_init(&table, &ft_mem_system, NULL, 0) == FT_OK);
    CHECK(ft_perfect_first(&table, 0) == NULL && ft_perfect_first(&table, 1) == NULL);
    ft_perfect_fini(&table);
}

static ft_status build(const ft_mem *mem)
{
    uint64_t hashes[50];
    ft_perfect table;
    for (uint32_t i = 0; i < 50; i++)
        hashes[i] = i % 7 == 0 ? 5 : i * UINT64_C(1000);
    ft_status status = ft_perfect_init(&table, mem, hashes, 50);
    if (status != FT_OK)
        return status;
    if (!ft_perfect_check(&table, hashes) || !finds(&table, hashes, 50, 5))
        status = FT_ERR_CORRUPT;
    ft_perfect_fini(&table);
    return status;
}

/* Making a block smaller may be refused, too, and then the table is as good. */
static void test_no_memory(void)
{
    int refused = 0, made = 0, good = 1;
    for (long succeed = 0; succeed < 20; succeed++) {
        failing_mem state;
        failing_mem_init(&state, succeed);
        ft_status status = build(&state.mem);
        good &= state.live == 0 && (status == FT_OK || (status == FT_ERR_MEMORY && state.failed));
        refused += status == FT_ERR_MEMORY;
        made += status == FT_OK;
    }
    CHECK(good && refused >= 5 && made >= 2);
}

int main(void)
{
    test_against_a_search();
    test_different_hashes_have_places_of_their_own();
    test_equal_hashes_are_a_chain();
    test_one_bucket();
    test_none();
    test_no_memory();
    return tap_end();
}
