/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c: a tree laid out along an axis (see layout.h). */
#include "engine/export/layout.h"

#include <assert.h>

/* From the back, so that the children of a node stand in the order of their ids. */
void ft_layout_link(ft_layout *to, const ft_tree *tree)
{
    for (uint32_t id = 0; id < tree->count; id++)
        to[id] = (ft_layout){0, 0};
    for (uint32_t id = tree->count; id-- > 1;) {
        uint32_t parent = tree->nodes[id].parent;
        assert(parent < id);
        to[id].next = to[parent].first;
        to[parent].first = id;
    }
}

uint32_t ft_layout_next(const ft_layout *links, const ft_tree *tree, uint32_t id)
{
    if (links[id].first != 0)
        return links[id].first;
    while (id != 0 && links[id].next == 0)
        id = tree->nodes[id].parent;
    return links[id].next; /* of the root: 0 */
}
