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
    bool builtins;
} state;

/* ---- the events ---- */

static void hook_new_threads(void);

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
    case PyTrace_C_EXCEPTION: {
        const PyMethodDef *method = ft_session_method(argument);
        if (method != NULL && ft_session_leave_method(method, frame))
            hook_new_threads();
        break;
    }
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
    PyEval_SetProfile(on_event, state.hook);
    ft_session_begin();
    return on_event(self, object, what, argument);
}

/* ---- threads ---- */

static void hook_threads(Py_tracefunc function, PyObject *self, Py_tracefunc instead_of)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread != NULL; thread = PyThreadState_Next(thread))
        if (ft_compat_profile_function(thread) == instead_of &&
            ft_compat_set_profile(thread, function, self) < 0)
            PyErr_Clear(); /* an audit hook objects: that thread is not recorded */
}

static void hook_new_threads(void)
{
    ft_compat_error error;
    ft_compat_error_save(&error);
    hook_threads(on_event, state.hook, NULL);
    ft_compat_error_restore(&error);
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
    PyEval_SetProfile(on_event, self);
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

int ft_setprofile_prepare(void)
{
    state.hook_type = (PyTypeObject *)PyType_FromSpec(&hook_spec);
    if (state.hook_type != NULL)
        state.hook = PyObject_New(PyObject, state.hook_type);
    return state.hook == NULL ? -1 : 0;
}

/* ---- the probe ---- */

static int start(const ft_session_options *options)
{
    state.builtins = options->builtins;
    if (ft_setprofile_prepare() < 0)
        return -1;
    PyEval_SetProfile(on_event_before_main, state.hook);
    return 0;
}

void ft_setprofile_stop(void)
{
    if (state.hook == NULL)
        return;
    ft_compat_error error;
    ft_compat_error_save(&error);
    PyThreadState *thread = ft_compat_thread();
    Py_tracefunc here = ft_compat_profile_function(thread);
    if (here != on_event && here != on_event_before_main)
        ft_session_note(FT_NOTE_HOOK_TAKEN);
    hook_threads(NULL, NULL, on_event);
    hook_threads(NULL, NULL, on_event_before_main);
    ft_compat_error_restore(&error);
}

const ft_probe ft_probe_calls = {"calls", start, ft_setprofile_stop};

#endif
