/* SPDX-License-Identifier: Apache-2.0 */
/* traces.c: four growing arrays (see traces.h). */
#include "engine/model/traces.h"

#include <assert.h>
#include <stdbool.h>

#include "engine/base/array.h"

ft_status ft_traces_init(ft_traces *traces, const ft_mem *mem)
{
    *traces = (ft_traces){.mem = mem};
    return ft_strtab_init(&traces->texts, mem);
}

void ft_traces_fini(ft_traces *traces)
{
    ft_mem_free(traces->mem, traces->attributes);
    ft_mem_free(traces->mem, traces->groups);
    ft_mem_free(traces->mem, traces->stacks);
    ft_mem_free(traces->mem, traces->frames);
    ft_strtab_fini(&traces->texts);
    *traces = (ft_traces){.mem = traces->mem};
}

ft_status ft_traces_add_stack(ft_traces *traces, uint32_t *id)
{
    if (traces->stack_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_traces_stack *stacks = ft_array_grow(traces->mem, traces->stacks, traces->stack_count + 1,
                                            &traces->stack_capacity, sizeof *stacks);
    if (stacks == NULL)
        return FT_ERR_MEMORY;
    traces->stacks = stacks;
    *id = traces->stack_count++;
    stacks[*id] = (ft_traces_stack){.first = traces->frame_count};
    return FT_OK;
}

ft_status ft_traces_add_frame(ft_traces *traces, ft_traces_frame frame)
{
    assert(traces->stack_count > 0 && frame.file < traces->texts.count);
    if (traces->frame_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_traces_frame *frames = ft_array_grow(traces->mem, traces->frames, traces->frame_count + 1,
                                            &traces->frame_capacity, sizeof *frames);
    if (frames == NULL)
        return FT_ERR_MEMORY;
    traces->frames = frames;
    frames[traces->frame_count++] = frame;
    traces->stacks[traces->stack_count - 1].count++;
    return FT_OK;
}

static bool is_alike(const ft_traces_group *a, const ft_traces_group *b)
{
    return a->size == b->size && a->domain == b->domain && a->stack == b->stack &&
           a->depth == b->depth;
}

ft_status ft_traces_add_group(ft_traces *traces, const ft_traces_group *group)
{
    assert(group->stack < traces->stack_count && group->count > 0);
    if (group->count > FT_TRACES_BLOCKS_MAX - traces->block_count ||
        traces->group_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    if (traces->group_count > 0 && is_alike(&traces->groups[traces->group_count - 1], group)) {
        traces->groups[traces->group_count - 1].count += group->count;
        traces->block_count += group->count;
        return FT_OK;
    }
    ft_traces_group *groups = ft_array_grow(traces->mem, traces->groups, traces->group_count + 1,
                                            &traces->group_capacity, sizeof *groups);
    if (groups == NULL)
        return FT_ERR_MEMORY;
    traces->groups = groups;
    groups[traces->group_count++] = *group;
    traces->block_count += group->count;
    return FT_OK;
}

ft_status ft_traces_add_attribute(ft_traces *traces, const ft_traces_attribute *attribute)
{
    assert(attribute->name < traces->texts.count);
    assert(attribute->kind != FT_TRACES_TEXT || attribute->value.text < traces->texts.count);
    if (traces->attribute_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_traces_attribute *attributes =
        ft_array_grow(traces->mem, traces->attributes, traces->attribute_count + 1,
                      &traces->attribute_capacity, sizeof *attributes);
    if (attributes == NULL)
        return FT_ERR_MEMORY;
    traces->attributes = attributes;
    attributes[traces->attribute_count++] = *attribute;
    return FT_OK;
}
