/* SPDX-License-Identifier: Apache-2.0 */
/* recording.h: one process's recording: an arena, the functions seen, a recorder for each thread.
 *
 * A thread takes a recorder when it is first seen and gives it back when it ends. The next thread
 * goes on with that recorder and its tree: trees of ended threads are merged without any copying,
 * and at no moment is a count in two places or in none.
 *
 * Locking: `lock` protects the arena's growth, the functions and the list of recorders. It is held
 * for short stretches of this file's code, never across a callback. A recorder itself belongs to
 * its thread. */
#ifndef FT_RECORD_RECORDING_H
#define FT_RECORD_RECORDING_H

#include <pthread.h>
#include <stdbool.h>

#include "engine/base/map.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/record/arena.h"
#include "engine/record/line_table.h"
#include "engine/record/recorder.h"

enum { FT_MAX_CONTEXTS_DEFAULT = 2000000, FT_NAME_MAX_BYTES = 1 << 12 };

typedef enum ft_record_type {
    FT_RECORD_CODE = 1,
    FT_RECORD_PROPERTY = 2,
    FT_RECORD_TEXT = 3 /* names of types and points; text n is the n-th of these, from 1 */
} ft_record_type;

/* In a RECORDS block: this, then the three texts one after another, padded to 8 bytes. A property
 * has its key and value as the first two texts. Code n is the n-th CODE record, from 1. */
typedef struct ft_record {
    uint32_t bytes; /* of the whole record */
    uint32_t type;  /* ft_record_type */
    uint32_t kind;  /* ft_code_kind */
    uint32_t line;
    uint32_t lengths[3]; /* file, name, qualname */
    uint32_t reserved;
} ft_record;

/* What the probe knows of a function. Texts are borrowed for the call; longer ones than
 * FT_NAME_MAX_BYTES are cut. */
typedef struct ft_function {
    const void *key; /* not NULL; stays valid as long as the recording */
    uint32_t kind;   /* FT_CODE_PYTHON or FT_CODE_C of model/code.h */
    uint32_t flags;  /* ft_code_flag */
    uint32_t line;
    const char *texts[3]; /* file, name, qualname */
    size_t lengths[3];
} ft_function;

struct ft_recording {
    const ft_mem *mem;
    pthread_mutex_t lock;
    ft_arena arena;
    char *directory; /* owned; NULL for a recording in memory */
    ft_map codes;    /* key -> code number */
    uint32_t *flags; /* owned, by code number */
    uint32_t code_count, code_capacity;
    uint32_t text_count;
    ft_map texts;            /* hash of a text -> its number */
    ft_block *records;       /* newest block of records */
    uint64_t records_used;   /* its used bytes, in memory that a forked child does not share */
    ft_block *slots;         /* newest block of recorders */
    ft_line_registry lines;  /* whose lines are recorded */
    bool lines_rest;         /* no activation begins */
    ft_block *spans;         /* when collections and threads began and ended, or NULL */
    ft_block *declared;      /* newest block of tables as they were made */
    ft_recorder **recorders; /* owned array of borrowed slots */
    uint32_t recorder_count, recorder_capacity;
    uint64_t *threads; /* owned: a bit for each thread that was here, by its number */
    uint32_t thread_words;
    ft_status refused;         /* why the arena could not grow the last time */
    uint32_t attempts_to_skip; /* until it is asked again */
    _Atomic uint32_t context_count;
    uint32_t max_contexts;
    bool python_only;   /* recorders attached from now on leave C functions out */
    double ns_per_tick; /* of the callers' clock, or found at the first pause; 0: not known yet */
};

/* Starts a recording in a new arena file in directory, or in plain memory for NULL. The recording
 * is the caller's to close. FT_ERR_IO, FT_ERR_DISK_FULL, FT_ERR_MEMORY. */
ft_status ft_recording_open(ft_recording *recording, const ft_mem *mem, const char *directory,
                            uint32_t max_contexts);

/* No thread may use it any more. The arena's file stays. */
void ft_recording_close(ft_recording *recording);

/* A recorder for the calling thread. NULL when there is no room (noted). thread: its number, from 1
 * without gaps, which no other thread of the process ever has: one that comes back gets the
 * recorder that it had, if that is free, and is not counted again. 0: a thread that was never here.
 */
