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

#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_object.h>
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

/* Can PY_UNWIND and PY_THROW be heard of in one code object? */
#define FT_HAS_LOCAL_UNWIND (PY_VERSION_HEX >= 0x030F0000)
/* No LINE event where a call begins on the line of its RESUME, unless PY_START is on. */
#define FT_LINES_BEGIN_UNTOLD (PY_VERSION_HEX >= 0x030D0000)

/* Can one hear of objects that are made? PyRefTracer is public from 3.13. */
#define FT_HAS_REFERENCE_TRACER (PY_VERSION_HEX >= 0x030D0000)

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

/* The innermost visible frame of a thread, the calling one; NULL when there is none. */
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

/* Bytes of an object's block that lie before the object: what the collector and the dict and weak
 * references of an instance need. _PyType_PreHeaderSize is what it copies; nothing public does. */
static inline size_t ft_compat_pre_header(PyTypeObject *type)
{
    size_t bytes = PyType_IS_GC(type) ? 2 * sizeof(uintptr_t) : 0;
#if FT_HAS_MONITORING
    if (PyType_HasFeature(type, Py_TPFLAGS_PREHEADER))
        bytes += 2 * sizeof(PyObject *);
#else
    if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT))
        bytes += 2 * sizeof(PyObject *);
#endif
    return bytes;
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

static inline void ft_compat_error_restore(ft_compat_error *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error->value);
#else
    PyErr_Restore(error->type, error->value, error->traceback);
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

/* ---- objects: the blocks they are made of ----
 *
 * Only read, and only while the GIL is held. None of it runs code of the program's or makes an
 * object: reading o.__dict__ would make a dict that was not there. */

/* A block as its allocator gave it; start is NULL where there is none. */
typedef struct ft_compat_block {
    const void *start;
    size_t bytes;
} ft_compat_block;

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
    return ((type->tp_flags & Py_TPFLAGS_HAVE_GC) != 0 ? sizeof(PyGC_Head) : 0) +
           ((type->tp_flags & managed) != 0 ? 2 * sizeof(PyObject *) : 0);
}

/* Bytes of the collector's header. */
static inline size_t ft_compat_collector_bytes(void)
{
    return sizeof(PyGC_Head);
}

/* Do a slotted class's weak references stand in two words in front of the object, rather than in a
 * word at its end? */
#define FT_WEAK_REFERENCES_IN_FRONT (PY_VERSION_HEX >= 0x030C0000)

/* Does it have a header of the collector? PyObject_IS_GC, without a call for most. */
static inline bool ft_compat_is_collectable(PyObject *object)
{
    return _PyObject_IS_GC(object) != 0;
}

/* Is it in the collector's lists? PyObject_GC_IsTracked, inline. */
static inline bool ft_compat_is_tracked(PyObject *object)
{
    return ft_compat_is_collectable(object) && _PyObject_GC_IS_TRACKED(object);
}

/* Is it in the interpreter's own static room, as small ints and characters are? Says so without
 * reading it. */
static inline bool ft_compat_is_in_runtime(const PyObject *object)
{
    return (uintptr_t)object - (uintptr_t)&_PyRuntime < sizeof _PyRuntime; /* wraps below it */
}

/* Is it a part of the interpreter that is on no heap: a small int, a character, the empty tuple,
 * None, a type that is built in? */
