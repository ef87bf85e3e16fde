/* SPDX-License-Identifier: Apache-2.0 */
/* test_span_log.c: collections and threads as the probe tells them, harvested, against a list of
 * all that were told of. */
#include "engine/record/span_log.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/record/harvest.h"
#include "engine/record/recorder_rest.h"
#include "tests/engine/folders.h"
#include "tests/engine/moving_mem.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { TOLD_MAX = 20000, NS = 2 /* of a tick */ };

static const ft_harvest_death nobody = {0};

typedef struct story {
    ft_recording recording;
    random_source source;
    uint64_t now;
    uint32_t count;
    ft_span_collection told[TOLD_MAX];
} story;

/* In memory, each tick two ns, begun at the first. */
static story *start_story(uint64_t seed)
{
    story *made = calloc(1, sizeof *made);
    must(made != NULL);
    made->source = (random_source){seed};
    must(ft_recording_open(&made->recording, &ft_mem_system, NULL, 1000) == FT_OK);
    made->recording.ns_per_tick = NS;
    made->now = made->recording.arena.header->first.ticks;
    atomic_store(&made->recording.arena.header->begun, made->now);
    return made;
}

static void end_story(story *s)
{
    ft_recording_close(&s->recording);
    free(s);
}

static void tell(story *s, uint64_t duration)
{
    must(s->count < TOLD_MAX);
    s->now += 1 + random_below(&s->source, 1000);
    const ft_span_collection made = {.start = s->now,
                                     .duration = duration,
                                     .generation = random_below(&s->source, 5),
                                     .collected = random_below(&s->source, 100),
                                     .uncollectable = random_below(&s->source, 3)};
    s->now += duration;
    s->told[s->count++] = made;
    ft_span_log_collection(&s->recording, &made);
}

static uint32_t generation_of(const ft_span_collection *told)
{
    return told->generation < 3 ? told->generation : 3;
}

/* The sums are those of all that were told of. */
static bool has_sums(const story *s, const ft_spans *spans)
{
    bool good = true;
    for (uint32_t i = 0; i < spans->sum_count && good; i++) {
        ft_collection_sum sum = {.generation = spans->sums[i].generation};
        for (uint32_t k = 0; k < s->count; k++) {
            const ft_span_collection *told = &s->told[k];
            if (generation_of(told) != sum.generation)
                continue;
            sum.count++;
            sum.time += told->duration * NS;
            sum.longest = told->duration * NS > sum.longest ? told->duration * NS : sum.longest;
            sum.collected += told->collected;
            sum.uncollectable += told->uncollectable;
        }
        good = memcmp(&sum, &spans->sums[i], sizeof sum) == 0;
    }
    return good;
}

/* Each row is one that was told of, in order, and none that was left out is longer than one. */
static bool has_the_longest(const story *s, const ft_spans *spans)
{
    uint64_t begun = atomic_load(&s->recording.arena.header->begun), shortest = UINT64_MAX;
    uint64_t longest_out = 0;
    uint32_t at = 0;
    for (uint32_t k = 0; k < s->count; k++) {
        const ft_span_collection *told = &s->told[k];
        const ft_collection made = {.generation = generation_of(told),
                                    .start = (told->start - begun) * NS,
                                    .duration = told->duration * NS,
                                    .collected = told->collected,
                                    .uncollectable = told->uncollectable};
        bool kept = at < spans->collection_count &&
                    memcmp(&made, &spans->collections[at], sizeof made) == 0;
        at += kept;
        if (kept && made.duration < shortest)
            shortest = made.duration;
        if (!kept && made.duration > longest_out)
            longest_out = made.duration;
    }
    return at == spans->collection_count && (longest_out == 0 || shortest > longest_out);
}

static ft_status check_story(const story *s, const ft_mem *mem, bool *good)
{
    ft_profile profile;
    ft_status status = ft_profile_init(&profile, mem);
    if (status != FT_OK)
        return status;
    status = ft_harvest_recording(&profile, &s->recording);
    *good = status == FT_OK && ft_profile_check(&profile) == FT_OK && has_sums(s, &profile.spans) &&
            has_the_longest(s, &profile.spans) &&
            (s->count <= FT_SPAN_COLLECTIONS_MAX
                 ? profile.spans.collection_count == s->count
                 : profile.spans.collection_count <= FT_SPAN_COLLECTIONS_MAX);
    for (uint32_t i = 0; i < profile.note_count; i++)
        *good = *good && profile.notes[i].kind != FT_NOTE_TORN;
    ft_profile_fini(&profile);
    return status;
}

