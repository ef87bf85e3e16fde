/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.c: digits to numbers (see decimal.h). */
#include "engine/base/decimal.h"

#include <math.h>
#include <string.h>

/* Past these a decimal is 0 or infinite, whatever its digits are: texts are much shorter. */
enum { EXPONENT_MAX = 100000 };
#define MANTISSA_MAX (UINT64_MAX / 10 - 1)

/* 10^22 is the last power of ten that a double holds exactly: one division or multiplication by an
 * exact power rounds once. */
enum { EXACT_POWER = 22 };

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

static int capped(int64_t exponent)
{
    if (exponent > EXPONENT_MAX)
        return EXPONENT_MAX;
    return exponent < -EXPONENT_MAX ? -EXPONENT_MAX : (int)exponent;
}

/* "e-05" and nothing behind it; nothing at all is 0. */
static bool read_exponent(const char *at, const char *end, int *exponent)
{
    int made = 0;
    *exponent = 0;
    if (at == end)
        return true;
    if (*at++ != 'e' || at == end)
        return false;
    bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    if (at == end)
        return false;
    for (; at < end && is_digit(*at); at++)
        made = capped((int64_t)made * 10 + (*at - '0'));
    *exponent = negative ? -made : made;
    return at == end;
}

static double power_of_ten(int exponent)
{
    double made = 1;
    for (; exponent > 0; exponent--)
        made *= 10;
    return made;
}

/* mantissa * 10^exponent, in some thirty steps at most. */
static double scaled(double mantissa, int exponent)
{
    bool grows = exponent > 0;
    int left = grows ? exponent : -exponent;
    for (; left > 0 && mantissa > 0 && !isinf(mantissa); left -= EXACT_POWER) {
        double power = power_of_ten(left < EXACT_POWER ? left : EXACT_POWER);
        mantissa = grows ? mantissa * power : mantissa / power;
    }
    return mantissa;
}

static bool read_unsigned(const char *at, const char *end, double *value)
{
    uint64_t mantissa = 0;
    int64_t shift = 0;
    int exponent;
    bool digits = false, fraction = false;
    for (; at < end && (is_digit(*at) || (*at == '.' && !fraction)); at++) {
        if (*at == '.') {
            fraction = true;
        } else if (mantissa < MANTISSA_MAX) {
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
            shift -= fraction;
            digits = true;
        } else {
            shift += !fraction;
        }
    }
    if (!digits || !read_exponent(at, end, &exponent))
        return false;
    *value = scaled((double)mantissa, capped(exponent + shift));
    return true;
}

bool ft_decimal_real(const char *text, size_t length, double *value)
{
    const char *end = text + length;
    bool negative = length > 0 && *text == '-';
    double made;
    text += negative;
    if (end - text == 3 && (memcmp(text, "inf", 3) == 0 || memcmp(text, "nan", 3) == 0))
        made = *text == 'i' ? INFINITY : NAN;
    else if (!read_unsigned(text, end, &made))
        return false;
    *value = negative ? -made : made;
    return true;
}

bool ft_decimal_integer(const char *text, size_t length, int64_t *value)
{
    const char *end = text + length;
    bool negative = length > 0 && *text == '-';
    uint64_t made = 0, most = negative ? UINT64_C(1) << 63 : INT64_MAX;
    text += negative;
    if (text == end)
        return false;
    for (; text < end; text++) {
        if (!is_digit(*text) || made > (most - (uint64_t)(*text - '0')) / 10)
            return false;
        made = made * 10 + (uint64_t)(*text - '0');
    }
    *value = negative ? (int64_t)(0 - made) : (int64_t)made;
    return true;
}
