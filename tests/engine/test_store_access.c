/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_access.c: a store that this user may only read, that others own or could write, that a
 * newer fettle wrote; links in the place of files; clocks that were set back; forks; and claims, of
 * which no two processes have the same. */
#include "tests/engine/folders.h"
#include "tests/engine/store_values.h"
#include "tests/engine/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 200, ANOTHER_USER = 12345, PATH_BYTES = FOLDER_BYTES + 60, CLAIMERS = 4 };

static char folder[FOLDER_BYTES + 20];

static void make_store(void)
{
    ft_store *store;
    int kept = 0;
    folder_remove(folder);
    REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
    for (uint32_t i = 0; i < KEYS; i++)
        kept += value_put(store, i);
    CHECK(kept == (int)KEYS);
    ft_store_close(store);
}

static const char *path_of(const char *name)
{
    static char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static uint64_t state; /* of a folder: names, sizes, bytes; nftw has no context */

static int add_to_state(const char *path, const struct stat *is, int kind, struct FTW *where)
{
    (void)where;
    for (const char *at = path; *at != 0; at++)
        state = state * 31 + (uint8_t)*at;
    state = state * 31 + (uint64_t)is->st_mode + (uint64_t)is->st_uid;
    int byte;
    FILE *file = kind == FTW_F ? fopen(path, "rb") : NULL;
    while (file != NULL && (byte = getc(file)) != EOF)
        state = state * 31 + (uint64_t)byte;
    if (file != NULL)
        fclose(file);
    return 0;
}

static uint64_t state_of_folder(void)
{
    state = 0;
    nftw(folder, add_to_state, 16, FTW_PHYS);
    return state;
}

/* Everything that would write. */
static bool writes_nothing(ft_store *store)
{
    uint64_t removed, id;
    bool found;
    const ft_bounds none = {0, 0, 0};
    bool right = !value_put(store, 1) && !value_put(store, KEYS + 1);
    ft_store_remove(store, value_key(2), &found);
    right &= !found;
    ft_store_clear(store, 0, &removed);
    right &= removed == 0;
    right &= ft_store_reduce(store, &none, &removed) == FT_ERR_IO && removed == 0;
    right &= ft_store_name_function(store, "module.f", &id) == FT_OK;
    right &= ft_store_count(store, "module.f", 1, 1, 1) == FT_OK;
    return right;
}

static int count_found(ft_store *store)
{
    int found = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        value_found got = value_get(store, i, FT_VIEW_SHARED);
        found += got == VALUE_RIGHT ? 1 : got == VALUE_WRONG ? -KEYS : 0;
    }
    return found;
}

