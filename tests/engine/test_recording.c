/* SPDX-License-Identifier: Apache-2.0 */
/* test_recording.c: recorders against a brute-force oracle. Random programs (calls, returns,
 * threads one after another, stacks that are switched as greenlets are) are recorded into an arena
 * file and harvested; every path's count must be what the program did. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/model/query.h"
#include "engine/record/harvest.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/recording.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/tap.h"

enum { FUNCTIONS = 12, LEFT_OUT = FUNCTIONS, MAX_DEPTH = 40, STACKS = 3, MAX_PATHS = 200000 };

static char folder[64];
static char keys[FUNCTIONS + 1];               /* their addresses are the keys */
static uint64_t frames[STACKS][MAX_DEPTH + 1]; /* theirs are the frames: even, as real ones are */

static const ft_harvest_death nobody = {0};
static uint64_t random_state;
static bool memory_may_fail; /* then a call may go unrecorded, and its return with it */

static uint32_t pick(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/fettle-test-XXXXXX");
    if (mkdtemp(folder) == NULL)
        abort();
}

static void empty_folder(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", folder, folder);
    if (system(command) != 0)
        abort();
}

static bool intern_all(ft_recording *recording)
{
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        char name[16];
        int length = snprintf(name, sizeof name, "f%u", i);
        ft_function function = {.key = &keys[i],
                                .kind = FT_CODE_PYTHON,
                                .line = i + 1,
                                .texts = {"t.py", name, name},
                                .lengths = {4, (size_t)length, (size_t)length}};
        if (ft_recording_intern(recording, &function) != FT_OK)
            return false;
    }
    return true;
}

/* ---- the oracle: paths as texts, one letter a function ---- */

typedef struct path_count {
    char path[MAX_DEPTH * STACKS + 2];
    uint64_t calls;
} path_count;

static path_count *paths;
static uint32_t path_total;

static void count_path(const char *path)
{
    for (uint32_t i = 0; i < path_total; i++)
        if (strcmp(paths[i].path, path) == 0) {
            paths[i].calls++;
            return;
        }
    if (path_total == MAX_PATHS)
        abort();
    snprintf(paths[path_total].path, sizeof paths[path_total].path, "%s", path);
    paths[path_total++].calls = 1;
}

static uint64_t oracle_calls(const char *path)
{
    for (uint32_t i = 0; i < path_total; i++)
        if (strcmp(paths[i].path, path) == 0)
            return paths[i].calls;
    return 0;
}

/* ---- a random program ---- */

typedef struct program {
    ft_recorder *recorder;
    int depth[STACKS];
    char path[STACKS][MAX_DEPTH * STACKS + 2]; /* including where the stack was started */
    int base[STACKS];                          /* length of that prefix */
    uint8_t function[STACKS][MAX_DEPTH + 1];
    int running;
    bool leaves_out; /* some functions are no part of any path */
    uint64_t now;
} program;

static const void *frame_of(const program *p, int stack)
{
    return p->depth[stack] == 0 ? NULL : &frames[stack][p->depth[stack]];
}

/* What the glue does when the top is not of the frame that runs. */
static void find_running(program *p)
{
    for (int depth = p->depth[p->running]; depth > 0; depth--)
        if (ft_recorder_switch_to(p->recorder, &frames[p->running][depth]))
            return;
}

static void do_call(program *p)
{
    int stack = p->running;
    uint8_t function = (uint8_t)pick(p->leaves_out ? FUNCTIONS + 1 : FUNCTIONS);
    if (!ft_recorder_is_at(p->recorder, frame_of(p, stack)) && p->depth[stack] > 0)
        find_running(p);
    int depth = ++p->depth[stack];
    p->function[stack][depth] = function;
    if (function == LEFT_OUT) {
        ft_recorder_enter_left_out(p->recorder, &frames[stack][depth], p->now += pick(50));
        return;
    }
    size_t length = strlen(p->path[stack]);
    p->path[stack][length] = (char)('a' + function);
    p->path[stack][length + 1] = '\0';
    count_path(p->path[stack]);
    p->now += pick(50);
    if (!ft_recorder_enter(p->recorder, &keys[function], &frames[stack][depth], p->now) &&
        !memory_may_fail)
        abort();
}

