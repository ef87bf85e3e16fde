/* SPDX-License-Identifier: Apache-2.0 */
/* test_resting.c: recordings that rest and go on, read while they are on, against a brute-force
 * oracle. Several threads' recorders are driven from one thread by a random trace; what is known of
 * each thread's stack starts anew wherever the recording rested. Paths are numbers in base
 * FUNCTIONS + 1, so that the oracle is an array. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/model/query.h"
#include "engine/record/harvest.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/recording.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/tap.h"

enum { FUNCTIONS = 4, MAX_DEPTH = 6, THREADS = 3, PATHS = 15625 /* (FUNCTIONS + 1)^MAX_DEPTH */ };

static char keys[FUNCTIONS];
static uint64_t frames[THREADS][MAX_DEPTH + 1];
static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static bool intern_all(ft_recording *recording)
{
    static const char *const names[FUNCTIONS] = {"1", "2", "3", "4"};
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        ft_function function = {.key = &keys[i],
                                .kind = FT_CODE_PYTHON,
                                .texts = {"t.py", names[i], names[i]},
                                .lengths = {4, 1, 1}};
        if (ft_recording_intern(recording, &function) != FT_OK)
            return false;
    }
    return true;
}

/* ---- the oracle ---- */

typedef struct path_sums {
    uint64_t calls[PATHS], own[PATHS]; /* path 0: of nobody */
} path_sums;

typedef struct simulated {
    ft_recorder *recorder; /* NULL: none since the recording rested */
    int depth;             /* of the functions that really run: function[1..depth] */
    int function[MAX_DEPTH + 1];
    int known_from; /* those from here on the recorder knows */
    uint64_t last;  /* its last event */
} simulated;

typedef struct trace {
    ft_recording *recording;
    simulated threads[THREADS];
    path_sums sums;
    uint64_t now;
    bool on, callers_clock, memory_may_fail;
    uint32_t between; /* steps from one rest or reading to the next, about */
} trace;

static uint32_t known_path(const simulated *thread)
{
    uint32_t path = 0;
    for (int i = thread->known_from; i <= thread->depth; i++)
        path = path * (FUNCTIONS + 1) + (uint32_t)thread->function[i] + 1;
    return path;
}

/* A clock that stepped back gives no time. */
static void end_slice(trace *t, simulated *thread)
{
    uint64_t elapsed = t->now - thread->last;
    if (elapsed <= UINT64_MAX / 2)
        t->sums.own[known_path(thread)] += elapsed;
    thread->last = t->now;
}

/* ---- the trace ---- */

static void stand_in(trace *t, simulated *thread)
{
    int top = thread->function[thread->depth];
    const void *frame = &frames[thread - t->threads][thread->depth];
    if (thread->depth > 0 && ft_recorder_stand_in(thread->recorder, &keys[top], frame))
        thread->known_from = thread->depth;
    else if (thread->depth > 0 && !t->memory_may_fail)
        abort();
}

static void attach(trace *t, simulated *thread)
{
    if (thread->recorder != NULL)
        return;
    thread->recorder = ft_recording_attach(t->recording);
    if (thread->recorder == NULL)
        return;
    thread->known_from = thread->depth + 1;
    thread->last = t->callers_clock ? 0 : t->now;
    if (!t->callers_clock)
        thread->recorder->slice_start = t->now; /* the trace has its own time */
    if (pick(2) == 0)
        stand_in(t, thread);
}

/* As the glue does it (probes/events.h, session.c). */
static void call(trace *t, simulated *thread)
{
    int function = (int)pick(FUNCTIONS);
    uint64_t *frame = &frames[thread - t->threads][thread->depth];
    const void *caller = thread->depth == 0 ? NULL : frame;
    ft_recorder *recorder = thread->recorder;
    thread->function[++thread->depth] = function;
    if (recorder == NULL) {
        thread->known_from = thread->depth + 1;
        return;
    }
    if (!ft_recorder_is_at(recorder, caller) && !ft_recorder_switch_to(recorder, caller))
        ft_recorder_switch_to_root(recorder, caller);
    if (!ft_recorder_enter(recorder, &keys[function], frame + 1, t->now) && !t->memory_may_fail)
        abort();
    thread->depth--;
    end_slice(t, thread);
    thread->depth++;
    t->sums.calls[known_path(thread)]++;
}

