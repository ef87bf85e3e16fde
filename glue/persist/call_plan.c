/* SPDX-License-Identifier: Apache-2.0 */
/* call_plan.c: binding a call's arguments, and feeding them. */
#include "glue/persist/call_plan.h"

/* ---- made ---- */

/* The parameter that the description says. 0, or -1 with an exception; fini ends it either way. */
static int read_parameter(ft_parameter *parameter, PyObject *description)
{
    PyObject *name, *preset, *key;
    int kind, ignored;
    if (!PyTuple_Check(description)) {
        PyErr_SetString(PyExc_TypeError, "a parameter is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(description, "UiO!pO;a parameter", &name, &kind, &PyTuple_Type, &preset,
                          &ignored, &key))
        return -1;
    if (kind < FT_POSITIONAL_ONLY || kind > FT_KWARGS || PyTuple_GET_SIZE(preset) > 1) {
        PyErr_Format(PyExc_ValueError, "%R is no parameter", description);
        return -1;
    }
    parameter->name = Py_NewRef(name);
    PyUnicode_InternInPlace(&parameter->name);
    if (PyTuple_GET_SIZE(preset) == 1)
        parameter->default_value = Py_NewRef(PyTuple_GET_ITEM(preset, 0));
    parameter->key = key == Py_None ? NULL : Py_NewRef(key);
    parameter->kind = (ft_parameter_kind)kind;
    parameter->is_ignored = ignored != 0;
    return 0;
}

static int add_parameter(ft_call_plan *plan, Py_ssize_t at, PyObject *description)
{
    ft_parameter *parameter = &plan->parameters[at];
    if (read_parameter(parameter, description) < 0)
        return -1;
    ft_parameter_kind kind = parameter->kind;
    bool is_row = kind == FT_ARGS || kind == FT_KWARGS;
    if (at > 0 && (kind < parameter[-1].kind || (is_row && kind == parameter[-1].kind))) {
        PyErr_Format(PyExc_ValueError, "the parameter %U stands in the wrong place",
                     parameter->name);
        return -1;
    }
    if (kind <= FT_POSITIONAL_OR_KEYWORD)
        plan->positional = at + 1;
    else
        plan->is_simple = false;
    if (kind == FT_ARGS)
        plan->args_at = at;
    if (kind == FT_KWARGS)
        plan->kwargs_at = at;
    if (parameter->is_ignored || parameter->key != NULL)
        plan->is_simple = false;
    return 0;
}

int ft_call_plan_init(ft_call_plan *plan, PyObject *name, PyObject *parameters)
{
    Py_ssize_t count = PyTuple_GET_SIZE(parameters);
    *plan = (ft_call_plan){.args_at = -1, .kwargs_at = -1, .is_simple = true};
    plan->parameters = PyMem_Calloc((size_t)count + 1, sizeof *plan->parameters);
    if (plan->parameters == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    plan->name = Py_NewRef(name);
    for (; plan->count < count; plan->count++)
        if (add_parameter(plan, plan->count, PyTuple_GET_ITEM(parameters, plan->count)) < 0) {
            plan->count++; /* it may hold something */
            return -1;
        }
    plan->is_ready = true;
    return 0;
}

void ft_call_plan_fini(ft_call_plan *plan)
{
    ft_call_plan gone = *plan; /* letting go may run code, which finds nothing */
    *plan = (ft_call_plan){.args_at = -1, .kwargs_at = -1};
    for (Py_ssize_t i = 0; i < gone.count; i++) {
        Py_XDECREF(gone.parameters[i].name);
        Py_XDECREF(gone.parameters[i].default_value);
        Py_XDECREF(gone.parameters[i].key);
    }
    PyMem_Free(gone.parameters);
    Py_XDECREF(gone.name);
}

int ft_call_plan_traverse(const ft_call_plan *plan, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        Py_VISIT(plan->parameters[i].default_value);
        Py_VISIT(plan->parameters[i].key);
    }
    return 0;
}

/* ---- one value ---- */

/* A TypeError that is set, in a sentence that names the argument. Other errors say nothing of the
 * value: a signal handler's, say. */
static void name_argument(const ft_call_plan *plan, const ft_parameter *parameter)
{
    if (!PyErr_ExceptionMatches(PyExc_TypeError))
        return;
    ft_compat_error saved;
    ft_compat_error_save(&saved);
    PyObject *text = ft_digest_error_text(ft_compat_error_object(&saved));
    if (text != NULL)
        PyErr_Format(PyExc_TypeError,
                     "argument '%U' of %U() can not be part of a key (%U): leave it out with "
                     "ignore=[\"%U\"], or say what it stands for with key={\"%U\": function}.",
                     parameter->name, plan->name, text, parameter->name, parameter->name);
    Py_XDECREF(text);
    ft_compat_error_chain(&saved);
}