static void do_return(program *p)
{
    int stack = p->running, depth = p->depth[stack];
    const void *key = &keys[p->function[stack][depth]];
    const void *frame = &frames[stack][depth];
    p->now += pick(50);
    if (!ft_recorder_leave(p->recorder, key, frame, p->now)) {
        bool found = ft_recorder_switch_to(p->recorder, frame) &&
                     ft_recorder_leave(p->recorder, key, frame, p->now);
        if (!found && !memory_may_fail)
            abort();
    }
    p->depth[stack]--;
    if (key != &keys[LEFT_OUT])
        p->path[stack][strlen(p->path[stack]) - 1] = '\0';
}

/* Control goes to another stack; a new one hangs below what runs. */
static void do_switch(program *p)
{
    int other = (int)pick(STACKS);
    if (other == p->running)
        return;
    if (p->depth[other] == 0) { /* a stack that starts anew: its frames are new, its base is here */
        if (!ft_recorder_is_at(p->recorder, frame_of(p, p->running)) && p->depth[p->running] > 0)
            find_running(p);
        strcpy(p->path[other], p->path[p->running]);
        p->base[other] = (int)strlen(p->path[other]);
        if (strlen(p->path[other]) + MAX_DEPTH > MAX_DEPTH * STACKS)
            return;
        p->running = other;
        do_call(p); /* a greenlet begins with a call */
        return;
    }
    p->running = other;
}

static void run_program(ft_recorder *recorder, uint32_t steps, bool switches)
{
    static program p;
    p = (program){.recorder = recorder, .now = recorder->slice_start, .leaves_out = steps % 3 == 0};
    int last = switches ? 1 : 0; /* whoever switches is a function that is still running */
    do_call(&p);
    for (uint32_t i = 0; i < steps; i++) {
        int depth = p.depth[p.running];
        if (switches && pick(8) == 0)
            do_switch(&p);
        else if (depth > (p.running == 0 ? last : 0) && (depth == MAX_DEPTH || pick(2) == 0))
            do_return(&p);
        else if (depth < MAX_DEPTH)
            do_call(&p);
        if (p.depth[p.running] == 0) /* a greenlet that ends gives control to its parent */
            p.running = 0;
    }
}

/* ---- comparison ---- */

static void path_of(const ft_profile *profile, const ft_tree *tree, uint32_t node, char *path)
{
    char reversed[MAX_DEPTH * STACKS + 2];
    size_t length = 0;
    for (; node != 0; node = tree->nodes[node].parent) {
        ft_text name =
            ft_strtab_get(&profile->texts, profile->codes.codes[tree->nodes[node].code].name);
        reversed[length++] = (char)('a' + atoi(name.data + 1));
    }
    for (size_t i = 0; i < length; i++)
        path[i] = reversed[length - 1 - i];
    path[length] = '\0';
}

static bool matches_oracle(const ft_profile *profile)
{
    uint64_t total = 0, expected = 0;
    char path[MAX_DEPTH * STACKS + 2];
    for (uint32_t t = 0; t < profile->thread_count; t++) {
        const ft_tree *tree = &profile->threads[t].tree;
        for (uint32_t id = 1; id < tree->count; id++) {
            path_of(profile, tree, id, path);
            if (tree->nodes[id].calls != oracle_calls(path))
                return false;
            total += tree->nodes[id].calls;
        }
    }
    for (uint32_t i = 0; i < path_total; i++)
        expected += paths[i].calls;
    return total == expected;
}

static bool record_and_compare(uint64_t seed, uint32_t steps, bool switches)
{
    ft_recording recording;
    ft_profile profile;
    uint32_t count = 0;
    bool same = false;
    random_state = seed;
    path_total = 0;
    empty_folder();
    if (ft_recording_open(&recording, &ft_mem_system, folder, FT_MAX_CONTEXTS_DEFAULT) != FT_OK)
        return false;
    for (int thread = 0; thread < 3; thread++) { /* one after another: one tree for all of them */
        ft_recorder *recorder = intern_all(&recording) ? ft_recording_attach(&recording) : NULL;
        if (recorder == NULL)
            abort();
        run_program(recorder, steps, switches);
        ft_recording_detach(recorder);
    }
    if (ft_profile_init(&profile, &ft_mem_system) == FT_OK &&
        ft_harvest_directory(&profile, folder, nobody, &count) == FT_OK)
        same = count == 1 && profile.thread_count == 1 && profile.threads[0].uses == 3 &&
               ft_profile_check(&profile) == FT_OK && matches_oracle(&profile);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
    return same;
}

