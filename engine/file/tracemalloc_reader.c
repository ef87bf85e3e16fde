/* SPDX-License-Identifier: Apache-2.0 */
/* tracemalloc_reader.c: from a pickled Snapshot to traces (see tracemalloc_reader.h).
 *
 * pickle.c makes values of the bytes; here they are walked by their schema, one function a level,
 * so a container that holds itself meets another kind than the one expected. A stack that many
 * blocks share is walked once, and blocks have a byte each, so the work is bounded by the bytes. */
#include "engine/file/tracemalloc_reader.h"

#include <assert.h>
#include <string.h>

#include "engine/base/map.h"

enum { SNAPSHOT, TRACES, BLOCKS, ROLES };

/* Of each module the three of ROLES, in their order. */
static const ft_pickle_class classes[] = {
    {"tracemalloc", "Snapshot"},
    {"tracemalloc", "_Traces"},
    {"tracemalloc", "_Blocks"}, /* ours, in tracemalloc's place */
    {"fettle.compat.tracemalloc", "Snapshot"},
    {"fettle.compat.tracemalloc", "_Traces"},
    {"fettle.compat.tracemalloc", "_Blocks"},
    {NULL, NULL},
};

typedef struct reader {
    ft_pickle from;
    ft_traces *into;
    ft_map stacks; /* by the container that a stack was read from */
} reader;

static ft_status refuse(reader *at, const char *what)
{
    assert(strlen(what) < sizeof at->from.fault.text);
    if (at->from.fault.text[0] == '\0')
        memcpy(at->from.fault.text, what, strlen(what) + 1);
    return FT_ERR_CORRUPT;
}

static const char no_trace[] = "a trace of another form";

/* ---- walking ---- */

/* Whether value is an object of that role; *state is what it was given then, once. */
static bool get_state(const reader *at, const ft_pickle_value *value, uint32_t role,
                      ft_pickle_value *state)
{
    ft_pickle_value more;
    if (value->kind != FT_PICKLE_OBJECT || ft_pickle_class_of(&at->from, value) % ROLES != role)
        return false;
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, value);
    return ft_pickle_walk_next(&at->from, &walk, state) &&
           !ft_pickle_walk_next(&at->from, &walk, &more);
}

/* The items of a tuple, at most `most`. -1 for anything else. */
static int get_items(const reader *at, const ft_pickle_value *tuple, ft_pickle_value *items,
                     int most)
{
    ft_pickle_value item;
    int count = 0;
    if (tuple->kind != FT_PICKLE_TUPLE)
        return -1;
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, tuple);
    while (ft_pickle_walk_next(&at->from, &walk, &item)) {
        if (count == most)
            return -1;
        items[count++] = item;
    }
    return count;
}

static bool is_number(const ft_pickle_value *value, int64_t least, int64_t most)
{
    return value->kind == FT_PICKLE_INTEGER && value->number.integer >= least &&
           value->number.integer <= most;
}

static bool is_text(ft_text text, const char *wanted)
{
    return text.length == strlen(wanted) && memcmp(text.data, wanted, text.length) == 0;
}

/* ---- stacks ---- */

static ft_status read_frame(reader *at, const ft_pickle_value *frame)
{
    ft_pickle_value items[2];
    if (get_items(at, frame, items, 2) != 2 || items[0].kind != FT_PICKLE_TEXT ||
        !is_number(&items[1], 0, UINT32_MAX))
        return refuse(at, no_trace);
    return ft_traces_add_frame(at->into,
                               (ft_traces_frame){items[0].id, (uint32_t)items[1].number.integer});
}

static ft_status read_stack(reader *at, const ft_pickle_value *stack, uint32_t *id)
{
    ft_pickle_value frame;
    if (stack->kind != FT_PICKLE_TUPLE)
        return refuse(at, no_trace);
    const uint32_t *known = ft_map_get(&at->stacks, stack->id);
    if (known != NULL) {
        *id = *known;
        return FT_OK;
    }
    ft_status status = ft_traces_add_stack(at->into, id);
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, stack);
    while (status == FT_OK && ft_pickle_walk_next(&at->from, &walk, &frame))
        status = read_frame(at, &frame);
    return status == FT_OK ? ft_map_put(&at->stacks, stack->id, *id) : status;
}

/* ---- blocks ---- */

static ft_status read_blocks(reader *at, const ft_pickle_value *trace, uint64_t count)
{
    enum { OLD = 3, FULL = 4 };
    ft_pickle_value items[FULL];
    ft_traces_group group = {.count = count};
    int length = get_items(at, trace, items, FULL);
    if (length < OLD || !is_number(&items[0], 0, UINT32_MAX) || !is_number(&items[1], 0, INT64_MAX))
        return refuse(at, no_trace);
    group.domain = (uint32_t)items[0].number.integer;
    group.size = (uint64_t)items[1].number.integer;
    if (length == FULL && items[3].kind != FT_PICKLE_NONE) {
        if (!is_number(&items[3], 0, INT32_MAX))
            return refuse(at, no_trace);
        group.depth = (uint32_t)items[3].number.integer + 1;
    }
    ft_status status = read_stack(at, &items[2], &group.stack);
    return status == FT_OK ? ft_traces_add_group(at->into, &group) : status;
}