static void give_back(trace *t, simulated *thread)
{
    int function = thread->function[thread->depth];
    const void *frame = &frames[thread - t->threads][thread->depth];
    ft_recorder *recorder = thread->recorder;
    bool known = thread->known_from <= thread->depth;
    bool found = false;
    if (recorder != NULL) {
        found = ft_recorder_leave(recorder, &keys[function], frame, t->now) ||
                (ft_recorder_switch_to(recorder, frame) &&
                 ft_recorder_leave(recorder, &keys[function], frame, t->now));
        if (found != known && !t->memory_may_fail)
            abort();
    }
    if (found)
        end_slice(t, thread);
    thread->depth--;
    if (!known)
        thread->known_from = thread->depth + 1;
}

/* mine is the thread that asks. */
static void settle(trace *t, const simulated *mine, bool rest)
{
    for (int i = 0; i < THREADS; i++) {
        simulated *thread = &t->threads[i];
        /* that thread alone can ask the callers' clock; and one that goes back in another's name is
         * not heard */
        bool ends =
            thread == mine || (!t->callers_clock && t->now - thread->last <= UINT64_MAX / 2);
        if (thread->recorder != NULL && ends)
            end_slice(t, thread);
    }
    if (!rest) {
        ft_recording_settle(t->recording, mine->recorder, t->now);
        return;
    }
    ft_recording_pause(t->recording, mine->recorder, t->now);
    for (int i = 0; i < THREADS; i++) {
        t->threads[i].recorder = NULL;
        t->threads[i].known_from = t->threads[i].depth + 1;
    }
    t->on = false;
}

/* ---- comparison ---- */

static uint32_t path_of(const ft_profile *profile, const ft_tree *tree, uint32_t node)
{
    uint32_t path = 0, power = 1;
    for (; node != 0; node = tree->nodes[node].parent, power *= FUNCTIONS + 1) {
        uint32_t name = profile->codes.codes[tree->nodes[node].code].name;
        path += power * (uint32_t)(ft_strtab_get(&profile->texts, name).data[0] - '0');
    }
    return path;
}

static bool matches(const ft_profile *profile, const path_sums *expected)
{
    static path_sums sums;
    memset(&sums, 0, sizeof sums);
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const ft_tree *tree = &profile->threads[i].tree;
        for (uint32_t id = 1; id < tree->count; id++) {
            uint32_t path = path_of(profile, tree, id);
            sums.calls[path] += tree->nodes[id].calls;
            sums.own[path] += tree->nodes[id].own;
        }
    }
    sums.own[0] = expected->own[0];
    return memcmp(&sums, expected, sizeof sums) == 0;
}

/* The recording was settled: what it gives now is what the oracle has. */
static bool reads_right(const trace *t)
{
    ft_profile profile;
    bool right = ft_profile_init(&profile, &ft_mem_system) == FT_OK &&
                 ft_harvest_recording(&profile, t->recording) == FT_OK &&
                 ft_profile_check(&profile) == FT_OK && matches(&profile, &t->sums);
    ft_profile_fini(&profile);
    return right;
}

static void step_time(trace *t)
{
    t->now += pick(10) == 0 ? pick(200000) : pick(50); /* some are long enough to ask for waiting */
    if (t->callers_clock && pick(20) == 0)
        t->now -= pick(100000); /* which may be below zero */
}

/* Returns how often the recording was read wrong. */
static int run_trace(trace *t, uint32_t steps, bool read)
{
    int wrong = 0;
    for (uint32_t i = 0; i < steps; i++) {
        simulated *thread = &t->threads[pick(THREADS)];
        step_time(t);
        if (t->on)
            attach(t, thread);
        if (pick(t->between) == 0) {
            if (t->on)
                settle(t, thread, pick(2) == 0);
            else
                t->on = true;
            wrong += read && !reads_right(t);
        } else if (thread->depth == MAX_DEPTH || (thread->depth > 0 && pick(2) == 0)) {
            give_back(t, thread);
        } else {
            call(t, thread);
        }
    }
    if (t->on)
        settle(t, &t->threads[0], true);
    return wrong + (read && !reads_right(t));
}

