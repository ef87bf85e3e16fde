/* SPDX-License-Identifier: Apache-2.0 */
/* store.h: results that outlive the process: a folder of files that many processes use at once.
 *
 * An entry is bytes under a 128-bit key, with what it took to compute them. Small ones lie in
 * segments, files that only grow; larger ones in a file of their own each (blobs.h). A hash index
 * in a file (slots.h) says where. Everything is read with pread and checked before it is believed:
 * a flipped bit, a torn file or a file that was cut is an entry that is not there, never a wrong
 * value and never a signal (docs/adr/0016). Readers take no lock. Writers hold the store's lock
 * (a file lock, and a mutex between threads), so each change is seen whole or not at all, and a
 * writer that is killed at any moment leaves a store that is right.
 *
 * A handle may be used by many threads, and must not be used in a forked child: open another. */
#ifndef FT_STORE_STORE_H
#define FT_STORE_STORE_H

#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/store/digest.h"

#include <stdbool.h>

enum {
    FT_STORE_INLINE = 16 << 10, /* bytes: larger values are blobs */
    FT_STORE_NAME_MOST = 400    /* bytes of a function's name */
};

typedef struct ft_store ft_store;

/* What a store, or an operation on it, lets the program know of. Each is a bit that stays set
 * until it is taken, so that it can be said once. */
typedef enum ft_store_trouble {
    FT_TROUBLE_READ_ONLY = 1 << 0, /* nothing can be written there */
    FT_TROUBLE_FULL = 1 << 1,      /* the disk has no room */
    FT_TROUBLE_CORRUPT = 1 << 2,   /* an entry or a file was damaged, and is left out */
    FT_TROUBLE_IO = 1 << 3,        /* another failure of the system: errno in ft_store_errno */
    FT_TROUBLE_NEWER = 1 << 4,     /* written by a newer fettle: not touched */
    FT_TROUBLE_FOREIGN = 1 << 5,   /* another user owns it, or could write in it: not touched */
    FT_TROUBLE_LOCK = 1 << 6,      /* the lock of writers could not be had in time */
    FT_TROUBLE_LARGE = 1 << 7      /* a value is larger than the store may be */
} ft_store_trouble;

/* What is known of an entry besides its bytes. */
typedef struct ft_entry {
    ft_digest key;
    uint64_t function;   /* which one it is a result of: ft_store_name_function */
    uint64_t created_ns; /* CLOCK_REALTIME */
    uint64_t cost_ns;    /* what computing it took */
    uint64_t used_ns;    /* CLOCK_REALTIME of the last use, to a quarter of a second; of some uses
                            only where a process has thousands a second */
    uint64_t length;     /* bytes of the value */
    uint64_t stored;     /* bytes it takes in the store */
    uint32_t kind;       /* the writer's own 16 bits */
} ft_entry;

/* How a value is wanted. What is mapped is never changed or cut by the store; somebody else who
 * cuts the file of a blob ends a process that reads it then. */
typedef enum ft_view {
    FT_VIEW_COPY,    /* bytes on the heap */
    FT_VIEW_PRIVATE, /* large ones mapped, writable: what is written stays in this process */
    FT_VIEW_SHARED,  /* large ones mapped, to be read only */
    FT_VIEW_SMALL,   /* as COPY, but of a large one no bytes are read: bytes is NULL */
    FT_VIEW_READY    /* as SMALL, but a large one that is mapped already comes as PRIVATE */
} ft_view;

/* A value that was read; ft_value_fini ends it. bytes are aligned to 64. */
typedef struct ft_value {
    ft_entry entry;
    uint8_t *bytes;             /* entry.length of them */
    void *mapping;              /* owned: munmap; NULL: on the heap */
    size_t mapped;              /* bytes of mapping */
    struct ft_mapping *shelved; /* it is not unmapped, but given back; or NULL */
    void *block;                /* owned: on the heap, or NULL */
    const ft_mem *mem;
} ft_value;

void ft_value_fini(ft_value *value);

/* Opens the store in folder (made, 0700, if it is not there), which holds at most max_bytes on
 * disk (0: no bound). FT_OK also where the store can not be used or not written (ft_store_trouble
 * says why): everything is absent then and nothing is kept. FT_ERR_MEMORY, FT_ERR_IO (the folder
 * can not be made or opened; errno says why). */
ft_status ft_store_open(ft_store **store, const char *folder, uint64_t max_bytes,
                        const ft_mem *mem);
void ft_store_close(ft_store *store); /* NULL: nothing */

/* In a forked child: closes the files of a handle that the parent opened. What a thread of the
 * parent may have been at is not touched: the handle stays, useless, and is never freed. */
void ft_store_abandon(ft_store *store);

