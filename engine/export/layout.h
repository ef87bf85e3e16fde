/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h: a tree laid out along an axis, for formats that show when things happened.
 *
 * A calling-context tree holds no moments. Depth first, callees in the order of their first calls,
 * each function first passes its own time and then its callees pass theirs: what is one inside the
 * other stays so, and every length is right, but the axis is sums and not a clock. */
#ifndef FT_EXPORT_LAYOUT_H
#define FT_EXPORT_LAYOUT_H

#include <stdint.h>

#include "engine/model/tree.h"

typedef struct ft_layout { /* of a node: what ft_node lacks to walk down */
    uint32_t first, next;  /* child and sibling, 0 for none */
} ft_layout;

/* Fills to, which has room for tree->count nodes. */
void ft_layout_link(ft_layout *to, const ft_tree *tree);

/* The node behind id, depth first; from 0 the first one, behind the last one 0. */
uint32_t ft_layout_next(const ft_layout *links, const ft_tree *tree, uint32_t id);

#endif
