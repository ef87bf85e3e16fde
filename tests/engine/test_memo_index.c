/* SPDX-License-Identifier: Apache-2.0 */
/* test_memo_index.c: the index of hashes against a plain list of pairs, the counts of its chunks
 * against what lies in them. */
#include "engine/cache/memo_index.h"

#include "tests/engine/moving_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST = 1200, STEPS = 2500, SEEDS = 3, EACH = 8 /* a look in so many steps */ };

enum { ANY, EQUAL, ONE_CHUNK, TOP_BITS, BOTH_ENDS, HASH_KINDS };

typedef struct pair {
    uint32_t hash, number;
    uint8_t slot; /* as _add said */
} pair;

typedef struct model {
    pair pairs[MOST]; /* those that are in */
    uint32_t count;
    uint32_t hashes[MOST]; /* of numbers */
    bool taken[MOST];      /* numbers */
    uint32_t passed[MOST]; /* of each chunk: the most it was seen to have to count */
} model;

static uint32_t draw_hash(random_source *source, int kind)
{
    uint32_t small = random_below(source, 60);
    switch (kind) {
    case EQUAL:
        return UINT32_C(0xfffffff0);
    case ONE_CHUNK:
        return UINT32_C(0x60000000) + random_below(source, 1000);
    case TOP_BITS:
        return random_below(source, 8) << 29;
    case BOTH_ENDS:
        return random_below(source, 4) == 0 ? small : UINT32_MAX - small;
    default:
        return (uint32_t)random_next(source);
    }
}

/* The numbers that a search comes to whose hash it is: those of the model, each once. */
static bool finds(const ft_memo_index *index, const model *right, uint32_t hash)
{
    bool right_ones[MOST] = {false};
    uint32_t left = 0;
    for (uint32_t i = 0; i < right->count; i++)
        if (right->pairs[i].hash == hash) {
            right_ones[right->pairs[i].number] = true;
            left++;
        }
    ft_index_probe probe = ft_index_probe_begin(index, hash);
    do {
        while (probe.matches != 0) {
            uint32_t number = ft_index_probe_take(index, &probe);
            if (number >= MOST || !right->taken[number])
                return false; /* another hash with that tag must be there, too */
            left -= right_ones[number];
            right_ones[number] = false;
        }
    } while (ft_index_probe_move(index, &probe));
    return left == 0;
}

/* Each chunk counts those that lie beyond it and began at or before it; one that once had 255 to
 * count says 255 for ever. */
static bool counts_are_right(const ft_memo_index *index, model *right)
{
    uint32_t passed[MOST] = {0}, in = 0;
    bool good = true;
    for (uint32_t at = 0; at < index->count; at++)
        for (int slot = 0; slot < FT_INDEX_SLOTS; slot++) {
            if (index->chunks[at].tags[slot] == 0)
                continue;
            uint32_t number = index->chunks[at].numbers[slot];
            uint32_t chunk = ft_index_home_of(index, right->hashes[number]).chunk;
            for (; chunk != at; chunk = (chunk + 1) % index->count)
                passed[chunk]++;
            in++;
        }
    for (uint32_t at = 0; at < index->count; at++) {
        if (passed[at] > right->passed[at])
            right->passed[at] = passed[at];
        if (index->chunks[at].passed == FT_INDEX_PASSED_MOST)
            good &= right->passed[at] + EACH > FT_INDEX_PASSED_MOST; /* maybe not when looked at */
        else
            good &=
                right->passed[at] < FT_INDEX_PASSED_MOST && index->chunks[at].passed == passed[at];
    }
    return good && in == right->count;
}

static bool add(ft_memo_index *index, model *right, uint32_t hash)
{
    uint32_t number = 0;
    while (right->taken[number])
        number++;
    pair *new = &right->pairs[right->count++];
    *new = (pair){hash, number, ft_memo_index_add(index, hash, number)};
    right->taken[number] = true;
    right->hashes[number] = hash;
    uint32_t home = ft_index_home_of(index, hash).chunk;
    return new->slot == FT_INDEX_ELSEWHERE || (index->chunks[home].numbers[new->slot] == number &&
                                               index->chunks[home].tags[new->slot] != 0);
}

/* With the slot that is known, or without. */
static void remove_at(ft_memo_index *index, model *right, uint32_t at, bool known)
{
    pair gone = right->pairs[at];
    ft_memo_index_remove(index, gone.hash, gone.number, known ? gone.slot : FT_INDEX_ELSEWHERE);
    right->pairs[at] = right->pairs[--right->count];
    right->taken[gone.number] = false;
}

