/* SPDX-License-Identifier: Apache-2.0 */
/* test_strtab.c: interned text against a plain list that is searched from end to end. */
#include "engine/model/strtab.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST = 1500, LONGEST = 40, SEEDS = 40 };

typedef struct model { /* the distinct texts in the order of their first appearance */
    char texts[MOST][LONGEST];
    size_t lengths[MOST];
    uint32_t count;
} model;

static uint32_t model_intern(model *right, const char *text, size_t length)
{
    for (uint32_t i = 0; i < right->count; i++)
        if (right->lengths[i] == length && memcmp(right->texts[i], text, length) == 0)
            return i;
    memcpy(right->texts[right->count], text, length);
    right->lengths[right->count] = length;
    return right->count++;
}

/* Few letters, NUL among them, so that equal texts, prefixes and near misses are common. */
static size_t draw_text(random_source *source, char *text)
{
    size_t length = random_below(source, random_below(source, 3) == 0 ? LONGEST : 6);
    for (size_t i = 0; i < length; i++)
        text[i] = "\0ab\xff"[random_below(source, 4)];
    return length;
}

static int run_seed(uint64_t seed)
{
    static model right; /* large for a stack */
    random_source source = {seed};
    ft_strtab table;
    char text[LONGEST];
    right.count = 0;
    model_intern(&right, "", 0);
    if (ft_strtab_init(&table, &ft_mem_system) != FT_OK)
        return 0;
    int good = 1;
    for (uint32_t i = 1; i < MOST && good; i++) {
        uint32_t id = UINT32_MAX;
        size_t length = draw_text(&source, text);
        good = ft_strtab_intern(&table, text, length, &id) == FT_OK;
        good &= id == model_intern(&right, text, length);
    }
    good &= table.count == right.count;
    for (uint32_t id = 0; id < table.count && good; id++) {
        ft_text have = ft_strtab_get(&table, id);
        good = have.length == right.lengths[id] && have.data[have.length] == '\0' &&
               memcmp(have.data, right.texts[id], have.length) == 0;
    }
    ft_strtab_fini(&table);
    return good;
}

static void test_against_model(void)
{
    int good = 1;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        if (run_seed(seed))
            continue;
        printf("# seed %llu\n", (unsigned long long)seed);
        good = 0;
    }
    CHECK(good);
}

static void test_empty_and_long(void)
{
    ft_strtab table;
    uint32_t id = 99, again = 98;
    size_t length = 3000000;
    char *text = malloc(length);
    REQUIRE(text != NULL && ft_strtab_init(&table, &ft_mem_system) == FT_OK);
    CHECK(table.count == 1 && ft_strtab_get(&table, 0).length == 0);
    CHECK(ft_strtab_intern(&table, NULL, 0, &id) == FT_OK && id == 0);
    memset(text, 'x', length);
    CHECK(ft_strtab_intern(&table, text, length, &id) == FT_OK && id == 1);
    CHECK(ft_strtab_intern(&table, text, length - 1, &again) == FT_OK && again == 2);
    CHECK(ft_strtab_intern(&table, text, length, &again) == FT_OK && again == 1);
    CHECK(ft_strtab_get(&table, 1).length == length);
    CHECK(memcmp(ft_strtab_get(&table, 1).data, text, length) == 0);
    ft_strtab_fini(&table);
    ft_strtab_fini(&table);
    free(text);
}

/* 4 GiB are refused before a byte is read or an allocation asked for. */
static void test_limit(void)
{
    ft_strtab table;
    uint32_t id = 99;
    REQUIRE(ft_strtab_init(&table, &ft_mem_system) == FT_OK);
    table.used = UINT32_MAX - 10; /* as if that much were in use; nothing below reads it */
    CHECK(ft_strtab_intern(&table, "0123456789", 10, &id) == FT_ERR_LIMIT);
    CHECK(id == 99 && table.count == 1);
    table.used = 1;
    CHECK(ft_strtab_intern(&table, "0123456789", 10, &id) == FT_OK && id == 1);
    ft_strtab_fini(&table);
}

static ft_status fill(const ft_mem *mem)
{
    ft_strtab table;
    char text[16];
    uint32_t id, made = 1;
    ft_status status = ft_strtab_init(&table, mem);
    if (status != FT_OK)
        return status;
    for (; made < 500 && status == FT_OK; made += status == FT_OK) {
        int length = snprintf(text, sizeof text, "text %u", made);
        status = ft_strtab_intern(&table, text, (size_t)length, &id);
    }
    if (table.count != made) /* a failure leaves the table as it was */
        status = FT_ERR_CORRUPT;
    for (uint32_t i = 1; i < made; i++) {
        int length = snprintf(text, sizeof text, "text %u", i);
        if (ft_strtab_intern(&table, text, (size_t)length, &id) != FT_OK || id != i)
            status = FT_ERR_CORRUPT;
    }
    ft_strtab_fini(&table);
    return status;
}

/* A text of 8 bytes whose hash is known: the table's mixing steps, undone. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t found = odd; /* right in 3 bits; each step doubles them */
    for (int i = 0; i < 6; i++)
        found *= 2 - odd * found;
    return found;
}

static uint64_t unshift(uint64_t mixed) /* undoes x ^= x >> 29 */
{
    uint64_t found = mixed;
    for (int i = 0; i < 3; i++)
        found = mixed ^ found >> 29;
    return found;
}

static void colliding_text(uint32_t number, char text[8])
{
    const uint64_t mix = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t mixed = unshift((UINT64_C(0x12345678) << 32 | number) * inverse(mix));
    uint64_t word = mixed * inverse(mix) ^ 8 * mix;
    memcpy(text, &word, 8);
}

/* A hostile file's texts may all fall on one slot: that is refused, and soon. */
static void test_collisions_are_bounded(void)
{
    ft_strtab table;
    char text[8];
    uint32_t id, interned = 0;
    ft_status status = FT_OK;
    REQUIRE(ft_strtab_init(&table, &ft_mem_system) == FT_OK);
    for (; interned < 100000 && status == FT_OK; interned += status == FT_OK) {
        colliding_text(interned, text);
        status = ft_strtab_intern(&table, text, sizeof text, &id);
    }
    CHECK(status == FT_ERR_LIMIT);
    CHECK(interned > 1000 && interned < 10000); /* they do collide; an honest table has room */
    colliding_text(3, text);
    CHECK(ft_strtab_intern(&table, text, sizeof text, &id) == FT_OK && id == 4);
    ft_strtab_fini(&table);
}

int main(void)
{
    test_collisions_are_bounded();
    test_against_model();
    test_empty_and_long();
    test_limit();
    CHECK(sweep(fill));
    return tap_end();
}
