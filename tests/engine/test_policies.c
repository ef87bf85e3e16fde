/* SPDX-License-Identifier: Apache-2.0 */
/* test_policies.c: which entry a full table gives up. Each policy against a model over keys in
 * plain arrays: lru from its definition, clock as a face with a hand, car line by line after figure
 * 2 of Bansal and Modha; and three policies of the test's own, which need no more than policy.h. */
#include "engine/cache/policy.h"

#include "tests/engine/moving_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { KEYS = 420, STEPS = 4000, SEEDS = 12, NOBODY = KEYS };

/* ---- models ---- */

enum { T1, T2, B1, B2, ROWS };

typedef struct row { /* keys in order, the next to go first */
    uint32_t keys[KEYS], count;
} row;

typedef struct model {
    row rows[ROWS]; /* entries in T1 and T2, of which some models need only the first */
    bool marked[KEYS];
    uint32_t most, hand, target;
} model;

static void insert(row *into, uint32_t at, uint32_t key)
{
    for (uint32_t i = into->count++; i > at; i--)
        into->keys[i] = into->keys[i - 1];
    into->keys[at] = key;
}

static void append(row *into, uint32_t key)
{
    insert(into, into->count, key);
}

static uint32_t pop(row *from, uint32_t at)
{
    uint32_t key = from->keys[at];
    from->count--;
    for (; at < from->count; at++)
        from->keys[at] = from->keys[at + 1];
    return key;
}

/* Its place in a row; NOBODY: it is not in it. */
static uint32_t place_of(const row *in, uint32_t key)
{
    for (uint32_t i = 0; i < in->count; i++)
        if (in->keys[i] == key)
            return i;
    return NOBODY;
}

static bool is_in(const row *in, uint32_t key)
{
    return place_of(in, key) != NOBODY;
}

static bool is_full(const model *right)
{
    return right->rows[T1].count + right->rows[T2].count == right->most;
}

/* One policy, as it should be. put gives the key that goes, or NOBODY. */
typedef struct behaviour {
    const ft_policy *policy;
    void (*hit)(model *right, uint32_t key);
    uint32_t (*put)(model *right, uint32_t key);
    void (*forget)(model *right, uint32_t key);
} behaviour;

static void no_hit(model *right, uint32_t key)
{
    (void)right, (void)key;
}

static void mark(model *right, uint32_t key)
{
    right->marked[key] = true;
}

static void forget(model *right, uint32_t key)
{
    uint32_t list = is_in(&right->rows[T1], key) ? T1 : T2;
    pop(&right->rows[list], place_of(&right->rows[list], key));
}

static void lru_hit(model *right, uint32_t key)
{
    forget(right, key);
    append(&right->rows[T1], key);
}

static uint32_t lru_put(model *right, uint32_t key)
{
    uint32_t victim = is_full(right) ? pop(&right->rows[T1], 0) : NOBODY;
    append(&right->rows[T1], key);
    return victim;
}

/* The face of the clock is the first row; who comes takes the place of who goes. */
static uint32_t clock_put(model *right, uint32_t key)
{
    row *face = &right->rows[T1];
    uint32_t victim = NOBODY;
    if (is_full(right)) {
        while (right->marked[face->keys[right->hand]]) {
            right->marked[face->keys[right->hand]] = false;
            right->hand = (right->hand + 1) % face->count;
        }
        victim = face->keys[right->hand];
        face->keys[right->hand] = key;
    } else {
        insert(face, right->hand, key); /* behind the hand */
    }
    right->marked[key] = false;
    right->hand = (right->hand + 1) % face->count;
    return victim;
}

static void clock_forget(model *right, uint32_t key)
{
    row *face = &right->rows[T1];
    uint32_t at = place_of(face, key);
    pop(face, at);
    right->hand -= at < right->hand;
    if (right->hand >= face->count)
        right->hand = 0;
}

/* replace() of the paper, in which an eighth of the table is the least that T1 is left. */
static uint32_t car_replace(model *right)
{
    row *rows = right->rows;
    uint32_t floor = right->most < 16 ? 1 : right->most / 8;
    for (;;) {
        bool large = rows[T1].count >= floor && rows[T1].count >= right->target;
        uint32_t from = large ? T1 : T2;
        uint32_t head = pop(&rows[from], 0);
        if (!right->marked[head]) {
            append(&rows[from == T1 ? B1 : B2], head);
            return head;
        }
        right->marked[head] = false;
        append(&rows[T2], head);
    }
}

