/* SPDX-License-Identifier: Apache-2.0 */
/* test_query.c: the tables against the traces they come from.
 *
 * A trace is a random series of entries, exits and passing time on an explicit stack. Two listeners
 * hear it: one builds the calling-context tree as a recorder does; the other, the oracle, sees no
 * tree: it computes per call what cProfile's definition says (a call is primitive when its
 * function is not on the stack yet; own time is the time until the exit less that of the calls
 * made; cumulative time adds up calls that are primitive; the same per caller and callee). Then the
 * queries must give the oracle's numbers. */
#include "engine/model/query.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST_CODES = 24, MOST_DEPTH = 400 };

typedef struct sums {
    uint64_t calls, primitive, own, cumulative, own_waiting, cumulative_waiting;
} sums;

typedef struct frame { /* an open call, as the oracle sees it */
    uint32_t code;
    int primitive, pair_primitive;
    uint64_t start, start_waiting;   /* the thread's clocks at the entry */
    uint64_t inside, inside_waiting; /* in calls made from here */
} frame;

typedef struct oracle {
    sums functions[MOST_CODES];
    sums edges[MOST_CODES][MOST_CODES]; /* by caller, callee */
    frame stack[MOST_DEPTH];            /* stack[0] is the root, code FT_CODE_NONE */
    uint32_t depth;
    uint64_t clock, waited; /* of the thread */
} oracle;

/* ---- the oracle ---- */

static int has_code(const oracle *right, uint32_t code)
{
    for (uint32_t i = 1; i <= right->depth; i++)
        if (right->stack[i].code == code)
            return 1;
    return 0;
}

static int has_pair(const oracle *right, uint32_t caller, uint32_t callee)
{
    for (uint32_t i = 1; i <= right->depth; i++)
        if (right->stack[i - 1].code == caller && right->stack[i].code == callee)
            return 1;
    return 0;
}

static void oracle_enter(oracle *right, uint32_t code)
{
    frame *caller = &right->stack[right->depth];
    frame made = {.code = code, .start = right->clock, .start_waiting = right->waited};
    made.primitive = !has_code(right, code);
    made.pair_primitive = !has_pair(right, caller->code, code);
    right->stack[++right->depth] = made;
}

static void oracle_tally(sums *of, int primitive, uint64_t own, uint64_t total,
                         uint64_t own_waiting, uint64_t total_waiting)
{
    of->calls++;
    of->own += own;
    of->own_waiting += own_waiting;
    if (!primitive)
        return;
    of->primitive++;
    of->cumulative += total;
    of->cumulative_waiting += total_waiting;
}

static void oracle_leave(oracle *right)
{
    const frame *call = &right->stack[right->depth--];
    frame *caller = &right->stack[right->depth];
    uint64_t total = right->clock - call->start, waiting = right->waited - call->start_waiting;
    uint64_t own = total - call->inside, own_waiting = waiting - call->inside_waiting;
    caller->inside += total;
    caller->inside_waiting += waiting;
    oracle_tally(&right->functions[call->code], call->primitive, own, total, own_waiting, waiting);
    oracle_tally(&right->edges[caller->code][call->code], call->pair_primitive, own, total,
                 own_waiting, waiting);
}

/* ---- the tree, as a recorder builds it ---- */

typedef struct builder {
    ft_profile *profile;
    ft_tree *tree;
    uint32_t most_nodes;           /* past that many, calls are folded */
    uint32_t folded, folded_again; /* codes */
    uint32_t path[MOST_DEPTH], depth;
} builder;

static uint32_t child_of(ft_tree *tree, uint32_t parent, uint32_t code, int make)
{
    uint32_t id = 0;
    for (uint32_t i = parent + 1; i < tree->count; i++)
        if (tree->nodes[i].parent == parent && tree->nodes[i].code == code)
            return i;
    if (make && ft_tree_add(tree, parent, code, &id) != FT_OK)
        abort();
    return id;
}

