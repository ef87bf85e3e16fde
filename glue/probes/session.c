/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: this process's recording, from the side of the interpreter (see session.h). */
#include "glue/probes/session.h"

#include <errno.h>
#include <pthread.h>

#include "engine/model/profile.h"
#include "glue/probes/describe.h"

_Thread_local ft_recorder *ft_session_tls FT_TLS;

typedef struct ft_session {
    bool running;              /* events may come */
    bool forked;               /* this is a forked child that has not seen an event yet */
    uint32_t attempts_to_skip; /* a thread was refused a recorder: until one is asked for again */
    const ft_probe *probe;
    ft_recording recording;
    ft_recorder at_fork; /* a copy of the forking thread's recorder ... */
    bool at_fork_is_set; /* ... if it had one */
    pthread_key_t thread_end;
    PyObject **keepers; /* owned references, so that no key is ever another function's */
    size_t keeper_count, keeper_room;
} ft_session;

static ft_session session;

/* ---- threads and forks ---- */

/* Runs without the GIL when a thread that was recorded ends. */
static void on_thread_end(void *argument)
{
    ft_recorder *recorder = argument;
    if (!FT_HAS_MONITORING && (recorder->current->flags & FT_CODE_TAKES_HOOK) != 0)
        ft_session_note(
            FT_NOTE_HOOK_TAKEN); /* sys.setprofile put another hook in the place of ours */
    ft_session_tls = NULL;
    ft_recording_detach(recorder);
}

/* The recorder lies in memory that parent and child share: it is copied while only one of them is.
 */
static void before_fork(void)
{
    pthread_mutex_lock(&session.recording.lock);
    if (session.forked)
        return; /* no event since the last fork: the stack is still the first parent's */
    session.at_fork_is_set = ft_session_tls != NULL;
    if (session.at_fork_is_set)
        session.at_fork = *ft_session_tls;
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&session.recording.lock);
}

/* Only what is safe anywhere: the child may exec at once. The rest is done at its first event. */
static void after_fork_in_child(void)
{
    session.forked = true;
    session.attempts_to_skip = 0;
    ft_session_tls = NULL;
    pthread_setspecific(session.thread_end, NULL);
    pthread_mutex_unlock(&session.recording.lock);
}

static ft_recorder *new_recorder(void)
{
    if (!session.forked)
        return ft_recording_attach(&session.recording);
    session.forked = false;
    ft_recorder *recorder = ft_recording_after_fork(
        &session.recording, session.at_fork_is_set ? &session.at_fork : NULL);
    session.running = recorder != NULL;
    return recorder;
}

ft_recorder *ft_session_attach(void)
{
    enum { SKIP_WHEN_REFUSED = 1000 };
    if (!session.running)
        return NULL;
    if (session.attempts_to_skip > 0) {
        session.attempts_to_skip--;
        return NULL;
    }
    int number = errno; /* the program's */
    ft_recorder *recorder = new_recorder();
    session.attempts_to_skip = recorder == NULL ? SKIP_WHEN_REFUSED : 0;
    pthread_setspecific(session.thread_end, recorder);
    ft_session_tls = recorder;
    errno = number;
    return recorder;
}

/* ---- functions seen for the first time ---- */

/* Takes the reference. Without memory for the list the object is kept for ever instead. */
static void keep(PyObject *object)
{
    if (session.keeper_count == session.keeper_room) {
        size_t room = session.keeper_room == 0 ? 1024 : session.keeper_room * 2;
        PyObject **moved =
            ft_mem_resize(&ft_mem_system, session.keepers, room, sizeof *session.keepers);
        if (moved == NULL)
            return;
        session.keepers = moved;
        session.keeper_room = room;
    }
    session.keepers[session.keeper_count++] = object;
}