static uint32_t ratio_or_1(uint32_t above, uint32_t below)
{
    return above / below > 1 ? above / below : 1;
}

/* The paper trims the history when the cache is full; that its bounds hold after a key was
 * forgotten, too, the table demands. */
static uint32_t car_put(model *right, uint32_t key)
{
    row *rows = right->rows;
    uint32_t victim = is_full(right) ? car_replace(right) : NOBODY;
    uint32_t once = rows[T1].count + rows[B1].count, again = rows[T2].count + rows[B2].count;
    right->marked[key] = false;
    if (is_in(&rows[B1], key)) {
        right->target += ratio_or_1(rows[B2].count, rows[B1].count);
        if (right->target > right->most)
            right->target = right->most;
        pop(&rows[B1], place_of(&rows[B1], key));
        append(&rows[T2], key);
    } else if (is_in(&rows[B2], key)) {
        uint32_t step = ratio_or_1(rows[B1].count, rows[B2].count);
        right->target = right->target > step ? right->target - step : 0;
        pop(&rows[B2], place_of(&rows[B2], key));
        append(&rows[T2], key);
    } else {
        if (once == right->most)
            pop(&rows[B1], 0);
        else if (once + again == 2 * right->most)
            pop(&rows[B2], 0);
        append(&rows[T1], key);
    }
    return victim;
}

/* ---- policies of the test's own ---- */

static const ft_policy fifo = {
    .name = "fifo",
    .description = "first in, first out",
    .hit = FT_HIT_NOTHING,
};

/* The newest goes. With a state, to see that the table asks for all of it: it counts puts. */
static uint32_t lifo_admit(ft_memo_table *table, uint32_t number, bool full)
{
    uint64_t *puts = table->state;
    uint32_t victim = full ? table->lists[1].last : FT_MEMO_NONE;
    if (puts == NULL)
        table->state = puts = ft_mem_new(table->mem, 1, sizeof *puts);
    if (puts != NULL)
        *puts += 1;
    if (full)
        ft_memo_list_remove(table, victim);
    ft_memo_list_append(table, 1, number);
    return victim;
}

static void lifo_clear(ft_memo_table *table)
{
    if (table->state != NULL)
        *(uint64_t *)table->state = 0;
}

static void lifo_fini(ft_memo_table *table)
{
    ft_mem_free(table->mem, table->state);
    table->state = NULL;
}

static uint64_t lifo_bytes(const ft_memo_table *table)
{
    return table->state == NULL ? 0 : sizeof(uint64_t);
}

static const ft_policy lifo = {
    .name = "lifo",
    .description = "last in, first out",
    .hit = FT_HIT_NOTHING,
    .admit = lifo_admit,
    .clear = lifo_clear,
    .fini = lifo_fini,
    .bytes = lifo_bytes,
};

static uint32_t lifo_put(model *right, uint32_t key)
{
    uint32_t victim = is_full(right) ? pop(&right->rows[T1], right->most - 1) : NOBODY;
    append(&right->rows[T1], key);
    return victim;
}

/* Two orders of use, for odd and even keys; the next comes from the longer. A hit moves within a
 * list that need not be list 0. */
static uint32_t halves_admit(ft_memo_table *table, uint32_t number, bool full)
{
    uint8_t list = table->lists[1].count > table->lists[0].count;
    uint32_t victim = full ? table->lists[list].first : FT_MEMO_NONE;
    if (full)
        ft_memo_list_remove(table, victim);
    ft_memo_list_append(table, table->entries[number].hash % 2 == 1, number);
    return victim;
}

static const ft_policy halves = {
    .name = "halves",
    .description = "lru of odd and of even hashes",
    .hit = FT_HIT_MOVE,
    .admit = halves_admit,
};

static void halves_hit(model *right, uint32_t key)
{
    forget(right, key);
    append(&right->rows[key % 2 == 1 ? T2 : T1], key);
}

static uint32_t halves_put(model *right, uint32_t key)
{
    row *longer = &right->rows[right->rows[T2].count > right->rows[T1].count ? T2 : T1];
    uint32_t victim = is_full(right) ? pop(longer, 0) : NOBODY;
    append(&right->rows[key % 2 == 1 ? T2 : T1], key);
    return victim;
}

/* ---- the table, asked by key ---- */

