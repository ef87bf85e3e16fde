/* SPDX-License-Identifier: Apache-2.0 */
/* sum.h: sums that stop at the largest number: a hostile file may hold any. */
#ifndef FT_BASE_SUM_H
#define FT_BASE_SUM_H

#include <stdint.h>

static inline uint64_t ft_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
