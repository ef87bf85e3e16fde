/* SPDX-License-Identifier: Apache-2.0 */
/* test_code.c: interned codes: equal in all five fields is one id, different in any is another. */
#include "engine/model/code.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

static void test_root_first(void)
{
    ft_codetab table;
    uint32_t id = 99;
    REQUIRE(ft_codetab_init(&table, &ft_mem_system) == FT_OK);
    CHECK(table.count == 1 && table.codes[FT_CODE_NONE].kind == FT_CODE_ROOT);
    CHECK(ft_codetab_intern(&table, &(ft_code){0}, &id) == FT_OK && id == FT_CODE_NONE);
    ft_codetab_fini(&table);
    ft_codetab_fini(&table);
}

static void test_each_field_counts(void)
{
    ft_codetab table;
    const ft_code base = {1, 2, 3, 4, FT_CODE_PYTHON};
    const ft_code others[] = {{9, 2, 3, 4, FT_CODE_PYTHON},
                              {1, 9, 3, 4, FT_CODE_PYTHON},
                              {1, 2, 9, 4, FT_CODE_PYTHON},
                              {1, 2, 3, 9, FT_CODE_PYTHON},
                              {1, 2, 3, 4, FT_CODE_C}};
    uint32_t id;
    REQUIRE(ft_codetab_init(&table, &ft_mem_system) == FT_OK);
    CHECK(ft_codetab_intern(&table, &base, &id) == FT_OK && id == 1);
    for (uint32_t i = 0; i < 5; i++)
        CHECK(ft_codetab_intern(&table, &others[i], &id) == FT_OK && id == i + 2);
    CHECK(ft_codetab_intern(&table, &base, &id) == FT_OK && id == 1);
    ft_codetab_fini(&table);
}

static ft_code nth_code(uint32_t n) /* a bijection of 0..4095 to codes */
{
    return (ft_code){n % 4, n / 4 % 8, n / 32 % 8, n / 256 % 4, 1 + n / 1024 % 2 + n / 2048 * 2};
}

static void test_against_numbers(void)
{
    enum { CODES = 4096 };
    static uint32_t ids[CODES]; /* 0: not interned yet */
    random_source source = {5};
    ft_codetab table;
    int good = ft_codetab_init(&table, &ft_mem_system) == FT_OK;
    uint32_t next = 1;
    for (uint32_t i = 0; i < 10 * CODES && good; i++) {
        uint32_t n = random_below(&source, CODES), id = 0;
        ft_code code = nth_code(n);
        if (ids[n] == 0)
            ids[n] = next++;
        good = ft_codetab_intern(&table, &code, &id) == FT_OK && id == ids[n];
        good &= memcmp(&table.codes[id], &code, sizeof code) == 0 && table.count == next;
    }
    CHECK(good);
    ft_codetab_fini(&table);
}

/* A code that lies in the table's own array is interned although the array moves. */
static void test_own_element(void)
{
    ft_codetab table;
    uint32_t id, line = 1;
    int good = ft_codetab_init(&table, &ft_mem_system) == FT_OK;
    for (; line < 1000; line++) {
        good &= ft_codetab_intern(&table, &(ft_code){.line = line, .kind = 1}, &id) == FT_OK;
        good &= ft_codetab_intern(&table, &table.codes[line], &id) == FT_OK && id == line;
    }
    CHECK(good && table.count == line);
    ft_codetab_fini(&table);
}

static ft_status fill(const ft_mem *mem)
{
    ft_codetab table;
    uint32_t id, made = 1;
    ft_status status = ft_codetab_init(&table, mem);
    if (status != FT_OK)
        return status;
    for (; made < 500 && status == FT_OK; made += status == FT_OK)
        status = ft_codetab_intern(&table, &(ft_code){.line = made, .kind = 1}, &id);
    if (table.count != made) /* a failure leaves the table as it was */
        status = FT_ERR_CORRUPT;
    for (uint32_t i = 1; i < made; i++)
        if (ft_codetab_intern(&table, &(ft_code){.line = i, .kind = 1}, &id) != FT_OK || id != i)
            status = FT_ERR_CORRUPT;
    ft_codetab_fini(&table);
    return status;
}

int main(void)
{
    test_root_first();
    test_each_field_counts();
    test_against_numbers();
    test_own_element();
    CHECK(sweep(fill));
    return tap_end();
}
