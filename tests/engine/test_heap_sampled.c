/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap_sampled.c: what a sampled heap estimates against what was allocated. That a block of
 * `size` bytes is counted has the probability p = 1 - exp(-size / T), independently of the others:
 * so an estimate of n blocks has the standard error sqrt(n (1 - p) / p). The seeds are fixed. */
#include <math.h>

#include "tests/engine/heap_driver.h"
#include "tests/engine/tap.h"

enum { SEEDS = 30, INTERVAL = 4096, KINDS = 10, EACH = 3000 };

static const uint64_t sizes[KINDS] = {0, 1, 16, 100, 512, 513, 4096, 40000, 400000, 1ull << 40};

static driver d;

static double probability(uint64_t size)
{
    return 1 - exp(-(size == 0 ? 1.0 : (double)size) / INTERVAL);
}

static uint64_t address_of(uint32_t kind, uint32_t i)
{
    return UINT64_C(0x7f1200000000) + ((uint64_t)i * KINDS + kind) * 512;
}

static bool open_sampled(uint64_t seed)
{
    if (driver_open(&d, &ft_mem_system, NULL, INTERVAL, seed) != FT_OK)
        return false;
    for (uint32_t part = 0; part < 2; part++) {
        d.heap.parts[part].random = seed * UINT64_C(0x9E3779B97F4A7C15) + part + 1;
        ft_heap_draw(&d.heap.parts[part]);
    }
    return true;
}

/* What is estimated of a stack. */
typedef struct estimate {
    double total, alive, alive_bytes;
} estimate;

static estimate estimate_of(uint32_t part, uint32_t stack)
{
    estimate sums = {0};
    const ft_heap_part *of = &d.heap.parts[part];
    for (uint32_t b = 0; b < of->base_count; b++)
        for (uint64_t i = 1; i <= ft_heap_cells_in(of, b); i++) {
            const ft_heap_cell *cell = &of->bases[b][i];
            if (driver_stack_of(&d, of, cell->site) != stack)
                continue;
            bool same = cell->kind == FT_HEAP_SAME_SIZE;
            double each = ft_heap_stands_for(same ? INTERVAL : 0, cell->size);
            double live = (double)cell->live, counts = cell->kind != FT_HEAP_BYTES;
            sums.total += counts * (double)cell->total * each;
            sums.alive += counts * live * each;
            sums.alive_bytes += same ? live * (double)cell->weight : (1 - counts) * live;
        }
    return sums;
}

/* All kinds in turn, a third of the blocks freed again. */
static bool run(uint32_t part)
{
    bool good = true;
    uint32_t counted = 0;
    for (uint32_t i = 0; i < EACH; i++)
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            counted += driver_begin(&d, part, kind, address_of(kind, i), sizes[kind]);
            if (i % 3 == 2)
                counted -= driver_end(&d, part, address_of(kind, i - 1));
        }
    for (uint32_t i = 0; i < EACH; i++) /* those of others are not known */
        for (uint32_t kind = 0; kind < KINDS; kind++)
            good &= !driver_end(&d, part, address_of(kind, i) + 16);
    return good && counted > 0 && ft_heap_part_check(&d.heap.parts[part]);
}

typedef struct errors {
    double sum, squares; /* in standard errors */
    uint32_t count;
} errors;

static void add_error(errors *of, double estimated, double right, double deviation)
{
    double error = (estimated - right) / deviation;
    of->sum += error;
    of->squares += error * error;
    of->count++;
}

/* Means of n errors of 1 are off by 1 / sqrt(n), their squares' by sqrt(2 / n) or, where few blocks
 * are counted, somewhat more. */
static bool as_expected(const errors *of)
{
    double mean = of->sum / of->count, variance = of->squares / of->count;
    return fabs(mean) < 4 / sqrt(of->count) && fabs(variance - 1) < 5 * sqrt(2.0 / of->count);
}

static void test_estimates(uint32_t part)
{
    errors totals = {0}, alive = {0}, by_kind[KINDS] = {0};
    const double left = EACH - EACH / 3.0;
    bool good = true, exact = true;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        REQUIRE(open_sampled(seed));
        good &= run(part);
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            estimate found = estimate_of(part, kind);
            double p = probability(sizes[kind]), size = (double)sizes[kind];
            good &= fabs(found.alive_bytes - found.alive * size) <= found.alive;
            if (sizes[kind] > 40 * INTERVAL) {
                exact &= found.total == EACH && found.alive == left;
                exact &= found.alive_bytes == left * size;
                continue;
            }
            add_error(&totals, found.total, EACH, sqrt(EACH * (1 - p) / p));
            add_error(&by_kind[kind], found.total, EACH, sqrt(EACH * (1 - p) / p));
            add_error(&alive, found.alive, left, sqrt(left * (1 - p) / p));
        }
        driver_close(&d);
    }
    CHECK(good && exact);
    CHECK(as_expected(&totals) && as_expected(&alive));
    for (uint32_t kind = 0; kind < KINDS; kind++)
        if (by_kind[kind].count > 0)
            CHECK(fabs(by_kind[kind].sum) / SEEDS < 4 / sqrt(SEEDS));
}

/* What a cell's block stands for: so many of its size that on average the size comes out. */
static void test_weights(void)
{
    REQUIRE(open_sampled(1));
    ft_heap_part *part = &d.heap.parts[FT_HEAP_PYTHON];
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        uint32_t sized = ft_heap_size_of(part, sizes[kind]);
        uint32_t tag = driver_tag(&d, part, kind, sizes[kind], false);
        const ft_heap_cell *cell = ft_heap_cell_at(part, tag);
        double right = (double)sizes[kind] / probability(sizes[kind]);
        if (sizes[kind] < UINT32_MAX)
            CHECK(sized == sizes[kind] && cell->kind == FT_HEAP_SAME_SIZE &&
                  fabs((double)cell->weight - right) <= 0.5 + 1e-9 * right);
        else
            CHECK(sized == FT_HEAP_ANY && cell->kind == FT_HEAP_ANY_SIZE);
    }
    CHECK(ft_heap_stands_for(0, 5) == 1 && ft_heap_stands_for(0, 0) == 1);
    driver_close(&d);
}

/* Freed at once, before three more, or before five more: of the counted ones all, all, none. */
static void test_temporary(void)
{
    uint64_t temporary[3] = {0}, total[3] = {0};
    static const uint32_t more[3] = {0, 3, 5};
    REQUIRE(open_sampled(3));
    for (uint32_t i = 0; i < EACH; i++)
        for (uint32_t kind = 0; kind < 3; kind++) {
            uint64_t address = address_of(0, 20 * i);
            driver_begin(&d, 0, kind, address, 1000);
            for (uint32_t k = 1; k <= more[kind]; k++)
                driver_begin(&d, 0, 5, address + 4096 * k, 1000);
            for (uint32_t k = 0; k <= more[kind]; k++)
                driver_end(&d, 0, address + 4096 * k);
        }
    oracle_sums sums[ORACLE_STACKS];
    REQUIRE(driver_sum(&d, 0, sums));
    for (uint32_t kind = 0; kind < 3; kind++) {
        temporary[kind] = sums[kind].temporary[0];
        total[kind] = sums[kind].total[0];
    }
    CHECK(total[0] > 300 && temporary[0] == total[0]);
    CHECK(total[1] > 300 && temporary[1] == total[1]);
    CHECK(total[2] > 300 && temporary[2] == 0);
    driver_close(&d);
}

int main(void)
{
    test_estimates(FT_HEAP_PYTHON);
    test_estimates(FT_HEAP_RAW);
    test_weights();
    test_temporary();
    return tap_end();
}
