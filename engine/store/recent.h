/* SPDX-License-Identifier: Apache-2.0 */
/* recent.h: small entries that a process read lately, so that a hot key costs one look at the
 * index.
 *
 * An entry never changes where it lies, and whoever replaces or forgets it changes the slot that
 * leads to it. So one whose slot is still the same, in the same index, is the same: it was checked
 * when it was read. Another index may use a place again: everything is forgotten then.
 *
 * A line is locked while it is used, and who finds it locked goes without. */
#ifndef FT_STORE_RECENT_H
#define FT_STORE_RECENT_H

#include "engine/base/mem.h"
#include "engine/store/segments.h"
#include "engine/store/slots.h"

#include <stdatomic.h>

enum { FT_RECENT_LINES = 1024, FT_RECENT_BYTES = 176 };

typedef struct ft_recent_line {
    atomic_flag used;
    ft_slot slot; /* segment 0: nothing is here */
    uint8_t entry[FT_RECENT_BYTES];
} ft_recent_line;

typedef struct ft_recent {
    ft_recent_line lines[FT_RECENT_LINES]; /* by key */
} ft_recent;

static inline ft_recent_line *ft_recent_at(ft_recent *recent, uint64_t key)
{
    return &recent->lines[key % FT_RECENT_LINES];
}

/* Copies the entry that slot leads to, so many bytes; false: it is not here. */
static inline bool ft_recent_get(ft_recent *recent, const ft_slot *slot, void *entry, size_t bytes)
{
    if (bytes > FT_RECENT_BYTES)
        return false;
    ft_recent_line *line = ft_recent_at(recent, slot->key);
    if (atomic_flag_test_and_set_explicit(&line->used, memory_order_acquire))
        return false;
    bool same = memcmp(&line->slot, slot, offsetof(ft_slot, used)) == 0;
    if (same)
        memcpy(entry, line->entry, bytes);
    atomic_flag_clear_explicit(&line->used, memory_order_release);
    return same;
}

/* Remembers an entry that was read and checked. */
static inline void ft_recent_put(ft_recent *recent, const ft_slot *slot, const void *entry,
                                 size_t bytes)
{
    if (bytes > FT_RECENT_BYTES)
        return;
    ft_recent_line *line = ft_recent_at(recent, slot->key);
    if (atomic_flag_test_and_set_explicit(&line->used, memory_order_acquire))
        return;
    line->slot = *slot;
    memcpy(line->entry, entry, bytes);
    atomic_flag_clear_explicit(&line->used, memory_order_release);
}

/* NULL where memory is out. The caller frees it by ft_mem_free. */
ft_recent *ft_recent_new(const ft_mem *mem);

/* Forgets everything; nobody else may use it meanwhile. NULL: nothing. */
void ft_recent_clear(ft_recent *recent);

#endif
