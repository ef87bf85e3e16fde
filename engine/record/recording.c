/* SPDX-License-Identifier: Apache-2.0 */
/* recording.c: one process's recording (see recording.h). */
#include "engine/record/recording.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "engine/model/code.h"
#include "engine/model/profile.h"
#include "engine/record/children.h"
#include "engine/record/line_recorder.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/span_log.h"
#include "engine/record/tasks.h"

enum { SKIP_WHEN_REFUSED = 10000 };

/* ---- opening and closing ---- */

/* directory/PID-START-RANDOM.arena: the random part keeps processes of equal pids in different
 * containers apart. The caller frees it. */
static char *arena_path(const ft_mem *mem, const char *directory)
{
    uint32_t pid = (uint32_t)getpid();
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = ft_clock_ns(CLOCK_MONOTONIC);
    size_t room = strlen(directory) + 80;
    char *path = ft_mem_new(mem, room, 1);
    if (path != NULL)
        snprintf(path, room, "%s/%u-%llu-%016llx.arena", directory, pid,
                 (unsigned long long)ft_arena_process_start(pid), (unsigned long long)random);
    return path;
}

static ft_status open_arena(ft_recording *recording, ft_arena *arena)
{
    if (recording->directory == NULL)
        return ft_arena_open(arena, recording->mem, NULL, FT_RECORDING_LAYOUT);
    char *path = arena_path(recording->mem, recording->directory);
    if (path == NULL)
        return FT_ERR_MEMORY;
    ft_status status = ft_arena_open(arena, recording->mem, path, FT_RECORDING_LAYOUT);
    ft_mem_free(recording->mem, path);
    return status;
}

/* What stands for calls past the cap, for tasks and for what they await: codes 1 to 4. */
static ft_status intern_special(ft_recording *recording)
{
    static const char *const names[] = {"<folded>", "<folded again>", "<task>", "<awaited>"};
    static_assert(FT_CODE_TASK - FT_CODE_FOLDED == FT_CODE_TASK_NUMBER - FT_CODE_FOLDED_NUMBER,
                  "kinds and numbers go side by side");
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ft_function function = {.key = names[i],
                                .kind = FT_CODE_FOLDED + i,
                                .texts = {"", names[i], names[i]},
                                .lengths = {0, strlen(names[i]), strlen(names[i])}};
        ft_status status = ft_recording_intern(recording, &function);
        if (status != FT_OK)
            return status;
    }
    assert(recording->code_count == FT_CODE_AWAITED_NUMBER);
    return FT_OK;
}

ft_status ft_recording_open(ft_recording *recording, const ft_mem *mem, const char *directory,
                            uint32_t max_contexts)
{
    ft_status status = FT_ERR_MEMORY;
    *recording = (ft_recording){.mem = mem, .max_contexts = max_contexts};
    pthread_mutex_init(&recording->lock, NULL);
    ft_map_init(&recording->codes, mem);
    ft_map_init(&recording->texts, mem);
    ft_line_registry_init(&recording->lines, mem);
    recording->arena.mem = mem;
    if (directory != NULL) {
        size_t length = strlen(directory) + 1;
        recording->directory = ft_mem_new(mem, length, 1);
        if (recording->directory == NULL)
            goto fail;
        memcpy(recording->directory, directory, length);
    }
    status = open_arena(recording, &recording->arena);
    if (status != FT_OK)
        goto fail;
    status = intern_special(recording);
    if (status != FT_OK)
        goto fail;
    return FT_OK;

fail:
    ft_recording_close(recording);
    return status;
}

/* Writes nothing: the slot may be another process's by now. */
static void drop_recorder(ft_recording *recording, const ft_recorder *recorder)
{
    ft_recorder_rest_free(recorder->rest, recording->mem);
    ft_mem_free(recording->mem, recorder->bottom);
}

void ft_recording_close(ft_recording *recording)
{
    for (uint32_t i = 0; i < recording->recorder_count; i++)
        drop_recorder(recording, recording->recorders[i]);
    ft_mem_free(recording->mem, recording->recorders);
    ft_mem_free(recording->mem, recording->threads);
    ft_mem_free(recording->mem, recording->flags);
    ft_mem_free(recording->mem, recording->directory);
    ft_map_fini(&recording->codes);
    ft_map_fini(&recording->texts);
    ft_line_registry_fini(&recording->lines);
    ft_arena_close(&recording->arena);
    pthread_mutex_destroy(&recording->lock);
}

