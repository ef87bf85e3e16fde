/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_failures.c: every system call that changes a file fails once, with no room and with an
 * error; files may not grow beyond a limit that rises; descriptors run out. What is said to be kept
 * is there, what was kept before stays, and the store works after. */
#include "tests/engine/failing_calls.h"
#include "tests/engine/folders.h"
#include "tests/engine/store_values.h"
#include "tests/engine/tap.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OLD = 60, NEW = 60, MOST = 300 << 10, CALLS_MOST = 20000 };

static char kept[OLD + NEW]; /* what put said */

/* Everything that writes. The bound makes it trim. */
static void use(ft_store *store)
{
    bool found;
    uint64_t removed, id;
    const ft_bounds bounds = {MOST / 2, UINT64_MAX, UINT64_MAX};
    for (uint32_t i = OLD; i < OLD + NEW; i++)
        kept[i] = value_put(store, i);
    for (uint32_t i = OLD; i < OLD + 5; i++) {
        ft_store_remove(store, value_key(i), &found);
        kept[i] = (char)(kept[i] && !found);
    }
    ft_store_name_function(store, "module.other", &id);
    ft_store_count(store, "module.function", 1, 2, 3);
    ft_store_clear(store, 2, &removed);
    ft_store_reduce(store, &bounds, &removed);
}

/* What is there is right; how much of what was kept is not there. */
static int count_lost(ft_store *store, bool *right)
{
    int lost = 0;
    for (uint32_t i = 0; i < OLD + NEW; i++) {
        value_found got = value_get(store, i, (ft_view)(i % 3));
        *right &= got != VALUE_WRONG;
        lost += kept[i] && got == VALUE_ABSENT;
    }
    return lost;
}

static bool make_old(const char *path, uint64_t most)
{
    ft_store *store;
    bool right = ft_store_open(&store, path, most, &ft_mem_system) == FT_OK;
    for (uint32_t i = 0; i < OLD && right; i++)
        right = (kept[i] = value_put(store, i));
    ft_store_close(store);
    return right;
}

static bool works_after(const char *path)
{
    ft_store *store;
    if (ft_store_open(&store, path, MOST, &ft_mem_system) != FT_OK)
        return false;
    bool right = true;
    count_lost(store, &right);
    for (uint32_t i = 0; i < OLD; i++)
        right &= value_put(store, i) && value_get(store, i, FT_VIEW_COPY) == VALUE_RIGHT;
    uint64_t removed;
    const ft_bounds all = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    right &= ft_store_reduce(store, &all, &removed) == FT_OK && ft_store_check(store) == FT_OK;
    ft_store_close(store);
    return right;
}

/* One run, in which the call after so many fails; whether all was right. *ended: none failed. */
static bool run_failing(const char *path, long succeed, int error, bool for_ever, bool *ended)
{
    ft_store *store;
    bool right = true;
    folder_remove(path);
    if (!make_old(path, MOST))
        return false;
    failing.left = succeed;
    failing.error = error;
    failing.for_ever = for_ever;
    failing.failed = failing.part = false;
    if (ft_store_open(&store, path, MOST, &ft_mem_system) == FT_OK) {
        use(store);
        failing.left = -1;
        count_lost(store, &right);
        ft_store_close(store);
    }
    *ended = !failing.failed;
    failing.left = -1;
    return right && works_after(path);
}

static void test_each_call(const char *path, int error, bool for_ever, long step)
{
    bool ended = false;
    int wrong = 0;
    long at = 0;
    for (; at < CALLS_MOST && !ended; at += step)
        if (!run_failing(path, at, error, for_ever, &ended)) {
            printf("# call %ld, errno %d\n", at, error);
            wrong++;
        }
    CHECK(wrong == 0);
    CHECK(ended && at > 20);
}

static int blob_files; /* nftw has no context */

static int count_blob(const char *name, const struct stat *is, int kind, struct FTW *where)
{
    (void)is;
    blob_files += kind == FTW_F && strchr(name + where->base, '-') != NULL &&
                  strncmp(name + where->base, "new-", 4) != 0;
    return 0;
}

static bool count_large(void *context, const ft_entry *entry)
{
    *(int *)context += entry->stored > FT_STORE_INLINE + 200;
    return true;
}

/* Is there a blob for each large value, and no other? */
static bool blobs_are_right(ft_store *store, const char *path)
{
    int large = 0;
    blob_files = 0;
    nftw(path, count_blob, 16, FTW_PHYS);
    return ft_store_each(store, count_large, &large) == FT_OK && large == blob_files;
}

/* Puts alone, without a bound: nothing that was kept may be lost, whichever call of theirs fails.
 */
