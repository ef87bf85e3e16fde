/* SPDX-License-Identifier: Apache-2.0 */
/* key_search.c: the entry of a call's key in a memo table (see key_search.h). */
#include "glue/caching/key_search.h"

/* How often a search begins anew because comparing keys changed the table. A program that changes
 * it each time would search for ever: then the key counts as not there. */
enum { SEARCHES = 16 };

/* Note 1: compares with one entry. 1, 0, -1 with an exception, or FT_SAME_UNKNOWN when the table is
 * another one now. */
static int compare(const ft_memo_table *table, uint32_t number, const ft_call_key *key)
{
    PyObject *kept = table->entries[number].key;
    int same = ft_key_same(kept, key);
    if (same != FT_SAME_UNKNOWN)
        return same;
    uint64_t version = table->version;
    Py_INCREF(kept);
    same = ft_key_equal(kept, key);
    Py_DECREF(kept);
    return same >= 0 && table->version != version ? FT_SAME_UNKNOWN : same;
}

uint32_t ft_key_search(const ft_memo_table *table, const ft_call_key *key)
{
    for (int i = 0; i < SEARCHES; i++) {
        ft_index_probe probe = ft_memo_probe_begin(table, key->hash);
        int same = 0;
        while (same == 0) {
            uint32_t number = ft_memo_probe_next(table, &probe, key->hash);
            if (number == FT_MEMO_NONE)
                return number;
            same = compare(table, number, key);
            if (same == 1)
                return number;
        }
        if (same != FT_SAME_UNKNOWN)
            return FT_SEARCH_FAILED;
    }
    return FT_MEMO_NONE;
}
