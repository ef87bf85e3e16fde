/* SPDX-License-Identifier: Apache-2.0 */
/* columns.h: the payload of a TREE chunk: a run of a tree's nodes as five columns of varints. */
#ifndef FT_FILE_COLUMNS_H
#define FT_FILE_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/varint.h"
#include "engine/model/tree.h"

enum {
    /* Nodes written per chunk: the run stays in a second-level cache while five columns are taken
     * from it, and fits a chunk whatever the numbers are. */
    FT_COLUMNS_NODES = 1 << 14,
    FT_COLUMNS_NODE_MAX = 5 + 5 + 3 * FT_VARINT_MAX, /* bytes: two u32, three u64 */
    FT_COLUMNS_NODE_MIN = 5,                         /* a byte in each column */
    FT_COLUMNS_BYTES = 2 * FT_VARINT_MAX + FT_COLUMNS_NODES * FT_COLUMNS_NODE_MAX
};

/* Writes count (at most FT_COLUMNS_NODES) nodes of the tree, from id first on, to out, where
 * FT_COLUMNS_BYTES are free. Gives the number of bytes. */
size_t ft_columns_put(uint8_t *out, const ft_tree *tree, uint32_t first, uint32_t count);

/* The codes of a file as the profile's: ids[code] for codes below count. */
typedef struct ft_columns_codes {
    const uint32_t *ids;
    uint32_t count;
} ft_columns_codes;

/* Appends the nodes of a payload to the tree; a node 0 replaces the root's counters. FT_VARINT_MAX
 * bytes behind raw + length must be readable. *nodes: how many there were.
 * On FT_ERR_CORRUPT, FT_ERR_MEMORY and FT_ERR_LIMIT the tree has the nodes it had. */
ft_status ft_columns_get(const uint8_t *raw, size_t length, ft_columns_codes codes, ft_tree *tree,
                         uint32_t *nodes);

#endif
