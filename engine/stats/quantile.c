/* SPDX-License-Identifier: Apache-2.0 */
/* quantile.c: order statistics by selection (see quantile.h). */
#include "engine/stats/quantile.h"

#include <assert.h>

static void swap(double *one, double *other)
{
    double kept = *one;
    *one = *other;
    *other = kept;
}

/* The middle one of three; with values in order, or in reverse, it halves them. */
static double pivot_of(const double *values, ptrdiff_t low, ptrdiff_t high)
{
    double first = values[low], middle = values[low + (high - low) / 2], last = values[high];
    double least = first < last ? first : last, most = first < last ? last : first;
    return middle < least ? least : middle > most ? most : middle;
}

double ft_quantile_select(double *values, size_t count, size_t rank)
{
    assert(rank < count);
    ptrdiff_t low = 0, high = (ptrdiff_t)count - 1, wanted = (ptrdiff_t)rank;
    while (low < high) {
        double pivot = pivot_of(values, low, high);
        ptrdiff_t left = low, right = high;
        while (left <= right) { /* the pivot, or what was swapped, stops both before the ends */
            while (values[left] < pivot)
                left++;
            while (values[right] > pivot)
                right--;
            if (left <= right)
                swap(&values[left++], &values[right--]);
        }
        /* low .. right are at most the pivot, left .. high at least, those between are it. */
        if (wanted <= right)
            high = right;
        else if (wanted >= left)
            low = left;
        else
            break;
    }
    return values[rank];
}

double ft_quantile_at(double *values, size_t count, double share)
{
    assert(count > 0 && share >= 0 && share <= 1);
    double place = share * (double)(count - 1);
    size_t rank = (size_t)place;
    double value = ft_quantile_select(values, count, rank);
    if (rank + 1 == count || place <= (double)rank)
        return value;
    double next = values[rank + 1]; /* the least of those behind it */
    for (size_t i = rank + 2; i < count; i++)
        next = values[i] < next ? values[i] : next;
    double part = place - (double)rank;
    return value * (1 - part) + next * part; /* no difference, which might overflow */
}

double ft_quantile_median(double *values, size_t count)
{
    return ft_quantile_at(values, count, 0.5);
}
