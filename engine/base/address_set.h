/* SPDX-License-Identifier: Apache-2.0 */
/* address_set.h: a set of the addresses of objects.
 *
 * Objects are at least 16 bytes long, so no two of them begin in the same 16 bytes: one bit says
 * whether the one that begins there is in the set. The bits of each MiB that holds a member are a
 * page of 8 KiB, so a set of all small objects of a heap costs a 128th of that heap, and neighbours
 * share cache lines, which a table of addresses would not give. No deletion: nobody needs it. */
#ifndef FT_BASE_ADDRESS_SET_H
#define FT_BASE_ADDRESS_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/map.h"
#include "engine/base/mem.h"

enum {
    FT_ADDRESS_PAGE_SHIFT = 20, /* a page stands for 1 MiB of addresses */
    FT_ADDRESS_GRAIN_SHIFT = 4, /* a bit for 16 bytes */
    FT_ADDRESS_WORDS = 1 << (FT_ADDRESS_PAGE_SHIFT - FT_ADDRESS_GRAIN_SHIFT - 6),
};

typedef struct ft_address_set {
    const ft_mem *mem;
    ft_map pages_by_number; /* number of a page -> its index in pages */
    uint64_t **pages;       /* owned, and so is each page */
    uint32_t count, capacity;
    uint64_t last_number; /* the page that was asked for last, and its bits; NULL: none yet */
    uint64_t *last;
} ft_address_set;

void ft_address_set_init(ft_address_set *set, const ft_mem *mem);
void ft_address_set_fini(ft_address_set *set);

/* The bits of a page, made when there are none; NULL when memory is out. */
uint64_t *ft_address_set_page(ft_address_set *set, uint64_t number);

/* The word that holds the address's bit, and that bit; NULL when memory is out. */
static inline uint64_t *ft_address_set_word(ft_address_set *set, uintptr_t address, uint64_t *bit)
{
    uint64_t number = (uint64_t)address >> FT_ADDRESS_PAGE_SHIFT;
    uint64_t *page = set->last;
    if (page == NULL || number != set->last_number)
        page = ft_address_set_page(set, number);
    uint64_t grain = (uint64_t)address >> FT_ADDRESS_GRAIN_SHIFT;
    *bit = UINT64_C(1) << (grain % 64);
    return page == NULL ? NULL : page + grain / 64 % FT_ADDRESS_WORDS;
}

/* Puts an address in. *added: it was not in before. false: memory is out, and it is not in. */
static inline bool ft_address_set_add(ft_address_set *set, uintptr_t address, bool *added)
{
    uint64_t bit;
    uint64_t *word = ft_address_set_word(set, address, &bit);
    if (word == NULL)
        return false;
    *added = (*word & bit) == 0;
    *word |= bit;
    return true;
}

bool ft_address_set_has(const ft_address_set *set, uintptr_t address);

#endif
