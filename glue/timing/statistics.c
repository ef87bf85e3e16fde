/* SPDX-License-Identifier: Apache-2.0 */
/* statistics.c: the statistics of samples for Python (see statistics.h).
 *
 * Samples are copied first, so that the GIL can be let go of while they are computed with, and so
 * that nothing may change them meanwhile: an array('d') can grow while its buffer is not held. */
#include "glue/timing/statistics.h"

#include <math.h>
#include <string.h>

#include "engine/stats/bootstrap.h"
#include "engine/stats/comparison.h"
#include "engine/stats/description.h"
#include "engine/stats/trend.h"
#include "glue/rows.h"

/* Invariant: groups[i].values stand in values, one group behind the other. */
typedef struct sample_set {
    ft_samples *groups; /* owned */
    double *values;     /* owned */
    uint32_t count;     /* of groups */
    uint64_t samples;
} sample_set;

static const ft_row_shape description_row = {
    "fettle._core.Description",
    "What the samples of one candidate say: see describe().",
    {{"median", "of all samples"},
     {"low", "the interval of the median"},
     {"high", "infinite for a single sample"},
     {"spread", "median absolute deviation * 1.4826 / median"},
     {"least", "the smallest sample"},
     {"most", "the largest one"},
     {"count", "samples"}},
};

static const ft_row_shape compared_row = {
    "fettle._core.Compared",
    "Two candidates beside each other: see compare().",
    {{"ratio", "first / second: how many times as fast the second is"},
     {"low", "the interval of the ratio"},
     {"high", "infinite where nothing is known"},
     {"pairs", "that were used"},
     {"verdict", "of the second: \"faster\", \"slower\", \"same\" or \"unclear\""}},
};

int ft_statistics_add(PyObject *module, ft_module_state *state)
{
    if ((state->description_type = ft_row_type_add(module, &description_row)) == NULL ||
        (state->compared_type = ft_row_type_add(module, &compared_row)) == NULL)
        return -1;
    return 0;
}

/* ---- samples ---- */

static void set_fini(sample_set *set)
{
    PyMem_Free(set->groups);
    PyMem_Free(set->values);
}

static int is_doubles(const Py_buffer *view)
{
    return view->ndim == 1 && view->itemsize == sizeof(double) && view->format != NULL &&
           (strcmp(view->format, "d") == 0 || strcmp(view->format, "@d") == 0);
}

