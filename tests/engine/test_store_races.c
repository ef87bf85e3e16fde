/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_races.c: what happens when something else happens in between: at a system call of one
 * handle, another handle of the same store does its part. The C library's flock and openat are
 * replaced by this program's own, which call what was asked for first. */
#include "tests/engine/folders.h"
#include "tests/engine/store_values.h"
#include "tests/engine/tap.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEYS = 50, PATH_BYTES = FOLDER_BYTES + 60 };

static char folder[FOLDER_BYTES + 20];
static ft_store *one, *other;
static void (*at_lock)(void), (*at_new_index)(void); /* once */

static void happen(void (**what)(void))
{
    void (*does)(void) = *what;
    *what = NULL;
    if (does != NULL)
        does();
}

int flock(int fd, int operation)
{
    if (operation & LOCK_EX)
        happen(&at_lock);
    return (int)syscall(SYS_flock, fd, operation);
}

int openat(int from, const char *name, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (strcmp(name, "index.new") == 0)
        happen(&at_new_index);
    return (int)syscall(SYS_openat, from, name, flags, mode);
}

static uint32_t large_number(void)
{
    uint32_t number = 1;
    while (value_length(number) <= FT_STORE_INLINE || number % 4 == 0)
        number++;
    return number;
}

static void start(void)
{
    folder_remove(folder);
    REQUIRE(ft_store_open(&one, folder, 0, &ft_mem_system) == FT_OK);
    REQUIRE(ft_store_open(&other, folder, 0, &ft_mem_system) == FT_OK);
    int kept = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        kept += value_put(one, i);
    kept += value_put(one, large_number());
    CHECK(kept == KEYS + 1);
}

static void end(void)
{
    CHECK(ft_store_check(other) == FT_OK);
    ft_store_close(one);
    ft_store_close(other);
}

static int flip_blob(const char *path, const struct stat *is, int kind, struct FTW *where)
{
    uint8_t byte;
    (void)where;
    if (kind != FTW_F || strstr(path, "/blobs/") == NULL)
        return 0;
    int fd = open(path, O_RDWR);
    bool done = pread(fd, &byte, 1, is->st_size / 2) == 1;
    byte ^= 1;
    done &= pwrite(fd, &byte, 1, is->st_size / 2) == 1;
    close(fd);
    return !done;
}

static void put_large(void)
{
    CHECK(value_put(other, large_number()));
}

/* A value was found damaged; before it is dropped, another one puts it again. */
static void test_mended(void)
{
    start();
    CHECK(nftw(folder, flip_blob, 16, FTW_PHYS) == 0);
    at_lock = put_large;
    CHECK(value_get(one, large_number(), FT_VIEW_COPY) == VALUE_ABSENT);
    CHECK(at_lock == NULL);
    CHECK(value_get(one, large_number(), FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK(ft_store_take_troubles(one) == 0);
    CHECK(nftw(folder, flip_blob, 16, FTW_PHYS) == 0); /* nobody mends it: it goes */
    CHECK(value_get(one, large_number(), FT_VIEW_SHARED) == VALUE_ABSENT);
    CHECK(ft_store_take_troubles(one) == FT_TROUBLE_CORRUPT);
    end();
}

static void use_large(void)
{
    CHECK(value_get(other, large_number(), FT_VIEW_COPY) == VALUE_RIGHT);
}

/* A trim has chosen what goes; before it writes the new index, one of these is used. It goes or
 * stays, but not a half of it. */
static void test_used_while_trimmed(void)
{
    uint64_t removed;
    const ft_bounds few = {UINT64_MAX, KEYS / 2, UINT64_MAX};
    start();
    usleep(600000); /* for a use to be marked anew */
    for (uint32_t i = 0; i < KEYS; i++)
        value_get(one, i, FT_VIEW_COPY);
    at_new_index = use_large;
    CHECK(ft_store_reduce(one, &few, &removed) == FT_OK && removed == KEYS + 1 - KEYS / 2);
    CHECK(at_new_index == NULL);
    CHECK(value_get(one, large_number(), FT_VIEW_COPY) == VALUE_ABSENT);
    CHECK(ft_store_take_troubles(one) == 0 && ft_store_take_troubles(other) == 0);
    end();
}

/* The index was replaced, and then an entry forgotten: whoever has the old index open must not find
 * it there. */
static void test_replaced(void)
{
    uint64_t removed;
    bool found;
    const ft_bounds all = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    start();
    CHECK(value_get(other, 1, FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK(ft_store_reduce(one, &all, &removed) == FT_OK && removed == 0);
    CHECK(ft_store_remove(one, value_key(1), &found) == FT_OK && found);
    CHECK(value_get(other, 1, FT_VIEW_COPY) == VALUE_ABSENT);
    CHECK(value_get(other, 2, FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK(ft_store_clear(one, 0, &removed) == FT_OK && removed == KEYS);
    CHECK(value_get(other, 2, FT_VIEW_COPY) == VALUE_ABSENT);
    CHECK(value_put(one, 3) && value_get(other, 3, FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK(value_put(other, 4) && value_get(one, 4, FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK((ft_store_take_troubles(one) | ft_store_take_troubles(other)) == 0);
    end();
}

/* The file that writers lock was removed: those who had it open lock the new one. */
static void test_lock_removed(void)
{
    char path[PATH_BYTES];
    start();
    snprintf(path, sizeof path, "%s/lock", folder);
    CHECK(unlink(path) == 0);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CHECK(!value_put(one, 1));
    CHECK(ft_store_take_troubles(one) == FT_TROUBLE_LOCK);
    CHECK(value_get(one, 1, FT_VIEW_COPY) == VALUE_RIGHT);
    close(fd);
    CHECK(value_put(one, 1) && value_put(other, 2));
    end();
}

int main(void)
{
    char name[FOLDER_BYTES];
    folder_make(name);
    snprintf(folder, sizeof folder, "%s/store", name);
    test_mended();
    test_used_while_trimmed();
    test_replaced();
    test_lock_removed();
    folder_remove(name);
    return tap_end();
}
