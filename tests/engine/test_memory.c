/* SPDX-License-Identifier: Apache-2.0 */
/* test_memory.c: the memory of recordings: what it refuses, and merges compared by what rows say
 * (paths and texts spelled out), each against all, never by ids. */
#include "engine/model/memory.h"

#include "engine/base/sum.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { SEEDS = 300, NODES = 60 };

/* ---- merge ---- */

/* Whether two sites are the same place, callers and all. */
static bool same_path(const ft_profile *a, uint32_t x, const ft_profile *b, uint32_t y)
{
    while (x != FT_SITE_NONE && y != FT_SITE_NONE) {
        const ft_site *left = &a->memory.sites.sites[x], *right = &b->memory.sites.sites[y];
        if (left->line != right->line || left->domain != right->domain ||
            !same_code(a, left->code, b, right->code))
            return false;
        x = left->parent;
        y = right->parent;
    }
    return x == y;
}

/* Adds what part has of site x of whole; gives how many of part's sites that are. */
static uint32_t add_same_site(ft_site *sum, const ft_profile *whole, uint32_t x,
                              const ft_profile *part)
{
    uint32_t found = 0;
    for (uint32_t y = 1; y < part->memory.sites.count; y++) {
        const ft_site *site = &part->memory.sites.sites[y];
        if (!same_path(whole, x, part, y))
            continue;
        found++;
        sum->total_count = ft_sum(sum->total_count, site->total_count);
        sum->total_bytes = ft_sum(sum->total_bytes, site->total_bytes);
        sum->peak_count = ft_sum(sum->peak_count, site->peak_count);
        sum->peak_bytes = ft_sum(sum->peak_bytes, site->peak_bytes);
        sum->alive_count = ft_sum(sum->alive_count, site->alive_count);
        sum->alive_bytes = ft_sum(sum->alive_bytes, site->alive_bytes);
        sum->temporary_count = ft_sum(sum->temporary_count, site->temporary_count);
        sum->temporary_bytes = ft_sum(sum->temporary_bytes, site->temporary_bytes);
    }
    return found;
}

static bool merged_sites(const ft_profile *whole, const ft_profile *first, const ft_profile *second)
{
    uint32_t of_first = 0, of_second = 0;
    bool good = true;
    for (uint32_t x = 1; x < whole->memory.sites.count && good; x++) {
        const ft_site *site = &whole->memory.sites.sites[x];
        ft_site sum = {site->code, site->line, site->parent, site->domain, .total_count = 0};
        uint32_t found = add_same_site(&sum, whole, x, first);
        of_first += found;
        of_second += add_same_site(&sum, whole, x, second);
        good = memcmp(&sum, site, sizeof sum) == 0 && found <= 1;
    }
    return good && of_first == first->memory.sites.count - 1 && /* all of both, each once */
           of_second == second->memory.sites.count - 1;
}

/* Where part begins in whole: the counts before it was merged. */
typedef struct place {
    uint32_t processes, heaps, moments, points, point_rows, objects, classes;
} place;

static place place_after(const ft_profile *whole)
{
    const ft_memory *memory = &whole->memory;
    return (place){whole->process_count, memory->heap_count,      memory->moment_count,
                   memory->point_count,  memory->point_row_count, memory->object_count,
                   memory->class_count};
}

static bool has_timeline(const ft_profile *whole, const ft_profile *part, place at)
{
    bool good = true;
    for (uint32_t i = 0; i < part->memory.heap_count && good; i++) {
        ft_heap_summary have = whole->memory.heaps[at.heaps + i];
        have.process -= at.processes;
        good = memcmp(&have, &part->memory.heaps[i], sizeof have) == 0;
    }
    for (uint32_t i = 0; i < part->memory.moment_count && good; i++) {
        const ft_moment *x = &whole->memory.moments[at.moments + i];
        const ft_moment *y = &part->memory.moments[i];
        good = x->process == at.processes + y->process && x->time == y->time &&
               x->live == y->live && x->rss == y->rss;
    }
    return good;
}

