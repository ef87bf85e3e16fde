/* SPDX-License-Identifier: Apache-2.0 */
/* executions.c: modules that are about to be executed (see executions.h). */
#include "glue/probes/executions.h"

#if !FT_HAS_MONITORING

#include "glue/probes/code_lines.h"

/* Between the event and the code only other audit hooks run. After that many frames something went
 * wrong with the execution, and the code will not come. */
enum { FRAMES_BETWEEN = 1000 };

/* An audit hook may execute something itself, while the first code has yet to come. */
enum { MAX_EXPECTED = 8 };

static struct {
    ft_execution_handler handler; /* NULL: nobody watches */
    bool hooked;                  /* the audit hook is there */
    struct {
        const PyCodeObject *code;    /* only compared, as the code may be gone ... */
        const PyThreadState *thread; /* ... and where it is expected, too */
    } expected[MAX_EXPECTED];
    int count;
    ft_evaluator previous; /* whose place `evaluate` has taken */
    int passed;            /* frames since the last event */
} state;

/* Nothing but the first `count` is expected any more. */
static void expect_only(int count, ft_evaluator ours)
{
    state.count = count;
    if (count == 0 && ft_compat_evaluator() == ours)
        ft_compat_set_evaluator(state.previous);
}

/* Its index, or -1. */
static int find_expected(const PyCodeObject *code, const PyThreadState *thread)
{
    for (int i = state.count - 1; i >= 0; i--)
        if (state.expected[i].code == code && state.expected[i].thread == thread)
            return i;
    return -1;
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
    int at = find_expected(ft_compat_frame_code(frame), thread);
    if (at < 0) {
        if (++state.passed > FRAMES_BETWEEN)
            expect_only(0, evaluate);
        return previous(thread, frame, throwing);
    }
    expect_only(at, evaluate);
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
        state.count = 0;
        ft_compat_set_evaluator(evaluate);
    }
    if (state.count == MAX_EXPECTED)
        state.count--;
    state.expected[state.count].code = code;
    state.expected[state.count++].thread = ft_compat_thread();
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
