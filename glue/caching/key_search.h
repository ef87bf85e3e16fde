/* SPDX-License-Identifier: Apache-2.0 */
/* key_search.h: the entry of a call's key in a memo table (engine/cache/memo_table.h) whose keys
 * are objects, kept by ft_call_key_keep under the key's hash.
 *
 * Comparing keys may run the program's code, and the table may be another one afterwards. So a
 * search looks at the table's version after each such comparison (note 1), and what it finds is
 * good until code of the program's may run again. The GIL protects the table, and whoever searches
 * keeps it from being freed. */
#ifndef FT_GLUE_KEY_SEARCH_H
#define FT_GLUE_KEY_SEARCH_H

#include "glue/caching/call_key.h"

#include "engine/cache/memo_table.h"

#define FT_SEARCH_FAILED (FT_MEMO_NONE - 1) /* there is an exception */

/* The entry of a key, FT_MEMO_NONE, or FT_SEARCH_FAILED. */
uint32_t ft_key_search(const ft_memo_table *table, const ft_call_key *key);

#endif
