/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c: a store against a plain array, over restarts, in small and large values; and with
 * every allocation failed in turn. */
#include "engine/store/store.h"

#include "tests/engine/folders.h"
#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

#include <string.h>
#include <unistd.h>

enum { KEYS = 3000, STEPS = 20000, LARGEST = 60000, FUNCTIONS = 3 };

typedef struct expected {
    bool there;
    uint32_t seed, length, function;
} expected;

static expected right[KEYS];
static uint8_t bytes[LARGEST];
static uint64_t functions[FUNCTIONS];

static ft_digest key_of(const ft_store *store, uint32_t number)
{
    return ft_digest_of(ft_store_secret(store), &number, sizeof number);
}

static const uint8_t *value_of(uint32_t seed, uint32_t length)
{
    random_source source = {seed};
    bool plain = seed % 3 == 0; /* compresses well */
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = plain ? (uint8_t)(i / 100) : (uint8_t)random_next(&source);
    return bytes;
}

static bool put(ft_store *store, uint32_t number, expected is)
{
    bool kept = false;
    const uint8_t *value = value_of(is.seed, is.length);
    uint32_t half = is.length / 2;
    ft_piece pieces[] = {{value, half}, {value + half, is.length - half}};
    ft_put as = {.key = key_of(store, number),
                 .function = functions[is.function],
                 .cost_ns = is.seed,
                 .pieces = pieces,
                 .count = 2,
                 .kind = is.seed & 0xffff,
                 .compress = is.seed % 4 == 0};
    return ft_store_put(store, &as, &kept) == FT_OK && kept;
}

static bool agrees(ft_store *store, uint32_t number, ft_view view)
{
    ft_value value;
    bool found = false;
    const expected *is = &right[number];
    if (ft_store_get(store, key_of(store, number), view, &found, &value) != FT_OK)
        return false;
    if (!found)
        return !is->there;
    bool same = is->there && value.entry.length == is->length &&
                memcmp(value.bytes, value_of(is->seed, is->length), is->length) == 0 &&
                value.entry.cost_ns == is->seed && value.entry.kind == (is->seed & 0xffff) &&
                value.entry.function == functions[is->function];
    ft_value_fini(&value);
    return same;
}

static uint32_t draw_length(random_source *source)
{
    switch (random_below(source, 40)) {
    case 0:
        return 0;
    case 1:
        return FT_STORE_INLINE - 2 + random_below(source, 4);
    case 2:
        return random_below(source, LARGEST);
    default:
        return random_below(source, 300);
    }
}

static void open_store(ft_store **store, const char *folder)
{
    REQUIRE(ft_store_open(store, folder, 0, &ft_mem_system) == FT_OK);
    REQUIRE(ft_store_usable(*store));
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        char name[] = "module.f0";
        name[8] = (char)('0' + i);
        REQUIRE(ft_store_name_function(*store, name, &functions[i]) == FT_OK);
    }
}

static int step(ft_store *store, random_source *source)
{
    uint32_t number = random_below(source, KEYS);
    bool found;
    if (random_below(source, 5) == 0) {
        if (ft_store_remove(store, key_of(store, number), &found) != FT_OK ||
            found != right[number].there)
            return 1;
        right[number].there = false;
        return 0;
    }
    if (random_below(source, 2) == 0)
        return !agrees(store, number, (ft_view)random_below(source, 3));
    right[number] = (expected){true, (uint32_t)random_next(source), draw_length(source),
                               random_below(source, FUNCTIONS)};
    return !put(store, number, right[number]);
}

static int disagreements(ft_store *store)
{
    int wrong = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        wrong += !agrees(store, i, FT_VIEW_PRIVATE);
    return wrong;
}

static uint64_t count_there(void)
{
    uint64_t there = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        there += right[i].there;
    return there;
}

static bool tell(void *context, const ft_entry *entry)
{
    uint64_t *sums = context;
    sums[0]++;
    sums[1] += entry->length;
    return true;
}

static void test_model(const char *folder)
{
    ft_store *store;
    random_source source = {5};
    int wrong = 0;
    open_store(&store, folder);
    for (int i = 0; i < STEPS; i++) {
        wrong += step(store, &source);
        if (i % 4000 == 3999) {
            ft_store_close(store);
            open_store(&store, folder);
        }
    }
    CHECK(wrong == 0);
    CHECK(disagreements(store) == 0);
    CHECK(ft_store_check(store) == FT_OK);
    CHECK(ft_store_take_troubles(store) == 0);

    uint64_t sums[2] = {0, 0}, lengths = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        lengths += right[i].there ? right[i].length : 0;
    CHECK(ft_store_each(store, tell, sums) == FT_OK);
    CHECK(sums[0] == count_there() && sums[1] == lengths);

    uint64_t removed, of_function = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        if (right[i].there && right[i].function == 1) {
            right[i].there = false;
            of_function++;
        }
    CHECK(ft_store_clear(store, functions[1], &removed) == FT_OK && removed == of_function);
    CHECK(disagreements(store) == 0);
    CHECK(ft_store_check(store) == FT_OK);
    ft_store_close(store);
}

