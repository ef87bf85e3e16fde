/* SPDX-License-Identifier: Apache-2.0 */
/* test_varint.c: LEB128 against the published example (624485 is E5 8E 26) and by round trips at
 * every length, every cut and the edge of 64 bits. */
#include "engine/base/varint.h"

#include <string.h>

#include "tests/engine/tap.h"

static void test_known_bytes(void)
{
    static const uint8_t example[] = {0xe5, 0x8e, 0x26};
    uint8_t bytes[FT_VARINT_MAX];
    CHECK(ft_varint_put(bytes, 624485) == bytes + 3);
    CHECK(memcmp(bytes, example, sizeof example) == 0);

    CHECK(ft_varint_put(bytes, 0) == bytes + 1 && bytes[0] == 0);
    CHECK(ft_varint_put(bytes, 127) == bytes + 1 && bytes[0] == 127);
    CHECK(ft_varint_put(bytes, 128) == bytes + 2 && bytes[0] == 0x80 && bytes[1] == 1);
    CHECK(ft_varint_put(bytes, UINT64_MAX) == bytes + FT_VARINT_MAX && bytes[9] == 1);
}

/* Both decoders give `value` back, and the bounded one refuses each proper prefix. */
static int round_trips(uint64_t value)
{
    uint8_t bytes[FT_VARINT_MAX];
    memset(bytes, 0xff, sizeof bytes);
    const uint8_t *end = ft_varint_put(bytes, value);
    uint64_t fast = ~value, bounded = ~value, cut = 42;
    int right = ft_varint_get(bytes, &fast) == end && fast == value;
    right &= ft_varint_get_within(bytes, end, &bounded) == end && bounded == value;
    for (const uint8_t *stop = bytes; stop < end; stop++)
        right &= ft_varint_get_within(bytes, stop, &cut) == NULL && cut == 42;
    return right;
}

static void test_round_trips(void)
{
    int right = 1;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        right &= round_trips(power - 1) && round_trips(power) && round_trips(power + 1);
    }
    CHECK(right);
    CHECK(round_trips(UINT64_MAX));
}

static void test_too_long(void)
{
    uint8_t bytes[FT_VARINT_MAX + 1];
    uint64_t value = 42;
    memset(bytes, 0xff, sizeof bytes);
    CHECK(ft_varint_get(bytes, &value) == NULL); /* no end within ten bytes */
    bytes[9] = 2;                                /* bit 64 */
    CHECK(ft_varint_get(bytes, &value) == NULL);
    CHECK(ft_varint_get_within(bytes, bytes + sizeof bytes, &value) == NULL);
    bytes[9] = 0x81; /* goes on past 64 bits */
    CHECK(ft_varint_get(bytes, &value) == NULL);
    CHECK(value == 42);
    bytes[9] = 1;
    CHECK(ft_varint_get(bytes, &value) == bytes + FT_VARINT_MAX && value == UINT64_MAX);
}

int main(void)
{
    test_known_bytes();
    test_round_trips();
    test_too_long();
    return tap_end();
}
