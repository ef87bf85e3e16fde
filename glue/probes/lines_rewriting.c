/* SPDX-License-Identifier: Apache-2.0 */
/* lines_rewriting.c: lines through rewritten code objects, CPython 3.11. */
#include "glue/probes/line_marks.h"

#if !FT_HAS_MONITORING

int ft_line_probe_watch(PyCodeObject *code)
{
    (void)code;
    return 0;
}

void ft_line_probe_unwatch(PyCodeObject *code)
{
    (void)code;
}

int ft_line_probe_adopt(PyFunctionObject *function)
{
    (void)function;
    return 0;
}

PyCodeObject *ft_line_probe_code(PyFunctionObject *function)
{
    return (PyCodeObject *)function->func_code;
}

int ft_line_probe_adjust(bool in_use, bool selecting)
{
    (void)in_use, (void)selecting;
    return 0;
}

#endif
