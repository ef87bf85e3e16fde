/* SPDX-License-Identifier: Apache-2.0 */
/* choices.c: how arguments read (see choices.h). */
#include "glue/bytecode/choices.h"

enum { ALL_BITS = INT32_MAX, CONVERSIONS = 4, WITH_FORMAT = 4 };

static void choose(ft_building *build, const char *name, PyObject *texts, PyObject *values,
                   int32_t mask)
{
    int opcode = ft_dialect_opcode(build, name);
    if (!build->ok || opcode < 0 || texts == NULL)
        return;
    ft_opcode_traits *traits = &build->dialect->table.opcodes[opcode];
    if (traits->argument == FT_ARGUMENT_NUMBER)
        traits->argument = FT_ARGUMENT_CHOICE;
    build->dialect->choices[opcode] = (ft_choice){.texts = texts, .values = values, .mask = mask};
}

/* ---- lists of the module ---- */

static void choose_operators(ft_building *build)
{
    PyObject *pairs = ft_dialect_list(build, "_nb_ops");
    PyObject *texts =
        pairs == NULL ? NULL : ft_dialect_keep(build, PyTuple_New(PyTuple_GET_SIZE(pairs)));
    for (Py_ssize_t i = 0; texts != NULL && i < PyTuple_GET_SIZE(pairs); i++) {
        PyObject *text = PySequence_GetItem(PyTuple_GET_ITEM(pairs, i), 1);
        build->ok = build->ok && text != NULL;
        PyTuple_SET_ITEM(texts, i, text);
    }
    choose(build, "BINARY_OP", texts, NULL, ALL_BITS);
}

/* Classes by their names, the rest as they show themselves. */
static void choose_constants(ft_building *build)
{
    PyObject *values = ft_dialect_list(build, "_common_constants");
    PyObject *texts =
        values == NULL ? NULL : ft_dialect_keep(build, PyTuple_New(PyTuple_GET_SIZE(values)));
    for (Py_ssize_t i = 0; texts != NULL && i < PyTuple_GET_SIZE(values); i++) {
        PyObject *value = PyTuple_GET_ITEM(values, i);
        PyObject *text =
            PyType_Check(value) ? PyObject_GetAttrString(value, "__name__") : PyObject_Repr(value);
        build->ok = build->ok && text != NULL;
        PyTuple_SET_ITEM(texts, i, text);
    }
    choose(build, "LOAD_COMMON_CONSTANT", texts, FT_DIS_GIVES_COMMON ? values : NULL, ALL_BITS);
}

/* ---- lists that are nowhere but in the texts themselves ---- */

/* For each set of flags the names of those in it. */
static PyObject *flag_texts(const char *const *flags, int count)
{
    PyObject *texts = PyTuple_New((Py_ssize_t)1 << count);
    for (int set = 0; texts != NULL && set < 1 << count; set++) {
        char text[64] = "";
        for (int flag = 0; flag < count; flag++) {
            if ((set >> flag & 1) == 0)
                continue;
            if (text[0] != '\0')
                strcat(text, ", ");
            strcat(text, flags[flag]);
        }
        PyObject *made = PyUnicode_FromString(text);
        if (made == NULL)
            Py_CLEAR(texts);
        else
            PyTuple_SET_ITEM(texts, set, made);
    }
    return texts;
}

static void choose_function_parts(ft_building *build)
{
    static const char *const flags[] = {"defaults", "kwdefaults", "annotations", "closure",
                                        "annotate"};
    const int mask = (1 << FT_DIS_FUNCTION_FLAGS) - 1;
    PyObject *texts = ft_dialect_keep(build, flag_texts(flags, FT_DIS_FUNCTION_FLAGS));
    choose(build, "MAKE_FUNCTION", texts, NULL, mask);
    choose(build, "SET_FUNCTION_ATTRIBUTE", texts, NULL, mask);
}

static const char *const conversion_names[CONVERSIONS] = {"", "str", "repr", "ascii"};

/* None, str, repr, ascii. */
static PyObject *conversion(PyObject *builtins, int number)
{
    return number == 0 ? Py_NewRef(Py_None)
                       : PyObject_GetAttrString(builtins, conversion_names[number]);
}

static PyObject *format_text(int number)
{
    const char *name = conversion_names[number % CONVERSIONS];
    if ((number & WITH_FORMAT) == 0)
        return PyUnicode_FromString(name);
    return PyUnicode_FromFormat("%s%swith format", name, name[0] == '\0' ? "" : ", ");
}

