/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_damage.c: bytes all over a small store flipped in turn, every file cut, removed,
 * exchanged and filled with noise; before it is opened and while it is open. A value is right or
 * absent, and the store can be used after. */
#include "tests/engine/folders.h"
#include "tests/engine/store_values.h"
#include "tests/engine/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 16, PATH_BYTES = 80, FILE_MOST = 128 << 10, FEW = 6, EVERY = 101 };

/* Three small values, one compressed, one large, one of middling size. */
static uint32_t numbers[FEW];

typedef struct saved {
    char path[PATH_BYTES]; /* in the folder */
    uint8_t *bytes;
    size_t length;
} saved;

static saved files[FILES];
static int file_count;
static char folder[FOLDER_BYTES + 20];

static void choose_numbers(void)
{
    int small = 0;
    uint32_t i = 1;
    for (; small < 3; i++)
        if (i % 4 != 0 && value_length(i) < 100)
            numbers[small++] = i;
    for (; i % 4 != 0 || value_length(i) < 256 || value_length(i) > FT_STORE_INLINE; i++)
        ;
    numbers[3] = i;
    for (i = 1; i % 4 == 0 || value_length(i) <= FT_STORE_INLINE || value_length(i) > 20000; i++)
        ;
    numbers[4] = i;
    for (i = 1; i % 4 == 0 || value_length(i) < 280; i++)
        ;
    numbers[5] = i;
}

static void save_file(const char *within, const char *name)
{
    char path[FOLDER_BYTES + 20 + PATH_BYTES];
    struct stat is;
    saved *to = &files[file_count];
    snprintf(to->path, sizeof to->path, "%s%.60s", within, name);
    snprintf(path, sizeof path, "%s/%s", folder, to->path);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return;
    if (fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && file_count < FILES) {
        to->length = (size_t)is.st_size;
        to->bytes = malloc(to->length + 1);
        file_count += read(fd, to->bytes, to->length) == is.st_size;
    }
    close(fd);
}

static void save_folder(const char *within)
{
    char path[FOLDER_BYTES + 20 + PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, within);
    DIR *listing = opendir(path);
    for (const struct dirent *file; listing != NULL && (file = readdir(listing)) != NULL;)
        if (file->d_name[0] != '.')
            save_file(within, file->d_name);
    if (listing != NULL)
        closedir(listing);
}

/* Makes the store whose files are damaged then. */
static void make_store(void)
{
    ft_store *store;
    uint64_t id;
    char within[PATH_BYTES];
    REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
    CHECK(ft_store_name_function(store, "module.function", &id) == FT_OK);
    for (int i = 0; i < FEW; i++)
        REQUIRE(value_put(store, numbers[i]));
    ft_store_close(store);
    save_folder("");
    snprintf(within, sizeof within, "blobs/%02x/", (unsigned)(value_key(numbers[4]).low & 0xff));
    save_folder(within);
    REQUIRE(file_count == 7); /* head, lock, claims, index, functions, a segment, a blob */
}

