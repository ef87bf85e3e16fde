/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h: a calling-context tree: one node per distinct path of calls.
 *
 * Invariants: node 0 is the root (code FT_CODE_NONE, its own parent); for every other node
 * parent < id, so a pass from the back sums subtrees and one from the front sees parents first.
 *
 * Links say who created the tasks of an event loop: the node of a marker (code FT_CODE_TASK) and
 * that of its creator, which has a smaller id. A marker without a link: that is not known. */
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

typedef struct ft_link {
    uint32_t marker, creator;
} ft_link;

typedef struct ft_tree {
    const ft_mem *mem;
    ft_node *nodes; /* owned */
    uint32_t count, capacity;
    ft_link *links; /* owned, markers ascending */
    uint32_t link_count, link_capacity;
} ft_tree;

ft_status ft_tree_init(ft_tree *tree, const ft_mem *mem); /* makes the root */
void ft_tree_fini(ft_tree *tree);
ft_status ft_tree_reserve(ft_tree *tree, uint32_t nodes); /* room for that many in all */

/* Appends a node with zero counters. parent must be below tree->count. */
ft_status ft_tree_add(ft_tree *tree, uint32_t parent, uint32_t code, uint32_t *id);

/* Appends a link. Its marker must be a node behind those of the links there are; 0 < creator <
 * marker. */
ft_status ft_tree_add_link(ft_tree *tree, uint32_t marker, uint32_t creator);

/* The creator of a marker, or 0 when it is not known. */
uint32_t ft_tree_creator(const ft_tree *tree, uint32_t marker);

#endif
