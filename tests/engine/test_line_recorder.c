/* SPDX-License-Identifier: Apache-2.0 */
/* test_line_recorder.c: lines as the probes tell them, against a brute-force oracle that knows the
 * whole stack at every moment: it walks all frames at each tick and gives the time to the line of
 * the innermost frame of each table. Frames are what a program has: calls that nest, generators and
 * coroutines that leave the stack and come back, exceptions, code inside a function's code. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/record/harvest.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/recording.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

/* Code object i belongs to table table_of[i]; the last two are inside the first two functions. */
enum { CODES = 5, TABLES = 3, LINES = 6, LAST = 40, FRAMES = 60, UNWATCHED = CODES };

static const uint32_t table_of[CODES] = {0, 1, 2, 0, 1};
static const uint32_t outer_of[CODES] = {0, 1, 2, 0, 1};
static char keys[CODES + 1];
static char frame_places[FRAMES];

/* Table t has lines 10t + 1 to 10t + LINES; its inner code the last two of them and two more. */
static uint32_t line_of(uint32_t code, uint32_t index)
{
    uint32_t first = table_of[code] * 10 + 1;
    return code < TABLES ? first + index % LINES : first + LINES - 2 + index % 4;
}

static bool is_counted(uint32_t code, uint32_t line)
{
    return code < TABLES || line > table_of[code] * 10 + LINES;
}

/* ---- the oracle ---- */

typedef struct sums {
    uint64_t hits[TABLES][LAST], time[TABLES][LAST], waiting[TABLES][LAST];
} sums;

typedef struct frame {
    uint32_t code, line;
    bool alive, suspended, awaits;
} frame;

typedef struct trace {
    random_source source;
    ft_recording *recording;
    ft_recorder *recorder;
    ft_line_recorder *lines;
    frame frames[FRAMES];
    uint32_t stack[FRAMES], depth;
    uint64_t now;
    sums sums;
} trace;

static uint32_t pick(trace *t, uint32_t below)
{
    return random_below(&t->source, below);
}

/* Every moment goes to the innermost line of each table that runs, and to each line that awaits. */
static void pass_time(trace *t, uint64_t ticks)
{
    bool seen[TABLES] = {false};
    for (uint32_t i = t->depth; i-- > 0;) {
        const frame *at = &t->frames[t->stack[i]];
        if (at->code == UNWATCHED || seen[table_of[at->code]])
            continue;
        seen[table_of[at->code]] = true;
        t->sums.time[table_of[at->code]][at->line] += ticks;
    }
    for (uint32_t i = 0; i < FRAMES; i++) {
        const frame *at = &t->frames[i];
        if (!at->alive || !at->suspended || !at->awaits)
            continue;
        t->sums.time[table_of[at->code]][at->line] += ticks;
        t->sums.waiting[table_of[at->code]][at->line] += ticks;
    }
    t->now += ticks;
}

/* ---- what a program does ---- */

static void tell_line(trace *t, uint32_t index, uint32_t line)
{
    frame *at = &t->frames[index];
    at->line = line;
    t->sums.hits[table_of[at->code]][line] += is_counted(at->code, line);
    ft_line_at(t->lines, &keys[at->code], &frame_places[index], line, t->now);
}

static void call(trace *t)
{
    uint32_t index = 0;
    while (index < FRAMES && t->frames[index].alive)
        index++;
    if (index == FRAMES)
        return;
    uint32_t code = pick(t, CODES + 1);
    t->frames[index] = (frame){.code = code, .alive = true};
    t->stack[t->depth++] = index;
    if (code == UNWATCHED)
        return;
    t->sums.hits[table_of[code]][0] += code < TABLES;
    tell_line(t, index, line_of(code, 0));
}

static void step(trace *t)
{
    const frame *at = &t->frames[t->stack[t->depth - 1]];
    if (at->code != UNWATCHED)
        tell_line(t, t->stack[t->depth - 1], line_of(at->code, pick(t, LINES)));
}

