/* SPDX-License-Identifier: Apache-2.0 */
/* selector.c: which code a word means (see selector.h). It runs when a code object is first seen.
 */
#include "glue/probes/selector.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/mem.h"

enum { NAME_ROOM = 4096 }; /* longer names and paths are compared as far as this */

/* ---- making ---- */

static char *copy(const char *text, size_t length)
{
    char *made = ft_mem_new(&ft_mem_system, length + 1, 1);
    if (made != NULL)
        memcpy(made, text, length);
    return made;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t end_length = strlen(end);
    return length >= end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

/* path below the working folder. */
static char *absolute(const char *path, size_t length)
{
    char folder[PATH_MAX];
    if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL)
        return copy(path, length);
    while (length >= 2 && path[0] == '.' && path[1] == '/')
        path += 2, length -= 2;
    size_t before = strlen(folder);
    char *made = ft_mem_new(&ft_mem_system, before + 1 + length + 1, 1);
    if (made == NULL)
        return NULL;
    memcpy(made, folder, before);
    made[before] = '/';
    memcpy(made + before + 1, path, length);
    return made;
}

static bool is_file(const char *place, size_t length)
{
    return memchr(place, '/', length) != NULL || ends_with(place, length, ".py");
}

/* ** may also mean no folder: the pattern with all such steps left out (all of them or none). */
static char *without_deep(const char *pattern)
{
    char *made = copy(pattern, strlen(pattern));
    for (char *at = made; made != NULL && (at = strstr(at, "/**/")) != NULL;)
        memmove(at, at + strlen("/**"), strlen(at + strlen("/**")) + 1);
    return made;
}

/* The file name of the code object in bytes; NULL where it has none. A new reference. */
static PyObject *path_of(const PyCodeObject *code)
{
    PyObject *path = PyUnicode_AsEncodedString(code->co_filename, "utf-8", "surrogateescape");
    PyErr_Clear();
    return path;
}

