/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap_harvest.c: heaps as the probe tells them, harvested, against a brute-force oracle that
 * keeps every block and copies what is alive at each new peak. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/record/harvest.h"
#include "engine/record/heap.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { STACKS = 9, DEPTH = 3, BLOCKS = 400, FIRST = 0x40000, NUMPY = 389047, POINTS = 3 };

/* ---- the oracle ---- */

typedef struct block {
    uintptr_t address; /* 0: none */
    uint64_t number;   /* of its part's blocks */
    size_t size;
    uint32_t stack, part, tag;
} block;

typedef struct amount {
    uint64_t count, bytes;
} amount;

typedef struct trace {
    random_source source;
    ft_recording recording;
    ft_heap *heap; /* owned */
    uint32_t codes[2][DEPTH];
    uint32_t sites[2][STACKS];
    block blocks[BLOCKS];
    uint64_t numbers[2], live, peak;
    amount total[STACKS], alive[STACKS], at_peak[STACKS], temporary[STACKS];
    amount points[POINTS][STACKS];
    uint64_t point_live[POINTS];
    uint32_t point_count;
} trace;

static uint32_t pick(trace *t, uint32_t below)
{
    return random_below(&t->source, below);
}

static void add(amount *to, size_t size)
{
    to->count++;
    to->bytes += size;
}

/* Of frame `at` (0: innermost) of a stack: stacks share their outer frames. */
static uint32_t line_of(uint32_t stack, uint32_t at)
{
    return at == 0 ? 100 + stack : at == 1 ? 50 + stack % 3 : 7;
}

static uint32_t depth_of(uint32_t stack)
{
    return stack == STACKS - 1 ? 0 : 1 + stack % DEPTH; /* of the last one nothing is known */
}

static uint32_t domain_of(uint32_t stack)
{
    return stack == 1 ? NUMPY : 0;
}

/* ---- making heaps ---- */

static void learn(trace *t, uint32_t part)
{
    static const char *const names[DEPTH] = {"inner", "middle", "outer"};
    static char addresses[DEPTH];
    ft_heap_part *of = &t->heap->parts[part];
    for (uint32_t i = 0; i < DEPTH; i++) {
        const ft_function function = {
            .kind = FT_CODE_PYTHON,
            .line = i + 1,
            .texts = {"a.py", names[i], names[i]},
            .lengths = {4, (uint32_t)strlen(names[i]), (uint32_t)strlen(names[i])}};
        t->codes[part][i] = ft_heap_declare_code(of, &addresses[i], &function);
    }
    for (uint32_t k = 0; k < STACKS; k++) { /* in each part the sites have numbers of their own */
        uint32_t stack = part == FT_HEAP_PYTHON ? k : STACKS - 1 - k;
        ft_heap_place places[DEPTH];
        for (uint32_t i = 0; i < depth_of(stack); i++)
            places[i] = (ft_heap_place){t->codes[part][i], line_of(stack, i)};
        t->sites[part][stack] = ft_heap_site_of(of, places, depth_of(stack), domain_of(stack));
    }
}

/* directory NULL: in memory. */
static trace *trace_new(uint64_t seed, const char *directory, uint64_t sample)
{
    trace *t = calloc(1, sizeof *t);
    must(t != NULL);
    t->source.state = seed;
    t->heap = malloc(sizeof *t->heap);
    must(ft_recording_open(&t->recording, &ft_mem_system, directory, 1000) == FT_OK);
    must(t->heap != NULL && ft_heap_open(t->heap, &t->recording, 25, sample) == FT_OK);
    learn(t, FT_HEAP_PYTHON);
    learn(t, FT_HEAP_RAW);
    return t;
}

static void trace_free(trace *t)
{
    if (t->recording.arena.path != NULL)
        unlink(t->recording.arena.path);
    ft_heap_close(t->heap);
    ft_recording_close(&t->recording);
    free(t->heap);
    free(t);
}

static size_t draw_size(trace *t)
{
    switch (pick(t, 8)) {
    case 0:
        return 513 + pick(t, 100000);
    case 1:
        return 510 + pick(t, 5);
    case 2:
        return 0;
    default:
        return 16 * (1 + pick(t, 12));
    }
}

