/* SPDX-License-Identifier: Apache-2.0 */
/* lru.c: least recently used, exactly: list 0 is in the order of use. */
#include "engine/cache/policy.h"

static uint32_t evict(ft_memo_table *table)
{
    uint32_t oldest = table->lists[0].first;
    ft_memo_list_remove(table, oldest);
    return oldest;
}

static void add(ft_memo_table *table, uint32_t number)
{
    ft_memo_list_append(table, 0, number);
}

const ft_policy ft_policy_lru = {
    .name = "lru",
    .description = "least recently used, exactly",
    .hit = FT_HIT_MOVE,
    .evict = evict,
    .add = add,
};
