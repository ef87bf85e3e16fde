/* SPDX-License-Identifier: Apache-2.0 */
/* results.h: the results that a function, or a method for one instance, has given.
 *
 * A memo table (engine/cache/memo_table.h) whose keys and values are strong references. The GIL
 * protects it. Comparing keys may run the program's code, and so may letting go of a reference:
 * the table may be another one afterwards. So a search looks out for that (key_search.h), and
 * references are let go of only when the table is whole again (note 2). */
#ifndef FT_GLUE_RESULTS_H
#define FT_GLUE_RESULTS_H

#include "glue/caching/reuse.h"

#include "engine/cache/policy.h"

/* What became of calls. */
typedef struct ft_counts {
    uint64_t hits, misses;
    uint64_t waited; /* of the hits, those that waited for another's computation */
    uint64_t evictions;
} ft_counts;

typedef struct ft_results {
    ft_memo_table table;
    ft_counts counts;                  /* but evictions: the table's own */
    ft_reuse *reuse;                   /* owned; NULL: there is no curve */
    struct ft_results *before, *after; /* those of one method: types/memo.h */
    PyObject *memo;                    /* the method's, a strong reference; NULL: a function's */
} ft_results;

enum { FT_RESULTS_MOST = FT_MEMO_MOST };
#define FT_RESULTS_FAILED FT_SEARCH_FAILED /* there is an exception */

/* The memory of tables: Python's own, so that who records allocations hears of it. */
extern const ft_mem ft_results_mem;

static inline PyObject *ft_results_value(const ft_results *results, uint32_t number)
{
    return results->table.entries[number].value;
}

/* The entry of a key, FT_MEMO_NONE, or FT_RESULTS_FAILED. May run code of the program's. */
static inline uint32_t ft_results_find(const ft_results *results, const ft_call_key *key)
{
    return ft_key_search(&results->table, key);
}

/* Keeps a value under a key that is not there, and the key as it is kept; takes over the reference
 * to the key. stamp: when the value ends. Lets go of what was evicted. Out of memory is no error:
 * the value is not kept. */
static inline void ft_results_add(ft_results *results, uint32_t hash, PyObject *kept,
                                  PyObject *value, uint64_t stamp)
{
    ft_memo_pair evicted;
    uint32_t number;
    if (ft_memo_table_put(&results->table, hash, kept, value, &evicted, &number) != FT_OK) {
        Py_DECREF(kept);
        return;
    }
    Py_INCREF(value);
    if (results->table.stamped)
        results->table.stamps[number] = stamp;
    Py_XDECREF(evicted.key); /* note 2 */
    Py_XDECREF(evicted.value);
}

/* Puts a new value in the place of an entry's; lets go of the old one. */
void ft_results_replace(ft_results *results, uint32_t number, PyObject *value, uint64_t stamp);

void ft_results_remove(ft_results *results, uint32_t number);

/* Lets go of everything: the keys of the curve too, which begins anew. */
void ft_results_clear(ft_results *results);

/* Clears them and frees what they own. */
void ft_results_fini(ft_results *results);

int ft_results_traverse(const ft_results *results, visitproc visit, void *arg);

/* Has the value ended? now: on the clock of the stamps. */
static inline bool ft_results_is_over(const ft_results *results, uint32_t number, uint64_t now)
{
    return results->table.stamped && results->table.stamps[number] <= now;
}

/* A list of the entries that are there and not over, each a tuple (hash, key as kept, value); NULL
 * with an exception. */
PyObject *ft_results_list(ft_results *results, uint64_t now);

#endif
