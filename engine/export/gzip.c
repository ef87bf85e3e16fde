/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.c: gzip members of stored blocks (see gzip.h): RFC 1951, section 3.2.4, and RFC 1952. */
#include "engine/export/gzip.h"

#include <stdint.h>

enum { BLOCK_MAX = 0xFFFF }; /* bytes of a stored block */

/* CRC-32, the one of gzip: not that of base/crc.h. By half a byte at a time: the table is the
 * remainders of 0 to 15, each shifted through four steps of the polynomial 0xEDB88320. */
static uint32_t crc32(const uint8_t *bytes, size_t length)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t state = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        state ^= bytes[i];
        state = state >> 4 ^ table[state & 15];
        state = state >> 4 ^ table[state & 15];
    }
    return ~state;
}

static void put_u16(ft_buf *out, uint32_t value)
{
    ft_buf_put_byte(out, (uint8_t)(value & 0xFF));
    ft_buf_put_byte(out, (uint8_t)(value >> 8 & 0xFF));
}

void ft_gzip_put(ft_buf *out, const void *bytes, size_t length)
{
    static const uint8_t head[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF}; /* no time, any system */
    const uint8_t *at = bytes;
    size_t left = length;
    ft_buf_put(out, head, sizeof head);
    do {
        uint32_t block = left < BLOCK_MAX ? (uint32_t)left : BLOCK_MAX;
        ft_buf_put_byte(out, block == left); /* the last one, stored */
        put_u16(out, block);
        put_u16(out, ~block);
        ft_buf_put(out, at, block);
        at += block;
        left -= block;
    } while (left > 0);
    ft_buf_put_u32(out, crc32(bytes, length));
    ft_buf_put_u32(out, (uint32_t)(length & UINT32_MAX));
}
