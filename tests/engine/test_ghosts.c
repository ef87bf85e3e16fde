/* SPDX-License-Identifier: Apache-2.0 */
/* test_ghosts.c: the hashes that a policy remembers against two plain arrays. */
#include "engine/cache/ghosts.h"

#include "tests/engine/moving_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { ROOM = 120, STEPS = 3000, SEEDS = 4, HASH_KINDS = 4 };

typedef struct model {
    uint32_t hashes[FT_GHOST_LISTS][ROOM]; /* the oldest first */
    uint32_t counts[FT_GHOST_LISTS];
} model;

static uint32_t draw_hash(random_source *source, int kind)
{
    switch (kind) {
    case 0: /* the same again and again */
        return random_below(source, 12) << 28;
    case 1: /* one home */
        return UINT32_C(0x70000000) + random_below(source, 300);
    case 2: /* the two ends of the index */
        return random_below(source, 200) - 100;
    default:
        return (uint32_t)random_next(source);
    }
}

static bool model_has(const model *right, uint32_t list, uint32_t hash)
{
    for (uint32_t i = 0; i < right->counts[list]; i++)
        if (right->hashes[list][i] == hash)
            return true;
    return false;
}

static void model_remove(model *right, uint32_t list, uint32_t at)
{
    right->counts[list]--;
    for (; at < right->counts[list]; at++)
        right->hashes[list][at] = right->hashes[list][at + 1];
}

/* The place of a ghost in its list. */
static uint32_t position(const ft_ghosts *ghosts, ft_ghost_place place)
{
    uint32_t at = 0;
    for (uint32_t i = ghosts->lists[place.list].first; i != place.ghost && at < ROOM; at++)
        i = ghosts->ghosts[i].after;
    return at;
}

static bool lists_are(const ft_ghosts *ghosts, const model *right)
{
    bool good = true;
    for (uint32_t list = 0; list < FT_GHOST_LISTS; list++) {
        uint32_t at = ghosts->lists[list].first, before = FT_GHOST_NONE;
        good &= ghosts->lists[list].count == right->counts[list];
        for (uint32_t i = 0; i < right->counts[list] && at != FT_GHOST_NONE && good; i++) {
            good = ghosts->ghosts[at].hash == right->hashes[list][i];
            good &= ghosts->ghosts[at].before == before;
            before = at;
            at = ghosts->ghosts[at].after;
        }
        good &= at == FT_GHOST_NONE && ghosts->lists[list].last == before;
    }
    return good;
}

/* A search finds one of the ghosts of a hash, and says whose it is. */
static bool finds(const ft_ghosts *ghosts, const model *right, uint32_t hash)
{
    ft_ghost_place place = ft_ghosts_find(ghosts, hash);
    if (place.ghost == FT_GHOST_NONE)
        return !model_has(right, 0, hash) && !model_has(right, 1, hash);
    uint32_t at = position(ghosts, place);
    return at < right->counts[place.list] && right->hashes[place.list][at] == hash;
}

static void step(ft_ghosts *ghosts, model *right, random_source *source, int kind)
{
    uint8_t list = random_below(source, 3) == 0;
    uint32_t hash = draw_hash(source, kind), what = random_below(source, 100);
    if (random_below(source, STEPS / 3) == 0) {
        ft_ghosts_clear(ghosts);
        *right = (model){.counts = {0}};
    } else if (what < 10 && right->counts[list] > 0) {
        ft_ghosts_renew(ghosts, list, hash);
        model_remove(right, list, 0);
        right->hashes[list][right->counts[list]++] = hash;
    } else if (what < 25 && right->counts[list] > 0) {
        ft_ghosts_drop(ghosts, list);
        model_remove(right, list, 0);
    } else if (what < 50) {
        uint32_t pick = random_below(source, ROOM);
        if (pick < right->counts[list])
            hash = right->hashes[list][pick];
        ft_ghost_place place = ft_ghosts_find(ghosts, hash);
        if (place.ghost == FT_GHOST_NONE)
            return;
        model_remove(right, place.list, position(ghosts, place));
        ft_ghosts_remove(ghosts, place);
    } else if (right->counts[0] + right->counts[1] < ghosts->room) {
        ft_ghosts_add(ghosts, list, hash);
        right->hashes[list][right->counts[list]++] = hash;
    }
}

static bool run_seed(uint64_t seed, uint32_t room, int kind)
{
    static model right;
    moving_mem mem;
    ft_ghosts ghosts;
    random_source source = {seed};
    right = (model){.counts = {0}};
    moving_mem_init(&mem);
    bool good = ft_ghosts_init(&ghosts, &mem.mem, room) == FT_OK;
    good &= ft_ghosts_bytes(&ghosts) == mem.bytes;
    for (uint32_t i = 0; i < STEPS && good; i++) {
        step(&ghosts, &right, &source, kind);
        good = lists_are(&ghosts, &right) && finds(&ghosts, &right, draw_hash(&source, kind));
        for (uint32_t list = 0; list < FT_GHOST_LISTS; list++)
            for (uint32_t k = 0; k < right.counts[list] && good; k++)
                good = finds(&ghosts, &right, right.hashes[list][k]);
    }
    ft_ghosts_fini(&ghosts, &mem.mem);
    ft_ghosts_fini(&ghosts, &mem.mem);
    return good && mem.bytes == 0;
}

static void test_against_arrays(void)
{
    static const uint32_t rooms[] = {1, 2, 3, 9, ROOM};
    bool good = true;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int kind = 0; kind < HASH_KINDS; kind++)
            for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
                if (run_seed(seed, rooms[i], kind))
                    continue;
                printf("# seed %u, room %u, hashes %d\n", (unsigned)seed, rooms[i], kind);
                good = false;
            }
    CHECK(good);
}

static ft_status fill(const ft_mem *mem)
{
    ft_ghosts ghosts;
    ft_status status = ft_ghosts_init(&ghosts, mem, 10);
    if (status != FT_OK)
        return status;
    for (uint32_t i = 0; i < 10; i++)
        ft_ghosts_add(&ghosts, 0, i << 28);
    if (ft_ghosts_find(&ghosts, UINT32_C(9) << 28).ghost == FT_GHOST_NONE)
        status = FT_ERR_CORRUPT;
    ft_ghosts_fini(&ghosts, mem);
    return status;
}

int main(void)
{
    test_against_arrays();
    CHECK(sweep(fill));
    return tap_end();
}