void ft_recording_touch_clock(ft_recording *recording)
{
    /* Two words that are not written together: a reader may mix two pairs that are a moment apart,
     * which moves the rate by less than the reading's own error. */
    ft_arena_header *header = recording->arena.header;
    ft_clock_pair pair = ft_clock_read_pair((ft_clock_source)header->clock_source);
    atomic_store_explicit(&header->last_ticks, pair.ticks, memory_order_relaxed);
    atomic_store_explicit(&header->last_ns, pair.ns, memory_order_relaxed);
}

/* ---- functions and properties ---- */

/* Room for bytes in a block of *newest's kind; *newest becomes the block that has it. Under the
 * lock. A refusal is remembered for a while: asking a full disk takes 0.2 ms. */
static ft_status make_room(ft_recording *recording, ft_block **newest, ft_block_kind kind,
                           uint32_t owner, uint64_t bytes)
{
    if (*newest != NULL && ft_block_room(*newest) >= bytes)
        return FT_OK;
    if (recording->attempts_to_skip > 0) {
        recording->attempts_to_skip--;
        return recording->refused;
    }
    uint64_t wanted = *newest == NULL ? 0 : (*newest)->bytes * 2;
    if (wanted > FT_BLOCK_MAX_BYTES)
        wanted = FT_BLOCK_MAX_BYTES;
    if (wanted < bytes + FT_BLOCK_HEADER_BYTES)
        wanted = bytes + FT_BLOCK_HEADER_BYTES;
    int number = errno; /* the program's */
    recording->refused = ft_arena_add_block(&recording->arena, kind, owner, wanted, newest);
    recording->attempts_to_skip = recording->refused == FT_OK ? 0 : SKIP_WHEN_REFUSED;
    errno = number;
    return recording->refused;
}

static uint32_t cut_length(size_t length)
{
    return (uint32_t)(length < FT_NAME_MAX_BYTES ? length : FT_NAME_MAX_BYTES);
}

static ft_status write_record(ft_recording *recording, ft_record record, const char *const texts[3])
{
    uint64_t bytes = sizeof record;
    for (int i = 0; i < 3; i++)
        bytes += record.lengths[i];
    record.bytes = (uint32_t)((bytes + 7) & ~UINT64_C(7));
    ft_status status = make_room(recording, &recording->records, FT_BLOCK_RECORDS, 0, record.bytes);
    if (status != FT_OK)
        return status;
    char *at = ft_block_unused(recording->records);
    memcpy(at, &record, sizeof record);
    at += sizeof record;
    for (int i = 0; i < 3; i++) {
        if (record.lengths[i] > 0)
            memcpy(at, texts[i], record.lengths[i]);
        at += record.lengths[i];
    }
    ft_block_publish(recording->records, record.bytes);
    recording->records_used = atomic_load_explicit(&recording->records->used, memory_order_relaxed);
    return FT_OK;
}

static ft_status reserve_flags(ft_recording *recording)
{
    uint32_t *flags = ft_array_grow(recording->mem, recording->flags, recording->code_count + 2,
                                    &recording->code_capacity, sizeof *flags);
    if (flags == NULL)
        return FT_ERR_MEMORY;
    recording->flags = flags;
    return FT_OK;
}

/* Under the lock. The map comes first: a record once published has its number for ever. */
static ft_status intern_locked(ft_recording *recording, const ft_function *function)
{
    uint64_t key = (uint64_t)(uintptr_t)function->key;
    const uint32_t *known = ft_map_get(&recording->codes, key);
    if (known != NULL && *known != 0) /* 0: there was no room for its record */
        return FT_OK;
    ft_record record = {.type = FT_RECORD_CODE, .kind = function->kind, .line = function->line};
    for (int i = 0; i < 3; i++)
        record.lengths[i] = cut_length(function->lengths[i]);
    ft_status status = reserve_flags(recording);
    if (status == FT_OK)
        status = ft_map_put(&recording->codes, key, 0);
    if (status == FT_OK)
        status = write_record(recording, record, function->texts);
    if (status != FT_OK)
        return status;
    uint32_t number = ++recording->code_count;
    recording->flags[number] = function->flags;
    return ft_map_put(&recording->codes, key, number); /* the slot is there: this can not fail */
}

