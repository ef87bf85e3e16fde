/* SPDX-License-Identifier: Apache-2.0 */
/* lprof_reader.c: from a pickled LineStats to timings, and from these to lines (see
 * lprof_reader.h).
 *
 * pickle.c makes values of the bytes; here they are walked by their schema, one function a level,
 * so a container that holds itself meets another kind than the one expected. One list that many
 * functions share would make much of few bytes: each line takes a byte, so there are no more lines
 * than bytes. */
#include "engine/file/lprof_reader.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Where LineStats was and is. */
static const ft_pickle_class classes[] = {
    {"line_profiler.line_profiler", "LineStats"},  /* since 5 */
    {"line_profiler._line_profiler", "LineStats"}, /* 3, 4, and ours */
    {"line_profiler", "LineStats"},
    {"_line_profiler", "LineStats"},                         /* before 3 */
    {"fettle.compat.line_profiler.line_stats", "LineStats"}, /* ours, pickled by others */
    {"fettle.compat.line_profiler._line_profiler", "LineStats"},
    {NULL, NULL},
};

typedef struct reader {
    ft_pickle from;
    ft_timings *into;
} reader;

static ft_status refuse(reader *at)
{
    static const char what[] = "no line statistics";
    if (at->from.fault.text[0] == '\0')
        memcpy(at->from.fault.text, what, sizeof what);
    return FT_ERR_CORRUPT;
}

/* ---- walking ---- */

/* The items of a tuple of three. */
static bool get_three(const reader *at, const ft_pickle_value *tuple, ft_pickle_value items[3])
{
    ft_pickle_value more;
    if (tuple->kind != FT_PICKLE_TUPLE)
        return false;
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, tuple);
    for (int i = 0; i < 3; i++)
        if (!ft_pickle_walk_next(&at->from, &walk, &items[i]))
            return false;
    return !ft_pickle_walk_next(&at->from, &walk, &more);
}

static ft_status read_line(reader *at, const ft_pickle_value *row)
{
    ft_pickle_value items[3];
    if (!get_three(at, row, items))
        return refuse(at);
    for (int i = 0; i < 3; i++)
        if (items[i].kind != FT_PICKLE_INTEGER)
            return refuse(at);
    if (at->into->line_count >= at->from.length)
        return FT_ERR_LIMIT;
    return ft_timings_add_line(
        at->into,
        &(ft_timing){items[0].number.integer, items[1].number.integer, items[2].number.integer});
}

static ft_status read_function(reader *at, const ft_pickle_value *key, const ft_pickle_value *rows)
{
    ft_pickle_value items[3], row;
    if (!get_three(at, key, items) || rows->kind != FT_PICKLE_LIST ||
        items[0].kind != FT_PICKLE_TEXT || items[1].kind != FT_PICKLE_INTEGER ||
        items[2].kind != FT_PICKLE_TEXT)
        return refuse(at);
    ft_status status =
        ft_timings_add_function(at->into, items[0].id, items[1].number.integer, items[2].id);
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, rows);
    while (status == FT_OK && ft_pickle_walk_next(&at->from, &walk, &row))
        status = read_line(at, &row);
    return status;
}

static ft_status read_timings(reader *at, const ft_pickle_value *timings)
{
    ft_pickle_value key, rows;
    ft_status status = FT_OK;
    if (timings->kind != FT_PICKLE_DICT || at->into->function_count > 0)
        return refuse(at);
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, timings);
    while (status == FT_OK && ft_pickle_walk_next(&at->from, &walk, &key)) {
        bool has_value = ft_pickle_walk_next(&at->from, &walk, &rows);
        assert(has_value); /* pickle.c has counted */
        status = has_value ? read_function(at, &key, &rows) : FT_ERR_CORRUPT;
    }
    return status;
}

static ft_status read_unit(reader *at, const ft_pickle_value *unit)
{
    if (unit->kind == FT_PICKLE_INTEGER)
        at->into->unit = (double)unit->number.integer;
    else if (unit->kind == FT_PICKLE_REAL)
        at->into->unit = unit->number.real;
    else
        return refuse(at);
    return FT_OK;
}

static bool is_text(ft_text text, const char *wanted)
{
    return text.length == strlen(wanted) && memcmp(text.data, wanted, text.length) == 0;
}

/* One attribute. *seen gets a bit for each. */
static ft_status read_attribute(reader *at, const ft_pickle_value *name,
                                const ft_pickle_value *value, unsigned *seen)
{
    enum { TIMINGS = 1, UNIT = 2 };
    if (name->kind != FT_PICKLE_TEXT)
        return refuse(at);
    ft_text text = ft_strtab_get(at->from.texts, name->id);
    unsigned bit = is_text(text, "timings") ? TIMINGS : is_text(text, "unit") ? UNIT : 0;
    if (bit == 0 || (*seen & bit) != 0)
        return refuse(at);
    *seen |= bit;
    return bit == TIMINGS ? read_timings(at, value) : read_unit(at, value);
}

