/* SPDX-License-Identifier: Apache-2.0 */
/* test_usage.c: what a stopwatch adds up, against a model that looks at every stretch of time. */
#include "engine/stats/usage.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { THREADS = 3, TASKS = 3, LANES = THREADS * TASKS, STEPS = 400, SEEDS = 200 };

/* ---- a machine: who runs is said, time passes when told ---- */

typedef struct machine {
    uint64_t wall;
    int64_t cpu[THREADS], switches[THREADS];
    uint32_t running; /* the thread that reads the clocks */
} machine;

static uint64_t machine_wall(void *context)
{
    return ((const machine *)context)->wall;
}

static void machine_cpu(void *context, ft_usage_reading *reading)
{
    const machine *now = context;
    reading->cpu = now->cpu[now->running];
    reading->switches = now->switches[now->running];
    reading->known = true;
}

/* ---- the model: what a lane has had since it last changed ---- */

typedef struct model_lane {
    uint32_t open, awake;
    uint64_t wall;
    int64_t cpu, switches;
} model_lane;

typedef struct model {
    machine at;
    model_lane lanes[LANES];
    uint64_t wall, waiting;
    int64_t cpu;
} model;

static uint32_t awake_in(const model *right, uint32_t thread)
{
    uint32_t awake = 0;
    for (uint32_t i = 0; i < TASKS; i++)
        awake += right->lanes[thread * TASKS + i].awake;
    return awake;
}

/* One thread runs or none; the others wait for it, or all are merely displaced. */
static void pass(model *right, random_source *source)
{
    machine *at = &right->at;
    uint64_t span = FT_USAGE_FRESH_NS + random_below(source, 1000000);
    uint32_t runs = random_below(source, THREADS + 1);
    bool displaced = random_below(source, 3) == 0;
    at->wall += span;
    for (uint32_t thread = 0; thread < THREADS; thread++) {
        int64_t cpu = thread == runs ? (int64_t)span : 0;
        int64_t switches = thread != runs && !displaced;
        at->cpu[thread] += cpu;
        at->switches[thread] += switches;
        right->cpu += awake_in(right, thread) > 0 ? cpu : 0;
        for (uint32_t i = 0; i < TASKS; i++) {
            model_lane *lane = &right->lanes[thread * TASKS + i];
            right->wall += lane->open > 0 ? span : 0;
            lane->wall += span;
            lane->cpu += cpu;
            lane->switches += switches;
        }
    }
}

static void model_change(model *right, uint32_t number, int open, int awake)
{
    model_lane *lane = &right->lanes[number];
    if (lane->open > 0 && lane->awake == 0)
        right->waiting += lane->wall;
    else if (lane->open > 0 && lane->switches > 0)
        right->waiting += lane->wall - (uint64_t)lane->cpu;
    *lane = (model_lane){.open = (uint32_t)((int)lane->open + open),
                         .awake = (uint32_t)((int)lane->awake + awake)};
}

/* ---- side by side ---- */

typedef struct pair {
    model right;
    ft_usage usage;
    ft_usage_clock clock;
    ft_usage_lane *lanes[LANES]; /* one holder each while a use is open */
} pair;

static void act(pair *both, random_source *source)
{
    uint32_t number = random_below(source, LANES), thread = number / TASKS;
    model_lane *lane = &both->right.lanes[number];
    both->right.at.running = thread;
    uint64_t wall = both->right.at.wall;
    uint32_t what = random_below(source, 4);
    if (what == 0 || lane->open == 0) {
        ft_usage_lane *taken = ft_usage_lane_take(&both->usage, thread, number % TASKS);
        both->lanes[number] = taken;
        ft_usage_begin(taken, &both->clock);
        model_change(&both->right, number, 1, 1);
    } else if (what == 1 && lane->awake > 0) {
        ft_usage_end(both->lanes[number], &both->clock, thread, wall);
        ft_usage_lane_drop(&ft_mem_system, both->lanes[number]);
        model_change(&both->right, number, -1, -1);
    } else if (what == 2 && lane->awake > 0) {
        ft_usage_sleep(both->lanes[number], &both->clock, thread, wall);
        model_change(&both->right, number, 0, -1);
    } else if (what == 3 && lane->awake < lane->open) {
        ft_usage_wake(both->lanes[number], &both->clock, thread);
        model_change(&both->right, number, 0, 1);
    }
}

static void end_all(pair *both)
{
    for (uint32_t number = 0; number < LANES; number++)
        for (; both->right.lanes[number].open > 0; model_change(&both->right, number, -1, -1)) {
            uint32_t thread = both->right.at.running = number / TASKS;
            if (both->right.lanes[number].awake == 0) {
                ft_usage_wake(both->lanes[number], &both->clock, thread);
                model_change(&both->right, number, 0, 1);
            }
            ft_usage_end(both->lanes[number], &both->clock, thread, both->right.at.wall);
            ft_usage_lane_drop(&ft_mem_system, both->lanes[number]);
        }
}

