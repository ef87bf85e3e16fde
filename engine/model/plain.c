/* SPDX-License-Identifier: Apache-2.0 */
/* plain.c: a profile without tasks (see plain.h). Parents come before children, so one pass over a
 * tree puts each node where its parent went. */
#include "engine/model/plain.h"

#include <assert.h>

#include "engine/base/map.h"
#include "engine/base/sum.h"

static uint32_t kind_of(const ft_profile *profile, const ft_node *node)
{
    return profile->codes.codes[node->code].kind;
}

static bool is_left_out(const ft_profile *profile, const ft_node *node)
{
    uint32_t kind = kind_of(profile, node);
    return kind == FT_CODE_TASK || kind == FT_CODE_AWAITED;
}

bool ft_plain_is(const ft_profile *profile)
{
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const ft_tree *tree = &profile->threads[i].tree;
        for (uint32_t id = 1; id < tree->count; id++)
            if (is_left_out(profile, &tree->nodes[id]))
                return false;
    }
    return true;
}

/* The child of parent with that code, made if there is none. children: id by (parent, code). */
static ft_status find_child(ft_tree *tree, ft_map *children, uint32_t parent, uint32_t code,
                            uint32_t *id)
{
    uint64_t key = (uint64_t)parent << 32 | code;
    const uint32_t *known = ft_map_get(children, key);
    if (known != NULL) {
        *id = *known;
        return FT_OK;
    }
    ft_status status = ft_tree_add(tree, parent, code, id);
    return status == FT_OK ? ft_map_put(children, key, *id) : status;
}

/* places: room for where each node went. */
static ft_status copy_nodes(ft_tree *to, const ft_profile *from, const ft_tree *tree,
                            uint32_t *places, ft_map *children)
{
    places[0] = 0;
    to->nodes[0] = tree->nodes[0];
    for (uint32_t id = 1; id < tree->count; id++) {
        const ft_node *node = &tree->nodes[id];
        places[id] = places[node->parent];
        if (is_left_out(from, node))
            continue;
        ft_status status = find_child(to, children, places[node->parent], node->code, &places[id]);
        if (status != FT_OK)
            return status;
        ft_node *into = &to->nodes[places[id]];
        into->calls = ft_sum(into->calls, node->calls);
        into->own = ft_sum(into->own, node->own);
        into->waiting = ft_sum(into->waiting, node->waiting);
    }
    return FT_OK;
}

static ft_status copy_thread(ft_profile *to, const ft_profile *from, const ft_thread *thread)
{
    uint32_t index;
    ft_map children;
    ft_status status = ft_profile_add_thread(to, thread->process, thread->name, &index);
    if (status != FT_OK)
        return status;
    to->threads[index].uses = thread->uses;
    uint32_t *places = ft_mem_resize(to->mem, NULL, thread->tree.count, sizeof *places);
    if (places == NULL)
        return FT_ERR_MEMORY;
    ft_map_init(&children, to->mem);
    status = copy_nodes(&to->threads[index].tree, from, &thread->tree, places, &children);
    ft_map_fini(&children);
    ft_mem_free(to->mem, places);
    return status;
}

ft_status ft_plain(ft_profile *to, const ft_profile *from)
{
    assert(to != from && to->thread_count == 0 && to->process_count == 0);
    ft_profile bare = *from;
    bare.thread_count = 0;
    ft_status status = ft_profile_merge(to, &bare);
    assert(status != FT_OK || to->codes.count == from->codes.count); /* all keep their ids */
    for (uint32_t i = 0; i < from->thread_count && status == FT_OK; i++)
        status = copy_thread(to, from, &from->threads[i]);
    return status;
}