/* The object's only item is its state: a dictionary of its attributes. */
static ft_status read_object(reader *at, const ft_pickle_value *object)
{
    enum { BOTH = 3 };
    ft_pickle_value state, name, value;
    unsigned seen = 0;
    ft_status status = FT_OK;
    if (object->kind != FT_PICKLE_OBJECT)
        return refuse(at);
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, object);
    if (!ft_pickle_walk_next(&at->from, &walk, &state) || state.kind != FT_PICKLE_DICT ||
        ft_pickle_walk_next(&at->from, &walk, &value))
        return refuse(at);
    walk = ft_pickle_walk_start(&at->from, &state);
    while (status == FT_OK && ft_pickle_walk_next(&at->from, &walk, &name) &&
           ft_pickle_walk_next(&at->from, &walk, &value))
        status = read_attribute(at, &name, &value, &seen);
    return status == FT_OK && seen != BOTH ? refuse(at) : status;
}

ft_status ft_lprof_reader_read(const uint8_t *bytes, size_t length, ft_timings *timings,
                               ft_pickle_fault *fault)
{
    assert(timings->function_count == 0 && timings->line_count == 0);
    ft_pickle_value object;
    if (length == 0)
        return FT_ERR_EMPTY;
    if (!ft_pickle_is_pickle(bytes, length))
        return FT_ERR_FOREIGN;
    if (length > FT_PICKLE_BYTES_MAX)
        return FT_ERR_LIMIT;
    reader at = {.into = timings};
    ft_pickle_init(&at.from, &timings->texts, classes, bytes, (uint32_t)length);
    ft_status status = ft_pickle_read(&at.from, &object);
    if (status == FT_OK)
        status = read_object(&at, &object);
    if (status == FT_ERR_CORRUPT)
        *fault = at.from.fault;
    ft_pickle_fini(&at.from);
    return status;
}

/* ---- to lines ---- */

static uint32_t line_number(int64_t line, uint32_t least)
{
    if (line < (int64_t)least)
        return least;
    return line > UINT32_MAX ? UINT32_MAX : (uint32_t)line;
}

static uint64_t count(int64_t number)
{
    return number < 0 ? 0 : (uint64_t)number;
}

/* factor: how many nanoseconds a time of 1 is. */
static uint64_t nanoseconds(int64_t time, double factor)
{
    if (time <= 0 || !(fabs(factor - 1) > 0)) /* as it is: a double has 53 bits only */
        return count(time);
    double ns = (double)time * factor;
    if (ns >= 0x1p64)
        return UINT64_MAX;
    uint64_t whole = (uint64_t)ns;
    return whole + (ns - (double)whole >= 0.5);
}

/* A text of the timings in the profile. */
static ft_status intern(ft_profile *profile, const ft_timings *timings, uint32_t from, uint32_t *id)
{
    ft_text text = ft_strtab_get(&timings->texts, from);
    return ft_strtab_intern(&profile->texts, text.data, text.length, id);
}

static ft_status intern_code(ft_profile *profile, const ft_timings *timings,
                             const ft_timed *function, uint32_t *id)
{
    ft_code code = {.kind = FT_CODE_PYTHON, .line = line_number(function->line, 0)};
    ft_status status = intern(profile, timings, function->file, &code.file);
    if (status == FT_OK)
        status = intern(profile, timings, function->name, &code.name);
    if (status != FT_OK)
        return status;
    code.qualname = code.name;
    return ft_codetab_intern(&profile->codes, &code, id);
}

/* How often the function was called: as often as the first of its lines that ran. */
static uint64_t calls_of(const ft_timing *lines, uint32_t line_count)
{
    const ft_timing *first = NULL;
    for (uint32_t i = 0; i < line_count; i++)
        if (lines[i].hits > 0 && (first == NULL || lines[i].line < first->line))
            first = &lines[i];
    return first == NULL ? 0 : count(first->hits);
}

static ft_status add_function(ft_profile *profile, const ft_timings *timings,
                              const ft_timed *function, double factor)
{
    const ft_timing *lines = function->count == 0 ? NULL : &timings->lines[function->first];
    uint32_t code;
    ft_status status = intern_code(profile, timings, function, &code);
    if (status == FT_OK)
        status = ft_lines_add(&profile->lines,
                              &(ft_line){.code = code, .hits = calls_of(lines, function->count)});
    for (uint32_t i = 0; i < function->count && status == FT_OK; i++)
        status =
            ft_lines_add(&profile->lines, &(ft_line){.code = code,
                                                     .line = line_number(lines[i].line, 1),
                                                     .hits = count(lines[i].hits),
                                                     .time = nanoseconds(lines[i].time, factor)});
    return status;
}

ft_status ft_lprof_reader_add(ft_profile *profile, const ft_timings *timings)
{
    double factor = timings->unit * 1e9;
    ft_status status = FT_OK;
    if (!(factor > 0) || isinf(factor))
        return FT_ERR_CORRUPT;
    for (uint32_t i = 0; i < timings->function_count && status == FT_OK; i++)
        status = add_function(profile, timings, &timings->functions[i], factor);
    ft_lines_sort(&profile->lines);
    return status;
}
