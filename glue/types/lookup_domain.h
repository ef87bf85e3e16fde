/* SPDX-License-Identifier: Apache-2.0 */
/* lookup_domain.h: one parameter's domain in a table of answers: from an object to its place.
 *
 * Equality is that of a dict whose keys are the members: True, 1 and 1.0 are one member. A range is
 * a run: arithmetic finds the place of an int. Everything else is members, which a perfect hash
 * finds. Members of classes that were written in Python may have a slow __hash__; those are looked
 * for by address first.
 *
 * Immutable once made. Looking up may run the user's __hash__ and __eq__. */
#ifndef FT_GLUE_LOOKUP_DOMAIN_H
#define FT_GLUE_LOOKUP_DOMAIN_H

#include "glue/compat.h"

#include "engine/cache/perfect.h"

typedef struct ft_lookup_domain {
    Py_ssize_t count;
    Py_ssize_t start, step; /* of a run */
    bool is_truths;         /* the run is False and True */
    PyObject *members;      /* a tuple; NULL: a run */
    ft_perfect by_hash;
    ft_perfect by_address; /* of no members, where that gains nothing */
} ft_lookup_domain;

enum { FT_LOOKUP_ABSENT = -1, FT_LOOKUP_ERROR = -2 };

/* domain: a range, or a tuple of hashable members of which no two are equal. Writes to
 * *into, which is zeros, also where it fails: -1 with an exception. */
int ft_lookup_domain_init(ft_lookup_domain *into, PyObject *domain);
void ft_lookup_domain_fini(ft_lookup_domain *domain);

size_t ft_lookup_domain_bytes(const ft_lookup_domain *domain); /* of heap */

/* ft_lookup_domain_find of members; and of a run, for keys that are no small int. */
Py_ssize_t ft_lookup_domain_search(const ft_lookup_domain *domain, PyObject *key);
Py_ssize_t ft_lookup_domain_compare(const ft_lookup_domain *run, PyObject *key);

/* The place of a number in a run, or FT_LOOKUP_ABSENT. |number| and the run stay below 2**61. */
static inline Py_ssize_t ft_lookup_domain_place(const ft_lookup_domain *domain, Py_ssize_t number)
{
    Py_ssize_t distance = number - domain->start;
    if (domain->step != 1) {
        if (distance % domain->step != 0)
            return FT_LOOKUP_ABSENT;
        distance /= domain->step;
    }
    return (size_t)distance < (size_t)domain->count ? distance : FT_LOOKUP_ABSENT;
}

/* The place of key; FT_LOOKUP_ABSENT; or FT_LOOKUP_ERROR with an exception. Who calls holds a
 * reference to key and to the table. */
static inline Py_ssize_t ft_lookup_domain_find(const ft_lookup_domain *domain, PyObject *key)
{
    Py_ssize_t number;
    if (domain->members != NULL)
        return ft_lookup_domain_search(domain, key);
    if (PyLong_CheckExact(key) && ft_compat_compact(key, &number))
        return ft_lookup_domain_place(domain, number);
    return ft_lookup_domain_compare(domain, key);
}

#endif
