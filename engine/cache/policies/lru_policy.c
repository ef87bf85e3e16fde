/* SPDX-License-Identifier: Apache-2.0 */
/* lru_policy.c: least recently used, exactly. List 0 is in the order of use: a hit makes its entry
 * the last, and the first goes. */
#include "engine/cache/policy.h"

const ft_policy ft_policy_lru = {
    .name = "lru",
    .description = "least recently used, exactly",
    .hit = FT_HIT_MOVE,
};
