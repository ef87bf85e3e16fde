/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h: which entry of a full table goes. A policy is one file in policies/, one const struct
 * and one name in policies.c.
 *
 * Its entries stand in the table's lists, which it keeps in whatever order it likes; what else it
 * remembers hangs off table->state. Each entry with a key is in exactly one list. */
#ifndef FT_CACHE_POLICY_H
#define FT_CACHE_POLICY_H

#include "engine/cache/memo_table.h"

typedef struct ft_policy {
    const char *name;        /* "lru": what the user says */
    const char *description; /* one line */
    ft_memo_hit hit;         /* what a hit does to its entry */

    /* What follows may be NULL. */

    /* A new entry was filled, and is in no list yet: appends it to one. full: there is one entry
     * too many now, so takes another one out of its list first, and gives its number; its key is
     * still there, and goes next. Else gives FT_MEMO_NONE. Never fails: memory that can not be had
     * makes a policy worse, not wrong. NULL: the first of list 0 goes, and what is new is appended
     * to it. */
    uint32_t (*admit)(ft_memo_table *table, uint32_t number, bool full);

    /* All entries are gone, and so must be what the policy remembers of keys. */
    void (*clear)(ft_memo_table *table);

    /* Frees table->state. */
    void (*fini)(ft_memo_table *table);

    /* Bytes of table->state. */
    uint64_t (*bytes)(const ft_memo_table *table);

    /* Aborts (in debug builds) unless table->state is as it should be. */
    void (*check)(const ft_memo_table *table);
} ft_policy;

/* NULL-terminated. */
extern const ft_policy *const ft_policies[];

/* The policy of that name, or NULL. */
const ft_policy *ft_policy_find(const char *name);

#endif
