/* SPDX-License-Identifier: Apache-2.0 */
/* test_sites.c: interned sites against a list that is searched from end to end, merged and cut. */
#include "engine/model/sites.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST = 3000 };

typedef struct oracle { /* the same sites, found by looking at each */
    ft_site sites[MOST];
    uint32_t count;
} oracle;

static uint32_t look_up(oracle *all, const ft_site *wanted)
{
    for (uint32_t id = 1; id < all->count; id++) {
        const ft_site *have = &all->sites[id];
        if (have->code == wanted->code && have->line == wanted->line &&
            have->parent == wanted->parent && have->domain == wanted->domain)
            return id;
    }
    all->sites[all->count] = (ft_site){.code = wanted->code,
                                       .line = wanted->line,
                                       .parent = wanted->parent,
                                       .domain = wanted->domain};
    return all->count++;
}

/* Numbers of their own in each field, so that none is taken for another. */
static void add_numbers(ft_site *into, const ft_site *site)
{
    into->total_count += site->total_count;
    into->total_bytes += site->total_bytes;
    into->peak_count += site->peak_count;
    into->peak_bytes += site->peak_bytes;
    into->alive_count += site->alive_count;
    into->alive_bytes += site->alive_bytes;
    into->temporary_count += site->temporary_count;
    into->temporary_bytes += site->temporary_bytes;
}

static ft_site draw_site(random_source *source, uint32_t parents)
{
    ft_site site = {.code = random_below(source, 6), .domain = random_below(source, 2) * 389047};
    site.line = site.code == 0 ? 0 : random_below(source, 8);
    site.parent = random_below(source, parents < 12 ? parents : 12);
    site.total_count = random_below(source, 1000);
    site.total_bytes = random_below(source, 1000);
    site.peak_count = random_below(source, 1000);
    site.peak_bytes = random_below(source, 1000);
    site.alive_count = random_below(source, 1000);
    site.alive_bytes = random_below(source, 1000);
    site.temporary_count = random_below(source, 1000);
    site.temporary_bytes = random_below(source, 1000);
    return site;
}

static int holds(const ft_sites *sites, const oracle *all)
{
    return sites->count == all->count && ft_sites_are_sound(sites) &&
           memcmp(sites->sites, all->sites, all->count * sizeof all->sites[0]) == 0;
}

static ft_status intern(ft_sites *sites, const ft_site *site, uint32_t *id)
{
    return ft_sites_intern(sites, site->code, site->line, site->parent, site->domain, id);
}

static void test_against_list(void)
{
    static oracle all;
    random_source source = {7};
    ft_sites sites;
    int good = 1;
    all.count = 1;
    REQUIRE(ft_sites_init(&sites, &ft_mem_system) == FT_OK);
    for (int i = 0; i < 9000; i++) {
        uint32_t id = 0;
        ft_site site = draw_site(&source, sites.count);
        good &= intern(&sites, &site, &id) == FT_OK && id == look_up(&all, &site);
        ft_sites_add(&sites, id, &site);
        add_numbers(&all.sites[id], &site);
        if (i % 500 == 499) { /* the youngest go, and may come again */
            ft_sites_cut(&sites, sites.count - sites.count / 10);
            memset(&all.sites[sites.count], 0, (all.count - sites.count) * sizeof all.sites[0]);
            all.count = sites.count;
        }
    }
    CHECK(good && sites.count > 500);
    CHECK(holds(&sites, &all));
    ft_sites_fini(&sites);
    ft_sites_fini(&sites);
}

