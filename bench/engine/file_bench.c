/* SPDX-License-Identifier: Apache-2.0 */
/* file_bench.c: a tree of a million nodes written and loaded: milliseconds, the best and the median
 * of several rounds, and bytes. Usage: file_bench [NODES [ROUNDS]].
 *
 * The numbers of the tree are drawn like a program's: parents mostly near, few codes often and
 * many seldom, few calls mostly, times over five orders of magnitude, waiting seldom. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/file/reader.h"
#include "engine/file/writer.h"
#include "engine/model/profile.h"

enum { CODES = 5000, ROUNDS_MAX = 101 };

static uint64_t random_next(uint64_t *state) /* xorshift64 */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Small numbers often, large ones seldom: as many of each count of bits up to `bits`. */
static uint64_t random_skewed(uint64_t *state, unsigned bits)
{
    uint64_t kept = random_next(state) % bits + 1;
    return random_next(state) >> (64 - kept);
}

static void die(const char *what, ft_status status)
{
    fprintf(stderr, "file_bench: %s: %s\n", what, ft_status_text(status));
    exit(1);
}

static void make_codes(ft_profile *profile)
{
    char name[64];
    for (uint32_t i = 0; i < CODES; i++) {
        ft_code code = {.kind = FT_CODE_PYTHON, .line = i % 1500 + 1};
        int length = snprintf(name, sizeof name, "/usr/lib/python3/module_%" PRIu32 ".py", i / 40);
        ft_status status = ft_strtab_intern(&profile->texts, name, (size_t)length, &code.file);
        length = snprintf(name, sizeof name, "Class%" PRIu32 ".method_%" PRIu32, i / 7, i);
        if (status == FT_OK)
            status = ft_strtab_intern(&profile->texts, name, (size_t)length, &code.qualname);
        code.name = code.qualname;
        uint32_t id;
        if (status == FT_OK)
            status = ft_codetab_intern(&profile->codes, &code, &id);
        if (status != FT_OK)
            die("making codes", status);
    }
}

static void make_tree(ft_profile *profile, uint32_t nodes)
{
    uint64_t state = 88172645463325252u;
    uint32_t thread, process, id;
    ft_status status = ft_profile_add_process(profile, &(ft_process){.pid = 1}, &process);
    if (status == FT_OK)
        status = ft_profile_add_thread(profile, process, 0, &thread);
    if (status != FT_OK)
        die("making a thread", status);
    ft_tree *tree = &profile->threads[thread].tree;
    while (tree->count < nodes) {
        uint64_t back = random_skewed(&state, 10) % tree->count;
        uint32_t code = 1 + (uint32_t)random_skewed(&state, 13) % CODES;
        status = ft_tree_add(tree, tree->count - 1 - (uint32_t)back, code, &id);
        if (status != FT_OK)
            die("making nodes", status);
        tree->nodes[id].calls = 1 + random_skewed(&state, 8);
        tree->nodes[id].own = tree->nodes[id].calls * (60 + random_skewed(&state, 17));
        if (random_next(&state) % 50 == 0)
            tree->nodes[id].waiting = tree->nodes[id].own / 2;
    }
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double time_write(int fd, const ft_profile *profile)
{
    double start = now_ms();
    ft_status status = ft_writer_begin(fd, profile);
    if (status == FT_OK)
        status = ft_writer_append(fd, profile);
    double end = now_ms();
    if (status != FT_OK)
        die("writing", status);
    return end - start;
}

/* The bytes of the file, read once: what is timed is decoding into a fresh profile. */
static double time_read(int fd, size_t size)
{
    ft_profile profile;
    ft_reader_report report;
    double start = now_ms();
    uint8_t *bytes = malloc(size);
    if (bytes == NULL || pread(fd, bytes, size, 0) != (ssize_t)size)
        die("reading", FT_ERR_IO);
    ft_status status = ft_profile_init(&profile, &ft_mem_system);
    if (status == FT_OK)
        status = ft_reader_read(bytes, size, &profile, &report);
    double end = now_ms();
    if (status != FT_OK || !report.ended)
        die("reading", status);
    ft_profile_fini(&profile);
    free(bytes);
    return end - start;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static void print_times(const char *what, double *times, int rounds)
{
    qsort(times, (size_t)rounds, sizeof *times, compare_doubles);
    printf("%s: best %.1f ms, median %.1f ms\n", what, times[0], times[rounds / 2]);
}

int main(int count, char **words)
{
    uint32_t nodes = count > 1 ? (uint32_t)strtoul(words[1], NULL, 10) : 1000000;
    int rounds = count > 2 ? (int)strtol(words[2], NULL, 10) : 9;
    double writes[ROUNDS_MAX], reads[ROUNDS_MAX];
    char path[] = "/tmp/file_bench_XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || rounds < 1 || rounds > ROUNDS_MAX)
        die("starting", FT_ERR_IO);
    unlink(path);

    ft_profile profile;
    struct stat info = {0};
    if (ft_profile_init(&profile, &ft_mem_system) != FT_OK)
        die("starting", FT_ERR_MEMORY);
    make_codes(&profile);
    make_tree(&profile, nodes);
    for (int i = 0; i < rounds; i++) {
        if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
            die("starting a round", FT_ERR_IO);
        writes[i] = time_write(fd, &profile);
        fstat(fd, &info);
        reads[i] = time_read(fd, (size_t)info.st_size);
    }
    printf("%" PRIu32 " nodes, %d rounds, %jd bytes\n", nodes, rounds, (intmax_t)info.st_size);
    print_times("write", writes, rounds);
    print_times("read", reads, rounds);
    ft_profile_fini(&profile);
    close(fd);
    return 0;
}
