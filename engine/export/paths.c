/* SPDX-License-Identifier: Apache-2.0 */
/* paths.c: the size of all paths of a profile (see paths.h). */
#include "engine/export/paths.h"

#include <assert.h>

#include "engine/base/sum.h"

enum { FRAME_MAX = 5 }; /* bytes of the number of a site, as a varint */

/* Adds those of a tree to *total; room is for one number a node. */
static void measure(const ft_tree *tree, const size_t *widths, uint64_t *room, uint64_t *total)
{
    room[0] = 0;
    for (uint32_t id = 1; id < tree->count; id++) {
        const ft_node *node = &tree->nodes[id];
        assert(node->parent < id);
        room[id] = ft_sum(room[node->parent], widths[node->code]);
        if ((node->own | node->calls | node->waiting) != 0)
            *total = ft_sum(*total, room[id]);
    }
}

uint32_t ft_paths_largest_tree(const ft_profile *profile)
{
    uint32_t largest = 1;
    for (uint32_t i = 0; i < profile->thread_count; i++)
        if (profile->threads[i].tree.count > largest)
            largest = profile->threads[i].tree.count;
    return largest;
}

ft_status ft_paths_check(const ft_profile *profile, const size_t *widths)
{
    uint64_t *room =
        ft_mem_resize(profile->mem, NULL, ft_paths_largest_tree(profile), sizeof *room);
    if (room == NULL)
        return FT_ERR_MEMORY;
    uint64_t total = 0;
    for (uint32_t i = 0; i < profile->thread_count; i++)
        measure(&profile->threads[i].tree, widths, room, &total);
    ft_mem_free(profile->mem, room);
    return total > FT_PATHS_MAX_BYTES ? FT_ERR_LIMIT : FT_OK;
}

ft_status ft_paths_check_sites(const ft_profile *profile)
{
    const ft_sites *sites = &profile->memory.sites;
    uint32_t *depths = ft_mem_new(profile->mem, sites->count, sizeof *depths);
    if (depths == NULL)
        return FT_ERR_MEMORY;
    uint64_t frames = 0;
    for (uint32_t id = FT_SITE_NONE + 1; id < sites->count; id++) {
        depths[id] = depths[sites->sites[id].parent] + 1;
        frames += depths[id]; /* fewer than 2^32 depths below 2^32 */
    }
    ft_mem_free(profile->mem, depths);
    return frames > FT_PATHS_MAX_BYTES / FRAME_MAX ? FT_ERR_LIMIT : FT_OK;
}
