/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h: a growing array of bytes, for whoever builds a text or a chunk.
 *
 * Errors are sticky: after a failed append every later one is a no-op and ft_buf_status() tells,
 * so that a writer checks once, at the end. */
#ifndef FT_BASE_BUF_H
#define FT_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

typedef struct ft_buf {
    const ft_mem *mem;
    uint8_t *data; /* owned; length bytes are in use */
    size_t length;
    size_t capacity;
    ft_status status; /* the first failure, or FT_OK */
} ft_buf;

void ft_buf_init(ft_buf *buf, const ft_mem *mem);
void ft_buf_fini(ft_buf *buf);
void ft_buf_clear(ft_buf *buf); /* length 0 and FT_OK again; keeps the capacity */

void ft_buf_put(ft_buf *buf, const void *bytes, size_t length);
void ft_buf_put_text(ft_buf *buf, const char *text); /* without the NUL */
void ft_buf_put_byte(ft_buf *buf, uint8_t byte);
void ft_buf_put_u32(ft_buf *buf, uint32_t value);    /* little-endian */
void ft_buf_put_u64(ft_buf *buf, uint64_t value);    /* little-endian */
void ft_buf_put_varint(ft_buf *buf, uint64_t value); /* LEB128 */
void ft_buf_printf(ft_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for length more bytes at data + buf->length, or NULL; the caller then adds to buf->length.
 */
uint8_t *ft_buf_reserve(ft_buf *buf, size_t length);

static inline ft_status ft_buf_status(const ft_buf *buf)
{
    return buf->status;
}

#endif