static uint32_t folded_child(builder *build, uint32_t code, int again)
{
    ft_tree *tree = build->tree;
    uint32_t caller = tree->nodes[build->path[build->depth]].code;
    uint32_t at = child_of(tree, 0, again ? build->folded_again : build->folded, 1);
    if (caller != FT_CODE_NONE)
        at = child_of(tree, at, caller, 1);
    return child_of(tree, at, code, 1);
}

static void build_enter(builder *build, uint32_t code)
{
    ft_tree *tree = build->tree;
    uint32_t parent = build->path[build->depth];
    uint32_t id = child_of(tree, parent, code, tree->count < build->most_nodes);
    int again = 0;
    for (uint32_t i = 1; i <= build->depth; i++)
        again |= tree->nodes[build->path[i]].code == code;
    if (id == 0)
        id = folded_child(build, code, again);
    build->path[++build->depth] = id;
    tree->nodes[id].calls++;
}

static void build_pass(builder *build, uint64_t time, uint64_t waiting)
{
    ft_node *node = &build->tree->nodes[build->path[build->depth]];
    node->own += time;
    node->waiting += waiting;
}

/* ---- a random trace heard by both ---- */

typedef struct shape {
    uint32_t codes, events, deepest, threads;
    uint32_t enter_percent;
    uint32_t most_nodes;
} shape;

static void pass_time(builder *build, oracle *right, random_source *source)
{
    uint64_t time = random_below(source, 1000), waiting = 0;
    if (random_below(source, 3) == 0)
        waiting = time - time / (1 + random_below(source, 4));
    build_pass(build, time, waiting);
    right->clock += time;
    right->waited += waiting;
}

static void run_thread(builder *build, oracle *right, random_source *source, const shape *of)
{
    right->stack[0] = (frame){.code = FT_CODE_NONE};
    right->clock = random_next(source) >> 20; /* a clock begins anywhere */
    for (uint32_t i = 0; i < of->events; i++) {
        pass_time(build, right,
                  source); /* at depth 0 too: the root's time, which is no function's */
        if (right->depth < of->deepest && random_below(source, 100) < of->enter_percent) {
            uint32_t code = 1 + random_below(source, of->codes);
            build_enter(build, code);
            oracle_enter(right, code);
        } else if (right->depth > 0) {
            build->depth--;
            oracle_leave(right);
        }
    }
    for (; right->depth > 0; build->depth--) /* open frames count up to now */
        oracle_leave(right);
}

static void make_codes(ft_profile *profile, uint32_t codes, builder *build)
{
    uint32_t id;
    int good = 1;
    for (uint32_t line = 1; line <= codes; line++) {
        uint32_t kind = line % 3 == 0 ? FT_CODE_C : FT_CODE_PYTHON;
        good &= ft_codetab_intern(&profile->codes, &(ft_code){.line = line, .kind = kind}, &id) ==
                    FT_OK &&
                id == line;
    }
    good &= ft_codetab_intern(&profile->codes, &(ft_code){.kind = FT_CODE_FOLDED},
                              &build->folded) == FT_OK;
    good &= ft_codetab_intern(&profile->codes, &(ft_code){.kind = FT_CODE_FOLDED_AGAIN},
                              &build->folded_again) == FT_OK;
    if (!good)
        abort();
}

static void run_trace(ft_profile *profile, oracle *right, random_source *source, const shape *of)
{
    uint32_t index;
    builder build = {.profile = profile, .most_nodes = of->most_nodes};
    memset(right, 0, sizeof *right);
    if (ft_profile_init(profile, &ft_mem_system) != FT_OK ||
        ft_profile_add_process(profile, &(ft_process){0}, &index) != FT_OK)
        abort();
    make_codes(profile, of->codes, &build);
    for (uint32_t i = 0; i < of->threads; i++) {
        if (ft_profile_add_thread(profile, 0, 0, &index) != FT_OK)
            abort();
        build.tree = &profile->threads[index].tree;
        run_thread(&build, right, source, of);
    }
}

