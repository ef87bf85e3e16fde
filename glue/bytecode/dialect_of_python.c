/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_of_python.c: what the running interpreter means by its opcodes (see
 * dialect_of_python.h).
 *
 * A builder looks at what it reads through `ok`: after a failure each step is a no-op, so that it
 * is checked once, at the end. */
#include "glue/bytecode/dialect_of_python.h"

#include "glue/bytecode/choices.h"

static const char capsule_name[] = "fettle._core.dialect";

static void dialect_free(ft_python_dialect *dialect)
{
    Py_XDECREF(dialect->kept);
    PyMem_Free(dialect);
}

static void capsule_free(PyObject *capsule)
{
    dialect_free(PyCapsule_GetPointer(capsule, capsule_name));
}

/* ---- opcodes by name and by list ---- */

/* An int that fits into a byte, as opcodes and sizes of caches do; -1: it does not, or is none. */
static int as_byte(PyObject *number)
{
    int overflow;
    long value = PyLong_Check(number) ? PyLong_AsLongAndOverflow(number, &overflow) : -1;
    return value >= 0 && value < FT_OPCODES ? (int)value : -1;
}

int ft_dialect_opcode(const ft_building *build, const char *name)
{
    PyObject *number = build->ok ? PyDict_GetItemString(build->numbers, name) : NULL;
    return number == NULL ? -1 : as_byte(number);
}

PyObject *ft_dialect_keep(ft_building *build, PyObject *object)
{
    build->ok = build->ok && object != NULL && PyList_Append(build->dialect->kept, object) == 0;
    Py_XDECREF(object);
    return build->ok ? object : NULL;
}

PyObject *ft_dialect_list(ft_building *build, const char *name)
{
    PyObject *list = build->ok ? PyObject_GetAttrString(build->module, name) : NULL;
    if (list == NULL && build->ok && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return NULL;
    }
    PyObject *tuple = list == NULL ? NULL : PySequence_Tuple(list);
    Py_XDECREF(list);
    return ft_dialect_keep(build, tuple);
}

/* The items of a mapping, which is taken, as a tuple of pairs, borrowed; NULL after a failure. */
static PyObject *pairs_in(ft_building *build, PyObject *mapping)
{
    PyObject *items = mapping == NULL ? NULL : PyMapping_Items(mapping);
    PyObject *pairs = ft_dialect_keep(build, items == NULL ? NULL : PyList_AsTuple(items));
    Py_XDECREF(mapping);
    Py_XDECREF(items);
    for (Py_ssize_t i = 0; build->ok && i < PyTuple_GET_SIZE(pairs); i++) {
        PyObject *pair = PyTuple_GET_ITEM(pairs, i);
        build->ok = PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2;
    }
    return build->ok ? pairs : NULL;
}

/* Those of a list take an argument of that kind, unless they have another kind already. */
static void add_kind(ft_building *build, const char *name, ft_argument kind)
{
    PyObject *list = ft_dialect_list(build, name);
    for (Py_ssize_t i = 0; list != NULL && i < PyTuple_GET_SIZE(list); i++) {
        int opcode = as_byte(PyTuple_GET_ITEM(list, i));
        if (opcode < 0)
            continue;
        ft_opcode_traits *traits = &build->dialect->table.opcodes[opcode];
        if (traits->argument == FT_ARGUMENT_NUMBER)
            traits->argument = (uint8_t)kind;
    }
}

/* `hasarg` says who has one; before there was such a list (3.11) the order of opcodes did. */
static void add_arguments(ft_building *build)
{
    PyObject *list = ft_dialect_list(build, "hasarg");
    if (list == NULL && build->ok) {
        PyObject *first = PyObject_GetAttrString(build->module, "HAVE_ARGUMENT");
        int opcode = first == NULL ? -1 : as_byte(first);
        Py_XDECREF(first);
        build->ok = opcode >= 0;
        for (; build->ok && opcode < FT_OPCODES; opcode++)
            build->dialect->table.opcodes[opcode].argument = FT_ARGUMENT_NUMBER;
    }
    for (Py_ssize_t i = 0; list != NULL && i < PyTuple_GET_SIZE(list); i++) {
        int opcode = as_byte(PyTuple_GET_ITEM(list, i));
        if (opcode >= 0)
            build->dialect->table.opcodes[opcode].argument = FT_ARGUMENT_NUMBER;
    }
}