static void end_top(trace *t)
{
    uint32_t index = t->stack[--t->depth];
    frame *at = &t->frames[index];
    at->alive = false;
    if (at->code != UNWATCHED)
        ft_line_leave(t->lines, &keys[at->code], &frame_places[index], t->now);
}

static void suspend_top(trace *t)
{
    uint32_t index = t->stack[t->depth - 1];
    frame *at = &t->frames[index];
    if (at->code == UNWATCHED)
        return;
    t->depth--;
    at->suspended = true;
    at->awaits = pick(t, 2) == 0;
    ft_line_suspend(t->lines, &keys[at->code], &frame_places[index], at->awaits, t->now);
}

static void resume_one(trace *t)
{
    uint32_t index = pick(t, FRAMES);
    frame *at = &t->frames[index];
    if (!at->alive || !at->suspended)
        return;
    at->suspended = false;
    t->stack[t->depth++] = index;
    ft_line_resume(t->lines, &keys[at->code], &frame_places[index], 0, t->now);
}

/* An exception leaves several frames. */
static void unwind(trace *t)
{
    for (uint32_t levels = pick(t, 5); levels > 0 && t->depth > 0; levels--)
        end_top(t);
}

static void act(trace *t)
{
    pass_time(t, pick(t, 100));
    uint32_t what = pick(t, 100);
    if (t->depth == 0)
        what < 70 ? call(t) : resume_one(t);
    else if (what < 25)
        call(t);
    else if (what < 65)
        step(t);
    else if (what < 80)
        end_top(t);
    else if (what < 86)
        suspend_top(t);
    else if (what < 96)
        resume_one(t);
    else
        unwind(t);
}

/* ---- setting up ---- */

static ft_status watch(ft_recording *recording, uint32_t table)
{
    char name[2] = {(char)('0' + table), 0};
    uint32_t lines[LINES], inner[4];
    ft_function function = {.key = &keys[table],
                            .kind = FT_CODE_PYTHON,
                            .line = table,
                            .texts = {"t.py", name, name},
                            .lengths = {4, 1, 1}};
    for (uint32_t i = 0; i < LINES; i++)
        lines[i] = line_of(table, LINES - 1 - i); /* in any order */
    for (uint32_t i = 0; i < 4; i++)
        inner[i] = line_of(table + TABLES < CODES ? table + TABLES : 3, i);
    ft_line_member members[2] = {
        {&keys[table], lines, LINES, line_of(table, 0), 0},
        {&keys[table + TABLES < CODES ? table + TABLES : 0], inner, 4, inner[0], outer_of[0]}};
    ft_status status = ft_recording_intern(recording, &function);
    if (status == FT_OK)
        status = ft_recording_watch_lines(recording, members, table + TABLES < CODES ? 2 : 1,
                                          table * 10 + 9);
    return status;
}

static bool begin_trace(trace *t, ft_recording *recording, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->source.state = seed;
    t->recording = recording;
    recording->arena.header->clock_source = FT_CLOCK_SYSTEM; /* a tick is a ns: exact */
    for (uint32_t table = 0; table < TABLES; table++)
        if (watch(recording, table) != FT_OK)
            return false;
    t->recorder = ft_recording_attach(recording);
    t->lines = t->recorder == NULL ? NULL : ft_recorder_lines(t->recorder);
    if (t->lines == NULL)
        return false;
    t->now = t->recorder->slice_start;
    return true;
}

/* ---- comparing ---- */

static uint32_t table_in(const ft_profile *profile, const ft_line *line)
{
    uint32_t name = profile->codes.codes[line->code].name;
    return (uint32_t)(ft_strtab_get(&profile->texts, name).data[0] - '0');
}

static bool matches(const ft_profile *profile, const sums *expected)
{
    static sums found;
    memset(&found, 0, sizeof found);
    for (uint32_t i = 0; i < profile->lines.count; i++) {
        const ft_line *line = &profile->lines.lines[i];
        uint32_t table = table_in(profile, line);
        if (table >= TABLES || line->line >= LAST || line->callees != 0)
            return false;
        found.hits[table][line->line] += line->hits;
        found.time[table][line->line] += line->time;
        found.waiting[table][line->line] += line->waiting;
    }
    return memcmp(&found, expected, sizeof found) == 0;
}

