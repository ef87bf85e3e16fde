/* SPDX-License-Identifier: Apache-2.0 */
/* watched_names.c: see watched_names.h. */
#include "glue/persist/watched_names.h"

/* ---- counts of changes ---- */

#if FT_HAS_DICT_WATCHERS

/* One for all dicts that fall on it: one too many costs a look, one too few can not be. The GIL
 * protects them; the module is in one interpreter only. */
enum { COUNTERS_BITS = 8 };
static uint64_t counters[1 << COUNTERS_BITS];
static int watcher = -1;

static uint64_t *counter_of(const PyObject *dict)
{
    const uint64_t spread = UINT64_C(0x9E3779B97F4A7C15);
    return &counters[((uint64_t)(uintptr_t)dict * spread) >> (64 - COUNTERS_BITS)];
}

static int note_change(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    (void)event, (void)key, (void)value;
    ++*counter_of(dict);
    return 0;
}

/* Is it ours in this interpreter? In another one its number may be somebody else's. */
static bool is_ours(void)
{
    PyObject *dict = watcher < 0 ? NULL : PyDict_New();
    if (dict == NULL)
        return false;
    uint64_t before = *counter_of(dict);
    bool told = PyDict_Watch(watcher, dict) == 0 && PyDict_SetItem(dict, Py_None, Py_None) == 0 &&
                *counter_of(dict) != before;
    Py_DECREF(dict);
    return told;
}

static const uint64_t *changes_of(PyObject *dict)
{
    if (!is_ours()) {
        PyErr_Clear();
        watcher = PyDict_AddWatcher(note_change);
    }
    if (watcher >= 0 && PyDict_Watch(watcher, dict) == 0)
        return counter_of(dict);
    PyErr_Clear(); /* others took all there are */
    return NULL;
}

#else

static const uint64_t *changes_of(PyObject *dict)
{
    return ft_compat_dict_version(dict);
}

#endif

/* ---- looking ---- */

static bool is_as_expected(PyObject *dict, const ft_watched_name *is)
{
    PyObject *now = PyDict_GetItemWithError(dict, is->name);
    if (now == NULL && PyErr_Occurred()) { /* of a key that is no str */
        PyErr_Clear();
        return false;
    }
    return now == is->expected;
}

/* Looks a namespace's names up. */
static bool look_again(const ft_watch *watch, ft_watched_namespace *is)
{
    uint64_t changes = is->changes == NULL ? 0 : *is->changes;
    for (Py_ssize_t i = is->first; i < is->first + is->count; i++)
        if (!is_as_expected(is->dict, &watch->names[i]))
            return false;
    is->seen = changes;
    return true;
}

bool ft_watch_holds(const ft_watch *watch)
{
    for (Py_ssize_t i = 0; i < watch->namespace_count; i++) {
        ft_watched_namespace *is = &watch->namespaces[i];
        if ((is->changes == NULL || *is->changes != is->seen) && !look_again(watch, is))
            return false;
    }
    for (Py_ssize_t i = 0; i < watch->code_count; i++)
        if (PyFunction_GET_CODE(watch->codes[i].function) != watch->codes[i].code)
            return false;
    return true;
}

/* ---- making ---- */

static int check_row(PyObject *row, PyObject *parts[3])
{
    if (!PyTuple_Check(row)) {
        PyErr_SetString(PyExc_TypeError, "what is watched is a tuple of three");
        return -1;
    }
    if (!PyArg_ParseTuple(row, "OOO", &parts[0], &parts[1], &parts[2]))
        return -1;
    bool code = parts[0] == Py_None;
    if (code ? !PyFunction_Check(parts[1])
             : !PyDict_Check(parts[0]) || !PyUnicode_Check(parts[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "what is watched is (dict, str, object) or (None, function, code)");
        return -1;
    }
    return 0;
}

static ft_watched_namespace *find_namespace(const ft_watch *watch, const PyObject *dict)
{
    for (Py_ssize_t i = watch->namespace_count; i-- > 0;)
        if (watch->namespaces[i].dict == dict)
            return &watch->namespaces[i];
    return NULL;
}

/* The namespaces, and how many names each has. */
static int count_rows(ft_watch *watch, PyObject *rows)
{
    PyObject *parts[3];
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(rows); i++) {
        if (check_row(PyTuple_GET_ITEM(rows, i), parts) < 0)
            return -1;
        if (parts[0] == Py_None)
            continue;
        ft_watched_namespace *is = find_namespace(watch, parts[0]);
        if (is == NULL) {
            is = &watch->namespaces[watch->namespace_count++];
            is->dict = Py_NewRef(parts[0]);
            is->changes = changes_of(is->dict);
        }
        is->count++;
    }
    return 0;
}

