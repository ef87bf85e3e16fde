/* SPDX-License-Identifier: Apache-2.0 */
/* memo_table.h: what a cache keeps: keys, their values, and the order in which they go.
 *
 * Entries lie packed in one array and never move within it, so an entry is a number. An index
 * (memo_index.h) leads from a hash to the numbers of its entries.
 *
 * Keys and values are the caller's, opaque here: it compares keys, and it owns what it puts in and
 * what comes out. No function here calls the caller back, and none takes a lock: whoever holds the
 * table holds what protects it. */
#ifndef FT_CACHE_MEMO_TABLE_H
#define FT_CACHE_MEMO_TABLE_H

#include "engine/cache/memo_index.h"

struct ft_policy;

enum {
    FT_MEMO_LISTS = 2,      /* orders a policy may keep its entries in */
    FT_MEMO_MOST = 1 << 28, /* entries: 8 GiB of them */
    FT_MEMO_FIRST = 8,      /* entries of the first block */
    FT_MEMO_PER_CHUNK = 7   /* of 12: one entry in 40 finds its chunk full */
};

#define FT_MEMO_NONE UINT32_MAX  /* no entry */
#define FT_MEMO_UNBOUNDED 0U     /* a table that never evicts */
#define FT_MEMO_NEVER UINT64_MAX /* a stamp */

/* 32 bytes: two of them in a cache line. */
typedef struct ft_memo_entry {
    void *key; /* NULL: the entry is free */
    void *value;
    uint32_t hash;
    uint32_t before, after; /* in its list; a free entry's `after` is the next free one */
    uint8_t list;
    uint8_t slot; /* of the index: where it is */
    bool marked;  /* hit since the policy looked last */
    uint8_t unused;
} ft_memo_entry;

typedef struct ft_memo_list {
    uint32_t first, last, count; /* first: the oldest; FT_MEMO_NONE while empty */
} ft_memo_list;

/* What a hit does to its entry. It is on every caller's path, so it is one of these three, in line,
 * and not a function of the policy's. */
typedef enum ft_memo_hit {
    FT_HIT_NOTHING,
    FT_HIT_MARK, /* the entry is marked */
    FT_HIT_MOVE  /* the entry becomes the last of its list */
} ft_memo_hit;

/* The fields belong to memo_table.c, its inline functions and the policies; others read count,
 * room, most, evictions and version. */
typedef struct ft_memo_table {
    ft_memo_entry *entries; /* owned */
    ft_memo_index index;
    uint32_t count; /* entries with a key */
    uint32_t used;  /* entries that ever had one; the others are free */
    uint32_t room;  /* entries there is memory for; one more than most in a full table */
    uint32_t free;  /* the first free one below used, or FT_MEMO_NONE */
    uint32_t most;  /* entries at most */
    ft_memo_hit hit;
    uint64_t version; /* another one whenever a key came or went, or entries moved; from 1 on */
    uint64_t evictions;
    const struct ft_policy *policy; /* NULL: nothing is evicted */
    void *state;                    /* the policy's own */
    uint64_t *stamps;               /* a word for each entry, where they are wanted; owned */
    bool stamped;
    ft_memo_list lists[FT_MEMO_LISTS];
    const ft_mem *mem;
} ft_memo_table;

/* A key and its value, on their way out: the caller's again. key NULL: nothing. */
typedef struct ft_memo_pair {
    void *key, *value;
} ft_memo_pair;

/* An empty table of at most `most` entries, which must be at most FT_MEMO_MOST, or
 * FT_MEMO_UNBOUNDED (policy NULL); allocates nothing. stamped: entries have stamps. */
void ft_memo_table_init(ft_memo_table *table, const ft_mem *mem, const struct ft_policy *policy,
                        uint32_t most, bool stamped);

/* Frees the table's own memory; what is in it must have been taken out before, or is not owned. */
void ft_memo_table_fini(ft_memo_table *table);