/* ---- names ---- */

static void add_names(ft_building *build)
{
    PyObject *names = ft_dialect_list(build, "opname");
    for (int opcode = 0; build->ok && opcode < FT_OPCODES; opcode++) {
        bool named = names != NULL && opcode < PyTuple_GET_SIZE(names);
        build->dialect->table.opcodes[opcode].base = (uint8_t)opcode;
        build->dialect->names[opcode] =
            ft_dialect_keep(build, named ? Py_NewRef(PyTuple_GET_ITEM(names, opcode))
                                         : PyUnicode_FromFormat("<%d>", opcode));
        build->ok = build->ok && PyUnicode_CheckExact(build->dialect->names[opcode]);
    }
}

static bool is_unnamed(const ft_building *build, int opcode)
{
    PyObject *name = build->dialect->names[opcode];
    return PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '<';
}

static void set_number(ft_building *build, PyObject *name, int opcode)
{
    PyObject *number = PyLong_FromLong(opcode);
    build->ok = number != NULL && PyDict_SetItem(build->numbers, name, number) == 0;
    Py_XDECREF(number);
}

/* Specialised forms have numbers of their own in a dict or, until 3.12, those without a name, in
 * their order. */
static void number_forms(ft_building *build)
{
    PyObject *numbers = PyObject_GetAttrString(build->module, "_specialized_opmap");
    if (numbers != NULL) {
        build->ok = PyDict_Update(build->numbers, numbers) == 0;
        Py_DECREF(numbers);
        return;
    }
    PyErr_Clear();
    PyObject *forms = ft_dialect_list(build, "_specialized_instructions");
    int opcode = 0;
    for (Py_ssize_t i = 0; forms != NULL && build->ok && i < PyTuple_GET_SIZE(forms); i++) {
        while (opcode < FT_OPCODES && !is_unnamed(build, opcode))
            opcode++;
        if (opcode < FT_OPCODES)
            set_number(build, PyTuple_GET_ITEM(forms, i), opcode++);
    }
}

static void add_form(ft_building *build, PyObject *name, int base)
{
    const char *text = PyUnicode_AsUTF8(name);
    int opcode = text == NULL ? -1 : ft_dialect_opcode(build, text);
    build->ok = text != NULL;
    if (opcode < 0 || base < 0)
        return;
    build->dialect->table.opcodes[opcode].base = (uint8_t)base;
    build->dialect->names[opcode] = ft_dialect_keep(build, Py_NewRef(name));
}

static void add_forms(ft_building *build)
{
    if (!build->ok)
        return;
    number_forms(build);
    PyObject *families = pairs_in(
        build, build->ok ? PyObject_GetAttrString(build->module, "_specializations") : NULL);
    for (Py_ssize_t i = 0; build->ok && i < PyTuple_GET_SIZE(families); i++) {
        PyObject *item = PyTuple_GET_ITEM(families, i);
        const char *base = PyUnicode_AsUTF8(PyTuple_GET_ITEM(item, 0));
        PyObject *forms = ft_dialect_keep(
            build, base == NULL ? NULL : PySequence_Tuple(PyTuple_GET_ITEM(item, 1)));
        for (Py_ssize_t k = 0; build->ok && k < PyTuple_GET_SIZE(forms); k++)
            add_form(build, PyTuple_GET_ITEM(forms, k), ft_dialect_opcode(build, base));
    }
}

/* ---- caches ---- */