static void test_random_programs(void)
{
    int same = 0;
    for (uint64_t seed = 1; seed <= 150; seed++)
        same += record_and_compare(seed, 20 + (uint32_t)seed * 4, false);
    CHECK(same == 150);
}

static void test_switched_stacks(void)
{
    int same = 0;
    for (uint64_t seed = 1; seed <= 150; seed++)
        same += record_and_compare(seed * 7919, 20 + (uint32_t)seed * 4, true);
    CHECK(same == 150);
}

/* ---- the cap: calls and edges stay exact ---- */

/* What the oracle's paths say of calls, primitive calls and (caller, callee) pairs. */
typedef struct expected_sums {
    uint64_t calls, primitive;
    uint64_t edges[FUNCTIONS + 1][FUNCTIONS]; /* caller FUNCTIONS: nobody */
} expected_sums;

static expected_sums sum_paths(void)
{
    expected_sums sums = {0};
    for (uint32_t i = 0; i < path_total; i++) {
        const char *path = paths[i].path;
        size_t length = strlen(path);
        int callee = path[length - 1] - 'a';
        int caller = length > 1 ? path[length - 2] - 'a' : FUNCTIONS;
        sums.calls += paths[i].calls;
        sums.edges[caller][callee] += paths[i].calls;
        if (strchr(path, path[length - 1]) == path + length - 1)
            sums.primitive += paths[i].calls;
    }
    return sums;
}

static bool edges_match(const ft_profile *profile, const expected_sums *sums)
{
    ft_edge_row *rows;
    uint32_t count;
    uint64_t total = 0;
    bool same = ft_query_edges(profile, &rows, &count) == FT_OK;
    for (uint32_t i = 0; same && i < count; i++) {
        const ft_code *codes = profile->codes.codes;
        const char *callee = ft_strtab_get(&profile->texts, codes[rows[i].callee].name).data;
        const char *caller = ft_strtab_get(&profile->texts, codes[rows[i].caller].name).data;
        int from = rows[i].caller == FT_CODE_NONE ? FUNCTIONS : atoi(caller + 1);
        same = sums->edges[from][atoi(callee + 1)] == rows[i].calls;
        total += rows[i].calls;
    }
    ft_mem_free(profile->mem, rows);
    return same && total == sums->calls;
}

static void test_folding(void)
{
    ft_recording recording;
    ft_profile profile;
    ft_totals totals;
    uint32_t count;
    random_state = 99;
    path_total = 0;
    empty_folder();
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, folder, 20) == FT_OK);
    REQUIRE(intern_all(&recording));
    ft_recorder *recorder = ft_recording_attach(&recording);
    REQUIRE(recorder != NULL);
    run_program(recorder, 5000, false);
    ft_recording_detach(recorder);
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    REQUIRE(ft_harvest_directory(&profile, folder, nobody, &count) == FT_OK);
    expected_sums sums = sum_paths();
    CHECK(ft_query_totals(&profile, &totals) == FT_OK);
    CHECK(totals.calls == sums.calls);
    CHECK(totals.primitive == sums.primitive);
    CHECK(totals.nodes < 20 + 2 * (FUNCTIONS + 1) * FUNCTIONS + 4);
    CHECK(edges_match(&profile, &sums));
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* ---- threads at once; for ThreadSanitizer too ---- */

static void *thread_body(void *argument)
{
    ft_recorder *recorder = ft_recording_attach(argument);
    uint64_t now = recorder->slice_start;
    for (uint32_t i = 0; i < 20000; i++) {
        const void *key = &keys[i % FUNCTIONS];
        (void)ft_recorder_enter(recorder, key, &frames[0][1], now += 3);
        (void)ft_recorder_leave(recorder, key, &frames[0][1], now += 3);
    }
    ft_recording_detach(recorder);
    return NULL;
}