ft_status ft_recording_intern(ft_recording *recording, const ft_function *function)
{
    assert(function->key != NULL);
    pthread_mutex_lock(&recording->lock);
    ft_status status = intern_locked(recording, function);
    pthread_mutex_unlock(&recording->lock);
    return status;
}

uint32_t ft_recording_code_of(ft_recording *recording, const void *key)
{
    pthread_mutex_lock(&recording->lock);
    uint32_t *number = ft_map_get(&recording->codes, (uint64_t)(uintptr_t)key);
    uint32_t result = number == NULL ? 0 : *number;
    pthread_mutex_unlock(&recording->lock);
    return result;
}

/* ---- lines ---- */

/* Under the lock. The table is declared in the arena: a function that never runs is seen, too. */
static ft_status watch_lines(ft_recording *recording, const ft_line_member *members, uint32_t count,
                             uint32_t last_line)
{
    const ft_line_table *table;
    const uint32_t *code = ft_map_get(&recording->codes, (uint64_t)(uintptr_t)members[0].key);
    assert(code != NULL && *code != 0);
    ft_status status =
        ft_line_registry_add(&recording->lines, *code, members, count, last_line, &table);
    if (status != FT_OK)
        return status;
    uint64_t bytes = ft_line_cells_bytes(table);
    status = make_room(recording, &recording->declared, FT_BLOCK_LINES, FT_LINE_DECLARED, bytes);
    if (status != FT_OK)
        return status; /* its lines are counted all the same */
    ft_line_cells_write(ft_block_unused(recording->declared), table);
    ft_block_publish(recording->declared, bytes);
    return FT_OK;
}

ft_status ft_recording_watch_lines(ft_recording *recording, const ft_line_member *members,
                                   uint32_t count, uint32_t last_line)
{
    pthread_mutex_lock(&recording->lock);
    ft_status status = watch_lines(recording, members, count, last_line);
    pthread_mutex_unlock(&recording->lock);
    return status;
}

const ft_line_code *ft_recording_find_lines(ft_recording *recording, const void *key)
{
    pthread_mutex_lock(&recording->lock);
    const ft_line_code *code = ft_line_registry_find(&recording->lines, key);
    pthread_mutex_unlock(&recording->lock);
    return code;
}

ft_status ft_recording_set_property(ft_recording *recording, const char *key, const char *value,
                                    size_t value_length)
{
    const char *texts[3] = {key, value, ""};
    ft_record record = {.type = FT_RECORD_PROPERTY,
                        .lengths = {cut_length(strlen(key)), cut_length(value_length), 0}};
    pthread_mutex_lock(&recording->lock);
    ft_status status = write_record(recording, record, texts);
    pthread_mutex_unlock(&recording->lock);
    return status;
}

/* FNV-1a, mixed: 64 bits are enough to tell texts apart. */
static uint64_t hash_text(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ length ^ hash >> 32) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

static ft_status add_new_text(ft_recording *recording, uint64_t hash, const char *text,
                              uint32_t length, uint32_t *number)
{
    const char *texts[3] = {text, "", ""};
    ft_record record = {.type = FT_RECORD_TEXT, .lengths = {length, 0, 0}};
    ft_status status = write_record(recording, record, texts);
    if (status != FT_OK)
        return status;
    *number = ++recording->text_count;
    (void)ft_map_put(&recording->texts, hash, *number); /* else it is written again the next time */
    return FT_OK;
}

ft_status ft_recording_add_text(ft_recording *recording, const char *text, size_t length,
                                uint32_t *number)
{
    uint32_t kept = cut_length(length);
    uint64_t hash = hash_text(text, kept);
    ft_status status = FT_OK;
    pthread_mutex_lock(&recording->lock);
    const uint32_t *known = ft_map_get(&recording->texts, hash);
    if (known != NULL)
        *number = *known;
    else
        status = add_new_text(recording, hash, text, kept, number);
    pthread_mutex_unlock(&recording->lock);
    return status;
}

/* ---- contexts ---- */