ft_recorder *ft_recording_attach_thread(ft_recording *recording, uint64_t thread);
ft_recorder *ft_recording_attach(ft_recording *recording); /* ... of thread 0 */

/* The thread ends or the recording stops: ends its slice and gives the recorder back. On the
 * callers' clock the slice ends with its last event. */
void ft_recording_detach(ft_recorder *recorder);

/* Before the first recorder is attached: ticks are what the caller gives with each event. */
void ft_recording_use_callers_clock(ft_recording *recording, double ns_per_tick);

/* In memory: an older reading of this machine's clocks, from which the rate of even a short
 * recording is exact. */
void ft_recording_set_first(ft_recording *recording, ft_clock_pair pair);

/* ns of one tick. */
double ft_recording_rate(const ft_recording *recording);

/* What was recorded until `now` (ticks) can be read when this returned. mine: the calling thread's
 * recorder, or NULL. No other thread may be in an event, nor begin one. */
void ft_recording_settle(ft_recording *recording, ft_recorder *mine, uint64_t now);

/* Settles, then gives every recorder back: the recording rests until the next one attaches. */
void ft_recording_pause(ft_recording *recording, ft_recorder *mine, uint64_t now);

/* For a recording in memory, in a forked child: the other threads are not in this process, mine
 * (or NULL) goes on in the child's copy of all. */
void ft_recording_keep_only(ft_recording *recording, ft_recorder *mine);

/* Makes the function known. Interning it twice is harmless. */
ft_status ft_recording_intern(ft_recording *recording, const ft_function *function);

/* From now on the lines of a function are recorded, which is members[0] and known; see
 * line_table.h. Not twice. FT_ERR_DISK_FULL, FT_ERR_IO: only functions that ran will be seen. */
ft_status ft_recording_watch_lines(ft_recording *recording, const ft_line_member *members,
                                   uint32_t count, uint32_t last_line);

/* NULL when the lines of key are not recorded. Borrowed: it lives as long as the recording. */
const ft_line_code *ft_recording_find_lines(ft_recording *recording, const void *key);

/* Room for bytes in a block of *newest's kind; *newest becomes the block that has it. NULL when
 * there is none (noted). Takes the lock. */
void *ft_recording_room(ft_recording *recording, ft_block **newest, ft_block_kind kind,
                        uint32_t owner, uint64_t bytes);
/* The same, for who wants to know why there is none. */
ft_status ft_recording_reserve(ft_recording *recording, ft_block **newest, ft_block_kind kind,
                               uint32_t owner, uint64_t bytes);

/* Notes that there was no room for something. */
void ft_recording_note_lack(ft_recording *recording, ft_status status);

/* Stores one property of the process ("command", "python"). */
ft_status ft_recording_set_property(ft_recording *recording, const char *key, const char *value,
                                    size_t value_length);

/* Stores a text, if it was not stored before, and gives its number. */
ft_status ft_recording_add_text(ft_recording *recording, const char *text, size_t length,
                                uint32_t *number);

/* In a forked child, before any event: moves the recording into an arena of the child's own. The
 * functions known stay known; every recorder is dropped. before: a copy of the forking thread's
 * recorder, made before the fork, or NULL; the result is a new one whose stack stands where that
 * one stood, with no calls counted. NULL when there is no room or no folder any more: the child is
 * not recorded. */
ft_recorder *ft_recording_after_fork(ft_recording *recording, const ft_recorder *before);

/* Refreshes the arena's second clock pair, so that ticks can be told in ns after the end. */
void ft_recording_touch_clock(ft_recording *recording);

/* For recorder.c: a new published child of parent, or NULL (noted). Takes the lock if it must grow.
 */
ft_context *ft_recording_new_context(ft_recorder *recorder, ft_context *parent, const void *key,
                                     uint32_t code);
/* The code number of key, or 0. */
uint32_t ft_recording_code_of(ft_recording *recording, const void *key);

#define FT_RECORDING_LAYOUT ((uint32_t)(sizeof(ft_context) << 16 | sizeof(ft_recorder)))

#endif