/* ---- comparing ---- */

static sums of_function(const ft_function_row *row)
{
    return (sums){row->calls,      row->primitive,   row->own,
                  row->cumulative, row->own_waiting, row->cumulative_waiting};
}

static sums of_edge(const ft_edge_row *row)
{
    return (sums){row->calls,      row->primitive,   row->own,
                  row->cumulative, row->own_waiting, row->cumulative_waiting};
}

static int equal(sums a, sums b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* What must hold when calls were folded: calls and own times are exact, cumulative times may lack
 * what the folded calls took, and never exceed the truth. */
static int equal_but_folded(sums got, sums right)
{
    return got.calls == right.calls && got.own == right.own &&
           got.own_waiting == right.own_waiting && got.cumulative <= right.cumulative &&
           got.cumulative_waiting <= right.cumulative_waiting;
}

static int functions_hold(const ft_profile *profile, const oracle *right, const shape *of,
                          int folded)
{
    ft_function_row *rows = NULL;
    uint32_t count = 99, expected = 0;
    int good = ft_query_functions(profile, &rows, &count) == FT_OK;
    for (uint32_t code = 0; code <= of->codes; code++)
        expected += right->functions[code].calls > 0;
    good &= count == expected && (rows == NULL) == (count == 0);
    for (uint32_t i = 0; i < count && good; i++) {
        sums got = of_function(&rows[i]), wanted = right->functions[rows[i].code];
        good = i == 0 || rows[i - 1].code < rows[i].code;
        good &= folded ? equal_but_folded(got, wanted) : equal(got, wanted);
        good &= got.primitive == wanted.primitive;
    }
    ft_mem_free(profile->mem, rows);
    return good;
}

static int edges_hold(const ft_profile *profile, const oracle *right, const shape *of, int folded)
{
    ft_edge_row *rows = NULL;
    uint32_t count = 99, expected = 0;
    int good = ft_query_edges(profile, &rows, &count) == FT_OK;
    for (uint32_t pair = 0; pair < (of->codes + 1) * (of->codes + 1); pair++)
        expected += right->edges[pair / (of->codes + 1)][pair % (of->codes + 1)].calls > 0;
    good &= count == expected && (rows == NULL) == (count == 0);
    for (uint32_t i = 0; i < count && good; i++) {
        const ft_edge_row *row = &rows[i], *before = row - (i > 0);
        sums got = of_edge(row), wanted = right->edges[row->caller][row->callee];
        good = i == 0 || before->callee < row->callee ||
               (before->callee == row->callee && before->caller < row->caller);
        good &= folded ? equal_but_folded(got, wanted) : equal(got, wanted);
        good &= got.primitive <= wanted.primitive;
    }
    ft_mem_free(profile->mem, rows);
    return good;
}

static int totals_hold(const ft_profile *profile, const oracle *right)
{
    ft_totals totals;
    int good = ft_query_totals(profile, &totals) == FT_OK;
    for (uint32_t code = 0; code < MOST_CODES; code++) {
        totals.calls -= right->functions[code].calls;
        totals.primitive -= right->functions[code].primitive;
        totals.own -= right->functions[code].own;
        totals.waiting -= right->functions[code].own_waiting;
    }
    for (uint32_t i = 0; i < profile->thread_count; i++)
        totals.nodes -= profile->threads[i].tree.count;
    return good && totals.calls == 0 && totals.primitive == 0 && totals.own == 0 &&
           totals.waiting == 0 && totals.nodes == 0;
}

static int trace_holds(uint64_t seed, shape of, int *folded)
{
    static oracle right; /* large for a stack */
    random_source source = {seed};
    ft_profile profile;
    run_trace(&profile, &right, &source, &of);
    *folded = 0;
    for (uint32_t i = 0; i < profile.thread_count; i++)
        *folded |= profile.threads[i].tree.count > of.most_nodes;
    int good = ft_profile_check(&profile) == FT_OK;
    good &= functions_hold(&profile, &right, &of, *folded);
    good &= edges_hold(&profile, &right, &of, *folded);
    good &= totals_hold(&profile, &right);
    ft_profile_fini(&profile);
    if (!good)
        printf("# seed %llu\n", (unsigned long long)seed);
    return good;
}

static shape draw_shape(random_source *source, uint32_t most_events)
{
    shape of = {.most_nodes = UINT32_MAX};
    of.codes = 1 + random_below(source, random_below(source, 2) == 0 ? 3 : MOST_CODES - 1);
    of.events = random_below(source, most_events);
    of.deepest = 1 + random_below(source, random_below(source, 2) == 0 ? 6 : MOST_DEPTH - 1);
    of.threads = random_below(source, 4);
    of.enter_percent = 45 + random_below(source, 35);
    return of;
}

static void test_small_traces(void)
{
    random_source source = {1};
    int good = 1, folded;
    for (uint64_t seed = 0; seed < 4000; seed++)
        good &= trace_holds(seed, draw_shape(&source, 120), &folded) && !folded;
    CHECK(good);
}

static void test_large_traces(void)
{
    random_source source = {2};
    int good = 1, folded;
    for (uint64_t seed = 0; seed < 20; seed++)
        good &= trace_holds(seed, draw_shape(&source, 4000), &folded) && !folded;
    CHECK(good);
}

/* Recursion and nothing else: one function, and two that call each other. */
static void test_recursion(void)
{
    int good = 1, folded;
    for (uint64_t seed = 0; seed < 200; seed++) {
        shape of = {1 + (uint32_t)seed % 2, 300, 200, 2, 55, UINT32_MAX};
        good &= trace_holds(seed, of, &folded) && !folded;
    }
    CHECK(good);
}

static void test_folded_traces(void)
{
    random_source source = {3};
    int good = 1, folded, times = 0;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        shape of = draw_shape(&source, 300);
        of.most_nodes = 1 + random_below(&source, 60);
        good &= trace_holds(seed, of, &folded);
        times += folded;
    }
    CHECK(good);
    CHECK(times > 1000);
}

