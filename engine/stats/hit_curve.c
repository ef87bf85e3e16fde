/* SPDX-License-Identifier: Apache-2.0 */
/* hit_curve.c: the calls of one cache on their way to a histogram (see hit_curve.h).
 *
 * A far call weighs 1 / rate at the time of the call: SHARDS scales the whole histogram down when
 * the rate falls and divides by the last rate at the end, which is the same, but this way several
 * curves of different rates feed one histogram, and the exact beginning stays exact. The largest
 * hash is looked for, not kept in a heap: the threshold is lowered a few times for each doubling
 * of the keys per kept one, and far keys come and go far more often than that. */
#include "engine/stats/hit_curve.h"

#include <assert.h>

#include "engine/base/array.h"

enum { NONE = FT_HIT_ITEMS };
static_assert(FT_HIT_ITEMS <= UINT16_MAX, "links are 16-bit");

void ft_hit_curve_init(ft_hit_curve *curve, const ft_mem *mem)
{
    *curve = (ft_hit_curve){.newest = NONE, .oldest = NONE, .free = NONE};
    curve->threshold = FT_HIT_HASHES;
    curve->weight = 1;
    ft_stack_distance_init(&curve->near, mem);
    ft_stack_distance_init(&curve->far, mem);
}

void ft_hit_curve_fini(ft_hit_curve *curve)
{
    const ft_mem *mem = curve->near.mem;
    ft_mem_free(mem, curve->keys);
    ft_stack_distance_fini(&curve->near);
    ft_stack_distance_fini(&curve->far);
    ft_hit_curve_init(curve, mem);
}

/* Small numbers are their own hash, and which of them are sampled must not be a matter of their
 * size. Two rounds of multiplying and folding: every bit depends on every other; no two hashes
 * become one but for the bit that is dropped at the end. */
