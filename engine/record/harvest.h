/* SPDX-License-Identifier: Apache-2.0 */
/* harvest.h: arenas become a profile, after the processes that wrote them died or while they live.
 *
 * An arena is the raw memory of a process that may have been killed anywhere: nothing in it is
 * trusted. Blocks that do not fit are left out and counted (FT_NOTE_TORN). */
#ifndef FT_RECORD_HARVEST_H
#define FT_RECORD_HARVEST_H

#include "engine/model/profile.h"
#include "engine/record/recording.h"

/* A process that died just now, as its parent saw it: the calls it was in lasted until now. What of
 * them the CPU time does not account for was waiting. For other dead processes an open call ends
 * with its last event. */
typedef struct ft_harvest_death {
    uint32_t pid;    /* 0: none died */
    uint64_t cpu_ns; /* user and system time of its whole life */
} ft_harvest_death;

/* Adds every arena of the folder (files named *.arena, in order of their names) to the profile.
 * FT_ERR_IO (errno) when the folder can not be read, FT_ERR_MEMORY. *count is the number of arenas.
 */
ft_status ft_harvest_directory(ft_profile *profile, const char *directory, ft_harvest_death death,
                               uint32_t *count);

/* One arena file. FT_ERR_FOREIGN when it is none, FT_ERR_NEWER when another build wrote it. */
ft_status ft_harvest_file(ft_profile *profile, const char *path, ft_harvest_death death);

/* A recording in memory that was settled, and that no thread writes to meanwhile. */
ft_status ft_harvest_recording(ft_profile *profile, const ft_recording *recording);

#endif
