/* SPDX-License-Identifier: Apache-2.0 */
/* store_get.c: finding what a store holds. */
#include "engine/base/clock.h"
#include "engine/store/store_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>

enum {
    LOOKS = 16,     /* at an entry that is being moved or written */
    TOUCHES = 1024, /* in a tick: a write costs several reads */
    BLOB_TRIES = 3,
    DECOMPRESSED_SMALL = 64 << 10 /* bytes */
};

uint32_t ft_store_ticks(const ft_store *store)
{
    uint64_t now = ft_clock_ns(CLOCK_REALTIME_COARSE);
    if (now <= store->folder.born_ns) /* the clock was set back */
        return 0;
    uint64_t ticks = (now - store->folder.born_ns) / (1000000000 / FT_TICKS_PER_SECOND);
    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

/* An entry that was read: the block holds its head and body. */
typedef struct reading {
    ft_found_slot found;
    uint8_t *block; /* owned */
    uint8_t *entry; /* in it */
    size_t bytes;
} reading;

/* Where in a block with FT_BLOCK_SLACK to spare something begins, so that what comes after of it is
 * aligned as a value's bytes are. */
static uint8_t *aligned(uint8_t *block, size_t of)
{
    return block + (FT_BLOCK_SLACK - ((uintptr_t)block + of + FT_BLOCK_SLACK) % FT_ALIGNED);
}

/* Its descriptor, files being held by readers and, if it had to be opened, alone after that. */
static int reader_segment(ft_store *store, uint32_t number)
{
    ft_segments *segments = &store->reader.segments;
    int fd = ft_segments_get(segments, number);
    if (fd >= 0)
        return fd;
    pthread_rwlock_unlock(&store->files);
    pthread_rwlock_wrlock(&store->files);
    fd = ft_segments_get(segments, number);
    return fd >= 0 ? fd : ft_segments_open(segments, &store->folder, number, false, false);
}

size_t ft_store_read_raw(ft_store *store, uint32_t segment, uint32_t place, void *bytes,
                         size_t length)
{
    pthread_rwlock_rdlock(&store->files);
    int fd = reader_segment(store, segment);
    ssize_t got = fd < 0 ? 0 : ft_read_at(fd, bytes, length, (uint64_t)place * FT_UNIT);
    pthread_rwlock_unlock(&store->files);
    return got < 0 ? 0 : (size_t)got;
}

size_t ft_store_read_own(ft_store *store, uint32_t segment, uint32_t place, void *bytes,
                         size_t length)
{
    ft_segments *segments = &store->writer.segments;
    int fd = ft_segments_get(segments, segment);
    if (fd < 0)
        fd = ft_segments_open(segments, &store->folder, segment, true, false);
    ssize_t got = fd < 0 ? 0 : ft_read_at(fd, bytes, length, (uint64_t)place * FT_UNIT);
    return got < 0 ? 0 : (size_t)got;
}

static bool entry_is_of(const uint8_t *entry, ft_digest key)
{
    ft_entry_head head;
    memcpy(&head, entry, sizeof head);
    return ft_digest_same(head.key, key);
}

static void drop_block(ft_store *store, reading *is)
{
    int why = errno;
    ft_mem_free(store->mem, is->block);
    is->block = NULL;
    errno = why;
}

/* Into is->entry. */
static ft_status read_from_segment(ft_store *store, ft_digest key, reading *is, ft_found *result)
{
    int fd = reader_segment(store, ft_slot_segment(&is->found.slot));
    uint64_t offset = (uint64_t)is->found.slot.place * FT_UNIT;
    ssize_t got = fd < 0 ? -1 : ft_read_at(fd, is->entry, is->bytes, offset);
    if (got == (ssize_t)is->bytes &&
        ft_entry_good(is->entry, is->bytes, key, &store->folder.secret)) {
        ft_recent_put(store->recent, &is->found.slot, is->entry, is->bytes);
        *result = FT_FOUND_YES;
        return FT_OK;
    }
    drop_block(store, is);
    bool gone = fd < 0 && errno == ENOENT;
    return got < 0 && !gone ? FT_ERR_IO : FT_OK;
}

/* Reads the entry that a slot leads to, where it is one of key. */
static ft_status read_entry(ft_store *store, ft_digest key, reading *is, ft_found *result)
{
    *result = FT_FOUND_STALE;
    is->bytes = ft_slot_log_bytes(&is->found.slot);
    if (is->bytes < FT_BODY_AT || is->bytes > FT_BODY_AT + FT_STORE_INLINE + FT_UNIT)
        return FT_OK;
    is->block = ft_mem_resize(store->mem, NULL, is->bytes + FT_BLOCK_SLACK, 1);
    if (is->block == NULL)
        return FT_ERR_MEMORY;
    is->entry = aligned(is->block, FT_BODY_AT);
    if (ft_recent_get(store->recent, &is->found.slot, is->entry, is->bytes) &&
        entry_is_of(is->entry, key)) {
        *result = FT_FOUND_YES;
        return FT_OK;
    }
    return read_from_segment(store, key, is, result);
}

/* Looks once, files being held by readers or, after opening a segment, alone. */
static ft_status look(ft_store *store, ft_digest key, reading *is, ft_found *result)
{
    const ft_slots *slots = &store->reader.slots;
    *result = FT_FOUND_STALE;
    is->found = (ft_found_slot){.offset = 0};
    if (slots->fd < 0)
        return FT_OK;
    *result = ft_slots_find(slots, &store->folder.secret, key.low, &is->found, NULL);
    return *result == FT_FOUND_YES ? read_entry(store, key, is, result) : FT_OK;
}

static bool same_slot(const ft_slot *one, const ft_slot *other)
{
    return memcmp(one, other, offsetof(ft_slot, used)) == 0;
}

/* Looks until it is sure. FT_OK with is->block (NULL: absent), files not held. *damaged: the index
 * is, or is->found.slot leads to nothing: seen twice, with files opened in between, in an index
 * that still had its name after. FT_ERR_IO: errno says why. */
static ft_status look_well(ft_store *store, ft_digest key, reading *is, bool *damaged)
{
    ft_slot before = {.segment = 0};
    *damaged = false;
    is->block = NULL;
    for (int i = 0; i < LOOKS; i++) {
        ft_found found;
        pthread_rwlock_rdlock(&store->files);
        ft_status status = look(store, key, is, &found);
        bool current =
            found == FT_FOUND_YES || status != FT_OK || ft_slots_attached(&store->reader.slots);
        pthread_rwlock_unlock(&store->files);
        if (status != FT_OK || found == FT_FOUND_YES || (found == FT_FOUND_NO && current))
            return status;
        if (current && i > 0 && same_slot(&before, &is->found.slot)) {
            *damaged = true;
            return FT_OK;
        }
        before = current ? is->found.slot : (ft_slot){.segment = 0};
        status = ft_store_reopen(store);
        if (status == FT_ERR_EMPTY) /* it was cleared away, folder and all */
            return FT_OK;
        if (status == FT_ERR_IO)
            return status;
        *damaged = status == FT_ERR_CORRUPT;
        if (*damaged)
            return FT_OK;
    }
    return FT_OK;
}

void ft_store_describe(const ft_store *store, const ft_slot *slot, const ft_entry_head *head,
                       ft_entry *entry)
{
    uint64_t used =
        store->folder.born_ns + (uint64_t)slot->used * (1000000000 / FT_TICKS_PER_SECOND);
    *entry = (ft_entry){.key = head->key,
                        .function = head->function,
                        .created_ns = head->created_ns,
                        .cost_ns = head->cost_ns,
                        .used_ns = used > head->created_ns ? used : head->created_ns,
                        .length = head->length,
                        .stored = (uint64_t)slot->size * FT_UNIT,
                        .kind = head->kind};
}

static void describe(const ft_store *store, const reading *is, ft_entry *entry)
{
    ft_entry_head head;
    memcpy(&head, is->entry, sizeof head);
    ft_store_describe(store, &is->found.slot, &head, entry);
}

/* A slot that leads to nothing goes, so that it is not stumbled on again; unless another took its
 * place meanwhile. Whoever holds the lock has mended an index that is damaged. */
static void drop_damaged(ft_store *store, const ft_slot *seen)
{
    ft_totals totals;
    ft_found_slot found;
    if (!store->writable)
        ft_store_say(store, FT_TROUBLE_CORRUPT);
    else if (ft_store_begin(store, FT_WRITERS_PATIENCE_MS, &totals) == FT_OK) {
        const ft_secret *secret = &store->folder.secret;
        (void)ft_slots_find(&store->writer.slots, secret, seen->key, &found, NULL);
        if (seen->segment != 0 && found.offset != 0 && same_slot(seen, &found.slot)) {
            ft_store_say(store, FT_TROUBLE_CORRUPT);
            (void)ft_store_forget(store, &totals, &found);
        }
        ft_store_end(store);
    }
}

ft_status ft_store_peek(ft_store *store, ft_digest key, bool *found, ft_entry *entry)
{
    reading is;
    bool damaged = false;
    *found = false;
    if (!store->usable)
        return FT_OK;
    ft_status status = look_well(store, key, &is, &damaged);
    if (status == FT_ERR_IO) {
        ft_store_trouble_of(store, status);
        return FT_OK;
    }
    if (status != FT_OK || is.block == NULL)
        return status;
    describe(store, &is, entry);
    ft_mem_free(store->mem, is.block);
    *found = true;
    return FT_OK;
}

void ft_value_fini(ft_value *value)
{
    if (value->shelved != NULL)
        ft_mapping_give_back(value->shelved);
    else if (value->mapping != NULL)
        munmap(value->mapping, value->mapped);
    ft_mem_free(value->mem, value->block);
    value->mapping = value->block = NULL;
    value->shelved = NULL;
}

static bool take_shelved(ft_store *store, const ft_blob *blob, ft_value *value)
{
    value->shelved = ft_mappings_take(store->mappings, &store->folder, blob);
    if (value->shelved == NULL)
        return false;
    value->mapping = value->bytes = value->shelved->bytes;
    value->mapped = blob->name.bytes;
    return true;
}

/* value->bytes, still compressed, as a blob holds them. */
static ft_status read_blob(ft_store *store, const ft_blob *blob, ft_view view, ft_value *value)
{
    uint64_t sight;
    bool private = view == FT_VIEW_PRIVATE;
    if (view == FT_VIEW_COPY)
        return ft_blob_read(&store->folder, blob, store->mem, &value->block, &value->bytes);
    if (private && take_shelved(store, blob, value))
        return FT_OK;
    ft_status status =
        ft_blob_map(&store->blobs, &store->folder, blob, private, &value->bytes, &sight);
    if (status == FT_ERR_LIMIT) /* a file system that maps no files */
        return ft_blob_read(&store->folder, blob, store->mem, &value->block, &value->bytes);
    if (status != FT_OK)
        return status;
    value->mapping = value->bytes;
    value->mapped = blob->name.bytes;
    if (private)
        value->shelved = ft_mappings_add(store->mappings, blob, sight, value->bytes);
    return FT_OK;
}

static ft_status decompress(ft_store *store, size_t stored, ft_value *value)
{
    ft_value plain = {.entry = value->entry, .mem = store->mem};
    size_t length = value->entry.length;
    if (length > SIZE_MAX - FT_BLOCK_SLACK)
        return FT_ERR_CORRUPT;
    plain.block = ft_mem_resize(store->mem, NULL, length + FT_BLOCK_SLACK, 1);
    if (plain.block == NULL)
        return FT_ERR_MEMORY;
    plain.bytes = aligned(plain.block, 0);
    bool right = ZSTD_decompress(plain.bytes, length, value->bytes, stored) == length;
    ft_value_fini(right ? value : &plain);
    if (right)
        *value = plain;
    return right ? FT_OK : FT_ERR_CORRUPT;
}

/* Would its value take long to read? */
static bool is_large(const ft_entry_head *head)
{
    return head->flags & FT_ENTRY_BLOB ||
           (head->flags & FT_ENTRY_COMPRESSED && head->length > DECOMPRESSED_SMALL);
}

/* Of a large value what is there at once, which may be nothing; ends the block. */
static void look_ready(ft_store *store, const ft_entry_head *head, ft_view view, ft_value *value)
{
    ft_blob blob = {.key = head->key};
    bool plain = head->flags & FT_ENTRY_BLOB && !(head->flags & FT_ENTRY_COMPRESSED) &&
                 head->body == sizeof blob.name;
    if (plain)
        memcpy(&blob.name, value->bytes, sizeof blob.name);
    ft_value_fini(value);
    value->bytes = NULL;
    if (view == FT_VIEW_READY && plain && head->length == blob.name.bytes)
        (void)take_shelved(store, &blob, value);
}

/* The value of an entry that was read; takes is->block. */
static ft_status value_of(ft_store *store, reading *is, ft_view view, ft_value *value)
{
    ft_entry_head head;
    memcpy(&head, is->entry, sizeof head);
    size_t stored = head.body;
    *value = (ft_value){.mem = store->mem, .block = is->block, .bytes = is->entry + FT_BODY_AT};
    describe(store, is, &value->entry);
    ft_status status = FT_OK;
    if (view >= FT_VIEW_SMALL && is_large(&head)) {
        look_ready(store, &head, view, value);
        return FT_OK;
    }
    if (head.flags & FT_ENTRY_BLOB) {
        ft_blob blob = {.key = head.key};
        if (head.body != sizeof blob.name)
            status = FT_ERR_CORRUPT;
        else {
            memcpy(&blob.name, value->bytes, sizeof blob.name);
            ft_mem_free(store->mem, value->block);
            value->block = NULL;
            stored = blob.name.bytes;
            status = read_blob(store, &blob, view, value);
        }
    }
    if (status == FT_OK && head.flags & FT_ENTRY_COMPRESSED)
        status = decompress(store, stored, value);
    else if (status == FT_OK && stored != head.length)
        status = FT_ERR_CORRUPT;
    if (status != FT_OK)
        ft_value_fini(value);
    return status;
}

/* One of the touches that a tick has; what is used most has the best chances. */
static bool may_touch(ft_store *store, uint32_t now)
{
    if (atomic_load_explicit(&store->touch_tick, memory_order_relaxed) != now) {
        atomic_store_explicit(&store->touch_tick, now, memory_order_relaxed);
        atomic_store_explicit(&store->touches, 0, memory_order_relaxed);
    }
    return atomic_fetch_add_explicit(&store->touches, 1, memory_order_relaxed) < TOUCHES;
}

static void touch(ft_store *store, const ft_found_slot *found)
{
    uint32_t now = ft_store_ticks(store);
    if (!store->writable || now <= found->slot.used || !may_touch(store, now))
        return;
    pthread_rwlock_rdlock(&store->files);
    /* another table by now: a wrong mark at worst */
    if (store->reader.slots.fd >= 0 && found->offset < ft_slots_bytes(&store->reader.slots))
        ft_slots_touch(&store->reader.slots, found->offset, now);
    pthread_rwlock_unlock(&store->files);
}

ft_status ft_store_get(ft_store *store, ft_digest key, ft_view view, bool *found, ft_value *value)
{
    reading is;
    bool damaged = false;
    *found = false;
    if (!store->usable)
        return FT_OK;
    for (int i = 0; i < BLOB_TRIES; i++) { /* it may be replaced between its entry and its file */
        ft_status status = look_well(store, key, &is, &damaged);
        if (status == FT_OK && is.block == NULL && !damaged)
            return FT_OK;
        if (status == FT_OK)
            status = damaged ? FT_ERR_CORRUPT : value_of(store, &is, view, value);
        if (status == FT_OK) {
            touch(store, &is.found);
            *found = true;
            return FT_OK;
        }
        if (status == FT_ERR_MEMORY)
            return status;
        if (status == FT_ERR_IO) {
            ft_store_trouble_of(store, status);
            return FT_OK;
        }
    }
    drop_damaged(store, &is.found.slot);
    return FT_OK;
}

bool ft_store_blob_of(ft_store *store, const ft_slot *slot, ft_blob *blob)
{
    uint8_t entry[FT_BODY_AT + sizeof(ft_blob_name)];
    ft_entry_head head;
    if (!(slot->segment & FT_SLOT_BLOB) ||
        ft_store_read_own(store, ft_slot_segment(slot), slot->place, entry, sizeof entry) !=
            sizeof entry)
        return false;
    memcpy(&head, entry, sizeof head);
    blob->key = head.key;
    memcpy(&blob->name, entry + FT_BODY_AT, sizeof blob->name);
    return ft_entry_good(entry, sizeof entry, head.key, &store->folder.secret);
}

bool ft_store_uses_blob(void *context, ft_digest key, uint64_t content)
{
    ft_store *store = context;
    ft_found_slot found;
    ft_blob blob;
    return ft_slots_find(&store->writer.slots, &store->folder.secret, key.low, &found, NULL) ==
               FT_FOUND_YES &&
           ft_store_blob_of(store, &found.slot, &blob) && ft_digest_same(blob.key, key) &&
           blob.name.content.low == content;
}
