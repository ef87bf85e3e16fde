/* SPDX-License-Identifier: Apache-2.0 */
/* walk.h: every live object of the interpreter, each once.
 *
 * The collector knows containers only, and not all of those. The others (str, int, bytes, tuples
 * and dicts of such) are found by asking each container what it refers to; a set of addresses says
 * which were met already. What stands outside the heap (small ints, None, the types built in) is
 * left out. The dict of an object's attributes belongs to that object and is not met by itself.
 *
 * No code of the program's runs, no object is made and no count of references changes meanwhile, so
 * every pointer stays good from the beginning to the end. Needs the GIL. */
#ifndef FT_GLUE_WALK_H
#define FT_GLUE_WALK_H

#include "glue/compat.h"

#include "engine/base/address_set.h"
#include "engine/base/map.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "glue/objects/blocks.h"

typedef struct ft_walk ft_walk;

/* An object with its own blocks. type: the number of its type, counted from 0 as they are met, see
 * ft_walk_shape. dict: that of its attributes, whose blocks are among them, or NULL. */
typedef void ft_walk_visit(ft_walk *walk, uint32_t type, PyObject *object, PyObject *dict,
                           const ft_blocks *blocks);

enum { FT_WALK_RECENT = 64 }; /* types whose number is found without a search */

typedef struct ft_walk_open {
    PyObject *object; /* borrowed */
    bool nameless;    /* a dict of attributes, whose names are the program's */
} ft_walk_open;

struct ft_walk {
    const ft_mem *mem;
    ft_walk_visit *visit;
    bool (*enters)(PyObject *object); /* is the walk to take it and what it leads to? NULL: all */
    void *context;                    /* the visitor's */
    ft_address_set met;
    ft_shape *shapes; /* owned: by the number of the type */
    uint32_t shape_count, shape_capacity;
    ft_map by_type;                  /* address of a type -> its number */
    uint32_t recent[FT_WALK_RECENT]; /* numbers, by bits of the type's address */
    PyObject **dicts;                /* owned: those that the collector knows, borrowed */
    ft_walk_open *open;              /* owned: met, and still to be asked what they refer to */
    uint32_t dict_count, dict_capacity, open_count, open_capacity;
    bool of_all; /* do tracked objects come by themselves? */
    bool failed; /* memory was out */
};

void ft_walk_init(ft_walk *walk, const ft_mem *mem, ft_walk_visit *visit, void *context);
void ft_walk_fini(ft_walk *walk);

/* What is known of a type by its number; valid until the next object is met. */
static inline const ft_shape *ft_walk_shape(const ft_walk *walk, uint32_t type)
{
    return &walk->shapes[type];
}

/* Visits all objects; once for each walk. FT_ERR_MEMORY: some only. */
ft_status ft_walk_all(ft_walk *walk);

/* Visits an object and all that it leads to. FT_ERR_MEMORY: some only. */
ft_status ft_walk_from(ft_walk *walk, PyObject *object);

#endif