/* What lies in the home of a hash has that tag, and is given where it does. */
static bool guesses_well(const ft_memo_index *index, const model *right, uint32_t hash)
{
    uint32_t number;
    ft_index_home home = ft_index_home_of(index, hash);
    if (ft_index_at_home(index, home, &number))
        return number < MOST && right->taken[number] &&
               ft_index_home_of(index, right->hashes[number]).tag == home.tag;
    for (uint32_t i = 0; i < right->count; i++)
        if (right->pairs[i].hash == hash && right->pairs[i].slot == home.slot)
            return false;
    return true;
}

static bool run_seed(uint64_t seed, uint32_t chunks, int kind)
{
    static model right;
    moving_mem mem;
    ft_memo_index index;
    random_source source = {seed};
    right = (model){.count = 0};
    moving_mem_init(&mem);
    bool good = ft_memo_index_new(&index, &mem.mem, chunks) == FT_OK;
    good &= ft_memo_index_bytes(&index) == mem.bytes && (uintptr_t)index.chunks % 64 == 0;
    for (uint32_t i = 0; i < STEPS && good; i++) {
        uint32_t hash = draw_hash(&source, kind);
        bool grows = i / 600 % 2 == 0;
        if (random_below(&source, STEPS) == 0) {
            ft_memo_index_clear(&index);
            right = (model){.count = 0};
        } else if (right.count > 0 && random_below(&source, 5) < (grows ? 1 : 4)) {
            remove_at(&index, &right, random_below(&source, right.count), i % 2 == 0);
        } else if (right.count < chunks * FT_INDEX_SLOTS && right.count < MOST) {
            good = add(&index, &right, hash); /* to the last slot */
        }
        if (i % EACH == 0 || chunks < 5)
            good &= counts_are_right(&index, &right);
        good &= finds(&index, &right, draw_hash(&source, kind)) && finds(&index, &right, hash);
        good &= guesses_well(&index, &right, hash);
    }
    ft_memo_index_fini(&index, &mem.mem);
    ft_memo_index_fini(&index, &mem.mem);
    return good && mem.bytes == 0;
}

static void test_against_list(void)
{
    static const uint32_t chunks[] = {1, 2, 3, 7, 60};
    bool good = true;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int kind = 0; kind < HASH_KINDS; kind++)
            for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
                if (run_seed(seed, chunks[i], kind))
                    continue;
                printf("# seed %u, chunks %u, hashes %d\n", (unsigned)seed, chunks[i], kind);
                good = false;
            }
    CHECK(good);
}

static void test_without_memory(void)
{
    ft_memo_index index;
    uint32_t number;
    ft_memo_index_init(&index);
    ft_memo_index_clear(&index);
    for (uint64_t hash = 0; hash <= UINT32_MAX; hash += UINT32_MAX / 4) {
        ft_index_probe probe = ft_index_probe_begin(&index, (uint32_t)hash);
        CHECK(probe.matches == 0 && !ft_index_probe_move(&index, &probe));
        ft_index_home home = ft_index_home_of(&index, (uint32_t)hash);
        CHECK(!ft_index_at_home(&index, home, &number));
    }
    CHECK(ft_memo_index_bytes(&index) == 0);
    ft_memo_index_fini(&index, &ft_mem_system);
}

static ft_status make(const ft_mem *mem)
{
    ft_memo_index index;
    ft_memo_index_init(&index);
    ft_status status = ft_memo_index_new(&index, mem, 5);
    if (status != FT_OK && index.block != NULL)
        status = FT_ERR_CORRUPT;
    ft_memo_index_fini(&index, mem);
    return status;
}

static void test_match16(void)
{
    random_source source = {5};
    bool good = true;
    for (int turn = 0; turn < 5000; turn++) {
        uint8_t bytes[16], byte = (uint8_t)(random_below(&source, 4) * 85);
        uint32_t right = 0, lowest = 0;
        for (uint32_t i = 0; i < 16; i++) {
            bytes[i] = (uint8_t)(random_below(&source, 4) * 85);
            right |= bytes[i] == byte ? 1U << i : 0;
        }
        good &= ft_match16(bytes, byte) == right;
        while (right != 0 && (right >> lowest & 1) == 0)
            lowest++;
        good &= right == 0 || ft_lowest_bit(right) == lowest;
    }
    CHECK(good);
}

int main(void)
{
    test_match16();
    test_against_list();
    test_without_memory();
    CHECK(sweep(make));
    return tap_end();
}
