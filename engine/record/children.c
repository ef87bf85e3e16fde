/* SPDX-License-Identifier: Apache-2.0 */
/* children.c: the children of a context (see children.h). */
#include "engine/record/children.h"

#include <assert.h>

enum { FIRST_LOG2_SLOTS = 2, MAX_LOG2_SLOTS = 26, LOG2_SLOT_BYTES = 3 };

_Static_assert(sizeof(ft_context *) == 1 << LOG2_SLOT_BYTES, "a slot is a pointer");

static ft_context **find_slot(ft_context **slots, unsigned log2_slots, const void *key)
{
    uint64_t mixed = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t mask = (UINT32_C(1) << log2_slots) - 1;
    uint32_t at = (uint32_t)(mixed >> 32) & mask;
    while (slots[at] != NULL && slots[at]->key != key)
        at = (at + 1) & mask;
    return &slots[at];
}

ft_context *ft_children_find(const ft_context *context, const void *key)
{
    if (context->children != NULL)
        return *find_slot(context->children, context->log2_slots, key);
    return context->child_count == 1 && context->recent->key == key ? context->recent : NULL;
}

/* A table of twice the size, or the first one. */
static bool grow(ft_pool *pool, ft_context *context)
{
    unsigned log2_slots = context->children == NULL ? FIRST_LOG2_SLOTS : context->log2_slots + 1U;
    if (log2_slots > MAX_LOG2_SLOTS)
        return false;
    ft_context **slots = ft_pool_new(pool, log2_slots + LOG2_SLOT_BYTES);
    if (slots == NULL)
        return false;
    if (context->children == NULL) {
        if (context->child_count > 0)
            *find_slot(slots, log2_slots, context->recent->key) = context->recent;
    } else {
        for (uint32_t i = 0; i < UINT32_C(1) << context->log2_slots; i++)
            if (context->children[i] != NULL)
                *find_slot(slots, log2_slots, context->children[i]->key) = context->children[i];
        ft_pool_give_back(pool, context->children, context->log2_slots + LOG2_SLOT_BYTES);
    }
    context->children = slots;
    context->log2_slots = log2_slots & 31;
    return true;
}

static bool is_full(const ft_context *context)
{
    return context->children == NULL ||
           context->child_count >= (UINT32_C(3) << context->log2_slots) / 4;
}

bool ft_children_add(ft_pool *pool, ft_context *context, ft_context *child)
{
    assert(child->parent == context);
    bool hidden = (child->flags & FT_CODE_CREATES_TASK) != 0;
    if (context->child_count == FT_CHILDREN_MAX)
        return false;
    if (context->child_count > 0 || hidden) {
        if (is_full(context) && !grow(pool, context))
            return false;
        ft_context **slot = find_slot(context->children, context->log2_slots, child->key);
        assert(*slot == NULL);
        *slot = child;
    }
    context->child_count = (context->child_count + 1) & FT_CHILDREN_MAX;
    if (!hidden)
        context->recent = child;
    return true;
}
