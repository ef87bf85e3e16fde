/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: what is being recorded in this process (see session.h). */
#include "glue/probes/session.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "engine/model/profile.h"
#include "engine/record/recorder_rest.h"
#include "glue/probes/allocs.h"
#include "glue/probes/collections.h"
#include "glue/probes/coroutines.h"
#include "glue/probes/describe.h"
#include "glue/probes/line_marks.h"
#include "glue/probes/probes.h"
#include "glue/probes/survivors.h"

_Thread_local ft_thread_here ft_session_here FT_TLS;
uint64_t ft_session_generation = 1;
static _Thread_local uint64_t number_here FT_TLS; /* of the thread; 0: none yet */

enum { LEFT_OUT_MAX = 6 }; /* lists of methods: of each type that starts and stops takes, and gc */

typedef struct ft_session {
    pthread_mutex_t lock;
    bool prepared;            /* the thread key and the fork handlers are there */
    pthread_key_t thread_end; /* a thread's ft_thread_recorders, owned */
    const ft_probe *probe;    /* NULL: none yet */
    ft_take *takes;           /* active ones, oldest first */
    ft_take *pending;         /* launched, and its main module has not begun */
    ft_take launched;         /* ... which it lies in */
    bool has_launched;
    uint64_t last_id;
    _Atomic uint64_t last_number; /* of threads */
    uint32_t attempts_to_skip;    /* a recorder was refused: until one is asked for again */
    const PyMethodDef *left_out[LEFT_OUT_MAX];
    PyObject *left_out_files; /* strong: a list of str, or NULL */
    PyObject *without_blocks; /* likewise: those of them whose blocks are left out, too */
} ft_session;

static ft_session session = {.lock = PTHREAD_MUTEX_INITIALIZER};

void ft_session_lock(void)
{
    pthread_mutex_lock(&session.lock);
}

void ft_session_unlock(void)
{
    pthread_mutex_unlock(&session.lock);
}

/* Appends the take. Needs the GIL. */
static void link_take(ft_take *take)
{
    ft_session_lock();
    ft_take **end = &session.takes;
    while (*end != NULL)
        end = &(*end)->next;
    *end = take;
    take->next = NULL;
    take->id = ++session.last_id;
    take->stopped = false;
    ft_session_generation++;
    ft_session_unlock();
}

static void unlink_take(ft_take *take)
{
    ft_session_lock();
    ft_take **link = &session.takes;
    while (*link != take)
        link = &(*link)->next;
    *link = take->next;
    take->id = 0;
    ft_session_generation++;
    ft_session_unlock();
}

/* Setting a hook asks the audit hooks first, the user's code, which may start and stop takes: then
 * what was asked for has changed, and is asked for again. */
static int adjust_probe(void)
{
    enum { TRIES = 8 }; /* an audit hook may do so each time */
    int result = 0;
    session.attempts_to_skip = 0;
    for (int i = 0; i < TRIES && session.probe != NULL; i++) {
        uint64_t generation = ft_session_generation;
        result = session.probe->adjust(true);
        if (generation == ft_session_generation)
            break;
        if (result < 0 && i + 1 < TRIES)
            PyErr_Clear();
    }
    return result;
}

/* ---- threads ---- */

static ft_recorder *recorder_of(const ft_thread_recorders *all, const ft_take *take)
{
    for (uint32_t i = 0; all != NULL && i < all->count; i++)
        if (all->of[i].take == take->id)
            return all->of[i].recorder;
    return NULL;
}

/* Runs without the GIL when a thread that was recorded ends. */
static void on_thread_end(void *argument)
{
    ft_thread_recorders *all = argument;
    ft_session_here = (ft_thread_here){0};
    ft_session_lock();
    for (ft_take *take = session.takes; take != NULL; take = take->next) {
        ft_recorder *recorder = recorder_of(all, take);
        if (recorder == NULL)
            continue;
        if (!FT_HAS_MONITORING && (recorder->current->flags & FT_CODE_TAKES_HOOK) != 0)
            ft_arena_note(&take->recording.arena, FT_NOTE_HOOK_TAKEN, 1); /* by sys.setprofile */
        ft_recording_detach(recorder);
    }
    ft_session_unlock();
    ft_mem_free(&ft_mem_system, all);
}

