/* SPDX-License-Identifier: Apache-2.0 */
/* compat.h: everything that differs between CPython 3.11 and 3.15, and every private name of
 * CPython.
 *
 * The rest of the glue calls functions with one meaning; the version tests are in here alone. Each
 * private name says since when it is used and what would replace it.
 *
 * Frames are opaque addresses outside: they are compared, never followed, except through these
 * functions and only while the GIL is held. */
#ifndef FT_GLUE_COMPAT_H
#define FT_GLUE_COMPAT_H

#ifndef Py_BUILD_CORE_MODULE
#define Py_BUILD_CORE_MODULE 1 /* the layout of interpreter frames is in internal headers only */
#endif
#include <Python.h>

#include <stdbool.h>
#include <string.h>

#if PY_VERSION_HEX < 0x030B0000
#error "fettle needs CPython 3.11 or newer"
#elif PY_VERSION_HEX >= 0x03100000
#error "fettle does not know this CPython yet: add its version to glue/compat.h"
#endif
#ifdef Py_GIL_DISABLED
#error "fettle does not support free-threaded builds of CPython yet"
#endif

#include <internal/pycore_frame.h>
#include <internal/pycore_runtime.h>
#if PY_VERSION_HEX >= 0x030E0000
#include <internal/pycore_interpframe.h> /* 3.14+; replaced by: nothing public gives frames */
#endif
#if PY_VERSION_HEX < 0x030E0000
#include <internal/pycore_interp.h>  /* until 3.13: for ft_compat_each_tracked */
#include <internal/pycore_pystate.h> /* 3.11: for ft_compat_set_profile */
#endif

#include <opcode.h> /* RESUME and CACHE; public, but of each version's own numbers */

/* ---- which probes this Python has ---- */

#if PY_VERSION_HEX >= 0x030C0000
#define FT_HAS_MONITORING 1 /* PEP 669 */
#else
#define FT_HAS_MONITORING 0
#endif

/* Is the C stack guarded where Python code is entered from C, apart from the recursion limit? */
#define FT_GUARDS_STACK (PY_VERSION_HEX >= 0x030C0000)

/* Can PY_UNWIND and PY_THROW be heard of in one code object? */
#define FT_HAS_LOCAL_UNWIND (PY_VERSION_HEX >= 0x030F0000)
/* No LINE event where a call begins on the line of its RESUME, unless PY_START is on. */
#define FT_LINES_BEGIN_UNTOLD (PY_VERSION_HEX >= 0x030D0000)

/* Can one hear of objects that are made? PyRefTracer is public from 3.13. */
#define FT_HAS_REFERENCE_TRACER (PY_VERSION_HEX >= 0x030D0000)

/* Can one be told of a dict's changes? Before, each dict has a number that its changes change. */
#define FT_HAS_DICT_WATCHERS (PY_VERSION_HEX >= 0x030C0000)

typedef struct _PyInterpreterFrame ft_frame;

/* ---- threads ---- */

#if PY_VERSION_HEX < 0x030D0000 /* both are public from 3.13 */
#define PyThreadState_GetUnchecked _PyThreadState_UncheckedGet
#define Py_IsFinalizing _Py_IsFinalizing
#endif

/* The thread state of this thread, or NULL when it has none or does not hold the GIL. */
static inline PyThreadState *ft_compat_thread(void)
{
    return PyThreadState_GetUnchecked();
}

/* ---- frames ---- */

/* The innermost frame of this thread, complete or not. */
static inline ft_frame *ft_compat_current_frame(void)
{
    PyThreadState *thread = ft_compat_thread();
#if PY_VERSION_HEX >= 0x030D0000
    return thread->current_frame;
#else
    return thread->cframe->current_frame;
#endif
}

/* The frame below, complete or not. */
static inline ft_frame *ft_compat_previous(const ft_frame *frame)
{
    return frame->previous;
}