static bool has_points(const ft_profile *whole, const ft_profile *part, place at)
{
    bool good = true;
    for (uint32_t i = 0; i < part->memory.point_count && good; i++) {
        const ft_point *x = &whole->memory.points[at.points + i], *y = &part->memory.points[i];
        good = x->process == at.processes + y->process && x->time == y->time &&
               x->live_count == y->live_count && x->live_bytes == y->live_bytes &&
               x->rss == y->rss && same_text(whole, x->name, part, y->name);
    }
    for (uint32_t i = 0; i < part->memory.point_row_count && good; i++) {
        const ft_point_row *x = &whole->memory.point_rows[at.point_rows + i];
        const ft_point_row *y = &part->memory.point_rows[i];
        good = x->point == at.points + y->point && x->count == y->count && x->bytes == y->bytes &&
               same_path(whole, x->site, part, y->site);
    }
    return good;
}

static bool has_objects(const ft_profile *whole, const ft_profile *part, place at)
{
    bool good = true;
    for (uint32_t i = 0; i < part->memory.object_count && good; i++) {
        const ft_object_row *x = &whole->memory.objects[at.objects + i];
        const ft_object_row *y = &part->memory.objects[i];
        good = x->process == at.processes + y->process && x->count == y->count &&
               x->bytes == y->bytes && same_text(whole, x->type, part, y->type) &&
               same_path(whole, x->site, part, y->site);
    }
    for (uint32_t i = 0; i < part->memory.class_count && good; i++) {
        const ft_class_row *x = &whole->memory.classes[at.classes + i];
        const ft_class_row *y = &part->memory.classes[i];
        good = x->process == at.processes + y->process && x->instances == y->instances &&
               x->bytes == y->bytes && x->plain == y->plain && x->slotted == y->slotted &&
               same_text(whole, x->type, part, y->type) && same_text(whole, x->why, part, y->why);
    }
    return good;
}

static bool has_part(const ft_profile *whole, const ft_profile *part, place at)
{
    return has_timeline(whole, part, at) && has_points(whole, part, at) &&
           has_objects(whole, part, at);
}

static bool has_counts(const ft_memory *whole, const ft_memory *first, const ft_memory *second)
{
    return whole->heap_count == first->heap_count + second->heap_count &&
           whole->moment_count == first->moment_count + second->moment_count &&
           whole->point_count == first->point_count + second->point_count &&
           whole->point_row_count == first->point_row_count + second->point_row_count &&
           whole->object_count == first->object_count + second->object_count &&
           whole->class_count == first->class_count + second->class_count;
}

static bool merge_of_seed(uint64_t seed)
{
    ft_profile first, second, whole;
    make_profile(&first, seed, NODES);
    make_profile(&second, seed % 7 == 0 ? seed : seed + 1, NODES); /* sometimes all are known */
    must(ft_profile_init(&whole, &ft_mem_system) == FT_OK);
    must(ft_profile_merge(&whole, &first) == FT_OK);
    place after = place_after(&whole);
    must(ft_profile_merge(&whole, &second) == FT_OK);
    bool good = ft_profile_check(&whole) == FT_OK && merged_sites(&whole, &first, &second) &&
                has_part(&whole, &first, (place){0}) && has_part(&whole, &second, after) &&
                has_counts(&whole.memory, &first.memory, &second.memory);
    ft_profile_fini(&whole);
    ft_profile_fini(&second);
    ft_profile_fini(&first);
    return good;
}

static void test_merge(void)
{
    uint32_t good = 0, joined = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        good += merge_of_seed(seed);
        ft_profile profile;
        make_profile(&profile, seed, NODES);
        joined += profile.memory.sites.count > 5 && profile.memory.point_row_count > 0;
        ft_profile_fini(&profile);
    }
    CHECK(good == SEEDS);
    CHECK(joined > SEEDS / 10); /* there was something to merge */
}

