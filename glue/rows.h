/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h: rows of tables as Python objects: struct sequences, tuples with named fields that are
 * made in C without a dictionary. */
#ifndef FT_GLUE_ROWS_H
#define FT_GLUE_ROWS_H

#include <Python.h>

#include "engine/model/strtab.h"

enum { FT_ROW_FIELDS_MAX = 20 };

typedef struct ft_row_shape { /* of a row type; PyStructSequence_Desc is made of it */
    const char *name, *doc;
    const char *fields[FT_ROW_FIELDS_MAX][2]; /* name and doc of each, in order */
} ft_row_shape;

/* Makes the type and adds it to the module. A new reference, or NULL with an exception. */
PyTypeObject *ft_row_type_add(PyObject *module, const ft_row_shape *of);

/* A row while its fields are put, in order. After a failure object is NULL and each put is a no-op,
 * so that a builder checks once, at the end. */
typedef struct ft_row {
    PyObject *object;
    Py_ssize_t next;
} ft_row;

ft_row ft_row_start(PyTypeObject *type);
void ft_row_put(ft_row *to, PyObject *value); /* steals value, which may be NULL after a failure */
void ft_row_put_number(ft_row *to, uint64_t value);
void ft_row_put_index(ft_row *to, int64_t value);
void ft_row_put_seconds(ft_row *to, uint64_t ns);
void ft_row_put_text(ft_row *to, ft_text text);

/* The texts of a profile as str, each made at its first use: a table of rows makes each text once,
 * however many rows name it. */
typedef struct ft_str_cache {
    const ft_strtab *texts; /* borrowed */
    PyObject **made;        /* owned, by id; NULL where not yet made */
} ft_str_cache;

int ft_str_cache_init(ft_str_cache *cache, const ft_strtab *texts); /* 0, or -1: exception */
void ft_str_cache_fini(ft_str_cache *cache);
void ft_row_put_cached(ft_row *to, ft_str_cache *cache, uint32_t id);

/* Puts the finished row into list[index]. 0, or -1 with an exception when there is none. */
int ft_row_end(PyObject *list, uint32_t index, const ft_row *made);

#endif
