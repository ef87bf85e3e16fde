/* SPDX-License-Identifier: Apache-2.0 */
/* test_map.c: the hash map against a plain array that is searched from end to end. */
#include "engine/base/map.h"

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST = 2000, SEEDS = 60 };

typedef struct model { /* what the map should hold */
    uint64_t keys[MOST];
    uint32_t values[MOST];
    uint32_t count;
} model;

static uint32_t *model_find(model *right, uint64_t key)
{
    for (uint32_t i = 0; i < right->count; i++)
        if (right->keys[i] == key)
            return &right->values[i];
    return NULL;
}

static void model_put(model *right, uint64_t key, uint32_t value)
{
    uint32_t *known = model_find(right, key);
    if (known == NULL) {
        right->keys[right->count] = key;
        known = &right->values[right->count++];
    }
    *known = value;
}

/* Keys as they come in life: small numbers, pointers, pairs of ids, extremes, anything. */
static uint64_t draw_key(random_source *source)
{
    switch (random_below(source, 6)) {
    case 0:
        return random_below(source, 50);
    case 1:
        return UINT64_C(0x7f0000000000) + 16 * (uint64_t)random_below(source, 3000);
    case 2:
        return (uint64_t)random_below(source, 40) << 32 | random_below(source, 40);
    case 3:
        return UINT64_MAX - random_below(source, 3);
    case 4:
        return (uint64_t)random_below(source, 500) << 48;
    default:
        return random_next(source);
    }
}

static int same(const ft_map *map, model *right)
{
    for (uint32_t i = 0; i < right->count; i++) {
        const uint32_t *value = ft_map_get(map, right->keys[i]);
        if (value == NULL || *value != right->values[i])
            return 0;
    }
    return map->count == right->count;
}

static int run_seed(uint64_t seed)
{
    static model right; /* large for a stack */
    random_source source = {seed};
    ft_map map;
    ft_map_init(&map, &ft_mem_system);
    right.count = 0;
    int good = ft_map_get(&map, 0) == NULL;
    uint32_t puts = random_below(&source, MOST);
    for (uint32_t i = 0; i < puts && good; i++) {
        uint64_t key = draw_key(&source), other = draw_key(&source);
        uint32_t value = (uint32_t)random_next(&source);
        model_put(&right, key, value);
        good = ft_map_put(&map, key, value) == FT_OK;
        good &= (ft_map_get(&map, other) != NULL) == (model_find(&right, other) != NULL);
    }
    good &= same(&map, &right);
    ft_map_clear(&map);
    good &= map.count == 0;
    for (uint32_t i = 0; i < right.count; i++)
        good &= ft_map_get(&map, right.keys[i]) == NULL;
    good &= ft_map_put(&map, 7, 8) == FT_OK && *ft_map_get(&map, 7) == 8;
    ft_map_fini(&map);
    return good;
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

static void test_clear_when_empty(void)
{
    ft_map map;
    ft_map_init(&map, &ft_mem_system);
    ft_map_clear(&map);
    CHECK(map.count == 0 && ft_map_get(&map, 1) == NULL);
    ft_map_fini(&map);
    ft_map_fini(&map);
}

static ft_status fill(const ft_mem *mem)
{
    ft_map map;
    ft_status status = FT_OK;
    uint32_t put = 0;
    ft_map_init(&map, mem);
    for (; put < 200 && status == FT_OK; put += status == FT_OK)
        status = ft_map_put(&map, put * UINT64_C(1000), put);
    for (uint32_t i = 0; i < put; i++) { /* a failure leaves what was there */
        const uint32_t *value = ft_map_get(&map, i * UINT64_C(1000));
        if (value == NULL || *value != i)
            status = FT_ERR_CORRUPT;
    }
    if (map.count != put)
        status = FT_ERR_CORRUPT;
    ft_map_fini(&map);
    return status;
}

int main(void)
{
    test_against_model();
    test_clear_when_empty();
    CHECK(sweep(fill));
    return tap_end();
}
