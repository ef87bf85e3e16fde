/* SPDX-License-Identifier: Apache-2.0 */
/* rewriting.c: which sites go where (see rewriting.h).
 *
 * What stands before each instruction, top to bottom; a jump enters where the arrow says:
 *     ENTER or RESUMED      after a RESUME
 *     JUMP_FORWARD          over the LINE, when what falls through to it is no new line
 *  -> LINE                  for edges that are a new line
 *  -> LEAVE, YIELD or AWAIT before the end of this stretch of the frame's life
 *     the instruction
 * so no site decides anything when it is reached.
 *
 * Two pairs of instructions belong together. PRECALL skips the CALL behind it: nothing comes
 * between. generator.throw() looks for a SEND just before the YIELD_VALUE, to find where a
 * delegation that has ended goes on: the site stands between the two, so a copy of the SEND
 * is put behind the site, where it is never run. It leads to a RESUMED, for such a frame does go on
 * there.
 *
 * At the end stand handlers, which tell of an exception and raise it on, as the compiler's own
 * cleanups do: one for what leaves the frame, and one for each place where a suspended frame goes
 * on because something is thrown into it. Such an exception has the position of the YIELD_VALUE, of
 * its RESUME, or of the jump behind it that ends a delegation; none of them raises by itself. */
#include "glue/probes/rewriting.h"

#if !FT_HAS_MONITORING

#include <assert.h>

#include "engine/base/map.h"
#include "glue/probes/code_tables.h"

enum {
    SITE_LENGTH = 3,     /* pieces */
    HANDLER_LENGTH = 4,  /* likewise: a site, then RERAISE */
    SITE_STACK = 1,      /* more entries of the stack */
    HANDLER_STACK = 3,   /* in a handler of ours: position, exception, site */
    MAX_STACK = 1 << 24, /* of code that is real */
    RESUME_KIND = 3,     /* the bits of RESUME's argument that say what is resumed */
    RESUME_START = 0,    /* a frame that begins */
    RESUME_AWAIT = 3,
};

/* What is found out about one instruction. */
typedef struct junction {
    uint32_t group;       /* pieces: the first one in front of it ... */
    uint32_t thrown;      /* ... where a delegation that ended by throw() goes on ... */
    uint32_t new_line;    /* ... where edges that are a new line enter, if any are ... */
    uint32_t same_line;   /* ... where the others do ... */
    uint32_t instruction; /* ... it itself ... */
    uint32_t interrupted; /* ... and where what is thrown in there goes, or FT_NOWHERE */
    int raising_line;     /* the line that an exception raised by it has, or MANY_LINES */
    bool begins_line;     /* does any edge that it is entered by make a new line? */
    bool delegation_ends; /* does a SEND lead here? */
} junction;

enum { MANY_LINES = -2 };

typedef struct rewriting {
    const ft_mem *mem;
    const ft_rewriter *rewriter;
    void *owner;
    PyCodeObject *code;  /* borrowed: the original */
    PyObject *constants; /* borrowed list: grows by the sites */
    ft_bytecode bytecode;
    ft_place *places;    /* owned: one for each instruction, as all of these */
    junction *junctions; /* owned */
    uint32_t *handler;   /* owned: that an exception goes to, or FT_NOWHERE */
    ft_handlers handlers;
    uint32_t first;  /* the RESUME that the frame begins at */
    uint32_t unwind; /* piece: the handler at the end */
    ft_map sites;    /* kind and line -> index of the constant */
    ft_assembly assembly;
    ft_buf lines, exceptions; /* the new tables */
} rewriting;

/* ---- what is a new line: what the interpreter's maybe_call_line_trace would say ---- */

static const ft_instruction *instruction_at(const rewriting *r, uint32_t i)
{
    assert(i < r->bytecode.count);
    return &r->bytecode.instructions[i];
}