static inline bool ft_compat_is_static(PyObject *object)
{
    if (ft_compat_is_in_runtime(object))
        return true;
    if (PyType_Check(object))
        return (((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0;
    return object == Py_None || PyBool_Check(object) || object == Py_Ellipsis ||
           object == Py_NotImplemented;
}

/* Each object in the collector's lists, frozen ones too. PyUnstable_GC_VisitObjects is there from
 * 3.12 on, but leaves frozen objects out in 3.12 and the first of 3.13. visit gives 1 to go on, 0
 * to end. */
#if PY_VERSION_HEX >= 0x030E0000
static inline void ft_compat_each_tracked(int (*visit)(PyObject *, void *), void *context)
{
    PyUnstable_GC_VisitObjects(visit, context);
}
#else
static inline bool ft_compat_each_of_generation(struct gc_generation *generation,
                                                int (*visit)(PyObject *, void *), void *context)
{
    PyGC_Head *head = &generation->head;
    for (PyGC_Head *at = _PyGCHead_NEXT(head); at != head; at = _PyGCHead_NEXT(at))
        if (visit((PyObject *)(at + 1), context) == 0)
            return false;
    return true;
}

static inline void ft_compat_each_tracked(int (*visit)(PyObject *, void *), void *context)
{
    struct _gc_runtime_state *state = &PyInterpreterState_Get()->gc;
    bool go_on = true;
    for (int i = 0; go_on && i < NUM_GENERATIONS; i++)
        go_on = ft_compat_each_of_generation(&state->generations[i], visit, context);
    if (go_on)
        (void)ft_compat_each_of_generation(&state->permanent_generation, visit, context);
}
#endif

/* Has the collector's next object fetched while this one, which is tracked, is dealt with. */
static inline void ft_compat_fetch_next(PyObject *tracked)
{
    __builtin_prefetch((const void *)_PyGCHead_NEXT(_Py_AS_GC(tracked)));
}

static inline bool ft_compat_has_managed_dict(const PyTypeObject *type)
{
    return (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) != 0;
}

/* Bytes of an instance's attribute values within its own block, behind tp_basicsize: 3.13+. */
static inline size_t ft_compat_inline_bytes(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030D0000
    const PyTypeObject *type = Py_TYPE(object);
    if ((type->tp_flags & Py_TPFLAGS_INLINE_VALUES) == 0)
        return 0;
    size_t capacity = _PyObject_InlineValues(object)->capacity;
    return (capacity + 1) * sizeof(PyObject *) + _Py_SIZE_ROUND_UP(capacity, sizeof(PyObject *));
#else
    (void)object;
    return 0;
#endif
}

/* The block of an array of attribute values that lies outside its object. */
static inline ft_compat_block ft_compat_values_block(const PyDictValues *values,
                                                     const PyDictKeysObject *keys)
{
#if PY_VERSION_HEX >= 0x030D0000
    (void)keys;
    if (values->embedded)
        return (ft_compat_block){NULL, 0};
    size_t capacity = values->capacity;
    size_t order = _Py_SIZE_ROUND_UP(capacity, sizeof(PyObject *));
    return (ft_compat_block){values, (capacity + 1) * sizeof(PyObject *) + order};
#else
    /* A prefix of bytes says the order, and its last one how long it is: the room for values and 2
     * more, rounded up. Where the class's keys grew or shrank since, this is the most it can be. */
    size_t prefix = ((const uint8_t *)values)[-1];
    size_t room = (size_t)(keys->dk_nentries + keys->dk_usable);
    if (_Py_SIZE_ROUND_UP(room + 2, sizeof(PyObject *)) != prefix)
        room = prefix - 2;
    return (ft_compat_block){(const uint8_t *)values - prefix, prefix + room * sizeof(PyObject *)};
#endif
}

/* The attribute values of an instance that has no __dict__ (yet), or NULL. */
static inline const PyDictValues *ft_compat_instance_values(PyObject *object)
{
    assert(ft_compat_has_managed_dict(Py_TYPE(object)));
#if PY_VERSION_HEX >= 0x030D0000
    if ((Py_TYPE(object)->tp_flags & Py_TPFLAGS_INLINE_VALUES) == 0)
        return NULL;
    const PyDictValues *values = _PyObject_InlineValues(object);
    return values->valid ? values : NULL;
#elif PY_VERSION_HEX >= 0x030C0000
    PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
    return _PyDictOrValues_IsValues(either) ? _PyDictOrValues_GetValues(either) : NULL;
#else
    return *_PyObject_ValuesPointer(object);
#endif
}

/* Have instances of this type nothing but a managed __dict__ (and weak references)? */
static inline bool ft_compat_has_attributes_only(const PyTypeObject *type)
{
    Py_ssize_t bytes = (Py_ssize_t)sizeof(PyObject);
    if (type->tp_weaklistoffset > 0)
        bytes += (Py_ssize_t)sizeof(PyObject *);
    return ft_compat_has_managed_dict(type) && (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
           type->tp_itemsize == 0 && type->tp_basicsize == bytes;
}

/* How many attributes are set in an array of values. */
static inline uint32_t ft_compat_values_used(const PyDictValues *values)
{
#if PY_VERSION_HEX >= 0x030D0000
    return values->size;
#else
    return ((const uint8_t *)values)[-2];
#endif
}

/* Value number i of those, as many as its class has shared names. Borrowed; may be NULL. */
static inline PyObject *ft_compat_value(const PyDictValues *values, Py_ssize_t i)
{
    return values->values[i];
}

/* The block of the values above, where it is one of its own: until 3.12. */
static inline ft_compat_block ft_compat_instance_values_block(PyObject *object)
{
    const PyDictValues *values = ft_compat_instance_values(object);
    const PyHeapTypeObject *type = (const PyHeapTypeObject *)Py_TYPE(object);
    if (values == NULL || type->ht_cached_keys == NULL)
        return (ft_compat_block){NULL, 0};
    return ft_compat_values_block(values, type->ht_cached_keys);
}

/* Where an unmanaged __dict__ lies: tp_dictoffset from the front, or, negative, from the end. */
static inline PyObject *ft_compat_dict_at_offset(PyObject *object)
{
    const PyTypeObject *type = Py_TYPE(object);
    Py_ssize_t offset = type->tp_dictoffset;
    if (offset < 0) { /* behind the items */
        Py_ssize_t items = Py_SIZE(object) < 0 ? -Py_SIZE(object) : Py_SIZE(object);
        size_t end = (size_t)type->tp_basicsize + (size_t)items * (size_t)type->tp_itemsize;
        offset += (Py_ssize_t)_Py_SIZE_ROUND_UP(end, sizeof(PyObject *));
    }
    return offset <= 0 ? NULL : *(PyObject **)((char *)object + offset);
}

/* The __dict__ of an instance where it has one by now; never makes one. Borrowed. */
static inline PyObject *ft_compat_instance_dict(PyObject *object)
{
    if (!ft_compat_has_managed_dict(Py_TYPE(object)))
        return Py_TYPE(object)->tp_dictoffset == 0 ? NULL : ft_compat_dict_at_offset(object);
#if PY_VERSION_HEX >= 0x030D0000
    return (PyObject *)_PyObject_GetManagedDict(object);
#elif PY_VERSION_HEX >= 0x030C0000
    PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
    return _PyDictOrValues_IsValues(either) ? NULL : _PyDictOrValues_GetDict(either);
#else
    return *_PyObject_ManagedDictPointer(object);
#endif
}

/* Are its instances dicts, or (3.15) frozendicts? */
static inline bool ft_compat_is_dict_type(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030F0000
    if (PyType_IsSubtype(type, &PyFrozenDict_Type))
        return true;
#endif
    return PyType_HasFeature(type, Py_TPFLAGS_DICT_SUBCLASS);
}

/* The block of a table of keys. _PyDict_KeysSize is not exported. */
static inline ft_compat_block ft_compat_keys_block(const PyDictKeysObject *keys)
{
    if (keys->dk_log2_size == 0) /* the one of all empty dicts, which is static */
        return (ft_compat_block){NULL, 0};
    size_t entry =
        keys->dk_kind == DICT_KEYS_GENERAL ? 3 * sizeof(PyObject *) : 2 * sizeof(PyObject *);
    size_t usable = ((size_t)1 << keys->dk_log2_size) * 2 / 3;
    return (ft_compat_block){keys, sizeof *keys + ((size_t)1 << keys->dk_log2_index_bytes) +
                                       entry * usable};
}

/* The two blocks of a dict besides its own: keys, unless the dict shares them with its class, and
 * values, where they are split from them. */
static inline void ft_compat_dict_blocks(PyObject *object, ft_compat_block blocks[2])
{
    const PyDictObject *dict = (const PyDictObject *)object;
    bool shared = dict->ma_keys->dk_kind == DICT_KEYS_SPLIT;
    blocks[0] = shared ? (ft_compat_block){NULL, 0} : ft_compat_keys_block(dict->ma_keys);
    blocks[1] = dict->ma_values == NULL ? (ft_compat_block){NULL, 0}
                                        : ft_compat_values_block(dict->ma_values, dict->ma_keys);
}

/* Are its keys those that the instances of a class have in common? */
static inline bool ft_compat_shares_keys(PyObject *dict)
{
    return ((const PyDictObject *)dict)->ma_keys->dk_kind == DICT_KEYS_SPLIT;
}

/* The names that the instances of a class share; NULL when they share none. */
static inline const PyDictKeysObject *ft_compat_shared_keys(const PyTypeObject *type)
{
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0)
        return NULL;
    return ((const PyHeapTypeObject *)type)->ht_cached_keys;
}

static inline Py_ssize_t ft_compat_shared_count(const PyTypeObject *type)
{
    const PyDictKeysObject *keys = ft_compat_shared_keys(type);
    return keys == NULL ? 0 : keys->dk_nentries;
}

/* Name number i of those. Borrowed; may be NULL. */
static inline PyObject *ft_compat_shared_name(const PyTypeObject *type, Py_ssize_t i)
{
    const PyDictKeysObject *keys = ft_compat_shared_keys(type);
    assert(keys != NULL && i < keys->dk_nentries);
    const char *entries = keys->dk_indices + ((size_t)1 << keys->dk_log2_index_bytes);
    return ((const PyDictUnicodeEntry *)(const void *)entries)[i].me_key;
}

/* The frame of a generator, coroutine or asynchronous generator lies in it, and is of a length that
 * no field says: the slots of its code object; unknown (0) once it has ended. */
static inline size_t ft_compat_generator_slots(PyObject *object)
{
    const PyGenObject *generator = (const PyGenObject *)object;
    if (generator->gi_frame_state >= FRAME_CLEARED)
        return 0;
    const ft_frame *frame = (const ft_frame *)(const void *)&generator->gi_iframe;
    const PyCodeObject *code = ft_compat_frame_code(frame);
    return (size_t)code->co_nlocalsplus + (size_t)code->co_stacksize;
}

/* Digits of an int, in room for as many as it was made with. */
static inline size_t ft_compat_digits(PyObject *number)
{
#if PY_VERSION_HEX >= 0x030C0000
    return ((PyLongObject *)number)->long_value.lv_tag >> _PyLong_NON_SIZE_BITS;
#else
    Py_ssize_t digits = Py_SIZE(number);
    return (size_t)(digits < 0 ? -digits : digits);
#endif
}

/* The bytes of an int up to its first digit. */
static inline size_t ft_compat_digits_offset(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return offsetof(PyLongObject, long_value.ob_digit);
#else
    return offsetof(PyLongObject, ob_digit);
#endif
}

/* The characters of a str that lie outside it (subclasses of str). */
static inline ft_compat_block ft_compat_text_block(PyObject *text)
{
    const PyUnicodeObject *unicode = (const PyUnicodeObject *)text;
    if (PyUnicode_IS_COMPACT(text) || unicode->data.any == NULL)
        return (ft_compat_block){NULL, 0};
    size_t length = (size_t)PyUnicode_GET_LENGTH(text);
    return (ft_compat_block){unicode->data.any, (length + 1) * PyUnicode_KIND(text)};
}

/* The UTF-8 of a str that was asked for once and is kept beside it. */
static inline ft_compat_block ft_compat_utf8_block(PyObject *text)
{
    const PyCompactUnicodeObject *compact = (const PyCompactUnicodeObject *)text;
    if (PyUnicode_IS_COMPACT_ASCII(text) || compact->utf8 == NULL)
        return (ft_compat_block){NULL, 0};
    if (!PyUnicode_IS_COMPACT(text) && compact->utf8 == ((const PyUnicodeObject *)text)->data.any)
        return (ft_compat_block){NULL, 0};
    return (ft_compat_block){compact->utf8, (size_t)compact->utf8_length + 1};
}

/* The buffer of a bytearray: bytes of its own, from 3.15 on a bytes object. */
static inline ft_compat_block ft_compat_bytearray_block(PyObject *object)
{
    const PyByteArrayObject *array = (const PyByteArrayObject *)object;
    if (array->ob_alloc == 0)
        return (ft_compat_block){NULL, 0};
#if PY_VERSION_HEX >= 0x030F0000
    size_t header = offsetof(PyBytesObject, ob_sval) + 1;
    return (ft_compat_block){array->ob_bytes_object, header + (size_t)array->ob_alloc};
#else
    return (ft_compat_block){array->ob_bytes, (size_t)array->ob_alloc};
#endif
}

#endif