static void write_file(const char *name, const void *bytes, size_t length)
{
    char path[FOLDER_BYTES + 20 + PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
        perror(path);
    close(fd);
}

static void remove_file(const char *name)
{
    char path[FOLDER_BYTES + 20 + PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

/* The store as it was made. */
static void restore(void)
{
    char path[FOLDER_BYTES + 20 + PATH_BYTES];
    folder_remove(folder);
    mkdir(folder, 0700);
    snprintf(path, sizeof path, "%s/blobs", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/blobs/%02x", folder,
             (unsigned)(value_key(numbers[4]).low & 0xff));
    mkdir(path, 0700);
    for (int i = 0; i < file_count; i++)
        write_file(files[i].path, files[i].bytes, files[i].length);
}

static bool tell(void *context, const ft_entry *entry)
{
    ++*(int *)context;
    return entry->length <= VALUE_MOST;
}

static bool tell_function(void *context, const ft_kept_function *function)
{
    *(size_t *)context += strlen(function->name);
    return true;
}

static int lost; /* values that were not found any more, in all */

/* Reads, and whether nothing wrong was read. */
static bool reads_right(ft_store *store, ft_view view)
{
    bool right = true;
    for (int i = 0; i < FEW; i++) {
        value_found got = value_get(store, numbers[i], view);
        right &= got != VALUE_WRONG;
        lost += got == VALUE_ABSENT;
    }
    return right;
}

/* Uses a store that is damaged in all ways; whether all was right and it works at the end. */
static bool works(ft_store *store)
{
    uint64_t removed, id;
    int told = 0;
    size_t names = 0;
    const ft_bounds bounds = {UINT64_MAX, FEW, UINT64_MAX};
    const ft_bounds all = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    ft_store_sizes sizes;
    bool right = reads_right(store, FT_VIEW_PRIVATE) && reads_right(store, FT_VIEW_COPY);
    ft_store_each(store, tell, &told);
    ft_store_each_function(store, tell_function, &names);
    right &= ft_store_measure(store, &sizes) == FT_OK;
    ft_store_name_function(store, "module.function", &id);
    ft_store_count(store, "module.function", 1, 2, 3);
    value_put(store, 1000);
    ft_store_reduce(store, &bounds, &removed);
    right &= reads_right(store, FT_VIEW_SHARED);
    for (int i = 0; i < 2 && right; i++) /* a first put may find the damage */
        right = value_put(store, numbers[i]) || i == 0;
    right = right && value_put(store, numbers[4]) &&
            value_get(store, numbers[4], FT_VIEW_SHARED) == VALUE_RIGHT &&
            value_get(store, numbers[1], FT_VIEW_COPY) == VALUE_RIGHT;
    return right && ft_store_reduce(store, &all, &removed) == FT_OK && removed == 0 &&
           ft_store_check(store) == FT_OK;
}

/* Opens, uses and closes it; a store that says that it may not be used is right too. */
static bool opens_and_works(void)
{
    ft_store *store;
    const unsigned refusals = FT_TROUBLE_NEWER | FT_TROUBLE_FOREIGN | FT_TROUBLE_READ_ONLY;
    if (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
        return false;
    bool right = works(store);
    right |= (ft_store_take_troubles(store) & refusals) != 0 && reads_right(store, FT_VIEW_COPY);
    ft_store_close(store);
    return right;
}

/* Bytes of a file that say something; an index is mostly zeros. */
static bool is_worth(const saved *file, size_t at)
{
    return file->bytes[at] != 0 || at % EVERY == 0 || at < 192 || file->length < 1200;
}

static bool is_index(const saved *file)
{
    return strcmp(file->path, "index") == 0;
}

typedef bool (*damaging)(const saved *file, size_t at, random_source *source);

static bool flip(const saved *file, size_t at, random_source *source)
{
    uint8_t byte = (uint8_t)(file->bytes[at] ^ 1u << random_below(source, 8));
    char path[FOLDER_BYTES + 20 + PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, file->path);
    int fd = open(path, O_WRONLY);
    bool done = pwrite(fd, &byte, 1, (off_t)at) == 1;
    close(fd);
    return done;
}

static bool cut(const saved *file, size_t at, random_source *source)
{
    char path[FOLDER_BYTES + 20 + PATH_BYTES];
    (void)source;
    snprintf(path, sizeof path, "%s/%s", folder, file->path);
    return truncate(path, (off_t)at) == 0;
}

/* Damages each file at every place that is worth it, closed or open; how often it went wrong. */
static int damage_all(damaging damage, bool while_open, size_t every, random_source *source)
{
    int wrong = 0;
    for (int i = 0; i < file_count; i++) {
        bool checked_whole = files[i].length > 10000 || strcmp(files[i].path, "functions") == 0;
        size_t step = checked_whole ? every * (1 + files[i].length / EVERY) : every;
        for (size_t at = 0; at < files[i].length; at += is_index(&files[i]) ? every : step) {
            ft_store *store = NULL;
            if (is_index(&files[i]) && !is_worth(&files[i], at))
                continue;
            restore();
            if (while_open && (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK ||
                               value_get(store, numbers[0], FT_VIEW_COPY) != VALUE_RIGHT))
                wrong++;
            bool right = damage(&files[i], at, source) && (!while_open || works(store));
            ft_store_close(store);
            if (!right || !opens_and_works()) {
                printf("# %s at %zu, %s\n", files[i].path, at, while_open ? "open" : "closed");
                wrong++;
            }
        }
    }
    return wrong;
}

/* A file is not there, or holds what another does, or noise, or nothing; closed and open. */
static int exchange_all(bool while_open, random_source *source)
{
    static uint8_t noise[FILE_MOST];
    int wrong = 0;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)random_next(source);
    for (int i = 0; i < file_count; i++) {
        for (int with = -2; with < file_count; with++) {
            ft_store *store = NULL;
            restore();
            if (while_open && ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
                wrong++;
            if (with == -2)
                remove_file(files[i].path);
            else if (with == -1)
                write_file(files[i].path, noise, files[i].length);
            else
                write_file(files[i].path, files[with].bytes, files[with].length);
            bool right = !while_open || works(store);
            ft_store_close(store);
            if (!right || !opens_and_works()) {
                printf("# %s with %d, %s\n", files[i].path, with, while_open ? "open" : "closed");
                wrong++;
            }
        }
    }
    return wrong;
}

/* Everything is removed while the store is open, and another one uses it meanwhile. */
static void test_emptied(void)
{
    ft_store *old, *new;
    restore();
    REQUIRE(ft_store_open(&old, folder, 0, &ft_mem_system) == FT_OK);
    folder_remove(folder);
    CHECK(!value_put(old, 5) && value_get(old, numbers[0], FT_VIEW_COPY) != VALUE_WRONG);
    ft_store_close(old);
    restore();
    REQUIRE(ft_store_open(&old, folder, 0, &ft_mem_system) == FT_OK);
    for (int i = 0; i < file_count; i++)
        remove_file(files[i].path);
    CHECK(value_put(old, 5) && value_get(old, 5, FT_VIEW_COPY) == VALUE_RIGHT);
    REQUIRE(ft_store_open(&new, folder, 0, &ft_mem_system) == FT_OK);
    CHECK(value_get(new, 5, FT_VIEW_COPY) == VALUE_RIGHT); /* it found the old one's head again */
    ft_store_close(new);
    for (int i = 0; i < file_count; i++)
        remove_file(files[i].path);
    REQUIRE(ft_store_open(&new, folder, 0, &ft_mem_system) == FT_OK);
    CHECK(value_put(new, 6));
    CHECK(!value_put(old, 7) && !ft_store_usable(old)); /* another secret: it keeps off */
    CHECK(value_get(old, 6, FT_VIEW_COPY) == VALUE_ABSENT);
    CHECK(value_get(new, 6, FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK(ft_store_check(new) == FT_OK);
    ft_store_close(new);
    ft_store_close(old);
}

int main(void)
{
    char name[FOLDER_BYTES];
    random_source source = {3};
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0); /* it writes much */
    folder_make(name);
    snprintf(folder, sizeof folder, "%s/store", name);
    choose_numbers();
    make_store();
    CHECK(damage_all(flip, false, 5, &source) == 0);
    CHECK(lost > 0);
    CHECK(damage_all(flip, true, 11, &source) == 0);
    CHECK(damage_all(cut, false, 17, &source) == 0);
    CHECK(damage_all(cut, true, 29, &source) == 0);
    CHECK(exchange_all(false, &source) == 0);
    CHECK(exchange_all(true, &source) == 0);
    test_emptied();
    folder_remove(name);
    for (int i = 0; i < file_count; i++)
        free(files[i].bytes);
    return tap_end();
}
