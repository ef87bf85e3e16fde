/* SPDX-License-Identifier: Apache-2.0 */
/* policies.c: the list of policies. To add one: its file, and its name in this list. */
#include "engine/cache/policy.h"

#include <string.h>

extern const ft_policy ft_policy_car, ft_policy_clock, ft_policy_lru;

const ft_policy *const ft_policies[] = {&ft_policy_car, &ft_policy_clock, &ft_policy_lru, NULL};

const ft_policy *ft_policy_find(const char *name)
{
    for (const ft_policy *const *at = ft_policies; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}
