/* SPDX-License-Identifier: Apache-2.0 */
/* exporters.c: the list of exporters. To add one: its file, and its name in this list. */
#include "engine/export/exporter.h"

#include <string.h>

#include "engine/model/plain.h"

extern const ft_exporter ft_exporter_callgrind, ft_exporter_chrome, ft_exporter_collapsed,
    ft_exporter_firefox, ft_exporter_json, ft_exporter_lprof, ft_exporter_pprof, ft_exporter_pstats,
    ft_exporter_speedscope;

const ft_exporter *const ft_exporters[] = {
    &ft_exporter_pstats,    &ft_exporter_json,
    &ft_exporter_collapsed, &ft_exporter_speedscope,
    &ft_exporter_chrome,    &ft_exporter_firefox,
    &ft_exporter_callgrind, &ft_exporter_pprof,
    &ft_exporter_lprof,     NULL,
};

const ft_exporter *ft_exporter_find(const char *name)
{
    for (const ft_exporter *const *at = ft_exporters; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

ft_status ft_exporter_write(const ft_exporter *exporter, const ft_profile *profile, ft_buf *out)
{
    ft_profile plain;
    if (exporter->has_tasks || ft_plain_is(profile))
        return exporter->write(profile, out);
    ft_status status = ft_profile_init(&plain, profile->mem);
    if (status != FT_OK)
        return status;
    status = ft_plain(&plain, profile);
    if (status == FT_OK)
        status = exporter->write(&plain, out);
    ft_profile_fini(&plain);
    return status;
}