/* Is it not a Python function's, but the interpreter's own? */
static inline bool ft_compat_is_interpreters(const ft_frame *frame)
{
#if FT_HAS_MONITORING
    return frame->owner >= 3; /* FRAME_OWNED_BY_CSTACK, from 3.14 _BY_INTERPRETER */
#else
    (void)frame;
    return false;
#endif
}

/* Is a frame that waits for another one none of the program's? The interpreter's entries are, and
 * the trampolines around __init__, which have no function (from 3.13 on). Cheaper than _visible. */
static inline bool ft_compat_is_passed(const ft_frame *frame)
{
    if (ft_compat_is_interpreters(frame))
        return true;
#if PY_VERSION_HEX >= 0x030E0000
    return PyStackRef_IsNull(frame->f_funcobj) || PyStackRef_IsNone(frame->f_funcobj);
#elif PY_VERSION_HEX >= 0x030D0000
    return frame->f_funcobj == Py_None;
#else
    return false;
#endif
}

/* Where the frame is in its code: an address in the code object, never followed. prev_instr until
 * 3.12; nothing public gives it. */
static inline uintptr_t ft_compat_instruction(const ft_frame *frame)
{
#if PY_VERSION_HEX >= 0x030D0000
    return (uintptr_t)frame->instr_ptr;
#else
    return (uintptr_t)frame->prev_instr;
#endif
}

/* The nearest frame from here on that is a Python function's and has begun; NULL when there is
 * none. It skips the interpreter's own entries, the trampolines around __init__ and half-made
 * frames. */
static inline ft_frame *ft_compat_visible(ft_frame *frame)
{
    while (frame != NULL) {
        if (!ft_compat_is_interpreters(frame) && !_PyFrame_IsIncomplete(frame))
            return frame;
        frame = frame->previous;
    }
    return NULL;
}

/* The innermost visible frame of a thread, which must be the calling one; NULL: there is none. */
static inline ft_frame *ft_compat_frame_in(const PyThreadState *thread)
{
#if PY_VERSION_HEX >= 0x030D0000
    return ft_compat_visible(thread->current_frame);
#else
    return thread->cframe == NULL ? NULL : ft_compat_visible(thread->cframe->current_frame);
#endif
}

/* The code of a Python function's frame. Borrowed. */
static inline PyCodeObject *ft_compat_frame_code(const ft_frame *frame)
{
#if PY_VERSION_HEX >= 0x030E0000
    return (PyCodeObject *)PyStackRef_AsPyObjectBorrow(frame->f_executable);
#elif PY_VERSION_HEX >= 0x030D0000
    return (PyCodeObject *)frame->f_executable;
#else
    return frame->f_code;
#endif
}

/* The line that a Python function's frame is in, or -1. Needs no GIL for a frame of the calling
 * thread. PyUnstable_InterpreterFrame_GetLine is public from 3.12. */
static inline int ft_compat_frame_line(const ft_frame *frame)
{
    PyCodeObject *code = ft_compat_frame_code(frame);
    intptr_t offset = (intptr_t)ft_compat_instruction(frame) - (intptr_t)_PyCode_CODE(code);
    return PyCode_Addr2Line(code, (int)offset);
}

/* Bytes of the block that a code object lies in, as it was asked for. */
static inline size_t ft_compat_code_bytes(const PyCodeObject *code)
{
    return offsetof(PyCodeObject, co_code_adaptive) + (size_t)Py_SIZE(code) * sizeof(_Py_CODEUNIT);
}

/* Bytes of an instance's block before the object itself: the collector's header, and the words of
 * a managed __dict__ (from 3.12 on, and of weak references). _PyType_PreHeaderSize in its header.
 */
static inline size_t ft_compat_preheader(const PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030C0000
    const unsigned long managed = Py_TPFLAGS_PREHEADER;
#else
    const unsigned long managed = Py_TPFLAGS_MANAGED_DICT;
#endif
    return ((type->tp_flags & Py_TPFLAGS_HAVE_GC) != 0 ? 2 * sizeof(uintptr_t) : 0) +
           ((type->tp_flags & managed) != 0 ? 2 * sizeof(PyObject *) : 0);
}

