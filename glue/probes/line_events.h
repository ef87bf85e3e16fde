/* SPDX-License-Identifier: Apache-2.0 */
/* line_events.h: what the line probes call at each event, for all recorders of the thread.
 *
 * key: the watched code object (3.11: the one that was rewritten). frame: the one that runs. They
 * allocate no Python object, run no user code and leave errno and the exception that is set alone.
 */
#ifndef FT_GLUE_PROBES_LINE_EVENTS_H
#define FT_GLUE_PROBES_LINE_EVENTS_H

#include "glue/compat.h"

/* The frame comes to a line. if_changed: the same line again is no event. */
void ft_line_event(const void *key, const ft_frame *frame, uint32_t line);
void ft_line_event_if_changed(const void *key, const ft_frame *frame, uint32_t line);

/* It ends, however it ends. */
void ft_line_event_leave(const void *key, const ft_frame *frame);

/* It yields to who iterates over it. */
void ft_line_event_yield(const void *key, const ft_frame *frame);

/* It awaits something that is not there yet. */
void ft_line_event_suspend(const void *key, const ft_frame *frame);

/* It goes on, within this line (0: not known). */
void ft_line_event_resume(const void *key, const ft_frame *frame, uint32_t line);

#endif
