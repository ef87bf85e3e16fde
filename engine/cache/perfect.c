/* SPDX-License-Identifier: Apache-2.0 */
/* perfect.c: from one of n 64-bit hashes to its number, built (see perfect.h).
 *
 * While it is built, the members of a bucket stand together (a counting sort), and so do buckets of
 * one size. A bucket's hashes are put into the places that a displacement means, one by one; where
 * one is taken, those put so far are taken out and the next displacement is tried. */
#include "engine/cache/perfect.h"

#include <assert.h>
#include <string.h>

enum {
    HASHES_IN_BUCKET = 4, /* on average: more make a smaller table and a longer search */
    LEAST_SIZE = 2,
    TRIES = 1024, /* of displacements; an ordinary bucket needs a dozen at most loads */
    ROUNDS = 6    /* of growing by a quarter, before chains must do */
};

typedef struct builder {
    const uint64_t *hashes;
    uint32_t *starts;  /* of each bucket in members, and their end */
    uint32_t *members; /* numbers, bucket by bucket */
    uint32_t *order;   /* buckets, the largest first */
} builder;

static uint32_t bucket_of(const ft_perfect *table, uint64_t hash)
{
    return ft_perfect_below(ft_perfect_mix(hash), table->buckets);
}

static uint32_t place_of(const ft_perfect *table, uint64_t hash, uint64_t displacement)
{
    return ft_perfect_displaced(ft_perfect_mix(hash), displacement, table->size);
}

static uint32_t bucket_size(const builder *build, uint32_t bucket)
{
    return build->starts[bucket + 1] - build->starts[bucket];
}

/* Fills starts and members. */
static void sort_members(builder *build, const ft_perfect *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        build->starts[bucket_of(table, build->hashes[i]) + 1]++;
    for (uint32_t bucket = 0; bucket < table->buckets; bucket++)
        build->starts[bucket + 1] += build->starts[bucket];
    for (uint32_t i = 0; i < table->count; i++) { /* each start moves to its end, and back below */
        uint32_t bucket = bucket_of(table, build->hashes[i]);
        build->members[build->starts[bucket]++] = i;
    }
    for (uint32_t bucket = table->buckets; bucket > 0; bucket--)
        build->starts[bucket] = build->starts[bucket - 1];
    build->starts[0] = 0;
    assert(build->starts[table->buckets] == table->count);
}

/* Fills order. FT_ERR_MEMORY. */
static ft_status sort_buckets(builder *build, const ft_perfect *table)
{
    uint32_t largest = 0;
    for (uint32_t bucket = 0; bucket < table->buckets; bucket++)
        if (bucket_size(build, bucket) > largest)
            largest = bucket_size(build, bucket);
    uint32_t *before = ft_mem_new(table->mem, (size_t)largest + 2, sizeof *before);
    if (before == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t bucket = 0; bucket < table->buckets; bucket++) /* [s]: those larger than s */
        before[bucket_size(build, bucket)]++;
    uint32_t larger = 0;
    for (uint32_t size = largest + 1; size-- > 0;) {
        uint32_t equal = before[size];
        before[size] = larger;
        larger += equal;
    }
    for (uint32_t bucket = 0; bucket < table->buckets; bucket++)
        build->order[before[bucket_size(build, bucket)]++] = bucket;
    ft_mem_free(table->mem, before);
    return FT_OK;
}

static void take_out(ft_perfect *table, const builder *build, uint32_t bucket, uint32_t end,
                     uint64_t displacement)
{
    for (uint32_t i = build->starts[bucket]; i < end; i++) {
        uint64_t hash = build->hashes[build->members[i]];
        table->places[place_of(table, hash, displacement)] = (ft_perfect_place){0};
    }
}

/* Puts one of each hash of the bucket into the place that the displacement means. */
static bool put_in(ft_perfect *table, const builder *build, uint32_t bucket, uint64_t displacement)
{
    for (uint32_t i = build->starts[bucket]; i < build->starts[bucket + 1]; i++) {
        uint32_t member = build->members[i];
        uint64_t hash = build->hashes[member];
        ft_perfect_place *place = &table->places[place_of(table, hash, displacement)];
        if (place->member == 0) {
            *place = (ft_perfect_place){.hash = hash, .member = member + 1};
        } else if (place->hash != hash) {
            take_out(table, build, bucket, i, displacement);
            return false;
        }
    }
    return true;
}

static bool displace(ft_perfect *table, const builder *build, uint32_t bucket)
{
    for (uint64_t i = 0; i < TRIES; i++) {
        uint64_t displacement = i * UINT64_C(0xC2B2AE3D27D4EB4F); /* 0 first; all bits differ */
        if (put_in(table, build, bucket, displacement)) {
            table->displacements[bucket] = displacement;
            return true;
        }
    }
    return false;
}