/* The take's part in what a forked child does before anything else: see engine/record. */
static ft_recorder *go_on_after_fork(ft_take *take, ft_recorder *mine)
{
    take->forked = false;
    if (take->recording.directory == NULL) {
        ft_recording_keep_only(&take->recording, mine);
        return mine;
    }
    mine = ft_recording_after_fork(&take->recording, take->at_fork_is_set ? &take->at_fork : NULL);
    take->lost = mine == NULL;
    ft_allocs_after_fork(take, take->lost);
    return mine;
}

static bool wants_this_thread(const ft_take *take)
{
    unsigned long here = PyThread_get_thread_ident();
    return !take->lost && !take->stopped && (!take->one_thread || take->thread == here) &&
           !ft_take_spares(take, here);
}

static uint64_t thread_number(void)
{
    if (number_here == 0)
        number_here = atomic_fetch_add(&session.last_number, 1) + 1;
    return number_here;
}

/* The thread's recorder of one take: the one it has, a new one, or NULL with *refused set. */
static ft_recorder *take_part(ft_take *take, const ft_thread_recorders *old, bool *refused)
{
    ft_recorder *recorder = recorder_of(old, take);
    if (FT_UNLIKELY(take->forked))
        recorder = go_on_after_fork(take, recorder);
    if (recorder != NULL || !wants_this_thread(take))
        return recorder;
    recorder = ft_recording_attach_thread(&take->recording, thread_number());
    *refused = *refused || recorder == NULL;
    return recorder;
}

/* Appends the recorders of the takes that record calls, or of those that do not. */
static void add_parts(ft_thread_recorders *made, bool calls, const ft_thread_recorders *old,
                      bool *refused)
{
    for (ft_take *take = session.takes; take != NULL; take = take->next) {
        ft_recorder *recorder = take->calls == calls ? take_part(take, old, refused) : NULL;
        if (recorder == NULL)
            continue;
        made->of[made->count].take = take->id;
        made->of[made->count++].recorder = recorder;
    }
}

/* A list with the recorders of all takes; NULL without memory. */
static ft_thread_recorders *make_list(const ft_thread_recorders *old, bool *refused)
{
    size_t count = 0;
    for (const ft_take *take = session.takes; take != NULL; take = take->next)
        count++;
    ft_thread_recorders *made =
        ft_mem_resize(&ft_mem_system, NULL, sizeof *made + count * sizeof made->of[0], 1);
    if (made == NULL)
        return NULL;
    made->generation = ft_session_generation;
    made->count = 0;
    add_parts(made, true, old, refused);
    made->calls = made->count;
    add_parts(made, false, old, refused);
    return made;
}

static void set_lines_here(ft_thread_recorders *all)
{
    ft_session_here.lines = NULL;
    ft_session_here.more_lines = NULL;
    for (uint32_t i = 0; i < all->count; i++) {
        if (!ft_take_of(all->of[i].recorder)->lines)
            continue;
        if (ft_session_here.lines != NULL)
            ft_session_here.more_lines = all;
        else
            ft_session_here.lines = all->of[i].recorder;
    }
}

static ft_recorder *set_here(ft_thread_recorders *all, bool refused)
{
    ft_session_here.generation = refused ? 0 : all->generation;
    ft_session_here.recorder = all->calls > 0 ? all->of[0].recorder : NULL;
    ft_session_here.more = all->calls > 1 ? all : NULL;
    set_lines_here(all);
    return ft_session_here.recorder;
}

/* A refusal is not asked about again at once: asking a full disk takes long. */
static bool may_skip(const ft_thread_recorders *all)
{
    if (session.attempts_to_skip == 0 || all == NULL || all->generation != ft_session_generation)
        return false;
    session.attempts_to_skip--;
    return true;
}

ft_recorder *ft_session_refresh(void)
{
    enum { SKIP_WHEN_REFUSED = 1000 };
    if (session.takes == NULL) {
        ft_session_here = (ft_thread_here){.generation = ft_session_generation};
        return NULL;
    }
    ft_thread_recorders *old = pthread_getspecific(session.thread_end);
    if (may_skip(old))
        return ft_session_here.recorder;
    int number = errno; /* the program's */
    bool refused = false;
    ft_thread_recorders *made = make_list(old, &refused);
    if (made == NULL || pthread_setspecific(session.thread_end, made) != 0) {
        ft_mem_free(&ft_mem_system, made); /* what it held stays in use until the takes end */
        ft_session_note(FT_NOTE_OUT_OF_MEMORY);
        ft_session_here = (ft_thread_here){0};
        errno = number;
        return NULL;
    }
    ft_mem_free(&ft_mem_system, old);
    session.attempts_to_skip = refused ? SKIP_WHEN_REFUSED : 0;
    errno = number;
    return set_here(made, refused);
}