/* word: as it was typed. NULL without memory. */
static ft_selector *make(const char *word)
{
    const char *colon = strrchr(word, ':');
    size_t length = colon == NULL ? strlen(word) : (size_t)(colon - word);
    ft_selector *made = ft_mem_new(&ft_mem_system, 1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->is_file = is_file(word, length);
    made->place = made->is_file ? absolute(word, length) : copy(word, length);
    if (made->place == NULL)
        goto fail;
    made->is_deep = strstr(made->place, "**") != NULL;
    if (made->is_deep && (made->flat = without_deep(made->place)) == NULL)
        goto fail;
    if (colon != NULL && colon[1] != '\0') {
        made->name = copy(colon + 1, strlen(colon + 1));
        if (made->name == NULL)
            goto fail;
    }
    return made;

fail:
    ft_selectors_free(made);
    return NULL;
}

int ft_selectors_add(ft_selector **list, PyObject *text)
{
    PyObject *word = PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape");
    if (word == NULL)
        return -1;
    ft_selector *made = make(PyBytes_AS_STRING(word));
    Py_DECREF(word);
    if (made == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    while (*list != NULL)
        list = &(*list)->next;
    *list = made;
    return 0;
}

void ft_selectors_free(ft_selector *list)
{
    while (list != NULL) {
        ft_selector *next = list->next;
        ft_mem_free(&ft_mem_system, list->place);
        ft_mem_free(&ft_mem_system, list->flat);
        ft_mem_free(&ft_mem_system, list->name);
        ft_mem_free(&ft_mem_system, list);
        list = next;
    }
}

/* ---- comparing ---- */

/* Is name what the pattern says, or something in it? */
static bool is_in(const char *pattern, const char *name)
{
    size_t length = strlen(pattern);
    if (strncmp(name, pattern, length) == 0 && (name[length] == '\0' || name[length] == '.'))
        return true;
    if (fnmatch(pattern, name, 0) == 0)
        return true;
    char part[NAME_ROOM]; /* a glob of something that name is in */
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        size_t before = (size_t)(dot - name);
        if (before >= sizeof part)
            return false;
        memcpy(part, name, before);
        part[before] = '\0';
        if (fnmatch(pattern, part, 0) == 0)
            return true;
    }
    return false;
}

/* The str without `<locals>.`; what does not fit is cut. */
static void plain_name(PyObject *qualname, char *into)
{
    const char *from = PyUnicode_Check(qualname) ? PyUnicode_AsUTF8(qualname) : NULL;
    static const char locals[] = "<locals>.";
    size_t used = 0;
    PyErr_Clear(); /* lone surrogates */
    while (from != NULL && *from != '\0' && used < NAME_ROOM - 1) {
        if (strncmp(from, locals, strlen(locals)) == 0)
            from += strlen(locals);
        else
            into[used++] = *from++;
    }
    into[used] = '\0';
}

static bool file_matches(const ft_selector *selector, const char *path)
{
    return fnmatch(selector->place, path, selector->is_deep ? 0 : FNM_PATHNAME) == 0 ||
           (selector->flat != NULL && fnmatch(selector->flat, path, 0) == 0);
}

static bool matches_file(const ft_selector *selector, PyCodeObject *code)
{
    PyObject *name = path_of(code);
    if (name == NULL)
        return false;
    const char *path = PyBytes_AS_STRING(name);
    bool matches = path[0] == '/' && file_matches(selector, path);
    char *real = matches ? NULL : realpath(path, NULL);
    matches = matches || (real != NULL && file_matches(selector, real));
    free(real);
    Py_DECREF(name);
    return matches;
}

static bool matches_dotted(const ft_selector *selector, const char *module, const char *name)
{
    char whole[2 * NAME_ROOM];
    if (selector->name != NULL)
        return is_in(selector->place, module);
    size_t length = strlen(module);
    memcpy(whole, module, length);
    whole[length] = '.';
    memcpy(whole + length + 1, name, strlen(name) + 1);
    return is_in(selector->place, whole);
}

/* `__main__` is also called what its file is called, without .py; of a package, what its folder is.
 */
static void main_name(PyCodeObject *code, char *into)
{
    PyObject *name = path_of(code);
    into[0] = '\0';
    if (name == NULL)
        return;
    const char *path = PyBytes_AS_STRING(name);
    size_t end = strlen(path);
    if (ends_with(path, end, "/__main__.py"))
        end -= strlen("/__main__.py");
    else if (ends_with(path, end, ".py"))
        end -= strlen(".py");
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (end - start < NAME_ROOM) {
        memcpy(into, path + start, end - start);
        into[end - start] = '\0';
    }
    Py_DECREF(name);
}

/* into: "" when it has none. */
static void module_name(PyObject *globals, char *into)
{
    PyObject *name =
        globals != NULL && PyDict_Check(globals) ? PyDict_GetItemString(globals, "__name__") : NULL;
    into[0] = '\0';
    if (name != NULL)
        plain_name(name, into);
}

/* What `python -m` ran is known by the name that was given, too: `__main__.__spec__.name`. */
static void spec_name(PyObject *globals, char *into)
{
    PyObject *spec = PyDict_GetItemString(globals, "__spec__");
    PyObject *name = spec == NULL ? NULL : PyObject_GetAttrString(spec, "name");
    into[0] = '\0';
    if (name != NULL)
        plain_name(name, into);
    Py_XDECREF(name);
    PyErr_Clear();
}

bool ft_selectors_match(const ft_selector *list, PyCodeObject *code, PyObject *globals)
{
    char name[NAME_ROOM], module[NAME_ROOM], alias[NAME_ROOM], spec[NAME_ROOM];
    plain_name(ft_compat_qualname(code), name);
    module_name(globals, module);
    alias[0] = spec[0] = '\0';
    if (strcmp(module, "__main__") == 0) {
        main_name(code, alias);
        spec_name(globals, spec);
    }
    for (; list != NULL; list = list->next) {
        bool here = list->is_file ? matches_file(list, code)
                                  : matches_dotted(list, module, name) ||
                                        (alias[0] != '\0' && matches_dotted(list, alias, name)) ||
                                        (spec[0] != '\0' && matches_dotted(list, spec, name));
        if (here && (list->name == NULL || is_in(list->name, name)))
            return true;
    }
    return false;
}
