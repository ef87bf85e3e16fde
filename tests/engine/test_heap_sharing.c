/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap_sharing.c: a heap that threads share, its RAW part under a lock, and one that a forked
 * child leaves to its parent. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/engine/heap_driver.h"
#include "tests/engine/tap.h"

enum { THREADS = 3, STEPS = 20000, SLOTS = 64 };

static driver d;
static pthread_mutex_t raw_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- threads ---- */

typedef struct worker {
    uint32_t index, part;
    uint64_t slots[SLOTS]; /* 1 + size; 0: free */
    oracle_sums sums[ORACLE_STACKS];
    uint8_t stacks[SLOTS];
    bool good;
} worker;

static void lock(const worker *of)
{
    if (of->part == FT_HEAP_RAW)
        pthread_mutex_lock(&raw_lock);
}

static void unlock(const worker *of)
{
    if (of->part == FT_HEAP_RAW)
        pthread_mutex_unlock(&raw_lock);
}

static void count(worker *of, uint32_t slot, bool begins)
{
    uint64_t size = of->slots[slot] - 1, one = begins ? 1 : UINT64_MAX;
    oracle_sums *sums = &of->sums[of->stacks[slot]];
    sums->live[0] += one;
    sums->live[1] += one * size;
    sums->total[0] += begins;
    sums->total[1] += begins ? size : 0;
}

static void step(worker *of, random_source *source, bool grows)
{
    uint32_t slot = random_below(source, SLOTS), stack = random_below(source, ORACLE_STACKS);
    uint64_t address = UINT64_C(0x7f1200000000) + (uint64_t)(of->index * SLOTS + slot) * 4096;
    bool begins = of->slots[slot] == 0;
    if (begins != grows && random_below(source, 4) > 0)
        return;
    if (begins) {
        of->slots[slot] = 1 + random_below(source, 1000);
        of->stacks[slot] = (uint8_t)stack;
    }
    lock(of);
    if (begins)
        of->good &= driver_begin(&d, of->part, stack, address, of->slots[slot] - 1);
    else
        of->good &= driver_end(&d, of->part, address);
    unlock(of);
    count(of, slot, begins);
    if (!begins)
        of->slots[slot] = 0;
}

static void *work(void *context)
{
    worker *of = context;
    random_source source = {1000 + of->index};
    for (uint32_t i = 0; i < STEPS; i++) {
        step(of, &source, i / 500 % 2 == 0);
        if (random_below(&source, 300) == 0) {
            lock(of);
            ft_heap_forget_places(&d.heap.parts[of->part]);
            unlock(of);
        }
    }
    return NULL;
}

/* The thread with the GIL looks at the whole, too. */
static void *work_and_look(void *context)
{
    worker *of = context;
    random_source source = {77};
    for (uint32_t i = 0; i < STEPS; i++) {
        step(of, &source, i / 700 % 2 == 0);
        if (i % 64 == 0)
            ft_heap_look(&d.heap);
        if (i % 1000 == 0) {
            pthread_mutex_lock(&raw_lock);
            of->good &= ft_heap_mark(&d.heap, "p", 1) == FT_OK;
            if (i % 4000 == 0)
                ft_heap_reset_peak(&d.heap);
            pthread_mutex_unlock(&raw_lock);
        }
    }
    return NULL;
}

/* Code numbers are the driver's to write: they are found before the threads begin. */
static void learn_codes(void)
{
    for (uint32_t part = 0; part < 2; part++)
        for (uint32_t code = 0; code < DRIVER_CODES; code++)
            (void)driver_code(&d, &d.heap.parts[part], code);
}

static bool is_sum(const worker *workers, uint32_t part)
{
    oracle_sums found[ORACLE_STACKS], sums[ORACLE_STACKS] = {0};
    for (uint32_t w = 0; w <= THREADS; w++)
        for (uint32_t i = 0; i < ORACLE_STACKS && workers[w].part == part; i++)
            for (int k = 0; k < 2; k++) {
                sums[i].live[k] += workers[w].sums[i].live[k];
                sums[i].total[k] += workers[w].sums[i].total[k];
            }
    bool good = driver_sum(&d, part, found);
    for (uint32_t i = 0; i < ORACLE_STACKS; i++)
        good &= memcmp(found[i].live, sums[i].live, sizeof sums[i].live) == 0 &&
                memcmp(found[i].total, sums[i].total, sizeof sums[i].total) == 0;
    return good;
}

/* No cell noted a peak that is to come, and what there was at the last one sums up to it. */
static bool peak_is_sound(bool exact)
{
    oracle_sums sums[ORACLE_STACKS];
    uint64_t bytes = 0, serial = ft_heap_serial(d.heap.head);
    for (uint32_t part = 0; part < 2; part++) {
        const ft_heap_part *of = &d.heap.parts[part];
        for (uint32_t b = 0; b < of->base_count; b++)
            for (uint64_t i = 1; i <= ft_heap_cells_in(of, b); i++)
                if (ft_heap_load(&of->bases[b][i].serial) > serial)
                    return false;
        if (!driver_sum(&d, part, sums))
            return false;
        for (uint32_t i = 0; i < ORACLE_STACKS; i++)
            bytes += sums[i].peak[1];
    }
    return !exact || bytes == ft_heap_load(&d.heap.head->peak);
}