/* The value that a row has for caches of zeros. */
static PyObject *make_zeros(PyObject *fields)
{
    Py_ssize_t count = PyTuple_GET_SIZE(fields);
    PyObject *zeros = PyTuple_New(count);
    for (Py_ssize_t i = 0; zeros != NULL && i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(PyTuple_GET_ITEM(fields, i), 0);
        PyObject *size = PyTuple_GET_ITEM(PyTuple_GET_ITEM(fields, i), 1);
        Py_ssize_t bytes = (Py_ssize_t)PyLong_AsLong(size) * FT_UNIT_BYTES;
        PyObject *data = PyBytes_FromStringAndSize(NULL, bytes);
        PyObject *field = data == NULL ? NULL : PyTuple_Pack(3, name, size, data);
        if (data != NULL)
            memset(PyBytes_AS_STRING(data), 0, (size_t)bytes);
        Py_XDECREF(data);
        if (field == NULL)
            Py_CLEAR(zeros);
        else
            PyTuple_SET_ITEM(zeros, i, field);
    }
    return zeros;
}

static void add_cache_fields(ft_building *build, int opcode, PyObject *format)
{
    PyObject *fields = pairs_in(build, Py_NewRef(format));
    long units = 0;
    for (Py_ssize_t i = 0; fields != NULL && i < PyTuple_GET_SIZE(fields); i++) {
        int size = as_byte(PyTuple_GET_ITEM(PyTuple_GET_ITEM(fields, i), 1));
        build->ok = build->ok && size > 0;
        units += size;
    }
    build->ok = build->ok && units <= UINT8_MAX;
    if (!build->ok || units == 0)
        return;
    build->dialect->table.opcodes[opcode].caches = (uint8_t)units;
    build->dialect->fields[opcode] = fields;
    build->dialect->zeros[opcode] = ft_dialect_keep(build, make_zeros(fields));
}

static void add_caches(ft_building *build)
{
    PyObject *formats =
        pairs_in(build, build->ok ? PyObject_GetAttrString(build->module, "_cache_format") : NULL);
    for (Py_ssize_t i = 0; build->ok && i < PyTuple_GET_SIZE(formats); i++) {
        PyObject *item = PyTuple_GET_ITEM(formats, i);
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(item, 0));
        int opcode = name == NULL ? -1 : ft_dialect_opcode(build, name);
        build->ok = name != NULL;
        if (opcode >= 0)
            add_cache_fields(build, opcode, PyTuple_GET_ITEM(item, 1));
    }
}

/* ---- kinds of arguments ---- */

/* Jumps are relative; the name says which go back. END_ASYNC_FOR names where its loop awaits. */
static void turn_jumps_back(ft_building *build)
{
    for (int opcode = 0; build->ok && opcode < FT_OPCODES; opcode++) {
        ft_opcode_traits *traits = &build->dialect->table.opcodes[opcode];
        const char *name = PyUnicode_AsUTF8(build->dialect->names[opcode]);
        build->ok = name != NULL;
        if (name == NULL || traits->argument != FT_ARGUMENT_FORWARD)
            continue;
        bool ends_loop = strcmp(name, "END_ASYNC_FOR") == 0;
        if (ends_loop)
            build->dialect->from_opcode = (uint8_t)opcode;
        if (ends_loop || strstr(name, "JUMP_BACKWARD") != NULL)
            traits->argument = FT_ARGUMENT_BACKWARD;
    }
}

/* Two locals in one argument. */
static void pair_locals(ft_building *build)
{
    static const char *const pairs[] = {
        "LOAD_FAST_LOAD_FAST",
        "LOAD_FAST_BORROW_LOAD_FAST_BORROW",
        "STORE_FAST_LOAD_FAST",
        "STORE_FAST_STORE_FAST",
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        int opcode = ft_dialect_opcode(build, pairs[i]);
        if (opcode >= 0)
            build->dialect->table.opcodes[opcode].argument = FT_ARGUMENT_LOCALS;
    }
}

