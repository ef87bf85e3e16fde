/* SPDX-License-Identifier: Apache-2.0 */
/* tags_bench.c: what the tag of a block costs: ns for putting one and taking it away again, and
 * bytes, beside a plain hash of 24-byte entries that holds all blocks. Usage: tags_bench [LIVE
 * [ROUNDS]].
 *
 * The blocks are addresses only, laid out as CPython's small-object allocator does: pools of 16 KiB
 * of one size. `hot` puts and takes the same hundred last in, first out, as most of a program's
 * blocks go; `spread` takes any of the live ones and puts it again; `flip` is one block in a region
 * of its own, which empties each time; `untagged` takes what was never put, as sampling does with
 * most. The hash and the shadow take turns. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/record/tags.h"

enum { STEPS = 1 << 20, HOT = 100, ROUNDS_MAX = 101, CLASSES = 12, POOL_HEAD = 48, POOL = 16384 };

static const uint32_t classes[CLASSES] = {32, 48, 48, 64, 64, 64, 80, 96, 112, 144, 256, 512};

typedef struct block {
    uintptr_t address;
    uint32_t size;
} block;

typedef struct bench {
    ft_tags tags;
    block *blocks; /* live of them, and as many more that are never put */
    uint32_t live;
    const uint32_t *order; /* STEPS numbers below live */
} bench;

static uint64_t random_next(uint64_t *state) /* xorshift64 */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void lay_out(block *blocks, uint32_t count)
{
    uint64_t state = 88172645463325252u;
    uintptr_t pool = (uintptr_t)UINT64_C(0x7f1234500000);
    for (uint32_t i = 0; i < count; pool += POOL) {
        uint32_t size = classes[random_next(&state) % CLASSES];
        for (uint32_t at = POOL_HEAD; at + size <= POOL && i < count; at += size, i++)
            blocks[i] = (block){pool + at, size};
    }
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void put(bench *in, block made, uint32_t tag)
{
    if (!ft_tags_put(&in->tags, made.address, made.size, tag))
        abort();
}

static uint32_t take(bench *in, block known)
{
    size_t size = 0;
    return ft_tags_take(&in->tags, known.address, &size);
}

static double run_hot(bench *in, uint32_t *sum)
{
    double start = now_ns();
    const block *some = &in->blocks[in->live];
    for (uint32_t step = 0; step < STEPS / HOT; step++) {
        for (uint32_t i = 0; i < HOT; i++)
            put(in, some[i], i + 1);
        for (uint32_t i = HOT; i-- > 0;)
            *sum += take(in, some[i]);
    }
    return (now_ns() - start) / (STEPS / HOT * HOT);
}

/* The same with blocks that the shadow leaves to its hash. */
static double run_large(bench *in, uint32_t *sum)
{
    double start = now_ns();
    uintptr_t first = in->blocks[2 * in->live - 1].address + (uintptr_t)16 * POOL;
    for (uint32_t step = 0; step < STEPS / HOT; step++) {
        for (uint32_t i = 0; i < HOT; i++)
            put(in, (block){first + (uintptr_t)i * 1040, 1024}, i + 1);
        for (uint32_t i = HOT; i-- > 0;)
            *sum += take(in, (block){first + (uintptr_t)i * 1040, 1024});
    }
    return (now_ns() - start) / (STEPS / HOT * HOT);
}

static double run_spread(bench *in, uint32_t *sum)
{
    double start = now_ns();
    for (uint32_t step = 0; step < STEPS; step++) {
        block any = in->blocks[in->order[step]];
        uint32_t tag = take(in, any);
        put(in, any, tag + 1);
        *sum += tag;
    }
    return (now_ns() - start) / STEPS;
}

static double run_flip(bench *in, uint32_t *sum)
{
    double start = now_ns();
    block alone = {in->blocks[2 * in->live - 1].address + 4 * POOL, 400};
    for (uint32_t step = 0; step < STEPS; step++) {
        put(in, alone, step + 1);
        *sum += take(in, alone);
    }
    return (now_ns() - start) / STEPS;
}

static double run_untagged(bench *in, uint32_t *sum)
{
    double start = now_ns();
    for (uint32_t step = 0; step < STEPS; step++)
        *sum += take(in, in->blocks[in->live + step % in->live]);
    return (now_ns() - start) / STEPS;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(const char *what, double (*run)(bench *, uint32_t *), bench *ways, int rounds)
{
    double times[2][ROUNDS_MAX];
    uint32_t sum = 0;
    for (int round = 0; round < rounds; round++)
        for (int way = 0; way < 2; way++)
            times[way][round] = run(&ways[way], &sum);
    for (int way = 0; way < 2; way++)
        qsort(times[way], (size_t)rounds, sizeof(double), compare);
    printf("%-9s shadow %6.1f ns (best %6.1f), hash %6.1f ns (best %6.1f)%s\n", what,
           times[0][rounds / 2], times[0][0], times[1][rounds / 2], times[1][0],
           sum == 1 ? "." : "" /* the sum is used */);
}

int main(int count, char **words)
{
    uint32_t live = count > 1 ? (uint32_t)strtoul(words[1], NULL, 10) : 1000000;
    int rounds = count > 2 ? (int)strtol(words[2], NULL, 10) : 9;
    if (live < HOT || live > 100000000 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "tags_bench: LIVE must be 100 to 100000000, ROUNDS 1 to 101.\n");
        return 2;
    }
    block *blocks = calloc(2 * (size_t)live, sizeof *blocks);
    uint32_t *order = calloc(STEPS, sizeof *order);
    if (blocks == NULL || order == NULL)
        return 1;
    uint64_t state = 362436069;
    lay_out(blocks, 2 * live);
    for (uint32_t i = 0; i < STEPS; i++)
        order[i] = (uint32_t)(random_next(&state) % live);
    bench ways[2];
    for (int way = 0; way < 2; way++) {
        ways[way] = (bench){.blocks = blocks, .live = live, .order = order};
        if (ft_tags_init(&ways[way].tags, &ft_mem_system, way == 1) != FT_OK)
            return 1;
        for (uint32_t i = 0; i < live; i++)
            put(&ways[way], blocks[i], i + 1);
    }
    printf("%" PRIu32 " live blocks, %d rounds; bytes a block: shadow %.2f, hash %.2f\n", live,
           rounds, (double)ft_tags_bytes(&ways[0].tags) / live,
           (double)ft_tags_bytes(&ways[1].tags) / live);
    measure("hot", run_hot, ways, rounds);
    measure("large", run_large, ways, rounds);
    measure("spread", run_spread, ways, rounds);
    measure("flip", run_flip, ways, rounds);
    measure("untagged", run_untagged, ways, rounds);
    for (int way = 0; way < 2; way++)
        ft_tags_fini(&ways[way].tags);
    free(blocks);
    free(order);
    return 0;
}
