/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h: a recording in memory: processes, their threads, a calling-context tree for each.
 *
 * The model knows no file and no probe. It owns everything below it. Times are nanoseconds. */
#ifndef FT_MODEL_PROFILE_H
#define FT_MODEL_PROFILE_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/model/code.h"
#include "engine/model/lines.h"
#include "engine/model/memory.h"
#include "engine/model/samples.h"
#include "engine/model/spans.h"
#include "engine/model/strtab.h"
#include "engine/model/tree.h"

typedef struct ft_process {
    uint32_t pid, parent_pid;
    uint32_t command; /* text: the command line, words joined by NUL */
    uint32_t python;  /* text: "3.14.2" */
    uint64_t started; /* Unix time, ns */
    uint64_t elapsed; /* ns, from the first recorded event to the last, or to its death */
} ft_process;

typedef struct ft_thread {
    uint32_t process; /* index into processes */
    uint32_t name;    /* text: "main", "thread 2", ... */
    uint64_t uses;    /* how many threads ran on this tree, one after another */
    ft_tree tree;
} ft_thread;

/* What a reader of the tables must know to read them right. */
typedef enum ft_note_kind {
    FT_NOTE_FOLDED = 1,        /* count calls past the cap of nodes, kept per caller and callee */
    FT_NOTE_DISK_FULL = 2,     /* count calls in new contexts that the full disk left no room for */
    FT_NOTE_NO_TOOL_ID = 3,    /* every sys.monitoring tool id was taken: nothing was recorded */
    FT_NOTE_HOOK_TAKEN = 4,    /* another tool replaced the profile hook of count threads */
    FT_NOTE_STILL_RUNNING = 5, /* the process was still running when it was read */
    FT_NOTE_TORN = 6,          /* count damaged blocks of the process's arena were left out */
    FT_NOTE_DEEP_STACK = 7,    /* 3.11 --no-builtins: the hook was changed for want of C stack */
    FT_NOTE_OUT_OF_MEMORY = 8, /* count calls were not recorded for want of memory */
    FT_NOTE_CHILDREN_LOST = 9, /* count forked children had no room or no right for an arena */
    FT_NOTE_NEVER_STARTED = 10,   /* the process ended before its main module began */
    FT_NOTE_TOO_MANY_LINES = 11,  /* count functions whose lines lie too far apart to be recorded */
    FT_NOTE_TRACER_TAKEN = 12,    /* objects in kept blocks count where the block was allocated */
    FT_NOTE_ALLOCATOR_TAKEN = 13, /* another tool put the allocators back that were there before */
    FT_NOTE_NO_SHADOW = 14,       /* no room for the table of small blocks: a slower one was used */
    FT_NOTE_INTERPRETERS = 15, /* blocks of other interpreters of the process were not recorded */
    FT_NOTE_COLLECTIONS = 16   /* the program cleared gc.callbacks: collections were not seen */
} ft_note_kind;

typedef struct ft_note {
    uint32_t kind;    /* ft_note_kind; unknown ones are kept and skipped */
    uint32_t process; /* index into processes */
    uint64_t count;
} ft_note;

typedef struct ft_meta { /* one property of the whole recording: "command", "machine", "git", ... */
    uint32_t key, value; /* texts */
} ft_meta;

typedef struct ft_source { /* what a file held when its lines were recorded */
    uint32_t file, text;   /* texts; no two sources have the same file */
} ft_source;

/* They are looked through one by one: a hostile file must not hold millions. */
enum { FT_MAX_SOURCES = 8192 };

typedef struct ft_profile {
    const ft_mem *mem;
    ft_strtab texts;
    ft_codetab codes;
    ft_meta *meta;
    uint32_t meta_count, meta_capacity;
    ft_process *processes;
    uint32_t process_count, process_capacity;
    ft_thread *threads;
    uint32_t thread_count, thread_capacity;
    ft_note *notes;
    uint32_t note_count, note_capacity;
    ft_lines lines;
    ft_source *sources;
    uint32_t source_count, source_capacity;
    ft_memory memory;
    ft_samples samples;
    ft_spans spans;
} ft_profile;

ft_status ft_profile_init(ft_profile *profile, const ft_mem *mem);
void ft_profile_fini(ft_profile *profile);

/* Sets property key to value, replacing the one before. Both NUL-terminated, copied. */
ft_status ft_profile_set_meta(ft_profile *profile, const char *key, const char *value);
/* The same by the ids of texts, which may hold NULs. */
ft_status ft_profile_put_meta(ft_profile *profile, uint32_t key, uint32_t value);
/* The text of property key, or NULL. Borrowed until the next intern. */
const char *ft_profile_get_meta(const ft_profile *profile, const char *key);

/* Each appends one element and gives its index; the fields are copied. For a thread, process and
 * name are given, its tree is made empty. */
ft_status ft_profile_add_process(ft_profile *profile, const ft_process *process, uint32_t *index);
ft_status ft_profile_add_thread(ft_profile *profile, uint32_t process, uint32_t name,
                                uint32_t *index);
ft_status ft_profile_add_note(ft_profile *profile, const ft_note *note);

/* Says that file's text is text (both ids of texts); a file that has one already keeps it.
 * Past FT_MAX_SOURCES files nothing is kept, for only a report misses it. */
ft_status ft_profile_set_source(ft_profile *profile, uint32_t file, uint32_t text);
/* The source of a file, or NULL. Borrowed until the next set. */
const ft_source *ft_profile_get_source(const ft_profile *profile, uint32_t file);

/* Appends everything of from to into (texts and codes are interned anew, ids remapped), but for
 * lines and sites, which are summed. Meta and sources of into win where both have a key or file.
 * from must pass ft_profile_check and not be into itself. On an error into is as it was, but for
 * texts and codes that nothing refers to. */
ft_status ft_profile_merge(ft_profile *into, const ft_profile *from);

/* Validates the whole structure: every id in range, parents before children. For tests and for the
 * end of a reader. */
ft_status ft_profile_check(const ft_profile *profile);

#endif