void ft_session_go_on(void)
{
    if (ft_session_here.generation != ft_session_generation)
        (void)ft_session_refresh();
}

/* ---- forks ---- */

static void lock_takes(ft_take *take)
{
    for (; take != NULL; take = take->next)
        pthread_mutex_lock(&take->recording.lock);
}

static void unlock_takes(ft_take *take)
{
    for (; take != NULL; take = take->next)
        pthread_mutex_unlock(&take->recording.lock);
}

/* A recorder in a file lies in memory that parent and child share: it is copied while only one of
 * them is. */
static void before_fork(void)
{
    const ft_thread_recorders *all = pthread_getspecific(session.thread_end);
    ft_session_lock();
    lock_takes(session.takes);
    if (session.pending != NULL)
        pthread_mutex_lock(&session.pending->recording.lock);
    for (ft_take *take = session.takes; take != NULL; take = take->next) {
        if (take->recording.directory == NULL || take->forked)
            continue; /* no event since the last fork: the stack is still the first parent's */
        const ft_recorder *recorder = recorder_of(all, take);
        take->at_fork_is_set = recorder != NULL;
        if (recorder == NULL)
            continue;
        take->at_fork = *recorder;
        if (recorder->rest->lines != NULL)
            ft_line_recorder_copy(recorder->rest->lines);
    }
}

static void after_fork_in_parent(void)
{
    if (session.pending != NULL)
        pthread_mutex_unlock(&session.pending->recording.lock);
    unlock_takes(session.takes);
    ft_session_unlock();
}

/* Only what is safe anywhere: the child may exec at once. The rest is done at its first event. */
static void after_fork_in_child(void)
{
    for (ft_take *take = session.takes; take != NULL; take = take->next) {
        take->forked = true;
        if (take->recording.directory != NULL)
            take->id = ++session.last_id; /* its recorders are the parent's */
    }
    if (session.pending != NULL)
        session.pending->forked = true;
    session.attempts_to_skip = 0;
    ft_session_generation++;
    after_fork_in_parent();
}

static int prepare(void)
{
    if (session.prepared)
        return 0;
    if (pthread_key_create(&session.thread_end, on_thread_end) != 0 ||
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0) {
        PyErr_SetString(PyExc_OSError, "no thread key or fork handler is left");
        return -1;
    }
    session.prepared = true;
    return 0;
}

/* ---- functions seen for the first time ---- */

void ft_session_leave_out(const PyMethodDef *methods)
{
    size_t at = 0;
    while (session.left_out[at] != NULL && session.left_out[at] != methods)
        at++;
    assert(at + 1 < LEFT_OUT_MAX); /* the last one ends the list */
    session.left_out[at] = methods;
}

static int add_file(PyObject **files, PyObject *filename)
{
    if (*files == NULL)
        *files = PyList_New(0);
    return *files == NULL ? -1 : PyList_Append(*files, filename);
}

int ft_session_leave_out_file(PyObject *filename, bool blocks)
{
    if (add_file(&session.left_out_files, filename) < 0)
        return -1;
    return blocks ? add_file(&session.without_blocks, filename) : 0;
}

static bool is_code_of(const PyCodeObject *code, PyObject *files)
{
    for (Py_ssize_t i = 0; files != NULL && i < PyList_GET_SIZE(files); i++)
        if (PyUnicode_Compare(code->co_filename, PyList_GET_ITEM(files, i)) == 0)
            return true;
    return false;
}

bool ft_session_leaves_blocks_out(const PyCodeObject *code)
{
    return is_code_of(code, session.without_blocks);
}

static bool is_left_out(const PyMethodDef *method)
{
    for (size_t i = 0; i < LEFT_OUT_MAX && session.left_out[i] != NULL; i++)
        for (const PyMethodDef *of = session.left_out[i]; of->ml_name != NULL; of++)
            if (of == method)
                return true;
    return false;
}

/* Enters a function that creates tasks: its argument is looked at. */
static bool enter_creator(ft_recorder *recorder, const void *key, const ft_frame *frame,
                          uint64_t now)
{
    ft_coroutines_create(recorder, frame, now);
    return ft_recorder_enter_creator(recorder, key, frame, now);
}

