/* SPDX-License-Identifier: Apache-2.0 */
/* coroutines.h: what engine/record/tasks.h wants to know of coroutines, from their frames. */
#ifndef FT_GLUE_PROBES_COROUTINES_H
#define FT_GLUE_PROBES_COROUTINES_H

#include "glue/compat.h"

#include "engine/record/tasks.h"

/* ft_code_flag of a Python function: is it a coroutine, a generator, one that creates tasks? */
uint32_t ft_coroutines_flags(PyCodeObject *code);

/* A function that creates tasks begins, its arguments are in frame: tells the task. */
void ft_coroutines_create(ft_recorder *recorder, const ft_frame *frame, uint64_t now);

/* The running function, whose frame this is and which others may await, yields value. */
void ft_coroutines_yield(ft_recorder *recorder, ft_frame *frame, PyObject *value, uint64_t now);

#endif