static void test_threads(void)
{
    ft_recording recording;
    ft_profile profile;
    ft_totals totals;
    pthread_t threads[8];
    uint32_t count;
    empty_folder();
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, folder, FT_MAX_CONTEXTS_DEFAULT) ==
            FT_OK);
    REQUIRE(intern_all(&recording));
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, thread_body, &recording);
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_directory(&profile, folder, nobody, &count) == FT_OK); /* while they run */
    CHECK(ft_profile_check(&profile) == FT_OK);
    ft_profile_fini(&profile);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_directory(&profile, folder, nobody, &count) == FT_OK);
    CHECK(ft_query_totals(&profile, &totals) == FT_OK && totals.calls == 8 * 20000);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* ---- fork: the child goes on in its own arena, from where it stood ---- */

static void fork_child(ft_recording *recording, const ft_recorder *before)
{
    ft_recorder *recorder = ft_recording_after_fork(recording, before);
    uint64_t now = recorder->slice_start;
    (void)ft_recorder_enter(recorder, &keys[2], &frames[0][3], now + 1);
    (void)ft_recorder_leave(recorder, &keys[2], &frames[0][3], now + 2);
    (void)ft_recorder_leave(recorder, &keys[1], &frames[0][2], now + 3);
    _exit(recorder->top == recorder->bottom + 1 ? 0 : 1);
}

static void test_fork(void)
{
    ft_recording recording;
    ft_profile profile;
    ft_totals totals;
    uint32_t count;
    int status = -1;
    empty_folder();
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, folder, FT_MAX_CONTEXTS_DEFAULT) ==
            FT_OK);
    REQUIRE(intern_all(&recording));
    ft_recorder *recorder = ft_recording_attach(&recording);
    uint64_t now = recorder->slice_start;
    (void)ft_recorder_enter(recorder, &keys[0], &frames[0][1], now + 1);
    (void)ft_recorder_enter(recorder, &keys[1], &frames[0][2], now + 2);
    ft_recorder before = *recorder;
    pid_t child = fork();
    if (child == 0)
        fork_child(&recording, &before);
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(recorder->rest != NULL && recorder->top == recorder->bottom + 2);
    ft_recording_detach(recorder);
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_harvest_directory(&profile, folder, nobody, &count) == FT_OK && count == 2);
    CHECK(ft_query_totals(&profile, &totals) == FT_OK && totals.calls == 3);
    bool found = false; /* the child's call stands below the parent's two, which it did not make */
    for (uint32_t t = 0; t < profile.thread_count; t++) {
        const ft_tree *tree = &profile.threads[t].tree;
        found =
            found || (tree->count == 4 && tree->nodes[1].calls == 0 && tree->nodes[2].calls == 0 &&
                      tree->nodes[3].calls == 1 && tree->nodes[3].parent == 2);
    }
    CHECK(found);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* ---- damage and failures ---- */

static void copy_damaged(const char *from, const char *to, long flip, long length)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    int byte;
    for (long at = 0; (byte = fgetc(in)) != EOF && at < length; at++)
        fputc(at == flip ? byte ^ (1 << pick(8)) : byte, out);
    fclose(in);
    fclose(out);
}

/* An arena with any byte changed, or cut anywhere, is read without a crash into a sound profile. */
static void test_damaged_arenas(void)
{
    ft_recording recording;
    char damaged[96];
    int sound = 0;
    empty_folder();
    random_state = 5;
    path_total = 0;
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, folder, FT_MAX_CONTEXTS_DEFAULT) ==
            FT_OK);
    REQUIRE(intern_all(&recording));
    ft_recorder *recorder = ft_recording_attach(&recording);
    run_program(recorder, 400, false);
    ft_recording_detach(recorder);
    snprintf(damaged, sizeof damaged, "%s/damaged", folder);
    long length = (long)atomic_load(&recording.arena.header->bytes);
    for (int i = 0; i < 300; i++) {
        ft_profile profile;
        long region = i % 4 == 0 ? 160 : 4096; /* headers get their share */
        long flip = (long)pick(4) * 65536 + pick((uint32_t)region);
        copy_damaged(recording.arena.path, damaged, flip,
                     i % 3 == 0 ? (long)pick((uint32_t)length) : length);
        if (!(ft_profile_init(&profile, &ft_mem_system) == FT_OK))
            abort();
        ft_status status = ft_harvest_file(&profile, damaged, nobody);
        sound += status == FT_ERR_FOREIGN || status == FT_ERR_NEWER ||
                 (status == FT_OK && ft_profile_check(&profile) == FT_OK);
        ft_profile_fini(&profile);
    }
    CHECK(sound == 300);
    ft_recording_close(&recording);
}