static void allocate(trace *t, uint32_t slot)
{
    block *made = &t->blocks[slot];
    made->part = pick(t, 4) == 0 ? FT_HEAP_RAW : FT_HEAP_PYTHON;
    made->stack = pick(t, STACKS);
    made->size = draw_size(t);
    made->address = FIRST + (uintptr_t)slot * 0x20000; /* so that the largest ones have room */
    ft_heap_part *part = &t->heap->parts[made->part];
    made->tag =
        ft_heap_tag_of(part, t->sites[made->part][made->stack], ft_heap_size_of(part, made->size));
    must(made->tag != 0 && ft_heap_add(part, made->tag, made->address, made->size));
    made->number = ++t->numbers[made->part];
    add(&t->total[made->stack], made->size);
    add(&t->alive[made->stack], made->size);
    t->live += made->size;
    if (t->live > t->peak) {
        t->peak = t->live;
        memcpy(t->at_peak, t->alive, sizeof t->at_peak);
    }
}

static void release(trace *t, uint32_t slot)
{
    block *gone = &t->blocks[slot];
    ft_heap_part *part = &t->heap->parts[gone->part];
    size_t size;
    uint32_t tag = ft_heap_take(part, gone->address, &size);
    must(tag == gone->tag);
    ft_heap_end(part, tag, gone->address, size);
    if (t->numbers[gone->part] - gone->number < FT_HEAP_TEMPORARY_WITHIN)
        add(&t->temporary[gone->stack], gone->size);
    t->alive[gone->stack].count--;
    t->alive[gone->stack].bytes -= gone->size;
    t->live -= gone->size;
    gone->address = 0;
}

static void mark(trace *t)
{
    char name[16];
    int length = snprintf(name, sizeof name, "point %u", (unsigned)t->point_count);
    must(ft_heap_mark(t->heap, name, (size_t)length) == FT_OK);
    memcpy(t->points[t->point_count], t->alive, sizeof t->alive);
    t->point_live[t->point_count++] = t->live;
}

static void run(trace *t, uint32_t steps)
{
    uint32_t bound = 40; /* blocks alive at once: it rises and falls */
    for (uint32_t i = 0; i < steps; i++) {
        if (i % 500 == 0)
            bound = 20 + pick(t, BLOCKS - 20);
        uint32_t slot = pick(t, bound);
        if (t->blocks[slot].address == 0)
            allocate(t, slot);
        else
            release(t, slot);
        if (t->point_count < POINTS && i == (t->point_count + 1) * steps / (POINTS + 1))
            mark(t);
    }
}

/* ---- comparing ---- */

static int code_is(const ft_profile *profile, uint32_t id, const char *name, uint32_t line)
{
    const ft_code *code = &profile->codes.codes[id];
    ft_text text = ft_strtab_get(&profile->texts, code->qualname);
    return code->line == line && code->kind == FT_CODE_PYTHON && strcmp(text.data, name) == 0;
}

static int is_stack(const ft_profile *profile, uint32_t id, uint32_t stack)
{
    static const char *const names[DEPTH] = {"inner", "middle", "outer"};
    const ft_site *site = &profile->memory.sites.sites[id];
    if (depth_of(stack) == 0)
        return site->code == FT_CODE_NONE && site->parent == FT_SITE_NONE;
    for (uint32_t i = 0; i < depth_of(stack); i++) {
        if (id == FT_SITE_NONE)
            return 0;
        site = &profile->memory.sites.sites[id];
        if (site->line != line_of(stack, i) || site->domain != domain_of(stack) ||
            !code_is(profile, site->code, names[i], i + 1))
            return 0;
        id = site->parent;
    }
    return id == FT_SITE_NONE;
}

/* The stack that the site is, or STACKS: a caller of others only. */
static uint32_t stack_of(const ft_profile *profile, uint32_t id)
{
    uint32_t stack = 0;
    while (stack < STACKS && !is_stack(profile, id, stack))
        stack++;
    return stack;
}

static int same(uint64_t count, uint64_t bytes, amount wanted)
{
    return count == wanted.count && bytes == wanted.bytes;
}

static int has_sites(const ft_profile *profile, const trace *t)
{
    static const amount zero;
    const ft_sites *sites = &profile->memory.sites;
    uint32_t found = 0;
    int good = 1;
    for (uint32_t id = 1; id < sites->count; id++) {
        const ft_site *site = &sites->sites[id];
        uint32_t at = stack_of(profile, id);
        found += at < STACKS;
        good &= same(site->total_count, site->total_bytes, at < STACKS ? t->total[at] : zero);
        good &= same(site->peak_count, site->peak_bytes, at < STACKS ? t->at_peak[at] : zero);
        good &= same(site->alive_count, site->alive_bytes, at < STACKS ? t->alive[at] : zero);
        good &= same(site->temporary_count, site->temporary_bytes,
                     at < STACKS ? t->temporary[at] : zero);
    }
    return good && found == STACKS;
}