/* The troubles since the last time; 0: none. */
uint32_t ft_store_take_troubles(ft_store *store);
int ft_store_errno(const ft_store *store); /* of the last FT_TROUBLE_IO */
bool ft_store_usable(const ft_store *store);
const ft_secret *ft_store_secret(const ft_store *store); /* for digests of keys; borrowed */

/* Is there an entry of key, and what is it? FT_OK with *found. Reads no value and marks no use. */
ft_status ft_store_peek(ft_store *store, ft_digest key, bool *found, ft_entry *entry);

/* The value of key, and marks its use. FT_OK with *found (false: absent, or damaged);
 * FT_ERR_MEMORY. *value is written where found. */
ft_status ft_store_get(ft_store *store, ft_digest key, ft_view view, bool *found, ft_value *value);

/* A part of a value; borrowed. */
typedef struct ft_piece {
    const void *bytes;
    size_t length;
} ft_piece;

/* What is to be kept: pieces that are one value, one after the other. */
typedef struct ft_put {
    ft_digest key;
    uint64_t function;
    uint64_t cost_ns;
    uint64_t created_ns; /* 0: now */
    const ft_piece *pieces;
    size_t count;
    uint32_t kind; /* 16 bits that come back with the value */
    int compress;  /* a level of zstd's; 0: as it is */
} ft_put;

/* Keeps a value; one that was there before under that key is replaced. FT_OK with *kept: false
 * where the store can not take it (a trouble says why). FT_ERR_MEMORY. */
ft_status ft_store_put(ft_store *store, const ft_put *put, bool *kept);

/* Forgets key. FT_OK with *found. */
ft_status ft_store_remove(ft_store *store, ft_digest key, bool *found);

/* Forgets all entries of a function; 0: everything, functions too. *removed: so many entries. */
ft_status ft_store_clear(ft_store *store, uint64_t function, uint64_t *removed);

/* Down to these bounds, the least recently used first. UINT64_MAX: no bound. */
typedef struct ft_bounds {
    uint64_t bytes; /* on disk */
    uint64_t items;
    uint64_t age_ns; /* since the last use */
} ft_bounds;

/* *removed: so many entries. FT_ERR_IO where nothing can be written. */
ft_status ft_store_reduce(ft_store *store, const ft_bounds *bounds, uint64_t *removed);

/* Tells each entry that is there, in no order; told returns false to stop. */
ft_status ft_store_each(ft_store *store, bool (*told)(void *context, const ft_entry *entry),
                        void *context);

/* ---- functions ---- */

typedef struct ft_kept_function {
    uint64_t id; /* never 0 */
    uint64_t hits, misses;
    uint64_t saved_ns;             /* what the hits would have taken, less what they took */
    char name[FT_STORE_NAME_MOST]; /* UTF-8 with a NUL */
} ft_kept_function;

/* The id of a name (a digest of it), which the store knows from then on. FT_OK also where it can
 * not be written. */
ft_status ft_store_name_function(ft_store *store, const char *name, uint64_t *id);
ft_status ft_store_each_function(ft_store *store,
                                 bool (*told)(void *context, const ft_kept_function *function),
                                 void *context);
/* Adds to a function's counts, after its name where the store was cleared since. FT_OK also where
 * it can not be written. */
ft_status ft_store_count(ft_store *store, const char *name, uint64_t hits, uint64_t misses,
                         uint64_t saved_ns);

/* ---- who computes a key ---- */

typedef enum ft_claim {
    FT_CLAIM_MINE,    /* nobody else computes it until ft_store_release */
    FT_CLAIM_OTHERS,  /* another process does */
    FT_CLAIM_WAITING, /* and that process itself waits for another key: it may wait for us */
    FT_CLAIM_STOPPED, /* and that process is stopped by a signal */
    FT_CLAIM_NOBODYS  /* claims can not be made here: compute */
} ft_claim;

/* Claims are a process's, end with it and are not inherited by a fork. The same key must not be
 * claimed twice by one process. */
ft_claim ft_store_claim(ft_store *store, ft_digest key);
void ft_store_release(ft_store *store, ft_digest key);

/* The processor time in ns that the process with a claim has used so far; UINT64_MAX: not known. */
uint64_t ft_store_owner_cpu(ft_store *store, ft_digest key);

/* Between begin and end this process says that it waits for another one's claim. */
void ft_store_wait_begin(ft_store *store);
void ft_store_wait_end(ft_store *store);

/* ---- the whole ---- */

typedef struct ft_store_sizes {
    uint64_t entries;
    uint64_t bytes; /* on disk, index and what is no longer used included */
    uint64_t max_bytes;
} ft_store_sizes;

ft_status ft_store_measure(ft_store *store, ft_store_sizes *sizes);

/* What a damaged structure is found by: every slot leads to its entry, counts are right. For tests.
 * FT_OK, or FT_ERR_CORRUPT. */
ft_status ft_store_check(ft_store *store);

#endif
