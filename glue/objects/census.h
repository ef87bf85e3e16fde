/* SPDX-License-Identifier: Apache-2.0 */
/* census.h: who fills the heap, by class, and what __slots__ would save.
 *
 * A census is one walk over all live objects (walk.h). It keeps a row for each type: how many
 * instances, how many bytes they are made of, and which attributes they have, from which it
 * estimates what an instance would take with __slots__. Whoever takes it may look at each object
 * and its blocks on the way.
 *
 * While it is taken, and as long as its rows are read, no code of the program's may run: types are
 * borrowed. */
#ifndef FT_GLUE_CENSUS_H
#define FT_GLUE_CENSUS_H

#include "glue/compat.h"

#include "glue/objects/walk.h"

/* Each live object once: its type and its own heap blocks as their allocator gave them, the one it
 * lies in first. */
typedef void ft_object_visit(void *context, PyTypeObject *type, const void *object,
                             const void *const *blocks, const size_t *block_bytes,
                             size_t block_count);

enum { FT_CENSUS_NAMES_MOST = 256 }; /* of one class: more are data, not attributes */

/* The names that instances have in dicts that share no keys. Borrowed. */
typedef struct ft_name_set {
    PyObject **names; /* owned */
    uint32_t count, capacity;
    bool full; /* there were more than FT_CENSUS_NAMES_MOST, or a name that is no text */
} ft_name_set;

typedef struct ft_class_count {
    PyTypeObject *type;
    uint64_t instances, bytes;
    uint64_t sharing; /* instances whose names are the class's shared ones */
    uint64_t weakly;  /* instances that somebody has a weak reference to */
    uint32_t fewest;  /* attributes of any instance */
    bool attributed;  /* do its instances have a dict for attributes of any name? */
    ft_name_set own;
} ft_class_count;

typedef struct ft_census {
    const ft_mem *mem;
    ft_class_count *classes; /* owned; by the number of the type in the walk */
    uint32_t count, capacity;
    destructor dealloc;              /* of what class statements make */
    PyObject *dict_name, *vars_name; /* "__dict__" and "vars" as code has them; borrowed */
    ft_object_visit *visit;
    void *context;
    ft_walk walk;
} ft_census;

/* What an instance takes and would take. why: a sentence of ours, static, when slotted is 0 because
 * there is a reason against it; NULL also for what is no class of the program's. */
typedef struct ft_layout {
    uint64_t plain, slotted; /* bytes each; 0: can not, or nothing to say */
    const char *why;
} ft_layout;

/* Takes a census; visit may be NULL. On failure nothing is left to be freed. */
ft_status ft_census_take(ft_census *census, const ft_mem *mem, ft_object_visit *visit,
                         void *context);
void ft_census_fini(ft_census *census);

/* Was the type made by a class statement? */
static inline bool ft_census_is_statement(const ft_census *census, const PyTypeObject *type)
{
    return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 && type->tp_dealloc == census->dealloc;
}

/* The row of a type, or NULL. */
const ft_class_count *ft_census_of(const ft_census *census, const PyTypeObject *type);

/* From what the census saw; runs nothing. 0 when a class could have slots, else -1. */
int ft_layout_estimate(const ft_census *census, const ft_class_count *class, ft_layout *layout);

/* How many different attributes its instances have. */
uint32_t ft_class_count_names(const ft_class_count *class);

/* Name number i of those. Borrowed; may be NULL. */
PyObject *ft_class_count_name(const ft_class_count *class, uint32_t i);

#endif
