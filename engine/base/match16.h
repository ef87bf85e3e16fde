/* SPDX-License-Identifier: Apache-2.0 */
/* match16.h: which of sixteen bytes are that byte? One comparison where the machine has it. */
#ifndef FT_BASE_MATCH16_H
#define FT_BASE_MATCH16_H

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Bit i of the answer says whether bytes[i] is it. */
static inline uint32_t ft_match16(const uint8_t bytes[16], uint8_t byte)
{
#if defined(__SSE2__)
    __m128i all = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_set1_epi8((char)byte)));
#else
    uint32_t matches = 0;
    for (int i = 0; i < 16; i++)
        matches |= (uint32_t)(bytes[i] == byte) << i;
    return matches;
#endif
}

/* The number of the lowest bit that is set; bits is not 0. */
static inline uint32_t ft_lowest_bit(uint32_t bits)
{
    return (uint32_t)__builtin_ctz(bits);
}

#endif