static void choose_conversions(ft_building *build)
{
    PyObject *builtins = PyImport_ImportModule("builtins");
    build->ok = build->ok && builtins != NULL;
    PyObject *values = ft_dialect_keep(build, PyTuple_New(CONVERSIONS));
    PyObject *texts = ft_dialect_keep(build, PyTuple_New((Py_ssize_t)2 * CONVERSIONS));
    PyObject *pairs = ft_dialect_keep(build, PyTuple_New((Py_ssize_t)2 * CONVERSIONS));
    for (int i = 0; build->ok && i < 2 * CONVERSIONS; i++) {
        PyObject *value = conversion(builtins, i % CONVERSIONS), *text = format_text(i);
        PyObject *pair = value == NULL
                             ? NULL
                             : PyTuple_Pack(2, value, (i & WITH_FORMAT) != 0 ? Py_True : Py_False);
        build->ok = text != NULL && pair != NULL;
        PyTuple_SET_ITEM(texts, i, text);
        PyTuple_SET_ITEM(pairs, i, pair);
        if (i < CONVERSIONS)
            PyTuple_SET_ITEM(values, i, value);
        else
            Py_XDECREF(value);
    }
    Py_XDECREF(builtins);
    choose(build, "FORMAT_VALUE", texts, pairs, 2 * CONVERSIONS - 1);
    choose(build, "CONVERT_VALUE", texts, values, ALL_BITS);
}

static void choose_tests(ft_building *build, const char *name, const char *plain,
                         const char *negated)
{
    int opcode = ft_dialect_opcode(build, name);
    if (!FT_DIS_NAMES_TESTS || opcode < 0)
        return;
    choose(build, name, ft_dialect_keep(build, Py_BuildValue("(ss)", plain, negated)), NULL,
           ALL_BITS);
    build->dialect->choices[opcode].truth = true;
}

static void choose_comparisons(ft_building *build)
{
    ft_python_dialect *dialect = build->dialect;
    PyObject *texts = ft_dialect_list(build, "cmp_op");
    build->ok = build->ok && texts != NULL;
    Py_ssize_t count = build->ok ? PyTuple_GET_SIZE(texts) : 0;
    PyObject *as_bool = ft_dialect_keep(build, PyTuple_New(count));
    for (Py_ssize_t i = 0; build->ok && i < count; i++) {
        PyObject *text = PyUnicode_FromFormat("bool(%S)", PyTuple_GET_ITEM(texts, i));
        build->ok = text != NULL;
        PyTuple_SET_ITEM(as_bool, i, text);
    }
    dialect->compared = texts;
    dialect->compared_as_bool = as_bool;
    for (int opcode = 0; opcode < FT_OPCODES; opcode++) {
        if (dialect->table.opcodes[opcode].argument == FT_ARGUMENT_COMPARE)
            dialect->table.opcodes[opcode].shift = FT_DIS_COMPARE_SHIFT;
    }
}

/* ---- names ---- */

static void mark(ft_building *build, const char *name, int shift, const char *lowest,
                 const char *second)
{
    int opcode = ft_dialect_opcode(build, name);
    if (opcode < 0 || shift == 0)
        return;
    build->dialect->table.opcodes[opcode].shift = (uint8_t)shift;
    ft_mark *marks = &build->dialect->marks[opcode];
    marks->lowest = ft_dialect_keep(build, PyUnicode_FromString(lowest));
    if (second != NULL)
        marks->second = ft_dialect_keep(build, PyUnicode_FromString(second));
}

void ft_dialect_add_choices(ft_building *build)
{
    if (!build->ok)
        return;
    choose_operators(build);
    choose_constants(build);
    choose(build, "CALL_INTRINSIC_1", ft_dialect_list(build, "_intrinsic_1_descs"), NULL, ALL_BITS);
    choose(build, "CALL_INTRINSIC_2", ft_dialect_list(build, "_intrinsic_2_descs"), NULL, ALL_BITS);
    choose(build, "LOAD_SPECIAL", ft_dialect_list(build, "_special_method_names"), NULL, ALL_BITS);
    choose_function_parts(build);
    choose_conversions(build);
    choose_tests(build, "IS_OP", "is", "is not");
    choose_tests(build, "CONTAINS_OP", "in", "not in");
    choose_comparisons(build);
    mark(build, "LOAD_GLOBAL", 1, FT_DIS_NULL, NULL);
    mark(build, "LOAD_ATTR", FT_DIS_ATTR_SHIFT, FT_DIS_NULL_OR_SELF, NULL);
    mark(build, "LOAD_SUPER_ATTR", 2, FT_DIS_NULL_OR_SELF, NULL);
    mark(build, "IMPORT_NAME", FT_DIS_IMPORT_SHIFT, " + lazy", " + eager");
}
