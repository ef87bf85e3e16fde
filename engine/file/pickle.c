/* SPDX-License-Identifier: Apache-2.0 */
/* pickle.c: the stack machine of a pickle (see pickle.h).
 *
 * Values are sixteen bytes and copied; a container is a number, and what it holds is a chain of
 * chunks of one array of items, for lists and dictionaries get theirs a thousand at a time.
 * Invariant: nothing below the last mark is popped, so an opcode sees what was pushed for it. */
#include "engine/file/pickle.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/file/opcode.h"
#include "engine/file/pickle_atoms.h"

enum { PROTOCOL_MAX = 5 };

/* What protocols 0 and 1 make an object with: copyreg._reconstructor(class, object, None). */
static const struct {
    const char *module, *name;
    uint32_t id;
} builtins[] = {{"copy_reg", "_reconstructor", FT_PICKLE_BUILTIN_RECONSTRUCTOR},
                {"copyreg", "_reconstructor", FT_PICKLE_BUILTIN_RECONSTRUCTOR},
                {"__builtin__", "object", FT_PICKLE_BUILTIN_OBJECT},
                {"builtins", "object", FT_PICKLE_BUILTIN_OBJECT}};

static const char old_start[] = "ccopy_reg\n";

void ft_pickle_init(ft_pickle *from, ft_strtab *texts, const ft_pickle_class *classes,
                    const uint8_t *bytes, uint32_t length)
{
    assert(length <= FT_PICKLE_BYTES_MAX);
    *from = (ft_pickle){
        .mem = texts->mem, .bytes = bytes, .length = length, .texts = texts, .classes = classes};
}

void ft_pickle_fini(ft_pickle *from)
{
    ft_mem_free(from->mem, from->stack.values);
    ft_mem_free(from->mem, from->memo.values);
    ft_mem_free(from->mem, from->items.values);
    ft_mem_free(from->mem, from->marks);
    ft_mem_free(from->mem, from->chunks);
    ft_mem_free(from->mem, from->containers);
    *from = (ft_pickle){.mem = from->mem};
}

bool ft_pickle_is_pickle(const uint8_t *bytes, size_t length)
{
    if (length >= 2 && bytes[0] == FT_OPCODE_PROTO)
        return bytes[1] >= 2 && bytes[1] < 16; /* later ones too: they are refused by number */
    return length >= strlen(old_start) && memcmp(bytes, old_start, strlen(old_start)) == 0;
}

/* ---- the stack ---- */

static ft_status append(const ft_mem *mem, ft_pickle_values *to, const ft_pickle_value *value)
{
    ft_pickle_value *values =
        ft_array_grow(mem, to->values, to->count + 1, &to->capacity, sizeof *values);
    if (values == NULL)
        return FT_ERR_MEMORY;
    to->values = values;
    values[to->count++] = *value;
    return FT_OK;
}

static ft_status push(ft_pickle *from, const ft_pickle_value *value)
{
    return append(from->mem, &from->stack, value);
}

/* How many values the opcode may take. */
static uint32_t height(const ft_pickle *from)
{
    uint32_t floor = from->mark_count == 0 ? 0 : from->marks[from->mark_count - 1];
    assert(floor <= from->stack.count);
    return from->stack.count - floor;
}

/* The opcode that was read last finds something else than it needs. */
static ft_status misplaced(ft_pickle *from)
{
    uint32_t at = from->opcode_at;
    return ft_pickle_refuse(from, at, "a misplaced %s", ft_opcode_name(from->bytes[at]));
}

static ft_status pop(ft_pickle *from, ft_pickle_value *value)
{
    if (height(from) == 0)
        return misplaced(from);
    *value = from->stack.values[--from->stack.count];
    return FT_OK;
}

static ft_status set_mark(ft_pickle *from)
{
    uint32_t *marks = ft_array_grow(from->mem, from->marks, from->mark_count + 1,
                                    &from->mark_capacity, sizeof *marks);
    if (marks == NULL)
        return FT_ERR_MEMORY;
    from->marks = marks;
    marks[from->mark_count++] = from->stack.count;
    return FT_OK;
}

/* Ends the last mark; *count values were pushed since, and are on the stack still. */
static ft_status end_mark(ft_pickle *from, uint32_t *count)
{
    if (from->mark_count == 0)
        return misplaced(from);
    *count = height(from);
    from->mark_count--;
    return FT_OK;
}

/* ---- containers ---- */

static ft_status new_container(ft_pickle *from, uint32_t class, uint32_t *id)
{
    ft_pickle_container *containers =
        ft_array_grow(from->mem, from->containers, from->container_count + 1,
                      &from->container_capacity, sizeof *containers);
    if (containers == NULL)
        return FT_ERR_MEMORY;
    from->containers = containers;
    *id = from->container_count++;
    containers[*id] = (ft_pickle_container){FT_PICKLE_LAST, FT_PICKLE_LAST, class};
    return FT_OK;
}

