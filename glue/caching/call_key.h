/* SPDX-License-Identifier: Apache-2.0 */
/* call_key.h: which calls are the same call, by functools.lru_cache's rules.
 *
 * A call is a row of items: the arguments; then, if there are keywords, a mark, and each name and
 * value in the order given; then, if types count, the type of each argument. Two calls are the same
 * if their items are equal, one by one. A single argument without more is the key itself, and an
 * int or a str of exactly that type is then never equal to anything of another type (elsewhere 1,
 * 1.0 and True are). Those kinds of key are told apart by two bits of the hash, so keys of one hash
 * are of one kind.
 *
 * Looking up makes no object: the items are where the caller has its arguments. Only a key that is
 * to be kept is made into one, a tuple where there is more than one item. */
#ifndef FT_GLUE_CALL_KEY_H
#define FT_GLUE_CALL_KEY_H

#include "glue/compat.h"

#include <stdint.h>

/* The bits are in the midst of the hash: the index looks at its ends. */
enum {
    FT_KEY_INT = 0,
    FT_KEY_STR = 1 << 15,
    FT_KEY_OBJECT = 2 << 15,
    FT_KEY_ITEMS = 3 << 15,
    FT_KEY_KINDS = 3 << 15 /* a mask */
};

/* Borrows its items; good until the call returns. */
typedef struct ft_call_key {
    PyObject *const *items;
    Py_ssize_t count;
    uint32_t hash;
} ft_call_key;

/* Room for the items of a call that has more than its arguments. Types are held: hashing and
 * comparing the others is the program's code, which may give an argument another class. */
enum { FT_CALL_ITEMS_FEW = 16 };
typedef struct ft_call_items {
    PyObject *few[FT_CALL_ITEMS_FEW];
    PyObject **many;  /* owned; NULL while few are enough */
    PyObject **types; /* in few or many: so many strong references */
    Py_ssize_t held;
} ft_call_items;

/* What is asked of a call. */
typedef struct ft_call {
    PyObject *const *args; /* positional ones, then the values of the keywords */
    Py_ssize_t count;      /* positional ones */
    PyObject *names;       /* a tuple, or NULL */
} ft_call;

enum { FT_KEY_MARK_HASH = 0x5eed };
#define FT_KEY_COUNT_FACTOR UINT64_C(0xC2B2AE3D27D4EB4F)

static inline uint32_t ft_key_high(uint64_t mixed, uint32_t kind)
{
    return ((uint32_t)(mixed >> 32) & ~(uint32_t)FT_KEY_KINDS) | kind;
}

/* Fibonacci hashing: the high bits of the product depend on every bit of the hash. But a product
 * carries upwards only, so what a hash has in its high bits alone (a float with few binary digits)
 * is brought into its low ones before. Small numbers stay as they are. */
static inline uint32_t ft_key_mix(Py_hash_t hash, uint32_t kind)
{
    uint64_t folded = (uint64_t)hash ^ (uint64_t)hash >> 32;
    return ft_key_high(folded * UINT64_C(0x9E3779B97F4A7C15), kind);
}

/* The same of a sum of products: here it is done afterwards, once for all. */
static inline uint32_t ft_key_mix_sum(uint64_t sum)
{
    return ft_key_high(sum ^ sum >> 17, FT_KEY_ITEMS);
}

/* An object's hash, -1 with an exception: that of small ints and of strings is read off them. */
static inline Py_hash_t ft_key_hash_item(PyObject *item)
{
    Py_ssize_t value;
    if (PyUnicode_CheckExact(item)) {
        Py_hash_t known = ((PyASCIIObject *)item)->hash;
        if (known != -1)
            return known;
    } else if (PyLong_CheckExact(item) && ft_compat_compact(item, &value)) {
        return value - (value == -1); /* -1 says that there is an exception */
    }
    hashfunc hash = Py_TYPE(item)->tp_hash;
    return hash != NULL ? hash(item) : PyObject_Hash(item);
}

/* The key of a call with one argument. 0, or -1 with an exception. Runs the argument's __hash__. */
static inline int ft_call_key_one(ft_call_key *key, PyObject *const *argument)
{
    Py_hash_t hash = ft_key_hash_item(*argument);
    if (hash == -1)
        return -1;
    uint32_t kind = PyLong_CheckExact(*argument)      ? FT_KEY_INT
                    : PyUnicode_CheckExact(*argument) ? FT_KEY_STR
                                                      : FT_KEY_OBJECT;
    *key = (ft_call_key){argument, 1, ft_key_mix(hash, kind)};
    return 0;
}

/* Odd numbers without a pattern, for the items of a key: the products do not wait for each other,
 * and the high bits of their sum depend on every bit of each hash. */
enum { FT_KEY_FACTORS = 8 };
static const uint64_t ft_key_factors[FT_KEY_FACTORS] = {
    UINT64_C(0x9E3779B97F4A7C15), UINT64_C(0xD6E8FEB86659FD93), UINT64_C(0xA0761D6478BD642F),
    UINT64_C(0xE7037ED1A0B428DB), UINT64_C(0x8EBC6AF09C88C6E3), UINT64_C(0x589965CC75374CC3),
    UINT64_C(0x1D8E4E27C47D124F), UINT64_C(0xEB44ACCAB455D165),
};

/* The key of several items, or of none; mark_at: where the mark is, or -1. 0, or -1 with an
 * exception. */
