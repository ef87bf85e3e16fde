/* SPDX-License-Identifier: Apache-2.0 */
/* test_tags.c: the tags of blocks against a sorted array, over addresses as pools, malloc and
 * nobody would give them out; without memory, without address space; and what a block costs. */
#include "engine/record/tags.h"

#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/engine/failing_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

enum { MOST = 4000, SEEDS = 30, STEPS = 6000, REGION = 16384, UNTOUCHED = 77777 };

#define BASE UINT64_C(0x7f12c3ff8000) /* two regions before the end of an area */

typedef struct block {
    uint64_t address;
    size_t size;
    uint32_t tag;
} block;

/* What should be known: blocks by ascending address. */
typedef struct model {
    block blocks[MOST];
    uint32_t count;
} model;

static uint32_t model_place(const model *right, uint64_t address)
{
    uint32_t low = 0, high = right->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (right->blocks[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static block *model_find(model *right, uint64_t address)
{
    uint32_t at = model_place(right, address);
    return at < right->count && right->blocks[at].address == address ? &right->blocks[at] : NULL;
}

static void model_remove(model *right, uint64_t address)
{
    uint32_t at = model_place(right, address);
    if (at == right->count || right->blocks[at].address != address)
        return;
    right->count--;
    memmove(&right->blocks[at], &right->blocks[at + 1], (right->count - at) * sizeof(block));
}

static void model_put(model *right, block made)
{
    model_remove(right, made.address);
    uint32_t at = model_place(right, made.address);
    memmove(&right->blocks[at + 1], &right->blocks[at], (right->count - at) * sizeof(block));
    right->blocks[at] = made;
    right->count++;
}

/* A size that was said: the block's own, and of a large one it must be said. */
static int size_is_right(const block *known, size_t said)
{
    if (known == NULL)
        return said == UNTOUCHED;
    return said == known->size || (said == UNTOUCHED && known->size <= FT_TAGS_SMALL_BYTES);
}

typedef struct world {
    ft_tags tags;
    model right;
    random_source source;
} world;

static int put(world *in, uint64_t address, size_t size)
{
    block made = {address, size, 1 + random_below(&in->source, 1000000)};
    if (in->right.count == MOST)
        return 1;
    if (ft_tags_put(&in->tags, (uintptr_t)address, size, made.tag))
        model_put(&in->right, made);
    else
        model_remove(&in->right, address);
    return 1;
}

static int look(world *in, uint64_t address)
{
    size_t size = UNTOUCHED;
    const block *known = model_find(&in->right, address);
    uint32_t tag = ft_tags_get(&in->tags, (uintptr_t)address, &size);
    return tag == (known == NULL ? 0 : known->tag) && size_is_right(known, size);
}

static int take(world *in, uint64_t address)
{
    size_t size = UNTOUCHED;
    const block *known = model_find(&in->right, address);
    uint32_t tag = ft_tags_take(&in->tags, (uintptr_t)address, &size);
    int good = tag == (known == NULL ? 0 : known->tag) && size_is_right(known, size);
    model_remove(&in->right, address);
    return good && look(in, address);
}

static int retag(world *in, uint64_t address)
{
    block *known = model_find(&in->right, address);
    uint32_t tag = 1 + random_below(&in->source, 1000);
    if (known != NULL)
        known->tag = tag;
    return ft_tags_retag(&in->tags, (uintptr_t)address, tag) == (known != NULL) &&
           look(in, address);
}

static void see(void *context, uintptr_t address, size_t size, uint32_t tag)
{
    model *seen = context;
    if (seen->count < MOST)
        model_put(seen, (block){address, size, tag});
}

/* Every block that is known, by each way of asking, and no other. */
static int all_right(world *in)
{
    static model all, large;
    uint32_t small = 0;
    all.count = large.count = 0;
    ft_tags_each(&in->tags, see, &all);
    ft_tags_each_large(&in->tags, see, &large);
    int good = ft_tags_check(&in->tags) && all.count == in->right.count;
    for (uint32_t i = 0; i < in->right.count && good; i++) {
        const block *known = &in->right.blocks[i], *seen = &all.blocks[i];
        const block *hashed = model_find(&large, known->address);
        good &= seen->address == known->address && seen->tag == known->tag;
        good &= seen->size == (hashed == NULL ? 0 : known->size);
        good &= hashed != NULL || known->size <= FT_TAGS_SMALL_BYTES;
        good &= look(in, known->address);
        small += hashed == NULL;
    }
    return good && large.count + small == in->right.count;
}

static uint64_t random_known(world *in)
{
    return in->right.count == 0
               ? BASE
               : in->right.blocks[random_below(&in->source, in->right.count)].address;
}

/* ---- Nobody's addresses: anything, anywhere, of any size, over one another. */

static uint64_t any_address(random_source *source)
{
    uint64_t far = (uint64_t)random_below(source, 64);
    switch (random_below(source, 8)) {
    case 0: /* no granule's first byte */
        return BASE + random_below(source, 4 * REGION);
    case 1: /* the first and the last region of the table, and beyond it */
        return 16 * far + (random_below(source, 2) ? 0 : UINT64_C(0x7fffffffc000));
    case 2:
        return (UINT64_C(1) << 47) + 16 * far;
    case 3:
        return UINT64_MAX - 15 * far;
    case 4: /* one a region, over many areas */
        return (far << 26) + 16 * (uint64_t)random_below(source, 3);
    default:
        return BASE + 16 * (uint64_t)random_below(source, 4 * REGION / 16);
    }
}

static int step_anywhere(world *in)
{
    static const size_t sizes[] = {0, 1, 16, 17, 32, 48, 96, 200, 400, 511, 512, 513, 4096};
    random_source *source = &in->source;
    uint64_t address = random_below(source, 3) ? any_address(source) : random_known(in);
    switch (random_below(source, 8)) {
    case 0:
        return look(in, address);
    case 1:
        return retag(in, address);
    case 2:
    case 3:
    case 4:
        return take(in, address);
    default:
        return put(in, address, sizes[random_below(source, sizeof sizes / sizeof *sizes)]);
    }
}

/* ---- Pools, as the small-object allocator's: 16 KiB of blocks of one size behind a head of 48
 * bytes. An empty pool gets blocks of another size; a block may shrink where it is, down to 3/4. */

enum { POOLS = 12, POOL_HEAD = 48 };

static uint32_t pool_class[POOLS]; /* bytes of a block */

static uint64_t pool_block(uint32_t pool, uint32_t index)
{
    return BASE + (uint64_t)pool * REGION + POOL_HEAD + (uint64_t)index * pool_class[pool];
}

static uint32_t pool_blocks(uint32_t pool)
{
    return (REGION - POOL_HEAD) / pool_class[pool];
}

static int step_pools(world *in)
{
    random_source *source = &in->source;
    uint32_t pool = random_below(source, POOLS);
    if (pool_class[pool] == 0 || random_below(source, 400) == 0) { /* empty it, change its class */
        int good = 1;
        for (uint32_t i = 0; pool_class[pool] != 0 && i < pool_blocks(pool); i++)
            good &= take(in, pool_block(pool, i));
        pool_class[pool] = 16 * (1 + random_below(source, 32));
        return good;
    }
    uint64_t address = pool_block(pool, random_below(source, pool_blocks(pool)));
    const block *known = model_find(&in->right, address);
    if (known == NULL) /* some stay without a tag, as when sampling */
        return random_below(source, 5) == 0
                   ? take(in, address)
                   : put(in, address, pool_class[pool] - random_below(source, 16));
    if (random_below(source, 4) == 0)
        return take(in, address) && put(in, address, pool_class[pool] * 7 / 8);
    return take(in, address);
}

/* ---- malloc: blocks of any size anywhere, but none over another, next to neighbours that nobody
 * tagged. */

enum { HEAP_GRANULES = 6 * REGION / 16 };

static uint16_t heap_granules[HEAP_GRANULES]; /* of the block that begins here, 0: none */
static uint8_t heap_taken[HEAP_GRANULES];

static int step_malloc(world *in)
{
    random_source *source = &in->source;
    uint32_t at = random_below(source, HEAP_GRANULES);
    if (heap_taken[at]) {
        if (heap_granules[at] == 0)
            return look(in, BASE + 16 * at);
        memset(&heap_taken[at], 0, heap_granules[at]);
        heap_granules[at] = 0;
        return take(in, BASE + 16 * at);
    }
    uint32_t wanted = 1 + random_below(source, random_below(source, 10) ? 12 : 60), free = 0;
    while (free < wanted && at + free < HEAP_GRANULES && !heap_taken[at + free])
        free++;
    memset(&heap_taken[at], 1, free);
    heap_granules[at] = (uint16_t)free;
    size_t size = 16 * (size_t)free - random_below(source, 16);
    return random_below(source, 4) ? put(in, BASE + 16 * at, size) : take(in, BASE + 16 * at);
}

/* ---- Each kind of world, from a seed. */

static int run(const ft_mem *mem, uint64_t seed, int (*step)(world *), int only_hash)
{
    static world in; /* large for a stack */
    in.source = (random_source){seed};
    in.right.count = 0;
    memset(pool_class, 0, sizeof pool_class);
    memset(heap_granules, 0, sizeof heap_granules);
    memset(heap_taken, 0, sizeof heap_taken);
    int good = ft_tags_init(&in.tags, mem, only_hash) == FT_OK;
    for (uint32_t i = 0; i < STEPS && good; i++) {
        good = step(&in);
        if (i % 1000 == 999)
            good &= all_right(&in);
    }
    while (in.right.count > 0 && good) /* by the last one: which region goes first is no matter */
        good = take(&in, in.right.blocks[in.right.count - 1].address);
    good &= all_right(&in);
    ft_tags_clear(&in.tags);
    good &= ft_tags_bytes(&in.tags) == 0 && put(&in, BASE, 40) && all_right(&in);
    ft_tags_fini(&in.tags);
    return good;
}

static int run_seeds(int (*step)(world *), int only_hash)
{
    int good = 1;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        if (run(&ft_mem_system, seed, step, only_hash))
            continue;
        printf("# seed %llu\n", (unsigned long long)seed);
        good = 0;
    }
    return good;
}

static void test_against_model(void)
{
    CHECK(run_seeds(step_anywhere, 0));
    CHECK(run_seeds(step_anywhere, 1));
    CHECK(run_seeds(step_pools, 0));
    CHECK(run_seeds(step_malloc, 0));
}

/* ---- Grids. */

static uint32_t unit_at(const ft_tags *tags, uint64_t address)
{
    return ft_tags_region_of(tags, ft_tags_granule((uintptr_t)address))->unit;
}

static void test_grids(void)
{
    ft_tags tags;
    size_t size;
    ft_tags_init(&tags, &ft_mem_system, false);
    for (uint32_t i = 0; i < 10; i++)
        ft_tags_put(&tags, BASE + 48 + 96 * i, 90, 1 + i);
    CHECK(unit_at(&tags, BASE) == 6 && ft_tags_bytes(&tags) < 80000);
    ft_tags_put(&tags, BASE + 48 + 96 * 10 + 32, 90, 11);
    CHECK(unit_at(&tags, BASE) == 2); /* 96 and 32 have it in common */
    ft_tags_put(&tags, BASE + 16 * 100, 500, 12);
    CHECK(unit_at(&tags, BASE) == 1);
    for (uint32_t i = 0; i < 11; i++)
        CHECK(ft_tags_take(&tags, BASE + 48 + 96 * i + (i == 10 ? 32 : 0), &size) == 1 + i);
    CHECK(ft_tags_take(&tags, BASE + 16 * 100, &size) == 12);
    CHECK(unit_at(&tags, BASE) == 0);
    ft_tags_put(&tags, BASE + 48, 512, 1);
    CHECK(unit_at(&tags, BASE) == 32); /* an empty region begins anew */
    /* The pool's first block shrank where it is, and was the only one. */
    ft_tags_take(&tags, BASE + 48, &size);
    ft_tags_put(&tags, BASE + 48, 400, 1);
    ft_tags_put(&tags, BASE + 48 + 512, 512, 2);
    CHECK(unit_at(&tags, BASE) == 32);
    CHECK(ft_tags_get(&tags, BASE + 48, &size) == 1 && ft_tags_get(&tags, BASE + 560, &size) == 2);
    CHECK(ft_tags_check(&tags));
    ft_tags_fini(&tags);
}

/* Every unit and column, every point of two regions: each has a word of its own. */
static void test_every_grid(void)
{
    int good = 1;
    size_t size;
    for (uint32_t unit = 1; unit <= FT_TAGS_UNITS; unit++) {
        for (uint32_t column = 0; column < unit; column++) {
            ft_tags tags;
            ft_tags_init(&tags, &ft_mem_system, false);
            for (uint32_t at = 0; at < 2 * REGION / 16; at++)
                if (at % 1024 % unit == column)
                    good &= ft_tags_put(&tags, BASE + 16 * at, 16 * unit, 1 + at);
            for (uint32_t at = 0; at < 2 * REGION / 16; at++) {
                uint32_t expected = at % 1024 % unit == column ? 1 + at : 0;
                good &= ft_tags_get(&tags, BASE + 16 * at, &size) == expected;
            }
            good &= unit_at(&tags, BASE) == unit && unit_at(&tags, BASE + REGION) == unit;
            ft_tags_fini(&tags);
        }
    }
    CHECK(good);
}

/* A small block where a large one was that nobody saw go, and the other way round. */
static void test_replaced(void)
{
    ft_tags tags;
    size_t size = UNTOUCHED;
    ft_tags_init(&tags, &ft_mem_system, false);
    ft_tags_put(&tags, BASE, 5000, 1);
    ft_tags_put(&tags, BASE, 50, 2);
    CHECK(ft_tags_check(&tags) && tags.large.count == 0);
    CHECK(ft_tags_get(&tags, BASE, &size) == 2 && size == UNTOUCHED);
    ft_tags_put(&tags, BASE, 6000, 3);
    CHECK(ft_tags_check(&tags) && unit_at(&tags, BASE) == 0);
    CHECK(ft_tags_take(&tags, BASE, &size) == 3 && size == 6000);
    CHECK(ft_tags_take(&tags, BASE, &size) == 0 && ft_tags_check(&tags));
    ft_tags_fini(&tags);
}

/* ---- Memory. */

static void *refuse_once(void *context, void *old, size_t bytes)
{
    failing_mem *state = context;
    int before = state->failed;
    void *got = failing_resize(context, old, bytes);
    if (state->failed && !before)
        state->left = LONG_MAX;
    return got;
}

/* Each allocation refused in turn, and nothing else or all that follow. */
static int sweep_worlds(int (*step)(world *), long stride, int once)
{
    for (long succeed = 0;; succeed += stride) {
        failing_mem state;
        failing_mem_init(&state, succeed);
        if (once)
            state.mem.resize = refuse_once;
        if (!run(&state.mem, 7, step, 0) || state.live != 0)
            return 0;
        if (!state.failed)
            return succeed > 0;
    }
}

static void test_no_memory(void)
{
    for (int once = 0; once < 2; once++) {
        CHECK(sweep_worlds(step_anywhere, 5, once));
        CHECK(sweep_worlds(step_pools, 1, once));
        CHECK(sweep_worlds(step_malloc, 1, once));
    }
}

/* Nothing at all: no block has a tag, and nothing else is wrong. */
static void test_no_memory_at_all(void)
{
    failing_mem state;
    ft_tags tags;
    size_t size;
    failing_mem_init(&state, 0);
    CHECK(ft_tags_init(&tags, &state.mem, false) == FT_OK && !tags.degraded);
    CHECK(!ft_tags_put(&tags, BASE, 40, 1) && tags.degraded);
    CHECK(ft_tags_take(&tags, BASE, &size) == 0);
    state.left = 100;
    CHECK(ft_tags_put(&tags, BASE, 40, 1) && ft_tags_get(&tags, BASE, &size) == 1 && size == 40);
    ft_tags_clear(&tags);
    CHECK(!tags.degraded && ft_tags_put(&tags, BASE, 40, 1));
    CHECK(tags.large.count == 0 && ft_tags_check(&tags));
    ft_tags_fini(&tags);
    CHECK(state.live == 0);
}

#ifndef SANITIZED
/* In a child, without the address space for the table. */
static int run_without_space(void)
{
    FILE *status = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    if (status == NULL || fscanf(status, "%lu", &pages) != 1)
        return 2;
    fclose(status);
    struct rlimit limit = {0};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (4u << 20);
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 2;
    ft_tags tags;
    size_t size = UNTOUCHED;
    int good = ft_tags_init(&tags, &ft_mem_system, false) == FT_OK && tags.degraded;
    good &= ft_tags_put(&tags, BASE, 40, 1) && ft_tags_take(&tags, BASE, &size) == 1 && size == 40;
    ft_tags_clear(&tags);
    good &= tags.degraded;
    ft_tags_fini(&tags);
    return !(good && run(&ft_mem_system, 3, step_anywhere, 0));
}
#endif

static void test_no_address_space(void)
{
#ifdef SANITIZED
    printf("# no limit of the address space beside a sanitizer's shadow\n");
#else
    fflush(stdout);
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(run_without_space());
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#endif
}

/* What a small block costs in full pools, of each class: 16 bytes are the promise, 6 what it is. */
static void test_small_cost(void)
{
    enum { REGIONS = 2048 };
    for (uint32_t class = 16; class <= 512; class += 16) {
        ft_tags tags;
        uint64_t blocks = 0;
        ft_tags_init(&tags, &ft_mem_system, false);
        for (uint32_t region = 0; region < REGIONS; region++)
            for (uint32_t at = POOL_HEAD; at + class <= REGION; at += class, blocks++)
                ft_tags_put(&tags, BASE + (uint64_t)region * REGION + at, class, 1);
        uint64_t bytes = ft_tags_bytes(&tags);
        if (!CHECK(tags.large.count == 0 && bytes <= 8 * blocks))
            printf("# %u: %.2f bytes a block\n", class, (double)bytes / (double)blocks);
        ft_tags_fini(&tags);
    }
}

/* What a large one costs, right after the hash grew too: 54 bytes, and 1/960 of the addresses that
 * the blocks lie on for the areas that count them. So up to 4 KiB it is 64 bytes. */
static void test_large_cost(void)
{
    enum { BLOCKS = 60000, AREA_COST = (16 << FT_TAGS_AREA_BITS) + 4096 + 16 };
    static const size_t sizes[] = {513, 1000, 4080, 8200, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int only_hash = 0; only_hash < 2; only_hash++) {
            ft_tags tags;
            int good = 1;
            uint64_t distance = (sizes[i] + 23) / 16 * 16;
            ft_tags_init(&tags, &ft_mem_system, only_hash);
            for (uint64_t k = 1; k <= BLOCKS; k++) {
                good &= ft_tags_put(&tags, BASE + k * distance, sizes[i], 1);
                uint64_t areas = only_hash ? 0 : (k * distance >> 26) + 2;
                good &= k < 64 || ft_tags_bytes(&tags) <= 54 * (k + 1) + areas * AREA_COST;
                good &= k < 20000 || sizes[i] > 4096 || ft_tags_bytes(&tags) <= 64 * k;
            }
            CHECK(good && tags.large.count == BLOCKS);
            ft_tags_fini(&tags);
        }
    }
}

/* A region that empties and fills again makes nothing new, whatever its class. */
static void test_reuse(void)
{
    ft_tags tags;
    size_t size;
    uint64_t after_first = 0;
    int good = 1;
    ft_tags_init(&tags, &ft_mem_system, false);
    for (uint32_t round = 0; round < 100; round++) {
        for (uint32_t unit = 16; unit <= 512; unit += 16) {
            good &= ft_tags_put(&tags, BASE + 48, unit, 1);
            good &= ft_tags_put(&tags, BASE + 48 + unit, unit, 2);
            good &= ft_tags_take(&tags, BASE + 48, &size) == 1;
            good &= ft_tags_take(&tags, BASE + 48 + unit, &size) == 2;
        }
        after_first = round == 0 ? ft_tags_bytes(&tags) : after_first;
    }
    CHECK(good && ft_tags_bytes(&tags) == after_first && ft_tags_check(&tags));
    ft_tags_fini(&tags);
}

int main(void)
{
    test_against_model();
    test_grids();
    test_every_grid();
    test_replaced();
    test_no_memory();
    test_no_memory_at_all();
    test_no_address_space();
    test_small_cost();
    test_large_cost();
    test_reuse();
    return tap_end();
}
