/* SPDX-License-Identifier: Apache-2.0 */
/* line_events.c: the line probes' events, for all recorders of the thread (see line_events.h). */
#include "glue/probes/line_events.h"

#include <errno.h>

#include "engine/record/recorder_rest.h"
#include "glue/probes/session.h"

/* Another thread's take may have ended what the list was made for: then it is made anew at the next
 * event. Nothing here gives up the GIL. */
#define EACH_OTHER(recorder)                                                                       \
    for (uint32_t i = 0; ft_session_here.more_lines != NULL && i < others()->count; i++)           \
        if ((recorder = others()->of[i].recorder) != ft_session_here.lines &&                      \
            ft_take_of(recorder)->lines)

static const ft_thread_recorders *others(void)
{
    return ft_session_here.more_lines;
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
    if (FT_UNLIKELY(ft_session_here.more_lines != NULL))
        EACH_OTHER(recorder)
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
    if (FT_UNLIKELY(ft_session_here.more_lines != NULL))
        EACH_OTHER(recorder)
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
    if (FT_UNLIKELY(ft_session_here.more_lines != NULL))
        EACH_OTHER(recorder)
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
    if (FT_UNLIKELY(ft_session_here.more_lines != NULL))
        EACH_OTHER(recorder)
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
    if (FT_UNLIKELY(ft_session_here.more_lines != NULL))
        EACH_OTHER(recorder)
    resume_in(recorder, key, frame, line);
}
