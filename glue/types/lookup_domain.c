/* SPDX-License-Identifier: Apache-2.0 */
/* lookup_domain.c: one parameter's domain in a table of answers (see lookup_domain.h). */
#include "glue/types/lookup_domain.h"

#include <assert.h>
#include <string.h>

/* Numbers below the modulus of Python's hashes are their own hash, so what equals one of them says
 * by its hash which one. A range that goes further is a domain of members. */
#define FURTHEST ((INT64_C(1) << 61) - 2)

/* ---- making one ---- */

/* number as a Py_ssize_t within FURTHEST. 1; 0 where it is further; -1 with an exception. Takes the
 * reference, which may be NULL with an exception. */
static int take_number(PyObject *number, Py_ssize_t *value)
{
    if (number == NULL)
        return -1;
    int overflow;
    long long found = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (found == -1 && PyErr_Occurred())
        return -1;
    if (overflow != 0 || found > FURTHEST || found < -FURTHEST)
        return 0;
    *value = (Py_ssize_t)found;
    return 1;
}

/* 1: the range is a run now; 0: its numbers are too large; -1 with an exception. */
static int init_run(ft_lookup_domain *into, PyObject *range)
{
    Py_ssize_t last = 0, count = PyObject_Size(range);
    if (count <= 0) /* without members it is refused by who counts them */
        return count < 0 ? -1 : 1;
    int fits = take_number(PyObject_GetAttrString(range, "start"), &into->start);
    if (fits > 0)
        fits = take_number(PyObject_GetAttrString(range, "step"), &into->step);
    if (fits > 0)
        fits = take_number(PySequence_GetItem(range, count - 1), &last);
    if (fits > 0)
        into->count = count;
    return fits;
}

/* Fills hashes; *slow: is one of them computed by Python code, perhaps? */
static int hash_members(PyObject *members, uint64_t *hashes, bool *slow)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(members); i++) {
        PyObject *member = PyTuple_GET_ITEM(members, i);
        Py_hash_t hash = PyObject_Hash(member);
        if (hash == -1)
            return -1;
        hashes[i] = (uint64_t)hash;
        *slow = *slow || PyType_HasFeature(Py_TYPE(member), Py_TPFLAGS_HEAPTYPE);
    }
    return 0;
}

static int make_perfect(ft_perfect *into, const uint64_t *hashes, Py_ssize_t count)
{
    ft_status status = ft_perfect_init(into, &ft_mem_system, hashes, (size_t)count);
    if (status == FT_OK)
        return 0;
    if (status == FT_ERR_LIMIT)
        PyErr_SetString(PyExc_OverflowError, "a domain of members has at most 268435456 of them");
    else
        PyErr_NoMemory();
    return -1;
}

static int init_members(ft_lookup_domain *into)
{
    Py_ssize_t count = PyTuple_GET_SIZE(into->members);
    bool slow = false;
    uint64_t *hashes = PyMem_New(uint64_t, (size_t)count);
    if (hashes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int result = hash_members(into->members, hashes, &slow);
    if (result == 0)
        result = make_perfect(&into->by_hash, hashes, count);
    if (result == 0 && slow) {
        for (Py_ssize_t i = 0; i < count; i++)
            hashes[i] = (uint64_t)(uintptr_t)PyTuple_GET_ITEM(into->members, i);
        result = make_perfect(&into->by_address, hashes, count);
    }
    PyMem_Free(hashes);
    into->count = count;
    return result;
}

/* False and True are a run, too: whatever equals 0 or 1 equals one of them. */
static bool is_truth(PyObject *domain)
{
    return PyTuple_GET_SIZE(domain) == 2 && PyTuple_GET_ITEM(domain, 0) == Py_False &&
           PyTuple_GET_ITEM(domain, 1) == Py_True;
}

int ft_lookup_domain_init(ft_lookup_domain *into, PyObject *domain)
{
    if (PyRange_Check(domain)) {
        int fits = init_run(into, domain);
        if (fits != 0)
            return fits < 0 ? -1 : 0;
        into->members = PySequence_Tuple(domain);
    } else if (!PyTuple_CheckExact(domain)) {
        PyErr_SetString(PyExc_TypeError, "a domain is a range or a tuple here");
        return -1;
    } else if (is_truth(domain)) {
        *into = (ft_lookup_domain){.count = 2, .step = 1, .is_truths = true};
        return 0;
    } else {
        into->members = Py_NewRef(domain);
    }
    return into->members == NULL ? -1 : init_members(into);
}

void ft_lookup_domain_fini(ft_lookup_domain *domain)
{
    Py_CLEAR(domain->members);
    ft_perfect_fini(&domain->by_hash);
    ft_perfect_fini(&domain->by_address);
}

size_t ft_lookup_domain_bytes(const ft_lookup_domain *domain)
{
    return domain->members == NULL
               ? 0
               : ft_perfect_bytes(&domain->by_hash) + ft_perfect_bytes(&domain->by_address);
}

/* ---- looking up ---- */

/* The place of what is no exact int and no float: by its hash it can equal one number, or two. */
static Py_ssize_t place_by_hash(const ft_lookup_domain *domain, PyObject *key)
{
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return FT_LOOKUP_ERROR;
        PyErr_Clear(); /* not hashable, so it equals no number */
        return FT_LOOKUP_ABSENT;
    }
    if (hash > FURTHEST || hash < -FURTHEST)
        return FT_LOOKUP_ABSENT;
    for (Py_hash_t number = hash; number <= (hash == -2 ? -1 : hash); number++) {
        Py_ssize_t place = ft_lookup_domain_place(domain, number); /* hash(-1) is -2, too */
        if (place < 0)
            continue;
        PyObject *other = domain->is_truths ? PyBool_FromLong(number) : PyLong_FromSsize_t(number);
        int equal = other == NULL ? -1 : PyObject_RichCompareBool(other, key, Py_EQ);
        Py_XDECREF(other);
        if (equal != 0)
            return equal < 0 ? FT_LOOKUP_ERROR : place;
    }
    return FT_LOOKUP_ABSENT;
}