/* ---- trees made by hand ---- */

typedef struct bench { /* a profile with one thread and codes f, g, h and the two folded ones */
    ft_profile profile;
    ft_tree *tree;
    uint32_t f, g, h, folded, folded_again;
} bench;

static void bench_init(bench *made)
{
    builder codes;
    uint32_t index;
    REQUIRE(ft_profile_init(&made->profile, &ft_mem_system) == FT_OK);
    make_codes(&made->profile, 3, &codes);
    REQUIRE(ft_profile_add_process(&made->profile, &(ft_process){0}, &index) == FT_OK);
    REQUIRE(ft_profile_add_thread(&made->profile, 0, 0, &index) == FT_OK);
    made->tree = &made->profile.threads[0].tree;
    made->f = 1, made->g = 2, made->h = 3;
    made->folded = codes.folded;
    made->folded_again = codes.folded_again;
}

static uint32_t add(bench *to, uint32_t parent, uint32_t code, uint64_t calls, uint64_t own)
{
    uint32_t id = 0;
    if (ft_tree_add(to->tree, parent, code, &id) != FT_OK)
        abort();
    to->tree->nodes[id].calls = calls;
    to->tree->nodes[id].own = own;
    return id;
}

static sums function_of(const bench *in, uint32_t code)
{
    ft_function_row *rows = NULL;
    uint32_t count = 0;
    sums found = {0};
    if (ft_query_functions(&in->profile, &rows, &count) != FT_OK)
        abort();
    for (uint32_t i = 0; i < count; i++)
        if (rows[i].code == code)
            found = of_function(&rows[i]);
    ft_mem_free(in->profile.mem, rows);
    return found;
}