/* Appends a group, at index. 0, or -1 with an exception. */
static int add_samples(sample_set *to, const Py_buffer *view, Py_ssize_t index)
{
    if (!is_doubles(view)) {
        PyErr_Format(PyExc_TypeError,
                     "group %zd is no row of doubles: give an array('d') for each group", index);
        return -1;
    }
    uint64_t count = (uint64_t)(view->len / view->itemsize);
    if (count > FT_BOOTSTRAP_SAMPLES_MAX - to->samples) {
        PyErr_Format(PyExc_ValueError, "more than %d samples: give fewer groups, or shorter ones",
                     FT_BOOTSTRAP_SAMPLES_MAX);
        return -1;
    }
    size_t all = (size_t)(to->samples + count);
    double *values = PyMem_Realloc(to->values, (all + 1) * sizeof *values);
    if (values == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    to->values = values;
    if (count > 0)
        memcpy(values + to->samples, view->buf, (size_t)count * sizeof *values);
    for (uint64_t i = to->samples; i < all; i++)
        if (!isfinite(values[i])) {
            PyErr_Format(PyExc_ValueError,
                         "sample %zd of group %zd is not finite: leave such samples out",
                         (Py_ssize_t)(i - to->samples), index);
            return -1;
        }
    to->samples = all;
    to->groups[to->count++].count = (uint32_t)count;
    return 0;
}

/* Fills a set with copies. 0, or -1 with an exception; set_fini() in any case. */
static int set_init(sample_set *to, PyObject *groups)
{
    *to = (sample_set){.count = 0};
    PyObject *row = PySequence_Tuple(groups); /* of its own: a buffer's code may change a list */
    Py_ssize_t length = row == NULL ? 0 : PyTuple_GET_SIZE(row);
    int result = row == NULL ? -1 : 0;
    if (result == 0 &&
        (to->groups = PyMem_Calloc((size_t)length + 1, sizeof *to->groups)) == NULL) {
        PyErr_NoMemory();
        result = -1;
    }
    for (Py_ssize_t i = 0; i < length && result == 0; i++) {
        Py_buffer view;
        result =
            PyObject_GetBuffer(PyTuple_GET_ITEM(row, i), &view, PyBUF_CONTIG_RO | PyBUF_FORMAT);
        if (result == 0) {
            result = add_samples(to, &view, i);
            PyBuffer_Release(&view);
        }
    }
    const double *values = to->values;
    for (uint32_t i = 0; result == 0 && i < to->count; values += to->groups[i++].count)
        to->groups[i].values = values;
    Py_XDECREF(row);
    return result;
}

static int need_samples(const sample_set *set, const char *function)
{
    if (set->samples > 0)
        return 0;
    PyErr_Format(PyExc_ValueError, "%s() needs at least one sample: every group is empty",
                 function);
    return -1;
}

static int need_confidence(double confidence)
{
    if (confidence < 1 && 1 - confidence < 1) /* not so small that nothing is left of it */
        return 0;
    PyErr_SetString(PyExc_ValueError, "confidence needs a share between 0 and 1, such as 0.95");
    return -1;
}

static PyObject *fail(ft_status status)
{
    if (status == FT_ERR_MEMORY)
        return PyErr_NoMemory();
    return PyErr_Format(PyExc_ValueError, "the samples can not be used: %s",
                        ft_status_text(status));
}

static void put_float(ft_row *to, double value)
{
    if (to->object != NULL)
        ft_row_put(to, PyFloat_FromDouble(value));
}

/* ---- describe ---- */

const char ft_core_describe_doc[] =
    "describe(groups, /, confidence=0.95, seed=0)\n--\n\n"
    "Median of samples and its interval. groups: an array('d') for each process.";

PyObject *ft_core_describe(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"", "confidence", "seed", NULL};
    PyObject *groups;
    double confidence = 0.95;
    unsigned long long seed = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|dK:describe", names, &groups, &confidence,
                                     &seed))
        return NULL;
    sample_set set;
    ft_row row = {NULL, 0};
    if (set_init(&set, groups) < 0 || need_samples(&set, "describe") < 0 ||
        need_confidence(confidence) < 0)
        goto end;
    ft_description made;
    ft_status status;
    Py_BEGIN_ALLOW_THREADS
    status = ft_description_make(&ft_mem_system, set.groups, set.count, confidence, seed, &made);
    Py_END_ALLOW_THREADS
    if (status != FT_OK) {
        fail(status);
        goto end;
    }
    const ft_module_state *state = PyModule_GetState(module);
    row = ft_row_start(state->description_type);
    const double fields[] = {made.median, made.low, made.high, made.spread, made.least, made.most};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put_float(&row, fields[i]);
    ft_row_put_number(&row, made.count);
end:
    set_fini(&set);
    return row.object;
}

/* ---- compare ---- */

static const char *verdict_word(ft_verdict verdict)
{
    static const char *const words[] = {[FT_VERDICT_UNCLEAR] = "unclear",
                                        [FT_VERDICT_SAME] = "same",
                                        [FT_VERDICT_FASTER] = "faster",
                                        [FT_VERDICT_SLOWER] = "slower"};
    return words[verdict];
}

static int check_options(const ft_comparison_options *options, long looks)
{
    if (need_confidence(options->confidence) < 0)
        return -1;
    if (!(options->margin > 0 && isfinite(options->margin)))
        PyErr_SetString(PyExc_ValueError, "margin needs a share above 0, such as 0.01");
    else if (!(options->floor >= 0 && isfinite(options->floor)))
        PyErr_SetString(PyExc_ValueError, "floor needs seconds from 0");
    else if (looks < 1 || looks > FT_COMPARISON_LOOKS_MAX)
        PyErr_Format(PyExc_ValueError, "looks needs a number from 1 to %d, not %ld",
                     FT_COMPARISON_LOOKS_MAX, looks);
    else
        return 0;
    return -1;
}