/* Is going from one instruction to another a new line? line: of `from`. */
static bool is_new_line(const rewriting *r, uint32_t from, int line, uint32_t to)
{
    int to_line = r->places[to].line;
    const ft_instruction *target = instruction_at(r, to);
    if (to_line == FT_NO_LINE || target->op == RERAISE) /* no statement begins with it */
        return false;
    if (to_line != line)
        return true;
    return target->start < instruction_at(r, from)->at && target->op != SEND;
}

static bool falls_to_new_line(const rewriting *r, uint32_t i)
{
    assert(i > 0);
    return is_new_line(r, i - 1, i - 1 == r->first ? FT_NO_LINE : r->places[i - 1].line, i);
}

static bool falls_through_to(const rewriting *r, uint32_t i)
{
    return i > 0 && ft_op_falls_through(instruction_at(r, i - 1)->op);
}

/* A NOP or a jump behind other code of its line is what is left of a block's end, not a statement:
 * but behind a condition it may be `pass`, `break` or `continue`. */
static bool is_remnant(const rewriting *r, uint32_t i)
{
    uint8_t op = instruction_at(r, i)->op;
    if ((op != NOP && op != JUMP_FORWARD && op != JUMP_BACKWARD) || i == 0)
        return false;
    uint32_t target = instruction_at(r, i - 1)->target;
    bool condition = target != FT_NOWHERE && target >= i; /* else a loop's, which ends here */
    return !condition && r->places[i - 1].line == r->places[i].line;
}

static bool jumps_to_new_line(const rewriting *r, uint32_t i)
{
    uint32_t target = instruction_at(r, i)->target;
    return !is_remnant(r, target) && is_new_line(r, i, r->places[i].line, target);
}

/* A cleanup that begins with COPY only raises on. The compiler gives some of them the last line of
 * the block they clean up after, which has not run: a trace function is told of it, we are not. */
static bool raises_to_new_line(const rewriting *r, uint32_t i, uint32_t target)
{
    return instruction_at(r, target)->op != COPY &&
           is_new_line(r, i, r->junctions[i].raising_line, target);
}

/* The line of what a RERAISE raises on is the line where it was raised first, if that is one line
 * for all that come to its handler. */
static void find_raising_lines(rewriting *r)
{
    enum { NOBODY_YET = -3 };
    int reraised = MANY_LINES;
    for (uint32_t i = 0; i < r->bytecode.count; i++)
        r->junctions[i].raising_line = NOBODY_YET; /* until i is reached: of who raises to it */
    for (uint32_t i = 0; i < r->bytecode.count; i++) {
        const ft_instruction *instruction = instruction_at(r, i);
        int *line = &r->junctions[i].raising_line;
        if (*line != NOBODY_YET)
            reraised = *line;
        *line = instruction->op == RERAISE && instruction->arg != 0 ? reraised : r->places[i].line;
        if (r->handler[i] == FT_NOWHERE)
            continue;
        uint32_t target = r->handlers.all[r->handler[i]].target;
        int *of_target = &r->junctions[target].raising_line;
        if (target > i)
            *of_target = *of_target == NOBODY_YET || *of_target == *line ? *line : MANY_LINES;
    }
}

static void find_new_lines(rewriting *r)
{
    for (uint32_t i = r->first + 1; i < r->bytecode.count; i++) {
        const ft_instruction *instruction = instruction_at(r, i);
        if (falls_through_to(r, i) && i - 1 != r->first && falls_to_new_line(r, i))
            r->junctions[i].begins_line = true;
        if (instruction->target != FT_NOWHERE && jumps_to_new_line(r, i))
            r->junctions[instruction->target].begins_line = true;
        if (r->handler[i] != FT_NOWHERE) {
            uint32_t target = r->handlers.all[r->handler[i]].target;
            if (raises_to_new_line(r, i, target))
                r->junctions[target].begins_line = true;
        }
        if (instruction->op == SEND)
            r->junctions[instruction->target].delegation_ends = true;
    }
}

