/* SPDX-License-Identifier: Apache-2.0 */
/* reuse.c: which calls of a cache come back to a key (see reuse.h). */
#include "glue/caching/reuse.h"

#include "engine/base/array.h"

ft_reuse *ft_reuse_new(const ft_mem *mem)
{
    ft_reuse *reuse = ft_mem_new(mem, 1, sizeof *reuse);
    if (reuse == NULL)
        return NULL;
    ft_hit_curve_init(&reuse->curve, mem);
    ft_memo_table_init(&reuse->keys, mem, NULL, FT_MEMO_UNBOUNDED, false);
    return reuse;
}

void ft_reuse_clear(ft_reuse *reuse)
{
    ft_memo_table taken;
    ft_reuse_slot *slots = reuse->slots;
    uint32_t used = reuse->used;
    const ft_mem *mem = reuse->keys.mem;
    ft_hit_curve_fini(&reuse->curve);
    ft_memo_table_take(&reuse->keys, &taken);
    ft_memo_table_fini(&taken);
    reuse->slots = NULL;
    reuse->used = reuse->capacity = 0;
    for (uint32_t item = 0; item < used; item++) /* it is whole again */
        Py_DECREF(slots[item].key);
    ft_mem_free(mem, slots);
}

void ft_reuse_free(ft_reuse *reuse)
{
    if (reuse == NULL)
        return;
    ft_reuse_clear(reuse);
    ft_memo_table_fini(&reuse->keys);
    ft_mem_free(reuse->keys.mem, reuse);
}

int ft_reuse_traverse(const ft_reuse *reuse, visitproc visit, void *arg)
{
    for (uint32_t item = 0; item < reuse->used; item++)
        Py_VISIT(reuse->slots[item].key);
    return 0;
}

/* Takes out of the table what the curve drops. */
static void drop(ft_reuse *reuse, ft_hit_histogram *histogram)
{
    uint32_t item;
    while (ft_hit_curve_drop(&reuse->curve, histogram, &item)) {
        ft_reuse_slot *slot = &reuse->slots[item];
        if (slot->entry != FT_MEMO_NONE)
            ft_memo_table_remove(&reuse->keys, slot->entry);
        slot->entry = FT_MEMO_NONE;
    }
}

int ft_reuse_touch(ft_reuse *reuse, ft_hit_histogram *histogram, const ft_call_key *key)
{
    uint32_t number = ft_key_search(&reuse->keys, key);
    if (number >= FT_SEARCH_FAILED)
        return number == FT_MEMO_NONE ? 0 : -1;
    uint32_t item = (uint32_t)(uintptr_t)reuse->keys.entries[number].value;
    (void)ft_hit_curve_touch(&reuse->curve, histogram, item); /* the histogram remembers */
    drop(reuse, histogram);
    return 1;
}

/* Gives an item to a key, which it takes over. Gives back a reference that is to be let go of: that
 * of the key which the item had before, or the key, or NULL. */
static PyObject *put(ft_reuse *reuse, ft_hit_histogram *histogram, uint32_t hash, PyObject *kept)
{
    uint32_t item;
    ft_memo_pair none;
    ft_reuse_slot *slots = ft_array_grow(reuse->keys.mem, reuse->slots, reuse->used + 1,
                                         &reuse->capacity, sizeof *slots);
    if (slots != NULL)
        reuse->slots = slots;
    else
        histogram->exact = false;
    if (slots == NULL || ft_hit_curve_add(&reuse->curve, histogram, hash, &item) != FT_OK)
        return kept;
    assert(item <= reuse->used);
    if (item == reuse->used)
        slots[reuse->used++].key = NULL;
    PyObject *before = slots[item].key;
    slots[item] = (ft_reuse_slot){kept, FT_MEMO_NONE};
    if (ft_memo_table_put(&reuse->keys, hash, kept, (void *)(uintptr_t)item, &none,
                          &slots[item].entry) != FT_OK)
        histogram->exact = false;
    drop(reuse, histogram);
    return before;
}

int ft_reuse_add(ft_reuse *reuse, ft_hit_histogram *histogram, const ft_call_key *key)
{
    PyObject *kept = ft_call_key_keep(key);
    if (kept == NULL)
        return -1;
    uint32_t number = ft_key_search(&reuse->keys, key);
    if (number == FT_MEMO_NONE)
        kept = put(reuse, histogram, key->hash, kept);
    Py_XDECREF(kept);
    return number == FT_SEARCH_FAILED ? -1 : 0;
}