/* Makes a described function known and enters it. Without room its time goes to its caller. */
static void intern_and_enter(ft_recorder *recorder, int described, ft_description *description,
                             const ft_frame *frame, uint64_t now)
{
    ft_status status = FT_ERR_MEMORY;
    if (described == 0)
        status = ft_recording_intern(recorder->recording, &description->function);
    if (status == FT_OK)
        keep(description->keeper);
    else
        Py_CLEAR(description->keeper);
    ft_description_fini(description);
    if (status == FT_OK && ft_recorder_enter(recorder, description->function.key, frame, now))
        return;
    ft_session_note(status == FT_ERR_MEMORY ? FT_NOTE_OUT_OF_MEMORY : FT_NOTE_DISK_FULL);
}

void ft_session_enter_python(ft_recorder *recorder, PyCodeObject *code, const ft_frame *frame,
                             uint64_t now)
{
    ft_compat_error error;
    ft_description description;
    int number = errno;
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
    ft_compat_error_save(&error);
    intern_and_enter(recorder, ft_describe_c(method, callable, &description), &description, frame,
                     now);
    ft_compat_error_restore(&error);
    errno = number;
}

void ft_session_find(ft_recorder *recorder, ft_frame *frame)
{
    enum { LOOK_BELOW = 64 }; /* frames without events are few; a start in mid-stack has no match */
    frame = ft_compat_visible(frame);
    if (frame != NULL && ft_recorder_is_at(recorder, frame))
        return;
    if (frame == NULL && (recorder->current->flags & FT_CODE_IS_C) != 0)
        return; /* a greenlet begins: below the C function that switched to it */
    for (int i = 0; frame != NULL && i < LOOK_BELOW; i++) {
        if (ft_recorder_switch_to(recorder, frame))
            return;
        frame = ft_compat_visible(ft_compat_previous(frame));
    }
    ft_recorder_switch_to_root(recorder);
}

/* ---- beginning and end ---- */

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
    ft_arena_header *header = session.recording.arena.header;
    atomic_store(&header->begun, ft_clock_ticks((ft_clock_source)header->clock_source));
}

void ft_session_note(uint32_t kind)
{
    ft_arena_note(&session.recording.arena, kind, 1);
}

/* sys.orig_argv as one text, words joined by NUL. */
static int store_command(void)
{
    PyObject *words = PySys_GetObject("orig_argv");
    PyObject *nul = PyUnicode_FromOrdinal(0);
    PyObject *joined = words == NULL || nul == NULL ? NULL : PyUnicode_Join(nul, words);
    PyObject *bytes =
        joined == NULL ? NULL : PyUnicode_AsEncodedString(joined, "utf-8", "backslashreplace");
    ft_status status = FT_ERR_MEMORY;
    if (bytes != NULL)
        status = ft_recording_set_property(&session.recording, "command", PyBytes_AS_STRING(bytes),
                                           (size_t)PyBytes_GET_SIZE(bytes));
    Py_XDECREF(nul);
    Py_XDECREF(joined);
    Py_XDECREF(bytes);
    PyErr_Clear();
    return status == FT_OK ? 0 : -1;
}

static int store_properties(void)
{
    const char *version = Py_GetVersion();
    size_t length = strcspn(version, " ");
    (void)ft_recording_set_property(&session.recording, "python", version, length);
    return store_command();
}

int ft_session_start(const char *directory, const ft_session_options *options,
                     const ft_probe *probe)
{
    if (session.probe != NULL)
        return 0;
    ft_status status =
        ft_recording_open(&session.recording, &ft_mem_system, directory, options->max_contexts);
    if (status != FT_OK) {
        PyErr_Format(PyExc_OSError, "no arena in %s: %s", directory, ft_status_text(status));
        return -1;
    }
    if (pthread_key_create(&session.thread_end, on_thread_end) != 0 ||
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0) {
        PyErr_SetString(PyExc_OSError, "no thread key or fork handler is left");
        return -1;
    }
    (void)store_properties();
    session.probe = probe;
    session.running = true;
    if (probe->start(options) == 0)
        return 1;
    session.running = false;
    return -1;
}

void ft_session_stop(void)
{
    if (!session.running)
        return;
    session.probe->stop();
    session.running = false;
    ft_recorder *recorder = ft_session_tls;
    ft_session_tls = NULL;
    if (recorder != NULL) {
        pthread_setspecific(session.thread_end, NULL);
        ft_recording_detach(recorder);
    }
}
