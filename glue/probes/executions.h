/* SPDX-License-Identifier: Apache-2.0 */
/* executions.h: modules that are about to be executed, CPython 3.11.
 *
 * Importing, running a script and exec() all raise the audit event "exec" with the code object just
 * before they evaluate it. So the evaluator of frames is replaced from there until that code
 * comes, and for that one frame: nothing else is slowed down. */
#ifndef FT_GLUE_PROBES_EXECUTIONS_H
#define FT_GLUE_PROBES_EXECUTIONS_H

#include "glue/compat.h"

#if !FT_HAS_MONITORING

/* Called with a module's code and the globals it is about to run with: a new reference to what is
 * run in its place, perhaps code itself; NULL with an exception that nobody will see: code itself.
 */
typedef PyCodeObject *(*ft_execution_handler)(PyCodeObject *code, PyObject *globals);

/* handler NULL: no more. 0, or -1 with an exception. An audit hook is added at the first call: that
 * can not be undone, and it runs other audit hooks. */
int ft_executions_watch(ft_execution_handler handler);

#endif /* !FT_HAS_MONITORING */
#endif
