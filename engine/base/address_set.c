/* SPDX-License-Identifier: Apache-2.0 */
/* address_set.c: the pages of a set of addresses. */
#include "engine/base/address_set.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"

void ft_address_set_init(ft_address_set *set, const ft_mem *mem)
{
    assert(mem != NULL);
    memset(set, 0, sizeof *set);
    set->mem = mem;
    ft_map_init(&set->pages_by_number, mem);
}

void ft_address_set_fini(ft_address_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        ft_mem_free(set->mem, set->pages[i]);
    ft_mem_free(set->mem, set->pages);
    ft_map_fini(&set->pages_by_number);
    ft_address_set_init(set, set->mem);
}

static uint64_t *add_page(ft_address_set *set, uint64_t number)
{
    uint64_t **pages =
        ft_array_grow(set->mem, set->pages, set->count + 1, &set->capacity, sizeof *pages);
    if (pages == NULL)
        return NULL;
    set->pages = pages;
    uint64_t *page = ft_mem_new(set->mem, FT_ADDRESS_WORDS, sizeof *page);
    if (page == NULL)
        return NULL;
    if (ft_map_put(&set->pages_by_number, number, set->count) != FT_OK) {
        ft_mem_free(set->mem, page);
        return NULL;
    }
    return set->pages[set->count++] = page;
}

uint64_t *ft_address_set_page(ft_address_set *set, uint64_t number)
{
    const uint32_t *known = ft_map_get(&set->pages_by_number, number);
    uint64_t *page = known != NULL ? set->pages[*known] : add_page(set, number);
    if (page != NULL) {
        set->last = page;
        set->last_number = number;
    }
    return page;
}

bool ft_address_set_has(const ft_address_set *set, uintptr_t address)
{
    const uint32_t *known =
        ft_map_get(&set->pages_by_number, (uint64_t)address >> FT_ADDRESS_PAGE_SHIFT);
    uint64_t grain = (uint64_t)address >> FT_ADDRESS_GRAIN_SHIFT;
    return known != NULL &&
           (set->pages[*known][grain / 64 % FT_ADDRESS_WORDS] >> (grain % 64) & 1) != 0;
}
