/* SPDX-License-Identifier: Apache-2.0 */
/* line_sites.c: sites of the line recorders (see line_sites.h). */
#include "glue/probes/line_sites.h"

#if !FT_HAS_MONITORING

#include <structmember.h>

#include "glue/probes/code_lines.h"
#include "glue/probes/line_events.h"
#include "glue/probes/line_marks.h"
#include "glue/probes/rewriting.h"

typedef struct line_site {
    PyObject_HEAD
    PyCodeObject *code; /* strong: the original */
    uint32_t line;
    ft_site_kind kind;
} line_site;

static PyTypeObject *site_type; /* strong; made with the first site, and never freed */

/* nb_invert: the frame that runs has come here. */
static PyObject *reached(PyObject *self)
{
    const line_site *site = (const line_site *)self;
    const ft_frame *frame = ft_compat_current_frame();
    switch (site->kind) {
    case FT_SITE_ENTER:
    case FT_SITE_LINE:
        ft_line_event(site->code, frame, site->line);
        break;
    case FT_SITE_YIELD:
        ft_line_event_yield(site->code, frame);
        break;
    case FT_SITE_AWAIT:
        ft_line_event_suspend(site->code, frame);
        break;
    case FT_SITE_RESUMED:
        ft_line_event_resume(site->code, frame, site->line);
        break;
    case FT_SITE_LEAVE:
    case FT_SITE_UNWOUND:
    default:
        ft_line_event_leave(site->code, frame);
        break;
    }
    Py_RETURN_NONE;
}

/* What is unpickled elsewhere is an int: inverted, it does nothing, and it needs no fettle. */
static PyObject *reduce(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return Py_BuildValue("O(i)", &PyLong_Type, 0);
}

static PyObject *describe(PyObject *self)
{
    return PyUnicode_FromFormat("<fettle line %u>", (unsigned)((line_site *)self)->line);
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(((line_site *)self)->code);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"__reduce__", reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* For whoever asks what a function's code is, watched or not (python/fettle/caching/shape.py). */
static PyMemberDef members[] = {
    {"code", T_OBJECT, offsetof(line_site, code), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_nb_invert, (void *)reached}, {Py_tp_dealloc, (void *)dealloc},
    {Py_tp_repr, (void *)describe},  {Py_tp_methods, methods},
    {Py_tp_members, members},        {0, NULL},
};

static PyType_Spec spec = {
    .name = "fettle._core.LineSite",
    .basicsize = sizeof(line_site),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

static PyObject *make(void *context, void *owner, PyCodeObject *code, ft_site_kind kind, int line)
{
    (void)context, (void)owner;
    if (site_type == NULL)
        site_type = (PyTypeObject *)PyType_FromSpec(&spec);
    line_site *site = site_type == NULL ? NULL : PyObject_New(line_site, site_type);
    if (site == NULL)
        return NULL;
    site->code = (PyCodeObject *)Py_NewRef((PyObject *)code);
    site->line = (uint32_t)line;
    site->kind = kind;
    return (PyObject *)site;
}

PyCodeObject *ft_line_sites_original(const PyCodeObject *code)
{
    Py_ssize_t count = PyTuple_GET_SIZE(code->co_consts); /* sites come last */
    PyObject *last = count == 0 ? NULL : PyTuple_GET_ITEM(code->co_consts, count - 1);
    return last != NULL && Py_IS_TYPE(last, site_type) ? ((line_site *)last)->code : NULL;
}

/* context: the code object to begin with, or NULL: whatever is watched. */
static int choose(void *context, PyCodeObject *code, void *outer_owner, void **owner)
{
    bool wanted = context != NULL ? code == context : ft_line_marks_is_watched(code);
    bool within = outer_owner != NULL && ft_code_is_anonymous(code);
    *owner = wanted || within ? code : NULL;
    return 0;
}

static PyCodeObject *rewrite(PyCodeObject *code, PyCodeObject *only)
{
    ft_rewriter rewriter = {.context = only, .choose = choose, .make = make};
    return ft_rewrite(code, &rewriter);
}

PyCodeObject *ft_line_sites_rewrite(PyCodeObject *code)
{
    return rewrite(code, code);
}

PyCodeObject *ft_line_sites_rewrite_watched(PyCodeObject *code)
{
    return rewrite(code, NULL);
}

#endif /* !FT_HAS_MONITORING */