/* Puts in a key that is not there. Where the table is full an entry goes: *evicted. *number, unless
 * NULL, is the new entry. FT_ERR_MEMORY; FT_ERR_LIMIT where nothing may be evicted and there are
 * FT_MEMO_MOST entries: nothing changed or moved then, and *evicted was not written. */
ft_status ft_memo_table_put(ft_memo_table *table, uint32_t hash, void *key, void *value,
                            ft_memo_pair *evicted, uint32_t *number);

/* Takes an entry out. */
ft_memo_pair ft_memo_table_remove(ft_memo_table *table, uint32_t number);

/* Moves all entries to *taken, a table without a policy, which the caller empties
 * (ft_memo_table_next) and ends with _fini; the table is empty, as after _init. */
void ft_memo_table_take(ft_memo_table *table, ft_memo_table *taken);

/* Bytes of the table's memory, the struct itself not counted. */
uint64_t ft_memo_table_bytes(const ft_memo_table *table);

/* Aborts (in debug builds) unless everything holds that this header says. */
void ft_memo_table_check(const ft_memo_table *table);

/* ---- lists, for policies ---- */

static inline void ft_memo_list_append(ft_memo_table *table, uint8_t list, uint32_t number)
{
    ft_memo_entry *entry = &table->entries[number];
    ft_memo_list *into = &table->lists[list];
    entry->list = list;
    entry->before = into->last;
    entry->after = FT_MEMO_NONE;
    if (into->last == FT_MEMO_NONE)
        into->first = number;
    else
        table->entries[into->last].after = number;
    into->last = number;
    into->count++;
}

static inline void ft_memo_list_remove(ft_memo_table *table, uint32_t number)
{
    const ft_memo_entry *entry = &table->entries[number];
    ft_memo_list *list = &table->lists[entry->list];
    assert(list->count > 0);
    if (entry->before == FT_MEMO_NONE)
        list->first = entry->after;
    else
        table->entries[entry->before].after = entry->after;
    if (entry->after == FT_MEMO_NONE)
        list->last = entry->before;
    else
        table->entries[entry->after].before = entry->before;
    list->count--;
}

/* ---- looking up ---- */

static inline ft_index_probe ft_memo_probe_begin(const ft_memo_table *table, uint32_t hash)
{
    return ft_index_probe_begin(&table->index, hash);
}

/* The next entry of that hash, or FT_MEMO_NONE: the caller compares the keys. The table must not
 * have changed since the probe began. */
static inline uint32_t ft_memo_probe_next(const ft_memo_table *table, ft_index_probe *probe,
                                          uint32_t hash)
{
    do {
        while (probe->matches != 0) {
            uint32_t number = ft_index_probe_take(&table->index, probe);
            if (table->entries[number].hash == hash)
                return number;
        }
    } while (ft_index_probe_move(&table->index, probe));
    return FT_MEMO_NONE;
}

/* An entry was asked for and found. */
static inline void ft_memo_table_hit(ft_memo_table *table, uint32_t number)
{
    ft_memo_entry *entry = &table->entries[number];
    if (table->hit == FT_HIT_MARK) {
        entry->marked = true;
    } else if (table->hit == FT_HIT_MOVE && entry->after != FT_MEMO_NONE) {
        ft_memo_list *list = &table->lists[entry->list]; /* it has another entry behind this one */
        table->entries[entry->after].before = entry->before;
        if (entry->before == FT_MEMO_NONE)
            list->first = entry->after;
        else
            table->entries[entry->before].after = entry->after;
        table->entries[list->last].after = number;
        entry->before = list->last;
        entry->after = FT_MEMO_NONE;
        list->last = number;
    }
}

/* The entry of a number that has a key, from `from` on; FT_MEMO_NONE: there is none. */
static inline uint32_t ft_memo_table_next(const ft_memo_table *table, uint32_t from)
{
    while (from < table->used && table->entries[from].key == NULL)
        from++;
    return from < table->used ? from : FT_MEMO_NONE;
}

#endif