/* ---- memory that runs out ---- */

static ft_profile swept; /* of the system's heap: only the copies fail */

static bool is_untouched(const ft_profile *profile)
{
    return ft_profile_check(profile) == FT_OK && same_profile(profile, &swept);
}

static ft_status merge_swept(const ft_mem *mem)
{
    ft_profile into;
    ft_status status = ft_profile_init(&into, mem);
    if (status != FT_OK)
        return status;
    status = ft_profile_merge(&into, &swept);
    if (status == FT_OK) {
        status = ft_profile_merge(&into, &swept);
        if (status != FT_OK && !is_untouched(&into))
            status = FT_ERR_CORRUPT;
    } else if (!ft_memory_is_empty(&into.memory))
        status = FT_ERR_CORRUPT;
    ft_profile_fini(&into);
    return status;
}

static void test_out_of_memory(void)
{
    make_full_profile(&swept, NODES);
    CHECK(sweep(merge_swept));
    ft_profile_fini(&swept);
}

/* ---- what is refused ---- */

static void test_orders(void)
{
    ft_memory memory;
    REQUIRE(ft_memory_init(&memory, &ft_mem_system) == FT_OK);
    CHECK(ft_memory_is_empty(&memory));
    CHECK(ft_memory_add_heap(&memory, &(ft_heap_summary){.process = 1}) == FT_OK);
    CHECK(ft_memory_add_heap(&memory, &(ft_heap_summary){.process = 1}) == FT_ERR_CORRUPT);
    CHECK(ft_memory_add_heap(&memory, &(ft_heap_summary){.process = 0}) == FT_ERR_CORRUPT);
    CHECK(ft_memory_add_heap(&memory, &(ft_heap_summary){.process = 2}) == FT_OK);
    CHECK(ft_memory_add_moment(&memory, &(ft_moment){.process = 1, .time = 5}) == FT_OK);
    CHECK(ft_memory_add_moment(&memory, &(ft_moment){.process = 1, .time = 4}) == FT_ERR_CORRUPT);
    CHECK(ft_memory_add_moment(&memory, &(ft_moment){.process = 1, .time = 5}) == FT_OK);
    CHECK(ft_memory_add_moment(&memory, &(ft_moment){.process = 2, .time = 0}) == FT_OK);
    CHECK(ft_memory_add_moment(&memory, &(ft_moment){.process = 1, .time = 9}) == FT_ERR_CORRUPT);
    CHECK(ft_memory_add_point(&memory, &(ft_point){.process = 1, .time = 5}) == FT_OK);
    CHECK(ft_memory_add_point(&memory, &(ft_point){.process = 1, .time = 4}) == FT_OK);
    CHECK(ft_memory_add_point(&memory, &(ft_point){.process = 0}) == FT_ERR_CORRUPT);
    CHECK(ft_memory_add_point_row(&memory, &(ft_point_row){1, 1, 0, 0}) == FT_OK);
    CHECK(ft_memory_add_point_row(&memory, &(ft_point_row){1, 1, 0, 0}) == FT_OK);
    CHECK(ft_memory_add_point_row(&memory, &(ft_point_row){0, 1, 0, 0}) == FT_ERR_CORRUPT);
    CHECK(memory.heap_count == 2 && memory.moment_count == 3 && memory.point_count == 2 &&
          memory.point_row_count == 2 && !ft_memory_is_empty(&memory));
    ft_memory_fini(&memory);
    ft_memory_fini(&memory);
}

