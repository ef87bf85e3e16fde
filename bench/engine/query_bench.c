/* SPDX-License-Identifier: Apache-2.0 */
/* query_bench.c: how long the queries of a large tree take. Prints the median of several runs in
 * milliseconds for trees of three shapes:
 *   real    grown as a recorder would: a node appears when its path is first walked
 *   random  each node hangs under any earlier one
 *   deep    one path
 *
 * Usage: query_bench [NODES] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/map.h"
#include "engine/model/outline.h"
#include "engine/model/query.h"

enum { CODES = 600, CALLEES = 8, RUNS = 7, MAX_DEPTH = 60 };

typedef struct timings {
    double functions, totals, edges, outline; /* ms */
} timings;

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state << 13; /* xorshift64 */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * bound >> 32);
}

static void must(ft_status status)
{
    if (status == FT_OK)
        return;
    fprintf(stderr, "query_bench: %s\n", ft_status_text(status));
    exit(1);
}

static void add(ft_tree *tree, uint32_t parent, uint32_t code)
{
    uint32_t id;
    must(ft_tree_add(tree, parent, code, &id));
    tree->nodes[id].calls = 1 + random_below(100);
    tree->nodes[id].own = random_below(100000);
    tree->nodes[id].waiting = random_below(100);
}

static uint32_t child_of(ft_tree *tree, ft_map *children, uint32_t parent, uint32_t code)
{
    uint64_t key = (uint64_t)parent << 32 | code;
    const uint32_t *known = ft_map_get(children, key);
    if (known != NULL)
        return *known;
    add(tree, parent, code);
    must(ft_map_put(children, key, tree->count - 1));
    return tree->count - 1;
}

/* Walks a call graph, in which each function has its own few callees, half of them near it. A path
 * that was walked before is only counted, so late nodes have early parents, as in real programs. */
static void grow_real(ft_tree *tree, uint32_t nodes)
{
    uint32_t path[MAX_DEPTH] = {0}, depth = 0;
    ft_map children;
    ft_map_init(&children, &ft_mem_system);
    while (tree->count < nodes) {
        if (depth + 1 < MAX_DEPTH && random_below(100) < 52) {
            uint32_t code = tree->nodes[path[depth]].code, pick = random_below(CALLEES);
            uint32_t step = pick % 2 == 0 ? pick + 1 : pick * 37;
            path[depth + 1] = child_of(tree, &children, path[depth], 1 + (code + step) % CODES);
            depth++;
        } else if (depth > 0) {
            depth--;
        }
    }
    ft_map_fini(&children);
}

static void grow_random(ft_tree *tree, uint32_t nodes)
{
    while (tree->count < nodes)
        add(tree, random_below(tree->count), 1 + random_below(CODES));
}

static void grow_deep(ft_tree *tree, uint32_t nodes)
{
    while (tree->count < nodes)
        add(tree, tree->count - 1, 1 + random_below(CODES));
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static timings measure(const ft_profile *profile)
{
    ft_function_row *functions;
    ft_edge_row *edges;
    ft_totals totals;
    ft_outline_row *lines;
    uint32_t count;
    timings taken;
    double start = now_ms();
    must(ft_query_functions(profile, &functions, &count));
    taken.functions = now_ms() - start;
    start = now_ms();
    must(ft_query_totals(profile, &totals));
    taken.totals = now_ms() - start;
    start = now_ms();
    must(ft_query_edges(profile, &edges, &count));
    taken.edges = now_ms() - start;
    start = now_ms();
    must(ft_outline_make(profile, &(ft_outline_wish){.least = 0.01, .rows = 60}, &lines, &count));
    taken.outline = now_ms() - start;
    ft_mem_free(profile->mem, functions);
    ft_mem_free(profile->mem, edges);
    ft_mem_free(profile->mem, lines);
    return taken;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values)
{
    qsort(values, RUNS, sizeof *values, compare);
    return values[RUNS / 2];
}

static void bench(const char *shape, void (*grow)(ft_tree *, uint32_t), uint32_t nodes)
{
    ft_profile profile;
    uint32_t id;
    double functions[RUNS], totals[RUNS], edges[RUNS], outline[RUNS];
    must(ft_profile_init(&profile, &ft_mem_system));
    for (uint32_t line = 1; line <= CODES; line++)
        must(ft_codetab_intern(&profile.codes, &(ft_code){.line = line, .kind = FT_CODE_PYTHON},
                               &id));
    must(ft_profile_add_process(&profile, &(ft_process){0}, &id));
    must(ft_profile_add_thread(&profile, 0, 0, &id));
    grow(&profile.threads[0].tree, nodes);
    for (int run = 0; run < RUNS; run++) {
        timings taken = measure(&profile);
        functions[run] = taken.functions;
        totals[run] = taken.totals;
        edges[run] = taken.edges;
        outline[run] = taken.outline;
    }
    printf(
        "%-7s %9u nodes: functions %7.1f ms, totals %7.1f ms, edges %7.1f ms, outline %7.1f ms\n",
        shape, nodes, median(functions), median(totals), median(edges), median(outline));
    ft_profile_fini(&profile);
}

int main(int argc, char **argv)
{
    long nodes = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
    if (nodes < 1 || nodes > 100000000) {
        fprintf(stderr, "query_bench: NODES must be between 1 and 100000000.\n");
        return 2;
    }
    bench("real", grow_real, (uint32_t)nodes);
    bench("random", grow_random, (uint32_t)nodes);
    bench("deep", grow_deep, (uint32_t)nodes);
    return 0;
}