/* ---- pieces ---- */

static void add_piece(rewriting *r, uint8_t op, uint32_t arg, uint32_t source)
{
    ft_assembly_add(&r->assembly,
                    &(ft_piece){.op = op, .arg = arg, .source = source, .target = FT_NOWHERE});
}

static void add_jump(rewriting *r, uint8_t op, uint32_t target, uint32_t source)
{
    ft_assembly_add(&r->assembly, &(ft_piece){.op = op, .target = target, .source = source});
}

/* The constant that is the site: its index, or -1 with an exception. */
static Py_ssize_t find_site(rewriting *r, ft_site_kind kind, int line)
{
    if (line == FT_NO_LINE)
        line = 0;
    uint64_t key = (uint64_t)kind << 32 | (uint32_t)line;
    const uint32_t *known = ft_map_get(&r->sites, key);
    if (known != NULL)
        return *known;
    Py_ssize_t index = PyList_GET_SIZE(r->constants);
    PyObject *site = r->rewriter->make(r->rewriter->context, r->owner, r->code, kind, line);
    int failed = site == NULL ? -1 : PyList_Append(r->constants, site);
    Py_XDECREF(site);
    if (failed == 0 && ft_map_put(&r->sites, key, (uint32_t)index) != FT_OK) {
        PyErr_NoMemory();
        failed = -1;
    }
    return failed < 0 ? -1 : index;
}

/* 0, or -1 with an exception, as all that add sites. */
static int add_site(rewriting *r, ft_site_kind kind, int line, uint32_t source)
{
    Py_ssize_t index = find_site(r, kind, line);
    if (index < 0)
        return -1;
    add_piece(r, LOAD_CONST, (uint32_t)index, source);
    add_piece(r, UNARY_INVERT, 0, source);
    add_piece(r, POP_TOP, 0, source);
    return 0;
}

/* After a RESUME, or where a delegation goes on that ended by throw(). *arrives: does anything fall
 * through to what comes next? *new_line: and is it a new line? */
static int add_beginning(rewriting *r, uint32_t i, bool *arrives, bool *new_line)
{
    junction *here = &r->junctions[i];
    *arrives = falls_through_to(r, i);
    *new_line = *arrives && falls_to_new_line(r, i);
    if (i - 1 == r->first) {
        *new_line = false; /* ENTER says it */
        return add_site(r, FT_SITE_ENTER, r->places[i].line, i);
    }
    if (instruction_at(r, i - 1)->op == RESUME)
        return add_site(r, FT_SITE_RESUMED, r->places[i - 1].line, i);
    if (!here->delegation_ends || *arrives)
        return 0;
    here->thrown = r->assembly.count;
    *arrives = true;
    *new_line = falls_to_new_line(r, i); /* the instruction before it is the delegation's */
    return add_site(r, FT_SITE_RESUMED, r->places[i - 1].line, i);
}

static int add_line(rewriting *r, uint32_t i, bool arrives, bool new_line)
{
    junction *here = &r->junctions[i];
    if (!here->begins_line)
        return 0;
    if (arrives && !new_line)
        add_jump(r, JUMP_FORWARD, r->assembly.count + 1 + SITE_LENGTH, i);
    here->new_line = r->assembly.count;
    return add_site(r, FT_SITE_LINE, r->places[i].line, i);
}

static int add_yield(rewriting *r, uint32_t i)
{
    const ft_instruction *next = i + 1 < r->bytecode.count ? instruction_at(r, i + 1) : NULL;
    bool awaits = next != NULL && next->op == RESUME && (next->arg & RESUME_KIND) == RESUME_AWAIT;
    if (add_site(r, awaits ? FT_SITE_AWAIT : FT_SITE_YIELD, r->places[i].line, i) < 0)
        return -1;
    if (instruction_at(r, i - 1)->op == SEND) {
        add_jump(r, JUMP_FORWARD, r->assembly.count + 2, i);
        add_jump(r, SEND, instruction_at(r, i - 1)->target,
                 i); /* an instruction yet: see connect */
    }
    return 0;
}

