/* SPDX-License-Identifier: Apache-2.0 */
/* line_events.c: the line probes' events, for all recorders of the thread (see line_events.h). */
#include "glue/probes/line_events.h"

#include <errno.h>

#include "engine/record/recorder_rest.h"
#include "glue/probes/session.h"

/* The next of the thread's recorders of lines but the first, from number *at of the list on; NULL
 * after the last. A take that records lines has no timer, so no code of the program's runs while
 * they are served, and the list stays as it is. */
static inline ft_recorder *next_other(uint32_t *at)
{
    const ft_thread_recorders *more = ft_session_here.more_lines;
    while (FT_UNLIKELY(more != NULL) && *at < more->count) {
        ft_recorder *recorder = more->of[(*at)++].recorder;
        if (recorder != ft_session_here.lines && ft_take_of(recorder)->lines)
            return recorder;
    }
    return NULL;
}

/* The thread's lines of a recorder; NULL when the take watches nothing or there is no room. */
static inline ft_line_recorder *lines_of(ft_recorder *recorder)
{
    ft_line_recorder *lines = recorder->rest->lines;
    if (FT_LIKELY(lines != NULL))
        return lines;
    if (recorder->recording->lines.code_count == 0)
        return NULL;
    int number = errno; /* the program's */
    lines = ft_recorder_lines(recorder);
    errno = number;
    return lines;
}

static inline void line_in(ft_recorder *recorder, const void *key, const ft_frame *frame,
                           uint32_t line)
{
    ft_line_recorder *lines = lines_of(recorder);
    if (FT_UNLIKELY(lines == NULL))
        return;
    ft_line_at(lines, key, frame, line, ft_take_now(recorder));
    if (FT_UNLIKELY(ft_line_made_room(lines)))
        ft_line_begin_anew(lines, ft_take_now(recorder));
}

void ft_line_event(const void *key, const ft_frame *frame, uint32_t line)
{
    ft_recorder *recorder = ft_session_line_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    line_in(recorder, key, frame, line);
    for (uint32_t at = 0; (recorder = next_other(&at)) != NULL;)
        line_in(recorder, key, frame, line);
}

static inline void line_if_changed_in(ft_recorder *recorder, const void *key, const ft_frame *frame,
                                      uint32_t line)
{
    ft_line_recorder *lines = lines_of(recorder);
    if (FT_LIKELY(lines != NULL) && !ft_line_is_at(lines, frame, line))
        ft_line_at(lines, key, frame, line, ft_take_now(recorder));
}

void ft_line_event_if_changed(const void *key, const ft_frame *frame, uint32_t line)
{
    ft_recorder *recorder = ft_session_line_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    line_if_changed_in(recorder, key, frame, line);
    for (uint32_t at = 0; (recorder = next_other(&at)) != NULL;)
        line_if_changed_in(recorder, key, frame, line);
}

static inline void leave_in(ft_recorder *recorder, const void *key, const ft_frame *frame)
{
    ft_line_recorder *lines = recorder->rest->lines;
    if (FT_LIKELY(lines != NULL))
        ft_line_leave(lines, key, frame, ft_take_now(recorder));
}

void ft_line_event_leave(const void *key, const ft_frame *frame)
{
    ft_recorder *recorder = ft_session_line_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    leave_in(recorder, key, frame);
    for (uint32_t at = 0; (recorder = next_other(&at)) != NULL;)
        leave_in(recorder, key, frame);
}

static void suspend_in(ft_recorder *recorder, const void *key, const ft_frame *frame, bool awaits)
{
    if (recorder->rest->lines != NULL)
        ft_line_suspend(recorder->rest->lines, key, frame, awaits, ft_take_now(recorder));
}

static void suspend(const void *key, const ft_frame *frame, bool awaits)
{
    ft_recorder *recorder = ft_session_line_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    suspend_in(recorder, key, frame, awaits);
    for (uint32_t at = 0; (recorder = next_other(&at)) != NULL;)
        suspend_in(recorder, key, frame, awaits);
}

void ft_line_event_suspend(const void *key, const ft_frame *frame)
{
    suspend(key, frame, true);
}

void ft_line_event_yield(const void *key, const ft_frame *frame)
{
    suspend(key, frame, false);
}

static void resume_in(ft_recorder *recorder, const void *key, const ft_frame *frame, uint32_t line)
{
    ft_line_recorder *lines = lines_of(recorder);
    if (lines != NULL)
        ft_line_resume(lines, key, frame, line, ft_take_now(recorder));
}

void ft_line_event_resume(const void *key, const ft_frame *frame, uint32_t line)
{
    ft_recorder *recorder = ft_session_line_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    resume_in(recorder, key, frame, line);
    for (uint32_t at = 0; (recorder = next_other(&at)) != NULL;)
        resume_in(recorder, key, frame, line);
}