/* Moves the last count values of the stack to the end of a container. */
static ft_status fill(ft_pickle *from, uint32_t id, uint32_t count)
{
    assert(count <= from->stack.count);
    if (count == 0)
        return FT_OK;
    ft_pickle_chunk *chunks = ft_array_grow(from->mem, from->chunks, from->chunk_count + 1,
                                            &from->chunk_capacity, sizeof *chunks);
    if (chunks == NULL)
        return FT_ERR_MEMORY;
    from->chunks = chunks;
    uint32_t made = from->chunk_count++;
    chunks[made] = (ft_pickle_chunk){from->items.count, count, FT_PICKLE_LAST};
    from->stack.count -= count;
    for (uint32_t i = 0; i < count; i++) {
        ft_status status =
            append(from->mem, &from->items, &from->stack.values[from->stack.count + i]);
        if (status != FT_OK)
            return status;
    }
    ft_pickle_container *container = &from->containers[id];
    if (container->first == FT_PICKLE_LAST)
        container->first = made;
    else
        chunks[container->last].next = made;
    container->last = made;
    return FT_OK;
}

/* Pushes a new container of the last count values. */
static ft_status collect(ft_pickle *from, ft_pickle_kind kind, uint32_t count)
{
    ft_pickle_value value = {.kind = kind};
    if (count > height(from))
        return misplaced(from);
    ft_status status = new_container(from, 0, &value.id);
    if (status == FT_OK)
        status = fill(from, value.id, count);
    return status == FT_OK ? push(from, &value) : status;
}

/* The same of those since the mark. */
static ft_status collect_marked(ft_pickle *from, ft_pickle_kind kind)
{
    uint32_t count = 0;
    ft_status status = end_mark(from, &count);
    if (status != FT_OK)
        return status;
    if (kind == FT_PICKLE_DICT && count % 2 != 0)
        return misplaced(from);
    return collect(from, kind, count);
}

/* Adds the last count values to the container of that kind below them. */
static ft_status add_to(ft_pickle *from, ft_pickle_kind kind, uint32_t count)
{
    if (height(from) <= count)
        return misplaced(from);
    const ft_pickle_value *below = &from->stack.values[from->stack.count - count - 1];
    if (below->kind != kind || (kind == FT_PICKLE_DICT && count % 2 != 0))
        return misplaced(from);
    return fill(from, below->id, count);
}

static ft_status add_marked_to(ft_pickle *from, ft_pickle_kind kind)
{
    uint32_t count = 0;
    ft_status status = end_mark(from, &count);
    return status == FT_OK ? add_to(from, kind, count) : status;
}

/* ---- the memo ---- */

/* Notes the last value. An honest pickle has fewer numbers than bytes. */
static ft_status memoize(ft_pickle *from, uint64_t index)
{
    static const ft_pickle_value absent = {.kind = FT_PICKLE_ABSENT};
    if (height(from) == 0 || index >= from->length)
        return misplaced(from);
    while (from->memo.count <= index) {
        ft_status status = append(from->mem, &from->memo, &absent);
        if (status != FT_OK)
            return status;
    }
    from->memo.values[index] = from->stack.values[from->stack.count - 1];
    return FT_OK;
}

static ft_status recall(ft_pickle *from, uint64_t index)
{
    if (index >= from->memo.count || from->memo.values[index].kind == FT_PICKLE_ABSENT)
        return misplaced(from);
    return push(from, &from->memo.values[index]);
}

/* How many bytes the index has; 0: a line of digits. */
static ft_status read_index(ft_pickle *from, size_t size, uint64_t *index)
{
    return size == 0 ? ft_pickle_index(from, index) : ft_pickle_number(from, size, index);
}

static ft_status read_memoize(ft_pickle *from, size_t size)
{
    uint64_t index;
    ft_status status = read_index(from, size, &index);
    return status == FT_OK ? memoize(from, index) : status;
}

static ft_status read_recall(ft_pickle *from, size_t size)
{
    uint64_t index;
    ft_status status = read_index(from, size, &index);
    return status == FT_OK ? recall(from, index) : status;
}

/* ---- objects ---- */

static bool is_text(ft_text text, const char *wanted)
{
    return text.length == strlen(wanted) && memcmp(text.data, wanted, text.length) == 0;
}

static int printed(ft_text text)
{
    enum { MOST = 50 };
    return text.length > MOST ? MOST : (int)text.length;
}

