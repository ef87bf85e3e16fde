/* SPDX-License-Identifier: Apache-2.0 */
/* student.h: quantiles of Student's t distribution, for intervals from few groups. */
#ifndef FT_STATS_STUDENT_H
#define FT_STATS_STUDENT_H

/* The share of the distribution above at >= 0. freedom > 0, not necessarily whole (Welch). */
double ft_student_tail(double at, double freedom);

/* Where that share is tail, 0 < tail < 0.5; a relative error of 1e-9 at most. */
double ft_student_quantile(double tail, double freedom);

#endif