/* Where the number is that becomes another one whenever the dict changes; NULL: there is none. */
static inline const uint64_t *ft_compat_dict_version(PyObject *dict)
{
#if FT_HAS_DICT_WATCHERS
    (void)dict;
    return NULL;
#else
    return &((PyDictObject *)dict)->ma_version_tag;
#endif
}

/* Can the str's characters be read without changing it? PyUnicode_READY until 3.11. */
static inline bool ft_compat_is_ready(PyObject *text)
{
#if FT_HAS_MONITORING
    (void)text;
    return true;
#else
    return PyUnicode_IS_READY(text);
#endif
}

/* Makes them so. 0, or -1 with an exception. */
static inline int ft_compat_make_ready(PyObject *text)
{
#if FT_HAS_MONITORING
    (void)text;
    return 0;
#else
    return PyUnicode_READY(text);
#endif
}

/* The thread state that this thread runs with, whether or not it holds the GIL; *holds says it.
 * NULL when it has none, or may have lost it to the end of the interpreter. */
static inline PyThreadState *ft_compat_own_thread(bool *holds)
{
    PyThreadState *own = PyGILState_GetThisThreadState();
    *holds = own != NULL && own == ft_compat_thread();
    return *holds || !Py_IsFinalizing() ? own : NULL;
}

/* The globals of a Python function's frame. Borrowed. */
static inline PyObject *ft_compat_frame_globals(const ft_frame *frame)
{
    return frame->f_globals;
}

/* What a weak reference leads to: a new reference, or NULL when it is gone. PyWeakref_GetRef is
 * public from 3.13. */
static inline PyObject *ft_compat_weakly(PyObject *reference)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *object = NULL;
    return PyWeakref_GetRef(reference, &object) > 0 ? object : NULL;
#else
    PyObject *object = PyWeakref_GET_OBJECT(reference);
    return object == Py_None ? NULL : Py_NewRef(object);
#endif
}

/* The context of contextvars that a thread, the calling one, runs in: made if it has none yet.
 * Borrowed; NULL with an exception. context in PyThreadState; nothing public gives it uncopied. */
static inline PyObject *ft_compat_context(const PyThreadState *thread)
{
    if (thread->context == NULL) {
        PyObject *copy = PyContext_CopyCurrent();
        if (copy == NULL)
            return NULL;
        Py_DECREF(copy);
    }
    return thread->context;
}

static inline bool ft_compat_is_main_interpreter(void)
{
    return PyInterpreterState_Get() == PyInterpreterState_Main();
}

/* Until 3.11 what allocates may collect garbage, and a finaliser is the user's code. While the
 * collector is held nothing of ours is changed under our hands; what hold gave is for release. */
static inline int ft_compat_hold_collector(void)
{
    return PyGC_Disable();
}

static inline void ft_compat_release_collector(int held)
{
    if (held)
        (void)PyGC_Enable();
}

/* The co_qualname of a code object. Borrowed. */
static inline PyObject *ft_compat_qualname(const PyCodeObject *code)
{
    return code->co_qualname; /* public attribute from 3.11, no C accessor */
}

/* The namespace of a type: a new reference, or NULL. tp_dict until 3.11; from 3.12 on that is empty
 * for the types built in, and PyType_GetDict is public. */
static inline PyObject *ft_compat_type_dict(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyType_GetDict(type);
#else
    return Py_XNewRef(type->tp_dict);
#endif
}

/* Is it the opcode behind which a call begins, or goes on? */
static inline bool ft_compat_is_resume(unsigned char opcode)
{
    return opcode == RESUME;
}

/* ---- how the standard library's disassembler writes arguments ---- */

