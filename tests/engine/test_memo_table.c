/* SPDX-License-Identifier: Apache-2.0 */
/* test_memo_table.c: a cache's table against plain arrays that are searched from end to end: each
 * pair that was put in comes out once, an entry keeps its number, a search finds what is there.
 * Which entry goes is test_policies.c. */
#include "engine/cache/memo_table.h"

#include "engine/cache/policy.h"
#include "tests/engine/moving_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { KEYS = 240, STEPS = 400, SEEDS = 3, MANY = 30000 };

/* What the hashes of a run are like. */
enum { ANY, EQUAL, ONE_HOME, TOP_BITS, BOTH_ENDS, FEW, EVEN, HASH_KINDS };

typedef struct known { /* of one key, what the table should know */
    void *value;
    uint64_t stamp;
    uint32_t hash, number;
    bool in;
} known;

typedef struct run {
    moving_mem mem;
    ft_memo_table table;
    random_source source;
    known keys[KEYS];
    uint64_t evictions;
    uintptr_t serial; /* values are numbers; each put has its own */
    uint32_t count, most;
    bool good;
} run;

static uint32_t draw_hash(random_source *source, int kind, uint32_t key)
{
    uint32_t small = random_below(source, 40);
    switch (kind) {
    case EQUAL:
        return UINT32_C(0x80000001);
    case ONE_HOME: /* of any index that is smaller than 2^24 */
        return UINT32_C(0x40000000) + key;
    case TOP_BITS:
        return random_below(source, 16) << 28;
    case BOTH_ENDS: /* those that are pushed over the end meet those of the beginning */
        return random_below(source, 4) == 0 ? small : UINT32_MAX - small;
    case FEW:
        return random_below(source, 5) * UINT32_C(0x33333333);
    case EVEN:
        return key * UINT32_C(0x9E3779B9) & ~UINT32_C(3);
    default:
        return (uint32_t)random_next(source);
    }
}

static void *key_of(uint32_t number)
{
    return (void *)((uintptr_t)number + 1);
}

static void begin(run *of, uint64_t seed, const ft_policy *policy, uint32_t most, int kind)
{
    *of = (run){.source = {seed}, .most = most, .good = true};
    moving_mem_init(&of->mem);
    ft_memo_table_init(&of->table, &of->mem.mem, policy, most, seed % 2 == 0);
    for (uint32_t i = 0; i < KEYS; i++)
        of->keys[i].hash = draw_hash(&of->source, kind, i);
}

static bool expect(run *of, bool held, const char *what)
{
    if (!held && of->good)
        printf("# %s\n", what);
    of->good &= held;
    return held;
}

/* ---- looking ---- */

/* The entry of a key. A search comes once to each entry with the key's hash, and to no other. */
static uint32_t find(run *of, uint32_t key)
{
    uint32_t hash = of->keys[key].hash, number, found = FT_MEMO_NONE, seen = 0, right = 0;
    bool come[KEYS] = {false};
    ft_index_probe probe = ft_memo_probe_begin(&of->table, hash);
    while ((number = ft_memo_probe_next(&of->table, &probe, hash)) != FT_MEMO_NONE && seen < KEYS) {
        const ft_memo_entry *entry = &of->table.entries[number];
        uintptr_t at = (uintptr_t)entry->key - 1;
        expect(of, at < KEYS && entry->hash == hash && of->keys[at].hash == hash, "hash found");
        expect(of, at < KEYS && of->keys[at].in && !come[at], "found once, and is there");
        if (at < KEYS)
            come[at] = true;
        if (at == key)
            found = number;
        seen++;
    }
    for (uint32_t i = 0; i < KEYS; i++)
        right += of->keys[i].in && of->keys[i].hash == hash;
    expect(of, seen == right, "all of a hash are found");
    expect(of, found == (of->keys[key].in ? of->keys[key].number : FT_MEMO_NONE), "found");
    return found;
}