static int add_ending(rewriting *r, uint32_t i)
{
    switch (instruction_at(r, i)->op) {
    case RETURN_VALUE:
        return add_site(r, FT_SITE_LEAVE, r->places[i].line, i);
    case YIELD_VALUE:
        return add_yield(r, i);
    default:
        return 0;
    }
}

/* An instruction and what stands before it. */
static int add_instruction(rewriting *r, uint32_t i)
{
    junction *here = &r->junctions[i];
    bool arrives, new_line;
    const ft_instruction *instruction = instruction_at(r, i);
    here->group = here->thrown = here->same_line = r->assembly.count;
    here->new_line = FT_NOWHERE;
    if (i > r->first) {
        if (add_beginning(r, i, &arrives, &new_line) < 0)
            return -1;
        if (add_line(r, i, arrives, new_line) < 0)
            return -1;
        here->same_line = r->assembly.count;
        if (add_ending(r, i) < 0)
            return -1;
    }
    here->instruction = r->assembly.count;
    ft_assembly_add(&r->assembly, &(ft_piece){.op = instruction->op,
                                              .caches = instruction->caches,
                                              .arg = instruction->arg,
                                              .target = FT_NOWHERE,
                                              .source = i});
    return 0;
}

static uint32_t entrance(const rewriting *r, uint32_t i, bool new_line)
{
    const junction *to = &r->junctions[i];
    assert(!new_line || to->new_line != FT_NOWHERE);
    return new_line ? to->new_line : to->same_line;
}

/* Gives the jumps of instructions their pieces. */
static void connect(rewriting *r)
{
    for (uint32_t i = 0; i < r->bytecode.count; i++) {
        const ft_instruction *instruction = instruction_at(r, i);
        ft_piece *piece = &r->assembly.pieces[r->junctions[i].instruction];
        if (instruction->target != FT_NOWHERE)
            piece->target = entrance(r, instruction->target, jumps_to_new_line(r, i));
        if (instruction->op == YIELD_VALUE && piece[-1].op == SEND && i > r->first)
            piece[-1].target = r->junctions[piece[-1].target].thrown;
    }
}

/* A handler of ours: tells of what was raised, and raises it on from where it was raised. */
static int add_handler(rewriting *r, ft_site_kind kind, int line)
{
    if (add_site(r, kind, line, FT_NOWHERE) < 0)
        return -1;
    add_piece(r, RERAISE, 1, FT_NOWHERE);
    return 0;
}

/* Does an exception that seems to be raised by instruction i come from outside the frame? */
static bool is_thrown_in(const rewriting *r, uint32_t i)
{
    if (i <= r->first)
        return false;
    switch (instruction_at(r, i)->op) {
    case YIELD_VALUE:
    case RESUME:
        return true;
    case JUMP_BACKWARD_NO_INTERRUPT:
        return is_thrown_in(r, i - 1) && instruction_at(r, i - 1)->op == RESUME;
    default:
        return false;
    }
}

static int add_interruption(rewriting *r, uint32_t i)
{
    junction *here = &r->junctions[i];
    here->interrupted = FT_NOWHERE;
    if (!is_thrown_in(r, i))
        return 0;
    bool shared = is_thrown_in(r, i - 1) && r->handler[i - 1] == r->handler[i] &&
                  r->places[i - 1].line == r->places[i].line;
    here->interrupted = shared ? here[-1].interrupted : r->assembly.count;
    return shared ? 0 : add_handler(r, FT_SITE_RESUMED, r->places[i].line);
}