static bool told_in_full(uint32_t count, uint32_t below, uint64_t seed)
{
    story *s = start_story(seed);
    bool good = false;
    for (uint32_t i = 0; i < count; i++)
        tell(s, random_below(&s->source, below));
    must(check_story(s, &ft_mem_system, &good) == FT_OK);
    end_story(s);
    return good;
}

static void test_collections(void)
{
    CHECK(told_in_full(0, 10, 1));
    CHECK(told_in_full(1, 10, 2));
    CHECK(told_in_full(999, 100000, 3));
    CHECK(told_in_full(1000, 100000, 4));
    CHECK(told_in_full(1001, 100000, 5));
    CHECK(told_in_full(TOLD_MAX, 1000000, 6));
    CHECK(told_in_full(TOLD_MAX, 3, 7)); /* many of one length */
}

/* Even if all are of one length, there is room for the next. */
static void test_equal_ones(void)
{
    story *s = start_story(8);
    bool good = false;
    for (uint32_t i = 0; i < 3000; i++)
        tell(s, 50);
    tell(s, 51);
    CHECK(check_story(s, &ft_mem_system, &good) == FT_OK && good);
    end_story(s);
}

/* One that had begun when the recording did; and none of what the callers' clock says. */
static void test_beginnings(void)
{
    story *s = start_story(9);
    ft_profile profile;
    uint64_t begun = s->now;
    ft_span_collection early = {.start = begun - 10, .duration = 25};
    ft_span_log_collection(&s->recording, &early);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    must(ft_harvest_recording(&profile, &s->recording) == FT_OK);
    CHECK(profile.spans.collection_count == 1 && profile.spans.collections[0].start == 0 &&
          profile.spans.collections[0].duration == 15 * NS);
    CHECK(profile.processes[0].elapsed == 15 * NS);
    ft_profile_fini(&profile);
    end_story(s);
    s = start_story(10);
    ft_recording_use_callers_clock(&s->recording, 1);
    ft_span_log_collection(&s->recording, &early);
    ft_recorder *recorder = ft_recording_attach(&s->recording);
    must(recorder != NULL);
    ft_recording_detach(recorder);
    CHECK(s->recording.spans == NULL);
    end_story(s);
}

/* ---- threads ---- */

static void *use_once(void *argument)
{
    ft_recorder *recorder = ft_recording_attach(argument);
    must(recorder != NULL);
    ft_recording_detach(recorder);
    return NULL;
}

static ft_status harvest_folder(ft_profile *profile, const char *folder)
{
    uint32_t count;
    ft_status status = ft_harvest_directory(profile, folder, nobody, &count);
    return status != FT_OK ? status : ft_profile_check(profile);
}

static uint64_t sum_uses(const ft_spans *spans)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < spans->thread_count; i++)
        sum += spans->threads[i].uses;
    return sum;
}

/* The rows that a thread of the profile has. */
static uint32_t rows_of(const ft_profile *profile, uint32_t thread)
{
    uint32_t rows = 0;
    for (uint32_t i = 0; i < profile->spans.thread_count; i++)
        rows += profile->spans.threads[i].thread == thread;
    return rows;
}

/* One after another on one recorder, a second one that stays. */
static void test_threads_in_turn(void)
{
    char folder[FOLDER_BYTES];
    ft_recording recording;
    ft_profile profile;
    folder_make(folder);
    must(ft_recording_open(&recording, &ft_mem_system, folder, 1000) == FT_OK);
    ft_recorder *stays = ft_recording_attach(&recording);
    must(stays != NULL);
    for (uint32_t i = 0; i < 5; i++)
        use_once(&recording);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(harvest_folder(&profile, folder) == FT_OK);
    CHECK(profile.thread_count == 2 && rows_of(&profile, 0) == 1 && rows_of(&profile, 1) == 5);
    const ft_thread_span *spans = profile.spans.threads;
    CHECK(spans[0].end == FT_SPAN_OPEN && sum_uses(&profile.spans) == 6);
    for (uint32_t i = 1; i < 6; i++)
        CHECK(spans[i].start >= spans[i - 1].start && spans[i].end != FT_SPAN_OPEN &&
              (i == 1 || spans[i].start >= spans[i - 1].end));
    ft_profile_fini(&profile);
    ft_recording_detach(stays);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(harvest_folder(&profile, folder) == FT_OK &&
          profile.spans.threads[0].end >= profile.spans.threads[5].end);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
    folder_remove(folder);
}

