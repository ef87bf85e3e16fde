/* SPDX-License-Identifier: Apache-2.0 */
/* reuse.h: which calls of a cache come back to a key, and after how many others: its curve.
 *
 * The engine (engine/stats/hit_curve.h) knows keys as small numbers, items. Here is the table that
 * leads from a key to its item. It is not the cache's: a larger cache than the real one would still
 * have the key, and that is what is asked. Each of a method's instances has one of these, and all
 * of them feed the one histogram of the method, which is given to each call.
 *
 * Invariant: between two calls of functions here, the table's keys are those of the curve's items,
 * but for those that there was no memory for. The slot of an item owns its key, the table borrows
 * it. An item that was dropped keeps its key in its slot until it is given to another: so nothing
 * is let go of where the curve is half done, and dropping a thousand needs no memory.
 *
 * The GIL protects it. Searching runs the program's code, and so does letting go of a key: neither
 * happens between a search and what it was for, nor before the curve has dropped what must go. */
#ifndef FT_GLUE_REUSE_H
#define FT_GLUE_REUSE_H

#include "glue/caching/key_search.h"

#include "engine/stats/hit_curve.h"

typedef struct ft_reuse_slot {
    PyObject *key;  /* a strong reference */
    uint32_t entry; /* of the table; FT_MEMO_NONE: it was dropped, or there was no memory */
} ft_reuse_slot;

typedef struct ft_reuse {
    ft_hit_curve curve;
    ft_memo_table keys;      /* borrowed; a value is an item's number, and no object */
    ft_reuse_slot *slots;    /* owned: by item */
    uint32_t used, capacity; /* of slots */
} ft_reuse;

/* NULL: there is no memory, and no exception. */
ft_reuse *ft_reuse_new(const ft_mem *mem);

/* Lets go of all keys: what is called from now on is called for the first time. */
void ft_reuse_clear(ft_reuse *reuse);

/* Clears and frees it; NULL is none. */
void ft_reuse_free(ft_reuse *reuse);

int ft_reuse_traverse(const ft_reuse *reuse, visitproc visit, void *arg);

/* A call. 1: its key is known, and it was counted; 0: it is not, and nothing was counted; -1 with
 * an exception: of a comparison. */
int ft_reuse_touch(ft_reuse *reuse, ft_hit_histogram *histogram, const ft_call_key *key);

/* A call whose key is not known. */
static inline void ft_reuse_miss(ft_reuse *reuse, ft_hit_histogram *histogram,
                                 const ft_call_key *key)
{
    ft_hit_curve_miss(&reuse->curve, histogram, key->hash);
}

/* No call: the key is known from now on; nothing happens if it is. Out of memory is no error: it
 * stays unknown, and the histogram is not exact. 0, or -1 with an exception. */
int ft_reuse_add(ft_reuse *reuse, ft_hit_histogram *histogram, const ft_call_key *key);

#endif