static int add_pieces(rewriting *r)
{
    for (uint32_t i = 0; i < r->bytecode.count; i++)
        if (add_instruction(r, i) < 0)
            return -1;
    r->unwind = r->assembly.count;
    if (add_handler(r, FT_SITE_UNWOUND, FT_NO_LINE) < 0)
        return -1;
    for (uint32_t i = 0; i < r->bytecode.count; i++)
        if (add_interruption(r, i) < 0)
            return -1;
    return 0;
}

/* ---- the tables ---- */

static void write_lines(rewriting *r)
{
    static const ft_place nowhere = {FT_NO_LINE, FT_NO_LINE, FT_NO_COLUMN, FT_NO_COLUMN};
    const ft_assembly *assembly = &r->assembly;
    int line = r->code->co_firstlineno;
    for (uint32_t i = 0, end; i < assembly->count; i = end) {
        uint32_t source = assembly->pieces[i].source;
        for (end = i + 1; end < assembly->count; end++)
            if (assembly->pieces[end].source != source)
                break;
        uint32_t until = end < assembly->count ? assembly->pieces[end].at : assembly->units;
        const ft_place *place = source == FT_NOWHERE ? &nowhere : &r->places[source];
        ft_place_write(&r->lines, &line, place, until - assembly->pieces[i].at);
    }
}

/* Where an exception raised by instruction i goes in the end; false: out of the frame, unseen.
 * start and end are not filled. */
static bool handler_of(const rewriting *r, uint32_t i, ft_handler *handler)
{
    if (r->handler[i] == FT_NOWHERE) {
        *handler = (ft_handler){.target = r->assembly.pieces[r->unwind].at, .lasti = true};
        return i > r->first;
    }
    *handler = r->handlers.all[r->handler[i]];
    bool new_line = raises_to_new_line(r, i, handler->target);
    handler->target = r->assembly.pieces[entrance(r, handler->target, new_line)].at;
    return true;
}

/* Likewise, where it goes first. */
static bool first_handler_of(const rewriting *r, uint32_t i, ft_handler *handler)
{
    bool found = handler_of(r, i, handler);
    uint32_t interrupted = r->junctions[i].interrupted;
    if (interrupted != FT_NOWHERE) {
        handler->target = r->assembly.pieces[interrupted].at;
        handler->lasti = true;
    }
    return found;
}

static bool continues(const ft_handler *handler, const ft_handler *next)
{
    return next->target == handler->target && next->depth == handler->depth &&
           next->lasti == handler->lasti;
}

static void write_handlers(rewriting *r)
{
    const ft_piece *pieces = r->assembly.pieces;
    ft_handler open, next;
    bool is_open = false;
    for (uint32_t i = 0; i < r->bytecode.count; i++) {
        bool has_next = first_handler_of(r, i, &next);
        if (is_open && has_next && continues(&open, &next))
            continue;
        next.start = open.end = pieces[r->junctions[i].group].at;
        if (is_open)
            ft_handler_write(&r->exceptions, &open);
        is_open = has_next;
        open = next;
    }
    open.end = pieces[r->unwind].at;
    if (is_open)
        ft_handler_write(&r->exceptions, &open);
}

/* Of our own handlers for what is thrown in. */
static void write_last_handlers(rewriting *r)
{
    const ft_assembly *assembly = &r->assembly;
    uint32_t written = FT_NOWHERE;
    for (uint32_t i = 0; i < r->bytecode.count; i++) {
        uint32_t piece = r->junctions[i].interrupted;
        if (piece == FT_NOWHERE || piece == written)
            continue;
        ft_handler handler;
        (void)handler_of(r, i, &handler);
        uint32_t end = piece + HANDLER_LENGTH;
        handler.start = assembly->pieces[piece].at;
        handler.end = end < assembly->count ? assembly->pieces[end].at : assembly->units;
        ft_handler_write(&r->exceptions, &handler);
        written = piece;
    }
}

/* ---- one code object ---- */

