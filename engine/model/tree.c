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
