/* SPDX-License-Identifier: Apache-2.0 */
/* varint.c: the decoders of varint.h that are not inline. A value has at most ten bytes and the
 * tenth is 0 or 1; numbers padded with needless zero bytes are accepted, they harm nobody. */
#include "engine/base/varint.h"

#include <assert.h>

const uint8_t *ft_varint_get_long(const uint8_t *at, uint64_t *value)
{
    return ft_varint_get_within(at, at + FT_VARINT_MAX, value);
}

const uint8_t *ft_varint_get_within(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    assert(at <= end);
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
        uint64_t byte = *at++;
        if (shift == 63 && byte > 1)
            return NULL;
        result |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return at;
        }
    }
    return NULL;
}
