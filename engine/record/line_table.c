/* SPDX-License-Identifier: Apache-2.0 */
/* line_table.c: which lines the recorded functions have (see line_table.h). */
#include "engine/record/line_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

void ft_line_registry_init(ft_line_registry *tables, const ft_mem *mem)
{
    *tables = (ft_line_registry){.mem = mem};
    ft_map_init(&tables->keys, mem);
}

void ft_line_registry_fini(ft_line_registry *tables)
{
    for (uint32_t i = 0; i < tables->code_count; i++)
        ft_mem_free(tables->mem, tables->codes[i]);
    for (uint32_t i = 0; i < tables->table_count; i++)
        ft_mem_free(tables->mem, tables->tables[i]);
    ft_mem_free(tables->mem, (void *)tables->codes);
    ft_mem_free(tables->mem, (void *)tables->tables);
    ft_map_fini(&tables->keys);
}

/* ---- the table ---- */

static int ascending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* Sorted, each once; the new count. */
static uint32_t sort_lines(uint32_t *lines, uint32_t count)
{
    uint32_t kept = 0;
    qsort(lines, count, sizeof *lines, ascending);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || lines[kept - 1] != lines[i])
            lines[kept++] = lines[i];
    return kept;
}

/* Line 0, last_line and the lines of all members. NULL without memory or past what is allowed. */
static ft_line_table *make_table(const ft_line_registry *tables, const ft_line_member *members,
                                 uint32_t count, uint32_t last_line, ft_status *status)
{
    uint64_t room = 2;
    for (uint32_t i = 0; i < count; i++)
        room += members[i].line_count;
    *status = FT_ERR_LIMIT;
    if (room > UINT32_MAX / 2)
        return NULL;
    *status = FT_ERR_MEMORY;
    ft_line_table *table =
        ft_mem_resize(tables->mem, NULL, sizeof *table + room * sizeof table->lines[0], 1);
    if (table == NULL)
        return NULL;
    uint32_t used = 0;
    table->lines[used++] = 0;
    if (last_line > 0)
        table->lines[used++] = last_line;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < members[i].line_count; k++)
            table->lines[used++] = members[i].lines[k];
    table->cell_count = sort_lines(table->lines, used);
    table->number = tables->table_count;
    return table;
}

static uint32_t cell_of(const ft_line_table *table, uint32_t line)
{
    const uint32_t *found = bsearch(&line, table->lines, table->cell_count, sizeof line, ascending);
    assert(found != NULL);
    return (uint32_t)(found - table->lines);
}

/* ---- its codes ---- */

static void find_span(const ft_line_member *member, uint32_t *first, uint32_t *last)
{
    *first = *last = member->line_count == 0 ? 0 : member->lines[0];
    for (uint32_t i = 1; i < member->line_count; i++) {
        *first = member->lines[i] < *first ? member->lines[i] : *first;
        *last = member->lines[i] > *last ? member->lines[i] : *last;
    }
}

/* codes: of the members before this one. */
static bool is_outer_line(const ft_line_member *members, uint32_t member,
                          ft_line_code *const *codes, uint32_t line)
{
    while (members[member].outer != member) {
        member = members[member].outer;
        if (ft_line_slot(codes[member], line) != 0)
            return true;
    }
    return false;
}

static ft_line_code *make_code(const ft_line_registry *tables, const ft_line_table *table,
                               const ft_line_member *members, uint32_t at,
                               ft_line_code *const *codes)
{
    const ft_line_member *member = &members[at];
    uint32_t first, last;
    find_span(member, &first, &last);
    uint32_t count = member->line_count == 0 ? 0 : last - first + 1;
    size_t bytes = sizeof(ft_line_code) + (size_t)count * sizeof(uint32_t);
    ft_line_code *code = ft_mem_new(tables->mem, bytes, 1);
    if (code == NULL)
        return NULL;
    code->key = member->key;
    code->table = table;
    code->entry = member->entry;
    code->is_function = member->outer == at;
    code->first = first;
    code->count = count;
    for (uint32_t i = 0; i < member->line_count; i++) {
        uint32_t line = member->lines[i];
        bool outer = is_outer_line(members, at, codes, line);
        code->slots[line - first] = cell_of(table, line) | (outer ? FT_LINE_NOT_COUNTED : 0);
    }
    return code;
}

static bool is_allowed(const ft_line_member *members, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first, last;
        find_span(&members[i], &first, &last);
        if (last - first >= FT_LINE_SPAN_MAX)
            return false;
        assert(members[i].line_count == 0 || first > 0);
        assert(members[i].outer <= i);
    }
    return count > 0 && count <= FT_LINE_CODES_MAX;
}

/* Room in both lists and in the map, so that nothing fails afterwards. */
static ft_status reserve(ft_line_registry *tables, const ft_line_member *members, uint32_t count)
{
    ft_line_code **codes =
        ft_array_grow(tables->mem, (void *)tables->codes, tables->code_count + count,
                      &tables->code_room, sizeof *codes);
    if (codes == NULL)
        return FT_ERR_MEMORY;
    tables->codes = codes;
    ft_line_table **list =
        ft_array_grow(tables->mem, (void *)tables->tables, tables->table_count + 1,
                      &tables->table_room, sizeof *list);
    if (list == NULL)
        return FT_ERR_MEMORY;
    tables->tables = list;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t key = (uint64_t)(uintptr_t)members[i].key;
        const uint32_t *known = ft_map_get(&tables->keys, key);
        ft_status status = known == NULL ? ft_map_put(&tables->keys, key, UINT32_MAX) : FT_OK;
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

ft_status ft_line_registry_add(ft_line_registry *tables, uint32_t code,
                               const ft_line_member *members, uint32_t count, uint32_t last_line,
                               const ft_line_table **table)
{
    ft_status status = FT_ERR_LIMIT;
    uint32_t done = 0;
    if (!is_allowed(members, count))
        return FT_ERR_LIMIT;
    ft_line_table *made = make_table(tables, members, count, last_line, &status);
    if (made == NULL)
        return status;
    status = reserve(tables, members, count);
    if (status != FT_OK)
        goto fail;
    made->code = code;
    status = FT_ERR_MEMORY;
    ft_line_code **codes = tables->codes + tables->code_count;
    for (; done < count; done++) {
        codes[done] = make_code(tables, made, members, done, codes);
        if (codes[done] == NULL)
            goto fail;
    }
    for (uint32_t i = 0; i < count; i++)
        (void)ft_map_put(&tables->keys, (uint64_t)(uintptr_t)members[i].key,
                         tables->code_count + i); /* the slot is there: this can not fail */
    tables->code_count += count;
    tables->tables[tables->table_count++] = made;
    *table = made;
    return FT_OK;

fail:
    for (uint32_t i = 0; i < done; i++)
        ft_mem_free(tables->mem, tables->codes[tables->code_count + i]);
    ft_mem_free(tables->mem, made);
    return status;
}

const ft_line_code *ft_line_registry_find(const ft_line_registry *tables, const void *key)
{
    const uint32_t *index = ft_map_get(&tables->keys, (uint64_t)(uintptr_t)key);
    return index == NULL || *index == UINT32_MAX ? NULL : tables->codes[*index];
}

void ft_line_cells_write(ft_line_cells *at, const ft_line_table *table)
{
    ft_line_cell *cells = ft_line_cells_of(at);
    at->code = table->code;
    at->count = table->cell_count;
    memset(cells, 0, (size_t)table->cell_count * sizeof *cells);
    for (uint32_t i = 0; i < table->cell_count; i++)
        cells[i].line = table->lines[i];
}