static uint64_t mix_hash(uint64_t hash)
{
    for (int round = 0; round < 2; round++)
        hash = (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    return (hash ^ hash >> 32) >> 1;
}

/* The far distance of a key of which it is known that so many sampled ones, itself included, are
 * not further: about sampled / rate. Which of the distances between (sampled - 1) / rate and that
 * it is put on goes round evenly (the fractions of multiples of the golden ratio), so that no
 * size is favoured. */
static double far_distance(ft_hit_curve *curve, uint32_t sampled)
{
    if (curve->threshold == FT_HIT_HASHES)
        return sampled;
    curve->fraction += UINT32_C(0x9E3779B9);
    return 1 + (sampled - 1 + curve->fraction * 0x1p-32) * curve->weight;
}

static void link_newest(ft_hit_curve *curve, uint32_t item)
{
    ft_hit_key *key = &curve->keys[item];
    key->newer = NONE;
    key->older = curve->newest;
    if (curve->newest == NONE)
        curve->oldest = (uint16_t)item;
    else
        curve->keys[curve->newest].newer = (uint16_t)item;
    curve->newest = (uint16_t)item;
}

static void unlink_near(ft_hit_curve *curve, uint32_t item)
{
    ft_hit_key key = curve->keys[item];
    if (key.newer == NONE)
        curve->newest = key.older;
    else
        curve->keys[key.newer].older = key.older;
    if (key.older == NONE)
        curve->oldest = key.newer;
    else
        curve->keys[key.older].newer = key.newer;
}

static bool is_settled(const ft_hit_curve *curve)
{
    return curve->near.live <= FT_HIT_NEAR && curve->far.live <= FT_HIT_FAR && !curve->lowered;
}

ft_status ft_hit_curve_touch(ft_hit_curve *curve, ft_hit_histogram *histogram, uint32_t item)
{
    assert(is_settled(curve));
    uint32_t far = ft_stack_distance_get(&curve->far, item), near;
    histogram->calls++;
    ft_status status = ft_stack_distance_touch(&curve->near, item, &near);
    if (status != FT_OK) {
        histogram->exact = false;
        return status;
    }
    assert((near == FT_STACK_NEVER) != (far == FT_STACK_NEVER));
    if (near != FT_STACK_NEVER) {
        unlink_near(curve, item);
        link_newest(curve, item);
        return ft_hit_histogram_add(histogram, near, 1);
    }
    assert(curve->near.live == FT_HIT_NEAR + 1);
    ft_stack_distance_forget(&curve->far, item);
    link_newest(curve, item);
    histogram->reached += curve->weight;
    double distance = FT_HIT_NEAR + far_distance(curve, far);
    return ft_hit_histogram_add(histogram, distance, curve->weight);
}

void ft_hit_curve_miss(ft_hit_curve *curve, ft_hit_histogram *histogram, uint64_t hash)
{
    histogram->calls++;
    if (mix_hash(hash) < curve->threshold)
        histogram->reached += curve->weight;
}

/* A free item, which stays free. */
static ft_status make_item(ft_hit_curve *curve)
{
    if (curve->free != NONE)
        return FT_OK;
    assert(curve->given < FT_HIT_ITEMS);
    ft_hit_key *keys = ft_array_grow(curve->near.mem, curve->keys, curve->given + 1,
                                     &curve->capacity, sizeof *keys);
    if (keys == NULL)
        return FT_ERR_MEMORY;
    curve->keys = keys;
    keys[curve->given] = (ft_hit_key){.newer = NONE};
    curve->free = (uint16_t)curve->given++;
    return FT_OK;
}

ft_status ft_hit_curve_add(ft_hit_curve *curve, ft_hit_histogram *histogram, uint64_t hash,
                           uint32_t *item)
{
    assert(is_settled(curve));
    uint32_t never;
    ft_status status = make_item(curve);
    if (status == FT_OK)
        status = ft_stack_distance_touch(&curve->near, curve->free, &never);
    if (status != FT_OK) {
        histogram->exact = false;
        return status;
    }
    assert(never == FT_STACK_NEVER);
    uint32_t added = curve->free;
    curve->free = curve->keys[added].newer;
    curve->keys[added].hash = mix_hash(hash);
    link_newest(curve, added);
    if (curve->keys[added].hash < curve->threshold)
        histogram->firsts += curve->weight;
    *item = added;
    return FT_OK;
}

/* The far key with the largest hash. */
static uint32_t last_sampled(const ft_hit_curve *curve)
{
    uint32_t last = NONE;
    for (uint32_t item = 0; item < curve->given; item++)
        if (ft_stack_distance_has(&curve->far, item) &&
            (last == NONE || curve->keys[item].hash > curve->keys[last].hash))
            last = item;
    return last;
}

/* The near key that was called longest ago becomes far, if it is sampled and there is memory. */
static bool push_out(ft_hit_curve *curve, uint32_t *pushed)
{
    uint32_t item = curve->oldest, never;
    unlink_near(curve, item);
    ft_stack_distance_forget(&curve->near, item);
    *pushed = item;
    return curve->keys[item].hash < curve->threshold &&
           ft_stack_distance_touch(&curve->far, item, &never) == FT_OK;
}

static void free_item(ft_hit_curve *curve, ft_hit_histogram *histogram, uint32_t item)
{
    curve->keys[item].newer = curve->free;
    curve->free = (uint16_t)item;
    histogram->exact = false;
}

bool ft_hit_curve_drop_one(ft_hit_curve *curve, ft_hit_histogram *histogram, uint32_t *item)
{
    uint32_t out;
    if (curve->near.live > FT_HIT_NEAR && !push_out(curve, &out)) {
        free_item(curve, histogram, out);
        *item = out;
        return true;
    }
    if (!curve->lowered && curve->far.live <= FT_HIT_FAR)
        return false;
    out = last_sampled(curve);
    if (!curve->lowered) {
        curve->threshold = curve->keys[out].hash;
        curve->weight = (double)FT_HIT_HASHES / (double)(curve->threshold | 1);
    }
    curve->lowered = out != NONE && curve->keys[out].hash >= curve->threshold;
    if (!curve->lowered)
        return false;
    ft_stack_distance_forget(&curve->far, out);
    free_item(curve, histogram, out);
    *item = out;
    return true;
}

/* Whether the near keys are linked from the newest to the oldest, in the order of their marks. */
static bool is_linked(const ft_hit_curve *curve)
{
    uint32_t count = 0, newer = NONE;
    for (uint32_t item = curve->newest; item != NONE; item = curve->keys[item].older) {
        if (++count > curve->near.live || curve->keys[item].newer != newer ||
            ft_stack_distance_get(&curve->near, item) != count)
            return false;
        newer = item;
    }
    return count == curve->near.live && curve->oldest == newer;
}

bool ft_hit_curve_check(const ft_hit_curve *curve)
{
    uint32_t free = 0;
    for (uint32_t item = curve->free; item != NONE; item = curve->keys[item].newer)
        if (++free > curve->given || ft_stack_distance_has(&curve->near, item) ||
            ft_stack_distance_has(&curve->far, item))
            return false;
    for (uint32_t item = 0; item < curve->given; item++)
        if (ft_stack_distance_has(&curve->far, item) &&
            (curve->keys[item].hash >= curve->threshold ||
             ft_stack_distance_has(&curve->near, item)))
            return false;
    return is_settled(curve) && is_linked(curve) && ft_stack_distance_check(&curve->near) &&
           ft_stack_distance_check(&curve->far) &&
           (curve->far.live == 0 || curve->near.live == FT_HIT_NEAR) &&
           free + curve->near.live + curve->far.live == curve->given &&
           curve->given <= curve->capacity && curve->given <= FT_HIT_ITEMS;
}
