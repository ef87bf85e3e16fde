/* SPDX-License-Identifier: Apache-2.0 */
/* module.c: the extension module fettle._core. */
#include "glue/compat.h"

#include <stdlib.h>
#include <string.h>

#include "engine/record/heap.h"
#include "glue/bytecode/bytecode_type.h"
#include "glue/formats.h"
#include "glue/line_profiler.h"
#include "glue/objects/classes.h"
#include "glue/objects/size.h"
#include "glue/persist/value_codec.h"
#include "glue/probes/collections.h"
#include "glue/probes/line_marks.h"
#include "glue/probes/points.h"
#include "glue/probes/probes.h"
#include "glue/snapshots.h"
#include "glue/state.h"
#include "glue/timing/meter.h"
#include "glue/timing/statistics.h"
#include "glue/types/call_digests.h"
#include "glue/types/lookup_table.h"
#include "glue/types/memo.h"
#include "glue/types/profile.h"
#include "glue/types/recorder.h"
#include "glue/types/rewrite.h"
#include "glue/types/segments.h"
#include "glue/types/slot_default.h"
#include "glue/types/stats.h"
#include "glue/types/stopwatch.h"
#include "glue/types/store.h"
#include "glue/types/stored_function.h"
#include "glue/united_columns.h"

/* ---- record(directory, options) ---- */

static bool starts_with(PyObject *word, const char *prefix)
{
    PyObject *text = PyUnicode_FromString(prefix);
    int found = text == NULL ? -1 : (int)PyUnicode_Tailmatch(word, text, 0, PY_SSIZE_T_MAX, -1);
    Py_XDECREF(text);
    return found == 1;
}