static void place_rows(ft_watch *watch, PyObject *rows, PyObject *missing)
{
    Py_ssize_t first = 0;
    for (Py_ssize_t i = 0; i < watch->namespace_count; i++) {
        ft_watched_namespace *is = &watch->namespaces[i];
        is->first = first;
        first += is->count;
        is->count = 0;
        is->seen = is->changes == NULL ? 0 : *is->changes - 1; /* not looked at yet */
    }
    watch->name_count = first;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(rows); i++) {
        PyObject *row = PyTuple_GET_ITEM(rows, i), *found = PyTuple_GET_ITEM(row, 2);
        if (PyTuple_GET_ITEM(row, 0) == Py_None) {
            watch->codes[watch->code_count++] =
                (ft_watched_code){Py_NewRef(PyTuple_GET_ITEM(row, 1)), Py_NewRef(found)};
            continue;
        }
        ft_watched_namespace *is = find_namespace(watch, PyTuple_GET_ITEM(row, 0));
        watch->names[is->first + is->count++] = (ft_watched_name){
            Py_NewRef(PyTuple_GET_ITEM(row, 1)), found == missing ? NULL : Py_NewRef(found)};
    }
}

int ft_watch_init(ft_watch *watch, PyObject *rows, PyObject *missing)
{
    *watch = (ft_watch){.namespaces = NULL};
    PyObject *list = PySequence_Tuple(rows);
    if (list == NULL)
        return -1;
    size_t count = (size_t)PyTuple_GET_SIZE(list) + 1;
    watch->namespaces = PyMem_Calloc(count, sizeof *watch->namespaces);
    watch->names = PyMem_Calloc(count, sizeof *watch->names);
    watch->codes = PyMem_Calloc(count, sizeof *watch->codes);
    int result = -1;
    if (watch->namespaces == NULL || watch->names == NULL || watch->codes == NULL)
        PyErr_NoMemory();
    else
        result = count_rows(watch, list);
    if (result == 0)
        place_rows(watch, list, missing);
    else
        ft_watch_fini(watch);
    Py_DECREF(list);
    return result;
}

void ft_watch_fini(ft_watch *watch)
{
    ft_watch was = *watch;
    *watch = (ft_watch){.namespaces = NULL};
    for (Py_ssize_t i = 0; i < was.namespace_count; i++)
        Py_DECREF(was.namespaces[i].dict);
    for (Py_ssize_t i = 0; i < was.name_count; i++) {
        Py_DECREF(was.names[i].name);
        Py_XDECREF(was.names[i].expected);
    }
    for (Py_ssize_t i = 0; i < was.code_count; i++) {
        Py_DECREF(was.codes[i].function);
        Py_DECREF(was.codes[i].code);
    }
    PyMem_Free(was.namespaces);
    PyMem_Free(was.names);
    PyMem_Free(was.codes);
}

int ft_watch_traverse(const ft_watch *watch, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < watch->namespace_count; i++)
        Py_VISIT(watch->namespaces[i].dict);
    for (Py_ssize_t i = 0; i < watch->name_count; i++) {
        Py_VISIT(watch->names[i].name);
        Py_VISIT(watch->names[i].expected);
    }
    for (Py_ssize_t i = 0; i < watch->code_count; i++) {
        Py_VISIT(watch->codes[i].function);
        Py_VISIT(watch->codes[i].code);
    }
    return 0;
}