static ft_status intern_numbered(ft_recording *recording, const char *key, uint32_t number)
{
    static char name[FT_NAME_MAX_BYTES];
    int length = snprintf(name, sizeof name, "%04000u", number);
    ft_function function = {.key = key,
                            .kind = FT_CODE_PYTHON,
                            .texts = {"t.py", name, name},
                            .lengths = {4, (size_t)length, (size_t)length}};
    return ft_recording_intern(recording, &function);
}

/* A function that found no room is known once there is room again. */
static void test_room_after_a_refusal(void)
{
    static char many[1000];
    ft_recording recording;
    struct rlimit limit, small;
    uint32_t number = 0, attempts = 0;
    ft_status status = FT_OK;
    empty_folder();
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, folder, 100) == FT_OK);
    REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    small = limit;
    small.rlim_cur = 1 << 18;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    while (number < sizeof many && status == FT_OK)
        number++, status = intern_numbered(&recording, &many[number - 1], number);
    setrlimit(RLIMIT_FSIZE, &limit);
    const char *refused = &many[number - 1];
    CHECK(status == FT_ERR_DISK_FULL && number > 2);
    CHECK(ft_recording_code_of(&recording, refused) == 0);
    while (intern_numbered(&recording, refused, number) != FT_OK && attempts < 100000)
        attempts++;
    CHECK(attempts < 100000);
    CHECK(ft_recording_code_of(&recording, refused) == number + 4); /* four stand for no function */
    ft_recording_close(&recording);
}

static bool run_with(const ft_mem *mem)
{
    ft_recording recording;
    bool complete = false;
    if (ft_recording_open(&recording, mem, NULL, 50) != FT_OK)
        return false;
    if (intern_all(&recording)) {
        ft_recorder *recorder = ft_recording_attach(&recording);
        if (recorder != NULL) {
            random_state = 3;
            path_total = 0;
            run_program(recorder, 900, true);
            ft_recording_detach(recorder);
            complete = true;
        }
    }
    ft_recording_close(&recording);
    return complete;
}

/* Without memory for a table or a stack the program goes on and nothing leaks. */
static void test_allocation_failures(void)
{
    long fail_at = 0;
    bool clean = true;
    memory_may_fail = true;
    for (bool failed = true; failed && clean; fail_at++) {
        failing_mem memory;
        failing_mem_init(&memory, fail_at);
        (void)run_with(&memory.mem);
        failed = memory.failed != 0;
        clean = memory.live == 0;
    }
    memory_may_fail = false;
    CHECK(clean && fail_at > 10);
}

static void test_harvest_without_memory(void)
{
    ft_recording recording;
    uint32_t count;
    bool clean = true;
    empty_folder();
    random_state = 11;
    path_total = 0;
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, folder, FT_MAX_CONTEXTS_DEFAULT) ==
            FT_OK);
    REQUIRE(intern_all(&recording));
    ft_recorder *recorder = ft_recording_attach(&recording);
    run_program(recorder, 300, false);
    ft_recording_detach(recorder);
    for (long fail_at = 0; clean; fail_at++) {
        failing_mem memory;
        ft_profile profile;
        failing_mem_init(&memory, fail_at);
        ft_status status = ft_profile_init(&profile, &memory.mem);
        if (status == FT_OK) {
            status = ft_harvest_directory(&profile, folder, nobody, &count);
            ft_profile_fini(&profile);
        }
        clean = memory.live == 0 && (status == FT_OK) == !memory.failed;
        if (!memory.failed)
            break;
    }
    CHECK(clean);
    ft_recording_close(&recording);
}

int main(void)
{
    paths = calloc(MAX_PATHS, sizeof *paths);
    REQUIRE(paths != NULL);
    make_folder();
    test_random_programs();
    test_switched_stacks();
    test_folding();
    test_threads();
    test_fork();
    test_damaged_arenas();
    test_room_after_a_refusal();
    test_allocation_failures();
    test_harvest_without_memory();
    empty_folder();
    rmdir(folder);
    free(paths);
    return tap_end();
}
