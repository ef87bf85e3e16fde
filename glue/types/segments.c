/* SPDX-License-Identifier: Apache-2.0 */
/* segments.c: reads a file whose segments are runs of one program, each as a Profile of its own.
 *
 * Profile.read() gives the sum of all segments of a file. Who compares runs needs them apart; the
 * reader sees each as a file, so that what one holds can not reach into another. A torn end is told
 * of by Profile.read(), and what stands before it is read here as there. */
#include "glue/types/segments.h"

#include "engine/file/chunk.h"
#include "engine/file/load.h"
#include "engine/file/reader.h"
#include "glue/convert.h"
#include "glue/types/profile.h"

#define FILE_BYTES_MAX (UINT64_C(4) << 30) /* as of one recording */

/* An empty one takes a hundred times the memory of its header in the file. */
enum { SEGMENTS_MAX = 1 << 16 };

/* The first of these bytes as a new Profile, or NULL with an exception. */
static PyObject *make_one(const ft_module_state *state, const uint8_t *bytes, size_t length,
                          PyObject *path)
{
    ft_profile *profile;
    ft_reader_report report;
    ft_status status;
    PyObject *result = ft_profile_object_new(state, &profile);
    if (result == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS /* nobody else has the Profile */
    status = ft_reader_read(bytes, length, profile, &report);
    Py_END_ALLOW_THREADS
    if (status != FT_OK) {
        Py_DECREF(result);
        return ft_convert_error(state, status, 0, path);
    }
    if (report.ended)
        ft_profile_object_end(result);
    return result;
}

/* Whether the bytes begin with a whole header: of a torn one nothing can be read. */
static bool is_begun(const uint8_t *bytes, size_t length)
{
    bool torn;
    return length > 0 && ft_header_get(bytes, length, &torn) == FT_OK && !torn;
}

static PyObject *make_all(const ft_module_state *state, const ft_load *file, PyObject *path)
{
    PyObject *result = PyList_New(0);
    size_t at = 0;
    while (result != NULL && is_begun(file->bytes + at, file->length - at)) {
        if (PyList_GET_SIZE(result) == SEGMENTS_MAX) {
            Py_DECREF(result);
            return ft_convert_error(state, FT_ERR_LIMIT, 0, path);
        }
        size_t length = ft_reader_segment_bytes(file->bytes + at, file->length - at);
        PyObject *one = make_one(state, file->bytes + at, length, path);
        if (one == NULL || PyList_Append(result, one) < 0)
            Py_CLEAR(result);
        Py_XDECREF(one);
        at += length;
    }
    return result;
}

const char ft_segments_read_doc[] = "read_segments(path, /)\n--\n\nThe recordings of a file that "
                                    "were written one after the other, each as a Profile; "
                                    "Profile.read() gives their sum. OSError, FileError, "
                                    "MemoryError.";

PyObject *ft_segments_read(PyObject *module, PyObject *path)
{
    const ft_module_state *state = PyModule_GetState(module);
    PyObject *name, *result = NULL;
    ft_status status;
    ft_load file;
    int number;
    if (!PyUnicode_FSConverter(path, &name))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = ft_load_file(&file, &ft_mem_system, PyBytes_AS_STRING(name), FILE_BYTES_MAX,
                          ft_reader_is_fettle, &number);
    Py_END_ALLOW_THREADS
    Py_DECREF(name);
    if (status != FT_OK)
        return ft_convert_error(state, status, number, path);
    result = make_all(state, &file, path);
    ft_load_fini(&file);
    return result;
}