/* Nothing may come between these. */
static bool pairs_are_apart(const rewriting *r)
{
    for (uint32_t i = r->first + 1; i < r->bytecode.count; i++) {
        if (instruction_at(r, i)->op != CALL || instruction_at(r, i - 1)->op != PRECALL)
            continue;
        if (r->junctions[i].begins_line)
            return true;
    }
    return false;
}

/* Was the copy of a SEND laid out so that generator.throw() can read it? */
static bool copies_are_short(const rewriting *r)
{
    for (uint32_t i = r->first + 1; i < r->bytecode.count; i++) {
        const ft_piece *before = &r->assembly.pieces[r->junctions[i].instruction] - 1;
        if (instruction_at(r, i)->op == YIELD_VALUE && before->op == SEND && before->prefixes > 0)
            return false;
    }
    return true;
}

static void map_handlers(rewriting *r)
{
    for (uint32_t i = 0; i < r->bytecode.count; i++)
        r->handler[i] = FT_NOWHERE;
    for (uint32_t h = 0; h < r->handlers.count; h++)
        for (uint32_t i = r->handlers.all[h].start; i < r->handlers.all[h].end; i++)
            r->handler[i] = h;
}

/* Sites stand in front of what follows the first RESUME: nothing leads there, nothing back. */
static bool begins_as_known(rewriting *r)
{
    const ft_bytecode *bytecode = &r->bytecode;
    while (r->first < bytecode->count && instruction_at(r, r->first)->op != RESUME)
        r->first++;
    if (r->first + 1 >= bytecode->count || instruction_at(r, r->first)->arg != RESUME_START)
        return false;
    for (uint32_t i = 0; i < bytecode->count; i++) {
        uint32_t target = instruction_at(r, i)->target;
        bool leads = target != FT_NOWHERE || r->handler[i] != FT_NOWHERE;
        if (target <= r->first || (i <= r->first && leads))
            return false;
    }
    for (uint32_t h = 0; h < r->handlers.count; h++)
        if (r->handlers.all[h].target <= r->first || r->handlers.all[h].depth > MAX_STACK)
            return false;
    return true;
}

static ft_status read_code(rewriting *r, PyObject *bytes)
{
    PyObject *lines = r->code->co_linetable, *exceptions = r->code->co_exceptiontable;
    ft_status status =
        ft_bytecode_read(&r->bytecode, r->mem, (const uint8_t *)PyBytes_AS_STRING(bytes),
                         (size_t)PyBytes_GET_SIZE(bytes));
    if (status != FT_OK)
        return status;
    r->places = ft_mem_new(r->mem, r->bytecode.count, sizeof(ft_place));
    r->junctions = ft_mem_new(r->mem, r->bytecode.count, sizeof(junction));
    r->handler = ft_mem_new(r->mem, r->bytecode.count, sizeof(uint32_t));
    if (r->places == NULL || r->junctions == NULL || r->handler == NULL)
        return FT_ERR_MEMORY;
    if (r->code->co_firstlineno < 0 || r->code->co_stacksize > MAX_STACK)
        return FT_ERR_CORRUPT;
    status = ft_places_read(r->places, &r->bytecode, (const uint8_t *)PyBytes_AS_STRING(lines),
                            (size_t)PyBytes_GET_SIZE(lines), r->code->co_firstlineno);
    if (status == FT_OK)
        status = ft_handlers_read(&r->handlers, r->mem, &r->bytecode,
                                  (const uint8_t *)PyBytes_AS_STRING(exceptions),
                                  (size_t)PyBytes_GET_SIZE(exceptions));
    return status;
}

/* Everything that can be refused for what the code is, before a site is made. */
static ft_status understand(rewriting *r, PyObject *bytes)
{
    ft_status status = read_code(r, bytes);
    if (status != FT_OK)
        return status;
    map_handlers(r);
    if (!begins_as_known(r))
        return FT_ERR_CORRUPT;
    find_raising_lines(r);
    find_new_lines(r);
    return pairs_are_apart(r) ? FT_ERR_CORRUPT : FT_OK;
}

