/* SPDX-License-Identifier: Apache-2.0 */
/* varint.h: LEB128, the unsigned integers of the file format: seven bits a byte, least significant
 * first, the top bit set on all bytes but the last.
 *
 * The inline pair is for columns of millions of numbers: neither checks for room; the caller
 * makes sure of it once per column, not once per byte. */
#ifndef FT_BASE_VARINT_H
#define FT_BASE_VARINT_H

#include <stddef.h>
#include <stdint.h>

enum { FT_VARINT_MAX = 10 }; /* bytes of UINT64_MAX: ceil(64 / 7) */

/* Writes value at `at`, where FT_VARINT_MAX bytes are free; gives the end of what was written. */
static inline uint8_t *ft_varint_put(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Reads two bytes or more; the part of ft_varint_get that is seldom needed. */
const uint8_t *ft_varint_get_long(const uint8_t *at, uint64_t *value);

/* Reads one value at `at`, where FT_VARINT_MAX bytes can be read; gives the end of what was read,
 * or NULL (*value untouched) when the number does not fit 64 bits. */
static inline const uint8_t *ft_varint_get(const uint8_t *at, uint64_t *value)
{
    if (*at < 0x80) {
        *value = *at;
        return at + 1;
    }
    return ft_varint_get_long(at, value);
}

/* As ft_varint_get, never reading at `end` or past it: NULL also when the bytes run out. */
const uint8_t *ft_varint_get_within(const uint8_t *at, const uint8_t *end, uint64_t *value);

#endif