static bool enter_known(ft_recorder *recorder, const ft_function *function, const ft_frame *frame,
                        uint64_t now)
{
    if ((function->flags & FT_CODE_CREATES_TASK) != 0)
        return enter_creator(recorder, function->key, frame, now);
    return ft_recorder_enter(recorder, function->key, frame, now);
}

/* Makes a described function known and enters it. Without room its time goes to its caller. */
static void intern_and_enter(ft_recorder *recorder, int described, ft_description *description,
                             const ft_frame *frame, uint64_t now)
{
    ft_take *take = ft_take_of(recorder);
    ft_status status = FT_ERR_MEMORY;
    if (described == 0)
        status = ft_recording_intern(&take->recording, &description->function);
    if (status == FT_OK)
        ft_take_keep(take, description->keeper);
    else
        Py_CLEAR(description->keeper);
    ft_description_fini(description);
    if (status == FT_OK && enter_known(recorder, &description->function, frame, now))
        return;
    ft_arena_note(&take->recording.arena,
                  status == FT_ERR_MEMORY ? FT_NOTE_OUT_OF_MEMORY : FT_NOTE_DISK_FULL, 1);
}

/* Its frame is on the stack, where those it calls find it at once. A coroutine's is not: it is
 * known by the frame of its task (coroutines.c), as one that ran when the recording began. */
static void enter_left_out(ft_recorder *recorder, const PyCodeObject *code, const ft_frame *frame,
                           uint64_t now)
{
    if ((code->co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)) == 0)
        ft_recorder_enter_left_out(recorder, frame, now);
}

void ft_session_enter_python(ft_recorder *recorder, PyCodeObject *code, const ft_frame *frame,
                             uint64_t now)
{
    ft_compat_error error;
    ft_description description;
    int number = errno;
    if (is_code_of(code, session.left_out_files)) {
        enter_left_out(recorder, code, frame, now);
        return;
    }
    if (ft_recording_code_of(recorder->recording, code) != 0) {
        (void)enter_creator(recorder, code, frame, now);
        return;
    }
    ft_compat_error_save(&error);
    intern_and_enter(recorder, ft_describe_python(code, &description), &description, frame, now);
    ft_compat_error_restore(&error);
    errno = number;
}

void ft_session_enter_c(ft_recorder *recorder, const PyMethodDef *method, PyObject *callable,
                        const ft_frame *frame, uint64_t now)
{
    ft_compat_error error;
    ft_description description;
    int number = errno;
    if (is_left_out(method)) {
        ft_recorder_enter_left_out(recorder, frame, now);
        return;
    }
    ft_compat_error_save(&error);
    intern_and_enter(recorder, ft_describe_c(method, callable, &description), &description, frame,
                     now);
    ft_compat_error_restore(&error);
    errno = number;
}

void ft_session_find(ft_recorder *recorder, ft_frame *frame)
{
    /* Frames without events are few, but an exception is thrown past any number that wait. A start
     * in mid-stack has no match. */
    enum { LOOK_BELOW = 1024, COST_OF_OTHERS = 16 };
    ft_frame *caller = ft_compat_visible(frame);
    if (caller != NULL && ft_recorder_is_at(recorder, caller))
        return;
    if (caller == NULL && (recorder->current->flags & FT_CODE_IS_C) != 0)
        return;                    /* a greenlet begins: below the C function that switched to it */
    const ft_frame *passed = NULL; /* a coroutine that waits for what is entered: past it goes an
                                      exception that is thrown in */
    bool found = false;
    for (int looks = 0; caller != NULL && looks < LOOK_BELOW;) {
        found = ft_recorder_switch_to(recorder, caller);
        if (found)
            break;
        passed = ft_compat_is_generators(caller) ? caller : NULL;
        looks += passed != NULL ? 1 : COST_OF_OTHERS;
        caller = ft_compat_visible(ft_compat_previous(caller));
    }
    if (!found)
        ft_recorder_switch_to_root(recorder, frame);
    if (passed != NULL)
        ft_tasks_throw(recorder, passed);
}

/* ---- takes that the program starts and stops ---- */

static void note_in(ft_take *take, uint32_t kind)
{
    ft_arena_note(&take->recording.arena, kind, 1);
}

void ft_session_note(uint32_t kind)
{
    if (session.pending != NULL)
        note_in(session.pending, kind);
    for (ft_take *take = session.takes; take != NULL; take = take->next)
        if (!take->stopped)
            note_in(take, kind);
}

