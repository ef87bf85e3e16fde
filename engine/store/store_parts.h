/* SPDX-License-Identifier: Apache-2.0 */
/* store_parts.h: what a store is made of, for store.c and trim.c. */
#ifndef FT_STORE_STORE_PARTS_H
#define FT_STORE_STORE_PARTS_H

#include "engine/store/blobs.h"
#include "engine/store/claims.h"
#include "engine/store/segments.h"
#include "engine/store/slots.h"
#include "engine/store/store.h"

#include <stdatomic.h>

struct ft_store {
    const ft_mem *mem;
    ft_folder folder;
    uint64_t max_bytes;
    bool usable, writable;
    atomic_uint troubles;
    atomic_int error;        /* errno of the last FT_TROUBLE_IO */
    pthread_mutex_t writing; /* between threads, what the folder's lock is between processes */
    pthread_rwlock_t files;  /* of slots and segments: alone whoever opens or closes any */
    ft_slots slots;          /* fd -1: none is open */
    ft_segments segments;
    ft_blobs blobs;
    ft_claims claims;
};

enum {
    FT_WRITERS_PATIENCE_MS = 2000,  /* of a cached call */
    FT_REDUCERS_PATIENCE_MS = 60000 /* of who asked to reduce or clear */
};

void ft_store_trouble_of(ft_store *store, ft_status status);
void ft_store_say(ft_store *store, ft_store_trouble trouble);

/* Between begin and end the caller is the only writer. On FT_OK slots are open and current, and
 * *totals (may be NULL) are read; otherwise nothing is held. */
ft_status ft_store_begin(ft_store *store, int patience_ms, ft_totals *totals);
void ft_store_end(ft_store *store);

/* Opens the index again, as it is now. */
ft_status ft_store_reopen(ft_store *store);

/* Adds an entry that is whole to the segment that is written; where it lies. */
ft_status ft_store_append(ft_store *store, ft_totals *totals, const void *entry, size_t bytes,
                          uint32_t *segment, uint32_t *place);

/* Reads an entry's bytes as they lie in a segment; how many there were. */
size_t ft_store_read_raw(ft_store *store, uint32_t segment, uint32_t place, void *bytes,
                         size_t length);

/* What a slot and its entry's head say. */
void ft_store_describe(const ft_store *store, const ft_slot *slot, const ft_entry_head *head,
                       ft_entry *entry);

/* The blob that a slot's entry names; false: it names none. */
bool ft_store_blob_of(ft_store *store, const ft_slot *slot, ft_blob *blob);

/* Removes everything and makes an empty index. Needs the lock, and files alone or reopened after.
 */
ft_status ft_store_start_over(ft_store *store);

/* Down to the bounds, holding the lock; drop (0: none): this function's entries too. */
ft_status ft_store_trim(ft_store *store, ft_totals *totals, const ft_bounds *bounds,
                        uint64_t function, uint64_t *removed);

/* Ticks of an index's slots. */
uint32_t ft_store_ticks(const ft_store *store);

static inline uint64_t ft_store_disk(const ft_store *store, const ft_totals *totals)
{
    return totals->log_bytes + totals->blob_bytes + ft_slots_bytes(&store->slots);
}

/* What a slot's entry takes in its segment, in bytes. */
static inline uint32_t ft_slot_log_bytes(const ft_slot *slot)
{
    uint32_t units =
        slot->segment & FT_SLOT_BLOB ? ft_entry_units(sizeof(ft_blob_name)) : slot->size;
    return units * FT_UNIT;
}

static inline uint64_t ft_slot_blob_bytes(const ft_slot *slot)
{
    return (uint64_t)slot->size * FT_UNIT - ft_slot_log_bytes(slot);
}

#endif
