/* SPDX-License-Identifier: Apache-2.0 */
/* line_recorder.c: activations: begun, ended, suspended (see line_recorder.h). */
#include "engine/record/line_recorder.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/model/profile.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/recording.h"

enum {
    CHUNK_BYTES = FT_BLOCK_MIN_BYTES - FT_BLOCK_HEADER_BYTES,
    CHUNK = CHUNK_BYTES / sizeof(ft_line_activation),
    STACK_MAX = 1 << 24, /* 1 GiB of activations: a bound for a runaway, not a limit in use */
    LOOK_BELOW = 256,    /* a frame that is not on top is another greenlet's: few, or not found */
    LOOK_BELOW_AT_ENTRY = 24, /* ... and rarely: each call of a recursion looks that far */
    WAITING_LOOK_FACTOR = 10  /* slices of 200 us are worth the thread's CPU clock (0.9 us) */
};

#define NO_FRAME ((uintptr_t)1) /* bottom[0]: no frame, and none that has ended */

static void note(const ft_line_recorder *lines, ft_note_kind kind)
{
    ft_arena_note(&lines->recorder->recording->arena, (uint32_t)kind, 1);
}

static void set_state(ft_line_activation *at, enum ft_line_state state)
{
    atomic_store_explicit(&at->state, (uint32_t)state, memory_order_release);
}

static enum ft_line_state state_of(const ft_line_activation *at)
{
    return (enum ft_line_state)atomic_load_explicit(&at->state, memory_order_relaxed);
}

static ft_line_part *part_of(const ft_line_recorder *lines, const ft_line_code *code)
{
    return &lines->parts[code->table->number];
}

static uint32_t index_of(const ft_line_recorder *lines, const ft_line_activation *at)
{
    return (uint32_t)(at - lines->bottom);
}

/* The code of key. NULL: its lines are not recorded, or lines rest. */
static const ft_line_code *find_code(ft_line_recorder *lines, const void *key)
{
    ft_recording *recording = lines->recorder->recording;
    uint32_t count = atomic_load_explicit(&recording->lines.code_count, memory_order_relaxed);
    if (FT_UNLIKELY(recording->lines_rest))
        return NULL;
    if (FT_UNLIKELY(lines->known_of != count)) {
        memset((void *)lines->known, 0, sizeof lines->known);
        lines->known_of = count;
    }
    uint64_t bits = (uint64_t)(uintptr_t)key / 16; /* what is allocated is aligned */
    const ft_line_code **known = &lines->known[(bits ^ bits / FT_LINE_KNOWN) % FT_LINE_KNOWN];
    if (FT_UNLIKELY(*known == NULL || (*known)->key != key)) {
        const ft_line_code *code = ft_recording_find_lines(recording, key);
        if (code == NULL)
            return NULL;
        *known = code;
    }
    return *known;
}

/* ---- room ---- */

/* Activations, all NONE, in a block of their own. */
static ft_line_activation *new_block(ft_line_recorder *lines, size_t count)
{
    ft_recorder *recorder = lines->recorder;
    ft_block *block = NULL;
    void *made = ft_recording_room(recorder->recording, &block, FT_BLOCK_ACTIVATIONS,
                                   recorder->index, count * sizeof(ft_line_activation));
    if (made != NULL)
        ft_block_publish(block, count * sizeof(ft_line_activation));
    return made;
}

/* The old block stays where it is, empty: a block is never given back. */
static bool grow_stack(ft_line_recorder *lines)
{
    ft_line_activation *old = lines->bottom;
    size_t used = old == NULL ? 0 : (size_t)(lines->top - old) + 1;
    size_t room = old == NULL ? (size_t)CHUNK : (size_t)(lines->last - old + 1) * 2;
    ft_line_activation *made = room <= STACK_MAX ? new_block(lines, room) : NULL;
    if (made == NULL)
        return false;
    if (old == NULL)
        made[0].frame = NO_FRAME;
    else
        memcpy(made, old, used * sizeof *made);
    lines->bottom = made;
    lines->top = made + (used == 0 ? 0 : used - 1);
    lines->last = made + room - 1;
    for (size_t i = 0; i < used; i++)
        set_state(&old[i], FT_LINE_NONE);
    return true;
}