static ft_status lay_out(rewriting *r)
{
    if (r->assembly.status != FT_OK)
        return r->assembly.status;
    connect(r);
    ft_status status = ft_assembly_lay_out(&r->assembly);
    if (status != FT_OK)
        return status;
    if (!copies_are_short(r))
        return FT_ERR_LIMIT;
    write_lines(r);
    write_handlers(r);
    write_last_handlers(r);
    return ft_buf_status(&r->lines) != FT_OK ? ft_buf_status(&r->lines)
                                             : ft_buf_status(&r->exceptions);
}

static PyObject *bytes_of(const ft_buf *buf)
{
    return PyBytes_FromStringAndSize((const char *)buf->data, (Py_ssize_t)buf->length);
}

/* What differs between a code object and its copy. */
typedef struct new_parts {
    PyObject *bytes, *constants, *lines, *exceptions;
    int stack;
} new_parts;

static PyCodeObject *copy_code(PyCodeObject *code, const new_parts *parts)
{
    PyObject *constants = PyList_AsTuple(parts->constants);
    PyObject *variables = PyCode_GetVarnames(code);
    PyObject *free_ = PyCode_GetFreevars(code), *cells = PyCode_GetCellvars(code);
    PyCodeObject *copy = NULL;
    if (constants != NULL && variables != NULL && free_ != NULL && cells != NULL)
        copy = PyCode_NewWithPosOnlyArgs(
            code->co_argcount, code->co_posonlyargcount, code->co_kwonlyargcount, code->co_nlocals,
            parts->stack, code->co_flags, parts->bytes, constants, code->co_names, variables, free_,
            cells, code->co_filename, code->co_name, ft_compat_qualname(code), code->co_firstlineno,
            parts->lines, parts->exceptions);
    Py_XDECREF(constants);
    Py_XDECREF(variables);
    Py_XDECREF(free_);
    Py_XDECREF(cells);
    return copy;
}

static int stack_of(const rewriting *r)
{
    int depth = 0, stack = r->code->co_stacksize + SITE_STACK;
    for (uint32_t i = 0; i < r->handlers.count; i++)
        if ((int)r->handlers.all[i].depth > depth)
            depth = (int)r->handlers.all[i].depth;
    return stack > depth + HANDLER_STACK ? stack : depth + HANDLER_STACK;
}

static PyCodeObject *make_code(rewriting *r)
{
    new_parts parts = {.constants = r->constants, .stack = stack_of(r)};
    parts.bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)r->assembly.units * 2);
    parts.lines = bytes_of(&r->lines);
    parts.exceptions = bytes_of(&r->exceptions);
    PyCodeObject *copy = NULL;
    if (parts.bytes != NULL && parts.lines != NULL && parts.exceptions != NULL) {
        ft_assembly_write(&r->assembly, (uint8_t *)PyBytes_AS_STRING(parts.bytes));
        copy = copy_code(r->code, &parts);
    }
    Py_XDECREF(parts.bytes);
    Py_XDECREF(parts.lines);
    Py_XDECREF(parts.exceptions);
    return copy;
}

static void rewriting_init(rewriting *r)
{
    r->mem = r->bytecode.mem = r->handlers.mem = &ft_mem_system;
    ft_map_init(&r->sites, r->mem);
    ft_assembly_init(&r->assembly, r->mem);
    ft_buf_init(&r->lines, r->mem);
    ft_buf_init(&r->exceptions, r->mem);
}

static void rewriting_fini(rewriting *r)
{
    ft_buf_fini(&r->exceptions);
    ft_buf_fini(&r->lines);
    ft_assembly_fini(&r->assembly);
    ft_map_fini(&r->sites);
    ft_handlers_fini(&r->handlers);
    ft_mem_free(r->mem, r->handler);
    ft_mem_free(r->mem, r->junctions);
    ft_mem_free(r->mem, r->places);
    ft_bytecode_fini(&r->bytecode);
}