/* A trace and how many there are of it. */
static ft_status read_group(reader *at, const ft_pickle_value *group)
{
    ft_pickle_value items[2];
    if (get_items(at, group, items, 2) != 2 ||
        !is_number(&items[1], 1, (int64_t)FT_TRACES_BLOCKS_MAX))
        return refuse(at, no_trace);
    return read_blocks(at, &items[0], (uint64_t)items[1].number.integer);
}

/* What a Snapshot was made of: a sequence of traces, or groups. */
static ft_status read_sequence(reader *at, const ft_pickle_value *value)
{
    ft_pickle_value list = *value, item;
    bool has_groups = get_state(at, value, BLOCKS, &list);
    ft_status status = FT_OK;
    if (list.kind != FT_PICKLE_LIST && (has_groups || list.kind != FT_PICKLE_TUPLE))
        return refuse(at, "no list of traces");
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, &list);
    while (status == FT_OK && ft_pickle_walk_next(&at->from, &walk, &item))
        status = has_groups ? read_group(at, &item) : read_blocks(at, &item, 1);
    return status;
}

/* ---- the snapshot ---- */

static ft_status read_traces(reader *at, const ft_pickle_value *traces)
{
    ft_pickle_value state, name, value, more;
    if (!get_state(at, traces, TRACES, &state) || state.kind != FT_PICKLE_DICT)
        return refuse(at, "no traces");
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, &state);
    if (!ft_pickle_walk_next(&at->from, &walk, &name) ||
        !ft_pickle_walk_next(&at->from, &walk, &value) ||
        ft_pickle_walk_next(&at->from, &walk, &more) || name.kind != FT_PICKLE_TEXT ||
        !is_text(ft_strtab_get(at->from.texts, name.id), "_traces"))
        return refuse(at, "no traces");
    return read_sequence(at, &value);
}

static ft_status read_attribute(reader *at, uint32_t name, const ft_pickle_value *value)
{
    ft_traces_attribute attribute = {.name = name, .kind = FT_TRACES_NONE};
    switch (value->kind) {
    case FT_PICKLE_NONE:
        break;
    case FT_PICKLE_BOOLEAN:
        attribute.kind = value->number.integer != 0 ? FT_TRACES_TRUE : FT_TRACES_FALSE;
        break;
    case FT_PICKLE_INTEGER:
        attribute.kind = FT_TRACES_INTEGER;
        attribute.value.integer = value->number.integer;
        break;
    case FT_PICKLE_REAL:
        attribute.kind = FT_TRACES_REAL;
        attribute.value.real = value->number.real;
        break;
    case FT_PICKLE_TEXT:
        attribute.kind = FT_TRACES_TEXT;
        attribute.value.text = value->id;
        break;
    default:
        return refuse(at, "an attribute that is no number, text, truth value or None");
    }
    return ft_traces_add_attribute(at->into, &attribute);
}

static ft_status read_snapshot(reader *at, const ft_pickle_value *snapshot)
{
    ft_pickle_value state, name, value;
    ft_status status = FT_OK;
    bool has_traces = false;
    if (!get_state(at, snapshot, SNAPSHOT, &state) || state.kind != FT_PICKLE_DICT)
        return refuse(at, "no snapshot");
    ft_pickle_walk walk = ft_pickle_walk_start(&at->from, &state);
    while (status == FT_OK && ft_pickle_walk_next(&at->from, &walk, &name) &&
           ft_pickle_walk_next(&at->from, &walk, &value)) {
        if (name.kind != FT_PICKLE_TEXT)
            return refuse(at, "an attribute without a name");
        if (!is_text(ft_strtab_get(at->from.texts, name.id), "traces"))
            status = read_attribute(at, name.id, &value);
        else if (has_traces)
            return refuse(at, "traces twice");
        else
            has_traces = true, status = read_traces(at, &value);
    }
    return status == FT_OK && !has_traces ? refuse(at, "no traces") : status;
}

ft_status ft_tracemalloc_reader_read(const uint8_t *bytes, size_t length, ft_traces *traces,
                                     ft_pickle_fault *fault)
{
    assert(traces->stack_count == 0 && traces->attribute_count == 0);
    ft_pickle_value object;
    if (length == 0)
        return FT_ERR_EMPTY;
    if (!ft_pickle_is_pickle(bytes, length))
        return FT_ERR_FOREIGN;
    if (length > FT_PICKLE_BYTES_MAX)
        return FT_ERR_LIMIT;
    reader at = {.into = traces};
    ft_map_init(&at.stacks, traces->mem);
    ft_pickle_init(&at.from, &traces->texts, classes, bytes, (uint32_t)length);
    ft_status status = ft_pickle_read(&at.from, &object);
    if (status == FT_OK)
        status = read_snapshot(&at, &object);
    if (status == FT_ERR_CORRUPT)
        *fault = at.from.fault;
    ft_pickle_fini(&at.from);
    ft_map_fini(&at.stacks);
    return status;
}
