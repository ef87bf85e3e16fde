/* SPDX-License-Identifier: Apache-2.0 */
/* executions.c: modules that are about to be executed (see executions.h). */
#include "glue/probes/executions.h"

#if !FT_HAS_MONITORING

#include "glue/probes/code_lines.h"

/* Between the event and the code only other audit hooks run. After that many frames something went
 * wrong with the execution, and the code will not come. */
enum { FRAMES_BETWEEN = 1000 };

static struct {
    ft_execution_handler handler; /* NULL: nobody watches */
    bool hooked;                  /* the audit hook is there */
    const PyCodeObject *expected; /* only compared; NULL: none */
    const PyThreadState *thread;  /* likewise: where it is expected */
    ft_evaluator previous;        /* whose place `evaluate` has taken */
    int passed;                   /* frames since */
} state;

static void stop_expecting(ft_evaluator ours)
{
    state.expected = NULL;
    if (ft_compat_evaluator() == ours)
        ft_compat_set_evaluator(state.previous);
}

/* NULL: as it is. */
static PyCodeObject *find_substitute(ft_frame *frame)
{
    PyCodeObject *code = ft_compat_frame_code(frame);
    if (state.handler == NULL || code->co_nfreevars != 0 || ft_compat_frame_locals(frame) == NULL)
        return NULL;
    ft_compat_error error;
    ft_compat_error_save(&error);
    PyCodeObject *substitute = state.handler(code, ft_compat_frame_globals(frame));
    PyErr_Clear();
    ft_compat_error_restore(&error);
    if (substitute == code)
        Py_CLEAR(substitute);
    return substitute;
}

static PyObject *evaluate(PyThreadState *thread, ft_frame *frame, int throwing)
{
    ft_evaluator previous = state.previous;
    if (ft_compat_frame_code(frame) != state.expected || thread != state.thread) {
        if (++state.passed > FRAMES_BETWEEN)
            stop_expecting(evaluate);
        return previous(thread, frame, throwing);
    }
    stop_expecting(evaluate);
    PyCodeObject *substitute = find_substitute(frame);
    if (substitute == NULL)
        return previous(thread, frame, throwing);
    PyObject *result = PyEval_EvalCode((PyObject *)substitute, ft_compat_frame_globals(frame),
                                       ft_compat_frame_locals(frame));
    Py_DECREF(substitute);
    return result;
}

static void expect(const PyCodeObject *code)
{
    ft_evaluator now = ft_compat_evaluator();
    if (now != evaluate) {
        state.previous = now;
        ft_compat_set_evaluator(evaluate);
    }
    state.expected = code;
    state.thread = ft_compat_thread();
    state.passed = 0;
}

static int on_audit(const char *event, PyObject *args, void *unused)
{
    (void)unused;
    if (state.handler == NULL || strcmp(event, "exec") != 0 || !ft_compat_is_main_interpreter())
        return 0;
    PyObject *code = args != NULL && PyTuple_Check(args) && PyTuple_GET_SIZE(args) == 1
                         ? PyTuple_GET_ITEM(args, 0)
                         : NULL;
    if (code != NULL && PyCode_Check(code) && ft_code_is_module((PyCodeObject *)code))
        expect((PyCodeObject *)code);
    return 0;
}

int ft_executions_watch(ft_execution_handler handler)
{
    if (handler != NULL && !state.hooked) {
        if (PySys_AddAuditHook(on_audit, NULL) < 0)
            return -1;
        state.hooked = true;
    }
    state.handler = handler;
    return 0;
}

#endif /* !FT_HAS_MONITORING */
