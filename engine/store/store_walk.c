/* SPDX-License-Identifier: Apache-2.0 */
/* store_walk.c: all entries of a store, and whether it is right. */
#include "engine/base/array.h"
#include "engine/store/functions.h"
#include "engine/store/store_parts.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 4 };

typedef struct walk {
    const ft_mem *mem;
    ft_slot *slots; /* owned */
    uint32_t count, room;
} walk;

static ft_status gather(void *context, const ft_slot *slot)
{
    walk *is = context;
    if (is->count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_slot *slots = ft_array_grow(is->mem, is->slots, is->count + 1, &is->room, sizeof *slots);
    if (slots == NULL)
        return FT_ERR_MEMORY;
    is->slots = slots;
    slots[is->count++] = *slot;
    return FT_OK;
}

static int by_place(const void *one, const void *other)
{
    const ft_slot *a = one, *b = other;
    uint64_t x = (uint64_t)ft_slot_segment(a) << 32 | a->place;
    uint64_t y = (uint64_t)ft_slot_segment(b) << 32 | b->place;
    return (x > y) - (x < y);
}

static bool reader_is_current(ft_store *store)
{
    pthread_rwlock_rdlock(&store->files);
    bool current = ft_slots_current(&store->reader.slots, &store->folder);
    pthread_rwlock_unlock(&store->files);
    return current;
}

/* All slots, in the order of their entries on disk. The index may be replaced meanwhile. */
static ft_status slots_of(ft_store *store, walk *is)
{
    ft_status status = FT_ERR_CORRUPT;
    for (int tries = 0; tries < TRIES && status == FT_ERR_CORRUPT; tries++) {
        if (!reader_is_current(store) && (status = ft_store_reopen(store)) != FT_OK)
            break;
        is->count = 0;
        pthread_rwlock_rdlock(&store->files);
        status = store->reader.slots.fd < 0
                     ? FT_ERR_CORRUPT
                     : ft_slots_each(&store->reader.slots, &store->folder.secret, gather, is);
        pthread_rwlock_unlock(&store->files);
    }
    if (is->count > 0)
        qsort(is->slots, is->count, sizeof *is->slots, by_place);
    return status == FT_ERR_EMPTY ? FT_OK : status;
}

/* The head alone: its check is not, since that takes the body. */
static bool head_of(ft_store *store, const ft_slot *slot, ft_entry *entry)
{
    ft_entry_head head;
    if (ft_store_read_raw(store, ft_slot_segment(slot), slot->place, &head, sizeof head) !=
            sizeof head ||
        head.magic != FT_ENTRY_MAGIC || head.key.low != slot->key)
        return false;
    ft_store_describe(store, slot, &head, entry);
    return true;
}

ft_status ft_store_each(ft_store *store, bool (*told)(void *context, const ft_entry *entry),
                        void *context)
{
    walk is = {.mem = store->mem};
    ft_status status = store->usable ? slots_of(store, &is) : FT_OK;
    for (uint32_t i = 0; i < is.count && status == FT_OK; i++) {
        ft_entry entry;
        if (head_of(store, &is.slots[i], &entry) && !told(context, &entry))
            break;
    }
    ft_mem_free(store->mem, is.slots);
    return status;
}

ft_status ft_store_measure(ft_store *store, ft_store_sizes *sizes)
{
    ft_totals totals;
    *sizes = (ft_store_sizes){.max_bytes = store->max_bytes};
    if (!store->usable)
        return FT_OK;
    if (!reader_is_current(store))
        (void)ft_store_reopen(store);
    pthread_rwlock_rdlock(&store->files);
    const ft_slots *slots = &store->reader.slots;
    if (slots->fd >= 0 && ft_slots_totals(slots, &store->folder.secret, &totals) == FT_OK) {
        sizes->entries = totals.entries;
        sizes->bytes = ft_totals_disk(&totals, slots);
    }
    pthread_rwlock_unlock(&store->files);
    return FT_OK;
}

/* ---- is it right? ---- */

typedef struct checking {
    ft_store *store;
    uint64_t entries, blob_bytes;
} checking;

static ft_status check_slot(void *context, const ft_slot *slot)
{
    checking *is = context;
    uint8_t entry[FT_BODY_AT + FT_STORE_INLINE + FT_UNIT];
    ft_entry_head head;
    uint32_t bytes = ft_slot_log_bytes(slot);
    if (bytes > sizeof entry || bytes < FT_BODY_AT ||
        ft_store_read_own(is->store, ft_slot_segment(slot), slot->place, entry, bytes) != bytes)
        return FT_ERR_CORRUPT;
    memcpy(&head, entry, sizeof head);
    if (head.key.low != slot->key ||
        !ft_entry_good(entry, bytes, head.key, &is->store->folder.secret))
        return FT_ERR_CORRUPT;
    is->entries++;
    is->blob_bytes += ft_slot_blob_bytes(slot);
    ft_found_slot found; /* each is found where it is looked for */
    return ft_slots_find(&is->store->writer.slots, &is->store->folder.secret, slot->key, &found,
                         NULL) == FT_FOUND_YES &&
                   found.slot.place == slot->place
               ? FT_OK
               : FT_ERR_CORRUPT;
}

ft_status ft_store_check(ft_store *store)
{
    ft_totals totals;
    checking is = {.store = store};
    ft_status status = ft_store_begin(store, FT_REDUCERS_PATIENCE_MS, &totals);
    if (status != FT_OK)
        return status;
    walk all = {.mem = store->mem};
    status = slots_of(store, &all);
    for (uint32_t i = 0; i < all.count && status == FT_OK; i++)
        status = check_slot(&is, &all.slots[i]);
    if (status == FT_OK && (is.entries != totals.entries || is.blob_bytes != totals.blob_bytes))
        status = FT_ERR_CORRUPT;
    ft_mem_free(store->mem, all.slots);
    ft_store_end(store);
    return status;
}