static void test_sums_stop(void)
{
    ft_sites sites;
    uint32_t id;
    const ft_site most = {1,          2,          0,          0,          UINT64_MAX, UINT64_MAX,
                          UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    const ft_site one = {1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
    REQUIRE(ft_sites_init(&sites, &ft_mem_system) == FT_OK);
    REQUIRE(ft_sites_intern(&sites, 1, 2, 0, 0, &id) == FT_OK);
    ft_sites_add(&sites, id, &one);
    ft_sites_add(&sites, id, &most);
    CHECK(memcmp(&sites.sites[id], &most, sizeof most) == 0);
    ft_sites_fini(&sites);
}

/* Sites that were equal but for codes that are one by now become one, and so do their children. */
static void test_merge_joins(void)
{
    static const uint32_t joined[3] = {0, 5, 5};
    ft_sites into, from;
    uint32_t ids[5], first, second;
    REQUIRE(ft_sites_init(&into, &ft_mem_system) == FT_OK);
    REQUIRE(ft_sites_init(&from, &ft_mem_system) == FT_OK);
    REQUIRE(ft_sites_intern(&from, 1, 3, 0, 0, &first) == FT_OK);
    REQUIRE(ft_sites_intern(&from, 2, 3, 0, 0, &second) == FT_OK);
    REQUIRE(ft_sites_intern(&from, 0, 0, first, 7, &first) == FT_OK);
    REQUIRE(ft_sites_intern(&from, 0, 0, second, 7, &second) == FT_OK);
    ft_sites_add(&from, first, &(ft_site){.total_count = 2, .alive_bytes = 30});
    ft_sites_add(&from, second, &(ft_site){.total_count = 1, .alive_bytes = 9});
    CHECK(ft_sites_merge(&into, &from, joined, ids) == FT_OK && into.count == 3);
    ft_sites_sum(&into, &from, ids);
    CHECK(ids[0] == 0 && ids[1] == 1 && ids[2] == 1 && ids[3] == 2 && ids[4] == 2);
    const ft_site parent = {.code = 5, .line = 3};
    const ft_site child = {.parent = 1, .domain = 7, .total_count = 3, .alive_bytes = 39};
    CHECK(memcmp(&into.sites[1], &parent, sizeof parent) == 0);
    CHECK(memcmp(&into.sites[2], &child, sizeof child) == 0);
    ft_sites_fini(&from);
    ft_sites_fini(&into);
}

static void test_sound(void)
{
    ft_sites sites;
    uint32_t id;
    REQUIRE(ft_sites_init(&sites, &ft_mem_system) == FT_OK);
    CHECK(ft_sites_are_sound(&sites));
    REQUIRE(ft_sites_intern(&sites, 1, 0, 0, 0, &id) == FT_OK); /* a line may be unknown */
    CHECK(ft_sites_are_sound(&sites));
    sites.sites[id].parent = id;
    CHECK(!ft_sites_are_sound(&sites));
    sites.sites[id] = (ft_site){.line = 1};
    CHECK(!ft_sites_are_sound(&sites));
    sites.sites[id] = (ft_site){.code = 1};
    sites.sites[0].total_count = 1;
    CHECK(!ft_sites_are_sound(&sites));
    ft_sites_fini(&sites);
}

enum { MADE = 400 };

static ft_status fill(ft_sites *sites, uint32_t code)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0, id; i < MADE && status == FT_OK; i++) {
        status = ft_sites_intern(sites, code, i, i / 2, 0, &id);
        if (status == FT_OK)
            ft_sites_add(sites, id, &(ft_site){.total_count = i});
        else if (sites->count != i + 1) /* the failed one left nothing behind */
            status = FT_ERR_CORRUPT;
    }
    return status;
}

static ft_status fill_and_merge(const ft_mem *mem)
{
    static const uint32_t turned[3] = {0, 2, 1};
    static uint32_t ids[MADE + 1];
    ft_sites into, from = {.mem = mem};
    ft_status status = ft_sites_init(&into, mem);
    if (status != FT_OK)
        return status;
    status = ft_sites_init(&from, mem);
    if (status == FT_OK)
        status = fill(&into, 1);
    if (status == FT_OK)
        status = fill(&from, 1);
    if (status == FT_OK) {
        status = ft_sites_merge(&into, &from, turned, ids);
        uint32_t wanted = status == FT_OK ? 2 * MADE + 1 : MADE + 1;
        if (into.count != wanted || into.sites[MADE].total_count != MADE - 1)
            status = FT_ERR_CORRUPT;
    }
    ft_sites_fini(&from);
    ft_sites_fini(&into);
    return status;
}

int main(void)
{
    test_against_list();
    test_sums_stop();
    test_merge_joins();
    test_sound();
    CHECK(sweep(fill_and_merge));
    return tap_end();
}
