/* SPDX-License-Identifier: Apache-2.0 */
/* test_memo_sharing.c: threads over one table whose lock they share, and threads that have a table
 * each and no lock: tables have nothing in common. The thread sanitizer looks on. */
#include <pthread.h>
#include <string.h>

#include "engine/cache/policy.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { THREADS = 8, STEPS = 20000, KEYS = 300 };

typedef struct shared {
    pthread_mutex_t lock;
    ft_memo_table table;     /* the lock protects it and what follows */
    uint32_t puts[KEYS];     /* of a key: how often it was put in, */
    uint32_t leavings[KEYS]; /* and how often it came out */
    uint64_t hits;
} shared;

typedef struct worker {
    shared *with;
    uint64_t seed, hits, digest;
    uint32_t most;
    bool good;
} worker;

static uint32_t hash_of(uint32_t key)
{
    return key % 5 == 0 ? key : key * UINT32_C(0x9E3779B9);
}

static void *pointer_of(uint32_t key)
{
    return (void *)((uintptr_t)key + 1);
}

static uint32_t find(const ft_memo_table *table, uint32_t key)
{
    uint32_t number, hash = hash_of(key);
    ft_index_probe probe = ft_memo_probe_begin(table, hash);
    while ((number = ft_memo_probe_next(table, &probe, hash)) != FT_MEMO_NONE)
        if (table->entries[number].key == pointer_of(key))
            break;
    return number;
}

/* What came out is what was put in. */
static void leave(worker *of, ft_memo_pair pair)
{
    uintptr_t key = (uintptr_t)pair.key - 1;
    of->good &= key < KEYS && (uintptr_t)pair.value == 2 * key + 1;
    if (key < KEYS)
        of->with->leavings[key]++;
    of->digest = (of->digest ^ key) * UINT64_C(0x100000001b3);
}

static void empty(worker *of)
{
    ft_memo_table taken;
    ft_memo_table_take(&of->with->table, &taken);
    for (uint32_t at = 0; (at = ft_memo_table_next(&taken, at)) != FT_MEMO_NONE; at++)
        leave(of, (ft_memo_pair){taken.entries[at].key, taken.entries[at].value});
    ft_memo_table_fini(&taken);
}

/* One request, under the lock where there is one. */
static void ask(worker *of, random_source *source)
{
    ft_memo_table *table = &of->with->table;
    uint32_t key = random_below(source, 1 + random_below(source, KEYS));
    uint32_t number = find(table, key), what = random_below(source, 2000);
    ft_memo_pair evicted;
    if (what == 0) {
        empty(of);
    } else if (number == FT_MEMO_NONE) {
        of->good &= ft_memo_table_put(table, hash_of(key), pointer_of(key),
                                      (void *)(2 * (uintptr_t)key + 1), &evicted, NULL) == FT_OK;
        of->with->puts[key]++;
        if (evicted.key != NULL)
            leave(of, evicted);
    } else if (what < 100) {
        leave(of, ft_memo_table_remove(table, number));
    } else {
        ft_memo_table_hit(table, number);
        of->with->hits++;
        of->hits++;
    }
    if (what == 1999)
        ft_memo_table_check(table);
}

/* Nothing was lost, and nothing came out twice. */
static bool is_sum(shared *of, worker *last)
{
    uint32_t puts = 0;
    bool good = true;
    ft_memo_table_check(&of->table);
    last->with = of;
    empty(last);
    for (uint32_t i = 0; i < KEYS; i++) {
        good &= of->puts[i] == of->leavings[i];
        puts += of->puts[i];
    }
    ft_memo_table_fini(&of->table);
    return good && last->good && puts > KEYS;
}

static void *work_together(void *context)
{
    worker *of = context;
    random_source source = {of->seed};
    for (uint32_t i = 0; i < STEPS; i++) {
        pthread_mutex_lock(&of->with->lock);
        ask(of, &source);
        pthread_mutex_unlock(&of->with->lock);
    }
    return NULL;
}

static void run_threads(worker *workers, void *(*work)(void *))
{
    pthread_t threads[THREADS];
    for (uint32_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            abort();
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static bool together(const ft_policy *policy, uint32_t most)
{
    static shared with;
    worker workers[THREADS], last = {.good = true};
    uint64_t hits = 0;
    bool good = true;
    memset(&with, 0, sizeof with);
    pthread_mutex_init(&with.lock, NULL);
    ft_memo_table_init(&with.table, &ft_mem_system, policy, most, true);
    for (uint32_t i = 0; i < THREADS; i++)
        workers[i] = (worker){.with = &with, .seed = 100 + i, .good = true};
    run_threads(workers, work_together);
    for (uint32_t i = 0; i < THREADS; i++) {
        good &= workers[i].good;
        hits += workers[i].hits;
    }
    good &= with.hits == hits && hits > 0;
    pthread_mutex_destroy(&with.lock);
    return is_sum(&with, &last) && good;
}

/* A table of one's own; the digest says what went, in what order. */
static void *work_alone(void *context)
{
    worker *of = context;
    random_source source = {of->seed};
    shared *with = calloc(1, sizeof *with);
    if (with == NULL)
        abort();
    of->with = with;
    const ft_policy *policy = ft_policies[of->seed % 3];
    ft_memo_table_init(&with->table, &ft_mem_system, policy, of->most, of->seed % 2 == 0);
    for (uint32_t i = 0; i < STEPS; i++)
        ask(of, &source);
    of->good &= is_sum(with, of);
    free(with);
    return NULL;
}

/* Tables of threads that run at once do what they do one after the other. */
static bool apart(void)
{
    worker first[THREADS], again[THREADS];
    bool good = true;
    for (uint32_t i = 0; i < THREADS; i++) {
        first[i] = (worker){.seed = i, .most = 5 + 30 * i, .good = true};
        again[i] = first[i];
        work_alone(&first[i]);
    }
    run_threads(again, work_alone);
    for (uint32_t i = 0; i < THREADS; i++) {
        good &= first[i].good && again[i].good && first[i].hits == again[i].hits;
        good &= first[i].digest == again[i].digest && first[i].digest != 0;
    }
    return good;
}

int main(void)
{
    for (const ft_policy *const *policy = ft_policies; *policy != NULL; policy++)
        CHECK(together(*policy, 60));
    CHECK(together(NULL, FT_MEMO_UNBOUNDED));
    CHECK(apart());
    return tap_end();
}