/* Opens a store that must not be touched; whether it says why, and stays as it was. */
static bool refuses(unsigned trouble)
{
    ft_store *store;
    uint64_t before = state_of_folder();
    if (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
        return false;
    bool right = ft_store_take_troubles(store) == trouble && !ft_store_usable(store);
    right &= count_found(store) == 0 && writes_nothing(store);
    ft_store_close(store);
    return right && state_of_folder() == before;
}

/* ---- another version ---- */

/* A head or an index says that a newer fettle wrote it: its version, and a check that is right. */
static void make_newer(const char *name, size_t version_at, size_t check_at, bool under_secret)
{
    uint8_t bytes[64];
    uint8_t head[64];
    ft_secret secret;
    int fd = open(path_of("head"), O_RDONLY);
    REQUIRE(read(fd, head, sizeof head) == sizeof head);
    close(fd);
    ft_secret_init(&secret, head + 24);
    fd = open(path_of(name), O_RDWR);
    REQUIRE(pread(fd, bytes, sizeof bytes, 0) == sizeof bytes);
    bytes[version_at]++;
    uint64_t check =
        under_secret ? ft_checksum_of(&secret, bytes, check_at) : XXH3_64bits(bytes, check_at);
    memcpy(bytes + check_at, &check, sizeof check);
    REQUIRE(pwrite(fd, bytes, check_at + 8, 0) == (ssize_t)(check_at + 8));
    close(fd);
}

static void test_newer(void)
{
    make_store();
    make_newer("head", 8, 56, false);
    CHECK(refuses(FT_TROUBLE_NEWER));
    make_store();
    make_newer("index", 8, 16, true);
    CHECK(refuses(FT_TROUBLE_NEWER));
}

/* ---- users ---- */

static void test_others(void)
{
    const char *names[] = {"lock", "index", "head"};
    make_store();
    CHECK(chmod(folder, 0770) == 0 && refuses(FT_TROUBLE_FOREIGN));
    CHECK(chmod(folder, 0702) == 0 && refuses(FT_TROUBLE_FOREIGN));
    CHECK(chmod(folder, 0755) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(chmod(path_of(names[i]), 0620) == 0 && refuses(FT_TROUBLE_FOREIGN));
        CHECK(chmod(path_of(names[i]), 0600) == 0);
    }
    if (geteuid() == 0) {
        CHECK(chown(folder, ANOTHER_USER, ANOTHER_USER) == 0 && refuses(FT_TROUBLE_FOREIGN));
        CHECK(chown(folder, 0, 0) == 0);
    }
    ft_store *store;
    REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
    CHECK(count_found(store) == (int)KEYS);
    ft_store_close(store);
    CHECK(chmod(path_of("00000001.log"), 0620) == 0);
    REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
    CHECK(count_found(store) == 0 && ft_store_take_troubles(store) == FT_TROUBLE_FOREIGN);
    CHECK(chmod(path_of("00000001.log"), 0600) == 0 && count_found(store) == (int)KEYS);
    ft_store_close(store);
}

/* No file is opened through a link. */
static void test_links(void)
{
    const char *names[] = {"index", "00000001.log", "functions", "head", "lock", "claims"};
    char victim[FOLDER_BYTES + 20];
    struct stat is;
    snprintf(victim, sizeof victim, "%.*s/victim", (int)(strrchr(folder, '/') - folder), folder);
    for (int i = 0; i < 6; i++) {
        ft_store *store;
        uint64_t removed;
        make_store();
        CHECK(truncate(victim, 5000) == 0 || close(creat(victim, 0600)) == 0);
        CHECK(truncate(victim, 5000) == 0);
        unlink(path_of(names[i]));
        CHECK(symlink(victim, path_of(names[i])) == 0);
        if (ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK) {
            CHECK(count_found(store) >= 0);
            value_put(store, 3);
            ft_store_count(store, "module.f", 1, 1, 1);
            ft_store_clear(store, 0, &removed);
            value_put(store, 4);
            ft_store_close(store);
        }
        CHECK(stat(victim, &is) == 0 && is.st_size == 5000);
    }
}

static void in_child(void (*work)(void))
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        tap_failed = 0;
        work();
        _exit(tap_failed != 0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void read_only(void)
{
    ft_store *store;
    if (geteuid() == 0 && (setgid(ANOTHER_USER) < 0 || setuid(ANOTHER_USER) < 0))
        _exit(2);
    if (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
        _exit(3);
    tap_failed += ft_store_take_troubles(store) != FT_TROUBLE_READ_ONLY;
    tap_failed += count_found(store) != (int)KEYS || !writes_nothing(store);
    tap_failed += count_found(store) != (int)KEYS || ft_store_take_troubles(store) != 0;
    ft_store_close(store);
}

static int give_away(const char *path, const struct stat *is, int kind, struct FTW *where)
{
    (void)is;
    (void)where;
    int failed = geteuid() == 0 ? chown(path, ANOTHER_USER, ANOTHER_USER) : 0;
    return failed || chmod(path, kind == FTW_F ? 0400 : 0500);
}

static int take_back(const char *path, const struct stat *is, int kind, struct FTW *where)
{
    (void)is;
    (void)where;
    return chmod(path, kind == FTW_F ? 0600 : 0700);
}

static void test_read_only(void)
{
    char above[FOLDER_BYTES + 20];
    snprintf(above, sizeof above, "%.*s", (int)(strrchr(folder, '/') - folder), folder);
    make_store();
    CHECK(chmod(above, 0711) == 0);
    CHECK(nftw(folder, give_away, 16, FTW_PHYS) == 0);
    in_child(read_only);
    CHECK(nftw(folder, take_back, 16, FTW_PHYS) == 0);
}

/* ---- clocks ---- */

/* The store was born in the future: the clock was set back since. */
static void test_clock(void)
{
    uint8_t head[64];
    ft_store *store;
    uint64_t born = UINT64_C(4000000000) * 1000000000, removed;
    folder_remove(folder);
    REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
    ft_store_close(store);
    int fd = open(path_of("head"), O_RDWR);
    REQUIRE(pread(fd, head, sizeof head, 0) == sizeof head);
    memcpy(head + 16, &born, sizeof born);
    uint64_t check = XXH3_64bits(head, 56);
    memcpy(head + 56, &check, sizeof check);
    REQUIRE(pwrite(fd, head, sizeof head, 0) == sizeof head);
    close(fd);
    REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
    for (uint32_t i = 0; i < KEYS; i++)
        CHECK(value_put(store, i));
    CHECK(count_found(store) == (int)KEYS);
    const ft_bounds young = {UINT64_MAX, UINT64_MAX, 1000000000},
                    few = {UINT64_MAX, 20, UINT64_MAX};
    CHECK(ft_store_reduce(store, &young, &removed) == FT_OK && removed == 0);
    CHECK(ft_store_reduce(store, &few, &removed) == FT_OK && removed == KEYS - 20);
    CHECK(count_found(store) == 20 && ft_store_check(store) == FT_OK);
    ft_store_close(store);
}

/* ---- forks ---- */

static ft_store *forked;

static void abandon_and_open(void)
{
    ft_store *own;
    ft_store_abandon(forked);
    tap_failed += ft_store_open(&own, folder, 0, &ft_mem_system) != FT_OK;
    tap_failed += count_found(own) != (int)KEYS || !value_put(own, KEYS + 7);
    for (uint32_t i = 0; i < KEYS; i++)
        tap_failed += !value_put(own, i);
    tap_failed += ft_store_claim(own, value_key(9)) != FT_CLAIM_OTHERS; /* of the parent */
    ft_store_release(own, value_key(9));
    ft_store_close(own);
}

/* The parent goes on while a child uses the same store by a handle of its own. */
static void test_fork(void)
{
    make_store();
    REQUIRE(ft_store_open(&forked, folder, 0, &ft_mem_system) == FT_OK);
    CHECK(ft_store_claim(forked, value_key(9)) == FT_CLAIM_MINE);
    in_child(abandon_and_open);
    CHECK(count_found(forked) == (int)KEYS);
    CHECK(value_get(forked, KEYS + 7, FT_VIEW_COPY) == VALUE_RIGHT);
    CHECK(value_put(forked, KEYS + 8) && ft_store_check(forked) == FT_OK);
    in_child(abandon_and_open); /* the claim is still there */
    ft_store_close(forked);
}

enum { OPENERS = 8, ROUNDS = 20 };

/* Many open a store that is not there yet, or whose head is damaged, at once: it is one store. */
static void test_opened_at_once(bool damaged)
{
    int lost = 0, failed = 0, status;
    for (int round = 0; round < ROUNDS; round++) {
        ft_store *store;
        if (damaged)
            CHECK(truncate(path_of("head"), 20) == 0);
        else
            folder_remove(folder);
        for (uint32_t i = 0; i < OPENERS; i++)
            if (fork() == 0) {
                if (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
                    _exit(1);
                bool kept = value_put(store, i);
                ft_store_close(store);
                _exit(!kept);
            }
        while (wait(&status) > 0)
            failed += status != 0;
        REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
        for (uint32_t i = 0; i < OPENERS; i++)
            lost += value_get(store, i, FT_VIEW_COPY) != VALUE_RIGHT;
        ft_store_close(store);
    }
    CHECK(failed == 0);
    CHECK(lost == 0);
}

static bool is_whole(void *context, const ft_kept_function *function)
{
    size_t length = strlen(function->name);
    *(bool *)context = length == 397 && (uint8_t)function->name[length - 3] == 0xe2;
    return true;
}

/* A name that is too long ends with a whole character. */
static void test_long_name(void)
{
    char name[1 + 3 * 150 + 1] = "f";
    ft_store *store;
    uint64_t id;
    bool whole = false;
    for (int i = 0; i < 150; i++)
        memcpy(name + 1 + 3 * i, "\xe2\x82\xac", 4);
    folder_remove(folder);
    REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
    CHECK(ft_store_name_function(store, name, &id) == FT_OK);
    CHECK(ft_store_each_function(store, is_whole, &whole) == FT_OK && whole);
    ft_store_close(store);
}

/* ---- claims ---- */

typedef struct shared {
    volatile int owners[16]; /* of each key, processes that think so */
    volatile int doubles, mine;
} shared;

static shared *common;

static _Noreturn void claim_for_ever(uint64_t seed)
{
    ft_store *store;
    random_source source = {seed};
    if (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
        _exit(1);
    for (;;) {
        uint32_t key = random_below(&source, 16);
        if (ft_store_claim(store, value_key(key)) != FT_CLAIM_MINE)
            continue;
        common->owners[key] = getpid();
        usleep(random_below(&source, 50));
        common->mine++;
        common->doubles += common->owners[key] != getpid();
        common->owners[key] = 0;
        ft_store_release(store, value_key(key));
    }
}

static pid_t start_claimer(uint64_t seed)
{
    pid_t child = fork();
    if (child == 0)
        claim_for_ever(seed);
    return child;
}

static void test_claims_of_many(void)
{
    pid_t claimers[CLAIMERS];
    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(common != MAP_FAILED);
    for (int i = 0; i < CLAIMERS; i++)
        claimers[i] = start_claimer((uint64_t)i);
    for (int i = 0; i < 60; i++) {
        usleep(5000);
        kill(claimers[i % CLAIMERS], SIGKILL);
        waitpid(claimers[i % CLAIMERS], NULL, 0);
        claimers[i % CLAIMERS] = start_claimer((uint64_t)i + 100);
    }
    for (int i = 0; i < CLAIMERS; i++) {
        kill(claimers[i], SIGKILL);
        waitpid(claimers[i], NULL, 0);
    }
    CHECK(common->mine > 100);
    CHECK(common->doubles == 0);
}

/* What a child answers, and does when it is told by one letter. */
static _Noreturn void obey(int commands, int answers)
{
    ft_store *store;
    char command;
    if (ft_store_open(&store, folder, 0, &ft_mem_system) != FT_OK)
        _exit(1);
    while (read(commands, &command, 1) == 1) {
        char answer = 0;
        if (command == 'c')
            answer = (char)ft_store_claim(store, value_key(1));
        else if (command == 'r')
            ft_store_release(store, value_key(1));
        else if (command == 'w')
            ft_store_wait_begin(store);
        else if (command == 'e')
            ft_store_wait_end(store);
        else if (command == 'b')
            for (clock_t until = clock() + CLOCKS_PER_SEC / 10; clock() < until;)
                continue;
        if (write(answers, &answer, 1) != 1)
            break;
    }
    _exit(0);
}

static ft_claim tell(const int pipes[4], char command)
{
    char answer = 99;
    if (write(pipes[1], &command, 1) != 1 || read(pipes[2], &answer, 1) != 1)
        return (ft_claim)99;
    return (ft_claim)answer;
}

static void test_claims(void)
{
    ft_store *store;
    int pipes[4], status;
    REQUIRE(pipe(pipes) == 0 && pipe(pipes + 2) == 0);
    REQUIRE(ft_store_open(&store, folder, 0, &ft_mem_system) == FT_OK);
    pid_t child = fork();
    if (child == 0)
        obey(pipes[0], pipes[3]);
    CHECK(tell(pipes, 'c') == FT_CLAIM_MINE);
    CHECK(ft_store_claim(store, value_key(1)) == FT_CLAIM_OTHERS);
    CHECK(ft_store_claim(store, value_key(2)) == FT_CLAIM_MINE);
    tell(pipes, 'w');
    CHECK(ft_store_claim(store, value_key(1)) == FT_CLAIM_WAITING);
    tell(pipes, 'w'); /* another thread of it waits too, and one of the two goes on */
    tell(pipes, 'e');
    CHECK(ft_store_claim(store, value_key(1)) == FT_CLAIM_WAITING);
    uint64_t used = ft_store_owner_cpu(store, value_key(1));
    CHECK(used < UINT64_C(60) * 1000000000);
    tell(pipes, 'b'); /* it works for a while */
    CHECK(ft_store_owner_cpu(store, value_key(1)) >= used + 40000000);
    CHECK(ft_store_owner_cpu(store, value_key(9)) == UINT64_MAX); /* nobody's */
    tell(pipes, 'e');
    CHECK(ft_store_claim(store, value_key(1)) == FT_CLAIM_OTHERS);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    CHECK(ft_store_claim(store, value_key(1)) == FT_CLAIM_STOPPED);
    kill(child, SIGCONT);
    tell(pipes, 'r');
    CHECK(ft_store_claim(store, value_key(1)) == FT_CLAIM_MINE);
    CHECK(tell(pipes, 'c') == FT_CLAIM_OTHERS);
    ft_store_release(store, value_key(1));
    CHECK(tell(pipes, 'c') == FT_CLAIM_MINE);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    CHECK(ft_store_claim(store, value_key(1)) == FT_CLAIM_MINE);
    ft_store_close(store);
    for (int i = 0; i < 4; i++)
        close(pipes[i]);
}

int main(void)
{
    char name[FOLDER_BYTES];
    folder_make(name);
    snprintf(folder, sizeof folder, "%s/store", name);
    test_newer();
    test_others();
    test_links();
    test_read_only();
    folder_remove(folder);
    test_clock();
    test_fork();
    test_opened_at_once(false);
    test_opened_at_once(true);
    test_long_name();
    test_claims();
    test_claims_of_many();
    folder_remove(name);
    return tap_end();
}