/* Jumps name labels, what is beside a name stands behind it, and a line may start with none. */
#define FT_DIS_HAS_LABELS (PY_VERSION_HEX >= 0x030D0000)
#if FT_DIS_HAS_LABELS
#define FT_DIS_NULL " + NULL"
#define FT_DIS_NULL_OR_SELF " + NULL|self"
#else
#define FT_DIS_NULL "NULL + "
#define FT_DIS_NULL_OR_SELF "NULL|self + "
#endif
/* Bits below the index of COMPARE_OP, LOAD_ATTR, IMPORT_NAME. */
#define FT_DIS_COMPARE_SHIFT                                                                       \
    (PY_VERSION_HEX >= 0x030D0000 ? 5 : PY_VERSION_HEX >= 0x030C0000 ? 4 : 0)
#define FT_DIS_ATTR_SHIFT (PY_VERSION_HEX >= 0x030C0000 ? 1 : 0)
#define FT_DIS_IMPORT_SHIFT (PY_VERSION_HEX >= 0x030F0000 ? 2 : 0)
/* COMPARE_OP's bit that makes a bool of the result; 0: there is none. */
#define FT_DIS_COMPARE_BOOL (PY_VERSION_HEX >= 0x030D0000 ? 16 : 0)
#define FT_DIS_FUNCTION_FLAGS (PY_VERSION_HEX >= 0x030E0000 ? 5 : 4)
#define FT_DIS_NAMES_TESTS (PY_VERSION_HEX >= 0x030E0000)  /* IS_OP, CONTAINS_OP */
#define FT_DIS_GIVES_COMMON (PY_VERSION_HEX >= 0x030F0000) /* LOAD_COMMON_CONSTANT's value */
/* 3.11: of the instructions with a constant only LOAD_CONST's is looked up; only jumps that are not
 * specialised make labels; caches show what is in them only behind specialised instructions. */
#define FT_DIS_LOAD_CONST_ALONE (PY_VERSION_HEX < 0x030C0000)
#define FT_DIS_LABELS_PLAIN_JUMPS (PY_VERSION_HEX < 0x030C0000)
#define FT_DIS_SHOWS_SPECIALISED_CACHES (PY_VERSION_HEX < 0x030C0000)

/* The names of a code object's locals, cells and free variables, by the arguments of instructions:
 * a tuple. Borrowed. co_localsplusnames from 3.11; `_varname_from_oparg` gives one of them. */
static inline PyObject *ft_compat_local_names(const PyCodeObject *code)
{
    return code->co_localsplusnames;
}

/* The bytes of a code object as they are run, specialised: a new reference. The attribute
 * `_co_code_adaptive` since 3.11. */
static inline PyObject *ft_compat_running_code(PyCodeObject *code)
{
    return PyBytes_FromStringAndSize((const char *)_PyCode_CODE(code),
                                     Py_SIZE(code) * (Py_ssize_t)sizeof(_Py_CODEUNIT));
}

/* PyStructSequence_New for who knows the number of fields, which that looks up by name, twice. They
 * are unset, and the collector does not know of the new object, as it does not with those.
 * From 3.14 on a tuple keeps its hash. */
static inline PyObject *ft_compat_new_row(PyTypeObject *type, Py_ssize_t fields)
{
    PyTupleObject *row = PyObject_GC_NewVar(PyTupleObject, type, fields);
#if PY_VERSION_HEX >= 0x030E0000
    if (row != NULL)
        row->ob_hash = -1;
#endif
    return (PyObject *)row;
}

/* ---- coroutines and generators ---- */

/* Is it the frame of a generator or coroutine, which lies in that object and stays while it does?
 */
static inline bool ft_compat_is_generators(const ft_frame *frame)
{
    return frame->owner == FRAME_OWNED_BY_GENERATOR;
}

/* The frame of a coroutine that has not ended; NULL for any other object. Its place in the object
 * has no public name. */
static inline const ft_frame *ft_compat_coroutine_frame(PyObject *object)
{
    if (object == NULL || !PyCoro_CheckExact(object))
        return NULL;
    const PyCoroObject *coroutine = (const PyCoroObject *)object;
    if (coroutine->cr_frame_state >= FRAME_CLEARED)
        return NULL;
    return (const ft_frame *)(const void *)&coroutine->cr_iframe;
}

