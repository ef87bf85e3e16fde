/* SPDX-License-Identifier: Apache-2.0 */
/* test_suspensions.c: tasks one by one: what is open at the end, dropped, nested, forked, without
 * memory. test_tasks.c has the random ones. */
#include <sys/wait.h>

#include "tests/engine/coroutines.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/tap.h"

static void step_in(ft_recorder *recorder, char letter, const void *frame)
{
    if (!ft_recorder_enter(recorder, &keys[letter - 'a'], frame, recorder->slice_start + 1))
        abort();
}

static void step_out(ft_recorder *recorder, char letter, const void *frame)
{
    if (!ft_recorder_leave(recorder, &keys[letter - 'a'], frame, recorder->slice_start + 1))
        abort();
}

static void yield_out(ft_recorder *recorder, char letter, const void *frame, const void *outermost)
{
    uint64_t now = recorder->slice_start + 1;
    ft_tasks_yield(recorder, outermost, false, now);
    if (!ft_recorder_leave(recorder, &keys[letter - 'a'], frame, now))
        abort();
}

static void create(ft_recorder *recorder, char letter, const void *frame)
{
    ft_tasks_create(recorder, &keys[letter - 'a'], frame, recorder->slice_start);
    if (!ft_recorder_enter_creator(recorder, &keys['c' - 'a'], &plain[2],
                                   recorder->slice_start + 1))
        abort();
    step_out(recorder, 'c', &plain[2]);
}

static ft_recorder *open_recorder(ft_recording *recording)
{
    open_recording(recording, FT_MAX_CONTEXTS_DEFAULT);
    return ft_recording_attach(recording);
}

