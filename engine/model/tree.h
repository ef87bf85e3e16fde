/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h: a calling-context tree: one node per distinct path of calls.
 *
 * Invariants: node 0 is the root (code FT_CODE_NONE, its own parent); for every other node
 * parent < id, so a pass from the back sums subtrees and one from the front sees parents first. */
#ifndef FT_MODEL_TREE_H
#define FT_MODEL_TREE_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

typedef struct ft_node {
    uint32_t parent;  /* id of the caller's node */
    uint32_t code;    /* id in the profile's codetab; FT_CODE_NONE for the root alone */
    uint64_t calls;   /* how often this path was entered; each resume of a generator is one */
    uint64_t own;     /* ns spent in the function itself, its callees excluded */
    uint64_t waiting; /* ns of own during which the thread did not run by its own choice */
} ft_node;

typedef struct ft_tree {
    const ft_mem *mem;
    ft_node *nodes; /* owned */
    uint32_t count, capacity;
} ft_tree;

ft_status ft_tree_init(ft_tree *tree, const ft_mem *mem); /* makes the root */
void ft_tree_fini(ft_tree *tree);
ft_status ft_tree_reserve(ft_tree *tree, uint32_t nodes); /* room for that many in all */

/* Appends a node with zero counters. parent must be below tree->count. */
ft_status ft_tree_add(ft_tree *tree, uint32_t parent, uint32_t code, uint32_t *id);

#endif