static void test_nothing_lost(const char *path, int error)
{
    bool ended = false, right = true;
    int lost = 0, not_kept = 0, strays = 0;
    uint64_t removed;
    const ft_bounds all = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (long at = 0; at < CALLS_MOST && !ended; at += 3) {
        ft_store *store;
        folder_remove(path);
        right &= make_old(path, 0) && ft_store_open(&store, path, 0, &ft_mem_system) == FT_OK;
        if (!right)
            break;
        failing.left = at;
        failing.error = error;
        failing.for_ever = failing.failed = failing.part = false;
        for (uint32_t i = OLD; i < OLD + NEW; i++)
            not_kept += !(kept[i] = value_put(store, i));
        ended = !failing.failed;
        failing.left = -1;
        lost += count_lost(store, &right);
        if (error == EIO)
            strays += !blobs_are_right(store, path);
        right &= ft_store_reduce(store, &all, &removed) == FT_OK; /* counts again */
        right &= removed == 0 && ft_store_check(store) == FT_OK;
        ft_store_close(store);
    }
    CHECK(right);
    CHECK(lost == 0);
    CHECK(strays == 0);
    CHECK(ended && not_kept > 10);
}

/* No file may grow beyond a limit. */
static void test_limit(const char *path)
{
    struct rlimit before, now;
    int wrong = 0;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 0; limit < 200 << 10; limit += 4777) {
        ft_store *store;
        bool right = true;
        folder_remove(path);
        wrong += limit % 2 == 0 && !make_old(path, MOST);
        now = (struct rlimit){limit, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &now);
        if (ft_store_open(&store, path, MOST, &ft_mem_system) == FT_OK) {
            use(store);
            count_lost(store, &right);
            ft_store_close(store);
        }
        setrlimit(RLIMIT_FSIZE, &before);
        wrong += !right || !works_after(path);
    }
    CHECK(wrong == 0);
}

/* Descriptors run out: that is no damage. */
static void test_descriptors(const char *path)
{
    struct rlimit before, now;
    ft_store *store;
    bool right = true;
    folder_remove(path);
    memset(kept, 0, sizeof kept);
    REQUIRE(make_old(path, 0));
    REQUIRE(ft_store_open(&store, path, 0, &ft_mem_system) == FT_OK);
    getrlimit(RLIMIT_NOFILE, &before);
    now = (struct rlimit){0, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &now);
    count_lost(store, &right);
    value_put(store, OLD);
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK(right);
    CHECK(ft_store_take_troubles(store) == FT_TROUBLE_IO && ft_store_errno(store) == EMFILE);
    CHECK(count_lost(store, &right) == 0 && right);
    ft_store_close(store);
}

/* A file system without room, where this process may mount one. */
static void test_full(const char *path)
{
    ft_store *store;
    bool right = true;
    int unkept = 0;
    mkdir(path, 0700);
    if (mount("none", path, "tmpfs", 0, "size=80k,mode=0700") < 0) {
        tap_check(1, "a full file system # SKIP nothing can be mounted", __FILE__, __LINE__);
        return;
    }
    memset(kept, 0, sizeof kept);
    REQUIRE(ft_store_open(&store, path, 0, &ft_mem_system) == FT_OK);
    for (uint32_t i = 0; i < OLD + NEW; i++)
        unkept += !(kept[i] = value_put(store, i));
    CHECK(unkept > 0);
    CHECK(count_lost(store, &right) == 0 && right);
    CHECK(ft_store_take_troubles(store) == FT_TROUBLE_FULL);
    const ft_bounds few = {UINT64_MAX, 3, UINT64_MAX};
    uint64_t removed;
    CHECK(ft_store_reduce(store, &few, &removed) == FT_OK && removed > 0);
    CHECK(ft_store_check(store) == FT_OK);
    CHECK(ft_store_clear(store, 0, &removed) == FT_OK && removed == 3);
    CHECK(value_put(store, 1) && value_get(store, 1, FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK(ft_store_check(store) == FT_OK);
    ft_store_close(store);
    umount(path);
}

/* A store that may hardly take anything says so. */
static void test_tiny(const char *path)
{
    ft_store *store;
    folder_remove(path);
    REQUIRE(ft_store_open(&store, path, 5000, &ft_mem_system) == FT_OK);
    CHECK(!value_put(store, 1) && ft_store_take_troubles(store) == FT_TROUBLE_LARGE);
    CHECK(value_get(store, 1, FT_VIEW_COPY) == VALUE_ABSENT && ft_store_check(store) == FT_OK);
    ft_store_close(store);
}

int main(void)
{
    char name[FOLDER_BYTES], path[FOLDER_BYTES + 20];
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0); /* it writes much */
    folder_make(name);
    snprintf(path, sizeof path, "%s/store", name);
    test_each_call(path, ENOSPC, false, 5);
    test_each_call(path, EIO, false, 5);
    test_each_call(path, ENOSPC, true, 11);
    test_nothing_lost(path, ENOSPC);
    test_nothing_lost(path, EIO);
    test_limit(path);
    test_descriptors(path);
    test_tiny(path);
    folder_remove(path);
    test_full(path);
    folder_remove(name);
    return tap_end();
}