static inline int ft_call_key_items(ft_call_key *key, PyObject *const *items, Py_ssize_t count,
                                    Py_ssize_t mark_at)
{
    uint64_t sum = (uint64_t)count * FT_KEY_COUNT_FACTOR;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_hash_t hash = i == mark_at ? FT_KEY_MARK_HASH : ft_key_hash_item(items[i]);
        if (hash == -1)
            return -1;
        if (i >= FT_KEY_FACTORS) /* from here on the same factors come again */
            sum = sum << 23 | sum >> 41;
        sum += (uint64_t)hash * ft_key_factors[i % FT_KEY_FACTORS];
    }
    *key = (ft_call_key){items, count, ft_key_mix_sum(sum)};
    return 0;
}

/* The hash of a call with one keyword and nothing else, as its items would have it. 0, or -1 with
 * an exception. */
static inline int ft_key_of_keyword(uint32_t *hash, PyObject *name, PyObject *value)
{
    Py_hash_t of_name = ft_key_hash_item(name), of_value = ft_key_hash_item(value);
    if (of_name == -1 || of_value == -1)
        return -1;
    uint64_t sum = 3 * FT_KEY_COUNT_FACTOR + FT_KEY_MARK_HASH * ft_key_factors[0] +
                   (uint64_t)of_name * ft_key_factors[1] + (uint64_t)of_value * ft_key_factors[2];
    *hash = ft_key_mix_sum(sum);
    return 0;
}

/* The hash of a call without arguments. */
static inline uint32_t ft_key_of_nothing(void)
{
    return ft_key_mix_sum(0);
}

/* The key of any call. typed: the types of the arguments count; mark: what stands before keywords.
 * 0, or -1 with an exception; either way ft_call_items_fini ends the items. */
int ft_call_key_any(ft_call_key *key, ft_call_items *items, const ft_call *call, bool typed,
                    PyObject *mark);

static inline void ft_call_items_init(ft_call_items *items)
{
    items->many = NULL;
    items->held = 0;
}

static inline void ft_call_items_fini(ft_call_items *items)
{
    for (Py_ssize_t i = 0; i < items->held; i++)
        Py_DECREF(items->types[i]);
    PyMem_Free(items->many);
}

/* The key as an object to be kept, a new reference; NULL with an exception. */
PyObject *ft_call_key_keep(const ft_call_key *key);

/* A key that was kept, to be looked for: hash is what it was kept with, *key borrows *kept. */
static inline void ft_call_key_of_kept(ft_call_key *key, PyObject *const *kept, uint32_t hash)
{
    bool several = (hash & FT_KEY_KINDS) == FT_KEY_ITEMS;
    *key = (ft_call_key){several ? ((PyTupleObject *)*kept)->ob_item : kept,
                         several ? PyTuple_GET_SIZE(*kept) : 1, hash};
}

/* ---- are two keys of one hash equal? ---- */

enum { FT_SAME_UNKNOWN = -2 }; /* only the program's own code can tell */

/* 1, 0 or FT_SAME_UNKNOWN. Runs no code of the program's. */
static inline int ft_key_same_atom(PyObject *kept, PyObject *given)
{
    Py_ssize_t one, other;
    if (kept == given)
        return 1;
    if (Py_TYPE(kept) != Py_TYPE(given))
        return FT_SAME_UNKNOWN;
    if (PyLong_CheckExact(kept)) {
        if (ft_compat_compact(kept, &one) && ft_compat_compact(given, &other))
            return one == other;
        return PyObject_RichCompareBool(kept, given, Py_EQ); /* ints' own: it can not fail */
    }
    if (PyUnicode_CheckExact(kept)) { /* both are ready: they were hashed */
        Py_ssize_t length = PyUnicode_GET_LENGTH(kept);
        size_t width = (size_t)PyUnicode_KIND(kept);
        return length == PyUnicode_GET_LENGTH(given) && width == (size_t)PyUnicode_KIND(given) &&
               memcmp(PyUnicode_DATA(kept), PyUnicode_DATA(given), (size_t)length * width) == 0;
    }
    if (PyFloat_CheckExact(kept))
        return PyFloat_AS_DOUBLE(kept) == PyFloat_AS_DOUBLE(given);
    return FT_SAME_UNKNOWN;
}

/* The same, of tuples of such too. */
static inline int ft_key_same_item(PyObject *kept, PyObject *given)
{
    int same = ft_key_same_atom(kept, given);
    if (same != FT_SAME_UNKNOWN || !PyTuple_CheckExact(kept) || !PyTuple_CheckExact(given))
        return same;
    if (PyTuple_GET_SIZE(kept) != PyTuple_GET_SIZE(given))
        return 0;
    same = 1;
    for (Py_ssize_t i = 0; same == 1 && i < PyTuple_GET_SIZE(kept); i++)
        same = ft_key_same_atom(PyTuple_GET_ITEM(kept, i), PyTuple_GET_ITEM(given, i));
    return same;
}

/* The same of whole keys, whose hashes are equal. */
static inline int ft_key_same(PyObject *kept, const ft_call_key *key)
{
    if ((key->hash & FT_KEY_KINDS) != FT_KEY_ITEMS)
        return ft_key_same_item(kept, key->items[0]);
    if (PyTuple_GET_SIZE(kept) != key->count)
        return 0;
    for (Py_ssize_t i = 0; i < key->count; i++) {
        int same = ft_key_same_item(PyTuple_GET_ITEM(kept, i), key->items[i]);
        if (same != 1)
            return same;
    }
    return 1;
}

/* What the objects themselves say: 1, 0, or -1 with an exception. The caller holds a reference to
 * kept; after this anything may have changed. */
int ft_key_equal(PyObject *kept, const ft_call_key *key);

#endif