static int has_points(const ft_profile *profile, const trace *t)
{
    const ft_memory *memory = &profile->memory;
    amount sums[POINTS][STACKS] = {{{0, 0}}};
    int good = memory->point_count == t->point_count;
    for (uint32_t i = 0; i < memory->point_row_count && good; i++) {
        const ft_point_row *row = &memory->point_rows[i];
        uint32_t stack = stack_of(profile, row->site);
        good = stack < STACKS;
        sums[row->point][good ? stack : 0].count += row->count;
        sums[row->point][good ? stack : 0].bytes += row->bytes;
    }
    for (uint32_t i = 0; i < memory->point_count && good; i++) {
        char name[24];
        snprintf(name, sizeof name, "point %u", (unsigned)i);
        ft_text text = ft_strtab_get(&profile->texts, memory->points[i].name);
        uint64_t count = 0;
        for (uint32_t stack = 0; stack < STACKS; stack++)
            count += t->points[i][stack].count;
        good = strcmp(text.data, name) == 0 && memory->points[i].live_bytes == t->point_live[i] &&
               memory->points[i].live_count == count &&
               memcmp(sums[i], t->points[i], sizeof sums[i]) == 0;
    }
    return good;
}

static int has_heap(const ft_profile *profile, const trace *t)
{
    amount total = {0, 0}, alive = {0, 0};
    for (uint32_t stack = 0; stack < STACKS; stack++) {
        total.count += t->total[stack].count;
        total.bytes += t->total[stack].bytes;
        alive.count += t->alive[stack].count;
        alive.bytes += t->alive[stack].bytes;
    }
    const ft_heap_summary *heap = profile->memory.heaps;
    return profile->memory.heap_count == 1 && heap->process == 0 && heap->frames == 25 &&
           heap->sample == 0 && same(heap->total_count, heap->total_bytes, total) &&
           same(heap->alive_count, heap->alive_bytes, alive) && heap->peak_bytes == t->peak;
}

static int is_torn(const ft_profile *profile)
{
    for (uint32_t i = 0; i < profile->note_count; i++)
        if (profile->notes[i].kind == FT_NOTE_TORN)
            return 1;
    return 0;
}

static int is_as_recorded(const ft_profile *profile, const trace *t)
{
    return ft_profile_check(profile) == FT_OK && has_heap(profile, t) && has_sites(profile, t) &&
           has_points(profile, t) && !is_torn(profile);
}

/* ---- the tests ---- */

static void test_in_memory(void)
{
    int good = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        trace *t = trace_new(seed, NULL, 0);
        ft_profile profile;
        run(t, 6000);
        REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
        good += ft_harvest_recording(&profile, &t->recording) == FT_OK &&
                is_as_recorded(&profile, t) && profile.memory.moment_count == POINTS;
        ft_profile_fini(&profile);
        trace_free(t);
    }
    CHECK(good == 10);
}

static void test_in_a_file(void)
{
    char folder[] = "/tmp/fettle-heap-XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL);
    trace *t = trace_new(99, folder, 0);
    ft_profile profile;
    uint32_t count = 0;
    run(t, 20000);
    const ft_heap_object object = {
        .type = 2, .part = FT_HEAP_PYTHON, .site = 1, .count = 3, .bytes = 4};
    const ft_heap_object older = {.type = 1, .count = 5, .bytes = 6};
    const ft_heap_class class_row = {.type = 3, .why = 1, .instances = 7, .bytes = 8, .plain = 9};
    CHECK(ft_heap_add_object(t->heap, &object) == FT_OK);
    CHECK(ft_heap_add_object(t->heap, &older) == FT_OK);
    CHECK(ft_heap_add_class(t->heap, &class_row) == FT_OK);
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_directory(&profile, folder, (ft_harvest_death){0}, &count) == FT_OK);
    CHECK(count == 1 && is_as_recorded(&profile, t));
    const ft_memory *memory = &profile.memory;
    REQUIRE(memory->object_count == 2 && memory->class_count == 1 && memory->point_count == 3);
    const ft_object_row *row = memory->objects;
    CHECK(row[0].type == memory->points[1].name && row[0].count == 3 && row[0].bytes == 4);
    CHECK(stack_of(&profile, row[0].site) == 0); /* the first site that was learnt */
    CHECK(row[1].type == memory->points[0].name && row[1].site == FT_SITE_NONE);
    const ft_class_row *made = memory->classes;
    CHECK(made->type == memory->points[2].name && made->why == memory->points[0].name);
    CHECK(made->instances == 7 && made->bytes == 8 && made->plain == 9 && made->slotted == 0);
    ft_profile_fini(&profile);
    trace_free(t);
    CHECK(rmdir(folder) == 0);
}

