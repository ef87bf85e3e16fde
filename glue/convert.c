/* SPDX-License-Identifier: Apache-2.0 */
/* convert.c: from the engine's model to Python objects (see convert.h).
 *
 * The tables' shapes and how each row is filled; rows.c makes them. */
#include "glue/convert.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "engine/export/spell.h"
#include "glue/rows.h"

static const ft_row_shape function_row = {
    "fettle._core.FunctionRow",
    "One function over all threads and processes. Times are seconds.",
    {{"file", "co_filename, or \"~\" for C functions"},
     {"line", "co_firstlineno, or 0"},
     {"name", "co_name, or cProfile's label for a C function"},
     {"qualname", "co_qualname"},
     {"calls", "how often it was called"},
     {"primitive", "calls that were not recursive"},
     {"own", "time in the function itself"},
     {"cumulative", "time in it and in all it called"},
     {"own_waiting", "the part of own in which it waited"},
     {"cumulative_waiting", "the same of cumulative"},
     {"own_awaited", "how long it was suspended, beside own: a coroutine"},
     {"cumulative_awaited", "the same of it and all it awaited, beside cumulative"}}};

static const ft_row_shape edge_row = {
    "fettle._core.EdgeRow",
    "The calls of one function by another, over all threads and processes. Times are seconds.",
    {{"caller", "index into functions(), or -1 for what no recorded function called"},
     {"callee", "index into functions()"},
     {"calls", "how often caller called callee"},
     {"primitive", "calls that were not below another call of callee by caller"},
     {"own", "time in the callee itself when called by caller"},
     {"cumulative", "time in it and in all it called"},
     {"own_waiting", "the part of own in which it waited"},
     {"cumulative_waiting", "the same of cumulative"},
     {"own_awaited", "how long it was suspended, beside own: a coroutine"},
     {"cumulative_awaited", "the same of it and all it awaited, beside cumulative"}}};

static const ft_row_shape tree_row = {
    "fettle._core.TreeRow",
    "One line of the call tree. Times are seconds.",
    {{"kind",
      "\"recording\", \"process\", \"thread\", \"call\", \"task\", \"folded\" or \"folded again\""},
     {"place", "in processes() or threads(), else -1"},
     {"parent", "index of the row above, which comes before; -1 for the recording"},
     {"file", "as of a FunctionRow"},
     {"line", "as of a FunctionRow"},
     {"name", "as of a FunctionRow, or a thread's name"},
     {"qualname", "as of a FunctionRow"},
     {"calls", "how often this path was called"},
     {"own", "time in the function itself"},
     {"cumulative", "own, that of the rows below, and what is folded"},
     {"own_waiting", "the part of own in which it waited"},
     {"cumulative_waiting", "the same of cumulative"},
     {"folded_functions", "how many functions were folded into this row"},
     {"folded_calls", "how often they were called"},
     {"folded", "the time in them"},
     {"folded_waiting", "the part of folded in which they waited"},
     {"own_awaited", "how long it was suspended, beside own: a coroutine"},
     {"cumulative_awaited", "the same of it and all it awaited, beside cumulative"},
     {"folded_awaited", "how long those folded were suspended, beside folded"}}};

static const ft_row_shape process_row = {"fettle._core.ProcessRow",
                                         "One recorded process.",
                                         {{"pid", "its process id"},
                                          {"parent_pid", "its parent's process id"},
                                          {"command", "the words of its command line"},
                                          {"python", "the version of its Python"},
                                          {"started", "Unix time, in seconds"},
                                          {"elapsed", "how long it was recorded, in seconds"}}};

static const ft_row_shape thread_row = {
    "fettle._core.ThreadRow",
    "The calling contexts of one thread, or of several in turn.",
    {{"process", "index into processes()"},
     {"name", "\"main\", \"thread 2\", ..."},
     {"uses", "how many threads it stands for"},
     {"nodes", "how many distinct paths of calls it holds"},
     {"calls", "how many calls"},
     {"own", "the time in all of them, in seconds"},
     {"waiting", "the part of own in which it waited"}}};

static const ft_row_shape totals_row = {"fettle._core.Totals",
                                        "The whole recording in five numbers. Times are seconds.",
                                        {{"calls", "how many calls"},
                                         {"primitive", "calls that were not recursive"},
                                         {"own", "the time in all of them, over all threads"},
                                         {"waiting", "the part of own in which a thread waited"},
                                         {"nodes", "how many distinct paths of calls"}}};

static const ft_row_shape note_row = {"fettle._core.NoteRow",
                                      "What a reader of the tables must know to read them right.",
                                      {{"kind", "\"folded\", \"disk full\", ..."},
                                       {"process", "index into processes()"},
                                       {"count", "how many calls or blocks it is about"}}};

