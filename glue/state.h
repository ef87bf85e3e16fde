/* SPDX-License-Identifier: Apache-2.0 */
/* state.h: what one interpreter's fettle._core owns.
 *
 * Each interpreter that imports the module has a state of its own; the only statics are those of
 * the process's one session (probes/session.h) and how often it was forked (caching/flights.c).
 * Every field of the list below is a strong reference, or NULL before it is made; a new one is
 * named there and nowhere else. Types that end in _row_type, and the likes of totals_type, are
 * struct sequences. */
#ifndef FT_GLUE_STATE_H
#define FT_GLUE_STATE_H

#include <Python.h>

#define FT_STATE_REFERENCES(EACH)                                                                  \
    EACH(PyTypeObject, profile_type)                                                               \
    EACH(PyTypeObject, stats_type)                                                                 \
    EACH(PyTypeObject, function_row_type)                                                          \
    EACH(PyTypeObject, edge_row_type)                                                              \
    EACH(PyTypeObject, tree_row_type)                                                              \
    EACH(PyTypeObject, process_row_type)                                                           \
    EACH(PyTypeObject, thread_row_type)                                                            \
    EACH(PyTypeObject, totals_type)                                                                \
    EACH(PyTypeObject, note_row_type)                                                              \
    EACH(PyTypeObject, site_row_type)                                                              \
    EACH(PyTypeObject, heap_row_type)                                                              \
    EACH(PyTypeObject, moment_row_type)                                                            \
    EACH(PyTypeObject, point_row_type)                                                             \
    EACH(PyTypeObject, object_row_type)                                                            \
    EACH(PyTypeObject, class_row_type)                                                             \
    EACH(PyTypeObject, collection_row_type)                                                        \
    EACH(PyTypeObject, collection_sum_row_type)                                                    \
    EACH(PyTypeObject, thread_span_row_type)                                                       \
    EACH(PyTypeObject, reading_type)                                                               \
    EACH(PyTypeObject, timing_row_type)                                                            \
    EACH(PyTypeObject, recorder_type)                                                              \
    EACH(PyTypeObject, profiler_type)                                                              \
    EACH(PyTypeObject, profiler_entry_type)                                                        \
    EACH(PyTypeObject, profiler_subentry_type)                                                     \
    EACH(PyTypeObject, memo_type)                                                                  \
    EACH(PyTypeObject, bound_memo_type)                                                            \
    EACH(PyTypeObject, shelf_type)                                                                 \
    EACH(PyTypeObject, shelf_slot_type)                                                            \
    EACH(PyTypeObject, memo_key_type)                                                              \
    EACH(PyTypeObject, store_type)                                                                 \
    EACH(PyTypeObject, stored_bytes_type)                                                          \
    EACH(PyTypeObject, stored_function_type)                                                       \
    EACH(PyTypeObject, call_type) /* a call with keywords, as a key that is exported */            \
    EACH(PyTypeObject, call_plan_type)                                                             \
    EACH(PyTypeObject, description_type)                                                           \
    EACH(PyTypeObject, compared_type)                                                              \
    EACH(PyTypeObject, stopwatch_type)                                                             \
    EACH(PyTypeObject, instruction_type)                                                           \
    EACH(PyTypeObject, position_type)                                                              \
    EACH(PyTypeObject, bytecode_iterator_type)                                                     \
    EACH(PyObject, file_error)   /* an exception */                                                \
    EACH(PyObject, keyword_mark) /* in keys of calls */                                            \
    EACH(PyObject, shelf_name)   /* "__fettle__" */                                                \
    EACH(PyObject, dialect)      /* a capsule (bytecode/dialect_of_python.h) */                    \
    EACH(PyObject, known_types)  /* a list (persist/known_types.h) */

typedef struct ft_module_state {
#define FT_STATE_FIELD(type, name) type *name;
    FT_STATE_REFERENCES(FT_STATE_FIELD)
#undef FT_STATE_FIELD
    Py_ssize_t modules_looked_at; /* how many there were when known_types was filled */
    struct ft_wait *waits;        /* who waits for a result (caching/flights.h) */
} ft_module_state;

/* The state of the module that type, or a base of it, belongs to; NULL with an exception. */
ft_module_state *ft_module_state_of(PyTypeObject *type);

/* For the module's m_traverse. */
static inline int ft_module_state_traverse(ft_module_state *state, visitproc visit, void *arg)
{
#define FT_STATE_VISIT(type, name) Py_VISIT(state->name);
    FT_STATE_REFERENCES(FT_STATE_VISIT)
#undef FT_STATE_VISIT
    return 0;
}

/* For its m_clear and m_free. */
static inline void ft_module_state_clear(ft_module_state *state)
{
#define FT_STATE_CLEAR(type, name) Py_CLEAR(state->name);
    FT_STATE_REFERENCES(FT_STATE_CLEAR)
#undef FT_STATE_CLEAR
}

#endif
