/* SPDX-License-Identifier: Apache-2.0 */
/* exporter.h: a recording in another tool's format. An exporter is one file, one const struct and
 * one name in exporters.c. */
#ifndef FT_EXPORT_EXPORTER_H
#define FT_EXPORT_EXPORTER_H

#include <stdbool.h>

#include "engine/base/buf.h"
#include "engine/model/profile.h"
#include "engine/model/prune.h"

typedef struct ft_exporter {
    const char *name;        /* "json": the word after -f */
    const char *suffix;      /* ".json": of a default file name */
    const char *description; /* one line for the help */
    /* Appends the whole export to out. FT_ERR_MEMORY, FT_ERR_LIMIT. */
    ft_status (*write)(const ft_profile *profile, ft_buf *out);
    /* What the format's readers can take, for ft_prune unless the user says otherwise; all 0 for a
     * format that does not grow with the number of paths, or is for programs. */
    ft_prune_limits comfort;
    bool has_tasks;  /* it shows tasks and what was awaited; the others are given calls only */
    bool has_lines;  /* it holds lines; the others leave them out */
    bool has_memory; /* and where memory was allocated */
} ft_exporter;

/* A hundred thousand stacks open in seconds in the usual viewers, a million in minutes or never;
 * four million frames are some 30 MB of numbers. */
#define FT_EXPORTER_PATHS_COMFORT                                                                  \
    {                                                                                              \
        .nodes = 100000, .frames = 4000000                                                         \
    }

/* NULL-terminated, in the order of the help. */
extern const ft_exporter *const ft_exporters[];

/* Appends the whole export to out, of a plain copy (plain.h) if need be. FT_ERR_MEMORY,
 * FT_ERR_LIMIT. */
ft_status ft_exporter_write(const ft_exporter *exporter, const ft_profile *profile, ft_buf *out);

/* The exporter of that name, or NULL. */
const ft_exporter *ft_exporter_find(const char *name);

#endif