static sums edge_of(const bench *in, uint32_t caller, uint32_t callee)
{
    ft_edge_row *rows = NULL;
    uint32_t count = 0;
    sums found = {0};
    if (ft_query_edges(&in->profile, &rows, &count) != FT_OK)
        abort();
    for (uint32_t i = 0; i < count; i++)
        if (rows[i].caller == caller && rows[i].callee == callee)
            found = of_edge(&rows[i]);
    ft_mem_free(in->profile.mem, rows);
    return found;
}

static uint32_t row_count(const bench *in, int edges)
{
    ft_function_row *functions = NULL;
    ft_edge_row *pairs = NULL;
    uint32_t count = 99;
    ft_status status = edges ? ft_query_edges(&in->profile, &pairs, &count)
                             : ft_query_functions(&in->profile, &functions, &count);
    ft_mem_free(in->profile.mem, functions);
    ft_mem_free(in->profile.mem, pairs);
    return status == FT_OK ? count : UINT32_MAX;
}

static void test_nothing(void)
{
    bench made;
    ft_profile empty;
    ft_totals totals = {.own = 9};
    ft_function_row *rows = &(ft_function_row){0};
    uint32_t count = 99;
    REQUIRE(ft_profile_init(&empty, &ft_mem_system) == FT_OK);
    CHECK(ft_query_functions(&empty, &rows, &count) == FT_OK && rows == NULL && count == 0);
    CHECK(ft_query_totals(&empty, &totals) == FT_OK && totals.own == 0 && totals.nodes == 0);
    ft_profile_fini(&empty);

    bench_init(&made);
    made.tree->nodes[0].own = 1000; /* the root's time is no function's */
    add(&made, 0, made.f, 0, 0);    /* never entered, no time */
    CHECK(row_count(&made, 0) == 0 && row_count(&made, 1) == 0);
    CHECK(ft_query_totals(&made.profile, &totals) == FT_OK && totals.own == 0);
    CHECK(totals.calls == 0 && totals.nodes == 2);
    ft_profile_fini(&made.profile);
}

/* Without a call and without own time, yet on the way to time: it has cumulative time. */
static void test_entered_before_the_start(void)
{
    bench made;
    bench_init(&made);
    uint32_t f = add(&made, 0, made.f, 0, 0);
    add(&made, f, made.g, 2, 5);
    CHECK(equal(function_of(&made, made.f), (sums){0, 0, 0, 5, 0, 0}));
    CHECK(equal(edge_of(&made, FT_CODE_NONE, made.f), (sums){0, 0, 0, 5, 0, 0}));
    CHECK(equal(edge_of(&made, made.f, made.g), (sums){2, 2, 5, 5, 0, 0}));
    ft_profile_fini(&made.profile);
}

/* FOLDED > f > g: f is g's caller and nothing more. FOLDED_AGAIN > g > f: no primitive call. */
static void test_folded(void)
{
    bench made;
    bench_init(&made);
    uint32_t folded = add(&made, 0, made.folded, 0, 0);
    uint32_t caller = add(&made, folded, made.f, 0, 0);
    uint32_t callee = add(&made, caller, made.g, 4, 40);
    made.tree->nodes[callee].waiting = 10;
    CHECK(row_count(&made, 0) == 1 && row_count(&made, 1) == 1);
    CHECK(equal(function_of(&made, made.g), (sums){4, 4, 40, 40, 10, 10}));
    CHECK(equal(edge_of(&made, made.f, made.g), (sums){4, 4, 40, 40, 10, 10}));

    folded = add(&made, 0, made.folded_again, 0, 0);
    caller = add(&made, folded, made.g, 0, 0);
    callee = add(&made, caller, made.h, 3, 30);
    made.tree->nodes[callee].waiting = 20;
    CHECK(row_count(&made, 0) == 2 && row_count(&made, 1) == 2);
    CHECK(equal(function_of(&made, made.h), (sums){3, 0, 30, 0, 20, 0}));
    CHECK(equal(edge_of(&made, made.g, made.h), (sums){3, 0, 30, 0, 20, 0}));
    add(&made, 0, made.h, 5, 50); /* elsewhere it is primitive: only that part is added */
    CHECK(equal(function_of(&made, made.h), (sums){8, 5, 80, 50, 20, 0}));
    ft_profile_fini(&made.profile);
}

