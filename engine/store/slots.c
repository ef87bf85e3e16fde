/* SPDX-License-Identifier: Apache-2.0 */
/* slots.c: the index of a store, in a file. */
#include "engine/store/slots.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char magic[8] = "\x89"
                             "FTSLOTS";

enum {
    VERSION = 1,
    PAGE = 4096,
    TOTALS_AT = 64,
    BUCKET_BYTES = FT_SLOTS_IN_BUCKET * (int)sizeof(ft_slot),
    BITS_LEAST = 6,
    BITS_MOST = 32,
    BUCKETS_LOOKED_AT = 64, /* no key lies further: the table is grown before */
    CHUNK_BUCKETS = 128     /* of a walk */
};

typedef struct title {
    char magic[8];
    uint32_t version, bits;
    uint64_t check; /* of all before */
} title;

typedef struct bucket {
    ft_slot slots[FT_SLOTS_IN_BUCKET];
} bucket;

static uint64_t bucket_offset(uint64_t number)
{
    return PAGE + number * BUCKET_BYTES;
}

static uint64_t bucket_of(const ft_slots *slots, uint64_t key)
{
    return slots->bits == 0 ? 0 : key >> (64 - slots->bits);
}

uint64_t ft_slots_bytes(const ft_slots *slots)
{
    return bucket_offset(UINT64_C(1) << slots->bits);
}

static uint32_t slot_check(const ft_secret *secret, const ft_slot *slot)
{
    return (uint32_t)ft_checksum_of(secret, slot, offsetof(ft_slot, check));
}

/* ---- the file ---- */

static uint64_t title_check(const title *is, const ft_secret *secret)
{
    return ft_checksum_of(secret, is, offsetof(title, check));
}