/* The order is that of the standard library's own tests, where an opcode is in several lists. */
static void add_kinds(ft_building *build)
{
    add_arguments(build);
    add_kind(build, "hasconst", FT_ARGUMENT_CONSTANT);
    add_kind(build, "hasname", FT_ARGUMENT_NAME);
    add_kind(build, "hasjabs", FT_ARGUMENT_ABSOLUTE);
    add_kind(build, "hasjrel", FT_ARGUMENT_FORWARD);
    pair_locals(build);
    add_kind(build, "haslocal", FT_ARGUMENT_LOCAL);
    add_kind(build, "hasfree", FT_ARGUMENT_LOCAL);
    add_kind(build, "hascompare", FT_ARGUMENT_COMPARE);
    turn_jumps_back(build);
    int extended = ft_dialect_opcode(build, "EXTENDED_ARG");
    if (extended >= 0)
        build->dialect->table.opcodes[extended].extends = true;
    int executor = ft_dialect_opcode(build, "ENTER_EXECUTOR");
    build->dialect->executor_opcode = (uint8_t)(executor < 0 ? 0 : executor);
    for (int opcode = 0; FT_DIS_LOAD_CONST_ALONE && opcode < FT_OPCODES; opcode++)
        build->dialect->unresolved[opcode] = opcode != ft_dialect_opcode(build, "LOAD_CONST");
}

/* ---- the whole ---- */

static void fill(ft_building *build, ft_module_state *state)
{
    ft_python_dialect *dialect = build->dialect;
    for (int i = 0; i < FT_KNOWN_NUMBERS; i++)
        dialect->numbers[i] = ft_dialect_keep(build, build->ok ? PyLong_FromLong(i) : NULL);
    add_names(build);
    add_forms(build);
    add_kinds(build);
    add_caches(build);
    ft_dialect_add_choices(build);
    dialect->empty = ft_dialect_keep(build, PyUnicode_FromString(""));
    dialect->cache_name = ft_dialect_keep(build, PyUnicode_InternFromString("CACHE"));
    dialect->row_type =
        (PyTypeObject *)ft_dialect_keep(build, Py_NewRef((PyObject *)state->instruction_type));
    dialect->position_type =
        (PyTypeObject *)ft_dialect_keep(build, Py_NewRef((PyObject *)state->position_type));
    int cache = ft_dialect_opcode(build, "CACHE");
    dialect->cache_opcode = (uint8_t)(cache < 0 ? 0 : cache);
}

static ft_python_dialect *make(ft_module_state *state)
{
    ft_python_dialect *dialect = PyMem_Calloc(1, sizeof *dialect);
    if (dialect == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    ft_building build = {.dialect = dialect, .module = PyImport_ImportModule("opcode")};
    PyObject *numbers = build.module == NULL ? NULL : PyObject_GetAttrString(build.module, "opmap");
    dialect->kept = PyList_New(0);
    build.numbers = numbers == NULL ? NULL : PyDict_New();
    build.ok = dialect->kept != NULL && build.numbers != NULL &&
               PyDict_Update(build.numbers, numbers) == 0;
    Py_XDECREF(numbers);
    if (build.ok)
        fill(&build, state);
    Py_XDECREF(build.module);
    Py_XDECREF(build.numbers);
    if (build.ok && PyErr_Occurred() == NULL)
        return dialect;
    dialect_free(dialect);
    if (PyErr_Occurred() == NULL)
        PyErr_SetString(PyExc_SystemError,
                        "the module opcode is not as this version of Python has it: is another "
                        "one in its place?");
    return NULL;
}

PyObject *ft_python_dialect_get(ft_module_state *state)
{
    if (state->dialect != NULL)
        return Py_NewRef(state->dialect);
    ft_python_dialect *dialect = make(state);
    PyObject *capsule = dialect == NULL ? NULL : PyCapsule_New(dialect, capsule_name, capsule_free);
    if (capsule == NULL && dialect != NULL)
        dialect_free(dialect);
    if (capsule != NULL && state->dialect == NULL)
        state->dialect = Py_NewRef(capsule);
    return capsule;
}

const ft_python_dialect *ft_python_dialect_in(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, capsule_name);
}