/* Pairs need a partner. 0, or -1 with an exception. */
static int check_pairs(const sample_set *first, const sample_set *second)
{
    if (first->count != second->count) {
        PyErr_Format(PyExc_ValueError,
                     "first has %lu groups and second %lu: pairs need as many, or paired=False",
                     (unsigned long)first->count, (unsigned long)second->count);
        return -1;
    }
    for (uint32_t i = 0; i < first->count; i++)
        if (first->groups[i].count != second->groups[i].count) {
            PyErr_Format(PyExc_ValueError,
                         "group %lu has %lu samples in first and %lu in second: pairs need as "
                         "many, or paired=False",
                         (unsigned long)i, (unsigned long)first->groups[i].count,
                         (unsigned long)second->groups[i].count);
            return -1;
        }
    return 0;
}

static PyObject *compared_make(const ft_module_state *state, const ft_comparison *from)
{
    ft_row row = ft_row_start(state->compared_type);
    put_float(&row, from->ratio);
    put_float(&row, from->low);
    put_float(&row, from->high);
    ft_row_put_number(&row, from->pairs);
    if (row.object != NULL)
        ft_row_put(&row, PyUnicode_FromString(verdict_word(from->verdict)));
    return row.object;
}

const char ft_core_compare_doc[] =
    "compare(first, second, /, paired=True, margin=0.01, confidence=0.95, seed=0, looks=1, "
    "floor=0.0)\n--\n\n"
    "Is the second faster? looks: how often the whole session compares at most; floor: times below "
    "it are not told from nothing.";

PyObject *ft_core_compare(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"",     "",      "paired", "margin", "confidence",
                            "seed", "looks", "floor",  NULL};
    PyObject *first_groups, *second_groups, *result = NULL;
    ft_comparison_options options = {.margin = 0.01, .confidence = 0.95};
    int paired = 1;
    unsigned long long seed = 0;
    long looks = 1;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|pddKld:compare", names, &first_groups,
                                     &second_groups, &paired, &options.margin, &options.confidence,
                                     &seed, &looks, &options.floor) ||
        check_options(&options, looks) < 0)
        return NULL;
    options.paired = paired;
    options.seed = seed;
    options.looks = (uint32_t)looks;
    sample_set first, second = {.count = 0};
    if (set_init(&first, first_groups) < 0 || set_init(&second, second_groups) < 0 ||
        need_samples(&first, "compare") < 0 || need_samples(&second, "compare") < 0 ||
        (paired && check_pairs(&first, &second) < 0))
        goto end;
    ft_comparison made;
    ft_status status;
    Py_BEGIN_ALLOW_THREADS
    status = ft_comparison_make(&ft_mem_system, first.groups, first.count, second.groups,
                                second.count, &options, &made);
    Py_END_ALLOW_THREADS
    result = status == FT_OK ? compared_make(PyModule_GetState(module), &made) : fail(status);
end:
    set_fini(&first);
    set_fini(&second);
    return result;
}

/* ---- trend ---- */

const char ft_core_trend_doc[] = "trend(groups, /)\n--\n\n"
                                 "(change, probability): by what share the last sample of a group "
                                 "is longer than the first, and\n"
                                 "how likely so clear a trend is where there is none.";

PyObject *ft_core_trend(PyObject *module, PyObject *groups)
{
    (void)module;
    PyObject *result = NULL;
    sample_set set;
    if (set_init(&set, groups) < 0 || need_samples(&set, "trend") < 0)
        goto end;
    ft_trend made;
    ft_status status;
    Py_BEGIN_ALLOW_THREADS
    status = ft_trend_make(&ft_mem_system, set.groups, set.count, &made);
    Py_END_ALLOW_THREADS
    result = status == FT_OK ? Py_BuildValue("dd", made.change, made.probability) : fail(status);
end:
    set_fini(&set);
    return result;
}
