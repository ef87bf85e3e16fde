/* SPDX-License-Identifier: Apache-2.0 */
/* state.h: what one interpreter's fettle._core owns.
 *
 * Each interpreter that imports the module has a state of its own; the only statics are those of
 * the process's one session (probes/session.h) and how often it was forked (caching/flights.c).
 * Every field but the last two is a strong reference, or NULL before it is made; a new one is also
 * named in the two functions below, which the module's m_traverse, m_clear and m_free call. */
#ifndef FT_GLUE_STATE_H
#define FT_GLUE_STATE_H

#include <Python.h>

typedef struct ft_module_state {
    PyTypeObject *profile_type, *stats_type;
    PyTypeObject *function_row_type, *process_row_type, *thread_row_type; /* struct sequences */
    PyTypeObject *edge_row_type, *tree_row_type;                          /* likewise */
    PyTypeObject *totals_type, *note_row_type;                            /* likewise */
    PyTypeObject *site_row_type, *heap_row_type, *moment_row_type;        /* likewise */
    PyTypeObject *point_row_type, *object_row_type, *class_row_type;      /* likewise */
    PyTypeObject *reading_type;                                           /* likewise */
    PyTypeObject *timing_row_type;                                        /* likewise */
    PyObject *file_error;
    PyTypeObject *recorder_type, *profiler_type;
    PyTypeObject *profiler_entry_type, *profiler_subentry_type; /* struct sequences */
    PyTypeObject *memo_type, *bound_memo_type, *shelf_type, *shelf_slot_type;
    PyTypeObject *memo_key_type;
    PyTypeObject *store_type, *stored_bytes_type, *stored_function_type;
    PyTypeObject *call_type; /* struct sequence: a call with keywords, as a key that is exported */
    PyObject *keyword_mark, *shelf_name; /* in keys of calls; "__fettle__" */
    PyTypeObject *call_plan_type, *stopwatch_type;
    PyTypeObject *description_type, *compared_type; /* struct sequences */
    PyTypeObject *instruction_type, *position_type, *bytecode_iterator_type;
    PyObject *dialect;            /* a capsule (bytecode/dialect_of_python.h) */
    PyObject *known_types;        /* a list (persist/known_types.h) */
    Py_ssize_t modules_looked_at; /* how many there were when it was filled; no reference */
    struct ft_wait *waits;        /* who waits for a result (caching/flights.h) */
} ft_module_state;

/* The state of the module that type, or a base of it, belongs to; NULL with an exception. */
ft_module_state *ft_module_state_of(PyTypeObject *type);

static inline int ft_module_state_traverse(ft_module_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->profile_type);
    Py_VISIT(state->stats_type);
    Py_VISIT(state->function_row_type);
    Py_VISIT(state->edge_row_type);
    Py_VISIT(state->tree_row_type);
    Py_VISIT(state->process_row_type);
    Py_VISIT(state->thread_row_type);
    Py_VISIT(state->totals_type);
    Py_VISIT(state->note_row_type);
    Py_VISIT(state->site_row_type);
    Py_VISIT(state->heap_row_type);
    Py_VISIT(state->moment_row_type);
    Py_VISIT(state->point_row_type);
    Py_VISIT(state->object_row_type);
    Py_VISIT(state->class_row_type);
    Py_VISIT(state->reading_type);
    Py_VISIT(state->timing_row_type);
    Py_VISIT(state->file_error);
    Py_VISIT(state->recorder_type);
    Py_VISIT(state->profiler_type);
    Py_VISIT(state->profiler_entry_type);
    Py_VISIT(state->profiler_subentry_type);
    Py_VISIT(state->memo_type);
    Py_VISIT(state->bound_memo_type);
    Py_VISIT(state->shelf_type);
    Py_VISIT(state->shelf_slot_type);
    Py_VISIT(state->memo_key_type);
    Py_VISIT(state->store_type);
    Py_VISIT(state->stored_bytes_type);
    Py_VISIT(state->stored_function_type);
    Py_VISIT(state->call_type);
    Py_VISIT(state->keyword_mark);
    Py_VISIT(state->shelf_name);
    Py_VISIT(state->call_plan_type);
    Py_VISIT(state->description_type);
    Py_VISIT(state->compared_type);
    Py_VISIT(state->stopwatch_type);
    Py_VISIT(state->instruction_type);
    Py_VISIT(state->position_type);
    Py_VISIT(state->bytecode_iterator_type);
    Py_VISIT(state->dialect);
    Py_VISIT(state->known_types);
    return 0;
}

static inline void ft_module_state_clear(ft_module_state *state)
{
    Py_CLEAR(state->profile_type);
    Py_CLEAR(state->stats_type);
    Py_CLEAR(state->function_row_type);
    Py_CLEAR(state->edge_row_type);
    Py_CLEAR(state->tree_row_type);
    Py_CLEAR(state->process_row_type);
    Py_CLEAR(state->thread_row_type);
    Py_CLEAR(state->totals_type);
    Py_CLEAR(state->note_row_type);
    Py_CLEAR(state->site_row_type);
    Py_CLEAR(state->heap_row_type);
    Py_CLEAR(state->moment_row_type);
    Py_CLEAR(state->point_row_type);
    Py_CLEAR(state->object_row_type);
    Py_CLEAR(state->class_row_type);
    Py_CLEAR(state->reading_type);
    Py_CLEAR(state->timing_row_type);
    Py_CLEAR(state->file_error);
    Py_CLEAR(state->recorder_type);
    Py_CLEAR(state->profiler_type);
    Py_CLEAR(state->profiler_entry_type);
    Py_CLEAR(state->profiler_subentry_type);
    Py_CLEAR(state->memo_type);
    Py_CLEAR(state->bound_memo_type);
    Py_CLEAR(state->shelf_type);
    Py_CLEAR(state->shelf_slot_type);
    Py_CLEAR(state->memo_key_type);
    Py_CLEAR(state->store_type);
    Py_CLEAR(state->stored_bytes_type);
    Py_CLEAR(state->stored_function_type);
    Py_CLEAR(state->call_type);
    Py_CLEAR(state->keyword_mark);
    Py_CLEAR(state->shelf_name);
    Py_CLEAR(state->call_plan_type);
    Py_CLEAR(state->description_type);
    Py_CLEAR(state->compared_type);
    Py_CLEAR(state->stopwatch_type);
    Py_CLEAR(state->instruction_type);
    Py_CLEAR(state->position_type);
    Py_CLEAR(state->bytecode_iterator_type);
    Py_CLEAR(state->dialect);
    Py_CLEAR(state->known_types);
}

#endif
