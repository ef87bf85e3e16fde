/* SPDX-License-Identifier: Apache-2.0 */
/* harvest_folder.c: all arenas of a folder become a profile (see harvest.h), in the order of their
 * names, which is that of process ids and start times. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/record/harvest.h"

enum { MAX_ARENAS = 1 << 20 };

static int is_arena(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".arena") == 0;
}

ft_status ft_harvest_directory(ft_profile *profile, const char *directory, ft_harvest_death death,
                               uint32_t *count)
{
    struct dirent **entries = NULL; /* on the C library's own heap: scandir knows no other */
    ft_status status = FT_OK;
    uint32_t harvested = 0;
    int found = scandir(directory, &entries, is_arena, versionsort);
    if (found < 0)
        return errno == ENOMEM ? FT_ERR_MEMORY : FT_ERR_IO;
    for (int i = 0; i < found && status == FT_OK && i < MAX_ARENAS; i++) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        status = length < (int)sizeof path ? ft_harvest_file(profile, path, death) : FT_ERR_LIMIT;
        harvested += status == FT_OK;
        if (status == FT_ERR_FOREIGN || status == FT_ERR_NEWER)
            status =
                FT_OK; /* somebody's file with such a name, or an arena that was never filled */
    }
    for (int i = 0; i < found; i++)
        free(entries[i]);
    free(entries);
    if (status == FT_OK)
        *count = harvested;
    return status;
}