/* Holds the table what it should, where it should? */
static void compare(run *of)
{
    const ft_memo_table *table = &of->table;
    uint32_t seen = 0;
    ft_memo_table_check(table);
    expect(of, table->count == of->count && table->evictions == of->evictions, "counts");
    expect(of, of->most == 0 || of->count <= of->most, "the most");
    for (uint32_t i = 0; i < KEYS; i++) {
        const known *key = &of->keys[i];
        if (!key->in)
            continue;
        const ft_memo_entry *entry = &table->entries[key->number];
        expect(of, entry->key == key_of(i) && entry->value == key->value, "pair");
        expect(of, entry->hash == key->hash, "hash");
        expect(of, !table->stamped || table->stamps[key->number] == key->stamp, "stamp");
    }
    for (uint32_t at = 0; (at = ft_memo_table_next(table, at)) != FT_MEMO_NONE; at++, seen++)
        expect(of, of->keys[(uintptr_t)table->entries[at].key - 1].number == at, "next");
    expect(of, seen == of->count, "next comes to all");
    uint64_t bytes = ft_memo_table_bytes(table);
    expect(of, of->mem.refused > 0 ? bytes <= of->mem.bytes : bytes == of->mem.bytes, "bytes");
}

/* ---- changing ---- */

/* A pair came out: it must have been in. */
static void leave(run *of, ft_memo_pair pair)
{
    uintptr_t key = (uintptr_t)pair.key - 1;
    if (!expect(of, key < KEYS && of->keys[key].in, "what comes out was in"))
        return;
    expect(of, pair.value == of->keys[key].value, "its value");
    of->keys[key].in = false;
    of->count--;
}

static void put(run *of, uint32_t key)
{
    ft_memo_pair evicted = {&of->mem, &of->table};
    uint32_t number = 12345;
    bool full = of->count == of->most && of->most > 0;
    uint64_t version = of->table.version;
    const ft_memo_entry *entries = of->table.entries;
    long refused = of->mem.refused;
    void *value = (void *)++of->serial;
    ft_status status =
        ft_memo_table_put(&of->table, of->keys[key].hash, key_of(key), value, &evicted, &number);
    if (status != FT_OK) { /* as if nothing had been: the caller may hold an entry */
        expect(of, status == FT_ERR_MEMORY && of->mem.refused > refused, "failure");
        expect(of, evicted.key == &of->mem && evicted.value == &of->table && number == 12345,
               "a failure says nothing");
        expect(of, of->table.version == version && of->table.entries == entries, "nothing moved");
        return;
    }
    expect(of, full == (evicted.key != NULL) && of->table.version != version, "evicts when full");
    of->evictions += full;
    if (full)
        leave(of, evicted);
    of->keys[key] = (known){value, FT_MEMO_NEVER, of->keys[key].hash, number, true};
    of->count++;
    compare(of);
    if (!of->table.stamped || random_below(&of->source, 2) == 0)
        return;
    of->table.stamps[number] = of->keys[key].stamp = random_next(&of->source);
}

static void use(run *of, uint32_t key)
{
    uint64_t version = of->table.version;
    uint32_t number = find(of, key);
    if (number != FT_MEMO_NONE)
        ft_memo_table_hit(&of->table, number);
    expect(of, of->table.version == version, "version after a hit");
    if (number == FT_MEMO_NONE)
        put(of, key);
}

static void forget(run *of, uint32_t key)
{
    uint64_t version = of->table.version;
    uint32_t number = find(of, key);
    if (number == FT_MEMO_NONE)
        return;
    ft_memo_pair pair = ft_memo_table_remove(&of->table, number);
    expect(of, pair.key == key_of(key) && of->table.version != version, "removed");
    leave(of, pair);
}

static void take(run *of)
{
    ft_memo_table taken;
    uint64_t version = of->table.version;
    ft_memo_table_take(&of->table, &taken);
    ft_memo_table_check(&taken);
    expect(of, of->table.version != version && of->table.count == 0, "taken");
    expect(of, ft_memo_table_bytes(&of->table) == 0, "bytes of what is empty");
    expect(of, of->mem.refused > 0 || ft_memo_table_bytes(&taken) == of->mem.bytes, "bytes taken");
    for (uint32_t at = 0; (at = ft_memo_table_next(&taken, at)) != FT_MEMO_NONE; at++) {
        ft_memo_table_hit(&taken, at); /* no policy, no order */
        if (at % 2 == 0)
            leave(of, (ft_memo_pair){taken.entries[at].key, taken.entries[at].value});
        else
            leave(of, ft_memo_table_remove(&taken, at));
    }
    ft_memo_table_check(&taken);
    expect(of, of->count == 0, "all of it is taken");
    ft_memo_table_fini(&taken);
    expect(of, of->mem.bytes == 0, "nothing is left of what was taken");
}

