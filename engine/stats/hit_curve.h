/* SPDX-License-Identifier: Apache-2.0 */
/* hit_curve.h: feeds the calls of one cache to a histogram: what would LRU of any size have hit?
 *
 * The keys called last, FT_HIT_NEAR of them, are near: their distances are exact, and so is the
 * answer for every size up to that. A key that FT_HIT_NEAR others pushed out is far. Far keys are
 * all kept while they are FT_HIT_FAR at most, so up to FT_HIT_KEYS distinct keys everything is
 * exact. Beyond that the far keys with the smallest hashes are kept, that many: a sample of fixed
 * size of all far keys, the same for each call of a key, as in SHARDS (Waldspurger et al., FAST
 * 2015). The distance of a far key is FT_HIT_NEAR and the far keys since. These are as many as the
 * kept ones divided by the sample's rate, with a relative error of about 1 / sqrt(kept ones): 3 %
 * of the distance where all are nearer, at the end of the curve. SHARDS alone, without near keys,
 * knows nothing about sizes below 1 / rate, and those are the ones that people use.
 *
 * The caller has a table of the keys that are kept, by item, and does for each call:
 *
 *     if (the table has the key)
 *         ft_hit_curve_touch(&curve, &histogram, its item);
 *     else
 *         ft_hit_curve_miss(&curve, &histogram, hash);
 *
 * and when the value of a key is stored that the table does not have (still not):
 *
 *     if (ft_hit_curve_add(&curve, &histogram, hash, &item) == FT_OK)
 *         put the key into the table under item;
 *
 * and after a touch and after an add:
 *
 *     while (ft_hit_curve_drop(&curve, &histogram, &item))
 *         take the key of item out of the table;
 *
 * So a new key comes after the keys that computing its value called, as in a cache, and a call
 * that fails is a miss that brings no key. What the caller can not do (no memory) it leaves out:
 * the curve is not exact then, but goes on.
 *
 * What is not modelled: a time limit (ttl), values that the program removes, and what calls a
 * recursive function would not have made if its cache were larger. Keys of equal hash are kept or
 * dropped together, so the sample is as good as the keys' hash. No locks: the caller has one. */
#ifndef FT_STATS_HIT_CURVE_H
#define FT_STATS_HIT_CURVE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/stats/hit_histogram.h"
#include "engine/stats/stack_distance.h"

enum {
    FT_HIT_FAR = 1024,                      /* far keys that are kept: see the error above */
    FT_HIT_KEYS = FT_HIT_NEAR + FT_HIT_FAR, /* kept in all; about 30 bytes each, beside the key */
    FT_HIT_ITEMS = FT_HIT_KEYS + 1          /* items are below it: one comes before another goes */
};
#define FT_HIT_HASHES (UINT64_C(1) << 63) /* mixed hashes are below it */

typedef struct ft_hit_key {
    uint64_t hash;  /* mixed */
    uint16_t newer; /* near: the key called next, and the one before; FT_HIT_ITEMS: none */
    uint16_t older; /* free: newer is another free one, or FT_HIT_ITEMS */
} ft_hit_key;

/* Invariant: an item is near, far or free, that is, in the stack near, in the stack far, or in
 * neither; near ones are linked in the order of their calls. If there are far keys, FT_HIT_NEAR
 * are near. After ft_hit_curve_drop said false, no more than FT_HIT_NEAR are near, no more than
 * FT_HIT_FAR far, and the hashes of far ones are below threshold. */
typedef struct ft_hit_curve {
    ft_stack_distance near, far; /* far keys in the order in which they became far */
    ft_hit_key *keys;            /* owned: by item */
    uint32_t capacity, given;    /* of keys; items from given on were never used */
    uint16_t newest, oldest;     /* near keys */
    uint16_t free;               /* a free item below given; FT_HIT_ITEMS: none */
    bool lowered;                /* threshold: far keys that are not below it must go */
    uint32_t fraction;           /* where between two sampled distances one is: see hit_curve.c */
    uint64_t threshold;          /* far keys with a mixed hash below it are sampled */
    double weight;               /* FT_HIT_HASHES / threshold: how many a sampled one stands for */
} ft_hit_curve;

/* Takes no memory before the first key. A curve has no pointer to its histogram, which is given
 * to each call: always the same one. */
void ft_hit_curve_init(ft_hit_curve *curve, const ft_mem *mem);
void ft_hit_curve_fini(ft_hit_curve *curve);

/* A call with a key that is kept. FT_ERR_MEMORY: it counts as a miss. */
ft_status ft_hit_curve_touch(ft_hit_curve *curve, ft_hit_histogram *histogram, uint32_t item);

/* A call with a key that is not kept. Any hash will do as long as equal keys have equal ones. */
void ft_hit_curve_miss(ft_hit_curve *curve, ft_hit_histogram *histogram, uint64_t hash);

/* No call: a key that is not kept is kept from now on, under *item. FT_ERR_MEMORY: it is not. */
ft_status ft_hit_curve_add(ft_hit_curve *curve, ft_hit_histogram *histogram, uint64_t hash,
                           uint32_t *item);

bool ft_hit_curve_drop_one(ft_hit_curve *curve, ft_hit_histogram *histogram, uint32_t *item);

/* Drops a key that must go: *item means nothing from now on. false: none must go. Each touch and
 * add must be followed by this until it says false. */
static inline bool ft_hit_curve_drop(ft_hit_curve *curve, ft_hit_histogram *histogram,
                                     uint32_t *item)
{
    if (curve->near.live <= FT_HIT_NEAR && !curve->lowered)
        return false;
    return ft_hit_curve_drop_one(curve, histogram, item);
}

/* Whether the invariant holds: for tests. */
bool ft_hit_curve_check(const ft_hit_curve *curve);

#endif