static void begin_trace(trace *t, ft_recording *recording, bool callers_clock)
{
    memset(t, 0, sizeof *t);
    t->recording = recording;
    t->on = true;
    t->now = 1000;
    t->callers_clock = callers_clock;
    t->between = 25;
    for (int i = 0; i < THREADS; i++)
        t->threads[i].known_from = 1;
    if (callers_clock)
        ft_recording_use_callers_clock(recording, 1.0);
    else
        recording->arena.header->clock_source = FT_CLOCK_SYSTEM; /* a tick is a ns: exact */
}

static trace the_trace;

static int count_wrong(uint64_t seed, bool callers_clock)
{
    ft_recording recording;
    random_state = seed;
    if (ft_recording_open(&recording, &ft_mem_system, NULL, FT_MAX_CONTEXTS_DEFAULT) != FT_OK ||
        !intern_all(&recording))
        abort();
    begin_trace(&the_trace, &recording, callers_clock);
    int wrong = run_trace(&the_trace, 50 + (uint32_t)seed * 6, true);
    ft_recording_close(&recording);
    return wrong;
}

static void test_random_traces(void)
{
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 100; seed++)
        wrong += count_wrong(seed, false);
    CHECK(wrong == 0);
}

static void test_random_traces_on_the_callers_clock(void)
{
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 100; seed++)
        wrong += count_wrong(seed * 31, true);
    CHECK(wrong == 0);
}

/* Any 64 bits may be a time: calls stay exact and the profile sound. */
static void test_extreme_times(void)
{
    static const uint64_t times[] = {0,          1,          UINT64_MAX,     INT64_MAX,
                                     1ULL << 63, 1ULL << 62, UINT64_MAX - 1, 12345};
    ft_recording recording;
    ft_profile profile;
    ft_totals totals;
    uint64_t calls = 0;
    random_state = 77;
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, NULL, 100) == FT_OK);
    ft_recording_use_callers_clock(&recording, 1e9);
    REQUIRE(intern_all(&recording));
    ft_recorder *recorder = ft_recording_attach(&recording);
    REQUIRE(recorder != NULL);
    for (int i = 0; i < 4000; i++) {
        uint64_t first = times[pick(8)], second = times[pick(8)];
        const void *key = &keys[pick(FUNCTIONS)];
        calls += ft_recorder_enter(recorder, key, &frames[0][1], first);
        (void)ft_recorder_leave(recorder, key, &frames[0][1], second);
    }
    ft_recording_pause(&recording, recorder, times[pick(8)]);
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_recording(&profile, &recording) == FT_OK);
    CHECK(ft_profile_check(&profile) == FT_OK);
    CHECK(ft_query_totals(&profile, &totals) == FT_OK && totals.calls == calls && calls == 4000);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* ---- in memory and in a file ---- */

static bool same_trees(const ft_profile *a, const ft_profile *b)
{
    bool same = a->thread_count == b->thread_count && a->process_count == b->process_count;
    for (uint32_t i = 0; same && i < a->thread_count; i++) {
        const ft_tree *left = &a->threads[i].tree, *right = &b->threads[i].tree;
        same = left->count == right->count && a->threads[i].uses == b->threads[i].uses;
        for (uint32_t id = 1; same && id < left->count; id++) {
            const ft_node *x = &left->nodes[id], *y = &right->nodes[id];
            same = x->parent == y->parent && x->calls == y->calls && x->own == y->own &&
                   path_of(a, left, id) == path_of(b, right, id);
        }
    }
    return same;
}

static ft_status record_trace(ft_profile *profile, const char *folder, uint64_t seed)
{
    static const ft_harvest_death nobody = {0};
    ft_recording recording;
    random_state = seed;
    if (ft_recording_open(&recording, &ft_mem_system, folder, FT_MAX_CONTEXTS_DEFAULT) != FT_OK ||
        !intern_all(&recording))
        abort();
    begin_trace(&the_trace, &recording, false);
    the_trace.between = 5000;
    (void)run_trace(&the_trace, 30000, false);
    ft_status status = folder == NULL ? ft_harvest_recording(profile, &recording)
                                      : ft_harvest_file(profile, recording.arena.path, nobody);
    if (folder != NULL)
        unlink(recording.arena.path);
    ft_recording_close(&recording);
    return status;
}

