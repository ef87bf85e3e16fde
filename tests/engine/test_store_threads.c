/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_threads.c: eight threads on two handles of one small store put, get, forget, reduce
 * and clear at once, while files of the program's own come and go on the same descriptors. */
#include "tests/engine/folders.h"
#include "tests/engine/store_values.h"
#include "tests/engine/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 8, STEPS = 5000, KEYS = 900, MOST = 400 << 10 };

typedef struct worker {
    ft_store *store;
    const char *folder;
    uint64_t seed;
} worker;

static atomic_int wrong, hits, spoilt;

/* An empty file that takes the lowest free descriptor for a moment: nobody else may write to it. */
static void watch_descriptor(const char *folder, uint64_t number)
{
    char path[FOLDER_BYTES + 40];
    snprintf(path, sizeof path, "%s/watch-%llu", folder, (unsigned long long)number);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    for (int i = 0; i < 20; i++)
        usleep(1);
    atomic_fetch_add(&spoilt, lseek(fd, 0, SEEK_END) != 0);
    close(fd);
    unlink(path);
}

static void step(const worker *is, random_source *source)
{
    uint32_t number = random_below(source, KEYS), what = random_below(source, 1000);
    uint64_t removed;
    bool found;
    ft_entry entry;
    ft_bounds bounds = {MOST / 2, UINT64_MAX, UINT64_MAX};
    ft_store_sizes sizes;
    if (what < 300) {
        value_put(is->store, number); /* others may hold the lock: kept or not */
    } else if (what < 360) {
        atomic_fetch_add(&wrong, ft_store_remove(is->store, value_key(number), &found) != FT_OK);
    } else if (what < 364) {
        atomic_fetch_add(&wrong, ft_store_reduce(is->store, &bounds, &removed) != FT_OK);
    } else if (what < 366) {
        atomic_fetch_add(&wrong, ft_store_clear(is->store, what % 4, &removed) != FT_OK);
    } else if (what < 380) {
        atomic_fetch_add(&wrong, ft_store_measure(is->store, &sizes) != FT_OK);
    } else if (what < 400) {
        watch_descriptor(is->folder, random_next(source));
    } else if (what < 450) {
        atomic_fetch_add(&wrong,
                         ft_store_peek(is->store, value_key(number), &found, &entry) != FT_OK);
    } else {
        value_found got = value_get(is->store, number, (ft_view)random_below(source, 3));
        atomic_fetch_add(&wrong, got == VALUE_WRONG);
        atomic_fetch_add(&hits, got == VALUE_RIGHT);
    }
}

static void *work(void *argument)
{
    const worker *is = argument;
    random_source source = {is->seed};
    for (int i = 0; i < STEPS; i++)
        step(is, &source);
    return NULL;
}

int main(void)
{
    char name[FOLDER_BYTES], path[FOLDER_BYTES + 20];
    const char *folder = folder_make(name);
    ft_store *stores[2];
    pthread_t threads[THREADS];
    worker workers[THREADS];
    snprintf(path, sizeof path, "%s/store", folder);
    for (int i = 0; i < 2; i++)
        REQUIRE(ft_store_open(&stores[i], path, MOST, &ft_mem_system) == FT_OK);
    for (uint64_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){stores[i * 2 / THREADS], folder, i + 1};
        REQUIRE(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(wrong == 0);
    CHECK(spoilt == 0);
    CHECK(hits > 100);
    for (int i = 0; i < 2; i++) {
        CHECK(ft_store_check(stores[i]) == FT_OK);
        CHECK((ft_store_take_troubles(stores[i]) & ~(unsigned)FT_TROUBLE_LOCK) == 0);
    }
    CHECK(value_put(stores[0], 7) && value_get(stores[1], 7, FT_VIEW_COPY) == VALUE_RIGHT);
    for (int i = 0; i < 2; i++)
        ft_store_close(stores[i]);
    folder_remove(folder);
    return tap_end();
}
