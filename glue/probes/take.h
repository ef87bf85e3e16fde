/* SPDX-License-Identifier: Apache-2.0 */
/* take.h: one recording that the session feeds, with what the interpreter's side keeps for it.
 *
 * A take is active from ft_session_add to ft_session_remove, as often as wanted; what was recorded
 * adds up. Everything here needs the GIL. */
#ifndef FT_GLUE_PROBES_TAKE_H
#define FT_GLUE_PROBES_TAKE_H

#include "glue/compat.h"

#include "engine/record/recording.h"

typedef struct ft_take_options {
    bool calls;         /* function calls are recorded ... */
    bool builtins;      /* ... those of C functions too */
    bool lines;         /* lines are recorded: of what is marked, and of what it watches itself */
    bool marks;         /* lines of what is marked for everybody (@fettle.lines), too */
    bool lines_alone;   /* a function's own lines, without those of the anonymous code in it */
    bool memory;        /* blocks of Python's allocators are recorded */
    bool one_thread;    /* the thread that starts it alone */
    bool replaces_hook; /* 3.11: takes the profile hook from whoever has it */
    uint32_t max_contexts;
    uint32_t frames;     /* of memory: how many are kept of each block's stack; 0: one */
    uint64_t sample;     /* of memory: mean bytes between samples; 0: every block */
    PyObject *timer;     /* a callable that gives the time, or NULL; borrowed */
    double timer_unit;   /* seconds of one count; 0: the timer gives seconds */
    PyObject *selectors; /* a list of str (selector.h), or NULL; borrowed */
    PyObject *spared;    /* a list of int, idents of threads that are left out, or NULL; borrowed */
} ft_take_options;

typedef struct ft_take {
    ft_recording recording; /* the first field: a recorder leads to its take */
    struct ft_take *next;   /* in the session's list */
    uint64_t id;            /* of this activation, never given twice; 0: not active */
    bool calls, builtins, one_thread, replaces_hook;
    bool lines, marks, lines_alone;
    bool watching;         /* what it watches is counted in line_marks.c ... */
    uint32_t counted;      /* ... so many of its recording's codes */
    bool stopped;          /* no more events, but its threads still give their recorders back */
    bool forked;           /* this is a forked child that has not seen an event yet */
    bool lost;             /* a forked child that could not go on with it */
    unsigned long thread;  /* the one, for one_thread */
    unsigned long *spared; /* owned: threads that are left out ... */
    size_t spared_count;   /* ... so many */
    ft_recorder at_fork;   /* arena in a file: a copy of the forking thread's recorder ... */
    bool at_fork_is_set;   /* ... if it had one */
    PyObject *owner;       /* borrowed: the object that the take lies in; NULL: it is going */
    PyObject *timer;       /* strong, or NULL */
    uint32_t asking;       /* calls of the timer at this moment: the take stays as it is */
    double timer_unit;     /* as in the options */
    PyObject *functions;   /* strong: a list of the functions that it alone watches, or NULL */
    struct ft_selector *selectors; /* owned list: what it watches beside functions */
    bool memory, heap_is_on;       /* as in the options; its blocks are told of */
    uint32_t frames;               /* as in the options, at least 1 */
    uint64_t sample;
    struct ft_heap *heap; /* owned by allocs.c; NULL before memory is recorded */
    PyObject **keepers;   /* strong: while they live, no key becomes another function's */
    size_t keeper_count, keeper_room;
} ft_take;

/* The clocks when the module was loaded: from then on their rate is known. */
void ft_take_start_clock(void);

/* An arena in directory, or in memory for NULL. 0, or -1 with an exception. The take lies in the
 * caller's storage and must not move. */
int ft_take_open(ft_take *take, const char *directory, const ft_take_options *options);

/* It must not be active. Dropping the last references to code may run the user's code. */
void ft_take_close(ft_take *take);

/* Is this thread left out? */
bool ft_take_spares(const ft_take *take, unsigned long thread);

/* For the garbage collector: what the take holds references to. */
int ft_take_traverse(const ft_take *take, visitproc visit, void *arg);

/* Keeps the reference, which becomes the take's. */
void ft_take_keep(ft_take *take, PyObject *object);

/* The take that a recorder belongs to. */
static inline ft_take *ft_take_of(const ft_recorder *recorder)
{
    return (ft_take *)recorder->recording;
}

/* The recorder's clock, if it is not the CPU's counter. */
uint64_t ft_take_now_slow(const ft_recorder *recorder);

static inline uint64_t ft_take_now(const ft_recorder *recorder)
{
    if (FT_UNLIKELY(recorder->clock != FT_CLOCK_COUNTER))
        return ft_take_now_slow(recorder);
    return ft_clock_counter();
}

#endif
