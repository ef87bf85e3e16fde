/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c: a growing array of bytes with sticky errors (see buf.h).
 *
 * Invariant: length <= capacity, and data is NULL only while capacity is 0. */
#include "engine/base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/varint.h"

enum { FIRST_BYTES = 256 };

void ft_buf_init(ft_buf *buf, const ft_mem *mem)
{
    *buf = (ft_buf){.mem = mem};
}

void ft_buf_fini(ft_buf *buf)
{
    ft_mem_free(buf->mem, buf->data);
    ft_buf_init(buf, buf->mem);
}

void ft_buf_clear(ft_buf *buf)
{
    buf->length = 0;
    buf->status = FT_OK;
}

static void grow(ft_buf *buf, size_t need)
{
    size_t room = buf->capacity < SIZE_MAX / 2 ? buf->capacity * 2 : SIZE_MAX;
    if (room < FIRST_BYTES)
        room = FIRST_BYTES;
    if (room < need)
        room = need;
    uint8_t *data = ft_mem_resize(buf->mem, buf->data, room, 1);
    if (data == NULL) {
        buf->status = FT_ERR_MEMORY;
        return;
    }
    buf->data = data;
    buf->capacity = room;
}

uint8_t *ft_buf_reserve(ft_buf *buf, size_t length)
{
    assert(buf->length <= buf->capacity);
    if (buf->status != FT_OK)
        return NULL;
    if (length > SIZE_MAX - buf->length)
        buf->status = FT_ERR_MEMORY;
    else if (buf->data == NULL || length > buf->capacity - buf->length)
        grow(buf, buf->length + length);
    return buf->status == FT_OK ? buf->data + buf->length : NULL;
}

void ft_buf_put(ft_buf *buf, const void *bytes, size_t length)
{
    uint8_t *to = ft_buf_reserve(buf, length);
    if (to == NULL || length == 0)
        return;
    memcpy(to, bytes, length);
    buf->length += length;
}

void ft_buf_put_text(ft_buf *buf, const char *text)
{
    ft_buf_put(buf, text, strlen(text));
}

void ft_buf_put_byte(ft_buf *buf, uint8_t byte)
{
    uint8_t *to = ft_buf_reserve(buf, 1);
    if (to == NULL)
        return;
    *to = byte;
    buf->length++;
}

static void put_little_endian(ft_buf *buf, uint64_t value, size_t width)
{
    uint8_t *to = ft_buf_reserve(buf, width);
    if (to == NULL)
        return;
    for (size_t i = 0; i < width; i++)
        to[i] = (uint8_t)(value >> (8 * i));
    buf->length += width;
}

void ft_buf_put_u32(ft_buf *buf, uint32_t value)
{
    put_little_endian(buf, value, 4);
}

void ft_buf_put_u64(ft_buf *buf, uint64_t value)
{
    put_little_endian(buf, value, 8);
}

void ft_buf_put_varint(ft_buf *buf, uint64_t value)
{
    uint8_t *to = ft_buf_reserve(buf, FT_VARINT_MAX);
    if (to == NULL)
        return;
    buf->length += (size_t)(ft_varint_put(to, value) - to);
    assert(buf->length <= buf->capacity);
}

static void put_formatted(ft_buf *buf, const char *format, va_list arguments, int length)
{
    /* One byte more than is kept: vsnprintf ends with a NUL. */
    uint8_t *to = ft_buf_reserve(buf, (size_t)length + 1);
    if (to == NULL)
        return;
    int printed = vsnprintf((char *)to, (size_t)length + 1, format, arguments);
    assert(printed == length);
    (void)printed;
    buf->length += (size_t)length;
}

void ft_buf_printf(ft_buf *buf, const char *format, ...)
{
    va_list arguments, again;
    if (buf->status != FT_OK)
        return;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0)
        buf->status = FT_ERR_LIMIT; /* more than INT_MAX bytes, or not a text of the locale */
    else
        put_formatted(buf, format, again, length);
    va_end(again);
    va_end(arguments);
}
