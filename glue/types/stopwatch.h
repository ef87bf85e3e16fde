/* SPDX-License-Identifier: Apache-2.0 */
/* stopwatch.h: fettle._core.Stopwatch, and what times functions and coroutines with it.
 *
 * How time is added up is engine/stats/usage.h; here is who uses it: `with` blocks (stopwatch.c),
 * calls (timed_function.c), and the steps of coroutines and generators (timed_steps.c). A lane is
 * a context of contextvars in a thread: each task of an event loop has one of its own. */
#ifndef FT_GLUE_STOPWATCH_H
#define FT_GLUE_STOPWATCH_H

#include "glue/compat.h"

#include "engine/stats/usage.h"
#include "glue/state.h"

typedef struct ft_stopwatch_block ft_stopwatch_block; /* a `with` block that runs */

enum { FT_STOPWATCH_BUCKETS = 64 };

typedef struct ft_stopwatch_object {
    PyObject_HEAD
    ft_usage watch;
    ft_stopwatch_block *blocks[FT_STOPWATCH_BUCKETS]; /* by frame, the newest first */
    ft_stopwatch_block *spare;
    uint64_t entered; /* how many blocks there ever were */
    PyObject *name;   /* str or None */
    PyObject *weakrefs;
} ft_stopwatch_object;

static inline uint64_t ft_stopwatch_thread(void)
{
    return PyThreadState_GetID(PyThreadState_Get());
}

/* The lane that runs now, for ft_stopwatch_drop; NULL with an exception. */
ft_usage_lane *ft_stopwatch_lane(ft_stopwatch_object *self);

static inline void ft_stopwatch_drop(const ft_stopwatch_object *self, ft_usage_lane *lane)
{
    ft_usage_lane_drop(self->watch.mem, lane);
}

/* Before other code runs, which may lead back here: 0, or -1 with RecursionError. Where that code
 * is written in Python the interpreter counts; what is timed, timed again, and so on would not be.
 */
static inline int ft_stopwatch_descend(bool is_counted)
{
    return is_counted ? Py_EnterRecursiveCall(" while it is timed") : 0;
}

static inline void ft_stopwatch_ascend(bool is_counted)
{
    if (is_counted)
        Py_LeaveRecursiveCall();
}

/* One use of so many ns. 0, or -1 with MemoryError; an exception that is set stays. */
int ft_stopwatch_count(ft_usage_lane *lane, uint64_t duration);

/* Parses a stopwatch and another object, and nothing else. 0, or -1 with an exception. */
int ft_stopwatch_and(PyTypeObject *type, PyObject *args, PyObject *kwargs,
                     ft_stopwatch_object **watch, PyObject **other);

/* Add the types to the module. 0, or -1 with an exception. */
int ft_stopwatch_type_add(PyObject *module, ft_module_state *state);
int ft_timed_function_type_add(PyObject *module);
int ft_timed_steps_type_add(PyObject *module);

#endif