static bool reserve_parts(ft_line_recorder *lines, uint32_t number)
{
    const ft_mem *mem = lines->recorder->recording->mem;
    if (number < lines->part_count)
        return true;
    uint32_t count = number + 1 + number / 2;
    ft_line_part *parts = ft_mem_resize(mem, lines->parts, count, sizeof *parts);
    if (parts == NULL)
        return false;
    memset(parts + lines->part_count, 0, (count - lines->part_count) * sizeof *parts);
    lines->parts = parts;
    lines->part_count = count;
    return true;
}

static bool has_met(const ft_line_recorder *lines, const ft_line_table *table)
{
    return table->number < lines->part_count && lines->parts[table->number].cells != NULL;
}

/* The thread meets the table for the first time: its cells of it. */
static bool meet(ft_line_recorder *lines, const ft_line_table *table)
{
    ft_recorder *recorder = lines->recorder;
    if (!reserve_parts(lines, table->number)) {
        note(lines, FT_NOTE_OUT_OF_MEMORY);
        return false;
    }
    uint64_t bytes = ft_line_cells_bytes(table);
    ft_line_cells *head = ft_recording_room(recorder->recording, &lines->cells, FT_BLOCK_LINES,
                                            recorder->index, bytes);
    if (head == NULL)
        return false;
    ft_line_cells_write(head, table);
    ft_block_publish(lines->cells, bytes);
    lines->parts[table->number].cells = ft_line_cells_of(head);
    lines->made_room = true;
    return true;
}

ft_line_recorder *ft_line_recorder_new(ft_recorder *recorder)
{
    const ft_mem *mem = recorder->recording->mem;
    ft_line_recorder *lines = ft_mem_new(mem, 1, sizeof *lines);
    if (lines == NULL) {
        ft_arena_note(&recorder->recording->arena, FT_NOTE_OUT_OF_MEMORY, 1);
        return NULL;
    }
    lines->recorder = recorder;
    ft_map_init(&lines->suspended, mem);
    if (!grow_stack(lines)) {
        ft_mem_free(mem, lines);
        return NULL;
    }
    ft_line_recorder_start(lines);
    return lines;
}

void ft_line_recorder_free(ft_line_recorder *lines, const ft_mem *mem)
{
    if (lines == NULL)
        return;
    ft_map_fini(&lines->suspended);
    ft_mem_free(mem, lines->parts);
    ft_mem_free(mem, (void *)lines->chunks);
    ft_mem_free(mem, lines->at_fork);
    ft_mem_free(mem, lines);
}

void ft_line_recorder_start(ft_line_recorder *lines)
{
    assert(lines->top == lines->bottom);
    ft_idle_start(&lines->idle);
}

/* ---- time ---- */

/* Looks how much of a long slice was waiting. */
static void look_at_waiting(ft_line_recorder *lines, uint64_t elapsed)
{
    ft_recorder *recorder = lines->recorder;
    ft_clock_source source = (ft_clock_source)recorder->clock;
    ft_clock_pair pair = ft_clock_read_pair(source);
    double ns_per_tick = ft_clock_ns_per_tick(source, recorder->first, pair);
    uint64_t slice = (uint64_t)((double)elapsed * ns_per_tick);
    bool very_long = elapsed > recorder->long_slice * WAITING_LOOK_FACTOR;
    uint64_t waited = ft_idle_waited(&lines->idle, slice, pair.ns, very_long);
    if (slice > 0)
        lines->waited += (uint64_t)((double)waited / ns_per_tick);
    ft_recording_touch_clock(recorder->recording);
}

/* Likewise, for all that is active in another thread. */
static void look_at_foreign_waiting(ft_line_recorder *lines)
{
    struct timespec cpu;
    ft_recorder *recorder = lines->recorder;
    if (recorder->clock == FT_CLOCK_CALLERS || clock_gettime(recorder->rest->cpu_clock, &cpu) != 0)
        return;
    ft_clock_source source = (ft_clock_source)recorder->clock;
    ft_clock_pair pair = ft_clock_read_pair(source);
    double ns_per_tick = ft_clock_ns_per_tick(source, recorder->first, pair);
    uint64_t waited = ft_idle_waited_by(&lines->idle, ft_clock_ns_of(cpu), pair.ns);
    lines->waited += (uint64_t)((double)waited / ns_per_tick);
}

static uint64_t at_most(uint64_t value, uint64_t bound)
{
    return value < bound ? value : bound;
}