/* What hangs directly below FOLDED and was called: no recorded function called it, and it may be
 * the caller of its children as well: f called those from anywhere, so their time is not that of
 * these calls of f. */
static void test_folded_below_root(void)
{
    bench made;
    bench_init(&made);
    uint32_t folded = add(&made, 0, made.folded, 0, 0);
    uint32_t f = add(&made, folded, made.f, 2, 20);
    add(&made, f, made.g, 4, 40);
    CHECK(equal(edge_of(&made, FT_CODE_NONE, made.f), (sums){2, 2, 20, 20, 0, 0}));
    CHECK(equal(edge_of(&made, made.f, made.g), (sums){4, 4, 40, 40, 0, 0}));
    CHECK(row_count(&made, 0) == 2 && row_count(&made, 1) == 2);

    folded = add(&made, 0, made.folded_again, 0, 0);
    f = add(&made, folded, made.f, 3, 30);
    add(&made, f, made.h, 5, 50);
    CHECK(equal(edge_of(&made, FT_CODE_NONE, made.f), (sums){5, 2, 50, 20, 0, 0}));
    CHECK(equal(edge_of(&made, made.f, made.h), (sums){5, 0, 50, 0, 0, 0}));
    ft_profile_fini(&made.profile);
}

/* A folded node may stand anywhere; its ancestors count like any others. */
static void test_folded_below_a_call(void)
{
    bench made;
    bench_init(&made);
    uint32_t f = add(&made, 0, made.f, 1, 10);
    uint32_t folded = add(&made, f, made.folded, 0, 0);
    add(&made, folded, made.f, 2, 20);
    CHECK(equal(function_of(&made, made.f), (sums){3, 1, 30, 30, 0, 0}));
    ft_profile_fini(&made.profile);
}

static void test_saturation(void)
{
    bench made;
    ft_totals totals;
    bench_init(&made);
    uint32_t f = add(&made, 0, made.f, UINT64_MAX, UINT64_MAX);
    add(&made, f, made.g, UINT64_MAX, UINT64_MAX - 5);
    add(&made, 0, made.f, 7, UINT64_MAX);
    for (uint32_t id = 1; id < made.tree->count; id++)
        made.tree->nodes[id].waiting = UINT64_MAX / 2 + 9;
    sums got = function_of(&made, made.f);
    CHECK(got.calls == UINT64_MAX && got.primitive == UINT64_MAX && got.own == UINT64_MAX);
    CHECK(got.cumulative == UINT64_MAX && got.own_waiting == UINT64_MAX);
    CHECK(edge_of(&made, FT_CODE_NONE, made.f).calls == UINT64_MAX);
    CHECK(ft_query_totals(&made.profile, &totals) == FT_OK);
    CHECK(totals.calls == UINT64_MAX && totals.own == UINT64_MAX && totals.waiting == UINT64_MAX);
    ft_profile_fini(&made.profile);
}

/* f g h f g h ...: every number has a closed form. */
static void test_deep(void)
{
    enum { LEVELS = 300000 };
    bench made;
    bench_init(&made);
    uint32_t at = 0;
    for (uint64_t level = 0; level < LEVELS; level++)
        at = add(&made, at, 1 + (uint32_t)(level % 3), 1, 10);
    for (uint32_t code = 1; code <= 3; code++) {
        sums right = {LEVELS / 3, 1, LEVELS / 3 * 10, (LEVELS - code + 1) * 10, 0, 0};
        CHECK(equal(function_of(&made, code), right));
    }
    CHECK(equal(edge_of(&made, FT_CODE_NONE, 1), (sums){1, 1, 10, LEVELS * 10, 0, 0}));
    CHECK(equal(edge_of(&made, 3, 1),
                (sums){LEVELS / 3 - 1, 1, LEVELS / 3 * 10 - 10, (LEVELS - 3) * 10, 0, 0}));
    ft_profile_fini(&made.profile);
}