/* Blocks that were sampled stand for 1 / (1 - exp(-size / mean)) of their size each. */
static void test_sampled(void)
{
    enum { MEAN = 4096, EACH = 5 };
    static const size_t sizes[] = {16, 512, 513, 5000, 100000};
    trace *t = trace_new(5, NULL, MEAN);
    ft_heap_part *part = &t->heap->parts[FT_HEAP_PYTHON];
    double count = 0, bytes = 0;
    for (uint32_t i = 0; i < EACH * sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i / EACH];
        uint32_t tag = ft_heap_tag_of(part, t->sites[0][0], ft_heap_size_of(part, size));
        must(ft_heap_add(part, tag, FIRST + i * 0x20000, size));
        count += 1 / (1 - exp(-(double)size / MEAN));
        bytes += (double)size / (1 - exp(-(double)size / MEAN));
    }
    ft_profile profile;
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_recording(&profile, &t->recording) == FT_OK);
    const ft_heap_summary *heap = profile.memory.heaps;
    CHECK(heap->sample == MEAN && fabs((double)heap->total_count - count) <= 5);
    CHECK(fabs((double)heap->total_bytes - bytes) <= 25); /* each weight is a whole number */
    CHECK(heap->alive_count == heap->total_count && heap->alive_bytes == heap->total_bytes &&
          heap->peak_bytes == heap->alive_bytes);
    ft_profile_fini(&profile);
    trace_free(t);
}

/* The time of the peak lies between the moments that stand before and behind it. */
static void test_time_of_the_peak(void)
{
    trace *t = trace_new(1, NULL, 0);
    for (uint32_t slot = 0; slot < 300; slot++) {
        allocate(t, slot);
        if (slot == 100 || slot == 200 || slot == 299)
            ft_heap_look_now(t->heap);
        if (slot == 150)
            for (uint32_t gone = 0; gone <= 150; gone++)
                release(t, gone);
    }
    while (t->live > 0) /* the peak was not later than the last block */
        for (uint32_t slot = 0; slot < 300; slot++)
            if (t->blocks[slot].address != 0)
                release(t, slot);
    ft_heap_look_now(t->heap);
    ft_profile profile;
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    REQUIRE(ft_harvest_recording(&profile, &t->recording) == FT_OK);
    const ft_memory *memory = &profile.memory;
    uint64_t peak = memory->heaps[0].peak_time, live = memory->heaps[0].peak_bytes;
    REQUIRE(memory->moment_count == 4 && live == t->peak);
    bool early = memory->moments[2].live < live; /* before the 150 went, or at the end */
    CHECK(early ? peak > memory->moments[0].time && peak < memory->moments[2].time
                : peak > memory->moments[1].time);
    CHECK(peak <= memory->moments[3].time);
    ft_profile_fini(&profile);
    trace_free(t);
}

static void test_nothing_recorded(void)
{
    ft_recording recording;
    ft_profile profile;
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, NULL, 1000) == FT_OK);
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_recording(&profile, &recording) == FT_OK);
    CHECK(ft_memory_is_empty(&profile.memory));
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

static trace *swept;

static ft_status harvest_swept(const ft_mem *mem)
{
    ft_profile profile;
    ft_status status = ft_profile_init(&profile, mem);
    if (status != FT_OK)
        return status;
    status = ft_harvest_recording(&profile, &swept->recording);
    if (status == FT_OK && !is_as_recorded(&profile, swept))
        status = FT_ERR_CORRUPT;
    ft_profile_fini(&profile);
    return status;
}

static void test_out_of_memory(void)
{
    swept = trace_new(7, NULL, 0);
    run(swept, 3000);
    CHECK(sweep(harvest_swept));
    trace_free(swept);
}

int main(void)
{
    test_in_memory();
    test_in_a_file();
    test_sampled();
    test_time_of_the_peak();
    test_nothing_recorded();
    test_out_of_memory();
    return tap_end();
}
