/* SPDX-License-Identifier: Apache-2.0 */
/* snapshots.h: snapshots of memory to test with: made at random from a seed, compared by value,
 * and files of them with anything inside. */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include <stdbool.h>
#include <string.h>

#include "engine/base/crc.h"
#include "engine/file/snapshot.h"
#include "engine/file/snapshot_chunks.h"
#include "tests/engine/file_builder.h"

static inline bool same_snapshot_text(const ft_traces *a, uint32_t x, const ft_traces *b,
                                      uint32_t y)
{
    ft_text left = ft_strtab_get(&a->texts, x), right = ft_strtab_get(&b->texts, y);
    return left.length == right.length && memcmp(left.data, right.data, left.length) == 0;
}

static inline bool same_stack(const ft_traces *a, uint32_t x, const ft_traces *b, uint32_t y)
{
    const ft_traces_stack *left = &a->stacks[x], *right = &b->stacks[y];
    bool same = left->count == right->count;
    for (uint32_t i = 0; same && i < left->count; i++) {
        const ft_traces_frame *one = &a->frames[left->first + i];
        const ft_traces_frame *other = &b->frames[right->first + i];
        same = one->line == other->line && same_snapshot_text(a, one->file, b, other->file);
    }
    return same;
}

static inline bool same_attribute(const ft_traces *a, const ft_traces *b, uint32_t i)
{
    const ft_traces_attribute *x = &a->attributes[i], *y = &b->attributes[i];
    if (x->kind != y->kind || !same_snapshot_text(a, x->name, b, y->name))
        return false;
    if (x->kind == FT_TRACES_TEXT)
        return same_snapshot_text(a, x->value.text, b, y->value.text);
    return x->kind < FT_TRACES_INTEGER ||
           memcmp(&x->value, &y->value, sizeof x->value.integer) == 0;
}

/* Whether both say the same, in the same order. */
static inline bool same_traces(const ft_traces *a, const ft_traces *b)
{
    bool same = a->group_count == b->group_count && a->block_count == b->block_count &&
                a->attribute_count == b->attribute_count;
    for (uint32_t i = 0; same && i < a->group_count; i++) {
        const ft_traces_group *x = &a->groups[i], *y = &b->groups[i];
        same = x->size == y->size && x->count == y->count && x->domain == y->domain &&
               x->depth == y->depth && same_stack(a, x->stack, b, y->stack);
    }
    for (uint32_t i = 0; same && i < a->attribute_count; i++)
        same = same_attribute(a, b, i);
    return same;
}

static inline void build_snapshot_header(builder *to, uint32_t version)
{
    size_t start = to->file.length;
    to->sequence = 0;
    ft_buf_put(&to->file, FT_SNAPSHOT_MAGIC, FT_SNAPSHOT_MAGIC_BYTES);
    ft_buf_put_u32(&to->file, version);
    ft_buf_put_u32(&to->file, ft_crc32c(0, to->file.data + start, FT_SNAPSHOT_MAGIC_BYTES + 4));
}

/* A chunk of that type with the payload of a string literal. */
#define BUILD_SNAPSHOT(to, name, literal)                                                          \
    build_chunk(to, (ft_chunk){.type = FT_SNAPSHOT_##name}, literal, sizeof literal - 1)

#endif
