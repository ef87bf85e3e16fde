/* SPDX-License-Identifier: Apache-2.0 */
/* coroutines.h: functions and coroutines by letter, and a folder for their arenas: for the tests of
 * tasks. l is the loop, c creates tasks, f and g are plain functions, i is a plain generator, p a
 * generator that passes on what it awaits, q to x are coroutines. */
#ifndef COROUTINES_H
#define COROUTINES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/model/query.h"
#include "engine/record/harvest.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/recording.h"

enum { TASKS = 12, DEEPEST = 6, LETTERS = 26 };

static char keys[LETTERS];
static uint64_t frames[TASKS][DEEPEST]; /* of coroutines: they stay while it is suspended */
static uint64_t plain[4];               /* of functions */
static char folder[64];

static inline bool intern_all(ft_recording *recording)
{
    for (int i = 0; i < LETTERS; i++) {
        char letter = (char)('a' + i), name[2] = {letter, '\0'};
        uint32_t flags = 0;
        if (letter >= 'q')
            flags = FT_CODE_SUSPENDS | FT_CODE_IN_AWAIT | FT_CODE_STARTS_TASK;
        if (letter == 'i' || letter == 'p')
            flags = FT_CODE_IN_AWAIT;
        if (letter == 'c')
            flags = FT_CODE_CREATES_TASK;
        ft_function function = {.key = &keys[i],
                                .kind = FT_CODE_PYTHON,
                                .flags = flags,
                                .texts = {"t.py", name, name},
                                .lengths = {4, 1, 1}};
        if (ft_recording_intern(recording, &function) != FT_OK)
            return false;
    }
    return true;
}

static inline void empty_folder(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", folder, folder);
    if (system(command) != 0)
        abort();
}

/* Interned and empty. */
static inline void open_recording(ft_recording *recording, uint32_t most)
{
    empty_folder();
    if (ft_recording_open(recording, &ft_mem_system, folder, most) != FT_OK ||
        !intern_all(recording))
        abort();
}

static inline char letter_of(const ft_profile *profile, uint32_t code)
{
    return ft_strtab_get(&profile->texts, profile->codes.codes[code].name).data[0];
}

static inline void harvest(ft_profile *profile)
{
    uint32_t count;
    if (ft_profile_init(profile, &ft_mem_system) != FT_OK ||
        ft_harvest_directory(profile, folder, (ft_harvest_death){0}, &count) != FT_OK ||
        ft_profile_check(profile) != FT_OK)
        abort();
}

/* The letter's row; all zeros when there is none. */
static inline ft_function_row row_of(const ft_profile *profile, char letter)
{
    ft_function_row *rows = NULL, found = {0};
    uint32_t count = 0;
    if (ft_query_functions(profile, &rows, &count) != FT_OK)
        abort();
    for (uint32_t i = 0; i < count; i++)
        if (letter_of(profile, rows[i].code) == letter)
            found = rows[i];
    ft_mem_free(profile->mem, rows);
    return found;
}

/* Makes the folder, or ends the program. */
static inline void make_folder(void)
{
    strcpy(folder, "/tmp/fettle-test-XXXXXX");
    if (mkdtemp(folder) == NULL)
        abort();
}

static inline void drop_folder(void)
{
    empty_folder();
    rmdir(folder);
}

#endif
