/* SPDX-License-Identifier: Apache-2.0 */
/* store_put.c: keeping and forgetting one entry. */
#include "engine/base/clock.h"
#include "engine/store/store_parts.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum {
    COMPRESSED_FROM = 256, /* bytes: less is kept as it is */
    GROWN_BITS = 2         /* an index that is full becomes four times as large */
};
static const uint64_t SEGMENTS_OF_STORE = 32, SEGMENT_LEAST = 64 << 10, SEGMENT_MOST = 256 << 20;
static const uint64_t KEPT_AFTER_TRIM = 80; /* percent of what a store may take */

static uint64_t segment_limit(const ft_store *store)
{
    uint64_t limit = store->max_bytes == 0 ? SEGMENT_MOST : store->max_bytes / SEGMENTS_OF_STORE;
    limit = limit > SEGMENT_LEAST ? limit : SEGMENT_LEAST;
    return limit < SEGMENT_MOST ? limit : SEGMENT_MOST;
}

static int writable_segment(ft_store *store, uint32_t number)
{
    int fd = ft_segments_get(&store->writer.segments, number);
    return fd >= 0 ? fd
                   : ft_segments_open(&store->writer.segments, &store->folder, number, true, true);
}

ft_status ft_store_append(ft_store *store, ft_totals *totals, const void *entry, size_t bytes,
                          uint32_t *segment, uint32_t *place)
{
    ft_file_facts is;
    assert(bytes % FT_UNIT == 0);
    for (int i = 0; i < 2; i++) {
        int fd = writable_segment(store, totals->active);
        if (fd < 0 || !ft_file_ask(fd, NULL, &is))
            return ft_status_of_errno(errno);
        /* Removed by another process, perhaps; a network's file system may keep a name for it. */
        if (is.names == 0 || (is.bytes == 0 && i == 0)) {
            ft_segments_forget(&store->writer.segments, totals->active);
            continue;
        }
        uint64_t end = (is.bytes + FT_UNIT - 1) / FT_UNIT * FT_UNIT;
        if (end > 0 && end + bytes > segment_limit(store) && totals->active < FT_SEGMENT_MOST) {
            totals->active++;
            i = -1;
            continue;
        }
        if (end / FT_UNIT > UINT32_MAX)
            return FT_ERR_LIMIT;
        ft_status status = ft_write_at(fd, entry, bytes, end);
        if (status != FT_OK) {
            int why = errno;
            (void)!ftruncate(fd, (off_t)is.bytes);
            errno = why;
            return status;
        }
        totals->log_bytes += bytes;
        *segment = totals->active;
        *place = (uint32_t)(end / FT_UNIT);
        return FT_OK;
    }
    errno = EIO;
    return FT_ERR_IO;
}

/* What is written for a put, made before the lock is taken. */
typedef struct making {
    const ft_put *put;
    ft_entry_head head;
    ft_piece packed; /* the value in one piece, compressed; bytes NULL: as it came */
    void *owned;
    uint64_t stored; /* bytes of the value as it is stored */
    ft_blob blob;
    char temporary[FT_BLOB_PATH];
    uint8_t *entry; /* owned: head and body, in whole units */
    size_t bytes;
} making;

static void copy_pieces(const ft_put *put, uint8_t *to)
{
    for (size_t i = 0; i < put->count; i++) {
        if (put->pieces[i].length > 0)
            memcpy(to, put->pieces[i].bytes, put->pieces[i].length);
        to += put->pieces[i].length;
    }
}

static ft_status compress_value(ft_store *store, making *is)
{
    size_t length = is->head.length, room = ZSTD_compressBound(length);
    uint8_t *plain = ft_mem_resize(store->mem, NULL, length, 1);
    uint8_t *packed = ft_mem_resize(store->mem, NULL, room, 1);
    if (plain == NULL || packed == NULL) {
        ft_mem_free(store->mem, plain);
        ft_mem_free(store->mem, packed);
        return FT_ERR_MEMORY;
    }
    copy_pieces(is->put, plain);
    size_t size = ZSTD_compress(packed, room, plain, length, is->put->compress);
    ft_mem_free(store->mem, plain);
    if (ZSTD_isError(size) || size >= length) {
        ft_mem_free(store->mem, packed);
        return FT_OK;
    }
    is->owned = packed;
    is->packed = (ft_piece){packed, size};
    is->stored = size;
    is->head.flags |= FT_ENTRY_COMPRESSED;
    return FT_OK;
}

