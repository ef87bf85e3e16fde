/* SPDX-License-Identifier: Apache-2.0 */
/* known_types.c: see known_types.h. */
#include "glue/persist/known_types.h"

static const char *const places[FT_KNOWN_REDUCERS + 1][2] = {
    [FT_KNOWN_ENUM_META] = {"enum", "EnumMeta"},
    [FT_KNOWN_PURE_PATH] = {"pathlib", "PurePath"},
    [FT_KNOWN_FRACTION] = {"fractions", "Fraction"},
    [FT_KNOWN_UUID] = {"uuid", "UUID"},
    [FT_KNOWN_ARRAY] = {"array", "array"},
    [FT_KNOWN_NDARRAY] = {"numpy", "ndarray"},
    [FT_KNOWN_SCALAR] = {"numpy", "generic"},
    [FT_KNOWN_MEMMAP] = {"numpy", "memmap"},
    [FT_KNOWN_DTYPE] = {"numpy", "dtype"},
    [FT_KNOWN_SERIES] = {"pandas", "Series"},
    [FT_KNOWN_FRAME] = {"pandas", "DataFrame"},
    [FT_KNOWN_REDUCERS] = {"copyreg", "dispatch_table"},
};

static const char *const words[FT_WORD_PROTOCOL] = {
    [FT_WORD_MODULE] = "__module__",
    [FT_WORD_QUALNAME] = "__qualname__",
    [FT_WORD_REDUCE_EX] = "__reduce_ex__",
    [FT_WORD_DTYPE] = "dtype",
    [FT_WORD_SHAPE] = "shape",
    [FT_WORD_TOBYTES] = "tobytes",
    [FT_WORD_NAME] = "_name_",
};

/* The words are after what is looked for. */
static int make_list(ft_module_state *state)
{
    const long protocol = 4;
    PyObject *list = PyList_New(FT_KNOWN_COUNT + FT_WORD_COUNT);
    if (list == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < FT_KNOWN_COUNT; i++)
        PyList_SET_ITEM(list, i, Py_NewRef(Py_None));
    for (Py_ssize_t i = 0; i < FT_WORD_COUNT; i++) {
        PyObject *word = i == FT_WORD_PROTOCOL ? PyLong_FromLong(protocol)
                                               : PyUnicode_InternFromString(words[i]);
        if (word == NULL) {
            Py_DECREF(list);
            return -1;
        }
        PyList_SET_ITEM(list, FT_KNOWN_COUNT + i, word);
    }
    state->known_types = list;
    state->modules_looked_at = -1;
    return 0;
}

PyObject *ft_known_word(ft_module_state *state, ft_word word)
{
    if (state->known_types == NULL && make_list(state) < 0)
        return NULL;
    return PyList_GET_ITEM(state->known_types, FT_KNOWN_COUNT + word);
}

/* *is_settled: cleared if the module is there but is still being made. 0, or -1. */
static int look_for(ft_module_state *state, PyObject *modules, ft_known which, bool *is_settled)
{
    if (ft_known_get(state, which) != Py_None)
        return 0;
    PyObject *module = PyDict_GetItemString(modules, places[which][0]); /* borrowed; no errors */
    if (module == NULL || !PyModule_Check(module))
        return 0;
    PyObject *found = PyDict_GetItemString(PyModule_GetDict(module), places[which][1]);
    bool fits =
        found != NULL && (which == FT_KNOWN_REDUCERS ? PyDict_Check(found) : PyType_Check(found));
    if (!fits) {
        *is_settled = false;
        return 0;
    }
    return PyList_SetItem(state->known_types, which, Py_NewRef(found));
}

int ft_known_types_look(ft_module_state *state)
{
    if (state->known_types == NULL && make_list(state) < 0)
        return -1;
    if (Py_IsFinalizing()) /* there may be no sys.modules any more: asking ends the process */
        return 0;
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    if (PyDict_GET_SIZE(modules) == state->modules_looked_at)
        return 0;
    bool is_settled = true;
    for (int i = 0; i <= FT_KNOWN_REDUCERS; i++)
        if (look_for(state, modules, (ft_known)i, &is_settled) < 0)
            return -1;
    state->modules_looked_at = is_settled ? PyDict_GET_SIZE(modules) : -1;
    return 0;
}
