/* SPDX-License-Identifier: Apache-2.0 */
/* status.h: how a fallible engine function says what went wrong.
 *
 * Every function that can fail returns ft_status and writes its results through
 * out-parameters, on success only. */
#ifndef FT_BASE_STATUS_H
#define FT_BASE_STATUS_H

typedef enum ft_status {
    FT_OK = 0,
    FT_ERR_MEMORY,    /* an allocation failed */
    FT_ERR_IO,        /* a system call failed; errno says why */
    FT_ERR_DISK_FULL, /* the file system has no room left */
    FT_ERR_FOREIGN,   /* the bytes are not a fettle file at all */
    FT_ERR_EMPTY,     /* the file has no bytes */
    FT_ERR_NEWER,     /* written by a newer fettle */
    FT_ERR_CORRUPT,   /* a length, index, checksum or order is wrong */
    FT_ERR_LIMIT      /* larger than a named bound allows */
} ft_status;

/* A short lower-case text for a status ("not a fettle file"); never NULL, static. */
const char *ft_status_text(ft_status status);

#endif
