/* SPDX-License-Identifier: Apache-2.0 */
/* line_profiler.c: line_profiler's files (see line_profiler.h): read into and written from what
 * its LineStats holds, or loaded as a Profile.
 *
 * Numbers are never changed between a file and LineStats; a Profile has nanoseconds. Texts are
 * UTF-8 with "surrogatepass", as Python pickles them. */
#include "glue/line_profiler.h"

#include "engine/export/lprof.h"
#include "engine/file/load.h"
#include "engine/file/lprof_reader.h"
#include "glue/convert.h"
#include "glue/types/profile.h"

/* ---- reading ---- */

typedef struct reading {
    ft_timings timings;
    ft_pickle_fault fault;
    int number; /* errno, for FT_ERR_IO */
} reading;

/* No GIL is held. */
static ft_status read_path(reading *to, const char *path)
{
    ft_load file;
    ft_status status = ft_load_file(&file, to->timings.mem, path, FT_PICKLE_BYTES_MAX,
                                    ft_pickle_is_pickle, &to->number);
    if (status != FT_OK)
        return status;
    status = ft_lprof_reader_read(file.bytes, file.length, &to->timings, &to->fault);
    ft_load_fini(&file);
    return status;
}

/* bytes are the content of a file, anything else its path. 0, or -1 with an exception; to is for
 * ft_timings_fini in any case. */
static int read_source(const ft_module_state *state, PyObject *source, reading *to)
{
    *to = (reading){.number = 0};
    ft_status status = ft_timings_init(&to->timings, &ft_mem_system);
    const bool is_content = PyBytes_Check(source);
    PyObject *path = is_content ? Py_None : source, *name = NULL;
    if (status == FT_OK && !is_content && !PyUnicode_FSConverter(path, &name))
        return -1;
    if (status == FT_OK) {
        Py_BEGIN_ALLOW_THREADS
        if (name != NULL)
            status = read_path(to, PyBytes_AS_STRING(name));
        else
            status =
                ft_lprof_reader_read((const uint8_t *)PyBytes_AS_STRING(source),
                                     (size_t)PyBytes_GET_SIZE(source), &to->timings, &to->fault);
        Py_END_ALLOW_THREADS
    }
    Py_XDECREF(name);
    if (status == FT_OK)
        return 0;
    ft_convert_fault(state, status, to->number, path, to->fault.text);
    return -1;
}

/* ---- timings to objects ---- */

static PyObject *decode(const ft_timings *timings, uint32_t id)
{
    ft_text text = ft_strtab_get(&timings->texts, id);
    return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, "surrogatepass");
}

static PyObject *make_key(const ft_timings *timings, const ft_timed *function)
{
    PyObject *file = decode(timings, function->file), *name = decode(timings, function->name);
    PyObject *key = file == NULL || name == NULL
                        ? NULL
                        : Py_BuildValue("(OLO)", file, (long long)function->line, name);
    Py_XDECREF(file);
    Py_XDECREF(name);
    return key;
}

static PyObject *make_rows(const ft_timings *timings, const ft_timed *function)
{
    PyObject *rows = PyList_New((Py_ssize_t)function->count);
    for (uint32_t i = 0; i < function->count && rows != NULL; i++) {
        const ft_timing *line = &timings->lines[function->first + i];
        PyObject *row = Py_BuildValue("(LLL)", (long long)line->line, (long long)line->hits,
                                      (long long)line->time);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, (Py_ssize_t)i, row);
    }
    return rows;
}

/* {(file, line, name): [(line, hits, time), ...]}; of equal keys the last one counts. */
static PyObject *make_dict(const ft_timings *timings)
{
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; i < timings->function_count && dict != NULL; i++) {
        PyObject *key = make_key(timings, &timings->functions[i]);
        PyObject *rows = key == NULL ? NULL : make_rows(timings, &timings->functions[i]);
        if (rows == NULL || PyDict_SetItem(dict, key, rows) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(rows);
    }
    return dict;
}

/* A text of the file may be none of Python's: the file is damaged then. Always NULL. */
static PyObject *fail_dict(const ft_module_state *state, PyObject *source, reading *from)
{
    if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return NULL;
    PyErr_Clear();
    return ft_convert_fault(state, FT_ERR_CORRUPT, from->number,
                            PyBytes_Check(source) ? Py_None : source, "a text that is no UTF-8");
}

const char ft_line_profiler_read_doc[] = "read_lprof(source, /)\n--\n\nReads a file of "
                                         "line_profiler's, or its bytes, without unpickling "
                                         "it: (timings, unit). OSError, FileError, MemoryError.";

PyObject *ft_line_profiler_read(PyObject *module, PyObject *source)
{
    const ft_module_state *state = PyModule_GetState(module);
    PyObject *result = NULL;
    reading from;
    if (read_source(state, source, &from) == 0) {
        PyObject *dict = make_dict(&from.timings);
        if (dict == NULL)
            fail_dict(state, source, &from);
        else
            result = Py_BuildValue("(Nd)", dict, from.timings.unit);
    }
    ft_timings_fini(&from.timings);
    return result;
}