/* What stands in no stack any more is the oracle's, too. */
static bool reads_right(const trace *t, ft_recording *recording)
{
    ft_profile profile;
    bool right = ft_profile_init(&profile, &ft_mem_system) == FT_OK &&
                 ft_harvest_recording(&profile, recording) == FT_OK &&
                 ft_profile_check(&profile) == FT_OK && matches(&profile, &t->sums);
    ft_profile_fini(&profile);
    return right;
}

static trace the_trace;

static int count_wrong(uint64_t seed)
{
    trace *t = &the_trace;
    ft_recording recording;
    int wrong = 0;
    if (ft_recording_open(&recording, &ft_mem_system, NULL, 100) != FT_OK ||
        !begin_trace(t, &recording, seed))
        abort();
    uint32_t steps = 20 + (uint32_t)seed * 10;
    for (uint32_t i = 0; i < steps; i++)
        act(t);
    ft_line_recorder_end(t->lines, t->now);
    wrong += !reads_right(t, &recording);
    ft_recording_close(&recording);
    return wrong;
}

static void test_random_programs(void)
{
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 300; seed++)
        wrong += count_wrong(seed);
    CHECK(wrong == 0);
}

/* ---- times of any kind ---- */

/* A clock that steps back gives no time; hits stay exact. */
static void test_extreme_times(void)
{
    static const uint64_t times[] = {0,          1,          UINT64_MAX,     INT64_MAX,
                                     1ULL << 63, 1ULL << 62, UINT64_MAX - 1, 12345};
    trace *t = &the_trace;
    ft_recording recording;
    ft_profile profile;
    uint64_t hits = 0, expected = 0;
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, NULL, 100) == FT_OK);
    REQUIRE(begin_trace(t, &recording, 5));
    for (uint32_t i = 0; i < 5000; i++) {
        t->now = times[pick(t, 8)];
        if (t->depth == 0 || (pick(t, 2) == 0 && t->depth < 20))
            call(t);
        else if (pick(t, 2) == 0)
            end_top(t);
        else
            step(t);
    }
    ft_line_recorder_end(t->lines, times[pick(t, 8)]);
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_recording(&profile, &recording) == FT_OK);
    CHECK(ft_profile_check(&profile) == FT_OK);
    for (uint32_t i = 0; i < profile.lines.count; i++)
        hits += profile.lines.lines[i].hits;
    for (uint32_t i = 0; i < TABLES * LAST; i++)
        expected += t->sums.hits[i / LAST][i % LAST];
    CHECK(hits == expected && hits > 2000);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* ---- a process that is killed ---- */

/* The file says what was open: it lasts until its reader looks, or until the last event. */
static void test_open_lines_of_a_file(void)
{
    static const ft_harvest_death nobody = {0};
    char folder[] = "/tmp/fettle-test-XXXXXX";
    int right = 0;
    REQUIRE(mkdtemp(folder) != NULL);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        trace *t = &the_trace;
        ft_recording recording;
        ft_profile profile;
        if (ft_recording_open(&recording, &ft_mem_system, folder, 100) != FT_OK ||
            !begin_trace(t, &recording, seed) || ft_profile_init(&profile, &ft_mem_system) != FT_OK)
            abort();
        for (uint32_t i = 0; i < 3000; i++)
            act(t);
        while (t->depth > 0)
            end_top(t);                  /* what is suspended stays open */
        recording.arena.header->pid = 0; /* nobody's: it ends with its last event */
        uint64_t hits = 0, expected = 0;
        right += ft_harvest_file(&profile, recording.arena.path, nobody) == FT_OK;
        for (uint32_t i = 0; i < profile.lines.count; i++)
            hits += profile.lines.lines[i].hits;
        for (uint32_t i = 0; i < TABLES * LAST; i++)
            expected += t->sums.hits[i / LAST][i % LAST];
        right += hits == expected && ft_profile_check(&profile) == FT_OK;
        unlink(recording.arena.path);
        ft_profile_fini(&profile);
        ft_recording_close(&recording);
    }
    CHECK(right == 40);
    rmdir(folder);
}