static int feed_value(const ft_call_plan *plan, ft_digester *digester, ft_digest_context *context,
                      const ft_parameter *parameter, PyObject *value)
{
    int result = ft_argument_digest(digester, context, value);
    if (result < 0)
        name_argument(plan, parameter);
    return result;
}

/* What the key function gives for the value. */
static int feed_stand_in(const ft_call_plan *plan, ft_digester *digester,
                         ft_digest_context *context, const ft_parameter *parameter, PyObject *value)
{
    PyObject *stand_in = PyObject_CallOneArg(parameter->key, value);
    if (stand_in == NULL)
        return -1;
    ft_feed_mark(digester, FT_MARK_STANDS);
    int result = feed_value(plan, digester, context, parameter, stand_in);
    Py_DECREF(stand_in);
    return result;
}

/* ---- binding ---- */

/* A call that is being bound. bound: one for each parameter, borrowed, or NULL. */
typedef struct binding {
    const ft_call_plan *plan;
    PyObject *const *args;
    Py_ssize_t count;
    PyObject *names;  /* or NULL */
    PyObject *extras; /* a dict for **kwargs, owned; or NULL: none */
    PyObject **bound;
} binding;

/* The parameter that the keyword means, or -1. */
static Py_ssize_t find_parameter(const ft_call_plan *plan, PyObject *name)
{
    for (Py_ssize_t i = 0; i < plan->count; i++)
        if (plan->parameters[i].name == name)
            return i;
    for (Py_ssize_t i = 0; i < plan->count; i++)
        if (PyUnicode_Compare(plan->parameters[i].name, name) == 0)
            return i;
    return -1;
}

/* 0, 1: does not fit, -1 with an exception. */
static int bind_keyword(binding *call, PyObject *name, PyObject *value)
{
    const ft_call_plan *plan = call->plan;
    Py_ssize_t at = find_parameter(plan, name);
    ft_parameter_kind kind = at < 0 ? FT_KWARGS : plan->parameters[at].kind;
    if (kind == FT_POSITIONAL_OR_KEYWORD || kind == FT_KEYWORD_ONLY) {
        if (call->bound[at] != NULL)
            return 1;
        call->bound[at] = value;
        return 0;
    }
    if (plan->kwargs_at < 0)
        return 1;
    if (call->extras == NULL && (call->extras = PyDict_New()) == NULL)
        return -1;
    int is_there = PyDict_Contains(call->extras, name);
    return is_there != 0 ? is_there : PyDict_SetItem(call->extras, name, value);
}

/* As bind_keyword. */
static int bind(binding *call)
{
    const ft_call_plan *plan = call->plan;
    Py_ssize_t given = call->count < plan->positional ? call->count : plan->positional;
    if (call->count > given && plan->args_at < 0)
        return 1;
    for (Py_ssize_t i = 0; i < plan->count; i++)
        call->bound[i] = i < given ? call->args[i] : NULL;
    Py_ssize_t keywords = call->names == NULL ? 0 : PyTuple_GET_SIZE(call->names);
    for (Py_ssize_t i = 0; i < keywords; i++) {
        int result =
            bind_keyword(call, PyTuple_GET_ITEM(call->names, i), call->args[call->count + i]);
        if (result != 0)
            return result;
    }
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        const ft_parameter *parameter = &plan->parameters[i];
        if (call->bound[i] != NULL || i == plan->args_at || i == plan->kwargs_at)
            continue;
        if (parameter->default_value == NULL)
            return 1;
        call->bound[i] = parameter->default_value;
    }
    return 0;
}

/* ---- feeding ---- */

/* What is left of the positional arguments: as a tuple of them, which nobody makes unless a key
 * function wants it. */
static int feed_args(const binding *call, ft_digester *digester, ft_digest_context *context,
                     const ft_parameter *parameter)
{
    Py_ssize_t first = call->plan->positional;
    Py_ssize_t count = call->count > first ? call->count - first : 0;
    if (parameter->key != NULL) {
        PyObject *tuple = PyTuple_New(count);
        for (Py_ssize_t i = 0; tuple != NULL && i < count; i++)
            PyTuple_SET_ITEM(tuple, i, Py_NewRef(call->args[first + i]));
        int result =
            tuple == NULL ? -1 : feed_stand_in(call->plan, digester, context, parameter, tuple);
        Py_XDECREF(tuple);
        return result;
    }
    ft_feed_head(digester, FT_MARK_TUPLE, (size_t)count);
    for (Py_ssize_t i = 0; i < count; i++)
        if (feed_value(call->plan, digester, context, parameter, call->args[first + i]) < 0)
            return -1;
    return 0;
}

