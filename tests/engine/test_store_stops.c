/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_stops.c: a writer is killed before the system calls that change files, in turn,
 * while it puts, forgets, grows the index, trims and clears. What was there before and was not
 * asked to go is there after, for a reader that was there all the time too; and the next trim finds
 * what was left behind. */
#include "tests/engine/failing_calls.h"
#include "tests/engine/folders.h"
#include "tests/engine/store_values.h"
#include "tests/engine/tap.h"

#include <ftw.h>
#include <sys/wait.h>
#include <time.h>

/* FULL: entries of the first index. After MANY calls, every second one. */
enum { STAY = 25, GO = 80, CALLS_MOST = 20000, MANY = 40, FULL = 704 };

static char path[FOLDER_BYTES + 20];

typedef void (*work)(ft_store *store);

static void put_some(ft_store *store)
{
    for (uint32_t i = STAY; i < GO; i++)
        value_put(store, i);
    for (uint32_t i = 0; i < STAY; i += 5) /* again: the old entry goes */
        value_put(store, i);
}

static void forget(ft_store *store)
{
    bool found;
    for (uint32_t i = STAY; i < GO; i++)
        ft_store_remove(store, value_key(i), &found);
}

/* Few entries stay in the first segment: they move. */
static void reduce(ft_store *store)
{
    uint64_t removed;
    const ft_bounds all = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    forget(store);
    ft_store_reduce(store, &all, &removed);
}

static void clear_function(ft_store *store)
{
    uint64_t removed, id;
    ft_store_name_function(store, "module.f", &id);
    ft_store_count(store, "module.f", 1, 1, 1);
    ft_store_clear(store, 77, &removed); /* nobody's */
}

static void clear_all(ft_store *store)
{
    uint64_t removed;
    ft_store_clear(store, 0, &removed);
}

static long killed_at; /* the call */

/* The index is replaced: it may be killed from shortly before on. */
static void grow(ft_store *store)
{
    const uint8_t byte = 1;
    ft_piece piece = {&byte, 1};
    bool kept;
    failing.left = -1;
    for (uint32_t i = 0; i < FULL - GO + 5; i++) {
        ft_put put = {.key = value_key(i + 100000), .pieces = &piece, .count = 1};
        if (i == FULL - GO - 2)
            failing.left = killed_at;
        ft_store_put(store, &put, &kept);
    }
}

/* The child: does the work, and is killed before the call after so many. */
static _Noreturn void work_and_die(work does)
{
    ft_store *store;
    failing.left = killed_at;
    failing.kills = true;
    if (ft_store_open(&store, path, 0, &ft_mem_system) != FT_OK)
        _exit(1);
    does(store);
    failing.left = -1;
    ft_store_close(store);
    _exit(0);
}

static bool may_go; /* what stays otherwise */

static int lost_of(ft_store *store)
{
    int lost = 0;
    for (uint32_t i = 0; i < STAY; i++) {
        value_found got = value_get(store, i, (ft_view)(i % 3));
        lost += got == VALUE_WRONG || (got == VALUE_ABSENT && !may_go);
    }
    for (uint32_t i = STAY; i < GO; i++)
        lost += value_get(store, i, FT_VIEW_COPY) == VALUE_WRONG;
    return lost;
}

static int make_file_old(const char *name, const struct stat *is, int kind, struct FTW *where)
{
    struct timespec then[2] = {{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};
    (void)is;
    (void)where;
    return kind == FTW_F ? utimensat(AT_FDCWD, name, then, 0) : 0;
}

static uint64_t disk; /* nftw has no context */

static int add_size(const char *name, const struct stat *is, int kind, struct FTW *where)
{
    (void)name;
    (void)where;
    disk += kind == FTW_F ? (uint64_t)is->st_size : 0;
    return 0;
}

/* Whether a store that a killed writer left is right, and what it left goes. */
static bool is_right_after(ft_store *reader)
{
    ft_store *store;
    ft_store_sizes sizes;
    uint64_t removed;
    const ft_bounds all = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    if (lost_of(reader) != 0 || ft_store_open(&store, path, 0, &ft_mem_system) != FT_OK)
        return false;
    bool right = lost_of(store) == 0;
    right &= value_put(store, 5000) && value_get(reader, 5000, FT_VIEW_COPY) == VALUE_RIGHT;
    nftw(path, make_file_old, 16, FTW_PHYS);
    right &= ft_store_reduce(store, &all, &removed) == FT_OK && removed == 0;
    right &= ft_store_check(store) == FT_OK && lost_of(store) == 0 && lost_of(reader) == 0;
    right &= ft_store_measure(store, &sizes) == FT_OK;
    disk = 0;
    nftw(path, add_size, 16, FTW_PHYS);
    right &= disk <= sizes.bytes + 2048; /* head and functions */
    right &= (ft_store_take_troubles(store) | ft_store_take_troubles(reader)) == 0;
    ft_store_close(store);
    return right;
}

static void test_stops(work does, const char *name)
{
    int wrong = 0, status = 1;
    long at = 0;
    for (; at < CALLS_MOST && status != 0; at += 1 + (at > MANY)) {
        ft_store *store;
        folder_remove(path);
        if (ft_store_open(&store, path, 0, &ft_mem_system) != FT_OK)
            break;
        for (uint32_t i = 0; i < (does == put_some ? STAY : GO); i++)
            wrong += !value_put(store, i);
        may_go = false;
        wrong += lost_of(store); /* its files are open */
        may_go = does == clear_all;
        killed_at = at;
        pid_t child = fork();
        if (child == 0)
            work_and_die(does);
        waitpid(child, &status, 0);
        bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if ((status != 0 && !killed) || !is_right_after(store)) {
            printf("# %s, call %ld\n", name, at);
            wrong++;
        }
        ft_store_close(store);
    }
    printf("# %s: %ld calls\n", name, at - 1);
    CHECK(wrong == 0);
    CHECK(status == 0 && at > 5);
}

int main(void)
{
    char name[FOLDER_BYTES];
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0); /* it writes much */
    folder_make(name);
    snprintf(path, sizeof path, "%s/store", name);
    test_stops(put_some, "put");
    test_stops(forget, "forget");
    test_stops(reduce, "reduce");
    test_stops(clear_function, "clear");
    test_stops(clear_all, "clear all");
    test_stops(grow, "grow");
    folder_remove(name);
    return tap_end();
}
