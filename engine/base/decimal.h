/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.h: numbers as text, whatever the program's locale is, for which strtod would look. */
#ifndef FT_BASE_DECIMAL_H
#define FT_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "-12.5", "1e-05", "inf", "nan", and nothing around it. Correctly rounded for up to 15 digits and
 * a power of ten up to 22, else within some units in the last place. false: it is no such number.
 */
bool ft_decimal_real(const char *text, size_t length, double *value);

/* "-12", and nothing around it. false: it is no number, or not one of 64 bits. */
bool ft_decimal_integer(const char *text, size_t length, int64_t *value);

#endif
