/* SPDX-License-Identifier: Apache-2.0 */
/* recent.c: small entries that were read lately. */
#include "engine/store/recent.h"

ft_recent *ft_recent_new(const ft_mem *mem)
{
    ft_recent *recent = ft_mem_resize(mem, NULL, 1, sizeof *recent);
    if (recent != NULL)
        for (int i = 0; i < FT_RECENT_LINES; i++)
            atomic_flag_clear(&recent->lines[i].used);
    ft_recent_clear(recent);
    return recent;
}

void ft_recent_clear(ft_recent *recent)
{
    for (int i = 0; recent != NULL && i < FT_RECENT_LINES; i++)
        recent->lines[i].slot = (ft_slot){.segment = 0};
}