/* What stays after reducing is right, and within the bounds. */
static void test_reduce(const char *folder)
{
    ft_store *store;
    uint64_t removed, before = count_there(), left = 0;
    int wrong = 0;
    ft_store_sizes sizes;
    open_store(&store, folder);
    CHECK(ft_store_measure(store, &sizes) == FT_OK && sizes.entries == before);
    ft_bounds half = {sizes.bytes / 2, UINT64_MAX, UINT64_MAX};
    CHECK(ft_store_reduce(store, &half, &removed) == FT_OK && removed > 0);
    for (uint32_t i = 0; i < KEYS; i++) {
        bool found;
        ft_entry entry;
        if (ft_store_peek(store, key_of(store, i), &found, &entry) != FT_OK)
            wrong++;
        wrong += found && !right[i].there;
        right[i].there = found;
        left += found;
    }
    CHECK(wrong == 0 && left + removed == before);
    CHECK(disagreements(store) == 0);
    CHECK(ft_store_measure(store, &sizes) == FT_OK && sizes.bytes <= half.bytes);
    CHECK(ft_store_check(store) == FT_OK);
    ft_bounds few = {UINT64_MAX, 10, UINT64_MAX};
    CHECK(ft_store_reduce(store, &few, &removed) == FT_OK && removed == left - 10);
    CHECK(ft_store_clear(store, 0, &removed) == FT_OK && removed == 10);
    memset(right, 0, sizeof right);
    CHECK(disagreements(store) == 0);
    CHECK(put(store, 1, (expected){true, 9, 100, 0}));
    ft_store_close(store);
}

/* A store never takes more than it may, a trim's breadth aside. */
static void test_bound(const char *folder)
{
    ft_store *store;
    ft_store_sizes sizes;
    random_source source = {8};
    uint64_t worst = 0;
    int wrong = 0;
    const uint64_t most = 2 << 20;
    memset(right, 0, sizeof right);
    REQUIRE(ft_store_open(&store, folder, most, &ft_mem_system) == FT_OK);
    for (uint32_t i = 0; i < 4 * KEYS; i++) {
        uint32_t number = i % KEYS;
        right[number] = (expected){true, (uint32_t)random_next(&source), draw_length(&source), 0};
        wrong += !put(store, number, right[number]);
        wrong += !agrees(store, number, FT_VIEW_COPY);
        if (ft_store_measure(store, &sizes) == FT_OK && sizes.bytes > worst)
            worst = sizes.bytes;
    }
    CHECK(wrong == 0);
    CHECK(worst <= most);
    CHECK(sizes.entries > 100);
    CHECK(ft_store_check(store) == FT_OK);
    ft_store_close(store);
}

/* What one handle read and remembers is not what another one put since, be it in the same place. */
static void test_two_handles(const char *folder)
{
    ft_store *one, *other;
    uint64_t removed;
    bool found;
    int wrong = 0;
    memset(right, 0, sizeof right);
    open_store(&one, folder);
    open_store(&other, folder);
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t number = i % 3;
        switch (i % 10) {
        case 4: /* everything begins anew: the same places are written again */
            CHECK(ft_store_clear(other, 0, &removed) == FT_OK);
            memset(right, 0, sizeof right);
            break;
        case 7:
            wrong += ft_store_remove(other, key_of(other, number), &found) != FT_OK;
            right[number].there = false;
            break;
        default:
            right[number] = (expected){true, i, 40, 0};
            wrong += !put(other, number, right[number]);
        }
        for (uint32_t k = 0; k < 6; k++)
            wrong += !agrees(one, k % 3, FT_VIEW_COPY);
    }
    CHECK(wrong == 0);
    ft_store_close(one);
    ft_store_close(other);
}

static ft_status put_and_get(const ft_mem *mem)
{
    static const char *folder;
    char made[FOLDER_BYTES];
    ft_store *store;
    bool kept, found;
    ft_value value;
    ft_piece piece = {value_of(4, 20000), 20000};
    folder = folder_make(made);
    ft_status status = ft_store_open(&store, folder, 1 << 20, mem);
    if (status == FT_OK) {
        ft_put as = {.key = {1, 2}, .pieces = &piece, .count = 1, .compress = 1};
        status = ft_store_put(store, &as, &kept);
        as.key.low = 7;
        as.compress = 0;
        if (status == FT_OK)
            status = ft_store_put(store, &as, &kept);
        if (status == FT_OK)
            status = ft_store_get(store, as.key, FT_VIEW_COPY, &found, &value);
        if (status == FT_OK && found)
            ft_value_fini(&value);
        ft_store_close(store);
    }
    folder_remove(folder);
    return status;
}

int main(void)
{
    char name[FOLDER_BYTES];
    const char *folder = folder_make(name);
    test_model(folder);
    test_reduce(folder);
    folder_remove(folder);
    folder = folder_make(name);
    test_bound(folder);
    folder_remove(folder);
    folder = folder_make(name);
    test_two_handles(folder);
    folder_remove(folder);
    CHECK(sweep(put_and_get));
    return tap_end();
}
