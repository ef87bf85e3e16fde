/* SPDX-License-Identifier: Apache-2.0 */
/* test_ways.c: trees made one against a search from end to end; what pruning must leave as it is.
 */
#include "engine/model/ways.h"

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { ROWS = 120, SEEDS = 200, REST = -7 };

typedef struct rows {
    int64_t parent[ROWS], key[ROWS], own[ROWS];
    uint32_t count;
} rows;

static void draw(rows *made, random_source *source)
{
    made->count = 1 + random_below(source, ROWS - 1);
    for (uint32_t i = 0; i < made->count; i++) {
        made->parent[i] = (int64_t)random_below(source, i + 1) - 1;
        made->key[i] = (int64_t)random_below(source, 5) - 2;
        made->own[i] = random_below(source, 1000);
    }
}

/* Whether two rows have the same keys all the way up. */
static int same_way(const int64_t *parent, const int64_t *key, int64_t row, const rows *other,
                    int64_t at)
{
    while (row >= 0 && at >= 0) {
        if (key[row] != other->key[at])
            return 0;
        row = parent[row];
        at = other->parent[at];
    }
    return row < 0 && at < 0;
}

static int is_tree(const ft_ways *ways)
{
    for (uint32_t i = 0; i < ways->count; i++)
        if (ways->parent[i] < -1 || ways->parent[i] >= (int64_t)i)
            return 0;
    return 1;
}

/* Each row is at its way, and each way is there once. */
static int is_union(const ft_ways *ways, const rows *tree, const int64_t *places)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        if (!same_way(ways->parent, ways->key, places[i], tree, i))
            return 0;
        for (int64_t other = 0; other < ways->count; other++)
            if (other != places[i] && same_way(ways->parent, ways->key, other, tree, i))
                return 0;
    }
    return 1;
}

static void test_union(void)
{
    int right = 1;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        random_source source = {.state = seed};
        rows trees[2];
        int64_t places[2][ROWS];
        ft_ways ways;
        ft_ways_init(&ways, &ft_mem_system);
        for (int i = 0; i < 2; i++) {
            draw(&trees[i], &source);
            right &= ft_ways_add(&ways, trees[i].parent, trees[i].key, trees[i].count, places[i]) ==
                     FT_OK;
        }
        right &= is_tree(&ways) && ways.count <= trees[0].count + trees[1].count;
        for (int i = 0; i < 2; i++)
            right &= is_union(&ways, &trees[i], places[i]);
        ft_ways_fini(&ways);
    }
    CHECK(right);
}

static int64_t subtree(const int64_t *parent, const int64_t *own, uint32_t count, int64_t top)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t at = i;
        while (at >= 0 && at != top)
            at = parent[at];
        sum += at == top ? own[i] : 0;
    }
    return sum;
}

/* before: the rows that were pruned; own: what the rows have now. */
static int is_pruned(const ft_ways *ways, const rows *before, const int64_t *own,
                     const int64_t *moved)
{
    int64_t least = INT64_MAX, most_lost = -1;
    for (uint32_t i = 0; i < before->count; i++) {
        int64_t whole = subtree(before->parent, before->own, before->count, i);
        if (ways->key[moved[i]] == REST) {
            most_lost = whole > most_lost ? whole : most_lost;
            continue;
        }
        least = whole < least ? whole : least;
        if (!same_way(ways->parent, ways->key, moved[i], before, i) ||
            subtree(ways->parent, own, ways->count, moved[i]) != whole)
            return 0;
    }
    return least >= most_lost;
}

static void test_prune(void)
{
    int right = 1, pruned = 0;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        random_source source = {.state = seed};
        rows tree, before = {.count = 0};
        int64_t places[ROWS], moved[ROWS], own[ROWS] = {0};
        uint32_t left = 0, most = 1 + random_below(&source, ROWS);
        ft_ways ways;
        ft_ways_init(&ways, &ft_mem_system);
        draw(&tree, &source);
        right &= ft_ways_add(&ways, tree.parent, tree.key, tree.count, places) == FT_OK;
        before.count = ways.count;
        for (uint32_t i = 0; i < ways.count; i++) {
            before.parent[i] = ways.parent[i];
            before.key[i] = ways.key[i];
        }
        for (uint32_t i = 0; i < tree.count; i++)
            before.own[places[i]] += tree.own[i];
        right &= ft_ways_prune(&ways, before.own, most, REST, moved, &left) == FT_OK;
        for (uint32_t i = 0; i < before.count; i++)
            own[moved[i]] += before.own[i];
        right &= is_tree(&ways) && ways.count <= most && is_pruned(&ways, &before, own, moved);
        right &= (left > 0) == (before.count > most);
        pruned += left > 0;
        ft_ways_fini(&ways);
    }
    CHECK(right);
    CHECK(pruned > SEEDS / 4);
}

static void test_bad_input(void)
{
    int64_t places[2];
    ft_ways ways;
    ft_ways_init(&ways, &ft_mem_system);
    CHECK(ft_ways_add(&ways, (int64_t[]){0}, (int64_t[]){1}, 1, places) == FT_ERR_CORRUPT);
    CHECK(ft_ways_add(&ways, (int64_t[]){-1, 1}, (int64_t[]){1, 1}, 2, places) == FT_ERR_CORRUPT);
    CHECK(ft_ways_add(&ways, (int64_t[]){-2}, (int64_t[]){1}, 1, places) == FT_ERR_CORRUPT);
    CHECK(ft_ways_add(&ways, (int64_t[]){-1}, (int64_t[]){INT64_C(1) << 31}, 1, places) ==
          FT_ERR_CORRUPT);
    ft_ways_fini(&ways);
}

static ft_status work(const ft_mem *mem)
{
    random_source source = {.state = 5};
    rows tree;
    int64_t places[ROWS], moved[ROWS], own[ROWS] = {0};
    uint32_t left;
    ft_ways ways;
    ft_ways_init(&ways, mem);
    draw(&tree, &source);
    tree.count = ROWS;
    for (uint32_t i = 0; i < ROWS; i++) {
        tree.parent[i] = (int64_t)i - 1;
        tree.key[i] = i;
    }
    ft_status status = ft_ways_add(&ways, tree.parent, tree.key, tree.count, places);
    if (status == FT_OK)
        status = ft_ways_prune(&ways, own, 20, REST, moved, &left);
    ft_ways_fini(&ways);
    return status;
}

int main(void)
{
    test_union();
    test_prune();
    test_bad_input();
    CHECK(sweep(work));
    return tap_end();
}
