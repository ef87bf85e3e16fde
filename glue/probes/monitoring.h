/* SPDX-License-Identifier: Apache-2.0 */
/* monitoring.h: sys.monitoring (PEP 669) as the probes use it, CPython 3.12 and newer.
 *
 * Each probe holds a tool id of its own. The tool with the highest id hears of an event first:
 * calls should come before lines, which look at the call that has begun. */
#ifndef FT_GLUE_PROBES_MONITORING_H
#define FT_GLUE_PROBES_MONITORING_H

#include "glue/compat.h"

#if FT_HAS_MONITORING

typedef struct ft_tool {
    const char *name;
    int preferred[6]; /* ids, in this order */
    int id;           /* the one it holds, or -1 */
} ft_tool;

/* Fetches what all of this needs. 0, or -1 with an exception. */
int ft_monitoring_prepare(void);

/* sys.monitoring.MISSING and DISABLE. Borrowed, after ft_monitoring_prepare. */
PyObject *ft_monitoring_missing(void);
PyObject *ft_monitoring_disable(void);

/* The bit of an event, or -1 with an exception. */
int ft_monitoring_event(const char *name);

/* Every event that any tool disabled is on again. 0, or -1 with an exception. */
int ft_monitoring_restart(void);

/* Takes a tool id that nobody uses, unless the tool still holds one. 0, or -1 with an exception
 * (and a note) when all are taken. */
int ft_tool_take(ft_tool *tool);

/* Does it hold an id that nobody took from it? */
bool ft_tool_holds_id(const ft_tool *tool);

/* Gives the id back, with all its events. Keeps no exception. */
void ft_tool_give_back(ft_tool *tool);

/* The event's bit; from now on call hears of it where it is on. -1 with an exception. The callback
 * is an object with a vectorcall of its own, which saves the call protocol of a built-in function
 * on every event. */
int ft_tool_hear(const ft_tool *tool, const char *event, vectorcallfunc call);

/* The events that are on everywhere, or in one code object. 0, or -1 with an exception. */
int ft_tool_set_events(const ft_tool *tool, int events);
int ft_tool_set_local_events(const ft_tool *tool, PyCodeObject *code, int events);

#endif
#endif
