/* SPDX-License-Identifier: Apache-2.0 */
/* paths.h: what the formats that write out whole paths have in common: how much that would be.
 *
 * A tree of n nodes is n rows here but may be n * n / 2 frames written out, so a file of a few
 * megabytes can ask for terabytes. Such a format measures first and refuses what nobody could open.
 */
#ifndef FT_EXPORT_PATHS_H
#define FT_EXPORT_PATHS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/model/profile.h"

#define FT_PATHS_MAX_BYTES (UINT64_C(1) << 31) /* of one export: protobuf's own bound */

/* FT_ERR_LIMIT when the paths to the nodes that have time or calls, each frame written out with the
 * width of its code, pass FT_PATHS_MAX_BYTES. FT_ERR_MEMORY. widths is by code id. */
ft_status ft_paths_check(const ft_profile *profile, const size_t *widths);

/* The same for the paths of sites, which have the width of a number. */
ft_status ft_paths_check_sites(const ft_profile *profile);

/* How many nodes the largest tree has, at least 1: no path is longer. */
uint32_t ft_paths_largest_tree(const ft_profile *profile);

#endif
