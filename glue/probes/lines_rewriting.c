/* SPDX-License-Identifier: Apache-2.0 */
/* lines_rewriting.c: lines through rewritten code objects, CPython 3.11.
 *
 * A watched function runs a copy of its code with sites in it. There is one copy of a code object,
 * made when the first function that has it is watched; when nobody watches the code any more, its
 * functions get back what they had. What a selection means is rewritten where modules are
 * executed, and the functions made there keep their sites. */
#include "glue/probes/line_marks.h"

#if !FT_HAS_MONITORING

#include "glue/compat_objects.h"
#include "glue/probes/executions.h"
#include "glue/probes/line_sites.h"

/* By the address of the code object: (it, its copy, the functions that run the copy). The functions
 * are the keys of a dict, weak references that take themselves out. Strong; NULL: none yet. */
static PyObject *copies;

/* Entries that were taken out of copies. Strong: a list, or NULL. */
static PyObject *kept;

enum { ENTRY_CODE, ENTRY_COPY, ENTRY_FUNCTIONS };

static PyObject *key_of(const PyCodeObject *code)
{
    return PyLong_FromVoidPtr((void *)(uintptr_t)code);
}

/* ---- functions ---- */

PyCodeObject *ft_line_probe_code(PyFunctionObject *function)
{
    PyCodeObject *code = (PyCodeObject *)function->func_code;
    PyCodeObject *original = ft_line_sites_original(code);
    return original != NULL ? original : code;
}

/* A new reference to the entry of a code object, made if need be; NULL with an exception. */
static PyObject *find_copy(PyCodeObject *code)
{
    if (copies == NULL)
        copies = PyDict_New();
    PyObject *key = copies == NULL ? NULL : key_of(code);
    PyObject *entry = key == NULL ? NULL : PyDict_GetItemWithError(copies, key);
    Py_XINCREF(entry);
    if (key == NULL || entry != NULL || PyErr_Occurred())
        goto done;
    PyCodeObject *copy = ft_line_sites_rewrite(code);
    PyObject *functions = PyDict_New();
    if (copy != NULL && functions != NULL)
        entry = PyTuple_Pack(3, (PyObject *)code, (PyObject *)copy, functions);
    Py_XDECREF(copy);
    Py_XDECREF(functions);
    if (entry != NULL && PyDict_SetItem(copies, key, entry) < 0)
        Py_CLEAR(entry);
done:
    Py_XDECREF(key);
    return entry;
}

/* The weak reference pops itself out of functions when the function dies. */
static int add_function(PyObject *functions, PyFunctionObject *function)
{
    PyObject *pop = PyObject_GetAttrString(functions, "pop");
    PyObject *reference = pop == NULL ? NULL : PyWeakref_NewRef((PyObject *)function, pop);
    int result = reference == NULL ? -1 : PyDict_SetItem(functions, reference, Py_None);
    Py_XDECREF(pop);
    Py_XDECREF(reference);
    return result;
}

int ft_line_probe_adopt(PyFunctionObject *function)
{
    PyCodeObject *code = (PyCodeObject *)function->func_code;
    if (ft_line_sites_original(code) != NULL)
        return 0;
    PyObject *entry = find_copy(code);
    if (entry == NULL)
        return -1;
    int result = 0;
    if (PyTuple_GET_ITEM(entry, ENTRY_COPY) != (PyObject *)code)
        result = add_function(PyTuple_GET_ITEM(entry, ENTRY_FUNCTIONS), function);
    if (result == 0)
        ft_compat_set_function_code(function, (PyCodeObject *)PyTuple_GET_ITEM(entry, ENTRY_COPY));
    Py_DECREF(entry);
    return result;
}

static void give_back(PyObject *entry)
{
    PyObject *reference, *value;
    for (Py_ssize_t at = 0;
         PyDict_Next(PyTuple_GET_ITEM(entry, ENTRY_FUNCTIONS), &at, &reference, &value);) {
        PyFunctionObject *function = (PyFunctionObject *)ft_compat_weakly(reference);
        if (function != NULL && function->func_code == PyTuple_GET_ITEM(entry, ENTRY_COPY))
            ft_compat_set_function_code(function,
                                        (PyCodeObject *)PyTuple_GET_ITEM(entry, ENTRY_CODE));
        Py_XDECREF(function);
    }
}

/* ---- code ---- */

int ft_line_probe_watch(PyCodeObject *code)
{
    (void)code; /* there is nothing to do before a function has it */
    return 0;
}

void ft_line_probe_unwatch(PyCodeObject *code)
{
    ft_compat_error error;
    ft_compat_error_save(&error);
    PyObject *key = copies == NULL ? NULL : key_of(code);
    PyObject *entry = key == NULL ? NULL : PyDict_GetItemWithError(copies, key);
    if (entry != NULL) {
        Py_INCREF(entry);
        if (kept == NULL)
            kept = PyList_New(0);
        if (kept == NULL || PyList_Append(kept, entry) < 0)
            Py_INCREF(entry); /* it stays for ever */
        if (PyDict_DelItem(copies, key) == 0)
            give_back(entry);
        PyDict_Clear(
            PyTuple_GET_ITEM(entry, ENTRY_FUNCTIONS)); /* its references know it: a cycle */
        Py_DECREF(entry);
    }
    Py_XDECREF(key);
    PyErr_Clear();
    ft_compat_error_restore(&error);
}

void ft_line_probe_let_go(void)
{
    Py_CLEAR(kept);
}

bool ft_line_probe_has_hooks(void)
{
    return true;
}

/* ---- selections ---- */

static PyCodeObject *on_execution(PyCodeObject *code, PyObject *globals)
{
    if (!ft_line_marks_offer(code, globals))
        return (PyCodeObject *)Py_NewRef((PyObject *)code);
    return ft_line_sites_rewrite_watched(code);
}

/* Are these the globals of a module that is imported? */
static bool is_imported(PyObject *globals)
{
    PyObject *name = PyDict_GetItemString(globals, "__name__");
    PyObject *modules = PyImport_GetModuleDict();
    if (name == NULL || !PyUnicode_CheckExact(name) || modules == NULL || !PyDict_Check(modules))
        return false;
    PyObject *module = PyDict_GetItem(modules, name);
    return module != NULL && PyModule_Check(module) && PyModule_GetDict(module) == globals;
}

/* Adds it to a list, which makes no object that the collector knows. */
static int add_if_function(PyObject *object, void *functions)
{
    return !PyFunction_Check(object) || PyList_Append(functions, object) == 0;
}

/* Functions of modules that were imported before. Others may be anybody's, or garbage. */
int ft_line_probe_select_anew(void)
{
    PyObject *functions = PyList_New(0);
    if (functions == NULL)
        return -1;
    ft_compat_each_tracked(add_if_function, functions);
    int result = PyErr_Occurred() != NULL ? -1 : 0, held = ft_compat_hold_collector();
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(functions); i++) {
        PyFunctionObject *function = (PyFunctionObject *)PyList_GET_ITEM(functions, i);
        if (!is_imported(function->func_globals))
            continue;
        if (ft_line_marks_offer(ft_line_probe_code(function), function->func_globals))
            result = ft_line_probe_adopt(function);
    }
    ft_compat_release_collector(held);
    Py_DECREF(functions);
    return result;
}

int ft_line_probe_adjust(bool in_use, bool selecting)
{
    return ft_executions_watch(in_use && selecting ? on_execution : NULL);
}

#endif /* !FT_HAS_MONITORING */