/* Argument number i of a frame that begins, out of its cell if need be. Borrowed; may be NULL. */
static inline PyObject *ft_compat_frame_local(const ft_frame *frame, int i)
{
#if PY_VERSION_HEX >= 0x030E0000
    PyObject *local = PyStackRef_AsPyObjectBorrow(frame->localsplus[i]);
#else
    PyObject *local = frame->localsplus[i];
#endif
    return local != NULL && PyCell_Check(local) ? PyCell_GET(local) : local;
}

/* Is it a value that an asynchronous generator yields to who iterates over it, rather than what it
 * awaits? The type has no public name. */
static inline bool ft_compat_is_wrapped(PyObject *value)
{
    return value != NULL && strcmp(Py_TYPE(value)->tp_name, "async_generator_wrapped_value") == 0;
}

/* The value of a small non-negative int. PyUnstable_Long_CompactValue is public from 3.12. */
static inline uint32_t ft_compat_small_number(PyObject *number)
{
#if FT_HAS_MONITORING
    if (PyUnstable_Long_IsCompact((PyLongObject *)number))
        return (uint32_t)PyUnstable_Long_CompactValue((PyLongObject *)number);
#endif
    return (uint32_t)PyLong_AsUnsignedLongMask(number);
}

/* The value of an int whose type is exactly int, if it is small enough to be kept in one word: true
 * then. PyUnstable_Long_IsCompact is public from 3.12. */
static inline bool ft_compat_compact(PyObject *number, Py_ssize_t *value)
{
#if FT_HAS_MONITORING
    const PyLongObject *digits = (const PyLongObject *)number;
    if (!PyUnstable_Long_IsCompact(digits))
        return false;
    *value = PyUnstable_Long_CompactValue(digits);
#else
    Py_ssize_t size = Py_SIZE(number);
    if (size < -1 || size > 1)
        return false;
    /* Most are positive: a guess is quicker than a product. */
    digit first = size == 0 ? 0 : ((PyLongObject *)number)->ob_digit[0];
    *value = __builtin_expect(size >= 0, 1) ? (Py_ssize_t)first : -(Py_ssize_t)first;
#endif
    return true;
}

/* A number that no other type, and no other state of this one, ever had; 0: it has none now. */
static inline unsigned int ft_compat_type_version(const PyTypeObject *type)
{
    return type->tp_version_tag; /* since 3.11; nothing public tells when a class changed */
}

/* Does the weak reference lead to that object? (One that is dead leads to None.) wr_object until
 * PyWeakref_GetRef (3.13), which takes a reference. */
static inline bool ft_compat_leads_to(PyObject *reference, PyObject *object)
{
    return ((PyWeakReference *)reference)->wr_object == object && object != Py_None;
}

/* ---- the exception that is set, if any: kept aside and put back ---- */

typedef struct ft_compat_error {
    PyObject *type, *value, *traceback;
} ft_compat_error;

static inline void ft_compat_error_save(ft_compat_error *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    error->value = PyErr_GetRaisedException();
#else
    PyErr_Fetch(&error->type, &error->value, &error->traceback);
#endif
}

/* The exception that was saved. Borrowed. */
static inline PyObject *ft_compat_error_object(ft_compat_error *error)
{
#if PY_VERSION_HEX < 0x030C0000
    PyErr_NormalizeException(&error->type, &error->value, &error->traceback);
#endif
    return error->value;
}

static inline void ft_compat_error_restore(ft_compat_error *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error->value);
#else
    PyErr_Restore(error->type, error->value, error->traceback);
#endif
}

/* Takes the saved one for the cause of the one that is set. */
static inline void ft_compat_error_chain(ft_compat_error *error)
{
    ft_compat_error now;
    PyObject *cause = ft_compat_error_object(error), *object;
    ft_compat_error_save(&now);
    object = ft_compat_error_object(&now);
    if (object != NULL && cause != NULL) {
#if PY_VERSION_HEX < 0x030C0000
        if (error->traceback != NULL)
            PyException_SetTraceback(cause, error->traceback);
#endif
        PyException_SetCause(object, Py_NewRef(cause));
        PyException_SetContext(object, Py_NewRef(cause));
    }
    ft_compat_error_restore(&now);
    Py_XDECREF(error->value);
#if PY_VERSION_HEX < 0x030C0000
    Py_XDECREF(error->type);
    Py_XDECREF(error->traceback);
#endif
}

