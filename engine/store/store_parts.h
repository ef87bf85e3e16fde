/* SPDX-License-Identifier: Apache-2.0 */
/* store_parts.h: what a store is made of, for store.c and trim.c. */
#ifndef FT_STORE_STORE_PARTS_H
#define FT_STORE_STORE_PARTS_H

#include "engine/store/blobs.h"
#include "engine/store/claims.h"
#include "engine/store/mappings.h"
#include "engine/store/recent.h"
#include "engine/store/segments.h"
#include "engine/store/slots.h"
#include "engine/store/store.h"

#include <stdatomic.h>

/* The index and the segments, as somebody has them open. */
typedef struct ft_files {
    ft_slots slots; /* fd -1: none is open */
    ft_segments segments;
} ft_files;

/* Readers and writers have descriptors of their own: a reader that finds the index replaced opens
 * it again while a writer is at work, and no write may ever go to a descriptor that was closed. */
struct ft_store {
    const ft_mem *mem;
    ft_folder folder;
    uint64_t max_bytes;
    atomic_bool usable, writable;
    atomic_uint troubles;
    atomic_int error;                /* errno of the last FT_TROUBLE_IO */
    atomic_uint touch_tick, touches; /* so many in that tick */
    pthread_mutex_t writing; /* between threads, what the folder's lock is between processes */
    ft_files writer;         /* of who holds it */
    pthread_rwlock_t files;  /* of reader: alone whoever opens or closes any of it */
    ft_files reader;
    ft_recent *recent; /* owned; of reader: forgets when that is opened again */
    ft_blobs blobs;
    ft_mappings *mappings;
    ft_claims claims;
};

enum {
    FT_WRITERS_PATIENCE_MS = 2000,  /* of a cached call */
    FT_REDUCERS_PATIENCE_MS = 60000 /* of who asked to reduce or clear */
};

void ft_store_trouble_of(ft_store *store, ft_status status);
void ft_store_say(ft_store *store, ft_store_trouble trouble);

/* Between begin and end the caller is the only writer. On FT_OK its slots are open and current, and
 * *totals (may be NULL) are read; otherwise nothing is held. */
ft_status ft_store_begin(ft_store *store, int patience_ms, ft_totals *totals);
void ft_store_end(ft_store *store);

/* Opens the readers' files again, as they are now; the writer's. */
ft_status ft_store_reopen(ft_store *store);
ft_status ft_store_renew(ft_store *store);

/* Adds an entry that is whole to the segment that is written; where it lies. */
ft_status ft_store_append(ft_store *store, ft_totals *totals, const void *entry, size_t bytes,
                          uint32_t *segment, uint32_t *place);

/* Reads an entry's bytes as they lie in a segment, as a reader or as the writer; how many there
 * were. */
size_t ft_store_read_raw(ft_store *store, uint32_t segment, uint32_t place, void *bytes,
                         size_t length);
size_t ft_store_read_own(ft_store *store, uint32_t segment, uint32_t place, void *bytes,
                         size_t length);

/* Lets the index forget a slot and counts what leaves, the blob too. */
ft_status ft_store_forget(ft_store *store, ft_totals *totals, const ft_found_slot *found);

/* What a slot and its entry's head say. */
void ft_store_describe(const ft_store *store, const ft_slot *slot, const ft_entry_head *head,
                       ft_entry *entry);

/* The blob that a slot's entry names; false: it names none. Needs the lock, as do the rest. */
bool ft_store_blob_of(ft_store *store, const ft_slot *slot, ft_blob *blob);

/* Does the index lead to that blob? For ft_blobs_sweep; the context is the store. */
bool ft_store_uses_blob(void *context, ft_digest key, uint64_t content);

/* Makes an empty index and removes everything else; ft_store_renew after it. */
ft_status ft_store_start_over(ft_store *store);

/* Down to the bounds, holding the lock; drop (0: none): this function's entries too. */
ft_status ft_store_trim(ft_store *store, ft_totals *totals, const ft_bounds *bounds,
                        uint64_t function, uint64_t *removed);

/* Ticks of an index's slots. */
uint32_t ft_store_ticks(const ft_store *store);

/* What a store takes on disk. */
static inline uint64_t ft_totals_disk(const ft_totals *totals, const ft_slots *slots)
{
    return totals->log_bytes + totals->blob_bytes + ft_slots_bytes(slots);
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