static bool is_word(PyObject *word, const char *text)
{
    return PyUnicode_CompareWithASCIIString(word, text) == 0;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* What stands behind `lines=`: %20 is a blank, %25 a percent sign. */
static int add_selector(PyObject *word, ft_take_options *options)
{
    PyObject *encoded = PyUnicode_AsEncodedString(word, "utf-8", "surrogateescape");
    char *into = encoded == NULL ? NULL : PyMem_Malloc((size_t)PyBytes_GET_SIZE(encoded) + 1);
    if (into == NULL) {
        Py_XDECREF(encoded);
        if (PyErr_Occurred() == NULL)
            PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t used = 0;
    const char *from = PyBytes_AS_STRING(encoded);
    for (from += strlen("lines="); *from != '\0'; used++) {
        int high = from[0] == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        into[used] = low >= 0 ? (char)(high * 16 + low) : *from;
        from += low >= 0 ? 3 : 1;
    }
    PyObject *decoded = PyUnicode_DecodeUTF8(into, used, "surrogateescape");
    PyMem_Free(into);
    Py_DECREF(encoded);
    if (options->selectors == NULL)
        options->selectors = PyList_New(0);
    int result = decoded == NULL || options->selectors == NULL
                     ? -1
                     : PyList_Append(options->selectors, decoded);
    Py_XDECREF(decoded);
    return result;
}

static int parse_frames(PyObject *word, ft_take_options *options)
{
    const char *digits = PyUnicode_AsUTF8(word);
    char *end = NULL;
    unsigned long count = digits == NULL ? 0 : strtoul(digits + strlen("frames="), &end, 10);
    if (digits != NULL && *end == '\0' && count >= 1 && count <= FT_HEAP_FRAMES_MAX) {
        options->frames = (uint32_t)count;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "unknown recording option: %R", word);
    return -1;
}

/* One word of the options. 0, or -1 with an exception. */
static int parse_word(PyObject *word, ft_take_options *options)
{
    static const char nodes[] = "max-nodes=";
    if (is_word(word, "calls")) {
        options->calls = true;
        return 0;
    }
    if (is_word(word, "no-builtins")) {
        options->builtins = false;
        return 0;
    }
    if (is_word(word, "lines") || starts_with(word, "lines=")) {
        options->lines = options->marks = true;
        return is_word(word, "lines") ? 0 : add_selector(word, options);
    }
    if (is_word(word, "mem") || is_word(word, "mem=all") || is_word(word, "mem=sample")) {
        options->memory = true;
        options->sample = is_word(word, "mem=sample") ? FT_HEAP_SAMPLE_DEFAULT : 0;
        return 0;
    }
    if (starts_with(word, "frames="))
        return parse_frames(word, options);
    if (starts_with(word, nodes)) {
        const char *digits = PyUnicode_AsUTF8(word);
        char *end = NULL;
        unsigned long count = digits == NULL ? 0 : strtoul(digits + strlen(nodes), &end, 10);
        if (digits != NULL && *end == '\0' && count >= 1 && count <= UINT32_MAX / 2) {
            options->max_contexts = (uint32_t)count;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "unknown recording option: %R", word);
    return -1;
}

static int parse_options(PyObject *text, ft_take_options *options)
{
    PyObject *words = PyUnicode_Split(text, NULL, -1);
    int result = words == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(words); i++)
        result = parse_word(PyList_GET_ITEM(words, i), options);
    Py_XDECREF(words);
    options->calls = options->calls || !(options->lines || options->memory);
    return result;
}

static PyObject *stop_recording(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    ft_session_stop();
    Py_RETURN_NONE;
}

static PyMethodDef stop_method = {"stop", stop_recording, METH_NOARGS, NULL};

/* Ours is the first handler registered, so it runs last: the user's handlers are recorded. */
static int stop_at_exit(void)
{
    PyObject *atexit = PyImport_ImportModule("atexit");
    PyObject *stop = PyCFunction_New(&stop_method, NULL);
    PyObject *done =
        atexit == NULL || stop == NULL ? NULL : PyObject_CallMethod(atexit, "register", "O", stop);
    Py_XDECREF(atexit);
    Py_XDECREF(stop);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *core_record(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *directory, *text;
    ft_take_options options = {.builtins = true, .max_contexts = FT_MAX_CONTEXTS_DEFAULT};
    if (!PyArg_ParseTuple(args, "O&U", PyUnicode_FSConverter, &directory, &text))
        return NULL;
    const ft_probe *probe = &ft_probe_calls;
    int result = parse_options(text, &options);
#if !FT_HAS_MONITORING
    if (options.calls && !options.builtins)
        probe = &ft_probe_calls_python_only;
#endif
    if (result == 0)
        result = ft_session_launch(PyBytes_AS_STRING(directory), &options, probe);
    Py_DECREF(directory);
    Py_XDECREF(options.selectors);
    if (result < 0 || (result > 0 && stop_at_exit() < 0))
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(record_doc,
             "record(directory, options, /)\n--\n\n"
             "Record this process into a new arena in directory, from its main module on.");

static PyObject *core_leave_out(PyObject *module, PyObject *args)
{
    PyObject *filename;
    int blocks = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "U|p:leave_out", &filename, &blocks))
        return NULL;
    if (ft_session_leave_out_file(filename, blocks != 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(leave_out_doc,
             "leave_out(filename, blocks=False, /)\n--\n\n"
             "Functions of this file are not recorded: their time and calls are their callers',\n"
             "and with blocks what they themselves allocate is nobody's.");

static PyObject *core_mark(PyObject *module, PyObject *object)
{
    (void)module;
    if (ft_line_marks_mark(object) < 0)
        return NULL;
    return Py_NewRef(object);
}

PyDoc_STRVAR(mark_doc,
             "mark(object, /)\n--\n\n"
             "Mark a function, or the functions of a method, property, partial or class, for the\n"
             "line profile, and give the object itself back, whatever it is: what has no lines,\n"
             "as a function in C, has none marked.");

static PyObject *core_point(PyObject *module, PyObject *name)
{
    (void)module;
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "a point's name is a str");
        return NULL;
    }
    ft_point_mark(name);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(point_doc,
             "point(name, /)\n--\n\n"
             "A named point of every recording of memory that is on: what is alive now,\n"
             "to compare with, as in `fettle diff app@loaded app@end`. While no memory is\n"
             "recorded it does nothing. TypeError for a name that is no str.");

static PyMethodDef core_methods[] = {
    {"record", core_record, METH_VARARGS, record_doc},
    {"leave_out", core_leave_out, METH_VARARGS, leave_out_doc},
    {"mark", core_mark, METH_O, mark_doc},
    {"point", core_point, METH_O, point_doc},
    {"encode", ft_core_encode, METH_O, ft_core_encode_doc},
    {"decode", ft_core_decode, METH_VARARGS, ft_core_decode_doc},
    {"encoded_pickled", ft_core_encoded_pickled, METH_O, ft_core_encoded_pickled_doc},
    {"sizeof", ft_core_sizeof, METH_VARARGS, ft_core_sizeof_doc},
    {"census", ft_core_census, METH_NOARGS, ft_core_census_doc},
    {"made_alike", ft_core_made_alike, METH_VARARGS, ft_core_made_alike_doc},
    {"learned", ft_core_learned, METH_O, ft_core_learned_doc},
    {"end_with", ft_core_end_with, METH_O, ft_core_end_with_doc},
    {"digest", (PyCFunction)(void (*)(void))ft_core_digest, METH_VARARGS | METH_KEYWORDS,
     ft_core_digest_doc},
    {"read_lprof", ft_line_profiler_read, METH_O, ft_line_profiler_read_doc},
    {"write_lprof", ft_line_profiler_write, METH_VARARGS, ft_line_profiler_write_doc},
    {"read_segments", ft_segments_read, METH_O, ft_segments_read_doc},
    {"load_lprof", ft_line_profiler_load, METH_O, ft_line_profiler_load_doc},
    {"read_snapshot", ft_snapshots_read, METH_O, ft_snapshots_read_doc},
    {"write_snapshot", ft_snapshots_write, METH_VARARGS, ft_snapshots_write_doc},
    {"describe", (PyCFunction)(void (*)(void))ft_core_describe, METH_VARARGS | METH_KEYWORDS,
     ft_core_describe_doc},
    {"compare", (PyCFunction)(void (*)(void))ft_core_compare, METH_VARARGS | METH_KEYWORDS,
     ft_core_compare_doc},
    {"trend", ft_core_trend, METH_O, ft_core_trend_doc},
#if !FT_HAS_MONITORING
    {"_rewrite", ft_core_rewrite, METH_VARARGS, ft_rewrite_doc},
#endif
    {NULL, NULL, 0, NULL},
};

/* ---- the module ---- */

static int core_exec(PyObject *module)
{
    ft_module_state *state = PyModule_GetState(module);
    ft_take_start_clock();
    ft_session_leave_out(core_methods);
    ft_collections_prepare();
    if (ft_profile_type_add(module, state) < 0 || ft_stats_type_add(module, state) < 0 ||
        ft_recorder_type_add(module, state) < 0 || ft_slot_default_type_add(module, state) < 0 ||
        ft_memo_type_add(module, state) < 0 || ft_lookup_table_type_add(module, state) < 0 ||
        ft_store_type_add(module, state) < 0 || ft_stored_function_type_add(module, state) < 0 ||
        ft_call_plan_type_add(module, state) < 0 || ft_meter_type_add(module, state) < 0 ||
        ft_statistics_add(module, state) < 0 || ft_stopwatch_type_add(module, state) < 0 ||
        ft_bytecode_type_add(module, state) < 0 || ft_united_columns_add(module, state) < 0 ||
        ft_formats_add(module) < 0)
        return -1;
    return ft_profiler_type_add(module, state);
}

static int core_traverse(PyObject *module, visitproc visit, void *arg)
{
    return ft_module_state_traverse(PyModule_GetState(module), visit, arg);
}

static int core_clear(PyObject *module)
{
    ft_module_state_clear(PyModule_GetState(module));
    return 0;
}

static void core_free(void *module)
{
    ft_module_state_clear(PyModule_GetState(module));
}

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, (void *)core_exec},
#if FT_HAS_MONITORING
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static PyModuleDef core_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "fettle._core",
    .m_doc = "The C core of fettle.",
    .m_size = sizeof(ft_module_state),
    .m_methods = core_methods,
    .m_slots = core_slots,
    .m_traverse = core_traverse,
    .m_clear = core_clear,
    .m_free = core_free,
};

ft_module_state *ft_module_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &core_module);
    return module == NULL ? NULL : PyModule_GetState(module);
}

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&core_module);
}
