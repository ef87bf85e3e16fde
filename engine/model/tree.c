/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c: a calling-context tree (see tree.h). An array and no more: who needs the children of a
 * node (the recorder, a query) builds the index that suits it. */
#include "engine/model/tree.h"

#include <assert.h>

#include "engine/base/array.h"
#include "engine/model/code.h"

ft_status ft_tree_init(ft_tree *tree, const ft_mem *mem)
{
    uint32_t root;
    *tree = (ft_tree){.mem = mem};
    return ft_tree_add(tree, 0, FT_CODE_NONE, &root);
}

void ft_tree_fini(ft_tree *tree)
{
    ft_mem_free(tree->mem, tree->links);
    ft_mem_free(tree->mem, tree->nodes);
    *tree = (ft_tree){.mem = tree->mem};
}

ft_status ft_tree_reserve(ft_tree *tree, uint32_t nodes)
{
    if (nodes <= tree->capacity)
        return FT_OK;
    ft_node *grown = ft_mem_resize(tree->mem, tree->nodes, nodes, sizeof *grown);
    if (grown == NULL)
        return FT_ERR_MEMORY;
    tree->nodes = grown;
    tree->capacity = nodes;
    return FT_OK;
}

ft_status ft_tree_add(ft_tree *tree, uint32_t parent, uint32_t code, uint32_t *id)
{
    assert(parent < tree->count || tree->count == 0);
    if (tree->count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_node *nodes =
        ft_array_grow(tree->mem, tree->nodes, tree->count + 1, &tree->capacity, sizeof *nodes);
    if (nodes == NULL)
        return FT_ERR_MEMORY;
    tree->nodes = nodes;
    nodes[tree->count] = (ft_node){.parent = parent, .code = code};
    *id = tree->count++;
    return FT_OK;
}

ft_status ft_tree_add_link(ft_tree *tree, uint32_t marker, uint32_t creator)
{
    assert(creator > 0 && creator < marker && marker < tree->count);
    assert(tree->link_count == 0 || tree->links[tree->link_count - 1].marker < marker);
    ft_link *links = ft_array_grow(tree->mem, tree->links, tree->link_count + 1,
                                   &tree->link_capacity, sizeof *links);
    if (links == NULL)
        return FT_ERR_MEMORY;
    tree->links = links;
    links[tree->link_count++] = (ft_link){marker, creator};
    return FT_OK;
}

uint32_t ft_tree_creator(const ft_tree *tree, uint32_t marker)
{
    uint32_t low = 0, high = tree->link_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (tree->links[middle].marker < marker)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tree->link_count && tree->links[low].marker == marker ? tree->links[low].creator
                                                                       : 0;
}
