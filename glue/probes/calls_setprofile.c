/* SPDX-License-Identifier: Apache-2.0 */
/* calls_setprofile.c: function calls through the profile hook, CPython 3.11.
 *
 * The hook belongs to a thread. Threads that Python starts are found when the C function that
 * starts them returns: the new thread has its state by then and has not run. Threads started by C
 * code and those of other interpreters are not seen. */
#include "glue/probes/session.h"

#if !FT_HAS_MONITORING

#include "engine/model/profile.h"
#include "glue/probes/setprofile.h"

static struct {
    PyObject *hook; /* strong: what sys.getprofile() gives */
    PyTypeObject *hook_type;
    const PyMethodDef *thread_starters[2]; /* _thread.start_new_thread and its old name */
    bool builtins;
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
    const PyMethodDef *method = ft_session_method(function);
    if (method == NULL)
        return;
    if (state.builtins)
        ft_session_leave_method(method, frame);
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
        ft_session_enter_frame(code, frame, ft_compat_previous(frame));
        break;
    case PyTrace_RETURN:
        ft_session_leave_frame(code, frame);
        break;
    case PyTrace_C_CALL: {
        const PyMethodDef *method = state.builtins ? ft_session_method(argument) : NULL;
        if (method != NULL)
            ft_session_enter_method(method, argument, frame);
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
    if (what != PyTrace_CALL || !ft_session_is_main(ft_compat_frame_of(object)))
        return 0;
    ft_compat_set_profile(ft_compat_thread(), on_event, state.hook);
    ft_session_begin();
    return on_event(self, object, what, argument);
}

/* ---- threads ---- */

/* Runs no code of the user's, so the list of threads stays as it is. */
static void hook_threads(Py_tracefunc function, PyObject *self, Py_tracefunc instead_of)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread != NULL; thread = PyThreadState_Next(thread))
        if (ft_compat_profile_function(thread) == instead_of)
            ft_compat_set_profile(thread, function, self);
}

static void hook_new_threads(void)
{
    hook_threads(on_event, state.hook, NULL);
}

int ft_setprofile_take_over(bool builtins)
{
    state.builtins = builtins;
    if (state.hook == NULL && ft_setprofile_prepare() < 0)
        return -1;
    hook_new_threads();
    return 0;
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
            state.thread_starters[i] = ft_session_method(function);
        Py_XDECREF(function);
        PyErr_Clear();
    }
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

int ft_setprofile_prepare(void)
{
    state.hook_type = (PyTypeObject *)PyType_FromSpec(&hook_spec);
    if (state.hook_type != NULL)
        state.hook = PyObject_New(PyObject, state.hook_type);
    return state.hook == NULL ? -1 : find_thread_starters();
}

/* ---- the probe ---- */

static int start(const ft_session_options *options)
{
    state.builtins = options->builtins;
    if (ft_setprofile_prepare() < 0)
        return -1;
    ft_compat_set_profile(ft_compat_thread(), on_event_before_main, state.hook);
    return 0;
}

void ft_setprofile_stop(void)
{
    if (state.hook == NULL)
        return;
    Py_tracefunc here = ft_compat_profile_function(ft_compat_thread());
    if (here != on_event && here != on_event_before_main)
        ft_session_note(FT_NOTE_HOOK_TAKEN);
    hook_threads(NULL, NULL, on_event);
    hook_threads(NULL, NULL, on_event_before_main);
}

const ft_probe ft_probe_calls = {"calls", start, ft_setprofile_stop};

#endif