void ft_line_long_slice(ft_line_recorder *lines, ft_line_activation *at, uint64_t now)
{
    uint64_t elapsed = now - at->since;
    if (elapsed > UINT64_MAX / 2) /* the clock stepped back: no time rather than a wrong one */
        elapsed = 0;
    else if (elapsed > lines->recorder->long_slice && !lines->ended_by_other)
        look_at_waiting(lines, elapsed);
    if (at->cell != NULL) {
        ft_counter_add(&at->cell->time, elapsed);
        ft_counter_add(&at->cell->waiting, at_most(lines->waited - at->waited, elapsed));
    }
    if (at->cell != NULL && at->context != NULL) {
        uint64_t own = ft_line_own(lines, at->context, now);
        ft_counter_add(&at->cell->callees, elapsed - at_most(own - at->own, elapsed));
        at->own = own;
    }
    at->waited = lines->waited;
    at->since = now;
}

/* ---- beginning and ending ---- */

/* The running activation of the table, if any, stands still from now on. */
static void stop_innermost(ft_line_recorder *lines, ft_line_part *part, uint64_t now)
{
    if (part->innermost == 0)
        return;
    ft_line_activation *running = lines->bottom + part->innermost;
    ft_line_end_slice(lines, running, now);
    set_state(running, FT_LINE_STANDING);
}

/* The frame is at the cell of this number, 0: at no line that is known. NULL, with a note, when
 * there is no room: nothing is counted, then. */
static ft_line_activation *push(ft_line_recorder *lines, const ft_line_code *code,
                                const void *frame, uint32_t number, uint64_t now)
{
    if ((!has_met(lines, code->table) && !meet(lines, code->table)) ||
        (lines->top == lines->last && !grow_stack(lines)))
        return NULL;
    ft_line_part *part = part_of(lines, code);
    stop_innermost(lines, part, now);
    ft_line_activation *at = ++lines->top;
    at->frame = (uintptr_t)frame;
    at->code = code;
    at->outer = part->innermost;
    part->innermost = index_of(lines, at);
    part->count++;
    ft_line_begin_slice(lines, at, number == 0 ? NULL : part->cells + number, now);
    set_state(at, FT_LINE_RUNNING);
    return at;
}

/* What stood still because of an activation that ended goes on. */
static void go_on(ft_line_recorder *lines, ft_line_part *part, uint32_t outer, uint64_t now)
{
    while (outer != 0 && state_of(lines->bottom + outer) == FT_LINE_NONE)
        outer = lines->bottom[outer].outer;
    part->innermost = outer;
    if (outer == 0)
        return;
    ft_line_activation *at = lines->bottom + outer;
    ft_line_begin_slice(lines, at, at->cell, now);
    set_state(at, FT_LINE_RUNNING);
}

/* The activation ends. Those above it are other greenlets', and stay. */
static void drop(ft_line_recorder *lines, ft_line_activation *at, uint64_t now)
{
    ft_line_part *part = part_of(lines, at->code);
    bool running = state_of(at) == FT_LINE_RUNNING;
    if (running)
        ft_line_end_slice(lines, at, now);
    set_state(at, FT_LINE_NONE);
    at->frame = 0;
    part->count--;
    if (running)
        go_on(lines, part, at->outer, now);
    while (lines->top->frame == 0)
        lines->top--;
}

/* The frame's activation when it is not on top, or NULL. */
static ft_line_activation *find_below(const ft_line_recorder *lines, const void *key,
                                      const void *frame, int most)
{
    ft_line_activation *at = lines->top;
    for (int looks = 0; at > lines->bottom && looks < most; looks++, at--)
        if (at->frame == (uintptr_t)frame)
            return at->code->key == key ? at : NULL;
    return NULL;
}

/* The activation is the running one of its table. */
static void make_innermost(ft_line_recorder *lines, ft_line_activation *at, uint64_t now)
{
    ft_line_part *part = part_of(lines, at->code);
    if (state_of(at) == FT_LINE_RUNNING)
        return;
    stop_innermost(lines, part, now);
    part->innermost = index_of(lines, at);
    ft_line_begin_slice(lines, at, at->cell, now);
    set_state(at, FT_LINE_RUNNING);
}

/* The event counts as a hit of the slot's line. */
static void hit(ft_line_recorder *lines, const ft_line_code *code, uint32_t slot)
{
    if (slot != 0 && (slot & FT_LINE_NOT_COUNTED) == 0)
        ft_counter_add(&part_of(lines, code)->cells[slot].hits, 1);
}

/* The end of what is on top was not told, and its frame is used again. */
static void drop_stale(ft_line_recorder *lines, const void *frame, uint64_t now)
{
    if (lines->top->frame == (uintptr_t)frame)
        drop(lines, lines->top, now);
}

