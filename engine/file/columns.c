/* SPDX-License-Identifier: Apache-2.0 */
/* columns.c: between an array of nodes and five columns of varints (docs/format.md, TREE).
 *
 * A million nodes are five million numbers, so the loops are tight: the writer has room for the
 * worst case before it starts, the reader tests for the end once a number (chunk.h says why that
 * is enough). Columns, because neighbours in a column are alike and zstd sees it. */
#include "engine/file/columns.h"

#include <assert.h>
#include <stdbool.h>

#include "engine/file/format.h"
#include "engine/model/code.h"

static_assert((int)FT_COLUMNS_BYTES <= (int)FT_FORMAT_RAW_MAX, "a full run of nodes fits a chunk");

static uint8_t *put_parents(uint8_t *at, const ft_node *nodes, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        at = ft_varint_put(at, first + i - nodes[i].parent);
    return at;
}

static uint8_t *put_codes(uint8_t *at, const ft_node *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        at = ft_varint_put(at, nodes[i].code);
    return at;
}

static uint8_t *put_counters(uint8_t *at, const ft_node *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        at = ft_varint_put(at, nodes[i].calls);
    for (uint32_t i = 0; i < count; i++)
        at = ft_varint_put(at, nodes[i].own);
    for (uint32_t i = 0; i < count; i++)
        at = ft_varint_put(at, nodes[i].waiting);
    return at;
}

size_t ft_columns_put(uint8_t *out, const ft_tree *tree, uint32_t first, uint32_t count)
{
    assert(count <= FT_COLUMNS_NODES);
    assert(first <= tree->count && count <= tree->count - first);
    const ft_node *nodes = tree->nodes + first;
    uint8_t *at = ft_varint_put(out, first);
    at = ft_varint_put(at, count);
    at = put_parents(at, nodes, first, count);
    at = put_codes(at, nodes, count);
    at = put_counters(at, nodes, count);
    assert(at - out <= FT_COLUMNS_BYTES);
    return (size_t)(at - out);
}

/* The get_ functions read count numbers from at on and give their end, or NULL when one is wrong
 * or the payload is over. */

static const uint8_t *get_parents(const uint8_t *at, const uint8_t *end, ft_node *nodes,
                                  uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t distance, id = (uint64_t)first + i;
        if (at >= end || (at = ft_varint_get(at, &distance)) == NULL)
            return NULL;
        if (distance > id || (distance == 0 && id != 0))
            return NULL;
        nodes[i].parent = (uint32_t)(id - distance);
    }
    return at;
}

static const uint8_t *get_codes(const uint8_t *at, const uint8_t *end, ft_node *nodes,
                                uint32_t first, uint32_t count, ft_columns_codes codes)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t code;
        if (at >= end || (at = ft_varint_get(at, &code)) == NULL || code >= codes.count)
            return NULL;
        if ((code == FT_CODE_NONE) != (first + i == 0)) /* of the root, and of it alone */
            return NULL;
        nodes[i].code = codes.ids[code];
    }
    return at;
}

/* `first` is the counter in the first of the nodes. */
static const uint8_t *get_counters(const uint8_t *at, const uint8_t *end, uint64_t *first,
                                   uint32_t count)
{
    enum { STRIDE = sizeof(ft_node) / sizeof(uint64_t) };
    static_assert(sizeof(ft_node) % sizeof(uint64_t) == 0, "a counter stands each so many words");
    for (size_t i = 0; i < count; i++)
        if (at >= end || (at = ft_varint_get(at, &first[i * STRIDE])) == NULL)
            return NULL;
    return at;
}

/* Room for count more nodes, growing by half as the tree's own appending does. */
static ft_status reserve(ft_tree *tree, uint32_t first, uint32_t count)
{
    if (count > UINT32_MAX - first)
        return FT_ERR_LIMIT;
    uint64_t room = (uint64_t)tree->capacity + tree->capacity / 2;
    if (first + count <= tree->capacity)
        return FT_OK;
    if (room < first + count || room > UINT32_MAX)
        room = first + count;
    return ft_tree_reserve(tree, (uint32_t)room);
}

ft_status ft_columns_get(const uint8_t *raw, size_t length, ft_columns_codes codes, ft_tree *tree,
                         uint32_t *nodes)
{
    const uint8_t *at = raw, *end = raw + length;
    uint64_t first, count;
    assert(tree->count > 0 && codes.count > 0);
    if ((at = ft_varint_get_within(at, end, &first)) == NULL ||
        (at = ft_varint_get_within(at, end, &count)) == NULL)
        return FT_ERR_CORRUPT;
    bool follows = first == tree->count || (first == 0 && tree->count == 1);
    if (!follows || count > (size_t)(end - at) / FT_COLUMNS_NODE_MIN)
        return FT_ERR_CORRUPT;

    uint32_t from = (uint32_t)first, more = (uint32_t)count;
    ft_status status = reserve(tree, from, more);
    if (status != FT_OK || more == 0)
        return status == FT_OK ? FT_ERR_CORRUPT : status;
    ft_node *added = tree->nodes + from;
    if ((at = get_parents(at, end, added, from, more)) == NULL ||
        (at = get_codes(at, end, added, from, more, codes)) == NULL ||
        (at = get_counters(at, end, &added->calls, more)) == NULL ||
        (at = get_counters(at, end, &added->own, more)) == NULL ||
        (at = get_counters(at, end, &added->waiting, more)) == NULL || at != end)
        return FT_ERR_CORRUPT;
    tree->count = from + more;
    *nodes = more;
    return FT_OK;
}