/* Members of the bucket that have no place of their own yet go behind the one in their place. */
static void chain(ft_perfect *table, const builder *build, uint32_t bucket)
{
    for (uint32_t i = build->starts[bucket]; i < build->starts[bucket + 1]; i++) {
        uint32_t member = build->members[i];
        uint64_t hash = build->hashes[member];
        uint32_t at = place_of(table, hash, table->displacements[bucket]);
        ft_perfect_place *place = &table->places[at];
        if (place->member == member + 1)
            continue;
        if (place->member == 0) {
            *place = (ft_perfect_place){.hash = hash, .member = member + 1};
            continue;
        }
        uint32_t end = table->size + table->chained++;
        table->places[end] = (ft_perfect_place){hash, member + 1, place->next};
        place->next = end;
    }
}

/* Finds a place for every member; at_last: by chains where there is no displacement. */
static bool place_all(ft_perfect *table, const builder *build, bool at_last)
{
    memset(table->places, 0, ((size_t)table->size + table->count) * sizeof *table->places);
    for (uint32_t i = 0; i < table->buckets; i++) {
        uint32_t bucket = build->order[i];
        if (!displace(table, build, bucket) && !at_last)
            return false;
    }
    for (uint32_t bucket = 0; bucket < table->buckets; bucket++)
        chain(table, build, bucket);
    return true;
}

/* Gives back the room for chains that there are not; it may stay where it can not be made smaller.
 */
static void trim(ft_perfect *table)
{
    size_t used = (size_t)table->size + table->chained;
    void *smaller = ft_mem_resize(table->mem, table->places, used, sizeof *table->places);
    if (smaller != NULL)
        table->places = smaller;
}

static ft_status fill(ft_perfect *table, const builder *build)
{
    for (int round = 0; round < ROUNDS; round++) {
        void *room = ft_mem_resize(table->mem, table->places, (size_t)table->size + table->count,
                                   sizeof *table->places);
        if (room == NULL)
            return FT_ERR_MEMORY;
        table->places = room;
        if (place_all(table, build, round == ROUNDS - 1))
            break;
        table->size += table->size / 4 + 1;
    }
    return FT_OK;
}

static ft_status make(ft_perfect *table, const uint64_t *hashes)
{
    const ft_mem *mem = table->mem;
    builder build = {.hashes = hashes};
    ft_status status = FT_ERR_MEMORY;
    table->displacements = ft_mem_new(mem, table->buckets, sizeof *table->displacements);
    build.starts = ft_mem_new(mem, (size_t)table->buckets + 1, sizeof *build.starts);
    build.members = ft_mem_new(mem, (size_t)table->count + 1, sizeof *build.members);
    build.order = ft_mem_new(mem, table->buckets, sizeof *build.order);
    if (table->displacements != NULL && build.starts != NULL && build.members != NULL &&
        build.order != NULL) {
        sort_members(&build, table);
        status = sort_buckets(&build, table);
    }
    if (status == FT_OK)
        status = fill(table, &build);
    ft_mem_free(mem, build.starts);
    ft_mem_free(mem, build.members);
    ft_mem_free(mem, build.order);
    return status;
}

ft_status ft_perfect_init(ft_perfect *table, const ft_mem *mem, const uint64_t *hashes,
                          size_t count)
{
    if (count > FT_PERFECT_MOST)
        return FT_ERR_LIMIT;
    ft_perfect made = {.mem = mem, .count = (uint32_t)count};
    made.buckets = made.count / HASHES_IN_BUCKET + 1;
    made.size = made.count + made.count / 4 + LEAST_SIZE;
    ft_status status = make(&made, hashes);
    if (status != FT_OK) {
        ft_perfect_fini(&made);
        return status;
    }
    trim(&made);
    assert(ft_perfect_check(&made, hashes));
    *table = made;
    return FT_OK;
}

void ft_perfect_fini(ft_perfect *table)
{
    if (table->mem != NULL) {
        ft_mem_free(table->mem, table->displacements);
        ft_mem_free(table->mem, table->places);
    }
    *table = (ft_perfect){0};
}

size_t ft_perfect_bytes(const ft_perfect *table)
{
    return table->buckets * sizeof *table->displacements +
           ((size_t)table->size + table->chained) * sizeof *table->places;
}

bool ft_perfect_check(const ft_perfect *table, const uint64_t *hashes)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < table->size + table->chained; i++) {
        const ft_perfect_place *place = &table->places[i];
        found += place->member != 0;
        if (place->member > table->count || place->next >= table->size + table->chained ||
            (place->next != 0 && (place->member == 0 || place->next < table->size)) ||
            (place->member != 0 && hashes[place->member - 1] != place->hash) ||
            (place->member != 0 && ft_perfect_first(table, place->hash) == NULL))
            return false;
    }
    return found == table->count;
}