const char ft_line_profiler_load_doc[] = "load_lprof(path, /)\n--\n\nReads a file of "
                                         "line_profiler's as a Profile that holds lines only. "
                                         "OSError, FileError, MemoryError.";

PyObject *ft_line_profiler_load(PyObject *module, PyObject *path)
{
    const ft_module_state *state = PyModule_GetState(module);
    PyObject *result = NULL;
    reading from;
    ft_profile *profile;
    if (read_source(state, path, &from) == 0)
        result = ft_profile_object_new(state, &profile);
    if (result != NULL) {
        ft_status status;
        ft_profile_object_end(result);
        Py_BEGIN_ALLOW_THREADS /* nobody else has the Profile */
        status = ft_lprof_reader_add(profile, &from.timings);
        Py_END_ALLOW_THREADS
        if (status == FT_ERR_CORRUPT)
            ft_convert_fault(state, FT_ERR_CORRUPT, from.number, path, "a unit that is no time");
        else if (status != FT_OK)
            ft_convert_fault(state, status, from.number, path, from.fault.text);
        if (status != FT_OK)
            Py_CLEAR(result);
    }
    ft_timings_fini(&from.timings);
    return result;
}

/* ---- objects to timings ---- */

static int refuse_shape(void)
{
    PyErr_SetString(PyExc_TypeError, "write_lprof() takes a dictionary of lists, {(file, line, "
                                     "name): [(line, hits, time), ...]}, and a unit: texts and "
                                     "integers.");
    return -1;
}

static int fail_write(const ft_module_state *state, ft_status status)
{
    ft_convert_error(state, status, 0, NULL);
    return -1;
}

static int take_int(PyObject *number, int64_t *value)
{
    if (!PyLong_Check(number))
        return refuse_shape();
    *value = PyLong_AsLongLong(number);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static int take_text(const ft_module_state *state, PyObject *text, ft_timings *to, uint32_t *id)
{
    if (!PyUnicode_Check(text))
        return refuse_shape();
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (bytes == NULL)
        return -1;
    ft_status status =
        ft_strtab_intern(&to->texts, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes), id);
    Py_DECREF(bytes);
    return status == FT_OK ? 0 : fail_write(state, status);
}

static bool is_three(PyObject *object)
{
    return PyTuple_Check(object) && PyTuple_GET_SIZE(object) == 3;
}

static int take_line(const ft_module_state *state, PyObject *row, ft_timings *to)
{
    ft_timing line;
    if (!is_three(row))
        return refuse_shape();
    if (take_int(PyTuple_GET_ITEM(row, 0), &line.line) < 0 ||
        take_int(PyTuple_GET_ITEM(row, 1), &line.hits) < 0 ||
        take_int(PyTuple_GET_ITEM(row, 2), &line.time) < 0)
        return -1;
    ft_status status = ft_timings_add_line(to, &line);
    return status == FT_OK ? 0 : fail_write(state, status);
}

static int take_function(const ft_module_state *state, PyObject *key, PyObject *rows,
                         ft_timings *to)
{
    uint32_t file, name;
    int64_t line;
    if (!is_three(key) || !PyList_Check(rows))
        return refuse_shape();
    if (take_text(state, PyTuple_GET_ITEM(key, 0), to, &file) < 0 ||
        take_int(PyTuple_GET_ITEM(key, 1), &line) < 0 ||
        take_text(state, PyTuple_GET_ITEM(key, 2), to, &name) < 0)
        return -1;
    ft_status status = ft_timings_add_function(to, file, line, name);
    if (status != FT_OK)
        return fail_write(state, status);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); i++)
        if (take_line(state, PyList_GET_ITEM(rows, i), to) < 0)
            return -1;
    return 0;
}

static PyObject *write_bytes(const ft_module_state *state, const ft_timings *timings)
{
    ft_buf out;
    ft_buf_init(&out, &ft_mem_system);
    return ft_convert_bytes(state, ft_lprof_write(timings, &out), &out);
}

const char ft_line_profiler_write_doc[] =
    "write_lprof(timings, unit, /)\n--\n\nThe bytes of a file that line_profiler reads. TypeError, "
    "OverflowError past 64 bits, MemoryError.";

PyObject *ft_line_profiler_write(PyObject *module, PyObject *args)
{
    const ft_module_state *state = PyModule_GetState(module);
    PyObject *dict, *key, *rows, *result = NULL;
    Py_ssize_t at = 0;
    double unit;
    ft_timings to;
    int taken = 0;
    if (!PyArg_ParseTuple(args, "O!d:write_lprof", &PyDict_Type, &dict, &unit))
        return NULL;
    ft_status status = ft_timings_init(&to, &ft_mem_system);
    if (status != FT_OK)
        return ft_convert_error(state, status, 0, NULL);
    to.unit = unit;
    /* From here no code of the user's runs: the types are exact as far as they are asked. */
    while (taken == 0 && PyDict_Next(dict, &at, &key, &rows))
        taken = take_function(state, key, rows, &to);
    if (taken == 0)
        result = write_bytes(state, &to);
    ft_timings_fini(&to);
    return result;
}