static bool run_steps(run *of)
{
    uint32_t span = of->most == 0 ? KEYS : of->most * 3 < KEYS ? of->most * 3 : KEYS;
    for (uint32_t i = 0; i < STEPS && of->good; i++) {
        uint32_t key = random_below(&of->source, span), what = random_below(&of->source, 400);
        if (what == 0)
            take(of);
        else if (what < 60)
            forget(of, key);
        else
            use(of, key);
        compare(of);
    }
    take(of);
    ft_memo_table_fini(&of->table);
    expect(of, of->mem.bytes == 0, "nothing is left");
    return of->good;
}

/* ---- tests ---- */

static const uint32_t mosts[] = {1, 2, 3, 8, 100};

static bool runs_well(uint64_t seed, const ft_policy *policy, uint32_t most, int kind)
{
    static run of;
    begin(&of, seed, policy, most, kind);
    if (run_steps(&of))
        return true;
    printf("# seed %u, %s of %u, hashes %d\n", (unsigned)seed,
           policy == NULL ? "no policy" : policy->name, most, kind);
    return false;
}

static void test_against_arrays(void)
{
    bool bounded = true, unbounded = true;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int kind = 0; kind < HASH_KINDS; kind++) {
            unbounded &= runs_well(seed, NULL, FT_MEMO_UNBOUNDED, kind);
            for (const ft_policy *const *policy = ft_policies; *policy != NULL; policy++)
                for (size_t i = 0; i < sizeof mosts / sizeof *mosts; i++)
                    bounded &= runs_well(seed, *policy, mosts[i], kind);
        }
    CHECK(bounded);
    CHECK(unbounded);
}

/* Memory is refused once, twice in a row, or for ever, from each allocation on: puts fail, or get
 * through with a policy that remembers less, and all else goes on. */
static bool survives(const ft_policy *policy, uint32_t most, long width, uint64_t seed)
{
    static run of;
    for (long from = 0; from < 1000; from++) {
        begin(&of, seed, policy, most, from % 2 == 0 ? ANY : BOTH_ENDS);
        of.mem.refuse_from = from;
        of.mem.refuse_end = width > LONG_MAX - from ? LONG_MAX : from + width;
        if (!run_steps(&of)) {
            printf("# refused from %ld on\n", from);
            return false;
        }
        if (of.mem.refused == 0)
            return from > 3;
    }
    return false;
}

static void test_refused_memory(void)
{
    static const long widths[] = {1, 2, LONG_MAX};
    bool good = true;
    for (uint64_t seed = 0; seed < 2; seed++)
        for (int i = 0; i < 3; i++) {
            good &= survives(NULL, FT_MEMO_UNBOUNDED, widths[i], seed);
            good &= survives(ft_policy_find("lru"), 30, widths[i], seed);
            good &= survives(ft_policy_find("car"), 30, widths[i], seed);
            good &= survives(ft_policy_find("car"), 1, widths[i], seed);
        }
    CHECK(good);
}

static ft_status fill(const ft_mem *mem)
{
    ft_memo_table table;
    ft_memo_pair evicted;
    ft_status status = FT_OK;
    uint32_t made = 0, number;
    ft_memo_table_init(&table, mem, NULL, FT_MEMO_UNBOUNDED, true);
    for (; made < 300 && status == FT_OK; made += status == FT_OK)
        status = ft_memo_table_put(&table, made * UINT32_C(0x9E3779B9), key_of(made), NULL,
                                   &evicted, &number);
    ft_memo_table_check(&table);
    if (table.count != made)
        status = FT_ERR_CORRUPT;
    ft_memo_table_fini(&table);
    return status;
}

