/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite.c: ft_rewrite with functions of Python's (see rewrite.h). */
#include "glue/types/rewrite.h"

#if !FT_HAS_MONITORING

#include <assert.h>

#include "glue/probes/rewriting.h"

typedef struct callables {
    PyObject *make, *choose; /* borrowed */
} callables;

static const char *const kind_names[FT_SITE_KINDS] = {
    [FT_SITE_ENTER] = "enter",     [FT_SITE_LINE] = "line",   [FT_SITE_LEAVE] = "leave",
    [FT_SITE_YIELD] = "yield",     [FT_SITE_AWAIT] = "await", [FT_SITE_RESUMED] = "resumed",
    [FT_SITE_UNWOUND] = "unwound",
};

static int choose(void *context, PyCodeObject *code, void *outer_owner, void **owner)
{
    (void)outer_owner;
    const callables *call = context;
    PyObject *answer = PyObject_CallOneArg(call->choose, (PyObject *)code);
    int chosen = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    *owner = chosen > 0 ? code : NULL;
    return chosen < 0 ? -1 : 0;
}

static PyObject *make(void *context, void *owner, PyCodeObject *code, ft_site_kind kind, int line)
{
    (void)owner;
    const callables *call = context;
    assert(kind < FT_SITE_KINDS);
    return PyObject_CallFunction(call->make, "Osi", code, kind_names[kind], line);
}

const char ft_rewrite_doc[] =
    "_rewrite(code, make, choose, /)\n--\n\n"
    "The code with make(code, kind, line) in it, at every place of what choose(code) is true of.";

PyObject *ft_core_rewrite(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *code;
    callables call;
    if (!PyArg_ParseTuple(args, "O!OO", &PyCode_Type, &code, &call.make, &call.choose))
        return NULL;
    ft_rewriter rewriter = {.context = &call, .choose = choose, .make = make};
    return (PyObject *)ft_rewrite((PyCodeObject *)code, &rewriter);
}

#endif /* !FT_HAS_MONITORING */
