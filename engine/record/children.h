/* SPDX-License-Identifier: Apache-2.0 */
/* children.h: the children of a context, found by key.
 *
 * The only child stands in `recent` alone: most contexts have one child or none. From the second on
 * there is a table: open addressing over a power of two of pointers, at most 3/4 full; the key is
 * the child's own, in the line that the caller is about to write to anyway. A child that is flagged
 * FT_CODE_CREATES_TASK is never `recent`, so that the hot path does not find it: it stands in a
 * table from the first on. */
#ifndef FT_RECORD_CHILDREN_H
#define FT_RECORD_CHILDREN_H

#include "engine/record/pool.h"
#include "engine/record/recorder.h"

enum { FT_CHILDREN_MAX = (1 << 22) - 1 }; /* what child_count holds */

/* The child of context called key, or NULL. */
ft_context *ft_children_find(const ft_context *context, const void *key);

/* Adds a child that is not there yet. False when memory or child_count is out; nothing has changed
 * then. */
bool ft_children_add(ft_pool *pool, ft_context *context, ft_context *child);

#endif