void ft_recording_note_lack(ft_recording *recording, ft_status status)
{
    bool disk = status == FT_ERR_DISK_FULL || status == FT_ERR_IO;
    ft_arena_note(&recording->arena, disk ? FT_NOTE_DISK_FULL : FT_NOTE_OUT_OF_MEMORY, 1);
}

ft_status ft_recording_reserve(ft_recording *recording, ft_block **newest, ft_block_kind kind,
                               uint32_t owner, uint64_t bytes)
{
    pthread_mutex_lock(&recording->lock);
    ft_status status = make_room(recording, newest, kind, owner, bytes);
    pthread_mutex_unlock(&recording->lock);
    if (status != FT_OK)
        ft_recording_note_lack(recording, status);
    return status;
}

void *ft_recording_room(ft_recording *recording, ft_block **newest, ft_block_kind kind,
                        uint32_t owner, uint64_t bytes)
{
    ft_status status = ft_recording_reserve(recording, newest, kind, owner, bytes);
    return status == FT_OK ? ft_block_unused(*newest) : NULL;
}

/* An unpublished context; the lock is taken only when its block is full. */
static ft_context *blank_context(ft_recorder *recorder)
{
    ft_recording *recording = recorder->recording;
    if (recorder->contexts != NULL && ft_block_room(recorder->contexts) >= sizeof(ft_context))
        return ft_block_unused(recorder->contexts);
    return ft_recording_room(recording, &recorder->contexts, FT_BLOCK_CONTEXTS, recorder->index,
                             sizeof(ft_context));
}

/* A generator passes on what it awaits only to somebody who awaits it. */
static uint32_t flags_below(const ft_context *parent, uint32_t of_code)
{
    bool passes_on = (of_code & FT_CODE_SUSPENDS) != 0 ||
                     (parent != NULL && (parent->flags & FT_CODE_IN_AWAIT) != 0);
    uint32_t flags = of_code & FT_CONTEXT_FLAGS;
    return passes_on ? flags : flags & ~(uint32_t)FT_CODE_IN_AWAIT;
}

ft_context *ft_recording_new_context(ft_recorder *recorder, ft_context *parent, const void *key,
                                     uint32_t code)
{
    ft_recording *recording = recorder->recording;
    ft_context *context = blank_context(recorder);
    if (context == NULL)
        return NULL;
    context->key = key;
    context->parent = parent;
    context->recent = recorder->root == NULL ? context : recorder->root; /* its key is NULL */
    context->code = code;
    context->flags = code == 0 ? 0 : flags_below(parent, recording->flags[code]) & FT_CONTEXT_FLAGS;
    if (parent != NULL && !ft_children_add(&recorder->rest->pool, parent, context)) {
        ft_arena_note(&recording->arena, FT_NOTE_OUT_OF_MEMORY, 1);
        memset(context, 0, sizeof *context);
        return NULL;
    }
    ft_block_publish(recorder->contexts, sizeof *context);
    atomic_fetch_add_explicit(&recording->context_count, 1, memory_order_relaxed);
    return context;
}

/* ---- threads ---- */

static ft_status add_slot(ft_recording *recording, ft_recorder **recorder)
{
    ft_recorder **recorders =
        ft_array_grow(recording->mem, recording->recorders, recording->recorder_count + 1,
                      &recording->recorder_capacity, sizeof *recorders);
    if (recorders == NULL)
        return FT_ERR_MEMORY;
    recording->recorders = recorders;
    ft_status status =
        make_room(recording, &recording->slots, FT_BLOCK_RECORDERS, 0, sizeof(ft_recorder));
    if (status != FT_OK)
        return status;
    ft_recorder *made = ft_block_unused(recording->slots);
    made->recording = recording;
    made->index = recording->recorder_count;
    recording->recorders[recording->recorder_count++] = made;
    ft_block_publish(recording->slots, sizeof *made);
    *recorder = made;
    return FT_OK;
}

/* Under the lock: a recorder that no thread uses, best the one that this thread had; or a new slot.
 */