/* Another tool may have taken the probe's hooks: the takes say so while they are still there. */
static void look_at_hooks(void)
{
    if ((session.probe != NULL && !session.probe->has_hooks()) || !ft_line_marks_are_heard())
        ft_session_note(FT_NOTE_HOOK_TAKEN);
    if (ft_collections_are_lost())
        ft_session_note(FT_NOTE_COLLECTIONS);
}

/* The program's own takes are served by the probe that sees everything. */
static int use_full_probe(void)
{
    if (session.probe == &ft_probe_calls)
        return adjust_probe();
    return ft_session_change_probe(&ft_probe_calls);
}

static void begin(ft_take *take)
{
    ft_arena_header *header = take->recording.arena.header;
    if (!take->forked && atomic_load(&header->begun) == 0) /* else the arena is the parent's */
        atomic_store(&header->begun, ft_clock_ticks((ft_clock_source)header->clock_source));
    if (take->recording.directory == NULL && header->pid != (uint32_t)getpid())
        ft_recording_keep_only(&take->recording, NULL); /* forked while it was not active */
}

/* The session's statics are one interpreter's. */
static int refuse_other_interpreters(void)
{
    if (ft_compat_is_main_interpreter())
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "a subinterpreter can not be recorded: start the recording "
                                        "in the main interpreter");
    return -1;
}

int ft_session_add(ft_take *take)
{
    assert(take->id == 0);
    if (refuse_other_interpreters() < 0 || prepare() < 0)
        return -1;
    take->thread = PyThread_get_thread_ident();
    take->recording.python_only = !take->builtins;
    look_at_hooks();
    link_take(take);
    if (use_full_probe() == 0 && ft_line_marks_begin(take) == 0 && ft_allocs_begin(take) == 0) {
        begin(take);
        ft_collections_adjust();
        return 0;
    }
    ft_compat_error error;
    ft_compat_error_save(&error);
    ft_line_marks_end(take);
    if (take->id != 0)
        unlink_take(take);
    (void)adjust_probe();
    PyErr_Clear();
    ft_compat_error_restore(&error);
    return -1;
}

static ft_recorder *recorder_here(const ft_take *take)
{
    (void)ft_session_recorder();
    return recorder_of(pthread_getspecific(session.thread_end), take);
}

/* The end of a slice of mine, or of the others' where it is NULL. */
static uint64_t now_for(const ft_take *take, const ft_recorder *mine)
{
    if (mine != NULL)
        return ft_take_now(mine);
    return ft_clock_ticks((ft_clock_source)take->recording.arena.header->clock_source);
}

/* A timer is asked when its call is recorded no more. */
void ft_session_remove(ft_take *take)
{
    if (take->id == 0)
        return;
    ft_compat_error error;
    ft_compat_error_save(&error);
    look_at_hooks();
    ft_recorder *mine = recorder_here(take);
    ft_allocs_end(take);
    ft_line_marks_end(take);
    if (take->id == 0) { /* an audit hook that heard of it ended it */
        ft_compat_error_restore(&error);
        return;
    }
    unlink_take(take);
    ft_collections_adjust();
    ft_recording_pause(&take->recording, mine, now_for(take, mine));
    if (adjust_probe() < 0)
        PyErr_Clear();
    ft_compat_error_restore(&error);
}

void ft_session_settle(ft_take *take)
{
    if (take->id == 0 || take->timer != NULL)
        return; /* its last event is as far as the callers' clock is known */
    ft_recorder *mine = recorder_here(take);
    ft_session_lock();
    ft_recording_settle(&take->recording, mine, now_for(take, mine));
    ft_session_unlock();
}

int ft_session_know(ft_take *take, PyCodeObject *code)
{
    ft_description description;
    if (ft_recording_code_of(&take->recording, code) != 0)
        return 0;
    int result = ft_describe_python(code, &description);
    if (result == 0 && ft_recording_intern(&take->recording, &description.function) != FT_OK) {
        PyErr_NoMemory();
        result = -1;
    }
    if (result == 0)
        ft_take_keep(take, description.keeper);
    else
        Py_XDECREF(description.keeper);
    ft_description_fini(&description);
    return result;
}

