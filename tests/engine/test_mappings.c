/* SPDX-License-Identifier: Apache-2.0 */
/* test_mappings.c: values that are mapped again: what a program wrote to one is in no later one. */
#include "engine/store/store.h"

#include "tests/engine/folders.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 300000, KEYS = 7 /* more than are kept */ };

static uint8_t bytes[BYTES];

static const uint8_t *value_of(uint64_t number)
{
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i / 1000 + number);
    return bytes;
}

static bool put(ft_store *store, uint64_t number, uint64_t value)
{
    bool kept = false;
    ft_piece piece = {value_of(value), BYTES};
    ft_put as = {.key = {number << 56 | number, 1}, .pieces = &piece, .count = 1};
    return ft_store_put(store, &as, &kept) == FT_OK && kept;
}

static bool get(ft_store *store, uint64_t number, ft_view view, ft_value *value)
{
    bool found = false;
    ft_digest key = {number << 56 | number, 1};
    return ft_store_get(store, key, view, &found, value) == FT_OK && found;
}

/* Is it that value? Then it is written all over. */
static bool is_and_scribble(ft_value *value, uint64_t number)
{
    bool same = value->bytes != NULL && value->entry.length == BYTES &&
                memcmp(value->bytes, value_of(number), BYTES) == 0;
    if (value->bytes != NULL)
        memset(value->bytes, 0xff, BYTES);
    return same;
}

static ft_store *open_store(const char *folder, const ft_mem *mem)
{
    ft_store *store;
    REQUIRE(ft_store_open(&store, folder, 0, mem) == FT_OK);
    return store;
}

static void test_nothing_written_stays(const char *folder)
{
    ft_store *store = open_store(folder, &ft_mem_system);
    ft_value one, other;
    for (uint64_t i = 0; i < KEYS; i++)
        REQUIRE(put(store, i, i));
    bool right = true;
    for (uint64_t i = 0; i < 200; i++) {
        REQUIRE(get(store, i * 5 % KEYS, FT_VIEW_PRIVATE, &one));
        right &= is_and_scribble(&one, i * 5 % KEYS);
        REQUIRE(
            get(store, i % KEYS, FT_VIEW_PRIVATE, &other)); /* at the same time, at times of one */
        right &= is_and_scribble(&other, i % KEYS);
        ft_value_fini(&one);
        ft_value_fini(&other);
    }
    CHECK(right);
    ft_store_close(store);
}

static void test_ready(const char *folder)
{
    ft_store *store = open_store(folder, &ft_mem_system);
    ft_value value;
    REQUIRE(get(store, 1, FT_VIEW_READY, &value));
    CHECK(value.bytes == NULL); /* never mapped by this store */
    ft_value_fini(&value);
    REQUIRE(get(store, 1, FT_VIEW_PRIVATE, &value));
    CHECK(is_and_scribble(&value, 1));
    ft_value other;
    REQUIRE(get(store, 1, FT_VIEW_READY, &other));
    CHECK(other.bytes == NULL); /* somebody has it */
    ft_value_fini(&other);
    ft_value_fini(&value);
    REQUIRE(get(store, 1, FT_VIEW_READY, &value));
    CHECK(is_and_scribble(&value, 1));
    ft_value_fini(&value);
    REQUIRE(put(store, 1, 9)); /* another value of that key */
    REQUIRE(get(store, 1, FT_VIEW_READY, &value));
    CHECK(value.bytes == NULL);
    ft_value_fini(&value);
    REQUIRE(get(store, 1, FT_VIEW_PRIVATE, &value));
    CHECK(is_and_scribble(&value, 9));
    ft_store_close(store); /* before its value ends */
    ft_value_fini(&value);
}

/* The only file of blobs/NN, which a key's low byte names. */
static int open_blob(const char *folder, unsigned low)
{
    char path[FOLDER_BYTES + 400];
    snprintf(path, sizeof path, "%s/blobs/%02x", folder, low);
    DIR *listing = opendir(path);
    REQUIRE(listing != NULL);
    int fd = -1;
    for (const struct dirent *file; (file = readdir(listing)) != NULL;)
        if (file->d_name[0] != '.')
            fd = openat(dirfd(listing), file->d_name, O_RDWR);
    closedir(listing);
    return fd;
}

static void test_file_that_changed(const char *folder, bool cut)
{
    ft_store *store = open_store(folder, &ft_mem_system);
    ft_value value;
    bool found = true;
    REQUIRE(put(store, 2, 2));
    REQUIRE(get(store, 2, FT_VIEW_PRIVATE, &value));
    ft_value_fini(&value);
    usleep(20000); /* files have coarse times */
    int fd = open_blob(folder, 2);
    REQUIRE(fd >= 0);
    if (cut)
        REQUIRE(ftruncate(fd, 5000) == 0);
    else
        REQUIRE(pwrite(fd, "damage", 6, 70000) == 6);
    close(fd);
    ft_digest key = {UINT64_C(2) << 56 | 2, 1};
    CHECK(ft_store_get(store, key, FT_VIEW_READY, &found, &value) == FT_OK);
    CHECK(!found || value.bytes == NULL);
    if (found)
        ft_value_fini(&value);
    CHECK(ft_store_get(store, key, FT_VIEW_PRIVATE, &found, &value) == FT_OK && !found);
    ft_store_close(store);
}

static ft_status map_twice(const ft_mem *mem)
{
    char made[FOLDER_BYTES];
    const char *folder = folder_make(made);
    ft_store *store;
    ft_status status = ft_store_open(&store, folder, 0, mem);
    if (status == FT_OK) {
        bool kept, found = false;
        ft_piece piece = {value_of(4), BYTES};
        ft_put as = {.key = {4, 4}, .pieces = &piece, .count = 1};
        status = ft_store_put(store, &as, &kept);
        for (int i = 0; i < 2 && status == FT_OK; i++) {
            ft_value value;
            status = ft_store_get(store, as.key, FT_VIEW_PRIVATE, &found, &value);
            if (status == FT_OK && found) {
                CHECK(is_and_scribble(&value, 4));
                ft_value_fini(&value);
            }
        }
        ft_store_close(store);
    }
    folder_remove(folder);
    return status;
}

int main(void)
{
    char name[FOLDER_BYTES];
    const char *folder = folder_make(name);
    test_nothing_written_stays(folder);
    test_ready(folder);
    test_file_that_changed(folder, false);
    test_file_that_changed(folder, true);
    folder_remove(folder);
    CHECK(sweep(map_twice));
    return tap_end();
}
