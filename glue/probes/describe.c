/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c: what a function is called in the tables (see describe.h). */
#include "glue/probes/describe.h"

#include <string.h>

#include "engine/model/code.h"
#include "glue/probes/coroutines.h"

enum { FILE_TEXT, NAME_TEXT, QUALNAME_TEXT };

/* Text `at` becomes the str's UTF-8; what UTF-8 has no bytes for is spelled \uXXXX. */
static int set_text(ft_description *description, int at, PyObject *text)
{
    Py_ssize_t length = 0;
    const char *bytes = NULL;
    if (PyUnicode_Check(text))
        bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (bytes != NULL) {
        description->owned[at] = Py_NewRef(text);
    } else {
        PyErr_Clear(); /* a lone surrogate, or a name that is no str */
        PyObject *encoded = PyUnicode_Check(text)
                                ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace")
                                : NULL;
        if (encoded == NULL)
            return -1;
        description->owned[at] = encoded;
        bytes = PyBytes_AS_STRING(encoded);
        length = PyBytes_GET_SIZE(encoded);
    }
    description->function.texts[at] = bytes;
    description->function.lengths[at] = (size_t)length;
    return 0;
}

int ft_describe_python(PyCodeObject *code, ft_description *description)
{
    *description = (ft_description){.function = {.key = code, .kind = FT_CODE_PYTHON}};
    description->function.line = code->co_firstlineno > 0 ? (uint32_t)code->co_firstlineno : 0;
    if (set_text(description, FILE_TEXT, code->co_filename) < 0 ||
        set_text(description, NAME_TEXT, code->co_name) < 0 ||
        set_text(description, QUALNAME_TEXT, ft_compat_qualname(code)) < 0)
        return -1;
    description->function.flags = ft_coroutines_flags(code);
    description->keeper = Py_NewRef((PyObject *)code);
    return 0;
}

static bool is_descriptor_of(PyObject *found, const PyMethodDef *method)
{
    return found != NULL &&
           (Py_IS_TYPE(found, &PyMethodDescr_Type) ||
            Py_IS_TYPE(found, &PyClassMethodDescr_Type)) &&
           ((PyMethodDescrObject *)found)->d_method == method;
}

/* The descriptor of method among the type's bases, or NULL. Borrowed: its type keeps it. */
static PyObject *find_descriptor(PyTypeObject *type, const PyMethodDef *method)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *base = PyTuple_GET_ITEM(mro, i);
        PyObject *names = PyType_Check(base) ? ft_compat_type_dict((PyTypeObject *)base) : NULL;
        PyObject *found = names == NULL ? NULL : PyDict_GetItemString(names, method->ml_name);
        Py_XDECREF(names);
        if (is_descriptor_of(found, method))
            return found;
    }
    return NULL;
}

static PyObject *descriptor_label(PyObject *descriptor, const PyMethodDef *method)
{
    PyTypeObject *owner = ((PyMethodDescrObject *)descriptor)->d_common.d_type;
    return PyUnicode_FromFormat("<method '%s' of '%s' objects>", method->ml_name, owner->tp_name);
}

static PyObject *function_label(const PyMethodDef *method, PyCFunctionObject *function)
{
    PyObject *self = function->m_self, *module = function->m_module;
    if (self != NULL && PyType_Check(self) && strcmp(method->ml_name, "__new__") == 0)
        return PyUnicode_FromString("<built-in method __new__ of type object>");
    if (self != NULL && !PyModule_Check(self)) {
        PyObject *descriptor = find_descriptor(Py_TYPE(self), method);
        if (descriptor != NULL)
            return descriptor_label(descriptor, method);
    }
    const char *kind = self == NULL ? "" : "built-in method ";
    if (module != NULL && PyUnicode_Check(module) &&
        (self != NULL || PyUnicode_CompareWithASCIIString(module, "builtins") != 0))
        return PyUnicode_FromFormat("<%s%U.%s>", kind, module, method->ml_name);
    return PyUnicode_FromFormat("<%s%s>", kind, method->ml_name);
}

/* What has to live for the PyMethodDef not to become another function's: never an instance of the
 * user's, whose life would be prolonged. */
static PyObject *keeper_of(PyObject *callable)
{
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type))
        return callable;
    PyObject *self = ((PyCFunctionObject *)callable)->m_self;
    if (self == NULL)
        return callable;
    if (PyModule_Check(self) || PyType_Check(self) || PyCapsule_CheckExact(self))
        return self;
    return (PyObject *)Py_TYPE(self);
}

int ft_describe_c(const PyMethodDef *method, PyObject *callable, ft_description *description)
{
    *description = (ft_description){.function = {.key = method, .kind = FT_CODE_C}};
    PyObject *label = Py_IS_TYPE(callable, &PyMethodDescr_Type)
                          ? descriptor_label(callable, method)
                          : function_label(method, (PyCFunctionObject *)callable);
    if (label == NULL)
        return -1;
    int result = set_text(description, NAME_TEXT, label);
    Py_DECREF(label);
    if (result < 0)
        return -1;
    description->function.texts[FILE_TEXT] = "~";
    description->function.lengths[FILE_TEXT] = 1;
    description->function.texts[QUALNAME_TEXT] = description->function.texts[NAME_TEXT];
    description->function.lengths[QUALNAME_TEXT] = description->function.lengths[NAME_TEXT];
    description->function.flags = FT_CODE_IS_C;
    if (strcmp(method->ml_name, "setprofile") == 0)
        description->function.flags |= FT_CODE_TAKES_HOOK;
    description->keeper = Py_NewRef(keeper_of(callable));
    return 0;
}

/* sys.orig_argv as one text, words joined by NUL: a new reference, or NULL. */
static PyObject *command(void)
{
    PyObject *words = PySys_GetObject("orig_argv");
    PyObject *nul = PyUnicode_FromOrdinal(0);
    PyObject *joined = words == NULL || nul == NULL ? NULL : PyUnicode_Join(nul, words);
    PyObject *bytes =
        joined == NULL ? NULL : PyUnicode_AsEncodedString(joined, "utf-8", "backslashreplace");
    Py_XDECREF(nul);
    Py_XDECREF(joined);
    return bytes;
}

/* Without memory a property is missing: that is no reason not to record. */
void ft_describe_process(ft_recording *recording)
{
    const char *version = Py_GetVersion();
    (void)ft_recording_set_property(recording, "python", version, strcspn(version, " "));
    PyObject *bytes = command();
    if (bytes != NULL)
        (void)ft_recording_set_property(recording, "command", PyBytes_AS_STRING(bytes),
                                        (size_t)PyBytes_GET_SIZE(bytes));
    Py_XDECREF(bytes);
    PyErr_Clear();
}

void ft_description_fini(ft_description *description)
{
    for (int i = 0; i < 3; i++)
        Py_CLEAR(description->owned[i]);
}