static int run_seed(uint64_t seed)
{
    random_source source = {seed};
    pair both;
    memset(&both, 0, sizeof both);
    both.right.at.wall = 1000000000;
    both.clock = (ft_usage_clock){machine_wall, machine_cpu, &both.right.at};
    ft_usage_init(&both.usage, &ft_mem_system, &both.clock);
    for (int step = 0; step < STEPS; step++) {
        pass(&both.right, &source);
        act(&both, &source);
    }
    end_all(&both);
    int good = both.usage.wall == both.right.wall && both.usage.waiting == both.right.waiting &&
               both.usage.cpu == both.right.cpu;
    ft_usage_fini(&both.usage);
    return good;
}

static void test_against_model(void)
{
    int good = 1;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        if (run_seed(seed))
            continue;
        printf("# seed %llu\n", (unsigned long long)seed);
        good = 0;
    }
    CHECK(good);
}

static void test_reset_while_it_runs(void)
{
    machine at = {.wall = 5000000};
    ft_usage_clock clock = {machine_wall, machine_cpu, &at};
    ft_usage usage;
    ft_usage_init(&usage, &ft_mem_system, &clock);
    ft_usage_lane *old = ft_usage_lane_take(&usage, 1, 1);
    REQUIRE(old != NULL);
    ft_usage_begin(old, &clock);
    at.wall += 1000000;
    ft_usage_reset(&usage);
    ft_usage_lane *lane = ft_usage_lane_take(&usage, 1, 1);
    REQUIRE(lane != NULL && lane != old);
    ft_usage_begin(lane, &clock);
    at.wall += 300000;
    CHECK(ft_usage_total(&usage, 1).wall == 300000);
    ft_usage_end(old, &clock, 1, at.wall);
    CHECK(ft_usage_count(old, 1) == FT_OK && usage.durations.count == 0);
    ft_usage_lane_drop(&ft_mem_system, old);
    ft_usage_end(lane, &clock, 1, at.wall);
    ft_usage_lane_drop(&ft_mem_system, lane);
    CHECK(usage.wall == 300000 && usage.cpu == 0);
    ft_usage_fini(&usage);
}

/* Shorter than a reading is good for: taken for CPU time, until a real reading sets it right. */
static void test_short_uses(void)
{
    machine at = {.wall = 5000000};
    ft_usage_clock clock = {machine_wall, machine_cpu, &at};
    ft_usage usage;
    ft_usage_init(&usage, &ft_mem_system, &clock);
    ft_usage_lane *lane = ft_usage_lane_take(&usage, 0, 0);
    REQUIRE(lane != NULL);
    for (int i = 0; i < 1000; i++) {
        ft_usage_begin(lane, &clock);
        at.wall += 1000;
        at.switches[0] += 1; /* it waits all the time */
        ft_usage_end(lane, &clock, 0, at.wall);
    }
    CHECK(usage.wall == 1000000);
    CHECK(usage.cpu >= 0 && usage.cpu <= FT_USAGE_FRESH_NS);
    ft_usage_lane_drop(&ft_mem_system, lane);
    ft_usage_fini(&usage);
}

static void test_another_thread_ends_it(void)
{
    machine at = {.wall = 5000000};
    ft_usage_clock clock = {machine_wall, machine_cpu, &at};
    ft_usage usage;
    ft_usage_init(&usage, &ft_mem_system, &clock);
    ft_usage_lane *lane = ft_usage_lane_take(&usage, 0, 0);
    REQUIRE(lane != NULL);
    ft_usage_begin(lane, &clock);
    at.running = 1;
    at.wall += 1000000;
    at.cpu[1] += 700000;
    at.switches[1] += 1;
    ft_usage_end(lane, &clock, 1, at.wall);
    CHECK(usage.wall == 1000000 && usage.cpu == 0 && usage.waiting == 0);
    ft_usage_lane_drop(&ft_mem_system, lane);
    ft_usage_fini(&usage);
}

static ft_status take_many(const ft_mem *mem)
{
    machine at = {.wall = 5000000};
    ft_usage_clock clock = {machine_wall, machine_cpu, &at};
    ft_usage usage;
    ft_usage_lane *lanes[6] = {NULL};
    ft_usage_init(&usage, mem, &clock);
    int taken = 0;
    while (taken < 6) {
        lanes[taken] = ft_usage_lane_take(&usage, (uint64_t)taken % 3, (uint64_t)taken);
        if (lanes[taken] == NULL)
            break;
        taken++;
    }
    for (int i = 0; i < taken; i++)
        ft_usage_lane_drop(mem, lanes[i]);
    ft_usage_fini(&usage);
    return taken == 6 ? FT_OK : FT_ERR_MEMORY;
}

int main(void)
{
    test_against_model();
    test_reset_while_it_runs();
    test_short_uses();
    test_another_thread_ends_it();
    CHECK(sweep(take_many));
    return tap_end();
}