/* Pushes the class of that name: only its number, if it is one we know. */
static ft_status push_class(ft_pickle *from, ft_text module, ft_text name)
{
    for (uint32_t i = 0; from->classes[i].module != NULL; i++)
        if (is_text(module, from->classes[i].module) && is_text(name, from->classes[i].name))
            return push(from, &(ft_pickle_value){.kind = FT_PICKLE_CLASS, .id = i});
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (is_text(module, builtins[i].module) && is_text(name, builtins[i].name))
            return push(from, &(ft_pickle_value){.kind = FT_PICKLE_BUILTIN, .id = builtins[i].id});
    return ft_pickle_refuse(from, from->opcode_at, "the name %.*s.%.*s", printed(module),
                            module.data, printed(name), name.data);
}

static ft_status read_class(ft_pickle *from)
{
    ft_text module, name;
    ft_status status = ft_pickle_line(from, &module);
    if (status == FT_OK)
        status = ft_pickle_line(from, &name);
    return status == FT_OK ? push_class(from, module, name) : status;
}

static ft_status pop_class_name(ft_pickle *from)
{
    ft_pickle_value module, name;
    ft_status status = pop(from, &name);
    if (status == FT_OK)
        status = pop(from, &module);
    if (status != FT_OK)
        return status;
    if (module.kind != FT_PICKLE_TEXT || name.kind != FT_PICKLE_TEXT)
        return misplaced(from);
    return push_class(from, ft_strtab_get(from->texts, module.id),
                      ft_strtab_get(from->texts, name.id));
}

static ft_status push_object(ft_pickle *from, uint32_t class)
{
    ft_pickle_value object = {.kind = FT_PICKLE_OBJECT};
    ft_status status = new_container(from, class, &object.id);
    return status == FT_OK ? push(from, &object) : status;
}

/* Pops a callable and its tuple of arguments. */
static ft_status pop_call(ft_pickle *from, ft_pickle_value *callable, ft_pickle_value *arguments)
{
    ft_status status = pop(from, arguments);
    if (status == FT_OK)
        status = pop(from, callable);
    if (status == FT_OK && arguments->kind != FT_PICKLE_TUPLE)
        return misplaced(from);
    return status;
}

/* class.__new__(class): an object that has nothing yet. */
static ft_status make_object(ft_pickle *from)
{
    ft_pickle_value class, arguments;
    ft_status status = pop_call(from, &class, &arguments);
    if (status != FT_OK)
        return status;
    if (class.kind != FT_PICKLE_CLASS || from->containers[arguments.id].first != FT_PICKLE_LAST)
        return misplaced(from);
    return push_object(from, class.id);
}

/* copyreg._reconstructor(class, object, None), which is the same. */
static ft_status reconstruct(ft_pickle *from)
{
    ft_pickle_value callable, arguments, class, base, state, none;
    ft_status status = pop_call(from, &callable, &arguments);
    if (status != FT_OK)
        return status;
    ft_pickle_walk walk = ft_pickle_walk_start(from, &arguments);
    bool is_known =
        callable.kind == FT_PICKLE_BUILTIN && callable.id == FT_PICKLE_BUILTIN_RECONSTRUCTOR &&
        ft_pickle_walk_next(from, &walk, &class) && ft_pickle_walk_next(from, &walk, &base) &&
        ft_pickle_walk_next(from, &walk, &state) && !ft_pickle_walk_next(from, &walk, &none);
    if (!is_known || class.kind != FT_PICKLE_CLASS || base.kind != FT_PICKLE_BUILTIN ||
        base.id != FT_PICKLE_BUILTIN_OBJECT || state.kind != FT_PICKLE_NONE)
        return misplaced(from);
    return push_object(from, class.id);
}

/* ---- opcodes ---- */

static ft_status read_protocol(ft_pickle *from)
{
    uint64_t protocol;
    ft_status status = ft_pickle_number(from, 1, &protocol);
    if (status == FT_OK && protocol > PROTOCOL_MAX)
        return ft_pickle_refuse(from, from->opcode_at, "the pickle protocol %u",
                                (unsigned)protocol);
    return status;
}

/* Says how many bytes follow at least, for those who read from a pipe. */
static ft_status read_frame(ft_pickle *from)
{
    uint64_t size;
    ft_status status = ft_pickle_number(from, sizeof size, &size);
    if (status == FT_OK && size > from->length - from->at)
        return ft_pickle_refuse(from, from->length, "an early end");
    return status;
}

static ft_status read_scalar(ft_pickle *from, uint8_t opcode)
{
    ft_pickle_value value;
    ft_status status = ft_pickle_scalar(from, opcode, &value);
    if (status != FT_OK)
        return status;
    if (value.kind != FT_PICKLE_ABSENT)
        return push(from, &value);
    const char *name = ft_opcode_name(opcode);
    if (name == NULL)
        return ft_pickle_refuse(from, from->opcode_at, "no opcode");
    return ft_pickle_refuse(from, from->opcode_at, "the opcode %s", name);
}