static ft_status take_recorder(ft_recording *recording, uint64_t thread, ft_recorder **recorder)
{
    ft_recorder *found = NULL;
    for (uint32_t i = 0; i < recording->recorder_count; i++) {
        ft_recorder *one = recording->recorders[i];
        if (atomic_load_explicit(&one->state, memory_order_acquire) != FT_RECORDER_FREE)
            continue;
        bool was_its = thread != 0 && one->rest != NULL && one->rest->thread == thread;
        if (found == NULL || was_its)
            found = one;
        if (was_its || thread == 0)
            break;
    }
    if (found == NULL)
        return add_slot(recording, recorder);
    *recorder = found;
    return FT_OK;
}

/* Under the lock. Without memory every thread is a new one. */
static bool is_new_thread(ft_recording *recording, uint64_t thread)
{
    enum { BITS = 64 };
    uint32_t words = recording->thread_words;
    if (thread == 0 || thread / BITS >= UINT32_MAX)
        return true;
    uint32_t word = (uint32_t)(thread / BITS);
    uint64_t bit = UINT64_C(1) << thread % BITS;
    uint64_t *grown =
        ft_array_grow(recording->mem, recording->threads, word + 1, &words, sizeof *grown);
    if (grown == NULL)
        return true;
    memset(grown + recording->thread_words, 0, (words - recording->thread_words) * sizeof *grown);
    recording->threads = grown;
    recording->thread_words = words;
    bool is_new = (grown[word] & bit) == 0;
    grown[word] |= bit;
    return is_new;
}

/* From here on the calling thread's time off the CPU is counted. */
static void start_waiting(ft_recorder *recorder)
{
    ft_idle_start(&recorder->idle);
    if (pthread_getcpuclockid(pthread_self(), &recorder->rest->cpu_clock) != 0)
        recorder->rest->cpu_clock = CLOCK_MONOTONIC; /* nothing is off this one */
}

static void start_clock(ft_recorder *recorder)
{
    ft_clock_source source = (ft_clock_source)recorder->recording->arena.header->clock_source;
    recorder->clock = (uint16_t)source;
    recorder->first = ft_clock_read_pair(source);
    recorder->slice_start = recorder->first.ticks;
    recorder->long_slice = ft_clock_ticks_per_20us(source);
    if (source == FT_CLOCK_CALLERS) { /* nothing is known of it but that it should not step back */
        recorder->slice_start = 0;
        recorder->long_slice = UINT64_MAX / 2;
    }
    start_waiting(recorder);
    if (recorder->rest->lines != NULL)
        ft_line_recorder_start(recorder->rest->lines);
}

/* What a recorder has besides its slot; it may be there from an earlier thread. */
static bool equip(ft_recorder *recorder)
{
    if (recorder->rest == NULL)
        recorder->rest = ft_recorder_rest_new(recorder->recording->mem);
    if (recorder->rest == NULL) {
        ft_arena_note(&recorder->recording->arena, FT_NOTE_OUT_OF_MEMORY, 1);
        return false;
    }
    if (recorder->root == NULL)
        recorder->root = ft_recording_new_context(recorder, NULL, NULL, 0);
    if (recorder->root == NULL || (recorder->bottom == NULL && !ft_recorder_grow_stack(recorder)))
        return false;
    recorder->top = recorder->bottom;
    *recorder->top = (ft_stack_entry){.context = recorder->root};
    recorder->current = recorder->root;
    recorder->python_only = recorder->recording->python_only;
    ft_parked_drop_all(recorder->rest, recorder->recording->mem);
    return true;
}

/* From here on the recorder is the thread's. */
static void begin_use(ft_recorder *recorder, uint64_t thread)
{
    pthread_mutex_lock(&recorder->recording->lock);
    if (is_new_thread(recorder->recording, thread))
        atomic_fetch_add(&recorder->uses, 1);
    pthread_mutex_unlock(&recorder->recording->lock);
    bool is_other = thread == 0 || recorder->rest->thread != thread;
    recorder->rest->thread = thread;
    start_clock(recorder);
    ft_span_log_begin(recorder, is_other);
}

ft_recorder *ft_recording_attach(ft_recording *recording)
{
    return ft_recording_attach_thread(recording, 0);
}

ft_recorder *ft_recording_attach_thread(ft_recording *recording, uint64_t thread)
{
    ft_recorder *recorder = NULL;
    pthread_mutex_lock(&recording->lock);
    ft_status status = take_recorder(recording, thread, &recorder);
    if (status == FT_OK)
        atomic_store(&recorder->state, FT_RECORDER_IN_USE);
    pthread_mutex_unlock(&recording->lock);
    if (status != FT_OK) {
        ft_recording_note_lack(recording, status);
        return NULL;
    }
    if (!equip(recorder)) {
        atomic_store(&recorder->state, FT_RECORDER_FREE);
        return NULL;
    }
    begin_use(recorder, thread);
    return recorder;
}

