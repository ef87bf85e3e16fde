/* SPDX-License-Identifier: Apache-2.0 */
/* prune.h: a smaller copy of a profile, for readers that can not take all of it.
 *
 * The heaviest nodes stay, by cumulative time. What is left out below a node becomes one child of
 * it, the function "[pruned]", with the sum of its calls, times and waiting. So totals are as they
 * were, and so is each kept node: no function gets time that it did not spend itself, and what a
 * node and all below it took is the same. Functions that were left out somewhere have less. Tasks
 * are left out (plain.h), lines and memory stay. */
#ifndef FT_MODEL_PRUNE_H
#define FT_MODEL_PRUNE_H

#include <stdint.h>

#include "engine/model/profile.h"

#define FT_PRUNED_NAME "[pruned]" /* of a C function without a file, as far as a reader can see */

/* How much may stay, the roots and the "[pruned]" nodes besides; 0 is no limit. */
typedef struct ft_prune_limits {
    uint64_t nodes;
    uint64_t frames; /* of the paths to these nodes, each written out */
} ft_prune_limits;

typedef struct ft_pruned {
    uint64_t kept;  /* nodes that stay, without the roots and the "[pruned]" */
    uint64_t nodes; /* left out, as all below: of the plain profile */
    uint64_t own;   /* ns */
} ft_pruned;

/* Fills to, which ft_profile_init made just now; on an error it is fit for ft_profile_fini only.
 * from must pass ft_profile_check. A node stays only with its caller's; of equally heavy ones the
 * first stay. Linear in the nodes of from. FT_ERR_MEMORY, FT_ERR_LIMIT. */
ft_status ft_prune(ft_profile *to, const ft_profile *from, ft_prune_limits limits,
                   ft_pruned *pruned);

#endif
