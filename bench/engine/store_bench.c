/* SPDX-License-Identifier: Apache-2.0 */
/* store_bench.c: what a store takes: ns of putting, getting, missing and forgetting a value of 100
 * bytes among a thousand and a million entries, reads a second of two readers beside two writers,
 * and seconds to reduce a million entries to half. Usage: store_bench [ENTRIES]. */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/store/store.h"

enum { FEW = 1000, MANY = 1000000, GETS = 300000, PROCESSES = 4, TOGETHER_MS = 2000, BYTES = 100 };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t random_next(uint64_t *state) /* xorshift64 */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int remove_one(const char *path, const struct stat *is, int kind, struct FTW *where)
{
    (void)is;
    (void)kind;
    (void)where;
    return remove(path);
}

static ft_digest key_of(const ft_store *store, uint64_t number)
{
    return ft_digest_of(ft_store_secret(store), &number, sizeof number);
}

static bool put(ft_store *store, uint64_t number)
{
    uint8_t bytes[BYTES];
    bool kept;
    memset(bytes, (int)(number & 0xff), sizeof bytes);
    ft_piece piece = {bytes, sizeof bytes};
    ft_put as = {.key = key_of(store, number), .function = 1, .pieces = &piece, .count = 1};
    return ft_store_put(store, &as, &kept) == FT_OK && kept;
}

static bool get(ft_store *store, uint64_t number)
{
    bool found;
    ft_value value;
    if (ft_store_get(store, key_of(store, number), FT_VIEW_COPY, &found, &value) != FT_OK || !found)
        return false;
    bool right = value.bytes[BYTES - 1] == (number & 0xff);
    ft_value_fini(&value);
    return right;
}

/* ns of one of count, each of a number below bound, at from. */
static double time_gets(ft_store *store, uint64_t count, uint64_t from, uint64_t bound)
{
    uint64_t state = 88172645463325252u, found = 0;
    double before = now_ns();
    for (uint64_t i = 0; i < count; i++)
        found += get(store, from + random_next(&state) % bound);
    double each = (now_ns() - before) / (double)count;
    if (found != (from == 0 ? count : 0))
        fprintf(stderr, "%" PRIu64 " of %" PRIu64 " found\n", found, count);
    return each;
}

static void run_alone(ft_store *store, uint64_t entries)
{
    uint64_t kept = 0;
    bool found;
    double before = now_ns();
    for (uint64_t i = 0; i < entries; i++)
        kept += put(store, i);
    double put_ns = (now_ns() - before) / (double)entries;
    time_gets(store, GETS, 0, entries);
    double get_ns = time_gets(store, GETS, 0, entries);
    double miss_ns = time_gets(store, GETS, entries, entries);
    before = now_ns();
    for (uint64_t i = 0; i < FEW / 2; i++)
        ft_store_remove(store, key_of(store, i), &found);
    double remove_ns = (now_ns() - before) / (FEW / 2);
    printf("%8" PRIu64 " entries: put %.0f ns, get %.0f ns, miss %.0f ns, remove %.0f ns\n", kept,
           put_ns, get_ns, miss_ns, remove_ns);
}

static void run_reduce(ft_store *store)
{
    ft_store_sizes sizes;
    uint64_t removed;
    ft_store_measure(store, &sizes);
    ft_bounds half = {UINT64_MAX, sizes.entries / 2, UINT64_MAX};
    double before = now_ns();
    ft_store_reduce(store, &half, &removed);
    printf("%8" PRIu64 " entries reduced by %" PRIu64 ": %.2f s", sizes.entries, removed,
           (now_ns() - before) / 1e9);
    ft_store_measure(store, &sizes);
    printf(", %.0f bytes on disk for each that stays\n",
           (double)sizes.bytes / (double)sizes.entries);
}

static void work(const char *folder, int which, volatile uint64_t *count)
{
    ft_store *store;
    uint64_t state = 88172645463325252u + (uint64_t)which;
    if (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
        return;
    for (double end = now_ns() + TOGETHER_MS * 1e6; now_ns() < end;) {
        uint64_t number = random_next(&state) % FEW;
        *count += which < 2 ? put(store, number) : get(store, number);
    }
    ft_store_close(store);
}

static void run_together(const char *folder)
{
    volatile uint64_t *counts = mmap(NULL, PROCESSES * sizeof *counts, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        return;
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0) {
            work(folder, i, &counts[i]);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    const double seconds = TOGETHER_MS / 1e3;
    printf("two writers and two readers: %.0f and %.0f puts/s, %.0f hits/s\n",
           (double)counts[0] / seconds, (double)counts[1] / seconds,
           (double)(counts[2] + counts[3]) / seconds);
}

int main(int argc, char **argv)
{
    const char *above = getenv("TMPDIR");
    char name[200], folder[220];
    uint64_t many = argc > 1 ? strtoull(argv[1], NULL, 10) : MANY;
    snprintf(name, sizeof name, "%s/fettle-XXXXXX", above != NULL ? above : "/tmp");
    if (mkdtemp(name) == NULL)
        return 1;
    for (int i = 0; i < 2; i++) {
        ft_store *store;
        snprintf(folder, sizeof folder, "%s/%d", name, i);
        if (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
            return 1;
        run_alone(store, i == 0 ? FEW : many);
        if (i == 1)
            run_reduce(store);
        ft_store_close(store);
        if (i == 0) {
            fflush(stdout);
            run_together(folder);
        }
    }
    nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