static void test_memory_and_file(void)
{
    char folder[] = "/tmp/fettle-test-XXXXXX";
    int same = 0;
    uint32_t most = 0;
    REQUIRE(mkdtemp(folder) != NULL);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        ft_profile memory, file;
        if (ft_profile_init(&memory, &ft_mem_system) != FT_OK ||
            ft_profile_init(&file, &ft_mem_system) != FT_OK)
            abort();
        same += record_trace(&memory, NULL, seed) == FT_OK &&
                record_trace(&file, folder, seed) == FT_OK && same_trees(&memory, &file);
        most = memory.threads[0].tree.count > most ? memory.threads[0].tree.count : most;
        ft_profile_fini(&memory);
        ft_profile_fini(&file);
    }
    CHECK(same == 6 && most > 1100); /* more than a block holds */
    rmdir(folder);
}

/* ---- memory that runs out ---- */

/* Everything once, on a heap that may refuse. */
static ft_status record_with(const ft_mem *mem)
{
    ft_recording recording;
    ft_profile profile;
    random_state = 9;
    ft_status status = ft_recording_open(&recording, mem, NULL, 40);
    if (status != FT_OK)
        return status;
    if (intern_all(&recording)) {
        begin_trace(&the_trace, &recording, false);
        the_trace.memory_may_fail = true;
        (void)run_trace(&the_trace, 1500, false);
    }
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

/* ---- a forked child goes on in its copy ---- */

static bool is_free(const ft_recorder *recorder)
{
    return atomic_load(&recorder->state) == FT_RECORDER_FREE;
}

/* mine is in function 0, which called function 1; the others are in function 2. */
static int go_on_in_child(ft_recording *recording, ft_recorder *const recorders[3], bool keep)
{
    ft_profile profile;
    ft_totals totals;
    ft_recorder *mine = keep ? recorders[1] : NULL;
    ft_recording_keep_only(recording, mine);
    bool right = is_free(recorders[0]) && is_free(recorders[2]) && is_free(recorders[1]) == !keep &&
                 recording->arena.header->pid == (uint32_t)getpid() &&
                 recording->arena.header->parent_pid == (uint32_t)getppid();
    if (keep) {
        uint64_t now = mine->slice_start + 5;
        right = right && ft_recorder_leave(mine, &keys[1], &frames[0][2], now) &&
                ft_recorder_enter(mine, &keys[3], &frames[0][2], now) &&
                ft_recorder_leave(mine, &keys[3], &frames[0][2], now) &&
                ft_recorder_leave(mine, &keys[0], &frames[0][1], now);
    }
    ft_recorder *again = ft_recording_attach(recording); /* a thread of the child's */
    right = right && again != NULL && again != mine &&
            ft_recorder_enter(again, &keys[3], &frames[1][1], again->slice_start) &&
            ft_recorder_leave(again, &keys[3], &frames[1][1], again->slice_start);
    ft_recording_pause(recording, mine, ft_clock_ticks(FT_CLOCK_SYSTEM));
    right = right && ft_profile_init(&profile, &ft_mem_system) == FT_OK &&
            ft_harvest_recording(&profile, recording) == FT_OK &&
            ft_query_totals(&profile, &totals) == FT_OK && totals.calls == (keep ? 6 : 5) &&
            profile.processes[0].pid == (uint32_t)getpid();
    return right ? 0 : 1;
}

static void test_fork(void)
{
    for (int keep = 0; keep < 2; keep++) {
        ft_recording recording;
        ft_recorder *recorders[3];
        int status = -1;
        REQUIRE(ft_recording_open(&recording, &ft_mem_system, NULL, 100) == FT_OK);
        recording.arena.header->clock_source = FT_CLOCK_SYSTEM;
        REQUIRE(intern_all(&recording));
        for (int i = 0; i < 3; i++) {
            recorders[i] = ft_recording_attach(&recording);
            REQUIRE(recorders[i] != NULL);
            (void)ft_recorder_enter(recorders[i], &keys[i == 1 ? 0 : 2], &frames[0][1],
                                    recorders[i]->slice_start);
        }
        (void)ft_recorder_enter(recorders[1], &keys[1], &frames[0][2], recorders[1]->slice_start);
        pid_t child = fork();
        if (child == 0)
            _exit(go_on_in_child(&recording, recorders, keep != 0));
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(!is_free(recorders[0]) && !is_free(recorders[1]) && !is_free(recorders[2]));
        CHECK(recording.arena.header->pid == (uint32_t)getpid());
        ft_recording_close(&recording);
    }
}

/* ---- real threads, for ThreadSanitizer: they are locked as the glue locks them ---- */

enum { WORKERS = 4, LIVES = 6, ROUNDS = 400 };

static struct {
    pthread_mutex_t gil;     /* held in every event */
    pthread_mutex_t session; /* held by a thread that ends, which has no GIL */
    ft_recording recording;
    uint64_t generation; /* changes when the recording rests or goes on; odd: it is on */
    uint64_t calls;      /* that must have been recorded */
} shared = {.gil = PTHREAD_MUTEX_INITIALIZER, .session = PTHREAD_MUTEX_INITIALIZER};

static void *short_life(void *argument)
{
    const uint64_t *own_frames = argument;
    ft_recorder *recorder = NULL;
    uint64_t generation = 0;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&shared.gil);
        if (generation != shared.generation)
            recorder = shared.generation % 2 == 1 ? ft_recording_attach(&shared.recording) : NULL;
        generation = shared.generation;
        if (recorder != NULL) {
            const void *key = &keys[i % FUNCTIONS];
            uint64_t now = ft_clock_ticks((ft_clock_source)recorder->clock);
            shared.calls += ft_recorder_enter(recorder, key, &own_frames[1], now);
            (void)ft_recorder_leave(recorder, key, &own_frames[1], now + 1);
        }
        pthread_mutex_unlock(&shared.gil);
    }
    pthread_mutex_lock(&shared.session);
    if (recorder != NULL && generation == shared.generation)
        ft_recording_detach(recorder);
    pthread_mutex_unlock(&shared.session);
    return NULL;
}