/* ---- 3.11 only: the profile hook of any thread, and PEP 523 ---- */

#if !FT_HAS_MONITORING

/* The frame behind a frame object. */
static inline ft_frame *ft_compat_frame_of(PyFrameObject *object)
{
    return object->f_frame;
}

/* PyEval_SetProfile for any thread, but without its audit event: an audit hook may give up the GIL,
 * and the thread may be gone when it returns. self may be NULL; a reference is taken. Public as
 * PyEval_SetProfileAllThreads from 3.12. */
static inline void ft_compat_set_profile(PyThreadState *thread, Py_tracefunc function,
                                         PyObject *self)
{
    PyObject *old = thread->c_profileobj;
    thread->c_profileobj = Py_XNewRef(self);
    thread->c_profilefunc = function;
    _PyThreadState_UpdateTracingState(thread);
    Py_XDECREF(old);
}

static inline Py_tracefunc ft_compat_profile_function(const PyThreadState *thread)
{
    return thread->c_profilefunc;
}

/* PEP 523: who evaluates frames. NULL: the interpreter itself. */
typedef _PyFrameEvalFunction ft_evaluator;

static inline void ft_compat_set_evaluator(ft_evaluator function)
{
    _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(),
                                         function != NULL ? function : _PyEval_EvalFrameDefault);
}

static inline ft_evaluator ft_compat_evaluator(void)
{
    return _PyInterpreterState_GetEvalFrameFunc(PyInterpreterState_Get());
}

static inline PyObject *ft_compat_evaluate(PyThreadState *thread, ft_frame *frame, int throwing)
{
    return _PyEval_EvalFrameDefault(thread, frame, throwing);
}

/* Does the frame that is being left go on later? From 3.12 on that is an event of its own. */
static inline bool ft_compat_is_suspended(ft_frame *frame)
{
    return frame->owner == FRAME_OWNED_BY_GENERATOR &&
           _PyFrame_GetGenerator(frame)->gi_frame_state == FRAME_SUSPENDED;
}

/* Calling a generator function evaluates a frame that only makes the generator. */
static inline bool ft_compat_makes_generator(const ft_frame *frame)
{
    const int generators = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
    return (frame->f_code->co_flags & generators) != 0 && frame->owner != FRAME_OWNED_BY_GENERATOR;
}

/* BINARY_SUBSCR_GETITEM calls a Python __getitem__ past the evaluator. The interpreter does not
 * specialise for functions whose version needs more than 16 bits. Versions tell functions apart, so
 * each gets one of its own, far above those that the interpreter gives out. counter: starts at 0.
 */
static inline void ft_compat_keep_evaluated(PyFunctionObject *function, uint32_t *counter)
{
    const uint32_t first_of_ours = UINT32_C(1) << 31;
    if (function->func_version < first_of_ours && *counter < first_of_ours)
        function->func_version = first_of_ours + (*counter)++;
}

/* What `function.__code__ = code` does, without its audit event: an audit hook is the user's code.
 * Version 0: who called the function knows nothing of it any more. */
static inline void ft_compat_set_function_code(PyFunctionObject *function, PyCodeObject *code)
{
    function->func_version = 0;
    Py_SETREF(function->func_code, Py_NewRef((PyObject *)code));
}

static inline PyFunctionObject *ft_compat_frame_function(const ft_frame *frame)
{
    return frame->f_func;
}

/* The namespace of a class body's frame, or NULL. Borrowed. */
static inline PyObject *ft_compat_frame_locals(const ft_frame *frame)
{
    return frame->f_locals;
}

#endif /* !FT_HAS_MONITORING */

#endif
