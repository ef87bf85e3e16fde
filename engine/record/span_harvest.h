/* SPDX-License-Identifier: Apache-2.0 */
/* span_harvest.h: the span log in an arena becomes the profile's spans (see harvest.h, which reads
 * blocks).
 *
 * Nothing in the block is trusted. What does not fit is left out and counted in `torn`. */
#ifndef FT_RECORD_SPAN_HARVEST_H
#define FT_RECORD_SPAN_HARVEST_H

#include "engine/model/profile.h"
#include "engine/record/span_log.h"

typedef struct ft_span_harvest {
    const ft_mem *mem;
    ft_profile *profile; /* borrowed */
    uint32_t process;
    uint32_t *threads; /* owned: the profile's thread of each recorder, or UINT32_MAX */
    uint32_t thread_count;
    uint64_t begun; /* ticks: of the recording */
    double ns_per_tick;
    uint64_t last_event; /* ticks */
    uint64_t torn;
    bool is_done; /* an arena has one log */
} ft_span_harvest;

/* No recorder of so many has a thread yet. FT_ERR_MEMORY. */
ft_status ft_span_harvest_start(ft_span_harvest *harvest, uint32_t recorders);
void ft_span_harvest_fini(ft_span_harvest *harvest);

/* The content of a SPANS block, after all threads are known. FT_ERR_MEMORY, FT_ERR_LIMIT. */
ft_status ft_span_harvest_block(ft_span_harvest *harvest, const uint8_t *content, uint64_t bytes);

#endif
