/* SPDX-License-Identifier: Apache-2.0 */
/* ways.c: several trees as one (see ways.h).
 *
 * Invariant: parent[i] < i, and no two rows have the same parent and key. So one pass from the
 * front places a tree's rows, each by one look into the map, and one from the back sums subtrees.
 *
 * A row weighs 1 + own of all below and in it: more than each row below it. So the heaviest are a
 * tree, however many they are. */
#include "engine/model/ways.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/sum.h"

enum { FIRST_ROWS = 64 };

void ft_ways_init(ft_ways *ways, const ft_mem *mem)
{
    *ways = (ft_ways){.mem = mem};
    ft_map_init(&ways->found, mem);
}

void ft_ways_fini(ft_ways *ways)
{
    ft_mem_free(ways->mem, ways->parent);
    ft_mem_free(ways->mem, ways->key);
    ft_map_fini(&ways->found);
}

static ft_status reserve(ft_ways *ways, uint32_t rows)
{
    uint32_t room = ways->capacity == 0 ? FIRST_ROWS : ways->capacity;
    if (rows <= ways->capacity)
        return FT_OK;
    while (room < rows) {
        if (room > UINT32_MAX / 2)
            return FT_ERR_LIMIT;
        room *= 2;
    }
    int64_t *parent = ft_mem_resize(ways->mem, ways->parent, room, sizeof *parent);
    if (parent == NULL)
        return FT_ERR_MEMORY;
    ways->parent = parent;
    int64_t *key = ft_mem_resize(ways->mem, ways->key, room, sizeof *key);
    if (key == NULL)
        return FT_ERR_MEMORY;
    ways->key = key;
    ways->capacity = room;
    return FT_OK;
}

static ft_status place(ft_ways *ways, int64_t above, int64_t key, int64_t *place)
{
    uint64_t way = (uint64_t)(above + 1) << 32 | (uint32_t)(int32_t)key;
    const uint32_t *known = ft_map_get(&ways->found, way);
    if (known != NULL) {
        *place = *known;
        return FT_OK;
    }
    if (ways->count == UINT32_MAX - 1)
        return FT_ERR_LIMIT;
    ft_status status = reserve(ways, ways->count + 1);
    if (status == FT_OK)
        status = ft_map_put(&ways->found, way, ways->count);
    if (status != FT_OK)
        return status;
    ways->parent[ways->count] = above;
    ways->key[ways->count] = key;
    *place = ways->count++;
    return FT_OK;
}