static PyObject *file_error_add(PyObject *module)
{
    static const char doc[] =
        "A file that can not be read or is not ours. args: (kind, path, detail); kind is one of\n"
        "\"empty\", \"foreign\", \"newer\", \"corrupt\", \"limit\".";
    PyObject *type = PyErr_NewExceptionWithDoc("fettle._core.FileError", doc, NULL, NULL);
    if (type != NULL && PyModule_AddObjectRef(module, "FileError", type) < 0)
        Py_CLEAR(type);
    return type;
}

int ft_convert_types_add(PyObject *module, ft_module_state *state)
{
    if ((state->function_row_type = ft_row_type_add(module, &function_row)) == NULL ||
        (state->edge_row_type = ft_row_type_add(module, &edge_row)) == NULL ||
        (state->tree_row_type = ft_row_type_add(module, &tree_row)) == NULL ||
        (state->process_row_type = ft_row_type_add(module, &process_row)) == NULL ||
        (state->thread_row_type = ft_row_type_add(module, &thread_row)) == NULL ||
        (state->totals_type = ft_row_type_add(module, &totals_row)) == NULL ||
        (state->note_row_type = ft_row_type_add(module, &note_row)) == NULL ||
        (state->file_error = file_error_add(module)) == NULL)
        return -1;
    return 0;
}

PyObject *ft_convert_os_error(int number, const char *text, PyObject *path)
{
    PyObject *error =
        PyObject_CallFunction(PyExc_OSError, path == NULL ? "is" : "isO", number, text, path);
    if (error != NULL)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error); /* PermissionError, for one */
    Py_XDECREF(error);
    return NULL;
}

static const char *file_error_kind(ft_status status)
{
    switch (status) {
    case FT_ERR_EMPTY:
        return "empty";
    case FT_ERR_FOREIGN:
        return "foreign";
    case FT_ERR_NEWER:
        return "newer";
    case FT_ERR_LIMIT:
        return "limit";
    default:
        return "corrupt";
    }
}

PyObject *ft_convert_error(const ft_module_state *state, ft_status status, int number,
                           PyObject *path)
{
    assert(status != FT_OK);
    if (status == FT_ERR_MEMORY)
        return PyErr_NoMemory();
    if (status == FT_ERR_DISK_FULL && number == 0)
        number = ENOSPC;
    if (status == FT_ERR_IO && number == 0) /* what ft_load_file refuses without an errno */
        return ft_convert_os_error(EINVAL, "Not a regular file", path);
    if (status == FT_ERR_IO || status == FT_ERR_DISK_FULL)
        return ft_convert_os_error(number, strerror(number), path);
    PyObject *args = Py_BuildValue("(sOs)", file_error_kind(status), path == NULL ? Py_None : path,
                                   ft_status_text(status));
    if (args != NULL)
        PyErr_SetObject(state->file_error, args);
    Py_XDECREF(args);
    return NULL;
}

PyObject *ft_convert_fault(const ft_module_state *state, ft_status status, int number,
                           PyObject *path, const char *fault)
{
    if (status != FT_ERR_CORRUPT || fault[0] == '\0')
        return ft_convert_error(state, status, number, path);
    PyObject *what = ft_convert_text((ft_text){fault, strlen(fault)});
    PyObject *args = what == NULL
                         ? NULL
                         : Py_BuildValue("(sON)", "corrupt", path == NULL ? Py_None : path, what);
    if (args != NULL)
        PyErr_SetObject(state->file_error, args);
    Py_XDECREF(args);
    return NULL;
}

PyObject *ft_convert_text(ft_text text)
{
    return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, "backslashreplace");
}

static ft_row function_row_make(const ft_module_state *state, const ft_code *code,
                                const ft_function_row *from, ft_str_cache *cache)
{
    ft_row made = ft_row_start(state->function_row_type);
    ft_row_put_cached(&made, cache, code->file);
    ft_row_put_number(&made, code->line);
    ft_row_put_cached(&made, cache, code->name);
    ft_row_put_cached(&made, cache, code->qualname);
    ft_row_put_number(&made, from->calls);
    ft_row_put_number(&made, from->primitive);
    ft_row_put_seconds(&made, from->own);
    ft_row_put_seconds(&made, from->cumulative);
    ft_row_put_seconds(&made, from->own_waiting);
    ft_row_put_seconds(&made, from->cumulative_waiting);
    ft_row_put_seconds(&made, from->own_awaited);
    ft_row_put_seconds(&made, from->cumulative_awaited);
    return made;
}