static void *lives(void *argument)
{
    for (int i = 0; i < LIVES; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, short_life, argument) != 0)
            abort();
        pthread_join(thread, NULL);
    }
    return NULL;
}

static uint64_t ticks_now(void)
{
    return ft_clock_ticks((ft_clock_source)shared.recording.arena.header->clock_source);
}

/* Under the GIL: what the recording says now. */
static bool counts_agree(void)
{
    ft_profile profile;
    ft_totals totals = {0};
    if (ft_profile_init(&profile, &ft_mem_system) != FT_OK)
        return false;
    pthread_mutex_lock(&shared.session);
    if (shared.generation % 2 == 1)
        ft_recording_settle(&shared.recording, NULL, ticks_now());
    bool right = ft_harvest_recording(&profile, &shared.recording) == FT_OK;
    pthread_mutex_unlock(&shared.session);
    right = right && ft_profile_check(&profile) == FT_OK &&
            ft_query_totals(&profile, &totals) == FT_OK && totals.calls == shared.calls;
    ft_profile_fini(&profile);
    return right;
}

static void change(void)
{
    pthread_mutex_lock(&shared.session);
    shared.generation++;
    pthread_mutex_unlock(&shared.session);
    if (shared.generation % 2 == 0) /* no thread finds its recorder any more, not at its end */
        ft_recording_pause(&shared.recording, NULL, ticks_now());
}

static void test_threads(void)
{
    pthread_t threads[WORKERS];
    static uint64_t own_frames[WORKERS][2];
    int right = 0;
    REQUIRE(ft_recording_open(&shared.recording, &ft_mem_system, NULL, 1000) == FT_OK);
    REQUIRE(intern_all(&shared.recording));
    shared.generation = 1;
    for (int i = 0; i < WORKERS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, lives, own_frames[i]) == 0);
    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&shared.gil);
        right += counts_agree();
        if (i % 3 == 0)
            change();
        pthread_mutex_unlock(&shared.gil);
        sched_yield();
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    if (shared.generation % 2 == 0)
        change();
    (void)short_life(own_frames[0]); /* the others may have lived while it rested */
    change();
    CHECK(right == 300 && counts_agree() && shared.calls > 0);
    CHECK(shared.recording.recorder_count <= WORKERS);
    ft_recording_close(&shared.recording);
}

int main(void)
{
    test_random_traces();
    test_random_traces_on_the_callers_clock();
    test_extreme_times();
    test_memory_and_file();
    test_allocation_failures();
    test_fork();
    test_threads();
    return tap_end();
}