Py_ssize_t ft_lookup_domain_compare(const ft_lookup_domain *domain, PyObject *key)
{
    if (PyLong_CheckExact(key) || PyBool_Check(key)) {
        Py_ssize_t number = 0;
        int fits = take_number(Py_NewRef(key), &number);
        if (fits > 0)
            return ft_lookup_domain_place(domain, number);
        return fits < 0 ? FT_LOOKUP_ERROR : FT_LOOKUP_ABSENT;
    }
    if (PyFloat_CheckExact(key)) {
        double number = PyFloat_AS_DOUBLE(key);
        if (!(number > -(double)FURTHEST && number < (double)FURTHEST)) /* not a number, either */
            return FT_LOOKUP_ABSENT;
        Py_ssize_t whole = (Py_ssize_t)number;
        return (double)whole == number ? ft_lookup_domain_place(domain, whole) : FT_LOOKUP_ABSENT;
    }
    return place_by_hash(domain, key);
}

/* Are two exact str the same? -1: they can not be read as they are. */
static int are_same_text(PyObject *one, PyObject *other)
{
    if (!ft_compat_is_ready(one) || !ft_compat_is_ready(other))
        return -1;
    Py_ssize_t length = PyUnicode_GET_LENGTH(one);
    unsigned kind = PyUnicode_KIND(one);
    return PyUnicode_GET_LENGTH(other) == length && PyUnicode_KIND(other) == kind &&
           memcmp(PyUnicode_DATA(one), PyUnicode_DATA(other), (size_t)length * kind) == 0;
}

/* Does the member equal the key? Their hashes do. -1 with an exception. */
static int are_equal(PyObject *member, PyObject *key)
{
    Py_ssize_t one, other;
    if (Py_IS_TYPE(member, Py_TYPE(key))) {
        if (PyUnicode_CheckExact(key)) {
            int same = are_same_text(member, key);
            if (same >= 0)
                return same;
        } else if (PyLong_CheckExact(key) && ft_compat_compact(member, &one) &&
                   ft_compat_compact(key, &other)) {
            return one == other;
        }
    }
    Py_INCREF(member); /* the user's __eq__ may run */
    int equal = PyObject_RichCompareBool(member, key, Py_EQ);
    Py_DECREF(member);
    return equal;
}

/* All members with this hash, and the user's __eq__. */
static Py_ssize_t search_chain(const ft_lookup_domain *domain, PyObject *key, Py_hash_t hash)
{
    const ft_perfect_place *place = ft_perfect_first(&domain->by_hash, (uint64_t)hash);
    for (; place != NULL; place = ft_perfect_next(&domain->by_hash, place)) {
        Py_ssize_t at = place->member - 1;
        PyObject *member = PyTuple_GET_ITEM(domain->members, at);
        int equal = member == key ? 1 : are_equal(member, key);
        if (equal != 0)
            return equal < 0 ? FT_LOOKUP_ERROR : at;
    }
    return FT_LOOKUP_ABSENT;
}

/* Almost always the first member is the key itself: then that is all. */
static inline Py_ssize_t search_hash(const ft_lookup_domain *domain, PyObject *key, Py_hash_t hash)
{
    const ft_perfect_place *place = ft_perfect_at(&domain->by_hash, (uint64_t)hash);
    if (place->member != 0 && PyTuple_GET_ITEM(domain->members, place->member - 1) == key)
        return place->member - 1;
    return search_chain(domain, key, hash);
}

/* The same for an exact int, which is rarely the same object. */
static Py_ssize_t search_number(const ft_lookup_domain *domain, PyObject *key, Py_ssize_t number)
{
    Py_hash_t hash = number == -1 ? -2 : number;
    const ft_perfect_place *place = ft_perfect_at(&domain->by_hash, (uint64_t)hash);
    if (place->member == 0)
        return FT_LOOKUP_ABSENT;
    Py_ssize_t other, at = place->member - 1;
    PyObject *member = PyTuple_GET_ITEM(domain->members, at);
    if (PyLong_CheckExact(member) && ft_compat_compact(member, &other) && other == number)
        return at;
    return search_chain(domain, key, hash);
}

static Py_ssize_t search_by_hash(const ft_lookup_domain *domain, PyObject *key)
{
    Py_hash_t hash = PyObject_Hash(key);
    return hash == -1 ? FT_LOOKUP_ERROR : search_hash(domain, key, hash);
}

Py_ssize_t ft_lookup_domain_search(const ft_lookup_domain *domain, PyObject *key)
{
    Py_ssize_t number;
    if (PyUnicode_CheckExact(key)) {
        Py_hash_t known = ((PyASCIIObject *)key)->hash;
        if (known != -1)
            return search_hash(domain, key, known);
    } else if (PyLong_CheckExact(key) && ft_compat_compact(key, &number)) {
        return search_number(domain, key, number);
    } else if (domain->by_address.count > 0) {
        uint64_t address = (uint64_t)(uintptr_t)key;
        const ft_perfect_place *place = ft_perfect_at(&domain->by_address, address);
        if (place->member != 0 && place->hash == address)
            return place->member - 1;
    }
    return search_by_hash(domain, key);
}
