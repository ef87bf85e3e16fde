/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.h: walks the numbers of a payload. Errors are sticky: a failed read gives 0, and so does
 * every later one, so that who decodes a record looks once, at its end. */
#ifndef FT_FILE_CURSOR_H
#define FT_FILE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/varint.h"

typedef struct ft_cursor {
    const uint8_t *at, *end;
    bool failed;
} ft_cursor;

static inline uint64_t ft_cursor_get(ft_cursor *from)
{
    uint64_t value = 0;
    const uint8_t *next = from->failed ? NULL : ft_varint_get_within(from->at, from->end, &value);
    from->failed = next == NULL;
    if (next != NULL)
        from->at = next;
    return value;
}

static inline uint32_t ft_cursor_get_u32(ft_cursor *from)
{
    uint64_t value = ft_cursor_get(from);
    from->failed |= value > UINT32_MAX;
    return from->failed ? 0 : (uint32_t)value;
}

/* A number that must be below bound. */
static inline uint32_t ft_cursor_get_below(ft_cursor *from, uint32_t bound)
{
    uint32_t value = ft_cursor_get_u32(from);
    from->failed |= value >= bound;
    return from->failed ? 0 : value;
}

/* A double: eight bytes, little-endian. */
static inline double ft_cursor_get_double(ft_cursor *from)
{
    uint64_t bits = 0;
    double value;
    from->failed |= from->end - from->at < (ptrdiff_t)sizeof bits;
    if (from->failed)
        return 0;
    for (size_t i = 0; i < sizeof bits; i++)
        bits |= (uint64_t)*from->at++ << 8 * i;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Whether nothing is left, or nothing can be read any more. */
static inline bool ft_cursor_is_done(const ft_cursor *from)
{
    return from->failed || from->at == from->end;
}

#endif