/* Each task starts its successor, alone or by turns: the tree stops growing. */
static void test_successors(void)
{
    ft_recording recording;
    ft_profile profile;
    ft_recorder *recorder = open_recorder(&recording);
    step_in(recorder, 'l', &plain[3]);
    create(recorder, 'q', &frames[0][0]);
    for (int i = 0; i < 3000; i++) {
        const char *turns = i < 1000 ? "qq" : "qr";
        step_in(recorder, turns[i % 2], &frames[i % 2][0]);
        create(recorder, turns[(i + 1) % 2], &frames[(i + 1) % 2][0]);
        step_out(recorder, turns[i % 2], &frames[i % 2][0]);
    }
    CHECK(recorder->rest->tasks.count == 1);
    ft_recording_detach(recorder);
    harvest(&profile);
    CHECK(profile.threads[0].tree.count < 16);
    CHECK(row_of(&profile, 'q').calls == 2000 && row_of(&profile, 'r').calls == 1000);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* Suspensions that are open when the recording is read have lasted until then. */
static void test_open_suspensions(void)
{
    enum { OPEN = 5 };
    ft_recording recording;
    ft_profile profile;
    ft_recorder *recorder = open_recorder(&recording);
    const ft_arena_header *header = recording.arena.header;
    ft_clock_source source = (ft_clock_source)header->clock_source;
    step_in(recorder, 'l', &plain[3]);
    for (int i = 0; i < OPEN; i++) {
        step_in(recorder, 'q', &frames[i][0]);
        yield_out(recorder, 'q', &frames[i][0], &frames[i][0]);
    }
    ft_clock_pair before = ft_clock_read_pair(source);
    usleep(20000);
    harvest(&profile); /* this process lives */
    ft_clock_pair after = ft_clock_read_pair(source);
    uint64_t awaited = row_of(&profile, 'q').own_awaited;
    CHECK(awaited >= OPEN * UINT64_C(19900000));
    CHECK((double)awaited < OPEN * 1.01 * (double)(after.ns - header->first.ns));
    CHECK(after.ns > before.ns && row_of(&profile, 'q').cumulative_awaited == awaited);
    ft_profile_fini(&profile);
    usleep(10000);
    ft_recording_detach(recorder); /* the thread ends: nobody will resume them */
    harvest(&profile);
    CHECK(row_of(&profile, 'q').own_awaited >= awaited + OPEN * UINT64_C(9900000));
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* A suspended coroutine is dropped without a word; another one at its address begins. */
static void test_reused_address(void)
{
    ft_recording recording;
    ft_profile profile;
    ft_recorder *recorder = open_recorder(&recording);
    step_in(recorder, 'l', &plain[3]);
    step_in(recorder, 'q', &frames[0][0]);
    yield_out(recorder, 'q', &frames[0][0], &frames[0][0]);
    create(recorder, 'r', &frames[0][0]);
    usleep(20000);
    step_in(recorder, 'r', &frames[0][0]);
    yield_out(recorder, 'r', &frames[0][0], &frames[0][0]);
    CHECK(recorder->rest->tasks.count == 1);
    harvest(&profile);
    CHECK(row_of(&profile, 'q').own_awaited < 20000000);
    CHECK(row_of(&profile, 'r').own_awaited > 0);
    ft_profile_fini(&profile);
    ft_recording_detach(recorder);
    ft_recording_close(&recording);
}

/* A value of an asynchronous generator suspends nobody, even right before its reader waits. */
static void test_values(void)
{
    ft_recording recording;
    ft_profile profile;
    ft_recorder *recorder = open_recorder(&recording);
    step_in(recorder, 'l', &plain[3]);
    step_in(recorder, 'q', &frames[0][0]);
    step_in(recorder, 'r', &frames[0][1]);
    uint64_t now = recorder->slice_start + 1;
    ft_tasks_yield(recorder, &frames[0][0], true, now);
    REQUIRE(ft_recorder_leave(recorder, &keys['r' - 'a'], &frames[0][1], now));
    yield_out(recorder, 'q', &frames[0][0], &frames[0][0]);
    ft_recording_detach(recorder);
    harvest(&profile);
    CHECK(row_of(&profile, 'q').own_awaited > 0);
    CHECK(row_of(&profile, 'r').calls == 1 && row_of(&profile, 'r').cumulative_awaited == 0);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

/* A task that runs a loop of its own, whose task is the same function: each awaits for itself. */
static void test_nested_loops(void)
{
    ft_recording recording;
    ft_profile profile;
    ft_recorder *recorder = open_recorder(&recording);
    step_in(recorder, 'l', &plain[3]);
    step_in(recorder, 'q', &frames[0][0]);
    step_in(recorder, 'f', &plain[0]);
    step_in(recorder, 'q', &frames[1][0]);
    step_in(recorder, 'r', &frames[1][1]);
    yield_out(recorder, 'r', &frames[1][1], &frames[1][0]);
    yield_out(recorder, 'q', &frames[1][0], &frames[1][0]);
    step_out(recorder, 'f', &plain[0]);
    yield_out(recorder, 'q', &frames[0][0], &frames[0][0]);
    usleep(2000);
    ft_recording_detach(recorder);
    harvest(&profile);
    ft_function_row q = row_of(&profile, 'q'), r = row_of(&profile, 'r');
    CHECK(r.own_awaited > 1900000 && q.own_awaited > 1900000);
    CHECK(q.cumulative_awaited == q.own_awaited + r.own_awaited);
    CHECK(row_of(&profile, 'f').cumulative_awaited == 0);
    CHECK(row_of(&profile, 'l').cumulative_awaited == 0);
    CHECK(q.calls == 2 && q.primitive == 1);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

static void fork_child(ft_recording *recording, const ft_recorder *before)
{
    ft_recorder *recorder = ft_recording_after_fork(recording, before);
    step_in(recorder, 'f', &plain[0]);
    step_out(recorder, 'f', &plain[0]);
    bool outermost = ft_tasks_is_outermost(recorder);
    yield_out(recorder, 'q', &frames[0][0], &frames[0][0]);
    bool known = recorder->rest->tasks.count == 1;
    step_in(recorder, 'q', &frames[0][0]);
    _exit(outermost && known && recorder->rest->tasks.count == 0 ? 0 : 1);
}

/* A task forks: in the child it goes on as one whose creator is not known. */
static void test_fork(void)
{
    ft_recording recording;
    ft_profile profile;
    int status = -1;
    ft_recorder *recorder = open_recorder(&recording);
    step_in(recorder, 'l', &plain[3]);
    create(recorder, 'q', &frames[0][0]);
    step_in(recorder, 'q', &frames[0][0]);
    ft_recorder before = *recorder;
    pid_t child = fork();
    if (child == 0)
        fork_child(&recording, &before);
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ft_recording_detach(recorder);
    harvest(&profile);
    CHECK(row_of(&profile, 'q').calls == 2 && row_of(&profile, 'f').calls == 1);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
}

static void run_with(const ft_mem *mem)
{
    ft_recording recording;
    if (ft_recording_open(&recording, mem, NULL, 1000) != FT_OK)
        return;
    ft_recorder *recorder = intern_all(&recording) ? ft_recording_attach(&recording) : NULL;
    if (recorder != NULL) {
        step_in(recorder, 'l', &plain[3]);
        for (int i = 0; i < TASKS * DEEPEST; i++) {
            const uint64_t *frame = &frames[i / DEEPEST][i % DEEPEST];
            create(recorder, (char)('q' + i % 8), frame);
            step_in(recorder, (char)('q' + i % 8), frame);
            yield_out(recorder, (char)('q' + i % 8), frame, frame);
        }
        ft_recording_detach(recorder);
    }
    ft_recording_close(&recording);
}

static void test_allocation_failures(void)
{
    long fail_at = 0;
    bool clean = true;
    for (bool failed = true; failed && clean; fail_at++) {
        failing_mem memory;
        failing_mem_init(&memory, fail_at);
        run_with(&memory.mem);
        failed = memory.failed != 0;
        clean = memory.live == 0;
    }
    CHECK(clean && fail_at > 10);
}

int main(void)
{
    make_folder();
    test_successors();
    test_open_suspensions();
    test_reused_address();
    test_values();
    test_nested_loops();
    test_fork();
    test_allocation_failures();
    drop_folder();
    return tap_end();
}