static void test_threads(void)
{
    static worker workers[THREADS + 1];
    pthread_t threads[THREADS + 1];
    bool good = true;
    REQUIRE(driver_open(&d, &ft_mem_system, NULL, 0, 3) == FT_OK);
    learn_codes();
    for (uint32_t w = 0; w <= THREADS; w++) {
        workers[w] = (worker){.index = w, .good = true};
        workers[w].part = w == THREADS ? FT_HEAP_PYTHON : FT_HEAP_RAW;
        void *(*run)(void *) = w == THREADS ? work_and_look : work;
        REQUIRE(pthread_create(&threads[w], NULL, run, &workers[w]) == 0);
    }
    for (uint32_t w = 0; w <= THREADS; w++) {
        pthread_join(threads[w], NULL);
        good &= workers[w].good;
    }
    CHECK(good && d.sound);
    CHECK(is_sum(workers, FT_HEAP_PYTHON) && is_sum(workers, FT_HEAP_RAW));
    CHECK(peak_is_sound(false));
    uint64_t beyond = ft_heap_load(&d.heap.head->peak) + 1;
    CHECK(driver_begin(&d, 1, 3, 0x100000, beyond) && peak_is_sound(true));
    CHECK(driver_end(&d, 1, 0x100000) && driver_begin(&d, 0, 1, 0x200000, 5) &&
          peak_is_sound(true));
    driver_close(&d);
}

/* ---- forks ---- */

static char *read_arena(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    char *content = malloc(1 << 24);
    *bytes = file == NULL || content == NULL ? 0 : fread(content, 1, 1 << 24, file);
    if (file != NULL)
        fclose(file);
    return content;
}

/* A trace of its own against an oracle of its own: what the parent had is not known here. */
static bool run_child(void)
{
    static oracle right;
    bool good = true;
    if (ft_recording_after_fork(&d.recording, NULL) == NULL || ft_heap_reopen(&d.heap) != FT_OK)
        return false;
    for (uint32_t i = 0; i < 200; i++)
        good &= !driver_end(&d, i % 2, 0x100000 + 64 * i);
    for (uint32_t i = 0; i < 2000; i++) {
        oracle_event event = {ORACLE_BEGIN, i % 2, i % ORACLE_STACKS, 0x100000 + 64 * i, i};
        good &= driver_begin(&d, event.part, event.stack, event.address, event.size);
        oracle_tell(&right, event);
        if (i % 3 != 0)
            continue;
        event.kind = ORACLE_END;
        good &= driver_end(&d, event.part, event.address);
        oracle_tell(&right, event);
    }
    good &= ft_heap_mark(&d.heap, "p", 1) == FT_OK && driver_agrees(&d, &right) && d.sound;
    good &= ft_code_records_update(&d.heap.records, &d.recording) == FT_OK;
    unlink(d.recording.arena.path);
    driver_close(&d);
    return good;
}

static void test_fork(void)
{
    char directory[] = "/tmp/fettle-heap-XXXXXX";
    size_t before_bytes, after_bytes;
    int code = 1;
    bool good = true;
    REQUIRE(mkdtemp(directory) != NULL);
    REQUIRE(driver_open(&d, &ft_mem_system, directory, 0, 4) == FT_OK);
    for (uint32_t i = 0; i < 3000; i++)
        good &= driver_begin(&d, i % 2, i % ORACLE_STACKS, 0x100000 + 64 * i, i);
    CHECK(good && ft_heap_mark(&d.heap, "p", 1) == FT_OK);
    CHECK(ft_code_records_update(&d.heap.records, &d.recording) == FT_OK);
    char *before = read_arena(d.recording.arena.path, &before_bytes);
    pid_t child = fork();
    if (child == 0)
        _exit(!run_child());
    CHECK(child > 0 && waitpid(child, &code, 0) == child && WIFEXITED(code));
    CHECK(WEXITSTATUS(code) == 0);
    char *after = read_arena(d.recording.arena.path, &after_bytes);
    CHECK(before_bytes > 1 << 17 && before_bytes == after_bytes);
    CHECK(memcmp(before, after, before_bytes) == 0);
    CHECK(driver_end(&d, 0, 0x100000) && ft_heap_part_check(&d.heap.parts[0]));
    free(before);
    free(after);
    unlink(d.recording.arena.path);
    driver_close(&d);
    CHECK(rmdir(directory) == 0);
}

int main(void)
{
    test_threads();
    test_fork();
    return tap_end();
}