/* A recording of two processes with two of everything. */
static void make_small(ft_profile *profile)
{
    uint32_t id;
    must(ft_profile_init(profile, &ft_mem_system) == FT_OK);
    must(ft_strtab_intern(&profile->texts, "a", 1, &id) == FT_OK);
    must(ft_codetab_intern(&profile->codes, &(ft_code){1, 1, 1, 9, FT_CODE_PYTHON}, &id) == FT_OK);
    must(ft_codetab_intern(&profile->codes, &(ft_code){1, 1, 1, 0, FT_CODE_C}, &id) == FT_OK);
    for (uint32_t i = 0; i < 2; i++) {
        ft_memory *memory = &profile->memory;
        must(ft_profile_add_process(profile, &(ft_process){.pid = 7 + i}, &id) == FT_OK);
        must(ft_sites_intern(&memory->sites, 1, 9, i, 0, &id) == FT_OK);
        must(ft_memory_add_heap(memory, &(ft_heap_summary){.process = i}) == FT_OK);
        must(ft_memory_add_moment(memory, &(ft_moment){.process = i, .time = 5}) == FT_OK);
        must(ft_memory_add_point(memory, &(ft_point){.process = i, .name = 1}) == FT_OK);
        must(ft_memory_add_point_row(memory, &(ft_point_row){i, 1, 1, 1}) == FT_OK);
        must(ft_memory_add_object(memory, &(ft_object_row){i, 1, i, 1, 1}) == FT_OK);
        must(ft_memory_add_class(memory, &(ft_class_row){.process = i, .type = 1}) == FT_OK);
    }
    must(ft_profile_check(profile) == FT_OK);
}

/* Sets one number of the recording, and whether the check sees it; then sets it back. */
static bool is_refused(const ft_profile *profile, uint32_t *number, uint32_t wrong)
{
    uint32_t right = *number;
    *number = wrong;
    bool refused = ft_profile_check(profile) == FT_ERR_CORRUPT;
    *number = right;
    return refused && ft_profile_check(profile) == FT_OK;
}

static void test_check(void)
{
    ft_profile p;
    make_small(&p);
    ft_memory *m = &p.memory;
    const uint32_t texts = p.texts.count;
    CHECK(is_refused(&p, &m->sites.sites[1].code, p.codes.count));
    CHECK(is_refused(&p, &m->sites.sites[1].code, 2)); /* a C function has no lines */
    CHECK(is_refused(&p, &m->sites.sites[1].code, FT_CODE_NONE));
    CHECK(is_refused(&p, &m->sites.sites[1].parent, 1));
    CHECK(is_refused(&p, &m->sites.sites[2].parent, UINT32_MAX));
    CHECK(is_refused(&p, &m->sites.sites[0].domain, 1));
    CHECK(is_refused(&p, &m->heaps[1].process, 2));
    CHECK(is_refused(&p, &m->heaps[1].process, 0)); /* of one process, two */
    CHECK(is_refused(&p, &m->moments[1].process, 2));
    CHECK(is_refused(&p, &m->points[1].process, 2));
    CHECK(is_refused(&p, &m->points[1].name, texts));
    CHECK(is_refused(&p, &m->point_rows[1].point, 2));
    CHECK(is_refused(&p, &m->point_rows[1].site, 3));
    CHECK(is_refused(&p, &m->point_rows[1].site, FT_SITE_NONE));
    CHECK(is_refused(&p, &m->objects[0].process, 2));
    CHECK(is_refused(&p, &m->objects[0].type, texts));
    CHECK(is_refused(&p, &m->objects[0].site, 3));
    CHECK(is_refused(&p, &m->classes[0].process, 2));
    CHECK(is_refused(&p, &m->classes[0].type, texts));
    CHECK(is_refused(&p, &m->classes[0].why, texts));
    m->moments[1].process = 0;
    m->moments[1].time = 4;
    CHECK(ft_profile_check(&p) == FT_ERR_CORRUPT);
    m->moments[1].time = 5;
    CHECK(ft_profile_check(&p) == FT_OK);
    m->point_rows[0].point = 1;
    m->point_rows[1].point = 0;
    CHECK(ft_profile_check(&p) == FT_ERR_CORRUPT);
    ft_profile_fini(&p);
}

int main(void)
{
    test_merge();
    test_out_of_memory();
    test_orders();
    test_check();
    return tap_end();
}