/* One that grows large: what the index and the entries' numbers need more bits for. */
static void test_growth(void)
{
    moving_mem mem;
    ft_memo_table table;
    ft_memo_pair evicted;
    bool good = true, kept = true;
    uint32_t number, found;
    moving_mem_init(&mem);
    ft_memo_table_init(&table, &mem.mem, NULL, FT_MEMO_UNBOUNDED, false);
    for (uint32_t i = 0; i < MANY; i++) {
        good &= ft_memo_table_put(&table, i * UINT32_C(0x9E3779B9), key_of(i), NULL, &evicted,
                                  &number) == FT_OK;
        good &= number == i && evicted.key == NULL && ft_memo_table_bytes(&table) == mem.bytes;
    }
    ft_memo_table_check(&table);
    CHECK(good && table.count == MANY);
    CHECK(mem.bytes <= UINT64_C(60) * MANY);
    for (uint32_t i = 0; i < MANY; i++) { /* hashes differ: an odd factor */
        ft_index_probe probe = ft_memo_probe_begin(&table, i * UINT32_C(0x9E3779B9));
        found = ft_memo_probe_next(&table, &probe, i * UINT32_C(0x9E3779B9));
        kept &= found == i;
        if (i % 3 == 0 && found == i)
            kept &= ft_memo_table_remove(&table, i).key == key_of(i);
    }
    ft_memo_table_check(&table);
    CHECK(kept && table.count == MANY - MANY / 3);
    ft_memo_table_fini(&table);
    CHECK(mem.bytes == 0);
}

/* A table that may not grow and has no policy says so. FT_MEMO_MOST is more than a test can fill,
 * so the most is set to less. */
static void test_limit(void)
{
    ft_memo_table table;
    ft_memo_pair evicted = {key_of(0), NULL};
    uint32_t number = 77;
    bool good = true;
    ft_memo_table_init(&table, &ft_mem_system, NULL, FT_MEMO_UNBOUNDED, false);
    CHECK(table.most == FT_MEMO_MOST);
    table.most = 21;
    for (uint32_t i = 0; i < 21; i++)
        good &= ft_memo_table_put(&table, i << 27, key_of(i), NULL, &evicted, NULL) == FT_OK;
    uint64_t version = table.version;
    CHECK(good && table.count == 21);
    evicted.key = &table;
    CHECK(ft_memo_table_put(&table, 5, key_of(99), NULL, &evicted, &number) == FT_ERR_LIMIT);
    CHECK(evicted.key == &table && number == 77 && table.count == 21 && table.version == version);
    CHECK(table.evictions == 0);
    ft_memo_table_check(&table);
    CHECK(ft_memo_table_remove(&table, 4).key == key_of(4));
    CHECK(ft_memo_table_put(&table, 5, key_of(99), NULL, &evicted, &number) == FT_OK);
    CHECK(number == 4);
    ft_memo_table_fini(&table);
}

/* Nothing was ever put in, or everything is gone. */
static void test_empty(void)
{
    ft_memo_table table, taken;
    ft_index_probe probe;
    ft_memo_table_init(&table, &ft_mem_system, ft_policy_find("car"), 5, true);
    for (int i = 0; i < 2; i++) {
        probe = ft_memo_probe_begin(&table, UINT32_MAX);
        CHECK(ft_memo_probe_next(&table, &probe, UINT32_MAX) == FT_MEMO_NONE);
        CHECK(ft_memo_table_next(&table, 0) == FT_MEMO_NONE && ft_memo_table_bytes(&table) == 0);
        ft_memo_table_take(&table, &taken);
        CHECK(ft_memo_table_next(&taken, 0) == FT_MEMO_NONE);
        ft_memo_table_check(&table);
        ft_memo_table_fini(&taken);
    }
    ft_memo_table_fini(&table);
    ft_memo_table_fini(&table);
    CHECK(table.count == 0);
}

int main(void)
{
    test_against_arrays();
    test_refused_memory();
    CHECK(sweep(fill));
    test_growth();
    test_limit();
    test_empty();
    return tap_end();
}