static bool is_active(const ft_line_recorder *lines, const ft_line_code *code)
{
    uint32_t number = code->table->number;
    return number < lines->part_count && lines->parts[number].count > 0;
}

/* A function begins: its first line. In the middle of one: it began before the recording did. */
static void begin(ft_line_recorder *lines, const ft_line_code *code, const void *frame,
                  uint32_t line, uint64_t now)
{
    uint32_t slot = ft_line_slot(code, line);
    if (push(lines, code, frame, slot & ~FT_LINE_NOT_COUNTED, now) == NULL)
        return;
    if (code->is_function && line == code->entry)
        ft_counter_add(&part_of(lines, code)->cells[0].hits, 1);
    hit(lines, code, slot);
}

/* An activation that is not on top, or not the running one, or is at a line its code has not. */
static void move_to(ft_line_recorder *lines, ft_line_activation *at, uint32_t line, uint64_t now)
{
    uint32_t slot = ft_line_slot(at->code, line);
    uint32_t number = slot & ~FT_LINE_NOT_COUNTED;
    make_innermost(lines, at, now);
    ft_line_end_slice(lines, at, now);
    hit(lines, at->code, slot);
    ft_line_begin_slice(lines, at, number == 0 ? NULL : part_of(lines, at->code)->cells + number,
                        now);
}

void ft_line_event_slow(ft_line_recorder *lines, const void *key, const void *frame, uint32_t line,
                        uint64_t now)
{
    ft_line_activation *at = lines->top;
    if (at->frame != (uintptr_t)frame || at->code->key != key) {
        const ft_line_code *code = find_code(lines, key);
        /* Every call begins with the entry line; so may each round of a loop in another greenlet.
         */
        bool at_entry = code != NULL && line == code->entry;
        bool begins = code == NULL || (at_entry && !is_active(lines, code));
        int most = at_entry ? LOOK_BELOW_AT_ENTRY : LOOK_BELOW;
        at = begins ? NULL : find_below(lines, key, frame, most);
        if (at == NULL) {
            drop_stale(lines, frame, now);
            if (code != NULL)
                begin(lines, code, frame, line, now);
            return;
        }
    }
    move_to(lines, at, line, now);
}

void ft_line_leave_slow(ft_line_recorder *lines, const void *key, const void *frame, uint64_t now)
{
    ft_line_activation *at = find_below(lines, key, frame, LOOK_BELOW);
    if (at != NULL)
        drop(lines, at, now);
}

/* ---- suspension ---- */

static ft_line_activation *place_at(const ft_line_recorder *lines, uint32_t index)
{
    return &lines->chunks[index / CHUNK][index % CHUNK];
}

static bool add_chunk(ft_line_recorder *lines)
{
    const ft_mem *mem = lines->recorder->recording->mem;
    ft_line_activation **chunks = ft_array_grow(mem, (void *)lines->chunks, lines->chunk_count + 1,
                                                &lines->chunk_room, sizeof *chunks);
    if (chunks == NULL)
        return false;
    lines->chunks = chunks;
    ft_line_activation *made = new_block(lines, CHUNK);
    if (made == NULL)
        return false;
    for (uint32_t i = CHUNK; i-- > 0;) { /* in `outer`: the next free place */
        made[i].outer = lines->free_place;
        lines->free_place = lines->chunk_count * (uint32_t)CHUNK + i + 1;
    }
    chunks[lines->chunk_count++] = made;
    return true;
}

/* The place of frame, which may have had one; 0 when there is no room. */
static uint32_t take_place(ft_line_recorder *lines, const void *frame)
{
    uint64_t key = (uint64_t)(uintptr_t)frame;
    uint32_t *known = ft_map_get(&lines->suspended, key);
    if (known != NULL && *known != 0)
        return *known; /* it was dropped unfinished, and another one is in its place */
    if (lines->free_place == 0 && !add_chunk(lines))
        return 0;
    uint32_t place = lines->free_place;
    if (known != NULL)
        *known = place;
    else if (ft_map_put(&lines->suspended, key, place) != FT_OK)
        return 0;
    lines->free_place = place_at(lines, place - 1)->outer;
    return place;
}

