/* SPDX-License-Identifier: Apache-2.0 */
/* test_stack_distance.c: stack distances against a list whose touched items move to the front. */
#include "engine/stats/stack_distance.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST = 3000, SEEDS = 40, TOUCHES = 6000 };

typedef struct model { /* the items, the one touched last first */
    uint32_t items[MOST];
    uint32_t count;
} model;

static void model_forget(model *right, uint32_t item)
{
    for (uint32_t i = 0; i < right->count; i++)
        if (right->items[i] == item) {
            right->count--;
            memmove(right->items + i, right->items + i + 1,
                    (right->count - i) * sizeof *right->items);
            return;
        }
}

static uint32_t model_touch(model *right, uint32_t item)
{
    uint32_t distance = FT_STACK_NEVER;
    for (uint32_t i = 0; i < right->count && distance == FT_STACK_NEVER; i++)
        if (right->items[i] == item)
            distance = i + 1;
    model_forget(right, item);
    memmove(right->items + 1, right->items, right->count++ * sizeof *right->items);
    right->items[0] = item;
    return distance;
}

/* Loops, hot items, the same again, anything: of so many items. */
static uint32_t draw_item(random_source *source, uint32_t items, uint32_t at, uint32_t last)
{
    switch (random_below(source, 4)) {
    case 0:
        return at % items;
    case 1:
        return random_below(source, 1 + items / 50);
    case 2:
        return last;
    default:
        return random_below(source, items);
    }
}

static int run_seed(uint64_t seed)
{
    static model right; /* large for a stack */
    random_source source = {seed};
    ft_stack_distance stack;
    ft_stack_distance_init(&stack, &ft_mem_system);
    right.count = 0;
    uint32_t items = 1 + random_below(&source, seed % 2 ? MOST : 100), last = 0;
    uint32_t forgets = random_below(&source, 4); /* of 10 */
    int good = 1;
    for (uint32_t i = 0; i < TOUCHES && good; i++) {
        uint32_t distance = 77;
        last = draw_item(&source, items, i, last);
        good = ft_stack_distance_touch(&stack, last, &distance) == FT_OK;
        good &= distance == model_touch(&right, last) && ft_stack_distance_has(&stack, last);
        if (random_below(&source, 10) < forgets) {
            uint32_t item = draw_item(&source, items, i, last);
            ft_stack_distance_forget(&stack, item);
            model_forget(&right, item);
            good &= !ft_stack_distance_has(&stack, item);
        }
        good &= stack.live == right.count;
        if (i % 500 == 0)
            good &= ft_stack_distance_check(&stack);
    }
    good &= ft_stack_distance_check(&stack);
    ft_stack_distance_fini(&stack);
    return good;
}

static void test_against_list(void)
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

/* A loop over n items: each distance is n, through many numberings anew, and the positions do not
 * grow with the touches. */
static void test_loops(void)
{
    static const uint32_t sizes[] = {1, 2, 31, 32, 33, 63, 64, 65, 1000, 2048, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ft_stack_distance stack;
        ft_stack_distance_init(&stack, &ft_mem_system);
        int good = 1;
        for (uint32_t touch = 0; touch < 12 * sizes[i] + 300; touch++) {
            uint32_t distance, right = touch < sizes[i] ? FT_STACK_NEVER : sizes[i];
            good &= ft_stack_distance_touch(&stack, touch % sizes[i], &distance) == FT_OK;
            good &= distance == right;
        }
        CHECK(good && ft_stack_distance_check(&stack));
        CHECK(stack.words <= 1 + sizes[i] / 16 && stack.items <= 16 + sizes[i] * 3 / 2 + 16);
        ft_stack_distance_fini(&stack);
    }
}

static void test_edges(void)
{
    ft_stack_distance stack;
    ft_stack_distance_init(&stack, &ft_mem_system);
    uint32_t distance = 77;
    ft_stack_distance_forget(&stack, 5); /* never touched */
    CHECK(!ft_stack_distance_has(&stack, 5) && ft_stack_distance_check(&stack));
    CHECK(ft_stack_distance_touch(&stack, FT_STACK_ITEMS_MAX, &distance) == FT_ERR_LIMIT);
    CHECK(distance == 77 && stack.live == 0);
    CHECK(ft_stack_distance_touch(&stack, 5, &distance) == FT_OK && distance == FT_STACK_NEVER);
    CHECK(ft_stack_distance_touch(&stack, 5, &distance) == FT_OK && distance == 1);
    ft_stack_distance_forget(&stack, 5);
    CHECK(ft_stack_distance_touch(&stack, 5, &distance) == FT_OK && distance == FT_STACK_NEVER);
    ft_stack_distance_fini(&stack);
    CHECK(stack.live == 0 && stack.places == NULL);
    ft_stack_distance_fini(&stack);
}

/* A failure touches nothing: the distance on trying again is what it would have been. */
static ft_status fill(const ft_mem *mem)
{
    static model right;
    random_source source = {7};
    ft_stack_distance stack;
    ft_status status = FT_OK;
    right.count = 0;
    ft_stack_distance_init(&stack, mem);
    for (uint32_t i = 0; i < 1500 && status == FT_OK; i++) {
        uint32_t item = random_below(&source, 1 + i / 2), distance = 77, live = stack.live;
        status = ft_stack_distance_touch(&stack, item, &distance);
        if (status == FT_OK && distance != model_touch(&right, item))
            status = FT_ERR_CORRUPT;
        if (status == FT_ERR_MEMORY && (distance != 77 || stack.live != live))
            status = FT_ERR_CORRUPT;
    }
    if (!ft_stack_distance_check(&stack))
        status = FT_ERR_CORRUPT;
    for (uint32_t i = 0; i < right.count; i++) /* all are where they were */
        if (stack.live - right.count != 0 || !ft_stack_distance_has(&stack, right.items[i]))
            status = FT_ERR_CORRUPT;
    ft_stack_distance_fini(&stack);
    return status;
}

/* Out of memory for a while: touches go on when there is some again, and none was half done. */
static void test_comes_back(void)
{
    static model right;
    random_source source = {11};
    failing_mem memory;
    failing_mem_init(&memory, 1 << 30);
    ft_stack_distance stack;
    ft_stack_distance_init(&stack, &memory.mem);
    right.count = 0;
    int good = 1, refused = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t item = random_below(&source, 1 + i / 8), distance;
        memory.left = i % 3 == 0 ? 1 << 30 : 0;
        ft_status status = ft_stack_distance_touch(&stack, item, &distance);
        refused += status == FT_ERR_MEMORY;
        good &= status == FT_OK ? distance == model_touch(&right, item) : status == FT_ERR_MEMORY;
    }
    CHECK(good && refused > 0 && ft_stack_distance_check(&stack));
    ft_stack_distance_fini(&stack);
    CHECK(memory.live == 0);
}

int main(void)
{
    test_against_list();
    test_loops();
    test_edges();
    CHECK(sweep(fill));
    test_comes_back();
    return tap_end();
}
