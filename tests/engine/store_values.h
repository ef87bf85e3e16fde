/* SPDX-License-Identifier: Apache-2.0 */
/* store_values.h: entries for tests of a store under faults: what a key's value is follows from its
 * number, so that whoever reads it can tell whether it is right. */
#ifndef STORE_VALUES_H
#define STORE_VALUES_H

#include "engine/store/store.h"
#include "tests/engine/random.h"

#include <string.h>

enum { VALUE_MOST = 40000 };

static inline ft_digest value_key(uint32_t number)
{
    random_source source = {number};
    ft_digest key = {.low = random_next(&source)};
    key.high = random_next(&source);
    return key;
}

static inline uint32_t value_length(uint32_t number)
{
    random_source source = {number + UINT64_C(0x100000000)};
    switch (random_below(&source, 30)) {
    case 0:
        return FT_STORE_INLINE + random_below(&source, VALUE_MOST - FT_STORE_INLINE);
    case 1:
        return random_below(&source, FT_STORE_INLINE);
    default:
        return random_below(&source, 300);
    }
}

/* One of four compresses well. */
static inline void value_fill(uint32_t number, uint8_t *bytes, uint32_t length)
{
    random_source source = {number + UINT64_C(0x200000000)};
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = number % 4 == 0 ? (uint8_t)(i / 64 + number) : (uint8_t)random_next(&source);
}

static inline bool value_put(ft_store *store, uint32_t number)
{
    uint8_t bytes[VALUE_MOST];
    bool kept = false;
    ft_piece piece = {bytes, value_length(number)};
    value_fill(number, bytes, value_length(number));
    ft_put put = {.key = value_key(number),
                  .function = number % 3 + 1,
                  .cost_ns = number,
                  .pieces = &piece,
                  .count = 1,
                  .kind = number & 0xffff,
                  .compress = number % 4 == 0};
    return ft_store_put(store, &put, &kept) == FT_OK && kept;
}

typedef enum value_found { VALUE_ABSENT, VALUE_RIGHT, VALUE_WRONG } value_found;

static inline value_found value_get(ft_store *store, uint32_t number, ft_view view)
{
    uint8_t bytes[VALUE_MOST];
    uint32_t length = value_length(number);
    ft_value value;
    bool found = false;
    if (ft_store_get(store, value_key(number), view, &found, &value) != FT_OK)
        return VALUE_WRONG;
    if (!found)
        return VALUE_ABSENT;
    value_fill(number, bytes, length);
    bool right = value.entry.length == length && value.entry.cost_ns == number &&
                 value.entry.kind == (number & 0xffff) && value.entry.function == number % 3 + 1 &&
                 (uintptr_t)value.bytes % 64 == 0 && memcmp(value.bytes, bytes, length) == 0;
    ft_value_fini(&value);
    return right ? VALUE_RIGHT : VALUE_WRONG;
}

#endif