/* Any tree that passes the check, however the folded nodes stand in it: the sums must agree. */
static int sums_agree(uint64_t seed)
{
    random_source source = {seed};
    bench made;
    ft_totals totals;
    sums by_function = {0}, by_edge = {0};
    builder codes;
    uint32_t index, count = 0;
    ft_function_row *rows = NULL;
    ft_edge_row *edges = NULL;
    int good = ft_profile_init(&made.profile, &ft_mem_system) == FT_OK;
    make_codes(&made.profile, 3, &codes);
    good &= ft_profile_add_process(&made.profile, &(ft_process){0}, &index) == FT_OK;
    good &= ft_profile_add_thread(&made.profile, 0, 0, &index) == FT_OK;
    made.tree = &made.profile.threads[0].tree;
    for (uint32_t nodes = random_below(&source, 80); nodes > 0; nodes--) {
        uint32_t parent = random_below(&source, made.tree->count);
        add(&made, parent, 1 + random_below(&source, 5), random_below(&source, 3),
            random_below(&source, 3));
    }
    good &= ft_profile_check(&made.profile) == FT_OK;
    good &= ft_query_totals(&made.profile, &totals) == FT_OK;
    good &= ft_query_functions(&made.profile, &rows, &count) == FT_OK;
    for (uint32_t i = 0; i < count; i++) {
        by_function.calls += rows[i].calls;
        by_function.own += rows[i].own;
        good &= rows[i].code >= 1 && rows[i].code <= 3 && rows[i].primitive <= rows[i].calls;
    }
    good &= ft_query_edges(&made.profile, &edges, &count) == FT_OK;
    for (uint32_t i = 0; i < count; i++) {
        by_edge.calls += edges[i].calls;
        by_edge.own += edges[i].own;
    }
    good &= totals.calls == by_function.calls && totals.own == by_function.own;
    good &= totals.calls == by_edge.calls && totals.own == by_edge.own;
    ft_mem_free(made.profile.mem, rows);
    ft_mem_free(made.profile.mem, edges);
    ft_profile_fini(&made.profile);
    return good;
}

static void test_any_tree(void)
{
    int good = 1;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        if (sums_agree(seed))
            continue;
        printf("# seed %llu\n", (unsigned long long)seed);
        good = 0;
    }
    CHECK(good);
}

/* ---- the sweep ---- */

static ft_status query_all(const ft_mem *mem)
{
    static oracle right;
    random_source source = {4};
    ft_profile profile;
    ft_function_row *rows = NULL;
    ft_edge_row *edges = NULL;
    ft_totals totals;
    uint32_t count = 0;
    run_trace(&profile, &right, &source, &(shape){20, 3000, 30, 2, 52, UINT32_MAX});
    ft_profile swept = profile; /* the same recording, whose queries ask the failing heap */
    swept.mem = mem;
    ft_status status = ft_query_functions(&swept, &rows, &count);
    if (status == FT_OK)
        status = ft_query_edges(&swept, &edges, &count);
    if (status == FT_OK)
        status = ft_query_totals(&swept, &totals);
    ft_mem_free(mem, rows);
    ft_mem_free(mem, edges);
    ft_profile_fini(&profile);
    return status;
}

int main(void)
{
    test_nothing();
    test_entered_before_the_start();
    test_folded();
    test_folded_below_root();
    test_folded_below_a_call();
    test_saturation();
    test_deep();
    test_recursion();
    test_small_traces();
    test_large_traces();
    test_folded_traces();
    test_any_tree();
    CHECK(sweep(query_all));
    return tap_end();
}