static int feed_kwargs(binding *call, ft_digester *digester, ft_digest_context *context,
                       const ft_parameter *parameter)
{
    if (call->extras == NULL && parameter->key == NULL) {
        ft_feed_head(digester, FT_MARK_DICT, 0);
        return 0;
    }
    if (call->extras == NULL && (call->extras = PyDict_New()) == NULL)
        return -1;
    if (parameter->key != NULL)
        return feed_stand_in(call->plan, digester, context, parameter, call->extras);
    return feed_value(call->plan, digester, context, parameter, call->extras);
}

static int feed_parameter(binding *call, ft_digester *digester, ft_digest_context *context,
                          Py_ssize_t at)
{
    const ft_parameter *parameter = &call->plan->parameters[at];
    if (parameter->is_ignored) {
        ft_feed_mark(digester, FT_MARK_IGNORED);
        return 0;
    }
    if (at == call->plan->args_at)
        return feed_args(call, digester, context, parameter);
    if (at == call->plan->kwargs_at)
        return feed_kwargs(call, digester, context, parameter);
    if (parameter->key != NULL)
        return feed_stand_in(call->plan, digester, context, parameter, call->bound[at]);
    return feed_value(call->plan, digester, context, parameter, call->bound[at]);
}

static int digest_bound(binding *call, ft_digester *digester, ft_digest_context *context)
{
    int result = bind(call);
    for (Py_ssize_t i = 0; result == 0 && i < call->plan->count; i++)
        result = feed_parameter(call, digester, context, i);
    Py_XDECREF(call->extras);
    return result;
}

/* All that need be bound, or the parameters do not fit in few. */
static int digest_call(binding *call, ft_digester *digester, ft_digest_context *context)
{
    PyObject *few[FT_PLAN_FEW];
    call->bound = few;
    if (call->plan->count <= FT_PLAN_FEW)
        return digest_bound(call, digester, context);
    call->bound = PyMem_New(PyObject *, (size_t)call->plan->count);
    if (call->bound == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int result = digest_bound(call, digester, context);
    PyMem_Free(call->bound);
    return result;
}

int ft_call_plan_digest(const ft_call_plan *plan, ft_digester *digester, ft_digest_context *context,
                        PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    if (!plan->is_ready)
        return 1;
    if (plan->is_simple && count == plan->count &&
        (names == NULL || PyTuple_GET_SIZE(names) == 0)) {
        for (Py_ssize_t i = 0; i < count; i++)
            if (feed_value(plan, digester, context, &plan->parameters[i], args[i]) < 0)
                return -1;
        return 0;
    }
    binding call = {.plan = plan, .args = args, .count = count, .names = names};
    return digest_call(&call, digester, context);
}

/* ---- calls from a tuple and a dict ---- */

static bool are_names(PyObject *keywords)
{
    Py_ssize_t at = 0;
    PyObject *key;
    bool are = PyDict_Check(keywords);
    while (are && PyDict_Next(keywords, &at, &key, NULL))
        are = PyUnicode_Check(key);
    if (!are)
        PyErr_SetString(PyExc_TypeError, "keywords must be strings, in a dict");
    return are;
}

int ft_flat_call_init(ft_flat_call *call, PyObject *args, PyObject *keywords)
{
    if (!are_names(keywords))
        return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(args), at = 0, given = 0;
    PyObject *key, *value, *names = PyTuple_New(PyDict_GET_SIZE(keywords));
    if (names == NULL)
        return -1;
    PyObject **values = PyMem_New(PyObject *, (size_t)(count + PyTuple_GET_SIZE(names)) + 1);
    if (values == NULL) {
        Py_DECREF(names);
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        values[i] = Py_NewRef(PyTuple_GET_ITEM(args, i));
    while (PyDict_Next(keywords, &at, &key, &value)) {
        PyTuple_SET_ITEM(names, given, Py_NewRef(key));
        values[count + given++] = Py_NewRef(value);
    }
    *call = (ft_flat_call){values, count, names};
    return 0;
}

void ft_flat_call_fini(ft_flat_call *call)
{
    for (Py_ssize_t i = 0; i < call->count + PyTuple_GET_SIZE(call->names); i++)
        Py_DECREF(call->values[i]);
    Py_DECREF(call->names);
    PyMem_Free(call->values);
}
