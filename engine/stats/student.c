/* SPDX-License-Identifier: Apache-2.0 */
/* student.c: Student's t by the incomplete beta function (see student.h).
 *
 * P(T > t) = I_x(n/2, 1/2) / 2 with x = n / (n + t^2) (Abramowitz and Stegun 26.5.27, 26.7.1), and
 * I by its continued fraction (26.5.8), evaluated forwards in Lentz's way. The quantile halves an
 * interval: it is asked for a few times a comparison. */
#include "engine/stats/student.h"

#include <assert.h>
#include <math.h>

enum { FT_STUDENT_TERMS = 10000 }; /* a bound: about sqrt(freedom) are needed */

/* lgamma writes a global of the C library; this one does not. Stirling's series from 10 on. */
static double log_gamma(double x)
{
    double shift = 0;
    for (; x < 10; x++)
        shift += log(x);
    double inverse = 1 / (x * x);
    double series =
        (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1260 - inverse / 1680))) / x;
    return (x - 0.5) * log(x) - x + 0.91893853320467274 + series - shift;
}

static double nonzero(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / nonzero(1 - (a + b) * x / (a + 1)), result = d;
    for (int m = 1; m <= FT_STUDENT_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / nonzero(1 + even * d);
        c = nonzero(1 + even / c);
        result *= c * d;
        d = 1 / nonzero(1 + odd * d);
        c = nonzero(1 + odd / c);
        result *= c * d;
        if (fabs(c * d - 1) < 1e-14)
            break;
    }
    return result;
}

/* The regularised I_x(a, b), y = 1 - x given apart, for it may be tiny. */
static double beta_share(double a, double b, double x, double y)
{
    if (x <= 0 || y <= 0)
        return x <= 0 ? 0 : 1;
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

double ft_student_tail(double at, double freedom)
{
    assert(at >= 0 && freedom > 0);
    double square = at * at;
    return beta_share(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square)) /
           2;
}

double ft_student_quantile(double tail, double freedom)
{
    assert(tail > 0 && tail < 0.5);
    double low = 0, high = 1;
    while (ft_student_tail(high, freedom) > tail && high < 1e150) {
        low = high;
        high *= 2;
    }
    while (high - low > 1e-10 * high) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (ft_student_tail(middle, freedom) > tail)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}