/* Its slice has ended. mine: of the calling thread. */
static void give_back(ft_recorder *recorder, bool mine)
{
    ft_line_recorder *lines = recorder->rest->lines;
    if (lines != NULL && mine)
        ft_line_recorder_end(lines, recorder->slice_start);
    else if (lines != NULL)
        ft_line_recorder_end_foreign(lines, recorder->slice_start);
    ft_tasks_end(recorder, recorder->slice_start);
    ft_span_log_end(recorder);
    recorder->top = recorder->bottom;
    recorder->current = recorder->root;
    ft_parked_drop_all(recorder->rest, recorder->recording->mem);
    atomic_store(&recorder->state, FT_RECORDER_FREE);
}

void ft_recording_detach(ft_recorder *recorder)
{
    if (recorder->clock != FT_CLOCK_CALLERS)
        ft_recorder_end_slice(recorder, ft_clock_ticks((ft_clock_source)recorder->clock));
    ft_recording_touch_clock(recorder->recording);
    give_back(recorder, true);
}

void ft_recording_use_callers_clock(ft_recording *recording, double ns_per_tick)
{
    assert(recording->recorder_count == 0 && ns_per_tick > 0);
    recording->arena.header->clock_source = FT_CLOCK_CALLERS;
    recording->ns_per_tick = ns_per_tick;
}

void ft_recording_set_first(ft_recording *recording, ft_clock_pair pair)
{
    assert(recording->directory == NULL);
    recording->arena.header->first = pair;
}

double ft_recording_rate(const ft_recording *recording)
{
    const ft_arena_header *header = recording->arena.header;
    ft_clock_source source = (ft_clock_source)header->clock_source;
    if (recording->ns_per_tick > 0)
        return recording->ns_per_tick;
    return ft_clock_ns_per_tick(source, header->first, ft_clock_read_pair(source));
}

static bool is_in_use(const ft_recorder *recorder)
{
    return atomic_load_explicit(&recorder->state, memory_order_acquire) == FT_RECORDER_IN_USE;
}

void ft_recording_settle(ft_recording *recording, ft_recorder *mine, uint64_t now)
{
    for (uint32_t i = 0; i < recording->recorder_count; i++) {
        ft_recorder *recorder = recording->recorders[i];
        if (recorder == mine)
            ft_recorder_end_slice(recorder, now);
        else if (is_in_use(recorder))
            ft_recorder_end_foreign_slice(recorder, now);
    }
    ft_recording_touch_clock(recording);
}

void ft_recording_pause(ft_recording *recording, ft_recorder *mine, uint64_t now)
{
    ft_recording_settle(recording, mine, now);
    recording->ns_per_tick = ft_recording_rate(recording); /* all who read it see the same times */
    for (uint32_t i = 0; i < recording->recorder_count; i++)
        if (is_in_use(recording->recorders[i]))
            give_back(recording->recorders[i], recording->recorders[i] == mine);
}

void ft_recording_keep_only(ft_recording *recording, ft_recorder *mine)
{
    recording->arena.header->pid = (uint32_t)getpid();
    recording->arena.header->parent_pid = (uint32_t)getppid();
    for (uint32_t i = 0; i < recording->recorder_count; i++)
        if (recording->recorders[i] != mine && is_in_use(recording->recorders[i]))
            give_back(recording->recorders[i], false);
    if (mine != NULL)
        start_waiting(mine); /* the child's CPU clock begins at zero */
}

/* ---- fork ----
 *
 * The parent goes on while the child runs this, in memory that both see: of the old arena only what
 * never changes once written may be read (keys, codes, full blocks), and nothing but a note may be
 * written. What does change was copied by the fork itself: the recording, `before`, and the private
 * stacks.
 */

