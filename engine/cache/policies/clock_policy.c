/* SPDX-License-Identifier: Apache-2.0 */
/* clock_policy.c: the second chance. List 0 is the clock's face, its first entry where the hand
 * points: an entry that was hit since the hand passed is passed once more. A hit moves nothing. */
#include "engine/cache/policy.h"

static uint32_t take_victim(ft_memo_table *table)
{
    for (;;) { /* ends: after one round no entry is marked */
        uint32_t number = table->lists[0].first;
        ft_memo_list_remove(table, number);
        if (!table->entries[number].marked)
            return number;
        table->entries[number].marked = false;
        ft_memo_list_append(table, 0, number);
    }
}

static uint32_t admit(ft_memo_table *table, uint32_t number, bool full)
{
    uint32_t victim = full ? take_victim(table) : FT_MEMO_NONE;
    ft_memo_list_append(table, 0, number);
    return victim;
}

const ft_policy ft_policy_clock = {
    .name = "clock",
    .description = "second chance: almost lru, and a hit moves nothing",
    .hit = FT_HIT_MARK,
    .admit = admit,
};