void ft_line_suspend(ft_line_recorder *lines, const void *key, const void *frame, bool awaits,
                     uint64_t now)
{
    ft_line_activation *at = find_below(lines, key, frame, LOOK_BELOW);
    if (at == NULL)
        return;
    ft_line_cell *cell = at->cell;
    const ft_line_code *code = at->code;
    ft_context *context = at->context;
    drop(lines, at, now);
    uint32_t place = cell == NULL ? 0 : take_place(lines, frame);
    if (place == 0)
        return;
    ft_line_activation *kept = place_at(lines, place - 1);
    kept->cell = cell;
    kept->code = code;
    kept->context = context;
    kept->since = now;
    kept->frame = (uintptr_t)frame;
    set_state(kept, awaits ? FT_LINE_SUSPENDED : FT_LINE_PAUSED);
}

/* What was suspended has waited until now. */
static void end_suspension(ft_line_activation *kept, uint64_t now)
{
    uint64_t elapsed = now - kept->since;
    if (elapsed > UINT64_MAX / 2)
        elapsed = 0;
    ft_counter_add(&kept->cell->time, elapsed);
    ft_counter_add(&kept->cell->waiting, elapsed);
    if (kept->context != NULL)
        ft_counter_add(&kept->cell->callees, elapsed);
}

/* The line that the frame was suspended in, or 0. Its table may be another one's by now: the code
 * may have been found inside a function that was added since. */
static uint32_t end_suspension_of(ft_line_recorder *lines, const void *key, const void *frame,
                                  uint64_t now)
{
    uint32_t *place = ft_map_get(&lines->suspended, (uint64_t)(uintptr_t)frame);
    if (place == NULL || *place == 0)
        return 0;
    ft_line_activation *kept = place_at(lines, *place - 1);
    bool same = kept->code->key == key;
    if (same && state_of(kept) == FT_LINE_SUSPENDED)
        end_suspension(kept, now);
    set_state(kept, FT_LINE_NONE);
    kept->outer = lines->free_place;
    lines->free_place = *place;
    *place = 0;
    return same ? (uint32_t)kept->cell->line : 0;
}

void ft_line_resume(ft_line_recorder *lines, const void *key, const void *frame, uint32_t line,
                    uint64_t now)
{
    const ft_line_code *code = find_code(lines, key);
    if (code == NULL)
        return;
    uint32_t suspended_in = end_suspension_of(lines, key, frame, now);
    uint32_t slot = ft_line_slot(code, suspended_in != 0 ? suspended_in : line);
    (void)push(lines, code, frame, slot & ~FT_LINE_NOT_COUNTED, now);
}

/* ---- the thread's end, and forks ---- */

void ft_line_recorder_end(ft_line_recorder *lines, uint64_t now)
{
    while (lines->top > lines->bottom)
        drop(lines, lines->top, now);
    for (uint32_t i = 0; i < lines->chunk_count * (uint32_t)CHUNK; i++) {
        ft_line_activation *kept = place_at(lines, i);
        if (state_of(kept) == FT_LINE_NONE)
            continue;
        (void)end_suspension_of(lines, kept->code->key, (const void *)kept->frame, now);
    }
}

void ft_line_recorder_end_foreign(ft_line_recorder *lines, uint64_t now)
{
    if (lines->top > lines->bottom)
        look_at_foreign_waiting(lines);
    lines->ended_by_other = true;
    ft_line_recorder_end(lines, now);
    lines->ended_by_other = false;
}

void ft_line_recorder_copy(ft_line_recorder *lines)
{
    const ft_mem *mem = lines->recorder->recording->mem;
    uint32_t count = (uint32_t)(lines->top - lines->bottom);
    lines->at_fork_count = 0;
    if (count == 0)
        return;
    ft_line_activation *copy =
        ft_array_grow(mem, lines->at_fork, count, &lines->at_fork_room, sizeof *copy);
    if (copy == NULL)
        return; /* the child's activations begin in their middle */
    lines->at_fork = copy;
    lines->at_fork_count = count;
    memcpy(copy, lines->bottom + 1, count * sizeof *copy);
}

void ft_line_recorder_replay(ft_line_recorder *lines, const ft_line_recorder *before, uint64_t now)
{
    for (uint32_t i = 0; i < before->at_fork_count; i++) {
        const ft_line_activation *old = &before->at_fork[i];
        if (old->frame == 0)
            continue;
        ptrdiff_t number = old->cell == NULL ? 0 : old->cell - part_of(before, old->code)->cells;
        if (push(lines, old->code, (const void *)old->frame, (uint32_t)number, now) == NULL)
            return;
    }
}
