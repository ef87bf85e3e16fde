/* SPDX-License-Identifier: Apache-2.0 */
/* calls_setprofile.c: function calls through the profile hook, CPython 3.11.
 *
 * The hook belongs to a thread. Threads that Python starts are found when the C function that
 * starts them returns: the new thread has its state by then and has not run. Threads started by C
 * code and those of other interpreters are not seen. */
#include "glue/probes/events.h"

#if !FT_HAS_MONITORING

#include "engine/model/profile.h"

static struct {
    PyObject *hook; /* strong: what sys.getprofile() gives */
    PyTypeObject *hook_type;
    const PyMethodDef *thread_starters[2]; /* _thread.start_new_thread and its old name */
    bool builtins;
    bool hooked; /* this probe asked for its hooks last, rather than gave them back */
} state;

/* ---- the events ---- */

static void hook_new_threads(void);

static bool starts_threads(const PyMethodDef *method)
{
    return method == state.thread_starters[0] || method == state.thread_starters[1];
}

/* The end of a C function, however it ends. Threads are looked for without builtins too. */
static void on_c_end(PyObject *function, const ft_frame *frame)
{
    const PyMethodDef *method = ft_event_method(function);
    if (method == NULL)
        return;
    if (state.builtins)
        ft_event_leave_method(method, frame);
    if (FT_UNLIKELY(starts_threads(method)))
        hook_new_threads();
}

static int on_event(PyObject *self, PyFrameObject *object, int what, PyObject *argument)
{
    (void)self;
    ft_frame *frame = ft_compat_frame_of(object);
    PyCodeObject *code = ft_compat_frame_code(frame);
    switch (what) {
    case PyTrace_CALL:
        ft_event_enter_frame(code, frame, ft_compat_previous(frame));
        break;
    case PyTrace_RETURN:
        if (FT_UNLIKELY(ft_compat_is_suspended(frame)))
            ft_event_yield_frame(code, frame, argument);
        else
            ft_event_leave_frame(code, frame);
        break;
    case PyTrace_C_CALL: {
        const PyMethodDef *method = state.builtins ? ft_event_method(argument) : NULL;
        if (method != NULL)
            ft_event_enter_method(method, argument, frame);
        break;
    }
    case PyTrace_C_RETURN:
    case PyTrace_C_EXCEPTION:
        on_c_end(argument, frame);
        break;
    default:
        break;
    }
    return 0;
}

/* Until the main module begins. */
static int on_event_before_main(PyObject *self, PyFrameObject *object, int what, PyObject *argument)
{
    if (what == PyTrace_CALL && ft_session_is_main(ft_compat_frame_of(object)))
        ft_session_begin(); /* which puts on_event in the place of this */
    return on_event(self, object, what, argument);
}

/* ---- threads ---- */

static bool is_ours(Py_tracefunc hook)
{
    return hook == on_event || hook == on_event_before_main;
}

/* Every thread that has no hook gets ours, and one that has ours gets this one. Runs no code of the
 * user's, so the list of threads stays as it is. */
static void hook_threads(Py_tracefunc hook)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread != NULL; thread = PyThreadState_Next(thread)) {
        Py_tracefunc has = ft_compat_profile_function(thread);
        if (has != hook && (has == NULL || is_ours(has)))
            ft_compat_set_profile(thread, hook, state.hook);
    }
}

static void unhook_threads(void)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread != NULL; thread = PyThreadState_Next(thread))
        if (is_ours(ft_compat_profile_function(thread)))
            ft_compat_set_profile(thread, NULL, NULL);
}

static void hook_new_threads(void)
{
    if (ft_session_wants_all_threads())
        hook_threads(on_event);
}

/* ---- the hook as an object ---- */

/* A program may save sys.getprofile() and set it again: then the interpreter calls this as a Python
 * function, and the first such call puts the real hook back. */
static PyObject *hook_call(PyObject *self, PyObject *args, PyObject *names)
{
    static const struct {
        const char *name;
        int what;
    } kinds[] = {{"call", PyTrace_CALL},
                 {"return", PyTrace_RETURN},
                 {"c_call", PyTrace_C_CALL},
                 {"c_return", PyTrace_C_RETURN},
                 {"c_exception", PyTrace_C_EXCEPTION}};
    (void)names;
    PyObject *frame, *event, *argument;
    if (!PyArg_ParseTuple(args, "O!UO", &PyFrame_Type, &frame, &event, &argument))
        return NULL;
    ft_compat_set_profile(ft_compat_thread(), on_event, self);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (PyUnicode_CompareWithASCIIString(event, kinds[i].name) == 0 &&
            on_event(self, (PyFrameObject *)frame, kinds[i].what, argument) < 0)
            return NULL;
    Py_RETURN_NONE;
}

static void hook_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot hook_slots[] = {
    {Py_tp_dealloc, (void *)hook_dealloc},
    {Py_tp_call, (void *)hook_call},
    {0, NULL},
};

static PyType_Spec hook_spec = {
    .name = "fettle._core.hook",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = hook_slots,
};

/* _thread is built in and has been imported by the interpreter itself. */
static int find_thread_starters(void)
{
    static const char *const names[2] = {"start_new_thread", "start_new"};
    PyObject *module = PyImport_ImportModule("_thread");
    for (int i = 0; module != NULL && i < 2; i++) {
        PyObject *function = PyObject_GetAttrString(module, names[i]);
        if (function != NULL)
            state.thread_starters[i] = ft_event_method(function);
        Py_XDECREF(function);
        PyErr_Clear();
    }
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

static int prepare(void)
{
    if (state.hook != NULL)
        return 0;
    if (state.hook_type == NULL)
        state.hook_type = (PyTypeObject *)PyType_FromSpec(&hook_spec);
    if (state.hook_type == NULL || find_thread_starters() < 0)
        return -1;
    state.hook = PyObject_New(PyObject, state.hook_type);
    return state.hook == NULL ? -1 : 0;
}

/* ---- the probe ---- */

static int hook_this_thread(Py_tracefunc hook)
{
    PyThreadState *here = ft_compat_thread();
    Py_tracefunc has = ft_compat_profile_function(here);
    if (has != NULL && !is_ours(has) && !ft_session_replaces_hook()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "another tool has this thread's profile hook: stop it first");
        return -1;
    }
    if (has != hook)
        ft_compat_set_profile(here, hook, state.hook);
    return 0;
}

static bool has_hooks(void)
{
    return !state.hooked || is_ours(ft_compat_profile_function(ft_compat_thread()));
}

static int adjust(bool in_use)
{
    ft_level level = in_use ? ft_session_level() : FT_LEVEL_OFF;
    bool pending = in_use && ft_session_is_pending();
    if (level == FT_LEVEL_OFF && !pending) {
        state.hooked = false;
        if (state.hook != NULL)
            unhook_threads();
        return 0;
    }
    if (prepare() < 0)
        return -1;
    state.builtins = level == FT_LEVEL_BUILTINS;
    Py_tracefunc hook = pending ? on_event_before_main : on_event;
    if (hook_this_thread(hook) < 0)
        return -1;
    state.hooked = true;
    if (level > FT_LEVEL_OFF && ft_session_wants_all_threads())
        hook_threads(hook);
    return 0;
}

const ft_probe ft_probe_calls = {"calls", adjust, has_hooks};

#endif
