/* SPDX-License-Identifier: Apache-2.0 */
/* formats.c: what can be said of files and exports without a recording. */
#include "glue/formats.h"

#include <stdbool.h>

#include "engine/export/exporter.h"
#include "engine/file/reader.h"

enum { HEAD_BYTES = 16 }; /* what ft_reader_is_fettle looks at */

static PyObject *is_fettle(PyObject *Py_UNUSED(module), PyObject *first_bytes)
{
    Py_buffer view;
    if (PyObject_GetBuffer(first_bytes, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    size_t length = view.len > HEAD_BYTES ? HEAD_BYTES : (size_t)view.len;
    bool is = ft_reader_is_fettle(view.buf, length);
    PyBuffer_Release(&view);
    return PyBool_FromLong(is);
}

static PyObject *exporters(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    PyObject *list = PyList_New(0);
    for (const ft_exporter *const *at = ft_exporters; *at != NULL && list != NULL; at++) {
        PyObject *row = Py_BuildValue(
            "(sssKKOO)", (*at)->name, (*at)->suffix, (*at)->description,
            (unsigned long long)(*at)->comfort.nodes, (unsigned long long)(*at)->comfort.frames,
            (*at)->has_lines ? Py_True : Py_False, (*at)->has_memory ? Py_True : Py_False);
        if (row == NULL || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyMethodDef functions[] = {
    {"is_fettle", is_fettle, METH_O,
     "is_fettle($module, first_bytes, /)\n--\n\nWhether a file that begins so is a recording."},
    {"exporters", exporters, METH_NOARGS,
     "exporters($module, /)\n--\n\n(name, suffix, description, nodes, frames, lines, memory) of "
     "each "
     "export format."},
    {NULL, NULL, 0, NULL}};

int ft_formats_add(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
