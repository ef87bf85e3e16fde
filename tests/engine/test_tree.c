/* SPDX-License-Identifier: Apache-2.0 */
/* test_tree.c: the calling-context tree: ids in order, counters zero, contents kept over growth. */
#include "engine/model/tree.h"

#include "engine/model/code.h"
#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

static void test_root(void)
{
    ft_tree tree;
    REQUIRE(ft_tree_init(&tree, &ft_mem_system) == FT_OK);
    CHECK(tree.count == 1);
    CHECK(tree.nodes[0].parent == 0 && tree.nodes[0].code == FT_CODE_NONE);
    CHECK(tree.nodes[0].calls == 0 && tree.nodes[0].own == 0 && tree.nodes[0].waiting == 0);
    ft_tree_fini(&tree);
    ft_tree_fini(&tree);
    CHECK(tree.nodes == NULL && tree.count == 0);
}

static void test_node_size(void)
{
    CHECK(sizeof(ft_node) <= 40); /* the design's bound */
}

static void test_growth(void)
{
    enum { NODES = 100000 };
    random_source source = {3}, again = {3};
    ft_tree tree;
    uint32_t id = 0;
    int good = ft_tree_init(&tree, &ft_mem_system) == FT_OK;
    for (uint32_t i = 1; i < NODES && good; i++) {
        uint32_t parent = random_below(&source, i), code = random_below(&source, 1000);
        good = ft_tree_add(&tree, parent, code, &id) == FT_OK && id == i && tree.count == i + 1;
        good &= tree.nodes[i].calls == 0 && tree.nodes[i].own == 0 && tree.nodes[i].waiting == 0;
        tree.nodes[i].calls = i;
    }
    for (uint32_t i = 1; i < NODES && good; i++) {
        good = tree.nodes[i].parent == random_below(&again, i);
        good &= tree.nodes[i].code == random_below(&again, 1000) && tree.nodes[i].calls == i;
    }
    CHECK(good);
    CHECK(tree.capacity <= NODES / 2 * 3 + 16); /* 48 bytes a node at worst */
    ft_tree_fini(&tree);
}

static void test_reserve(void)
{
    failing_mem state;
    ft_tree tree;
    uint32_t id;
    failing_mem_init(&state, 2); /* the root's block and the reserve, nothing after */
    REQUIRE(ft_tree_init(&tree, &state.mem) == FT_OK);
    CHECK(ft_tree_reserve(&tree, 1) == FT_OK);
    CHECK(ft_tree_reserve(&tree, 5000) == FT_OK && tree.count == 1);
    int good = 1;
    for (uint32_t i = 1; i < 5000; i++)
        good &= ft_tree_add(&tree, i - 1, 1, &id) == FT_OK;
    CHECK(good && !state.failed);
    id = 77;
    CHECK(ft_tree_add(&tree, 0, 1, &id) == FT_ERR_MEMORY && id == 77 && tree.count == 5000);
    ft_tree_fini(&tree);
    CHECK(state.live == 0);
}

static ft_status fill(const ft_mem *mem)
{
    ft_tree tree;
    uint32_t id;
    ft_status status = ft_tree_init(&tree, mem);
    for (uint32_t i = 1; i < 300 && status == FT_OK; i++)
        status = ft_tree_add(&tree, i - 1, i, &id);
    if (status == FT_OK)
        status = ft_tree_reserve(&tree, 100000);
    ft_tree_fini(&tree);
    return status;
}

int main(void)
{
    test_root();
    test_node_size();
    test_growth();
    test_reserve();
    CHECK(sweep(fill));
    return tap_end();
}