static ft_status copy_block(ft_recording *recording, const ft_block *old, uint64_t used)
{
    ft_status status = ft_arena_add_block(&recording->arena, FT_BLOCK_RECORDS, 0,
                                          used + FT_BLOCK_HEADER_BYTES, &recording->records);
    if (status != FT_OK)
        return status;
    memcpy(ft_block_data(recording->records), (const char *)old + FT_BLOCK_HEADER_BYTES, used);
    ft_block_publish(recording->records, used);
    return FT_OK;
}

/* The new arena's records are those of the old one in their order, so that every code keeps its
 * number. The list is newest first and may be as long as there are threads. */
static ft_status copy_records(ft_recording *recording, const ft_block *blocks,
                              const ft_block *newest, uint64_t newest_used)
{
    size_t count = 0;
    ft_status status = FT_OK;
    for (const ft_block *block = blocks; block != NULL; block = block->next)
        count += block->kind == FT_BLOCK_RECORDS;
    const ft_block **ordered = ft_mem_new(recording->mem, count, sizeof *ordered);
    if (ordered == NULL)
        return FT_ERR_MEMORY;
    size_t at = count;
    for (const ft_block *block = blocks; block != NULL; block = block->next)
        if (block->kind == FT_BLOCK_RECORDS)
            ordered[--at] = block;
    for (; at < count && status == FT_OK; at++) {
        uint64_t used = ordered[at] == newest
                            ? newest_used
                            : atomic_load_explicit(&ordered[at]->used, memory_order_relaxed);
        status = copy_block(recording, ordered[at], used);
    }
    ft_mem_free(recording->mem, (void *)ordered);
    return status;
}

/* What stands for an open call of the parent, in the child's tree. Who created a task is in the
 * parent's tree alone. */
static ft_context *replayed(ft_recorder *recorder, const ft_context *old)
{
    ft_context *caller = recorder->current;
    if (old->parent->code == FT_CODE_TASK_NUMBER)
        return ft_tasks_enter(recorder, old->key, old->code, NULL, 0);
    ft_context *context = ft_children_find(caller, old->key);
    return context != NULL ? context
                           : ft_recording_new_context(recorder, caller, old->key, old->code);
}

/* Walks the open calls of the parent's thread again, in the child's own tree. */
static void replay(ft_recorder *recorder, const ft_recorder *before)
{
    for (const ft_stack_entry *entry = before->bottom + 1; entry <= before->top; entry++) {
        ft_context *context = recorder->current;
        if ((entry->frame & 1) == 0) /* else it was not recorded: it stands for its caller */
            context = replayed(recorder, entry->context);
        if (context == NULL)
            return;
        ft_recorder_push(recorder, context, entry->frame);
    }
}

static void replay_lines(ft_recorder *recorder, const ft_line_recorder *before)
{
    ft_line_recorder *lines = ft_recorder_lines(recorder);
    if (lines != NULL)
        ft_line_recorder_replay(lines, before, recorder->slice_start);
}

ft_recorder *ft_recording_after_fork(ft_recording *recording, const ft_recorder *before)
{
    ft_arena old = recording->arena, fresh;
    ft_block *newest = recording->records;
    ft_recorder *recorder = NULL;
    pthread_mutex_init(&recording->lock, NULL); /* whoever held it is not in this process */
    if (open_arena(recording, &fresh) != FT_OK) {
        ft_arena_note(&old, FT_NOTE_CHILDREN_LOST, 1); /* in the parent's name: a locked add */
        return NULL;
    }
    recording->arena = fresh;
    recording->records = recording->slots = recording->declared = recording->spans = NULL;
    recording->attempts_to_skip = 0;
    if (recording->threads != NULL)
        memset(recording->threads, 0, recording->thread_words * sizeof *recording->threads);
    recording->recorder_count = 0; /* the other threads' stacks and tables are left to the parent */
    atomic_store(&recording->context_count, 0);
    atomic_store(&recording->arena.header->begun, recording->arena.header->first.ticks);
    if (copy_records(recording, old.blocks, newest, recording->records_used) == FT_OK)
        recorder = ft_recording_attach_thread(recording, before ? before->rest->thread : 0);
    if (before != NULL) {
        if (recorder != NULL)
            replay(recorder, before);
        if (recorder != NULL && before->rest->lines != NULL)
            replay_lines(recorder, before->rest->lines);
        drop_recorder(recording, before);
    }
    ft_arena_close(&old);
    return recorder;
}