/* The copy with sites; NULL without an exception: not understood. constants: the list of the
 * copy's, which may have grown in either case. */
static PyCodeObject *add_sites(PyCodeObject *code, PyObject *constants, const ft_rewriter *rewriter,
                               void *owner)
{
    rewriting r = {.rewriter = rewriter, .owner = owner, .code = code, .constants = constants};
    rewriting_init(&r);
    PyCodeObject *copy = NULL;
    PyObject *bytes = PyCode_GetCode(code);
    if (bytes == NULL)
        goto fail;
    ft_status status = understand(&r, bytes);
    if (status == FT_OK && add_pieces(&r) < 0)
        goto fail;
    if (status == FT_OK)
        status = lay_out(&r);
    if (status == FT_OK)
        copy = make_code(&r);
    else if (status == FT_ERR_MEMORY)
        PyErr_NoMemory();
fail:
    Py_XDECREF(bytes);
    rewriting_fini(&r);
    return copy;
}

/* ---- code inside code ---- */

static PyCodeObject *rewrite(PyCodeObject *code, const ft_rewriter *rewriter, void *outer_owner);

/* The constants of code as a list, code among them rewritten. *changed: was any? NULL with an
 * exception. */
static PyObject *rewrite_constants(PyCodeObject *code, const ft_rewriter *rewriter, void *owner,
                                   bool *changed)
{
    PyObject *constants = PySequence_List(code->co_consts);
    for (Py_ssize_t i = 0; constants != NULL && i < PyList_GET_SIZE(constants); i++) {
        PyObject *constant = PyList_GET_ITEM(constants, i);
        if (!PyCode_Check(constant))
            continue;
        PyCodeObject *copy = rewrite((PyCodeObject *)constant, rewriter, owner);
        *changed |= copy != (PyCodeObject *)constant;
        if (copy == NULL || PyList_SetItem(constants, i, (PyObject *)copy) < 0)
            Py_CLEAR(constants);
    }
    return constants;
}

static PyCodeObject *rewrite_chosen(PyCodeObject *code, const ft_rewriter *rewriter, void *owner)
{
    bool changed = false;
    PyCodeObject *copy = NULL;
    PyObject *constants = rewrite_constants(code, rewriter, owner, &changed);
    if (constants == NULL)
        return NULL;
    Py_ssize_t count = PyList_GET_SIZE(constants);
    if (owner != NULL)
        copy = add_sites(code, constants, rewriter, owner);
    if (copy != NULL || PyErr_Occurred())
        goto done;
    if (PyList_SetSlice(constants, count, PyList_GET_SIZE(constants), NULL) < 0)
        goto done;
    if (changed) {
        new_parts parts = {.bytes = PyCode_GetCode(code),
                           .constants = constants,
                           .lines = code->co_linetable,
                           .exceptions = code->co_exceptiontable,
                           .stack = code->co_stacksize};
        copy = parts.bytes == NULL ? NULL : copy_code(code, &parts);
        Py_XDECREF(parts.bytes);
    } else {
        copy = (PyCodeObject *)Py_NewRef((PyObject *)code);
    }
done:
    Py_DECREF(constants);
    return copy;
}

static PyCodeObject *rewrite(PyCodeObject *code, const ft_rewriter *rewriter, void *outer_owner)
{
    void *owner = NULL;
    if (rewriter->choose(rewriter->context, code, outer_owner, &owner) < 0)
        return NULL;
    if (Py_EnterRecursiveCall(" while code is rewritten") != 0)
        return NULL;
    PyCodeObject *copy = rewrite_chosen(code, rewriter, owner);
    Py_LeaveRecursiveCall();
    return copy;
}

PyCodeObject *ft_rewrite(PyCodeObject *code, const ft_rewriter *rewriter)
{
    return rewrite(code, rewriter, NULL);
}

#endif /* !FT_HAS_MONITORING */
