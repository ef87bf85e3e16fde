/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: what is being recorded in this process, from the side of the interpreter.
 *
 * The session has a list of active takes; each thread has one recorder for each of them. When the
 * list changes, the generation does, and every thread makes its recorders anew at its next event.
 * Almost always there is one take and one recorder, which an event finds with two loads.
 *
 * There is one session per process, and it is a static: fork handlers and thread-exit handlers have
 * no other way to it.
 *
 * Locking: the list changes under the GIL and the session's lock, so whoever holds either may read
 * it. All functions here need the GIL; the end of a thread, which has none, takes the lock. */
#ifndef FT_GLUE_PROBES_SESSION_H
#define FT_GLUE_PROBES_SESSION_H

#include "glue/compat.h"

#include "engine/record/recording.h"
#include "glue/probes/take.h"

/* On glibc the access is one instruction (initial-exec); elsewhere a dlopened library may not ask
 * for that. */
#if defined(__GLIBC__)
#define FT_TLS __attribute__((tls_model("initial-exec")))
#else
#define FT_TLS
#endif

/* The recorders of one thread: those that record calls first, else in the order of the session's
 * takes. */
typedef struct ft_thread_recorders {
    uint64_t generation; /* of the session, when the list was made */
    uint32_t count;
    uint32_t calls; /* so many of them record calls */
    struct {
        uint64_t take; /* the take's id */
        ft_recorder *recorder;
    } of[];
} ft_thread_recorders;

typedef struct ft_thread_here {
    uint64_t generation;             /* of `all`; 0: to be made anew */
    ft_recorder *recorder;           /* the first one that records calls, or NULL */
    ft_thread_recorders *more;       /* all of them if more than one records calls, else NULL */
    ft_recorder *lines;              /* the first one that records lines, or NULL */
    ft_thread_recorders *more_lines; /* all of them if more than one records lines, else NULL */
} ft_thread_here;

extern _Thread_local ft_thread_here ft_session_here FT_TLS;
extern uint64_t ft_session_generation; /* changes with the list of takes; never 0 */

/* How much is asked of a probe. */
typedef enum ft_level { FT_LEVEL_OFF, FT_LEVEL_PYTHON, FT_LEVEL_BUILTINS } ft_level;

/* How the events come: one per way of hooking an interpreter. */
typedef struct ft_probe {
    const char *name;
    /* Brings the events to what ft_session_level, ft_session_is_pending and
     * ft_session_wants_all_threads say, or to none at all where another probe took over. 0, or -1
     * with an exception. */
    int (*adjust)(bool in_use);
    /* Does it still have the hooks that it set, or has another tool taken them? */
    bool (*has_hooks)(void);
} ft_probe;

/* ---- a launched program: from its main module on, into an arena in a file ---- */

/* Opens the arena and waits for the main module. 1, 0 when there is one already (another
 * interpreter of the process asks), or -1 with an exception: the caller decides whether anybody
 * hears of it. */
int ft_session_launch(const char *directory, const ft_take_options *options, const ft_probe *probe);

/* Ends the launched take. What was recorded stays in the arena. */
void ft_session_stop(void);

/* Is this frame the main module's own, about to run? */
bool ft_session_is_main(const ft_frame *frame);

/* The main module begins: from now on it counts. */
void ft_session_begin(void);

/* The launched take while it waits for its main module, then the active ones: the one after
 * `previous`, or the first for NULL. NULL after the last. */
ft_take *ft_session_next(const ft_take *previous);

/* ---- takes that the program itself starts and stops ---- */

/* 0, or -1 with an exception; the take is borrowed until it is removed. Not while it is active. */
int ft_session_add(ft_take *take);

/* No event comes to it after this; every slice ends now. Nothing if it is not active. */
void ft_session_remove(ft_take *take);

/* Ends the running slices, so that the take can be read while it is active. */
void ft_session_settle(ft_take *take);

/* The function whose frame this is runs already when the take begins: the time it spends from now
 * on is its own. */
void ft_session_stand_in(ft_take *take, const ft_frame *frame);

/* In a forked child: takes in files go on in arenas of the child's own, now and not at the first
 * event of a call. */
void ft_session_go_on(void);

/* Makes the function of a code object known to an open take: 0, or -1 with an exception. */
int ft_session_know(ft_take *take, PyCodeObject *code);

/* Holds back threads that end, for as long as a take is read that may be active. */
void ft_session_lock(void);
void ft_session_unlock(void);

/* What switches recording on and off is left out of it: these methods, which must be static, and
 * the functions of the Python file of this name; blocks: what these allocate, too. 0, or -1 with an
 * exception. */
void ft_session_leave_out(const PyMethodDef *methods);
int ft_session_leave_out_file(PyObject *filename, bool blocks);

/* Is what this code itself allocates nobody's? Needs the GIL. */
bool ft_session_leaves_blocks_out(const PyCodeObject *code);

/* ---- for the probes ---- */

/* What all active takes together need. */
ft_level ft_session_level(void);

/* Does a launched take wait for the main module? */
bool ft_session_is_pending(void);

/* Does any take want other threads than the calling one? */
bool ft_session_wants_all_threads(void);

/* May the profile hook of another tool be replaced on this thread? */
bool ft_session_replaces_hook(void);

/* Another probe goes on with what is being recorded. 0, or -1 with an exception. */
int ft_session_change_probe(const ft_probe *probe);

/* Counts a note in every take. kind: ft_note_kind. */
void ft_session_note(uint32_t kind);

/* Makes the calling thread's recorders anew. NULL when it has none. */
ft_recorder *ft_session_refresh(void);

/* Enters a function that the recording does not know yet, or that creates tasks. key: its code
 * object, or the PyMethodDef of a C function whose callable is given. */
void ft_session_enter_python(ft_recorder *recorder, PyCodeObject *code, const ft_frame *frame,
                             uint64_t now);
void ft_session_enter_c(ft_recorder *recorder, const PyMethodDef *method, PyObject *callable,
                        const ft_frame *frame, uint64_t now);

/* The stack's top is not of `frame` (NULL: of no frame): finds the nearest caller that is known. */
void ft_session_find(ft_recorder *recorder, ft_frame *frame);

/* The calling thread's first recorder, or NULL when there is nothing to record. */
static inline ft_recorder *ft_session_recorder(void)
{
    if (FT_UNLIKELY(ft_session_here.generation != ft_session_generation))
        return ft_session_refresh();
    return ft_session_here.recorder;
}

/* The calling thread's first recorder that records lines, or NULL. */
static inline ft_recorder *ft_session_line_recorder(void)
{
    if (FT_UNLIKELY(ft_session_here.generation != ft_session_generation))
        (void)ft_session_refresh();
    return ft_session_here.lines;
}

#endif