static ft_status make_entry(ft_store *store, making *is, bool large)
{
    is->head.body = large ? sizeof is->blob.name : (uint32_t)is->stored;
    is->bytes = (size_t)ft_entry_units(is->head.body) * FT_UNIT;
    is->entry = ft_mem_new(store->mem, is->bytes, 1);
    if (is->entry == NULL)
        return FT_ERR_MEMORY;
    memcpy(is->entry, &is->head, sizeof is->head);
    if (large)
        memcpy(is->entry + FT_BODY_AT, &is->blob.name, sizeof is->blob.name);
    else if (is->packed.bytes != NULL)
        memcpy(is->entry + FT_BODY_AT, is->packed.bytes, is->packed.length);
    else
        copy_pieces(is->put, is->entry + FT_BODY_AT);
    ft_entry_seal(is->entry, &store->folder.secret);
    return FT_OK;
}

static ft_status make(ft_store *store, const ft_put *put, making *is)
{
    ft_status status = FT_OK;
    for (size_t i = 0; i < put->count; i++)
        is->head.length += put->pieces[i].length;
    is->stored = is->head.length;
    if (put->compress != 0 && is->head.length >= COMPRESSED_FROM)
        status = compress_value(store, is);
    bool large = is->stored > FT_STORE_INLINE;
    if (status != FT_OK)
        return status;
    if (store->max_bytes != 0 && is->stored > store->max_bytes / 2) {
        ft_store_say(store, FT_TROUBLE_LARGE);
        return FT_ERR_LIMIT;
    }
    if (large) {
        is->head.flags |= FT_ENTRY_BLOB;
        is->blob.key = put->key;
        bool packed = is->packed.bytes != NULL;
        status = ft_blob_write(&store->folder, packed ? &is->packed : put->pieces,
                               packed ? 1 : put->count, &is->blob, is->temporary);
        if (status != FT_OK)
            is->temporary[0] = 0;
    }
    return status == FT_OK ? make_entry(store, is, large) : status;
}

static void making_fini(ft_store *store, making *is)
{
    if (is->temporary[0] != 0)
        ft_blob_discard(&store->folder, is->temporary);
    ft_mem_free(store->mem, is->owned);
    ft_mem_free(store->mem, is->entry);
}

/* The old entry of a key leaves: its blob, unless the new one has the same. */
static void leave(ft_store *store, ft_totals *totals, const ft_slot *old, const ft_blob *next)
{
    ft_blob blob;
    totals->blob_bytes -=
        ft_slot_blob_bytes(old) < totals->blob_bytes ? ft_slot_blob_bytes(old) : totals->blob_bytes;
    if (!ft_store_blob_of(store, old, &blob))
        return;
    if (next == NULL || blob.name.content.low != next->name.content.low)
        ft_blob_remove(&store->folder, &blob);
}

static ft_status grow(ft_store *store, ft_totals *totals)
{
    ft_status status = ft_slots_rebuild(&store->writer.slots, &store->folder, store->mem,
                                        store->writer.slots.bits + GROWN_BITS, totals, NULL, NULL);
    return status == FT_OK ? ft_store_renew(store) : status;
}

/* Lets the index lead to what was written. */
static ft_status lead_to(ft_store *store, ft_totals *totals, ft_slot slot, const ft_blob *blob)
{
    const ft_secret *secret = &store->folder.secret;
    ft_found_slot found;
    uint64_t room = 0;
    ft_found there = ft_slots_find(&store->writer.slots, secret, slot.key, &found, &room);
    if (there == FT_FOUND_NO && room == 0) { /* full of slots that were damaged, which then go */
        ft_status status = grow(store, totals);
        if (status != FT_OK)
            return status;
        there = ft_slots_find(&store->writer.slots, secret, slot.key, &found, &room);
    }
    uint64_t at = there == FT_FOUND_NO ? room : found.offset; /* a damaged one is written over */
    if (at == 0)
        return there == FT_FOUND_NO ? FT_ERR_LIMIT : FT_ERR_CORRUPT;
    ft_status status = ft_slots_write(&store->writer.slots, secret, at, slot);
    if (status != FT_OK)
        return status;
    totals->entries += there == FT_FOUND_NO; /* a damaged one was counted */
    totals->blob_bytes += ft_slot_blob_bytes(&slot);
    if (there == FT_FOUND_YES) /* only now: a reader may be at the old one */
        leave(store, totals, &found.slot, blob);
    return FT_OK;
}

