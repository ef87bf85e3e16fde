/* SPDX-License-Identifier: Apache-2.0 */
/* test_line_table.c: from lines to cells, against a search through what the members said. */
#include <stdlib.h>
#include <string.h>

#include "engine/record/line_table.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { MEMBERS = 5, MOST = 30, RANGE = 60 };

static char keys[1000];

typedef struct made {
    ft_line_member members[MEMBERS];
    uint32_t lines[MEMBERS][MOST];
    uint32_t count, last_line;
} made;

static void make_random(random_source *source, made *to, uint32_t first_key)
{
    to->count = 1 + random_below(source, MEMBERS);
    to->last_line = random_below(source, 2) * (1 + random_below(source, RANGE));
    for (uint32_t i = 0; i < to->count; i++) {
        uint32_t count = random_below(source, MOST);
        for (uint32_t k = 0; k < count; k++)
            to->lines[i][k] = 1 + random_below(source, RANGE);
        to->members[i] = (ft_line_member){.key = &keys[first_key + i],
                                          .lines = count == 0 ? NULL : to->lines[i],
                                          .line_count = count,
                                          .entry = count == 0 ? 0 : to->lines[i][0],
                                          .outer = i == 0 ? 0 : random_below(source, i)};
    }
}

static bool has(const ft_line_member *member, uint32_t line)
{
    for (uint32_t i = 0; i < member->line_count; i++)
        if (member->lines[i] == line)
            return true;
    return false;
}

static bool is_outside(const made *from, uint32_t member, uint32_t line)
{
    while (member != 0) {
        member = from->members[member].outer;
        if (has(&from->members[member], line))
            return true;
    }
    return false;
}

/* Every line of every member, and those that nobody has. */
static bool is_right(const ft_line_registry *registry, const made *from, const ft_line_table *table)
{
    for (uint32_t i = 0; i < from->count; i++) {
        const ft_line_code *code = ft_line_registry_find(registry, from->members[i].key);
        if (code == NULL || code->table != table || code->is_function != (i == 0) ||
            code->entry != from->members[i].entry)
            return false;
        for (uint32_t line = 0; line < RANGE + 5; line++) {
            uint32_t slot = ft_line_slot(code, line), cell = slot & ~FT_LINE_NOT_COUNTED;
            if ((slot != 0) != has(&from->members[i], line))
                return false;
            if (slot == 0)
                continue;
            if (cell >= table->cell_count || table->lines[cell] != line ||
                ((slot & FT_LINE_NOT_COUNTED) != 0) != is_outside(from, i, line))
                return false;
        }
        if (ft_line_slot(code, UINT32_MAX) != 0)
            return false;
    }
    return true;
}

/* Line 0, the last one and each that a member has: ascending, once. */
static bool has_its_lines(const made *from, const ft_line_table *table)
{
    uint32_t at = 0;
    for (uint32_t line = 0; line < RANGE + 5; line++) {
        bool wanted = line == 0 || line == from->last_line;
        for (uint32_t i = 0; i < from->count; i++)
            wanted = wanted || has(&from->members[i], line);
        if (wanted && (at == table->cell_count || table->lines[at++] != line))
            return false;
    }
    return at == table->cell_count;
}

static void test_random_tables(void)
{
    random_source source = {.state = 7};
    static made all[100];
    const ft_line_table *tables[100];
    ft_line_registry registry;
    int right = 0;
    ft_line_registry_init(&registry, &ft_mem_system);
    for (uint32_t i = 0; i < 100; i++) {
        make_random(&source, &all[i], i * MEMBERS);
        if (ft_line_registry_add(&registry, i + 1, all[i].members, all[i].count, all[i].last_line,
                                 &tables[i]) != FT_OK)
            abort();
        right += tables[i]->code == i + 1 && tables[i]->number == i;
    }
    for (uint32_t i = 0; i < 100; i++)
        right += is_right(&registry, &all[i], tables[i]) && has_its_lines(&all[i], tables[i]);
    CHECK(right == 200);
    CHECK(ft_line_registry_find(&registry, &keys[999]) == NULL);
    ft_line_registry_fini(&registry);
}

static void test_known_keys_move(void)
{
    static const uint32_t lines[] = {3, 4};
    ft_line_member member = {.key = &keys[0], .lines = lines, .line_count = 2, .entry = 3};
    const ft_line_table *first, *second;
    ft_line_registry registry;
    ft_line_registry_init(&registry, &ft_mem_system);
    REQUIRE(ft_line_registry_add(&registry, 1, &member, 1, 0, &first) == FT_OK);
    REQUIRE(ft_line_registry_add(&registry, 2, &member, 1, 9, &second) == FT_OK);
    CHECK(ft_line_registry_find(&registry, &keys[0])->table == second);
    CHECK(first->cell_count == 3 && second->cell_count == 4);
    ft_line_registry_fini(&registry);
}

static void test_limits(void)
{
    static const uint32_t wide[] = {INT32_MAX, 1}, widest[] = {FT_LINE_SPAN_MAX, 1};
    ft_line_member member = {.key = &keys[0], .lines = wide, .line_count = 2, .entry = 1};
    const ft_line_table *table = NULL;
    ft_line_registry registry;
    ft_line_registry_init(&registry, &ft_mem_system);
    CHECK(ft_line_registry_add(&registry, 1, &member, 1, 0, &table) == FT_ERR_LIMIT);
    CHECK(ft_line_registry_add(&registry, 1, &member, 0, 0, &table) == FT_ERR_LIMIT);
    CHECK(table == NULL && ft_line_registry_find(&registry, &keys[0]) == NULL);
    member.lines = widest;
    CHECK(ft_line_registry_add(&registry, 1, &member, 1, 0, &table) == FT_OK);
    CHECK(table != NULL && table->cell_count == 3);
    ft_line_registry_fini(&registry);
}

/* A registry that was refused memory knows what it knew before. */
static void test_allocation_failures(void)
{
    bool clean = true, failed = true;
    long fail_at = 0;
    for (; failed && clean; fail_at++) {
        random_source source = {.state = 3};
        failing_mem memory;
        ft_line_registry registry;
        failing_mem_init(&memory, fail_at);
        ft_line_registry_init(&registry, &memory.mem);
        for (uint32_t i = 0; i < 12; i++) {
            made made_now;
            const ft_line_table *table = NULL;
            make_random(&source, &made_now, i * MEMBERS);
            ft_status status = ft_line_registry_add(&registry, 1, made_now.members, made_now.count,
                                                    made_now.last_line, &table);
            for (uint32_t k = 0; k < made_now.count; k++) {
                const void *key = made_now.members[k].key;
                clean =
                    clean && (ft_line_registry_find(&registry, key) != NULL) == (status == FT_OK);
            }
            clean = clean && (status == FT_OK) == (table != NULL) &&
                    (status == FT_OK || (status == FT_ERR_MEMORY && memory.failed));
        }
        ft_line_registry_fini(&registry);
        failed = memory.failed != 0;
        clean = clean && memory.live == 0;
    }
    CHECK(clean && fail_at > 20);
}

int main(void)
{
    test_random_tables();
    test_known_keys_move();
    test_limits();
    test_allocation_failures();
    return tap_end();
}
