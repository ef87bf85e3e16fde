/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap_lacks.c: heaps without memory and without disk. What there was no room for is not
 * counted; all else is, as the oracle finds it, and a note says why. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/model/profile.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/heap_driver.h"
#include "tests/engine/tap.h"

enum { SLOTS = 400, STEPS = 1500, MOST_ALLOCATIONS = 2000 };

static driver d;
static oracle right;
static bool taken[2][SLOTS];

/* Distances from one grid to the next, so that the tags need memory again and again. */
static uint64_t address_of(uint32_t slot)
{
    return UINT64_C(0x7f12c0000000) + 6000 * 16 * (uint64_t)slot;
}

static uint64_t note(ft_note_kind kind)
{
    return ft_heap_load(&d.recording.arena.header->notes[kind]);
}

static uint64_t lacks(void)
{
    return note(FT_NOTE_OUT_OF_MEMORY) + note(FT_NOTE_DISK_FULL);
}

/* What was not counted was noted: by the heap, or by the probe, when there is no tag. */
static bool begin(random_source *source, uint32_t part, uint32_t slot)
{
    uint32_t stack = random_below(source, ORACLE_STACKS);
    uint64_t size = random_below(source, 640), before = lacks();
    uint64_t begun = ft_heap_load(&d.heap.head->allocated[part]);
    oracle_event event = {ORACLE_BEGIN, part, stack, address_of(slot), size};
    if (driver_begin(&d, part, stack, event.address, size)) {
        oracle_tell(&right, event);
        taken[part][slot] = true;
        return true;
    }
    bool known = driver_tag(&d, &d.heap.parts[part], stack, size, false) != 0;
    return (known || lacks() > before) && ft_heap_load(&d.heap.head->allocated[part]) == begun;
}

/* A reallocation that failed: without room the block is known no more. */
static void put_back(uint32_t part, uint32_t slot)
{
    size_t size;
    ft_heap_part *in = &d.heap.parts[part];
    uintptr_t address = (uintptr_t)address_of(slot);
    uint32_t tag = ft_heap_take(in, address, &size);
    ft_heap_uncount(in, tag & ~FT_HEAP_GUARD, size);
    ft_heap_put_back(in, tag, address, size);
    if (ft_tags_get(&in->tags, address, &size) != 0)
        return;
    oracle_tell(&right, (oracle_event){ORACLE_DROP, part, 0, address, 0});
    taken[part][slot] = false;
}

static bool step(random_source *source)
{
    uint32_t part = random_below(source, 2), slot = random_below(source, SLOTS);
    if (!taken[part][slot])
        return begin(source, part, slot);
    if (random_below(source, 3) == 0) {
        put_back(part, slot);
        return true;
    }
    oracle_tell(&right, (oracle_event){ORACLE_END, part, 0, address_of(slot), 0});
    taken[part][slot] = false;
    return driver_end(&d, part, address_of(slot));
}

/* fault: what else to do after each step, or NULL. */
static bool run(uint64_t seed, uint32_t steps, void (*fault)(void *), void *context)
{
    random_source source = {seed};
    bool good = true;
    memset(&right, 0, sizeof right);
    memset(taken, 0, sizeof taken);
    d.sites_repeat = true;
    for (uint32_t i = 0; i < steps; i++) {
        good &= step(&source);
        if (i % 300 == 299) {
            (void)ft_heap_mark(&d.heap, "p", 1);
            (void)ft_code_records_update(&d.heap.records, &d.recording);
        }
        if (i % 400 == 399) {
            ft_heap_forget_places(&d.heap.parts[i / 400 % 2]);
            driver_shift(&d, i / 400 % 2);
        }
        if (fault != NULL)
            fault(context);
    }
    return good && d.sound && driver_agrees(&d, &right);
}

/* ---- memory ---- */

static void memory_is_back(void *context)
{
    failing_mem *state = context;
    if (state->failed)
        state->left = LONG_MAX;
}

/* One allocation fails, or it and all behind it. */
static bool survives(long succeed, bool for_ever, uint64_t sample, bool *failed)
{
    failing_mem state;
    failing_mem_init(&state, succeed);
    bool good = true;
    ft_status status = driver_open(&d, &state.mem, NULL, sample, 5);
    if (status == FT_OK) {
        good = run(7, sample == 0 ? STEPS : 0, for_ever ? NULL : memory_is_back, &state);
        status = ft_heap_reopen(&d.heap); /* as in a forked child */
        good &= status == FT_OK || (status == FT_ERR_MEMORY && state.failed);
        if (status == FT_OK)
            ft_heap_close(&d.heap);
        ft_recording_close(&d.recording);
    } else {
        good = status == FT_ERR_MEMORY && state.failed;
    }
    *failed = state.failed;
    return good && state.live == 0;
}

static void test_memory(bool for_ever, uint64_t sample)
{
    bool good = true, failed = true;
    long succeed = 0;
    for (; failed && good && succeed < MOST_ALLOCATIONS; succeed++)
        good = survives(succeed, for_ever, sample, &failed);
    CHECK(good && !failed && succeed > (sample > 0 ? 2 : 50));
}

/* ---- disk ---- */

/* In a child, whose files may be no larger than this: 0 if all was well, 1 if not, 2 if there was
 * room enough. */
static int run_limited(const char *directory, uint64_t bytes)
{
    struct rlimit limit = {bytes, bytes};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    ft_status status = driver_open(&d, &ft_mem_system, directory, 0, 5);
    if (status != FT_OK)
        return status == FT_ERR_DISK_FULL ? 0 : 1;
    bool good = run(9, 3000, NULL, NULL) && note(FT_NOTE_OUT_OF_MEMORY) == 0;
    const ft_heap_object object = {.count = 1};
    const ft_heap_class class_row = {.instances = 1};
    const ft_status said[] = {ft_heap_mark(&d.heap, "p", 1), ft_heap_add_object(&d.heap, &object),
                              ft_heap_add_class(&d.heap, &class_row)};
    bool full = note(FT_NOTE_DISK_FULL) > 0;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        good &= said[i] == FT_OK || (said[i] == FT_ERR_DISK_FULL && full);
    unlink(d.recording.arena.path);
    driver_close(&d);
    return good ? full ? 0 : 2 : 1;
}

static int in_child(const char *directory, uint64_t bytes)
{
    int code = 1;
    pid_t child = fork();
    if (child == 0)
        _exit(run_limited(directory, bytes));
    if (child < 0 || waitpid(child, &code, 0) != child || !WIFEXITED(code))
        return 1;
    return WEXITSTATUS(code);
}

static void test_disk(void)
{
    char directory[] = "/tmp/fettle-heap-XXXXXX";
    REQUIRE(mkdtemp(directory) != NULL);
    int code = 0, refused = 0;
    for (uint64_t blocks = 2; code == 0 && blocks < 40; blocks++) {
        code = in_child(directory, blocks * FT_BLOCK_MIN_BYTES);
        refused += code == 0;
    }
    CHECK(code == 2 && refused > 5);
    CHECK(rmdir(directory) == 0);
}

int main(void)
{
    test_memory(false, 0);
    test_memory(true, 0);
    test_memory(false, 100);
    test_memory(true, 100);
    test_disk();
    return tap_end();
}
