/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.h: bytes in gzip's wrapping, for formats that demand it. Nothing is compressed (stored
 * blocks): the engine needs no second compressor for a file that another tool reads once. */
#ifndef FT_EXPORT_GZIP_H
#define FT_EXPORT_GZIP_H

#include <stddef.h>

#include "engine/base/buf.h"

/* Appends one whole gzip member (RFC 1952) that holds these bytes. */
void ft_gzip_put(ft_buf *out, const void *bytes, size_t length);

#endif
