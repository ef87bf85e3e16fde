/* SPDX-License-Identifier: Apache-2.0 */
/* test_address_set.c: the set of addresses against a plain array that is searched from end to end.
 */
#include "engine/base/address_set.h"

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST = 3000, SEEDS = 40 };

typedef struct model { /* what the set should hold */
    uintptr_t addresses[MOST];
    uint32_t count;
} model;

static int model_has(const model *right, uintptr_t address)
{
    for (uint32_t i = 0; i < right->count; i++)
        if (right->addresses[i] == address)
            return 1;
    return 0;
}

/* Addresses as objects have them: neighbours in a pool, anywhere in an arena, at the ends of a
 * page, far apart, and at both ends of what an address can be. */
static uintptr_t draw_address(random_source *source)
{
    const uintptr_t arena = (uintptr_t)0x7f1234500000, page = (uintptr_t)1 << 20;
    switch (random_below(source, 5)) {
    case 0:
        return arena + 48 * (uintptr_t)random_below(source, 300);
    case 1:
        return arena + 16 * (uintptr_t)random_below(source, 400000);
    case 2:
        return arena + page * random_below(source, 9) + (random_below(source, 2) ? page - 16 : 0);
    case 3:
        return (uintptr_t)random_next(source) & ~(uintptr_t)15;
    default:
        return random_below(source, 2) ? UINTPTR_MAX - 15 : 0;
    }
}

static int run_seed(uint64_t seed)
{
    static model right; /* large for a stack */
    random_source source = {seed};
    ft_address_set set;
    ft_address_set_init(&set, &ft_mem_system);
    right.count = 0;
    int good = 1;
    uint32_t adds = random_below(&source, MOST);
    for (uint32_t i = 0; i < adds && good; i++) {
        uintptr_t address = draw_address(&source), other = draw_address(&source);
        bool added = false, known = model_has(&right, address);
        good = ft_address_set_add(&set, address, &added) && added == !known;
        if (!known)
            right.addresses[right.count++] = address;
        good &= ft_address_set_has(&set, other) == model_has(&right, other);
    }
    for (uint32_t i = 0; i < right.count; i++)
        good &= ft_address_set_has(&set, right.addresses[i]);
    ft_address_set_fini(&set);
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

/* Objects may be aligned to 8 bytes only, where they are static: no two begin in one granule. */
static void test_addresses_of_eight(void)
{
    ft_address_set set;
    bool added = false;
    int good = 1;
    ft_address_set_init(&set, &ft_mem_system);
    for (uintptr_t address = 8; address < 4096; address += 24)
        good &= ft_address_set_add(&set, address, &added) && added;
    for (uintptr_t address = 8; address < 4096; address += 24)
        good &= ft_address_set_add(&set, address, &added) && !added;
    CHECK(good);
    ft_address_set_fini(&set);
}

static ft_status fill(const ft_mem *mem)
{
    ft_address_set set;
    ft_address_set_init(&set, mem);
    ft_status status = FT_OK;
    uintptr_t put = 0;
    for (; put < 50 && status == FT_OK; put += status == FT_OK) {
        bool added = false;
        if (!ft_address_set_add(&set, put << 24, &added))
            status = FT_ERR_MEMORY;
        else if (!added)
            status = FT_ERR_CORRUPT;
    }
    for (uintptr_t i = 0; i < put; i++) /* a failure leaves what was there */
        if (!ft_address_set_has(&set, i << 24))
            status = FT_ERR_CORRUPT;
    if (ft_address_set_has(&set, (put + 1) << 24))
        status = FT_ERR_CORRUPT;
    ft_address_set_fini(&set);
    return status;
}

int main(void)
{
    test_against_model();
    test_addresses_of_eight();
    CHECK(sweep(fill));
    return tap_end();
}