typedef struct cache {
    moving_mem mem;
    ft_memo_table table;
    uint32_t factor; /* hash = key * factor, odd: no two keys have one hash */
} cache;

static void cache_begin(cache *of, const ft_policy *policy, uint32_t most, uint32_t factor)
{
    moving_mem_init(&of->mem);
    of->factor = factor | 1;
    ft_memo_table_init(&of->table, &of->mem.mem, policy, most, false);
}

/* The table's memory goes; whether all of it did. */
static bool cache_end(cache *of)
{
    ft_memo_table_fini(&of->table);
    return of->mem.bytes == 0;
}

static uint32_t cache_find(cache *of, uint32_t key)
{
    uint32_t hash = key * of->factor;
    ft_index_probe probe = ft_memo_probe_begin(&of->table, hash);
    return ft_memo_probe_next(&of->table, &probe, hash);
}

/* Whether it was there. */
static bool cache_hit(cache *of, uint32_t key)
{
    uint32_t number = cache_find(of, key);
    if (number != FT_MEMO_NONE)
        ft_memo_table_hit(&of->table, number);
    return number != FT_MEMO_NONE;
}

/* The key that went, or NOBODY. */
static uint32_t cache_put(cache *of, uint32_t key)
{
    ft_memo_pair evicted;
    void *pointer = (void *)((uintptr_t)key + 1);
    if (ft_memo_table_put(&of->table, key * of->factor, pointer, NULL, &evicted, NULL) != FT_OK)
        return NOBODY + 1;
    return evicted.key == NULL ? NOBODY : (uint32_t)(uintptr_t)evicted.key - 1;
}

/* As programs ask. Whether it was there. */
static bool cache_ask(cache *of, uint32_t key)
{
    bool there = cache_hit(of, key);
    if (!there)
        (void)cache_put(of, key);
    return there;
}

static void cache_clear(cache *of)
{
    ft_memo_table taken;
    ft_memo_table_take(&of->table, &taken);
    ft_memo_table_fini(&taken);
}

/* ---- the two side by side ---- */

/* What programs ask for, in turns: anything, little, a loop, what never comes back, much of few. */
static uint32_t draw_key(random_source *source, uint32_t i, uint32_t most)
{
    uint32_t span = most * 4 < KEYS ? most * 4 : KEYS, base = i / 900 * 7, key;
    switch (i / 150 % 5) {
    case 0:
        key = random_below(source, span);
        break;
    case 1:
        key = base + random_below(source, most + most / 4 + 1);
        break;
    case 2:
        key = base + i % (most + 1);
        break;
    case 3:
        key = i;
        break;
    default:
        key = random_below(source, 1 + random_below(source, 1 + random_below(source, span)));
        break;
    }
    return key % KEYS;
}

static bool step(cache *of, model *right, const behaviour *as, random_source *source, uint32_t i)
{
    uint32_t key = draw_key(source, i, right->most), what = random_below(source, 1000);
    bool there = is_in(&right->rows[T1], key) || is_in(&right->rows[T2], key);
    if ((cache_find(of, key) != FT_MEMO_NONE) != there)
        return false;
    if (what == 0) {
        cache_clear(of);
        *right = (model){.most = right->most};
    } else if (what < 40 && there) {
        as->forget(right, key);
        (void)ft_memo_table_remove(&of->table, cache_find(of, key));
    } else if (there) {
        as->hit(right, key);
        return cache_hit(of, key);
    } else {
        return cache_put(of, key) == as->put(right, key);
    }
    return true;
}

static bool agrees(const behaviour *as, uint32_t most, uint64_t seed)
{
    static model right;
    static cache of;
    random_source source = {seed};
    bool good = true;
    right = (model){.most = most};
    cache_begin(&of, as->policy, most, (uint32_t)random_next(&source));
    for (uint32_t i = 0; i < STEPS && good; i++) {
        good = step(&of, &right, as, &source, i);
        good &= of.table.count == right.rows[T1].count + right.rows[T2].count;
        good &= ft_memo_table_bytes(&of.table) == of.mem.bytes;
        if (i % 16 == 0)
            ft_memo_table_check(&of.table);
    }
    if (!good)
        printf("# %s of %u, seed %u\n", as->policy->name, most, (unsigned)seed);
    return cache_end(&of) && good;
}

static bool agrees_always(behaviour as)
{
    static const uint32_t mosts[] = {1, 2, 3, 8, 33, 100};
    bool good = true;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (size_t i = 0; i < sizeof mosts / sizeof *mosts; i++)
            good &= agrees(&as, mosts[i], seed);
    return good;
}

