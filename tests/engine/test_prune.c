/* SPDX-License-Identifier: Apache-2.0 */
/* test_prune.c: pruned profiles beside the definition, node by node and in quadratic time. */
#include <stdlib.h>

#include "engine/model/plain.h"
#include "engine/model/prune.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { SEEDS = 150, NODES = 60, MOST = 5 * NODES };

/* ---- the definition ---- */

typedef struct known { /* a node of the original, roots excluded */
    uint32_t thread, id;
    uint64_t weight, depth;
} known;

typedef struct kept_set {
    bool has[5][NODES + 1]; /* by thread, node */
} kept_set;

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static known describe(const ft_profile *profile, uint32_t thread, uint32_t id)
{
    const ft_tree *tree = &profile->threads[thread].tree;
    known node = {.thread = thread, .id = id};
    for (uint32_t other = id; other < tree->count; other++) {
        uint32_t at = other;
        while (at > id)
            at = tree->nodes[at].parent;
        if (at == id)
            node.weight = sum(node.weight, tree->nodes[other].own);
    }
    for (uint32_t at = id; at != 0; at = tree->nodes[at].parent)
        node.depth++;
    return node;
}

static int heaviest_first(const void *left, const void *right)
{
    const known *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static void find_kept(const ft_profile *profile, ft_prune_limits limits, kept_set *kept)
{
    known nodes[MOST];
    size_t count = 0;
    uint64_t frames = 0;
    *kept = (kept_set){0};
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        kept->has[i][0] = true;
        for (uint32_t id = 1; id < profile->threads[i].tree.count; id++)
            nodes[count++] = describe(profile, i, id);
    }
    if (count > 0)
        qsort(nodes, count, sizeof *nodes, heaviest_first);
    for (size_t i = 0; i < count; i++) {
        frames += nodes[i].depth;
        kept->has[nodes[i].thread][nodes[i].id] = (limits.nodes == 0 || i < limits.nodes) &&
                                                  (limits.frames == 0 || frames <= limits.frames);
    }
}

static uint32_t child_of_code(ft_tree *tree, uint32_t parent, uint32_t code)
{
    uint32_t id = 1;
    while (id < tree->count && (tree->nodes[id].parent != parent || tree->nodes[id].code != code))
        id++;
    if (id == tree->count)
        must(ft_tree_add(tree, parent, code, &id) == FT_OK);
    return id;
}

static void add_numbers(ft_node *to, const ft_node *more)
{
    to->calls = sum(to->calls, more->calls);
    to->own = sum(to->own, more->own);
    to->waiting = sum(to->waiting, more->waiting);
}

/* Replaces a tree by what is to remain of it. */
static void prune_tree(ft_tree *tree, const bool *kept, uint32_t rest, ft_pruned *pruned)
{
    ft_tree made;
    uint32_t places[NODES + 1] = {0};
    must(ft_tree_init(&made, tree->mem) == FT_OK);
    made.nodes[0] = tree->nodes[0];
    for (uint32_t id = 1; id < tree->count; id++) {
        const ft_node *node = &tree->nodes[id];
        uint32_t above = node->parent;
        if (kept[id]) {
            must(ft_tree_add(&made, places[above], node->code, &places[id]) == FT_OK);
            add_numbers(&made.nodes[places[id]], node);
            pruned->kept++;
            continue;
        }
        while (!kept[above])
            above = tree->nodes[above].parent;
        pruned->nodes++;
        pruned->own = sum(pruned->own, node->own);
        if ((node->calls | node->own | node->waiting) != 0) {
            uint32_t at = child_of_code(&made, places[above], rest);
            add_numbers(&made.nodes[at], node);
        }
    }
    ft_tree_fini(tree);
    *tree = made;
}

static void prune_by_definition(ft_profile *profile, ft_prune_limits limits, ft_pruned *pruned)
{
    kept_set kept;
    ft_code rest = {.kind = FT_CODE_C};
    uint32_t id;
    find_kept(profile, limits, &kept);
    must(ft_strtab_intern(&profile->texts, "~", 1, &rest.file) == FT_OK);
    must(ft_strtab_intern(&profile->texts, "[pruned]", 8, &rest.name) == FT_OK);
    must(ft_codetab_intern(&profile->codes, &rest, &id) == FT_OK);
    *pruned = (ft_pruned){0};
    for (uint32_t i = 0; i < profile->thread_count; i++)
        prune_tree(&profile->threads[i].tree, kept.has[i], id, pruned);
}

/* ---- the comparison ---- */

/* With few nodes of equal weight, or nearly all: then their order decides. */
static void draw_profile(ft_profile *profile, uint64_t seed)
{
    ft_profile drawn;
    make_profile(&drawn, seed, NODES);
    must(ft_profile_init(profile, &ft_mem_system) == FT_OK && ft_plain(profile, &drawn) == FT_OK);
    ft_profile_fini(&drawn);
    for (uint32_t i = 0; i < profile->thread_count && seed % 2 == 0; i++)
        for (uint32_t id = 0; id < profile->threads[i].tree.count; id++) {
            ft_node *node = &profile->threads[i].tree.nodes[id];
            node->own %= 3;
            node->waiting %= node->own + 1;
            node->calls %= 5;
        }
}

static bool is_as_defined(uint64_t seed, ft_prune_limits limits)
{
    ft_profile profile, untouched, pruned;
    ft_pruned told, expected;
    draw_profile(&profile, seed);
    draw_profile(&untouched, seed);
    must(ft_profile_init(&pruned, &ft_mem_system) == FT_OK);
    must(ft_prune(&pruned, &profile, limits, &told) == FT_OK);
    bool same = ft_profile_check(&pruned) == FT_OK && same_profile(&profile, &untouched);
    prune_by_definition(&untouched, limits, &expected);
    same = same && same_profile(&pruned, &untouched) && told.kept == expected.kept &&
           told.nodes == expected.nodes && told.own == expected.own;
    ft_profile_fini(&pruned);
    ft_profile_fini(&untouched);
    ft_profile_fini(&profile);
    return same;
}

static void test_random_profiles(void)
{
    static const ft_prune_limits limits[] = {{0, 0},    {1, 0},   {7, 0},   {40, 0},
                                             {MOST, 0}, {0, 1},   {0, 50},  {0, 300},
                                             {20, 100}, {5, 999}, {999, 7}, {0, UINT64_MAX}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        int good = 0;
        for (uint64_t seed = 0; seed < SEEDS; seed++)
            good += is_as_defined(seed, limits[i]);
        CHECK(good == SEEDS);
    }
}

static ft_profile swept;

static ft_status prune_swept(const ft_mem *mem)
{
    ft_profile to;
    ft_pruned told;
    ft_status status = ft_profile_init(&to, mem);
    if (status != FT_OK)
        return status;
    status = ft_prune(&to, &swept, (ft_prune_limits){9, 0}, &told);
    ft_profile_fini(&to);
    return status;
}

static void test_out_of_memory(void)
{
    make_full_profile(&swept, NODES);
    CHECK(sweep(prune_swept));
    ft_profile_fini(&swept);
}

int main(void)
{
    test_random_profiles();
    test_out_of_memory();
    return tap_end();
}