PyObject *ft_convert_functions(const ft_module_state *state, const ft_strtab *texts,
                               const ft_codetab *codes, const ft_function_row *rows, uint32_t count)
{
    ft_str_cache cache;
    PyObject *list = PyList_New((Py_ssize_t)count);
    if (list == NULL || ft_str_cache_init(&cache, texts) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        ft_row made = function_row_make(state, &codes->codes[rows[i].code], &rows[i], &cache);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    ft_str_cache_fini(&cache);
    return list;
}

static ft_row edge_row_make(const ft_module_state *state, const int64_t *places,
                            const ft_edge_row *from)
{
    ft_row made = ft_row_start(state->edge_row_type);
    assert(places[from->callee] >= 0); /* what an edge has, its callee's row has too */
    ft_row_put_index(&made, places[from->caller]);
    ft_row_put_index(&made, places[from->callee]);
    ft_row_put_number(&made, from->calls);
    ft_row_put_number(&made, from->primitive);
    ft_row_put_seconds(&made, from->own);
    ft_row_put_seconds(&made, from->cumulative);
    ft_row_put_seconds(&made, from->own_waiting);
    ft_row_put_seconds(&made, from->cumulative_waiting);
    ft_row_put_seconds(&made, from->own_awaited);
    ft_row_put_seconds(&made, from->cumulative_awaited);
    return made;
}

PyObject *ft_convert_edges(const ft_module_state *state, const ft_codetab *codes,
                           const ft_function_row *functions, uint32_t function_count,
                           const ft_edge_row *edges, uint32_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    int64_t *places = PyMem_New(int64_t, codes->count); /* of each code, or -1 */
    if (places == NULL)
        PyErr_NoMemory();
    if (list == NULL || places == NULL) {
        Py_XDECREF(list);
        PyMem_Free(places);
        return NULL;
    }
    for (uint32_t code = 0; code < codes->count; code++)
        places[code] = -1;
    for (uint32_t i = 0; i < function_count; i++)
        places[functions[i].code] = i;
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        ft_row made = edge_row_make(state, places, &edges[i]);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    PyMem_Free(places);
    return list;
}

static const char *tree_row_kind(const ft_profile *profile, const ft_outline_row *from)
{
    static const char *const kinds[] = {[FT_OUTLINE_RECORDING] = "recording",
                                        [FT_OUTLINE_PROCESS] = "process",
                                        [FT_OUTLINE_THREAD] = "thread",
                                        [FT_OUTLINE_CALL] = "call",
                                        [FT_OUTLINE_TASK] = "task"};
    if (from->kind == FT_OUTLINE_CALL) {
        uint32_t kind = profile->codes.codes[from->index].kind;
        if (kind == FT_CODE_FOLDED)
            return "folded";
        if (kind == FT_CODE_FOLDED_AGAIN)
            return "folded again";
    }
    return kinds[from->kind];
}

static ft_row tree_row_make(const ft_module_state *state, const ft_profile *profile,
                            const ft_outline_row *from, int64_t parent, ft_str_cache *cache)
{
    ft_row made = ft_row_start(state->tree_row_type);
    ft_code code = {.name = 0}; /* the empty text, where there is nothing to name */
    bool top = from->kind == FT_OUTLINE_PROCESS || from->kind == FT_OUTLINE_THREAD;
    if (from->kind == FT_OUTLINE_CALL || from->kind == FT_OUTLINE_TASK)
        code = profile->codes.codes[from->index];
    else if (from->kind == FT_OUTLINE_THREAD)
        code.name = profile->threads[from->index].name;
    if (made.object != NULL)
        ft_row_put(&made, PyUnicode_InternFromString(tree_row_kind(profile, from)));
    ft_row_put_index(&made, top ? (int64_t)from->index : -1);
    ft_row_put_index(&made, parent);
    ft_row_put_cached(&made, cache, code.file);
    ft_row_put_number(&made, code.line);
    ft_row_put_cached(&made, cache, code.name);
    ft_row_put_cached(&made, cache, code.qualname);
    ft_row_put_number(&made, from->calls);
    ft_row_put_seconds(&made, from->own);
    ft_row_put_seconds(&made, from->cumulative);
    ft_row_put_seconds(&made, from->own_waiting);
    ft_row_put_seconds(&made, from->cumulative_waiting);
    ft_row_put_number(&made, from->folded_functions);
    ft_row_put_number(&made, from->folded_calls);
    ft_row_put_seconds(&made, from->folded);
    ft_row_put_seconds(&made, from->folded_waiting);
    ft_row_put_seconds(&made, from->own_awaited);
    ft_row_put_seconds(&made, from->cumulative_awaited);
    ft_row_put_seconds(&made, from->folded_awaited);
    return made;
}

PyObject *ft_convert_outline(const ft_module_state *state, const ft_profile *profile,
                             const ft_outline_row *rows, uint32_t count)
{
    ft_str_cache cache;
    PyObject *list = PyList_New((Py_ssize_t)count);
    if (list == NULL || ft_str_cache_init(&cache, &profile->texts) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        ft_row made =
            tree_row_make(state, profile, &rows[i], i == 0 ? -1 : (int64_t)rows[i].parent, &cache);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    ft_str_cache_fini(&cache);
    return list;
}

PyObject *ft_convert_totals(const ft_module_state *state, const ft_totals *totals)
{
    ft_row made = ft_row_start(state->totals_type);
    ft_row_put_number(&made, totals->calls);
    ft_row_put_number(&made, totals->primitive);
    ft_row_put_seconds(&made, totals->own);
    ft_row_put_seconds(&made, totals->waiting);
    ft_row_put_number(&made, totals->nodes);
    return made.object;
}

/* The words that the model joins by NUL, as a tuple. */
static PyObject *words(ft_text text)
{
    PyObject *joined = ft_convert_text(text);
    PyObject *list = NULL, *tuple = NULL;
    if (joined != NULL && text.length == 0)
        tuple = PyTuple_New(0);
    else if (joined != NULL) {
        PyObject *nul = PyUnicode_FromStringAndSize("", 1);
        list = nul == NULL ? NULL : PyUnicode_Split(joined, nul, -1);
        tuple = list == NULL ? NULL : PyList_AsTuple(list);
        Py_XDECREF(nul);
    }
    Py_XDECREF(list);
    Py_XDECREF(joined);
    return tuple;
}

PyObject *ft_convert_processes(const ft_module_state *state, const ft_profile *profile)
{
    PyObject *list = PyList_New((Py_ssize_t)profile->process_count);
    for (uint32_t i = 0; i < profile->process_count && list != NULL; i++) {
        const ft_process *process = &profile->processes[i];
        ft_row made = ft_row_start(state->process_row_type);
        ft_row_put_number(&made, process->pid);
        ft_row_put_number(&made, process->parent_pid);
        if (made.object != NULL)
            ft_row_put(&made, words(ft_strtab_get(&profile->texts, process->command)));
        ft_row_put_text(&made, ft_strtab_get(&profile->texts, process->python));
        ft_row_put_seconds(&made, process->started);
        ft_row_put_seconds(&made, process->elapsed);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    return list;
}

PyObject *ft_convert_threads(const ft_module_state *state, const ft_profile *profile,
                             const ft_totals *sums)
{
    PyObject *list = PyList_New((Py_ssize_t)profile->thread_count);
    for (uint32_t i = 0; i < profile->thread_count && list != NULL; i++) {
        const ft_thread *thread = &profile->threads[i];
        ft_row made = ft_row_start(state->thread_row_type);
        ft_row_put_number(&made, thread->process);
        ft_row_put_text(&made, ft_strtab_get(&profile->texts, thread->name));
        ft_row_put_number(&made, thread->uses);
        ft_row_put_number(&made, sums[i].nodes);
        ft_row_put_number(&made, sums[i].calls);
        ft_row_put_seconds(&made, sums[i].own);
        ft_row_put_seconds(&made, sums[i].waiting);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *note_kind(uint32_t kind)
{
    const char *name = ft_spell_note(kind);
    return name != NULL ? PyUnicode_FromString(name) : PyUnicode_FromFormat("note %u", kind);
}

PyObject *ft_convert_notes(const ft_module_state *state, const ft_profile *profile)
{
    PyObject *list = PyList_New((Py_ssize_t)profile->note_count);
    for (uint32_t i = 0; i < profile->note_count && list != NULL; i++) {
        const ft_note *note = &profile->notes[i];
        ft_row made = ft_row_start(state->note_row_type);
        if (made.object != NULL)
            ft_row_put(&made, note_kind(note->kind));
        ft_row_put_number(&made, note->process);
        ft_row_put_number(&made, note->count);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    return list;
}

PyObject *ft_convert_meta(const ft_profile *profile)
{
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; i < profile->meta_count && dict != NULL; i++) {
        PyObject *key = ft_convert_text(ft_strtab_get(&profile->texts, profile->meta[i].key));
        PyObject *value = ft_convert_text(ft_strtab_get(&profile->texts, profile->meta[i].value));
        if (key == NULL || value == NULL || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

PyObject *ft_convert_bytes(const ft_module_state *state, ft_status status, ft_buf *written)
{
    PyObject *bytes = NULL;
    if (status == FT_OK)
        bytes = PyBytes_FromStringAndSize((const char *)written->data, (Py_ssize_t)written->length);
    else
        ft_convert_error(state, status, 0, NULL);
    ft_buf_fini(written);
    return bytes;
}
