/* SPDX-License-Identifier: Apache-2.0 */
/* hit_model.h: for the tests of curves: a caller as hit_curve.h asks for one, whose keys are small
 * numbers, and an LRU cache of one size that is simulated call by call. */
#ifndef HIT_MODEL_H
#define HIT_MODEL_H

#include <stdlib.h>

#include "engine/stats/hit_curve.h"

#define NOT_KEPT UINT32_MAX

typedef struct caller {
    ft_hit_curve curve;
    uint32_t key_of[FT_HIT_ITEMS];
    uint32_t *item_of; /* of each key */
    uint32_t kept, most_kept;
    int good; /* the curve kept its word so far */
} caller;

static inline void caller_init(caller *self, const ft_mem *mem, uint32_t keys)
{
    ft_hit_curve_init(&self->curve, mem);
    self->item_of = malloc(keys * sizeof *self->item_of);
    for (uint32_t key = 0; key < keys; key++)
        self->item_of[key] = NOT_KEPT;
    for (uint32_t item = 0; item < FT_HIT_ITEMS; item++)
        self->key_of[item] = NOT_KEPT;
    self->kept = self->most_kept = 0;
    self->good = 1;
}

static inline void caller_fini(caller *self)
{
    ft_hit_curve_fini(&self->curve);
    free(self->item_of);
}

static inline void caller_drop(caller *self, ft_hit_histogram *histogram)
{
    uint32_t item;
    while (ft_hit_curve_drop(&self->curve, histogram, &item)) {
        self->good &= item < FT_HIT_ITEMS && self->key_of[item] != NOT_KEPT;
        self->item_of[self->key_of[item]] = NOT_KEPT;
        self->key_of[item] = NOT_KEPT;
        self->kept--;
    }
    if (self->kept > self->most_kept)
        self->most_kept = self->kept;
}

static inline ft_status caller_call(caller *self, ft_hit_histogram *histogram, uint32_t key,
                                    uint64_t hash)
{
    uint32_t item = self->item_of[key];
    ft_status status;
    if (item != NOT_KEPT) {
        status = ft_hit_curve_touch(&self->curve, histogram, item);
    } else {
        ft_hit_curve_miss(&self->curve, histogram, hash);
        status = ft_hit_curve_add(&self->curve, histogram, hash, &item);
        if (status == FT_OK) {
            self->good &= item < FT_HIT_ITEMS && self->key_of[item] == NOT_KEPT;
            self->key_of[item] = key;
            self->item_of[key] = item;
            self->kept++;
        }
    }
    caller_drop(self, histogram);
    return status;
}

/* The hits of LRU with room for size keys: a ring of keys, the one used last behind the head. */
static inline uint64_t lru_hits(const uint32_t *trace, uint32_t calls, uint32_t keys, uint32_t size)
{
    uint32_t *after = malloc((keys + 1) * sizeof *after),
             *before = malloc((keys + 1) * sizeof *before);
    uint32_t head = keys, used = 0;
    uint64_t hits = 0;
    for (uint32_t key = 0; key <= keys; key++)
        after[key] = before[key] = key == head ? head : NOT_KEPT;
    for (uint32_t i = 0; i < calls && size > 0; i++) {
        uint32_t key = trace[i], out = key;
        if (after[key] != NOT_KEPT)
            hits++;
        else if (used == size)
            out = before[head]; /* one comes, one goes */
        else
            used++;
        if (after[out] != NOT_KEPT) {
            after[before[out]] = after[out];
            before[after[out]] = before[out];
            after[out] = NOT_KEPT;
        }
        after[key] = after[head];
        before[key] = head;
        before[after[head]] = key;
        after[head] = key;
    }
    free(after);
    free(before);
    return hits;
}

#endif
