/* SPDX-License-Identifier: Apache-2.0 */
/* test_crc.c: CRC-32C against the vectors of RFC 3720 (appendix B.4), against a bit-by-bit
 * computation from the polynomial, and split at every place. */
#include "engine/base/crc.h"

#include <string.h>

#include "tests/engine/tap.h"

typedef uint32_t crc_function(uint32_t crc, const void *bytes, size_t length);

static uint32_t crc_by_bits(const uint8_t *bytes, size_t length)
{
    uint32_t state = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        state ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            state = (state & 1) ? (state >> 1) ^ 0x82f63b78 : state >> 1;
    }
    return ~state;
}

static void test_published(crc_function *crc)
{
    uint8_t bytes[32];
    CHECK(crc(0, NULL, 0) == 0);
    CHECK(crc(0, "123456789", 9) == 0xe3069283);
    memset(bytes, 0, sizeof bytes);
    CHECK(crc(0, bytes, sizeof bytes) == 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    CHECK(crc(0, bytes, sizeof bytes) == 0x62a8ab43);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    CHECK(crc(0, bytes, sizeof bytes) == 0x46dd794e);
}

static void test_lengths_and_splits(crc_function *crc)
{
    uint8_t bytes[67];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 7);
    int lengths = 1, splits = 1;
    for (size_t start = 0; start < 9; start++) /* every alignment */
        for (size_t n = 0; start + n <= sizeof bytes; n++)
            lengths &= crc(0, bytes + start, n) == crc_by_bits(bytes + start, n);
    uint32_t whole = crc_by_bits(bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++)
        splits &= crc(crc(0, bytes, cut), bytes + cut, sizeof bytes - cut) == whole;
    CHECK(lengths);
    CHECK(splits);
}

int main(void)
{
    test_published(ft_crc32c);
    test_published(ft_crc32c_portable);
    test_lengths_and_splits(ft_crc32c);
    test_lengths_and_splits(ft_crc32c_portable);
    return tap_end();
}
