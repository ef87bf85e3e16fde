/* SPDX-License-Identifier: Apache-2.0 */
/* slots.h: the index of a store: a hash table in a file that says where each entry lies.
 *
 *     page of 4096 bytes: which table it is, then the totals
 *     buckets of 512 bytes: 16 slots each; a key's bucket is the high bits of its low half
 *
 * A key lies in its bucket or, where that is full, in a later one: looking ends at the first bucket
 * with a free slot. A slot that goes from a full bucket therefore leaves a mark. Each slot carries
 * a checksum, so one that is read while it is written, or was damaged, is seen to be so. The table
 * doubles by a new file that takes the name; the old one is cut to nothing then, by which everybody
 * who still has it open learns to open the new one. Nothing is mapped: a file that is cut by
 * somebody else must not kill a process.
 *
 * Finding needs no lock; what changes anything needs the store's. */
#ifndef FT_STORE_SLOTS_H
#define FT_STORE_SLOTS_H

#include "engine/base/mem.h"
#include "engine/store/folder.h"

enum {
    FT_SLOTS_IN_BUCKET = 16,
    FT_SEGMENT_MOST = 0x7ffffffe, /* numbers of segments are 1 to this */
    FT_TICKS_PER_SECOND = 4
};

/* Where an entry lies; 32 bytes in the file. */
typedef struct ft_slot {
    uint64_t key;      /* its low half */
    uint32_t place;    /* in its segment, in units of 16 bytes */
    uint32_t segment;  /* 0: free. FT_SLOT_GONE: was one. The highest bit: the value is a blob */
    uint32_t size;     /* bytes it takes, the blob's too, in units of 16 */
    uint32_t function; /* the low half of its function's id */
    uint32_t check;    /* of all before */
    uint32_t used;     /* ticks since the store's birth */
} ft_slot;

_Static_assert(sizeof(ft_slot) == 32, "as it is written");

#define FT_SLOT_BLOB UINT32_C(0x80000000)
#define FT_SLOT_GONE UINT32_C(0x7fffffff)

static inline uint32_t ft_slot_segment(const ft_slot *slot)
{
    return slot->segment & ~FT_SLOT_BLOB;
}

/* Counts that a writer keeps; 64 bytes in the file. May be a little off after a kill: whoever walks
 * all slots puts them right. */
typedef struct ft_totals {
    uint64_t entries;
    uint64_t log_bytes;  /* of segments, with what is no longer used */
    uint64_t blob_bytes; /* of blobs */
    uint32_t active;     /* the segment that is written */
    uint32_t reserved;
    uint64_t swept_s; /* CLOCK_REALTIME, when files that nothing leads to were looked for */
    uint64_t spare[2];
    uint64_t check;
} ft_totals;

_Static_assert(sizeof(ft_totals) == 64, "as it is written");

typedef struct ft_slots {
    int fd;
    ino_t inode;
    uint32_t bits; /* 2^bits buckets */
} ft_slots;

typedef enum ft_found {
    FT_FOUND_YES,
    FT_FOUND_NO,
    FT_FOUND_STALE /* the file was replaced, or a slot was being written: look again */
} ft_found;

/* Opens the index; FT_ERR_EMPTY: there is none; FT_ERR_CORRUPT: no index of this version, or of
 * another secret. */
ft_status ft_slots_open(ft_slots *slots, const ft_folder *folder, bool writable);
void ft_slots_close(ft_slots *slots);

/* Makes a new, empty one in the place of what is there. The old one is cut to nothing. */
ft_status ft_slots_make(const ft_folder *folder, uint32_t bits);

/* Does the name lead to this very file, and is it whole? */
bool ft_slots_current(const ft_slots *slots, const ft_folder *folder);

/* Has the file a name still, and is it whole? What a reader asks: less than _current, and wrong for
 * a while after a writer was killed between the two steps of replacing it. */
bool ft_slots_attached(const ft_slots *slots);

/* A slot whose place in the index is known. */
typedef struct ft_found_slot {
    ft_slot slot;
    uint64_t offset;  /* in the file */
    bool leaves_mark; /* its bucket is full */
} ft_found_slot;

/* The slot of key (found->offset 0: the index could not be read). *free_offset (may be NULL): where
 * it could be put if it is not there; 0: nowhere. */
ft_found ft_slots_find(const ft_slots *slots, const ft_secret *secret, uint64_t key,
                       ft_found_slot *found, uint64_t *free_offset);

ft_status ft_slots_write(const ft_slots *slots, const ft_secret *secret, uint64_t offset,
                         ft_slot slot);
ft_status ft_slots_erase(const ft_slots *slots, const ft_found_slot *found);
void ft_slots_touch(const ft_slots *slots, uint64_t offset, uint32_t used);

/* Tells each slot in use whose checksum is right, in no order. Another status than FT_OK ends it.
 * FT_ERR_CORRUPT: the file was replaced meanwhile. */
typedef ft_status (*ft_slot_told)(void *context, const ft_slot *slot);
ft_status ft_slots_each(const ft_slots *slots, const ft_secret *secret, ft_slot_told told,
                        void *context);

/* FT_ERR_CORRUPT: they were damaged. */
ft_status ft_slots_totals(const ft_slots *slots, const ft_secret *secret, ft_totals *totals);
ft_status ft_slots_set_totals(const ft_slots *slots, const ft_secret *secret, ft_totals *totals);

uint64_t ft_slots_bytes(const ft_slots *slots); /* of the file */

/* What becomes of a slot in the new table: false: it is not in it. May change where it leads to. */
typedef bool (*ft_slot_kept)(void *context, ft_slot *slot);

/* Makes a table of 2^bits buckets that takes this one's place, with what kept (NULL: everything)
 * keeps; totals are the new one's but for the entries, which are counted. *slots is left as it was:
 * open the new one. Needs the lock. It is made on the heap: a file that is mapped could end the
 * process where the disk fails. */
ft_status ft_slots_rebuild(const ft_slots *slots, const ft_folder *folder, const ft_mem *mem,
                           uint32_t bits, ft_totals *totals, ft_slot_kept kept, void *context);

/* The table that was replaced by a writer that was killed then is cut, so that whoever has it open
 * opens the new one. Needs the lock. */
void ft_slots_finish_replacing(const ft_folder *folder);

/* The same in place: what is not kept leaves its slot. kept may not change any. */
ft_status ft_slots_filter(const ft_slots *slots, const ft_secret *secret, ft_slot_kept kept,
                          void *context);

/* How many bits a table for so many entries has. */
uint32_t ft_slots_bits_for(uint64_t entries);
/* Is a table too full for one more? */
bool ft_slots_are_full(const ft_slots *slots, uint64_t entries);

#endif
