/* SPDX-License-Identifier: Apache-2.0 */
/* convert.c: from the engine's model to Python objects (see convert.h).
 *
 * Rows are struct sequences: tuples with named fields, made in C without a dictionary. A table of
 * rows makes each text once, however many rows name it. */
#include "glue/convert.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "engine/export/spell.h"

enum { FIELDS_MAX = 20 };

typedef struct shape { /* of a row type; a const table, of which PyStructSequence_Desc is made */
    const char *name, *doc;
    const char *fields[FIELDS_MAX][2]; /* name and doc of each, in order */
} shape;

static const shape function_row = {
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

static const shape edge_row = {
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

static const shape tree_row = {
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

static const shape process_row = {"fettle._core.ProcessRow",
                                  "One recorded process.",
                                  {{"pid", "its process id"},
                                   {"parent_pid", "its parent's process id"},
                                   {"command", "the words of its command line"},
                                   {"python", "the version of its Python"},
                                   {"started", "Unix time, in seconds"},
                                   {"elapsed", "how long it was recorded, in seconds"}}};

static const shape thread_row = {"fettle._core.ThreadRow",
                                 "The calling contexts of one thread, or of several in turn.",
                                 {{"process", "index into processes()"},
                                  {"name", "\"main\", \"thread 2\", ..."},
                                  {"uses", "how many threads it stands for"},
                                  {"nodes", "how many distinct paths of calls it holds"},
                                  {"calls", "how many calls"},
                                  {"own", "the time in all of them, in seconds"},
                                  {"waiting", "the part of own in which it waited"}}};

static const shape totals_row = {"fettle._core.Totals",
                                 "The whole recording in five numbers. Times are seconds.",
                                 {{"calls", "how many calls"},
                                  {"primitive", "calls that were not recursive"},
                                  {"own", "the time in all of them, over all threads"},
                                  {"waiting", "the part of own in which a thread waited"},
                                  {"nodes", "how many distinct paths of calls"}}};

static const shape note_row = {"fettle._core.NoteRow",
                               "What a reader of the tables must know to read them right.",
                               {{"kind", "\"folded\", \"disk full\", ..."},
                                {"process", "index into processes()"},
                                {"count", "how many calls or blocks it is about"}}};

static PyTypeObject *row_type_add(PyObject *module, const shape *of)
{
    PyStructSequence_Field fields[FIELDS_MAX + 1] = {{NULL, NULL}};
    PyStructSequence_Desc desc = {of->name, of->doc, fields, 0};
    while (desc.n_in_sequence < FIELDS_MAX && of->fields[desc.n_in_sequence][0] != NULL) {
        const char *const *field = of->fields[desc.n_in_sequence];
        fields[desc.n_in_sequence++] = (PyStructSequence_Field){field[0], field[1]};
    }
    PyTypeObject *type = PyStructSequence_NewType(&desc);
    if (type != NULL && PyModule_AddType(module, type) < 0)
        Py_CLEAR(type);
    return type;
}

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
    if ((state->function_row_type = row_type_add(module, &function_row)) == NULL ||
        (state->edge_row_type = row_type_add(module, &edge_row)) == NULL ||
        (state->tree_row_type = row_type_add(module, &tree_row)) == NULL ||
        (state->process_row_type = row_type_add(module, &process_row)) == NULL ||
        (state->thread_row_type = row_type_add(module, &thread_row)) == NULL ||
        (state->totals_type = row_type_add(module, &totals_row)) == NULL ||
        (state->note_row_type = row_type_add(module, &note_row)) == NULL ||
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

PyObject *ft_convert_text(ft_text text)
{
    return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, "backslashreplace");
}

static PyObject *seconds(uint64_t ns)
{
    return PyFloat_FromDouble((double)ns / 1e9);
}

/* A row while its fields are put, in order. After a failure object is NULL and each put is a no-op,
 * so that a builder checks once, at the end. */
typedef struct row {
    PyObject *object;
    Py_ssize_t next;
} row;

static row row_start(PyTypeObject *type)
{
    return (row){PyStructSequence_New(type), 0};
}

/* Steals value, which may be NULL after a failure. */
static void put(row *to, PyObject *value)
{
    if (value == NULL)
        Py_CLEAR(to->object);
    else
        PyStructSequence_SetItem(to->object, to->next++, value);
}

static void put_number(row *to, uint64_t value)
{
    if (to->object != NULL)
        put(to, PyLong_FromUnsignedLongLong(value));
}

static void put_index(row *to, int64_t value)
{
    if (to->object != NULL)
        put(to, PyLong_FromLongLong(value));
}

static void put_seconds(row *to, uint64_t ns)
{
    if (to->object != NULL)
        put(to, seconds(ns));
}

static void put_text(row *to, ft_text text)
{
    if (to->object != NULL)
        put(to, ft_convert_text(text));
}

/* The texts of a profile as str, each made at its first use. */
typedef struct str_cache {
    const ft_strtab *texts;
    PyObject **made; /* owned, by id; NULL where not yet made */
} str_cache;

static int str_cache_init(str_cache *cache, const ft_strtab *texts)
{
    *cache = (str_cache){texts, PyMem_Calloc((size_t)texts->count + 1, sizeof *cache->made)};
    if (cache->made == NULL)
        PyErr_NoMemory();
    return cache->made == NULL ? -1 : 0;
}

static void str_cache_fini(str_cache *cache)
{
    for (uint32_t i = 0; i < cache->texts->count; i++)
        Py_XDECREF(cache->made[i]);
    PyMem_Free(cache->made);
}

static void put_cached(row *to, str_cache *cache, uint32_t id)
{
    if (to->object == NULL)
        return;
    if (cache->made[id] == NULL)
        cache->made[id] = ft_convert_text(ft_strtab_get(cache->texts, id));
    put(to, Py_XNewRef(cache->made[id]));
}

/* Puts the finished row into list[index], NULL or not. 0 or -1. */
static int list_put(PyObject *list, uint32_t index, const row *made)
{
    if (made->object == NULL)
        return -1;
    PyList_SET_ITEM(list, (Py_ssize_t)index, made->object);
    return 0;
}

static row function_row_make(const ft_module_state *state, const ft_code *code,
                             const ft_function_row *from, str_cache *cache)
{
    row made = row_start(state->function_row_type);
    put_cached(&made, cache, code->file);
    put_number(&made, code->line);
    put_cached(&made, cache, code->name);
    put_cached(&made, cache, code->qualname);
    put_number(&made, from->calls);
    put_number(&made, from->primitive);
    put_seconds(&made, from->own);
    put_seconds(&made, from->cumulative);
    put_seconds(&made, from->own_waiting);
    put_seconds(&made, from->cumulative_waiting);
    put_seconds(&made, from->own_awaited);
    put_seconds(&made, from->cumulative_awaited);
    return made;
}

PyObject *ft_convert_functions(const ft_module_state *state, const ft_strtab *texts,
                               const ft_codetab *codes, const ft_function_row *rows, uint32_t count)
{
    str_cache cache;
    PyObject *list = PyList_New((Py_ssize_t)count);
    if (list == NULL || str_cache_init(&cache, texts) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        row made = function_row_make(state, &codes->codes[rows[i].code], &rows[i], &cache);
        if (list_put(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    str_cache_fini(&cache);
    return list;
}

static row edge_row_make(const ft_module_state *state, const int64_t *places,
                         const ft_edge_row *from)
{
    row made = row_start(state->edge_row_type);
    assert(places[from->callee] >= 0); /* what an edge has, its callee's row has too */
    put_index(&made, places[from->caller]);
    put_index(&made, places[from->callee]);
    put_number(&made, from->calls);
    put_number(&made, from->primitive);
    put_seconds(&made, from->own);
    put_seconds(&made, from->cumulative);
    put_seconds(&made, from->own_waiting);
    put_seconds(&made, from->cumulative_waiting);
    put_seconds(&made, from->own_awaited);
    put_seconds(&made, from->cumulative_awaited);
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
        row made = edge_row_make(state, places, &edges[i]);
        if (list_put(list, i, &made) < 0)
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

static row tree_row_make(const ft_module_state *state, const ft_profile *profile,
                         const ft_outline_row *from, int64_t parent, str_cache *cache)
{
    row made = row_start(state->tree_row_type);
    ft_code code = {.name = 0}; /* the empty text, where there is nothing to name */
    bool top = from->kind == FT_OUTLINE_PROCESS || from->kind == FT_OUTLINE_THREAD;
    if (from->kind == FT_OUTLINE_CALL || from->kind == FT_OUTLINE_TASK)
        code = profile->codes.codes[from->index];
    else if (from->kind == FT_OUTLINE_THREAD)
        code.name = profile->threads[from->index].name;
    if (made.object != NULL)
        put(&made, PyUnicode_InternFromString(tree_row_kind(profile, from)));
    put_index(&made, top ? (int64_t)from->index : -1);
    put_index(&made, parent);
    put_cached(&made, cache, code.file);
    put_number(&made, code.line);
    put_cached(&made, cache, code.name);
    put_cached(&made, cache, code.qualname);
    put_number(&made, from->calls);
    put_seconds(&made, from->own);
    put_seconds(&made, from->cumulative);
    put_seconds(&made, from->own_waiting);
    put_seconds(&made, from->cumulative_waiting);
    put_number(&made, from->folded_functions);
    put_number(&made, from->folded_calls);
    put_seconds(&made, from->folded);
    put_seconds(&made, from->folded_waiting);
    put_seconds(&made, from->own_awaited);
    put_seconds(&made, from->cumulative_awaited);
    put_seconds(&made, from->folded_awaited);
    return made;
}

PyObject *ft_convert_outline(const ft_module_state *state, const ft_profile *profile,
                             const ft_outline_row *rows, uint32_t count)
{
    str_cache cache;
    PyObject *list = PyList_New((Py_ssize_t)count);
    if (list == NULL || str_cache_init(&cache, &profile->texts) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        row made =
            tree_row_make(state, profile, &rows[i], i == 0 ? -1 : (int64_t)rows[i].parent, &cache);
        if (list_put(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    str_cache_fini(&cache);
    return list;
}

PyObject *ft_convert_totals(const ft_module_state *state, const ft_totals *totals)
{
    row made = row_start(state->totals_type);
    put_number(&made, totals->calls);
    put_number(&made, totals->primitive);
    put_seconds(&made, totals->own);
    put_seconds(&made, totals->waiting);
    put_number(&made, totals->nodes);
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
        row made = row_start(state->process_row_type);
        put_number(&made, process->pid);
        put_number(&made, process->parent_pid);
        if (made.object != NULL)
            put(&made, words(ft_strtab_get(&profile->texts, process->command)));
        put_text(&made, ft_strtab_get(&profile->texts, process->python));
        put_seconds(&made, process->started);
        put_seconds(&made, process->elapsed);
        if (list_put(list, i, &made) < 0)
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
        row made = row_start(state->thread_row_type);
        put_number(&made, thread->process);
        put_text(&made, ft_strtab_get(&profile->texts, thread->name));
        put_number(&made, thread->uses);
        put_number(&made, sums[i].nodes);
        put_number(&made, sums[i].calls);
        put_seconds(&made, sums[i].own);
        put_seconds(&made, sums[i].waiting);
        if (list_put(list, i, &made) < 0)
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
        row made = row_start(state->note_row_type);
        if (made.object != NULL)
            put(&made, note_kind(note->kind));
        put_number(&made, note->process);
        put_number(&made, note->count);
        if (list_put(list, i, &made) < 0)
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