/* Writes the entry and lets the index lead to it. Holds the lock. */
static ft_status settle(ft_store *store, making *is, ft_totals *totals)
{
    bool large = is->head.flags & FT_ENTRY_BLOB;
    ft_slot slot = {.key = is->put->key.low,
                    .function = (uint32_t)is->put->function,
                    .used = ft_store_ticks(store)};
    ft_status status = FT_OK;
    if (ft_slots_are_full(&store->writer.slots, totals->entries))
        status = grow(store, totals);
    if (status == FT_OK && large)
        status = ft_blob_settle(&store->folder, &is->blob, is->temporary);
    if (status != FT_OK)
        return status;
    if (large)
        is->temporary[0] = 0;
    uint64_t units = is->bytes / FT_UNIT + (large ? (is->stored + FT_UNIT - 1) / FT_UNIT : 0);
    slot.size = units < UINT32_MAX ? (uint32_t)units : UINT32_MAX;
    status = ft_store_append(store, totals, is->entry, is->bytes, &slot.segment, &slot.place);
    slot.segment |= large ? FT_SLOT_BLOB : 0;
    if (status == FT_OK)
        status = lead_to(store, totals, slot, large ? &is->blob : NULL);
    int why = errno;
    if (status != FT_OK && large &&
        !ft_store_uses_blob(store, is->blob.key, is->blob.name.content.low))
        ft_blob_remove(&store->folder, &is->blob);
    errno = why;
    return status;
}

/* More than the store may take: the least recently used go. */
static void keep_bounds(ft_store *store, ft_totals *totals)
{
    if (store->max_bytes == 0 || ft_totals_disk(totals, &store->writer.slots) <= store->max_bytes)
        return;
    ft_bounds bounds = {store->max_bytes / 100 * KEPT_AFTER_TRIM, UINT64_MAX, UINT64_MAX};
    ft_store_trouble_of(store, ft_store_trim(store, totals, &bounds, 0, NULL));
}

ft_status ft_store_put(ft_store *store, const ft_put *put, bool *kept)
{
    ft_totals totals;
    *kept = false;
    if (!store->writable)
        return FT_OK;
    making is = {
        .put = put,
        .head = {.magic = FT_ENTRY_MAGIC,
                 .kind = (uint16_t)put->kind,
                 .version = FT_ENTRY_VERSION,
                 .key = put->key,
                 .function = put->function,
                 .created_ns = put->created_ns != 0 ? put->created_ns : ft_clock_ns(CLOCK_REALTIME),
                 .cost_ns = put->cost_ns}};
    ft_status status = make(store, put, &is);
    ft_store_trouble_of(store, status);
    if (status == FT_OK) { /* begin says its troubles */
        status = ft_store_begin(store, FT_WRITERS_PATIENCE_MS, &totals);
        if (status == FT_OK) {
            status = settle(store, &is, &totals);
            ft_store_trouble_of(store, status);
            *kept = status == FT_OK;
            (void)ft_slots_set_totals(&store->writer.slots, &store->folder.secret, &totals);
            keep_bounds(store, &totals);
            if (*kept && totals.entries == 0) { /* it went at once */
                *kept = false;
                ft_store_say(store, FT_TROUBLE_LARGE);
            }
            ft_store_end(store);
        }
    }
    making_fini(store, &is);
    return status == FT_ERR_MEMORY ? status : FT_OK;
}

/* ---- forgetting ---- */

ft_status ft_store_forget(ft_store *store, ft_totals *totals, const ft_found_slot *found)
{
    ft_status status = ft_slots_erase(&store->writer.slots, found);
    if (status != FT_OK)
        return status;
    leave(store, totals, &found->slot, NULL);
    totals->entries -= totals->entries > 0;
    return ft_slots_set_totals(&store->writer.slots, &store->folder.secret, totals);
}

ft_status ft_store_remove(ft_store *store, ft_digest key, bool *found)
{
    ft_totals totals;
    ft_found_slot slot;
    *found = false;
    if (ft_store_begin(store, FT_WRITERS_PATIENCE_MS, &totals) != FT_OK)
        return FT_OK;
    ft_found there =
        ft_slots_find(&store->writer.slots, &store->folder.secret, key.low, &slot, NULL);
    if (there != FT_FOUND_NO && slot.offset != 0) {
        ft_status status = ft_store_forget(store, &totals, &slot);
        ft_store_trouble_of(store, status);
        *found = status == FT_OK && there == FT_FOUND_YES;
    }
    ft_store_end(store);
    return FT_OK;
}
