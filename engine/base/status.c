/* SPDX-License-Identifier: Apache-2.0 */
/* status.c: the texts of the engine's status codes. */
#include "engine/base/status.h"

const char *ft_status_text(ft_status status)
{
    switch (status) {
    case FT_OK:
        return "ok";
    case FT_ERR_MEMORY:
        return "out of memory";
    case FT_ERR_IO:
        return "input or output failed";
    case FT_ERR_DISK_FULL:
        return "the disk is full";
    case FT_ERR_FOREIGN:
        return "not a fettle file";
    case FT_ERR_EMPTY:
        return "an empty file";
    case FT_ERR_NEWER:
        return "written by a newer fettle";
    case FT_ERR_CORRUPT:
        return "a corrupt fettle file";
    case FT_ERR_LIMIT:
        return "larger than fettle allows";
    }
    return "unknown status";
}