/* ---- deep, and many ---- */

static void test_deep_recursion(void)
{
    enum { DEPTH = 200000 };
    trace *t = &the_trace;
    ft_recording recording;
    char *places = calloc(DEPTH, 1);
    REQUIRE(places != NULL);
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, NULL, 100) == FT_OK);
    REQUIRE(begin_trace(t, &recording, 1));
    for (uint32_t i = 0; i < DEPTH; i++) {
        ft_line_at(t->lines, &keys[0], &places[i], line_of(0, 0), t->now++);
        ft_line_at(t->lines, &keys[0], &places[i], line_of(0, 1), t->now++);
    }
    for (uint32_t i = DEPTH; i-- > 0;)
        ft_line_leave(t->lines, &keys[0], &places[i], t->now++);
    t->sums.hits[0][0] = t->sums.hits[0][line_of(0, 0)] = t->sums.hits[0][line_of(0, 1)] = DEPTH;
    t->sums.time[0][line_of(0, 0)] = DEPTH;
    t->sums.time[0][line_of(0, 1)] =
        2 * DEPTH - 1; /* one on the way down but for the last, one up */
    CHECK(t->lines->top == t->lines->bottom);
    CHECK(reads_right(t, &recording));
    ft_recording_close(&recording);
    free(places);
}

/* Two frames of one function take turns without either ending, as greenlets do. */
static void test_turns(void)
{
    trace *t = &the_trace;
    ft_recording recording;
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, NULL, 100) == FT_OK);
    REQUIRE(begin_trace(t, &recording, 1));
    for (uint32_t round = 0; round < 10; round++)
        for (uint32_t i = 0; i < 2; i++, t->now += 5) /* at the entry line each time: a loop's */
            ft_line_at(t->lines, &keys[0], &frame_places[i], line_of(0, 0), t->now);
    for (uint32_t i = 0; i < 2; i++)
        ft_line_leave(t->lines, &keys[0], &frame_places[i], t->now);
    t->sums.hits[0][0] = 2;
    t->sums.hits[0][line_of(0, 0)] = 20;
    t->sums.time[0][line_of(0, 0)] = 100;
    CHECK(t->lines->top == t->lines->bottom);
    CHECK(reads_right(t, &recording));
    ft_recording_close(&recording);
}

/* ---- memory that runs out ---- */

static ft_status record_with(const ft_mem *mem)
{
    trace *t = &the_trace;
    ft_recording recording;
    ft_profile profile;
    ft_status status = ft_recording_open(&recording, mem, NULL, 40);
    if (status != FT_OK)
        return status;
    if (begin_trace(t, &recording, 3))
        for (uint32_t i = 0; i < 3000; i++)
            act(t);
    status = ft_profile_init(&profile, mem);
    if (status == FT_OK) {
        status = ft_harvest_recording(&profile, &recording);
        if (status == FT_OK && ft_profile_check(&profile) != FT_OK)
            abort();
        ft_profile_fini(&profile);
    }
    ft_recording_close(&recording);
    return status;
}

static void test_allocation_failures(void)
{
    long fail_at = 0;
    bool clean = true;
    for (bool failed = true; failed && clean; fail_at++) {
        failing_mem memory;
        failing_mem_init(&memory, fail_at);
        ft_status status = record_with(&memory.mem);
        failed = memory.failed != 0;
        clean = memory.live == 0 && (status == FT_OK || status == FT_ERR_MEMORY) &&
                (failed || status == FT_OK);
    }
    CHECK(clean && fail_at > 20);
}

int main(void)
{
    test_random_programs();
    test_extreme_times();
    test_open_lines_of_a_file();
    test_deep_recursion();
    test_turns();
    test_allocation_failures();
    return tap_end();
}