void ft_session_stand_in(ft_take *take, const ft_frame *frame)
{
    ft_recorder *mine = take->id == 0 ? NULL : recorder_here(take);
    PyCodeObject *code = frame == NULL ? NULL : ft_compat_frame_code(frame);
    if (mine == NULL || code == NULL || !take->calls)
        return;
    if (ft_session_know(take, code) < 0 || !ft_recorder_stand_in(mine, code, frame)) {
        PyErr_Clear(); /* its own time is not seen, then */
        note_in(take, FT_NOTE_OUT_OF_MEMORY);
    }
}

/* ---- for the probes ---- */

ft_level ft_session_level(void)
{
    ft_level level = FT_LEVEL_OFF;
    for (const ft_take *take = session.takes; take != NULL; take = take->next) {
        ft_level wanted = take->builtins ? FT_LEVEL_BUILTINS : FT_LEVEL_PYTHON;
        if (take->calls && !take->stopped && wanted > level)
            level = wanted;
    }
    return level;
}

ft_take *ft_session_next(const ft_take *previous)
{
    if (previous == NULL && session.pending != NULL)
        return session.pending;
    return previous == NULL || previous == session.pending ? session.takes : previous->next;
}

bool ft_session_is_pending(void)
{
    return session.pending != NULL;
}

bool ft_session_wants_all_threads(void)
{
    unsigned long here = PyThread_get_thread_ident();
    for (const ft_take *take = session.takes; take != NULL; take = take->next)
        if (take->calls && !take->stopped && !(take->one_thread && take->thread == here))
            return true;
    return session.pending != NULL;
}

bool ft_session_replaces_hook(void)
{
    for (const ft_take *take = session.takes; take != NULL; take = take->next)
        if (take->replaces_hook && wants_this_thread(take))
            return true;
    return false;
}

int ft_session_change_probe(const ft_probe *probe)
{
    const ft_probe *old = session.probe;
    if (old != probe)
        look_at_hooks();
    session.probe = probe;
    if (old != NULL && old != probe && old->adjust(false) < 0)
        PyErr_Clear();
    return adjust_probe();
}

/* ---- a launched program ---- */

bool ft_session_is_main(const ft_frame *frame)
{
    PyCodeObject *code = ft_compat_frame_code(frame);
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *main = modules == NULL ? NULL : PyDict_GetItemString(modules, "__main__");
    return main != NULL && PyModule_Check(main) &&
           ft_compat_frame_globals(frame) == PyModule_GetDict(main) &&
           PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0;
}

void ft_session_begin(void)
{
    ft_take *take = session.pending;
    if (take == NULL)
        return;
    session.pending = NULL;
    begin(take);
    link_take(take);
    if (adjust_probe() < 0) { /* half of the events would be worse than none */
        PyErr_Clear();
        note_in(take, FT_NOTE_HOOK_TAKEN);
        take->stopped = true;
        (void)adjust_probe();
        PyErr_Clear();
    }
    if (ft_allocs_begin(take) < 0) {
        PyErr_Clear();
        note_in(take, FT_NOTE_OUT_OF_MEMORY);
    }
    ft_collections_adjust();
}

int ft_session_launch(const char *directory, const ft_take_options *options, const ft_probe *probe)
{
    if (session.has_launched)
        return 0;
    if (prepare() < 0 || ft_take_open(&session.launched, directory, options) < 0)
        return -1;
    session.has_launched = true;
    session.pending = &session.launched;
    session.launched.recording.python_only = !session.launched.builtins;
    ft_describe_process(&session.launched.recording);
    if (session.probe == NULL)
        session.probe = probe;
    if (adjust_probe() == 0 && ft_line_marks_begin(&session.launched) == 0)
        return 1;
    session.pending = NULL;
    return -1;
}

void ft_session_stop(void)
{
    ft_take *take = &session.launched;
    if (!session.has_launched || take->stopped)
        return;
    session.pending = NULL;
    uint64_t id = take->id;
    ft_thread_recorders *all = pthread_getspecific(session.thread_end);
    ft_recorder *mine = id == 0 ? NULL : recorder_of(all, take);
    look_at_hooks();
    take->stopped = true;
    ft_survivors_record(take);
    ft_allocs_end(take);
    ft_line_marks_end(take);
    ft_collections_adjust();
    if (adjust_probe() < 0)
        PyErr_Clear();
    if (mine == NULL)
        return;
    ft_recording_detach(mine);
    for (uint32_t i = 0; i < all->count; i++)
        if (all->of[i].take == id)
            all->of[i].take = 0; /* the thread's end finds no recorder to give back */
    ft_session_here.generation = 0;
}
