/* SPDX-License-Identifier: Apache-2.0 */
/* test_block_map.c: live blocks by address against a plain array that is searched from end to end.
 */
#include "engine/record/block_map.h"

#include "engine/base/status.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { MOST = 900, SEEDS = 40, STEPS = 3000, REGULAR = 20000 };

typedef struct model {
    ft_block_entry blocks[MOST];
    uint32_t count;
} model;

static ft_block_entry *model_find(model *right, uint64_t address)
{
    for (uint32_t i = 0; i < right->count; i++)
        if (right->blocks[i].address == address)
            return &right->blocks[i];
    return NULL;
}

static uint64_t draw_address(random_source *source)
{
    switch (random_below(source, 4)) {
    case 0:
        return random_below(source, 200);
    case 1:
        return UINT64_C(0x7f0000000010) + 4096 * (uint64_t)random_below(source, 300);
    case 2:
        return UINT64_MAX - random_below(source, 5);
    default:
        return UINT64_C(0x555500000000) + 16 * (uint64_t)random_below(source, 900);
    }
}

static int same(const ft_block_entry *found, const ft_block_entry *right)
{
    if (found == NULL || right == NULL)
        return found == NULL && right == NULL;
    return found->address == right->address && found->size == right->size &&
           found->tag == right->tag;
}

static int step(ft_block_map *map, model *right, random_source *source, uint32_t puts_of_8)
{
    uint64_t address = draw_address(source);
    ft_block_entry *entry = ft_block_map_find(map, address), *known = model_find(right, address);
    if (!same(entry, known))
        return 0;
    if (random_below(source, 8) < puts_of_8) {
        ft_block_entry block = {address, random_next(source), 1 + random_below(source, 1000)};
        if (known == NULL && right->count == MOST)
            return 1;
        if (known == NULL)
            known = &right->blocks[right->count++];
        *known = block;
        return ft_block_map_put(map, block);
    }
    if (entry != NULL) {
        ft_block_map_remove(map, entry);
        *known = right->blocks[--right->count];
    }
    return 1;
}

static int run_seed(uint64_t seed)
{
    static model right; /* large for a stack */
    random_source source = {seed};
    ft_block_map map;
    ft_block_map_init(&map, &ft_mem_system);
    right.count = 0;
    int good = 1;
    for (uint32_t i = 0; i < STEPS && good; i++) /* it fills, then empties, and again */
        good = step(&map, &right, &source, i / 1000 % 2 ? 2 : 7) && map.count == right.count;
    good &= ft_block_map_check(&map);
    for (uint32_t i = 0; i < right.count; i++)
        good &= same(ft_block_map_find(&map, right.blocks[i].address), &right.blocks[i]);
    ft_block_map_fini(&map);
    return good && map.count == 0 && ft_block_map_find(&map, 16) == NULL;
}

static void test_against_model(void)
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

/* The longest way from an entry's home to it, in entries. */
static uint32_t longest_run(const ft_block_map *map)
{
    uint32_t longest = 0, run = 0;
    for (uint32_t i = 0; i < 2 * map->capacity; i++) { /* twice, for the run over the end */
        run = map->entries[i % map->capacity].tag == 0 ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* Blocks at regular distances, as equal ones are. 46368 is a Fibonacci number: the multiples of it
 * map to next to nothing under multiplication by the golden ratio alone. */
static void test_regular_distances(void)
{
    static const uint64_t distances[] = {16,    528,   1040,    4096,     8208,      16384,
                                         46368, 65536, 1048576, 14930352, 267914304, 1073741824};
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        ft_block_map map;
        int good = 1;
        ft_block_map_init(&map, &ft_mem_system);
        for (uint64_t k = 0; k < REGULAR; k++)
            good &= ft_block_map_put(
                &map, (ft_block_entry){UINT64_C(0x7f1234000010) + k * distances[i], 600, 1});
        CHECK(good && map.count == REGULAR && longest_run(&map) < 400);
        ft_block_map_fini(&map);
    }
}

/* What block_map.h promises of memory, at every count on the way up. */
static void test_memory(void)
{
    ft_block_map map;
    int good = 1;
    ft_block_map_init(&map, &ft_mem_system);
    for (uint32_t k = 1; k <= REGULAR; k++) {
        good &= ft_block_map_put(&map, (ft_block_entry){k * UINT64_C(4096), k, k});
        good &= k < 64 || map.capacity * sizeof *map.entries <= 54 * (uint64_t)k + 54;
        good &= map.count <= map.capacity - map.capacity / 3;
    }
    CHECK(good);
    uint32_t largest = map.capacity;
    for (uint32_t k = 1; k <= REGULAR - 100; k++)
        ft_block_map_remove(&map, ft_block_map_find(&map, k * UINT64_C(4096)));
    CHECK(map.count == 100 && map.capacity <= 800 && largest > REGULAR);
    CHECK(ft_block_map_check(&map));
    ft_block_map_fini(&map);
}

static ft_status fill_and_empty(const ft_mem *mem)
{
    ft_block_map map;
    ft_status status = FT_OK;
    uint64_t put = 0;
    ft_block_map_init(&map, mem);
    for (; put < 500 && status == FT_OK; put += status == FT_OK)
        if (!ft_block_map_put(&map, (ft_block_entry){put * 48, put, 1}))
            status = FT_ERR_MEMORY;
    if (map.count != put || !ft_block_map_check(&map))
        status = FT_ERR_CORRUPT;
    for (uint64_t k = 0; k < put; k++) { /* a failure leaves what was there */
        ft_block_entry *entry = ft_block_map_find(&map, k * 48);
        if (entry == NULL || entry->size != k)
            return FT_ERR_CORRUPT;
        ft_block_map_remove(&map, entry);
    }
    ft_block_map_fini(&map);
    return status;
}

/* It shrinks if it can: without memory it works on as large as it is. */
static void test_no_memory_to_shrink(void)
{
    failing_mem state;
    ft_block_map map;
    failing_mem_init(&state, 1000);
    ft_block_map_init(&map, &state.mem);
    for (uint64_t k = 1; k <= 500; k++)
        ft_block_map_put(&map, (ft_block_entry){k, k, 1});
    uint32_t capacity = map.capacity;
    state.left = 0;
    for (uint64_t k = 1; k <= 499; k++)
        ft_block_map_remove(&map, ft_block_map_find(&map, k));
    CHECK(state.failed && map.capacity == capacity && map.count == 1);
    CHECK(ft_block_map_find(&map, 500) != NULL && ft_block_map_check(&map));
    ft_block_map_fini(&map);
    CHECK(state.live == 0);
}

static void test_each_refusal(void)
{
    int good = 1, failed = 1;
    long succeed = 0;
    for (; failed && good; succeed++) {
        failing_mem state;
        failing_mem_init(&state, succeed);
        good = fill_and_empty(&state.mem) != FT_ERR_CORRUPT && state.live == 0;
        failed = state.failed;
    }
    CHECK(good && succeed > 5);
}

int main(void)
{
    test_against_model();
    test_regular_distances();
    test_memory();
    test_no_memory_to_shrink();
    test_each_refusal();
    return tap_end();
}