ft_status ft_ways_add(ft_ways *ways, const int64_t *parent, const int64_t *key, uint32_t count,
                      int64_t *places)
{
    for (uint32_t i = 0; i < count; i++) {
        const int64_t row = parent[i], name = key[i]; /* once: what was checked is what is used */
        if (row < -1 || row >= (int64_t)i || name < INT32_MIN || name > INT32_MAX)
            return FT_ERR_CORRUPT;
        ft_status status = place(ways, row < 0 ? -1 : places[row], name, &places[i]);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

/* ---- pruning ---- */

typedef struct candidate {
    uint64_t weight;
    uint32_t row;
} candidate;

static int compare_candidates(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* The rows, the heaviest first; a row comes after the one above it. */
static void put_in_order(const ft_ways *ways, const int64_t *own, candidate *order)
{
    for (uint32_t i = 0; i < ways->count; i++) {
        const int64_t alone = own[i];
        order[i] = (candidate){1 + (alone > 0 ? (uint64_t)alone : 0), i};
    }
    for (uint32_t i = ways->count; i-- > 0;) {
        assert(ways->parent[i] < (int64_t)i);
        if (ways->parent[i] >= 0) {
            candidate *above = &order[ways->parent[i]];
            above->weight = ft_sum(above->weight, order[i].weight);
        }
    }
    qsort(order, ways->count, sizeof *order, compare_candidates);
}

typedef struct pruning {
    const ft_ways *ways;
    candidate *order; /* owned, as the others: the heaviest first */
    uint32_t *rests;  /* by row, and one for the top: 1 + the new row for what is left out below */
    int64_t *parent, *key;
    uint32_t count; /* of new rows */
    int64_t *moved; /* the caller's */
} pruning;

static uint32_t *rest_below(const pruning *all, int64_t above)
{
    return &all->rests[above < 0 ? all->ways->count : (uint32_t)above];
}

/* Marks that many of the heaviest in moved: 0, others -1. Gives how many rows that makes, with
 * those for what is left out. */
static uint64_t mark(pruning *all, uint32_t kept)
{
    const ft_ways *ways = all->ways;
    uint64_t rows = kept;
    memset(all->rests, 0, ((size_t)ways->count + 1) * sizeof *all->rests);
    for (uint32_t i = 0; i < ways->count; i++)
        all->moved[all->order[i].row] = i < kept ? 0 : -1;
    for (uint32_t i = 0; i < ways->count; i++) {
        int64_t above = ways->parent[i];
        uint32_t *rest = rest_below(all, above);
        if (all->moved[i] < 0 && (above < 0 || all->moved[above] == 0) && *rest == 0) {
            *rest = 1;
            rows++;
        }
    }
    memset(all->rests, 0, ((size_t)ways->count + 1) * sizeof *all->rests);
    return rows;
}

static int64_t append(pruning *all, int64_t parent, int64_t key)
{
    all->parent[all->count] = parent;
    all->key[all->count] = key;
    return all->count++;
}

static void append_kept(pruning *all)
{
    const ft_ways *ways = all->ways;
    for (uint32_t i = 0; i < ways->count; i++) {
        int64_t above = ways->parent[i];
        assert(all->moved[i] < 0 || above < 0 || all->moved[above] >= 0);
        if (all->moved[i] >= 0)
            all->moved[i] = append(all, above < 0 ? -1 : all->moved[above], ways->key[i]);
    }
}

/* What is left out; rows below a number that is no kept one's go with it. */
static void append_rests(pruning *all, int64_t key)
{
    int64_t kept = all->count;
    for (uint32_t i = 0; i < all->ways->count; i++) {
        int64_t above = all->ways->parent[i];
        int64_t place = above < 0 ? -1 : all->moved[above];
        if (all->moved[i] >= 0)
            continue;
        if (place >= kept) {
            all->moved[i] = place;
            continue;
        }
        uint32_t *rest = rest_below(all, above);
        if (*rest == 0)
            *rest = 1 + (uint32_t)append(all, place, key);
        all->moved[i] = *rest - 1;
    }
}

static ft_status pruning_init(pruning *all, uint32_t most)
{
    const ft_mem *mem = all->ways->mem;
    all->order = ft_mem_new(mem, all->ways->count, sizeof *all->order);
    all->rests = ft_mem_new(mem, (size_t)all->ways->count + 1, sizeof *all->rests);
    all->parent = ft_mem_new(mem, most, sizeof *all->parent);
    all->key = ft_mem_new(mem, most, sizeof *all->key);
    bool has_all = all->order != NULL && all->rests != NULL && all->parent != NULL;
    return has_all && all->key != NULL ? FT_OK : FT_ERR_MEMORY;
}

static void pruning_fini(pruning *all)
{
    const ft_mem *mem = all->ways->mem;
    ft_mem_free(mem, all->order);
    ft_mem_free(mem, all->rests);
    ft_mem_free(mem, all->parent);
    ft_mem_free(mem, all->key);
}

/* How many of the heaviest may stay: half of the rows always fit, mostly more do. */
static uint32_t fitting(pruning *all, uint32_t most)
{
    const uint32_t trials[] = {(uint32_t)((uint64_t)most * 5 / 8),
                               (uint32_t)((uint64_t)most * 9 / 16)};
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++)
        if (mark(all, trials[i]) <= most)
            return trials[i];
    mark(all, (most - 1) / 2);
    return (most - 1) / 2;
}

ft_status ft_ways_prune(ft_ways *ways, const int64_t *own, uint32_t most, int64_t key,
                        int64_t *moved, uint32_t *left)
{
    pruning all = {.ways = ways, .moved = moved};
    assert(most > 0);
    if (ways->count <= most) {
        for (uint32_t i = 0; i < ways->count; i++)
            moved[i] = i;
        *left = 0;
        return FT_OK;
    }
    ft_status status = pruning_init(&all, most);
    if (status == FT_OK) {
        put_in_order(ways, own, all.order);
        uint32_t kept = fitting(&all, most);
        *left = ways->count - kept;
        append_kept(&all);
        append_rests(&all, key);
        assert(all.count <= most);
        memcpy(ways->parent, all.parent, all.count * sizeof *all.parent);
        memcpy(ways->key, all.key, all.count * sizeof *all.key);
        ways->count = all.count;
    }
    pruning_fini(&all);
    return status;
}
