/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_kills.c: four writers of one small store are killed at random moments, again and
 * again, while readers read: what they find is right, the store stays usable, and what killed
 * writers left does not pile up. */
#include "tests/engine/folders.h"
#include "tests/engine/store_values.h"
#include "tests/engine/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WRITERS = 4, READERS = 2, KILLS = 200, KEYS = 2500, MOST = 768 << 10, BLOB_FOLDERS = 256 };

typedef struct shared {
    volatile uint32_t wrong, hits, troubles, ends; /* ends: readers shall */
    volatile uint64_t steps[WRITERS];
} shared;

static shared *common; /* of all processes */

static _Noreturn void write_for_ever(const char *folder, uint64_t seed, int number)
{
    ft_store *store;
    random_source source = {seed};
    if (ft_store_open(&store, folder, MOST, &ft_mem_system) != FT_OK)
        _exit(1);
    for (;;) {
        bool found;
        uint64_t removed;
        uint32_t key = random_below(&source, KEYS), what = random_below(&source, 400);
        ft_bounds half = {MOST / 2, UINT64_MAX, UINT64_MAX};
        if (what == 0)
            ft_store_reduce(store, &half, &removed);
        else if (what == 1)
            ft_store_clear(store, random_below(&source, 40) == 0 ? 0 : 1, &removed);
        else if (what < 40)
            ft_store_remove(store, value_key(key), &found);
        else if (what < 60)
            ft_store_count(store, "module.function", 1, 1, 1);
        else if (what < 120 && value_get(store, key, FT_VIEW_COPY) == VALUE_WRONG)
            common->wrong = 1;
        else
            value_put(store, key);
        common->steps[number]++;
    }
}

static _Noreturn void read_till_end(const char *folder, uint64_t seed)
{
    ft_store *store;
    random_source source = {seed};
    uint32_t hits = 0;
    if (ft_store_open(&store, folder, MOST, &ft_mem_system) != FT_OK)
        _exit(1);
    while (!common->ends) {
        value_found got =
            value_get(store, random_below(&source, KEYS), (ft_view)random_below(&source, 3));
        if (got == VALUE_WRONG)
            common->wrong = 1;
        hits += got == VALUE_RIGHT;
    }
    common->hits = hits;
    common->troubles |= ft_store_take_troubles(store);
    ft_store_close(store);
    _exit(0);
}

static pid_t start_writer(const char *folder, uint64_t seed, int number)
{
    pid_t child = fork();
    if (child == 0)
        write_for_ever(folder, seed, number);
    return child;
}

/* Kills a writer; whether it was alive until then. */
static bool kill_writer(pid_t child)
{
    int status;
    kill(child, SIGKILL);
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGKILL;
}

static int run_and_kill(const char *folder, random_source *source)
{
    pid_t writers[WRITERS], readers[READERS];
    int wrong = 0, status;
    for (int i = 0; i < WRITERS; i++)
        writers[i] = start_writer(folder, random_next(source), i);
    for (int i = 0; i < READERS; i++)
        if ((readers[i] = fork()) == 0)
            read_till_end(folder, (uint64_t)i);
    for (int i = 0; i < KILLS; i++) {
        int which = (int)random_below(source, WRITERS);
        usleep(random_below(source, 20000));
        wrong += !kill_writer(writers[which]);
        writers[which] = start_writer(folder, random_next(source), which);
    }
    for (int i = 0; i < WRITERS; i++)
        wrong += !kill_writer(writers[i]);
    common->ends = 1;
    for (int i = 0; i < READERS; i++)
        wrong += waitpid(readers[i], &status, 0) != readers[i] || status != 0;
    return wrong;
}

static uint64_t disk_bytes; /* nftw has no context */
static int disk_files;

static int add_size(const char *path, const struct stat *is, int kind, struct FTW *where)
{
    (void)path;
    (void)where;
    if (kind == FTW_F) {
        disk_bytes += (uint64_t)is->st_size;
        disk_files++;
    }
    return 0;
}

static uint64_t size_of(const char *folder)
{
    disk_bytes = 0;
    disk_files = 0;
    nftw(folder, add_size, 16, FTW_PHYS);
    return disk_bytes;
}

static int make_old(const char *path, const struct stat *is, int kind, struct FTW *where)
{
    struct timespec then[2] = {{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};
    (void)is;
    (void)where;
    return kind == FTW_F ? utimensat(AT_FDCWD, path, then, 0) : 0;
}

/* Files that no writer left by intention. */
static int count_strays(const char *folder)
{
    char path[FOLDER_BYTES + 40];
    int strays = 0;
    const char *where[] = {"", "blobs"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, where[i]);
        DIR *listing = opendir(path);
        for (const struct dirent *file; listing != NULL && (file = readdir(listing)) != NULL;)
            strays += strncmp(file->d_name, "new-", 4) == 0 ||
                      strncmp(file->d_name, "head.", 5) == 0 ||
                      strncmp(file->d_name, "index.", 6) == 0;
        if (listing != NULL)
            closedir(listing);
    }
    return strays;
}

static void test_after(const char *folder)
{
    ft_store *store;
    ft_store_sizes sizes;
    uint64_t removed;
    int wrong = 0, kept = 0;
    const ft_bounds all = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    REQUIRE(ft_store_open(&store, folder, MOST, &ft_mem_system) == FT_OK);
    CHECK(ft_store_usable(store));
    for (uint32_t i = 0; i < KEYS; i++)
        wrong += value_get(store, i, FT_VIEW_COPY) == VALUE_WRONG;
    CHECK(wrong == 0);
    nftw(folder, make_old, 16, FTW_PHYS);
    CHECK(ft_store_reduce(store, &all, &removed) == FT_OK && removed == 0);
    CHECK(ft_store_check(store) == FT_OK);
    CHECK(count_strays(folder) == 0);
    CHECK(ft_store_measure(store, &sizes) == FT_OK);
    uint64_t disk = size_of(folder), besides = 4096 + (uint64_t)disk_files * 16;
    CHECK(disk <= sizes.bytes + besides && disk + besides >= sizes.bytes);
    CHECK(ft_store_take_troubles(store) == 0);
    for (uint32_t i = 0; i < KEYS; i++)
        kept += value_put(store, i);
    CHECK(kept == (int)KEYS);
    CHECK(value_get(store, KEYS - 1, FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK(size_of(folder) <= MOST + MOST / 8);
    ft_store_close(store);
}

int main(void)
{
    char name[FOLDER_BYTES], path[FOLDER_BYTES + 20];
    const char *folder = folder_make(name);
    random_source source = {(uint64_t)time(NULL)};
    uint64_t steps = 0;
    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(common != MAP_FAILED);
    snprintf(path, sizeof path, "%s/store", folder);
    CHECK(run_and_kill(path, &source) == 0);
    for (int i = 0; i < WRITERS; i++)
        steps += common->steps[i];
    CHECK(common->wrong == 0);
    CHECK(common->hits > 0);
    CHECK((common->troubles & ~(unsigned)FT_TROUBLE_LOCK) == 0);
    CHECK(steps > KILLS);
    printf("# %u hits of a reader, %llu steps of writers, %llu bytes\n", (unsigned)common->hits,
           (unsigned long long)steps, (unsigned long long)size_of(path));
    CHECK(size_of(path) < 2 * (uint64_t)MOST + (uint64_t)KILLS * VALUE_MOST); /* with strays */
    test_after(path);
    folder_remove(folder);
    return tap_end();
}
