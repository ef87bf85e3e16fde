/* SPDX-License-Identifier: Apache-2.0 */
/* segments.h: files of entries, one after the other, that only grow.
 *
 * Each entry begins at a multiple of 16 with a head that says all about it; nothing leads from one
 * entry to the next, so a damaged one harms no other. A segment that is given up is cut to nothing
 * before it is removed: whoever still has it open reads nothing from it, and the writer sees that
 * it has no name. A number may come back after a store was cleared. */
#ifndef FT_STORE_SEGMENTS_H
#define FT_STORE_SEGMENTS_H

#include "engine/store/folder.h"

enum { FT_UNIT = 16, FT_SEGMENTS_OPEN = 64 };

/* What an entry begins with, in its segment. */
typedef struct ft_entry_head {
    uint32_t magic;
    uint16_t kind;
    uint8_t version, flags;
    uint64_t check; /* of all after, the body too */
    ft_digest key;
    uint64_t function;
    uint64_t created_ns, cost_ns;
    uint64_t length; /* bytes of the value */
    uint32_t body;   /* bytes after this head */
    uint32_t reserved;
} ft_entry_head;

_Static_assert(sizeof(ft_entry_head) == 72, "as it is written");

/* The body begins at a multiple of 16. */
enum {
    FT_BODY_AT = 80,
    FT_ENTRY_MAGIC = 0x4e455446, /* "FTEN" */
    FT_ENTRY_VERSION = 1,
    FT_ENTRY_BLOB = 1,      /* the body is an ft_blob_name (blobs.h) */
    FT_ENTRY_COMPRESSED = 2 /* the value, by zstd */
};

static inline uint32_t ft_entry_units(uint32_t body)
{
    return (FT_BODY_AT + body + FT_UNIT - 1) / FT_UNIT;
}

/* Open descriptors of segments. Readers may share it; what changes it must be alone. */
typedef struct ft_segments {
    struct {
        uint32_t number; /* 0: none */
        int fd;
    } open[FT_SEGMENTS_OPEN];
} ft_segments;

void ft_segments_init(ft_segments *segments);
void ft_segments_fini(ft_segments *segments);

/* The descriptor of a segment if it is open, else -1. */
int ft_segments_get(const ft_segments *segments, uint32_t number);

/* Opens one that is not open (make: and makes it), alone. -1 with errno. */
int ft_segments_open(ft_segments *segments, const ft_folder *folder, uint32_t number, bool writable,
                     bool make);

/* Closes it if it is open. */
void ft_segments_forget(ft_segments *segments, uint32_t number);

/* Cuts it to nothing and removes it. */
void ft_segments_remove(ft_segments *segments, const ft_folder *folder, uint32_t number);

uint64_t ft_segment_bytes(const ft_folder *folder, uint32_t number);

/* Fills in the check of an entry that is whole in memory: its head, up to the body, the body. */
void ft_entry_seal(uint8_t *entry, const ft_secret *secret);

/* Is that an entry of key, whole and undamaged? bytes: what was read. */
bool ft_entry_good(const uint8_t *entry, size_t bytes, ft_digest key, const ft_secret *secret);

/* Tells the number of each segment in the folder. */
ft_status ft_segments_each(const ft_folder *folder,
                           ft_status (*told)(void *context, uint32_t number), void *context);

#endif
