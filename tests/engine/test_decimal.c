/* SPDX-License-Identifier: Apache-2.0 */
/* test_decimal.c: decimals against the C library's strtod and strtoll, which in a test's locale
 * read the same numbers. */
#include "engine/base/decimal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { NUMBERS = 20000 };

/* How many doubles lie between two of one sign. */
static uint64_t distance(double a, double b)
{
    int64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x > y ? (uint64_t)(x - y) : (uint64_t)(y - x);
}

static bool reads_within(const char *text, uint64_t most)
{
    double value;
    return ft_decimal_real(text, strlen(text), &value) &&
           distance(value, strtod(text, NULL)) <= most;
}

/* Any double, subnormal and infinite ones too. */
static double draw_real(random_source *from)
{
    uint64_t bits = random_next(from);
    double value;
    memcpy(&value, &bits, sizeof value);
    return isnan(value) ? 1e-6 : value;
}

static void test_any_double_is_near(void)
{
    enum { MOST = 32 }; /* a rounding for each step of 22 powers of ten */
    random_source from = {1};
    char text[64];
    bool near = true;
    for (int i = 0; i < NUMBERS; i++) {
        snprintf(text, sizeof text, "%.17g", draw_real(&from));
        near = near && (reads_within(text, MOST) || fabs(strtod(text, NULL)) < 1e-290);
    }
    CHECK(near);
}

static void test_short_ones_are_exact(void)
{
    random_source from = {2};
    char text[64];
    bool exact = true;
    for (int i = 0; i < NUMBERS; i++) {
        double digits = (double)(random_next(&from) % UINT64_C(1000000000000000));
        snprintf(text, sizeof text, "%.0fe%+03d", digits, (int)random_below(&from, 45) - 22);
        exact = exact && reads_within(text, 0);
        snprintf(text, sizeof text, "-%.6f", digits / 1e9);
        exact = exact && reads_within(text, 0);
    }
    CHECK(exact);
    CHECK(reads_within("1e-06", 0) && reads_within("1e-09", 0) && reads_within("0.015625", 0));
}

static bool is_real(const char *text)
{
    double value;
    return ft_decimal_real(text, strlen(text), &value);
}

static void test_what_is_no_real(void)
{
    static const char *const wrong[] = {"",     "-",   ".",   "1e",   "1e-", "1.5.5", "1,5",
                                        "+1",   " 1",  "1 ",  "0x10", "in",  "infi",  "e5",
                                        "1e5.", "--1", "1E5", "1e+",  "nan5"};
    bool refused = true;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused = refused && !is_real(wrong[i]);
    CHECK(refused);
    CHECK(is_real("0") && is_real("-0.0") && is_real("5.") && is_real(".5") && is_real("nan"));
    CHECK(is_real("1e99999999999999999999") && is_real("1e-99999999999999999999"));
}

static bool reads_integer(const char *text)
{
    int64_t value = 0;
    errno = 0;
    long long wanted = strtoll(text, NULL, 10);
    bool read = ft_decimal_integer(text, strlen(text), &value);
    return errno == ERANGE ? !read : read && value == wanted;
}

static void test_integers(void)
{
    random_source from = {3};
    char text[64];
    bool same = true;
    for (int i = 0; i < NUMBERS; i++) {
        int64_t value = (int64_t)random_next(&from) >> random_below(&from, 64);
        snprintf(text, sizeof text, "%lld", (long long)value);
        same = same && reads_integer(text);
        strcat(text, "7"); /* many are of more than 64 bits now */
        same = same && reads_integer(text);
    }
    CHECK(same);
    CHECK(reads_integer("9223372036854775807") && reads_integer("9223372036854775808"));
    CHECK(reads_integer("-9223372036854775808") && reads_integer("-9223372036854775809"));
    CHECK(reads_integer("0") && reads_integer("-0") && reads_integer("007"));
}

static void test_what_is_no_integer(void)
{
    int64_t value;
    CHECK(!ft_decimal_integer("", 0, &value) && !ft_decimal_integer("-", 1, &value));
    CHECK(!ft_decimal_integer("1L", 2, &value) && !ft_decimal_integer(" 1", 2, &value));
    CHECK(!ft_decimal_integer("1.0", 3, &value) && !ft_decimal_integer("+1", 2, &value));
    CHECK(ft_decimal_integer("12", 1, &value) && value == 1); /* no more than it was given */
}

int main(void)
{
    test_any_double_is_near();
    test_short_ones_are_exact();
    test_what_is_no_real();
    test_integers();
    test_what_is_no_integer();
    return tap_end();
}