ft_status ft_slots_open(ft_slots *slots, const ft_folder *folder, bool writable)
{
    title is;
    struct stat file;
    int fd = ft_folder_file(folder, "index", writable ? O_RDWR : O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? FT_ERR_EMPTY : FT_ERR_IO;
    ft_status status = FT_ERR_CORRUPT;
    ssize_t got = ft_read_at(fd, &is, sizeof is, 0);
    if (got < 0 || fstat(fd, &file) < 0)
        status = FT_ERR_IO;
    if (got != (ssize_t)sizeof is || status == FT_ERR_IO)
        goto fail;
    if (memcmp(is.magic, magic, sizeof magic) != 0 || is.bits > BITS_MOST ||
        is.check != title_check(&is, &folder->secret))
        goto fail;
    if (is.version > VERSION) {
        status = FT_ERR_NEWER;
        goto fail;
    }
    if ((uint64_t)file.st_size < bucket_offset(UINT64_C(1) << is.bits))
        goto fail;
    *slots = (ft_slots){fd, file.st_ino, is.bits};
    return FT_OK;
fail:
    close(fd);
    return status;
}

void ft_slots_close(ft_slots *slots)
{
    if (slots->fd >= 0)
        close(slots->fd);
    slots->fd = -1;
}

bool ft_slots_current(const ft_slots *slots, const ft_folder *folder)
{
    ft_file_facts named;
    return slots->fd >= 0 && ft_file_ask(folder->fd, "index", &named) &&
           named.inode == slots->inode && named.bytes >= ft_slots_bytes(slots);
}

bool ft_slots_attached(const ft_slots *slots)
{
    ft_file_facts is;
    return slots->fd >= 0 && ft_file_ask(slots->fd, NULL, &is) && is.names > 0 &&
           is.bytes >= ft_slots_bytes(slots);
}

/* A table of that size under another name: all its bytes are there, so that a later write never
 * finds the disk full. */
static ft_status make_file(const ft_folder *folder, uint32_t bits, int *result)
{
    title is = {.version = VERSION, .bits = bits};
    memcpy(is.magic, magic, sizeof magic);
    is.check = title_check(&is, &folder->secret);
    unlinkat(folder->fd, "index.new", 0);
    int fd = ft_folder_file(folder, "index.new", O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0)
        return ft_status_of_errno(errno);
    int failed = posix_fallocate(fd, 0, (off_t)bucket_offset(UINT64_C(1) << bits));
    ft_status status = failed ? ft_status_of_errno(failed) : ft_write_at(fd, &is, sizeof is, 0);
    if (status != FT_OK) {
        close(fd);
        unlinkat(folder->fd, "index.new", 0);
        return status;
    }
    *result = fd;
    return FT_OK;
}

static void cut(int fd)
{
    if (fd < 0)
        return;
    (void)!ftruncate(fd, 0);
    close(fd);
}

void ft_slots_finish_replacing(const ft_folder *folder)
{
    struct stat old, is;
    if (fstatat(folder->fd, "index.old", &old, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    bool same = fstatat(folder->fd, "index", &is, AT_SYMLINK_NOFOLLOW) == 0 &&
                is.st_dev == old.st_dev && is.st_ino == old.st_ino;
    if (!same) /* else it was killed before the name was taken */
        cut(ft_folder_file(folder, "index.old", O_RDWR));
    unlinkat(folder->fd, "index.old", 0);
}

/* index.new takes the name. Whoever has the old one open must notice even if we are killed between
 * the two steps: until it is cut, it has the name index.old. Where files have one name only, it is
 * cut by its descriptor. */
static ft_status take_name(const ft_folder *folder)
{
    ft_slots_finish_replacing(folder);
    int old = ft_folder_file(folder, "index", O_RDWR);
    (void)!linkat(folder->fd, "index", folder->fd, "index.old", 0);
    if (renameat(folder->fd, "index.new", folder->fd, "index") < 0) {
        int why = errno;
        if (old >= 0)
            close(old);
        unlinkat(folder->fd, "index.old", 0);
        unlinkat(folder->fd, "index.new", 0);
        errno = why;
        return ft_status_of_errno(why);
    }
    cut(old);
    unlinkat(folder->fd, "index.old", 0);
    return FT_OK;
}

ft_status ft_slots_make(const ft_folder *folder, uint32_t bits)
{
    int fd;
    assert(bits <= BITS_MOST);
    ft_status status = make_file(folder, bits, &fd);
    if (status != FT_OK)
        return status;
    ft_totals none = {.active = 1};
    none.check = ft_checksum_of(&folder->secret, &none, offsetof(ft_totals, check));
    status = ft_write_at(fd, &none, sizeof none, TOTALS_AT);
    close(fd);
    if (status == FT_OK)
        return take_name(folder);
    unlinkat(folder->fd, "index.new", 0);
    return status;
}

/* ---- finding ---- */

static bool bucket_read(const ft_slots *slots, uint64_t number, bucket *is)
{
    return ft_read_at(slots->fd, is, sizeof *is, bucket_offset(number)) == (ssize_t)sizeof *is;
}

/* Was it never taken, or left without a mark? One that only looks free was damaged: what comes
 * after its bucket must still be found. */
static bool is_free(const ft_slot *slot)
{
    return slot->segment == 0 && slot->key == 0 && slot->check == 0;
}

/* The slot of key in a bucket, or -1; *room: a slot that could be taken, or -1; *open: one is free.
 */
static int bucket_search(const bucket *is, uint64_t key, int *room, bool *open)
{
    int at = -1;
    *room = -1;
    *open = false;
    for (int i = 0; i < FT_SLOTS_IN_BUCKET; i++) {
        const ft_slot *slot = &is->slots[i];
        if (slot->segment == 0 || slot->segment == FT_SLOT_GONE) {
            *open |= is_free(slot);
            *room = *room < 0 ? i : *room;
        } else if (slot->key == key && at < 0) {
            at = i;
        }
    }
    return at;
}

ft_found ft_slots_find(const ft_slots *slots, const ft_secret *secret, uint64_t key,
                       ft_found_slot *found, uint64_t *free_offset)
{
    uint64_t mask = (UINT64_C(1) << slots->bits) - 1, first = bucket_of(slots, key), room_at = 0;
    bool open = false;
    *found = (ft_found_slot){.offset = 0};
    for (uint64_t step = 0; step < BUCKETS_LOOKED_AT && step <= mask && !open; step++) {
        bucket is;
        int room;
        uint64_t number = (first + step) & mask;
        if (!bucket_read(slots, number, &is))
            return FT_FOUND_STALE;
        int at = bucket_search(&is, key, &room, &open);
        if (room >= 0 && room_at == 0)
            room_at = bucket_offset(number) + (uint64_t)room * sizeof(ft_slot);
        if (at < 0)
            continue;
        found->slot = is.slots[at];
        found->offset = bucket_offset(number) + (uint64_t)at * sizeof(ft_slot);
        found->leaves_mark = !open;
        return found->slot.check == slot_check(secret, &found->slot) ? FT_FOUND_YES
                                                                     : FT_FOUND_STALE;
    }
    if (free_offset != NULL)
        *free_offset = room_at;
    return FT_FOUND_NO;
}

/* ---- changing ---- */

ft_status ft_slots_write(const ft_slots *slots, const ft_secret *secret, uint64_t offset,
                         ft_slot slot)
{
    assert(offset >= PAGE && offset % sizeof(ft_slot) == 0);
    slot.check = slot_check(secret, &slot);
    return ft_write_at(slots->fd, &slot, sizeof slot, offset);
}

ft_status ft_slots_erase(const ft_slots *slots, const ft_found_slot *found)
{
    ft_slot gone = {.segment = found->leaves_mark ? FT_SLOT_GONE : 0};
    return ft_write_at(slots->fd, &gone, sizeof gone, found->offset);
}

void ft_slots_touch(const ft_slots *slots, uint64_t offset, uint32_t used)
{
    (void)!pwrite(slots->fd, &used, sizeof used, (off_t)(offset + offsetof(ft_slot, used)));
}

/* ---- all of them ---- */

ft_status ft_slots_each(const ft_slots *slots, const ft_secret *secret, ft_slot_told told,
                        void *context)
{
    uint64_t count = UINT64_C(1) << slots->bits;
    bucket chunk[CHUNK_BUCKETS];
    ft_status status = FT_OK;
    for (uint64_t number = 0; number < count; number += CHUNK_BUCKETS) {
        uint64_t some = count - number < CHUNK_BUCKETS ? count - number : CHUNK_BUCKETS;
        size_t bytes = some * sizeof(bucket);
        if (ft_read_at(slots->fd, chunk, bytes, bucket_offset(number)) != (ssize_t)bytes)
            return FT_ERR_CORRUPT;
        for (uint64_t i = 0; i < some * FT_SLOTS_IN_BUCKET && status == FT_OK; i++) {
            const ft_slot *slot = &chunk[i / FT_SLOTS_IN_BUCKET].slots[i % FT_SLOTS_IN_BUCKET];
            if (slot->segment != 0 && slot->segment != FT_SLOT_GONE &&
                slot->check == slot_check(secret, slot))
                status = told(context, slot);
        }
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

ft_status ft_slots_filter(const ft_slots *slots, const ft_secret *secret, ft_slot_kept kept,
                          void *context)
{
    uint64_t count = UINT64_C(1) << slots->bits;
    for (uint64_t number = 0; number < count; number++) {
        bucket is;
        bool open = false;
        if (!bucket_read(slots, number, &is))
            return FT_ERR_CORRUPT;
        for (int i = 0; i < FT_SLOTS_IN_BUCKET; i++)
            open |= is_free(&is.slots[i]);
        for (int i = 0; i < FT_SLOTS_IN_BUCKET; i++) {
            ft_found_slot found = {is.slots[i],
                                   bucket_offset(number) + (uint64_t)i * sizeof(ft_slot), !open};
            if (found.slot.segment == 0 || found.slot.segment == FT_SLOT_GONE)
                continue;
            bool stays =
                found.slot.check == slot_check(secret, &found.slot) && kept(context, &found.slot);
            ft_status status = stays ? FT_OK : ft_slots_erase(slots, &found);
            if (status != FT_OK)
                return status;
        }
    }
    return FT_OK;
}

/* ---- totals ---- */

ft_status ft_slots_totals(const ft_slots *slots, const ft_secret *secret, ft_totals *totals)
{
    ft_totals is;
    ssize_t got = ft_read_at(slots->fd, &is, sizeof is, TOTALS_AT);
    if (got != (ssize_t)sizeof is ||
        is.check != ft_checksum_of(secret, &is, offsetof(ft_totals, check)) || is.active == 0 ||
        is.active > FT_SEGMENT_MOST)
        return FT_ERR_CORRUPT;
    *totals = is;
    return FT_OK;
}

ft_status ft_slots_set_totals(const ft_slots *slots, const ft_secret *secret, ft_totals *totals)
{
    totals->check = ft_checksum_of(secret, totals, offsetof(ft_totals, check));
    return ft_write_at(slots->fd, totals, sizeof *totals, TOTALS_AT);
}

/* ---- another table ---- */

/* At most 11 of 16 slots are taken: hardly a bucket overflows then. */
bool ft_slots_are_full(const ft_slots *slots, uint64_t entries)
{
    return entries >= ((uint64_t)11 << slots->bits);
}

uint32_t ft_slots_bits_for(uint64_t entries)
{
    uint32_t bits = BITS_LEAST;
    while (bits < BITS_MOST && entries >= (UINT64_C(5) << bits))
        bits++;
    return bits;
}

typedef struct rebuilding {
    bucket *buckets; /* of the new table */
    ft_slots next;
    uint64_t entries;
    ft_slot_kept kept;
    void *context;
} rebuilding;

static ft_status put_over(void *context, const ft_slot *slot)
{
    rebuilding *to = context;
    ft_slot is = *slot;
    uint64_t mask = (UINT64_C(1) << to->next.bits) - 1, first = bucket_of(&to->next, is.key);
    if (to->kept != NULL && !to->kept(to->context, &is))
        return FT_OK;
    for (uint64_t step = 0; step < BUCKETS_LOOKED_AT && step <= mask; step++) {
        bucket *at = &to->buckets[(first + step) & mask];
        for (int i = 0; i < FT_SLOTS_IN_BUCKET; i++) {
            if (at->slots[i].segment != 0)
                continue;
            at->slots[i] = is;
            to->entries++;
            return FT_OK;
        }
    }
    return FT_OK; /* no room for it near its place: it is not there any more */
}

/* The new table's buckets and totals. */
static ft_status fill(const ft_slots *slots, const ft_secret *secret, uint8_t *image,
                      rebuilding *to, ft_totals *totals)
{
    to->buckets = (bucket *)(void *)(image + PAGE);
    ft_status status = ft_slots_each(slots, secret, put_over, to);
    if (status != FT_OK)
        return status;
    bucket *end = to->buckets + (UINT64_C(1) << to->next.bits);
    for (bucket *at = to->buckets; at < end; at++)
        for (int i = 0; i < FT_SLOTS_IN_BUCKET; i++)
            if (at->slots[i].segment != 0)
                at->slots[i].check = slot_check(secret, &at->slots[i]);
    totals->entries = to->entries;
    totals->check = ft_checksum_of(secret, totals, offsetof(ft_totals, check));
    memcpy(image + TOTALS_AT, totals, sizeof *totals);
    return FT_OK;
}

ft_status ft_slots_rebuild(const ft_slots *slots, const ft_folder *folder, const ft_mem *mem,
                           uint32_t bits, ft_totals *totals, ft_slot_kept kept, void *context)
{
    int fd;
    rebuilding to = {.kept = kept, .context = context};
    to.next = (ft_slots){.fd = -1, .bits = bits < BITS_MOST ? bits : BITS_MOST};
    size_t bytes = ft_slots_bytes(&to.next);
    ft_status status = make_file(folder, to.next.bits, &fd);
    if (status != FT_OK)
        return status;
    uint8_t *image = ft_mem_new(mem, bytes, 1);
    status = image == NULL ? FT_ERR_MEMORY : fill(slots, &folder->secret, image, &to, totals);
    if (status == FT_OK)
        status = ft_write_at(fd, image + TOTALS_AT, bytes - TOTALS_AT, TOTALS_AT);
    int why = errno;
    close(fd);
    ft_mem_free(mem, image);
    if (status == FT_OK)
        return take_name(folder);
    unlinkat(folder->fd, "index.new", 0);
    errno = why;
    return status;
}
