/* SPDX-License-Identifier: Apache-2.0 */
/* call_digests.c: see call_digests.h. */
#include "glue/types/call_digests.h"

#include "glue/persist/call_plan.h"

/* ---- bytes in and out ---- */

/* A secret grown from up to FT_SEED_BYTES bytes, zeros after them. 0, or -1 with an exception. */
static int grow_secret(ft_secret *secret, const Py_buffer *seed)
{
    uint8_t bytes[FT_SEED_BYTES] = {0};
    if (seed->len > FT_SEED_BYTES) {
        PyErr_Format(PyExc_ValueError, "secret has %zd bytes, but at most %d count", seed->len,
                     (int)FT_SEED_BYTES);
        return -1;
    }
    if (seed->len > 0)
        memcpy(bytes, seed->buf, (size_t)seed->len);
    ft_secret_init(secret, bytes);
    return 0;
}

static PyObject *result_of(ft_digester *digester)
{
    ft_digest digest = ft_digester_result(digester);
    return PyBytes_FromStringAndSize((const char *)&digest, sizeof digest);
}

/* ---- digest() ---- */

const char ft_core_digest_doc[] =
    "digest(value, secret=b\"\", functions=None)\n--\n\n"
    "16 bytes that equal values of equal types have in common. secret: up to 32 bytes;\n"
    "functions: called with a function that is met, gives bytes for what it does.";

PyObject *ft_core_digest(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"value", "secret", "functions", NULL};
    PyObject *value, *functions = Py_None, *result = NULL;
    Py_buffer seed = {.len = 0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|y*O:digest", (char **)names, &value, &seed,
                                     &functions))
        return NULL;
    ft_secret secret;
    ft_digester digester;
    ft_digest_context context;
    if (grow_secret(&secret, &seed) == 0) {
        ft_digester_init(&digester, &secret);
        ft_digest_context_init(&context, PyModule_GetState(module), functions);
        if (ft_argument_digest(&digester, &context, value) == 0)
            result = result_of(&digester);
    }
    PyBuffer_Release(&seed);
    return result;
}

/* ---- CallPlan ---- */

typedef struct call_plan {
    PyObject_HEAD
    ft_call_plan plan;
    PyObject *functions; /* or NULL */
} call_plan;

static PyObject *call_plan_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"name", "parameters", "functions", NULL};
    PyObject *name, *parameters, *functions = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "UO!|O:CallPlan", (char **)names, &name,
                                     &PyTuple_Type, &parameters, &functions))
        return NULL;
    call_plan *self = (call_plan *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->functions = functions == Py_None ? NULL : Py_NewRef(functions);
    if (ft_call_plan_init(&self->plan, name, parameters) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int digest_call(const call_plan *self, ft_digester *digester, PyObject *args,
                       PyObject *kwargs)
{
    ft_module_state *state = ft_module_state_of(Py_TYPE((PyObject *)self));
    ft_flat_call call;
    if (state == NULL || ft_flat_call_init(&call, args, kwargs) < 0)
        return -1;
    ft_digest_context context;
    ft_digest_context_init(&context, state, self->functions);
    int result =
        ft_call_plan_digest(&self->plan, digester, &context, call.values, call.count, call.names);
    ft_flat_call_fini(&call);
    return result;
}

static PyObject *call_plan_digest(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    static const char *const names[] = {"args", "kwargs", "prefix", "secret", NULL};
    PyObject *args, *kwargs, *result = NULL;
    Py_buffer prefix = {.len = 0}, seed = {.len = 0};
    ft_secret secret;
    ft_digester digester;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O!|y*y*:digest", (char **)names,
                                     &PyTuple_Type, &args, &PyDict_Type, &kwargs, &prefix, &seed))
        return NULL;
    if (grow_secret(&secret, &seed) == 0) {
        ft_digester_init(&digester, &secret);
        if (prefix.len > 0)
            ft_digester_feed(&digester, prefix.buf, (size_t)prefix.len);
        int fed = digest_call((const call_plan *)object, &digester, args, kwargs);
        if (fed == 0)
            result = result_of(&digester);
        else if (fed > 0)
            result = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&prefix);
    PyBuffer_Release(&seed);
    return result;
}

static int call_plan_traverse(PyObject *object, visitproc visit, void *arg)
{
    call_plan *self = (call_plan *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->functions);
    return ft_call_plan_traverse(&self->plan, visit, arg);
}

static int call_plan_clear(PyObject *object)
{
    call_plan *self = (call_plan *)object;
    Py_CLEAR(self->functions);
    ft_call_plan_fini(&self->plan);
    return 0;
}

static void call_plan_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    call_plan_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(call_plan_doc,
             "CallPlan(name, parameters, functions=None)\n--\n\n"
             "How calls of a function become keys. parameters: a tuple of (name, kind, default,\n"
             "ignored, key), where default is () or (value,).");

PyDoc_STRVAR(call_plan_digest_doc,
             "digest($self, /, args, kwargs, prefix=b\"\", secret=b\"\")\n--\n\n"
             "16 bytes that equal calls have in common, after prefix; None: not such a call.");

static PyMethodDef call_plan_methods[] = {
    {"digest", (PyCFunction)(void (*)(void))call_plan_digest, METH_VARARGS | METH_KEYWORDS,
     call_plan_digest_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot call_plan_slots[] = {
    {Py_tp_doc, (void *)call_plan_doc},
    {Py_tp_new, (void *)call_plan_new},
    {Py_tp_dealloc, (void *)call_plan_dealloc},
    {Py_tp_traverse, (void *)call_plan_traverse},
    {Py_tp_clear, (void *)call_plan_clear},
    {Py_tp_methods, call_plan_methods},
    {0, NULL},
};

static PyType_Spec call_plan_spec = {
    .name = "fettle._core.CallPlan",
    .basicsize = sizeof(call_plan),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = call_plan_slots,
};

int ft_call_plan_type_add(PyObject *module, ft_module_state *state)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &call_plan_spec, NULL);
    state->call_plan_type = (PyTypeObject *)type;
    return type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
}