/* More threads than rows: none is lost, and each recorder's time is covered to its end. */
static void test_many_threads(void)
{
    char folder[FOLDER_BYTES];
    ft_recording recording;
    ft_profile profile;
    folder_make(folder);
    must(ft_recording_open(&recording, &ft_mem_system, folder, 1000) == FT_OK);
    ft_recorder *stays = ft_recording_attach(&recording);
    for (uint32_t i = 0; i < 3 * FT_SPAN_THREADS_MAX; i++)
        use_once(&recording);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(harvest_folder(&profile, folder) == FT_OK);
    CHECK(profile.spans.thread_count == FT_SPAN_THREADS_MAX);
    CHECK(sum_uses(&profile.spans) == 3 * FT_SPAN_THREADS_MAX + 1);
    const ft_thread_span *last = &profile.spans.threads[FT_SPAN_THREADS_MAX - 1];
    CHECK(last->uses == 2 * FT_SPAN_THREADS_MAX + 2 && last->end != FT_SPAN_OPEN);
    CHECK(last->end >= profile.processes[0].elapsed / 2); /* not where it ended at first */
    ft_profile_fini(&profile);
    ft_recording_detach(stays);
    ft_recording_close(&recording);
    folder_remove(folder);
}

/* Without a row of its own, a thread that runs opens its recorder's last one again. */
static void test_stretched_and_open(void)
{
    ft_recording recording;
    ft_profile profile;
    must(ft_recording_open(&recording, &ft_mem_system, NULL, 1000) == FT_OK);
    for (uint32_t i = 0; i < FT_SPAN_THREADS_MAX; i++)
        use_once(&recording);
    must(ft_recording_attach(&recording) != NULL);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    must(ft_harvest_recording(&profile, &recording) == FT_OK);
    const ft_thread_span *last = &profile.spans.threads[FT_SPAN_THREADS_MAX - 1];
    CHECK(profile.spans.thread_count == FT_SPAN_THREADS_MAX && last->uses == 2 &&
          last->end == FT_SPAN_OPEN && last[-1].end != FT_SPAN_OPEN);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

static void test_threads_at_once(void)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    ft_recording recording;
    ft_profile profile;
    must(ft_recording_open(&recording, &ft_mem_system, NULL, 1000) == FT_OK);
    for (int i = 0; i < THREADS; i++)
        must(pthread_create(&threads[i], NULL, use_once, &recording) == 0);
    for (int i = 0; i < THREADS; i++)
        must(pthread_join(threads[i], NULL) == 0);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    must(ft_harvest_recording(&profile, &recording) == FT_OK);
    CHECK(profile.spans.thread_count == THREADS && sum_uses(&profile.spans) == THREADS);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* The profile's threads, each counted once however often it comes and goes; one that comes back
 * while its recorder is free has that one again. */
static void test_threads_that_come_back(void)
{
    enum { THREADS = 200, STEPS = 5000 };
    random_source source = {3};
    ft_recorder *has[THREADS] = {NULL}, *had[THREADS] = {NULL};
    uint64_t seen = 0, uses = 0;
    ft_recording recording;
    ft_profile profile;
    must(ft_recording_open(&recording, &ft_mem_system, NULL, 1000) == FT_OK);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t at = random_below(&source, step < STEPS / 2 ? 6 : THREADS);
        if (has[at] != NULL) {
            ft_recording_detach(has[at]);
            has[at] = NULL;
        } else {
            bool has_own = had[at] != NULL && had[at]->rest->thread == at + 1 &&
                           atomic_load(&had[at]->state) == FT_RECORDER_FREE;
            has[at] = ft_recording_attach_thread(&recording, at + 1);
            must(has[at] != NULL);
            CHECK(!has_own || has[at] == had[at]);
            seen += had[at] == NULL;
            had[at] = has[at];
        }
        if (random_below(&source, 50) == 0) {
            ft_recording_pause(&recording, NULL, ft_clock_ticks(FT_CLOCK_SYSTEM));
            memset(has, 0, sizeof has);
        }
    }
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    must(ft_harvest_recording(&profile, &recording) == FT_OK);
    for (uint32_t i = 0; i < profile.thread_count; i++)
        uses += profile.threads[i].uses;
    CHECK(uses == seen && seen == THREADS && sum_uses(&profile.spans) > seen);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* A pause ends all spans; what goes on afterwards begins new ones. */
static void test_pause(void)
{
    ft_recording recording;
    ft_profile profile;
    must(ft_recording_open(&recording, &ft_mem_system, NULL, 1000) == FT_OK);
    for (int i = 0; i < 2; i++) {
        ft_recorder *recorder = ft_recording_attach(&recording);
        must(recorder != NULL);
        ft_recording_pause(&recording, recorder, ft_clock_ticks((ft_clock_source)recorder->clock));
    }
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    must(ft_harvest_recording(&profile, &recording) == FT_OK);
    const ft_thread_span *spans = profile.spans.threads;
    CHECK(profile.spans.thread_count == 2 && spans[0].end != FT_SPAN_OPEN &&
          spans[0].end <= spans[1].start && spans[1].end != FT_SPAN_OPEN);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* ---- processes ---- */

static void live_and_die(const char *folder)
{
    ft_recording recording;
    must(ft_recording_open(&recording, &ft_mem_system, folder, 1000) == FT_OK);
    must(ft_recording_attach(&recording) != NULL);
    const ft_span_collection made = {
        .start = recording.arena.header->first.ticks, .duration = 7, .collected = 3};
    ft_span_log_collection(&recording, &made);
    kill(getpid(), SIGKILL);
}

/* What was told of is there though the process was killed. */
static void test_killed(void)
{
    char folder[FOLDER_BYTES];
    ft_profile profile;
    int status;
    folder_make(folder);
    pid_t child = fork();
    if (child == 0)
        live_and_die(folder);
    must(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(harvest_folder(&profile, folder) == FT_OK);
    CHECK(profile.spans.collection_count == 1 && profile.spans.sum_count == 1 &&
          profile.spans.sums[0].collected == 3);
    CHECK(profile.spans.thread_count == 1 && profile.spans.threads[0].end == FT_SPAN_OPEN);
    ft_profile_fini(&profile);
    folder_remove(folder);
}

/* A forked child begins anew, in an arena of its own. */
static void test_forked(void)
{
    char folder[FOLDER_BYTES];
    ft_recording recording;
    ft_profile profile;
    int status;
    folder_make(folder);
    must(ft_recording_open(&recording, &ft_mem_system, folder, 1000) == FT_OK);
    ft_recorder *recorder = ft_recording_attach(&recording);
    must(recorder != NULL);
    ft_span_collection made = {.start = recording.arena.header->first.ticks, .duration = 7};
    ft_span_log_collection(&recording, &made);
    ft_recorder before = *recorder;
    pid_t child = fork();
    if (child == 0) {
        ft_recorder *mine = ft_recording_after_fork(&recording, &before);
        for (int i = 0; i < 2; i++) {
            made.start = mine->slice_start + (uint64_t)i;
            ft_span_log_collection(&recording, &made);
        }
        ft_recording_detach(mine);
        _exit(0);
    }
    must(waitpid(child, &status, 0) == child && status == 0);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(harvest_folder(&profile, folder) == FT_OK && profile.process_count == 2);
    const uint32_t parent = profile.processes[0].pid == (uint32_t)getpid() ? 0 : 1;
    CHECK(profile.spans.sum_count == 2 && profile.spans.sums[parent].count == 1 &&
          profile.spans.sums[1 - parent].count == 2);
    CHECK(profile.spans.thread_count == 2 && profile.spans.collection_count == 3 &&
          (profile.spans.threads[parent].end == FT_SPAN_OPEN) &&
          (profile.spans.threads[1 - parent].end != FT_SPAN_OPEN));
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
    folder_remove(folder);
}

/* ---- damage ---- */

/* Whatever stands in the log: the profile is sound, or the log is left out. */
static void test_rubbish(void)
{
    random_source source = {11};
    bool good = true;
    for (uint32_t round = 0; round < 300 && good; round++) {
        ft_profile profile;
        story *s = start_story(round);
        for (uint32_t i = 0; i < 5; i++)
            tell(s, 10);
        use_once(&s->recording);
        ft_span_log *log = ft_block_data(s->recording.spans);
        for (uint32_t i = 0; i < 20; i++) {
            size_t near = random_below(&source, 2) ? offsetof(ft_span_log, threads) : 0;
            size_t at = near + random_below(&source, 500);
            ((uint8_t *)log)[at] = (uint8_t)random_next(&source);
        }
        must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
        good = ft_harvest_recording(&profile, &s->recording) == FT_OK &&
               ft_profile_check(&profile) == FT_OK;
        ft_profile_fini(&profile);
        end_story(s);
    }
    CHECK(good);
}

/* Killed between the words of a sum, or worse: the longest is no longer than all. */
static void test_torn_sum(void)
{
    ft_profile profile;
    story *s = start_story(14);
    tell(s, 10);
    ft_span_log *log = ft_block_data(s->recording.spans);
    for (uint32_t i = 0; i < FT_SPAN_GENERATIONS; i++)
        atomic_store(&log->sums[i].longest, 1000);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_recording(&profile, &s->recording) == FT_OK);
    CHECK(profile.spans.sum_count == 1 && profile.spans.sums[0].longest == 10 * NS);
    ft_profile_fini(&profile);
    end_story(s);
}

/* While rows move up, a reader sees some of them twice and takes each once. */
static void test_half_moved(void)
{
    ft_profile profile;
    story *s = start_story(12);
    for (uint32_t i = 0; i < 6; i++)
        tell(s, 10 + i);
    ft_span_log *log = ft_block_data(s->recording.spans);
    log->collections[0] = log->collections[3];
    log->collections[1] = log->collections[4];
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    must(ft_harvest_recording(&profile, &s->recording) == FT_OK);
    CHECK(profile.spans.collection_count == 3 && profile.spans.collections[0].duration == 13 * NS &&
          profile.spans.collections[2].duration == 15 * NS && profile.note_count == 0);
    ft_profile_fini(&profile);
    end_story(s);
}

/* ---- no memory ---- */

static ft_status harvest_without_memory(const ft_mem *mem)
{
    story *s = start_story(13);
    bool good = false;
    for (uint32_t i = 0; i < 30; i++)
        tell(s, 10 * i);
    use_once(&s->recording);
    ft_status status = check_story(s, mem, &good);
    must(status != FT_OK || good);
    end_story(s);
    return status;
}

/* Recording on, with each allocation refused in turn: nothing breaks, and what was kept is right.
 */
static bool record_without_memory(void)
{
    for (long succeed = 0;; succeed++) {
        failing_mem state;
        failing_mem_init(&state, succeed);
        ft_recording recording;
        if (ft_recording_open(&recording, &state.mem, NULL, 1000) == FT_OK) {
            ft_recorder *recorder = ft_recording_attach(&recording);
            const ft_span_collection made = {.start = recording.arena.header->first.ticks,
                                             .duration = 7};
            ft_span_log_collection(&recording, &made);
            if (recorder != NULL)
                ft_recording_detach(recorder);
            ft_recording_close(&recording);
        }
        if (state.live != 0)
            return false;
        if (!state.failed)
            return succeed > 0;
    }
}

int main(void)
{
    test_collections();
    test_equal_ones();
    test_beginnings();
    test_threads_in_turn();
    test_many_threads();
    test_stretched_and_open();
    test_threads_at_once();
    test_threads_that_come_back();
    test_pause();
    test_killed();
    test_forked();
    test_rubbish();
    test_torn_sum();
    test_half_moved();
    CHECK(sweep(harvest_without_memory));
    CHECK(record_without_memory());
    return tap_end();
}