static void test_models(void)
{
    CHECK(agrees_always((behaviour){ft_policy_find("lru"), lru_hit, lru_put, forget}));
    CHECK(agrees_always((behaviour){ft_policy_find("clock"), mark, clock_put, clock_forget}));
    CHECK(agrees_always((behaviour){ft_policy_find("car"), mark, car_put, forget}));
    CHECK(agrees_always((behaviour){&fifo, no_hit, lru_put, forget}));
    CHECK(agrees_always((behaviour){&lifo, no_hit, lifo_put, forget}));
    CHECK(agrees_always((behaviour){&halves, halves_hit, halves_put, forget}));
}

/* ---- by hand ---- */

/* Asks for the keys of a text; "=": the next is there; otherwise the next goes when the first is
 * put in, "-" for none. So "a- b- =a cb" is a, b, a again, and a c for which b goes. */
static bool follows(const char *policy, uint32_t most, const char *script)
{
    cache of;
    bool good = true;
    cache_begin(&of, ft_policy_find(policy), most, 0x9E3779B9);
    for (const char *at = script; good && *at != '\0'; at += at[2] == ' ' ? 3 : 2) {
        if (at[0] == '=')
            good = cache_hit(&of, (uint32_t)at[1]);
        else
            good = !cache_hit(&of, (uint32_t)at[0]) &&
                   cache_put(&of, (uint32_t)at[0]) == (at[1] == '-' ? NOBODY : (uint32_t)at[1]);
        if (!good)
            printf("# %s: %s\n", policy, at);
    }
    return cache_end(&of) && good;
}

static void test_by_hand(void)
{
    CHECK(follows("lru", 3, "a- b- c- =a db =c ea fd =c =e"));
    CHECK(follows("clock", 3, "a- b- c- =a =b dc ea =d fb ge =d"));
    /* once: a b; a is hit, so c comes for b and a goes to the other clock. b was in the history and
     * comes back as one of the other clock, for c: the target is 1, then 2 as c comes back too. */
    CHECK(follows("car", 2, "a- b- =a cb bc ca ab dc ed be db"));
}

/* A scan passes car by, and flushes lru. */
static uint32_t left_after_scan(const char *policy)
{
    cache of;
    uint32_t left = 0;
    cache_begin(&of, ft_policy_find(policy), 100, 0x9E3779B9);
    for (uint32_t i = 0; i < 100; i++)
        (void)cache_ask(&of, i % 50);
    for (uint32_t i = 0; i < 3000; i++)
        (void)cache_ask(&of, 100 + i);
    for (uint32_t i = 0; i < 50; i++)
        left += cache_find(&of, i) != FT_MEMO_NONE;
    return cache_end(&of) ? left : NOBODY;
}

static void test_scan(void)
{
    CHECK(left_after_scan("car") == 50);
    CHECK(left_after_scan("lru") == 0 && left_after_scan("clock") == 0);
}

/* Where there is no memory for a history, what is asked for now still gets its place. */
static void test_no_history(void)
{
    cache of;
    uint32_t hits = 0;
    cache_begin(&of, ft_policy_find("car"), 100, 0x9E3779B9);
    for (uint32_t i = 0; i < 200; i++)
        (void)cache_ask(&of, i % 100);
    of.mem.refuse_from = of.mem.asked;
    of.mem.refuse_end = LONG_MAX;
    for (uint32_t i = 0; i < 40 * 20; i++)
        hits += cache_ask(&of, 200 + i % 40);
    CHECK(of.mem.refused > 0 && of.table.evictions >= 40);
    CHECK(hits == 40 * 19);
    ft_memo_table_check(&of.table);
    CHECK(cache_end(&of));
}

static void test_names(void)
{
    uint32_t count = 0;
    for (; ft_policies[count] != NULL; count++) {
        const ft_policy *policy = ft_policies[count];
        CHECK(ft_policy_find(policy->name) == policy && policy->description[0] != '\0');
        CHECK(count == 0 || strcmp(ft_policies[count - 1]->name, policy->name) < 0);
    }
    CHECK(count >= 3 && ft_policy_find("lr") == NULL && ft_policy_find("") == NULL);
}

int main(void)
{
    test_names();
    test_models();
    test_by_hand();
    test_scan();
    test_no_history();
    return tap_end();
}