/* Does what opcode says. Long because it is a table. */
static ft_status execute(ft_pickle *from, uint8_t opcode)
{
    switch (opcode) {
    case FT_OPCODE_PROTO:
        return read_protocol(from);
    case FT_OPCODE_FRAME:
        return read_frame(from);
    case FT_OPCODE_MARK:
        return set_mark(from);
    case FT_OPCODE_EMPTY_TUPLE:
        return collect(from, FT_PICKLE_TUPLE, 0);
    case FT_OPCODE_TUPLE1:
        return collect(from, FT_PICKLE_TUPLE, 1);
    case FT_OPCODE_TUPLE2:
        return collect(from, FT_PICKLE_TUPLE, 2);
    case FT_OPCODE_TUPLE3:
        return collect(from, FT_PICKLE_TUPLE, 3);
    case FT_OPCODE_TUPLE:
        return collect_marked(from, FT_PICKLE_TUPLE);
    case FT_OPCODE_EMPTY_LIST:
        return collect(from, FT_PICKLE_LIST, 0);
    case FT_OPCODE_LIST:
        return collect_marked(from, FT_PICKLE_LIST);
    case FT_OPCODE_APPEND:
        return add_to(from, FT_PICKLE_LIST, 1);
    case FT_OPCODE_APPENDS:
        return add_marked_to(from, FT_PICKLE_LIST);
    case FT_OPCODE_EMPTY_DICT:
        return collect(from, FT_PICKLE_DICT, 0);
    case FT_OPCODE_DICT:
        return collect_marked(from, FT_PICKLE_DICT);
    case FT_OPCODE_SETITEM:
        return add_to(from, FT_PICKLE_DICT, 2);
    case FT_OPCODE_SETITEMS:
        return add_marked_to(from, FT_PICKLE_DICT);
    case FT_OPCODE_MEMOIZE:
        return memoize(from, from->memo.count);
    case FT_OPCODE_PUT:
        return read_memoize(from, 0);
    case FT_OPCODE_BINPUT:
        return read_memoize(from, 1);
    case FT_OPCODE_LONG_BINPUT:
        return read_memoize(from, 4);
    case FT_OPCODE_GET:
        return read_recall(from, 0);
    case FT_OPCODE_BINGET:
        return read_recall(from, 1);
    case FT_OPCODE_LONG_BINGET:
        return read_recall(from, 4);
    case FT_OPCODE_GLOBAL:
        return read_class(from);
    case FT_OPCODE_STACK_GLOBAL:
        return pop_class_name(from);
    case FT_OPCODE_NEWOBJ:
        return make_object(from);
    case FT_OPCODE_REDUCE:
        return reconstruct(from);
    case FT_OPCODE_BUILD:
        return add_to(from, FT_PICKLE_OBJECT, 1);
    default:
        return read_scalar(from, opcode);
    }
}

static ft_status stop(ft_pickle *from, ft_pickle_value *value)
{
    if (from->mark_count > 0 || from->stack.count != 1)
        return misplaced(from);
    if (from->at < from->length)
        return ft_pickle_refuse(from, from->at, "more than one pickle");
    return pop(from, value);
}

ft_status ft_pickle_read(ft_pickle *from, ft_pickle_value *value)
{
    assert(from->at == 0);
    while (from->at < from->length) {
        from->opcode_at = from->at;
        uint8_t opcode = from->bytes[from->at++];
        if (opcode == FT_OPCODE_STOP)
            return stop(from, value);
        ft_status status = execute(from, opcode);
        if (status != FT_OK)
            return status;
    }
    return ft_pickle_refuse(from, from->length, "an early end");
}

/* ---- walking ---- */

ft_pickle_walk ft_pickle_walk_start(const ft_pickle *from, const ft_pickle_value *container)
{
    assert(container->kind == FT_PICKLE_TUPLE || container->kind == FT_PICKLE_LIST ||
           container->kind == FT_PICKLE_DICT || container->kind == FT_PICKLE_OBJECT);
    assert(container->id < from->container_count);
    return (ft_pickle_walk){from->containers[container->id].first, 0};
}

bool ft_pickle_walk_next(const ft_pickle *from, ft_pickle_walk *walk, ft_pickle_value *item)
{
    if (walk->chunk == FT_PICKLE_LAST)
        return false;
    assert(walk->chunk < from->chunk_count);
    const ft_pickle_chunk *chunk = &from->chunks[walk->chunk];
    assert(walk->index < chunk->count); /* none is empty */
    *item = from->items.values[chunk->first + walk->index];
    if (++walk->index == chunk->count)
        *walk = (ft_pickle_walk){chunk->next, 0};
    return true;
}

uint32_t ft_pickle_class_of(const ft_pickle *from, const ft_pickle_value *object)
{
    assert(object->kind == FT_PICKLE_OBJECT && object->id < from->container_count);
    return from->containers[object->id].class;
}
